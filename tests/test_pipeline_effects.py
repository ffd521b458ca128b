"""What a turn wants done is done with it: alerts, screenings, sessions, consents, forgetting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from bot import alerts, outbox
from bot.channels.base import Outcome, Receipt
from bot.conversation import advance
from bot.engine.state import (
    Effect,
    EraseContact,
    Facts,
    FinishSession,
    ForgetText,
    HoldTimed,
    KeepNote,
    RaiseAlert,
    RecordMeasure,
    RecordScreening,
    RequestHuman,
    SetConsents,
    SetReachable,
    StartSession,
    State,
    Turn,
)
from bot.inbox import accept
from bot.messages import Disposition, Event, Message, Priority, Said, Unsent, Words
from bot.settlement import LEASE
from bot.store import codec
from bot.store.tables import (
    Alert,
    Audit,
    Base,
    Contact,
    Inbox,
    InboxStatus,
    Measure,
    Outbox,
    OutboxStatus,
    Screening,
    Session,
)
from tests.test_pipeline_turns import Cut, cut_off
from tests.world import World, echo

RESULT = RecordScreening(Disposition.URGENT, ("fever",), {"e1": "none", "pain": "4"}, "v1")

EFFECTS: Mapping[str, tuple[Effect, ...]] = {
    "alert": (RaiseAlert(Disposition.EMERGENCY, ("saddle", "urine"), "answers"),),
    "human": (RequestHuman(),),
    "hold": (HoldTimed(),),
    "screened": (RESULT,),
    "start": (StartSession("hip", 5),),
    "finish": (FinishSession("better", 3),),
    "measured": (FinishSession("better", 3), RecordMeasure("peg", {"peg_pain": "4"}), KeepNote("少し楽", "m1")),
    "agree": (SetConsents(given=("guidance", "tips"), withdrawn=("staff",)),),
    "blocked": (SetReachable(False),),
    "back": (SetReachable(True),),
    "erase": (HoldTimed(), EraseContact()),
}


def step(content: object, state: State, facts: Facts, event: Event) -> Turn:
    """Does what is said; `Unsent` forgets, as the real engine has it."""
    match event:
        case Unsent(message_id):
            return Turn(state, None, (ForgetText(message_id),))
        case Said(words) if words in EFFECTS:
            turn = echo(content, state, facts, event)  # type: ignore[arg-type]
            return replace(turn, effects=EFFECTS[words])
        case _:
            return echo(content, state, facts, event)  # type: ignore[arg-type]


@pytest.fixture
def house(world: World) -> World:
    return replace(world, runtime=replace(world.runtime, step=step))


def tell(house: World, *words: str, user: str = "U1") -> None:
    accept(house.runtime, [house.said(one, user) for one in words])
    house.run()


def put_tip(house: World, at: datetime, key: str = "tip") -> None:
    with house.db.write() as tx:
        to = outbox.Address(1, "line", "U1")
        message = Message((Words("tip"),))
        outbox.put(house.db, tx, to, message, cause="t", dedupe_key=key, now=at, priority=Priority.TIMED, not_before=at)


def everything(house: World) -> str:
    """Every row of every table, as text."""
    with house.db.read() as look:
        found = [look.execute(select(table)).all() for table in Base.metadata.sorted_tables]
    return repr(found)


def test_an_alert_carries_its_flags_and_no_words_of_the_patient(house: World) -> None:
    tell(house, "alert")
    assert house.column(Alert.urgency) == ["emergency"]
    assert house.column(Alert.flags) == ['["saddle","urine"]']
    assert house.column(Alert.opened_at) == [house.clock()]


def test_a_wish_for_a_person_is_an_alert(house: World) -> None:
    tell(house, "human", "human")
    assert house.column(Alert.urgency) == [alerts.HUMAN, alerts.HUMAN]


def test_holding_cancels_what_waits_for_this_patient_and_nothing_else(house: World) -> None:
    tell(house, "hello")
    tell(house, "hello", user="U2")
    put_tip(house, house.clock() + timedelta(hours=1))
    tell(house, "hold")
    assert house.column(Outbox.status) == [
        OutboxStatus.SENT,
        OutboxStatus.SENT,
        OutboxStatus.CANCELLED,
        OutboxStatus.SENT,
    ]


def test_a_screening_is_recorded_and_can_never_be_changed(house: World) -> None:
    tell(house, "screened")
    assert house.column(Screening.outcome) == ["urgent"]
    [answers] = house.column(Screening.answers)
    assert codec.words_from(str(answers)) == RESULT.answers
    with pytest.raises(DBAPIError, match="screening refuses UPDATE"), house.db.write() as tx:
        tx.execute(update(Screening).values(outcome="self_massage"))


def test_the_audit_can_only_grow(house: World) -> None:
    tell(house, "agree")
    assert house.column(Audit.action) == ["consents"]
    assert house.column(Audit.detail) == ['{"given":"guidance tips","withdrawn":"staff"}']
    for change in (update(Audit).values(actor="x"), delete(Audit)):
        with pytest.raises(DBAPIError, match="audit refuses"), house.db.write() as tx:
            tx.execute(change)


def test_a_report_belongs_to_the_routine_begun_last(house: World) -> None:
    tell(house, "start")
    house.clock.move(minutes=9)
    tell(house, "finish")
    tell(house, "start")
    assert house.column(Session.pain_before) == [5, 5]
    assert house.column(Session.pain_after) == [3, None]
    assert house.column(Session.report) == ["better", None]


def test_a_report_without_a_routine_is_kept_too(house: World) -> None:
    tell(house, "finish")
    assert house.column(Session.report) == ["better"]
    assert house.column(Session.routine) == [None]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_power_cut_around_a_check_up_and_a_note_keeps_each_once(
    house: World, when: Literal["before", "after"]
) -> None:
    tell(house, "start")
    accept(house.runtime, [house.said("measured")])
    assert cut_off(house, Cut(when, 1), house.turns)
    house.clock.move(seconds=LEASE.total_seconds() + 1)
    house.run()
    assert house.column(Measure.kind) == ["peg"]
    assert house.column(Session.note) == ["少し楽"]
    assert house.platform.texts() == ["1: start", "2: measured"]


def test_consents_can_be_asked_of_the_database(house: World) -> None:
    given = {"guidance": house.clock()}

    def agree(content: object, state: State, facts: Facts, event: Event) -> Turn:
        return Turn(replace(state, consents=given, locale="en"))

    accept(house.runtime, [house.said("yes")])
    replace(house, runtime=replace(house.runtime, step=agree)).run()
    [stored] = house.column(Contact.consents)
    assert codec.times_from(str(stored)) == given
    assert house.column(Contact.locale) == ["en"]


def test_a_contact_who_blocked_us_gets_no_reminders_until_they_come_back(house: World) -> None:
    tell(house, "hello")
    put_tip(house, house.clock() + timedelta(hours=1))
    tell(house, "blocked")
    assert house.column(Contact.reachable) == [False]
    assert house.column(Outbox.status)[1] == OutboxStatus.CANCELLED
    tell(house, "back")
    assert house.column(Contact.reachable) == [True]


# --- taking a message back --------------------------------------------------------------------------------------------


def test_a_message_taken_back_is_deleted_from_the_store(house: World) -> None:
    accept(house.runtime, [house.said("secret", message_id="M1"), house.said("kept", message_id="M2")])
    house.run()
    accept(house.runtime, [house.event(Unsent("M1"))])
    house.run()
    stored = everything_in_inbox(house)
    assert "secret" not in stored
    assert "kept" in stored
    assert house.platform.texts() == ["1: secret", "2: kept"]


def test_a_message_taken_back_before_it_was_answered_is_not_answered(house: World) -> None:
    accept(house.runtime, [house.said("secret", message_id="M1", ago=1), house.event(Unsent("M1"))])
    house.run()
    assert house.platform.phones == []
    assert "secret" not in everything(house)
    assert house.column(Inbox.status) == [InboxStatus.WITHDRAWN, InboxStatus.DONE]


def test_a_message_that_arrives_after_it_was_taken_back_is_not_answered(house: World) -> None:
    accept(house.runtime, [house.event(Unsent("M1"))])
    house.run()
    accept(house.runtime, [house.said("secret", message_id="M1")])
    house.run()
    assert house.platform.phones == []
    assert "secret" not in everything(house)


def test_nobody_can_take_back_what_another_said(house: World) -> None:
    accept(house.runtime, [house.said("mine", message_id="M1")])
    accept(house.runtime, [house.event(Unsent("M1"), "U2")])
    house.run()
    assert house.platform.texts() == ["1: mine"]
    assert "mine" in everything_in_inbox(house)


def everything_in_inbox(house: World) -> str:
    return repr(house.column(Inbox.event))


# --- forgetting a person ----------------------------------------------------------------------------------------------


def test_an_erased_contact_leaves_nothing_behind_but_still_hears_the_answer(house: World) -> None:
    tell(house, "hello", "alert", "screened", "start", "agree")
    tell(house, "kept", user="U2")
    put_tip(house, house.clock() + timedelta(hours=1))
    tell(house, "erase")
    assert house.platform.texts("U1")[-1] == "6: erase"
    left = everything(house)
    for trace in ("U1", "hello", "saddle", "fever", "hip", "erase'", "tip'"):
        assert trace not in left, trace
    assert "U2" in left
    assert [house.count(table) for table in (Contact, Alert, Screening, Session)] == [1, 0, 0, 0]
    assert house.column(Audit.action) == ["consents", "erased"]


@pytest.mark.parametrize("token", [True, False])
def test_the_last_answer_outlives_failures_and_then_its_address_is_gone(house: World, token: bool) -> None:
    tell(house, "hello")
    house.platform.plan.extend([Receipt(Outcome.RETRY, error="status_500")] * 2)
    accept(house.runtime, [house.said("erase", token=token)])
    house.run()
    assert house.count(Contact) == 0
    for _ in range(3):
        house.clock.move(seconds=4)
        house.run()
    assert house.platform.texts() == ["1: hello", "2: erase"]
    assert "U1" not in everything(house)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.UNREACHABLE, Outcome.NO_QUOTA])
def test_the_address_is_forgotten_even_if_the_last_answer_cannot_be_sent(house: World, outcome: Outcome) -> None:
    house.platform.plan.extend([Receipt(outcome, error="x")] * 3)
    accept(house.runtime, [house.said("erase", token=False)])
    house.run()
    house.clock.move(hours=25)
    house.run()
    assert house.platform.phones == []
    assert "U1" not in everything(house)


def test_a_farewell_is_never_taken_straight_from_its_turn(house: World) -> None:
    class Hands:
        def room(self) -> int:
            return 1

        def turned(self, leased: Sequence[object], left: bool, more: bool) -> None:
            assert not leased

    accept(house.runtime, [house.said("erase")])
    assert advance(house.runtime, 10, Hands()) == 1
    house.run()
    assert house.platform.texts() == ["1: erase"]
    assert "U1" not in everything(house)


def test_a_wish_to_be_erased_that_is_delivered_again_is_known(house: World) -> None:
    event = house.said("erase")
    accept(house.runtime, [event])
    house.run()
    assert accept(house.runtime, [event]) == 0
    house.run()
    assert house.platform.texts() == ["1: erase"]
    assert house.count(Contact) == 0


def test_what_is_said_after_the_wish_to_be_erased_is_a_newcomers(house: World) -> None:
    tell(house, "hello", "alert")
    accept(house.runtime, [house.said("erase", ago=2), house.said("again", ago=1)])
    house.run()
    assert house.platform.texts()[-2:] == ["3: erase", "1: again"]
    assert house.count(Contact) == 1
    assert house.count(Alert) == 0


def test_someone_erased_can_begin_anew(house: World) -> None:
    for words in ("hello", "erase", "hello"):
        tell(house, words)
    assert house.platform.texts() == ["1: hello", "2: erase", "1: hello"]
    assert house.count(Contact) == 1


def test_an_event_accepted_while_its_contact_is_erased_is_not_lost(house: World) -> None:
    """The contact vanishes between being found and being pointed at."""
    tell(house, "hello")
    gone: list[int] = []
    late = house.said("late")

    def erase_first(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO inbox") and not gone:
            gone.append(1)
            raise_integrity(house)

    from sqlalchemy import event

    event.listen(house.db.engine, "before_cursor_execute", erase_first)
    assert accept(house.runtime, [late]) == 1
    house.run()
    assert house.platform.texts()[-1].endswith("late")


def raise_integrity(house: World) -> None:
    from sqlalchemy.exc import IntegrityError

    raise IntegrityError("insert", {}, Exception("foreign key"))


# --- old things -------------------------------------------------------------------------------------------------------


def tidied(house: World, after: timedelta) -> Callable[[], None]:
    from bot.retention import tidy

    house.clock.time += after
    return lambda: tidy(house.runtime)


def test_what_was_said_is_kept_for_ninety_days_and_no_longer(house: World) -> None:
    tell(house, "hello", "screened")
    tidied(house, timedelta(days=89))()
    assert "hello" in everything(house)
    tidied(house, timedelta(days=2))()
    assert "hello" not in everything(house)
    assert house.count(Screening) == 1
    assert house.column(Outbox.status) == [OutboxStatus.SENT, OutboxStatus.SENT]


def test_what_still_waits_is_never_tidied_away(house: World) -> None:
    accept(house.runtime, [house.said("hello")])
    tidied(house, timedelta(days=200))()
    house.run()
    assert house.platform.texts() == ["1: hello"]


def test_a_contact_not_heard_of_for_two_years_is_erased(house: World) -> None:
    tell(house, "screened")
    house.clock.move(days=400)
    tell(house, "hello", user="U2")
    tidied(house, timedelta(days=332))()
    assert house.count(Contact) == 1
    assert "U1" not in everything(house)
    assert house.count(Screening) == 0


def test_many_old_rows_are_tidied_in_one_run(house: World) -> None:
    accept(house.runtime, [house.said(f"{n}", f"U{n}") for n in range(450)])
    house.turns()
    tidied(house, timedelta(days=91))()
    assert house.count(Inbox) == 0
    tidied(house, timedelta(days=800))()
    assert house.count(Contact) == 0


def test_pain_outside_its_scale_is_refused_by_the_database(house: World) -> None:
    tell(house, "start")
    with pytest.raises(DBAPIError), house.db.write() as tx:
        tx.execute(text("UPDATE session SET pain_after = 11"))
