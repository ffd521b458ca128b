"""A message into LINE message objects, exactly as they are sent. What LINE cannot show is degraded and logged.

The objects are written by hand: loading the SDK's sending models costs 20 MB and most of a second at every start. The
tests hold every object against those models.
"""

import json
from dataclasses import replace
from typing import assert_never
from urllib.parse import quote

import structlog

from bot.channels.line import limits
from bot.channels.line.flex import JsonObject, JsonValue, action, bubble
from bot.messages import Card, Carousel, Choice, Message, Part, Picture, Words

_log = structlog.get_logger()


def render(message: Message, media_url: str | None) -> list[JsonObject]:
    """One to five message objects; quick replies hang on the last. LINE fetches pictures from below `media_url`; None:
    it could not, and their alt texts stand in for them. Raises ValueError for no parts or too many."""
    if not 1 <= len(message.parts) <= limits.OBJECTS_PER_CALL:
        raise ValueError(f"{len(message.parts)} parts, LINE takes 1 to {limits.OBJECTS_PER_CALL}")
    parts, quick = _with_room_for(message.quick, message.parts)
    objects = [_object(part, media_url) for part in parts]
    if quick:
        items: list[JsonValue] = [{"type": "action", "action": action(choice)} for choice in quick]
        objects[-1] = {**objects[-1], "quickReply": {"items": items}}
    return objects


def _with_room_for(quick: tuple[Choice, ...], parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Choice, ...]]:
    """More answers than LINE has quick replies become buttons of the last card, where that can be one."""
    if len(quick) <= limits.QUICK_REPLIES:
        return parts, quick
    _log.warning("line_quick_replies_degraded", answers=len(quick))
    match parts[-1]:
        case Words(text):
            return (*parts[:-1], Card("", text, choices=quick)), ()
        case Card() as card:
            return (*parts[:-1], replace(card, choices=card.choices + quick)), ()
        case Picture() | Carousel():
            return parts, quick[: limits.QUICK_REPLIES]
        case other:
            assert_never(other)


def _object(part: Part, media_url: str | None) -> JsonObject:
    match part:
        case Words(text):
            return _words(text)
        case Picture() as picture:
            url = _address(picture, media_url)
            if url is None:
                return _words(picture.alt)
            return {"type": "image", "originalContentUrl": url, "previewImageUrl": url}
        case Card() as card:
            return _flex(_card(card, media_url), _spoken(card))
        case Carousel(cards):
            return _carousel(cards, media_url)
        case other:
            assert_never(other)


def _words(text: str) -> JsonObject:
    length = limits.units(text)
    if length > limits.TEXT_UNITS:
        _log.warning("line_text_cut", units=length)
    return {"type": "text", "text": limits.cut_to_units(text, limits.TEXT_UNITS)}


def _address(picture: Picture, media_url: str | None) -> str | None:
    """None when LINE could not fetch it."""
    url = (picture.uri or f"{media_url}/{quote(picture.file)}") if media_url else ""
    if 0 < len(url) <= limits.PICTURE_URL:
        return url
    _log.warning("line_picture_as_words", file=picture.file)
    return None


def _flex(contents: JsonObject, alt: str) -> JsonObject:
    return {"type": "flex", "altText": limits.cut_to_units(alt, limits.ALT_TEXT_UNITS), "contents": contents}


def _card(card: Card, media_url: str | None) -> JsonObject:
    """At most BUBBLE_BYTES: the longest texts are cut, the buttons stay. Raises ValueError when they alone are more."""
    url = _address(card.picture, media_url) if card.picture else None
    if card.picture and url is None:
        card = replace(card, text="\n".join(filter(None, (card.text, card.picture.alt))), picture=None)
    contents = bubble(card, url)
    longest = max(map(limits.units, (card.title, card.text, card.note, *card.lines)))
    if _size(contents) > limits.BUBBLE_BYTES:
        _log.warning("line_card_cut", size=_size(contents))
    while _size(contents) > limits.BUBBLE_BYTES:
        longest = longest * 3 // 4
        if longest < 2:
            raise ValueError(f"a card of {_size(contents)} bytes, LINE takes {limits.BUBBLE_BYTES}")
        contents = bubble(_shortened(card, longest), url)
    return contents


def _shortened(card: Card, most: int) -> Card:
    return replace(
        card,
        title=limits.cut_to_units(card.title, most),
        text=limits.cut_to_units(card.text, most),
        note=limits.cut_to_units(card.note, most),
        lines=tuple(limits.cut_to_units(line, most) for line in card.lines),
    )


def _carousel(cards: tuple[Card, ...], media_url: str | None) -> JsonObject:
    """Side by side while LINE takes that, else one card with every text as a line and every button."""
    if len(cards) <= limits.CAROUSEL_BUBBLES:
        contents: JsonObject = {"type": "carousel", "contents": [_card(card, media_url) for card in cards]}
        if _size(contents) <= limits.CAROUSEL_BYTES:
            return _flex(contents, "\n\n".join(map(_spoken, cards)))
    _log.warning("line_carousel_as_list", cards=len(cards))
    listed = Card(
        title="",
        lines=tuple(_spoken(card) for card in cards),
        choices=tuple(choice for card in cards for choice in card.choices),
    )
    return _flex(_card(listed, media_url), _spoken(listed))


def _spoken(card: Card) -> str:
    """The card in plain words, for screen readers and notifications."""
    progress = f" {card.progress[0]}/{card.progress[1]}" if card.progress else ""
    picture = card.picture.alt if card.picture else ""
    lines = (f"・{line}" for line in card.lines if line)
    said = filter(None, (f"{card.title}{progress}".strip(), card.text, *lines, picture, card.note))
    return "\n".join(said) or "\n".join(choice.label for choice in card.choices)


def _size(contents: JsonObject) -> int:
    return len(json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode())
