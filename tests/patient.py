"""A patient at the front door: signed webhooks in, the real store and engine, and what LINE received back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bot import bookings, calendars
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.pace import Pace
from bot.channels.slack.staff import StaffChannel
from bot.engine.state import State
from bot.messages import BookingDecided, Command, CommandToken, encode_token
from bot.simulator.chats import Bubble
from bot.simulator.clock import Clock
from bot.simulator.demo import Demo
from bot.simulator.reading import Reading, Tappable, read
from bot.simulator.server import bind
from bot.simulator.webhooks import Shown, Told
from bot.simulator.wire import Obj
from bot.slots import free
from bot.store import codec
from bot.store.tables import Alert, Booking, BookingStatus, Contact

START = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
"""A Monday, 10:00 in Tokyo."""

TOKYO = ZoneInfo("Asia/Tokyo")


@contextmanager
def open_demo(database_url: str, content_dir: Path = Path("content")) -> Iterator[Demo]:
    """The whole bot and the platform, with a clock that stands still until moved and no worker of its own: a Patient
    drains. Fails at the end when the bot sent anything that LINE would have refused."""
    from app import build

    listener = bind("127.0.0.1", 0)
    with Demo(build, listener, database_url=database_url, content_dir=content_dir, clock=Clock(START)) as demo:
        for channel in demo.bot.runtime.channels.values():
            if isinstance(channel, SlackChannel | StaffChannel):
                seconds = Seconds(demo.clock)
                channel._pace = Pace(clock=seconds, sleep=seconds.sleep)
        yield demo
    demo.bot.runtime.db.close()
    assert demo.platform.violations == []
    assert demo.slack.violations == []


class Seconds:
    """The demo's clock as Slack's pace counts it; whoever sleeps by it wakes at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slept = 0.0

    def __call__(self) -> float:
        return self._clock.now().timestamp() + self._slept

    def sleep(self, seconds: float) -> None:
        """Goes on without waiting."""
        self._slept += seconds


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert as staff would see it."""

    urgency: str
    flags: tuple[str, ...]


class Patient:
    """One LINE user who waits for the answer after everything they do. Several share a Demo."""

    channel = "line"

    def __init__(self, demo: Demo, name: str = "見本 花子(サンプル)", language: Literal["ja", "en"] = "ja") -> None:
        self.demo = demo
        self.user_id = demo.platform.chats.add_person(name, language).user_id
        self.told: Told | None = None
        self._seen = 0
        self._alerts_before: tuple[Raised, ...] = ()

    # --- what they do ---

    def follow(self) -> str:
        """Adds the account (again)."""
        return self._after(lambda: self.demo.webhooks.follow(self.user_id))

    def block(self) -> str:
        """Blocks the account."""
        return self._after(lambda: self.demo.webhooks.block(self.user_id))

    def say(self, text: str) -> str:
        """Types a text."""
        return self._after(lambda: self.demo.webhooks.say(self.user_id, text))

    def sticker(self) -> str:
        """Sends a sticker."""
        return self._after(lambda: self.demo.webhooks.sticker(self.user_id))

    def show(self, what: Shown) -> str:
        """Sends a picture, a voice, a place."""
        return self._after(lambda: self.demo.webhooks.show(self.user_id, what))

    def tap(self, label: str) -> str:
        """Taps what can be tapped now: the newest button with that label, a quick reply under the newest bubble, or a
        field of the rich menu. Raises AssertionError when there is none."""
        found = self._find(label, [*self._quick(), *self._buttons(self.bubbles), *self._menu()])
        return self._tap(found)

    def pick_time(self, label: str, time: str) -> str:
        """Taps a button with a time picker and chooses a time (HH:MM)."""
        found = self._find(label, [*self._quick(), *self._buttons(self.bubbles)])
        assert found.kind == "time", f"[{label}] has no time picker"
        return self._after(lambda: self.demo.webhooks.pick_time(self.user_id, found.value, time))

    def pick_day(self, label: str, day: str) -> str:
        """Taps a button with a calendar and chooses a day (YYYY-MM-DD)."""
        found = self._find(label, [*self._quick(), *self._buttons(self.bubbles)])
        assert found.kind == "date", f"[{label}] has no calendar"
        return self._after(lambda: self.demo.webhooks.pick_day(self.user_id, found.value, day))

    def tap_old(self, label: str) -> str:
        """Taps the newest such button that came before the last answer: the chat can be scrolled up."""
        return self._tap(self._find(label, self._buttons(self.bubbles, until=self._seen)))

    def tap_menu(self, command: Command) -> str:
        """Taps the rich menu's field for this command."""
        return self._tap(self._find(encode_token(CommandToken(command)), self._menu(), by="value"))

    def tap_data(self, data: str) -> str:
        """A tap with data of the test's own."""
        return self._after(lambda: self.demo.webhooks.tap(self.user_id, data))

    def redeliver(self) -> str:
        """LINE tells the last thing once more."""
        told = self.told
        assert told is not None, "nothing happened yet"
        return self._after(lambda: self.demo.webhooks.redeliver(*told.events))

    def wait(self, by: timedelta) -> str:
        """Time passes; what becomes due is done."""
        return self._after(lambda: self.demo.clock.move(by))

    # --- what staff do about them ---

    def staff(self, what: Literal["confirm", "decline", "move", "cancel", "no_show", "book"], at: str = "") -> str:
        """Staff decide about their newest appointment; `at` is clinic time (2026-04-09 14:00)."""
        runtime = self.demo.bot.runtime
        with runtime.db.read() as look:
            contact_id = look.execute(select(Contact.id).where(Contact.user_id == self.address)).scalar_one()
            mine = select(func.max(Booking.id)).where(Booking.contact_id == contact_id)
            booking = look.execute(mine).scalar_one() or 0
        starts = datetime.fromisoformat(at).replace(tzinfo=TOKYO).astimezone(UTC) if at else None
        ends = starts + timedelta(hours=1) if starts else None
        event = BookingDecided(what, "staff", 0 if what == "book" else booking, starts, ends)

        def decide() -> None:
            bookings.decide(runtime, contact_id, event)

        return self._after(decide)

    def others_take_everything(self) -> str:
        """Staff write every free time down for people who phoned."""
        runtime = self.demo.bot.runtime
        with runtime.db.write() as tx:
            now = runtime.now()
            for slot in free(calendars.standing(tx, runtime.content).days, bookings.taken(tx, now), now):
                bookings.add(runtime, tx, slot.span, BookingStatus.CONFIRMED, now, label="見本 電話の方")
        return self._after(lambda: None)

    def somebody_cancels(self) -> str:
        """The first of those who phoned does not come."""
        runtime = self.demo.bot.runtime

        def free_one() -> None:
            with runtime.db.write() as tx:
                phoned = (Booking.label != "", Booking.status == BookingStatus.CONFIRMED)
                earliest = select(Booking.id).where(*phoned).order_by(Booking.starts_at).limit(1)
                one = tx.execute(earliest).scalar_one()
                bookings.settle(runtime, tx, one, BookingStatus.CANCELLED, runtime.now())

        return self._after(free_one)

    # --- what they see ---

    @property
    def bubbles(self) -> Sequence[Bubble]:
        """Everything the bot sent that arrived, oldest first."""
        return [b for b in self.demo.platform.chats.bubbles(self.user_id) if b.sender == "bot"]

    @property
    def answer(self) -> Sequence[Reading]:
        """What arrived after the last thing they did."""
        return [read(b.message) for b in self.bubbles if b.seq > self._seen]

    @property
    def heard(self) -> str:
        """The last answer as text, buttons in brackets."""
        return "\n".join(reading.text for reading in self.answer)

    @property
    def messages(self) -> Sequence[Obj]:
        """The last answer's message objects as they were sent."""
        return [b.message for b in self.bubbles if b.seq > self._seen]

    @property
    def labels(self) -> Sequence[str]:
        """What can be tapped now without the rich menu."""
        return [one.label for one in (*self._buttons(self.bubbles, after=self._seen), *self._quick())]

    @property
    def pushes(self) -> int:
        """Messages that the operator pays for so far."""
        return self.demo.platform.billed()

    # --- what the bot knows ---

    @property
    def address(self) -> str:
        """Where the bot reaches them."""
        return self.user_id

    @property
    def state(self) -> State:
        """As the store has it."""
        with self.demo.bot.runtime.db.read() as tx:
            query = select(Contact.state).where(Contact.channel == self.channel, Contact.user_id == self.address)
            return codec.state_from(tx.execute(query).scalar_one_or_none())

    @property
    def alerts(self) -> tuple[Raised, ...]:
        """Every alert about them, oldest first."""
        query = select(Alert.urgency, Alert.flags).join(Contact, Contact.id == Alert.contact_id)
        with self.demo.bot.runtime.db.read() as tx:
            rows = tx.execute(query.where(Contact.user_id == self.address).order_by(Alert.id))
            return tuple(Raised(row.urgency, codec.strings_from(row.flags)) for row in rows)

    @property
    def new_alerts(self) -> tuple[Raised, ...]:
        """Those raised by the last thing they did."""
        return self.alerts[len(self._alerts_before) :]

    # --- how ---

    def _after(self, act: Callable[[], Told | None]) -> str:
        self._seen = self.demo.platform.chats.seq
        self._alerts_before = self.alerts
        told = act()
        if told is not None:
            assert told.status == 200, f"the webhook was answered with {told.status}"
            self.told = told
        self.demo.bot.drain()
        return self.heard

    def _tap(self, one: Tappable) -> str:
        match one.kind:
            case "postback":
                return self._after(lambda: self.demo.webhooks.tap(self.user_id, one.value, one.shown))
            case "message":
                return self.say(one.value)
            case "uri":
                raise AssertionError(f"[{one.label}] opens {one.value}: nothing reaches the bot")
            case "time" | "date":
                raise AssertionError(f"[{one.label}] needs a {one.kind}")

    def _find(self, label: str, choices: Sequence[Tappable], by: Literal["label", "value"] = "label") -> Tappable:
        for one in choices:
            if (one.label if by == "label" else one.value) == label:
                return one
        raise AssertionError(f"no [{label}] to tap, only {[one.label for one in choices]}; heard: {self.heard}")

    def _buttons(self, bubbles: Sequence[Bubble], after: int = 0, until: int | None = None) -> Sequence[Tappable]:
        """Newest bubble first."""
        chosen = [b for b in bubbles if b.seq > after and (until is None or b.seq <= until)]
        return [one for b in reversed(chosen) for one in read(b.message).buttons]

    def _quick(self) -> Sequence[Tappable]:
        """Quick replies vanish when anything comes after their bubble."""
        chat = self.demo.platform.chats.bubbles(self.user_id)
        return read(chat[-1].message).quick if chat and chat[-1].sender == "bot" else ()

    def _menu(self) -> Sequence[Tappable]:
        locale = self.state.locale
        return [
            Tappable(area.label.to(locale), "postback", encode_token(CommandToken(area.command)), area.label.to(locale))
            for area in self.demo.bot.runtime.content.menu.areas
        ]
