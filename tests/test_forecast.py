"""The forecast is what will happen: line by line the same as the days themselves, on both databases."""

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import time, timedelta
from typing import Literal

import pytest
from sqlalchemy import Connection, insert

from bot import gate, outbox, pacing
from bot.content.rules import ReminderRule, next_fire
from bot.engine.state import Asking, Lock, State
from bot.engine.state import Reminder as Chosen
from bot.engine.step import step
from bot.forecast import Forecast, Line, lines, look_ahead, render
from bot.messages import Card, Disposition, Message, Pushed
from bot.store import codec
from bot.store.tables import Contact, Inbox, Outbox, Reminder
from bot.worker import drain
from tests.databases import on_sqlite
from tests.world import START, World

PATIENTS = int(os.environ.get("FORECAST_PATIENTS", "12"))
DAYS = int(os.environ.get("FORECAST_DAYS", "3"))
DAYS_OF_POSTGRESQL = int(os.environ.get("FORECAST_DAYS", "1"))
"""Looking 144 times a day whether anything is due takes several times as long there."""

TICK = timedelta(minutes=10)
KINDS: tuple[Pushed, ...] = ("booking", "news", "extra")


@pytest.fixture
def clinic(world: World) -> World:
    """The pipeline with the real engine."""
    return replace(world, runtime=replace(world.runtime, step=step))


def fill(clinic: World, count: int, chance: random.Random) -> None:
    """Patients of every sort who have a reminder: some flagged, silent for weeks, in conversation, done for the day, gone."""
    quiet = clinic.runtime.content.reminders.quiet_hours
    with clinic.db.write() as tx:
        for number in range(1, count + 1):
            state, rule = somebody(chance)
            kept = {"locale": state.locale, "state": codec.state_json(state), "reachable": chance.random() > 0.05}
            row = {"channel": "line", "user_id": f"U{number}", "created_at": START, "seen_at": START, **kept}
            contact_id = tx.execute(insert(Contact).returning(Contact.id), row).scalar_one()
            put_off = chance.random() < 0.1
            next_at = START + TICK * chance.randrange(1, 20) if put_off else next_fire(rule, START, quiet)
            values = {"contact_id": contact_id, "kind": "care", "rule": codec.rule_json(rule), "next_at": next_at}
            tx.execute(insert(Reminder), values)
            for nth in range(chance.randrange(4)):
                waits(clinic, tx, contact_id, nth, chance)


def somebody(chance: random.Random) -> tuple[State, ReminderRule]:
    at = time(chance.randrange(5, 23), 10 * chance.randrange(6))
    days = tuple(sorted(chance.sample(range(7), chance.choice((7, 7, 7, 5, 3, 1)))))
    locale: Literal["ja", "en"] = chance.choice(("ja", "ja", "en"))
    chosen = Chosen(at, days, unanswered=chance.randrange(4), cadence=chance.choice(("own", "own", "three", "one")))
    state = State(locale=locale, consents={"guidance": START}, reminder=chosen)
    match chance.randrange(10):
        case 0:
            state = replace(state, lock=Lock(Disposition.DOCTOR, (), "doctor", START, "answers"))
        case 1:
            state = replace(state, recent_sessions=(START,))
        case 2:
            state = replace(state, waiting=Asking("today", "pain", 1, START))
        case 3:
            state = replace(state, consents={})
        case _:
            pass
    return state, ReminderRule(at, days, "Asia/Tokyo")


def waits(clinic: World, tx: Connection, contact_id: int, nth: int, chance: random.Random) -> None:
    """Something else is in the outbox for the same person."""
    begin = START + TICK * chance.randrange(0, 144 * max(1, DAYS - 1))
    one = pacing.entry(
        clinic.runtime,
        outbox.Address(contact_id, "line", f"U{contact_id}"),
        Message((Card("また", f"{nth} {contact_id % 3}"),)),
        kind=chance.choice(KINDS),
        cause="test",
        dedupe_key=f"{contact_id}:{nth}",
        now=START,
        not_before=begin,
        expires_at=begin + timedelta(hours=chance.randrange(1, 60)),
    )
    outbox.put_all(clinic.db, tx, [one], START)


def live(clinic: World, days: int) -> None:
    """The days pass, ten minutes at a time."""
    clinic.run()
    for _ in range(days * 144):
        clinic.clock.time += TICK
        clinic.run()


def ahead(clinic: World, days: int) -> Forecast:
    return look_ahead(clinic.runtime, drain, timedelta(days=days))


@pytest.mark.timeout(3600)
def test_the_forecast_equals_what_the_days_really_send_line_by_line(clinic: World) -> None:
    days = DAYS if clinic.db.is_sqlite else DAYS_OF_POSTGRESQL
    fill(clinic, PATIENTS, random.Random(7))
    told = ahead(clinic, days)
    assert clinic.platform.phones == []
    live(clinic, days)
    with clinic.db.read() as look:
        really = lines(look, START)
    assert list(told.lines) == list(really)
    arrived = Counter(one.user_id for one in clinic.platform.phones)
    left = Counter(f"U{line.contact_id}" for line in told.lines if line.way == "push")
    assert left == arrived
    assert told.pushes == sum(clinic.column(Outbox.billed))  # type: ignore[arg-type]
    assert len({line.way for line in told.lines}) > 2, "the patients are too much alike to prove anything"


def test_a_forecast_changes_nothing(clinic: World) -> None:
    fill(clinic, 3, random.Random(1))
    before = [clinic.count(table) for table in (Inbox, Outbox)], clinic.column(Reminder.next_at)
    ahead(clinic, 3)
    assert ([clinic.count(table) for table in (Inbox, Outbox)], clinic.column(Reminder.next_at)) == before
    assert clinic.platform.calls == []
    assert clinic.clock() == START


def one(clinic: World, state: State, *, reachable: bool = True) -> None:
    with clinic.db.write() as tx:
        row = {"channel": "line", "user_id": "U1", "created_at": START, "seen_at": START, "reachable": reachable}
        tx.execute(insert(Contact), {**row, "state": codec.state_json(state)})
        rule = codec.rule_json(ReminderRule(time(21), (0, 1, 2, 3, 4, 5, 6), "Asia/Tokyo"))
        due = START.replace(hour=12)
        tx.execute(insert(Reminder), {"contact_id": 1, "kind": "care", "rule": rule, "next_at": due})


READY = State(consents={"guidance": START}, reminder=Chosen(time(21), (0, 1, 2, 3, 4, 5, 6)))
LOCKED = replace(READY, lock=Lock(Disposition.DOCTOR, (), "doctor", START, "answers"))


@pytest.mark.parametrize(
    ("state", "why"),
    [(LOCKED, "locked"), (replace(READY, consents={}), "no_consent"), (replace(READY, stopped=True), "stopped")],
)
def test_it_says_why_somebody_is_not_reminded(clinic: World, state: State, why: str) -> None:
    one(clinic, state)
    assert [(line.way, line.why) for line in ahead(clinic, 2).lines] == [("skipped", why)] * 2


@on_sqlite
def test_silence_makes_reminders_fewer_in_the_forecast_as_in_life(clinic: World) -> None:
    one(clinic, READY)
    found = ahead(clinic, 84)
    assert found.pushes < 84 * 0.4
    assert found.lines[-1].at < START + timedelta(days=60), "the last is a goodbye"


def test_who_takes_no_messages_and_what_a_closed_gate_holds_are_named(clinic: World) -> None:
    one(clinic, READY, reachable=False)
    gate.switch(clinic.runtime, "off", "staff-1")
    text = "\n".join(render(ahead(clinic, 2), clinic.runtime.content))
    assert "#1" in text
    assert "gate is off" in text


def test_the_price_of_a_month_is_told_for_every_plan(clinic: World) -> None:
    found = Forecast(START, timedelta(days=30), gate.Gate("on"), [], 31_000, 0, [])
    text = "\n".join(render(found, clinic.runtime.content))
    assert "Light (ライトプラン): not enough: it carries 5,000" in text
    assert "Standard (スタンダードプラン): 18,000 yen" in text
    assert replace(found, span=timedelta(days=15)).pushes_a_month == 62_000


def test_a_line_is_shown_with_local_time_person_kind_way_and_words(clinic: World) -> None:
    line = Line(START, 12, "care", "push", "", "きょうの分を、はじめましょうか？")
    found = Forecast(START, timedelta(days=1), gate.Gate("on"), [line], 1, 0, [])
    first = next(render(found, clinic.runtime.content))
    assert first == "2026-04-01 12:00      #12  care     push      きょうの分を、はじめましょうか？"
