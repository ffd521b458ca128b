"""What goes out: once, in order, and what follows when it does not arrive."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot import alerts, outbox
from bot.channels.base import Outcome, Receipt
from bot.config import SendGate, Settings
from bot.delivery import attempt, claim, deliver
from bot.inbox import accept
from bot.messages import Message, Priority, Words
from bot.settlement import LEASE
from bot.store.tables import Alert, Contact, Outbox, OutboxStatus
from tests.world import Arrived, Platform, World

RETRY = Receipt(Outcome.RETRY, error="status_500")


def say(world: World, text: str, user: str = "U1", *, token: bool = True) -> None:
    """An event and its turn; nothing is sent yet."""
    accept(world.runtime, [world.said(text, user, token=token)])
    world.turns()


def push(world: World, text: str, priority: Priority, **more: object) -> None:
    """A message that nobody asked for, to U1."""
    now = world.clock()
    with world.db.write() as tx:
        to = outbox.Address(1, "line", "U1")
        message = Message((Words(text),))
        outbox.put(world.db, tx, to, message, cause="test", dedupe_key=text, now=now, priority=priority, **more)  # type: ignore[arg-type]


def statuses(world: World) -> list[object]:
    return world.column(Outbox.status)


def gated(world: World, gate: SendGate) -> World:
    settings = Settings(database_url=world.runtime.settings.database_url, send_gate=gate)
    return replace(world, runtime=replace(world.runtime, settings=settings))


def test_without_a_reply_token_an_answer_is_pushed(world: World) -> None:
    say(world, "hello", token=False)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: hello", "push")]
    assert world.column(Outbox.billed) == [1]


def test_an_expired_reply_token_is_not_used(world: World) -> None:
    say(world, "hello")
    world.clock.move(seconds=51)
    world.run()
    assert [call.reply_token for call in world.platform.calls] == [None]
    assert world.platform.phones == [Arrived("U1", "1: hello", "push")]


def test_a_refused_reply_token_is_followed_by_a_push_at_once(world: World) -> None:
    world.platform.plan.append(Receipt(Outcome.RETRY, error="reply_token"))
    say(world, "hello")
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: hello", "push")]


def test_a_passing_failure_is_retried_as_a_reply_while_the_token_lives(world: World) -> None:
    world.platform.plan.extend([RETRY, RETRY])
    say(world, "hello")
    world.run()
    assert statuses(world) == [OutboxStatus.WAITING]
    world.clock.move(seconds=1)
    world.run()
    world.clock.move(seconds=2)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: hello", "reply")]


def test_pauses_between_attempts_double_and_shrink_by_chance(world: World) -> None:
    say(world, "hello", token=False)
    pauses = []
    for chance in (0.0, 0.5, 0.0, 0.0):
        world.platform.plan.append(RETRY)
        runtime = replace(world.runtime, random=partial(float, chance))
        assert deliver(runtime, 1) == 1
        [due] = world.column(Outbox.not_before)
        pauses.append(due - world.clock())  # type: ignore[operator]
        world.clock.time = due  # type: ignore[assignment]
    assert pauses == [timedelta(seconds=s) for s in (1, 1.5, 4, 8)]


def test_a_provider_that_names_a_pause_is_left_alone_for_so_long(world: World) -> None:
    world.platform.plan.append(Receipt(Outcome.RETRY, error="rate", retry_after=120))
    say(world, "hello", token=False)
    world.run()
    world.clock.move(seconds=119)
    world.run()
    assert world.platform.phones == []
    world.clock.move(seconds=1)
    world.run()
    assert world.platform.texts() == ["1: hello"]


def test_every_attempt_of_a_push_carries_the_same_retry_key(world: World) -> None:
    world.platform.plan.extend([RETRY, "on the way", "on the way back"])
    say(world, "hello", token=False)
    for _ in range(8):
        world.run()
        world.clock.move(minutes=10)
    keys = [call.request_id for call in world.platform.calls]
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert world.platform.texts() == ["1: hello"]
    assert statuses(world) == [OutboxStatus.SENT]


def test_the_retry_key_is_stored_before_the_first_attempt(world: World) -> None:
    say(world, "hello", token=False)
    [one] = claim(world.runtime, 1)
    assert world.column(Outbox.request_id) == [one.request_id]
    assert world.platform.calls == []


def test_a_push_that_may_have_arrived_is_given_up_when_its_key_is_forgotten(world: World) -> None:
    push_runtime = world
    accept(world.runtime, [world.said("hello")])
    world.run()
    push(push_runtime, "tip", Priority.TIMED)
    world.platform.plan.append("on the way back")
    world.run()
    world.clock.move(hours=25)
    world.run()
    assert world.platform.texts() == ["1: hello", "tip"]
    assert statuses(world)[1] == OutboxStatus.UNCERTAIN


def test_a_reply_that_arrived_unacknowledged_is_not_said_twice(world: World) -> None:
    world.platform.plan.append("on the way back")
    say(world, "hello")
    world.run()
    world.clock.move(seconds=2)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: hello", "reply")]
    assert statuses(world) == [OutboxStatus.SENT]


def test_a_reply_lost_on_the_way_arrives_by_the_next_attempt(world: World) -> None:
    world.platform.plan.append("on the way")
    say(world, "hello")
    world.run()
    world.clock.move(seconds=2)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: hello", "reply")]


def test_safety_advice_that_may_have_arrived_is_pushed_as_well(world: World) -> None:
    world.platform.plan.append("on the way back")
    say(world, "!119")
    world.run()
    world.clock.move(seconds=2)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: !119", "reply"), Arrived("U1", "1: !119", "push")]
    assert len({call.request_id for call in world.platform.calls}) == 1


def test_safety_advice_is_pushed_when_the_token_dies_in_doubt(world: World) -> None:
    world.platform.plan.append("on the way")
    say(world, "!119")
    world.run()
    world.clock.move(minutes=2)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: !119", "push")]


def test_an_ordinary_answer_in_doubt_is_not_repeated_after_its_token_died(world: World) -> None:
    world.platform.plan.append("on the way back")
    say(world, "hello")
    world.run()
    world.clock.move(minutes=2)
    world.run()
    assert world.platform.phones == [Arrived("U1", "1: hello", "reply")]
    assert statuses(world) == [OutboxStatus.UNCERTAIN]


def test_answers_arrive_after_a_provider_hung_up_on_every_call_for_minutes(world: World) -> None:
    world.platform.plan.extend(["on the way"] * 9)
    say(world, "hello")
    for _ in range(40):
        world.run()
        world.clock.move(seconds=15)
    assert world.platform.texts() == ["1: hello"]


def test_a_provider_without_retry_keys_gets_a_doubtful_answer_once(world: World) -> None:
    slack = Platform(world.clock, keyed=False)
    runtime = replace(world.runtime, channels={"line": slack})
    slack.plan.append("on the way back")
    accept(runtime, [world.said("hello", token=False)])
    other = replace(world, runtime=runtime, platform=slack)
    other.run()
    world.clock.move(minutes=2)
    other.run()
    assert slack.texts() == ["1: hello"]
    assert statuses(world) == [OutboxStatus.UNCERTAIN]


def test_a_provider_without_retry_keys_gets_doubtful_safety_advice_once_more_and_staff_is_told(world: World) -> None:
    slack = Platform(world.clock, keyed=False)
    other = replace(world, runtime=replace(world.runtime, channels={"line": slack}), platform=slack)
    slack.plan.extend(["on the way", "on the way"])
    accept(other.runtime, [world.said("!119", token=False)])
    for _ in range(5):
        other.run()
        world.clock.move(minutes=2)
    assert len(slack.calls) == 2
    assert statuses(world) == [OutboxStatus.UNCERTAIN]
    assert world.column(Alert.urgency) == [alerts.PHONE]


def test_a_dead_workers_message_is_taken_over_when_its_lease_ends(world: World) -> None:
    say(world, "hello")
    assert len(claim(world.runtime, 10)) == 1  # and the worker dies
    assert deliver(world.runtime, 10) == 0
    world.clock.move(seconds=LEASE.total_seconds() + 1)
    assert deliver(world.runtime, 10) == 1
    assert world.platform.phones == [Arrived("U1", "1: hello", "reply")]


def test_a_worker_that_died_after_sending_does_not_make_the_answer_come_twice(world: World) -> None:
    say(world, "hello")
    [one] = claim(world.runtime, 10)
    assert one.reply_token is not None
    world.platform.send(world.delivery(one))  # arrives, and the worker dies before it can write that down
    world.clock.move(seconds=LEASE.total_seconds() + 1)
    world.run()
    assert world.platform.texts() == ["1: hello"]
    assert statuses(world) == [OutboxStatus.SENT]


def test_a_slow_worker_whose_lease_ran_out_still_reports_what_arrived(world: World) -> None:
    world.platform.plan.append(RETRY)
    say(world, "hello", token=False)
    [slow] = claim(world.runtime, 10)
    world.clock.move(seconds=LEASE.total_seconds() + 1)
    deliver(world.runtime, 10)  # another takes it over; the provider says: later
    attempt(world.runtime, slow)
    assert statuses(world) == [OutboxStatus.SENT]
    world.clock.move(hours=1)
    world.run()
    assert world.platform.texts() == ["1: hello"]


def test_a_slow_worker_whose_lease_ran_out_does_not_undo_what_another_did(world: World) -> None:
    say(world, "hello", token=False)
    [slow] = claim(world.runtime, 10)
    world.clock.move(seconds=LEASE.total_seconds() + 1)
    deliver(world.runtime, 10)
    world.platform.plan.append(RETRY)
    attempt(world.runtime, slow)
    assert statuses(world) == [OutboxStatus.SENT]


def test_one_persons_messages_arrive_in_their_order(world: World) -> None:
    world.platform.plan.append(RETRY)
    say(world, "one")
    say(world, "two")
    say(world, "other", "U2")
    deliver(world.runtime, 10)
    assert world.platform.texts() == ["1: other"]
    world.clock.move(seconds=2)
    deliver(world.runtime, 10)
    assert world.platform.texts("U1") == ["1: one", "2: two"]


def test_safety_advice_does_not_wait_for_an_answer_that_is_stuck(world: World) -> None:
    world.platform.plan.append(RETRY)
    say(world, "one")
    deliver(world.runtime, 1)
    say(world, "!119")
    deliver(world.runtime, 10)
    assert world.platform.texts() == ["2: !119"]


def test_the_most_urgent_leaves_first(world: World) -> None:
    say(world, "a", "U1")
    push(world, "tip", Priority.BROADCAST)
    say(world, "b", "U2")
    say(world, "!c", "U3")
    deliver(world.runtime, 10)
    assert world.platform.texts() == ["1: !c", "1: a", "1: b", "tip"]


def test_a_timed_message_past_its_useful_life_is_skipped(world: World) -> None:
    say(world, "hello")
    push(world, "tip", Priority.TIMED, expires_at=world.clock() + timedelta(hours=1))
    push(world, "later", Priority.TIMED)
    world.clock.move(hours=2)
    world.run()
    assert world.platform.texts() == ["1: hello", "later"]
    assert statuses(world) == [OutboxStatus.SENT, OutboxStatus.SKIPPED, OutboxStatus.SENT]


def test_a_message_does_not_leave_before_its_time(world: World) -> None:
    say(world, "hello")
    push(world, "tip", Priority.TIMED, not_before=world.clock() + timedelta(hours=1))
    world.run()
    assert world.platform.texts() == ["1: hello"]
    world.clock.move(hours=1)
    world.run()
    assert world.platform.texts() == ["1: hello", "tip"]


def test_an_answer_that_could_not_leave_for_a_day_is_skipped_and_safety_rings(world: World) -> None:
    say(world, "hello", "U1")
    say(world, "!119", "U2")
    world.clock.move(hours=25)
    world.run()
    assert world.platform.phones == []
    assert statuses(world) == [OutboxStatus.SKIPPED, OutboxStatus.SKIPPED]
    assert world.column(Alert.urgency) == [alerts.PHONE]


def test_without_allowance_a_message_is_held_and_safety_rings_once(world: World) -> None:
    world.platform.plan.extend([Receipt(Outcome.NO_QUOTA, error="monthly_limit")] * 3)
    say(world, "!119", "U2", token=False)
    say(world, "hello", token=False)
    world.run()
    assert statuses(world) == [OutboxStatus.HELD, OutboxStatus.HELD]
    world.clock.move(hours=1)
    deliver(world.runtime, 1)
    assert world.column(Alert.urgency) == [alerts.PHONE]
    assert world.platform.phones == []
    world.clock.move(hours=1)
    world.run()
    assert sorted(world.platform.texts()) == ["1: !119", "1: hello"]


def test_a_held_message_keeps_no_free_reply_waiting(world: World) -> None:
    world.platform.plan.append(Receipt(Outcome.NO_QUOTA, error="monthly_limit"))
    say(world, "one", token=False)
    world.run()
    say(world, "two")
    world.run()
    assert world.platform.phones == [Arrived("U1", "2: two", "reply")]


def test_a_rejected_message_fails_and_staff_is_told(world: World) -> None:
    world.platform.plan.append(Receipt(Outcome.REJECTED, error="status_400"))
    say(world, "hello")
    say(world, "next")
    world.run()
    assert statuses(world) == [OutboxStatus.FAILED, OutboxStatus.SENT]
    assert world.column(Alert.urgency) == [alerts.BROKEN]
    assert world.platform.texts() == ["2: next"]


def test_an_unreachable_contact_is_marked_and_gets_no_reminders(world: World) -> None:
    say(world, "hello")
    push(world, "tip", Priority.TIMED, not_before=world.clock() + timedelta(hours=1))
    world.platform.plan.append(Receipt(Outcome.UNREACHABLE, error="not_deliverable"))
    world.run()
    assert world.column(Contact.reachable) == [False]
    assert statuses(world) == [OutboxStatus.FAILED, OutboxStatus.CANCELLED]


def test_safety_advice_to_an_unreachable_contact_rings(world: World) -> None:
    world.platform.plan.append(Receipt(Outcome.UNREACHABLE, error="not_deliverable"))
    say(world, "!119")
    world.run()
    assert world.column(Alert.urgency) == [alerts.PHONE]


def test_a_message_that_cannot_be_rendered_fails_alone(world: World) -> None:
    class Broken(Platform):
        def send(self, delivery: object) -> Receipt:
            raise KeyError("a bug")

    runtime = replace(world.runtime, channels={"line": Broken(world.clock)})
    say(world, "hello")
    assert deliver(runtime, 10) == 1
    assert statuses(world) == [OutboxStatus.FAILED]
    assert world.column(Alert.urgency) == [alerts.BROKEN]


def test_a_message_for_a_channel_that_was_taken_away_waits(world: World) -> None:
    say(world, "hello", token=False)
    assert deliver(replace(world.runtime, channels={}), 10) == 1
    world.clock.move(minutes=10)
    world.run()
    assert world.platform.texts() == ["1: hello"]


def test_a_closed_gate_holds_pushes_and_lets_replies_pass(world: World) -> None:
    closed = gated(world, "off")
    say(world, "pushed", token=False)
    say(world, "replied")
    closed.run()
    assert world.platform.phones == [Arrived("U1", "2: replied", "reply")]
    assert world.column(Outbox.attempts) == [0, 1]
    world.run()
    assert world.platform.texts() == ["2: replied", "1: pushed"]


def test_a_test_gate_lets_only_test_contacts_pass(world: World) -> None:
    testing = gated(world, "test")
    say(world, "a", "U1", token=False)
    say(world, "b", "U2", token=False)
    world.set_test_contact("U2")
    testing.run()
    assert world.platform.texts() == ["1: b"]


@pytest.mark.parametrize("gate", ["off", "test", "on"])
def test_a_gate_never_reorders_what_it_lets_through(world: World, gate: SendGate) -> None:
    say(world, "one")
    say(world, "two")
    gated(world, gate).run()
    assert world.platform.texts() == ["1: one", "2: two"]
