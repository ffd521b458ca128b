"""What an employer may be told: how many used the guide in a month that is over, in groups large enough to hide in. Never who,
never what somebody has, never a warning sign."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, or_, select

from bot import audit
from bot.runtime import Runtime
from bot.store.tables import Contact, Screening, Session, SlackWorkspace

CHANNEL = "slack"


class Step(StrEnum):
    """Whom a number counts. Each is among those of the step before: told, after a routine, how much it hurts; it hurt less
    than before the same routine, the last time."""

    TOOK_PART = "took_part"
    DID = "did"
    TOLD = "told"
    LESS_PAIN = "less_pain"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one workspace. None: not shown. A number is rounded down to whole groups."""

    workspace: str
    name: str
    counts: Mapping[Step, int | None]


People = Mapping[Step, set[str]]
"""Who is at which step, by address."""


class NotOver(ValueError):
    """The month is not over: its numbers would change from day to day, and each change would be somebody."""


def shown(counts: Sequence[int], least: int) -> Sequence[int | None]:
    """Of counts of which each is among the one before, those that can be told. Neither is a number told of fewer than `least`
    people, nor two that differ by fewer: the difference would be a number of those few."""
    found: list[int | None] = []
    last: int | None = None
    for count in counts:
        if count < least or (last is not None and last - count < least):
            found.append(None)
            continue
        last = count
        found.append(count - count % least)
    return found


def report(runtime: Runtime, month: date, workspace: str = "") -> Sequence[Figures]:
    """By workspace, without a total: whoever has a total and all but one of its parts has the last part as well. `month` is
    any day of it; `workspace` "" means all. Raises NotOver."""
    begin, end = _bounds(month, ZoneInfo(runtime.content.clinic.time_zone))
    if end > runtime.now():
        raise NotOver(f"{month:%Y-%m}")
    with runtime.db.write() as tx:
        people = _people(tx, begin, end)
        names = {row.team: row.name for row in tx.execute(select(SlackWorkspace.team, SlackWorkspace.name))}
        asked = {"month": f"{month:%Y-%m}", "workspace": workspace}
        audit.note(tx, runtime.now(), "command line", "employer_report", None, asked)
    least = runtime.content.clinic.employer.least
    return [
        Figures(team, names.get(team, ""), dict(zip(Step, shown([len(at[step]) for step in Step], least), strict=True)))
        for team, at in sorted(people.items())
        if workspace in ("", team)
    ]


def _bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    first = month.replace(day=1)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def _people(tx: Connection, begin: datetime, end: datetime) -> Mapping[str, People]:
    patients = and_(Contact.channel == CHANNEL, Contact.is_test.is_(False))
    started = and_(Session.started_at >= begin, Session.started_at < end)
    finished = and_(Session.finished_at >= begin, Session.finished_at < end)
    sessions = (
        select(Contact.user_id, Session.started_at, Session.finished_at, Session.pain_before, Session.pain_after)
        .join(Session, Session.contact_id == Contact.id)
        .where(patients, or_(started, finished))
        .order_by(Session.id)
    )
    screened = (
        select(Contact.user_id)
        .join(Screening, Screening.contact_id == Contact.id)
        .where(patients, Screening.finished_at >= begin, Screening.finished_at < end)
    )
    found: defaultdict[str, People] = defaultdict(lambda: {step: set() for step in Step})
    for address in tx.execute(screened).scalars():
        found[_team(address)][Step.TOOK_PART].add(address)
    for row in tx.execute(sessions):
        at = found[_team(row.user_id)]
        at[Step.TOOK_PART].add(row.user_id)
        at[Step.DID].add(row.user_id)
        if row.pain_before is not None and row.pain_after is not None:
            at[Step.TOLD].add(row.user_id)
            (at[Step.LESS_PAIN].add if row.pain_after < row.pain_before else at[Step.LESS_PAIN].discard)(row.user_id)
    return found


def _team(address: str) -> str:
    return address.partition("/")[0]
