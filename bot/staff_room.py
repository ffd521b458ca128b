"""Staff in the messenger they live in: alerts and appointments are told there through the outbox, and what they press there
comes back here. Nothing of a patient but a number is ever said in it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Row, Select, or_, select, update

from bot import alerts, outbox
from bot.channels.base import StaffAct
from bot.content.model import Content
from bot.content.staff_room import StaffRoom
from bot.messages import Card, Choice, Message, Priority, StaffToken
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import OUTBOX, Alert, Booking, OutboxStatus, unsettled

log = structlog.get_logger()

CHANNEL = "staff"
"""The name under which the staff's channel stands among the runtime's channels."""

BATCH = 50
STALE = timedelta(hours=24)
"""An alert that nobody was called for within a day is for the console: the channel may have been set up long after it."""

ANSWER_LIFE = timedelta(minutes=30)
"""How long Slack lets the message that was pressed be changed ("Handling user interaction")."""

UNDER_WAY = timedelta(seconds=2)
"""When it is looked again for a call that was just being sent."""

SLACK_ACTOR = "slack "
"""What the audit's name of somebody in Slack begins with; their name and their address follow."""

BOOKED_WITHIN = timedelta(minutes=10)


def sweep(runtime: Runtime) -> int:
    """Calls staff for every alert that is due and tells of appointments just changed. How many messages were made. One
    query when there is nothing to do; none without a staff channel."""
    if CHANNEL not in runtime.channels:
        return 0
    now = runtime.now()
    with runtime.db.read() as look:
        due = look.execute(select(Alert.id).where(Alert.call_at <= now).limit(1)).first() is not None
        booked = look.execute(_news(now)).all()
    made = 0
    if due:
        with runtime.db.write() as tx:
            rows = tx.execute(_DUE.where(Alert.call_at <= now)).all()
            made = sum([_call(runtime, tx, row, now) for row in rows])
    if booked:
        with runtime.db.write() as tx:
            made += sum(_tell_booking(runtime, tx, row, now) for row in booked)
    return made


_DUE: Select[*tuple[Any, ...]] = (
    select(
        Alert.id,
        Alert.contact_id,
        Alert.urgency,
        Alert.opened_at,
        Alert.calls,
        Alert.acknowledged_by,
        Alert.acknowledged_at,
        or_(Alert.acknowledged_at.is_not(None), Alert.resolved_at.is_not(None)).label("seen"),
    )
    .order_by(Alert.call_at, Alert.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)


_ALERT: Select[*tuple[Any, ...]] = select(Alert.id, Alert.contact_id, Alert.urgency, Alert.opened_at)


def _call(runtime: Runtime, tx: Connection, alert: Row[Any], now: datetime) -> int:
    mine = update(Alert).where(Alert.id == alert.id)
    stale = alert.calls == 0 and now - alert.opened_at > STALE
    if alert.seen and alert.calls:
        return _show_seen(runtime, tx, alert, now)
    if alert.seen or stale:
        tx.execute(mine.values(call_at=None))
        return 0
    rule = runtime.content.staff_room.call_for(alert.urgency)
    number = alert.calls + 1
    more = rule is not None and number < rule.most
    next_at = now + timedelta(minutes=rule.again_minutes) if rule is not None and more else None
    tx.execute(mine.values(calls=number, call_at=next_at))
    loud = rule is not None and number >= rule.loud_from
    message = _alert_message(runtime, alert, number, now, loud)
    return _put(runtime, tx, message, _call_key(alert.id, number), now)


def _show_seen(runtime: Runtime, tx: Connection, alert: Row[Any], now: datetime) -> int:
    """Every call of the alert that stands in the channel says that it was seen, and by whom; one that has not left is taken
    back."""
    keys = [_call_key(alert.id, number) for number in range(1, alert.calls + 1)]
    calls = tx.execute(_CALLS.where(OUTBOX.c.dedupe_key.in_(keys))).all()
    waiting = update(OUTBOX).where(OUTBOX.c.id.in_([call.id for call in calls]), unsettled())
    tx.execute(waiting.values(status=OutboxStatus.CANCELLED, error="seen", done_at=now, message=None, user_id=""))
    under_way = any(call.status == OutboxStatus.SENDING for call in calls)
    tx.execute(update(Alert).where(Alert.id == alert.id).values(call_at=now + UNDER_WAY if under_way else None))
    room = runtime.content.staff_room
    text = _text(room, "seen", time=_clock(runtime.content, alert.acknowledged_at), name=_called(alert.acknowledged_by))
    message = Message((_card(runtime, alert, text, _console(runtime)),))
    posts = [post for call in calls for post in codec.strings_from(call.provider_ids)]
    replies = [outbox.ReplyToken(post, now + ANSWER_LIFE) for post in posts]
    return sum([_put(runtime, tx, message, f"staff:seen:{one.token}", now, one) for one in replies])


_CALLS = select(OUTBOX.c.id, OUTBOX.c.status, OUTBOX.c.provider_ids)


def _call_key(alert_id: int, number: int) -> str:
    return f"staff:alert:{alert_id}:{number}"


def _called(actor: str) -> str:
    """What somebody is called, of what the audit calls them."""
    return actor.removeprefix(SLACK_ACTOR).rpartition(" ")[0] if actor.startswith(SLACK_ACTOR) else actor


def _put(
    runtime: Runtime, tx: Connection, message: Message, key: str, now: datetime, reply: outbox.ReplyToken | None = None
) -> int:
    to = outbox.Address(None, CHANNEL, runtime.settings.slack_staff_channel)
    made = outbox.put(
        runtime.db,
        tx,
        to,
        message,
        cause=key,
        dedupe_key=key,
        now=now,
        reply=reply,
        priority=Priority.REPLY if reply else Priority.SAFETY,
        expires_at=reply.expires_at if reply else None,
    )
    return int(made is not None)


def _alert_message(runtime: Runtime, alert: Row[Any], number: int, now: datetime, loud: bool) -> Message:
    room = runtime.content.staff_room
    minutes = int((now - alert.opened_at).total_seconds() // 60)
    text = _text(room, "first") if number == 1 else _text(room, "again", minutes=minutes, count=number)
    seen = Choice(room.acknowledge_label.to(room.locale), token=StaffToken("acknowledge", str(alert.id)), style="main")
    return Message((_card(runtime, alert, text, (seen, *_console(runtime))),), safety=True, loud=loud)


def _card(runtime: Runtime, alert: Row[Any], text: str, choices: tuple[Choice, ...]) -> Card:
    room = runtime.content.staff_room
    title = room.title[alert.urgency].to(room.locale) if alert.urgency in room.title else alert.urgency
    since = _text(room, "number", number=alert.contact_id, time=_clock(runtime.content, alert.opened_at))
    return Card(title, since, note=text, choices=choices)


def _console(runtime: Runtime) -> tuple[Choice, ...]:
    room, url = runtime.content.staff_room, runtime.settings.public_url
    return (Choice(room.open_label.to(room.locale), uri=f"{url}/console/"),) if url else ()


def _text(room: StaffRoom, which: str, **values: object) -> str:
    text: str = getattr(room, which).to(room.locale)
    for place, value in values.items():
        text = text.replace("{" + place + "}", str(value))
    return text


def _clock(content: Content, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(content.clinic.time_zone))
    return f"{local.month}/{local.day} {local:%H:%M}"


# --- appointments ----------------------------------------------------------------------------------------------------


def _news(now: datetime) -> Any:
    """Appointments to come that changed just now and were not told of yet."""
    key = "staff:booking:" + Booking.id.cast(OUTBOX.c.cause.type) + ":" + Booking.status
    told = select(OUTBOX.c.id).where(OUTBOX.c.dedupe_key == key).exists()
    return (
        select(Booking.id, Booking.status, Booking.starts_at)
        .where(
            Booking.starts_at > now,
            Booking.changed_at > now - BOOKED_WITHIN,
            Booking.contact_id.is_not(None),
            Booking.status.in_(("requested", "confirmed", "cancelled")),
            ~told,
        )
        .order_by(Booking.id)
        .limit(BATCH)
    )


def _tell_booking(runtime: Runtime, tx: Connection, booking: Row[Any], now: datetime) -> int:
    room = runtime.content.staff_room
    text = _text(room, "booking_text", time=_clock(runtime.content, booking.starts_at))
    card = Card(room.booking[booking.status].to(room.locale), text, choices=_console(runtime))
    return _put(runtime, tx, Message((card,)), f"staff:booking:{booking.id}:{booking.status}", now)


# --- what staff press ------------------------------------------------------------------------------------------------


def act(runtime: Runtime, done: StaffAct) -> None:
    """One press of a button, already known to come from the staff's own channel. Twice does no more than once."""
    match done.what:
        case "acknowledge" if done.value.isdigit():
            _acknowledge(runtime, done, int(done.value))
        case _:
            log.warning("staff_act_unknown", what=done.what[:40])


def _acknowledge(runtime: Runtime, done: StaffAct, alert_id: int) -> None:
    now, room = runtime.now(), runtime.content.staff_room
    name = done.name or done.who
    with runtime.db.write() as tx:
        first = alerts.take_step(tx, now, f"{SLACK_ACTOR}{name} {done.who}", alert_id, alerts.Step.ACKNOWLEDGED)
        alert = tx.execute(_ALERT.where(Alert.id == alert_id)).first()
        if alert is not None and done.reply:
            clock = _clock(runtime.content, now)
            text = _text(room, "seen", time=clock, name=name) if first else _text(room, "seen_before")
            message = Message((_card(runtime, alert, text, _console(runtime)),))
            reply = outbox.ReplyToken(done.reply, now + ANSWER_LIFE)
            _put(runtime, tx, message, f"staff:seen:{done.reply}", now, reply)
    runtime.wake()
