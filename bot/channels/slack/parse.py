"""Slack's webhooks into our own words. The signature comes first, on the raw bytes; then slack-bolt finds out what it is:
an event, a tap, a command, a form, a question of Slack's own. Its types do not leave here."""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, assert_never

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import Clock, SignatureVerifier

from bot.channels.base import Forged, Malformed, Reception, StaffAct
from bot.channels.slack import blocks
from bot.channels.slack.limits import CLOCK_SECONDS, RESPONSE_URL_SECONDS
from bot.messages import (
    TOKEN_MAX,
    Commanded,
    CommandToken,
    Event,
    Filled,
    Followed,
    Garbled,
    HomeOpened,
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
    encode_token,
)

CHANNEL = "slack"
COMMAND, TIP = "/selfcare", "/tip"

_ID = re.compile(r"[A-Za-z0-9]{2,60}")
_STAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_DATA = re.compile(rf"[!-~]{{1,{TOKEN_MAX}}}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,60}")
_EMOJI = re.compile(r"(:[a-z0-9_+'-]{1,60}:\s*)+")
"""What Slack has in the place of stickers."""
_SHOWN: Mapping[str, Literal["image", "video", "audio"]] = {"image": "image", "video": "video", "audio": "audio"}
_WORDLESS = ("channel_topic", "channel_purpose", "channel_name", "bot_add", "bot_remove")

Say = Mapping[str, Any]
"""Slack's JSON."""


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[str], now: datetime) -> None:
    """Raises Forged unless one of the secrets signed exactly these bytes lately. Every secret is tried."""
    given = {name.lower(): value for name, value in headers.items()}
    stamp, signature = given.get("x-slack-request-timestamp", ""), given.get("x-slack-signature", "")
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(now.timestamp() - int(stamp)) > CLOCK_SECONDS:
        raise Forged("no timestamp, or an old one")
    if not signature.isascii():
        raise Forged("wrong signature")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Forged("nothing that Slack would sign") from error
    clock = _At(now)
    matches = [SignatureVerifier(secret, clock).is_valid(text, stamp, signature) for secret in secrets]
    if not any(matches):
        raise Forged("wrong signature")


class _At(Clock):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> float:
        return self._now.timestamp()


@dataclass(slots=True)
class _Found:
    """What one request turned out to be, while bolt walks its listeners."""

    now: datetime
    inbound: list[Inbound] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    staff: list[StaffAct] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Reader:
    """Reads what was found to be genuine. `staff_channel` is the channel whose members may act as staff, "" for none."""

    def __init__(self, staff_channel: str = "") -> None:
        self._staff_channel = staff_channel
        logger = logging.getLogger("bot.channels.slack.bolt")
        logger.disabled = True  # it logs bodies
        self._app = App(
            authorize=_nobody,
            signing_secret="",
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            process_before_response=True,
            raise_error_for_unhandled_request=False,
            logger=logger,
        )
        self._listen()

    def read(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Reception:
        """Raises Malformed for what bolt cannot read."""
        lower: dict[str, str | Sequence[str]] = {name.lower(): [value] for name, value in headers.items()}
        found = _Found(now)
        try:
            request = BoltRequest(body=body.decode(), headers=lower, context={"found": found})
            answer = self._app.dispatch(request)
        except Exception as error:  # whatever bolt trips over was no request of Slack's documentation
            raise Malformed(type(error).__name__) from error
        if not isinstance(request.body, dict) or not request.body.keys() & {"type", "command", "ssl_check"}:
            raise Malformed("neither an event, an interaction nor a command")
        if answer.status == 500:
            raise Malformed("not as documented")
        if answer.status == 404:
            found.ignored.append(_name(request.body.get("type") or request.body.get("command")))
        reply = answer.body if request.body.get("type") == "url_verification" else ""
        return Reception(tuple(found.inbound), tuple(found.ignored), tuple(found.staff), tuple(found.gone), reply)

    def _listen(self) -> None:
        app = self._app
        every = re.compile(".*", re.DOTALL)
        app.event("message")(_listener(self._message))
        app.event("app_mention")(_listener(self._invited))
        app.event("member_joined_channel")(_listener(self._joined))
        app.event("app_home_opened")(_listener(self._home))
        app.event("user_change")(_listener(self._changed))
        app.event("tokens_revoked")(_listener(self._revoked))
        app.event("app_uninstalled")(_listener(self._revoked))
        app.event(every)(_listener(self._other))
        app.command(COMMAND)(_listener(self._command))
        app.command(TIP)(_listener(self._staff_command))
        app.action(every)(_listener(self._tapped))
        app.view(every)(_listener(self._view))

    # --- events ---

    def _message(self, found: _Found, body: Say) -> None:
        event = body["event"]
        kind = event.get("subtype", "")
        if event.get("channel_type") != "im" or event.get("bot_id") or kind in _WORDLESS:
            found.ignored.append(_name(f"message/{event.get('channel_type', '')}/{kind}"))
            return
        match kind:
            case "message_deleted":
                before = event.get("previous_message") or {}
                self._event(found, body, before.get("user"), Unsent(_stamp(event.get("deleted_ts"))))
            case "" | "thread_broadcast":
                emoji = _EMOJI.fullmatch(_typed(event).strip())
                said = Showed("sticker") if emoji else Said(_typed(event), _stamp(event.get("ts")))
                self._event(found, body, event.get("user"), said)
            case "file_share":
                self._event(found, body, event.get("user"), _shared(event))
            case _:
                found.ignored.append(_name(f"message/{kind}"))

    def _invited(self, found: _Found, body: Say) -> None:
        self._event(found, body, body["event"].get("channel"), Invited())

    def _joined(self, found: _Found, body: Say) -> None:
        """Only when it is we who joined."""
        ours = {a.get("user_id") for a in body.get("authorizations") or () if isinstance(a, dict) and a.get("is_bot")}
        if body["event"].get("user") in ours:
            self._event(found, body, body["event"].get("channel"), Invited())
        else:
            found.ignored.append("member_joined_channel")

    def _home(self, found: _Found, body: Say) -> None:
        if body["event"].get("tab") == "home":
            self._event(found, body, body["event"].get("user"), HomeOpened())
        else:
            found.ignored.append("app_home_opened/messages")

    def _changed(self, found: _Found, body: Say) -> None:
        """A deactivated member can be told nothing any more."""
        user = body["event"].get("user")
        if isinstance(user, dict) and user.get("deleted") is True:
            self._event(found, body, user.get("id"), Unfollowed())
        else:
            found.ignored.append("user_change")

    def _revoked(self, found: _Found, body: Say) -> None:
        if body["event"]["type"] == "tokens_revoked" and not (body["event"].get("tokens") or {}).get("bot"):
            found.ignored.append("tokens_revoked/user")
        else:
            found.gone.append(_id(body.get("team_id")))

    def _other(self, found: _Found, body: Say) -> None:
        found.ignored.append(_name(body["event"].get("type")))

    def _event(self, found: _Found, body: Say, who: object, event: Event) -> None:
        """Slack's retries carry the same event_id ("Events API", "Retries"), so they are stored once."""
        said = body["event"]
        at = _moment(said.get("event_ts") or said.get("ts"), found.now)
        self._add(found, _id(body.get("event_id")), body.get("team_id"), who, event, at, "")

    # --- commands, taps, forms ---

    def _command(self, found: _Found, body: Say) -> None:
        text = _typed(body).strip()
        event: Event = Said(text) if text else Followed()
        key = _once("command", body.get("trigger_id"))
        self._add(found, key, body.get("team_id"), body.get("user_id"), event, found.now, "")

    def _staff_command(self, found: _Found, body: Say) -> None:
        who = f"{_id(body.get('team_id'))}/{_id(body.get('user_id'))}"
        found.staff.append(StaffAct("tip", who, trigger=str(body.get("trigger_id", ""))))

    def _tapped(self, found: _Found, body: Say) -> None:
        action = body["actions"][0]
        action_id = str(action.get("action_id", ""))
        who, team = body["user"].get("id"), (body.get("team") or {}).get("id") or body["user"].get("team_id")
        token = decode_token(str(action.get("value", "")))
        if isinstance(token, StaffToken):
            self._staff_tap(found, body, token, f"{_id(team)}/{_id(who)}")
            return
        event = _answer(action, body)
        if event is None:
            found.ignored.append(_name(f"tap/{action_id.split(':')[0]}"))
            return
        key = _once("tap", body.get("trigger_id"), action.get("action_ts"), who, action.get("value"))
        at = _moment(action.get("action_ts"), found.now)
        self._add(found, key, team, who, event, at, _afterwards(event, action, body))

    def _staff_tap(self, found: _Found, body: Say, token: StaffToken, who: str) -> None:
        """Only in the staff's own channel: who is in there is the operator's to say."""
        if not self._staff_channel or (body.get("channel") or {}).get("id") != self._staff_channel:
            found.ignored.append("tap/staff_elsewhere")
            return
        user, url = body["user"], body.get("response_url")
        found.staff.append(
            StaffAct(
                token.what,
                who,
                value=token.value,
                name=str(user.get("name") or user.get("username") or ""),
                trigger=str(body.get("trigger_id", "")),
                reply=json.dumps({"url": url}) if isinstance(url, str) else "",
            )
        )

    def _view(self, found: _Found, body: Say) -> None:
        view = body["view"]
        who = f"{_id((body.get('team') or {}).get('id'))}/{_id(body['user'].get('id'))}"
        filled = {
            block_id: _plain(next(iter(inputs.values())))
            for block_id, inputs in ((view.get("state") or {}).get("values") or {}).items()
            if isinstance(inputs, dict) and inputs
        }
        name = str(view.get("callback_id", ""))
        metadata, trigger = str(view.get("private_metadata", "")), str(body.get("trigger_id", ""))
        found.staff.append(StaffAct(name, who, value=metadata, trigger=trigger, fields=filled))

    def _add(
        self, found: _Found, key: str, team: object, who: object, event: Event, at: datetime, afterwards: str
    ) -> None:
        team_id, user_id = _id(team), _id(who)
        if not (key and team_id and user_id):
            found.ignored.append(f"{event.kind}/no_address")
            return
        found.inbound.append(
            Inbound(
                channel=CHANNEL,
                event_id=key,
                user_id=f"{team_id}/{user_id}",
                occurred_at=at,
                event=event,
                reply_token=afterwards or WAITING,
                reply_expires_at=found.now + timedelta(seconds=RESPONSE_URL_SECONDS),
            )
        )


WAITING = "-"
"""The reply token of an answer that somebody waits for and that changes no earlier message."""


def _nobody(**_: object) -> AuthorizeResult:
    """Bolt wants to know as whom it acts; it never does."""
    return AuthorizeResult(enterprise_id=None, team_id=None, bot_id="-", bot_user_id="-", bot_token=None)


def _listener(read: Callable[[_Found, Say], None]) -> Callable[..., None]:
    """A bolt listener; it names its arguments as bolt wants them."""

    def listen(ack: Callable[[], object], body: Say, context: Mapping[str, Any]) -> None:
        found: _Found = context["found"]
        try:
            read(found, body)
        except (LookupError, TypeError, AttributeError, ValueError):
            found.ignored.append("unreadable")  # signed, and not as documented: Slack would only send it again
        ack()

    return listen


def _answer(action: Say, body: Say) -> Event | None:
    """None for what answers nothing: a link that was opened, a radio button before the form is sent."""
    action_id = str(action.get("action_id", ""))
    kind = action_id.partition(":")[0]
    match kind:
        case blocks.LINK | blocks.CHOSEN:
            return None
        case blocks.SUBMIT:
            return Filled(tuple(pick for pick, _ in _picks(body)))
        case blocks.TIME:
            data, chosen = action_id.partition(":")[2], action.get("selected_time")
        case _:
            data, chosen = str(action.get("value", "")), None
    token = decode_token(data) if _DATA.fullmatch(data) else None
    match token:
        case PickToken():
            timed = isinstance(chosen, str) and _TIME.fullmatch(chosen) is not None
            return Picked(replace(token, option=str(chosen)) if timed else token)
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


def _afterwards(event: Event, action: Say, body: Say) -> str:
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
            said = [str(action.get("selected_time") or (action.get("text") or {}).get("text", ""))]
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


def _shared(event: Say) -> Event:
    """A file, or a text with one: what is written counts."""
    if str(event.get("text", "")).strip():
        return Said(_typed(event), _stamp(event.get("ts")))
    files = event.get("files") or [{}]
    return Showed(_SHOWN.get(str(files[0].get("mimetype", "")).split("/")[0], "file"))


def _plain(value: Say) -> str:
    """What an element of a modal holds."""
    chosen = value.get("selected_option")
    if isinstance(chosen, dict):
        return str(chosen.get("value", ""))
    held = value.get("value") or value.get("selected_date_time") or value.get("selected_time") or ""
    return str(held)


def _once(kind: str, *parts: object) -> str:
    """An id for what Slack gives none; the same request makes the same."""
    known = [str(part) for part in parts if part]
    return f"{kind}:{sha256('|'.join(known).encode()).hexdigest()[:32]}" if known else ""


def _id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _stamp(value: object) -> str:
    return value if isinstance(value, str) and _STAMP.fullmatch(value) else ""


def _name(kind: object) -> str:
    """As a name for counters and logs; whatever could not be one is `unknown`."""
    return kind if isinstance(kind, str) and _NAME.fullmatch(kind) else "unknown"


def _moment(stamp: object, now: datetime) -> datetime:
    """When it happened: to the microsecond where Slack says so, so that two texts of one second keep their order."""
    try:
        return datetime.fromtimestamp(float(str(stamp)), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now


def _typed(event: Say) -> str:
    """As they typed it ("Formatting text: Escaping text"), and as it can be stored: without NUL and lone surrogates."""
    text = str(event.get("text", ""))
    text = text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
