"""How a card looks on LINE: large calm type that older eyes can read, buttons that say what they do."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.parse import quote

from bot.channels.line.limits import (
    DISPLAY_TEXT_CLUSTERS,
    LABEL_CLUSTERS,
    POSTBACK_DATA,
    URI,
    cut_to_clusters,
)
from bot.messages import Card, Choice, encode_token

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue]"
JsonObject: TypeAlias = Mapping[str, JsonValue]

INK = "#26353b"
FAINT = "#5b6b72"
MAIN = "#2b7466"
PLAIN = "#e4ecea"
RULE = "#dde5e3"
HEADERS: Mapping[Literal["plain", "question", "advice", "routine"], str] = {
    "plain": "#eef4f2",
    "question": "#eef4f2",
    "advice": "#fbf0dc",
    "routine": "#e6f0f7",
}
ROOMY_BUTTONS = 4
"""Up to this many buttons are drawn tall; more would push the question off the screen."""


def bubble(card: Card, picture_url: str | None) -> JsonObject:
    """`picture_url` is None for a card without a picture, and for one whose picture cannot be shown."""
    content: dict[str, JsonValue] = {"type": "bubble", "size": "mega"}
    if card.title or card.progress:
        content["header"] = _header(card)
    if picture_url is not None:
        content["hero"] = {
            "type": "image",
            "url": picture_url,
            "size": "full",
            "aspectRatio": "1:1",
            "aspectMode": "fit",
        }
    body = _body(card)
    if body:
        content["body"] = {"type": "box", "layout": "vertical", "spacing": "md", "contents": body}
    if card.choices:
        height = "md" if len(card.choices) <= ROOMY_BUTTONS else "sm"
        content["footer"] = {
            "type": "box",
            "layout": "vertical",
            "spacing": "sm",
            "contents": [_button(choice, height) for choice in card.choices],
        }
    return content


def action(choice: Choice) -> JsonObject:
    """What a button does. Raises ValueError for a token or an address that LINE would refuse: a shortened one would
    be another answer."""
    label = cut_to_clusters(choice.label, LABEL_CLUSTERS)
    if choice.token is not None:
        data = encode_token(choice.token)
        if len(data) > POSTBACK_DATA:
            raise ValueError(f"button data of {len(data)} characters, at most {POSTBACK_DATA}")
        if choice.picker is not None:
            # Messaging API reference, "Datetime picker action". Phones only: elsewhere a time is written.
            days = (
                {"initial": choice.between[0], "min": choice.between[0], "max": choice.between[1]}
                if choice.between
                else {}
            )
            return {"type": "datetimepicker", "label": label, "data": data, "mode": choice.picker, **days}
        said = cut_to_clusters(choice.say or choice.label, DISPLAY_TEXT_CLUSTERS)
        return {"type": "postback", "label": label, "data": data, "displayText": said}
    if choice.uri is None:
        raise ValueError("a button needs a token or an address")
    uri = _dialable(choice.uri)
    if len(uri) > URI:
        raise ValueError(f"button address of {len(uri)} characters, at most {URI}")
    return {"type": "uri", "label": label, "uri": uri}


def _dialable(uri: str) -> str:
    """`tel:#7119` would be read as an empty number with a fragment (RFC 3986)."""
    return "tel:" + quote(uri.removeprefix("tel:"), safe="+-*%") if uri.startswith("tel:") else uri


def _header(card: Card) -> JsonObject:
    contents: list[JsonValue] = []
    if card.title:
        contents.append(_text(card.title, size="lg", weight="bold", flex=1))
    if card.progress:
        done, total = card.progress
        contents.append(
            {"type": "text", "text": f"{done}/{total}", "size": "sm", "color": FAINT, "align": "end", "flex": 0}
        )
    return {
        "type": "box",
        "layout": "horizontal",
        "spacing": "md",
        "paddingAll": "lg",
        "backgroundColor": HEADERS[card.tone],
        "contents": contents,
    }


def _body(card: Card) -> list[JsonValue]:
    contents: list[JsonValue] = []
    if card.text:
        contents.append(_text(card.text, weight="bold") if card.tone == "question" else _text(card.text))
    rows = [_line(line) for line in card.lines if line]
    if rows:
        contents.append({"type": "box", "layout": "vertical", "spacing": "md", "contents": rows})
    if card.note:
        if contents:
            contents.append({"type": "separator", "color": RULE})
        contents.append(_text(card.note, size="sm", color=FAINT))
    return contents


def _line(line: str) -> JsonObject:
    dot: JsonObject = {"type": "text", "text": "•", "size": "md", "color": MAIN, "flex": 0}
    return {"type": "box", "layout": "horizontal", "spacing": "sm", "contents": [dot, _text(line, flex=1)]}


def _text(text: str, size: str = "md", color: str = INK, weight: str = "", flex: int | None = None) -> JsonObject:
    content: dict[str, JsonValue] = {"type": "text", "text": text, "size": size, "color": color, "wrap": True}
    if weight:
        content["weight"] = weight
    if flex is not None:
        content["flex"] = flex
    return content


def _button(choice: Choice, height: str) -> JsonObject:
    main = choice.style == "main"
    return {
        "type": "button",
        "style": "primary" if main else "secondary",
        "color": MAIN if main else PLAIN,
        "height": height,
        "adjustMode": "shrink-to-fit",
        "action": action(choice),
    }
