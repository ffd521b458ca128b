"""Whether something said is meant: denied, only supposed, over, old, somebody else's. Language, not medicine."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.content.vocabulary import Vocabulary

_LATIN = re.compile(r"[a-z]")
_KANJI = re.compile(r"[一-鿿]")
_FEW_KANJI = 8
"""Kana readings are looked for when fewer than one letter in this many is a kanji."""
_STOP = re.compile(r"[。!?\n]")
_NEXT = re.compile(r"[。!?\n]+[^。!?\n]*")
_ITEM = re.compile(r"(?:も|や|・|、|/|とか|と|か|および|または|&)")
_JOINED = re.compile(
    r"(?:^|[とやも・、/のか]|から|まで|にかけて|あるいは|\b(?:and|or|to|down|into|in|of|the|my|both)\s)(?:右|左|両方?の?|の|\s)*$"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept named at `start` up to `end` of the folded text."""

    concept: str
    start: int
    end: int
    lang: Literal["ja", "en"]


class Standing(StrEnum):
    """What became of a symptom that was named."""

    MEANT = "meant"
    DENIED = "denied"
    SUPPOSED = "supposed"
    OVER = "over"
    LONG_OVER = "long_over"
    OTHERS = "others"
    OTHERS_CARED = "others_cared"


@dataclass(frozen=True, slots=True)
class Age:
    """How long a symptom has been there, where the text says so."""

    old: bool
    seen: bool


class Sheet:
    """One folded text with the concepts found in it. Idioms are blanked out before anything is looked for."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.text = _without_idioms(text, vocabulary)
        self._stops = [match.start() for match in _STOP.finditer(self.text)]
        self.mentions = _mentions(self.text, vocabulary)
        self.parts = [
            mention
            for name, concept in vocabulary.concepts.items()
            if concept.part
            for mention in self.mentions.get(name, ())
        ]
        self._standings: dict[tuple[Mention, bool], Standing] = {}

    def sentence(self, place: int) -> tuple[int, int]:
        """The bounds of the sentence around `place`."""
        index = bisect_right(self._stops, place - 1)
        start = self._stops[index - 1] + 1 if index else 0
        end = self._stops[index] if index < len(self._stops) else len(self.text)
        return start, max(end, start)

    def standing(self, mention: Mention, history: bool) -> Standing:
        """What became of `mention`; for a lasting fact (`history`) having been long ago changes nothing."""
        key = (mention, history)
        if key not in self._standings:
            self._standings[key] = self._judge(mention, history)
        return self._standings[key]

    def _judge(self, mention: Mention, history: bool) -> Standing:
        if self._said("denied", mention) and not self._said("kept", mention):
            return Standing.DENIED
        if mention.lang == "ja" and self._denied_in_list(mention):
            return Standing.DENIED
        if self._said("supposed", mention):
            return Standing.SUPPOSED
        if self._others(mention):
            start, end = self.sentence(mention.start)
            cared = self._around("cared", start, end) and not self._around("new", start, end)
            return Standing.OTHERS_CARED if cared or self._around("pet", start, end) else Standing.OTHERS
        if not history and self._said("over", mention):
            return Standing.LONG_OVER if self._age(mention).old else Standing.OVER
        return Standing.MEANT

    def complains(self, mention: Mention) -> bool:
        """Whether the same sentence says that the other person's back hurts: then it is they who ask."""
        return self._around("patient", *self.sentence(mention.start))

    def age(self, mention: Mention) -> Age:
        """Whether the text calls the symptom old, and whether it says that somebody has looked at it."""
        return self._age(mention)

    def _age(self, mention: Mention) -> Age:
        start, end = self.sentence(mention.start)
        old = self._around("old", start, end) and not self._around("new", start, end)
        seen = self._around("seen", 0, len(self.text)) and not self._around("unseen", 0, len(self.text))
        return Age(old, seen)

    def _around(self, kind: str, start: int, end: int) -> bool:
        return any(
            pattern.search(self.text, start, end)
            for scope, pattern in self.vocabulary.compiled_scopes
            if scope.kind == kind and scope.where == "around"
        )

    def _said(self, kind: str, mention: Mention) -> bool:
        start, end = self.sentence(mention.start)
        for scope, pattern in self.vocabulary.compiled_scopes:
            if scope.kind != kind or scope.lang != mention.lang:
                continue
            match scope.where:
                case "after":
                    reach = self._reach(end) if kind == "over" else len(self.text)
                    found = pattern.match(self.text, mention.end, reach)
                    if found and not (kind == "over" and self._another(mention, found.end())):
                        return True
                case "before":
                    if pattern.search(self.text[start : mention.start]):
                        return True
                case "around":
                    if pattern.search(self.text, start, end):
                        return True
        return False

    def _reach(self, end: int) -> int:
        following = _NEXT.match(self.text, end)
        return following.end() if following else end

    def _another(self, mention: Mention, until: int) -> bool:
        """Whether another place of the body is spoken of before `until`: then it is that one which got better."""
        return any(mention.end <= part.start < until for part in self.parts)

    def _denied_in_list(self, mention: Mention) -> bool:
        """しびれも熱も尿もれもありません, しびれ・発熱なし: what follows is only a list of nouns that ends in a denial."""
        _, end = self.sentence(mention.start)
        ends = [it for found in self.mentions.values() for it in found if it.start >= mention.end and it.start < end]
        at = mention.end
        for _ in range(8):
            joiner = _ITEM.match(self.text, at, end)
            if not joiner:
                return False
            nearest = [it for it in ends if joiner.end() <= it.start <= joiner.end() + 6]
            if not nearest:
                return False
            last = max((it for it in nearest if it.start == min(n.start for n in nearest)), key=lambda it: it.end)
            if re.search(r"[がをにで、]", self.text[joiner.end() : last.start]):
                return False
            if self._said("denied", last) and not self._said("kept", last):
                return True
            at = last.end
        return False

    def broken(self, place: Mention, start: int, end: int) -> bool:
        """Whether something complete is said between `start` and `end`, so that what follows is a new statement."""
        return any(
            pattern.search(self.text, start, end)
            for scope, pattern in self.vocabulary.compiled_scopes
            if scope.kind == "broken" and scope.lang == place.lang
        )

    def listed(self, start: int, part: Mention) -> bool:
        """Whether `part` only goes on with a list or names the same place more closely (お尻と足, 右足の指)."""
        return bool(_JOINED.search(self.text[start : part.start]))

    def _others(self, mention: Mention) -> bool:
        start, _ = self.sentence(mention.start)
        before = self.text[start : mention.start]
        found = -1
        own = -1
        for scope, pattern in self.vocabulary.compiled_scopes:
            if scope.kind in ("other", "self", "pet"):
                for match in pattern.finditer(before):
                    if scope.kind != "self":
                        found = max(found, match.end())
                    else:
                        own = max(own, match.end())
        return found > own


def _without_idioms(text: str, vocabulary: Vocabulary) -> str:
    for scope, pattern in vocabulary.compiled_scopes:
        if scope.kind == "idiom":
            text = pattern.sub(lambda found: "＿" * len(found.group()), text)
    return text


def _mentions(text: str, vocabulary: Vocabulary) -> dict[str, tuple[Mention, ...]]:
    latin = _LATIN.search(text) is not None
    kana = len(_KANJI.findall(text)) * _FEW_KANJI <= len(text)
    found: dict[str, tuple[Mention, ...]] = {}
    for name, (ja, en) in vocabulary.compiled_concepts.items():
        hits = [Mention(name, m.start(), m.end(), "ja") for m in ja.finditer(text)] if ja else []
        if kana and ja:
            hits += [Mention(name, m.start(), m.end(), "ja") for m in vocabulary.compiled_readings[name].finditer(text)]
        if en and latin:
            hits += [Mention(name, m.start(), m.end(), "en") for m in en.finditer(text)]
        if hits:
            found[name] = tuple(dict.fromkeys(hits))
    return found
