"""How far people come in the screening: which questions they were asked, so that it can be counted where they leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.engine.nodes import SCREENING
from bot.engine.state import Asking, State
from bot.store.session import Database
from bot.store.tables import Asked


@dataclass(frozen=True, slots=True)
class Step:
    """A question of the screening that a turn asked."""

    contact_id: int
    question: str
    turn: int


def asked(contact_id: int, state: State) -> Step | None:
    """What the turn that left this state asked of a screening; None for anything else. A card that is asked alone sets a
    misreading right and belongs to no screening."""
    match state.waiting:
        case Asking(flow=flow, node=node, turn=turn) if flow == SCREENING and turn == state.turn and not state.alone:
            return Step(contact_id, node, turn)
        case _:
            return None


def keep(db: Database, tx: Connection, steps: Sequence[Step], now: datetime) -> None:
    """One row for each person and question, with the last time it was asked."""
    if not steps:
        return
    row = db.insert(Asked)
    latest = {"turn": row.excluded.turn, "asked_at": row.excluded.asked_at}
    rows = [
        {
            "contact_id": one.contact_id,
            "question": one.question,
            "turn": one.turn,
            "first_at": now,
            "asked_at": now,
        }
        for one in steps
    ]
    tx.execute(row.on_conflict_do_update(index_elements=[Asked.contact_id, Asked.question], set_=latest), rows)
