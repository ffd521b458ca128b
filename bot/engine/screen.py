"""Where a patient stands, and what the answers lead to."""

from collections.abc import Mapping
from datetime import timedelta
from statistics import median

from bot.content.conditions import StandingName, Verdict, View, holds, judge
from bot.content.model import Content
from bot.engine import course
from bot.engine.state import Facts, State

PAIN = "pain"
"""The answer that holds the pain of today, 0-10, in every flow."""


def standing(content: Content, state: State, facts: Facts) -> StandingName:
    """Locked wins; then whether the last screening is recent and in use."""
    if state.lock is not None:
        return "locked"
    if state.screening is None:
        return "none"
    freshness = content.safety.freshness
    used = max((state.screening.at, *state.recent_sessions))
    old = facts.now - state.screening.at >= timedelta(days=freshness.screening_days)
    unused = facts.now - used >= timedelta(days=freshness.unused_days)
    return "stale" if old or unused else "fresh"


def usual_pain(content: Content, state: State, facts: Facts) -> int | None:
    """What today's pain is compared with: the last report before the flow under way, or the median of the latest days
    (content says how many), whichever is lower. None before the first report."""
    before = [p for p in state.pains if state.begun_at is None or p.at < state.begun_at]
    if not before:
        return None
    span = timedelta(days=content.safety.freshness.median_days)
    week = [p.value for p in before if facts.now - p.at <= span]
    return min(before[-1].value, int(median(week))) if week else before[-1].value


def view(content: Content, state: State, facts: Facts, answers: Mapping[str, str] | None = None) -> View:
    """What conditions are tested on, now."""
    return View(
        answers=state.answers if answers is None else answers,
        standing=standing(content, state, facts),
        consents=frozenset(state.consents),
        sessions=state.sessions,
        last_pain=usual_pain(content, state, facts),
        course=course.name(content, state, facts.now),
    )


def verdict(content: Content, state: State, facts: Facts) -> Verdict:
    """Every flag tested on the answers of the flow under way."""
    return judge(content.safety.flag, view(content, state, facts))


def modifiers(content: Content, state: State, facts: Facts) -> frozenset[str]:
    """Limits on a routine. One that cannot be ruled out applies: not known is not safe."""
    seen = view(content, state, facts)
    return frozenset(m.id for m in content.safety.modifier if any(holds(when, seen) is not False for when in m.when))
