"""What people do in LINE, told to the bot as the platform tells it: signed webhooks to the bot's real endpoint.

Event objects: "Messaging API reference", Webhook event objects. Signature: "Verify webhook signature".
"""

import base64
import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bot.simulator.platform import Platform
from bot.simulator.wire import Obj

Post = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends a body to an address and gives the status; raises OSError when nobody answers."""

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHOWN: Final[Mapping[str, Obj]] = {
    "image": {"contentProvider": {"type": "line"}, "quoteToken": "q"},
    "video": {"duration": 4000, "contentProvider": {"type": "line"}, "quoteToken": "q"},
    "audio": {"duration": 3000, "contentProvider": {"type": "line"}},
    "file": {"fileName": "memo.pdf", "fileSize": 1024},
    "location": {"title": "駅", "address": "東京都大田区池上", "latitude": 35.572, "longitude": 139.703},
}
Shown = Literal["image", "video", "audio", "file", "location"]


@dataclass(frozen=True, slots=True)
class Told:
    """One webhook: its events and the bot's status (0: nobody answered)."""

    events: tuple[Obj, ...]
    status: int


class Webhooks:
    """Thread-safe. `told` are all webhooks so far, oldest first."""

    def __init__(self, platform: Platform, *, secret: str, post: Post) -> None:
        self._platform = platform
        self._secret = secret.encode()
        self._post = post
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.told: list[Told] = []

    # --- what a person does ---

    def follow(self, user_id: str) -> Told:
        """Adds the account as a friend, or unblocks it."""
        chats = self._platform.chats
        person = chats.person(user_id)
        again = person is not None and person.friend is False
        chats.befriend(user_id, True)
        chats.put(user_id, "notice", {"notice": "unblocked" if again else "followed"})
        return self.tell(self.event("follow", user_id, {"follow": {"isUnblocked": again}}))

    def block(self, user_id: str) -> Told:
        """Blocks the account. Unfollow events have no reply token."""
        self._platform.chats.befriend(user_id, False)
        self._platform.chats.put(user_id, "notice", {"notice": "blocked"})
        return self.tell(self.event("unfollow", user_id, {}, reply=False))

    def say(self, user_id: str, text: str) -> Told:
        """Types a text."""
        return self.tell(self.text_event(user_id, text))

    def tap(self, user_id: str, data: str, display_text: str | None = None) -> Told:
        """Taps a button with a postback action."""
        return self.tell(self.tap_event(user_id, data, display_text))

    def pick_time(self, user_id: str, data: str, time: str) -> Told:
        """Chooses a time (HH:MM) in the picker of a button ("Postback event", params of a datetime picker action)."""
        return self.tell(self.event("postback", user_id, {"postback": {"data": data, "params": {"time": time}}}))

    def pick_day(self, user_id: str, data: str, day: str) -> Told:
        """Chooses a day (YYYY-MM-DD) in such a picker."""
        return self.tell(self.event("postback", user_id, {"postback": {"data": data, "params": {"date": day}}}))

    def sticker(self, user_id: str, sticker_id: str = "1988", package_id: str = "446") -> Told:
        """Sends a sticker."""
        sticker: Obj = {"type": "sticker", "packageId": package_id, "stickerId": sticker_id}
        bubble = self._platform.chats.put(user_id, "person", sticker)
        wire: Obj = {**sticker, "id": bubble.id, "stickerResourceType": "STATIC", "quoteToken": "q"}
        return self.tell(self.event("message", user_id, {"message": wire}))

    def show(self, user_id: str, what: Shown) -> Told:
        """Sends something that is neither text nor sticker."""
        bubble = self._platform.chats.put(user_id, "person", {"type": what})
        wire: Obj = {"type": what, "id": bubble.id, **_SHOWN[what]}
        return self.tell(self.event("message", user_id, {"message": wire}))

    def unsend(self, user_id: str, message_id: str) -> Told:
        """Takes a message back."""
        self._platform.chats.mark(user_id, message_id, unsent=True)
        return self.tell(self.event("unsend", user_id, {"unsend": {"messageId": message_id}}, reply=False))

    def join(self, group_id: str) -> Told:
        """Invites the account into a group."""
        self._platform.chats.add_group(group_id)
        return self.tell(self.event("join", group_id, {}))

    def say_in_group(self, group_id: str, user_id: str, text: str) -> Told:
        """Types a text in a group."""
        bubble = self._platform.chats.put(group_id, "person", {"type": "text", "text": text})
        wire: Obj = {"type": "text", "id": bubble.id, "quoteToken": "q", "text": text}
        return self.tell(self.event("message", group_id, {"message": wire}, by=user_id))

    # --- events, to be told in any order and as often as a test likes ---

    def text_event(self, user_id: str, text: str) -> Obj:
        """A text, typed but not told yet."""
        bubble = self._platform.chats.put(user_id, "person", {"type": "text", "text": text})
        wire: Obj = {"type": "text", "id": bubble.id, "quoteToken": "q", "text": text}
        return self.event("message", user_id, {"message": wire})

    def tap_event(self, user_id: str, data: str, display_text: str | None = None) -> Obj:
        """A tap, made but not told yet. `display_text` appears in the chat as the person's own words."""
        if display_text is not None:
            self._platform.chats.put(user_id, "person", {"type": "text", "text": display_text})
        return self.event("postback", user_id, {"postback": {"data": data}})

    def event(self, kind: str, chat_id: str, parts: Obj, *, by: str | None = None, reply: bool = True) -> Obj:
        """A webhook event object of any kind."""
        source: Obj = {"type": "user", "userId": chat_id}
        if chat_id.startswith("C"):
            source = {"type": "group", "groupId": chat_id}
        elif chat_id.startswith("R"):
            source = {"type": "room", "roomId": chat_id}
        if by is not None:
            source["userId"] = by
        event: Obj = {
            "type": kind,
            **parts,
            "webhookEventId": self._ulid(),
            "deliveryContext": {"isRedelivery": False},
            "timestamp": int(self._platform.clock.now().timestamp() * 1000),
            "source": source,
            "mode": "active",
        }
        if reply:
            event["replyToken"] = self._platform.new_reply_token(chat_id)
        return event

    def tell(self, *events: Obj) -> Told:
        """One webhook request with these events."""
        told = Told(events, self.post({"destination": self._platform.user_id, "events": list(events)}))
        with self._lock:
            self.told.append(told)
        if told.status == 200:
            self._mark_read(events)
        return told

    def redeliver(self, *events: Obj) -> Told:
        """The same events once more: same id, same reply token, marked as redelivered."""
        again: list[Obj] = [{**event, "deliveryContext": {"isRedelivery": True}} for event in events]
        return self.tell(*again)

    def post(self, body: Obj, url: str | None = None) -> int:
        """A signed request to the bot; the status, or 0 when nobody answered."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        signature = base64.b64encode(hmac.new(self._secret, raw, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Line-Signature": signature,
            "User-Agent": "LineBotWebhook/2.0",
        }
        address = url or self._platform.endpoint
        if address is None:
            return 0
        try:
            return self._post(address, raw, headers)
        except OSError:
            return 0

    def _mark_read(self, events: tuple[Obj, ...]) -> None:
        """An account without chat staff reads at once ("markAsReadMode": "auto")."""
        for event in events:
            source = event.get("source")
            if isinstance(source, dict) and isinstance(chat_id := source.get("userId"), str):
                for bubble in self._platform.chats.bubbles(chat_id):
                    if bubble.sender == "person" and not bubble.read:
                        self._platform.chats.mark(chat_id, bubble.id, read=True)

    def _ulid(self) -> str:
        """Webhook event ids are ULIDs."""
        with self._lock:
            number = (int(self._platform.clock.now().timestamp() * 1000) << 80) + next(self._numbers)
        return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
