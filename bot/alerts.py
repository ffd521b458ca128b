"""What staff must look at. Nothing here ever reaches a patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, assert_never

from sqlalchemy import Connection, Row, select, update

from bot import audit
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Alert

HUMAN = "human"
"""The patient asked for a person."""

PHONE = "phone"
"""A message that mattered did not arrive: phone this patient."""

BROKEN = "broken"
"""An event of this patient could not be handled: look at the conversation."""


NOTE_MAX = 2000
"""Characters of what staff note about an alert."""


class Step(StrEnum):
    """What staff did about an alert, each once. Whoever calls or resolves has seen it."""

    ACKNOWLEDGED = "acknowledged"
    CALLED = "called"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Rung:
    """An alert as it stands, without staff's note and without anything the patient said."""

    id: int
    contact_id: int
    urgency: str
    flags: tuple[str, ...]
    origin: str
    opened_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    called_by: str | None
    called_at: datetime | None
    resolved_by: str | None
    resolved_at: datetime | None


def find(tx: Connection, alert_id: int) -> Rung | None:
    """The alert with that id."""
    row = tx.execute(_RUNG.where(Alert.id == alert_id)).first()
    return None if row is None else _rung(row)


def latest(tx: Connection, most: int, before: int, *, resolved: bool | None) -> Sequence[Rung]:
    """The newest first; those with ids below `before`. `resolved` None: whether or not."""
    query = _RUNG.where(Alert.id < before).order_by(Alert.id.desc()).limit(most)
    if resolved is not None:
        query = query.where(Alert.resolved_at.is_not(None) if resolved else Alert.resolved_at.is_(None))
    return [_rung(row) for row in tx.execute(query)]


_RUNG = select(*(getattr(Alert, field.name) for field in fields(Rung)))


def _rung(row: Row[*tuple[Any, ...]]) -> Rung:
    return Rung(**{**row._mapping, "flags": codec.strings_from(row.flags)})  # noqa: SLF001 - SQLAlchemy's documented way


def take_step(
    tx: Connection,
    now: datetime,
    actor: str,
    alert_id: int,
    step: Step,
    note: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
) -> bool:
    """Whether it was the first time; False also when there is no such alert, or it is resolved. An empty note leaves the
    one that is there. `more` stands in the audit besides."""
    alert = tx.execute(
        select(Alert).with_only_columns(Alert.contact_id, Alert.resolved_at).where(Alert.id == alert_id)
    ).first()
    if alert is None or alert.resolved_at is not None:
        return False
    row = update(Alert).where(Alert.id == alert_id)
    match step:
        case Step.ACKNOWLEDGED:
            done = row.where(Alert.acknowledged_at.is_(None)).values(acknowledged_by=actor, acknowledged_at=now)
        case Step.CALLED:
            done = row.where(Alert.called_at.is_(None)).values(called_by=actor, called_at=now)
        case Step.RESOLVED:
            done = row.values(resolved_by=actor, resolved_at=now)
        case _:
            assert_never(step)
    first = bool(tx.execute(done).rowcount)
    seen = first
    if first and step is not Step.ACKNOWLEDGED:
        unseen = row.where(Alert.acknowledged_at.is_(None))
        seen = bool(tx.execute(unseen.values(acknowledged_by=actor, acknowledged_at=now)).rowcount)
    if seen:  # where staff were called, what called them says so
        tx.execute(row.where(Alert.calls > 0).values(call_at=now))
    if note.strip():
        tx.execute(row.values(note=codec.storable(note.strip()[:NOTE_MAX])))
    if first or note.strip():
        audit.note(tx, now, actor, f"alert_{step.value}", alert.contact_id, {"alert": str(alert_id), **more})
    return first


def open_alert(
    db: Database,
    tx: Connection,
    *,
    contact_id: int,
    urgency: str,
    flags: Sequence[str],
    origin: str,
    dedupe_key: str,
    now: datetime,
) -> None:
    """`urgency` is a Disposition's value or one of the words above. A second alert with the same key is none."""
    row = {
        "contact_id": contact_id,
        "urgency": urgency,
        "flags": codec.strings_json(flags),
        "origin": origin,
        "dedupe_key": dedupe_key,
        "opened_at": now,
        "call_at": now,
    }
    tx.execute(db.insert(Alert).on_conflict_do_nothing(index_elements=["dedupe_key"]), row)
