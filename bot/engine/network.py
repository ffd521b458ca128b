"""The signs of a message, and what a network makes of them: everything about a message is a sign, its letters, its words,
what it names and the facts about it. Signs show traits (one hidden layer), and traits speak for the kinds.
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

from bot.content.network import Network, Numbers

LONGEST_PIECE = 5
MOST_WORDS = 3
FARTHEST, FARTHEST_WORD = 5, 8
"""How many runs of one script (Japanese) or words (English) a pair reaches over."""
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
_RUN = re.compile(r"[一-龠々]+|[ァ-ヶー]+|[ぁ-ん]+|[a-z0-9']+")
_LONGEST_RUN, _RUN_END = 4, 3
Marks = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Signs:
    """The marks of a message: of its letters, words and names, each once, and of the facts about it. A mark is 32 bits
    that tell one sign from another."""

    told: Marks
    facts: Marks


def spoken(text: str) -> str:
    """`text` in kana as it is heard at a distance: no pauses, no difference between voiced and unvoiced (わがんね, わかんね)."""
    return text.translate(_SEPARATORS).translate(_UNVOICED)


def signs(text: str, sound: str, words: bool, named: Sequence[str], facts: Iterable[str]) -> Signs:
    """Everything of one to five letters in a line of the text or of its sound, its ends among them; what is named; the
    facts; any two words that stand near each other with others between, so that "no" and what it denies are one sign.
    Where the text has `words` (English): up to three of them that follow each other, as written and by their stems, and
    any two things that are named."""
    told = [marks for line in {*text.split("\n"), *sound.split("\n")} for marks in pieces(line)]
    names = [
        *named,
        *(pair for line in text.split("\n") for pair in (_words_apart(line) if words else _runs_apart(line))),
    ]
    if words:
        names += [" & ".join(pair) for pair in combinations(named, 2)]
        names += _phrases(_WORD.findall(text))
        names += [f"~{phrase}" for phrase in _phrases(_stems().stemWords(_WORD.findall(text)))]
    told.append(_marks(names))
    return Signs(_each_once(np.concatenate(told)), np.sort(_marks([f"fact {fact}" for fact in facts])))


def _each_once(marks: Marks) -> Marks:
    """As np.unique, in a quarter of its time for so few."""
    marks.sort()
    first = np.ones(len(marks), np.bool_)
    np.not_equal(marks[1:], marks[:-1], out=first[1:])
    return marks[first]


@cache
def _stems() -> Stemmer.Stemmer:
    """Porter's stemmer for English (Snowball); Japanese needs none, its letters tell."""
    return Stemmer.Stemmer("english")


def pieces(line: str) -> list[Marks]:
    """The marks of everything that stands in a line, by its length; each array in the order of the places."""
    letters = np.frombuffer(f"{_BEGINNING}{line}{_END}".encode("utf-32-le"), dtype=np.uint32)
    found: list[Marks] = []
    mark = np.zeros(len(letters), np.uint32)
    for size in range(1, min(LONGEST_PIECE, len(letters)) + 1):
        mark = (mark[: len(letters) - size + 1] ^ letters[size - 1 :]) * np.uint32(0x01000193) + np.uint32(0x9E3779B9)
        found.append(mark)
    return found


def _phrases(words: Sequence[str]) -> list[str]:
    ended = ["<", *words, ">"]
    return [" ".join(ended[at : at + size]) for size in range(1, MOST_WORDS + 1) for at in range(len(ended) - size + 1)]


def _runs_apart(line: str) -> list[str]:
    """Two runs of one script with one to four others between: Japanese has no spaces. Of a long run its end, which says how
    it is meant."""
    runs = [run if len(run) <= _LONGEST_RUN or run.isascii() else run[-_RUN_END:] for run in _RUN.findall(line)]
    return _pairs(runs, FARTHEST)


def _words_apart(line: str) -> list[str]:
    """The stems of two words with one to seven others between."""
    return _pairs(_stems().stemWords(_RUN.findall(line)), FARTHEST_WORD)


def _pairs(words: Sequence[str], farthest: int) -> list[str]:
    return [f"{word} … {other}" for at, word in enumerate(words) for other in words[at + 2 : at + farthest + 1]]


def _marks(names: Sequence[str]) -> Marks:
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def places(wanted: Marks, marks: Marks) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where among `marks`, which ascend, each mark that is wanted stands, and which of them do."""
    at = np.minimum(np.searchsorted(marks, wanted), len(marks) - 1)
    return at, marks[at] == wanted


def weighed(found: Signs, marks: Marks) -> tuple[NDArray[np.intp], Numbers]:
    """Where the signs of a message stand among `marks`, without those that do not, and what each is worth."""
    told, facts = (at[known] for at, known in (places(found.told, marks), places(found.facts, marks)))
    worth = np.full(len(told) + len(facts), FACT_WORTH, np.float32)
    worth[: len(told)] = 1 / math.sqrt(len(told) or 1)
    return np.concatenate([told, facts]), worth


def traits(found: Signs, network: Network) -> Numbers:
    """How much of each trait is seen; below nothing it is not seen."""
    at, worth = weighed(found, network.marks)
    shown = (network.of(at) * worth[:, None]).sum(axis=0)
    return np.asarray(shown * network.unit + network.bias, np.float32)


def chances(found: Signs, network: Network) -> tuple[float, ...]:
    """How likely each of the network's kinds is; they add up to 1."""
    scores = (np.maximum(traits(found, network), 0)[:, None] * network.speaks).sum(axis=0) + network.leaning
    raised = np.exp(scores - scores.max())
    return tuple((raised / raised.sum()).tolist())
