"""How often anybody hears from us without having written first: a day has only so much room, messages of the same hour come
as one, and what is not urgent goes along with the next answer. Nothing is lost, whatever fails."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, text

from bot import gate, outbox, pacing, reminders
from bot.channels.base import Outcome, Receipt
from bot.content.rules import DAILY, ReminderRule
from bot.delivery import claim_some, deliver, let_go, release_expired
from bot.engine.state import Asking, Turn
from bot.inbox import accept
from bot.messages import Card, Choice, Command, CommandToken, Message, Part, Pushed, Words
from bot.settlement import Attempt
from bot.store.tables import Contact, Outbox, OutboxStatus
from tests.world import START, World, echo

CALM = Choice("OK", token=CommandToken(Command.MENU))


@pytest.fixture
def house(world: World) -> World:
    """Three people at noon in Tokyo on the first day, who said nothing yet."""
    with world.db.write() as tx:
        kept = {"channel": "line", "created_at": START, "seen_at": START}
        tx.execute(insert(Contact), [{"user_id": f"U{n}", **kept} for n in (1, 2, 3)])
    return world


def put(
    house: World,
    kind: Pushed | None,
    words: str,
    user: int = 1,
    *,
    at: datetime | None = None,
    life: timedelta = timedelta(hours=3),
    parts: Sequence[Part] = (),
    quick: tuple[Choice, ...] = (),
) -> None:
    now = house.clock()
    begin = at or now
    with house.db.write() as tx:
        one = pacing.entry(
            house.runtime,
            outbox.Address(user, "line", f"U{user}"),
            Message(tuple(parts) or (Words(words),), quick),
            kind=kind,
            cause="test",
            dedupe_key=f"{user}:{words}",
            now=now,
            not_before=begin,
            expires_at=begin + life,
        )
        outbox.put_all(house.db, tx, [one], now)


def pushed(house: World) -> list[list[str]]:
    """The words of each call so far, whatever way it went."""
    return [
        [part.text for part in call.message.parts if isinstance(part, Words | Card)] for call in house.platform.calls
    ]


def ends(house: World) -> list[tuple[object, object]]:
    return list(zip(house.column(Outbox.status), house.column(Outbox.error), strict=True))


# --- a day's room -----------------------------------------------------------------------------------------------------


def test_a_day_has_room_for_so_many_and_what_is_over_is_skipped_with_its_reason(house: World) -> None:
    for n in range(3):
        put(house, "care", f"care {n}")
        house.run()
        house.clock.move(hours=2)
    assert pushed(house) == [["care 0"], ["care 1"]]
    assert ends(house)[2] == (OutboxStatus.SKIPPED, pacing.DAY_FULL)


def test_a_booking_finds_room_when_reminders_and_news_have_none(house: World) -> None:
    for kind in ("care", "news", "care", "booking", "booking"):
        put(house, kind, kind + str(house.clock()))
        house.run()
        house.clock.move(minutes=90)
    kinds = [words[0][:4] for words in pushed(house)]
    assert kinds == ["care", "news", "book"]
    assert Counter(house.column(Outbox.error)) == {"": 3, pacing.DAY_FULL: 2}


def test_the_next_local_day_has_room_again(house: World) -> None:
    put(house, "care", "a")
    house.run()
    put(house, "news", "b")
    house.run()
    house.clock.time = datetime.fromisoformat("2026-04-02T00:00+09:00")
    put(house, "care", "c")
    house.run()
    assert pushed(house) == [["a"], ["b"], ["c"]]


def test_one_persons_full_day_is_no_other_persons(house: World) -> None:
    for n in range(2):
        put(house, "care", f"{n}", 1)
        house.run()
        house.clock.move(hours=2)
    for user in (1, 2, 3):
        put(house, "care", "all", user)
    house.run()
    assert house.platform.many == [("U2", "U3")]


def test_news_over_the_days_room_come_the_next_day_at_the_same_hour(house: World) -> None:
    for n in range(3):
        put(house, "news", f"{n}", life=timedelta(days=2))
        house.run()
        house.clock.move(hours=2)
    assert ends(house)[2] == (OutboxStatus.WAITING, pacing.DAY_FULL)
    house.clock.time = START + timedelta(hours=27, minutes=59)
    house.run()
    assert len(pushed(house)) == 2
    house.clock.move(minutes=1)
    house.run()
    assert pushed(house)[2] == ["2"]


def test_news_of_no_use_tomorrow_are_skipped_instead_of_moved(house: World) -> None:
    for n in range(3):
        put(house, "news", f"{n}")
        house.run()
        house.clock.move(hours=2)
    assert ends(house)[2] == (OutboxStatus.SKIPPED, pacing.DAY_FULL)


def test_what_the_patient_asked_for_at_that_hour_always_comes(house: World) -> None:
    for n in range(6):
        put(house, None, f"{n}")
        house.run()
        house.clock.move(hours=1, minutes=10)
    put(house, "care", "care")
    house.run()
    assert len(pushed(house)) == 7


def test_safety_advice_and_answers_are_never_counted_nor_held(house: World) -> None:
    for n in range(3):
        put(house, "care", f"{n}")
        house.run()
        house.clock.move(hours=2)
    for n in range(8):
        accept(house.runtime, [house.said(f"{'!' * (n % 2)}word {n}", token=False)])
        house.run()
    assert len([one for one in house.platform.phones if "word" in one.text]) == 8


def test_identical_reminders_beyond_some_peoples_day_still_leave_in_one_call(house: World) -> None:
    with house.db.write() as tx:
        kept = {"channel": "line", "created_at": START, "seen_at": START}
        tx.execute(insert(Contact), [{"user_id": f"U{n}", **kept} for n in range(4, 41)])
    for n in range(2):
        for user in range(1, 11):
            put(house, "care", f"{n}", user)
        house.run()
        house.clock.move(hours=2)
    house.platform.many.clear()
    for user in range(1, 41):
        put(house, "care", "all", user)
    house.run()
    assert [len(ids) for ids in house.platform.many] == [30]
    assert Counter(house.column(Outbox.status)) == {OutboxStatus.SENT: 50, OutboxStatus.SKIPPED: 10}


# --- together ---------------------------------------------------------------------------------------------------------


def test_messages_of_the_same_hour_come_as_one_push_the_most_important_first(house: World) -> None:
    put(house, "care", "care")
    put(house, "booking", "booking", at=START + timedelta(minutes=45))
    house.run()
    assert pushed(house) == [["booking", "care"]]
    assert house.column(Outbox.status) == [OutboxStatus.SENT] * 2
    assert house.column(Outbox.billed) == [1, 0]
    assert house.column(Outbox.carrier_id) == [None, 1]


def test_more_than_an_hour_apart_they_come_apart(house: World) -> None:
    put(house, "care", "care")
    put(house, "booking", "booking", at=START + timedelta(minutes=61))
    house.run()
    house.clock.move(minutes=61)
    house.run()
    assert pushed(house) == [["care"], ["booking"]]


def test_what_goes_along_takes_no_room_of_the_day(house: World) -> None:
    put(house, "care", "a")
    put(house, "booking", "b")
    house.run()
    house.clock.move(hours=2)
    put(house, "care", "c")
    house.run()
    assert pushed(house) == [["b", "a"], ["c"]]


def test_one_push_holds_five_parts_and_the_rest_come_after_it(house: World) -> None:
    put(house, "booking", "three", parts=[Words("1"), Words("2"), Words("3")])
    put(house, "care", "more", parts=[Words("4"), Words("5"), Words("6")])
    put(house, "news", "two", parts=[Words("7"), Words("8")])
    house.run()
    assert pushed(house) == [["1", "2", "3", "7", "8"], ["4", "5", "6"]]


def test_quick_answers_of_two_messages_are_never_under_one_bubble(house: World) -> None:
    put(house, "booking", "a", quick=(CALM,))
    put(house, "care", "b", quick=(CALM,))
    house.run()
    assert pushed(house) == [["a"], ["b"]]


def test_a_push_before_the_days_reminder_waits_to_come_along_with_it(house: World) -> None:
    rule = ReminderRule((START + timedelta(hours=9, minutes=40)).time(), DAILY, "Asia/Tokyo")
    with house.db.write() as tx:
        reminders.put(tx, 1, "care", rule, START + timedelta(minutes=40))
    put(house, "booking", "booking")
    house.run()
    assert pushed(house) == []
    assert ends(house) == [(OutboxStatus.WAITING, pacing.WITH_CARE)]
    house.clock.move(minutes=40)
    house.run()
    assert pushed(house) == [["booking", "1: reminder_due"]]


def test_it_comes_alone_a_little_later_when_that_reminder_does_not(house: World) -> None:
    rule = ReminderRule((START + timedelta(hours=9, minutes=40)).time(), DAILY, "Asia/Tokyo")
    with house.db.write() as tx:
        reminders.put(tx, 1, "care", rule, START + timedelta(minutes=40))
    put(house, "booking", "booking")
    house.run()
    with house.db.write() as tx:
        reminders.end(tx, 1, "care")
    house.clock.move(minutes=50)
    house.run()
    assert pushed(house) == [["booking"]]


# --- along with an answer ---------------------------------------------------------------------------------------------


def test_what_is_not_urgent_goes_along_with_the_next_answer_for_nothing(house: World) -> None:
    put(house, "extra", "tip")
    house.run()
    assert pushed(house) == []
    accept(house.runtime, [house.said("hello")])
    house.run()
    assert pushed(house) == [["1: hello", "tip"]]
    assert house.column(Outbox.billed) == [0, 0]
    assert house.column(Outbox.status) == [OutboxStatus.SENT] * 2


def test_after_its_wait_it_comes_alone(house: World) -> None:
    put(house, "extra", "tip")
    house.clock.move(minutes=719)
    house.run()
    assert pushed(house) == []
    house.clock.time = datetime.fromisoformat("2026-04-02T05:00+09:00")
    house.run()
    assert pushed(house) == [["tip"]], "its twelve hours end at midnight: it waits for the morning"


def test_it_goes_along_with_the_days_reminder(house: World) -> None:
    put(house, "extra", "tip")
    house.clock.move(hours=3)
    put(house, "care", "care")
    house.run()
    assert pushed(house) == [["care", "tip"]]


def asking(*arguments: object) -> Turn:
    """An engine that always asks something."""
    turn = echo(*arguments)  # type: ignore[arg-type]
    return replace(turn, state=replace(turn.state, waiting=Asking("today", "pain", turn.state.turn, START)))


def test_nothing_goes_along_with_a_question(house: World) -> None:
    put(house, "extra", "tip")
    busy = replace(house, runtime=replace(house.runtime, step=asking))
    accept(busy.runtime, [busy.said("hello")])
    busy.run()
    assert pushed(house) == [["1: hello"]]


def test_nothing_goes_along_with_safety_advice(house: World) -> None:
    put(house, "extra", "tip")
    accept(house.runtime, [house.said("! stop")])
    house.run()
    assert pushed(house) == [["1: ! stop"]]


def test_at_a_closed_gate_nothing_goes_along_with_answers(house: World) -> None:
    gate.switch(house.runtime, "off", "staff-1")
    put(house, "extra", "tip")
    accept(house.runtime, [house.said("hello")])
    house.run()
    assert pushed(house) == [["1: hello"]]
    gate.switch(house.runtime, "on", "staff-1")
    accept(house.runtime, [house.said("again")])
    house.run()
    assert pushed(house)[1] == ["2: again", "tip"]


# --- when a call fails ------------------------------------------------------------------------------------------------


def three(house: World) -> None:
    for words in ("a", "b", "c"):
        put(house, "booking", words)


def test_a_call_that_fails_for_now_is_made_again_with_the_same_key_and_messages(house: World) -> None:
    house.platform.plan.extend([Receipt(Outcome.RETRY, error="status_500"), "on the way back"])
    three(house)
    for _ in range(3):
        house.run()
        house.clock.move(minutes=2)
    assert pushed(house) == [["a", "b", "c"]] * 3
    assert len({call.request_id for call in house.platform.calls}) == 1
    assert len(house.platform.phones) == 1
    assert house.column(Outbox.status) == [OutboxStatus.SENT] * 3


def test_what_is_refused_together_is_sent_one_by_one(house: World) -> None:
    house.platform.plan.append(Receipt(Outcome.REJECTED, error="status_400"))
    three(house)
    house.run()
    assert pushed(house) == [["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert house.column(Outbox.status) == [OutboxStatus.SENT] * 3


def test_nobody_at_the_address_ends_all_of_them(house: World) -> None:
    house.platform.plan.append(Receipt(Outcome.UNREACHABLE, error="status_403"))
    three(house)
    house.run()
    assert house.column(Outbox.status) == [OutboxStatus.FAILED] * 3


def test_without_allowance_they_wait_together_and_each_ends_when_it_is_of_no_more_use(house: World) -> None:
    house.platform.plan.append(Receipt(Outcome.NO_QUOTA, error="monthly_limit"))
    put(house, "booking", "a", life=timedelta(minutes=30))
    put(house, "care", "b", life=timedelta(hours=4))
    house.run()
    house.clock.move(minutes=61)
    house.run()
    assert pushed(house) == [["a", "b"], ["b"]]
    assert house.column(Outbox.status) == [OutboxStatus.SKIPPED, OutboxStatus.SENT]


@pytest.mark.parametrize("arrived", [False, True])
def test_a_worker_that_dies_with_several_in_hand_leaves_them_to_the_next(house: World, arrived: bool) -> None:
    three(house)
    [one] = claim_some(house.runtime, 10)
    assert isinstance(one, Attempt)
    if arrived:
        house.platform.send(house.delivery(one))
    house.clock.move(seconds=30)
    release_expired(house.runtime)
    house.run()
    assert len(house.platform.phones) == 1
    assert pushed(house)[-1] == ["a", "b", "c"]
    assert house.column(Outbox.status) == [OutboxStatus.SENT] * 3


def test_who_is_flagged_meanwhile_gets_none_of_them(house: World) -> None:
    house.platform.plan.append(Receipt(Outcome.RETRY, error="status_500"))
    put(house, "extra", "tip")
    accept(house.runtime, [house.said("hello")])
    house.run()
    with house.db.write() as tx:
        outbox.cancel_timed(tx, 1, house.clock(), "held")
    house.clock.move(seconds=10)
    house.run()
    assert pushed(house)[-1] == ["1: hello"]
    assert house.column(Outbox.status) == [OutboxStatus.CANCELLED, OutboxStatus.SENT]


@pytest.mark.parametrize("doubtful", [False, True])
def test_those_whose_carrier_was_taken_back_leave_on_their_own_unless_they_may_have_arrived(
    house: World, doubtful: bool
) -> None:
    house.platform.plan.append("on the way back" if doubtful else Receipt(Outcome.RETRY, error="status_500"))
    three(house)
    house.run()
    with house.db.write() as tx:
        tx.execute(text("UPDATE outbox SET status = 'cancelled' WHERE id = 1"))
    house.clock.move(minutes=2)
    let_go(house.runtime)
    house.run()
    ending = OutboxStatus.UNCERTAIN if doubtful else OutboxStatus.SENT
    assert house.column(Outbox.status)[1:] == [ending] * 2
    assert pushed(house)[1:] == ([] if doubtful else [["b", "c"]])


def test_workers_of_which_each_sees_a_part_send_every_message_once(house: World) -> None:
    for user in (1, 2, 3):
        for kind in ("booking", "care", "news", "extra"):
            put(house, kind, kind, user)
        accept(house.runtime, [house.said("hi", f"U{user}")])
    house.turns()
    while deliver(house.runtime, 1):
        pass
    heard = Counter(
        (call.user_id, words) for call, some in zip(house.platform.calls, pushed(house), strict=True) for words in some
    )
    assert set(heard.values()) == {1}
    assert len(heard) == 15


def test_no_message_is_ever_without_an_ending_or_a_time(house: World) -> None:
    for n in range(6):
        put(house, "news", f"{n}", life=timedelta(days=3))
    for _ in range(6 * 24):
        house.clock.move(hours=1)
        house.run()
    with house.db.read() as look:
        rows = look.execute(select(Outbox.status, Outbox.error)).all()
    assert all(row.status == OutboxStatus.SENT or row.error for row in rows), rows
    assert OutboxStatus.WAITING not in {row.status for row in rows}
