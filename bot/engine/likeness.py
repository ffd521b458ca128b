"""A second vote: how alike a message is, in its letters, to messages whose level is known.

The rules know what can be named; this knows how people talk round it. It only adds to what the rules find, and says
which stretch of the message weighed most.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.messages import Disposition

LONGEST_PIECE = 4
_UNVOICED = str.maketrans(
    "がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽ", "かきくけこさしすせそたちつてとはひふへほはひふへほ"
)
_SEPARATORS = str.maketrans("", "", " 、")


@dataclass(frozen=True, slots=True)
class Vote:
    """`start` and `end` bound the stretch of the text that spoke most for `kind`."""

    kind: Kind
    level: Disposition
    start: int
    end: int


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
    """How likely each of KINDS is; they add up to 1."""
    known = [weights for piece in found if (weights := likeness.weights.get(piece))]
    scale = 100 * math.sqrt(len(known) or 1)
    sums = [sum(column) for column in zip(*known, strict=True)] or [0] * len(KINDS)
    scores = [bias / 100 + total / scale for bias, total in zip(likeness.bias, sums, strict=True)]
    raised = [math.exp(score - max(scores)) for score in scores]
    return tuple(value / sum(raised) for value in raised)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the letters of `text` say: how likely each kind is."""

    text: str
    by_kind: dict[Kind, float]
    likeness: Likeness

    @property
    def hints(self) -> bool:
        """Whether the message is at all like those that mean something."""
        return (1 - self.by_kind["none"]) * 100 >= self.likeness.hint

    def vote(self, doubt: bool) -> Vote | None:
        """The most serious level that the message is surely of; `doubt` asks for more."""
        found = self.sure(doubt)
        return Vote(*found, *_telling(self.text, found[0], self.likeness)) if found else None

    def sure(self, doubt: bool) -> tuple[Kind, Disposition] | None:
        """The same without the words that told."""
        so_far = 0.0
        for level, sure in (
            (Disposition.EMERGENCY, self.likeness.sure_emergency),
            (Disposition.URGENT, self.likeness.sure_urgent),
            (Disposition.DOCTOR, self.likeness.sure_doctor),
        ):
            kinds = [kind for kind in KINDS if LEVELS.get(kind[0]) is level]
            so_far += sum(self.by_kind[kind] for kind in kinds)
            if so_far * 100 >= (self.likeness.sure_in_doubt if doubt else sure):
                kind = max(kinds, key=self.by_kind.__getitem__)
                return kind, level
        return None


def opinion(text: str, sound: str, likeness: Likeness) -> Opinion | None:
    """None where there is nothing to go by."""
    if not likeness.bias or not text:
        return None
    by_kind = dict(zip(KINDS, chances(pieces(text, sound), likeness), strict=True))
    return Opinion(text, by_kind, likeness)


def _telling(text: str, kind: Kind, likeness: Likeness) -> tuple[int, int]:
    """The stretch of the text with the greatest weight for `kind` against nothing at all."""
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
