"""Workers of the real kind to be killed among Slack's reminders: one process that has loaded everything waits for lines on its
standard input and forks a worker for each. The worker says its process id when it has begun.

`python -m tests.crash.slack_worker SPEED`, settings as always in the environment. The clock starts at the reminders' hour; Slack's
pace is SPEED times the true one.
"""

import logging
import os
import sys
import time
from datetime import timedelta

import app
from bot import logs, settlement
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.limits import MESSAGES_PER_SECOND, SECONDS_BETWEEN_MESSAGES
from bot.channels.slack.pace import Pace
from bot.config import Settings
from bot.worker import Shift
from tests.crash.bots import fork_for_each_line
from tests.crash.sweeper import DUE

PATIENCE = timedelta(seconds=1)
"""Instead of the true lease: on PostgreSQL a dead worker's messages wait for its end, and this test is in a hurry."""


def main(speed: float) -> None:
    """Ends with its standard input."""
    logs.configure(logging.CRITICAL)
    settlement.LEASE = PATIENCE
    started = time.time()
    settings = Settings()
    fork_for_each_line(settings, lambda: _work(settings, started, speed))


def _work(settings: Settings, started: float, speed: float) -> None:
    runtime = app.open_runtime(settings, lambda: DUE + timedelta(seconds=time.time() - started))
    slack = runtime.channels["slack"]
    assert isinstance(slack, SlackChannel)
    slack._pace = Pace(SECONDS_BETWEEN_MESSAGES / speed, MESSAGES_PER_SECOND * speed)
    Shift(runtime).start()
    os.write(1, f"{os.getpid()}\n".encode())
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(float(sys.argv[1]))
