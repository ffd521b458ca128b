"""What is known, and whether a condition holds on it: yes, no, or not known. Not known is never taken for no."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from bot.content.model import (
    Answered,
    Condition,
    Consented,
    Course,
    CourseName,
    Experience,
    Flag,
    Known,
    Number,
    OtherFlag,
    Rise,
    Standing,
    When,
)
from bot.messages import Disposition

StandingName = Literal["none", "stale", "fresh", "locked"]


@dataclass(frozen=True, slots=True)
class View:
    """What conditions are tested on. `answers` holds option ids, numbers as decimal text; a missing name is an
    unanswered question. `last_pain` is the last report (0-10), None before the first."""

    answers: Mapping[str, str]
    standing: StandingName = "none"
    consents: frozenset[str] = frozenset()
    sessions: int = 0
    last_pain: int | None = None
    course: CourseName = "steady"


def holds(when: When, view: View) -> bool | None:
    """All-of, three-valued: one false makes it False, else one unknown makes it None. Empty holds."""
    unknown = False
    for condition in when:
        if type(condition) is Answered:  # nine in ten are, and every turn tests them all
            given = view.answers.get(condition.answer)
            result = None if given is None else given in condition.any_of
        else:
            result = _one(condition, view)
        if result is False:
            return False
        unknown = unknown or result is None
    return None if unknown else True


def _all(results: Iterable[bool | None]) -> bool | None:
    unknown = False
    for result in results:
        if result is False:
            return False
        unknown = unknown or result is None
    return None if unknown else True


def _one(condition: Condition, view: View) -> bool | None:
    match condition:
        case Answered(answer=name, any_of=values):
            given = view.answers.get(name)
            return None if given is None else given in values
        case Number(number=name, at_least=low, at_most=high):
            value = number(view.answers.get(name))
            if value is None:
                return None
            return (low is None or value >= low) and (high is None or value <= high)
        case Rise(rise=name, at_least=points):
            value = number(view.answers.get(name))
            if value is None:
                return None
            return view.last_pain is not None and value - view.last_pain >= points
        case Standing(standing=names):
            return view.standing in names
        case Consented(consent=purpose, given=wanted):
            return (purpose in view.consents) is wanted
        case Known(known=name):
            return name in view.answers
        case Experience(sessions_at_least=low, sessions_at_most=most):
            return view.sessions >= low and (most is None or view.sessions <= most)
        case Course(course=courses):
            return view.course in courses
        case OtherFlag():
            return None  # only `judge` knows the other flags
        case _:
            assert_never(condition)


def number(answer: str | None) -> int | None:
    """The decimal number of an answer; None when it is missing or no number."""
    return int(answer) if answer is not None and answer.isascii() and answer.isdigit() else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`hit`: flags that hold, most serious first. `unknown`: flags that cannot be ruled out yet."""

    hit: tuple[Flag, ...]
    unknown: tuple[Flag, ...]

    @property
    def worst(self) -> Disposition | None:
        """The disposition that wins, None when no flag holds."""
        return self.hit[0].disposition if self.hit else None


def judge(flags: Iterable[Flag], view: View) -> Verdict:
    """Tests every flag. Flags that look at other flags come second, on the outcome of the first."""
    first: list[tuple[Flag, bool | None]] = []
    second: list[Flag] = []
    for flag in flags:
        for condition in flag.when:
            if type(condition) is OtherFlag:
                second.append(flag)
                break
        else:
            first.append((flag, holds(flag.when, view)))
    alone = tuple(first)
    for flag in second:
        results = [_other(c, alone) if isinstance(c, OtherFlag) else _one(c, view) for c in flag.when]
        first.append((flag, _all(results)))
    hit = sorted((f for f, result in first if result), key=lambda f: f.disposition.rank)
    return Verdict(tuple(hit), tuple(f for f, result in first if result is None))


def _other(condition: OtherFlag, alone: Iterable[tuple[Flag, bool | None]]) -> bool | None:
    """Whether one of the flags that were judged alone holds, as `condition` counts them."""
    results = [
        result
        for flag, result in alone
        if flag.disposition in condition.other_flag and flag.id not in condition.besides
    ]
    return True if True in results else (None if None in results else False)
