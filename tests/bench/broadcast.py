"""`python -m tests.bench.broadcast`: one message to 100,000 people of the real bot in processes of its own, on loopback. How
many calls it takes, whether everybody is accounted for, how fast a pause takes effect, what answers to patients cost
meanwhile, and whether `kill -9` of the bot at 20 random moments loses or doubles any. SQLite, or PostgreSQL with --postgresql.
Ends with 1 when an aim was missed."""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from bot.access import Role
from bot.audience import Audience, Tagged
from bot.broadcasts import desk, results
from bot.broadcasts.desk import Actor, Draft, Refusal
from bot.broadcasts.letter import Bilingual
from bot.config import Settings
from bot.content.load import load
from bot.engine.state import Lock, State
from bot.messages import Disposition, Message, Words
from bot.runtime import Runtime
from bot.store import codec
from bot.store.session import Database, open_database
from bot.store.tables import Contact, Tag
from tests.bench import servers
from tests.bench.figures import percentile
from tests.bench.load import Job
from tests.bench.measure import _load as run_load
from tests.bench.servers import Databases, Provider
from tests.crash.bots import Bots, bots
from tests.databases import normal

STAFF = Actor("bench", Role.OWNER)
CALL_SECONDS = 0.1
LETTER: Bilingual = {
    "ja": Message((Words("少しずつ動きましょう。"),)),
    "en": Message((Words("A little more at a time."),)),
}
AUDIENCE = Audience((Tagged(("bench",)),))
RATE = 10
PATIENCE_SECONDS = 900


def main() -> int:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.broadcast")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--port", type=int, default=18470, help="the first of two ports on loopback")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # every server is ended on the way out
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        databases = Databases("postgresql" if given.postgresql else "sqlite", Path(folder))
        try:
            url = databases.migrated()
            with servers.provider(given.port + 1) as provider, bots(given.port, _environment(url, provider)) as bot:
                bench = Bench(_runtime(url), provider, bot, given.port, given.people)
                for name, shown, met in (*bench.calm(), *bench.killed(given.kills)):
                    missed += not met
                    print(f"{'' if met else 'MISSED '}{name}: {shown}", flush=True)  # noqa: T201
        finally:
            databases.close()
    print(f"{missed} aims missed; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # noqa: T201
    return 1 if missed else 0


def _environment(url: str, provider: Provider) -> Mapping[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("LINE_", "SLACK_", "GUNICORN_"))}
    return given | {
        "DATABASE_URL": url,
        "LINE_CHANNEL_SECRET": servers.SECRET,
        "LINE_CHANNEL_ACCESS_TOKEN": "bench-token",
        "LINE_API_URL": provider.url,
        "SEND_GATE": "on",
    }


def _runtime(url: str) -> Runtime:
    """What staff's page works with, in this process."""
    settings = Settings(database_url=url)
    return Runtime(
        settings=settings, db=open_database(normal(url)), content=load(servers.ROOT / "content"), channels={}
    )


Line = tuple[str, str, bool]


class Bench:
    """One run over one database."""

    def __init__(self, runtime: Runtime, provider: Provider, bots: Bots, port: int, people: int) -> None:
        self._runtime = runtime
        self._provider = provider
        self._bots = bots
        self._port = port
        self._people = people
        self._next = 1
        provider.become("well", CALL_SECONDS)
        fill(runtime.db, people)

    def calm(self) -> Iterator[Line]:
        """Undisturbed, but for one pause, with patients talking meanwhile."""
        self._bots.start()
        self._latency(5)  # warm, and everybody is known
        alone = self._latency(15)
        self._provider.multicasts(reset=True)
        begun = time.monotonic()
        number = self._start()
        beside = self._latency(15)
        yield self._pause(number)
        self._until_done(number)
        seconds = time.monotonic() - begun
        found = self._provider.multicasts(reset=True)
        yield "people a second, the pause included", f"{found['people'] / seconds:,.0f}", True
        yield "calls to many", f"{found['accepted']} for {found['people']:,} people", found["accepted"] <= 200
        yield self._accounts(number, found)
        for percent in (50, 99):
            one, other = percentile(alone, percent), percentile(beside, percent)
            shown = f"{1000 * one:.0f} ms alone, {1000 * other:.0f} ms beside a broadcast: {other / one:.2f} x"
            yield f"webhook to the reply leaving, p{percent}", shown, True

    def killed(self, kills: int) -> Iterator[Line]:
        """The bot dies again and again in the middle of it."""
        chance = random.Random(20260401)
        number = self._start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.3, 3.0))
            self._bots.kill()
            self._bots.start()
        self._until_done(number)
        found = self._provider.multicasts(reset=True)
        shown = f"{kills} times killed, {found['accepted']} calls taken, {found['repeated']} known again"
        yield "kill -9", shown, found["accepted"] <= 200
        yield self._accounts(number, found)

    def _start(self) -> int:
        made = desk.create(self._runtime, STAFF, Draft("bench", LETTER, AUDIENCE))
        assert isinstance(made, int), made
        typed = desk.count(self._runtime, AUDIENCE).sent_to
        refused = desk.start(self._runtime, STAFF, made, typed)
        assert refused is None, refused
        return made

    def _pause(self, number: int) -> Line:
        before_pause = time.monotonic()
        refused: Refusal | None = desk.pause(self._runtime, STAFF, number)
        assert refused is None, refused
        taken = time.monotonic() - before_pause
        at_once = self._provider.multicasts()["accepted"]
        time.sleep(4)
        later = self._provider.multicasts()["accepted"]
        assert desk.resume(self._runtime, STAFF, number) is None
        shown = f"{taken * 1000:.0f} ms to press, {later - at_once} calls after it"
        return "pause", shown, later - at_once <= 1 and later < self._people // 500

    def _accounts(self, number: int, found: dict[str, int]) -> Line:
        with self._runtime.db.read() as look:
            progress = results.progress(look, number)
        left_out = sum(progress.left_out.values())
        whole = progress.looked_at == self._people == progress.sent + left_out and progress.sent == found["people"]
        shown = (
            f"{progress.looked_at:,} = {progress.sent:,} delivered + {left_out:,} left out {dict(progress.left_out)}"
        )
        return f"everybody, {found['twice']} twice", shown, whole and not found["twice"]

    def _until_done(self, number: int) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            with self._runtime.db.read() as look:
                found = results.find(look, number)
            if found is not None and found.status == "done":
                return
            time.sleep(0.5)
        raise AssertionError("it does not end")

    def _latency(self, seconds: int) -> list[float]:
        """From the moment when a webhook was due until its answer reached the provider, of people who talk with the bot."""
        job = Job(self._port, servers.SECRET, self._next, RATE * seconds, crowd=40, rate=RATE)
        self._next += RATE * seconds
        acks = run_load(job)
        wanted = self._arrivals(job)
        return [wanted[ack.number] - ack.due for ack in acks]

    def _arrivals(self, job: Job) -> dict[int, float]:
        return _wait(lambda: {n: at for n, at, _ in self._provider.arrivals(job.first)}, job.people)


def _wait(look: Callable[[], dict[int, float]], wanted: int) -> dict[int, float]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = look()
        if len(found) >= wanted:
            return found
        time.sleep(0.2)
    raise AssertionError("answers are missing")


def fill(db: Database, people: int) -> None:
    """So many contacts who agreed to tips, but for some: one in fifty did not, one in a hundred each is flagged or gone."""
    now = datetime.now(UTC)
    given = {"guidance": now, "tips": now}
    agreed = codec.times_json(given)
    well = codec.state_json(State(consents=given))
    lock = Lock(Disposition.URGENT, ("fever",), "urgent", now, "answers")
    flagged = codec.state_json(State(consents=given, lock=lock))
    for first in range(1, people + 1, 10_000):
        rows = [
            {
                "channel": "line",
                "user_id": f"U{n:032x}",
                "consents": agreed if n % 50 else "{}",
                "state": flagged if n % 100 == 1 else well,
                "reachable": n % 100 != 2,
                "created_at": now,
                "seen_at": now,
            }
            for n in range(first, min(first + 10_000, people + 1))
        ]
        with db.write() as tx:
            ids = tx.execute(insert(Contact).returning(Contact.id), rows).scalars().all()
            tx.execute(insert(Tag), [{"contact_id": i, "name": "bench"} for i in ids])


if __name__ == "__main__":
    sys.exit(main())
