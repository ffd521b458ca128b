"""What a turn wants done, done in its transaction."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from bot import alerts, audit, bookings, contacts, outbox, pacing, reminders
from bot.engine.state import (
    Effect,
    EndReminder,
    EraseContact,
    FinishSession,
    ForgetText,
    HoldTimed,
    KeepNote,
    PassOver,
    RaiseAlert,
    RecordMeasure,
    RecordScreening,
    RequestHuman,
    SetConsents,
    SetReachable,
    SetReminder,
    SetTaken,
    SnoozeReminder,
    StartSession,
    Turn,
)
from bot.messages import Said
from bot.runtime import Runtime
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Inbox, InboxStatus, Measure, Screening, Session

OF_RECORDS = frozenset(("guidance", "staff"))
"""Consents without which no appointment shows its patient's records."""


def apply(runtime: Runtime, tx: Connection, contact_id: int, turn: Turn, cause: str, now: datetime) -> None:
    """All effects in order; erasing comes last whatever the order. `cause` is unique to the turn."""
    for number, effect in enumerate(turn.effects):
        _apply(runtime, tx, contact_id, effect, f"{cause}:{number}", now)
    if any(isinstance(effect, EraseContact) for effect in turn.effects):
        contacts.erase(tx, contact_id, now, "patient", farewell=cause)


def _apply(runtime: Runtime, tx: Connection, contact_id: int, effect: Effect, key: str, now: datetime) -> None:
    match effect:
        case RaiseAlert(level, flags, origin):
            _alert(runtime.db, tx, contact_id, level.value, flags, origin, key, now)
        case RequestHuman():
            _alert(runtime.db, tx, contact_id, alerts.HUMAN, (), "wish", key, now)
        case HoldTimed():
            outbox.cancel_timed(tx, contact_id, now, "held")
            reminders.hold(tx, contact_id)
        case RecordScreening():
            _record_screening(tx, contact_id, effect, now)
        case StartSession(routine, pain_before):
            row = {"contact_id": contact_id, "routine": routine, "started_at": now, "pain_before": pain_before}
            tx.execute(insert(Session), row)
        case FinishSession(report, pain_after):
            _finish_session(tx, contact_id, report, pain_after, now)
        case KeepNote(text, message_id):
            _keep_note(tx, contact_id, text, message_id)
        case RecordMeasure(kind, answers):
            row = {"contact_id": contact_id, "kind": kind, "answers": codec.words_json(answers), "at": now}
            tx.execute(insert(Measure), row)
        case SetConsents(given, withdrawn):
            detail = {"given": " ".join(given), "withdrawn": " ".join(withdrawn)}
            audit.note(tx, now, "patient", "consents", contact_id, detail)
            if not OF_RECORDS.isdisjoint(withdrawn):
                bookings.end_sharing(tx, contact_id, now)
        case SetReachable(reachable):
            contacts.set_reachable(tx, contact_id, reachable, now)
        case ForgetText(message_id):
            _forget_text(tx, contact_id, message_id, now)
        case SetReminder(kind, rule, next_at):
            reminders.put(tx, contact_id, kind, rule, next_at)
        case SnoozeReminder(kind, until):
            reminders.postpone(tx, contact_id, kind, until)
        case EndReminder(kind):
            reminders.end(tx, contact_id, kind)
        case PassOver(kind, reason):
            pacing.pass_over(tx, contact_id, kind, reason, key, now)
        case SetTaken(taken):
            contacts.set_taken(tx, contact_id, taken)
        case EraseContact():
            pass  # last, see apply
        case _:
            bookings.apply(runtime, tx, contact_id, effect, now)


def _alert(
    db: Database,
    tx: Connection,
    contact_id: int,
    urgency: str,
    flags: tuple[str, ...],
    origin: str,
    key: str,
    now: datetime,
) -> None:
    alerts.open_alert(
        db, tx, contact_id=contact_id, urgency=urgency, flags=flags, origin=origin, dedupe_key=key, now=now
    )


def _record_screening(tx: Connection, contact_id: int, result: RecordScreening, now: datetime) -> None:
    row = {
        "contact_id": contact_id,
        "content_version": result.content_version,
        "answers": codec.words_json(result.answers),
        "outcome": result.outcome.value,
        "flags": codec.strings_json(result.flags),
        "finished_at": now,
    }
    tx.execute(insert(Screening), row)


def _finish_session(tx: Connection, contact_id: int, report: str, pain_after: int | None, now: datetime) -> None:
    values = {"finished_at": now, "report": report, "pain_after": pain_after}
    begun_last = select(Session.id).where(Session.contact_id == contact_id, Session.finished_at.is_(None))
    session_id = tx.execute(begun_last.order_by(Session.id.desc()).limit(1)).scalar()
    if session_id is None:
        tx.execute(insert(Session), {"contact_id": contact_id, **values})
    else:
        tx.execute(update(Session).where(Session.id == session_id).values(**values))


def _keep_note(tx: Connection, contact_id: int, text: str, message_id: str) -> None:
    """With the session that ended last."""
    last = select(func.max(Session.id)).where(Session.contact_id == contact_id, Session.finished_at.is_not(None))
    mine = update(Session).where(Session.id == last.scalar_subquery())
    tx.execute(mine.values(note=text, note_message_id=message_id or None))


def _forget_text(tx: Connection, contact_id: int, message_id: str, now: datetime) -> None:
    said = (Inbox.contact_id == contact_id, Inbox.message_id == message_id, Inbox.kind == "said")
    tx.execute(update(Inbox).where(*said).values(event=codec.event_json(Said("", message_id))))
    note = update(Session).where(Session.contact_id == contact_id, Session.note_message_id == message_id)
    tx.execute(note.values(note=None))
    waiting = update(Inbox).where(*said, Inbox.status == InboxStatus.WAITING)
    tx.execute(waiting.values(status=InboxStatus.WITHDRAWN, done_at=now))
