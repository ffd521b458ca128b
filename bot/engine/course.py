"""How the programme goes: worse sessions, stops, and where the pain has gone over weeks. Numbers are programme.toml's."""

from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from bot.content.model import Content, CourseName
from bot.engine.draft import Draft
from bot.engine.state import State

Trend = Literal["better", "same", "worse"]

REPORTS = 4
"""Reports of pain that a median rests on at least; our own rule."""


def name(content: Content, state: State, now: datetime) -> CourseName:
    """What weighs most at `now`."""
    rules, rests = content.programme.setbacks, state.programme.rests
    counted = [at for at in rests if now - at < timedelta(days=rules.within_days)]
    if len(counted) >= rules.most:
        return "thrice"
    if trend(content, state, now) == "worse":
        return "worse"
    if counted and now - counted[-1] < timedelta(days=rules.rest_days):
        return "resting"
    return "returning" if counted else "steady"


def trend(content: Content, state: State, now: datetime) -> Trend | None:
    """Pain now against that of the first days; None while it is too early to say, or too little was told."""
    rules, programme = content.programme.trend, state.programme
    if programme.begun_at is None or programme.first_pain is None:
        return None
    lasted = now - programme.begun_at
    span = timedelta(days=rules.span_days)
    lately = [pain.value for pain in state.pains if now - pain.at < span]
    if lasted < timedelta(days=rules.same_days) or len(lately) < REPORTS:
        return None
    fall = programme.first_pain - median(lately)
    if -fall >= rules.points:
        return "worse" if lasted >= timedelta(days=rules.worse_days) else "same"
    better = fall >= rules.points or (fall > 0 and fall * 100 >= rules.percent * programme.first_pain)
    return "better" if better else "same"


def begun(draft: Draft) -> None:
    """A routine begins: the days in a row, a single day off forgiven, and the first day of all."""
    programme, zone = draft.state.programme, draft.zone
    earlier = draft.state.recent_sessions
    today = draft.now.astimezone(zone).date()
    gap = (today - earlier[-1].astimezone(zone).date()).days if earlier else None
    streak = programme.streak if gap == 0 else programme.streak + 1 if gap is not None and gap <= 2 else 1
    draft.change(programme=replace(programme, streak=streak, begun_at=programme.begun_at or draft.now))


def reported(draft: Draft, worse: bool) -> None:
    """A session ended. So many worse ones in a row stop the pressing for some days."""
    programme, rules = draft.state.programme, draft.content.programme
    row = programme.worse_row + 1 if worse else 0
    draft.change(programme=replace(programme, worse_row=row, reported_at=draft.now))
    if row >= rules.setbacks.sessions:
        rest(draft)
    _keep_first_pain(draft)


def rest(draft: Draft) -> None:
    """Pressing stops from now on. A stop under way begins anew and is not counted twice."""
    programme = draft.state.programme
    rests = programme.rests
    if rests and draft.since(rests[-1]) < timedelta(days=draft.content.programme.setbacks.rest_days):
        rests = rests[:-1]
    kept = (*rests, draft.now)[-draft.content.programme.setbacks.most :]
    draft.change(programme=replace(programme, worse_row=0, rests=kept))


def renew(draft: Draft) -> None:
    """A doctor has looked: stops and the pain of the first days count from here."""
    programme = draft.state.programme
    draft.change(programme=replace(programme, begun_at=None, first_pain=None, worse_row=0, rests=()))


def _keep_first_pain(draft: Draft) -> None:
    """Once the first days are over, their median is remembered; the reports themselves are not kept for so long."""
    programme = draft.state.programme
    span = timedelta(days=draft.content.programme.trend.span_days)
    if programme.first_pain is not None or programme.begun_at is None or draft.since(programme.begun_at) < span:
        return
    day = timedelta(days=1)  # the check before the first routine belongs to it
    first = [p.value for p in draft.state.pains if -day < p.at - programme.begun_at < span]
    if len(first) >= REPORTS:
        draft.change(programme=replace(programme, first_pain=int(median(first))))
