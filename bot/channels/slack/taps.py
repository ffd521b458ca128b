"""What somebody pressed, chose or filled in, and how the message looks once it was answered."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from bot.channels.slack import blocks
from bot.channels.slack.fields import Say
from bot.messages import (
    TOKEN_MAX,
    Commanded,
    CommandToken,
    Event,
    Filled,
    Garbled,
    Picked,
    PickToken,
    StaffToken,
    decode_token,
    encode_token,
)

_DATA = re.compile(rf"[!-~]{{1,{TOKEN_MAX}}}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def answer(action: Say, body: Say) -> Event | None:
    """None for what answers nothing: a link that was opened, a radio button before the form is sent."""
    action_id = str(action.get("action_id", ""))
    kind = action_id.partition(":")[0]
    match kind:
        case blocks.LINK | blocks.CHOSEN:
            return None
        case blocks.SUBMIT:
            return Filled(tuple(pick for pick, _ in _picks(body)))
        case blocks.TIME:
            data, chosen, form = action_id.partition(":")[2], action.get("selected_time"), _TIME
        case blocks.DAY:
            data, chosen, form = action_id.partition(":")[2], action.get("selected_date"), _DAY
        case _:
            data, chosen, form = str(action.get("value", "")), None, _TIME
    token = decode_token(data) if _DATA.fullmatch(data) else None
    match token:
        case PickToken():
            picked = isinstance(chosen, str) and form.fullmatch(chosen) is not None
            return Picked(replace(token, option=str(chosen)) if picked else token)
        case CommandToken(command, via):
            return Commanded(command, via)
        case StaffToken() | None:
            return Garbled()
        case _:
            assert_never(token)


def _picks(body: Say) -> list[tuple[PickToken, str]]:
    """What is chosen in a form ("block_actions payload", state.values), with its label."""
    values = (body.get("state") or {}).get("values") or {}
    found: list[tuple[PickToken, str]] = []
    for block_id, inputs in values.items():
        token = decode_token(block_id) if _DATA.fullmatch(block_id) else None
        chosen = (inputs.get(blocks.CHOSEN) or {}).get("selected_option") if isinstance(inputs, dict) else None
        if isinstance(token, PickToken) and isinstance(chosen, dict):
            label = str((chosen.get("text") or {}).get("text", ""))
            found.append((replace(token, option=str(chosen.get("value", ""))), label))
    return found


def afterwards(event: Event, action: Say, body: Say) -> str:
    """How the message looks once it was answered, and where Slack takes that; "" when nothing is to change."""
    message, url = body.get("message"), body.get("response_url")
    if not isinstance(event, Picked | Filled) or not isinstance(message, dict) or not isinstance(url, str):
        return ""
    match event:
        case Filled():
            items = _labels(message.get("blocks") or ())
            picks = [(encode_token(replace(pick, option="")), label) for pick, label in _picks(body)]
            said = [" → ".join(filter(None, (items.get(block_id, ""), label))) for block_id, label in picks]
        case Picked():
            chosen = action.get("selected_time") or action.get("selected_date")
            said = [str(chosen or (action.get("text") or {}).get("text", ""))]
        case _:
            assert_never(event)
    if not said:
        return ""
    after = {"text": message.get("text", ""), "blocks": blocks.answered(message.get("blocks") or (), said)}
    return json.dumps({"url": url, **after}, ensure_ascii=False, separators=(",", ":"))


def _labels(made: Sequence[Any]) -> Mapping[str, str]:
    """What a form asked, by block."""
    asked = [block for block in made if isinstance(block, dict) and block.get("type") == "input"]
    return {str(block.get("block_id")): str((block.get("label") or {}).get("text", "")) for block in asked}


def held(value: Say) -> str:
    """What an element of a modal holds."""
    chosen = value.get("selected_option")
    if isinstance(chosen, dict):
        return str(chosen.get("value", ""))
    found = value.get("value") or value.get("selected_date_time") or value.get("selected_time") or ""
    return str(found)
