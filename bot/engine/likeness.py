"""A second vote: how alike a message is to messages whose level is known.

The rules know what can be named; this knows how people talk round it, and how they use the same words for something
harmless. First the pieces of the message speak: its letters, what it names and what became of that. Then their opinion is
weighed with the facts: which rules apply, whether something is denied, past, supposed or another's, what is asked for.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.messages import Disposition

LONGEST_PIECE = 4
ALWAYS = "always"
"""The fact that is true of every message."""
_LEAST = 1e-4
_UNVOICED = str.maketrans(
    "がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽ", "かきくけこさしすせそたちつてとはひふへほはひふへほ"
)
_SEPARATORS = str.maketrans("", "", " 、")
_ALARMS = (Disposition.EMERGENCY, Disposition.URGENT, Disposition.DOCTOR)


@dataclass(frozen=True, slots=True)
class Vote:
    """The most serious level that is believed, and the kind that speaks most for it."""

    kind: Kind
    level: Disposition


def spoken(text: str) -> str:
    """`text` in kana as it is heard at a distance: no pauses, no difference between voiced and unvoiced (わがんね, わかんね)."""
    return text.translate(_SEPARATORS).translate(_UNVOICED)


def pieces(text: str, sound: str) -> set[str]:
    """Everything of one to four letters that stands in a line of the text or of its sound."""
    return {
        line[at : at + size]
        for line in {*text.split("\n"), *sound.split("\n")}
        for size in range(1, LONGEST_PIECE + 1)
        for at in range(len(line) - size + 1)
    }


def chances(found: Iterable[str], likeness: Likeness) -> tuple[float, ...]:
    """How likely each of KINDS is by the pieces; they add up to 1."""
    known = [weights for piece in found if (weights := likeness.weights.get(piece))]
    scale = 100 * math.sqrt(len(known) or 1)
    sums = [sum(column) for column in zip(*known, strict=True)] or [0] * len(KINDS)
    return _shares([bias / 100 + total / scale for bias, total in zip(likeness.bias, sums, strict=True)])


def weighed(by_pieces: Iterable[float], facts: Iterable[str], likeness: Likeness) -> tuple[float, ...]:
    """How likely each of KINDS is by the pieces' opinion and the facts together; they add up to 1."""
    known = likeness.fact_weights
    scores = [0.0] * len(KINDS)
    for name, worth in (*((fact, 1.0) for fact in facts), *opinion(by_pieces)):
        for place, weight in enumerate(known.get(name, ())):
            scores[place] += worth * weight / 100
    return _shares(scores)


def opinion(by_pieces: Iterable[float]) -> list[tuple[str, float]]:
    """The pieces' opinion as facts that are more or less true."""
    return [(f"like:{kind}", math.log(chance + _LEAST) / 2) for kind, chance in zip(KINDS, by_pieces, strict=True)]


def _shares(scores: list[float]) -> tuple[float, ...]:
    most = max(scores)
    raised = [math.exp(score - most) for score in scores]
    total = sum(raised)
    return tuple(value / total for value in raised)


def vote(by_kind: tuple[float, ...], said: Disposition | None, likeness: Likeness) -> Vote | None:
    """The most serious level that is believed, where the rules said `said`; None if none is."""
    so_far = 0.0
    for place, level in enumerate(_ALARMS):
        kinds = [(chance, kind) for kind, chance in zip(KINDS, by_kind, strict=True) if LEVELS.get(kind[0]) is level]
        so_far += sum(chance for chance, _ in kinds)
        confirms = said is not None and said.rank <= level.rank
        if so_far * 100 >= (likeness.confirmed if confirms else likeness.sure)[place]:
            return Vote(max(kinds)[1], level)
    return None


def telling(text: str, kind: Kind, likeness: Likeness) -> tuple[int, int]:
    """The stretch of the text whose letters weigh most for `kind` against nothing at all."""
    mine, none = KINDS.index(kind), KINDS.index("none")
    known = likeness.weights
    worth = [0.0] * len(text)
    for at in range(len(text)):
        for size in range(1, min(LONGEST_PIECE, len(text) - at) + 1):
            weights = known.get(text[at : at + size])
            if weights:
                each = (weights[mine] - weights[none]) / size
                for place in range(at, at + size):
                    worth[place] += each
    best, start, end, total, begun = -math.inf, 0, len(text), 0.0, 0
    for place, value in enumerate(worth):
        if total <= 0:
            total, begun = 0.0, place
        total += value
        if total > best:
            best, start, end = total, begun, place + 1
    return start, end
