"""Which exercises come after the massage: a stretch or a little trunk work that fits, harder with time as pain allows."""

from bot.content.conditions import number
from bot.content.model import Routine, Step
from bot.engine import course
from bot.engine.draft import Draft
from bot.engine.screen import PAIN


def fitting(draft: Draft, routine: Routine) -> tuple[Step, ...]:
    """Of each group the hardest that the patient has come to; once the factors are known, those that suit them best."""
    reached = _level(draft)
    steps = [step for step in routine.after if step.level <= reached]
    kept = [step for step in steps if step.group is None or step.level == _highest(steps, step.group)]
    factors = set(draft.state.programme.factors)
    if factors:
        by_fit = sorted(kept, key=lambda step: -len(factors & set(step.factors)))
        best = by_fit[: draft.content.programme.ladder.most]
        kept = [step for step in kept if step in best]
    return tuple(kept)


def _highest(steps: list[Step], group: str) -> int:
    return max(step.level for step in steps if step.group == group)


def _level(draft: Draft) -> int:
    """1 to 3. Pain that was not asked counts as too strong."""
    state, ladder = draft.state, draft.content.programme.ladder
    pain = number(state.answers.get(PAIN))
    steady = course.name(draft.content, state, draft.now) == "steady"
    if not steady or pain is None or pain > ladder.pain_at_most:
        return 1
    return 1 + sum(state.sessions >= sessions for sessions in ladder.sessions)
