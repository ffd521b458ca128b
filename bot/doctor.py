"""Looks over an installation: what is well, what to know, what to do."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypeVar

import urllib3
from sqlalchemy.exc import ArgumentError, DBAPIError

from bot import gate, quota, staff
from bot.access import Role
from bot.channels.line.account import OutOfReach, TokenRefused, account_name
from bot.config import Settings
from bot.content.check import check
from bot.content.load import ContentError, load
from bot.content.model import Content
from bot.store.session import HEAD, Database, open_database

CLOCK_TOLERANCE = timedelta(seconds=10)
"""Reply tokens live for a minute: a clock that is off by more spoils them."""


T = TypeVar("T")


class Level(StrEnum):
    """problem: patients are not served, or not safely, until it is mended."""

    WELL = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what to do about it."""

    level: Level
    subject: str
    words: str

    @property
    def stops(self) -> bool:
        """Whether it keeps the service from running as it should."""
        return self.level is Level.PROBLEM


def _well(subject: str, words: str) -> Finding:
    return Finding(Level.WELL, subject, words)


def _note(subject: str, words: str) -> Finding:
    return Finding(Level.NOTE, subject, words)


def _problem(subject: str, words: str) -> Finding:
    return Finding(Level.PROBLEM, subject, words)


def examine(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Finding]:
    """One finding after another, in the order in which they are best mended."""
    yield from _settings(settings)
    yield from _content(settings)
    yield from _database(settings, now)
    yield from _line(settings, now)
    yield from _slack(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    for name in settings.half_set:
        yield _problem(
            name,
            "missing, while its other half is set. LINE: LINE Developers Console, tabs "
            "Basic settings (secret) and Messaging API (token). Slack: Your Apps, Basic Information.",
        )
    if not settings.half_set and not settings.has_line and not settings.has_slack:
        yield _problem("channels", "neither LINE nor Slack is set up: nobody can be answered.")
    if settings.has_line:
        yield _well("LINE", "secret and token are set.")
    if settings.has_slack:
        yield _well("Slack", "signing secret and bot token are set.")
        if settings.slack_staff_channel and not settings.slack_bot_token.get_secret_value():
            yield _problem(
                "SLACK_BOT_TOKEN",
                "not set, but SLACK_STAFF_CHANNEL is: staff are called in the workspace of that token.",
            )
        if not settings.slack_staff_channel:
            yield _note("SLACK_STAFF_CHANNEL", "not set: alerts are seen in the console only.")
    if not settings.public_url:
        yield _problem(
            "PUBLIC_URL",
            "not set. It is the https address under which LINE and Slack reach this server; without it no picture is shown.",
        )
    elif not settings.public_url.startswith("https://"):
        yield _problem("PUBLIC_URL", "must begin with https:// - LINE and Slack call and fetch nothing else.")
    else:
        yield _well("PUBLIC_URL", settings.public_url)
    if len(settings.secret_key.get_secret_value()) < 32:
        yield _note(
            "SECRET_KEY",
            "not set or under 32 characters; signed links and the console need it. "
            "Make one: python3 -c 'import secrets; print(secrets.token_hex(32))'",
        )


def _content(settings: Settings) -> Iterator[Finding]:
    try:
        content = load(settings.content_dir)
    except ContentError as error:
        yield _problem("content", f"cannot be read: {error}. Run `flask check`.")
        return
    report = check(settings.content_dir)
    errors = sum(issue.severity == "error" for issue in report.issues)
    if errors:
        fate = "the service will not start" if report.unsafe else "what was to be reviewed is out of date"
        yield _problem("content", f"{errors} errors; {fate}. Run `flask check`.")
    elif report.issues:
        yield _note("content", f"safe, with {len(report.issues)} warnings. Run `flask check`.")
    else:
        yield _well("content", f"{report.paths} paths walked, nothing wrong.")
    yield from _clinic(content)


def _clinic(content: Content) -> Iterator[Finding]:
    clinic = content.clinic
    if not clinic.physician_reviewed:
        yield _note(
            "clinic.toml",
            "physician_reviewed = false: NO PHYSICIAN HAS REVIEWED THIS CONTENT. Have "
            "the questions, advice and routines read by one before patients use them, then set it.",
        )
    empty = {
        "phone": not clinic.phone,
        "address": clinic.address is None,
        "booking_url": not clinic.booking_url,
    }
    for name in (name for name, missing in empty.items() if missing):
        yield _note("clinic.toml", f"{name} is empty: whatever needs it is not shown to patients.")


def _database(settings: Settings, now: Callable[[], datetime]) -> Iterator[Finding]:
    try:
        db = open_database(settings.database_url)
        revision = db.revision()
    except (ArgumentError, ValueError, OSError) as error:
        yield _problem("DATABASE_URL", f"cannot be used: {type(error).__name__}.")
    except DBAPIError as error:
        yield _problem(
            "database",
            f"cannot be reached ({type(error.orig).__name__}). Is the server up, "
            "does DATABASE_URL name it, may this user enter?",
        )
    else:
        if revision == HEAD:
            yield _well("database", f"{db.engine.dialect.name}, at revision {revision}.")
            yield from _gate(settings, db, now())
            yield from _pushes(settings, db, now())
            yield from _staff(settings, db)
        elif db.is_sqlite:
            yield Finding(
                Level.NOTE, "database", f"at revision {revision or 'none'}; `flask serve` brings it to {HEAD}."
            )
        else:
            yield _problem("database", f"at revision {revision or 'none'}: run `flask db upgrade`.")
        db.close()


def _pushes(settings: Settings, db: Database, now: datetime) -> Iterator[Finding]:
    try:
        content = load(settings.content_dir)
    except ContentError:
        return  # said already
    with db.read() as look:
        month = quota.month(look, content, now)
        left_out = quota.left_out(look, now - quota.WEEK)
        short = quota.held(look, settings, now)["allowance"]
    so_far = f"{month.billed:,} billed by LINE this month, about {month.expected:,} by its end"
    if month.plan is None:
        yield _note("messages", f"{so_far}: none of LINE's plans in content/pacing.toml carries so many.")
    else:
        cost = month.plan.cost(month.expected)
        yield _well("messages", f"{so_far}: {month.plan.label.en} is the cheapest plan for them ({cost:,.0f} yen).")
    if left_out:
        reasons = ", ".join(f"{count:,} {kind or 'answer'} ({reason})" for (kind, reason), count in left_out.items())
        yield _note("messages", f"left out in the last seven days: {reasons}. `flask forecast` tells what is to come.")
    if short:
        yield _problem(
            "messages", f"{short:,} wait because LINE's allowance of this month is used up: buy more, or wait."
        )


def _staff(settings: Settings, db: Database) -> Iterator[Finding]:
    with db.read() as look:
        owners = [one for one in staff.everyone(look) if one.active and one.role is Role.OWNER]
    if not settings.secret_key.get_secret_value():
        return  # said already
    if owners:
        codes = sum(one.has_code for one in owners)
        yield _well("console", f"{len(owners)} owner(s) can sign in, {codes} with a code from a phone.")
    else:
        yield _note("console", "nobody can sign in yet, so nobody sees alerts there: run `flask staff add`.")


def _gate(settings: Settings, db: Database, now: datetime) -> Iterator[Finding]:
    with db.read() as look:
        opened = gate.current(look, settings)
        held = gate.held(look, opened.value, now)
    if opened.value == "on":
        yield _well("send gate", "is on: messages leave.")
        return
    who = "SEND_GATE" if opened.by is None else f"{opened.by} ({opened.since:%Y-%m-%d %H:%M} UTC)"
    exempt = " but for test contacts" if opened.value == "test" else ""
    yield _note("send gate", f"is {opened.value} by {who}: pushes are held{exempt}, {held} now. Replies go out.")


def _line(settings: Settings, now: Callable[[], datetime]) -> Iterator[Finding]:
    if not settings.has_line:
        return
    try:
        name = account_name(settings.line_api_url, settings.line_channel_access_token.get_secret_value())
    except TokenRefused:
        yield _problem(
            "LINE_CHANNEL_ACCESS_TOKEN",
            "LINE refuses it. Issue a new one: LINE Developers Console, tab Messaging API, at the bottom.",
        )
    except OutOfReach as error:
        yield _problem(
            "LINE",
            f"{settings.line_api_url} did not answer as it should ({error}). Can this machine reach the internet?",
        )
    else:
        yield _well("LINE", f"the token belongs to {name}.")
    yield from _clock(settings, now)


def _slack(settings: Settings) -> Iterator[Finding]:
    if not settings.has_slack:
        return
    from bot.channels.slack.account import examine as examine_slack

    token = settings.slack_bot_token.get_secret_value()
    if token:
        for look in examine_slack(settings.slack_api_url, token, settings.slack_staff_channel):
            yield Finding(Level.WELL if look.well else Level.PROBLEM, look.subject, look.words)
    yield from _workspaces(settings)


def _workspaces(settings: Settings) -> Iterator[Finding]:
    """Those that installed the app by themselves, and those that sent it away."""
    from bot.channels.base import NotTold
    from bot.channels.slack.account import Own
    from bot.channels.slack.account import examine as examine_slack
    from bot.workspaces import installed

    known = _read(settings, installed) or ()
    own = None
    if known and settings.slack_bot_token.get_secret_value():
        with contextlib.suppress(NotTold):  # said already
            own = Own(settings.slack_api_url, settings.slack_bot_token.get_secret_value()).workspace()
    for team, name, token, gone_at in known:
        subject = f"workspace {name or team}"
        if gone_at is not None:
            again = "set the new SLACK_BOT_TOKEN and restart" if team == own else f"{settings.public_url}/slack/install"
            yield _note(subject, f"removed the app on {gone_at:%Y-%m-%d %H:%M} UTC. To take it in again: {again}.")
        elif token is not None and team == own:
            yield _problem(subject, "is served by SLACK_BOT_TOKEN and by OAuth: remove one. The setting is used now.")
        elif token is not None and settings.slack_many:
            for look in examine_slack(settings.slack_api_url, token, "", subject):
                yield Finding(Level.WELL if look.well else Level.PROBLEM, subject, look.words)
    if settings.slack_many:
        yield _well("Slack OAuth", f"administrators install the app at {settings.public_url}/slack/install.")
    if any(token is not None for _, _, token, _ in known):
        yield _note(
            "Slack OAuth", "the tokens stand in the database as they are: guard it, and its backups, like .env."
        )


def _read(settings: Settings, read: Callable[[Database], T]) -> T | None:
    """None where the database cannot be read: said already."""
    try:
        db = open_database(settings.database_url)
    except (ArgumentError, ValueError, OSError, DBAPIError):
        return None
    try:
        return read(db) if db.revision() == HEAD else None
    except DBAPIError:
        return None
    finally:
        db.close()


def _clock(settings: Settings, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Compared with the Date header of the provider, which is there on any answer."""
    try:
        with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=3.0, read=5.0)) as pool:
            date = pool.request("GET", settings.line_api_url, redirect=False).headers.get("Date")
        off = abs(parsedate_to_datetime(date or "") - now())
    except (urllib3.exceptions.HTTPError, ValueError, TypeError):
        return  # out of reach: said already
    if off > CLOCK_TOLERANCE:
        yield Finding(
            Level.PROBLEM, "clock", f"{off.total_seconds():.0f} s off LINE's. Switch time synchronisation on."
        )
    else:
        yield _well("clock", "agrees with LINE's.")
