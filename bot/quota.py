"""What was pushed this month and will be, what was left out, and what is held: the figures behind /metrics and `flask doctor`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from bot import gate
from bot.config import Settings
from bot.content.model import Content
from bot.content.pacing import Plan
from bot.store.tables import OUTBOX, OutboxStatus, told

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Month:
    """Pushes that LINE bills: so far in the calendar month of the clinic's zone, and by its end if the days to come are like
    the last seven. `plan` is the cheapest that carries them; None: none does."""

    billed: int
    expected: int
    plan: Plan | None


def month(look: Connection, content: Content, now: datetime) -> Month:
    """As of `now`."""
    local = now.astimezone(ZoneInfo(content.clinic.time_zone))
    began = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = (began + timedelta(days=32)).replace(day=1)
    billed, week = _billed(look, began), _billed(look, now - WEEK)
    expected = billed + round(week * ((ends - local) / WEEK))
    costs = [(cost, plan.messages, plan) for plan in content.pacing.plan if (cost := plan.cost(expected)) is not None]
    return Month(billed, expected, min(costs, key=lambda one: one[:2])[2] if costs else None)


def _billed(look: Connection, since: datetime) -> int:
    query = select(func.coalesce(func.sum(OUTBOX.c.billed), 0)).where(told(), OUTBOX.c.done_at >= since)
    found: int = look.execute(query.where(OUTBOX.c.channel == "line")).scalar_one()
    return found


def left_out(look: Connection, since: datetime) -> Mapping[tuple[str, str], int]:
    """How many messages were skipped since then, by kind ("" for an answer) and reason."""
    query = select(OUTBOX.c.kind, OUTBOX.c.error, func.count()).where(told(), OUTBOX.c.done_at >= since)
    rows = look.execute(query.where(OUTBOX.c.status == OutboxStatus.SKIPPED).group_by(OUTBOX.c.kind, OUTBOX.c.error))
    return {(kind or "", reason): count for kind, reason, count in rows}


def held(look: Connection, settings: Settings, now: datetime) -> Mapping[str, int]:
    """How many messages wait before the send gate, and for the provider's allowance."""
    without = select(func.count()).select_from(OUTBOX).where(OUTBOX.c.status == OutboxStatus.HELD)
    opened = gate.current(look, settings).value
    return {
        "gate": 0 if opened == "on" else gate.held(look, opened, now),
        "allowance": look.execute(without).scalar_one(),
    }
