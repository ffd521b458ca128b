"""Whatever the people and the criteria: exclusions and recipients are the audience, each person once."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, delete, insert

from bot import audience
from bot.audience import (
    Active,
    Audience,
    Chosen,
    Criterion,
    Follows,
    OnChannel,
    Practised,
    Reads,
    Screened,
    Silent,
    Tagged,
)
from bot.content.model import Content
from bot.messages import Disposition
from bot.store.session import Database, open_database
from bot.store.tables import Contact, Session, Tag
from tests import crowd
from tests.crowd import Patient
from tests.databases import Cluster, normal
from tests.world import START

ROUTINES = ("hip", "low_back")
TAGS = ("初回", "水曜")

patients = st.builds(
    Patient,
    consent=st.booleans(),
    flagged=st.booleans(),
    reachable=st.booleans(),
    taken=st.booleans(),
    locale=st.sampled_from(("ja", "en")),
    channel=st.sampled_from(("line", "slack")),
    seen_at=st.integers(0, 60).map(lambda days: START - timedelta(days=days)),
    outcome=st.none() | st.sampled_from(Disposition),
)
histories = st.lists(st.tuples(st.sampled_from(ROUTINES), st.integers(0, 60)), max_size=4)
people = st.lists(st.tuples(patients, histories, st.sets(st.sampled_from(TAGS))), min_size=1, max_size=12)


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, unique=True).map(tuple)


criteria: st.SearchStrategy[Criterion] = st.one_of(
    st.builds(OnChannel, some(("line", "slack"))),
    st.builds(Reads, some(("ja", "en"))),
    st.builds(Screened, some((*Disposition, "none"))),
    st.builds(Follows, some(ROUTINES)),
    st.builds(Active, st.integers(1, 60)),
    st.builds(Silent, st.integers(1, 60)),
    st.builds(Practised, st.integers(0, 3), st.none() | st.integers(0, 3)),
    st.builds(Tagged, some(TAGS)),
    st.builds(Chosen, st.lists(st.integers(0, 11), unique=True).map(tuple)),
)
audiences = st.lists(criteria, max_size=3).map(lambda all_of: Audience(tuple(all_of)))
Person = tuple[Patient, list[tuple[str, int]], set[str]]


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def shared(
    request: pytest.FixtureRequest, sqlite_copy: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all examples."""
    if request.param == "sqlite":
        db = open_database(sqlite_copy(tmp_path_factory.mktemp("counts")))
        yield db
        db.close()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.migrated() as url:
        db = open_database(normal(url))
        yield db
        db.close()


def fill(db: Database, found: list[Person]) -> list[int]:
    with db.write() as tx:
        tx.execute(delete(Contact))
    ids = crowd.add(db, [patient for patient, _, _ in found])
    with db.write() as tx:
        for contact_id, (_, begun, tags) in zip(ids, found, strict=True):
            for routine, days in begun:
                at = START - timedelta(days=days)
                tx.execute(insert(Session).values(contact_id=contact_id, routine=routine, started_at=at))
            for name in tags:
                tx.execute(insert(Tag).values(contact_id=contact_id, name=name))
    return ids


def applies(criterion: Criterion, contact_id: int, person: Person) -> bool:
    """The rule said a second time, in plain Python."""
    patient, begun, tags = person
    match criterion:
        case OnChannel(any_of):
            return patient.channel in any_of
        case Reads(any_of):
            return patient.locale in any_of
        case Screened(any_of):
            found = Disposition.URGENT if patient.flagged else patient.outcome or "none"
            return found in any_of
        case Follows(any_of):
            return bool(begun) and begun[-1][0] in any_of
        case Active(days):
            return START - patient.seen_at <= timedelta(days=days)
        case Silent(days):
            return START - patient.seen_at > timedelta(days=days)
        case Practised(least, most):
            lately = sum(days <= 28 for _, days in begun)
            return least <= lately and (most is None or lately <= most)
        case Tagged(any_of):
            return bool(tags & set(any_of))
        case Chosen(contacts):
            return contact_id in contacts


def reason(patient: Patient) -> str | None:
    if not patient.consent:
        return "no_consent"
    if patient.flagged:
        return "flagged"
    if not patient.reachable:
        return "blocked"
    return "taken_over" if patient.taken else None


@settings(max_examples=60, deadline=None)
@given(found=people, wanted=audiences)
def test_recipients_and_named_exclusions_are_the_audience(
    shared: Database, content: Content, found: list[Person], wanted: Audience
) -> None:
    ids = fill(shared, found)
    real = Audience(
        tuple(
            Chosen(tuple(ids[n] for n in one.contacts if n < len(ids))) if isinstance(one, Chosen) else one
            for one in wanted.all_of
        )
    )
    inside = {
        contact_id: person
        for contact_id, person in zip(ids, found, strict=True)
        if all(applies(one, contact_id, person) for one in real.all_of)
    }
    with shared.read() as look:
        counted = audience.count(look, content, real, START)
        pages: list[Row[Any]] = []
        after = 0
        while page := audience.page(look, content, real, START, START, range(after + 1, ids[-1] + 1), 3):
            pages += page
            after = page[-1].id
    assert counted.all == len(inside)
    assert counted.sent_to + sum(counted.barred.values()) == counted.all
    expected = Counter(reason(person[0]) for person in inside.values())
    assert {str(bar): number for bar, number in counted.barred.items()} == {k: n for k, n in expected.items() if k}
    assert counted.sent_to == expected[None]
    assert {row.id: row.reason for row in pages} == {i: reason(person[0]) for i, person in inside.items()}
    assert audience.from_json(audience.to_json(real)) == real
