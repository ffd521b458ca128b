"""The bot of one `tests.crash.server`: it starts again in a moment, without loading Python."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.conftest import ROOT


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
