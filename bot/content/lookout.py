"""Many patterns over one text: where each could begin is known beforehand, so that only few are tried, and few compiled.

What a match can begin with (one or two letters) is read off each pattern once. A pattern that could begin with anything
is tried everywhere.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

_parser: Any = import_module("re._parser")
_op: Any = import_module("re._constants")
"""Python's own reading of a pattern. It is not public and says nothing of its types: nodes are pairs of a code and a value."""
Nodes = Iterable[tuple[Any, Any]]

_ENOUGH = 2
_MOST = 4000
"""Beginnings of one pattern; beyond, only their first letters are told apart."""
_TELLING = 12
Start = tuple[str, bool]
"""Letters, and whether more that is known may follow."""
_TOKEN = re.compile(r"(?s)\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?::|<?[=!])|\(\?P<\w+>|[()|]|[?*+]\??|\{[0-9,]+\}\??|.")
_MARKS = ("^", "$", "|", r"\b", r"\B", r"\A", r"\Z")
_WIDTHLESS = (_op.AT, _op.ASSERT, _op.ASSERT_NOT)
_REPEATS = (_op.MAX_REPEAT, _op.MIN_REPEAT, _op.POSSESSIVE_REPEAT)


def starts(pattern: str) -> frozenset[str]:
    """One or two letters that every match begins with one of; "" where it can begin with anything, or be empty."""
    found = _starts(_head(pattern))
    return _starts(pattern) if "" in found else found


@lru_cache(maxsize=8192)
def _starts(pattern: str) -> frozenset[str]:
    found = {letters for letters, _ in _sequence(_parser.parse(pattern))}
    if len(found) > _MOST:
        found = {letters[:1] for letters in found}
    return frozenset({""} if "" in found else found)


def forget() -> None:
    """Lets go of what was only kept because many patterns begin alike."""
    _starts.cache_clear()


def _head(pattern: str) -> str:
    """Each alternative of `pattern` cut off after two parts that are not optional: all that its beginning hangs on."""
    kept: list[str] = []
    depth, parts, ended, widthless = 0, 0, False, False
    for sign in _TOKEN.findall(pattern):
        repeats = sign[0] in "?*+{"
        if ended:
            parts, ended = parts + (sign[0] not in "?*{"), False
            if repeats and parts == _ENOUGH:
                kept.append(sign)
        if sign == "|" and not depth:
            parts = 0
        if parts < _ENOUGH:
            kept.append(sign)
        if sign[0] == "(":
            widthless = sign[-1] in "=!" if not depth else widthless
            depth += 1
        elif sign == ")":
            depth -= 1
            ended = not depth and not widthless and parts < _ENOUGH
        elif not depth and not repeats and sign not in _MARKS and parts < _ENOUGH:
            ended = True
    return "".join(kept)


def _sequence(nodes: Nodes) -> set[Start]:
    before: set[Start] = {("", True)}
    for node in nodes:
        if ("", False) in before:
            return {("", False)}
        if not any(more for _, more in before):
            break
        before = _then(before, _one(node))
    return before


def _one(node: tuple[Any, Any]) -> set[Start]:
    code, value = node
    if code in _WIDTHLESS:
        return {("", True)}
    if code is _op.LITERAL:
        return {(chr(value), True)}
    if code is _op.IN:
        return _letters(value)
    if code is _op.BRANCH:
        return {start for branch in value[1] for start in _sequence(branch)}
    if code is _op.SUBPATTERN:
        return _sequence(value[3])
    if code in _REPEATS:
        least, most, inner = value
        once = _sequence(inner)
        again = once if least > 1 else once | {("", True)}
        found = _then(once, again) if most > 1 else once
        return found if least else found | {("", True)}
    return {("", False)}


def _then(before: set[Start], after: set[Start]) -> set[Start]:
    """One after the other. Many letters tell little in the second place."""
    if before == {("", True)}:
        return after
    found = {start for start in before if not start[1]}
    seconds = {start[:1] for start, _ in after}
    any_second = ("", False) in after or len(seconds) > _TELLING
    for first, more in before:
        if more and not first:
            found |= after
        elif more:
            if any_second:
                found.add((first, False))
            else:
                found |= {(first + second, False) for second in seconds if second}
            if ("", True) in after:
                found.add((first, True))
    return found


def _letters(choices: Nodes) -> set[Start]:
    found: set[str] = set()
    for code, value in choices:
        if code is _op.LITERAL:
            found.add(chr(value))
        elif code is _op.RANGE:
            first, last = value
            found |= set(map(chr, range(first, last + 1)))
        else:
            return {("", False)}
    return {(letter, True) for letter in found} if len(found) < _MOST else {("", False)}


def whole_word(pattern: str) -> str:
    """`pattern` with no Latin letter before or after it."""
    return rf"(?<![a-z])(?:{pattern})(?![a-z])"


class Lookout:
    """Patterns by their number. `groups` says which belong together: of those, the first that matches at a place counts,
    and the next match of the group begins after it, as if they were one pattern. `words`: they match whole words of Latin
    letters only."""

    def __init__(self, patterns: Sequence[str], groups: Sequence[int] | None = None, words: bool = False) -> None:
        self._patterns = [whole_word(pattern) for pattern in patterns] if words else patterns
        self._groups = groups if groups is not None else range(len(patterns))
        self._compiled: list[re.Pattern[str] | None] = [None] * len(patterns)
        self._by_one: dict[str, tuple[int, ...]] = {}
        self._by_two: dict[str, tuple[int, ...]] = {}
        self._index([starts(pattern) for pattern in patterns])

    def _index(self, found: Sequence[frozenset[str]]) -> None:
        """What is tried after one letter is tried after two as well, and what is tried anywhere after any."""
        one: dict[str, set[int]] = {}
        two: dict[str, set[int]] = {}
        for number, beginnings in enumerate(found):
            for letters in beginnings:
                (two if len(letters) == _ENOUGH else one).setdefault(letters, set()).add(number)
        anywhere = one.pop("", set())
        one = {letters: numbers | anywhere for letters, numbers in one.items()}
        self._anywhere = tuple(sorted(anywhere))
        self._by_one = {letters: tuple(sorted(numbers)) for letters, numbers in one.items()}
        self._by_two = {
            letters: tuple(sorted(numbers | one.get(letters[0], anywhere))) for letters, numbers in two.items()
        }

    def pattern(self, number: int) -> re.Pattern[str]:
        """Compiled when it is first wanted."""
        known = self._compiled[number]
        if known is None:
            known = self._compiled[number] = re.compile(self._patterns[number])
        return known

    def compile(self) -> None:
        """All that is left, so that nobody waits for it later."""
        for number in range(len(self._patterns)):
            self.pattern(number)

    def possible(self, text: str) -> set[int]:
        """The patterns that could match somewhere in `text`."""
        found = set(self._anywhere)
        for numbers in {numbers for _, numbers in self._places(text)}:
            found.update(numbers)
        return found

    def _places(self, text: str) -> Iterator[tuple[int, tuple[int, ...]]]:
        by_one, by_two, anywhere = self._by_one, self._by_two, self._anywhere
        for at, char in enumerate(text):
            numbers = by_two.get(text[at : at + _ENOUGH]) or by_one.get(char, anywhere)
            if numbers:
                yield at, numbers

    def spans(self, text: str) -> dict[int, list[tuple[int, int]]]:
        """Where each group is found, in order and apart; groups in their order."""
        found: dict[int, list[tuple[int, int]]] = {}
        ends = [0] * (max(self._groups, default=-1) + 1)
        groups, compiled = self._groups, self._compiled
        for at, numbers in self._places(text):
            for number in numbers:
                group = groups[number]
                if ends[group] > at:
                    continue
                match = (compiled[number] or self.pattern(number)).match(text, at)
                if match and match.end() > at:
                    ends[group] = match.end()
                    found.setdefault(group, []).append(match.span())
        return dict(sorted(found.items()))
