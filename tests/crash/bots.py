"""The bot of one `tests.crash.server`: it starts again in a moment, without loading Python."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import app
from bot.config import Settings
from bot.engine.state import Facts, State
from bot.messages import Said
from tests.content import read_once

ROOT = Path(__file__).resolve().parents[2]


def fork_for_each_line(settings: Settings, work: Callable[[], None]) -> None:
    """A child that does `work` for each line of the standard input, until that ends. The children find the modules loaded,
    the content read and its patterns compiled."""
    _load_all(settings)
    for _ in sys.stdin:
        if os.fork() == 0:
            work()


def _load_all(settings: Settings) -> None:
    read_once()
    runtime = app.open_runtime(settings)
    facts = Facts(runtime.now(), ZoneInfo(runtime.content.clinic.time_zone))
    runtime.step(runtime.content, State(), facts, Said("。"))
    runtime.db.close()


@dataclass
class Bots:
    """One alive at a time. `alive` is its process; 0 before the first."""

    mother: "subprocess.Popen[str]"
    alive: int = 0

    def start(self) -> None:
        """The next one."""
        assert self.mother.stdin
        assert self.mother.stdout
        self.mother.stdin.write("go\n")
        self.mother.stdin.flush()
        self.alive = int(self.mother.stdout.readline())

    def kill(self) -> None:
        """Without warning."""
        os.kill(self.alive, signal.SIGKILL)


@contextmanager
def bots(port: int, environment: Mapping[str, str]) -> Iterator[Bots]:
    """None is alive yet, and none afterwards."""
    command = [sys.executable, "-m", "tests.crash.server", str(port)]
    mother = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    found = Bots(mother)
    try:
        yield found
    finally:
        if found.alive:
            found.kill()
        mother.communicate(timeout=20)
