"""Messages to many: written, counted, started, stopped. The rules are those of bot.broadcasts.desk."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import assert_never

from bot.access import Action
from bot.audience import Audience
from bot.broadcasts import desk, results
from bot.broadcasts.desk import Actor, Draft, Refusal
from bot.broadcasts.moves import Move, possible
from bot.runtime import Runtime
from bot.store.tables import BroadcastStatus
from bot.web.api.broadcast_shapes import (
    Broadcast,
    BroadcastDraft,
    BroadcastLine,
    BroadcastList,
    BroadcastPath,
    Broadcasts,
    Count,
    FlawFound,
    Progress,
    Schedule,
    Start,
    Wanted,
)
from bot.web.api.operation import AnyOperation, Call, Nothing, Operation
from bot.web.api.problem import Kind, Trouble
from bot.web.api.words import said, written

FARTHEST = timedelta(days=366)
"""Ahead that something can be scheduled: what lies beyond is a slip of the pen."""


# --- answers ----------------------------------------------------------------------------------------------------------


def _line(found: results.Broadcast) -> BroadcastLine:
    return BroadcastLine.model_validate(found, from_attributes=True)


def _whole(runtime: Runtime, broadcast_id: int) -> Broadcast | Trouble:
    with runtime.db.read() as look:
        found = results.find(look, broadcast_id)
        if found is None:
            return Trouble(Kind.UNKNOWN)
        progress = results.progress(look, broadcast_id)
    begins = found.status in (BroadcastStatus.DRAFT, BroadcastStatus.SCHEDULED)
    flaws = desk.flaws(runtime, found.letter) if begins else ()
    return Broadcast(
        **dict(_line(found)),
        letter=written(found.letter),
        audience=found.audience,
        moves=tuple(sorted(possible(found.status) - {Move.FINISH})),
        flaws=tuple(FlawFound(flaw=one.flaw, part=one.part, language=one.locale, words=one.words) for one in flaws),
        progress=Progress.model_validate(progress, from_attributes=True),
    )


def _after(runtime: Runtime, broadcast_id: int, refusal: Refusal | None) -> Broadcast | Trouble:
    return _whole(runtime, broadcast_id) if refusal is None else Trouble(_kind(refusal))


def _kind(refusal: Refusal) -> Kind:
    match refusal:
        case Refusal.UNTITLED:
            return Kind.INVALID
        case Refusal.OWN_WORK | Refusal.NOT_FOR_TESTS:
            raise AssertionError(f"nothing here is refused as {refusal}")
        case (
            Refusal.NOT_ALLOWED
            | Refusal.UNKNOWN
            | Refusal.NOT_NOW
            | Refusal.FAULTY
            | Refusal.WRONG_NUMBER
            | Refusal.NOBODY
            | Refusal.NOT_APPROVED
            | Refusal.PAST
            | Refusal.AT_NIGHT
            | Refusal.NO_QUOTA
            | Refusal.QUOTA_UNREADABLE
        ):
            return Kind(refusal.value)
        case _:
            assert_never(refusal)


def _count(runtime: Runtime, wanted: Audience) -> Count:
    found = desk.count(runtime, wanted)
    return Count(recipients=dict(found.recipients), sent_to=found.sent_to, left_out=dict(found.barred), all=found.all)


def _draft(draft: BroadcastDraft) -> Draft:
    return Draft(draft.title, said(draft.letter), draft.audience)


def _list(call: Call, asked: BroadcastList, _: Nothing) -> Broadcasts:
    with call.runtime.db.read() as look:
        found = results.latest(look, asked.limit + 1, asked.before)
    shown = found[: asked.limit]
    return Broadcasts(items=tuple(map(_line, shown)), next=shown[-1].id if len(found) > asked.limit else None)


def _read(call: Call, asked: BroadcastPath, _: Nothing) -> Broadcast | Trouble:
    return _whole(call.runtime, asked.broadcast_id)


def _count_audience(call: Call, _: Nothing, wanted: Wanted) -> Count:
    return _count(call.runtime, wanted.audience)


def _count_broadcast(call: Call, asked: BroadcastPath, _: Nothing) -> Count | Trouble:
    with call.runtime.db.read() as look:
        found = results.find(look, asked.broadcast_id)
    return Trouble(Kind.UNKNOWN) if found is None else _count(call.runtime, found.audience)


def _create(call: Call, _: Nothing, draft: BroadcastDraft) -> Broadcast | Trouble:
    made = desk.create(call.runtime, call.actor, _draft(draft))
    return Trouble(_kind(made)) if isinstance(made, Refusal) else _whole(call.runtime, made)


def _edit(call: Call, asked: BroadcastPath, draft: BroadcastDraft) -> Broadcast | Trouble:
    refusal = desk.edit(call.runtime, call.actor, asked.broadcast_id, _draft(draft))
    return _after(call.runtime, asked.broadcast_id, refusal)


def _start(call: Call, asked: BroadcastPath, body: Start) -> Broadcast | Trouble:
    refusal = desk.start(call.runtime, call.actor, asked.broadcast_id, body.recipients)
    return _after(call.runtime, asked.broadcast_id, refusal)


def _schedule(call: Call, asked: BroadcastPath, body: Schedule) -> Broadcast | Trouble:
    if body.start_at - call.runtime.now() > FARTHEST:
        return Trouble(Kind.TOO_FAR)
    refusal = desk.schedule(call.runtime, call.actor, asked.broadcast_id, body.recipients, body.start_at)
    return _after(call.runtime, asked.broadcast_id, refusal)


Moving = Callable[[Runtime, Actor, int], Refusal | None]


def _moving(move: Moving) -> Callable[[Call, BroadcastPath, Nothing], Broadcast | Trouble]:
    def answer(call: Call, asked: BroadcastPath, _: Nothing) -> Broadcast | Trouble:
        return _after(call.runtime, asked.broadcast_id, move(call.runtime, call.actor, asked.broadcast_id))

    return answer


# --- operations -------------------------------------------------------------------------------------------------------

ONE = "/broadcasts/{broadcast_id}"
_LAUNCH = (
    Kind.UNKNOWN,
    Kind.NOT_NOW,
    Kind.FAULTY,
    Kind.WRONG_NUMBER,
    Kind.NOBODY,
    Kind.NOT_APPROVED,
    Kind.NO_QUOTA,
    Kind.QUOTA_UNREADABLE,
)
_MOVED = (Kind.UNKNOWN, Kind.NOT_NOW)
SEE, SEND = Action.SEE_BROADCASTS, Action.BROADCAST


def _move(name: str, move: Moving, about: str) -> Operation[BroadcastPath, Nothing, Broadcast]:
    path, answer = f"{ONE}/{name}", _moving(move)
    return Operation(
        f"{name}_broadcast", "POST", path, SEND, about, BroadcastPath, Nothing, Broadcast, answer, refuses=_MOVED
    )


OPERATIONS: Sequence[AnyOperation] = (
    Operation(
        "list_broadcasts",
        "GET",
        "/broadcasts",
        SEE,
        "Broadcasts, the newest first.",
        BroadcastList,
        Nothing,
        Broadcasts,
        _list,
    ),
    Operation(
        "create_broadcast",
        "POST",
        "/broadcasts",
        SEND,
        "A new draft. It may have flaws; they keep it from being started.",
        Nothing,
        BroadcastDraft,
        Broadcast,
        _create,
        HTTPStatus.CREATED,
    ),
    Operation(
        "read_broadcast",
        "GET",
        ONE,
        SEE,
        "One broadcast, and how far it has come.",
        BroadcastPath,
        Nothing,
        Broadcast,
        _read,
        refuses=(Kind.UNKNOWN,),
    ),
    Operation(
        "edit_broadcast",
        "PUT",
        ONE,
        SEND,
        "Changes a draft. Whatever was approved of it is approved no longer.",
        BroadcastPath,
        BroadcastDraft,
        Broadcast,
        _edit,
        refuses=_MOVED,
    ),
    Operation(
        "count_broadcast",
        "GET",
        f"{ONE}/count",
        SEND,
        "Who would get it now, and who of its audience would not, and why.",
        BroadcastPath,
        Nothing,
        Count,
        _count_broadcast,
        refuses=(Kind.UNKNOWN,),
    ),
    Operation(
        "start_broadcast",
        "POST",
        f"{ONE}/start",
        SEND,
        "Begins now, if the number of recipients is what it was said to be.",
        BroadcastPath,
        Start,
        Broadcast,
        _start,
        refuses=_LAUNCH,
    ),
    Operation(
        "schedule_broadcast",
        "POST",
        f"{ONE}/schedule",
        SEND,
        "Begins by itself at that time, outside the quiet hours.",
        BroadcastPath,
        Schedule,
        Broadcast,
        _schedule,
        refuses=(*_LAUNCH, Kind.PAST, Kind.TOO_FAR, Kind.AT_NIGHT),
    ),
    _move("unschedule", desk.unschedule, "A scheduled one is a draft again."),
    _move("pause", desk.pause, "Nothing leaves any more but the call under way."),
    _move("resume", desk.resume, "Goes on where it was."),
    _move("cancel", desk.cancel, "Ends it for good. Who has it has it."),
    Operation(
        "count_audience",
        "POST",
        "/audiences/count",
        SEND,
        "Who of an audience would get something now, and who would not.",
        Nothing,
        Wanted,
        Count,
        _count_audience,
    ),
)
