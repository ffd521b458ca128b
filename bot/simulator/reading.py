"""What a person reads in a message of the wire and what they can tap in it, without a screen."""

from dataclasses import dataclass
from typing import Literal

from bot.simulator.wire import Json, Obj


@dataclass(frozen=True, slots=True)
class Tappable:
    """A button or quick reply. `value` is what it sends or opens, `shown` what then stands in the chat as the person's
    own words (None: nothing). A `time` or a `date` is chosen first and sent along; `first` is what the calendar opens at."""

    label: str
    kind: Literal["postback", "message", "uri", "time", "date"]
    value: str
    shown: str | None = None
    first: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """`lines` as they are read from the top, `buttons` in the message, `quick` replies under it."""

    lines: tuple[str, ...]
    buttons: tuple[Tappable, ...] = ()
    quick: tuple[Tappable, ...] = ()

    @property
    def text(self) -> str:
        """All of it, one line each, buttons in brackets."""
        return "\n".join((*self.lines, *(f"[{one.label}]" for one in (*self.buttons, *self.quick))))


def read(message: Obj) -> Reading:
    """Any message object that the platform accepts."""
    quick = message.get("quickReply")
    items = _list(quick.get("items")) if isinstance(quick, dict) else []
    chips = [_tappable(item.get("action")) for item in items if isinstance(item, dict)]
    lines: list[str] = []
    buttons: list[Tappable] = []
    match message.get("type"):
        case "text":
            lines = str(message["text"]).split("\n")
        case "image":
            lines = [f"({str(message['previewImageUrl']).rsplit('/', 1)[-1]})"]
        case "flex":
            _walk(message["contents"], lines, buttons)
        case other:
            lines = [f"({other})"]
    return Reading(tuple(lines), tuple(buttons), tuple(chip for chip in chips if chip is not None))


def _walk(part: Json, lines: list[str], buttons: list[Tappable]) -> None:
    if not isinstance(part, dict):
        return
    match part.get("type"):
        case "carousel":
            for bubble in _list(part.get("contents")):
                _walk(bubble, lines, buttons)
        case "bubble":
            for block in ("header", "hero", "body", "footer"):
                _walk(part.get(block), lines, buttons)
        case "box" if part.get("layout") == "vertical":
            for inner in _list(part.get("contents")):
                _walk(inner, lines, buttons)
        case "box":
            row: list[str] = []
            for inner in _list(part.get("contents")):
                _walk(inner, row, buttons)
            if row:
                lines.append(" ".join(row))
        case "text":
            spans = "".join(str(span.get("text")) for span in _list(part.get("contents")) if isinstance(span, dict))
            lines.extend((spans or str(part.get("text"))).split("\n"))
        case "button":
            if (one := _tappable(part.get("action"))) is not None:
                buttons.append(one)
        case "image":
            lines.append(f"({str(part.get('url')).rsplit('/', 1)[-1]})")
        case _:
            pass
    if part.get("type") != "button" and (one := _tappable(part.get("action"))) is not None:
        buttons.append(one)


def _tappable(action: Json) -> Tappable | None:
    if not isinstance(action, dict):
        return None
    label = str(action.get("label", ""))
    match action.get("type"):
        case "postback":
            shown = action.get("displayText")
            return Tappable(label, "postback", str(action["data"]), shown if isinstance(shown, str) else None)
        case "datetimepicker":
            kind: Literal["time", "date"] = "date" if action.get("mode") == "date" else "time"
            return Tappable(label, kind, str(action["data"]), first=str(action.get("initial", "")))
        case "message":
            return Tappable(label, "message", str(action["text"]), str(action["text"]))
        case "uri":
            return Tappable(label, "uri", str(action["uri"]))
        case _:
            return None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
