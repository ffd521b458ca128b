"""Two hundred people want the same ten times at once, from eight processes or threads: ten get them, nobody is forgotten."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.engine.booking_words import stamp
from bot.engine.state import State
from bot.inbox import accept
from bot.messages import Inbound, Picked, PickToken
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import Booking, BookingStatus, Contact, Inbox, InboxStatus, Outbox
from tests.conftest import ROOT
from tests.databases import Cluster
from tests.racers import NOW, booking_content, racer, work

PATIENTS = 200
WORKERS = 8
OPENING = NOW + timedelta(days=1, hours=1)
WANTED = [OPENING + timedelta(hours=hour) for hour in range(5)]
"""Five hours with two seats each: ten places."""


def crowd(runtime: Runtime) -> None:
    """Everybody has tapped "this time"."""
    state = codec.state_json(State(consents={"guidance": NOW}))
    rows = [
        {"channel": "line", "user_id": f"U{n}", "state": state, "created_at": NOW, "seen_at": NOW}
        for n in range(PATIENTS)
    ]
    with runtime.db.write() as tx:
        tx.execute(insert(Contact), rows)
    taps = [
        Inbound(
            "line",
            f"E{n}",
            f"U{n}",
            NOW,
            Picked(PickToken(0, "booking/yes", stamp(WANTED[n % len(WANTED)]))),
            f"T{n}",
            NOW,
        )
        for n in range(PATIENTS)
    ]
    accept(runtime, taps)


def outcome(runtime: Runtime) -> None:
    """Ten places are taken, each once, by ten people; everybody got one answer, and those who lost the next free times."""
    with runtime.db.read() as look:
        booked = look.execute(select(Booking.contact_id, Booking.starts_at, Booking.seat, Booking.status)).all()
        answers = look.execute(select(Outbox.contact_id, Outbox.message)).all()
        waiting = Counter(look.execute(select(Inbox.status)).scalars())
    assert waiting == {InboxStatus.DONE: PATIENTS}
    assert len(booked) == 10
    assert {(row.starts_at, row.seat) for row in booked} == {(at, seat) for at in WANTED for seat in (1, 2)}
    assert {row.status for row in booked} == {BookingStatus.CONFIRMED}
    winners = {row.contact_id for row in booked}
    assert len(winners) == 10
    assert Counter(row.contact_id for row in answers).most_common(1)[0][1] == 1
    assert len(answers) == PATIENTS
    for row in answers:
        won = row.contact_id in winners
        assert ("ご予約を承りました" in row.message) is won
        assert ("その時間はいま埋まってしまいました" in row.message) is not won
        assert ("4/8（水） の時間" in row.message) is not won


def test_eight_threads_on_sqlite_give_ten_places_to_ten_of_two_hundred(
    sqlite_copy: Callable[[Path], str], tmp_path: Path
) -> None:
    url, content = sqlite_copy(tmp_path), booking_content(ROOT / "content")
    runtime = racer(url, content)
    crowd(runtime)
    threads = [threading.Thread(target=work, args=(runtime,)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome(runtime)
    runtime.db.close()


def racers(url: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Eight processes that are ready to begin."""
    command = [sys.executable, "-m", "tests.racers", url, str(ROOT / "content"), str(WORKERS)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    return process, [int(process.stdout.readline()) for _ in range(WORKERS)]


@pytest.mark.parametrize("killed", [0, 4])
def test_eight_processes_on_postgresql_give_ten_places_to_ten_of_two_hundred(cluster: Cluster, killed: int) -> None:
    """Also when some of them are killed in the middle of it: what they had begun is done by the others, once."""
    with cluster.migrated() as url:
        runtime = racer(url, booking_content(ROOT / "content"))
        crowd(runtime)
        process, ids = racers(url)
        with process:
            assert process.stdin is not None
            process.stdin.close()
            if killed:
                _wait_for_some(runtime)
                for child in ids[:killed]:
                    os.kill(child, signal.SIGKILL)
            assert process.wait(100) == 0
        work(runtime)
        outcome(runtime)
        runtime.db.close()


def _wait_for_some(runtime: Runtime) -> None:
    """Until the race is on."""
    while True:
        with runtime.db.read() as look:
            done = look.execute(select(Inbox.id).where(Inbox.status == InboxStatus.DONE)).all()
        if len(done) > PATIENTS // 20:
            return
