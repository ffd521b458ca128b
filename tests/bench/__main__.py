"""`python -m tests.bench` (`make bench`): prints what README.md here explains. Ends with 1 when an aim was missed."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.web.server import THREADS
from tests.bench.figures import Line, table
from tests.bench.measure import FULL, QUICK, Bench
from tests.bench.servers import Kind

KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def main() -> int:
    """All of it, or with --quick a look whether it works: figures of so few events say little."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--only", choices=KINDS, help="one kind of database")
    parser.add_argument("--port", type=int, default=18450, help="the first of five ports on loopback")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # every server is ended on the way out
    begun = time.monotonic()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(QUICK if given.quick else FULL, given.port, Path(folder))
        for kind in [given.only] if given.only else KINDS:
            found = list(_watched(bench.run(kind)))
            lines += found
            print(table(f"\n{TITLES[kind]}, {THREADS} web threads, median (min to max)", found))  # noqa: T201
    missed = [line for line in lines if line.aim is not None and not line.aim.met(line.judged)]
    load = os.getloadavg()[0]
    minutes = (time.monotonic() - begun) / 60
    print(f"{len(missed)} aims missed; {os.cpu_count()} cores, load {load:.1f}, {minutes:.1f} min")  # noqa: T201
    return 1 if missed else 0


def _watched(lines: Iterator[Line]) -> Iterator[Line]:
    """Shows on standard error that something is going on."""
    for line in lines:
        print(f"  {line.name}: {line.shown}", flush=True, file=sys.stderr)  # noqa: T201
        yield line


if __name__ == "__main__":
    sys.exit(main())
