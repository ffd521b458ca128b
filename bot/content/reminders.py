"""reminders.toml: when reminders come, and what is said of them."""

from collections.abc import Mapping
from datetime import time
from typing import Literal, Self, get_args
from zoneinfo import available_timezones

from pydantic import Field, model_validator

from bot.content.basis import Strict, Wording
from bot.content.rules import QuietHours


class Moment(Strict):
    """A part of the day that a reminder can be tied to, and the time that stands for it."""

    id: Literal["after_waking", "noon", "after_bath", "before_sleep"]
    label: Wording
    at: time


class Place(Strict):
    """A time zone (IANA) by the place that people know it by."""

    zone: str
    label: Wording

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if self.zone not in available_timezones():
            raise ValueError(f"{self.zone} is no time zone")
        return self


ReminderLabel = Literal[
    "pick", "change", "days", "minutes", "skip", "did", "pause", "stop", "again", "keep", "morning", "evening", "noon", "midnight"
]  # fmt: skip
"""The buttons of reminders. `minutes` and the four parts of the day have a `{...}` for the number or the time."""


class Reminders(Strict):
    """reminders.toml. No reminder comes from `quiet_from` until before `quiet_until`, local time; one that is later than
    `useful_minutes` is skipped; none comes within `talk_minutes` of a question that waits. After `patience` of them in a
    row without an answer they become fewer. `prompts` are the wordings of a reminder, `fewer` and `goodbye` those of what
    silence leads to: one a day in turn, the same for everybody. `{...}` are filled in by the engine: `time`, `days` (as said), `date`, `day`, `minutes`."""

    quiet_from: time
    quiet_until: time
    useful_minutes: int = Field(ge=10, le=600)
    talk_minutes: int = Field(ge=1, le=240)
    patience: int = Field(ge=2, le=14)
    moments: tuple[Moment, ...] = Field(min_length=1, max_length=4)
    places: tuple[Place, ...] = Field(max_length=11)
    title: Wording
    prompts: tuple[Wording, ...] = Field(min_length=8)
    ask: Wording
    ask_days: Wording
    which: Wording
    quiet: Wording
    set: Wording
    next: Wording
    fewer_now: Wording
    held: Wording
    none: Wording
    not_while_locked: Wording
    snoozed: Wording
    snoozed_late: Wording
    rested: Wording
    paused: Wording
    stopped: Wording
    kept: Wording
    fewer: tuple[Wording, ...] = Field(min_length=8)
    goodbye: tuple[Wording, ...] = Field(min_length=8)
    place_label: Wording
    ask_place: Wording
    moved: Wording
    daily: Wording
    weekdays: Wording
    weekends: Wording
    labels: Mapping[ReminderLabel, Wording]

    @property
    def quiet_hours(self) -> QuietHours:
        """As the rules of reminders take them."""
        return QuietHours(self.quiet_from, self.quiet_until)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for moment in self.moments:
            if self.quiet_hours.hold(moment.at):
                raise ValueError(f"{moment.id} lies in the quiet hours")
        if missing := set(get_args(ReminderLabel)) - set(self.labels):
            raise ValueError(f"labels lack {', '.join(sorted(missing))}")
        return self
