"""One wrong letter in a long telling word is put right: くるいし is くるしい, おっしこ is おしっこ, blod is blood.

Only words of the vocabulary's `spelling` lists are put right, and only from something that is no other word of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bot.content.vocabulary import Vocabulary, fold
from bot.engine.normal import Reading

_WORD = re.compile(r"[a-z]+")
_KANA = re.compile(r"[ぁ-んa-z]")
_SHORT_KANA = 4
_LONG_KANA = 6
_SHORT_LATIN = 5
_ANY = "？"


@dataclass(frozen=True)
class _Words:
    """`near` maps everything one slip away from a word to that word. The rest tells by the first two letters of a place
    in the text (`starts`: hardly one place in twenty has any) what to try there: the words themselves, the lengths of slips, and slips in which any kana may stand for
    `？` (these also by their first and third letter), each with the longest first."""

    near: dict[str, str]
    starts: frozenset[str]
    right: dict[str, tuple[str, ...]]
    lengths: dict[str, tuple[int, ...]]
    masked: dict[str, tuple[str, ...]]
    masked_second: dict[str, tuple[str, ...]]


def respell(reading: Reading, vocabulary: Vocabulary) -> Reading:
    """`reading` with the slips put right; each corrected word points to where the wrong one stood."""
    kana, latin = _kana(vocabulary.spelling_ja), _latin(vocabulary.spelling_en)
    text, found = reading.text, []
    for match in _WORD.finditer(text):
        if match.group() in latin.near:
            found.append((match.start(), match.end(), latin.near[match.group()]))
    at = 0
    while at < len(text):
        start = text[at : at + 2]
        if start not in kana.starts and text[at : at + 3 : 2] not in kana.masked_second:
            at += 1
            continue
        right = next((word for word in kana.right.get(start, ()) if text.startswith(word, at)), None)
        hit = None if right else _slip(text, at, start, kana)
        if hit:
            found.append((at, at + hit[0], hit[1]))
        at += len(right) if right else hit[0] if hit else 1
    return _replaced(reading, sorted(found)) if found else reading


def _slip(text: str, at: int, start: str, words: _Words) -> tuple[int, str] | None:
    """How many letters from `at` are a slip, and of which word. The longest counts; of those one that is a slip as it
    stands, then the one whose wrong letter comes first."""
    left = len(text) - at
    size = next((it for it in words.lengths.get(start, ()) if it <= left and text[at : at + it] in words.near), 0)
    skipped = text[at : at + 3 : 2]
    masked = [it for it in words.masked.get(start, ()) if len(it) > size and _stands(it, text, at)]
    masked += [it for it in words.masked_second.get(skipped, ()) if len(it) > size and _stands(it, text, at)]
    if masked:
        best = min(masked, key=lambda it: (-len(it), it.index(_ANY)))
        return len(best), words.near[best]
    return (size, words.near[text[at : at + size]]) if size else None


def _stands(slip: str, text: str, at: int) -> bool:
    """Whether `slip` stands at `at` with some kana or Latin letter for its `？`."""
    wrong = slip.index(_ANY)
    window = text[at : at + len(slip)]
    return (
        len(window) == len(slip)
        and window[:wrong] == slip[:wrong]
        and window[wrong + 1 :] == slip[wrong + 1 :]
        and _KANA.match(window[wrong]) is not None
    )


def _replaced(reading: Reading, found: list[tuple[int, int, str]]) -> Reading:
    text, origin, at = "", [], 0
    for start, end, word in found:
        if start < at:
            continue
        text += reading.text[at:start] + word
        origin += [*reading.origin[at:start], reading.origin[start], *[reading.origin[end - 1]] * (len(word) - 1)]
        at = end
    return Reading(text + reading.text[at:], (*origin, *reading.origin[at:]), reading.source)


@lru_cache(maxsize=8)
def _kana(words: tuple[str, ...]) -> _Words:
    """Two neighbours swapped, one letter doubled, in longer words one lost, in long ones one wrong."""
    near: dict[str, str] = {}
    for word in map(fold, words):
        slips = _swaps(word) | _doubled(word)
        if len(word) > _SHORT_KANA:
            slips |= _lost(word)
        if len(word) >= _LONG_KANA:
            slips |= _wrong(word)
        near |= {slip: word for slip in slips if slip not in near}
    return _indexed(near, tuple(map(fold, words)))


@lru_cache(maxsize=8)
def _latin(words: tuple[str, ...]) -> _Words:
    """Two neighbours swapped, one letter lost or doubled; in long words also one letter wrong."""
    near: dict[str, str] = {}
    for word in words:
        slips = _swaps(word) | _doubled(word)
        if len(word) >= _SHORT_LATIN:
            slips |= _lost(word)
        if len(word) > _SHORT_LATIN + 1:
            slips |= {
                word[:i] + char + word[i + 1 :] for i in range(1, len(word)) for char in "abcdefghijklmnopqrstuvwxyz"
            }
        near |= {slip: word for slip in slips if slip not in near}
    return _indexed(near, words)


def _indexed(near: dict[str, str], words: tuple[str, ...]) -> _Words:
    for word in words:
        near.pop(word, None)
    lengths: dict[str, set[int]] = {}
    for slip in near:
        lengths.setdefault(slip[:2], set()).add(len(slip))
    masked = [slip for slip in near if _ANY in slip]
    right = _by_start((word, word[:2]) for word in words)
    return _Words(
        near=near,
        starts=frozenset(right) | frozenset(lengths),
        right=right,
        lengths={start: tuple(sorted(sizes, reverse=True)) for start, sizes in lengths.items()},
        masked=_by_start((slip, slip[:2]) for slip in masked if slip[1] != _ANY),
        masked_second=_by_start((slip, slip[0] + slip[2]) for slip in masked if slip[1] == _ANY),
    )


def _by_start(given: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The longest first."""
    found: dict[str, list[str]] = {}
    for word, start in sorted(given, key=lambda it: -len(it[0])):
        found.setdefault(start, []).append(word)
    return {start: tuple(each) for start, each in found.items()}


def _swaps(word: str) -> set[str]:
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}


def _doubled(word: str) -> set[str]:
    return {word[:i] + word[i] + word[i:] for i in range(len(word))}


def _wrong(word: str) -> set[str]:
    """Kanji are not typed wrong by one letter: another kanji is another word."""
    return {word[:i] + _ANY + word[i + 1 :] for i in range(1, len(word)) if _KANA.match(word[i])}


def _lost(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(1, len(word) - 1)}
