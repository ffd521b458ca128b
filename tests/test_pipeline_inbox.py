"""What comes in: seen once, in order, whole."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.inbox import accept
from bot.messages import Picked, PickToken, Said
from bot.store import codec
from bot.store.tables import Contact, Inbox, InboxStatus, Outbox
from tests.world import World


def test_a_message_is_answered_with_its_reply_token(world: World) -> None:
    assert accept(world.runtime, [world.said("こんにちは")]) == 1
    world.run()
    assert [(one.text, one.way) for one in world.platform.phones] == [("1: こんにちは", "reply")]


def test_a_redelivered_event_is_answered_once(world: World) -> None:
    event = world.said("hello")
    assert [accept(world.runtime, [event]) for _ in range(5)] == [1, 0, 0, 0, 0]
    world.run()
    assert accept(world.runtime, [event]) == 0
    world.run()
    assert world.platform.texts() == ["1: hello"]


def test_an_event_delivered_five_times_at_once_is_one_turn(world: World) -> None:
    event = world.said("hello")
    together = threading.Barrier(5)

    def deliver_it() -> int:
        together.wait()
        return accept(world.runtime, [event])

    with ThreadPoolExecutor(5) as pool:
        new = [pool.submit(deliver_it) for _ in range(5)]
    assert sorted(one.result() for one in new) == [0, 0, 0, 0, 1]
    world.run()
    assert world.platform.texts() == ["1: hello"]
    assert world.count(Inbox) == world.count(Contact) == world.count(Outbox) == 1


def test_events_of_several_people_in_one_request_are_all_answered(world: World) -> None:
    events = [world.said("a", "U1"), world.said("b", "U2"), world.said("c", "U1"), world.said("d", "U3")]
    assert accept(world.runtime, events) == 4
    world.run()
    assert world.platform.texts("U1") == ["1: a", "2: c"]
    assert world.platform.texts("U2") == ["1: b"]
    assert world.platform.texts("U3") == ["1: d"]


def test_the_same_event_twice_in_one_request_is_seen_once(world: World) -> None:
    event = world.said("hello")
    assert accept(world.runtime, [event, event]) == 1


def test_people_who_write_at_once_for_the_first_time_are_each_one_contact(world: World) -> None:
    batches = [[world.said(f"{n}", f"U{n % 4}") for n in range(8)] for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda batch: accept(world.runtime, batch), batches)) == 32
    assert world.count(Contact) == 4


def test_events_that_arrive_in_the_wrong_order_are_handled_in_the_right_one(world: World) -> None:
    accept(world.runtime, [world.said("third", ago=1)])
    accept(world.runtime, [world.said("first", ago=9), world.said("second", ago=5)])
    world.run()
    assert world.platform.texts() == ["1: first", "2: second", "3: third"]


def test_one_bad_event_does_not_keep_its_neighbours_out(world: World) -> None:
    good = world.said("good")
    bad = [
        replace(world.said("x"), event_id=""),
        replace(world.said("x"), event_id="e" * 5000),
        replace(world.said("x"), user_id="U\x00"),
        replace(world.said("x"), user_id="\ud800"),
    ]
    assert accept(world.runtime, [*bad, good]) == 1
    assert world.column(Inbox.event_id) == [good.event_id]


def test_text_that_no_database_can_hold_is_still_answered(world: World) -> None:
    accept(world.runtime, [world.said("a\x00b\ud800c"), world.event(Picked(PickToken(1, "x\x00", "\udfff")))])
    world.run()
    assert world.platform.texts() == ["1: a\ufffdb?c", "2: picked"]


def test_an_empty_request_stores_nothing(world: World) -> None:
    assert accept(world.runtime, []) == 0


def test_stored_events_are_read_back_as_they_were(world: World) -> None:
    accept(world.runtime, [world.said("腰が\n痛い \"'\\", message_id="M1")])
    [stored] = world.column(Inbox.event)
    assert codec.event_from(str(stored)) == Said("腰が\n痛い \"'\\", "M1")
    assert world.column(Inbox.status) == [InboxStatus.WAITING]


def test_accepting_wakes_the_workers_only_for_something_new(world: World) -> None:
    rung: list[int] = []
    world.runtime.wake.listen(lambda: rung.append(1))
    event = world.said("hello")
    accept(world.runtime, [event])
    accept(world.runtime, [event])
    assert len(rung) == 1
