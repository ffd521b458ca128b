"""What an operator is told of pushes: billed and to be expected, left out and why, held and by what."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from app import create_app
from bot import gate, quota
from bot.doctor import examine
from bot.store.tables import Contact, Outbox, OutboxStatus
from tests.world import World

NOW = datetime(2026, 4, 11, 3, 0, tzinfo=UTC)
"""Noon in Tokyo on the eleventh: ten and a half days are over, nineteen and a half to come."""


@pytest.fixture
def clinic(world: World) -> World:
    world.clock.time = NOW
    with world.db.write() as tx:
        kept = {"channel": "line", "created_at": NOW, "seen_at": NOW}
        tx.execute(insert(Contact), [{"user_id": "U1", **kept}, {"user_id": "U2", **kept}])
    return world


def row(clinic: World, count: int, *, days_ago: float, **values: object) -> None:
    at = NOW - timedelta(days=days_ago)
    kept = {"contact_id": 1, "channel": "line", "user_id": "U1", "cause": "test", "priority": 2, "not_before": at}
    with clinic.db.write() as tx:
        for _ in range(count):
            key = str(clinic.runtime.new_uuid())
            tx.execute(insert(Outbox), {**kept, "dedupe_key": key, "created_at": at, "done_at": at, **values})


def sent(clinic: World, count: int, days_ago: float, channel: str = "line") -> None:
    row(clinic, count, days_ago=days_ago, channel=channel, status=OutboxStatus.SENT, billed=1)


def metrics(clinic: World) -> list[str]:
    page: str = create_app(runtime=clinic.runtime).test_client().get("/metrics").text
    return page.splitlines()


def test_the_month_is_the_clinics_and_its_end_is_judged_by_the_last_seven_days(clinic: World) -> None:
    sent(clinic, 7, days_ago=1)
    sent(clinic, 3, days_ago=9)
    sent(clinic, 5, days_ago=10.6)  # the last evening of March in Tokyo
    sent(clinic, 4, days_ago=1, channel="slack")
    with clinic.db.read() as look:
        month = quota.month(look, clinic.runtime.content, NOW)
    assert (month.billed, month.expected) == (10, 30)
    assert month.plan is not None
    assert month.plan.id == "communication"


def test_the_cheapest_plan_that_carries_the_month_is_named(clinic: World) -> None:
    sent(clinic, 100, days_ago=1)
    with clinic.db.read() as look:
        month = quota.month(look, clinic.runtime.content, NOW)
    assert month.expected == 379
    assert month.plan is not None
    assert month.plan.id == "light"


def test_the_metrics_tell_what_is_billed_held_and_left_out(clinic: World) -> None:
    sent(clinic, 7, days_ago=1)
    row(clinic, 2, days_ago=0.1, kind="care", status=OutboxStatus.SKIPPED, error="day_full")
    row(clinic, 1, days_ago=2, kind="care", status=OutboxStatus.SKIPPED, error="day_full")
    row(clinic, 3, days_ago=0.1, kind="news", status=OutboxStatus.HELD, error="monthly_limit")
    row(clinic, 1, days_ago=0.1, kind="news", status=OutboxStatus.WAITING)
    gate.switch(clinic.runtime, "off", "staff-1")
    told = metrics(clinic)
    for line in (
        'month_billed{when="so_far"} 7.0',
        'month_billed{when="expected"} 27.0',
        'plan_messages{plan="light"} 5000.0',
        'messages_held{by="gate"} 4.0',
        'messages_held{by="allowance"} 3.0',
        'messages_left_out{kind="care",reason="day_full"} 2.0',
        'send_gate{position="off"} 1.0',
        'send_gate{position="on"} 0.0',
    ):
        assert line in told


def test_the_doctor_tells_the_same_in_words(clinic: World) -> None:
    sent(clinic, 7, days_ago=1)
    row(clinic, 2, days_ago=0.1, kind="care", status=OutboxStatus.SKIPPED, error="day_full")
    row(clinic, 3, days_ago=0.1, kind="news", status=OutboxStatus.HELD, error="monthly_limit")
    gate.switch(clinic.runtime, "test", "staff-1")
    words = [f"{f.level.value} {f.words}" for f in examine(clinic.runtime.settings, lambda: NOW)]
    assert any(w.startswith("ok 7 billed by LINE this month, about 27 by its end: Communication") for w in words)
    assert any("2 care (day_full)" in w for w in words)
    assert any(w.startswith("problem 3 wait because LINE's allowance") for w in words)
    assert any("is test by staff-1" in w for w in words)


def test_what_is_told_is_counted_by_its_index(clinic: World) -> None:
    query = "SELECT sum(billed) FROM outbox WHERE (billed > 0 OR status = 'skipped') AND done_at >= '2026-04-01'"
    with clinic.db.write() as tx:
        if clinic.db.is_sqlite:
            plan = [r.detail for r in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + query)]
        else:
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = [r[0] for r in tx.exec_driver_sql("EXPLAIN " + query)]
    assert any("ix_outbox_told" in line for line in plan), plan
