"""The gates that typed messages are held to, on the half that was looked at and on the half that was not."""

import sys

import pytest

from tests.understanding import scoring
from tests.understanding.scoring import LOOKED_AT, Part

SEEN: Part = "seen"
HELDOUT: Part = "heldout"
BOTH: list[Part] = [SEEN, HELDOUT]


@pytest.mark.parametrize("part", LOOKED_AT)
@pytest.mark.parametrize(
    ("level", "lang", "most"),
    [
        ("emergency", "ja", 0.01), ("emergency", "en", 0.03), ("urgent", "ja", 0.03), ("urgent", "en", 0.03),
        ("doctor", "ja", 0.03), ("doctor", "en", 0.03),
    ],
)  # fmt: skip
def test_warning_signs_are_found_in_messages_that_were_looked_at(
    part: Part, level: str, lang: str, most: float
) -> None:
    sys.stdout.write(f"\n{scoring.table(part)}\n")
    assert scoring.under(part, level, lang) <= most


@pytest.mark.parametrize("part", LOOKED_AT)
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_harmless_messages_that_were_looked_at_are_left_alone(part: Part, lang: str) -> None:
    assert scoring.over(part, lang) <= 0.05


@pytest.mark.parametrize(
    ("part", "lang", "emergency", "urgent", "doctor"),
    [
        ("heldout", "ja", 0.014, 0.0, 0.024),
        ("heldout", "en", 0.0, 0.0, 0.0),
        ("heldout2", "ja", 0.01, 0.0, 0.019),
        ("heldout2", "en", 0.0, 0.0, 0.0),
        ("heldout3", "ja", 0.006, 0.02, 0.0),
        ("heldout3", "en", 0.0, 0.023, 0.0),
        ("heldout4", "ja", 0.007, 0.0, 0.014),
        ("heldout4", "en", 0.0, 0.02, 0.023),
        ("heldout5", "ja", 0.007, 0.011, 0.0),
        ("heldout5", "en", 0.0, 0.019, 0.022),
    ],
)  # fmt: skip
def test_messages_that_are_kept_apart_get_no_worse(
    part: Part, lang: str, emergency: float, urgent: float, doctor: float
) -> None:
    """Ratchets, not the aim: it is 1 % and 3 % of missed emergencies (Japanese, English), 3 % of the rest, 5 % of false
    alarms. Whoever gets nearer tightens them."""
    sys.stdout.write(f"\n{scoring.table(part)}\n")
    assert scoring.under(part, "emergency", lang) <= emergency
    assert scoring.under(part, "urgent", lang) <= urgent
    assert scoring.under(part, "doctor", lang) <= doctor


@pytest.mark.parametrize(
    ("part", "lang", "most", "most_119"),
    [
        ("heldout", "ja", 0.033, 0.018),
        ("heldout", "en", 0.012, 0.012),
        ("heldout2", "ja", 0.019, 0.01),
        ("heldout2", "en", 0.0, 0.0),
        ("heldout3", "ja", 0.046, 0.021),
        ("heldout3", "en", 0.056, 0.023),
        ("heldout4", "ja", 0.069, 0.032),
        ("heldout4", "en", 0.036, 0.018),
        ("heldout5", "ja", 0.045, 0.032),
        ("heldout5", "en", 0.035, 0.035),
    ],
)  # fmt: skip
def test_false_alarms_on_messages_that_are_kept_apart_get_no_more(
    part: Part, lang: str, most: float, most_119: float
) -> None:
    assert scoring.over(part, lang) <= most
    assert scoring.over(part, lang, "emergency") <= most_119


@pytest.mark.parametrize("part", BOTH)
def test_requests_are_understood(part: Part) -> None:
    assert scoring.requests_right(part) >= 0.92


@pytest.mark.parametrize("part", BOTH)
def test_reminder_times_are_exact(part: Part) -> None:
    assert scoring.reminders_right(part) >= 0.97
    assert scoring.doubtful_hours_asked_back(part) == 1.0
