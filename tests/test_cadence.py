"""Twelve weeks of reminders through the whole pipeline: who never answers is left in peace, who answers is never moved."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from sqlalchemy import insert

from bot.content.rules import DAILY, ReminderRule
from bot.engine.state import Reminder as Chosen
from bot.engine.state import State
from bot.engine.step import step
from bot.inbox import accept
from bot.messages import Command, Commanded
from bot.store import codec
from bot.store.tables import Contact, Reminder, ReminderStatus
from tests.databases import on_sqlite
from tests.world import START, World

DAYS = 84
DUE = START.replace(hour=12)
"""21:00 in Tokyo on the first day."""


@pytest.fixture
def clinic(world: World) -> World:
    """One patient with a daily reminder at nine in the evening."""
    state = State(consents={"guidance": START}, reminder=Chosen(time(21), DAILY))
    rule = codec.rule_json(ReminderRule(time(21), DAILY, "Asia/Tokyo"))
    with world.db.write() as tx:
        kept = {"channel": "line", "user_id": "U1", "created_at": START, "seen_at": START}
        tx.execute(insert(Contact), {**kept, "state": codec.state_json(state)})
        tx.execute(insert(Reminder), {"contact_id": 1, "kind": "care", "rule": rule, "next_at": DUE})
    return replace(world, runtime=replace(world.runtime, step=step))


def pushes(clinic: World) -> int:
    return sum(one.way != "reply" for one in clinic.platform.phones)


def test_who_never_answers_gets_at_least_sixty_per_cent_fewer_pushes_than_one_a_day(clinic: World) -> None:
    for day in range(DAYS):
        clinic.clock.time = DUE + timedelta(days=day)
        clinic.run()
    assert pushes(clinic) <= DAYS * 0.4
    assert clinic.column(Reminder.status)[-1] == ReminderStatus.ENDED, "a goodbye, and then nothing"


@on_sqlite
def test_the_schedule_of_who_answers_never_changes(clinic: World) -> None:
    [rule] = clinic.column(Reminder.rule)
    for day in range(DAYS):
        clinic.clock.time = DUE + timedelta(days=day)
        clinic.run()
        assert pushes(clinic) == day + 1
        clinic.clock.move(minutes=10)
        accept(clinic.runtime, [clinic.event(Commanded(Command.TODAY))])
        clinic.run()
        assert clinic.column(Reminder.next_at) == [DUE + timedelta(days=day + 1)]
        assert clinic.column(Reminder.rule) == [rule]


@on_sqlite
def test_who_answers_every_other_reminder_is_never_moved_either(clinic: World) -> None:
    for day in range(DAYS // 2):
        clinic.clock.time = DUE + timedelta(days=day)
        clinic.run()
        if day % 2:
            clinic.clock.move(minutes=10)
            accept(clinic.runtime, [clinic.event(Commanded(Command.TODAY))])
            clinic.run()
    assert pushes(clinic) == DAYS // 2
