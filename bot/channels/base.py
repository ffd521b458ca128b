"""What every channel can do, in words that no provider owns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.messages import Inbound, Introduced, Message


class Outcome(StrEnum):
    """How an attempt to send ended (the table in bot/DESIGN.md says what follows for each)."""

    SENT = "sent"
    RETRY = "retry"
    UNCERTAIN = "uncertain"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    NO_QUOTA = "no_quota"


@dataclass(frozen=True, slots=True)
class Receipt:
    """`retry_after` in seconds when the provider named it. `provider_ids` are the sent messages' ids. `error` is short
    and free of message text and addresses. `billed` is how many messages the provider will charge for."""

    outcome: Outcome
    provider_ids: tuple[str, ...] = ()
    error: str = ""
    retry_after: float | None = None
    billed: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one address. `request_id` is a UUID and the provider's retry key: the same one for every attempt.
    With a living `reply_token` the message is sent as a (free) reply, otherwise as a push."""

    user_id: str
    message: Message
    request_id: str
    reply_token: str | None = None


@dataclass(frozen=True, slots=True)
class StaffAct:
    """Something that staff did in the messenger they live in. `who` is their address, `name` what they are called there;
    `trigger` opens a form for them within seconds, `reply` (a reply token) changes the message that was pressed; `fields` are what such a form holds."""

    what: str
    who: str
    value: str = ""
    name: str = ""
    trigger: str = ""
    reply: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parted:
    """A workspace sent us away."""

    workspace: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reception:
    """A webhook that was genuine and could be read. `ignored` are names of events that we accept and do not use, `gone`
    workspaces that sent us away, `back` addresses that may take messages again, `answer` (JSON) what the provider wants to
    hear at once."""

    inbound: tuple[Inbound, ...]
    ignored: tuple[str, ...] = ()
    staff: tuple[StaffAct, ...] = ()
    gone: tuple[Parted, ...] = ()
    back: tuple[str, ...] = ()
    answer: str = ""


class Forged(Exception):
    """The signature is missing or wrong: answer 401 and keep nothing."""


class Malformed(Exception):
    """Signed by the provider but not readable: answer 400 and keep nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`many` is the most addresses of one send_many call; 1 when the channel has none. `rate` is calls a second: see Paced.
    `keyed`: the provider knows a request_id again, so a push that may have arrived can be repeated without harm.
    `reply_once`: it takes a reply token only once, so the same holds for a reply. `gap` is seconds between messages to one
    address."""

    many: int
    rate: int
    keyed: bool = True
    reply_once: bool = True
    gap: float = 0.0


class NotTold(Exception):
    """The provider did not answer, or not as documented: ask again later."""


@runtime_checkable
class KnowsNames(Protocol):
    """A channel that can tell what its users call themselves."""

    def name_of(self, user_id: str) -> str | None:
        """One call. None when there is no such user to us. Raises NotTold."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """Billed messages of this month. `limit` None: no end is set."""

    used: int
    limit: int | None


@runtime_checkable
class TellsAllowance(Protocol):
    """A channel whose provider counts what it bills."""

    def allowance(self) -> Allowance:
        """As the provider has it now. Raises NotTold."""
        ...


class Channel(Protocol):
    """A way out to a provider. Every method of a channel may be called from many threads at once."""

    name: str
    limits: Limits

    def send(self, delivery: Delivery) -> Receipt:
        """One attempt. Never raises for anything the network or the provider does."""
        ...


@runtime_checkable
class Receives(Protocol):
    """A channel that has an address of its own to be told things at."""

    def receive(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Reception:
        """Checks the signature on the raw bytes first. Raises Forged or Malformed."""
        ...


@runtime_checkable
class SendsToMany(Protocol):
    """A channel whose `limits.many` is more than 1."""

    def send_many(self, user_ids: Sequence[str], message: Message, request_id: str) -> Receipt:
        """The same message to at most `limits.many` addresses, one attempt, one retry key."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A channel that may be spoken to only so fast."""

    def full(self) -> bool:
        """Whether what nobody waits for had better wait itself, just now."""
        ...


@runtime_checkable
class Belongs(Protocol):
    """Something that is at home in one workspace."""

    def workspace(self, *, anew: bool = False) -> str | None:
        """Its id, None for nowhere. Asks the provider the first time, and when it is to be known `anew`. Raises NotTold."""
        ...


@runtime_checkable
class Acquainted(Protocol):
    """A channel that can be asked who somebody is."""

    def introduce(self, user_id: str) -> Introduced | None:
        """One call to the provider. None when it does not answer; never raises for anything that it does."""
        ...
