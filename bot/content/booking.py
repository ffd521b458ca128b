"""The clinic's calendar as clinic.toml begins it (staff change it in the console), and booking.toml: what is said of
appointments."""

from collections.abc import Mapping
from datetime import time
from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from bot.content.basis import Strict, Wording

Mode = Literal["request", "instant", "elsewhere"]
"""request: staff confirm each appointment. instant: a free time is taken at once. elsewhere: only link and phone."""


class Hours(Strict):
    """Local opening hours of one weekday (0 is Monday), `HH:MM`."""

    weekday: int = Field(ge=0, le=6)
    opens: str = Field(pattern=r"^[0-2]\d:[0-5]\d$")
    closes: str = Field(pattern=r"^[0-2]\d:[0-5]\d$")

    @field_validator("opens", "closes")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        time.fromisoformat(value)
        return value

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("it closes before it opens")
        return self


class Calendar(Strict):
    """When an assessment can be had. `hours` empty: the clinic's opening hours. Between two appointments at one seat lie
    `buffer_minutes`. A time can be booked from `notice_hours` ahead up to `horizon_days` from today, and changed or
    cancelled by the patient until `change_hours` before it. `holidays`: open on Japanese national holidays."""

    hours: tuple[Hours, ...] = ()
    slot_minutes: int = Field(default=60, ge=10, le=240)
    buffer_minutes: int = Field(default=0, ge=0, le=120)
    seats: int = Field(default=1, ge=1, le=20)
    notice_hours: int = Field(default=24, ge=0, le=336)
    horizon_days: int = Field(default=28, ge=1, le=120)
    change_hours: int = Field(default=24, ge=0, le=168)
    holidays: bool = False


class Booking(Strict):
    """clinic.toml, [booking]. Local times: the reminder of the day before comes at `day_before_at`, the second one
    `soon_minutes` before the appointment, thanks `after_minutes` after its end. A freed time is held `hold_minutes` for
    each on the waiting list, and offered from `offers_from` until before `offers_until`."""

    mode: Mode = "elsewhere"
    calendar: Calendar = Calendar()
    day_before_at: time = time(18)
    soon_minutes: int = Field(default=120, ge=15, le=360)
    after_minutes: int = Field(default=120, ge=0, le=1440)
    hold_minutes: int = Field(default=15, ge=5, le=120)
    offers_from: time = time(8)
    offers_until: time = time(21)


BookingLabel = Literal[
    "pick_day", "more_days", "pick_date", "other_day", "confirm", "change", "cancel", "cancel_yes", "keep", "ics", "phone", "wish", "share",
    "share_yes", "share_no", "share_stop", "skip", "list", "leave_list", "take", "pass", "list_keep",
]  # fmt: skip
"""The buttons of appointments."""


class BookingWords(Strict):
    """booking.toml. `{...}` are filled in by the engine: `day` 11/24（火）, `time` 14:00, `until` 15:00, `count`, `hours`,
    `minutes`, `phone`, `wish`."""

    title: Wording
    intro: Wording
    note: Wording
    free_day: Wording
    day_full: Wording
    ask_time: Wording
    ask_confirm: Wording
    ask_confirm_request: Wording
    ask_move: Wording
    when: Wording
    requested: Wording
    confirmed: Wording
    moved: Wording
    moved_request: Wording
    mine_requested: Wording
    mine_confirmed: Wording
    extras: Wording
    bring: Wording
    gone: Wording
    full: Wording
    no_other: Wording
    unreadable: Wording
    too_late: Wording
    none: Wording
    ask_cancel: Wording
    cancelled: Wording
    kept: Wording
    ask_phone: Wording
    phone_kept: Wording
    phone_wrong: Wording
    ask_wish: Wording
    wish_kept: Wording
    ask_share: Wording
    shared: Wording
    not_shared: Wording
    skipped: Wording
    listed: Wording
    on_list: Wording
    left_list: Wording
    offer: Wording
    offer_over: Wording
    passed: Wording
    staff_confirmed: Wording
    staff_declined: Wording
    staff_moved: Wording
    staff_cancelled: Wording
    staff_booked: Wording
    day_before: Wording
    soon: Wording
    while_locked: Wording
    stands_while_locked: Wording
    after_doctor: Wording
    stands: Wording
    ends_with_erasure: Wording
    after: Wording
    after_next: Wording
    event: Wording
    event_note: Wording
    labels: Mapping[BookingLabel, Wording]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.labels and (missing := set(get_args(BookingLabel)) - set(self.labels)):
            raise ValueError(f"labels lack {', '.join(sorted(missing))}")
        return self
