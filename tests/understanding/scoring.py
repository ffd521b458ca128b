"""Scores the labelled messages: whole tables and shares only, so that the kept-apart half stays unread."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Literal

from bot.engine import understand as asked
from bot.engine.safety import assess
from bot.engine.understand import Request, understand
from tests.understanding.words import ROOT, likeness, requests, vocabulary

LEVELS = ("emergency", "urgent", "doctor", "no_massage", "none")
ALARMS = LEVELS[:3]
Part = Literal[
    "seen",
    "practice",
    "practice2",
    "practice3",
    "practice4",
    "practice5",
    "practice6",
    "practice7",
    "practice8",
    "coined",
    "requests",
    "heldout",
    "heldout2",
    "heldout3",
    "heldout4",
    "heldout5",
    "heldout6",
    "heldout7",
    "heldout8",
    "heldout9",
    "heldout10",
    "heldout11",
    "heldout12",
    "heldout13",
    "heldout14",
    "heldout_requests",
]
LOOKED_AT: tuple[Part, ...] = ("seen", "practice", "practice2", "coined")
"""Rules were made by these."""
LEARNED_FROM: tuple[Part, ...] = (
    *LOOKED_AT,
    "practice3",
    "practice4",
    "practice5",
    "practice6",
    "practice7",
    "practice8",
    "requests",
)


@dataclass(frozen=True)
class Row:
    lang: str
    kind: str
    text: str
    mechanism: str
    level: str
    right: tuple[str, ...]
    intent: str
    value: str

    @property
    def asked(self) -> str:
        """The intent as networks know it."""
        return f"language_{self.value}" if self.intent == "language" else self.intent


@cache
def rows(part: Part) -> tuple[Row, ...]:
    path = ROOT / "tests" / "understanding" / f"{part}.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Row(
                lang=row["lang"],
                kind=row["kind"],
                text=row["text"].replace("\\n", "\n"),
                mechanism=row["mechanism"],
                level=row["level"],
                right=(row["level"], *(alt for alt in row["alt"].split(",") if alt)),
                intent=row["intent"],
                value=row["value"],
            )
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        )


def level(text: str) -> str:
    found = assess(text, vocabulary(), likeness()).level
    return found.value if found else "none"


@cache
def levels(part: Part) -> tuple[tuple[Row, str], ...]:
    return tuple((row, level(row.text)) for row in rows(part))


def under(part: Part, wanted: str, lang: str) -> float:
    """The share of messages of level `wanted` that were given less than any right level."""
    mine = [(row, got) for row, got in levels(part) if row.level == wanted and row.lang == lang]
    return sum(LEVELS.index(got) > max(map(LEVELS.index, row.right)) for row, got in mine) / len(mine)


def over(part: Part, lang: str, at_least: str = "doctor") -> float:
    """The share of harmless messages that raised `at_least` or more, and more than any right level."""
    mine = [(row, got) for row, got in levels(part) if row.level in ("none", "no_massage") and row.lang == lang]
    worse = [
        got
        for row, got in mine
        if LEVELS.index(got) <= LEVELS.index(at_least) and LEVELS.index(got) < min(map(LEVELS.index, row.right))
    ]
    return len(worse) / len(mine)


def table(part: Part) -> str:
    """Rows are what was meant, columns what was found."""
    counts = Counter((row.level, got) for row, got in levels(part))
    head = f"{part:>12}" + "".join(f"{name:>12}" for name in LEVELS)
    body = [f"{wanted:>12}" + "".join(f"{counts[wanted, got]:>12}" for got in LEVELS) for wanted in LEVELS]
    return "\n".join([head, *body])


def name(request: Request) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(request).__name__).lower()


def value(request: Request) -> str:
    match request:
        case asked.Snooze(minutes):
            return str(minutes or "")
        case asked.PainNumber(pain):
            return str(pain)
        case asked.Language(code):
            return code
        case asked.SetReminder(times, anchor, days):
            said = str(anchor or "")
            if times and times[0].ambiguous:
                said = f"ambiguous:{times[0].hour:02}" + (f":{times[0].minute:02}" if times[0].minute else "")
            elif times:
                said = f"{times[0].hour:02}:{times[0].minute:02}"
            listed = days if isinstance(days, str) or days is None else ",".join(days)
            return said + (f"|{listed}" if listed else "")
        case _:
            return ""


@cache
def _requests(part: Part) -> list[tuple[Row, Request]]:
    return [(row, understand(row.text, vocabulary(), requests())) for row in rows(part) if row.kind == "intent"]


def requests_right(part: Part, lang: str) -> float:
    """The share of messages whose request is the one that was meant."""
    found = [name(request) == row.intent for row, request in _requests(part) if row.lang == lang]
    return sum(found) / len(found)


TALK = (
    "idiom", "smalltalk", "ordinary_ache", "home_work", "media", "third_person_chronic", "hypothetical", "harmless_body",
    "resolved_past", "organ_talk", "diagnosis_only", "acute_strain",
)  # fmt: skip
"""Mechanisms of harmless messages that ask for nothing."""


def taken_for_a_request(parts: tuple[Part, ...]) -> float:
    """The share of harmless talk that is taken for a request."""
    talk = [
        row.text
        for part in parts
        for row in rows(part)
        if row.level in ("none", "no_massage") and row.mechanism in TALK
    ]
    return sum(name(understand(text, vocabulary(), requests())) != "unknown" for text in talk) / len(talk)


def _reminders(part: Part) -> list[tuple[str, str]]:
    return [(row.value, value(request)) for row, request in _requests(part) if row.intent == "set_reminder"]


def reminders_right(part: Part) -> float:
    """The share of reminders with exactly the time and days that were meant."""
    found = [_same(wanted, got) for wanted, got in _reminders(part)]
    return sum(found) / len(found)


def _same(wanted: str, got: str) -> bool:
    """Days may be called by their set or one by one, and noon by its hour."""
    return _plain(wanted) == _plain(got)


def _plain(value: str) -> tuple[str, str]:
    at, _, days = value.partition("|")
    return at.replace("noon", "12:00"), _SETS.get(days, days)


_SETS = {"weekdays": "mon,tue,wed,thu,fri", "weekends": "sat,sun", "daily": "mon,tue,wed,thu,fri,sat,sun"}


def doubtful_hours_asked_back(part: Part) -> float:
    """The share of hours without morning or evening that are asked back."""
    found = [got.startswith("ambiguous") for wanted, got in _reminders(part) if wanted.startswith("ambiguous")]
    return sum(found) / len(found)
