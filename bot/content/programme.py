"""programme.toml: the rules of the weeks after the first screening. Every number is content and names its source."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.content.basis import Strict, Wording

SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Setbacks(Strict):
    """After `sessions` worse sessions in a row, or soreness that lasts, pressing stops for `rest_days` and comes back with
    the hands only. The stop number `most` within `within_days` leads to a doctor; older stops no longer count."""

    sessions: int = Field(ge=1, le=5)
    rest_days: int = Field(ge=1, le=14)
    most: int = Field(ge=2, le=5)
    within_days: int = Field(ge=14, le=365)
    source: SourceId


class Trend(Strict):
    """Pain (0-10) of the last `span_days`, as a median, against that of the first. Better: `points` lower, or lower by
    `percent` of the first. Worse: `points` higher. Looked at from `same_days` on for better and the same, from
    `worse_days` on for worse."""

    span_days: int = Field(ge=3, le=14)
    points: int = Field(ge=1, le=5)
    percent: int = Field(ge=10, le=90)
    same_days: int = Field(ge=7, le=60)
    worse_days: int = Field(ge=14, le=90)
    source: SourceId


class Programme(Strict):
    """programme.toml. `resting` is said before the movements without pressure while pressing is stopped."""

    setbacks: Setbacks
    trend: Trend
    resting: Wording
