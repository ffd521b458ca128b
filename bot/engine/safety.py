"""The safety net under free text: what a message must raise at least, in whose words, by which rule, from which source."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.content.likeness import Likeness
from bot.content.vocabulary import Rule, Vocabulary
from bot.engine.likeness import Opinion, Vote, opinion, spoken
from bot.engine.normal import JAPANESE, Reading, read
from bot.engine.scope import Mention, Sheet, Standing
from bot.engine.spelling import respell
from bot.engine.understand import Unknown, understand
from bot.messages import Disposition

_LONGEST = 2000
"""Letters that are looked at in one message: far more than anyone types, little enough to stay quick."""


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
    """`level` None means that nothing was found, which is not the same as safe. `card` asks for it again."""

    level: Disposition | None
    triggers: tuple[Trigger, ...]
    mental_health: bool
    gentle_check_in: bool
    card: str | None


def assess(text: str, vocabulary: Vocabulary, likeness: Likeness | None = None) -> Finding:
    """The most serious thing that `text` says of its writer (or of somebody in danger now) decides. `likeness` may raise
    the level that the rules find, and drop rules that went by a topic alone; no other."""
    reading = respell(read(text[:_LONGEST]), vocabulary)
    sheet = Sheet(reading.text, vocabulary)
    worded = any(char.isalpha() for char in sheet.text)  # a bare number, as of a telephone, is like nothing
    second = _opinion(sheet, likeness) if likeness is not None and worded else None
    hits = [(trigger, rule) for rule in _in_question(sheet) if (trigger := _trigger(rule, sheet, reading))]
    if second is not None and not second.hints and all(rule.bare for _, rule in hits):
        hits = []
    hits.sort(key=lambda hit: hit[0].level.rank)
    triggers = [trigger for trigger, _ in hits]
    card: str | None = hits[0][1].card if hits else None
    mental = any(rule.mental for _, rule in hits)
    vote = _vote(sheet, text, second) if second is not None else None
    if likeness is not None and vote and (not hits or vote.level.rank < triggers[0].level.rank):
        words = reading.words(vote.start, vote.end)
        triggers.insert(0, Trigger(f"{ALIKE}{vote.kind}", words, vote.level, likeness.source))
        mental = mental or vote.kind == "mental"
        card = None if vote.kind == "mental" else vote.kind
    gentle = vocabulary.compiled_gentle
    return Finding(
        level=triggers[0].level if triggers else None,
        triggers=tuple(triggers),
        mental_health=mental,
        gentle_check_in=not mental and bool(gentle and gentle.search(sheet.text)),
        card=card,
    )


def prepare(vocabulary: Vocabulary, likeness: Likeness) -> None:
    """Makes what a process needs once, about half a second, so that the first who types does not wait for it."""
    vocabulary.prepare()
    assess("しびれ numb", vocabulary, likeness)


def _in_question(sheet: Sheet) -> list[Rule]:
    """The rules, in their order, whose symptom is named at all."""
    numbers: set[int] = set()
    for name in sheet.mentions:
        numbers |= sheet.vocabulary.rules_by_concept.get(name, frozenset())
    return [sheet.vocabulary.rules[number] for number in sorted(numbers)]


def _opinion(sheet: Sheet, likeness: Likeness) -> Opinion | None:
    return opinion(sheet.text, spoken(sheet.vocabulary.in_kana(sheet.text)), likeness)


def _vote(sheet: Sheet, text: str, second: Opinion) -> Vote | None:
    """Where the message says more than one thing, or speaks a language of which little was learned, only the surest vote
    counts."""
    if second.sure(doubt=False) is None:
        return None
    doubt = sheet.takes_back or not JAPANESE.search(sheet.text) or understand(text, sheet.vocabulary) != Unknown()
    return second.vote(doubt)


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
