"""A message as Slack's arguments: one call, every part as blocks. What Slack cannot show is degraded and logged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import quote

import structlog

from bot.channels.slack import limits
from bot.channels.slack.blocks import Blocks, JsonObject
from bot.messages import Card, Carousel, Message, Part, Picture, Words

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rendered:
    """`text` is what notifications and screen readers say."""

    text: str
    blocks: Sequence[JsonObject]


def render(message: Message, media_url: str | None) -> Rendered:
    """Slack fetches pictures from below `media_url`; None: it could not, and their alt texts stand in for them. Raises
    ValueError for nothing to say, and for more than fits without losing any."""
    room = limits.BLOCKS if message.surface == "chat" else limits.VIEW_BLOCKS
    made = _blocks(message, media_url)
    if len(made) > room:
        _log.warning("slack_pictures_as_words", blocks=len(made))
        made = _blocks(message, None)
    if len(made) > room:
        _log.warning("slack_texts_joined", blocks=len(made))
        made = _joined(made)
    if not 1 <= len(made) <= room:
        raise ValueError(f"{len(made)} blocks, Slack takes 1 to {room}")
    spoken = "\n\n".join(filter(None, map(_spoken, message.parts)))
    return Rendered(next(iter(limits.pieces(spoken, limits.FALLBACK)), "…"), made)


def _blocks(message: Message, media_url: str | None) -> list[JsonObject]:
    blocks = Blocks()
    for part in message.parts:
        _part(blocks, part, media_url)
    blocks.choices(message.quick)
    return blocks.made


def _part(blocks: Blocks, part: Part, media_url: str | None) -> None:
    match part:
        case Words(text):
            blocks.text(text)
        case Picture() as picture:
            _picture(blocks, picture, media_url)
        case Card() as card:
            _card(blocks, card, media_url)
        case Carousel(cards):
            for index, card in enumerate(cards):
                if index:
                    blocks.made.append({"type": "divider"})
                _card(blocks, card, media_url)
        case other:
            assert_never(other)


def _card(blocks: Blocks, card: Card, media_url: str | None) -> None:
    form = card.form
    blocks.head(card)
    if card.picture is not None:
        _picture(blocks, card.picture, media_url)
    if form is None:
        blocks.text(card.text, bold=card.tone == "question")
    blocks.text("\n".join(f"• {line}" for line in card.lines if line))
    blocks.small(card.note)
    if form is None:
        blocks.choices(card.choices)
    else:
        blocks.form(form)


def _picture(blocks: Blocks, picture: Picture, media_url: str | None) -> None:
    url = (picture.uri or f"{media_url}/{quote(picture.file)}") if media_url else ""
    if 0 < len(url) <= limits.PICTURE_URL:
        blocks.picture(url, picture.alt)
        return
    _log.warning("slack_picture_as_words", file=picture.file)
    blocks.text(picture.alt)


def _joined(blocks: Sequence[JsonObject]) -> list[JsonObject]:
    """Neighbouring sections as one where that fits; dividers go."""
    kept: list[JsonObject] = []
    for block in blocks:
        if block["type"] == "divider":
            continue
        last, here = _text(kept[-1]) if kept else None, _text(block)
        if last is not None and here is not None and limits.units(last) + limits.units(here) + 2 <= limits.SECTION:
            kept[-1] = {**block, "text": {"type": "mrkdwn", "text": f"{last}\n\n{here}", "verbatim": True}}
        else:
            kept.append(block)
    return kept


def _text(block: JsonObject) -> str | None:
    """A section's text; a header's, which can be one."""
    text = block.get("text")
    match block["type"], text:
        case "section", {"text": str(found)}:
            return found
        case "header", {"text": str(found)}:
            return limits.escape(found)
        case _:
            return None


def _spoken(part: Part) -> str:
    """The part in plain words."""
    match part:
        case Words(text):
            return text
        case Picture(alt=alt):
            return alt
        case Card() as card:
            lines = [row.text for row in card.form.rows] if card.form else [card.text, *card.lines]
            return "\n".join(filter(None, (card.title, *lines, card.picture.alt if card.picture else "", card.note)))
        case Carousel(cards):
            return "\n\n".join(map(_spoken, cards))
        case other:
            assert_never(other)
