"""The assessment pointed out at the right moment: after care, seldom, and to nobody who must see a doctor first."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, assert_never

from bot.content.nudges import Asked, Calm, Course, Ended, NudgeRule, Returned, Sign, Told
from bot.engine import booking, course
from bot.engine.diary import LogNudge, SettleNudge
from bot.engine.draft import Draft
from bot.engine.state import Nudging, State
from bot.messages import Card, Choice, Command, Disposition, PickToken

NUDGE = "nudge"
"""Marks the buttons: `nudge/<what>`."""

Wanted = Literal["exercise", "prevention"]


def after_care(draft: Draft) -> None:
    """At the end of a report on care that did no harm."""
    pains = [pain.value for pain in draft.state.pains[-2:]]
    if draft.state.answers.get("report") in ("done", "partly") and pains == sorted(pains, reverse=True):
        _point_out(draft, None)


def asked(draft: Draft, wanted: Wanted) -> None:
    """The patient asked: they get an answer in any case, and the assessment if it may be pointed out now."""
    nudges = draft.content.nudges
    draft.words(nudges.exercise if wanted == "exercise" else nudges.prevention)
    _point_out(draft, wanted)
    waits = draft.state.waiting is not None
    draft.quick(*(draft.command(c) for c in ((Command.GO_ON,) if waits else (Command.TODAY, Command.MENU))))


def picked(draft: Draft, what: str, rule: str) -> bool:
    """A button of a nudge. False for one that this program does not write."""
    if what == "open":
        _settle(draft, "opened")
        if not booking.here(draft):
            draft.say(Card(draft.text(draft.content.nudges.title), choices=draft.links()))
        else:
            booking.menu(draft)
    elif what == "dismiss":
        _settle(draft, "dismissed")
        rests = {**draft.state.nudging.rests, rule: draft.now}
        draft.change(nudging=replace(draft.state.nudging, rests=rests, open=None))
        draft.words(draft.content.nudges.dismissed)
        draft.quick(draft.command(Command.TODAY), draft.command(Command.MENU))
    else:
        return False
    return True


def _settle(draft: Draft, outcome: Literal["opened", "dismissed"]) -> None:
    if draft.state.nudging.open is not None:
        draft.do(SettleNudge(outcome))


def _point_out(draft: Draft, wanted: Wanted | None) -> None:
    rule = due(draft, wanted)
    if rule is None:
        return
    words = draft.content.nudges
    see = Choice(draft.text(words.label_open), token=PickToken(0, f"{NUDGE}/open", rule.id), style="main")
    aside = Choice(draft.text(words.label_dismiss), token=PickToken(0, f"{NUDGE}/dismiss", rule.id))
    draft.say(Card(draft.text(words.title), draft.text(rule.text), choices=(see, aside)))
    draft.change(nudging=Nudging(draft.now, rule.id, draft.state.nudging.rests))
    draft.do(LogNudge(rule.id))


def due(draft: Draft, wanted: Wanted | None) -> NudgeRule | None:
    """The first rule that may be used and whose signs all hold. One that was asked for comes only then."""
    if not _may(draft):
        return None
    words, rests = draft.content.nudges, draft.state.nudging.rests
    span = timedelta(days=words.rest_days)
    rested = {rule for rule, at in rests.items() if draft.since(at) < span}
    for rule in words.rule:
        if rule.id not in rested and all(_holds(draft, sign, wanted) for sign in rule.when):
            return rule
    return None


def _may(draft: Draft) -> bool:
    """Whether anything may be pointed out at all."""
    state, rules = draft.state, draft.content.nudges
    screening = state.screening
    if state.lock is not None or state.stopped or "guidance" not in state.consents or screening is None:
        return False
    if screening.outcome not in (Disposition.NO_MASSAGE, Disposition.SELF_MASSAGE):
        return False
    if state.sessions < rules.sessions or any(_told(state, never) for never in rules.never):
        return False
    if not booking.here(draft) and not draft.links():
        return False  # there is nothing to lead to
    if state.assessment_at is not None and draft.now < state.assessment_at + timedelta(days=rules.after_days):
        return False
    offers = [state.programme.asked.get(each.id) for each in draft.content.programme.checkup if each.only_same]
    return all(draft.since(at) >= timedelta(days=rules.every_days) for at in (state.nudging.at, *offers))


def _told(state: State, sign: Told) -> bool:
    screening = state.screening
    return screening is not None and screening.answers.get(sign.told) in sign.any_of


def _holds(draft: Draft, sign: Sign, wanted: Wanted | None) -> bool:
    state = draft.state
    match sign:
        case Told():
            return _told(state, sign)
        case Ended(outcome=outcomes):
            return state.screening is not None and state.screening.outcome.value in outcomes
        case Returned():
            return _returns(state, sign) >= sign.times
        case Course(trend=trend):
            return course.trend(draft.content, state, draft.now) == trend
        case Calm():
            lately = [p.value for p in state.pains if draft.since(p.at) <= timedelta(days=sign.days)]
            long = bool(state.pains) and draft.since(state.pains[0].at) >= timedelta(days=sign.days)
            return long and len(lately) >= sign.reports and max(lately) <= sign.pain_at_most
        case Asked(asked=topic):
            return topic == wanted
        case _:
            assert_never(sign)


def _returns(state: State, sign: Returned) -> int:
    """How often in a row, up to now, the pain fell with a routine and was back at the next one within the days."""
    sessions = _around_sessions(state)
    count = 0
    for (at, before, after), (then, again, _) in pairwise(sessions):
        fell, back = before - after >= sign.points, again - after >= sign.points
        near = then - at <= timedelta(days=sign.returned_days)
        count = count + 1 if fell and back and near else 0
    return count


def _around_sessions(state: State) -> list[tuple[datetime, int, int]]:
    """Each of the latest routines with the pain told before it and after it."""
    found = []
    starts = state.recent_sessions
    for index, at in enumerate(starts):
        until = starts[index + 1] if index + 1 < len(starts) else None
        before = [p.value for p in state.pains if p.at <= at]
        after = [p.value for p in state.pains if p.at > at and (until is None or p.at <= until)]
        if before and after:
            found.append((at, before[-1], after[0]))
    return found
