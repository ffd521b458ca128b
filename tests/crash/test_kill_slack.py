"""A worker is killed, again and again, among Slack's reminders. Slack knows no retry key, so what may have arrived is not sent
again but marked. REMINDERS=500 SPEED=1 is the real size at the real pace (about two minutes for each database)."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from bot.content.rules import DAILY, ReminderRule
from bot.engine.state import Reminder as Chosen
from bot.engine.state import State
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Contact, Outbox, Reminder
from bot.web.console import figures
from tests.conftest import ROOT
from tests.crash.sweeper import DUE
from tests.crash.test_kill_sweep import unsettled
from tests.wire.line_platform import Answer, Platform, Request, platform

REMINDERS = int(os.environ.get("REMINDERS", "60"))
SPEED = float(os.environ.get("SPEED", "10"))
KILLS = 3
PAUSE_SECONDS = 0.05
"""The most that Slack thinks before and after it has posted, so that workers are killed in mid-call too."""

TEAM = "T0SAMPLE01"


def fill(db: Database) -> None:
    """People whose reminder is due."""
    state = codec.state_json(State(consents={"guidance": DUE}, reminder=Chosen(DUE.time().replace(hour=21), DAILY)))
    rule = codec.rule_json(ReminderRule(DUE.time().replace(hour=21), DAILY, "Asia/Tokyo"))
    with db.write() as tx:
        kept = {"channel": "slack", "state": state, "created_at": DUE, "seen_at": DUE}
        tx.execute(insert(Contact), [{"user_id": f"{TEAM}/U{n:09}", **kept} for n in range(REMINDERS)])
        ids = tx.execute(select(Contact.id).order_by(Contact.id)).scalars().all()
        tx.execute(insert(Reminder), [{"contact_id": i, "kind": "care", "rule": rule, "next_at": DUE} for i in ids])


class Slack:
    """Counts what it posted, by member; `busy` is how many calls it is at."""

    def __init__(self) -> None:
        self.posted: Counter[str] = Counter()
        self.busy = 0
        self._chance = random.Random(20260406)
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        assert request.path == "/chat.postMessage"
        self._begin(1)
        time.sleep(self._chance.random() * PAUSE_SECONDS)
        with self._lock:
            self.posted[request.body["channel"]] += 1
        time.sleep(self._chance.random() * PAUSE_SECONDS)
        self._begin(-1)
        return Answer(body={"ok": True, "channel": "D1", "ts": "1.2"})

    def _begin(self, count: int) -> None:
        with self._lock:
            self.busy += count


@contextmanager
def workers(database_url: str, slack: Platform) -> Iterator["subprocess.Popen[str]"]:
    settings: Mapping[str, str] = {
        "DATABASE_URL": database_url,
        "SLACK_SIGNING_SECRET": "s",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_API_URL": slack.url,
    }
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.slack_worker", str(SPEED)],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield mother
    finally:
        mother.communicate(timeout=20)


def start(mother: "subprocess.Popen[str]") -> int:
    assert mother.stdin
    assert mother.stdout
    mother.stdin.write("go\n")
    mother.stdin.flush()
    return int(mother.stdout.readline())


def in_a_call(slack: Slack, db: Database, count: int) -> bool:
    """Waits until so many were posted and it is at a call. False when there are none left: they leave sixteen at a time, so a
    machine in a hurry may be done with all."""
    look_at = time.monotonic()
    while sum(slack.posted.values()) < count or not slack.busy:
        if time.monotonic() > look_at:
            look_at = time.monotonic() + 0.5
            if not unsettled(db):
                return False
        time.sleep(0.002)
    return True


@pytest.mark.timeout(900)
def test_a_worker_killed_among_slacks_reminders_sends_none_twice_and_marks_those_that_are_unsure(
    db: Database, database_url: str
) -> None:
    chance, slack = random.Random(20260406), Slack()
    fill(db)
    with platform(slack.answer) as server, workers(database_url, server) as mother:
        alive = start(mother)
        try:
            for nth in range(1, KILLS + 1):
                if not in_a_call(slack, db, nth * REMINDERS // (KILLS + 2)):
                    break
                time.sleep(chance.random() * PAUSE_SECONDS / 10)
                os.kill(alive, signal.SIGKILL)
                alive = start(mother)
            end = time.monotonic() + 60 + REMINDERS
            while unsettled(db) and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            os.kill(alive, signal.SIGKILL)
    assert unsettled(db) == 0
    with db.read() as look:
        endings = {row.user_id: row.status for row in look.execute(select(Outbox.user_id, Outbox.status))}
        today = figures.sends(look, DUE, ZoneInfo("Asia/Tokyo")).by_status
    assert len(endings) == REMINDERS, "one message for each, whenever the sweep was cut off"
    counted = Counter(endings.values())
    assert set(counted) <= {"sent", "uncertain"}
    for address, status in endings.items():
        times = slack.posted[address.removeprefix(f"{TEAM}/")]
        assert times == 1 if status == "sent" else times <= 1
    assert today.get("uncertain", 0) == counted["uncertain"], "staff see how many are unsure"
    assert counted["uncertain"] > 0, "no kill hit a call: it proves nothing"
