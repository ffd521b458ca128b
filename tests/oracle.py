"""A patient on paper: walks flows by the words of the design alone, to hold content against tests/clinical_minimum.toml.

Independent of the content check: it knows no masks and proves nothing, it only does what one patient would see.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, assert_never

from bot.content.conditions import StandingName, Verdict, View, holds, judge
from bot.content.model import (
    Answered,
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Conclude,
    Condition,
    Content,
    CourseName,
    Due,
    End,
    Flag,
    Known,
    Measure,
    Number,
    OtherFlag,
    Report,
    Rise,
    Setback,
    Suggest,
    Tell,
)
from bot.messages import Disposition

AT_ONCE = (Disposition.EMERGENCY, Disposition.URGENT)
LOCKING = (*AT_ONCE, Disposition.DOCTOR)
Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: an advice of this disposition, a routine, an exit into another flow, or a last sentence (`end`, a
    node). `taps` are the questions answered. `left`: a question without an answer, or flags not known, where they must be."""

    advice: Disposition | None = None
    routine: str | None = None
    flow: str | None = None
    end: str | None = None
    left: str | None = None
    taps: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One patient of the table and what is the least that must follow."""

    order: str
    flow: str
    given: Answers
    before: Answers
    standing: StandingName
    last_pain: int | None
    least: str
    course: CourseName = "steady"

    @property
    def names(self) -> frozenset[str]:
        """The answers that make this patient."""
        return frozenset(self.given) | frozenset(self.before)


@cache
def table() -> dict[str, Any]:
    """tests/clinical_minimum.toml"""
    return tomllib.loads((Path(__file__).parent / "clinical_minimum.toml").read_text(encoding="utf-8"))


@cache
def cases() -> tuple[Case, ...]:
    """Every patient of the table."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for row in table()["row"]:
        flow = row.get("flow", "screening")
        for standing in row.get("standing", ["fresh" if flow == "today" else "none"]):
            for given in row["given"]:
                last, before, course = row.get("last_pain"), row.get("before", {}), row.get("course", "steady")
                yield Case(row["order"], flow, given, before, standing, last, row["least"], course)


Touched = Mapping[str, tuple[Flag, ...]]


def touched(content: Content) -> Touched:
    """The flags that may end a flow at once, by the answers they look at; one that looks at other flags, by every one."""
    serious = [flag for flag in content.safety.flag if flag.disposition in AT_ONCE]
    by_name: dict[str, tuple[Flag, ...]] = {}
    looking = tuple(flag for flag in serious if any(isinstance(c, OtherFlag) for c in flag.when))
    for node in (node for flow in content.flows.values() for node in flow.node):
        names = node.items if isinstance(node, CardAsk) else (node.stored_as if isinstance(node, Ask) else node.id,)
        for name in names:
            own = (f for f in serious if any(name in _reads(c) for c in f.when))
            by_name.setdefault(name, tuple({f.id: f for f in (*own, *looking)}.values()))
    return by_name


def _reads(condition: Condition) -> tuple[str, ...]:
    match condition:
        case Answered(answer=name) | Number(number=name) | Rise(rise=name) | Known(known=name):
            return (name,)
        case _:
            return ()


class Paper:
    """Answers as `given`, healthily otherwise, on `content`."""

    def __init__(self, content: Content, case: Case, at_once: "Touched | None" = None) -> None:
        self._content = content
        self._case = case
        self._at_once = touched(content) if at_once is None else at_once
        self._given = {**table()["healthy"], **case.given}
        self._consents: set[str] = set() if case.flow == "screening" and case.standing == "none" else {"guidance"}
        self._answers: dict[str, str] = {"age": self._given["age"]} if self._consents else {}
        if case.flow == "today" and case.standing == "fresh":
            known = {item.id: "no" for item in content.safety.item}
            self._answers = {**known, **table()["healthy"], **case.before}
            for name in ("pain", "daily", "report", "pain_after", "doctor_seen"):
                del self._answers[name]
        self._course = case.course
        self._taps = 0

    def view(self) -> View:
        """What conditions are tested on."""
        return View(
            answers=self._answers,
            standing=self._case.standing,
            consents=frozenset(self._consents),
            sessions=3,
            last_pain=self._case.last_pain,
            course=self._course,
        )

    def walk(self) -> Outcome:
        """From the beginning of the flow to its end, or into another flow."""
        flow = self._content.flows[self._case.flow]
        nodes = {node.id: node for node in flow.node}
        at = flow.node[0].id
        for _ in range(60):
            if "/" in at and not at.startswith(f"{flow.id}/"):
                return self._end(flow=at)
            found = self._pass(nodes[at.rpartition("/")[2]])
            if isinstance(found, Outcome):
                return found
            at = found
        return self._end(left="goes round in circles")

    def _pass(
        self,
        node: Ask | CardAsk | AskNumber | Tell | Branch | Conclude | Suggest | Report | Measure | Due | Setback | End,
    ) -> str | Outcome:
        match node:
            case Ask():
                value = self._given.get(node.stored_as, "")
                option = next((o for o in node.options if o.id == value), None)
                if option is None:
                    option = node.options[0]
                offered = {purpose for o in node.options for purpose in o.consents}
                self._consents = self._consents - offered | set(option.consents)
                return self._take({node.stored_as: option.id}) or option.to or node.next or ""
            case AskNumber():
                return self._take({node.id: self._given.get(node.id, "3")}) or node.next
            case CardAsk():
                return self._card(node) or node.next
            case Tell() | Measure() | Due():
                return node.next
            case Report():
                found = self._judge()
                return self._end(advice=found.worst) if found.worst in LOCKING else node.next
            case Setback():
                self._course = "resting"
                return node.next
            case Branch():
                return next((case.to for case in node.cases if holds(case.when, self.view())), node.otherwise)
            case Conclude():
                found = self._judge()
                if found.worst is not None:
                    return self._end(advice=found.worst)
                return self._end(left=found.unknown[0].id) if found.unknown else node.next
            case Suggest():
                return self._suggest(node)
            case End(id=name):
                return self._end(end=name)
            case _:
                assert_never(node)

    def _card(self, card: CardAsk) -> Outcome | None:
        if all(self._given.get(item, "no") == "no" for item in card.items):
            return self._take(dict.fromkeys(card.items, "no"))
        self._taps += 1
        for item in card.items:
            if (ended := self._take({item: self._given.get(item, "no")})) is not None:
                return ended
        return None

    def _take(self, given: Answers) -> Outcome | None:
        self._taps += 1
        self._answers.update(given)
        view = self.view()
        if all(holds(flag.when, view) is False for name in given for flag in self._at_once.get(name, ())):
            return None
        found = self._judge()
        return self._end(advice=found.worst) if found.worst in AT_ONCE else None

    def _suggest(self, node: Suggest) -> Outcome:
        found = self._judge()
        if found.unknown:
            return self._end(left=found.unknown[0].id)
        if found.worst is not None:
            return self._end(advice=found.worst)
        limits = (m for m in self._content.safety.modifier if m.id == "gentle")
        if any(holds(when, self.view()) is not False for limit in limits for when in limit.when):
            return self._end(routine=next(r.id for r in self._content.routines.values() if not r.pressure))
        offered = next((o.routine for o in node.offers if holds(o.when, self.view())), None)
        return self._end(routine=offered, left=None if offered else "nothing offered")

    def _judge(self) -> Verdict:
        return judge(self._content.safety.flag, self.view())

    def _end(
        self,
        advice: Disposition | None = None,
        routine: str | None = None,
        flow: str | None = None,
        end: str | None = None,
        left: str | None = None,
    ) -> Outcome:
        return Outcome(advice, routine, flow, end, left, self._taps)


def falls_short(content: Content, case: Case, at_once: Touched | None = None) -> str | None:
    """Why this patient is not served as the table demands, None when they are."""
    ended = Paper(content, case, at_once).walk()
    match case.least:
        case "no_routine":
            good = ended.routine is None and ended.left is None
        case "asked_again":
            good = ended.advice is not None or (ended.flow or "").startswith("screening/")
        case "gentle":
            presses = ended.routine is not None and content.routines[ended.routine].pressure
            good = ended.advice is not None or (ended.routine is not None and not presses)
        case "told_doctor":
            good = ended.end == table()["limits"]["doctor"]
        case "told_to_rest":
            good = ended.end == table()["limits"]["rest"]
        case least:
            good = ended.advice is not None and ended.advice.rank <= Disposition(least).rank
    return None if good else f"{case.order}: {dict(case.given)} on {case.flow}, {case.standing}: {ended}"


def wrong_limits(content: Content) -> Iterator[str]:
    """Patients whose routine is not limited as the table demands, and doses that are too long."""
    for row in table()["limited"]:
        answers = {**{item.id: "no" for item in content.safety.item}, **table()["healthy"], **row["given"]}
        sessions, last, course = row.get("sessions", 3), row.get("last_pain"), row.get("course", "steady")
        view = View(answers, "fresh", frozenset(("guidance",)), sessions, last, course)
        met = {m.id for m in content.safety.modifier if any(holds(when, view) is not False for when in m.when)}
        if not set(row["limits"]) <= met:
            yield f"{row['order']}: {sorted(met)}"
    most = table()["limits"]
    freshness = content.safety.freshness
    if freshness.screening_days > most["screening_days"] or freshness.unused_days > most["unused_days"]:
        yield "answers count for too long"
    if content.routines["low_back"].minutes_max > most["low_back_minutes"]:
        yield "the low back is pressed for too long"


def wrong_fits(content: Content) -> Iterator[str]:
    """Healthy patients who get another routine than the table says, or need too many taps."""
    for row in table()["fit"]:
        case = Case(row["order"], "screening", row["given"], {}, "none", None, "")
        ended = Paper(content, case).walk()
        if ended.routine != row["routine"] or ended.taps > 12:
            yield f"{row['order']}: {row['given']}: {ended}"
    ended = Paper(content, Case("s4", "today", {}, {}, "fresh", None, "")).walk()
    if ended.routine is None or ended.taps != 2:
        yield f"returning: {ended}"


def first_fault(content: Content, names: frozenset[str] | None = None) -> str | None:
    """The first patient who is served worse than the table demands; only those with one of `names` when given."""
    at_once = touched(content)
    for case in cases():
        if (names is None or case.names & names) and (fault := falls_short(content, case, at_once)):
            return fault
    return next(iter([*wrong_limits(content), *wrong_fits(content)]), None)
