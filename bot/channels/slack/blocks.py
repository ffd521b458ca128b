"""How a card looks in Slack: Block Kit, buttons that carry what they answer, forms with nothing chosen beforehand."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from bot.channels.slack import limits
from bot.messages import Card, Choice, CommandToken, Form, PickToken, Row, decode_token, encode_token

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue]"
JsonObject: TypeAlias = Mapping[str, JsonValue]

SUBMIT = "submit"
LINK = "link"
TIME = "time"
DAY = "day"
BUTTON = "button"
CHOSEN = "chosen"
"""What an action_id begins with, by kind. A number follows: ids are unique within a message."""


class Blocks:
    """The blocks of one message while they are being made."""

    def __init__(self) -> None:
        self.made: list[JsonObject] = []
        self._ids = 0

    def text(self, text: str, *, bold: bool = False) -> None:
        """Sections, as many as the text needs. `bold` is by line: Slack ends emphasis at a line's end."""
        for piece in limits.pieces(text, limits.SECTION - (2 * text.count("\n") + 2 if bold else 0)):
            shown = "\n".join(f"*{line}*" if line.strip() else line for line in piece.split("\n")) if bold else piece
            self.made.append({"type": "section", "text": _mrkdwn(shown)})

    def small(self, text: str) -> None:
        """Small print."""
        for piece in limits.pieces(text, limits.CONTEXT):
            self.made.append({"type": "context", "elements": [_mrkdwn(piece)]})

    def picture(self, url: str, alt: str) -> None:
        """Slack fetches it."""
        self.made.append({"type": "image", "image_url": url, "alt_text": limits.cut(alt, limits.ALT_TEXT)})

    def head(self, card: Card) -> None:
        """Title, and how far one has come."""
        progress = f"{card.progress[0]}/{card.progress[1]}" if card.progress else ""
        title = "　".join(filter(None, (card.title, progress)))
        if title:
            self.made.append({"type": "header", "text": _plain(limits.cut(title, limits.HEADER))})

    def choices(self, choices: Sequence[Choice]) -> None:
        """Buttons, at most ELEMENTS a block; phone numbers as links, which is the only way that Slack dials."""
        phones = [c for c in choices if c.uri is not None and c.uri.startswith("tel:")]
        if phones:
            self.made.append({"type": "section", "text": _mrkdwn("\n".join(map(_phone, phones)))})
        buttons = [self._button(c) for c in choices if c not in phones]
        for start in range(0, len(buttons), limits.ELEMENTS):
            self.made.append({"type": "actions", "elements": buttons[start : start + limits.ELEMENTS]})

    def form(self, form: Form, *, modal: bool = False) -> None:
        """One group of radio buttons an item, none of them chosen, and one button that sends them all."""
        for row in form.rows:
            self.made.append(self._radio(row.text, row.choices) if row.choices else _written(row))
        if modal:
            return  # it has a button of its own
        element: JsonObject = {
            "type": "button",
            "action_id": self._id(SUBMIT),
            "text": _plain(limits.cut(form.submit, limits.BUTTON_TEXT)),
            "style": "primary",
        }
        self.made.append({"type": "actions", "elements": [element]})

    def _radio(self, text: str, choices: Sequence[Choice]) -> JsonObject:
        """Raises ValueError for what Slack would refuse: a shortened answer would be another one."""
        tokens = [c.token for c in choices if isinstance(c.token, PickToken)]
        asked = {(token.turn, token.question) for token in tokens}
        if len(asked) != 1 or not 1 <= len(tokens) == len(choices) <= limits.SELECT_OPTIONS:
            raise ValueError(f"a form's row with {len(choices)} answers to {len(asked)} questions")
        [(turn, question)] = asked
        block_id = encode_token(PickToken(turn, question, ""))
        if len(block_id) > limits.BLOCK_ID or any(len(token.option) > limits.OPTION_VALUE for token in tokens):
            raise ValueError(f"the ids of {question} are longer than Slack takes")
        options: list[JsonValue] = [
            {"text": _plain(limits.cut(choice.label, limits.OPTION_TEXT)), "value": token.option}
            for choice, token in zip(choices, tokens, strict=True)
        ]
        kind = "radio_buttons" if len(options) <= limits.RADIO_OPTIONS else "static_select"
        return {
            "type": "input",
            "block_id": block_id,
            "optional": True,
            "label": _plain(limits.cut(text, limits.INPUT_LABEL)),
            "element": {"type": kind, "action_id": CHOSEN, "options": options},
        }

    def _button(self, choice: Choice) -> JsonObject:
        if choice.token is not None:
            value = encode_token(choice.token)
            if len(value) > limits.BUTTON_VALUE:
                raise ValueError(f"button value of {len(value)} characters, at most {limits.BUTTON_VALUE}")
            if choice.picker is not None:
                return self._clock(choice, value)
            element = {"type": "button", "action_id": self._id(BUTTON), "value": value}
        elif choice.uri is not None:
            if len(choice.uri) > limits.BUTTON_URL:
                raise ValueError(f"button address of {len(choice.uri)} characters, at most {limits.BUTTON_URL}")
            element = {"type": "button", "action_id": self._id(LINK), "url": choice.uri}
        else:
            raise ValueError("a button needs a token or an address")
        style: JsonObject = {"style": "primary"} if choice.style == "main" else {}
        return {**element, "text": _plain(limits.cut(choice.label, limits.BUTTON_TEXT)), **style}

    def _clock(self, choice: Choice, value: str) -> JsonObject:
        """The token rides in the action_id: a picker has no value of its own. Nothing is chosen beforehand; Slack's day picker
        knows no first and last day."""
        kind, prefix = ("datepicker", DAY) if choice.picker == "date" else ("timepicker", TIME)
        action_id = f"{prefix}:{value}"
        if len(action_id) > limits.BLOCK_ID:
            raise ValueError(f"{choice.picker} picker id of {len(action_id)} characters")
        placeholder = _plain(limits.cut(choice.label, limits.BUTTON_TEXT))
        return {"type": kind, "action_id": action_id, "placeholder": placeholder}

    def _id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}:{self._ids}"


def answered(blocks: Sequence[object], said: Sequence[str]) -> list[JsonObject]:
    """A message of ours after its question was answered: what asked for the answer is gone, what was said stands in its
    place. Standing buttons and links stay."""
    kept: list[JsonObject] = []
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") == "input":
            continue
        if block.get("type") == "actions":
            elements = [e for e in block.get("elements", ()) if isinstance(e, dict) and not _asks(e)]
            if not elements:
                continue
            block = {**block, "elements": elements}
        kept.append(block)
    room = limits.BLOCKS - 1
    shown = "\n".join(f"✓ {limits.escape(text)}" for text in said)
    return [*kept[:room], {"type": "context", "elements": [_mrkdwn(limits.cut(shown, limits.CONTEXT))]}]


def _asks(element: Mapping[str, object]) -> bool:
    """Whether an element answers a question, and so is of no use once that is answered."""
    action_id, value = element.get("action_id"), element.get("value")
    if isinstance(action_id, str) and action_id.startswith((SUBMIT, f"{TIME}:", f"{DAY}:")):
        return True
    return isinstance(value, str) and not isinstance(decode_token(value), CommandToken)


def _written(row: Row) -> JsonObject:
    return {
        "type": "input",
        "block_id": row.name,
        "optional": True,
        "label": _plain(limits.cut(row.text, limits.INPUT_LABEL)),
        "element": {"type": "plain_text_input", "action_id": CHOSEN, "multiline": True},
    }


def _phone(choice: Choice) -> str:
    """See "Formatting text: Linking": what stands before the bar is the address."""
    assert choice.uri is not None
    address = "tel:" + choice.uri.removeprefix("tel:").replace("#", "%23")
    return f"<{address}|{limits.escape(choice.label)}>"


def _plain(text: str) -> JsonObject:
    return {"type": "plain_text", "text": text, "emoji": False}


def _mrkdwn(text: str) -> JsonObject:
    """`verbatim`: Slack looks for no links, names or channels of its own in it."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
