"""One wrong letter in a long telling word is put right: くるいし is くるしい, おっしこ is おしっこ, blod is blood.

Only words of the vocabulary's `spelling` lists are put right, and only from something that is no other word of them.
"""

import re
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
    """`near` maps everything one slip away from a word to that word (`？` is any kana); `lengths` are those of its keys;
    `right` matches the words themselves; `starts` are the first two letters of all slips."""

    near: dict[str, str]
    lengths: tuple[int, ...]
    right: re.Pattern[str]
    starts: frozenset[str]


def respell(reading: Reading, vocabulary: Vocabulary) -> Reading:
    """`reading` with the slips put right; each corrected word points to where the wrong one stood."""
    kana, latin = _kana(vocabulary.spelling_ja), _latin(vocabulary.spelling_en)
    text, found = reading.text, []
    for match in _WORD.finditer(text):
        if match.group() in latin.near:
            found.append((match.start(), match.end(), latin.near[match.group()]))
    at = 0
    while at < len(text):
        right = kana.right.match(text, at)
        if right:
            at = right.end()
            continue
        hit = _slip(text, at, kana)
        if hit:
            found.append((at, at + hit[0], hit[1]))
        at += hit[0] if hit else 1
    return _replaced(reading, sorted(found)) if found else reading


def _slip(text: str, at: int, words: _Words) -> tuple[int, str] | None:
    """How many letters from `at` are a slip, and of which word."""
    exact, masked_start = text[at : at + 2] in words.starts, text[at] + _ANY in words.starts
    if not exact and not masked_start:
        return None
    for size in words.lengths:
        window = text[at : at + size]
        if len(window) < size:
            continue
        if window in words.near:
            return size, words.near[window]
        if size >= _LONG_KANA:
            masked = (window[:i] + _ANY + window[i + 1 :] for i in range(1, size) if _KANA.match(window[i]))
            found = next((words.near[it] for it in masked if it in words.near), None)
            if found:
                return size, found
    return None


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
    starts = frozenset(slip[:2] for slip in near)
    right = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)) or r"(?!)")
    return _Words(near, tuple(sorted({len(slip) for slip in near}, reverse=True)), right, starts)


def _swaps(word: str) -> set[str]:
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}


def _doubled(word: str) -> set[str]:
    return {word[:i] + word[i] + word[i:] for i in range(len(word))}


def _wrong(word: str) -> set[str]:
    """Kanji are not typed wrong by one letter: another kanji is another word."""
    return {word[:i] + _ANY + word[i + 1 :] for i in range(1, len(word)) if _KANA.match(word[i])}


def _lost(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(1, len(word) - 1)}
