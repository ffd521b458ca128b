"""A second vote: how alike a message is to messages whose level is known.

The rules know what can be named; this knows how people talk round it, and how they use the same words for something
harmless.
"""

import math
from dataclasses import dataclass

import numpy as np

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.engine.network import Signs, pieces, places, traits
from bot.messages import Disposition

_ALARMS = (Disposition.EMERGENCY, Disposition.URGENT, Disposition.DOCTOR)


@dataclass(frozen=True, slots=True)
class Vote:
    """The most serious level that is believed, and the kind that speaks most for it: of that level, or of a more serious one
    that is not believed by itself but had better be asked about. `mental` goes with an emergency or an urgent level: both
    have advice that names somebody to talk to."""

    kind: Kind
    level: Disposition


def vote(by_kind: tuple[float, ...], said: Disposition | None, likeness: Likeness) -> Vote | None:
    """The most serious level that is believed, where the rules said `said`; None if none is."""
    seen: list[tuple[float, Kind]] = []
    nothing = by_kind[KINDS.index("none")]
    for place, level in enumerate(_ALARMS):
        seen += [(chance, kind) for kind, chance in zip(KINDS, by_kind, strict=True) if LEVELS.get(kind[0]) is level]
        so_far = sum(chance for chance, _ in seen)
        confirms = said is not None and said.rank <= level.rank
        enough = (likeness.confirmed if confirms else likeness.sure)[place] * (so_far + nothing)
        if so_far * 100 >= max(enough, likeness.least[place]):
            asked = [it for it in seen if it[1] != "mental"] if level is Disposition.DOCTOR else seen
            return Vote(max(asked)[1], level)
    return None


def telling(text: str, found: Signs, kind: Kind, likeness: Likeness) -> tuple[int, int]:
    """The stretch of the text whose letters weigh most for `kind` against nothing at all, by the traits that are seen in
    the whole message (`found`)."""
    for_it = likeness.speaks[:, KINDS.index(kind)] - likeness.speaks[:, KINDS.index("none")]
    by_trait = np.where(traits(found, likeness) > 0, for_it, 0)
    worth = np.zeros(len(text) + 2)
    at = 0
    for line in text.split("\n"):
        for size, marks in enumerate(pieces(line), 1):
            rows, known = places(marks, likeness.marks)
            each = (likeness.of(rows) * by_trait).sum(axis=1) * known / size
            for offset in range(size):
                worth[at + offset : at + offset + len(each)] += each
        at += len(line) + 1
    return _heaviest(worth[1:-1].tolist())


def _heaviest(worth: list[float]) -> tuple[int, int]:
    best, start, end, total, begun = -math.inf, 0, len(worth), 0.0, 0
    for place, value in enumerate(worth):
        if total <= 0:
            total, begun = 0.0, place
        total += value
        if total > best:
            best, start, end = total, begun, place + 1
    return start, end
