"""The threads that do the work, with the real time and the real bells."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bot.channels.base import Outcome, Receipt
from bot.delivery import claim
from bot.inbox import accept
from bot.runtime import clock
from bot.store.bell import Listener, Ringer
from bot.store.session import Database
from bot.store.tables import Outbox
from bot.worker import SENDERS, Shift
from tests.world import Clock, World


class RealTime(Clock):
    def __call__(self) -> object:  # type: ignore[override]
        return clock()


@pytest.fixture
def running(world: World) -> Iterator[World]:
    """A world whose worker works."""
    world = replace(world, runtime=replace(world.runtime, now=clock), clock=RealTime())
    world.platform._clock = clock
    with Shift(world.runtime).working():
        yield world


def until(true: Callable[[], bool], seconds: float = 10.0) -> float:
    """Waits for it. How long that took, in seconds."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "it never happened"
        time.sleep(0.002)
    return time.monotonic() - begun


def test_an_event_is_answered_without_waiting_for_the_next_sweep(running: World) -> None:
    time.sleep(0.3)  # the first look around is over
    waits = []
    for number in range(9):
        accept(running.runtime, [running.said(f"{number}")])
        waits.append(until(lambda number=number: len(running.platform.phones) > number))  # type: ignore[misc]
    assert sorted(waits)[4] < 0.3
    assert running.platform.texts() == [f"{n + 1}: {n}" for n in range(9)]


def test_a_provider_that_hangs_keeps_nobody_elses_answer(running: World) -> None:
    hanging = threading.Event()

    def send(delivery: object, quick: Callable[..., Receipt] = running.platform.send) -> Receipt:
        if delivery.user_id == "U1":  # type: ignore[attr-defined]
            hanging.wait(10)
        return quick(delivery)

    running.platform.send = send  # type: ignore[method-assign]
    accept(running.runtime, [running.said("slow", "U1")])
    accept(running.runtime, [running.said("next", "U1")])
    for number in range(2, 8):
        accept(running.runtime, [running.said("quick", f"U{number}")])
    until(lambda: len(running.platform.phones) == 6)
    assert "slow" not in "".join(running.platform.texts())
    hanging.set()
    until(lambda: running.platform.texts("U1") == ["1: slow", "2: next"])


def test_more_messages_than_senders_all_leave(running: World) -> None:
    count = SENDERS * 3
    accept(running.runtime, [running.said("x", f"U{number}") for number in range(count)])
    until(lambda: len(running.platform.phones) == count)


def test_a_message_that_has_to_wait_leaves_by_the_sweep(running: World) -> None:
    running.platform.plan.append(Receipt(Outcome.RETRY, error="status_500"))
    accept(running.runtime, [running.said("x")])
    until(lambda: running.platform.texts() == ["1: x"])


def test_work_goes_on_after_the_database_failed(running: World) -> None:
    with running.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE outbox RENAME TO away")
    accept(running.runtime, [running.said("x")])
    time.sleep(0.5)
    with running.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE away RENAME TO outbox")
    until(lambda: running.platform.texts() == ["1: x"], 20)


def test_what_the_last_process_left_lying_is_done_first(world: World) -> None:
    now = replace(world, runtime=replace(world.runtime, now=clock), clock=RealTime())
    accept(now.runtime, [now.said("begun", "U1")])
    now.turns()
    if world.db.is_sqlite:
        claim(now.runtime, 1)  # and that process died; on SQLite no other can have it
    accept(now.runtime, [now.said("waiting", "U2")])
    with Shift(now.runtime).working():
        until(lambda: sorted(world.platform.texts()) == ["1: begun", "1: waiting"])


def test_a_worker_says_whether_it_is_alive(world: World) -> None:
    shift = Shift(world.runtime)
    assert not shift.alive()
    with shift.working():
        assert shift.alive()
    assert not shift.alive()


def test_stopping_waits_for_the_call_under_way(world: World) -> None:
    now = replace(world, runtime=replace(world.runtime, now=clock), clock=RealTime())
    now.platform.delay.clear()
    shift = Shift(now.runtime)
    shift.start()
    accept(now.runtime, [now.said("x")])
    until(lambda: now.column(Outbox.attempts) == [1])
    threading.Timer(0.2, now.platform.delay.set).start()
    shift.stop()
    assert now.column(Outbox.status) == ["sent"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one process, which rings itself
def test_a_web_process_wakes_workers_in_other_processes(db: Database) -> None:
    heard = threading.Event()
    listener, ringer = Listener(db, heard.set), Ringer(db)
    listener.start()
    ringer.start()
    end = time.monotonic() + 10
    while not heard.wait(0.1):  # the listener may not be listening yet
        ringer.ring()
        assert time.monotonic() < end
    heard.clear()
    ringer.ring()
    assert heard.wait(5)
    listener.stop()
    ringer.stop()
