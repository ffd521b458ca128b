"""The check-ups that a patient has answered, as they can read them."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.engine import advice
from bot.store import codec
from bot.store.tables import Measure
from bot.web.care.visit import Visit

PEG, CHANGE = "peg", "change"


@dataclass(frozen=True, slots=True)
class Measured:
    """`peg` are days with the mean of the three numbers (0-10), `changes` days with the words chosen; oldest first. `all`
    has every check-up with each question and answer."""

    peg: tuple[tuple[str, str], ...]
    changes: tuple[tuple[str, str], ...]
    all: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def measured(tx: Connection, visit: Visit) -> Measured:
    """Empty for somebody who was not asked yet."""
    query = select(Measure.kind, Measure.answers, Measure.at).where(Measure.contact_id == visit.contact_id)
    rows = [
        (row.kind, codec.words_from(row.answers), visit.day(row.at)) for row in tx.execute(query.order_by(Measure.id))
    ]
    in_words = [(kind, advice.in_words(visit.draft, answers), day) for kind, answers, day in rows]
    numbers = [
        (day, [int(value) for value in answers.values() if value.isdigit()])
        for kind, answers, day in rows
        if kind == PEG
    ]
    return Measured(
        tuple((day, f"{sum(found) / len(found):.1f}") for day, found in numbers if found),
        tuple((day, answer) for kind, answers, day in in_words if kind == CHANGE for _, answer in answers),
        tuple((day, answers) for _, answers, day in in_words),
    )
