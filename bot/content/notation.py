"""Conditions as staff read them: ids and numbers, as they stand in the files."""

from typing import assert_never

from bot.content.model import (
    Answered,
    Condition,
    Consented,
    Course,
    Experience,
    Known,
    Number,
    OtherFlag,
    Rise,
    Standing,
    When,
)


def condition(when: When) -> str:
    """All of them, joined; empty for none."""
    return " & ".join(map(_one, when))


def _one(one: Condition) -> str:
    match one:
        case Answered(answer=name, any_of=values):
            return f"{name} = {', '.join(values)}"
        case Number(number=name, at_least=low, at_most=high):
            return _between(name, low, high)
        case Rise(rise=name, at_least=points):
            return f"{name} ≥ +{points}"
        case Standing(standing=names):
            return f"standing = {', '.join(names)}"
        case Consented(consent=purpose, given=given):
            return f"consent {purpose}" if given else f"no consent {purpose}"
        case Known(known=name):
            return f"{name} known"
        case Experience(sessions_at_least=low, sessions_at_most=high):
            return _between("sessions", low, high)
        case Course(course=names):
            return f"course = {', '.join(names)}"
        case OtherFlag(other_flag=levels):
            return f"other flag: {', '.join(levels)}"
        case _:
            assert_never(one)


def _between(name: str, low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} ≤ {name} ≤ {high}"
    return f"{name} ≥ {low}" if low is not None else f"{name} ≤ {high}"
