"""A small world around the pipeline: a clock that tests move, and a messenger platform that keeps a provider's promises
(a reply token works once, a retry key is known again) and fails when it is told to."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from bot.channels.base import Delivery, Limits, Outcome, Receipt
from bot.content.model import Content
from bot.conversation import advance
from bot.engine.state import Facts, State, Turn
from bot.messages import Card, Event, Followed, Inbound, Message, Said, Words
from bot.runtime import Runtime
from bot.settlement import Attempt
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Base, Contact, Outbox
from bot.worker import drain

START = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
TOKEN_LIFE = timedelta(seconds=50)

Lost = Literal["on the way", "on the way back"]
"""Where a call breaks off: before the provider saw it, or after it was carried out."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        """As timedelta."""
        self.time += timedelta(**by)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message on somebody's phone."""

    user_id: str
    text: str
    way: Literal["reply", "push", "multicast"]


def first_words(message: Message) -> str:
    """The text of the first part."""
    match message.parts[0]:
        case Words(text) | Card(text=text):
            return text
        case other:
            raise AssertionError(f"{other.kind} has no text")


class Platform:
    """A channel whose provider lives in this process. `plan` says how the next calls end; empty means well."""

    name = "line"

    def __init__(self, clock: Callable[[], datetime], *, keyed: bool = True) -> None:
        self.limits = Limits(many=500, rate=1000, keyed=keyed)
        self.plan: deque[Receipt | Lost] = deque()
        self.phones: list[Arrived] = []
        self.calls: list[Delivery] = []
        self.many: list[tuple[str, ...]] = []
        self.delay = threading.Event()
        self.delay.set()
        self._clock = clock
        self._lock = threading.Lock()
        self._used_tokens: set[str] = set()
        self._seen_keys: set[str] = set()

    def send(self, delivery: Delivery) -> Receipt:
        """Waits while `delay` is cleared."""
        self.delay.wait(10)
        with self._lock:
            self.calls.append(delivery)
            planned = self.plan.popleft() if self.plan else None
            match planned:
                case Receipt():
                    return planned
                case "on the way":
                    return Receipt(Outcome.UNCERTAIN, error="timeout")
                case "on the way back":
                    self._carry_out(delivery)
                    return Receipt(Outcome.UNCERTAIN, error="timeout")
                case None:
                    return self._carry_out(delivery)

    def send_many(self, user_ids: Sequence[str], message: Message, request_id: str) -> Receipt:
        """As `send`, for many; `many` are the addresses of each call."""
        self.delay.wait(10)
        with self._lock:
            self.many.append(tuple(user_ids))
            planned = self.plan.popleft() if self.plan else None
            if isinstance(planned, Receipt):
                return planned
            if planned == "on the way":
                return Receipt(Outcome.UNCERTAIN, error="timeout")
            if request_id not in self._seen_keys:
                self._seen_keys.add(request_id)
                self.phones += [Arrived(user_id, first_words(message), "multicast") for user_id in user_ids]
            lost = planned == "on the way back"
            return Receipt(Outcome.UNCERTAIN, error="timeout") if lost else Receipt(Outcome.SENT, billed=len(user_ids))

    def texts(self, user_id: str | None = None) -> list[str]:
        """What was read, in the order of arrival."""
        return [one.text for one in self.phones if user_id in (None, one.user_id)]

    def _carry_out(self, delivery: Delivery) -> Receipt:
        if delivery.reply_token is not None:
            if delivery.reply_token in self._used_tokens:
                return Receipt(Outcome.RETRY, error="reply_token")
            self._used_tokens.add(delivery.reply_token)
            way: Literal["reply", "push"] = "reply"
        else:
            if delivery.request_id in self._seen_keys and self.limits.keyed:
                return Receipt(Outcome.SENT)
            self._seen_keys.add(delivery.request_id)
            way = "push"
        self.phones.append(Arrived(delivery.user_id, first_words(delivery.message), way))
        return Receipt(Outcome.SENT, (f"m{len(self.phones)}",), billed=int(way == "push"))


def echo(content: Content, state: State, facts: Facts, event: Event) -> Turn:
    """Says back what was said, numbered, so that order and repetition show."""
    words = event.text if isinstance(event, Said) else event.kind
    turn = replace(state, turn=state.turn + 1)
    return Turn(turn, Message((Words(f"{turn.turn}: {words}"),), safety=words.startswith("!")))


@dataclass
class World:
    """Everything a pipeline test touches."""

    runtime: Runtime
    clock: Clock
    platform: Platform
    _events: int = field(default=0)

    @property
    def db(self) -> Database:
        return self.runtime.db

    def said(self, text: str, user: str = "U1", *, token: bool = True, ago: float = 0, message_id: str = "") -> Inbound:
        """A new event; `ago` in seconds."""
        return self.event(Said(text, message_id), user, token=token, ago=ago)

    def event(self, event: Event, user: str = "U1", *, token: bool = True, ago: float = 0) -> Inbound:
        """Any new event, with an id of its own."""
        self._events += 1
        number, now = self._events, self.clock()
        return Inbound(
            channel="line",
            event_id=f"E{number}",
            user_id=user,
            occurred_at=now - timedelta(seconds=ago),
            event=event,
            reply_token=f"T{number}" if token else None,
            reply_expires_at=now + TOKEN_LIFE if token else None,
        )

    def followed(self, user: str = "U1") -> Inbound:
        return self.event(Followed(), user)

    def turns(self) -> None:
        """Handles what has come in, and sends nothing."""
        advance(self.runtime, 1000)

    def run(self) -> None:
        """Until nothing is due."""
        drain(self.runtime)

    def run_quietly(self) -> None:
        """As a worker goes on when the database fails."""
        with suppress(DBAPIError):
            self.turns()

    def outgoing(self) -> int:
        """Messages in the outbox."""
        return self.count(Outbox)

    @staticmethod
    def delivery(one: Attempt) -> Delivery:
        """What a worker would hand to the channel."""
        return Delivery(one.user_id, codec.message_from(one.message), one.request_id, one.reply_token)

    def set_test_contact(self, user_id: str) -> None:
        """As staff lists somebody for SEND_GATE=test."""
        with self.db.write() as tx:
            tx.execute(update(Contact).where(Contact.user_id == user_id).values(is_test=True))

    def count(self, table: type[Base]) -> int:
        """Rows of a table."""
        with self.db.read() as look:
            found: int = look.execute(select(func.count()).select_from(table)).scalar_one()
            return found

    def column(self, column: object) -> list[object]:
        """A column's values in the order of ids."""
        with self.db.read() as look:
            owner = column.class_  # type: ignore[attr-defined]
            return list(look.execute(select(column).order_by(owner.id)).scalars())  # type: ignore[call-overload]
