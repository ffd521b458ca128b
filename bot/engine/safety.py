"""The safety net under free text: what a message must raise at least, in whose words, by which rule, from which source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.content.likeness import Likeness
from bot.content.vocabulary import Rule, ScopeKind, Vocabulary
from bot.engine.likeness import Vote, telling, vote
from bot.engine.network import ALWAYS, Signs, chances, spoken
from bot.engine.network import signs as all_signs
from bot.engine.normal import JAPANESE, Reading, normalise, read
from bot.engine.scope import Mention, Sheet, Standing
from bot.engine.spelling import respell
from bot.engine.understand import Request, understand
from bot.messages import Disposition

_LONGEST = 2000
"""Letters that are looked at in one message: far more than anyone types, little enough to stay quick."""

_SAYING: tuple[ScopeKind, ...] = (
    "denied", "kept", "supposed", "over", "old", "new", "seen", "unseen", "other", "self", "patient", "carer", "cared", "pet",
)  # fmt: skip
_SENTENCE = re.compile(r"[。！？!?\n]+|(?<![0-9])[.．]|[.．](?![0-9])")
_MARKS = "。、!? "
ALIKE = "alike_"
"""The second vote's triggers are named by this and the card that asks for the same."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why: the rule, what was written, what it demands, and the source that says so."""

    rule: str
    words: str
    level: Disposition
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` None means that nothing was found, which is not the same as safe; `denied` that a sign was named, and denied.
    `card` asks for what was found again."""

    level: Disposition | None
    triggers: tuple[Trigger, ...]
    mental_health: bool
    gentle_check_in: bool
    denied: bool
    card: str | None


Hit = tuple[Trigger, Rule]


def assess(text: str, vocabulary: Vocabulary, likeness: Likeness | None = None) -> Finding:
    """The most serious thing that `text` says of its writer (or of somebody in danger now) decides: what the rules find,
    and, with `likeness`, whether they are believed, or something is alike that they do not know."""
    reading, sheet, hits = look(text, vocabulary)
    worded = any(char.isalpha() for char in sheet.text)  # a bare number, as of a telephone, is like nothing
    plain = not hits and _bare(sheet.text) in _plain(vocabulary.plain)
    if likeness is None or not worded or plain:
        return _finding(hits, [], None, sheet)
    found = signs(text, sheet, hits)
    believed = vote(chances(found, likeness), hits[0][0].level if hits else None, likeness)
    level = _not_talked_away(text, hits, believed.level if believed else None, vocabulary, likeness)
    rank = level.rank if level else Disposition.NO_MASSAGE.rank
    kept = [hit for hit in hits if hit[0].level.rank >= rank]
    dropped = [hit for hit in hits if hit[0].level.rank < rank]
    if believed is None or (kept and kept[0][0].level.rank <= believed.level.rank):
        return _finding(kept, dropped, None, sheet)
    words = reading.words(*telling(sheet.text, found, believed.kind, likeness))
    alike = Trigger(f"{ALIKE}{believed.kind}", words, believed.level, likeness.source)
    return _finding(kept, dropped, (alike, believed), sheet)


@lru_cache(maxsize=2)
def _plain(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normalise, texts))


def _bare(text: str) -> str:
    """Without what stands round a message that is one word or two; Latin letters have a second line, as kana."""
    return "\n".join(line.strip(_MARKS) for line in text.split("\n"))


def _not_talked_away(
    text: str, hits: list[Hit], level: Disposition | None, vocabulary: Vocabulary, likeness: Likeness
) -> Disposition | None:
    """`level`, or the more serious one that a rule found and that is believed of a sentence by itself: what else is said
    must not hide it."""
    found = hits[0][0].level if hits else None
    sentences = [sentence for sentence in _SENTENCE.split(text[:_LONGEST]) if sentence.strip()]
    if found is None or found.rank >= Disposition.NO_MASSAGE.rank or len(sentences) < 2:
        return level
    words = {trigger.words for trigger, _ in hits if level is None or trigger.level.rank < level.rank}
    for sentence in sentences:
        if level is not None and level.rank <= found.rank:
            return level
        if not any(each in sentence for each in words):
            continue
        _, sheet, own = look(sentence, vocabulary)
        alone = vote(chances(signs(sentence, sheet, own), likeness), None, likeness) if own else None
        if alone is not None and (level is None or alone.level.rank < level.rank):
            level = max(alone.level, found, key=lambda it: it.rank)
    return level


def _finding(kept: list[Hit], dropped: list[Hit], alike: tuple[Trigger, Vote] | None, sheet: Sheet) -> Finding:
    """A wish to die that is not believed still deserves the kind question."""
    triggers = [trigger for trigger, _ in kept]
    card: str | None = kept[0][1].card if kept else None
    mental = any(rule.mental for _, rule in kept)
    if alike:
        triggers.insert(0, alike[0])
        mental = mental or alike[1].kind == "mental"
        card = None if alike[1].kind == "mental" else alike[1].kind
    gentle = sheet.vocabulary.compiled_gentle
    weary = any(rule.mental for _, rule in dropped) or bool(gentle and gentle.search(sheet.text))
    return Finding(
        level=triggers[0].level if triggers else None,
        triggers=tuple(triggers),
        mental_health=mental,
        gentle_check_in=not mental and weary,
        denied=not triggers and sheet.denies,
        card=card,
    )


def look(text: str, vocabulary: Vocabulary) -> tuple[Reading, Sheet, list[Hit]]:
    """`text` as it is read, and what the rules find in it, the most serious first."""
    reading = respell(read(text[:_LONGEST]), vocabulary)
    sheet = Sheet(reading.text, vocabulary)
    hits = [(trigger, rule) for rule in _in_question(sheet) if (trigger := _trigger(rule, sheet, reading))]
    return reading, sheet, sorted(hits, key=lambda hit: hit[0].level.rank)


def signs(text: str, sheet: Sheet, hits: list[Hit]) -> Signs:
    """What the second vote is cast by, of a message that was looked at."""
    named = [
        *(f"named:{concept}" for concept in sheet.mentions),
        *(f"{standing}:{concept}" for concept, standing in sheet.judged),
    ]
    sound = spoken(sheet.vocabulary.in_kana(sheet.text))
    words = not JAPANESE.search(sheet.text)
    return all_signs(sheet.text, sound, words, sorted({*named}), facts(hits, understand(text, sheet.vocabulary), sheet))


def facts(hits: list[Hit], request: Request, sheet: Sheet) -> set[str]:
    """What the rules and the scopes make of a message that was looked at."""
    found = {ALWAYS, f"asks:{type(request).__name__}", "japanese" if JAPANESE.search(sheet.text) else "latin"}
    found.add(f"level:{hits[0][0].level}" if hits else "level:none")
    found.update(f"rule:{rule.id}:{trigger.level}" for trigger, rule in hits)
    found.update(f"stands:{standing}" for _, standing in sheet.judged)
    found.update(f"says:{kind}" for kind in _SAYING if sheet.speaks(kind))
    if sheet.figurative:
        found.add("figure")
    if hits and all(rule.bare for _, rule in hits):
        found.add("topic")
    return found


def prepare(vocabulary: Vocabulary, likeness: Likeness) -> None:
    """Makes what a process needs once, about half a second, so that the first who types does not wait for it."""
    vocabulary.prepare()
    _plain(vocabulary.plain)
    assess("しびれ numb", vocabulary, likeness)


def _in_question(sheet: Sheet) -> list[Rule]:
    """The rules, in their order, whose symptom is named at all."""
    numbers: set[int] = set()
    for name in sheet.mentions:
        numbers |= sheet.vocabulary.rules_by_concept.get(name, frozenset())
    return [sheet.vocabulary.rules[number] for number in sorted(numbers)]


def _trigger(rule: Rule, sheet: Sheet, reading: Reading) -> Trigger | None:
    """The most serious way in which the text meets `rule`."""
    if any(part in sheet.mentions for name in rule.unless for part in _parts(name)):
        return None
    found = _across(rule, sheet) if rule.span == "message" else _together(rule, sheet)
    levels = [(level, start, end) for head, start, end in found if (level := _level(rule, head, sheet))]
    if not levels:
        return None
    level, start, end = min(levels, key=lambda it: it[0].rank)
    return Trigger(rule.id, reading.words(start, end), level, rule.source)


def _level(rule: Rule, head: Mention, sheet: Sheet) -> Disposition | None:
    match sheet.standing(head, rule.history):
        case Standing.MEANT:
            age = sheet.age(head)
            if age.old and rule.old:
                return (rule.seen if age.seen else None) or rule.old
            return rule.level
        case Standing.OVER:
            return rule.over
        case Standing.OTHERS:
            return rule.level if rule.others == "count" or sheet.complains(head) else None
        case _:
            return None


def _named(need: str, sheet: Sheet) -> list[Mention]:
    return [mention for name in _parts(need) for mention in sheet.mentions.get(name, ())]


@lru_cache(maxsize=1024)
def _parts(need: str) -> tuple[str, ...]:
    return tuple(need.split("|"))


def _across(rule: Rule, sheet: Sheet) -> Iterator[tuple[Mention, int, int]]:
    """Every one of `need` is meant somewhere in the message."""
    *others, last = rule.need
    for need in others:
        if not any(_level(rule, it, sheet) for it in _named(need, sheet)):
            return
    for head in _named(last, sheet):
        yield head, head.start, head.end


def _together(rule: Rule, sheet: Sheet) -> Iterator[tuple[Mention, int, int]]:
    """Every one of `need` stands near the last one, in one sentence, and no other place of the body comes between."""
    *others, last = rule.need
    for head in _named(last, sheet):
        if _spoken_of(rule.without, head, sheet):
            continue
        chosen = [near for need in others if (near := _nearest(need, head, rule.gap, sheet))]
        if rule.all_meant and any(sheet.standing(it, rule.history) is not Standing.MEANT for it in chosen):
            continue
        if len(chosen) == len(others):
            yield head, min(it.start for it in [head, *chosen]), max(it.end for it in [head, *chosen])


def _spoken_of(names: tuple[str, ...], head: Mention, sheet: Sheet) -> bool:
    start, end = sheet.sentence(head.start)
    return any(start <= mention.start < end for name in names for mention in _named(name, sheet))


def _nearest(need: str, head: Mention, gap: int, sheet: Sheet) -> Mention | None:
    start, end = sheet.sentence(head.start)
    reach = gap * 4 if head.lang == "en" else gap
    for mention in _named(need, sheet):
        first, last = _between(mention, head)
        if last - first > reach or mention.lang != head.lang or not start <= mention.start < end:
            continue
        if _belongs(mention, head, sheet):
            return mention
    return None


def _between(one: Mention, other: Mention) -> tuple[int, int]:
    return (one.end, other.start) if one.start <= other.start else (other.end, one.start)


def _belongs(place: Mention, head: Mention, sheet: Sheet) -> bool:
    """Whether the symptom `head` is said of `place`: nothing healthy and no other place stands between, but in a list."""
    start, end = _between(place, head)
    if end <= start:
        return True
    if sheet.broken(start, end):
        return False
    if not sheet.vocabulary.concepts[place.concept].part:
        return True
    inner = [part for part in sheet.parts if start <= part.start and part.end <= end]
    return all(sheet.listed(start, part) for part in inner)
