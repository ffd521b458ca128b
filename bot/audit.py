"""Who did what, for ever: rows are added and never changed."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert

from bot.store import codec
from bot.store.tables import Audit


def note(
    tx: Connection, now: datetime, actor: str, action: str, contact_id: int | None, detail: Mapping[str, str]
) -> None:
    """`actor` is "patient", "program" or a staff name. `detail` holds ids, never words or addresses of a patient."""
    row = {"at": now, "actor": actor, "action": action, "contact_id": contact_id, "detail": codec.words_json(detail)}
    tx.execute(insert(Audit), row)
