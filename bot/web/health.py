"""For the operator's machines: is it alive, is it ready, what is waiting. And the pictures that LINE fetches."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import get_args

from flask import Blueprint, Response, abort, jsonify, send_from_directory
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from bot import gate, quota
from bot.config import SendGate
from bot.runtime import Runtime
from bot.store.session import HEAD
from bot.store.tables import Alert, Inbox, Outbox, ahead, ready, waiting

MEDIA_LIFE = timedelta(days=30)


def blueprint(runtime: Callable[[], Runtime], working: Callable[[], bool] | None) -> Blueprint:
    """`working` tells whether this process's worker is alive; None where it has none."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def alive() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @health.get("/readyz")
    def is_ready() -> Response:
        troubles = list(_troubles(runtime(), working))
        response = jsonify({"ready": not troubles, "troubles": troubles})
        response.status_code = 503 if troubles else 200
        return response

    @health.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(REGISTRY) + _queues(runtime()), content_type=CONTENT_TYPE_LATEST)

    @health.get("/media/<name>")
    def media(name: str) -> Response:
        content = runtime().content
        if name not in content.media:
            abort(404)
        folder = runtime().settings.content_dir.resolve() / "media"
        response = send_from_directory(folder, name, max_age=int(MEDIA_LIFE.total_seconds()))
        response.cache_control.public = True
        return response

    return health


def _troubles(runtime: Runtime, working: Callable[[], bool] | None) -> Iterator[str]:
    try:
        if runtime.db.revision() != HEAD:
            yield "database not migrated"
    except DBAPIError:
        yield "database not reachable"
    if working is not None and not working():
        yield "worker not running"


def _queues(runtime: Runtime) -> bytes:
    registry = CollectorRegistry()
    length = Gauge("queue_length", "Rows that wait", ["queue"], registry=registry)
    age = Gauge("queue_age_seconds", "How long the oldest has been due", ["queue"], registry=registry)
    now = runtime.now()
    with runtime.db.read() as look:
        _pushes(look, runtime, registry)
        for queue, (count, oldest) in _counted(look, now).items():
            length.labels(queue).set(count)
            age.labels(queue).set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
    return generate_latest(registry)


def _pushes(look: Connection, runtime: Runtime, registry: CollectorRegistry) -> None:
    now = runtime.now()
    month = quota.month(look, runtime.content, now)
    billed = Gauge("month_billed", "Messages LINE bills, this calendar month", ["when"], registry=registry)
    billed.labels("so_far").set(month.billed)
    billed.labels("expected").set(month.expected)
    carries = Gauge("plan_messages", "Messages in a plan of LINE's", ["plan"], registry=registry)
    for plan in runtime.content.pacing.plan:
        carries.labels(plan.id).set(plan.messages)
    held = Gauge("messages_held", "Messages that are due and wait", ["by"], registry=registry)
    for by, count in quota.held(look, runtime.settings, now).items():
        held.labels(by).set(count)
    left_out = Gauge(
        "messages_left_out", "Messages skipped in the last 24 hours", ["kind", "reason"], registry=registry
    )
    for (kind, reason), count in quota.left_out(look, now - timedelta(days=1)).items():
        left_out.labels(kind, reason).set(count)
    opened = Gauge("send_gate", "1 at the send gate's position", ["position"], registry=registry)
    position = gate.current(look, runtime.settings).value
    for one in get_args(SendGate):
        opened.labels(one).set(one == position)


def _counted(look: Connection, now: datetime) -> dict[str, tuple[int, datetime | None]]:
    inbox = select(func.count(), func.min(Inbox.accepted_at)).where(waiting())
    due = select(func.count(), func.min(Outbox.not_before)).where(ready(), Outbox.not_before <= now)
    later = select(func.count()).where(ready(), Outbox.not_before > now)
    sending = select(func.count()).where(ahead(), Outbox.status == "sending")
    alerts = select(func.count(), func.min(Alert.opened_at)).where(Alert.acknowledged_at.is_(None))
    counted: dict[str, tuple[int, datetime | None]] = {}
    for queue, query in (("inbox", inbox), ("outbox_due", due), ("alerts_open", alerts)):
        count, oldest = look.execute(query).one()
        counted[queue] = (count, oldest)
    counted["outbox_later"] = (look.execute(later).scalar_one(), None)
    counted["outbox_sending"] = (look.execute(sending).scalar_one(), None)
    return counted
