"""What the bot remembers of one LINE user, for the page's inspector. Looks, never writes."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from bot.simulator.wire import Json, Obj
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Alert, Contact, Inbox, Outbox

ROWS: Final = 8
"""Newest rows shown of each kind."""


class Inspector:
    """Reads the bot's own tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def __call__(self, user_id: str) -> Obj:
        """The answers of the flow under way (else those of the last screening), State, and the newest rows."""
        with self._db.read() as tx:
            contact = tx.execute(
                select(Contact.id, Contact.state).where(Contact.channel == "line", Contact.user_id == user_id)
            ).first()
            if contact is None:
                return {"state": None, "answers": None, "events": [], "deliveries": [], "alerts": []}
            state: Obj = json.loads(codec.state_json(codec.state_from(contact.state)))
            return {
                "state": {key: value for key, value in state.items() if key != "answers"},
                "answers": _answers(state),
                "events": _events(tx, contact.id),
                "deliveries": _deliveries(tx, contact.id),
                "alerts": _alerts(tx, contact.id),
            }


def _answers(state: Obj) -> Json:
    screening = state.get("screening")
    return state.get("answers") or (screening.get("answers") if isinstance(screening, dict) else None)


def _events(tx: Connection, contact_id: int) -> list[Json]:
    query = select(Inbox.kind, Inbox.status, Inbox.event, Inbox.occurred_at).where(Inbox.contact_id == contact_id)
    rows = tx.execute(query.order_by(Inbox.id.desc()).limit(ROWS))
    return [_row(row.status, _event_words(row.kind, row.event), row.occurred_at) for row in rows]


def _event_words(kind: str, event: str | None) -> str:
    """The sample patient's own words and taps: this is never a real patient's screen."""
    told: Obj = json.loads(event) if event is not None else {}
    token = told.get("token")
    if isinstance(token, dict):
        return f"{kind} {token.get('question')} = {token.get('option')}"
    detail = told.get("text") or told.get("command") or told.get("what")
    return f"{kind} {detail}" if detail else kind


def _deliveries(tx: Connection, contact_id: int) -> list[Json]:
    query = select(
        Outbox.status, Outbox.cause, Outbox.billed, Outbox.attempts, Outbox.error, Outbox.done_at, Outbox.created_at
    ).where(Outbox.contact_id == contact_id)
    rows = tx.execute(query.order_by(Outbox.id.desc()).limit(ROWS))
    return [
        _row(
            row.status,
            " · ".join(
                _parts(row.cause, f"billed {row.billed}" if row.billed else "", _tries(row.attempts), row.error)
            ),
            row.done_at or row.created_at,
        )
        for row in rows
    ]


def _alerts(tx: Connection, contact_id: int) -> list[Json]:
    query = select(Alert.urgency, Alert.flags, Alert.origin, Alert.opened_at).where(Alert.contact_id == contact_id)
    rows = tx.execute(query.order_by(Alert.id.desc()).limit(ROWS))
    return [
        {
            "level": row.urgency,
            "what": " · ".join(_parts(", ".join(codec.strings_from(row.flags)), row.origin)),
            "at": row.opened_at.isoformat(),
        }
        for row in rows
    ]


def _row(status: str, what: str, at: datetime) -> Json:
    return {"status": status, "what": what, "at": at.isoformat()}


def _tries(attempts: int) -> str:
    return f"x{attempts}" if attempts > 1 else ""


def _parts(*parts: str) -> Sequence[str]:
    return [part for part in parts if part]
