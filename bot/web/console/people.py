"""How patients are named on the console, and what staff may read of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.store import codec
from bot.store.tables import Contact
from bot.web.console.visit import masked, say

STAFF = "staff"
"""The consent that lets staff see answers and records (content/flows/consents.toml)."""


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as the console names it. `name` and `phone` are None when nobody told them. `readable`: staff may see
    answers, records and what was said."""

    id: int
    channel: str
    name: str | None
    phone: str | None
    consents: Mapping[str, datetime]
    taken_until: datetime | None = None

    @property
    def readable(self) -> bool:
        return STAFF in self.consents

    @property
    def label(self) -> str:
        """What stands on pages: the name, or a number in the masked mode and for people without one."""
        return say()("people.number", n=self.id) if masked() or not self.name else self.name

    @property
    def call(self) -> str | None:
        """The number to dial, hidden in the masked mode."""
        return None if masked() else self.phone


def person(row: object) -> Person:
    """From a row with the columns of PERSON."""
    found = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's documented way
    return Person(
        found["contact_id"],
        found["channel"],
        found["name"],
        found["phone"],
        codec.times_from(found["consents"]),
    )


PERSON = (Contact.id.label("contact_id"), Contact.channel, Contact.name, Contact.phone, Contact.consents)


def find(tx: Connection, contact_id: int) -> Person | None:
    """The contact with that id."""
    row = tx.execute(select(*PERSON).where(Contact.id == contact_id)).first()
    return None if row is None else person(row)
