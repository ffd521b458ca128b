"""Sweepers to be killed: one process that has loaded everything waits for lines on its standard input and forks a worker for
each. The worker says its process id when it begins to sweep, and a second line when it has swept.

`python -m tests.crash.sweeper`, settings as always in the environment. The clock starts at the reminders' hour.
"""

import logging
import os
import time
from datetime import UTC, datetime, timedelta

import app
from bot import logs, reminders, settlement
from bot.config import Settings
from bot.delivery import release_expired
from bot.worker import drain
from tests.crash.bots import fork_for_each_line

DUE = datetime(2026, 4, 6, 12, 0, tzinfo=UTC)
"""21:00 in Tokyo."""

PATIENCE = timedelta(seconds=2)
"""Instead of the true lease: this test is in a hurry."""

AT_ONCE = 2
"""Reminders in one transaction of the sweep: many commits to be killed between, on a slow machine too."""


def main() -> None:
    """Ends with its standard input."""
    logs.configure(logging.CRITICAL)
    settlement.LEASE = PATIENCE
    reminders.BATCH = AT_ONCE
    started = time.time()
    settings = Settings()
    fork_for_each_line(settings, lambda: _work(settings, started))


def _work(settings: Settings, started: float) -> None:
    runtime = app.open_runtime(settings, lambda: DUE + timedelta(seconds=time.time() - started))
    _say(f"{os.getpid()}")
    reminders.sweep(runtime, runtime.now())
    _say(f"swept {os.getpid()}")
    while True:
        release_expired(runtime)
        drain(runtime)
        time.sleep(0.02)


def _say(words: str) -> None:
    """A whole line or nothing, whenever the end comes."""
    os.write(1, f"{words}\n".encode())


if __name__ == "__main__":
    main()
