"""Worker processes for the race of bookings: python -m tests.racers DATABASE_URL CONTENT_DIR COUNT. Each handles events until
none is left. Their ids are printed, one a line, so that a test can kill some."""

import os
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.config import Settings
from bot.content.load import load
from bot.content.model import Content
from bot.conversation import advance
from bot.runtime import Runtime
from bot.store.session import open_database
from tests.databases import normal

NOW = datetime.fromisoformat("2026-04-06T00:00:00+00:00")
"""9:00 in Tokyo on a Monday."""


def booking_content(folder: Path = Path("content")) -> Content:
    """The clinic's, where a free time is taken at once; open three hours a day, closed on no day of the week that follows."""
    content = load(folder)
    calendar = content.clinic.booking.calendar.model_copy(update={"horizon_days": 5, "notice_hours": 1, "seats": 2})
    booking = content.clinic.booking.model_copy(update={"mode": "instant", "calendar": calendar})
    hours = tuple(h.model_copy(update={"opens": "10:00", "closes": "15:00"}) for h in content.clinic.hours)
    return content.model_copy(update={"clinic": content.clinic.model_copy(update={"booking": booking, "hours": hours})})


def racer(url: str, content: Content) -> Runtime:
    """What one process works with."""
    settings = Settings(database_url=url)
    return Runtime(settings, open_database(normal(url)), content, {}, now=lambda: NOW)


def work(runtime: Runtime) -> None:
    """Until nothing was left for a while."""
    idle = 0
    while idle < 5:
        idle = 0 if advance(replace(runtime), 20) else idle + 1
        if idle:
            time.sleep(0.02)


def main(url: str, folder: str, count: str) -> None:
    """Children are forked once everything is read: that is what makes eight of them cheap."""
    content = booking_content(Path(folder))
    children = []
    for _ in range(int(count)):
        child = os.fork()
        if child == 0:
            runtime = racer(url, content)
            sys.stdin.readline()  # all start together, when the line is closed
            work(runtime)
            os._exit(0)
        children.append(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
