"""The send gate as staff switch it: everything pushed waits before it, nothing is consumed, and nothing waits for ever."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from bot import gate, outbox
from bot.config import SendGate
from bot.delivery import let_go
from bot.inbox import accept
from bot.messages import Message, Priority, Words
from bot.store.tables import Alert, Audit, Outbox, OutboxStatus
from tests.world import World


def push(
    world: World, words: str, priority: Priority, user: int = 1, *, together: bool = False, minutes: int = 90
) -> None:
    """A message that nobody waits for."""
    now = world.clock()
    with world.db.write() as tx:
        outbox.put(
            world.db,
            tx,
            outbox.Address(user, "line", f"U{user}"),
            Message((Words(words),), safety=priority is Priority.SAFETY),
            cause="test",
            dedupe_key=f"{user}:{words}",
            now=now,
            priority=priority,
            expires_at=now + timedelta(minutes=minutes),
            together=together,
        )


@pytest.fixture
def two(world: World) -> World:
    """Two people who said hello and were answered."""
    for user in ("U1", "U2"):
        accept(world.runtime, [world.said("hello", user)])
    world.run()
    world.platform.phones.clear()
    return world


def arrived(world: World) -> list[str]:
    return [f"{one.user_id} {one.text}" for one in world.platform.phones]


def opened(world: World) -> gate.Gate:
    with world.db.read() as look:
        return gate.current(look, world.runtime.settings)


def test_nobody_has_switched_it_and_the_setting_holds(world: World) -> None:
    assert opened(world) == gate.Gate("on")


@pytest.mark.parametrize("priority", [Priority.SAFETY, Priority.REPLY, Priority.TIMED, Priority.BROADCAST])
@pytest.mark.parametrize("together", [False, True])
def test_switched_off_it_holds_whatever_is_pushed_and_switched_on_all_of_it_leaves_once(
    two: World, priority: Priority, together: bool
) -> None:
    gate.switch(two.runtime, "off", "staff-1")
    push(two, "a", priority, 1, together=together)
    push(two, "a", priority, 2, together=together)
    two.run()
    assert arrived(two) == []
    with two.db.read() as look:
        assert gate.held(look, "off", two.clock()) == 2
    gate.switch(two.runtime, "on", "staff-1")
    two.run()
    two.run()
    assert sorted(arrived(two)) == ["U1 a", "U2 a"]


def test_set_to_test_only_test_contacts_are_sent_to(two: World) -> None:
    two.set_test_contact("U2")
    gate.switch(two.runtime, "test", "staff-1")
    for user in (1, 2):
        push(two, "a", Priority.TIMED, user, together=True)
    two.run()
    assert arrived(two) == ["U2 a"]
    with two.db.read() as look:
        assert gate.held(look, "test", two.clock()) == 1


def test_a_closed_gate_answers_those_who_write(two: World) -> None:
    gate.switch(two.runtime, "off", "staff-1")
    accept(two.runtime, [two.said("there?")])
    two.run()
    assert [one.way for one in two.platform.phones] == ["reply"]


def test_what_staff_chose_wins_over_the_setting_and_survives_a_restart(world: World) -> None:
    gate.switch(world.runtime, "off", "staff-1")
    assert opened(world) == gate.Gate("off", "staff-1", world.clock())
    world.clock.move(hours=1)
    gate.switch(world.runtime, "test", "staff-2")
    assert opened(world) == gate.Gate("test", "staff-2", world.clock())


def test_each_switch_is_in_the_audit_with_who_and_what(world: World) -> None:
    gate.switch(world.runtime, "off", "staff-1")
    gate.switch(world.runtime, "on", "staff-2")
    with world.db.read() as look:
        rows = look.execute(select(Audit.actor, Audit.action, Audit.detail).order_by(Audit.id)).all()
    assert [tuple(row) for row in rows] == [
        ("staff-1", "gate", '{"from":"on","to":"off"}'),
        ("staff-2", "gate", '{"from":"off","to":"on"}'),
    ]


@pytest.mark.parametrize(
    "bad", ["INSERT INTO gate VALUES (2, 'on', 'x', '2026-01-01')", "UPDATE gate SET value = 'open'"]
)
def test_the_database_knows_one_gate_and_three_positions(world: World, bad: str) -> None:
    gate.switch(world.runtime, "on", "staff-1")
    with pytest.raises(Exception, match=r"(?i)check"), world.db.write() as tx:
        tx.execute(text(bad))


@pytest.mark.parametrize("together", [False, True])
def test_what_waits_past_its_use_at_a_closed_gate_is_skipped_with_its_reason(two: World, together: bool) -> None:
    gate.switch(two.runtime, "off", "staff-1")
    push(two, "a", Priority.TIMED, together=together)
    two.clock.move(minutes=90)
    two.run()
    assert two.column(Outbox.status)[-1] == OutboxStatus.SKIPPED
    assert two.column(Outbox.error)[-1] == "too_late"
    gate.switch(two.runtime, "on", "staff-1")
    two.run()
    assert arrived(two) == []


def test_staff_is_told_of_safety_advice_that_the_gate_holds_and_told_once(two: World) -> None:
    gate.switch(two.runtime, "off", "staff-1")
    push(two, "go to a doctor", Priority.SAFETY)
    for _ in range(2):
        let_go(two.runtime)
    with two.db.read() as look:
        assert [tuple(row) for row in look.execute(select(Alert.urgency, Alert.flags))] == [("phone", '["gate"]')]


@pytest.mark.parametrize(("setting", "chosen"), [("off", "on"), ("on", "off")])
def test_every_process_reads_the_gate_anew(two: World, setting: SendGate, chosen: SendGate) -> None:
    """Another process has its own settings and no word from this one but the row."""
    other = two.runtime.settings.model_copy(update={"send_gate": setting})
    gate.switch(two.runtime, chosen, "staff-1")
    with two.db.read() as look:
        assert gate.current(look, other).value == chosen
