"""`python -m tests.bench.reminders`: what a sweep costs beside reminders that are not due, and how long it takes until the
provider has accepted all that are due in the same minute. SQLite, or PostgreSQL with --postgresql."""

import argparse
import resource
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from bot import reminders
from bot.config import Settings
from bot.content.load import load
from bot.content.rules import DAILY, ReminderRule
from bot.engine.state import Reminder as Chosen
from bot.engine.state import State
from bot.runtime import Runtime
from bot.store import codec
from bot.store.migrate import upgrade
from bot.store.session import Database, open_database
from bot.store.tables import Contact, Reminder
from bot.worker import Worker
from tests.databases import Cluster, normal
from tests.world import Platform

DUE = datetime(2026, 4, 6, 12, 0, tzinfo=UTC)
SIZES = (1_000, 10_000, 100_000)
SWEEPS = 200
PATIENCE_SECONDS = 600


def main() -> None:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reminders")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--due", type=int, default=20_000, help="due in the same minute")
    parser.add_argument("--active", type=int, default=100_000, help="active altogether")
    given = parser.parse_args()
    for line in (*_sweeps(given.postgresql), *_rush(given.postgresql, given.due, given.active)):
        print(line, flush=True)  # noqa: T201


def _sweeps(postgresql: bool) -> Iterator[str]:
    costs = []
    for size in SIZES:
        with _house(postgresql, lambda: DUE) as (runtime, _):
            _fill(runtime.db, size, DUE + timedelta(days=1))
            costs.append(statistics.median(_sweep_one(runtime) for _ in range(SWEEPS)))
        yield f"a sweep with one due beside {size:,} that are not: {costs[-1] * 1000:.2f} ms ({costs[-1] / costs[0]:.2f} x)"


def _sweep_one(runtime: Runtime) -> float:
    with runtime.db.write() as tx:
        tx.execute(update(Reminder).where(Reminder.id == 1).values(next_at=DUE))
    begun = time.perf_counter()
    assert reminders.sweep(runtime, DUE) == 1
    return time.perf_counter() - begun


def _rush(postgresql: bool, due: int, active: int) -> Iterator[str]:
    started = time.monotonic()

    def now() -> datetime:
        return DUE + timedelta(seconds=time.monotonic() - started)

    with _house(postgresql, now) as (runtime, platform):
        _fill(runtime.db, due, DUE)
        _fill(runtime.db, active - due, DUE + timedelta(days=1))
        before = _memory()
        started = time.monotonic()
        worker = Worker(runtime)
        worker.start()
        while len(platform.phones) < due and time.monotonic() - started < PATIENCE_SECONDS:
            time.sleep(0.05)
        seconds = time.monotonic() - started
        worker.stop()
        arrived = Counter(one.user_id for one in platform.phones)
        calls = len(platform.many) + len(platform.calls)
        yield f"{due:,} of {active:,} due at once: accepted in {seconds:.1f} s by {calls} calls, memory +{_memory() - before:.0f} MB"
        yield f"missed {due - len(arrived)}, twice {sum(n > 1 for n in arrived.values())}, threads left {threading.active_count()}"


def _memory() -> float:
    """The most resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _house(postgresql: bool, now: Callable[[], datetime]) -> Iterator[tuple[Runtime, Platform]]:
    platform = Platform(now)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _database(postgresql, folder) as url:
        db = open_database(normal(url))
        upgrade(db)
        settings = Settings(database_url=url)
        yield (
            Runtime(settings=settings, db=db, content=load(Path("content")), channels={"line": platform}, now=now),
            platform,
        )
        db.close()


@contextmanager
def _database(postgresql: bool, folder: str) -> Iterator[str]:
    if not postgresql:
        yield f"sqlite:///{folder}/bench.db"
        return
    cluster = Cluster()
    try:
        with cluster.empty() as url:
            yield url
    finally:
        cluster.close()


def _fill(db: Database, count: int, at: datetime) -> None:
    """So many patients who wait for a reminder at `at`."""
    chosen = Chosen(DUE.time().replace(hour=21), DAILY)
    state = codec.state_json(State(consents={"guidance": DUE}, reminder=chosen))
    rule = codec.rule_json(ReminderRule(chosen.at, DAILY, "Asia/Tokyo"))
    for first in range(0, count, 10_000):
        some = min(10_000, count - first)
        with db.write() as tx:
            last = tx.execute(select(Contact.id).order_by(Contact.id.desc()).limit(1)).scalar() or 0
            kept = {"channel": "line", "state": state, "created_at": DUE, "seen_at": DUE}
            tx.execute(insert(Contact), [{"user_id": f"U{last + n}", **kept} for n in range(some)])
            ids = tx.execute(select(Contact.id).where(Contact.id > last)).scalars().all()
            tx.execute(insert(Reminder), [{"contact_id": i, "kind": "care", "rule": rule, "next_at": at} for i in ids])


if __name__ == "__main__":
    main()
