"""Alerts: what staff must look at, and what was done about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bot import alerts
from bot.access import Action
from bot.alerts import NOTE_MAX, Rung, Step
from bot.messages import LOCALES, Locale
from bot.runtime import Runtime
from bot.web.api.operation import NEWEST, AnyOperation, Call, Id, Nothing, Operation, PageSize
from bot.web.api.problem import Kind, Shape, Trouble
from bot.web.api.words import Text
from bot.web.console.today import reasons


class Alert(Shape):
    """`patient` is a number. `urgency` is a disposition (emergency, urgent, doctor) or human, phone, broken. `reasons` say the
    flags as symptoms. What the patient wrote and what staff noted stays on the console."""

    id: int
    patient: int
    urgency: str
    flags: tuple[str, ...]
    reasons: dict[Locale, tuple[str, ...]]
    origin: str
    opened_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    called_by: str | None
    called_at: datetime | None
    resolved_by: str | None
    resolved_at: datetime | None


class Alerts(Shape):
    """A page, the newest first. `next` is the `before` of the next one, null on the last."""

    items: tuple[Alert, ...]
    next: int | None


class AlertList(Shape):
    """Which of them."""

    state: Literal["open", "resolved", "all"] = "open"
    before: Id = NEWEST
    limit: PageSize = 50


class AlertPath(Shape):
    """One of them."""

    alert_id: Id


class Resolution(Shape):
    """What came of it, for whoever looks later."""

    note: Annotated[Text, Field(max_length=NOTE_MAX)] = ""


def _alert(runtime: Runtime, rung: Rung) -> Alert:
    told = {locale: tuple(reasons(runtime.content, locale)(rung.flags)) for locale in LOCALES}
    return Alert(
        id=rung.id,
        patient=rung.contact_id,
        urgency=rung.urgency,
        flags=rung.flags,
        reasons=told,
        origin=rung.origin,
        opened_at=rung.opened_at,
        acknowledged_by=rung.acknowledged_by,
        acknowledged_at=rung.acknowledged_at,
        called_by=rung.called_by,
        called_at=rung.called_at,
        resolved_by=rung.resolved_by,
        resolved_at=rung.resolved_at,
    )


def _list(call: Call, asked: AlertList, _: Nothing) -> Alerts:
    resolved = None if asked.state == "all" else asked.state == "resolved"
    with call.runtime.db.read() as look:
        found = alerts.latest(look, asked.limit + 1, asked.before, resolved=resolved)
    shown = found[: asked.limit]
    return Alerts(
        items=tuple(_alert(call.runtime, one) for one in shown),
        next=shown[-1].id if len(found) > asked.limit else None,
    )


def _read(call: Call, asked: AlertPath, _: Nothing) -> Alert | Trouble:
    with call.runtime.db.read() as look:
        found = alerts.find(look, asked.alert_id)
    return Trouble(Kind.UNKNOWN) if found is None else _alert(call.runtime, found)


def _step(call: Call, alert_id: int, step: Step, note: str) -> Alert | Trouble:
    runtime, actor = call.runtime, call.actor
    with runtime.db.write() as tx:
        if alerts.find(tx, alert_id) is None:
            return Trouble(Kind.UNKNOWN)
        first = alerts.take_step(tx, runtime.now(), actor.name, alert_id, step, note, actor.by_token)
        after = alerts.find(tx, alert_id)
    assert after is not None
    return _alert(runtime, after) if first else Trouble(Kind.DONE_BEFORE)


def _acknowledge(call: Call, asked: AlertPath, _: Nothing) -> Alert | Trouble:
    return _step(call, asked.alert_id, Step.ACKNOWLEDGED, "")


def _called(call: Call, asked: AlertPath, _: Nothing) -> Alert | Trouble:
    return _step(call, asked.alert_id, Step.CALLED, "")


def _resolve(call: Call, asked: AlertPath, resolution: Resolution) -> Alert | Trouble:
    return _step(call, asked.alert_id, Step.RESOLVED, resolution.note)


_STEP = (Kind.UNKNOWN, Kind.DONE_BEFORE)

OPERATIONS: Sequence[AnyOperation] = (
    Operation(
        "list_alerts",
        "GET",
        "/alerts",
        Action.SEE_TODAY,
        "Alerts, the newest first.",
        AlertList,
        Nothing,
        Alerts,
        _list,
    ),
    Operation(
        "read_alert",
        "GET",
        "/alerts/{alert_id}",
        Action.SEE_TODAY,
        "One alert.",
        AlertPath,
        Nothing,
        Alert,
        _read,
        refuses=(Kind.UNKNOWN,),
    ),
    Operation(
        "acknowledge_alert",
        "POST",
        "/alerts/{alert_id}/acknowledge",
        Action.HANDLE_ALERTS,
        "Somebody has seen it: staff are called no more.",
        AlertPath,
        Nothing,
        Alert,
        _acknowledge,
        refuses=_STEP,
    ),
    Operation(
        "note_call",
        "POST",
        "/alerts/{alert_id}/called",
        Action.HANDLE_ALERTS,
        "The patient was phoned.",
        AlertPath,
        Nothing,
        Alert,
        _called,
        refuses=_STEP,
    ),
    Operation(
        "resolve_alert",
        "POST",
        "/alerts/{alert_id}/resolve",
        Action.HANDLE_ALERTS,
        "Nothing is left to be done.",
        AlertPath,
        Resolution,
        Alert,
        _resolve,
        refuses=_STEP,
    ),
)
