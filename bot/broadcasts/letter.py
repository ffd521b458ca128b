"""What a broadcast says, in each language, and everything that is wrong with it before it may leave."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from bot import taps
from bot.content.limits import ALT, LABEL, TITLE, units
from bot.content.model import Content, Tip
from bot.content.wording import Refused
from bot.messages import LOCALES, MAX_PARTS, Card, Carousel, Choice, Locale, Message, Part, Picture, Words

Bilingual = Mapping[Locale, Message]
"""The same parts and buttons in every language."""

LINK = 900
"""Characters of an address: LINE takes 1,000 percent-encoded ones (Messaging API reference, "URI action")."""

BUTTONS = 4
"""Of a card: more would push its text off a phone's screen."""


class Flaw(StrEnum):
    """What keeps a message from being sent."""

    NOTHING = "nothing"
    TOO_MUCH = "too_much"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    LABEL = "label"
    LINK = "link"
    BUTTONS = "buttons"
    PICTURE = "picture"
    REFUSED = "refused"
    UNEQUAL = "unequal"


@dataclass(frozen=True, slots=True)
class Problem:
    """`part` counts from 0, None is the whole message. `words`: what must not be said."""

    flaw: Flaw
    part: int | None = None
    locale: Locale | None = None
    words: str = ""


def from_tip(tip: Tip) -> Bilingual:
    """A tip of the content as a card."""
    return {locale: Message((Card(tip.title.to(locale), tip.text.to(locale)),)) for locale in LOCALES}


def problems(content: Content, refused: Refused, letter: Bilingual) -> tuple[Problem, ...]:
    """All of them; none: it may be sent."""
    if set(letter) != set(LOCALES) or len({len(message.parts) for message in letter.values()}) != 1:
        return (Problem(Flaw.UNEQUAL),)
    found = [problem for locale in LOCALES for problem in _in_message(content, refused, locale, letter[locale])]
    shapes = {tuple(map(_shape, message.parts)) for message in letter.values()}
    return (*found, Problem(Flaw.UNEQUAL)) if len(shapes) > 1 else tuple(found)


def _shape(part: Part) -> tuple[str, ...]:
    """What both languages have in common: buttons are counted by their places."""
    return (part.kind, *(f"{choice.token}" for choice in taps.buttons(Message((part,)))))


def _in_message(content: Content, refused: Refused, locale: Locale, message: Message) -> Iterator[Problem]:
    if not message.parts:
        yield Problem(Flaw.NOTHING)
    if len(message.parts) > MAX_PARTS:
        yield Problem(Flaw.TOO_MUCH)
    for number, part in enumerate(message.parts):
        for flaw in _in_part(content, part):
            yield Problem(flaw, number, locale)
        for text in _texts(part):
            for words in filter(
                None, (each.found(text, locale) for each in refused.refusal if each.where != "offered")
            ):
                yield Problem(Flaw.REFUSED, number, locale, words)


def _in_part(content: Content, part: Part) -> Iterator[Flaw]:
    match part:
        case Words(text):
            yield from _measured(text, ALT)
        case Picture(file, alt):
            yield from _measured(alt, ALT)
            if file not in content.media:
                yield Flaw.PICTURE
        case Card():
            yield from _in_card(content, part)
        case Carousel(cards):
            for card in cards:
                yield from _in_card(content, card)


def _in_card(content: Content, card: Card) -> Iterator[Flaw]:
    if not card.title.strip() and not card.text.strip():
        yield Flaw.EMPTY
    if units(card.title) > TITLE or units(card.text) > ALT:
        yield Flaw.TOO_LONG
    if card.picture is not None:
        yield from _in_part(content, card.picture)
    if len(card.choices) > BUTTONS:
        yield Flaw.BUTTONS
    for choice in card.choices:
        yield from _in_button(choice)


def _in_button(choice: Choice) -> Iterator[Flaw]:
    if not choice.label.strip() or units(choice.label) > LABEL:
        yield Flaw.LABEL
    if choice.token is None and not is_link(choice.uri or ""):
        yield Flaw.LINK


def is_link(uri: str) -> bool:
    """Whether it is an https address with a host and nothing that would hide it."""
    try:
        parts = urlsplit(uri)
        plain = (
            parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port in (None, 443)
        )
    except ValueError:
        return False
    return plain and len(uri) <= LINK and uri.isprintable() and " " not in uri and "\\" not in uri


def _measured(text: str, most: int) -> Iterator[Flaw]:
    if not text.strip():
        yield Flaw.EMPTY
    elif units(text) > most:
        yield Flaw.TOO_LONG


def _texts(part: Part) -> Iterator[str]:
    match part:
        case Words(text) | Picture(alt=text):
            yield text
        case Card():
            yield from (card_text for card_text in (part.title, part.text, part.note, *part.lines) if card_text)
            yield from (choice.label for choice in part.choices)
        case Carousel(cards):
            for card in cards:
                yield from _texts(card)
