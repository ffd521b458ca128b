"""One wrong letter in a long telling word is put right: くるいし is くるしい, おっしこ is おしっこ, blod is blood.

Only words of the vocabulary's `spelling` lists are put right, and only from something that is no other word of them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.content.vocabulary import Vocabulary, fold
from bot.engine.normal import Reading

_WORD = re.compile(r"[a-z]+")
_SHORT_KANA = 4
_SHORT_LATIN = 5


@dataclass(frozen=True)
class _Words:
    """`near` maps everything one slip away from a word to that word; `lengths` are those of its keys; `right` matches the
    words themselves."""

    near: dict[str, str]
    lengths: tuple[int, ...]
    right: re.Pattern[str]


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
        word = next((text[at : at + size] for size in kana.lengths if text[at : at + size] in kana.near), None)
        if word and len(word) <= len(text) - at:
            found.append((at, at + len(word), kana.near[word]))
        at += len(word) if word else 1
    return _replaced(reading, sorted(found)) if found else reading


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
    """Two neighbours swapped, or (in longer words) one letter lost or doubled."""
    near: dict[str, str] = {}
    for word in map(fold, words):
        slips = _swaps(word) | _doubled(word)
        if len(word) > _SHORT_KANA:
            slips |= _lost(word)
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
    right = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)) or r"(?!)")
    return _Words(near, tuple(sorted({len(slip) for slip in near}, reverse=True)), right)


def _swaps(word: str) -> set[str]:
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}


def _doubled(word: str) -> set[str]:
    return {word[:i] + word[i] + word[i:] for i in range(len(word))}


def _lost(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(1, len(word) - 1)}
