"""LINE webhooks into our own words. The signature comes first, on the raw bytes; the SDK's types do not leave here."""

import base64
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, assert_never

from linebot.v3 import webhooks as sdk

from bot.channels.base import Forged, Malformed, Reception
from bot.channels.line.limits import REPLY_TOKEN_SECONDS
from bot.messages import (
    TOKEN_MAX,
    Commanded,
    CommandToken,
    Event,
    Followed,
    Garbled,
    Inbound,
    Invited,
    Picked,
    PickToken,
    Said,
    Showed,
    StaffToken,
    Unfollowed,
    Unsent,
    decode_token,
)

CHANNEL = "line"

DUMMY_REPLY_TOKENS = frozenset({"0" * 32, "f" * 32})
"""Events with these come from the console's old "Verify" button, not from a person."""

_SHOWN: Mapping[str, Literal["sticker", "image", "video", "audio", "location", "file"]] = {
    "sticker": "sticker",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "location": "location",
    "file": "file",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"[!-~]{1,200}")
_BUTTON_DATA = re.compile(rf"[!-~]{{1,{TOKEN_MAX}}}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"[A-Za-z]{1,40}")


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Raises Forged unless one of the secrets signed exactly these bytes. Every secret is tried, whichever matches."""
    given = next((value for name, value in headers.items() if name.lower() == "x-line-signature"), None)
    if given is None:
        raise Forged("no signature")
    presented = given.encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(presented, base64.b64encode(hmac.digest(secret.encode(), body, "sha256")))
        for secret in secrets
    ]
    if not any(matches):
        raise Forged("wrong signature")


def read(body: bytes, now: datetime) -> Reception:
    """Everything in one webhook body, in LINE's order. Raises Malformed when it is no webhook at all; an event that
    cannot be read is ignored by name and never takes its neighbours with it."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("events"), list):
        raise Malformed("no list of events")
    inbound: list[Inbound] = []
    ignored: list[str] = []
    for raw in payload["events"]:
        match _receive(raw, now):
            case Inbound() as one:
                inbound.append(one)
            case str(name):
                ignored.append(name)
            case None:
                pass
    return Reception(tuple(inbound), tuple(ignored))


def _receive(raw: object, now: datetime) -> Inbound | str | None:
    """The event in our words, the name under which it is ignored, or None for the console's dummies."""
    if not isinstance(raw, dict):
        return "unknown"
    name = _name(raw.get("type"))
    token = raw.get("replyToken")
    if isinstance(token, str) and token in DUMMY_REPLY_TOKENS:
        return None
    read = _sdk_event(raw)
    if read is None:
        return name
    if read.mode != sdk.EventMode.ACTIVE:
        return f"{name}/standby"
    event: Event | None
    match read.source:
        case sdk.GroupSource(group_id=address) | sdk.RoomSource(room_id=address):
            event = Invited() if isinstance(read, sdk.JoinEvent) else None
            name = name if event else f"{name}/{read.source.type}"
        case source:
            address = getattr(source, "user_id", None)
            event = _event(read)
    if event is None:
        return name
    return _inbound(read, event, address, now) or f"{name}/no_address"


def _sdk_event(raw: dict[str, Any]) -> Any:
    """None when the SDK knows no such event or finds it incomplete. A patient's message is read all the same when only
    its decoration (a new sticker type, emoji, mention) is news to the SDK."""
    for attempt in (sdk.Event.from_dict, _bare_message):
        try:
            return attempt(raw)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return None


def _bare_message(raw: dict[str, Any]) -> Any:
    message = raw["message"]
    is_text = message["type"] == "text"
    plain = {"type": "text", "id": message["id"], "text": message["text"] if is_text else "", "quoteToken": ""}
    event = sdk.Event.from_dict({**raw, "message": plain})
    if not is_text:
        event.message = sdk.MessageContent(type=message["type"], id=message["id"])
    return event


def _event(read: Any) -> Event | None:
    """None for what we have no use for, in a chat with one person."""
    match read:
        case sdk.MessageEvent(message=sdk.TextMessageContent(id=message_id, text=text)):
            return Said(_storable(text), message_id if _ID.fullmatch(message_id) else "")
        case sdk.MessageEvent(message=content):
            return Showed(_SHOWN.get(content.type, "other"))
        case sdk.PostbackEvent(postback=postback):
            return _tapped(postback.data, postback.params)
        case sdk.FollowEvent():
            return Followed()
        case sdk.UnfollowEvent():
            return Unfollowed()
        case sdk.UnsendEvent(unsend=unsend):
            return Unsent(unsend.message_id) if _ID.fullmatch(unsend.message_id) else None
        case _:
            return None


def _tapped(data: str, params: object) -> Event:
    token = decode_token(data) if _BUTTON_DATA.fullmatch(data) else None
    match token:
        case PickToken():
            return Picked(_chosen(token, params))
        case CommandToken(command, via):
            return Commanded(command, via)
        case StaffToken() | None:
            return Garbled()
        case _:
            assert_never(token)


def _chosen(token: PickToken, params: object) -> PickToken:
    """The time or the day of a picker ("Postback event", params) is the answer."""
    given = params if isinstance(params, Mapping) else {}
    for name, form in (("time", _TIME), ("date", _DAY)):
        chosen = given.get(name)
        if isinstance(chosen, str) and form.fullmatch(chosen):
            return replace(token, option=chosen)
    return token


def _inbound(read: Any, event: Event, address: str | None, now: datetime) -> Inbound | None:
    """None when LINE names nobody to answer to, or an id is nothing that LINE would write."""
    event_id = read.webhook_event_id
    if address is None or not _ID.fullmatch(address) or not _ID.fullmatch(event_id):
        return None
    token = getattr(read, "reply_token", None)
    usable = isinstance(token, str) and _ID.fullmatch(token) is not None
    return Inbound(
        channel=CHANNEL,
        event_id=event_id,
        user_id=address,
        occurred_at=_time(read.timestamp, now),
        event=event,
        reply_token=token if usable else None,
        reply_expires_at=now + timedelta(seconds=REPLY_TOKEN_SECONDS) if usable else None,
    )


def _time(milliseconds: int, now: datetime) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return now


def _name(kind: object) -> str:
    """The event's type as a name for counters and logs; whatever could not be one is `unknown`."""
    return kind if isinstance(kind, str) and _NAME.fullmatch(kind) else "unknown"


def _storable(text: str) -> str:
    """Without NUL and with lone surrogates replaced: neither can be stored, and both can be written in JSON."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
