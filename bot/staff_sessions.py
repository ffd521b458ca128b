"""Who is signed in. A session is a row: ending it here ends it everywhere, at once."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select, update

from bot import staff
from bot.staff import Account
from bot.store.tables import Staff, StaffSession

IDLE = timedelta(minutes=60)
"""Without a click for so long a session ends: a desk at a reception is left alone at times."""

LONGEST = timedelta(hours=12)
"""A working day."""

SEEN_EVERY = timedelta(minutes=1)
"""How exactly clicks are remembered."""

KEPT = timedelta(days=30)


def begin(tx: Connection, staff_id: int, now: datetime) -> str:
    """The new session's key, which only the browser keeps."""
    key = secrets.token_urlsafe(32)
    tx.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.seen_at < now - KEPT))
    tx.execute(insert(StaffSession).values(staff_id=staff_id, key_hash=_hashed(key), begun_at=now, seen_at=now))
    return key


def owner(tx: Connection, key: str, now: datetime) -> Account | None:
    """Whose session it is, while it lasts."""
    row = tx.execute(
        select(StaffSession.staff_id)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.key_hash == _hashed(key),
            StaffSession.ended_at.is_(None),
            StaffSession.seen_at > now - IDLE,
            StaffSession.begun_at > now - LONGEST,
            Staff.active,
        )
    ).first()
    return None if row is None else staff.find(tx, row.staff_id)


def touch(tx: Connection, key: str, now: datetime) -> None:
    """A click: the idle time begins anew."""
    row = update(StaffSession).where(StaffSession.key_hash == _hashed(key), StaffSession.ended_at.is_(None))
    tx.execute(row.values(seen_at=now))


def is_stale(tx: Connection, key: str, now: datetime) -> bool:
    """Whether the last click was noted long enough ago for a new one to be."""
    row = StaffSession.key_hash == _hashed(key), StaffSession.seen_at <= now - SEEN_EVERY
    return tx.execute(select(StaffSession.id).where(*row)).first() is not None


def end(tx: Connection, key: str, now: datetime) -> None:
    """Signed out."""
    row = update(StaffSession).where(StaffSession.key_hash == _hashed(key), StaffSession.ended_at.is_(None))
    tx.execute(row.values(ended_at=now))


def _hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()
