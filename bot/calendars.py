"""The clinic's calendar as it stands: clinic.toml's until staff set their own, days that are different, and what the clinic's
other calendar says is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, insert, select, update

from bot.content.booking import Calendar
from bot.content.model import Content
from bot.slots import Days, Span, Wall
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import ClinicCalendar, SpecialDay

STALE = timedelta(minutes=30)
"""Nothing is offered once the other calendar could not be read for so long: it is read every five minutes."""


@dataclass(frozen=True, slots=True)
class Other:
    """The clinic's other calendar: "" is none. `read_at` None: never yet. `error`: why the last reading failed."""

    url: str = ""
    read_at: datetime | None = None
    tried_at: datetime | None = None
    error: str = ""

    def readable(self, now: datetime) -> bool:
        """Whether what is taken there is known well enough to offer anything."""
        return not self.url or (self.read_at is not None and now - self.read_at < STALE)


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything about when the clinic is open. `own`: staff have set it."""

    days: Days
    other: Other
    own: bool


def standing(tx: Connection, content: Content) -> Standing:
    """As of now, in this transaction."""
    row = tx.execute(select(ClinicCalendar.__table__)).first()
    calendar = codec.calendar_from(row.calendar) if row and row.calendar else content.clinic.booking.calendar
    if not calendar.hours:
        calendar = calendar.model_copy(update={"hours": content.clinic.hours})
    special = {
        date.fromisoformat(day): _walls(codec.pairs_from(hours))
        for day, hours in tx.execute(select(SpecialDay.day, SpecialDay.hours))
    }
    busy = tuple(Span(starts, ends) for starts, ends in codec.spans_from(row.busy)) if row and row.busy_url else ()
    other = Other(row.busy_url, row.busy_at, row.busy_tried_at, row.busy_error) if row else Other()
    return Standing(Days(calendar, zone(content), special, busy), other, bool(row and row.calendar))


def zone(content: Content) -> ZoneInfo:
    """The clinic's."""
    return ZoneInfo(content.clinic.time_zone)


def set_calendar(db: Database, tx: Connection, calendar: Calendar | None) -> None:
    """None: clinic.toml's again."""
    _ensure(db, tx)
    text = codec.calendar_json(calendar) if calendar else None
    tx.execute(update(ClinicCalendar).values(calendar=text))


def set_other(db: Database, tx: Connection, url: str) -> None:
    """ "" for none. What was read from another address is forgotten."""
    _ensure(db, tx)
    fresh = {"busy_url": url, "busy": codec.spans_json(()), "busy_at": None, "busy_tried_at": None, "busy_error": ""}
    tx.execute(update(ClinicCalendar).where(ClinicCalendar.busy_url != url).values(**fresh))


def note_busy(tx: Connection, url: str, spans: Sequence[Span], now: datetime) -> None:
    """What the other calendar said just now - if it is still the one that staff set."""
    values = {"busy": codec.spans_json([(s.starts, s.ends) for s in spans]), "busy_at": now, "busy_tried_at": now}
    tx.execute(update(ClinicCalendar).where(ClinicCalendar.busy_url == url).values(**values, busy_error=""))


def note_unreadable(tx: Connection, url: str, error: str, now: datetime) -> None:
    """It could not be read. What was known stays until it is too old."""
    mine = update(ClinicCalendar).where(ClinicCalendar.busy_url == url)
    tx.execute(mine.values(busy_tried_at=now, busy_error=error))


def specials(tx: Connection) -> Mapping[date, tuple[tuple[Wall, ...], str]]:
    """The days that are different, in their order, with the notes of staff."""
    rows = tx.execute(select(SpecialDay.day, SpecialDay.hours, SpecialDay.note).order_by(SpecialDay.day))
    return {date.fromisoformat(day): (_walls(codec.pairs_from(hours)), note) for day, hours, note in rows}


def set_special(tx: Connection, day: date, hours: Sequence[Wall], note: str) -> None:
    """No hours: closed on that day."""
    drop_special(tx, day)
    pairs = [(opens.strftime("%H:%M"), closes.strftime("%H:%M")) for opens, closes in hours]
    tx.execute(insert(SpecialDay), {"day": day.isoformat(), "hours": codec.pairs_json(pairs), "note": note})


def drop_special(tx: Connection, day: date) -> None:
    """The day is as its weekday again."""
    tx.execute(delete(SpecialDay).where(SpecialDay.day == day.isoformat()))


def _ensure(db: Database, tx: Connection) -> None:
    tx.execute(db.insert(ClinicCalendar).on_conflict_do_nothing(index_elements=["id"]), {"id": 1})


def _walls(pairs: Sequence[tuple[str, str]]) -> tuple[Wall, ...]:
    return tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in pairs)
