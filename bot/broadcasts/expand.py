"""The worker's side: starts what is due, hands people to the outbox a page at a time, notices when it fails, and ends it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Row, Select, bindparam, func, select, update

from bot import audience, outbox, taps
from bot.broadcasts.moves import SCHEDULED, Move, make
from bot.broadcasts.quota import LINE, ask, carries
from bot.broadcasts.trouble import NIGHT, NO_QUOTA, trouble
from bot.fanout import OPEN_MOST, PAGE
from bot.messages import Locale, Message
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import BROADCAST, CONTACT, BroadcastStatus, Outbox, OutboxStatus

log = structlog.get_logger()

PAGES = 4
"""Pages a second (a tick): a thousand people, with a seventh of one core. Two thousand made the answers to patients, who write
meanwhile, wait four times as long as otherwise on a small machine; a hundred thousand people take two minutes so."""

LIFE = timedelta(days=7)
"""What a pause or the send gate held back for a week is not sent any more: it was written for another week."""

PERSONAL_MOST = 2_000
"""Up to so many recipients everybody's links are their own, so that people who tap are counted and not only taps. Each is
then a call of its own, and these take about a minute; above that, people share a call and its links."""

TEST_LIFE = timedelta(hours=1)
"""Whoever tries it out is looking at their phone."""

CANCELLED_BY_STAFF = "cancelled"
"""The reason on messages that had not left when staff cancelled."""

_OPEN = (OutboxStatus.WAITING, OutboxStatus.HELD, OutboxStatus.SENDING)


def tick(runtime: Runtime) -> int:
    """Everything that is due now for every broadcast, in short transactions. Safe beside any number of others. How much was
    done; 0: nothing is due."""
    now = runtime.now()
    with runtime.db.read() as look:
        found = look.execute(_LIVING).all()
    return sum(_look_after(runtime, broadcast, now) for broadcast in found)


def _look_after(runtime: Runtime, broadcast: Row[*tuple[Any, ...]], now: datetime) -> int:
    match BroadcastStatus(broadcast.status):
        case BroadcastStatus.SCHEDULED:
            return _start_if_due(runtime, broadcast, now)
        case BroadcastStatus.SENDING:
            return _go_on(runtime, broadcast.id, now)
        case BroadcastStatus.PAUSED:
            return _wake_up(runtime, broadcast.id, now) if broadcast.reason == NIGHT else 0
        case BroadcastStatus.CANCELLED:
            with runtime.db.write() as tx:
                return take_back(tx, broadcast.id, now)
        case BroadcastStatus.DRAFT | BroadcastStatus.DONE:
            return 0


_LIVING: Select[*tuple[Any, ...]] = select(
    BROADCAST.c.id, BROADCAST.c.status, BROADCAST.c.reason, BROADCAST.c.start_at
).where(
    BROADCAST.c.status.in_(("scheduled", "sending", "paused"))
    | (
        (BROADCAST.c.status == "cancelled")
        & select(Outbox.id)
        .where(Outbox.broadcast_id == BROADCAST.c.id, Outbox.status.in_(("waiting", "held")))
        .exists()
    )
)


def at_night(runtime: Runtime, moment: datetime) -> bool:
    """Whether it lies in the quiet hours of reminders.toml, in the clinic's zone."""
    local = moment.astimezone(ZoneInfo(runtime.content.clinic.time_zone))
    return runtime.content.reminders.quiet_hours.hold(local.time())


def begin(runtime: Runtime, tx: Connection, broadcast_id: int, now: datetime) -> bool:
    """From draft or scheduled to sending: everybody who is a contact by now is looked at. False when it is neither."""
    row = tx.execute(select(BROADCAST.c.message, BROADCAST.c.audience).where(BROADCAST.c.id == broadcast_id)).one()
    upper = tx.execute(select(func.max(CONTACT.c.id))).scalar() or 0
    links = any(taps.has_links(message) for message in codec.bilingual_from(row.message).values())
    wanted = audience.count(tx, runtime.content, audience.from_json(row.audience), now).sent_to
    personal = links and wanted <= PERSONAL_MOST
    return make(tx, broadcast_id, Move.START, now, upper_id=upper, personal=personal, begun_at=now, reason="")


def _start_if_due(runtime: Runtime, broadcast: Row[*tuple[Any, ...]], now: datetime) -> int:
    """One that LINE's messages do not carry any more begins with a pause."""
    if broadcast.start_at > now:
        return 0
    quota = ask(runtime)
    with runtime.db.write() as tx:
        mine = select(BROADCAST.c.audience).where(BROADCAST.c.id == broadcast.id, BROADCAST.c.status == SCHEDULED)
        wanted = tx.execute(mine.with_for_update(key_share=True)).scalar()
        if wanted is None or not begin(runtime, tx, broadcast.id, now):
            return 0
        people = audience.count(tx, runtime.content, audience.from_json(wanted), now).recipients
        if not carries(quota, people.get(LINE, 0)):
            make(tx, broadcast.id, Move.PAUSE, now, reason=NO_QUOTA)
    log.info("broadcast_started", broadcast=broadcast.id)
    return 1


def _go_on(runtime: Runtime, broadcast_id: int, now: datetime) -> int:
    """A few pages, as long as there is room for them in the outbox."""
    done = 0
    for _ in range(PAGES):
        with runtime.db.write() as tx:
            row = tx.execute(_SENDING, {"broadcast": broadcast_id}).first()
            step = _step(runtime, tx, row, now) if row is not None else 0
        if not step:
            break
        done += step
        runtime.wake()
    return done


_SENDING = (
    select(BROADCAST)
    .where(BROADCAST.c.id == bindparam("broadcast"), BROADCAST.c.status == BroadcastStatus.SENDING.value)
    .with_for_update(key_share=True)
)


def _step(runtime: Runtime, tx: Connection, row: Row[*tuple[Any, ...]], now: datetime) -> int:
    """What one transaction does: pause, end, or hand out a page. 0: nothing for now."""
    why = NIGHT if at_night(runtime, now) and not at_night(runtime, row.begun_at) else trouble(tx, row)
    if why is not None:
        make(tx, row.id, Move.PAUSE, now, reason=why)
        log.warning("broadcast_paused", broadcast=row.id, reason=why)
        return 1
    waiting = _open(tx, row.id)
    if row.cursor < row.upper_id:
        return _hand_out(runtime, tx, row, now) if waiting <= OPEN_MOST - PAGE else 0
    if waiting:
        return 0
    make(tx, row.id, Move.FINISH, now)
    log.info("broadcast_done", broadcast=row.id)
    return 1


def _open(tx: Connection, broadcast_id: int) -> int:
    found = select(func.count()).where(Outbox.broadcast_id == broadcast_id, Outbox.status.in_(_OPEN))
    return int(tx.execute(found).scalar_one())


def _hand_out(runtime: Runtime, tx: Connection, row: Row[*tuple[Any, ...]], now: datetime) -> int:
    """The next page: everybody on it gets a message or is counted under the reason why not, and the cursor moves on."""
    wanted, ids = audience.from_json(row.audience), range(row.cursor + 1, row.upper_id + 1)
    people = audience.page(tx, runtime.content, wanted, row.begun_at, now, ids, PAGE)
    writer = _Writer(runtime, row.id, codec.bilingual_from(row.message), row.personal)
    letters = [writer.letter(person) for person in people if person.reason is None]
    outbox.put_many(runtime.db, tx, letters, row.id, now, now + LIFE)
    skipped = Counter(codec.counts_from(row.skipped)) + Counter(one.reason for one in people if one.reason is not None)
    cursor = people[-1].id if len(people) == PAGE else row.upper_id
    done = {"cursor": cursor, "put": row.put + len(letters), "skipped": codec.counts_json(skipped)}
    tx.execute(update(BROADCAST).where(BROADCAST.c.id == row.id).values(**done))
    return max(1, len(people))


class _Writer:
    """What each gets: the same for all who read one language on one channel that takes many at once, else their own."""

    def __init__(self, runtime: Runtime, broadcast_id: int, messages: Mapping[Locale, Message], personal: bool) -> None:
        self._runtime = runtime
        self._id = broadcast_id
        self._messages = messages
        self._personal = personal
        self._shared: dict[tuple[str, Locale], tuple[str, str]] = {}

    def letter(self, person: Row[*tuple[Any, ...]]) -> outbox.Letter:
        to = outbox.Address(person.id, person.channel, person.user_id)
        channel = self._runtime.channels.get(person.channel)
        if self._personal or channel is None or channel.limits.many == 1:
            return outbox.Letter(to, self._text(person.locale, person.id), None)
        if (person.channel, person.locale) not in self._shared:
            text = self._text(person.locale, None)
            self._shared[person.channel, person.locale] = text, outbox.batch_key(person.channel, text)
        text, key = self._shared[person.channel, person.locale]
        return outbox.Letter(to, text, key)

    def _text(self, locale: Locale, contact_id: int | None) -> str:
        message = taps.counted(self._runtime.settings, self._messages[locale], self._id, locale, contact_id)
        return codec.message_json(message)


def _wake_up(runtime: Runtime, broadcast_id: int, now: datetime) -> int:
    """What rests over night goes on in the morning."""
    if at_night(runtime, now):
        return 0
    with runtime.db.write() as tx:
        return int(make(tx, broadcast_id, Move.RESUME, now, reason=""))


def take_back(tx: Connection, broadcast_id: int, now: datetime) -> int:
    """Nothing more of it leaves but the call under way. How many were taken back."""
    left = Outbox.broadcast_id == broadcast_id, Outbox.status.in_((OutboxStatus.WAITING, OutboxStatus.HELD))
    ending = {"status": OutboxStatus.CANCELLED, "error": CANCELLED_BY_STAFF, "done_at": now}
    return tx.execute(update(Outbox).where(*left).values(**ending)).rowcount
