"""Conditions as bits, so that millions of paths are walked as integers.

Every distinct condition of the content is an atom. What is known on a path is two masks: atoms that are true and atoms
that are false; one in neither is not known. The meaning of an atom comes from `conditions.holds` alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

from bot.content.conditions import StandingName, View, holds
from bot.content.model import (
    Answered,
    Branch,
    Condition,
    Consented,
    Content,
    Course,
    CourseName,
    Experience,
    Flag,
    Known,
    Number,
    OtherFlag,
    Rise,
    Standing,
    Suggest,
    When,
)
from bot.messages import Disposition

GUIDANCE = Consented(consent="guidance")
LAST_PAINS: tuple[int | None, ...] = (None, *range(11))
STANDINGS: tuple[StandingName, ...] = ("none", "stale", "fresh", "locked")
COURSES: tuple[CourseName, ...] = get_args(CourseName)
PURPOSES = ("guidance", "staff", "tips")


def reads(condition: Condition) -> str | None:
    """The answer that a condition looks at, None when it looks at none."""
    match condition:
        case Answered(answer=name) | Number(number=name) | Rise(rise=name) | Known(known=name):
            return name
        case _:
            return None


def purpose_key(purpose: str) -> str:
    """A consent among the names that a path can write; no answer can be called so."""
    return f"consent:{purpose}"


def level_bit(level: Disposition) -> int:
    """One bit for a disposition."""
    return 1 << level.rank


def stands(flag: Flag) -> bool:
    """Whether a flag only repeats what stood before: it looks at where the patient stands."""
    return any(isinstance(condition, Standing) for condition in flag.when)


@dataclass(frozen=True, slots=True)
class FlagBits:
    """A flag as masks. `need` are its own conditions, `names` what it reads, `level` its
    disposition. `sign` is what it leaves when it holds for
    good: its disposition, or a bit of its own when it has to be told apart. `others` are the signs that each
    of its conditions on other flags asks for, with the flags (bits) that count as long as they are undecided."""

    flag: Flag
    bit: int
    need: int
    names: frozenset[str]
    level: int
    sign: int
    others: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands as a flow is entered, as masks. `recorded`: there is an earlier screening, and nothing is locked."""

    true: int
    false: int
    recorded: bool


class Atoms:
    """Every condition of the content, numbered."""

    def __init__(self, content: Content) -> None:
        self._bit: dict[Condition, int] = {}
        self.of_name: dict[str, int] = {}
        self._by_name: dict[str, list[Condition]] = {}
        for condition in _conditions(content):
            self._add(condition)
        self.guidance = self._bit[GUIDANCE]
        self.unanswered = sum(bit for c, bit in self._bit.items() if isinstance(c, Known))
        self.flags = tuple(self._flags(content.safety.flag))

    def _add(self, condition: Condition) -> None:
        if condition in self._bit or isinstance(condition, OtherFlag):
            return
        bit = 1 << len(self._bit)
        self._bit[condition] = bit
        name = reads(condition) or (purpose_key(condition.consent) if isinstance(condition, Consented) else None)
        if name is not None:
            self.of_name[name] = self.of_name.get(name, 0) | bit
            self._by_name.setdefault(name, []).append(condition)

    def _flags(self, flags: tuple[Flag, ...]) -> Iterator[FlagBits]:
        bits = {flag.id: 1 << i for i, flag in enumerate(flags)}
        looking = {flag.id for flag in flags if any(isinstance(c, OtherFlag) for c in flag.when)}
        apart = {name for flag in flags for c in flag.when if isinstance(c, OtherFlag) for name in c.besides}
        apart |= {flag.id for flag in flags if stands(flag)}
        signs = {f.id: bits[f.id] << _LEVELS if f.id in apart else level_bit(f.disposition) for f in flags}
        for flag in flags:
            others = []
            for condition in flag.when:
                if isinstance(condition, OtherFlag):
                    wanted = [
                        f
                        for f in flags
                        if f.id not in looking
                        and f.disposition in condition.other_flag
                        and f.id not in condition.besides
                    ]
                    others.append((_any(signs[f.id] for f in wanted), _any(bits[f.id] for f in wanted)))
            need = self.mask(flag.when)
            names = frozenset(name for name, mask in self.of_name.items() if mask & need)
            yield FlagBits(flag, bits[flag.id], need, names, level_bit(flag.disposition), signs[flag.id], tuple(others))

    def levels(self, signs: int) -> int:
        """The dispositions of the flags that left these signs."""
        levels = signs & ((1 << _LEVELS) - 1)
        for flag in self.flags:
            if flag.sign & signs:
                levels |= flag.level
        return levels

    def mask(self, when: Iterable[Condition]) -> int:
        """The atoms of a condition list."""
        mask = 0
        for condition in when:
            if not isinstance(condition, OtherFlag):
                mask |= self._bit[condition]
        return mask

    def written(self, name: str, value: str) -> tuple[tuple[int, int], ...]:
        """What becomes true and false when an answer is given: one pair for each way the last pain can compare."""
        conditions = self._by_name.get(name, [])
        pains = LAST_PAINS if any(isinstance(c, Rise) for c in conditions) else (None,)
        views = (View(answers={name: value}, last_pain=last) for last in pains)
        return tuple(sorted({self._sorted(conditions, view) for view in views}))

    def agreed(self, purpose: str, given: bool) -> tuple[int, int]:
        """What becomes true and false when a consent is given or withdrawn."""
        view = View(answers={}, consents=frozenset((purpose,) if given else ()))
        return self._sorted(self._by_name.get(purpose_key(purpose), ()), view)

    def _sorted(self, conditions: Iterable[Condition], view: View) -> tuple[int, int]:
        true = false = 0
        for condition in conditions:
            result = holds((condition,), view)
            true |= self._bit[condition] if result else 0
            false |= self._bit[condition] if result is False else 0
        return true, false

    def classes(self, name: str, values: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """The ways in which an answer can stand as a flow is entered: each class of values, and not at all."""
        known = {pair for value in values for pair in self.written(name, value)}
        missing = (0, self.unanswered & self.of_name.get(name, 0))
        return tuple(sorted(known | {missing}))

    def facts(self) -> Iterator[Facts]:
        """Every way to stand as a flow is entered, nothing answered yet."""
        conditions = [c for c in self._bit if isinstance(c, Standing | Consented | Experience | Course)]
        seen = set()
        agreements = [frozenset(p for p, on in zip(PURPOSES, mask, strict=True) if on) for mask in _ON_OFF]
        for standing, consents, sessions, course in product(STANDINGS, agreements, self._sessions(), COURSES):
            view = View(answers={}, standing=standing, consents=consents, sessions=sessions, course=course)
            seen.add((*self._sorted(conditions, view), standing in ("fresh", "stale")))
        for true, false, recorded in sorted(seen):
            yield Facts(true, false | self.unanswered, recorded)

    def _sessions(self) -> tuple[int, ...]:
        edges = {0}
        for condition in self._bit:
            if isinstance(condition, Experience):
                most = condition.sessions_at_most
                edges |= {condition.sessions_at_least, *((most, most + 1) if most is not None else ())}
        return tuple(sorted(edges))


def _any(bits: Iterable[int]) -> int:
    mask = 0
    for bit in bits:
        mask |= bit
    return mask


_LEVELS = len(Disposition)
_ON_OFF = tuple(product((False, True), repeat=len(PURPOSES)))


def _conditions(content: Content) -> Iterator[Condition]:
    yield GUIDANCE
    for when in _whens(content):
        yield from when


def _whens(content: Content) -> Iterator[When]:
    for flag in content.safety.flag:
        yield flag.when
    for modifier in content.safety.modifier:
        yield from modifier.when
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, Branch):
                for case in node.cases:
                    yield case.when
            elif isinstance(node, Suggest):
                for offer in node.offers:
                    yield offer.when
