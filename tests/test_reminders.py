"""Reminders from the row to the phone, on both databases: due ones once, late ones never, the same ones in one call."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import Connection, insert, select, text, update

from bot import contacts, outbox, reminders
from bot.channels.base import Outcome, Receipt
from bot.content.rules import DAILY, ReminderRule
from bot.conversation import advance
from bot.delivery import deliver, release_expired
from bot.engine.state import Reminder as Chosen
from bot.engine.state import SetReminder, State
from bot.engine.step import step
from bot.inbox import accept
from bot.messages import ReminderDue
from bot.store import codec, migrate
from bot.store.tables import Contact, Inbox, Outbox, OutboxStatus, Reminder, ReminderStatus
from bot.worker import drain
from tests.world import START, World

NINE = ReminderRule(time(21), DAILY, "Asia/Tokyo")
DUE = START.replace(hour=12)
"""21:00 in Tokyo on the first day."""


@pytest.fixture
def clinic(world: World) -> World:
    """The pipeline with the real engine."""
    return replace(world, runtime=replace(world.runtime, step=step))


def people(clinic: World, count: int, at: datetime = DUE, locale: str = "ja") -> None:
    """So many patients who asked for a reminder at nine in the evening."""
    ready = State(
        locale="en" if locale == "en" else "ja", consents={"guidance": START}, reminder=Chosen(time(21), DAILY)
    )
    kept = {"locale": locale, "state": codec.state_json(ready), "created_at": START, "seen_at": START}
    with clinic.db.write() as tx:
        first = len(tx.execute(select(Contact.id)).all()) + 1
        numbers = range(first, first + count)
        tx.execute(insert(Contact), [{"channel": "line", "user_id": f"U{n}", **kept} for n in numbers])
        ids = tx.execute(select(Contact.id).order_by(Contact.id).offset(first - 1)).scalars().all()
        rule = codec.rule_json(NINE)
        tx.execute(insert(Reminder), [{"contact_id": i, "kind": "care", "rule": rule, "next_at": at} for i in ids])


def status(clinic: World) -> Counter[object]:
    return Counter(clinic.column(Outbox.status))


def test_a_due_reminder_is_sent_once_and_moves_on_to_tomorrow(clinic: World) -> None:
    people(clinic, 1)
    clinic.run()
    assert clinic.platform.phones == []
    clinic.clock.time = DUE
    clinic.run()
    clinic.clock.move(minutes=5)
    clinic.run()
    assert [(one.user_id, one.way) for one in clinic.platform.phones] == [("U1", "push")]
    assert clinic.column(Reminder.next_at) == [DUE + timedelta(days=1)]
    assert clinic.column(Contact.seen_at) == [START], "a reminder is nothing that the patient did"


def test_a_reminder_too_late_to_be_of_use_is_moved_on_and_never_sent(clinic: World) -> None:
    people(clinic, 2)
    clinic.clock.time = DUE + timedelta(minutes=90)
    clinic.run()
    assert clinic.platform.phones == []
    assert clinic.count(Inbox) == 0
    assert clinic.column(Reminder.next_at) == [DUE + timedelta(days=1)] * 2


def test_after_days_without_power_only_todays_reminder_comes_if_it_is_still_of_use(clinic: World) -> None:
    people(clinic, 1)
    clinic.clock.time = DUE + timedelta(days=3, minutes=30)
    clinic.run()
    assert len(clinic.platform.phones) == 1
    assert clinic.column(Reminder.next_at) == [DUE + timedelta(days=4)]


def test_a_reminder_that_waited_too_long_in_any_queue_is_not_sent(clinic: World) -> None:
    people(clinic, 3)
    clinic.clock.time = DUE
    reminders.sweep(clinic.runtime, DUE)
    clinic.clock.move(minutes=89)
    clinic.turns()
    clinic.clock.move(minutes=1)
    clinic.run()
    assert clinic.platform.phones == []
    assert status(clinic) == {OutboxStatus.SKIPPED: 3}


def test_a_turn_after_the_reminders_useful_life_says_nothing(clinic: World) -> None:
    people(clinic, 1)
    clinic.clock.time = DUE
    reminders.sweep(clinic.runtime, DUE)
    clinic.clock.move(minutes=90)
    clinic.run()
    assert clinic.platform.phones == []
    assert clinic.column(Outbox.error) == ["too_late"]


def test_nobody_is_reminded_at_an_address_that_takes_nothing(clinic: World) -> None:
    people(clinic, 2)
    with clinic.db.write() as tx:
        contacts.set_reachable(tx, 1, False, START)
    clinic.clock.time = DUE
    clinic.run()
    assert [one.user_id for one in clinic.platform.phones] == ["U2"]


def test_held_and_ended_reminders_do_not_come(clinic: World) -> None:
    people(clinic, 3)
    with clinic.db.write() as tx:
        reminders.hold(tx, 1)
        reminders.end(tx, 2, "care")
    clinic.clock.time = DUE
    clinic.run()
    assert [one.user_id for one in clinic.platform.phones] == ["U3"]
    assert clinic.column(Reminder.status) == [ReminderStatus.HELD, ReminderStatus.ENDED, ReminderStatus.ACTIVE]


def test_a_contact_has_one_reminder_of_a_kind_however_often_it_is_set(clinic: World) -> None:
    people(clinic, 1)
    with clinic.db.write() as tx:
        reminders.put(tx, 1, "care", NINE, DUE + timedelta(hours=1))
        reminders.hold(tx, 1)
        reminders.put(tx, 1, "care", NINE, DUE + timedelta(hours=2))
    assert clinic.column(Reminder.next_at) == [DUE + timedelta(hours=2)]
    with clinic.db.write() as tx:
        reminders.end(tx, 1, "care")
        reminders.put(tx, 1, "care", NINE, DUE)
    assert clinic.column(Reminder.status) == [ReminderStatus.ENDED, ReminderStatus.ACTIVE]


def test_a_second_active_reminder_of_a_kind_is_refused_by_the_database(clinic: World) -> None:
    people(clinic, 1)
    row = {"contact_id": 1, "kind": "care", "rule": codec.rule_json(NINE), "next_at": DUE}
    with pytest.raises(Exception, match=r"(?i)unique"), clinic.db.write() as tx:
        tx.execute(insert(Reminder), row)


def test_the_sweep_looks_only_at_what_is_due(clinic: World) -> None:
    """The plan of the sweep's query uses the index on the due time."""
    people(clinic, 50)
    with clinic.db.write() as tx:
        if clinic.db.is_sqlite:
            plan = [row.detail for row in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + compiled(tx))]
        else:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
            plan = [row[0] for row in tx.exec_driver_sql("EXPLAIN " + compiled(tx))]
    assert any("ix_reminder_due" in line for line in plan), plan


def compiled(tx: Connection) -> str:
    query = reminders._DUE.limit(10).params(now=DUE)
    return str(query.compile(tx, compile_kwargs={"literal_binds": True}))


# --- in company -------------------------------------------------------------------------------------------------------


def test_two_thousand_due_at_once_leave_in_four_calls(clinic: World) -> None:
    people(clinic, 2000)
    clinic.clock.time = DUE
    clinic.run()
    assert [len(ids) for ids in clinic.platform.many] == [500] * 4
    assert Counter(one.user_id for one in clinic.platform.phones) == {f"U{n}": 1 for n in range(1, 2001)}
    assert status(clinic) == {OutboxStatus.SENT: 2000}
    assert set(clinic.column(Outbox.billed)) == {1}


def test_those_who_read_another_language_are_called_apart(clinic: World) -> None:
    people(clinic, 3)
    people(clinic, 2, locale="en")
    clinic.clock.time = DUE
    clinic.run()
    assert sorted(map(len, clinic.platform.many)) == [2, 3]


@pytest.mark.parametrize("where", ["on the way", "on the way back"])
def test_a_doubtful_call_is_made_again_with_the_same_key_and_people(clinic: World, where: str) -> None:
    people(clinic, 5)
    clinic.platform.plan.append(where)  # type: ignore[arg-type]
    clinic.clock.time = DUE
    clinic.run()
    people(clinic, 2, at=DUE)
    clinic.clock.move(minutes=2)
    clinic.run()
    first, *others = clinic.platform.many
    assert first in others
    assert sorted(map(len, others)) == [2, 5]
    assert Counter(one.user_id for one in clinic.platform.phones) == {f"U{n}": 1 for n in range(1, 8)}
    assert len(set(clinic.column(Outbox.request_id))) == 2


def test_who_was_flagged_meanwhile_is_left_out_of_the_second_call(clinic: World) -> None:
    people(clinic, 4)
    clinic.platform.plan.append(Receipt(Outcome.RETRY, error="status_500"))
    clinic.clock.time = DUE
    clinic.run()
    with clinic.db.write() as tx:
        outbox.cancel_timed(tx, 2, clinic.clock(), "held")
    clinic.clock.move(minutes=2)
    clinic.run()
    assert clinic.platform.many[1] == ("U1", "U3", "U4")
    assert status(clinic) == {OutboxStatus.SENT: 3, OutboxStatus.CANCELLED: 1}


def test_a_refused_call_is_made_again_one_by_one(clinic: World) -> None:
    people(clinic, 3)
    clinic.platform.plan.append(Receipt(Outcome.REJECTED, error="status_400"))
    clinic.clock.time = DUE
    clinic.run()
    assert len(clinic.platform.many) == 1
    assert [one.way for one in clinic.platform.phones] == ["push"] * 3


def test_without_allowance_all_are_held_and_then_skipped(clinic: World) -> None:
    people(clinic, 3)
    clinic.platform.plan.append(Receipt(Outcome.NO_QUOTA, error="monthly_limit"))
    clinic.clock.time = DUE
    clinic.run()
    assert status(clinic) == {OutboxStatus.HELD: 3}
    clinic.clock.move(minutes=95)
    clinic.run()
    assert status(clinic) == {OutboxStatus.SKIPPED: 3}
    assert clinic.platform.phones == []


@pytest.mark.parametrize(("gate", "sent"), [("off", 0), ("test", 2), ("on", 4)])
def test_the_send_gate_stands_before_calls_to_many(clinic: World, gate: str, sent: int) -> None:
    settings = clinic.runtime.settings.model_copy(update={"send_gate": gate})
    clinic = replace(clinic, runtime=replace(clinic.runtime, settings=settings))
    people(clinic, 4)
    clinic.set_test_contact("U1")
    clinic.set_test_contact("U3")
    clinic.clock.time = DUE
    clinic.run()
    assert len(clinic.platform.phones) == sent


def test_while_more_of_them_are_being_written_a_call_waits_but_not_for_long(clinic: World) -> None:
    people(clinic, 6)
    clinic.clock.time = DUE
    reminders.sweep(clinic.runtime, DUE)
    advance(clinic.runtime, 3)
    assert deliver(clinic.runtime, 100) == 0
    clinic.clock.move(seconds=11)
    assert deliver(clinic.runtime, 100) == 1
    clinic.run()
    assert [len(ids) for ids in clinic.platform.many] == [3, 3]


def test_who_writes_is_answered_before_the_reminders_that_came_due_a_moment_earlier(clinic: World) -> None:
    people(clinic, 30)
    clinic.clock.time = DUE
    reminders.sweep(clinic.runtime, DUE)
    clinic.clock.move(seconds=5)
    accept(clinic.runtime, [clinic.said("hello", "U99")])
    advance(clinic.runtime, 1)
    [answered] = clinic.column(Outbox.user_id)
    assert answered == "U99"


# --- workers that compete and die -------------------------------------------------------------------------------------


def test_two_workers_that_sweep_at_once_miss_none_and_send_none_twice(clinic: World) -> None:
    people(clinic, 1200)
    clinic.clock.time = DUE
    both = [threading.Thread(target=drain, args=(clinic.runtime,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    clinic.run()
    assert Counter(one.user_id for one in clinic.platform.phones) == {f"U{n}": 1 for n in range(1, 1201)}
    assert set(clinic.column(Reminder.next_at)) == {DUE + timedelta(days=1)}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_worker_killed_in_its_sweep_loses_none_and_repeats_none(
    clinic: World, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(clinic, 7)
    clinic.clock.time = DUE

    def die(*_: object) -> None:
        raise Killed

    dying = replace(clinic.runtime, wake=die)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        if moment == "before the commit":
            patch.setattr("bot.inbox.admit", die)
        with pytest.raises(Killed):
            reminders.sweep(dying, DUE)
    clinic.run()
    assert Counter(one.user_id for one in clinic.platform.phones) == {f"U{n}": 1 for n in range(1, 8)}


def test_a_worker_killed_after_the_call_and_before_its_settlement_repeats_it_with_the_same_key(clinic: World) -> None:
    people(clinic, 3)
    clinic.clock.time = DUE
    reminders.sweep(clinic.runtime, DUE)
    clinic.turns()
    send_many = clinic.platform.send_many

    def send_and_die(*arguments: object) -> Receipt:
        send_many(*arguments)  # type: ignore[arg-type]
        raise Killed

    clinic.platform.send_many = send_and_die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        clinic.run()
    clinic.platform.send_many = send_many  # type: ignore[method-assign]
    assert status(clinic) == {OutboxStatus.SENDING: 3}
    clinic.clock.move(seconds=30)
    release_expired(clinic.runtime)
    clinic.run()
    assert clinic.platform.many[0] == clinic.platform.many[1]
    assert len(clinic.platform.phones) == 3
    assert status(clinic) == {OutboxStatus.SENT: 3}


def test_an_event_of_the_same_due_time_is_known(clinic: World) -> None:
    people(clinic, 1)
    for _ in range(2):
        with clinic.db.write() as tx:
            tx.execute(update(Reminder).values(next_at=DUE))
        clinic.clock.time = DUE
        clinic.run()
    assert len(clinic.platform.phones) == 1


# --- effects, migration -----------------------------------------------------------------------------------------------


def test_what_a_turn_sets_is_what_comes(world: World) -> None:
    turn = world.runtime.step
    effect = SetReminder("care", NINE, DUE)

    def setting(*arguments: object) -> object:
        return replace(turn(*arguments), effects=(effect,))  # type: ignore[arg-type]

    house = replace(world, runtime=replace(world.runtime, step=setting))  # type: ignore[arg-type]
    accept(house.runtime, [house.said("nine")])
    house.turns()
    assert house.column(Reminder.next_at) == [DUE]
    [rule] = house.column(Reminder.rule)
    assert codec.rule_from(str(rule)) == NINE


def test_an_erased_contact_leaves_no_reminder(clinic: World) -> None:
    people(clinic, 1)
    with clinic.db.write() as tx:
        contacts.erase(tx, 1, START, "patient")
    assert clinic.count(Reminder) == 0


def test_the_migration_goes_both_ways_with_reminders_and_messages_in_the_tables(clinic: World) -> None:
    people(clinic, 3)
    clinic.clock.time = DUE
    reminders.sweep(clinic.runtime, DUE)
    clinic.turns()
    assert None not in clinic.column(Outbox.batch_key)
    migrate.downgrade(clinic.db, "0001")
    migrate.upgrade(clinic.db)
    assert clinic.column(Outbox.batch_key) == [None] * 3
    assert clinic.count(Reminder) == 0
    clinic.run()
    assert [one.way for one in clinic.platform.phones] == ["push"] * 3


@pytest.mark.parametrize("minutes", [0, 89, 90])
def test_an_event_survives_being_stored(minutes: int) -> None:
    event = ReminderDue("care", DUE, DUE + timedelta(minutes=minutes))
    assert codec.event_from(codec.event_json(event)) == event
