"""Reads and plays a transcript, a conversation that a physiotherapist can approve (tests/transcripts/README.md)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.request import urlopen

from PIL import Image

from bot.engine.state import Guiding
from bot.messages import Command
from tests.patient import Patient

Mark = Literal[">", "<", "<!", "="]
UNITS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its number in the file."""

    number: int
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """`language` is the patient's LINE's; `booking` how the clinic takes appointments, "" as it is set."""

    file: Path
    title: str
    language: Literal["ja", "en"]
    lines: tuple[Line, ...]
    booking: str = ""


class Unreadable(Exception):
    """The file does not follow the format."""


def parse(file: Path) -> Transcript:
    """Raises Unreadable, with file and line."""
    heads: dict[str, str] = {}
    lines: list[Line] = []
    for number, raw in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not raw.strip():
            continue
        if raw.startswith("#"):
            key, _, value = raw[1:].partition(":")
            heads.setdefault(key.strip(), value.strip())
            continue
        found = re.fullmatch(r"(>|<!|<|=)\s+(.+?)\s*", raw)
        if found is None:
            raise Unreadable(f"{file.name}:{number}: a line begins with #, >, <, <! or = and a space")
        if not lines and found[1] != ">":
            raise Unreadable(f"{file.name}:{number}: begin with what the patient does (>)")
        lines.append(Line(number, found[1], found[2]))  # type: ignore[arg-type]
    if "title" not in heads or not lines:
        raise Unreadable(f"{file.name}: a transcript has a title and at least one line")
    language: Literal["ja", "en"] = "en" if heads.get("language") == "en" else "ja"
    return Transcript(file, heads["title"], language, tuple(lines), heads.get("booking", ""))


def play(transcript: Transcript, patient: Patient) -> None:
    """Raises AssertionError with the line that does not hold and everything heard after the last `>`."""
    for line in transcript.lines:
        try:
            _play_line(line, patient)
        except AssertionError as error:
            where = f"{transcript.file.name}:{line.number}: {line.mark} {line.text}"
            raise AssertionError(f"{where}\n{error}\n--- heard ---\n{patient.heard}") from error


def _play_line(line: Line, patient: Patient) -> None:
    match line.mark:
        case ">":
            _act(line.text, patient)
        case "<":
            assert line.text in patient.heard, "was not said"
        case "<!":
            assert line.text not in patient.heard, "was said"
        case "=":
            _fact(line.text, patient)


# --- what the patient does ---

ACTS: Final[Mapping[str, Callable[[Patient], str]]] = {
    "友だち追加": lambda patient: patient.follow(),
    "follow": lambda patient: patient.follow(),
    "ブロック": lambda patient: patient.block(),
    "block": lambda patient: patient.block(),
    "スタンプ": lambda patient: patient.sticker(),
    "sticker": lambda patient: patient.sticker(),
    "画像": lambda patient: patient.show("image"),
    "photo": lambda patient: patient.show("image"),
    "もう一度届く": lambda patient: patient.redeliver(),
    "redelivered": lambda patient: patient.redeliver(),
    "満席になる": lambda patient: patient.others_take_everything(),
    "ほかの方が取り消す": lambda patient: patient.somebody_cancels(),
    "職員: 確定": lambda patient: patient.staff("confirm"),
    "職員: お断り": lambda patient: patient.staff("decline"),
    "職員: 取り消し": lambda patient: patient.staff("cancel"),
    "職員: 来られなかった": lambda patient: patient.staff("no_show"),
}


def _act(text: str, patient: Patient) -> None:
    if old := re.fullmatch(r"\[(?:古い|old): (.+)\]", text):
        patient.tap_old(old[1])
    elif menu := re.fullmatch(r"\((?:メニュー|menu): (\w+)\)", text):
        patient.tap_menu(Command(menu[1]))
    elif picked := re.fullmatch(r"\[(.+)\] (\d\d:\d\d)", text):
        patient.pick_time(picked[1], picked[2])
    elif picked := re.fullmatch(r"\[(.+)\] (\d{4}-\d\d-\d\d)", text):
        patient.pick_day(picked[1], picked[2])
    elif tap := re.fullmatch(r"\[(.+)\]", text):
        patient.tap(tap[1])
    elif jump := re.fullmatch(r"\(\+(\d+) (minute|hour|day)s?\)", text):
        patient.wait(int(jump[1]) * UNITS[jump[2]])
    elif staff := re.fullmatch(r"\(職員: (変更|予約) (\d{4}-\d\d-\d\d \d\d:\d\d)\)", text):
        patient.staff("move" if staff[1] == "変更" else "book", staff[2])
    elif act := re.fullmatch(r"\((.+)\)", text):
        assert act[1] in ACTS, f"no such act; there are {', '.join(ACTS)}, +N days, +N hours, +N minutes"
        ACTS[act[1]](patient)
    else:
        patient.say(text)


# --- what must be true ---


def _fact(text: str, patient: Patient) -> None:
    name, _, value = (part.strip() for part in text.partition(":"))
    assert name in FACTS, f"no such fact; there are {', '.join(FACTS)}"
    FACTS[name](patient, value)


def _alert(patient: Patient, value: str) -> None:
    raised = [one.urgency for one in patient.alerts]
    assert value in raised, f"raised so far: {raised}"


def _new_alert(patient: Patient, value: str) -> None:
    raised = [one.urgency for one in patient.new_alerts]
    assert value in raised, f"the last > raised {raised}"


def _no_alert(patient: Patient, _: str) -> None:
    assert not patient.alerts, f"raised {patient.alerts}"


def _no_new_alert(patient: Patient, _: str) -> None:
    assert not patient.new_alerts, f"the last > raised {patient.new_alerts}"


def _flag(patient: Patient, value: str) -> None:
    flags = [flag for one in patient.alerts for flag in one.flags]
    assert value in flags, f"raised so far: {flags}"


def _outcome(patient: Patient, value: str) -> None:
    screening = patient.state.screening
    found = None if screening is None else screening.outcome.value
    assert found == (None if value == "none" else value), f"the outcome is {found}"


def _locked(patient: Patient, value: str) -> None:
    lock = patient.state.lock
    assert lock is not None, "nothing is locked"
    assert value in ("", lock.level.value), f"the lock is {lock}"


def _not_locked(patient: Patient, _: str) -> None:
    assert patient.state.lock is None, f"the lock is {patient.state.lock}"


def _billed(patient: Patient, value: str) -> None:
    assert patient.pushes == int(value), f"billed {patient.pushes}"


def _routine(patient: Patient, value: str) -> None:
    waiting, clearance = patient.state.waiting, patient.state.clearance
    guided = waiting.routine if isinstance(waiting, Guiding) else None
    found = guided or (clearance.routine if clearance is not None else None)
    assert found == (None if value == "none" else value), f"the routine is {found}"


def _chart(patient: Patient, _: str) -> None:
    """Fetched as the messenger does: by the address in the message."""
    found = re.search(r'"(http[^"]*/care/trend/[^"]*)"', json.dumps(patient.messages))
    assert found is not None, "no chart came"
    with urlopen(found[1]) as answer:
        assert answer.headers["Content-Type"] == "image/png"
        with Image.open(answer) as picture:
            assert picture.size == (1040, 1040)


def _silent(patient: Patient, _: str) -> None:
    assert not patient.heard, "something was said"


def _consent(patient: Patient, value: str) -> None:
    assert value in patient.state.consents, f"agreed to {sorted(patient.state.consents)}"


def _no_consent(patient: Patient, value: str) -> None:
    assert value not in patient.state.consents, f"agreed to {sorted(patient.state.consents)}"


FACTS: Final[Mapping[str, Callable[[Patient, str], None]]] = {
    "alert": _alert,
    "new alert": _new_alert,
    "no alert": _no_alert,
    "no new alert": _no_new_alert,
    "flag": _flag,
    "outcome": _outcome,
    "locked": _locked,
    "not locked": _not_locked,
    "routine": _routine,
    "billed": _billed,
    "silent": _silent,
    "chart": _chart,
    "consent": _consent,
    "no consent": _no_consent,
}
