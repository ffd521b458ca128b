"""What Slack accepts in Block Kit: shapes, and the documented limits (docs.slack.dev, "Block Kit" reference, the page named
at each). Written apart from the bot's own limits, so that neither hides a mistake of the other."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from bot.simulator.wire import Json, Obj, Violation, units

Surface = Literal["message", "home", "modal"]

BLOCKS_MAX: Final[Mapping[Surface, int]] = {"message": 50, "home": 100, "modal": 100}  # Blocks
TEXT_MAX: Final = 3000  # Text object
HEADER_MAX: Final = 150  # Header block: text
LABEL_MAX: Final = 2000  # Input block: label
ELEMENTS_MAX: Final = 25  # Actions block: elements
CONTEXT_MAX: Final = 10  # Context block: elements
ID_MAX: Final = 255  # block_id, action_id
BUTTON_TEXT_MAX: Final = 75  # Button element: text
VALUE_MAX: Final = 2000  # Button element: value
URL_MAX: Final = 3000  # Button element: url; Image block: image_url
ALT_MAX: Final = 2000  # Image block: alt_text
OPTIONS_MAX: Final = 10  # Radio button group element: options
SELECT_MAX: Final = 100  # Select menu element: options
OPTION_TEXT_MAX: Final = 75  # Option object: text
OPTION_VALUE_MAX: Final = 150  # Option object: value
PLACEHOLDER_MAX: Final = 150  # Elements: placeholder
TITLE_MAX: Final = 24  # Modal view: title, submit, close
METADATA_MAX: Final = 3000  # View: private_metadata
CALLBACK_MAX: Final = 255  # View: callback_id

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "header": frozenset({"text"}),
    "section": frozenset({"text", "fields", "accessory", "expand"}),
    "context": frozenset({"elements"}),
    "image": frozenset({"image_url", "alt_text", "title"}),
    "actions": frozenset({"elements"}),
    "divider": frozenset(),
    "input": frozenset({"label", "element", "optional", "hint", "dispatch_action"}),
    "button": frozenset({"text", "value", "url", "style", "confirm", "accessibility_label"}),
    "timepicker": frozenset({"placeholder", "initial_time", "timezone", "confirm"}),
    "datepicker": frozenset({"placeholder", "initial_date", "confirm"}),
    "datetimepicker": frozenset({"initial_date_time"}),
    "radio_buttons": frozenset({"options", "initial_option"}),
    "static_select": frozenset({"options", "initial_option", "placeholder"}),
    "plain_text_input": frozenset({"multiline", "max_length", "min_length", "initial_value", "placeholder"}),
}
_ELEMENTS: Final = frozenset({"button", "timepicker", "datepicker", "datetimepicker", "radio_buttons", "static_select"})
_INPUTS: Final = (_ELEMENTS | {"plain_text_input"}) - {"button"}


def check_blocks(blocks: Json, surface: Surface) -> tuple[Violation, ...]:
    """Every problem at once; empty when Slack would accept them."""
    return tuple(_blocks(blocks, surface))


def check_view(view: Json) -> tuple[Violation, ...]:
    """A Home tab or a modal, as views.publish and views.open take it."""
    return tuple(_view(view))


def _view(view: Json) -> Iterator[Violation]:
    if not isinstance(view, dict) or view.get("type") not in ("home", "modal"):
        yield Violation("view", "is neither a home nor a modal")
        return
    surface: Surface = "home" if view["type"] == "home" else "modal"
    if surface == "modal":
        yield from _text(view.get("title"), "view.title", TITLE_MAX, plain=True)
        for name in ("submit", "close"):
            if name in view:
                yield from _text(view[name], f"view.{name}", TITLE_MAX, plain=True)
    yield from _long(view.get("private_metadata", ""), "view.private_metadata", METADATA_MAX)
    yield from _long(view.get("callback_id", ""), "view.callback_id", CALLBACK_MAX)
    yield from _blocks(view.get("blocks"), surface)


def _blocks(blocks: Json, surface: Surface) -> Iterator[Violation]:
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= BLOCKS_MAX[surface]:
        yield Violation("blocks", f"1 to {BLOCKS_MAX[surface]} of them")
        return
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(map(str, ids))):
        yield Violation("blocks", "two with the same block_id")
    for index, block in enumerate(blocks):
        where = f"blocks[{index}]"
        if not isinstance(block, dict):
            yield Violation(where, "is no block")
            continue
        yield from _keys(block, where, {"type", "block_id"})
        yield from _long(block.get("block_id", "x"), f"{where}.block_id", ID_MAX)
        yield from _block(block, where)


def _block(block: Obj, where: str) -> Iterator[Violation]:
    match block.get("type"):
        case "header":
            yield from _text(block.get("text"), f"{where}.text", HEADER_MAX, plain=True)
        case "section":
            yield from _text(block.get("text"), f"{where}.text", TEXT_MAX)
        case "context":
            elements = block.get("elements")
            if not isinstance(elements, list) or not 1 <= len(elements) <= CONTEXT_MAX:
                yield Violation(f"{where}.elements", f"1 to {CONTEXT_MAX}")
                return
            for index, element in enumerate(elements):
                yield from _text(element, f"{where}.elements[{index}]", TEXT_MAX)
        case "image":
            yield from _long(block.get("image_url"), f"{where}.image_url", URL_MAX)
            yield from _long(block.get("alt_text"), f"{where}.alt_text", ALT_MAX)
            if not str(block.get("image_url")).startswith(("http://", "https://")):
                yield Violation(f"{where}.image_url", "is no address")
        case "actions":
            yield from _actions(block, where)
        case "input":
            yield from _text(block.get("label"), f"{where}.label", LABEL_MAX, plain=True)
            yield from _element(block.get("element"), f"{where}.element", _INPUTS)
        case "divider":
            pass
        case _:
            yield Violation(where, "a type that is not known here")


def _actions(block: Obj, where: str) -> Iterator[Violation]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= ELEMENTS_MAX:
        yield Violation(f"{where}.elements", f"1 to {ELEMENTS_MAX}")
        return
    ids = [element.get("action_id") for element in elements if isinstance(element, dict)]
    if len(ids) != len(set(map(str, ids))):
        yield Violation(f"{where}.elements", "two with the same action_id")
    for index, element in enumerate(elements):
        yield from _element(element, f"{where}.elements[{index}]", _ELEMENTS)


def _element(element: Json, where: str, known: frozenset[str]) -> Iterator[Violation]:
    if not isinstance(element, dict) or element.get("type") not in known:
        yield Violation(where, f"none of {', '.join(sorted(known))}")
        return
    yield from _keys(element, where, {"type", "action_id", "focus_on_load"})
    yield from _long(element.get("action_id"), f"{where}.action_id", ID_MAX)
    if "placeholder" in element:
        yield from _text(element["placeholder"], f"{where}.placeholder", PLACEHOLDER_MAX, plain=True)
    match element["type"]:
        case "button":
            yield from _text(element.get("text"), f"{where}.text", BUTTON_TEXT_MAX, plain=True)
            if "value" in element:
                yield from _long(element["value"], f"{where}.value", VALUE_MAX)
            if "url" in element:
                yield from _long(element["url"], f"{where}.url", URL_MAX)
                if not str(element["url"]).startswith(("http://", "https://")):
                    yield Violation(f"{where}.url", "a button opens web pages only")
            if element.get("style", "primary") not in ("primary", "danger"):
                yield Violation(f"{where}.style", "primary or danger")
        case "radio_buttons":
            yield from _options(element, where, OPTIONS_MAX)
        case "static_select":
            yield from _options(element, where, SELECT_MAX)
        case _:
            pass


def _options(element: Obj, where: str, most: int) -> Iterator[Violation]:
    options = element.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= most:
        yield Violation(f"{where}.options", f"1 to {most}")
        return
    for index, option in enumerate(options):
        here = f"{where}.options[{index}]"
        if not isinstance(option, dict) or not set(option) <= {"text", "value", "description"}:
            yield Violation(here, "is no option")
            continue
        yield from _text(option.get("text"), f"{here}.text", OPTION_TEXT_MAX)
        yield from _long(option.get("value"), f"{here}.value", OPTION_VALUE_MAX)
    if "initial_option" in element and element["initial_option"] not in options:
        yield Violation(f"{where}.initial_option", "is none of the options")


def _text(text: Json, where: str, most: int, *, plain: bool = False) -> Iterator[Violation]:
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", *(() if plain else ("mrkdwn",))):
        yield Violation(where, "is no text object" if not plain else "is no plain_text")
        return
    if not set(text) <= ({"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}):
        yield Violation(where, "has fields that its type does not have")
    yield from _long(text.get("text"), f"{where}.text", most)


def _long(text: Json, where: str, most: int) -> Iterator[Violation]:
    """The number of UTF-16 units, the strictest way of counting."""
    needed = 0 if where.endswith(("private_metadata", "callback_id")) else 1
    if not isinstance(text, str) or not needed <= units(text) <= most:
        yield Violation(where, f"{needed} to {most} characters")


def _keys(part: Obj, where: str, always: set[str]) -> Iterator[Violation]:
    unknown = set(part) - always - _KEYS.get(str(part.get("type")), frozenset())
    if unknown:
        yield Violation(where, f"does not know {', '.join(sorted(unknown))}")
