"""What people do in Slack, told to the bot as Slack tells it: signed requests to one address.

Shapes: docs.slack.dev, "Events API", "Slash commands", "Interaction payloads". Signature: "Verifying requests from Slack".
"""

import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from bot.simulator.slack.workspace import BOT, STAFF_CHANNEL, Post, Workspace
from bot.simulator.wire import Json, Obj

Post_ = Callable[[str, bytes, Mapping[str, str]], int]
APP: Final = "A0SELFCARE"


@dataclass(frozen=True, slots=True)
class Told:
    """One request with the bot's status (0: nobody answered)."""

    body: bytes
    content_type: str
    status: int


class Webhooks:
    """Thread-safe. `told` are all requests so far, oldest first. `base_url` is where response_urls point to."""

    def __init__(self, workspace: Workspace, *, secret: str, url: str, base_url: str, post: Post_) -> None:
        self._workspace = workspace
        self._secret = secret.encode()
        self._url = url
        self._base_url = base_url
        self._post = post
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.told: list[Told] = []

    # --- events ---

    def say(self, user_id: str, text: str) -> Told:
        """A direct message to the app. Slack escapes what is typed."""
        post = self._workspace.put(self._dm(user_id), "person", text, [])
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return self.event({"type": "message", **self._said(user_id, post), "text": escaped})

    def show(self, user_id: str, mimetype: str = "image/png") -> Told:
        """A file without a word."""
        post = self._workspace.put(self._dm(user_id), "person", f"({mimetype})", [])
        shared: Obj = {"subtype": "file_share", "text": "", "files": [{"id": "F1", "mimetype": mimetype}]}
        return self.event({"type": "message", **self._said(user_id, post), **shared})

    def delete(self, user_id: str, post: Post) -> Told:
        """Takes a message back."""
        before: Obj = {"type": "message", "user": user_id, "ts": post.ts, "text": post.text}
        gone: Obj = {"subtype": "message_deleted", "deleted_ts": post.ts, "previous_message": before, "hidden": True}
        return self.event({"type": "message", "channel": post.channel, "channel_type": "im", **gone, **self._now()})

    def open_home(self, user_id: str) -> Told:
        """Looks at the app's Home tab."""
        opened: Obj = {"type": "app_home_opened", "user": user_id, "channel": self._dm(user_id), "tab": "home"}
        return self.event({**opened, **self._now()})

    def mention(self, user_id: str, channel: str, text: str) -> Told:
        """Speaks to the app where others read along."""
        post = self._workspace.put(channel, "person", text, [])
        said: Obj = {
            "type": "app_mention",
            "user": user_id,
            "channel": channel,
            "ts": post.ts,
            "text": f"<@{BOT}> {text}",
        }
        return self.event({**said, "event_ts": post.ts})

    def deactivate(self, user_id: str) -> Told:
        """An administrator deactivates the member."""
        self._workspace.set_deleted(user_id, True)
        return self.event({"type": "user_change", "user": {"id": user_id, "deleted": True}, **self._now()})

    def activate(self, user_id: str) -> Told:
        """And brings them back."""
        self._workspace.set_deleted(user_id, False)
        return self.event({"type": "user_change", "user": {"id": user_id, "deleted": False}, **self._now()})

    def uninstall(self) -> tuple[Told, Told]:
        """An administrator removes the app ("app_uninstalled": both events come, in any order)."""
        self._workspace.token = ""
        revoked = self.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT]}})
        return revoked, self.event({"type": "app_uninstalled"})

    def event(self, event: Obj) -> Told:
        """Any event, in its envelope."""
        with self._lock:
            number = next(self._numbers)
        envelope: Obj = {
            "type": "event_callback",
            "team_id": self._workspace.team,
            "api_app_id": APP,
            "event": event,
            "event_id": f"Ev{self._workspace.team}{number:09}",
            "event_time": int(self._workspace.clock.now().timestamp()),
            "authorizations": [
                {"team_id": self._workspace.team, "user_id": BOT, "is_bot": True, "enterprise_id": None}
            ],
        }
        return self.tell(json.dumps(envelope, ensure_ascii=False).encode(), "application/json")

    # --- interaction ---

    def command(self, user_id: str, command: str = "/selfcare", text: str = "", channel: str = "") -> Told:
        """A slash command, typed anywhere."""
        member = self._workspace.member(user_id)
        fields = {
            "command": command,
            "text": text,
            "user_id": user_id,
            "user_name": member.name if member else "",
            "team_id": self._workspace.team,
            "channel_id": channel or self._dm(user_id),
            "api_app_id": APP,
            "response_url": f"{self._base_url}/slack/respond/none",
            "trigger_id": self._workspace.new_trigger(user_id),
        }
        return self.tell(urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def act(self, user_id: str, action: Obj, post: Post | None = None, values: Obj | None = None) -> Told:
        """A tap on an element of a message, or of the Home tab. `values` is what stands in the form's fields."""
        payload: Obj = {
            "type": "block_actions",
            "user": self._person(user_id),
            "team": {"id": self._workspace.team, "domain": "sample"},
            "api_app_id": APP,
            "trigger_id": self._workspace.new_trigger(user_id),
            "actions": [{**action, "action_ts": self._stamp()}],
            "state": {"values": values or {}},
        }
        if post is None:
            payload["container"] = {"type": "view", "view_id": "V1"}
            payload["view"] = {"type": "home", "id": "V1"}
        else:
            response = self._workspace.new_response(post.channel, post.ts)
            payload |= {
                "container": {
                    "type": "message",
                    "message_ts": post.ts,
                    "channel_id": post.channel,
                    "is_ephemeral": False,
                },
                "channel": {"id": post.channel, "name": "directmessage"},
                "message": {"type": "message", "user": BOT, "ts": post.ts, "text": post.text, "blocks": post.blocks},
                "response_url": f"{self._base_url}/slack/respond/{response}",
            }
        return self.interact(payload)

    def submit(self, user_id: str, values: Obj) -> Told:
        """Sends the modal that is open."""
        view = self._workspace.modals.pop(user_id)
        shown: Obj = {**view, "id": "V1", "state": {"values": values}}
        payload: Obj = {
            "type": "view_submission",
            "team": {"id": self._workspace.team},
            "user": self._person(user_id),
            "view": shown,
            "trigger_id": self._workspace.new_trigger(user_id),
        }
        return self.interact(payload)

    def interact(self, payload: Obj) -> Told:
        """Any interaction payload."""
        body = urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()
        return self.tell(body, "application/x-www-form-urlencoded")

    # --- requests ---

    def tell(self, body: bytes, content_type: str, retry: int = 0) -> Told:
        """One signed request."""
        told = Told(body, content_type, self._send(body, content_type, retry))
        with self._lock:
            self.told.append(told)
        return told

    def again(self, told: Told, retry: int = 1) -> Told:
        """The same once more ("Events API", "Retries"): same event_id, and a header that counts."""
        return self.tell(told.body, told.content_type, retry)

    def headers(self, body: bytes, content_type: str = "application/json") -> dict[str, str]:
        """Signed now."""
        stamp = str(int(self._workspace.clock.now().timestamp()))
        mac = hmac.new(self._secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"Content-Type": content_type, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}"}

    def _send(self, body: bytes, content_type: str, retry: int) -> int:
        headers = self.headers(body, content_type)
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        try:
            return self._post(self._url, body, headers)
        except OSError:
            return 0

    def _dm(self, user_id: str) -> str:
        member = self._workspace.member(user_id)
        return STAFF_CHANNEL if member is None else member.channel

    def _said(self, user_id: str, post: Post) -> Obj:
        return {"user": user_id, "channel": post.channel, "channel_type": "im", "ts": post.ts, "event_ts": post.ts}

    def _person(self, user_id: str) -> Json:
        member = self._workspace.member(user_id)
        return {"id": user_id, "name": member.name if member else "", "team_id": self._workspace.team}

    def _now(self) -> Obj:
        return {"event_ts": self._stamp()}

    def _stamp(self) -> str:
        with self._lock:
            number = next(self._numbers)
        return f"{int(self._workspace.clock.now().timestamp())}.{number % 1_000_000:06}"
