"""A second vote: how alike a message is to messages whose level is known.

The rules know what can be named; this knows how people talk round it, and how they use the same words for something
harmless. Everything about a message is a sign: its letters, its words, what it names, what the rules and scopes make of
it. Signs show traits (a network with one hidden layer), and traits speak for the kinds.
"""

import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import Stemmer
from numpy.typing import NDArray

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.content.network import Network, Numbers
from bot.messages import Disposition

LONGEST_PIECE = 5
MOST_WORDS = 3
FACT_WORTH = 0.1
"""Of one fact; the other signs of a message share 1 (their squares add up to 1)."""
ALWAYS = "always"
"""The fact that is true of every message."""
_BEGINNING, _END = "^", "$"
_UNVOICED = str.maketrans(
    "がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽ", "かきくけこさしすせそたちつてとはひふへほはひふへほ"
)
_SEPARATORS = str.maketrans("", "", " 、")
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_ALARMS = (Disposition.EMERGENCY, Disposition.URGENT, Disposition.DOCTOR)
_Marks = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Signs:
    """The marks of a message: of its letters, words and names, each once, and of the facts about it. A mark is 32 bits
    that tell one sign from another."""

    told: _Marks
    facts: _Marks


@dataclass(frozen=True, slots=True)
class Vote:
    """The most serious level that is believed, and the kind that speaks most for it."""

    kind: Kind
    level: Disposition


def spoken(text: str) -> str:
    """`text` in kana as it is heard at a distance: no pauses, no difference between voiced and unvoiced (わがんね, わかんね)."""
    return text.translate(_SEPARATORS).translate(_UNVOICED)


def signs(text: str, sound: str, words: bool, named: Iterable[str], facts: Iterable[str]) -> Signs:
    """Everything of one to five letters in a line of the text or of its sound, its ends among them; what is named; the
    facts. Where the text has `words` (English): up to three of them that follow each other, as written and by their
    stems, and any two things that are named."""
    told = [marks for line in {*text.split("\n"), *sound.split("\n")} for marks in _pieces(line)]
    names = list(named)
    if words:
        names += [" & ".join(pair) for pair in combinations(names, 2)]
        names += _phrases(_WORD.findall(text))
        names += [f"~{phrase}" for phrase in _phrases(_stems().stemWords(_WORD.findall(text)))]
    told.append(_marks(names))
    return Signs(_each_once(np.concatenate(told)), np.sort(_marks([f"fact {fact}" for fact in facts])))


def _each_once(marks: _Marks) -> _Marks:
    """As np.unique, in a quarter of its time for so few."""
    marks.sort()
    first = np.ones(len(marks), np.bool_)
    np.not_equal(marks[1:], marks[:-1], out=first[1:])
    return marks[first]


@cache
def _stems() -> Stemmer.Stemmer:
    """Porter's stemmer for English (Snowball); Japanese needs none, its letters tell."""
    return Stemmer.Stemmer("english")


def _pieces(line: str) -> list[_Marks]:
    """The marks of everything that stands in a line, by its length; each array in the order of the places."""
    letters = np.frombuffer(f"{_BEGINNING}{line}{_END}".encode("utf-32-le"), dtype=np.uint32)
    found: list[_Marks] = []
    mark = np.zeros(len(letters), np.uint32)
    for size in range(1, min(LONGEST_PIECE, len(letters)) + 1):
        mark = (mark[: len(letters) - size + 1] ^ letters[size - 1 :]) * np.uint32(0x01000193) + np.uint32(0x9E3779B9)
        found.append(mark)
    return found


def _phrases(words: Sequence[str]) -> list[str]:
    ended = ["<", *words, ">"]
    return [" ".join(ended[at : at + size]) for size in range(1, MOST_WORDS + 1) for at in range(len(ended) - size + 1)]


def _marks(names: Sequence[str]) -> _Marks:
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def places(wanted: _Marks, marks: _Marks) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where among `marks`, which ascend, each mark that is wanted stands, and which of them do."""
    at = np.minimum(np.searchsorted(marks, wanted), len(marks) - 1)
    return at, marks[at] == wanted


def weighed(found: Signs, marks: _Marks) -> tuple[NDArray[np.intp], Numbers]:
    """Where the signs of a message stand among `marks`, without those that do not, and what each is worth."""
    told, facts = (at[known] for at, known in (places(found.told, marks), places(found.facts, marks)))
    worth = np.full(len(told) + len(facts), FACT_WORTH, np.float32)
    worth[: len(told)] = 1 / math.sqrt(len(told) or 1)
    return np.concatenate([told, facts]), worth


def _traits(found: Signs, network: Network) -> Numbers:
    """How much of each trait is seen; below nothing it is not seen."""
    at, worth = weighed(found, network.marks)
    shown = (network.of(at) * worth[:, None]).sum(axis=0)
    return np.asarray(shown * network.unit + network.bias, np.float32)


def chances(found: Signs, network: Network) -> tuple[float, ...]:
    """How likely each of the network's kinds is; they add up to 1."""
    scores = (np.maximum(_traits(found, network), 0)[:, None] * network.speaks).sum(axis=0) + network.leaning
    raised = np.exp(scores - scores.max())
    return tuple((raised / raised.sum()).tolist())


def vote(by_kind: tuple[float, ...], said: Disposition | None, likeness: Likeness) -> Vote | None:
    """The most serious level that is believed, where the rules said `said`; None if none is."""
    so_far, nothing = 0.0, by_kind[KINDS.index("none")]
    for place, level in enumerate(_ALARMS):
        kinds = [(chance, kind) for kind, chance in zip(KINDS, by_kind, strict=True) if LEVELS.get(kind[0]) is level]
        so_far += sum(chance for chance, _ in kinds)
        confirms = said is not None and said.rank <= level.rank
        enough = (likeness.confirmed if confirms else likeness.sure)[place] * (so_far + nothing)
        if so_far * 100 >= max(enough, likeness.least[place]):
            return Vote(max(kinds)[1], level)
    return None


def telling(text: str, found: Signs, kind: Kind, likeness: Likeness) -> tuple[int, int]:
    """The stretch of the text whose letters weigh most for `kind` against nothing at all, by the traits that are seen in
    the whole message (`found`)."""
    for_it = likeness.speaks[:, KINDS.index(kind)] - likeness.speaks[:, KINDS.index("none")]
    by_trait = np.where(_traits(found, likeness) > 0, for_it, 0)
    worth = np.zeros(len(text) + 2)
    at = 0
    for line in text.split("\n"):
        for size, marks in enumerate(_pieces(line), 1):
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
