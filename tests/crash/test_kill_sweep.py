"""Workers are killed in the middle of sweeping up what is due, again and again; on PostgreSQL two sweep at once. Nobody is
reminded twice and nobody is left out. SWEEP_KILLS sets how often (100 takes a few minutes)."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from queue import Queue

import pytest
from sqlalchemy import func, insert, select, update

from bot.content.rules import DAILY, ReminderRule
from bot.engine.state import Reminder as Chosen
from bot.engine.state import State
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Contact, Inbox, Outbox, Reminder
from tests.conftest import ROOT
from tests.crash.provider import Provider, free_ports
from tests.crash.sweeper import DUE

KILLS = int(os.environ.get("SWEEP_KILLS", "8"))
EACH = 30
"""People who come due before each kill."""

LATER = DUE + timedelta(days=20)
QUIET_SECONDS = 240.0


def fill(db: Database, count: int) -> None:
    """Patients whose reminder is due some day."""
    state = codec.state_json(State(consents={"guidance": DUE}, reminder=Chosen(DUE.time().replace(hour=21), DAILY)))
    rule = codec.rule_json(ReminderRule(DUE.time().replace(hour=21), DAILY, "Asia/Tokyo"))
    with db.write() as tx:
        kept = {"channel": "line", "state": state, "created_at": DUE, "seen_at": DUE}
        tx.execute(insert(Contact), [{"user_id": f"U{n:032x}", **kept} for n in range(count)])
        ids = tx.execute(select(Contact.id).order_by(Contact.id)).scalars().all()
        tx.execute(insert(Reminder), [{"contact_id": i, "kind": "care", "rule": rule, "next_at": LATER} for i in ids])


def come_due(db: Database, nth: int) -> None:
    """The next few."""
    some = Reminder.id.between(nth * EACH + 1, (nth + 1) * EACH)
    with db.write() as tx:
        tx.execute(update(Reminder).where(some).values(next_at=DUE))


class Sweepers:
    """Workers of one `tests.crash.sweeper`."""

    def __init__(self, mother: "subprocess.Popen[str]") -> None:
        self._mother = mother
        self._begun: Queue[int] = Queue()
        self._swept: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._mother.stdout
        for line in self._mother.stdout:
            first, *rest = line.split()
            if rest:
                self._swept.add(int(rest[0]))
            else:
                self._begun.put(int(first))

    def start(self, count: int) -> list[int]:
        """So many, sweeping by now."""
        assert self._mother.stdin
        self._mother.stdin.write("go\n" * count)
        self._mother.stdin.flush()
        return [self._begun.get(timeout=60) for _ in range(count)]

    def kill(self, pid: int) -> bool:
        """Whether it was still sweeping."""
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
        return pid not in self._swept


@contextmanager
def sweepers(database_url: str, port: int) -> Iterator[Sweepers]:
    line = {"LINE_CHANNEL_SECRET": "s", "LINE_CHANNEL_ACCESS_TOKEN": "t", "LINE_API_URL": f"http://127.0.0.1:{port}"}
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.sweeper"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, **line},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Sweepers(mother)
    finally:
        mother.communicate(timeout=20)


def unsettled(db: Database) -> int:
    inbox = select(func.count()).select_from(Inbox).where(Inbox.status == "waiting").scalar_subquery()
    outbox = select(func.count()).select_from(Outbox).where(Outbox.status.in_(("waiting", "held", "sending")))
    due = select(func.count()).select_from(Reminder).where(Reminder.next_at <= DUE).scalar_subquery()
    with db.read() as look:
        found: int = look.execute(select(inbox + outbox.scalar_subquery() + due)).scalar_one()
    return found


@pytest.mark.timeout(1800)
def test_workers_killed_in_their_sweep_miss_none_and_remind_none_twice(db: Database, database_url: str) -> None:
    chance = random.Random(20260406)
    [port] = free_ports(1)
    provider = Provider(port)
    provider.start()
    fill(db, KILLS * EACH)
    at_once = 1 if db.is_sqlite else 2
    in_the_sweep = 0
    try:
        with sweepers(database_url, port) as workers:
            for nth in range(KILLS):
                come_due(db, nth)
                pids = workers.start(at_once)
                for pid in pids:
                    time.sleep(chance.uniform(0, 0.04))
                    in_the_sweep += workers.kill(pid)
            pids = workers.start(at_once)
            end = time.monotonic() + QUIET_SECONDS
            while unsettled(db) and time.monotonic() < end:
                time.sleep(0.2)
            for pid in pids:
                workers.kill(pid)
    finally:
        provider.stop()
    check(db, provider)
    assert in_the_sweep >= KILLS // 4, "the kills came too late to prove anything"


def check(db: Database, provider: Provider) -> None:
    people = {f"U{n:032x}": 1 for n in range(KILLS * EACH)}
    assert Counter(provider.delivered) == Counter(people)
    with db.read() as look:
        assert set(look.execute(select(Reminder.next_at)).scalars()) == {DUE + timedelta(days=1)}
        assert Counter(look.execute(select(Inbox.status)).scalars()) == {"done": len(people)}
        assert Counter(look.execute(select(Outbox.status)).scalars()) == {"sent": len(people)}
