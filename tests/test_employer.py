"""What an employer is told: numbers of groups large enough to hide in, and nothing from which a smaller one could be found."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from bot import employer_command
from bot.content.employer import Employer
from bot.employer import NotOver, Step, report, shown
from bot.store.tables import Audit, Contact, Screening, Session, SlackWorkspace
from tests.world import World

MARCH = date(2026, 3, 1)
"""Over, at the world's start."""


@pytest.fixture
def database_url(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> str:
    """One kind is enough: these queries ask nothing that the kinds differ in."""
    return sqlite_copy(tmp_path)


def people(
    world: World, team: str, count: int, *, did: int = 0, told: int = 0, better: int = 0, at: datetime | None = None
) -> None:
    """So many who answered the body check in March, of whom so many did, told, and had less pain."""
    at = at or datetime(2026, 3, 31, 14, 59, tzinfo=UTC)  # the last minute of March in Tokyo
    with world.db.write() as tx:
        for number in range(count):
            row = {"channel": "slack", "user_id": f"{team}/U{number}", "created_at": at, "seen_at": at}
            contact = tx.execute(insert(Contact).values(**row).returning(Contact.id)).scalar_one()
            of_them = {"contact_id": contact}
            result = {"content_version": "1", "answers": "{}", "outcome": "self_massage", "flags": "[]"}
            tx.execute(insert(Screening).values(**of_them, **result, finished_at=at))
            if number < did:
                pain = {"pain_before": 5, "pain_after": 3 if number < better else 5} if number < told else {}
                tx.execute(insert(Session).values(**of_them, routine="low_back", started_at=at, **pain))


def counts(world: World, workspace: str = "T1") -> list[int | None]:
    [one] = report(world.runtime, MARCH, workspace)
    return [one.counts[step] for step in Step]


def test_groups_of_ten_are_told_in_steps_of_ten_and_nine_are_not(world: World) -> None:
    people(world, "T1", 49, did=29, told=10, better=0)
    people(world, "T2", 9, did=9, told=9, better=9)
    assert counts(world) == [40, 20, 10, None]
    assert counts(world, "T2") == [None] * 4


def test_a_number_that_would_give_a_small_group_away_by_subtraction_is_not_told(world: World) -> None:
    people(world, "T1", 40, did=35, told=12, better=12)
    assert counts(world) == [40, None, 10, None], "40 - 35 would be five people, 12 - 12 would be all of them"


def test_there_is_no_total_from_which_a_hidden_workspace_could_be_worked_out(world: World) -> None:
    people(world, "T1", 30, did=20)
    people(world, "T2", 4, did=4)
    found = report(world.runtime, MARCH)
    assert [(one.workspace, one.counts[Step.TOOK_PART]) for one in found] == [("T1", 30), ("T2", None)]


def test_only_what_happened_in_that_month_counts_and_the_last_routine_decides(world: World) -> None:
    people(world, "T1", 12, did=12, told=12, better=12)
    people(world, "T2", 12, did=12, at=datetime(2026, 3, 31, 15, 0, tzinfo=UTC))  # April in Tokyo
    with world.db.write() as tx:
        ids = tx.execute(select(Contact.id).where(Contact.user_id.startswith("T1/"))).scalars().all()
        last = {"routine": "hip", "started_at": datetime(2026, 3, 31, 14, 59, 59, tzinfo=UTC)}
        pain = {"pain_before": 2, "pain_after": 6}
        tx.execute(insert(Session), [{"contact_id": contact, **last, **pain} for contact in ids])
    assert [one.workspace for one in report(world.runtime, MARCH)] == ["T1"]
    world.clock.move(days=31)
    assert [one.workspace for one in report(world.runtime, date(2026, 4, 1))] == ["T2"]
    assert counts(world) == [10, None, None, None], "all of them did, told, and nobody had less pain in the end"


def test_a_month_that_is_not_over_is_not_told(world: World) -> None:
    with pytest.raises(NotOver):
        report(world.runtime, date(2026, 4, 1))
    world.clock.time = datetime(2026, 3, 31, 14, 59, tzinfo=UTC)
    with pytest.raises(NotOver):
        report(world.runtime, MARCH)
    world.clock.move(minutes=1)
    assert report(world.runtime, MARCH) == []


def test_line_patients_and_test_contacts_are_nobodys_employees(world: World) -> None:
    people(world, "T1", 20)
    with world.db.write() as tx:
        tx.execute(Contact.__table__.update().where(Contact.user_id < "T1/U15").values(is_test=True))  # type: ignore[attr-defined]
        tx.execute(Contact.__table__.update().where(Contact.user_id >= "T1/U15").values(channel="line"))  # type: ignore[attr-defined]
    assert report(world.runtime, MARCH) == []


def test_the_command_says_it_in_both_languages_names_nobody_and_stands_in_the_audit(world: World) -> None:
    people(world, "T1", 40, did=35, told=12)
    with world.db.write() as tx:
        tx.execute(insert(SlackWorkspace).values(team="T1", name="見本の勤め先"))
    command = employer_command.command(lambda _: world.runtime, lambda: world.runtime.settings)
    said = CliRunner().invoke(command, ["--month", "2026-03", "--workspace", "T1"])
    assert said.output.splitlines()[:3] == [
        "2026-03  見本の勤め先 (T1)",
        "  体の確認かケアをした方: 40人以上",
        "  ケアをした方: お伝えできません（該当する方、または上の数字との差が10人未満）",
    ]
    english = CliRunner().invoke(command, ["--month", "2026-03", "--english"])
    assert "Did a routine: not told (fewer than 10 people, or fewer than 10 apart)" in english.output
    assert "U1" not in said.output + english.output
    late = CliRunner().invoke(command, ["--month", "2026-04"])
    assert (late.exit_code, "2026-04 is not over yet" in late.output) == (1, True)
    with world.db.read() as look:
        assert list(look.execute(select(Audit.action)).scalars()) == ["employer_report"] * 2


def test_the_least_group_cannot_be_set_lower_than_the_rule_allows() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 10"):
        Employer(least=9)


LADDERS = st.lists(st.integers(0, 80), min_size=1, max_size=6).map(lambda found: sorted(found, reverse=True))


@given(LADDERS, st.integers(10, 20))
def test_neither_a_number_told_nor_a_difference_of_two_is_about_fewer_than_the_least_group(
    ladder: Sequence[int], least: int
) -> None:
    told = shown(ladder, least)
    exact = [count for count, one in zip(ladder, told, strict=True) if one is not None]
    assert all(count >= least for count in exact)
    assert all(more - fewer >= least for more, fewer in combinations(exact, 2))
    assert all(one is None or (one <= count < one + least) for count, one in zip(ladder, told, strict=True))
    assert all(one is None or one % least == 0 for one in told)


@given(LADDERS, st.integers(10, 20))
def test_the_largest_group_is_told_whenever_it_is_large_enough(ladder: Sequence[int], least: int) -> None:
    assert (shown(ladder, least)[0] is not None) == (ladder[0] >= least)
