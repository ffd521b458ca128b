"""What words.toml may say: concepts (ways of naming one thing), rules that compose them, scope, and everyday requests.

Patterns are regular expressions. Their kana are folded like the text they meet (`fold`), so authors write normal Japanese.
`{name}` inside a pattern stands for the piece of that name. `ja` patterns match anywhere, `en` patterns whole words.
"""

import re
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, model_validator

from bot.content.lookout import Lookout, forget, whole_word
from bot.messages import Disposition

_KATAKANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
_SMALL = {
    ord(small): ord(large) for small, large in zip("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ", strict=True)
}
_FOLD: dict[int, int | None] = {
    **{code: _SMALL.get(large, large) for code, large in _KATAKANA.items()},
    **_SMALL,
    ord("ー"): None,
    ord("ヴ"): ord("ぶ"),
}


def fold(text: str) -> str:
    """Katakana as hiragana, small kana as large, no long vowel mark. Leaves the syntax of patterns alone."""
    return text.translate(_FOLD)


ScopeKind = Literal[
    "denied", "kept", "supposed", "over", "old", "new", "seen", "unseen", "other", "self", "patient", "carer", "cared", "pet", "idiom", "answered", "broken"
]  # fmt: skip

Where = Literal["after", "before", "around"]
_AROUND = re.compile(r"\(\?<?[!=][^()]*\)")
_SYNTAX = re.compile(r"\(\?<?[!=](?:[^()]|\([^()]*\))*\)|\?")
_SHORTEST = 2


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Concept(Part):
    """Ways of naming one thing. `part` marks places of the body: a symptom belongs to the place named nearest to it."""

    ja: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    part: bool = False
    negative: bool = False
    """The words are negative themselves (cannot walk): a bare ない after them is part of them and denies nothing."""


class Rule(Part):
    """Alarm when every one of `need` (names of concepts, "a|b" for either) is said of the person now.

    The last of `need` is the symptom: it is the one that can be denied. `span` is how near they must stand: one clause,
    or anywhere in the message. `unless` names concepts whose presence in the message takes the alarm back.
    """

    id: str
    level: Disposition
    card: Literal["e1", "e2", "u1", "u2", "d1", "d2", "n"] | None = None
    source: str
    need: tuple[str, ...]
    unless: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Concepts whose presence in the same sentence takes the alarm back."""
    span: Literal["clause", "message"] = "clause"
    all_meant: bool = False
    """Not only the last of `need` must be meant, but every one."""
    gap: int = 12
    """Japanese characters between two of `need`; English counts four for one."""
    others: Literal["count", "ignore"] = "ignore"
    """Somebody else in danger now counts; somebody else's illness does not."""
    history: bool = False
    """A fact about the person that stays true: having been long ago does not take it back."""
    over: Disposition | None = None
    """The level left when the symptom came and went lately."""
    old: Disposition | None = None
    """The level when the symptom is older than 14 days and nobody has looked at it; `seen` when somebody has."""
    seen: Disposition | None = None
    mental: bool = False
    bare: bool = False
    """It goes by a topic alone: it counts only if the message is at all like those that mean something."""
    yes: tuple[str, ...]
    no: tuple[str, ...] = ()


class Scope(Part):
    """One way of taking a symptom back. `after` patterns start at the symptom's end; `before` patterns end at its start;
    `around` patterns match anywhere in the sentence. What an `idiom` or `answered` pattern matches is blanked out."""

    id: str
    kind: ScopeKind
    lang: Literal["ja", "en"] = "ja"
    where: Where = "after"
    bare: bool = False
    """A plain ない: it does not deny a concept that is `negative`."""
    pattern: str
    clears: tuple[str, ...] = ()
    """Sentences in which nothing is found, and something would be without this."""
    turns: dict[str, Disposition] = {}
    """Sentences with the level found in them, which would be another without this."""
    frame: str = ""
    """A denial as a template over a noun, such as "{}はありません"."""


class ScopePattern(NamedTuple):
    """A scope and its place in the lookouts for scopes."""

    scope: Scope
    number: int


class IntentPattern(NamedTuple):
    """An intent with the places of its patterns, and of those that take it back, in the lookout for intents."""

    id: str
    patterns: frozenset[int]
    unless: frozenset[int]


class Intent(Part):
    """Texts that ask for one thing. `unless` patterns take it back. The earlier intent wins. `name.loose` is `name` again,
    in looser words."""

    id: str
    ja: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class Vocabulary(Part):
    """All of words.toml, with its patterns compiled once."""

    pieces: dict[str, str]
    readings: dict[str, str]
    """Kanji and their kana. They widen the concepts on messages that hold next to no kanji."""
    spelling_ja: tuple[str, ...]
    spelling_en: tuple[str, ...]
    """Telling words in which one wrong letter is put right. Sound as written: pick none that is a slip from a harmless word."""
    concepts: dict[str, Concept]
    rules: tuple[Rule, ...]
    scopes: tuple[Scope, ...]
    intents: tuple[Intent, ...]
    gentle: tuple[str, ...]
    """Weariness that deserves a kind question but no alarm."""
    plain: tuple[str, ...]
    """Whole messages that name no sign and mean nothing by themselves: no likeness to others makes an alarm of them."""

    @model_validator(mode="after")
    def _names_exist(self) -> "Vocabulary":
        for rule in self.rules:
            for name in (*rule.need, *rule.unless, *rule.without):
                missing = [part for part in name.split("|") if part not in self.concepts]
                if missing:
                    raise ValueError(f"rule {rule.id} needs unknown concepts {missing}")
        for group in (self.rules, self.scopes, self.intents):
            ids = [item.id for item in group]
            if len(ids) != len(set(ids)):
                raise ValueError(f"an id is used twice: {sorted({found for found in ids if ids.count(found) > 1})}")
        return self

    def _expanded(self, pattern: str) -> str:
        return re.sub(r"\{([a-z_]+)\}", lambda found: f"(?:{self._expanded(self.pieces[found[1]])})", pattern)

    @cached_property
    def concept_names(self) -> tuple[str, ...]:
        """The groups of the three lookouts, by their number."""
        return tuple(self.concepts)

    @cached_property
    def japanese(self) -> Lookout:
        """The concepts in Japanese."""
        return self._lookout([[fold(self._expanded(p)) for p in it.ja] for it in self.concepts.values()])

    @cached_property
    def kana(self) -> Lookout:
        """The same, as it is and with every kanji of `readings` written in kana."""
        return self._lookout([self._spelt_out(it.ja) for it in self.concepts.values()])

    @cached_property
    def english(self) -> Lookout:
        """The concepts in English, as whole words."""
        return self._lookout([[fold(self._expanded(p)) for p in it.en] for it in self.concepts.values()], words=True)

    @staticmethod
    def _lookout(groups: list[list[str]], words: bool = False) -> Lookout:
        patterns = [(pattern, group) for group, patterns in enumerate(groups) for pattern in patterns]
        return Lookout([pattern for pattern, _ in patterns], [group for _, group in patterns], words)

    def _spelt_out(self, patterns: tuple[str, ...]) -> list[str]:
        """Patterns that would shrink to one or two kana are left out: they would be found everywhere."""
        plain = [fold(self._expanded(pattern)) for pattern in patterns]
        spelt = [self._in_kana(self._expanded(pattern)) for pattern in patterns]
        return plain + [it for it in spelt if it not in plain and len(_AROUND.sub("", it)) > _SHORTEST]

    def _in_kana(self, pattern: str) -> str:
        return fold(self._kanji.sub(lambda it: self.readings.get(it.group(), it.group()), pattern))

    @cached_property
    def _kanji(self) -> re.Pattern[str]:
        return re.compile("|".join(sorted(self.readings, key=len, reverse=True)) + r"|\[[^\]]*\]")

    @cached_property
    def _heard(self) -> dict[str, str]:
        return {kanji: fold(_SYNTAX.sub("", kana)) for kanji, kana in self.readings.items()}

    @cached_property
    def _any_reading(self) -> re.Pattern[str]:
        return re.compile("|".join(sorted(map(re.escape, self.readings), key=len, reverse=True)) or r"(?!)")

    def in_kana(self, text: str) -> str:
        """Folded text with every kanji of `readings` in kana; the others stay."""
        return self._any_reading.sub(lambda it: self._heard[it.group()], text)

    @cached_property
    def scope_patterns(self) -> "dict[tuple[ScopeKind, Where], tuple[ScopePattern, ...]]":
        """The scopes by kind and place."""
        found: dict[tuple[ScopeKind, Where], tuple[ScopePattern, ...]] = {}
        for number, it in enumerate(self.scopes):
            found[it.kind, it.where] = (*found.get((it.kind, it.where), ()), ScopePattern(it, number))
        return found

    @cached_property
    def plain_scopes(self) -> Lookout:
        return Lookout([fold(self._expanded(it.pattern)) for it in self.scopes])

    @cached_property
    def kana_scopes(self) -> Lookout:
        """The wider ones for messages with next to no kanji."""
        expanded = [self._expanded(it.pattern) for it in self.scopes]
        return Lookout([f"(?:{fold(it)})|(?:{self._in_kana(it)})" for it in expanded])

    @cached_property
    def intent_patterns(self) -> tuple[IntentPattern, ...]:
        """In the order of the intents."""
        found, at = [], 0
        for it in self.intents:
            ends = (at + len(it.ja) + len(it.en), at + len(it.ja) + len(it.en) + len(it.unless))
            found.append(IntentPattern(it.id, frozenset(range(at, ends[0])), frozenset(range(*ends))))
            at = ends[1]
        return tuple(found)

    @cached_property
    def requests(self) -> Lookout:
        """The patterns of the intents."""
        return Lookout(
            [
                pattern
                for it in self.intents
                for pattern in (
                    *(fold(self._expanded(p)) for p in it.ja),
                    *(whole_word(fold(self._expanded(p))) for p in it.en),
                    *(fold(self._expanded(p)) for p in it.unless),
                )
            ]
        )

    @cached_property
    def rules_by_concept(self) -> dict[str, frozenset[int]]:
        """The places of the rules that can apply only if one of these concepts is named."""
        found: dict[str, set[int]] = {}
        for number, rule in enumerate(self.rules):
            for need in rule.need if rule.span == "message" else rule.need[-1:]:
                for name in need.split("|"):
                    found.setdefault(name, set()).add(number)
        return {name: frozenset(numbers) for name, numbers in found.items()}

    def prepare(self) -> None:
        """Makes all lookouts."""
        for name in ("japanese", "kana", "english", "plain_scopes", "kana_scopes", "requests"):
            getattr(self, name)
        forget()

    @cached_property
    def compiled_gentle(self) -> re.Pattern[str] | None:
        """None if there is none."""
        return re.compile(fold("|".join(map(self._expanded, self.gentle)))) if self.gentle else None
