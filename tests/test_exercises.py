"""What comes after the massage: easy at first, harder with sessions while the pain allows, and what suits the person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.content.load import load
from bot.engine.draft import Draft
from bot.engine.exercises import fitting
from bot.engine.screen import PAIN
from bot.engine.state import Facts, Programme, State

CONTENT = load(Path("content"))
NOW = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
LADDER = CONTENT.programme.ladder
ROUTINE = CONTENT.routines["low_back"]
GROUPS = {step.group for step in ROUTINE.after if step.group}


def levels(sessions: int, pain: str | None, programme: Programme | None = None) -> dict[str | None, int]:
    """The level that is shown of each group."""
    answers = {} if pain is None else {PAIN: pain}
    state = State(sessions=sessions, answers=answers, programme=programme or Programme())
    draft = Draft(CONTENT, state, Facts(NOW, ZoneInfo("Asia/Tokyo")))
    return {step.group: step.level for step in fitting(draft, ROUTINE)}


def highest(level: int) -> dict[str | None, int]:
    """The hardest of each group up to `level`."""
    return {g: max(s.level for s in ROUTINE.after if s.group == g and s.level <= level) for g in GROUPS}


@pytest.mark.parametrize(
    ("sessions", "level"),
    [
        (0, 1),
        (LADDER.sessions[0] - 1, 1),
        (LADDER.sessions[0], 2),
        (LADDER.sessions[1] - 1, 2),
        (LADDER.sessions[1], 3),
    ],
)
def test_each_group_shows_one_exercise_that_grows_harder_with_sessions(sessions: int, level: int) -> None:
    assert levels(sessions, "2") == highest(level)
    assert len({str(highest(one)) for one in (1, 2, 3)}) == 3, "the levels of the content do not differ"


@pytest.mark.parametrize("pain", [str(LADDER.pain_at_most + 1), "10", None])
def test_with_more_pain_or_pain_not_asked_it_stays_the_easiest(pain: str | None) -> None:
    assert levels(100, str(LADDER.pain_at_most)) == highest(3)
    assert levels(100, pain) == highest(1)


def test_after_worse_sessions_it_goes_back_to_the_easiest() -> None:
    rested = Programme(rests=(NOW - timedelta(days=1),))
    assert levels(100, "2", rested) == highest(1)


def test_once_the_factors_are_known_those_that_suit_best_are_kept() -> None:
    sleepless = Programme(factors=("stress_sleep",))
    kept = levels(0, "2", sleepless)
    assert len(kept) <= LADDER.most
    suiting = {step.group for step in ROUTINE.after if "stress_sleep" in step.factors}
    assert set(kept) & suiting == suiting if len(suiting) <= LADDER.most else set(kept) <= suiting


def test_nothing_is_shown_twice_and_all_of_it_has_a_picture() -> None:
    for routine in CONTENT.routines.values():
        draft = Draft(CONTENT, replace(State(), answers={PAIN: "1"}), Facts(NOW, ZoneInfo("Asia/Tokyo")))
        shown = fitting(draft, routine)
        assert len({step.id for step in shown}) == len(shown)
        assert all(step.picture.file in CONTENT.media for step in shown)
