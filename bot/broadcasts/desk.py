"""What staff does with broadcasts: the one interface of the pages, the API and the chat. Everything that changes something is
allowed or not by the role, done in one transaction, and stands in the audit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, not_, select, update

from bot import access, audience, audit, outbox, taps
from bot.access import Action, Role
from bot.audience import Audience, Count
from bot.broadcasts import expand, results
from bot.broadcasts.letter import Bilingual, Problem, problems
from bot.broadcasts.moves import Move, make
from bot.broadcasts.quota import LINE, Quota, Unlimited, Unreadable, ask, carries
from bot.broadcasts.results import Broadcast
from bot.broadcasts.trouble import STAFF
from bot.content import wording
from bot.messages import Priority
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import BROADCAST, CONTACT, BroadcastStatus, Outbox, OutboxStatus

TITLE_MOST = 100


@dataclass(frozen=True, slots=True)
class Actor:
    """Who of the staff does it: the name that the audit keeps. `token`: the id of the one with which a program does it for
    them."""

    name: str
    role: Role
    token: int | None = None

    @property
    def by_token(self) -> Mapping[str, str]:
        """What the audit says besides when a program did it."""
        return {} if self.token is None else {"token": str(self.token)}


@dataclass(frozen=True, slots=True)
class Draft:
    """What can be changed until it starts. `title` is for staff only."""

    title: str
    letter: Bilingual
    audience: Audience


class Refusal(StrEnum):
    """Why nothing was done."""

    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"
    NOT_NOW = "not_now"
    UNTITLED = "untitled"
    FAULTY = "faulty"
    WRONG_NUMBER = "wrong_number"
    NOBODY = "nobody"
    NOT_APPROVED = "not_approved"
    OWN_WORK = "own_work"
    PAST = "past"
    AT_NIGHT = "at_night"
    NO_QUOTA = "no_quota"
    QUOTA_UNREADABLE = "quota_unreadable"
    NOT_FOR_TESTS = "not_for_tests"


def create(runtime: Runtime, actor: Actor, draft: Draft) -> int | Refusal:
    """The id of a new draft. It may have flaws; they keep it from being started."""
    if (refusal := _refused(actor, Action.BROADCAST, draft)) is not None:
        return refusal
    now = runtime.now()
    with runtime.db.write() as tx:
        row = {**_row(draft), "written_by": actor.name, "created_at": now}
        broadcast_id: int = tx.execute(insert(BROADCAST).values(**row).returning(BROADCAST.c.id)).scalar_one()
        _note(tx, now, actor, "create", broadcast_id)
    return broadcast_id


def edit(runtime: Runtime, actor: Actor, broadcast_id: int, draft: Draft) -> Refusal | None:
    """Only of a draft. Whatever was approved of it is approved no longer."""
    if (refusal := _refused(actor, Action.BROADCAST, draft)) is not None:
        return refusal
    values = {**_row(draft), "written_by": actor.name, "approved_by": None}
    mine = update(BROADCAST).where(BROADCAST.c.id == broadcast_id, BROADCAST.c.status == BroadcastStatus.DRAFT.value)
    return _change(runtime, actor, "edit", broadcast_id, lambda tx, _: bool(tx.execute(mine.values(**values)).rowcount))


def _refused(actor: Actor, action: Action, draft: Draft) -> Refusal | None:
    if not access.may(actor.role, action):
        return Refusal.NOT_ALLOWED
    return None if 0 < len(draft.title.strip()) <= TITLE_MOST else Refusal.UNTITLED


def _row(draft: Draft) -> Mapping[str, str]:
    return {
        "title": codec.storable(draft.title.strip()),
        "message": codec.bilingual_json(draft.letter),
        "audience": audience.to_json(draft.audience),
    }


def count(runtime: Runtime, wanted: Audience) -> Count:
    """Who would get it now, and who of the audience would not, and why."""
    with runtime.db.read() as tx:
        return audience.count(tx, runtime.content, wanted, runtime.now())


def flaws(runtime: Runtime, letter: Bilingual) -> tuple[Problem, ...]:
    """What keeps it from being sent; the list of words not said is read anew each time."""
    refused, _ = wording.read(runtime.settings.content_dir)
    return problems(runtime.content, refused, letter)


def start(runtime: Runtime, actor: Actor, broadcast_id: int, typed: int) -> Refusal | None:
    """Begins now. `typed` must be the number of recipients at this moment: whoever starts it has seen it."""
    return _launch(runtime, actor, "start", broadcast_id, typed, None)


def schedule(runtime: Runtime, actor: Actor, broadcast_id: int, typed: int, start_at: datetime) -> Refusal | None:
    """Begins by itself at `start_at` (aware), outside the quiet hours."""
    if start_at <= runtime.now():
        return Refusal.PAST
    if expand.at_night(runtime, start_at):
        return Refusal.AT_NIGHT
    return _launch(runtime, actor, "schedule", broadcast_id, typed, start_at)


def _launch(
    runtime: Runtime, actor: Actor, name: str, broadcast_id: int, typed: int, start_at: datetime | None
) -> Refusal | None:
    if not access.may(actor.role, Action.BROADCAST):
        return Refusal.NOT_ALLOWED
    now, quota = runtime.now(), ask(runtime)
    with runtime.db.write() as tx:
        found = _locked(tx, broadcast_id)
        if found is None:
            return Refusal.UNKNOWN
        if (refusal := _not_ready(runtime, tx, found, typed, quota, now)) is not None:
            return refusal
        tx.execute(update(BROADCAST).where(BROADCAST.c.id == broadcast_id).values(expected=typed))
        if start_at is None:
            done = expand.begin(runtime, tx, broadcast_id, now)
        else:
            done = make(tx, broadcast_id, Move.SCHEDULE, now, start_at=start_at)
        if not done:
            return Refusal.NOT_NOW
        _note(tx, now, actor, name, broadcast_id, {"recipients": str(typed)})
    return None


def _locked(tx: Connection, broadcast_id: int) -> Broadcast | None:
    tx.execute(select(BROADCAST.c.id).where(BROADCAST.c.id == broadcast_id).with_for_update(key_share=True))
    return results.find(tx, broadcast_id)


def _not_ready(
    runtime: Runtime, tx: Connection, found: Broadcast, typed: int, quota: Quota | Unlimited | Unreadable, now: datetime
) -> Refusal | None:
    if found.status not in (BroadcastStatus.DRAFT, BroadcastStatus.SCHEDULED):
        return Refusal.NOT_NOW
    if flaws(runtime, found.letter):
        return Refusal.FAULTY
    wanted = audience.count(tx, runtime.content, found.audience, now)
    if wanted.sent_to == 0:
        return Refusal.NOBODY
    if typed != wanted.sent_to:
        return Refusal.WRONG_NUMBER
    if runtime.content.clinic.broadcasts.second_person and found.approved_by is None:
        return Refusal.NOT_APPROVED
    if not carries(quota, wanted.recipients.get(LINE, 0)):
        return Refusal.QUOTA_UNREADABLE if quota == "unreadable" else Refusal.NO_QUOTA
    return None


def unschedule(runtime: Runtime, actor: Actor, broadcast_id: int) -> Refusal | None:
    """A draft again."""
    return _move(runtime, actor, broadcast_id, Move.UNSCHEDULE, start_at=None)


def approve(runtime: Runtime, actor: Actor, broadcast_id: int) -> Refusal | None:
    """Somebody else than its author has read it."""
    if not access.may(actor.role, Action.APPROVE_BROADCAST):
        return Refusal.NOT_ALLOWED
    with runtime.db.read() as tx:
        found = results.find(tx, broadcast_id)
    if found is not None and found.written_by == actor.name:
        return Refusal.OWN_WORK
    fresh = BROADCAST.c.id == broadcast_id, BROADCAST.c.status == "draft", BROADCAST.c.written_by != actor.name
    mine = update(BROADCAST).where(*fresh).values(approved_by=actor.name)
    return _change(runtime, actor, "approve", broadcast_id, lambda tx, _: bool(tx.execute(mine).rowcount))


def pause(runtime: Runtime, actor: Actor, broadcast_id: int) -> Refusal | None:
    """Nothing leaves any more but the call under way."""
    return _move(runtime, actor, broadcast_id, Move.PAUSE, reason=STAFF)


def resume(runtime: Runtime, actor: Actor, broadcast_id: int) -> Refusal | None:
    """Goes on where it was; what waited for another try is tried at once."""

    def again(tx: Connection, now: datetime) -> bool:
        if not make(tx, broadcast_id, Move.RESUME, now, reason="", resumed_at=now):
            return False
        waiting = Outbox.broadcast_id == broadcast_id, Outbox.status.in_((OutboxStatus.WAITING, OutboxStatus.HELD))
        tx.execute(update(Outbox).where(*waiting).values(status=OutboxStatus.WAITING, not_before=now, error=""))
        return True

    return _change(runtime, actor, "resume", broadcast_id, again)


def cancel(runtime: Runtime, actor: Actor, broadcast_id: int) -> Refusal | None:
    """For good. Who has it has it."""

    def end(tx: Connection, now: datetime) -> bool:
        return make(tx, broadcast_id, Move.CANCEL, now) and expand.take_back(tx, broadcast_id, now) >= 0

    return _change(runtime, actor, "cancel", broadcast_id, end)


def _move(runtime: Runtime, actor: Actor, broadcast_id: int, move: Move, **values: Any) -> Refusal | None:
    return _change(
        runtime, actor, move.value, broadcast_id, lambda tx, now: make(tx, broadcast_id, move, now, **values)
    )


def _change(
    runtime: Runtime, actor: Actor, name: str, broadcast_id: int, change: Callable[[Connection, datetime], bool]
) -> Refusal | None:
    if not access.may(actor.role, Action.BROADCAST):
        return Refusal.NOT_ALLOWED
    now = runtime.now()
    with runtime.db.write() as tx:
        if tx.execute(select(BROADCAST.c.id).where(BROADCAST.c.id == broadcast_id)).first() is None:
            return Refusal.UNKNOWN
        if not change(tx, now):
            return Refusal.NOT_NOW
        _note(tx, now, actor, name, broadcast_id)
    runtime.wake()
    return None


def send_test(runtime: Runtime, actor: Actor, broadcast_id: int, contact_ids: Sequence[int]) -> int | Refusal:
    """As it is now, to these test contacts, in their language, whatever they consented to; nothing of it is counted. How many
    messages were put."""
    if not access.may(actor.role, Action.BROADCAST):
        return Refusal.NOT_ALLOWED
    now = runtime.now()
    with runtime.db.write() as tx:
        found = results.find(tx, broadcast_id)
        if found is None:
            return Refusal.UNKNOWN
        if flaws(runtime, found.letter):
            return Refusal.FAULTY
        chosen = CONTACT.c.id.in_(list(contact_ids)), CONTACT.c.is_test, CONTACT.c.reachable
        people = tx.execute(select(CONTACT.c.id, CONTACT.c.channel, CONTACT.c.user_id, CONTACT.c.locale).where(*chosen))
        put = 0
        for person in people.all():
            said = taps.counted(
                runtime.settings, found.letter[person.locale], broadcast_id, person.locale, person.id, counts=False
            )
            to = outbox.Address(person.id, person.channel, person.user_id)
            key = f"broadcast-test:{broadcast_id}:{person.id}:{runtime.new_uuid()}"
            outbox.put(
                runtime.db, tx, to, said, cause=key, dedupe_key=key, now=now, priority=Priority.TIMED,
                expires_at=now + expand.TEST_LIFE,
            )  # fmt: skip
            put += 1
        if not put:
            return Refusal.NOT_FOR_TESTS
        _note(tx, now, actor, "test", broadcast_id, {"messages": str(put)})
    runtime.wake()
    return put


def choose_testers(runtime: Runtime, actor: Actor, contact_ids: Sequence[int]) -> Refusal | None:
    """These, and nobody else, get tests, and pushes while the send gate says test."""
    if not access.may(actor.role, Action.BROADCAST):
        return Refusal.NOT_ALLOWED
    chosen = CONTACT.c.id.in_(list(contact_ids))
    now = runtime.now()
    with runtime.db.write() as tx:
        added = select(CONTACT.c.id).where(chosen, not_(CONTACT.c.is_test))
        dropped = select(CONTACT.c.id).where(not_(chosen), CONTACT.c.is_test)
        for query, is_test in ((added, True), (dropped, False)):
            for contact_id in tx.execute(query).scalars().all():
                tx.execute(update(CONTACT).where(CONTACT.c.id == contact_id).values(is_test=is_test))
                audit.note(tx, now, actor.name, "tester" if is_test else "no_tester", contact_id, {})
    return None


def _note(
    tx: Connection, now: datetime, actor: Actor, what: str, broadcast_id: int, more: Mapping[str, str] | None = None
) -> None:
    audit.note(
        tx,
        now,
        actor.name,
        f"broadcast_{what}",
        None,
        {"broadcast": str(broadcast_id), **actor.by_token, **(more or {})},
    )
