"""The check of the content folder as it lies there now, in a process of its own: it walks every path, and replies must not
wait for that."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

import bot

log = structlog.get_logger()

SECONDS = 120
"""After so long the check is given up: that is no result."""

CODE = """
import json, os, sys
from pathlib import Path
os.nice(10)
from bot.content.check import check, render
from bot.content.load import ContentError, load
folder = Path(sys.argv[1])
report = check(folder)
try:
    version = load(folder).version
except ContentError:
    version = ""
print(json.dumps({"failed": report.failed, "lines": render(report).split("\\n"), "version": version}))
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """`lines` as `flask check` prints them, the sum at the end; none: the check itself could not be run. `version` is that of
    the folder, "" when it cannot be read."""

    at: datetime
    failed: bool
    lines: tuple[str, ...]
    version: str

    @property
    def ran(self) -> bool:
        """Whether there is a result at all."""
        return bool(self.lines)


class Checking:
    """The last result, and whether another one is under way."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._last: Checked | None = None
        self._at_work = False

    def last(self, folder: Path) -> Checked | None:
        """None while the first check is under way; asking for it begins it."""
        with self._lock:
            known = self._last
        if known is None:
            self.begin(folder)
        return known

    @property
    def at_work(self) -> bool:
        with self._lock:
            return self._at_work

    def begin(self, folder: Path) -> None:
        """Checks anew, unless that is being done already. Returns at once."""
        with self._lock:
            if self._at_work:
                return
            self._at_work = True
        threading.Thread(target=self._work, args=(folder.resolve(),), name="content-check", daemon=True).start()

    def _work(self, folder: Path) -> None:
        found = Checked(self._now(), True, (), "")
        try:
            found = run(folder, self._now())
        finally:
            with self._lock:
                self._last, self._at_work = found, False


def run(folder: Path, at: datetime) -> Checked:
    """Waits for it."""
    command = [sys.executable, "-c", CODE, str(folder)]
    home = Path(bot.__file__).resolve().parents[1]
    try:
        done = subprocess.run(command, cwd=home, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603 - our own code
        told = json.loads(done.stdout)
        return Checked(at, bool(told["failed"]), tuple(map(str, told["lines"])), str(told["version"]))
    except (subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
        log.error("content_check_not_run", error=type(error).__name__)
        return Checked(at, True, (), "")
