"""Whether something said is meant: denied, only supposed, over, old, somebody else's. Language, not medicine."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Literal

from bot.content.vocabulary import ScopeKind, Vocabulary, Where

_PERSONS: tuple[ScopeKind, ...] = ("other", "self", "pet")
_LATIN = re.compile(r"[a-z]{3}|\A[^ぁ-ん一-鿿]*[a-z]")
_JAPANESE = re.compile(r"[ぁ-ん一-鿿]")
_KANJI = re.compile(r"[一-鿿]")
_FEW_KANJI = 8
"""Kana readings are looked for when fewer than one letter in this many is a kanji."""
_IDIOM = "＿"
_ANSWERED = "＃"
_BLANKS: tuple[tuple[ScopeKind, str], ...] = (("answered", _ANSWERED), ("idiom", _IDIOM))
_BREAK = re.compile(r"、|けれど|けど|ますが|ですが|だが|のに|たが|but |and ")
_TIME_ALONE = re.compile(r"(?:から|まえ|前|以来|ずっと|間|昔|以前|時|頃|ころ|ago|years|months)(?:も|ずっと|は|に)?、?$")
_PAST = re.compile(r"[^。、!?\n]{0,30}?(?:た|だ)(?:$|[。、!?\nがのんこけ笑w]|です|し)")
"""What is called long ago must itself be said in the past; English tells by its adverbs alone."""
_NEGATIVE = re.compile(r"(?:な[いくか]|ませ|[らかせれけえで]ず|[らかせれけえ]ん|へん|ねえ|ねぐ|ひん)\Z")
_STOP = re.compile(r"[。!?\n]")
_NEXT = re.compile(r"[。!?\n]+[^。!?\n]*")
_ITEM = re.compile(r"(?:も|や|・|、|/|とか|と|か|および|または|&)")
_JOINED = re.compile(
    r"(?:^|[とやも・、/のか]|から|まで|にかけて|あるいは|\b(?:and|or|to|down|into|in|of|the|my|both)\s)(?:右|左|両方?の?|の|\s)*$"
)


def _covered(blank: str, found: re.Match[str]) -> str:
    return blank * len(found.group())


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
class _Tried:
    """A scope that could be met; a `bare` one is no answer to what is itself said by a denial."""

    lang: Literal["ja", "en"]
    bare: bool
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Age:
    """How long a symptom has been there, where the text says so."""

    old: bool
    seen: bool


class Sheet:
    """One folded text with the concepts found in it. Idioms and denied items of forms are blanked out before anything is looked for."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._kana = len(_KANJI.findall(text)) * _FEW_KANJI <= len(text)
        self._found: dict[tuple[ScopeKind, int, int], bool] = {}
        self._scopes = vocabulary.kana_scopes if self._kana else vocabulary.plain_scopes
        self._possible = self._scopes.possible(text)
        self._tried: dict[tuple[ScopeKind, Where], tuple[_Tried, ...]] = {}
        self.text = self._blanked(text)
        self._stops = [match.start() for match in _STOP.finditer(self.text)]
        self.mentions = _mentions(self.text, vocabulary, self._kana)
        self.parts = [
            mention
            for name, concept in vocabulary.concepts.items()
            if concept.part
            for mention in self.mentions.get(name, ())
        ]
        self._standings: dict[tuple[Mention, bool], Standing] = {}
        self._taken: dict[tuple[ScopeKind, Mention], bool] = {}
        self._persons: dict[int, dict[ScopeKind, list[int]]] = {}

    def _blanked(self, text: str) -> str:
        """Without the items of a form that were answered with no, and without figures of speech."""
        for kind, blank in _BLANKS:
            for it in self._patterns(kind, "after"):
                text = it.pattern.sub(partial(_covered, blank), text)
        return text

    def sentence(self, place: int) -> tuple[int, int]:
        """The bounds of the sentence around `place`."""
        if not self._stops:
            return 0, len(self.text)
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
        if mention.lang == "ja" and not self._negative(mention) and self._denied_in_list(mention):
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

    @property
    def judged(self) -> frozenset[tuple[str, Standing]]:
        """The concepts that some rule asked about, and what became of them."""
        return frozenset((mention.concept, standing) for (mention, _), standing in self._standings.items())

    @property
    def denies(self) -> bool:
        """Whether something that a rule is about is named and denied."""
        rules = self.vocabulary.rules_by_concept
        named = (it for name, found in self.mentions.items() if rules.get(name) for it in found)
        return any(self.standing(it, history=False) is Standing.DENIED for it in named)

    @property
    def figurative(self) -> bool:
        """Whether a figure of speech was blanked out."""
        return _IDIOM in self.text

    def speaks(self, kind: ScopeKind) -> bool:
        """Whether the text says anywhere that something is so."""
        return self._around(kind, 0, len(self.text))

    def complains(self, mention: Mention) -> bool:
        """Whether the same sentence says that the other person's back hurts: then it is they who ask, unless it hurts
        the writer from caring for them."""
        bounds = self.sentence(mention.start)
        return self._around("patient", *bounds) and not self._around("carer", *bounds)

    def age(self, mention: Mention) -> Age:
        """Whether the text calls the symptom old, and whether it says that somebody has looked at it."""
        return self._age(mention)

    def _age(self, mention: Mention) -> Age:
        start, end = self.sentence(mention.start)
        old = self._around("old", self._clause(mention), end) and not self._around("new", start, end)
        seen = self._around("seen", 0, len(self.text)) and not self._around("unseen", 0, len(self.text))
        return Age(old, seen)

    def _patterns(self, kind: ScopeKind, where: Where) -> tuple[_Tried, ...]:
        key = (kind, where)
        if key not in self._tried:
            self._tried[key] = tuple(
                _Tried(it.scope.lang, it.scope.bare, self._scopes.pattern(it.number))
                for it in self.vocabulary.scope_patterns.get(key, ())
                if it.number in self._possible
            )
        return self._tried[key]

    def _around(self, kind: ScopeKind, start: int, end: int) -> bool:
        key = (kind, start, end)
        if key not in self._found:
            self._found[key] = any(it.pattern.search(self.text, start, end) for it in self._patterns(kind, "around"))
        return self._found[key]

    def _said(self, kind: ScopeKind, mention: Mention) -> bool:
        """Whether a scope of `kind` takes in `mention`: by what follows, by what goes before, or anywhere in its sentence."""
        key = (kind, mention)
        if key not in self._taken:
            self._taken[key] = self._takes_in(kind, mention)
        return self._taken[key]

    def _takes_in(self, kind: ScopeKind, mention: Mention) -> bool:
        start, end = self.sentence(mention.start)
        reach = self._reach(end) if kind == "over" else len(self.text)
        bare = not self._negative(mention)
        for it in self._patterns(kind, "after"):
            tried = it.lang == mention.lang and (bare or not it.bare)
            found = it.pattern.match(self.text, mention.end, reach) if tried else None
            if found and not (kind == "over" and self._another(mention, found.end())):
                return True
        before = self.text[start : mention.start]
        if any(it.lang == mention.lang and it.pattern.search(before) for it in self._patterns(kind, "before")):
            return True
        if kind == "over":
            past = mention.lang == "en" or _PAST.match(self.text, mention.start)
            return bool(past) and self._around(kind, start, end)
        return self._around(kind, start, end)

    def _negative(self, mention: Mention) -> bool:
        """Whether the symptom is itself said by a denial (does not come out): a plain "not" elsewhere is no answer to it."""
        said = _NEGATIVE.search(self.text, mention.start, mention.end) if mention.lang == "ja" else None
        return bool(said) or self.vocabulary.concepts[mention.concept].negative

    def _clause(self, mention: Mention) -> int:
        """Where the clause of `mention` begins; a time that stands alone before it (三年前から、) belongs to it."""
        start, _ = self.sentence(mention.start)
        breaks = [start, *(it.end() for it in _BREAK.finditer(self.text, start, mention.start))]
        if len(breaks) > 1 and _TIME_ALONE.search(self.text[breaks[-2] : breaks[-1]]):
            return breaks[-2]
        return breaks[-1]

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

    def broken(self, start: int, end: int) -> bool:
        """Whether something complete is said between `start` and `end`, so that what follows is a new statement."""
        return self._around("broken", start, end)

    def listed(self, start: int, part: Mention) -> bool:
        """Whether `part` only goes on with a list or names the same place more closely (お尻と足, 右足の指)."""
        return bool(_JOINED.search(self.text[start : part.start]))

    def _others(self, mention: Mention) -> bool:
        """Whether somebody else was named last, before `mention` in its sentence."""
        start, end = self.sentence(mention.start)
        if start not in self._persons:
            self._persons[start] = {
                kind: [
                    it.end()
                    for tried in self._patterns(kind, "around")
                    for it in tried.pattern.finditer(self.text, start, end)
                ]
                for kind in _PERSONS
            }
        last = {
            kind: max((it for it in ends if it <= mention.start), default=-1)
            for kind, ends in self._persons[start].items()
        }
        return max(last["other"], last["pet"]) > last["self"]


def _mentions(text: str, vocabulary: Vocabulary, kana: bool) -> dict[str, tuple[Mention, ...]]:
    names = vocabulary.concept_names
    found: dict[int, list[Mention]] = {}
    if _JAPANESE.search(text):
        for group, spans in (vocabulary.kana if kana else vocabulary.japanese).spans(text).items():
            found[group] = [Mention(names[group], start, end, "ja") for start, end in spans]
    if _LATIN.search(text):
        for group, spans in vocabulary.english.spans(text).items():
            found.setdefault(group, []).extend(Mention(names[group], start, end, "en") for start, end in spans)
    return {names[group]: tuple(found[group]) for group in sorted(found)}
