"""Requests as Slack makes them, and the channel that reads them."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bot.channels.base import Reception
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.pace import Pace
from tests.world import START

SECRET = "5c1a9f"
TEAM, USER, STAFF = "T024BE7LD", "U061F7AUR", "C0STAFF"


def channel(api_url: str = "http://127.0.0.1:1", pace: Pace | None = None) -> SlackChannel:
    """Two secrets, as while one is rotated."""
    return SlackChannel(
        secrets=(SECRET, "older"),
        tokens=lambda _: "xoxb-1",
        api_url=api_url,
        public_url="https://bot.example",
        staff_channel=STAFF,
        pace=pace or Pace(gap=0),
    )


def signed(body: bytes, at: datetime = START, secret: str = SECRET, kind: str = "application/json") -> dict[str, str]:
    """The headers of a genuine request."""
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}"}


def envelope(event: dict[str, Any], event_id: str = "Ev08MFMKH6") -> bytes:
    body = {
        "token": "gone",
        "team_id": TEAM,
        "api_app_id": "A0",
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(START.timestamp()),
        "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": "U0BOT", "is_bot": True}],
    }
    return json.dumps(body, ensure_ascii=False).encode()


def message(text: str, **more: Any) -> dict[str, Any]:
    said = {"type": "message", "channel": "D024BE91L", "user": USER, "text": text, "channel_type": "im"}
    return {**said, "ts": "1775012400.000200", "event_ts": "1775012400.000200", **more}


def tap(action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": USER, "username": "sample", "name": "sample", "team_id": TEAM},
        "team": {"id": TEAM, "domain": "sample"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "D1"},
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "channel": {"id": "D1", "name": "directmessage"},
        "response_url": "https://hooks.slack.com/actions/T1/2/3",
        "message": {"type": "message", "ts": "1.2", "text": "t", "blocks": []},
        "state": {"values": {}},
        "actions": [{"type": "button", "block_id": "b", "action_ts": "1775012401.5", **action}],
        **more,
    }


def form(payload: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()


def command(name: str = "/selfcare", text: str = "", **more: str) -> bytes:
    fields = {
        "command": name,
        "text": text,
        "user_id": USER,
        "team_id": TEAM,
        "channel_id": "C9",
        "trigger_id": "1.2.3",
    }
    return urlencode({**fields, **more}).encode()


def received(body: bytes) -> Reception:
    """Signed now, and read."""
    kind = "application/json" if body.startswith(b"{") else "application/x-www-form-urlencoded"
    return channel().receive(body, signed(body, kind=kind), START)
