"""What staff must look at. Nothing here ever reaches a patient."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Alert

HUMAN = "human"
"""The patient asked for a person."""

PHONE = "phone"
"""A message that mattered did not arrive: phone this patient."""

BROKEN = "broken"
"""An event of this patient could not be handled: look at the conversation."""


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
    }
    tx.execute(db.insert(Alert).on_conflict_do_nothing(index_elements=["dedupe_key"]), row)
