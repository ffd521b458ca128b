"""Many reminders at once on Slack, which bears one message a second in each conversation and a few a second in all; and a
worker that dies among them. REMINDERS=500 SPEED=1 is the real size at the real pace (about two minutes)."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import time as clock_time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot import reminders
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.limits import BURST, MESSAGES_PER_SECOND, SECONDS_BETWEEN_MESSAGES
from bot.channels.slack.pace import Pace
from bot.channels.slack.staff import StaffChannel
from bot.content.rules import ReminderRule
from bot.conversation import advance
from bot.delivery import claim, release_expired
from bot.engine.state import Reminder as Chosen
from bot.settlement import LEASE
from bot.simulator.demo import Demo
from bot.simulator.slack.workspace import TEAM
from bot.store import codec
from bot.store.tables import Alert, Contact, Outbox
from tests.patient import open_demo
from tests.slack_patient import SlackPatient

REMINDERS = int(os.environ.get("REMINDERS", "60"))
SPEED = float(os.environ.get("SPEED", "10"))
GAP = SECONDS_BETWEEN_MESSAGES / SPEED


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    """With a Slack that answers 429 to whoever is too fast."""
    with open_demo(sqlite_copy(tmp_path)) as house:
        for channel in house.bot.runtime.channels.values():
            if isinstance(channel, SlackChannel | StaffChannel):
                channel._pace = Pace(GAP, MESSAGES_PER_SECOND * SPEED)
        yield house


def due(demo: Demo, count: int) -> Sequence[str]:
    """So many people whose reminder comes due at this moment, made from one who went the whole way."""
    patient = SlackPatient(demo)
    patient.follow()
    runtime = demo.bot.runtime
    now = runtime.now()
    rule = ReminderRule(clock_time(10, 0), tuple(range(7)), "Asia/Tokyo")
    chosen = replace(patient.state, reminder=Chosen(clock_time(10, 0), tuple(range(7))), consents={"guidance": now})
    people = [demo.slack.add(f"見本 {n}番(サンプル)").user_id for n in range(count)]
    with runtime.db.write() as tx:
        for user_id in people:
            row = {"channel": "slack", "user_id": f"{TEAM}/{user_id}", "created_at": now, "seen_at": now}
            state = codec.state_json(chosen)
            made = tx.execute(insert(Contact).values(**row, state=state).returning(Contact.id)).scalar_one()
            reminders.put(tx, made, "care", rule, now)
    demo.slack.calls.clear()
    demo.slack.pace = GAP
    return people


def until(true: Callable[[], bool], seconds: float, state: Callable[[], object] = str) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it did not happen: {state()}"
        threading.Event().wait(0.05)


def said(demo: Demo) -> list[str]:
    return [
        str(call.arguments["channel"]) for call in demo.slack.calls if call.method == "chat.postMessage" and call.ok
    ]


@pytest.mark.timeout(400)
def test_reminders_due_at_once_all_leave_at_the_pace_that_slack_bears(demo: Demo) -> None:
    people = due(demo, REMINDERS)
    runtime = demo.bot.runtime
    with runtime.db.write() as tx:  # and staff's own channel has much to hear at the same moment
        alert = {"contact_id": 1, "urgency": "human", "flags": "[]", "origin": "wish", "opened_at": runtime.now()}
        tx.execute(insert(Alert), [{**alert, "call_at": runtime.now(), "dedupe_key": f"a{n}"} for n in range(6)])
    began = time.monotonic()
    with demo.bot.working():
        until(lambda: _moving(demo) == REMINDERS + 6, 60 + REMINDERS / MESSAGES_PER_SECOND, lambda: _open(demo))
    took = time.monotonic() - began
    assert Counter(said(demo)) == Counter({**dict.fromkeys(people, 1), runtime.settings.slack_staff_channel: 6})
    assert demo.slack.limited == 0
    moments: dict[str, list[float]] = {}
    for call in demo.slack.calls:
        moments.setdefault(str(call.arguments.get("channel")), []).append(call.at)
    assert all(later - earlier >= GAP for one in moments.values() for earlier, later in pairwise(one))
    at_least = (REMINDERS - 3 * BURST) / (MESSAGES_PER_SECOND * SPEED)
    assert took >= at_least


def test_a_conversation_told_to_slow_down_goes_on_when_slack_said_and_nobody_is_left_out(demo: Demo) -> None:
    from bot.simulator.faults import Fault

    people = due(demo, 20)
    demo.slack.faults.lay(Fault("rate", times=3, path="chat.postMessage", seconds=1))
    with demo.bot.working():
        until(lambda: _moving(demo) == 20, 60, lambda: _open(demo))
    assert Counter(said(demo)) == Counter(dict.fromkeys(people, 1))


def test_a_worker_killed_in_between_repeats_nothing_that_was_confirmed_and_marks_what_is_unsure(demo: Demo) -> None:
    due(demo, 24)
    runtime = demo.bot.runtime
    reminders.sweep(runtime, runtime.now())
    advance(runtime, 100)
    slack = runtime.channels["slack"]
    from bot.delivery import attempt
    from tests.world import World

    for one in claim(runtime, 5):
        attempt(runtime, one)  # confirmed
    confirmed = said(demo)
    assert len(confirmed) == 5
    taken = claim(runtime, 4)
    for one in taken[:2]:
        slack.send(World.delivery(one))  # arrived; the worker dies before it can write that down
    demo.clock.move(LEASE + timedelta(seconds=1))
    assert release_expired(runtime) == 4
    until(lambda: _drained(demo), 60)
    assert max(Counter(said(demo)).values()) == 1
    assert set(confirmed) <= set(said(demo))
    with runtime.db.read() as look:
        endings = Counter(
            look.execute(select(Outbox.status).where(Outbox.cause.like("turn:%"), Outbox.priority > 1)).scalars()
        )
    assert endings == {"sent": 20, "uncertain": 4}


def _moving(demo: Demo) -> int:
    """The demo's clock goes on, so that what must be tried again is."""
    demo.clock.move(timedelta(milliseconds=50))
    return len(said(demo))


def _open(demo: Demo) -> object:
    """What has not left."""
    columns = (Outbox.channel, Outbox.status, Outbox.attempts, Outbox.error, Outbox.not_before)
    with demo.bot.runtime.db.read() as look:
        rows = look.execute(select(*columns).where(Outbox.status != "sent")).all()
    return demo.clock.now(), [tuple(row) for row in rows]


def _drained(demo: Demo) -> bool:
    demo.bot.drain()
    with demo.bot.runtime.db.read() as look:
        waiting = look.execute(select(Outbox.id).where(Outbox.status.in_(("waiting", "sending")))).first()
    return waiting is None
