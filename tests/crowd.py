"""Many contacts at once, as the conversation would have left them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from bot.engine.state import Lock, Screening, State
from bot.messages import Disposition, Locale
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Contact
from tests.world import START


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody who agreed to tips, unless it says otherwise."""

    consent: bool = True
    flagged: bool = False
    reachable: bool = True
    taken: bool = False
    locale: Locale = "ja"
    channel: str = "line"
    seen_at: datetime = START
    outcome: Disposition | None = None


def add(db: Database, patients: Sequence[Patient]) -> list[int]:
    """Their contact ids, in the order of `patients`. Their addresses are U1, U2 and so on, by id."""
    with db.write() as tx:
        last = tx.execute(select(Contact.id).order_by(Contact.id.desc()).limit(1)).scalar() or 0
        tx.execute(insert(Contact), [_row(one, last + n) for n, one in enumerate(patients, 1)])
        return list(tx.execute(select(Contact.id).where(Contact.id > last).order_by(Contact.id)).scalars())


def _row(one: Patient, number: int) -> dict[str, object]:
    consents = {"guidance": START, **({"tips": START} if one.consent else {})}
    screening = Screening(one.outcome, (), {}, START, "v") if one.outcome else None
    state = State(locale=one.locale, consents=consents, lock=lock() if one.flagged else None, screening=screening)
    return {
        "channel": one.channel,
        "user_id": f"U{number}",
        "locale": one.locale,
        "reachable": one.reachable,
        "taken_until": START + timedelta(hours=2) if one.taken else None,
        "consents": codec.times_json(consents),
        "state": codec.state_json(state),
        "created_at": START,
        "seen_at": one.seen_at,
    }


def lock() -> Lock:
    """What an urgent answer leaves."""
    return Lock(Disposition.URGENT, ("fever",), "urgent", START, "answers")
