"""One workspace in miniature: who is in it, what stands in each conversation, and what its Web API answers.

Behaviour from docs.slack.dev; a rule names its page.
"""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from bot.simulator.clock import Clock
from bot.simulator.faults import Faults
from bot.simulator.slack.blockkit import check_blocks, check_view
from bot.simulator.wire import Json, Obj, Violation

TEAM: Final = "T0SAMPLE01"
BOT: Final = "U0SELFCARE"
APP_BOT: Final = "B0SELFCARE"
STAFF_CHANNEL: Final = "C0STAFF001"
TEXT_MAX: Final = 40_000  # chat.postMessage: text


@dataclass(frozen=True, slots=True)
class Member:
    """`locale` and `tz` as users.info gives them."""

    user_id: str
    name: str
    locale: str = "ja-JP"
    tz: str = "Asia/Tokyo"
    deleted: bool = False

    @property
    def channel(self) -> str:
        """The direct message with the app."""
        return "D" + self.user_id[1:]


@dataclass(frozen=True, slots=True)
class Post:
    """A message in a conversation. `seq` grows with every change, `came` is its first; `first` are the blocks it came
    with."""

    ts: str
    came: int
    seq: int
    channel: str
    sender: Literal["bot", "person"]
    at: datetime
    text: str
    blocks: list[Json]
    first: list[Json]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the bot's, and when it came by a clock that tests cannot move."""

    method: str
    arguments: Obj
    at: float
    ok: bool


class Workspace:
    """Thread-safe. `pace`: seconds that must lie between two messages to one conversation; None is not held to it. `token`
    is what the app shows there; "" until it is installed, and once it was removed."""

    def __init__(
        self,
        clock: Clock,
        *,
        team: str = TEAM,
        name: str = "見本の会社",
        token: str = "",
        pace: float | None = None,
    ) -> None:
        self.clock = clock
        self.team = team
        self.name = name
        self.token = token
        self.pace = pace
        self.faults = Faults()
        self.limited = 0
        self.violations: list[Violation] = []
        self.calls: list[Call] = []
        self.homes: dict[str, Obj] = {}
        self.modals: dict[str, Obj] = {}
        self._members: dict[str, Member] = {}
        self._posts: dict[str, list[Post]] = {}
        self._last: dict[str, float] = {}
        self._responses: dict[str, tuple[str, str]] = {}
        self._triggers: dict[str, str] = {}
        self._seq = 0
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    # --- people ---

    def add(self, name: str = "", locale: str = "ja-JP", tz: str = "Asia/Tokyo") -> Member:
        """The same name has the same id in every run."""
        with self._lock:
            name = name or f"見本 社員{len(self._members) + 1}(サンプル)"
            user_id = "U" + sha256(name.encode()).hexdigest()[:9].upper()
            return self._members.setdefault(user_id, Member(user_id, name, locale, tz))

    def members(self) -> tuple[Member, ...]:
        """In the order they came."""
        with self._lock:
            return tuple(self._members.values())

    def member(self, user_id: str) -> Member | None:
        """None for an id of nobody."""
        with self._lock:
            return self._members.get(user_id)

    def set_deleted(self, user_id: str, deleted: bool) -> None:
        """Deactivates a member, or brings them back."""
        with self._lock:
            self._members[user_id] = replace(self._members[user_id], deleted=deleted)

    # --- conversations ---

    @property
    def seq(self) -> int:
        """The latest change of any post."""
        with self._lock:
            return self._seq

    def posts(self, channel: str, after: int = 0) -> tuple[Post, ...]:
        """Those new or changed after `after`, in the order of the conversation."""
        with self._lock:
            return tuple(post for post in self._posts.get(channel, ()) if post.seq > after)

    def put(self, channel: str, sender: Literal["bot", "person"], text: str, blocks: list[Json]) -> Post:
        """Adds a message at the end."""
        with self._lock:
            self._seq += 1
            ts = f"{int(self.clock.now().timestamp())}.{next(self._numbers):06}"
            post = Post(ts, self._seq, self._seq, channel, sender, self.clock.now(), text, blocks, blocks)
            self._posts.setdefault(channel, []).append(post)
            return post

    def remove(self, channel: str, ts: str) -> None:
        """Somebody deletes a message."""
        with self._lock:
            self._posts[channel] = [post for post in self._posts.get(channel, []) if post.ts != ts]

    def new_response(self, channel: str, ts: str) -> str:
        """The id of a response_url for a tap on that message."""
        with self._lock:
            name = f"{self.team}.R{next(self._numbers)}"
            self._responses[name] = (channel, ts)
            return name

    def new_trigger(self, user_id: str) -> str:
        """Opens one modal for that person."""
        with self._lock:
            name = f"{next(self._numbers)}.{self.team}.{user_id}"
            self._triggers[name] = user_id
            return name

    # --- Web API ---

    def method(self, name: str, arguments: Obj) -> Obj:
        """What a method answers; the reasons of a refusal are kept for whoever looks."""
        methods: Mapping[str, Callable[[Obj], Obj]] = {
            "auth.test": lambda _: {
                "ok": True,
                "team": self.name,
                "team_id": self.team,
                "user": "selfcare",
                "user_id": BOT,
                "bot_id": APP_BOT,
            },
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "users.info": self._info,
            "views.publish": self._publish,
            "views.open": self._open,
            "conversations.info": self._conversation,
        }
        run = methods.get(name)
        with self._lock:
            answer: Obj = {"ok": False, "error": "unknown_method"} if run is None else run(arguments)
            self.calls.append(Call(name, arguments, time.monotonic(), answer.get("ok") is True))
            return answer

    def respond(self, name: str, arguments: Obj) -> Obj:
        """To a response_url ("Handling user interaction"): replaces the message that was tapped."""
        with self._lock:
            found = self._responses.get(name)
            if found is None:
                return {"ok": False, "error": "expired_url"}
            self.calls.append(Call("response_url", arguments, time.monotonic(), True))
            return self._replace(*found, arguments)

    def too_fast(self, arguments: Obj) -> bool:
        """Whether a message comes within the pace of the one before it in its conversation ("Rate limits")."""
        channel = str(arguments.get("channel"))
        with self._lock:
            if self.pace is None:
                return False
            now = time.monotonic()
            if now - self._last.get(channel, -1e9) < self.pace:
                self.limited += 1
                return True
            self._last[channel] = now
            return False

    def _post(self, arguments: Obj) -> Obj:
        channel = self._channel(str(arguments.get("channel", "")))
        if channel.startswith("!"):
            return {"ok": False, "error": channel[1:]}
        problems = self._problems(arguments)
        if problems:
            return problems
        blocks = arguments.get("blocks")
        post = self.put(channel, "bot", str(arguments.get("text", "")), blocks if isinstance(blocks, list) else [])
        return {"ok": True, "channel": channel, "ts": post.ts}

    def _channel(self, target: str) -> str:
        """See chat.postMessage: a member's id is the direct message with them. `!error` for nobody's."""
        member = self._members.get(target)
        if member is not None:
            return "!user_disabled" if member.deleted else member.channel
        known = target == STAFF_CHANNEL or target.startswith("C") or target in self._posts
        return target if known else "!channel_not_found"

    def _update(self, arguments: Obj) -> Obj:
        return self._replace(str(arguments.get("channel", "")), str(arguments.get("ts", "")), arguments)

    def _replace(self, channel: str, ts: str, arguments: Obj) -> Obj:
        problems = self._problems(arguments)
        if problems:
            return problems
        posts = self._posts.get(channel, [])
        for index, post in enumerate(posts):
            if post.ts == ts:
                self._seq += 1
                blocks = arguments.get("blocks")
                new = blocks if isinstance(blocks, list) else []
                posts[index] = replace(post, seq=self._seq, text=str(arguments.get("text", "")), blocks=new)
                return {"ok": True, "channel": channel, "ts": ts}
        return {"ok": False, "error": "message_not_found"}

    def _problems(self, arguments: Obj) -> Obj | None:
        problems = check_blocks(arguments.get("blocks"), "message")
        text = arguments.get("text")
        if not isinstance(text, str) or not 0 < len(text) <= TEXT_MAX:
            problems = (*problems, Violation("text", "is missing or too long"))
        return self._refused(problems)

    def _refused(self, problems: tuple[Violation, ...]) -> Obj | None:
        if not problems:
            return None
        self.violations.extend(problems)
        said: list[Json] = [f"{v.where}: {v.problem}" for v in problems]
        return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": said}}

    def _info(self, arguments: Obj) -> Obj:
        member = self._members.get(str(arguments.get("user", "")))
        if member is None:
            return {"ok": False, "error": "user_not_found"}
        locale: Obj = {"locale": member.locale} if arguments.get("include_locale") == "true" else {}
        user: Obj = {"id": member.user_id, "name": member.name, "deleted": member.deleted, "tz": member.tz, **locale}
        return {"ok": True, "user": user}

    def _publish(self, arguments: Obj) -> Obj:
        view = arguments.get("view")
        refused = self._refused(check_view(view))
        if refused is not None or not isinstance(view, dict):
            return refused or {"ok": False, "error": "invalid_arguments"}
        self._seq += 1
        self.homes[str(arguments.get("user_id", ""))] = view
        return {"ok": True}

    def _open(self, arguments: Obj) -> Obj:
        view = arguments.get("view")
        refused = self._refused(check_view(view))
        if refused is not None or not isinstance(view, dict):
            return refused or {"ok": False, "error": "invalid_arguments"}
        user_id = self._triggers.pop(str(arguments.get("trigger_id", "")), None)
        if user_id is None:
            return {"ok": False, "error": "invalid_trigger_id"}
        self._seq += 1
        self.modals[user_id] = view
        return {"ok": True, "view": {"id": f"V{self._seq}"}}

    def _conversation(self, arguments: Obj) -> Obj:
        if arguments.get("channel") != STAFF_CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        return {"ok": True, "channel": {"id": STAFF_CHANNEL, "name": "clinic-staff", "is_member": True}}
