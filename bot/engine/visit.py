"""What is said and asked while the patient is here anyway: the week's summary, a tip, and the check-up that is due."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.content.model import Content, Tip
from bot.content.programme import Checkup
from bot.engine import course, weekly
from bot.engine.draft import Draft
from bot.engine.state import RecordMeasure, State
from bot.messages import Card

FACTORS = "factors"
"""The check-up whose yes answers decide the tips and the exercises."""

NUDGE = timedelta(days=7)
"""Between two offers of an assessment; clinical rules, section 9."""

YES = "yes"


def due(draft: Draft) -> str | None:
    """Says what rides along. The flow of the check-up that is due, None without one."""
    weekly.ride_along(draft)
    _tip(draft)
    found = _checkup(draft)
    if found is None:
        return None
    programme = draft.state.programme
    draft.change(programme=replace(programme, asked={**programme.asked, found.id: draft.now}))
    return found.flow


def _checkup(draft: Draft) -> Checkup | None:
    return next((each for each in draft.content.programme.checkup if _is_due(draft, each)), None)


def _is_due(draft: Draft, checkup: Checkup) -> bool:
    state = draft.state
    begun, last = state.programme.begun_at, state.programme.asked.get(checkup.id)
    if begun is None or (checkup.only_same and course.trend(draft.content, state, draft.now) != "same"):
        return False
    if checkup.only_same and any(at is not None and draft.now - at < NUDGE for at in (last, state.nudging.at)):
        return False
    marks = [begun + timedelta(days=days) for days in checkup.days]
    if any(mark <= draft.now and (last is None or last < mark) for mark in marks):
        return True
    over = draft.now >= marks[-1] and checkup.every_days is not None and last is not None
    return over and draft.since(last) >= timedelta(days=checkup.every_days or 0)


def measured(draft: Draft, kind: str, answers: Mapping[str, str]) -> None:
    """A check-up was answered."""
    draft.do(RecordMeasure(kind, answers))
    if kind == FACTORS:
        factors = tuple(name for name, value in answers.items() if value == YES)
        draft.change(programme=replace(draft.state.programme, factors=factors))


def _tip(draft: Draft) -> None:
    """One tip on a factor that plays a part, for those who agreed to tips; not the same before all others were told."""
    state, rules = draft.state, draft.content.programme
    early = draft.since(state.programme.tip_at) < timedelta(days=rules.tip_days)
    tips = fitting_tips(draft.content, state)
    if "tips" not in state.consents or early or not tips:
        return
    told = state.programme.tips
    draft.change(programme=replace(state.programme, tips=told + 1, tip_at=draft.now))
    tip = tips[told % len(tips)]
    draft.say(Card(draft.text(tip.title), draft.text(tip.text)))


def fitting_tips(content: Content, state: State) -> tuple[Tip, ...]:
    """The tips of the patient's factors, one of each factor in turn; none before the factors were asked."""
    factors = [[tip for tip in content.tips if tip.factor == factor] for factor in state.programme.factors]
    longest = max(map(len, factors), default=0)
    return tuple(tips[at] for at in range(longest) for tips in factors if at < len(tips))
