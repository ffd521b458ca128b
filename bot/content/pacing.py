"""pacing.toml: how often anybody hears from us without having written first, and what LINE charges for it."""

from datetime import date
from typing import Self, get_args

from pydantic import Field, model_validator

from bot.content.basis import Strict, Wording
from bot.messages import Pushed


class Pace(Strict):
    """One kind of message: pushed only while fewer than `a_day` messages of any kind were pushed to that person on that
    local day. It waits up to `wait_minutes` for something to go along with. Beyond its day it `moves` to the next, or is
    skipped."""

    id: Pushed
    a_day: int = Field(ge=1, le=5)
    wait_minutes: int = Field(ge=0, le=1440)
    moves: bool
    why: Wording


class Plan(Strict):
    """What LINE charges: `yen` a month with `messages` in it, then at most `more_yen` a message; None: no more are sent."""

    id: str
    label: Wording
    yen: int = Field(ge=0)
    messages: int = Field(ge=0)
    more_yen: float | None = Field(default=None, gt=0)
    source: str = Field(min_length=1)
    checked_on: date
    review_by: date

    def cost(self, pushes: int) -> float | None:
        """Yen for a month with so many pushed messages, without tax; None: the plan does not carry them."""
        beyond = max(0, pushes - self.messages)
        if beyond and self.more_yen is None:
            return None
        return self.yen + beyond * (self.more_yen or 0)


class Pacing(Strict):
    """pacing.toml. `kind` holds every kind once, the most important first: a kind further down never has more of a day
    than one further up."""

    together_minutes: int = Field(ge=0, le=180)
    kind: tuple[Pace, ...]
    plan: tuple[Plan, ...] = Field(min_length=1)

    def of(self, kind: Pushed) -> Pace:
        """The rules of that kind."""
        return next(pace for pace in self.kind if pace.id == kind)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        ids = [pace.id for pace in self.kind]
        if sorted(ids) != sorted(get_args(Pushed)):
            raise ValueError(f"each of {', '.join(get_args(Pushed))} must be there once")
        shares = [pace.a_day for pace in self.kind]
        if shares != sorted(shares, reverse=True):
            raise ValueError("a kind has more of the day than one that is more important")
        return self
