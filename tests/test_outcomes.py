"""The figures of what has come of it, of people whose right answers are known, on both databases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isclose, sqrt

import pytest
from sqlalchemy import insert

from bot import outcomes
from bot.outcomes import FOURTH, LATER, Change, Funnel
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Asked, Booking, BookingStatus, Contact, Outbox, Screening, Session
from tests import crowd
from tests.crowd import Patient
from tests.world import START

NOW = START + timedelta(days=100)


@dataclass(frozen=True)
class Seed:
    """Somebody, in days from START: `routines` begun on which day with which pain, `asked` questions in their order."""

    who: Patient = field(default_factory=Patient)
    screened: bool = True
    routines: Sequence[tuple[float, int | None]] = ()
    booked: BookingStatus | None = None
    asked: Sequence[tuple[str, float]] = ()
    staff: bool = True
    test: bool = False
    address: str = ""
    friend_on: float = 0


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def plant(db: Database, seeds: Sequence[Seed]) -> list[int]:
    ids = crowd.add(db, [seed.who for seed in seeds])
    with db.write() as tx:
        for seat, (contact_id, seed) in enumerate(zip(ids, seeds, strict=True)):
            consents = {"guidance": START, **({"staff": START} if seed.staff else {})}
            values = {"is_test": seed.test, "created_at": day(seed.friend_on)}
            if seed.who.consent:
                values["consents"] = codec.times_json(consents)
            else:
                values["consents"] = "{}"
            if seed.address:
                values["user_id"] = seed.address
            tx.execute(Contact.__table__.update().where(Contact.id == contact_id).values(**values))  # type: ignore[attr-defined]
            rows: list[tuple[type, dict[str, object]]] = []
            if seed.screened:
                done = {"content_version": "v", "answers": "{}", "outcome": "self_massage", "flags": "[]"}
                rows.append((Screening, {**done, "finished_at": START}))
            rows += [(Session, {"routine": "hip", "started_at": day(at), "pain_before": p}) for at, p in seed.routines]
            rows += [
                (Asked, {"question": name, "turn": turn, "first_at": day(at), "asked_at": day(at)})
                for turn, (name, at) in enumerate(seed.asked)
            ]
            if seed.booked is not None:
                at = {"starts_at": NOW, "ends_at": NOW, "created_at": NOW, "changed_at": NOW}
                rows.append((Booking, {**at, "seat": seat, "status": seed.booked.value}))
            for table, row in rows:
                tx.execute(insert(table), {"contact_id": contact_id, **row})
    return ids


LATELY = 99.5
FULL = [("age", 0.0), ("site", 0.0), ("pain", 0.0)]
PEOPLE = [
    # went all the way: eight routines, pain 7 -> 4 in the fourth week -> 3
    Seed(routines=[(0, 7), (3, 6), (10, 5), (22, 5), (27.9, 4), (40, 3)], booked=BookingStatus.CONFIRMED, asked=FULL),
    # in the fourth week, too; cancelled the appointment; pain 5 -> 5 -> 7; does not let staff read
    Seed(routines=[(0, 5), (21, 5), (60, 7)], booked=BookingStatus.CANCELLED, staff=False),
    # in the fourth week by a second: 21 days to the second; pain 6 -> 8
    Seed(routines=[(1, 6), (22, 8)]),
    # a second short of the fifth week is the fourth; nothing told then
    Seed(routines=[(2, 6), (2 + 28 - 1 / 86400, None), (90, 6)]),
    # stopped in the first week; an appointment all the same
    Seed(routines=[(0, 4), (6.99, 4)], booked=BookingStatus.REQUESTED),
    # began ten days ago: the fourth week is not over
    Seed(routines=[(90, 8), (98, 5)]),
    # screened, nothing begun; one of them must see a doctor
    Seed(asked=[("age", 1.0), ("site", 1.0)]),
    Seed(who=Patient(flagged=True)),
    # left at a question; one of them went back to an earlier one; one may go on
    Seed(screened=False, asked=[("age", 5.0), ("site", 5.0)]),
    Seed(screened=False, asked=[("age", 6.0), ("site", 6.0), ("pain", LATELY)]),
    Seed(screened=False, asked=[("site", 7.0), ("age", 7.0)]),
    # nothing agreed to; asked about the age only
    Seed(who=Patient(consent=False), screened=False, asked=[("age", 3.0)]),
    # nobody's outcome: a test contact, a group on LINE, a channel on Slack
    Seed(test=True, routines=[(0, 9), (22, 0)], asked=FULL, booked=BookingStatus.CONFIRMED),
    Seed(screened=False, address="C00group"),
    Seed(who=Patient(channel="slack"), screened=False, address="T0/C0channel"),
]


def test_each_stage_counts_those_of_the_stage_before(db: Database) -> None:
    plant(db, PEOPLE)
    with db.read() as look:
        found = outcomes.funnel(look, NOW, None)
    assert found == Funnel(
        friends=12,
        agreed=11,
        screened=8,
        held_back=1,
        begun=6,
        due=5,
        fourth_week=4,
        booked=1,
        booked_all=2,
    )


def test_only_those_who_became_friends_in_the_time_are_counted(db: Database) -> None:
    plant(db, [Seed(friend_on=50), Seed(friend_on=80, routines=[(81, 5), (90, 4)]), Seed(friend_on=81, screened=False)])
    with db.read() as look:
        found = outcomes.funnel(look, NOW, day(80))
        assert (found.friends, found.screened, found.begun, found.due) == (2, 1, 1, 0)
        assert outcomes.weeks(look, NOW, day(80))[0].due == 1
        assert outcomes.weeks(look, NOW, day(82))[0].due == 0
        assert outcomes.change(look, day(80), LATER).people == {-1: 1}
        assert outcomes.change(look, day(82), LATER).people == {}


def test_everybody_who_was_asked_came_to_a_result_or_left_at_one_question(db: Database) -> None:
    plant(db, PEOPLE)
    with db.read() as look:
        found = outcomes.screenings(look, NOW, None)
    assert {one.node: (one.asked, one.left, one.lately) for one in found.questions} == {
        "age": (6, 2, 0),
        "site": (5, 1, 0),
        "pain": (2, 1, 1),
    }
    assert (found.begun, found.finished, found.since) == (6, 2, START)


def test_a_week_counts_those_for_whom_it_is_over_and_who_began_a_routine_in_it(db: Database) -> None:
    plant(db, PEOPLE)
    with db.read() as look:
        weeks = outcomes.weeks(look, NOW, None)
        funnel = outcomes.funnel(look, NOW, None)
    assert [week.number for week in weeks] == list(range(1, 13))
    assert [(week.due, week.active, week.routines) for week in weeks[:6]] == [
        (
            6,
            6,
            8,
        ),  # 2 of the first, 2 of the one who stopped, 1 each of the others; the second week of one is under way
        (5, 1, 1),
        (5, 0, 0),
        (5, 4, 5),
        (5, 0, 0),
        (5, 1, 1),
    ]
    assert [(week.due, week.active) for week in weeks[8:]] == [(5, 1), (5, 0), (5, 0), (5, 0)]
    assert (weeks[3].due, weeks[3].active) == (funnel.due, funnel.fourth_week)


def test_pain_is_compared_with_each_ones_own_first_and_only_of_those_who_let_staff_read(db: Database) -> None:
    plant(db, PEOPLE)
    with db.read() as look:
        assert outcomes.change(look, None, FOURTH).people == {-3: 1, 2: 1}
        assert outcomes.change(look, None, LATER).people == {-4: 1, 2: 1, 0: 1, -3: 1}


def test_nobody_is_nought_people_and_no_mean(db: Database) -> None:
    with db.read() as look:
        assert outcomes.funnel(look, NOW, None) == Funnel(0, 0, 0, 0, 0, 0, 0, 0, 0)
        assert outcomes.screenings(look, NOW, None).begun == 0
        assert {(week.due, week.active, week.routines) for week in outcomes.weeks(look, NOW, None)} == {(0, 0, 0)}
        assert outcomes.change(look, None, FOURTH).n == 0


def test_what_a_month_cost_is_what_line_billed_in_it(db: Database) -> None:
    plant(db, PEOPLE)
    sent = {"channel": "line", "user_id": "U1", "cause": "c", "priority": 3, "not_before": START, "status": "sent"}
    with db.write() as tx:
        for n, (at, billed, channel) in enumerate(
            ((9.9, 7, "line"), (10, 3, "line"), (39.9, 2, "line"), (20, 5, "slack"))
        ):
            more = {"channel": channel, "dedupe_key": str(n), "billed": billed, "done_at": day(at), "created_at": START}
            tx.execute(insert(Outbox), {**sent, **more})
    with db.read() as look:
        found = outcomes.spent(look, day(10), day(40))
    assert (found.billed, found.active) == (5, 4)


@pytest.mark.parametrize(
    ("people", "quartiles"),
    [({-3: 1}, (-3, -3, -3)), ({-2: 1, 0: 1}, (-2, -2, 0)), ({-4: 2, -1: 1, 3: 1}, (-4, -4, -1))],
)
def test_the_spread_is_exact(people: dict[int, int], quartiles: tuple[int, int, int]) -> None:
    found = Change(people)
    flat = [points for points, count in people.items() for _ in range(count)]
    assert isclose(found.mean, sum(flat) / len(flat))
    assert tuple(found.share(part) for part in (0.25, 0.5, 0.75)) == quartiles
    if len(flat) == 1:
        assert found.deviation is None
    else:
        squares = sum((points - found.mean) ** 2 for points in flat)
        assert found.deviation is not None
        assert isclose(found.deviation, sqrt(squares / (len(flat) - 1)))
    assert (found.better, found.worse) == (sum(p <= -2 for p in flat), sum(p >= 2 for p in flat))
