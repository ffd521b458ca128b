"""What the engine may know of appointments, and what it can want done about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Standing = Literal["held", "requested", "confirmed"]
"""held: kept for a while for somebody on the waiting list. requested: staff have not confirmed it yet."""

Ending = Literal["cancelled", "declined", "lapsed", "no_show"]

Part = Literal["phone", "wish"]
"""What a patient may add to an appointment in their own words."""


@dataclass(frozen=True, slots=True)
class Free:
    """A time that can be booked now (aware UTC)."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Appointment:
    """One that stands and is not over. `held_until` is set with `held` alone."""

    id: int
    starts_at: datetime
    ends_at: datetime
    status: Standing
    held_until: datetime | None = None
    shared: bool = False
    wish: str = ""


@dataclass(frozen=True, slots=True)
class Diary:
    """The clinic's calendar as one patient may see it: free times and their own appointments, the earliest first. `past`:
    those of the last days that took place, as far as anybody knows.
    `readable`: False when what is taken elsewhere cannot be known, and so nothing is free. `wanted`: whether the time that
    staff chose by hand has a seat."""

    free: tuple[Free, ...]
    mine: tuple[Appointment, ...]
    on_list: bool
    readable: bool
    change_hours: int
    has_phone: bool
    wanted: bool = False
    past: tuple[Appointment, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """The next text is about this appointment."""

    what: Part
    booking: int
    since: datetime


# --- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Book:
    """A time that the diary calls free becomes the patient's. `by` is who wanted it."""

    starts_at: datetime
    ends_at: datetime
    status: Standing
    by: str = "patient"


@dataclass(frozen=True, slots=True)
class MoveBooking:
    """The appointment gets another time, which the diary calls free."""

    booking: int
    starts_at: datetime
    ends_at: datetime
    status: Standing
    by: str = "patient"


@dataclass(frozen=True, slots=True)
class SettleBooking:
    """The appointment is decided, or over."""

    booking: int
    status: Standing | Ending
    by: str = "patient"


@dataclass(frozen=True, slots=True)
class NoteBooking:
    """What the therapist should know. None: as before."""

    booking: int
    wish: str | None = None
    shared: bool | None = None


@dataclass(frozen=True, slots=True)
class KeepPhone:
    """Where the patient can be called."""

    number: str


@dataclass(frozen=True, slots=True)
class JoinList:
    """The patient wants the next time that becomes free."""


@dataclass(frozen=True, slots=True)
class LeaveList:
    """No more of that."""


@dataclass(frozen=True, slots=True)
class LogNudge:
    """The assessment was pointed out by this rule of nudges.toml."""

    rule: str


@dataclass(frozen=True, slots=True)
class SettleNudge:
    """What came of the one shown last."""

    outcome: Literal["dismissed", "opened", "booked"]


BookingEffect = (
    Book | MoveBooking | SettleBooking | NoteBooking | KeepPhone | JoinList | LeaveList | LogNudge | SettleNudge
)
