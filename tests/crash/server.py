"""Starts the bot again and again without loading Python each time: one process that has loaded everything waits for
lines on its standard input and forks a bot for each. It says the new process's id when that one serves.

`python -m tests.crash.server PORT`, settings as always in the environment.
"""

import logging
import os
import sys
from datetime import timedelta

from werkzeug.serving import make_server

import app
from bot import logs, settlement
from bot.config import Settings
from bot.worker import Shift
from tests.crash.bots import fork_for_each_line

PATIENCE = timedelta(seconds=2)
"""Instead of the true lease: on PostgreSQL a dead worker's messages wait for its end, and this test is in a hurry."""


def main(port: int) -> None:
    """Ends with its standard input."""
    logs.configure(logging.ERROR)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    settlement.LEASE = PATIENCE
    settings = Settings()
    fork_for_each_line(settings, lambda: _serve(settings, port))


def _serve(settings: Settings, port: int) -> None:
    runtime = app.open_runtime(settings)
    shift = Shift(runtime)
    server = make_server("127.0.0.1", port, app.create_app(runtime=runtime, working=shift.alive), threaded=True)
    shift.start()
    print(os.getpid(), flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
