"""The rules of Flex Messages that the SDK's models leave to the platform: which words and sizes a property takes, and
what may stand in what. Source: "Messaging API reference", Flex Message, and "Flex Message layout"."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

Problem = tuple[str, str]
"""Where, and what is wrong."""

_STEPS = "xs|sm|md|lg|xl|xxl"
_PX = r"\d+(\.\d+)?px"
_PERCENT = r"\d+(\.\d+)?%"
_SPACE = f"none|{_STEPS}|{_PX}"
_PADDING = f"{_SPACE}|{_PERCENT}"
_SIZE = f"xxs|{_STEPS}|3xl|4xl|5xl"
_COLOR = r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?"
_LENGTH = f"{_PX}|{_PERCENT}"

COMMON: Final[Mapping[str, str]] = {
    "margin": _SPACE,
    "position": "relative|absolute",
    "offsetTop": _PADDING,
    "offsetBottom": _PADDING,
    "offsetStart": _PADDING,
    "offsetEnd": _PADDING,
    "align": "start|center|end",
    "gravity": "top|center|bottom",
    "color": _COLOR,
    "backgroundColor": _COLOR,
}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "bubble": {"size": "nano|micro|deca|hecto|kilo|mega|giga", "direction": "ltr|rtl"},
    "box": {
        "layout": "horizontal|vertical|baseline",
        "spacing": _SPACE,
        "borderColor": _COLOR,
        "borderWidth": f"none|light|normal|medium|semi-bold|bold|{_PX}",
        "cornerRadius": _SPACE,
        "width": _LENGTH,
        "maxWidth": _LENGTH,
        "height": _LENGTH,
        "maxHeight": _LENGTH,
        "paddingAll": _PADDING,
        "paddingTop": _PADDING,
        "paddingBottom": _PADDING,
        "paddingStart": _PADDING,
        "paddingEnd": _PADDING,
        "justifyContent": "center|flex-start|flex-end|space-between|space-around|space-evenly",
        "alignItems": "center|flex-start|flex-end",
    },
    "button": {"style": "primary|secondary|link", "height": "sm|md", "adjustMode": "shrink-to-fit"},
    "text": {
        "size": f"{_SIZE}|{_PX}",
        "weight": "regular|bold",
        "style": "normal|italic",
        "decoration": "none|underline|line-through",
        "lineSpacing": _PX,
        "adjustMode": "shrink-to-fit",
    },
    "span": {
        "size": f"{_SIZE}|{_PX}",
        "weight": "regular|bold",
        "style": "normal|italic",
        "decoration": "none|underline|line-through",
    },
    "image": {
        "size": f"{_SIZE}|full|{_PX}|{_PERCENT}",
        "aspectRatio": r"[1-9]\d{0,5}(\.\d+)?:[1-9]\d{0,5}(\.\d+)?",
        "aspectMode": "cover|fit",
    },
    "icon": {"size": f"{_SIZE}|{_PX}", "aspectRatio": r"[1-9]\d{0,5}(\.\d+)?:[1-9]\d{0,5}(\.\d+)?"},
    "separator": {},
    "filler": {},
}

INSIDE: Final[Mapping[str, frozenset[str]]] = {
    "vertical": frozenset({"box", "button", "image", "text", "separator", "filler"}),
    "horizontal": frozenset({"box", "button", "image", "text", "separator", "filler"}),
    "baseline": frozenset({"icon", "text", "filler"}),
}
"""What a box of each layout may hold."""

BLOCKS: Final[Mapping[str, frozenset[str]]] = {
    "header": frozenset({"box"}),
    "hero": frozenset({"box", "image"}),
    "body": frozenset({"box"}),
    "footer": frozenset({"box"}),
}
"""What may stand as each block of a bubble (a video hero is left out: this program sends none)."""


def problems(where: str, bubble: Mapping[str, object]) -> Iterator[Problem]:
    """Everything wrong with one bubble, deep."""
    yield from _words(where, "bubble", bubble)
    blocks = {name: bubble[name] for name in BLOCKS if bubble.get(name) is not None}
    if not blocks:
        yield where, "a bubble needs at least one block"
    for name, block in blocks.items():
        kind = block.get("type") if isinstance(block, Mapping) else None
        if not isinstance(block, Mapping) or kind not in BLOCKS[name]:
            yield f"{where}.{name}", f"{kind!r} cannot stand as {name}"
        else:
            yield from _component(f"{where}.{name}", block)


def _component(where: str, part: Mapping[str, object]) -> Iterator[Problem]:
    kind = str(part.get("type"))
    yield from _words(where, kind, part)
    flex = part.get("flex")
    if flex is not None and (not isinstance(flex, int) or flex < 0):
        yield f"{where}.flex", "must be 0 or more"
    if kind == "text":
        yield from _text(where, part)
    if kind == "box":
        yield from _box(where, part)


def _text(where: str, part: Mapping[str, object]) -> Iterator[Problem]:
    spans = part.get("contents")
    if not part.get("text") and not spans:
        yield f"{where}.text", "may not be empty"
    if isinstance(spans, list):
        for index, span in enumerate(spans):
            if isinstance(span, Mapping):
                yield from _words(f"{where}.contents[{index}]", "span", span)
                if not span.get("text"):
                    yield f"{where}.contents[{index}].text", "may not be empty"


def _box(where: str, part: Mapping[str, object]) -> Iterator[Problem]:
    allowed = INSIDE.get(str(part.get("layout")), frozenset())
    contents = part.get("contents")
    for index, inner in enumerate(contents if isinstance(contents, list) else []):
        path = f"{where}.contents[{index}]"
        kind = inner.get("type") if isinstance(inner, Mapping) else None
        if not isinstance(inner, Mapping) or kind not in allowed:
            yield path, f"{kind!r} cannot stand in a {part.get('layout')} box"
        else:
            yield from _component(path, inner)


def _words(where: str, kind: str, part: Mapping[str, object]) -> Iterator[Problem]:
    rules = {**COMMON, **WORDS.get(kind, {})}
    for key, pattern in rules.items():
        value = part.get(key)
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            yield f"{where}.{key}", f"{value!r} is not a value of this property"
