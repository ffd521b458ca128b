"""Reads the clinic's other calendar from its iCalendar address, outside any transaction. What cannot be read is never taken
for an empty calendar."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
import urllib3

from bot import calendars, ics
from bot.runtime import Runtime
from bot.slots import Span

log = structlog.get_logger()

EVERY = timedelta(minutes=5)
BYTES_MAX = 2 * 1024 * 1024
"""A calendar of ten years of full days is smaller."""

TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Unreadable(Exception):
    """`why` is a word that the console's texts know: address, refused, away, big, format."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def tick(runtime: Runtime) -> int:
    """Reads it if it was not read for a while. 1 if it was tried."""
    now = runtime.now()
    with runtime.db.read() as look:
        stands = calendars.standing(look, runtime.content)
    other = stands.other
    if not other.url or (other.tried_at is not None and now - other.tried_at < EVERY):
        return 0
    try:
        spans = fetch(other.url, runtime, now, stands.days.calendar.horizon_days)
    except Unreadable as error:
        log.warning("busy_calendar_unreadable", why=error.why)
        with runtime.db.write() as tx:
            calendars.note_unreadable(tx, other.url, error.why, now)
    else:
        with runtime.db.write() as tx:
            calendars.note_busy(tx, other.url, spans, now)
    return 1


def fetch(url: str, runtime: Runtime, now: datetime, horizon_days: int) -> tuple[Span, ...]:
    """What is taken there from yesterday to the end of the horizon. Raises Unreadable."""
    if not acceptable(url):
        raise Unreadable("address")
    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
            answer = pool.request("GET", url, redirect=False, preload_content=False)
            body = answer.read(BYTES_MAX + 1)
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise Unreadable("away") from error
    if answer.status != 200:
        raise Unreadable("refused")
    if len(body) > BYTES_MAX:
        raise Unreadable("big")
    begins, ends = now - timedelta(days=1), now + timedelta(days=horizon_days + 2)
    try:
        return ics.busy(body, calendars.zone(runtime.content), begins, ends)
    except ValueError as error:
        raise Unreadable("format") from error


def acceptable(url: str) -> bool:
    """Whether an address can be read at all: https, or plain http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
