"""programme.toml: the rules of the weeks after the first screening. Every number is content and names its source."""

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.content.basis import Strict, Wording

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]

Factor = Literal["load", "lifestyle", "posture", "surroundings", "stress_sleep"]
"""The article's five: load against resilience; life, job and training; posture and movement habits; tools and
surroundings; stress and sleep."""


class Setbacks(Strict):
    """After `sessions` worse sessions in a row, or soreness that lasts, pressing stops for `rest_days` and comes back with
    the hands only. The stop number `most` within `within_days` leads to a doctor; older stops no longer count."""

    sessions: int = Field(ge=1, le=5)
    rest_days: int = Field(ge=1, le=14)
    most: int = Field(ge=2, le=5)
    within_days: int = Field(ge=14, le=365)
    source: Name


class Trend(Strict):
    """Pain (0-10) of the last `span_days`, as a median, against that of the first. Better: `points` lower, or lower by
    `percent` of the first. Worse: `points` higher. Looked at from `same_days` on for better and the same, from
    `worse_days` on for worse."""

    span_days: int = Field(ge=3, le=14)
    points: int = Field(ge=1, le=5)
    percent: int = Field(ge=10, le=90)
    same_days: int = Field(ge=7, le=60)
    worse_days: int = Field(ge=14, le=90)
    source: Name


class Ladder(Strict):
    """Exercises after the massage: level 2 from `sessions`[0] finished routines on, level 3 from `sessions`[1] on, as long as
    today's pain is at most `pain_at_most` and nothing went badly lately; else level 1. Once the factors are known the `most`
    that suit them best are shown."""

    sessions: tuple[int, int]
    pain_at_most: int = Field(ge=0, le=7)
    most: int = Field(ge=1, le=4)
    source: Name


class Checkup(Strict):
    """A short flow that is entered while the patient is here: on the first visit after each of `days` since the first
    routine, and then every `every_days` (None: no more). `only_same`: only when pain has not changed."""

    id: Name
    flow: Name
    days: tuple[int, ...] = Field(min_length=1)
    every_days: int | None = Field(default=None, ge=7)
    only_same: bool = False
    source: Name


class Weekly(Strict):
    """The summary of the week, at `at` local time. After `patience` in a row without a word from the patient it ends.
    `openings` are its first words, a week each in turn. `{...}` are filled in: `week`, `streak`, `pain` numbers, `day`."""

    at: time
    patience: int = Field(ge=2, le=8)
    title: Wording
    openings: tuple[Wording, ...] = Field(min_length=8)
    counts: Wording
    quiet: Wording
    pain: Wording
    last: Wording
    chart: Wording
    ask: Wording
    set: Wording
    stopped: Wording
    label: Wording
    change_label: Wording
    stop_label: Wording


class Programme(Strict):
    """programme.toml. `resting` is said before the movements without pressure while pressing is stopped. What is written
    within `note_minutes` of a session's end is a note on it; a tip comes at most every `tip_days`."""

    setbacks: Setbacks
    trend: Trend
    ladder: Ladder
    checkup: tuple[Checkup, ...]
    weekly: Weekly
    resting: Wording
    noted: Wording
    note_minutes: int = Field(ge=5, le=240)
    tip_days: int = Field(ge=1, le=30)
