"""Broadcasts from the draft to the phones, on both databases: who gets one, who does not and why, and that it adds up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot import contacts, outbox
from bot.access import Role
from bot.audience import Active, Audience, Chosen, Reads
from bot.broadcasts import desk, expand, results
from bot.broadcasts.desk import Actor, Draft, Refusal
from bot.broadcasts.letter import Bilingual
from bot.broadcasts.results import Progress
from bot.channels.base import Outcome, Receipt
from bot.delivery import attempt, claim_some, deliver, release_expired
from bot.engine.state import State
from bot.inbox import accept
from bot.messages import Card, Choice, Command, CommandToken, Locale, Message, Words
from bot.store import codec
from bot.store.tables import Alert, Audit, Broadcast, Contact, Outbox, OutboxStatus
from tests import crowd
from tests.crowd import Patient
from tests.world import START, World

THERAPIST = Actor("therapist", Role.THERAPIST)
OWNER = Actor("owner", Role.OWNER)
ASSISTANT = Actor("assistant", Role.ASSISTANT)
EVERYBODY = Audience()
NOON = START
"""Noon in Tokyo: no quiet hours."""


def plain(text: str = "こまめに動きましょう") -> Bilingual:
    return {"ja": Message((Words(text),)), "en": Message((Words("Move a little, often"),))}


def draft(audience: Audience = EVERYBODY, letter: Bilingual | None = None) -> Draft:
    return Draft("April", plain() if letter is None else letter, audience)


def drafted(clinic: World, audience: Audience = EVERYBODY, letter: Bilingual | None = None) -> int:
    made = desk.create(clinic.runtime, THERAPIST, draft(audience, letter))
    assert isinstance(made, int), made
    return made


def started(clinic: World, audience: Audience = EVERYBODY, letter: Bilingual | None = None) -> int:
    number = drafted(clinic, audience, letter)
    assert desk.start(clinic.runtime, THERAPIST, number, desk.count(clinic.runtime, audience).sent_to) is None
    expand.tick(clinic.runtime)
    return number


def progress(clinic: World, number: int) -> Progress:
    """Checked to add up, every time that a test looks."""
    with clinic.db.read() as look:
        found = results.progress(look, number)
    parts = (found.sent, found.waiting, *found.left_out.values(), *found.failed.values(), found.uncertain, found.erased)
    assert found.looked_at == sum(parts)
    return found


def status(clinic: World, number: int) -> tuple[str, str]:
    with clinic.db.read() as look:
        row = look.execute(select(Broadcast.status, Broadcast.reason).where(Broadcast.id == number)).one()
        return row.status, row.reason


# --- who gets it ------------------------------------------------------------------------------------------------------


def test_everybody_who_may_gets_it_once_and_the_others_are_counted_by_name(world: World) -> None:
    crowd.add(
        world.db,
        [
            *(Patient(), Patient(), Patient(locale="en")),
            *(Patient(consent=False), Patient(flagged=True), Patient(reachable=False)),
            Patient(consent=False, flagged=True),
        ],
    )
    counted = desk.count(world.runtime, EVERYBODY)
    assert (counted.sent_to, counted.all) == (3, 7)
    assert counted.barred == {"no_consent": 2, "flagged": 1, "blocked": 1}
    number = started(world)
    world.run()
    assert Counter(world.platform.texts()) == {"こまめに動きましょう": 2, "Move a little, often": 1}
    found = progress(world, number)
    assert (found.looked_at, found.sent, found.left_out) == (7, 3, counted.barred)
    assert status(world, number) == ("done", "")
    world.run()
    assert len(world.platform.phones) == 3


def test_a_thousand_and_one_in_one_language_take_three_calls(world: World) -> None:
    crowd.add(world.db, [Patient()] * 1001)
    number = started(world)
    world.run()
    assert sorted(map(len, world.platform.many)) == [1, 500, 500]
    assert progress(world, number).sent == 1001
    assert Counter(one.user_id for one in world.platform.phones) == {f"U{n}": 1 for n in range(1, 1002)}


def test_calls_are_full_whatever_mixture_of_languages_and_exclusions_stands_between(world: World) -> None:
    crowd.add(world.db, [Patient(locale="en" if n % 3 else "ja", consent=n % 7 != 0) for n in range(2100)])
    started(world)
    world.run()
    assert sorted(map(len, world.platform.many), reverse=True)[:2] == [500, 500]
    assert len(world.platform.many) == 5, "600 who read Japanese, 1,200 who read English"


def test_who_joins_after_the_start_is_not_in_it(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    number = drafted(world)
    with world.db.write() as tx:
        assert expand.begin(world.runtime, tx, number, world.clock())
    crowd.add(world.db, [Patient()])
    world.run()
    assert progress(world, number).looked_at == 3


@pytest.mark.parametrize("moment", ["before it is written", "after it is written", "after a call that failed"])
def test_who_is_flagged_meanwhile_gets_nothing(world: World, moment: str) -> None:
    crowd.add(world.db, [Patient()] * 4)
    number = drafted(world)

    def flag() -> None:
        with world.db.write() as tx:
            tx.execute(update(Contact).where(Contact.id == 2).values(state=_flagged_state()))

    with world.db.write() as tx:
        expand.begin(world.runtime, tx, number, world.clock())
    if moment == "before it is written":
        flag()
    expand.tick(world.runtime)
    if moment == "after a call that failed":
        world.platform.plan.append(Receipt(Outcome.RETRY, error="status_500"))
        deliver(world.runtime, 10)
        world.clock.move(seconds=5)
    if moment != "before it is written":
        flag()
    world.run()
    assert sorted(one.user_id for one in world.platform.phones) == ["U1", "U3", "U4"]
    found = progress(world, number)
    assert (found.sent, found.left_out) == (3, {"flagged": 1})
    assert status(world, number)[0] == "done"


def _flagged_state() -> str:
    return codec.state_json(State(lock=crowd.lock()))


def test_what_a_turn_took_back_is_named_as_flagged(world: World) -> None:
    crowd.add(world.db, [Patient()] * 2)
    number = drafted(world)
    with world.db.write() as tx:
        expand.begin(world.runtime, tx, number, world.clock())
    expand.tick(world.runtime)
    with world.db.write() as tx:
        outbox.cancel_timed(tx, 1, world.clock(), "held")
    world.run()
    assert progress(world, number).left_out == {"flagged": 1}


def test_an_erased_contact_is_counted_and_not_known_any_more(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    number = started(world)
    world.run()
    with world.db.write() as tx:
        contacts.erase(tx, 2, START, "patient")
    found = progress(world, number)
    assert (found.sent, found.erased, found.looked_at) == (2, 1, 3)


# --- staff ------------------------------------------------------------------------------------------------------------


def test_an_assistant_cannot_broadcast(world: World) -> None:
    crowd.add(world.db, [Patient()])
    number = drafted(world)
    runtime = world.runtime
    later = START + timedelta(days=1)
    refused: list[object] = [
        desk.create(runtime, ASSISTANT, draft()),
        desk.edit(runtime, ASSISTANT, number, draft()),
        desk.start(runtime, ASSISTANT, number, 1),
        desk.schedule(runtime, ASSISTANT, number, 1, later),
        desk.unschedule(runtime, ASSISTANT, number),
        desk.approve(runtime, ASSISTANT, number),
        desk.pause(runtime, ASSISTANT, number),
        desk.resume(runtime, ASSISTANT, number),
        desk.cancel(runtime, ASSISTANT, number),
        desk.send_test(runtime, ASSISTANT, number, [1]),
    ]
    assert refused == [Refusal.NOT_ALLOWED] * len(refused)
    assert status(world, number) == ("draft", "")


def test_the_number_of_recipients_must_be_typed_as_it_is_at_that_moment(world: World) -> None:
    crowd.add(world.db, [Patient()] * 2)
    number = drafted(world)
    assert desk.start(world.runtime, THERAPIST, number, 1) is Refusal.WRONG_NUMBER
    crowd.add(world.db, [Patient()])
    assert desk.start(world.runtime, THERAPIST, number, 2) is Refusal.WRONG_NUMBER
    assert desk.start(world.runtime, THERAPIST, number, 3) is None
    assert desk.start(world.runtime, THERAPIST, number, 3) is Refusal.NOT_NOW


def test_what_is_done_stands_in_the_audit_with_the_name(world: World) -> None:
    crowd.add(world.db, [Patient()])
    number = started(world)
    desk.pause(world.runtime, OWNER, number)
    desk.resume(world.runtime, THERAPIST, number)
    desk.cancel(world.runtime, OWNER, number)
    actions = [(row, by) for row, by in zip(world.column(Audit.action), world.column(Audit.actor), strict=True)]
    assert actions == [
        ("broadcast_create", "therapist"),
        ("broadcast_start", "therapist"),
        ("broadcast_pause", "owner"),
        ("broadcast_resume", "therapist"),
        ("broadcast_cancel", "owner"),
    ]


def test_where_two_are_needed_the_author_cannot_approve_and_an_edit_asks_for_it_again(world: World) -> None:
    crowd.add(world.db, [Patient()])
    clinic = world.runtime.content.clinic
    strict = clinic.model_copy(update={"broadcasts": clinic.broadcasts.model_copy(update={"second_person": True})})
    content = world.runtime.content.model_copy(update={"clinic": strict})
    house = replace(world, runtime=replace(world.runtime, content=content))
    number = drafted(house)
    assert desk.start(house.runtime, THERAPIST, number, 1) is Refusal.NOT_APPROVED
    assert desk.approve(house.runtime, THERAPIST, number) is Refusal.OWN_WORK
    assert desk.approve(house.runtime, OWNER, number) is None
    assert desk.edit(house.runtime, OWNER, number, draft()) is None
    assert desk.start(house.runtime, THERAPIST, number, 1) is Refusal.NOT_APPROVED
    assert desk.approve(house.runtime, THERAPIST, number) is None
    assert desk.start(house.runtime, OWNER, number, 1) is None


def test_a_test_goes_to_test_contacts_only_and_is_not_counted(world: World) -> None:
    crowd.add(world.db, [Patient(consent=False), Patient()])
    number = drafted(world)
    assert desk.send_test(world.runtime, THERAPIST, number, [1, 2]) is Refusal.NOT_FOR_TESTS
    world.set_test_contact("U1")
    assert desk.send_test(world.runtime, THERAPIST, number, [1, 2]) == 1
    world.run()
    assert [one.user_id for one in world.platform.phones] == ["U1"]
    assert progress(world, number).looked_at == 0
    assert status(world, number)[0] == "draft"


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_scheduled_one_begins_by_itself(world: World) -> None:
    crowd.add(world.db, [Patient()] * 2)
    number = drafted(world)
    at = START + timedelta(hours=3)
    assert desk.schedule(world.runtime, THERAPIST, number, 2, START) is Refusal.PAST
    assert desk.schedule(world.runtime, THERAPIST, number, 2, START + timedelta(hours=11)) is Refusal.AT_NIGHT
    assert desk.schedule(world.runtime, THERAPIST, number, 2, at) is None
    assert desk.edit(world.runtime, THERAPIST, number, draft()) is Refusal.NOT_NOW
    world.clock.time = at - timedelta(seconds=1)
    world.run()
    assert world.platform.phones == []
    world.clock.time = at
    world.run()
    assert len(world.platform.phones) == 2


def test_one_that_meets_the_quiet_hours_rests_until_morning(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    number = drafted(world)
    with world.db.write() as tx:
        expand.begin(world.runtime, tx, number, world.clock())
    world.clock.time = START.replace(hour=14)
    world.run()
    assert (world.platform.phones, status(world, number)) == ([], ("paused", "night"))
    world.clock.time = START.replace(hour=23)
    world.run()
    assert len(world.platform.phones) == 3


def test_one_that_somebody_starts_in_the_quiet_hours_is_meant(world: World) -> None:
    world.clock.time = START.replace(hour=14)
    crowd.add(world.db, [Patient()] * 3)
    started(world)
    world.run()
    assert len(world.platform.phones) == 3


# --- pause, resume, cancel --------------------------------------------------------------------------------------------


def test_a_pause_lets_no_more_than_the_call_under_way_leave(world: World) -> None:
    crowd.add(world.db, [Patient()] * 1800)
    number = started(world)
    [under_way] = claim_some(world.runtime, 16)
    assert not claim_some(world.runtime, 16), "one call at a time"
    assert desk.pause(world.runtime, OWNER, number) is None
    attempt(world.runtime, under_way)
    world.run()
    world.clock.move(hours=1)
    world.run()
    assert len(world.platform.phones) == 500
    assert status(world, number) == ("paused", "staff")
    assert desk.resume(world.runtime, OWNER, number) is None
    world.run()
    assert progress(world, number).sent == 1800
    assert status(world, number)[0] == "done"


def test_what_was_being_sent_when_a_worker_died_does_not_slip_through_a_pause(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    number = started(world)
    claim_some(world.runtime, 16)
    desk.pause(world.runtime, OWNER, number)
    world.clock.move(seconds=30)
    release_expired(world.runtime)
    world.run()
    assert world.platform.phones == []
    desk.resume(world.runtime, OWNER, number)
    world.run()
    assert len(world.platform.phones) == 3


def test_after_a_cancellation_the_rest_is_named_so(world: World) -> None:
    crowd.add(world.db, [Patient()] * 700)
    number = started(world)
    deliver(world.runtime, 1)
    assert desk.cancel(world.runtime, OWNER, number) is None
    world.run()
    found = progress(world, number)
    assert (found.sent, found.waiting, found.left_out) == (500, 0, {"cancelled": 200})
    assert desk.resume(world.runtime, OWNER, number) is Refusal.NOT_NOW


def test_a_call_that_fails_after_the_cancellation_is_not_repeated(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    number = started(world)
    [under_way] = claim_some(world.runtime, 16)
    desk.cancel(world.runtime, OWNER, number)
    world.platform.plan.append(Receipt(Outcome.RETRY, error="status_500"))
    attempt(world.runtime, under_way)
    world.clock.move(hours=1)
    world.run()
    assert world.platform.phones == []
    assert progress(world, number).left_out == {"cancelled": 3}


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_it_stops_by_itself_when_the_provider_refuses_the_message(world: World) -> None:
    crowd.add(world.db, [Patient()] * 900)
    number = started(world)
    world.platform.plan.extend([Receipt(Outcome.REJECTED, error="status_400")] * 2000)
    for _ in range(10):
        deliver(world.runtime, 4)
        expand.tick(world.runtime)
    assert status(world, number) == ("paused", "failures")
    assert sum(progress(world, number).failed.values()) < 30
    assert world.count(Alert) == 0, "one pause says it, not an alert for each patient"


def test_a_few_wrong_addresses_do_not_stop_it(world: World) -> None:
    crowd.add(world.db, [Patient()] * 600)
    number = started(world)
    world.platform.plan.extend([Receipt(Outcome.REJECTED, error="status_400")] * 10)
    world.run()
    found = progress(world, number)
    assert (found.sent, found.failed, status(world, number)[0]) == (591, {"status_400": 9}, "done")


def test_without_allowance_it_stops_and_goes_on_when_it_is_resumed(world: World) -> None:
    crowd.add(world.db, [Patient()] * 600)
    number = started(world)
    world.platform.plan.append(Receipt(Outcome.NO_QUOTA, error="monthly_limit"))
    world.run()
    assert status(world, number) == ("paused", "no_quota")
    assert world.platform.phones == []
    desk.resume(world.runtime, OWNER, number)
    world.run()
    assert progress(world, number).sent == 600


def test_it_stops_when_the_provider_is_away_and_the_same_people_get_it_with_the_same_key_later(world: World) -> None:
    crowd.add(world.db, [Patient()] * 600)
    number = started(world)
    world.platform.plan.extend(["on the way back", *[Receipt(Outcome.RETRY, error="status_500")] * 4])
    for _ in range(20):
        world.run()
        world.clock.move(seconds=20)
    assert status(world, number) == ("paused", "stuck")
    desk.resume(world.runtime, OWNER, number)
    world.run()
    assert progress(world, number).sent == 600
    assert Counter(one.user_id for one in world.platform.phones) == {f"U{n}": 1 for n in range(1, 601)}


def test_a_doubtful_call_older_than_its_key_is_left_uncertain(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    number = started(world)
    world.platform.plan.append("on the way back")
    deliver(world.runtime, 1)
    desk.pause(world.runtime, OWNER, number)
    world.clock.move(hours=25)
    desk.resume(world.runtime, OWNER, number)
    world.run()
    assert len(world.platform.phones) == 3
    assert progress(world, number).uncertain == 3


# --- crashes ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_worker_killed_while_it_writes_a_page_loses_none_and_repeats_none(
    world: World, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd.add(world.db, [Patient(consent=n % 10 != 0) for n in range(1200)])
    number = drafted(world)
    with world.db.write() as tx:
        expand.begin(world.runtime, tx, number, world.clock())

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        put_many = outbox.put_many
        if moment == "before the commit":
            patch.setattr("bot.outbox.put_many", lambda *given: die(put_many(*given)))
        with pytest.raises(Killed):
            expand.tick(replace(world.runtime, wake=die))  # type: ignore[arg-type]
    world.run()
    found = progress(world, number)
    assert (found.looked_at, found.sent, found.left_out) == (1200, 1080, {"no_consent": 120})
    assert set(Counter(one.user_id for one in world.platform.phones).values()) == {1}


def test_a_worker_killed_between_the_call_and_its_settlement_repeats_it_with_the_same_key(world: World) -> None:
    crowd.add(world.db, [Patient()] * 700)
    number = started(world)
    send_many = world.platform.send_many

    def send_and_die(*arguments: object) -> Receipt:
        send_many(*arguments)  # type: ignore[arg-type]
        raise Killed

    world.platform.send_many = send_and_die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        world.run()
    world.platform.send_many = send_many  # type: ignore[method-assign]
    world.clock.move(seconds=30)
    release_expired(world.runtime)
    world.run()
    assert world.platform.many[0] in world.platform.many[1:]
    assert Counter(one.user_id for one in world.platform.phones) == {f"U{n}": 1 for n in range(1, 701)}
    assert progress(world, number).sent == 700


def test_replies_are_not_behind_a_broadcast(world: World) -> None:
    crowd.add(world.db, [Patient()] * 1500)
    started(world)

    accept(world.runtime, [world.said("hello", "U7")])
    world.turns()
    [first, *_] = claim_some(world.runtime, 16)
    attempt(world.runtime, first)
    assert [one.way for one in world.platform.phones] == ["reply"]


def test_the_send_gate_holds_a_broadcast_but_for_test_contacts(world: World) -> None:
    crowd.add(world.db, [Patient()] * 4)
    world.set_test_contact("U2")
    settings = world.runtime.settings.model_copy(update={"send_gate": "test"})
    house = replace(world, runtime=replace(world.runtime, settings=settings))
    number = started(house)
    house.run()
    assert [one.user_id for one in house.platform.phones] == ["U2"]
    assert progress(house, number).waiting == 3
    assert status(house, number)[0] == "sending"


def test_chosen_people_and_criteria_are_all_of_them(world: World) -> None:
    crowd.add(world.db, [Patient(locale="en"), Patient(), Patient(locale="en", seen_at=START - timedelta(days=40))])
    assert desk.count(world.runtime, Audience((Chosen((1, 2)), Reads(("en",))))).sent_to == 1
    assert desk.count(world.runtime, Audience((Active(30),))).sent_to == 2


BUTTONS: Mapping[Locale, Message] = {
    "ja": Message((Card("コツ", "少しずつ", choices=(Choice("きょうのケア", token=CommandToken(Command.TODAY)),)),)),
    "en": Message((Card("Tip", "Bit by bit", choices=(Choice("Today's care", token=CommandToken(Command.TODAY)),)),)),
}


def test_outbox_rows_of_a_broadcast_are_settled_like_any_other(world: World) -> None:
    crowd.add(world.db, [Patient()] * 2)
    started(world, letter=BUTTONS)
    world.run()
    assert world.column(Outbox.status) == [OutboxStatus.SENT] * 2
    assert world.column(Outbox.billed) == [1, 1]


def test_whose_day_is_full_is_left_out_by_name(world: World) -> None:
    crowd.add(world.db, [Patient()] * 3)
    a_day = world.runtime.content.pacing.of("news").a_day
    for _ in range(a_day):
        started(world, Audience((Chosen((1, 2)),)))
        world.run()
    counted = desk.count(world.runtime, EVERYBODY)
    assert (counted.sent_to, dict(counted.barred)) == (1, {"day_full": 2})
    number = started(world)
    world.run()
    assert progress(world, number).left_out == {"day_full": 2}
    world.clock.move(days=1)
    assert desk.count(world.runtime, EVERYBODY).sent_to == 3
