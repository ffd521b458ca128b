"""The gates that typed messages are held to, on the half that was looked at and on the half that was not."""

import sys

import pytest

from tests.understanding import scoring
from tests.understanding.scoring import Part

SEEN: Part = "seen"
HELDOUT: Part = "heldout"
NOT_YET = pytest.mark.xfail(reason="the kept-apart half does not reach this gate yet", strict=True)
"""Strict: the day a gate is reached, the mark must go. `test_the_kept_apart_half_gets_no_worse` holds what is reached."""

BOTH = [SEEN, HELDOUT]
LATER = [SEEN, pytest.param(HELDOUT, marks=NOT_YET)]


@pytest.mark.parametrize("part", LATER)
def test_emergencies_are_found_in_japanese(part: Part) -> None:
    sys.stdout.write("\n" + scoring.table(part) + "\n")
    assert scoring.under(part, "emergency", "ja") <= 0.01


@pytest.mark.parametrize("part", BOTH)
def test_emergencies_are_found_in_english(part: Part) -> None:
    assert scoring.under(part, "emergency", "en") <= 0.03


@pytest.mark.parametrize("part", BOTH)
def test_urgent_cases_are_found_in_english(part: Part) -> None:
    assert scoring.under(part, "urgent", "en") <= 0.03


@pytest.mark.parametrize("part", LATER)
@pytest.mark.parametrize(("level", "lang"), [("urgent", "ja"), ("doctor", "ja"), ("doctor", "en")])
def test_the_doctors_patients_are_found(part: Part, level: str, lang: str) -> None:
    assert scoring.under(part, level, lang) <= 0.03


@pytest.mark.parametrize("part", LATER)
def test_harmless_messages_are_left_alone_in_japanese(part: Part) -> None:
    assert scoring.over(part, "ja") <= 0.05


@pytest.mark.parametrize("part", BOTH)
def test_harmless_messages_are_left_alone_in_english(part: Part) -> None:
    assert scoring.over(part, "en") <= 0.05


@pytest.mark.parametrize(
    ("level", "lang", "share"),
    [
        ("emergency", "ja", 0.07), ("emergency", "en", 0.03), ("urgent", "ja", 0.08), ("urgent", "en", 0.03),
        ("doctor", "ja", 0.08), ("doctor", "en", 0.08),
    ],
)  # fmt: skip
def test_the_kept_apart_half_gets_no_worse(level: str, lang: str, share: float) -> None:
    assert scoring.under(HELDOUT, level, lang) <= share
    assert scoring.over(HELDOUT, lang) <= 0.08


@pytest.mark.parametrize("part", BOTH)
def test_requests_are_understood(part: Part) -> None:
    assert scoring.requests_right(part) >= 0.92


@pytest.mark.parametrize("part", BOTH)
def test_reminder_times_are_exact(part: Part) -> None:
    assert scoring.reminders_right(part) >= 0.97
    assert scoring.doubtful_hours_asked_back(part) == 1.0
