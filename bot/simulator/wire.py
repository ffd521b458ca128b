"""What the LINE platform accepts: the SDK's models for the shape, the documented limits for the rest.

Limits: "Messaging API reference" (developers.line.biz/en/reference/messaging-api/), the section named at each.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from bot.simulator import flex

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Obj = dict[str, "Json"]

MESSAGES_MAX: Final = 5  # Send reply message / Send push message: messages
TEXT_MAX: Final = 5000  # Text message: text, in UTF-16 code units ("Character counting in a text")
ALT_TEXT_MAX: Final = 1500  # Flex Message: altText
QUICK_MAX: Final = 13  # Quick reply: items
LABEL_MAX: Final = 20  # Action objects: label (quick replies, templates, rich menus)
DATA_MAX: Final = 300  # Postback action: data, displayText; Message action: text
URI_MAX: Final = 1000  # URI action: uri
IMAGE_URL_MAX: Final = 2000  # Image message: originalContentUrl
MULTICAST_MAX: Final = 500  # Send multicast message: to
BUBBLE_BYTES: Final = 30_000  # Flex Message: a bubble is at most 30 KB of JSON
CAROUSEL_BYTES: Final = 50_000  # Flex Message: a carousel is at most 50 KB of JSON
CAROUSEL_MAX: Final = 12  # Flex Message: bubbles of a carousel
MENU_AREAS_MAX: Final = 20  # Rich menu object: areas
ENDPOINT_MAX: Final = 500  # Set webhook endpoint URL: endpoint

Kind = Literal["reply", "push", "multicast", "loading", "richmenu", "endpoint", "test", "validate"]


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the real platform would refuse. `where` is a property path in the request body."""

    where: str
    problem: str


def units(text: str) -> int:
    """UTF-16 code units, as LINE counts characters."""
    return len(text.encode("utf-16-le")) // 2


def size(value: Json) -> int:
    """Bytes of the compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def check(kind: Kind, body: Obj) -> tuple[Violation, ...]:
    """Every problem at once; empty when the platform would accept the body."""
    shape = tuple(_shape(kind, body))
    if shape:
        return shape
    match kind:
        case "reply" | "push" | "multicast" | "validate":
            return tuple(_messages(body))
        case "loading":
            seconds = body.get("loadingSeconds", 20)
            wrong = not isinstance(seconds, int) or seconds % 5 or not 5 <= seconds <= 60
            return (Violation("loadingSeconds", "must be a multiple of 5 from 5 to 60"),) if wrong else ()
        case "richmenu":
            return tuple(_menu(body))
        case "endpoint" | "test":
            endpoint = body.get("endpoint")
            return () if endpoint is None else tuple(_url("endpoint", endpoint, ENDPOINT_MAX))


# --- the SDK's models ------------------------------------------------------------------------------------------------


class _Model(Protocol):
    def to_dict(self) -> Obj: ...


def _shape(kind: Kind, body: Obj) -> Iterator[Violation]:
    """Required properties and types by the model's own parser, unknown properties by what it does not give back."""
    from linebot.v3.messaging import models  # the models cost 70 MB: only for those who run the platform

    parse: dict[Kind, Callable[[Obj], _Model]] = {
        "reply": models.ReplyMessageRequest.from_dict,
        "push": models.PushMessageRequest.from_dict,
        "multicast": models.MulticastRequest.from_dict,
        "validate": models.ValidateMessageRequest.from_dict,
        "loading": models.ShowLoadingAnimationRequest.from_dict,
        "richmenu": models.RichMenuRequest.from_dict,
        "endpoint": models.SetWebhookEndpointRequest.from_dict,
        "test": models.TestWebhookEndpointRequest.from_dict,
    }
    try:
        parsed = parse[kind](body)
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        yield Violation("", " ".join(str(problem).split())[:300])
        return
    yield from _unknown("", body, parsed.to_dict())


def _unknown(where: str, sent: Json, known: Json) -> Iterator[Violation]:
    if isinstance(sent, dict) and isinstance(known, dict):
        for key, value in sent.items():
            path = f"{where}.{key}" if where else key
            if key in known:
                yield from _unknown(path, value, known[key])
            elif value is not None:
                yield Violation(path, "unknown property")
    elif isinstance(sent, list) and isinstance(known, list):
        for index, (one, other) in enumerate(zip(sent, known, strict=False)):
            yield from _unknown(f"{where}[{index}]", one, other)


# --- the documented limits -------------------------------------------------------------------------------------------


def _messages(body: Obj) -> Iterator[Violation]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGES_MAX:
        yield Violation("messages", f"size must be between 1 and {MESSAGES_MAX}")
        return
    to = body.get("to")
    if isinstance(to, list) and (not 1 <= len(to) <= MULTICAST_MAX or len(set(map(str, to))) != len(to)):
        yield Violation("to", f"must be 1 to {MULTICAST_MAX} different ids")
    for index, message in enumerate(messages):
        if isinstance(message, dict):
            yield from _message(f"messages[{index}]", message)


def _message(where: str, message: Obj) -> Iterator[Violation]:
    match message.get("type"):
        case "text":
            yield from text(f"{where}.text", message.get("text"), TEXT_MAX)
        case "image":
            for key in ("originalContentUrl", "previewImageUrl"):
                yield from _url(f"{where}.{key}", message.get(key), IMAGE_URL_MAX)
        case "flex":
            yield from text(f"{where}.altText", message.get("altText"), ALT_TEXT_MAX)
            yield from _flex(f"{where}.contents", message.get("contents"))
        case "sticker":
            pass
        case other:
            yield Violation(f"{where}.type", f"this program has no reason to send {other!r}")
    quick = message.get("quickReply")
    if isinstance(quick, dict):
        yield from _quick(f"{where}.quickReply", quick)


def _picker(where: str, value: Obj) -> Iterator[Violation]:
    """Messaging API reference, "Datetime picker action": full-date, and the first is before the last."""
    days = [value.get(name) for name in ("min", "initial", "max")]
    if value.get("mode") == "time" and days == [None] * 3:
        return
    if value.get("mode") != "date":
        yield Violation(f"{where}.mode", "this program has no reason to ask for anything but a time or a day")
    elif not all(isinstance(day, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day) for day in days):
        yield Violation(where, "min, initial and max are days")
    elif days != sorted(map(str, days)):
        yield Violation(where, "min, initial and max are not in their order")


def _quick(where: str, quick: Obj) -> Iterator[Violation]:
    items = quick.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= QUICK_MAX:
        yield Violation(f"{where}.items", f"size must be between 1 and {QUICK_MAX}")
        return
    for index, item in enumerate(items):
        wanted = item.get("action") if isinstance(item, dict) else None
        yield from action(f"{where}.items[{index}].action", wanted, labelled=True)


def _flex(where: str, container: Json) -> Iterator[Violation]:
    if not isinstance(container, dict):
        return
    bubbles = container.get("contents") if container.get("type") == "carousel" else [container]
    if not isinstance(bubbles, list) or not 1 <= len(bubbles) <= CAROUSEL_MAX:
        yield Violation(f"{where}.contents", f"a carousel has 1 to {CAROUSEL_MAX} bubbles")
        return
    if container.get("type") == "carousel":
        if size(container) > CAROUSEL_BYTES:
            yield Violation(where, f"a carousel may have {CAROUSEL_BYTES} bytes, this has {size(container)}")
        if len({bubble.get("size", "mega") for bubble in bubbles if isinstance(bubble, dict)}) > 1:
            yield Violation(where, "the bubbles of a carousel have one size")
    for index, bubble in enumerate(bubbles):
        path = f"{where}.contents[{index}]" if container.get("type") == "carousel" else where
        if size(bubble) > BUBBLE_BYTES:
            yield Violation(path, f"a bubble may have {BUBBLE_BYTES} bytes, this has {size(bubble)}")
        if isinstance(bubble, dict):
            yield from (Violation(at, problem) for at, problem in flex.problems(path, bubble))
            yield from _inside(path, bubble)


def _inside(where: str, node: Json) -> Iterator[Violation]:
    """Actions and picture addresses, however deep."""
    if isinstance(node, list):
        for index, one in enumerate(node):
            yield from _inside(f"{where}[{index}]", one)
    elif isinstance(node, dict):
        if "action" in node:
            yield from action(f"{where}.action", node["action"], labelled=node.get("type") == "button")
        if node.get("type") in ("image", "icon"):
            yield from _url(f"{where}.url", node.get("url"), IMAGE_URL_MAX)
        for key, value in node.items():
            if key != "action":
                yield from _inside(f"{where}.{key}", value)


def action(where: str, value: Json, *, labelled: bool) -> Iterator[Violation]:
    """An action object. `labelled`: the place needs a label."""
    if not isinstance(value, dict):
        yield Violation(where, "an action is needed here")
        return
    label = value.get("label")
    if labelled or label is not None:
        yield from text(f"{where}.label", label, LABEL_MAX)
    match value.get("type"):
        case "postback":
            yield from text(f"{where}.data", value.get("data"), DATA_MAX)
            if value.get("displayText") is not None:
                yield from text(f"{where}.displayText", value.get("displayText"), DATA_MAX)
        case "datetimepicker":
            yield from text(f"{where}.data", value.get("data"), DATA_MAX)
            yield from _picker(where, value)
        case "message":
            yield from text(f"{where}.text", value.get("text"), DATA_MAX)
        case "uri":
            yield from _uri(f"{where}.uri", value.get("uri"))
        case "clipboard":
            yield from text(f"{where}.clipboardText", value.get("clipboardText"), 1000)  # Clipboard action
        case other:
            yield Violation(f"{where}.type", f"this program has no reason to send {other!r}")


def text(where: str, value: Json, most: int) -> Iterator[Violation]:
    """Not empty, at most so many UTF-16 units."""
    if not isinstance(value, str) or not value:
        yield Violation(where, "may not be empty")
    elif units(value) > most:
        yield Violation(where, f"length must be between 1 and {most}, this is {units(value)}")


def _uri(where: str, value: Json) -> Iterator[Violation]:
    yield from text(where, value, URI_MAX)
    if isinstance(value, str) and not re.match(r"(https?|line)://|tel:", value):
        yield Violation(where, "the scheme must be http, https, line or tel")


def _url(where: str, value: Json, most: int) -> Iterator[Violation]:
    """HTTPS only; plain http is let through to this machine, where there is no certificate."""
    yield from text(where, value, most)
    if isinstance(value, str):
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])([:/]|$)", value):
            yield Violation(where, "must be an https address")
        if not value.isascii() or " " in value:
            yield Violation(where, "must be percent-encoded")


def _menu(body: Obj) -> Iterator[Violation]:
    """Rich menu object: 800 to 2500 px wide, 250 px high or more, width/height at least 1.45."""
    yield from text("name", body.get("name"), 300)
    yield from text("chatBarText", body.get("chatBarText"), 14)
    if not isinstance(body.get("selected"), bool):
        yield Violation("selected", "is required")
    picture = body.get("size")
    width, height = (picture.get("width"), picture.get("height")) if isinstance(picture, dict) else (None, None)
    if not isinstance(width, int) or not isinstance(height, int):
        yield Violation("size", "is required")
        return
    if not 800 <= width <= 2500 or height < 250 or width / height < 1.45:
        yield Violation("size", "out of range")
    areas = body.get("areas")
    if not isinstance(areas, list) or not 1 <= len(areas) <= MENU_AREAS_MAX:
        yield Violation("areas", f"size must be between 1 and {MENU_AREAS_MAX}")
        return
    for index, area in enumerate(areas):
        if isinstance(area, dict):
            yield from _area(f"areas[{index}]", area, width, height)


def _area(where: str, area: Obj, width: int, height: int) -> Iterator[Violation]:
    yield from action(f"{where}.action", area.get("action"), labelled=False)
    bounds = area.get("bounds")
    sides = [bounds.get(k) for k in ("x", "y", "width", "height")] if isinstance(bounds, dict) else []
    x, y, w, h = (s if isinstance(s, int) else -1 for s in (sides or [None] * 4))
    if min(x, y, w, h) < 0 or x + w > width or y + h > height:
        yield Violation(f"{where}.bounds", "must lie inside the picture")
