"""The gates that typed messages are held to, on the half that was looked at and on the half that was not."""

import sys
from dataclasses import dataclass

import pytest

from tests.understanding import scoring
from tests.understanding.scoring import LOOKED_AT, Part

ASKED_OF: list[Part] = ["seen", "heldout", "heldout_requests"]


@pytest.mark.parametrize("part", LOOKED_AT)
def test_messages_that_were_looked_at_get_the_level_they_need(part: Part) -> None:
    sys.stdout.write(f"\n{scoring.table(part)}\n")
    for lang, emergencies in (("ja", 0.01), ("en", 0.03)):
        assert scoring.under(part, "emergency", lang) <= emergencies
        assert scoring.under(part, "urgent", lang) <= 0.03
        assert scoring.under(part, "doctor", lang) <= 0.03
        assert scoring.over(part, lang) <= 0.05


@dataclass(frozen=True)
class Shares:
    """Of messages of each level those that were given less; of harmless ones those that alarmed, and that went to 119."""

    emergency: float
    urgent: float
    doctor: float
    alarmed: float
    sent_119: float


RATCHETS: dict[Part, dict[str, Shares]] = {
    "heldout": {"ja": Shares(0.009, 0.006, 0.016, 0.018, 0.007), "en": Shares(0.017, 0.0, 0.039, 0.0, 0.0)},
    "heldout2": {"ja": Shares(0.01, 0.0, 0.019, 0.0, 0.0), "en": Shares(0.0, 0.0, 0.0, 0.0, 0.0)},
    "heldout3": {"ja": Shares(0.006, 0.04, 0.0, 0.038, 0.017), "en": Shares(0.0, 0.045, 0.0, 0.023, 0.012)},
    "heldout4": {"ja": Shares(0.007, 0.0, 0.0, 0.048, 0.011), "en": Shares(0.023, 0.04, 0.023, 0.009, 0.009)},
    "heldout5": {"ja": Shares(0.007, 0.011, 0.0, 0.038, 0.013), "en": Shares(0.0, 0.0, 0.0, 0.023, 0.012)},
    "heldout6": {"ja": Shares(0.0, 0.011, 0.0, 0.011, 0.006), "en": Shares(0.0, 0.0, 0.0, 0.023, 0.012)},
    "heldout7": {"ja": Shares(0.0, 0.0, 0.0, 0.036, 0.006), "en": Shares(0.0, 0.0, 0.0, 0.033, 0.011)},
    "heldout8": {"ja": Shares(0.0, 0.0, 0.0, 0.017, 0.017), "en": Shares(0.014, 0.0, 0.0, 0.0, 0.0)},
    "heldout10": {"ja": Shares(0.0, 0.0, 0.0, 0.0, 0.0), "en": Shares(0.0, 0.0, 0.0, 0.021, 0.021)},
    "heldout11": {"ja": Shares(0.0, 0.0, 0.0, 0.041, 0.006), "en": Shares(0.0, 0.0, 0.0, 0.068, 0.028)},
    "heldout12": {"ja": Shares(0.0, 0.0, 0.0, 0.007, 0.007), "en": Shares(0.0, 0.0, 0.0, 0.031, 0.007)},
    "heldout13": {"ja": Shares(0.0, 0.0, 0.0, 0.025, 0.009), "en": Shares(0.0, 0.0, 0.0, 0.033, 0.009)},
    "heldout14": {"ja": Shares(0.0, 0.0, 0.0, 0.026, 0.013), "en": Shares(0.0, 0.017, 0.0, 0.0, 0.0)},
}
"""Not the aim: it is 1 % and 3 % of missed emergencies (Japanese, English), 3 % of the rest, 5 % of false alarms, none of
them a figure of speech or a denial that is sent to 119. Whoever gets nearer tightens them."""


@pytest.mark.parametrize("part", RATCHETS)
def test_messages_that_are_kept_apart_get_no_worse(part: Part) -> None:
    sys.stdout.write(f"\n{scoring.table(part)}\n")
    for lang, most in RATCHETS[part].items():
        assert scoring.under(part, "emergency", lang) <= most.emergency
        assert scoring.under(part, "urgent", lang) <= most.urgent
        assert scoring.under(part, "doctor", lang) <= most.doctor
        assert scoring.over(part, lang) <= most.alarmed
        assert scoring.over(part, lang, "emergency") <= most.sent_119


@pytest.mark.parametrize("part", ASKED_OF)
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_requests_are_understood(part: Part, lang: str) -> None:
    assert scoring.requests_right(part, lang) >= 0.92


@pytest.mark.parametrize("part", ASKED_OF)
def test_reminder_times_are_exact(part: Part) -> None:
    assert scoring.reminders_right(part) >= 0.97
    assert scoring.doubtful_hours_asked_back(part) == 1.0


def test_talk_is_seldom_taken_for_a_request() -> None:
    """By the patterns alone it was 24 in 100."""
    assert scoring.taken_for_a_request(("heldout3", "heldout4", "heldout5", "heldout6", "heldout7", "heldout8")) <= 0.06


@pytest.mark.parametrize("part", ["heldout9", "heldout_requests"])
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_plain_talk_and_everyday_requests_raise_no_alarm(part: Part, lang: str) -> None:
    assert scoring.over(part, lang) <= 0.05
