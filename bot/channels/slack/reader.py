"""Slack's webhooks into our own words: slack-bolt finds out what a request is - an event, a tap, a command, a form, a question
of Slack's own. Its types do not leave here."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult

from bot.channels.base import Malformed, Parted, Reception, StaffAct
from bot.channels.slack import taps
from bot.channels.slack.book import CHANNEL
from bot.channels.slack.fields import Say, ident, moment, name_of, once, stamp, typed
from bot.channels.slack.limits import RESPONSE_URL_SECONDS
from bot.messages import (
    Event,
    Followed,
    HomeOpened,
    Inbound,
    Invited,
    Said,
    Showed,
    StaffToken,
    Unfollowed,
    Unsent,
    decode_token,
)

COMMAND, TIP = "/selfcare", "/tip"
WAITING = "-"
"""The reply token of an answer that somebody waits for and that changes no earlier message."""

_EMOJI = re.compile(r"(:[a-z0-9_+'-]{1,60}:\s*)+")
"""What Slack has in the place of stickers."""
_SHOWN: Mapping[str, Literal["image", "video", "audio"]] = {"image": "image", "video": "video", "audio": "audio"}
_WORDLESS = ("channel_topic", "channel_purpose", "channel_name", "bot_add", "bot_remove")


@dataclass(slots=True)
class _Found:
    """What one request turned out to be, while bolt walks its listeners. `staff_channel` is the channel whose members may
    act as staff, "" for none."""

    now: datetime
    staff_channel: str
    inbound: list[Inbound] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    staff: list[StaffAct] = field(default_factory=list)
    gone: list[Parted] = field(default_factory=list)
    back: list[str] = field(default_factory=list)


def read(body: bytes, headers: Mapping[str, str], now: datetime, staff_channel: str = "") -> Reception:
    """What was found to be genuine. Raises Malformed for what bolt cannot read."""
    lower: dict[str, str | Sequence[str]] = {name.lower(): [value] for name, value in headers.items()}
    found = _Found(now, staff_channel)
    try:
        request = BoltRequest(body=body.decode(), headers=lower, context={"found": found})
        answer = _bolt().dispatch(request)
    except Exception as error:  # whatever bolt trips over was no request of Slack's documentation
        raise Malformed(type(error).__name__) from error
    if not isinstance(request.body, dict) or not request.body.keys() & {"type", "command", "ssl_check"}:
        raise Malformed("neither an event, an interaction nor a command")
    if answer.status == 500:
        raise Malformed("not as documented")
    if answer.status == 404:
        found.ignored.append(name_of(request.body.get("type") or request.body.get("command")))
    reply = answer.body if request.body.get("type") == "url_verification" else ""
    return Reception(
        tuple(found.inbound),
        tuple(found.ignored),
        tuple(found.staff),
        tuple(found.gone),
        tuple(found.back),
        reply,
    )


@cache
def _bolt() -> App:
    """One for the process: making it takes a tenth of a second, and it keeps nothing of a request."""
    logger = logging.getLogger("bot.channels.slack.bolt")
    logger.disabled = True  # it logs bodies
    app = App(
        authorize=_nobody,
        signing_secret="",
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        process_before_response=True,
        raise_error_for_unhandled_request=False,
        logger=logger,
    )
    every = re.compile(".*", re.DOTALL)
    app.event("message")(_listener(_message))
    app.event("app_mention")(_listener(_invited))
    app.event("member_joined_channel")(_listener(_joined))
    app.event("app_home_opened")(_listener(_home))
    app.event("user_change")(_listener(_changed))
    app.event("tokens_revoked")(_listener(_revoked))
    app.event("app_uninstalled")(_listener(_revoked))
    app.event(every)(_listener(_other))
    app.command(COMMAND)(_listener(_command))
    app.command(TIP)(_listener(_staff_command))
    app.action(every)(_listener(_tapped))
    app.view(every)(_listener(_view))
    return app


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


# --- events ---


def _message(found: _Found, body: Say) -> None:
    event = body["event"]
    kind = event.get("subtype", "")
    if event.get("channel_type") != "im" or event.get("bot_id") or kind in _WORDLESS:
        found.ignored.append(name_of(f"message/{event.get('channel_type', '')}/{kind}"))
        return
    match kind:
        case "message_deleted":
            before = event.get("previous_message") or {}
            _event(found, body, before.get("user"), Unsent(stamp(event.get("deleted_ts"))))
        case "" | "thread_broadcast":
            emoji = _EMOJI.fullmatch(typed(event).strip())
            said = Showed("sticker") if emoji else Said(typed(event), stamp(event.get("ts")))
            _event(found, body, event.get("user"), said)
        case "file_share":
            _event(found, body, event.get("user"), _shared(event))
        case _:
            found.ignored.append(name_of(f"message/{kind}"))


def _invited(found: _Found, body: Say) -> None:
    _event(found, body, body["event"].get("channel"), Invited())


def _joined(found: _Found, body: Say) -> None:
    """Only when it is we who joined."""
    ours = {a.get("user_id") for a in body.get("authorizations") or () if isinstance(a, dict) and a.get("is_bot")}
    if body["event"].get("user") in ours:
        _event(found, body, body["event"].get("channel"), Invited())
    else:
        found.ignored.append("member_joined_channel")


def _home(found: _Found, body: Say) -> None:
    if body["event"].get("tab") == "home":
        _event(found, body, body["event"].get("user"), HomeOpened())
    else:
        found.ignored.append("app_home_opened/messages")


def _changed(found: _Found, body: Say) -> None:
    """A deactivated member can be told nothing any more; of the others Slack tells whatever they change."""
    user = body["event"].get("user")
    if not isinstance(user, dict) or not isinstance(user.get("deleted"), bool):
        found.ignored.append("user_change")
    elif user["deleted"]:
        _event(found, body, user.get("id"), Unfollowed())
    elif (team := ident(body.get("team_id"))) and (member := ident(user.get("id"))):
        found.back.append(f"{team}/{member}")


def _revoked(found: _Found, body: Say) -> None:
    team = ident(body.get("team_id"))
    if not team or (body["event"]["type"] == "tokens_revoked" and not (body["event"].get("tokens") or {}).get("bot")):
        found.ignored.append("tokens_revoked/user")
    else:
        found.gone.append(Parted(team, moment(body.get("event_time"), found.now)))


def _other(found: _Found, body: Say) -> None:
    found.ignored.append(name_of(body["event"].get("type")))


def _event(found: _Found, body: Say, who: object, event: Event) -> None:
    """Slack's retries carry the same event_id ("Events API", "Retries"), so they are stored once."""
    said = body["event"]
    at = moment(said.get("event_ts") or said.get("ts"), found.now)
    _add(found, ident(body.get("event_id")), body.get("team_id"), who, event, at, "")


# --- commands, taps, forms ---


def _command(found: _Found, body: Say) -> None:
    text = typed(body).strip()
    event: Event = Said(text) if text else Followed()
    trigger = body.get("trigger_id")
    key = once("command", body.get("team_id"), trigger) if trigger else ""
    _add(found, key, body.get("team_id"), body.get("user_id"), event, found.now, "")


def _staff_command(found: _Found, body: Say) -> None:
    who = f"{ident(body.get('team_id'))}/{ident(body.get('user_id'))}"
    found.staff.append(StaffAct("tip", who, trigger=str(body.get("trigger_id", ""))))


def _tapped(found: _Found, body: Say) -> None:
    action = body["actions"][0]
    action_id = str(action.get("action_id", ""))
    who, team = body["user"].get("id"), (body.get("team") or {}).get("id") or body["user"].get("team_id")
    token = decode_token(str(action.get("value", "")))
    if isinstance(token, StaffToken):
        _staff_tap(found, body, token, f"{ident(team)}/{ident(who)}")
        return
    event = taps.answer(action, body)
    if event is None:
        found.ignored.append(name_of(f"tap/{action_id.split(':')[0]}"))
        return
    key = once("tap", team, body.get("trigger_id"), action.get("action_ts"), who, action.get("value"))
    at = moment(action.get("action_ts"), found.now)
    _add(found, key, team, who, event, at, taps.afterwards(event, action, body))


def _staff_tap(found: _Found, body: Say, token: StaffToken, who: str) -> None:
    """Only in the staff's own channel: who is in there is the operator's to say."""
    if not found.staff_channel or (body.get("channel") or {}).get("id") != found.staff_channel:
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


def _view(found: _Found, body: Say) -> None:
    view = body["view"]
    who = f"{ident((body.get('team') or {}).get('id'))}/{ident(body['user'].get('id'))}"
    filled = {
        block_id: taps.held(next(iter(inputs.values())))
        for block_id, inputs in ((view.get("state") or {}).get("values") or {}).items()
        if isinstance(inputs, dict) and inputs
    }
    name = str(view.get("callback_id", ""))
    metadata, trigger = str(view.get("private_metadata", "")), str(body.get("trigger_id", ""))
    found.staff.append(StaffAct(name, who, value=metadata, trigger=trigger, fields=filled))


def _add(found: _Found, key: str, team: object, who: object, event: Event, at: datetime, afterwards: str) -> None:
    team_id, user_id = ident(team), ident(who)
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


def _shared(event: Say) -> Event:
    """A file, or a text with one: what is written counts."""
    if str(event.get("text", "")).strip():
        return Said(typed(event), stamp(event.get("ts")))
    files = event.get("files") or [{}]
    return Showed(_SHOWN.get(str(files[0].get("mimetype", "")).split("/")[0], "file"))
