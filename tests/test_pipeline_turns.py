"""One event, one turn, one transaction - whatever breaks in between."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import pytest
from sqlalchemy import PoolProxiedConnection, event, text, update

from bot import alerts
from bot.conversation import TRIES, advance
from bot.delivery import attempt, deliver
from bot.engine.state import Facts, State, Turn
from bot.inbox import accept
from bot.messages import Event, Inbound, Said
from bot.runtime import Step
from bot.settlement import LEASE, Attempt
from bot.store import codec
from bot.store.tables import Alert, Contact, Inbox, InboxStatus, Outbox
from tests.world import World, echo


def failing_on(words: str, times: int = 99) -> Step:
    """An engine with a bug that shows `times` times."""
    left = [times]

    def step(content: object, state: State, facts: Facts, event: Event) -> Turn:
        if isinstance(event, Said) and event.text == words and left[0]:
            left[0] -= 1
            raise ZeroDivisionError(words)
        return echo(content, state, facts, event)  # type: ignore[arg-type]

    return step


def with_step(world: World, step: Step) -> World:
    return replace(world, runtime=replace(world.runtime, step=step))


def states(world: World) -> list[State]:
    return [codec.state_from(str(found)) for found in world.column(Contact.state)]


def test_state_is_kept_from_turn_to_turn(world: World) -> None:
    accept(world.runtime, [world.said("a"), world.said("b"), world.said("c", "U2")])
    world.run()
    assert [state.turn for state in states(world)] == [2, 1]
    assert world.column(Contact.version) == [2, 1]


def test_an_event_that_raises_once_is_answered_after_a_pause(world: World) -> None:
    broken = with_step(world, failing_on("x", times=1))
    accept(broken.runtime, [world.said("x")])
    broken.run()
    assert world.platform.phones == []
    world.clock.move(seconds=1)
    broken.run()
    assert world.platform.texts() == ["1: x"]
    assert world.count(Alert) == 0


def test_an_event_that_always_raises_is_given_up_and_staff_is_told(world: World) -> None:
    broken = with_step(world, failing_on("x"))
    accept(broken.runtime, [world.said("x")])
    for _ in range(TRIES + 2):
        broken.run()
        world.clock.move(seconds=10)
    assert world.column(Inbox.status) == [InboxStatus.FAILED]
    assert world.column(Inbox.tries) == [TRIES]
    assert world.column(Alert.urgency) == [alerts.BROKEN]
    assert world.column(Inbox.error) == ["ZeroDivisionError"]


def test_later_events_wait_for_one_that_raises_and_go_on_after_it_is_given_up(world: World) -> None:
    broken = with_step(world, failing_on("x"))
    accept(broken.runtime, [world.said("x", ago=2), world.said("y", ago=1), world.said("other", "U2")])
    broken.run()
    assert world.platform.texts() == ["1: other"]
    for _ in range(TRIES):
        world.clock.move(seconds=10)
        broken.run()
    assert world.platform.texts("U1") == ["1: y"]


def test_a_state_that_cannot_be_read_is_given_up_loudly_and_not_overwritten(world: World) -> None:
    accept(world.runtime, [world.said("a")])
    world.run()
    with world.db.write() as tx:
        tx.execute(update(Contact).values(state='{"turn": "many"}'))
    accept(world.runtime, [world.said("b")])
    for _ in range(TRIES):
        world.run()
        world.clock.move(seconds=10)
    assert world.column(Contact.state) == ['{"turn": "many"}'] or world.column(Contact.state) == ['{"turn":"many"}']
    assert world.column(Alert.urgency) == [alerts.BROKEN]


def test_two_workers_at_once_handle_each_event_once_and_each_person_in_order(world: World) -> None:
    events = [world.said(f"{n}", f"U{n % 5}", ago=100 - n) for n in range(60)]
    accept(world.runtime, events)
    together = threading.Barrier(4)

    def work() -> int:
        together.wait()
        done = advance(world.runtime, 1000)
        return done + deliver(world.runtime, 1000) * 0

    with ThreadPoolExecutor(4) as pool:
        handled = [pool.submit(work) for _ in range(4)]
    assert sum(one.result() for one in handled) == 60
    world.run()
    for user in range(5):
        said = [int(words.split(": ")[1]) for words in world.platform.texts(f"U{user}")]
        assert said == list(range(user, 60, 5))


def test_two_workers_at_once_send_each_message_once(world: World) -> None:
    accept(world.runtime, [world.said("x", f"U{n}", token=n % 2 == 0) for n in range(40)])
    world.turns()
    together = threading.Barrier(4)

    def work() -> int:
        together.wait()
        return deliver(world.runtime, 1000)

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(work) for _ in range(4)]
    assert sum(one.result() for one in sent) == 40
    assert len(world.platform.phones) == 40


def test_events_accepted_while_a_turn_is_under_way_are_neither_lost_nor_kept_waiting(world: World) -> None:
    arrived = threading.Event()

    def step(content: object, state: State, facts: Facts, event: Event) -> Turn:
        if world.db.engine.dialect.name == "postgresql" and not arrived.is_set():
            accept(world.runtime, [world.said("second")])  # the contact's row is locked, and that must not matter
        arrived.set()
        return echo(content, state, facts, event)  # type: ignore[arg-type]

    accept(world.runtime, [world.said("first", ago=1)])
    with_step(world, step).run()
    if world.db.is_sqlite:
        accept(world.runtime, [world.said("second")])
        world.run()
    assert world.platform.texts() == ["1: first", "2: second"]


# --- answers that a worker takes straight from its turn --------------------------------------------------------------


class Hands:
    """A worker with a free sender (or none), which sends what it is given unless it is dead by then."""

    def __init__(self, world: World, *, free: bool = True, alive: bool = True) -> None:
        self.world, self.free, self.alive = world, free, alive
        self.given: list[Attempt] = []

    def room(self) -> int:
        return 9 * self.free

    def turned(self, leased: Sequence[Attempt], left: bool, more: bool) -> None:
        for one in leased:
            self.given.append(one)
            if self.alive:
                attempt(self.world.runtime, one)


def test_an_answer_leaves_straight_from_its_turn(world: World) -> None:
    accept(world.runtime, [world.said("a"), world.said("b"), world.said("c", "U2")])
    assert advance(world.runtime, 10, Hands(world)) == 3
    assert world.platform.texts("U1") == ["1: a", "2: b"]
    assert world.platform.texts("U2") == ["1: c"]
    assert world.column(Outbox.status) == ["sent"] * 3


def test_an_answer_taken_by_a_worker_that_died_leaves_when_its_lease_ends(world: World) -> None:
    accept(world.runtime, [world.said("a")])
    advance(world.runtime, 10, Hands(world, alive=False))
    world.run()
    assert world.platform.phones == []
    world.clock.move(seconds=LEASE.total_seconds() + 1)
    world.run()
    assert world.platform.texts() == ["1: a"]


def test_an_answer_does_not_overtake_one_that_is_still_on_its_way(world: World) -> None:
    accept(world.runtime, [world.said("a")])
    advance(world.runtime, 10, Hands(world, free=False))
    accept(world.runtime, [world.said("b")])
    hands = Hands(world)
    advance(world.runtime, 10, hands)
    assert hands.given == []
    world.run()
    assert world.platform.texts() == ["1: a", "2: b"]


def test_only_a_reply_is_taken_straight_from_its_turn(world: World) -> None:
    accept(world.runtime, [world.said("pushed", token=False), world.said("late", "U2")])
    world.clock.move(seconds=51)
    hands = Hands(world)
    advance(world.runtime, 10, hands)
    assert hands.given == []
    world.run()
    assert sorted(world.platform.texts()) == ["1: late", "1: pushed"]


# --- the power goes, just before and just after each commit -----------------------------------------------------------


class PowerCut(BaseException):
    """The process is gone: nothing that catches exceptions sees this."""


@dataclass
class Cut:
    """Ends the process at the n-th commit, before it or after it."""

    when: Literal["before", "after"]
    at: int
    seen: int = 0

    def before(self) -> None:
        self.seen += 1
        if self.seen == self.at and self.when == "before":
            raise PowerCut

    def after(self) -> None:
        if self.seen == self.at and self.when == "after":
            raise PowerCut


def cut_off(world: World, cut: Cut, work: Callable[[], object]) -> bool:
    """Whether the power went during `work`."""
    dialect = world.db.engine.dialect
    original = dialect.do_commit

    def do_commit(connection: PoolProxiedConnection) -> None:
        cut.before()
        original(connection)
        cut.after()

    dialect.do_commit = do_commit  # type: ignore[assignment, method-assign]
    try:
        work()
    except PowerCut:
        return True
    finally:
        dialect.do_commit = original  # type: ignore[method-assign]
    return False


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("token", [True, False], ids=["reply", "push"])
def test_a_power_cut_around_any_commit_loses_nothing_and_repeats_nothing(
    world: World, when: Literal["before", "after"], token: bool
) -> None:
    moments = 0
    while True:
        user = f"U{moments}"
        inbound = world.said("hello", user, token=token)
        if not cut_off(world, Cut(when, moments + 1), lambda one=inbound: whole_way(world, one)):  # type: ignore[misc]
            break
        accept(world.runtime, [inbound])  # unacknowledged, so delivered again
        world.clock.move(seconds=LEASE.total_seconds() + 1)
        world.run()
        assert world.platform.texts(user) == ["1: hello"], f"cut {when} commit {moments + 1}"
        moments += 1
    assert moments >= 4, "accept, turn, claim, settlement"
    assert world.count(Inbox) == world.count(Outbox) == moments + 1


def whole_way(world: World, inbound: Inbound) -> None:
    accept(world.runtime, [inbound])
    world.run()


def test_a_turn_that_cannot_be_stored_leaves_no_trace_and_is_tried_again(world: World) -> None:
    accept(world.runtime, [world.said("hello")])
    broken = [True]

    def break_outbox(_: object, __: object, statement: str, *___: object) -> None:
        if broken[0] and statement.startswith("INSERT INTO outbox"):
            raise ValueError("no")

    event.listen(world.db.engine, "before_cursor_execute", break_outbox)
    world.run()
    assert world.column(Contact.version) == [0]
    assert world.count(Outbox) == 0
    broken[0] = False
    world.clock.move(seconds=1)
    world.run()
    assert world.platform.texts() == ["1: hello"]
    assert world.column(Contact.version) == [1]


def test_clocks_and_zones_are_the_same_on_both_databases(world: World) -> None:
    accept(world.runtime, [world.said("hello", ago=1)])
    [occurred] = world.column(Inbox.occurred_at)
    assert occurred == world.clock() - timedelta(seconds=1)
    assert occurred.utcoffset() == timedelta(0)  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="without a zone"), world.db.write() as tx:
        tx.execute(update(Contact).values(seen_at=world.clock().replace(tzinfo=None)))
    with world.db.read() as look:
        assert look.execute(text("SELECT count(*) FROM contact")).scalar() == 1
