"""The LINE platform in miniature: what it does with a request of the bot, apart from HTTP.

Behaviour from "Messaging API reference" and "Retry failed API requests" (developers.line.biz); a rule names
its part.
"""

import itertools
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.simulator.chats import Chats
from bot.simulator.clock import Clock
from bot.simulator.faults import Faults
from bot.simulator.menus import Menus
from bot.simulator.wire import Json, Obj, Violation, check

REPLY_TOKEN_LIFE: Final = timedelta(seconds=60)  # Send reply message: use the token within a minute
RETRY_KEY_LIFE: Final = timedelta(hours=24)  # Retry failed API requests: the key is valid for 24 hours


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform answers."""

    status: int
    body: Obj = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the bot sent it and how it was answered; status 0 is a broken connection."""

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    body: Json
    status: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Messages that the operator pays for, in the month of `at`."""

    at: datetime
    messages: int


@dataclass(slots=True)
class _Token:
    chat_id: str
    until: datetime
    used: bool = False


def refused(status: int, message: str, violations: tuple[Violation, ...] = ()) -> Answer:
    """Error responses: `message`, and `details` with a message and a property each."""
    details: list[Json] = [{"message": v.problem, "property": v.where} for v in violations]
    return Answer(status, {"message": message, "details": details} if details else {"message": message})


class Platform:
    """One account with its friends. Thread-safe. `quota` is billed messages a month."""

    def __init__(self, clock: Clock, *, quota: int = 200, name: str = "からだ塾") -> None:
        self.clock = clock
        self.chats = Chats(clock)
        self.menus = Menus()
        self.faults = Faults()
        self.name = name
        self.user_id = "U" + "b" * 32
        self.quota = quota
        self.endpoint: str | None = None
        self.violations: list[Violation] = []
        self.requests: deque[Request] = deque(maxlen=5000)
        self.bills: list[Bill] = []
        self.free = 0
        self._tokens: dict[str, _Token] = {}
        self._accepted: dict[str, tuple[datetime, Answer]] = {}
        self._loading: dict[str, datetime] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    # --- reply tokens ---

    def new_reply_token(self, chat_id: str) -> str:
        """Works once, within a minute of the virtual clock."""
        with self._lock:
            token = uuid.uuid4().hex
            self._tokens[token] = _Token(chat_id, self.clock.now() + REPLY_TOKEN_LIFE)
            return token

    # --- sending ---

    def reply(self, body: Obj, retry_key: str | None) -> Answer:
        """Send reply message. Free. Takes no retry key."""
        if retry_key is not None:
            return self.refuse("X-Line-Retry-Key", "cannot be used with reply messages")
        problems = check("reply", body)
        if problems:
            return self.refuse_body(problems)
        with self._lock:
            token = self._tokens.get(str(body["replyToken"]))
            if token is None or token.used or self.clock.now() > token.until:
                return refused(400, "Invalid reply token")
            token.used = True
            self.free += 1
            return Answer(200, {"sentMessages": self._deliver(token.chat_id, body, "reply")})

    def push(self, body: Obj, retry_key: str | None) -> Answer:
        """Send push message. One billed message for each person who receives it, however many objects it has."""
        problems = check("push", body)
        if problems:
            return self.refuse_body(problems)
        with self._lock:
            return self._once(retry_key, lambda: self._push(body, [str(body["to"])], "push"))

    def multicast(self, body: Obj, retry_key: str | None) -> Answer:
        """Send multicast message. Users only; ids that do not receive are passed over in silence."""
        problems = check("multicast", body)
        to = body.get("to")
        ids = [str(one) for one in to] if isinstance(to, list) else []
        if not problems and any(not one.startswith("U") for one in ids):
            problems = (Violation("to", "only user ids"),)
        if problems:
            return self.refuse_body(problems)
        with self._lock:
            return self._once(retry_key, lambda: self._push(body, ids, "multicast"))

    def _push(self, body: Obj, ids: list[str], way: Literal["push", "multicast"]) -> Answer:
        if way == "push" and not self.chats.exists(ids[0]):
            return refused(400, "Failed to send messages")  # FAQ: a user id that does not exist
        receivers = [one for one in ids if self.chats.receives(one)]
        if self.billed() + len(receivers) > self.quota:
            return refused(429, "You have reached your monthly limit.")
        self.bills.append(Bill(self.clock.now(), len(receivers)))
        sent = [self._deliver(one, body, way) for one in receivers]
        if way == "multicast":
            return Answer(200)
        return Answer(200, {"sentMessages": sent[0] if sent else self._unseen(body)})

    def _once(self, retry_key: str | None, send: Callable[[], Answer]) -> Answer:
        """Retry failed API requests: an accepted key is answered with 409, for 24 hours."""
        request_id = str(uuid.uuid4())
        if retry_key is None:
            return send()
        try:
            key = str(uuid.UUID(retry_key))
        except ValueError:
            return self.refuse("X-Line-Retry-Key", "must be a hexadecimal UUID")
        before = self._accepted.get(key)
        if before is not None and self.clock.now() - before[0] < RETRY_KEY_LIFE:
            accepted = before[1]
            return Answer(
                409,
                {"message": "The retry key is already accepted", **accepted.body},
                {"x-line-accepted-request-id": accepted.headers["x-line-request-id"]},
            )
        answer = send()
        answer = Answer(answer.status, answer.body, {"x-line-request-id": request_id})
        if answer.status == 200:
            self._accepted[key] = (self.clock.now(), answer)
        return answer

    def _deliver(self, chat_id: str, body: Obj, way: Literal["reply", "push", "multicast"]) -> Json:
        """Puts the messages into the chat, if they arrive there at all."""
        if not self.chats.receives(chat_id):
            return self._unseen(body)
        self._loading.pop(chat_id, None)
        messages = body["messages"]
        bubbles = [
            self.chats.put(chat_id, "bot", message, way)
            for message in (messages if isinstance(messages, list) else [])
            if isinstance(message, dict)
        ]
        return [{"id": bubble.id, "quoteToken": f"q{bubble.id}"} for bubble in bubbles]

    def _unseen(self, body: Obj) -> Json:
        messages = body["messages"]
        count = len(messages) if isinstance(messages, list) else 0
        return [{"id": f"9{next(self._numbers):017}", "quoteToken": "q"} for _ in range(count)]

    # --- the rest of what a chat shows ---

    def load(self, body: Obj) -> Answer:
        """Display a loading animation: until the seconds are over or a message arrives."""
        problems = check("loading", body)
        if problems:
            return self.refuse_body(problems)
        seconds = body.get("loadingSeconds", 20)
        with self._lock:
            until = self.clock.now() + timedelta(seconds=seconds if isinstance(seconds, int) else 20)
            self._loading[str(body["chatId"])] = until
        return Answer(202)

    def is_loading(self, chat_id: str) -> bool:
        """Whether the loading animation is showing."""
        with self._lock:
            until = self._loading.get(chat_id)
            return until is not None and until > self.clock.now()

    # --- accounts ---

    def billed(self) -> int:
        """Messages billed in the virtual clock's month (by UTC, near enough for a miniature)."""
        now = self.clock.now()
        return sum(b.messages for b in self.bills if (b.at.year, b.at.month) == (now.year, now.month))

    def refuse(self, where: str, problem: str) -> Answer:
        """A 400 that tests fail on."""
        return self.refuse_body((Violation(where, problem),))

    def refuse_body(self, problems: tuple[Violation, ...]) -> Answer:
        """A 400 that names every problem and that tests fail on."""
        with self._lock:
            self.violations.extend(problems)
        return refused(400, f"The request body has {len(problems)} error(s)", problems)

    def note(self, request: Request) -> None:
        """Keeps the request for whoever looks."""
        with self._lock:
            self.requests.append(request)
