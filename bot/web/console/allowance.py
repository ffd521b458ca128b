"""How much of the month's messages is used up, what it comes to by the month's end, and what that costs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import quota
from bot.channels.base import Allowance, NotTold, TellsAllowance
from bot.content.pacing import Plan
from bot.runtime import Runtime
from bot.web.console.figures import Reading

FRESH = timedelta(minutes=5)
REST = timedelta(minutes=1)
"""After a failure: a page must not wait for a provider that is away each time."""


@dataclass(frozen=True, slots=True)
class Month:
    """`limit` None: no end is set. `by_end` is an estimate from the last week's pace. `plan` is the one of LINE's that carries
    so many messages, `cost` what the month comes to in yen; None when it does not carry `by_end`."""

    used: int
    limit: int | None
    by_end: int
    plan: Plan
    cost: float | None

    @property
    def short(self) -> bool:
        """Whether the month ends before its messages do."""
        return self.limit is not None and self.by_end > self.limit


class Meter:
    """Asks the provider, and remembers the answer for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[datetime, Allowance] | None = None
        self._failed: datetime | None = None

    def read(self, runtime: Runtime) -> Allowance | None:
        """None when no channel counts its messages. Raises NotTold."""
        able = [one for one in runtime.channels.values() if isinstance(one, TellsAllowance)]
        if not able:
            return None
        now = runtime.now()
        with self._lock:
            if self._known is None or not timedelta() <= now - self._known[0] < FRESH:
                if self._failed is not None and timedelta() <= now - self._failed < REST:
                    raise NotTold("lately")
                try:
                    self._known = (now, able[0].allowance())
                except NotTold:
                    self._known, self._failed = None, now
                    raise
            return self._known[1]


def read(runtime: Runtime, meter: Meter, look: Callable[[], Connection]) -> Reading[Month | None]:
    """What the provider says, never our own count in its place."""
    try:
        told = meter.read(runtime)
    except NotTold:
        return Reading(None, failed=True)
    return Reading(None if told is None else _reckoned(runtime, look(), told))


def _reckoned(runtime: Runtime, look: Connection, told: Allowance) -> Month:
    """What is to come by our own pace, on top of what the provider counted (staff may send from elsewhere, too)."""
    own = quota.month(look, runtime.content, runtime.now())
    by_end = told.used + own.expected - own.billed
    plans = runtime.content.pacing.plan
    plan = next((one for one in plans if one.messages == told.limit), None)
    plan = plan or next((one for one in plans if told.limit is not None and one.messages >= told.limit), plans[-1])
    return Month(told.used, told.limit, by_end, plan, plan.cost(by_end))
