"""Words that staff put on patients, to find them again and to write to them."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, case, delete, exists, func, literal, select, true, update

from bot import audit
from bot.store.session import Database
from bot.store.tables import Contact, Tag

NAME_MAX = 40


@dataclass(frozen=True, slots=True)
class Counted:
    """A tag, how many carry it, and to how many of those anything can be sent at all."""

    name: str
    people: int
    reachable: int


def normal(name: str) -> str:
    """As it is stored: width and spaces around and doubled make no difference. "" for what cannot be a tag."""
    found = " ".join(unicodedata.normalize("NFKC", name).split())
    return found if 0 < len(found) <= NAME_MAX and found.isprintable() else ""


def counts(tx: Connection) -> Sequence[Counted]:
    """Every tag that anybody carries, by name."""
    reachable = func.sum(case((Contact.reachable, 1), else_=0))
    query = select(Tag.name, func.count(), reachable).join(Contact, Contact.id == Tag.contact_id)
    return [Counted(name, n, int(able)) for name, n, able in tx.execute(query.group_by(Tag.name).order_by(Tag.name))]


def of(tx: Connection, contact_id: int) -> Sequence[str]:
    """Those of one contact, by name."""
    return tx.execute(select(Tag.name).where(Tag.contact_id == contact_id).order_by(Tag.name)).scalars().all()


def put(db: Database, tx: Connection, now: datetime, actor: str, people: Select[int], name: str) -> int:
    """On everybody whom the query names (by contact id); how many did not carry it before."""
    chosen = people.subquery()  # true(): SQLite needs a WHERE before ON CONFLICT
    rows = select(chosen.c[0], literal(name)).where(true())
    added = tx.execute(
        db.insert(Tag)
        .from_select(["contact_id", "name"], rows)
        .on_conflict_do_nothing(index_elements=["contact_id", "name"])
    ).rowcount
    audit.note(tx, now, actor, "tag_put", None, {"people": str(added)})
    return added


def take_off(tx: Connection, now: datetime, actor: str, contact_id: int, name: str) -> None:
    """From one contact."""
    tx.execute(delete(Tag).where(Tag.contact_id == contact_id, Tag.name == name))
    audit.note(tx, now, actor, "tag_taken_off", contact_id, {})


def rename(tx: Connection, now: datetime, actor: str, old: str, new: str) -> None:
    """On everybody; who carries both keeps one."""
    other = select(Tag.contact_id).where(Tag.name == new).subquery()
    both = exists().where(other.c.contact_id == Tag.contact_id)
    if old != new:
        tx.execute(delete(Tag).where(and_(Tag.name == old, both)))
        tx.execute(update(Tag).where(Tag.name == old).values(name=new))
    audit.note(tx, now, actor, "tag_renamed", None, {})


def drop(tx: Connection, now: datetime, actor: str, name: str) -> int:
    """From everybody; from how many."""
    removed = tx.execute(delete(Tag).where(Tag.name == name)).rowcount
    audit.note(tx, now, actor, "tag_dropped", None, {"people": str(removed)})
    return removed
