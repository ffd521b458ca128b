"""What has come of it, as a page and as a file."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from bot import audit, outcomes
from bot.access import Action
from bot.content.model import Ask, AskNumber, CardAsk, Content
from bot.content.pacing import Plan
from bot.engine.nodes import SCREENING
from bot.messages import Locale
from bot.outcomes import FOURTH, LATER, Change, Funnel, Question, Screenings, Spent, Week
from bot.runtime import Runtime
from bot.web.console import allowance
from bot.web.console.allowance import Meter
from bot.web.console.bars import Column, Columns, columns, percent, share, short
from bot.web.console.figures import Reading, reading
from bot.web.console.sheet import sheet
from bot.web.console.visit import House, me, needs, page, say

SINCE = (30, 90, 365)
"""Days that can be chosen; none of them: from the beginning."""

SPARED = 20
"""Times as long as counting took, its figures are shown again: at most a twentieth of a process goes into it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """A month's messages, on the plan that the account has now (None: no channel charges for messages)."""

    spent: Spent
    plan: Plan | None

    @property
    def yen(self) -> float | None:
        """Of the whole month; None when the plan does not carry it."""
        return None if self.plan is None else self.plan.cost(self.spent.billed)

    @property
    def each(self) -> float | None:
        """Yen for each active patient."""
        return None if self.yen is None or not self.spent.active else self.yen / self.spent.active


@dataclass(frozen=True, slots=True)
class Found:
    """The parts of the page, each read by itself, as of `at`."""

    at: datetime
    funnel: Reading[Funnel]
    screenings: Reading[Screenings]
    weeks: Reading[Sequence[Week]]
    fourth: Reading[Change]
    latest: Reading[Change]
    costs: Reading[Sequence[Cost]]

    @property
    def failed(self) -> bool:
        """Whether any part could not be read."""
        parts = (self.funnel, self.screenings, self.weeks, self.fourth, self.latest, self.costs)
        return any(part.failed for part in parts)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the funnel: `count` of `of` people (None: the first stage)."""

    name: str
    count: int
    of: int | None


class Counts:
    """What was counted, for as long as counting it again would cost too much: a clinic's figures are always new, a million
    members' are minutes old, and nobody counts them twice at once."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._meter = Meter()
        self._lock = threading.Lock()
        self._known: dict[int | None, tuple[Found, timedelta]] = {}

    def read(self, runtime: Runtime, days: int | None) -> Found:
        """Of people who became friends in so many days (None: ever)."""
        with self._lock:
            if days in self._known:
                found, took = self._known[days]
                if timedelta() <= runtime.now() - found.at < took * SPARED:
                    return found
            began = self._seconds()
            found = _read(runtime, self._meter, days)
            self._known[days] = found, timedelta(seconds=self._seconds() - began)
            if found.failed:
                del self._known[days]
            return found


def register(console: Blueprint, house: House) -> None:
    """The views."""
    counts = Counts()

    @console.get("/outcomes")
    @needs(Action.SEE_OUTCOMES)
    def outcomes_page() -> Response:
        runtime, days = house(), _days()
        found = counts.read(runtime, days)
        return page(
            "outcomes",
            days=days,
            choices=SINCE,
            found=found,
            stages=_stages(found.funnel.value),
            questions=_questions(runtime.content, found.screenings.value, me().locale),
            percent=percent,
            signed=signed,
            week_columns=_week_columns(found.weeks.value),
            change_columns=_change_columns(found.fourth.value),
        )

    @console.get("/outcomes.csv")
    @needs(Action.SEE_OUTCOMES)
    def outcomes_csv() -> Response:
        runtime, days, t = house(), _days(), say()
        found = counts.read(runtime, days)
        with runtime.db.write() as tx:
            audit.note(tx, runtime.now(), me().name, "outcomes_exported", None, {"days": str(days or "")})
        head = [t(f"outcomes.csv_{name}") for name in ("part", "what", "count", "of", "percent")]
        return sheet("outcomes", head, _lines(runtime, found))


def _days() -> int | None:
    days = request.args.get("days", type=int)
    return days if days in SINCE else None


def _read(runtime: Runtime, meter: Meter, days: int | None) -> Found:
    now = runtime.now()
    since = None if days is None else now - timedelta(days=days)

    def part(name: str, read: Callable[[Connection], T]) -> Reading[T]:
        with runtime.db.read() as look:
            return reading(name, lambda: read(look))

    return Found(
        now,
        part("funnel", lambda look: outcomes.funnel(look, now, since)),
        part("screenings", lambda look: outcomes.screenings(look, now, since)),
        part("weeks", lambda look: outcomes.weeks(look, now, since)),
        part("fourth", lambda look: outcomes.change(look, since, FOURTH)),
        part("latest", lambda look: outcomes.change(look, since, LATER)),
        _costs(runtime, meter, now),
    )


def _costs(runtime: Runtime, meter: Meter, now: datetime) -> Reading[Sequence[Cost]]:
    """The month under way, then the last one. What the provider does not tell is not guessed."""
    with runtime.db.read() as look:
        told = allowance.read(runtime, meter, lambda: look)
    if told.failed:
        return Reading(None, failed=True)
    plan = None if told.value is None else told.value.plan
    local = now.astimezone(ZoneInfo(runtime.content.clinic.time_zone))
    this = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (this - timedelta(days=1)).replace(day=1)
    with runtime.db.read() as look:
        months = reading("costs", lambda: [outcomes.spent(look, this, now), outcomes.spent(look, last, this)])
    if months.value is None:
        return Reading(None, failed=True)
    return Reading([Cost(one, plan) for one in months.value])


def _stages(found: Funnel | None) -> Sequence[Stage]:
    if found is None:
        return ()
    return (
        Stage("friends", found.friends, None),
        Stage("agreed", found.agreed, found.friends),
        Stage("screened", found.screened, found.agreed),
        Stage("begun", found.begun, found.screened),
        Stage("fourth_week", found.fourth_week, found.due),
        Stage("booked", found.booked, found.fourth_week),
    )


def _questions(content: Content, found: Screenings | None, locale: Locale) -> Sequence[tuple[str, Question]]:
    """Each question in words, in the order of the flow; those that the content no longer has come last, by their ids."""
    if found is None:
        return ()
    asks = [node for node in content.flows[SCREENING].node if isinstance(node, Ask | CardAsk | AskNumber)]
    words = {node.id: node.text.to(locale) for node in asks}
    order = {node.id: n for n, node in enumerate(asks)}
    shown = sorted(found.questions, key=lambda one: (order.get(one.node, len(order)), one.node))
    return [(words.get(one.node, one.node), one) for one in shown]


def _week_columns(weeks: Sequence[Week] | None) -> Columns | None:
    """Shares of those for whom the week is over; a week that is over for nobody has no column."""
    shown = [week for week in weeks or () if week.due]
    if not shown:
        return None
    bars = [_week_column(week) for week in shown]
    return columns(bars, 1)


def _week_column(week: Week) -> Column:
    """The share in percent; of a few, how many of how many."""
    part = share(week.active, week.due)
    shown = f"{week.active}/{week.due}" if part is None else f"{part:.0f}"
    tone = "faint" if part is None else "main"
    return Column(str(week.number), week.active / week.due, shown, tone, short(week.due))


def _change_columns(found: Change | None) -> Columns | None:
    """People by points, from the most that anybody's pain fell to the most that it rose."""
    if found is None or not found.n:
        return None
    low, high = min(-2, *found.people), max(2, *found.people)
    bars = [
        Column(signed(points), count, str(count) if count else "", _tone(points))
        for points in range(low, high + 1)
        for count in [found.people.get(points, 0)]
    ]
    return columns(bars, max(found.people.values()))


def signed(points: float, digits: int = 0) -> str:
    """With its sign, nought without."""
    return f"{points:+.{digits}f}" if round(points, digits) else f"{0:.{digits}f}"


def _tone(points: int) -> str:
    if points <= -outcomes.NOTICED:
        return "main"
    return "worse" if points >= outcomes.NOTICED else "faint"


def _lines(runtime: Runtime, found: Found) -> Sequence[Sequence[object]]:
    """Every number of the page. A part that could not be read is a line that says so."""
    t = say()
    lines: list[Sequence[object]] = []

    def add(part: str, what: str, count: object, of: int | None = None) -> None:
        known = share(count, of) if isinstance(count, int) and of is not None else None
        lines.append((t(f"outcomes.{part}"), what, count, of, None if known is None else round(known, 1)))

    for name, part in (("funnel", found.funnel), ("drop", found.screenings), ("weeks", found.weeks)):
        if part.failed:
            add(name, t("today.unread"), "")
    for stage in _stages(found.funnel.value):
        add("funnel", t(f"outcomes.stage_{stage.name}"), stage.count, stage.of)
    if found.funnel.value is not None:
        add("funnel", t("outcomes.csv_held_back"), found.funnel.value.held_back)
        add("funnel", t("outcomes.csv_booked_all"), found.funnel.value.booked_all, found.funnel.value.friends)
    for words, question in _questions(runtime.content, found.screenings.value, me().locale):
        add("drop", words, question.left, question.asked)
    for week in found.weeks.value or ():
        add("weeks", t("outcomes.week_n", n=week.number), week.active, week.due)
        add("weeks", t("outcomes.csv_routines", n=week.number), week.routines)
    for name, change in (("fourth", found.fourth), ("latest", found.latest)):
        if change.value is None:
            add(name, t("today.unread"), "")
            continue
        for points, count in sorted(change.value.people.items()):
            add(name, t("outcomes.points", points=signed(points)), count, change.value.n)
        if not change.value.n:
            add(name, t("outcomes.nobody_told"), 0)
    if found.costs.value is None:
        add("cost", t("today.unread"), "")
    for cost in found.costs.value or ():
        month = _month(runtime, cost.spent.since)
        add("cost", t("outcomes.csv_billed", month=month), cost.spent.billed)
        add("cost", t("outcomes.csv_active", month=month), cost.spent.active)
        if cost.each is not None:
            add("cost", t("outcomes.csv_each", month=month), round(cost.each, 2))
    return lines


def _month(runtime: Runtime, at: datetime) -> str:
    local = at.astimezone(ZoneInfo(runtime.content.clinic.time_zone))
    return f"{local.year}-{local.month:02d}"
