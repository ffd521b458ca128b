"""What is measured, on one kind of database after the other."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import servers
from tests.bench.figures import Aim, Line, percentile, ratio, spread
from tests.bench.load import TEXT, Ack, Job, Obj, as_json
from tests.bench.provider import Manner
from tests.bench.servers import Databases, Kind, Provider, Running
from tests.bench.talk import conversation

CALL_SECONDS = 0.1
"""What a call to the provider takes."""

WAIT_SECONDS = 60.0
"""For answers that are still under way."""

OUTAGES: tuple[tuple[str, Manner, float], ...] = (
    ("answers after 2 s", "well", 2.0),
    ("answers 5xx", "error", CALL_SECONDS),
    ("drops connections", "drop", CALL_SECONDS),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. Seconds and counts are of one round."""

    rounds: int
    store_seconds: float
    crowd: int
    bursts: int
    sdk_bursts: int
    calm_seconds: float
    outage_seconds: float
    starts: int
    conversations: int


QUICK = Size(1, 1.0, 100, 200, 60, 2.0, 1.0, 1, 20)
FULL = Size(3, 2.5, 300, 500, 160, 10.0, 4.0, 3, 1000)


class Bench:
    """One run. `port` is the first of five that are used."""

    def __init__(self, size: Size, port: int, folder: Path) -> None:
        self._size = size
        self._ports = range(port, port + 5)
        self._folder = folder
        self._next = 1

    def run(self, kind: Kind) -> Iterator[Line]:
        """Lines as they are ready."""
        folder = self._folder / kind
        folder.mkdir()
        databases = Databases(kind, folder)
        try:
            with servers.provider(self._ports[4]) as provider:
                yield from self._throughput(kind, databases, provider)
                database_url = databases.migrated()
                yield from self._start(database_url, provider)
                with servers.serve(self._ports[0], database_url, provider) as ours:
                    yield from self._memory(kind, ours, provider)
                with servers.serve(self._ports[0], databases.migrated(), provider) as ours:
                    self._burst(ours, provider, 50)
                    yield from self._calm(ours, provider)
                    for name, manner, seconds in OUTAGES:
                        yield from self._outage(ours, provider, name, manner, seconds)
        finally:
            databases.close()

    def _throughput(self, kind: Kind, databases: Databases, provider: Provider) -> Iterator[Line]:
        size = self._size
        with ExitStack() as open_:
            row = open_.enter_context(servers.row_baseline(self._ports[0], databases.bare()))
            alone = open_.enter_context(servers.web(self._ports[1], databases.migrated()))
            ours = open_.enter_context(servers.serve(self._ports[2], databases.migrated(), provider))
            sdk = open_.enter_context(servers.sdk_baseline(self._ports[3], provider))
            for one in (row, alone):  # warm, and everybody is known
                self._stored(one, 0.5 + size.crowd / 200, most=size.crowd)
            self._burst(ours, provider, size.crowd, crowd=size.crowd)
            self._burst(sdk, provider, 20)
            bare, web, new, busy, sent, plain = [], [], [], [], [], []
            for _ in range(size.rounds):
                bare.append(self._stored(row, size.store_seconds))
                web.append(self._stored(alone, size.store_seconds))
                new.append(self._stored(alone, size.store_seconds / 2, known=False))
                acked, answered = self._burst(ours, provider, size.bursts, crowd=size.crowd)
                busy.append(acked)
                sent.append(answered)
                plain.append(self._burst(sdk, provider, size.sdk_bursts)[1])
        yield Line("(a) bare Flask, one row: stored/s", str(spread(bare)))
        yield Line("flask web: stored/s", str(spread(web)))
        found = ratio(web, bare)
        yield Line("  as a share of (a)", str(found), Aim(0.6, "at least"), found.median)
        yield Line("  from newcomers only", str(spread(new)))
        yield Line("flask serve, worker busy: stored/s", str(spread(busy)))
        found = ratio(busy, bare)
        yield Line("  as a share of (a)", str(found), Aim(0.4, "at least"), found.median)
        yield Line("(b) SDK answers in the request: sent/s", str(spread(plain)))
        yield Line("flask serve: sent/s", str(spread(sent)))
        found = ratio(sent, plain)
        yield Line("  as a multiple of (b)", str(found), Aim(3, "at least"), found.median)
        if kind == "postgresql":
            with servers.split(self._ports[0], databases.migrated(), provider) as two:
                self._burst(two, provider, size.crowd, crowd=size.crowd)
                apart = [self._burst(two, provider, size.bursts, crowd=size.crowd)[1] for _ in range(size.rounds)]
            yield Line("flask web + flask worker: sent/s", str(spread(apart)))

    def _start(self, database_url: str, provider: Provider) -> Iterator[Line]:
        taken = []
        for _ in range(self._size.starts):
            with servers.serve(self._ports[0], database_url, provider) as ours:
                taken.append(ours.ready_seconds)
        found = spread(taken)
        yield Line("start to ready, s", str(found), Aim(3, "at most"), found.median)

    def _memory(self, kind: Kind, ours: Running, provider: Provider) -> Iterator[Line]:
        limit = Aim(160, "at most")
        begin = ours.memory()
        yield Line("memory after the start, MB", f"{begin:.0f}", limit, begin)
        people = self._size.conversations if kind == "sqlite" else min(self._size.conversations, 100)
        provider.become("well", 0.0)
        events = conversation(servers.ROOT / "content", taps=12)
        _, sent = self._burst(ours, provider, people, events)
        end = ours.memory()
        yield Line(f"memory after {people} conversations of {len(events)} events, MB", f"{end:.0f}", limit, end)
        yield Line("  sent/s meanwhile, by a provider that takes no time", f"{sent:.1f}")
        provider.become("well", CALL_SECONDS)

    def _calm(self, ours: Running, provider: Provider) -> Iterator[Line]:
        rate = 20
        job = self._job(ours, int(rate * self._size.calm_seconds), rate=rate)
        acks = _load(job)
        gone = {number: at for number, at, _ in self._answers(provider, job)}
        replies = [gone[ack.number] - ack.due for ack in acks]
        yield _latency("20/s: webhook to acknowledgement, ms", [ack.done - ack.due for ack in acks])
        yield _latency("20/s: webhook to the reply leaving, ms", replies, median=Aim(30, "at most"))

    def _outage(self, ours: Running, provider: Provider, name: str, manner: Manner, seconds: float) -> Iterator[Line]:
        rate = 50
        provider.become(manner, seconds)
        job = self._job(ours, int(rate * self._size.outage_seconds), rate=rate)
        acks = _load(job)
        provider.become("well", CALL_SECONDS)
        begun = time.monotonic()
        arrived = self._answers(provider, job)
        waits = [ack.done - ack.due for ack in acks]
        yield _latency(f"50/s, LINE {name}: acknowledgement, ms", waits, worst=Aim(200, "at most"))
        missing = job.people - len({number for number, _, _ in arrived})
        twice = len(arrived) - len({number for number, _, _ in arrived})
        last = max(0.0, max((at for _, at, _ in arrived), default=begun) - begun)
        shown = f"{missing} missing, {twice} twice, last after {last:.1f} s"
        yield Line(f"  {job.people} answers after it recovered", shown, Aim(0, "at most"), missing + twice)

    def _stored(self, running: Running, seconds: float, *, most: int | None = None, known: bool = True) -> float:
        """Acknowledgements a second; each comes after its commit."""
        crowd = self._size.crowd if known else 0
        job = self._job(running, most or int(2000 * seconds), crowd=crowd, seconds=seconds)
        return _per_second(_load(job))

    def _burst(
        self, running: Running, provider: Provider, people: int, events: Sequence[Obj] = (TEXT,), crowd: int = 0
    ) -> tuple[float, float]:
        """All at once: acknowledgements a second, and answers a second until the last has left."""
        job = self._job(running, people, events, crowd=crowd)
        acks = _load(job)
        moments = [at for _, at, _ in self._answers(provider, job)]
        if len(moments) != len(acks):
            raise RuntimeError(f"{len(acks)} events, {len(moments)} answers")
        return _per_second(acks), len(moments) / (max(moments) - min(ack.due for ack in acks))

    def _job(
        self,
        running: Running,
        people: int,
        events: Sequence[Obj] = (TEXT,),
        *,
        crowd: int = 0,
        rate: float | None = None,
        seconds: float = WAIT_SECONDS * 5,
    ) -> Job:
        first = self._next
        self._next += people * len(events)
        return Job(running.port, servers.SECRET, first, people, events, crowd, rate=rate, seconds=seconds)

    def _answers(self, provider: Provider, job: Job) -> list[tuple[int, float, str]]:
        """Waits for as many as there are events, or until nothing has come for long."""
        wanted = job.people * len(job.events)
        seen, last = -1, time.monotonic()
        while time.monotonic() - last < WAIT_SECONDS / 3:
            count = provider.count()
            if count != seen:
                seen, last = count, time.monotonic()
            if count >= wanted and len(found := provider.arrivals(job.first)) >= wanted:
                return found
            time.sleep(0.2)
        return provider.arrivals(job.first)


def _load(job: Job) -> list[Ack]:
    """Runs it in a process of its own. Raises RuntimeError unless all were answered 200."""
    command = (sys.executable, "-m", "tests.bench.load")
    done = subprocess.run(command, input=as_json(job), stdout=subprocess.PIPE, text=True, check=True, cwd=servers.ROOT)
    acks = [Ack(*one) for one in json.loads(done.stdout)]
    refused = [ack.status for ack in acks if ack.status != 200]
    if refused or not acks:
        raise RuntimeError(f"{len(refused)} of {len(acks)} webhooks were not acknowledged: {set(refused)}")
    return acks


def _per_second(acks: Sequence[Ack]) -> float:
    return len(acks) / (max(ack.done for ack in acks) - min(ack.due for ack in acks))


def _latency(name: str, seconds: Sequence[float], *, median: Aim | None = None, worst: Aim | None = None) -> Line:
    """Median and 99th percentile, in ms; one of them may have an aim."""
    middle, high = (1000 * percentile(seconds, percent) for percent in (50, 99))
    return Line(name, f"p50 {middle:.1f}, p99 {high:.1f}", median or worst, middle if median else high)
