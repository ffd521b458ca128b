"""`/tip`: listed staff choose or write a tip for many in their messenger. The broadcast is the console's, with its rules."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot import audience, outbox, staff_room
from bot.access import Role
from bot.audience import Audience, OnChannel
from bot.broadcasts import desk
from bot.broadcasts.letter import Bilingual, from_tip
from bot.channels.base import StaffAct
from bot.messages import Card, Choice, Form, Message, PickToken, Priority, Row, StaffToken
from bot.runtime import Runtime
from bot.store.tables import Staff

TRIGGER_LIFE = timedelta(seconds=3)
"""How long a trigger_id opens a modal ("Modals: Opening modals")."""

AUDIENCES: Mapping[str, Audience] = {
    "everybody": Audience(),
    "line": Audience((OnChannel(("line",)),)),
    "slack": Audience((OnChannel(("slack",)),)),
}
HOURS: Mapping[str, int | None] = {"now": None, "morning": 9, "evening": 19}
"""Local hours of tomorrow; None: at once."""


def act(runtime: Runtime, done: StaffAct) -> bool:
    """Whether it was about tips. Whoever is not listed is told so and can do nothing."""
    if done.what not in ("tip", "tip_form", "tip_go", "tip_drop"):
        return False
    actor = _listed(runtime, done)
    if actor is None:
        _say(runtime, done, Message((Card("", _word(runtime, "stranger")),)), to=_member(done))
    elif done.what == "tip":
        _open(runtime, done)
    elif done.what == "tip_form":
        _preview(runtime, done, actor)
    elif done.what == "tip_go":
        _go(runtime, done, actor)
    else:
        _say(runtime, done, Message((Card("", _word(runtime, "dropped")),)), reply=done.reply)
    runtime.wake()
    return True


def _listed(runtime: Runtime, done: StaffAct) -> desk.Actor | None:
    """By the member id that `flask staff slack` noted."""
    mine = select(Staff.name, Staff.role).where(Staff.slack_member == _member(done), Staff.active)
    with runtime.db.read() as look:
        row = look.execute(mine).first()
    return None if row is None else desk.Actor(row.name, Role(row.role))


def _member(done: StaffAct) -> str:
    return done.who.partition("/")[2]


def _open(runtime: Runtime, done: StaffAct) -> None:
    now = runtime.now()
    with runtime.db.read() as look:
        counts = {n: audience.count(look, runtime.content, a, now).sent_to for n, a in AUDIENCES.items()}
    locale = runtime.content.staff_room.locale
    rows = (
        _row(runtime, "choose", {tip.id: tip.title.to(locale) for tip in runtime.content.tips}),
        Row(_word(runtime, "write_ja"), (), "write_ja"),
        Row(_word(runtime, "write_en"), (), "write_en"),
        _row(runtime, "audience", {name: _word(runtime, name, count=count) for name, count in counts.items()}),
        _row(runtime, "when", {name: _word(runtime, name) for name in HOURS}),
    )
    card = Card(_word(runtime, "title"), form=Form(rows, _word(runtime, "submit")))
    reply = outbox.ReplyToken(done.trigger, now + TRIGGER_LIFE)
    message = Message((card,), surface="modal")
    with runtime.db.write() as tx:
        key = f"staff:tip:{done.trigger}"
        outbox.put(
            runtime.db,
            tx,
            outbox.Address(None, staff_room.CHANNEL, _member(done)),
            message,
            cause=key,
            dedupe_key=key,
            now=now,
            reply=reply,
            priority=Priority.REPLY,
            expires_at=now + TRIGGER_LIFE,
        )


def _row(runtime: Runtime, name: str, options: Mapping[str, str]) -> Row:
    choices = (Choice(label, token=PickToken(0, f"tip/{name}", value)) for value, label in options.items())
    return Row(_word(runtime, name), tuple(choices))


def _preview(runtime: Runtime, done: StaffAct, actor: desk.Actor) -> None:
    """A draft of the console's, and what it looks like, for the staff's channel."""
    letter, wanted = _letter(runtime, done.fields), AUDIENCES.get(_field(done, "audience"))
    when = _field(done, "when")
    if letter is None or wanted is None or when not in HOURS:
        _say(runtime, done, Message((Card("", _word(runtime, "incomplete")),)), to=_member(done))
        return
    shown = letter[runtime.content.staff_room.locale]
    [card] = shown.parts
    assert isinstance(card, Card)
    made = desk.create(runtime, actor, desk.Draft((card.title or card.text)[: desk.TITLE_MOST], letter, wanted))
    if isinstance(made, desk.Refusal):
        _refuse(runtime, done, made, to=_member(done))
        return
    number = desk.count(runtime, wanted).sent_to
    value = f"{made}.{number}.{when}"
    choices = (
        Choice(_word(runtime, "go"), token=StaffToken("tip_go", value), style="main"),
        Choice(_word(runtime, "drop"), token=StaffToken("tip_drop", value)),
    )
    text = _word(runtime, "preview", count=number, when=_word(runtime, when))
    _say(runtime, done, Message((*shown.parts, Card("", text, choices=choices))), key=f"staff:tip:{made}")


def _letter(runtime: Runtime, fields: Mapping[str, str]) -> Bilingual | None:
    """The tip chosen, or what was written in both languages."""
    chosen = fields.get("p|0|tip/choose|", "")
    tip = next((tip for tip in runtime.content.tips if tip.id == chosen), None)
    if tip is not None:
        return from_tip(tip)
    japanese, english = fields.get("write_ja", "").strip(), fields.get("write_en", "").strip()
    if not japanese or not english:
        return None
    return {"ja": Message((Card("", japanese),)), "en": Message((Card("", english),))}


def _field(done: StaffAct, name: str) -> str:
    return done.fields.get(f"p|0|tip/{name}|", "")


def _go(runtime: Runtime, done: StaffAct, actor: desk.Actor) -> None:
    """Begins only if the number shown is still the exact one."""
    broadcast_id, number, when = done.value.split(".")
    start_at = _moment(runtime, when)
    if start_at is None:
        refusal = desk.start(runtime, actor, int(broadcast_id), int(number))
    else:
        refusal = desk.schedule(runtime, actor, int(broadcast_id), int(number), start_at)
    if refusal is not None:
        _refuse(runtime, done, refusal, reply=done.reply)
        return
    text = _word(runtime, "begun", name=actor.name, count=number, when=_word(runtime, when))
    _say(runtime, done, Message((Card("", text),)), reply=done.reply)


def _moment(runtime: Runtime, when: str) -> datetime | None:
    hour = HOURS[when]
    if hour is None:
        return None
    local = runtime.now().astimezone(ZoneInfo(runtime.content.clinic.time_zone)) + timedelta(days=1)
    return local.replace(hour=hour, minute=0, second=0, microsecond=0)


def _refuse(runtime: Runtime, done: StaffAct, why: desk.Refusal, *, to: str = "", reply: str = "") -> None:
    _say(runtime, done, Message((Card("", _word(runtime, "refused", why=why.value)),)), to=to, reply=reply)


def _say(runtime: Runtime, done: StaffAct, message: Message, *, to: str = "", reply: str = "", key: str = "") -> None:
    now = runtime.now()
    key = key or f"staff:tip:{done.what}:{done.value}:{done.trigger}"
    with runtime.db.write() as tx:
        outbox.put(
            runtime.db,
            tx,
            outbox.Address(None, staff_room.CHANNEL, to or runtime.settings.slack_staff_channel),
            message,
            cause=key,
            dedupe_key=key,
            now=now,
            reply=outbox.ReplyToken(reply, now + staff_room.ANSWER_LIFE) if reply else None,
            priority=Priority.REPLY,
        )


def _word(runtime: Runtime, which: str, **values: object) -> str:
    room = runtime.content.staff_room
    text = room.tip[which].to(room.locale)
    for place, value in values.items():
        text = text.replace("{" + place + "}", str(value))
    return text
