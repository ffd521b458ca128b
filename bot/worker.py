"""The threads that do the work: turns, deliveries, and a handful of fixed ticks."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor as TickThreads
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import OperationalError

from bot import appointments, bookings, busy, reminders, staff_room, workspaces
from bot.acquaintance import get_acquainted
from bot.broadcasts import expand
from bot.channels.base import Receipt
from bot.conversation import advance
from bot.delivery import BATCH, attempt, claim_some, deliver, let_go, release_expired, send
from bot.engine.state import Facts, State
from bot.messages import Said
from bot.multicast import Batch
from bot.names import learn
from bot.retention import tidy
from bot.runtime import Runtime
from bot.settlement import Attempt, settle

log = structlog.get_logger()

SENDERS = 32
"""Calls to providers at once: with 100 ms a call, 320 answers a second; a slow provider keeps nobody else waiting."""

BROADCASTERS = 4
"""Of the senders, those that may be busy with single messages of broadcasts: 40 a second, and the others stay free for answers."""

TURNERS = 2
"""Threads for turns. On SQLite their turns share commits, on PostgreSQL they run side by side."""

ROUND = 256
"""Turns between two looks whether to stop."""

SWEEP_SECONDS = 1
"""How often everything is looked at even if nobody rang: what was lost by a crash or became due by time."""

LET_GO_SECONDS = 30
"""How often what waited past its useful life is settled."""

NAMES_SECONDS = 10
"""How often newcomers' names are asked for."""

BUSY_SECONDS = 20
"""How often it is looked whether the clinic's other calendar should be read again."""

RECOVER_SECONDS = 1.0
"""Pause after the database failed."""

SILENT_SECONDS = 30.0
"""A thread not heard of for so long counts as dead."""


def drain(runtime: Runtime) -> None:
    """Handles and sends everything that is due now, in this thread."""
    while (
        get_acquainted(runtime)
        + staff_room.sweep(runtime)
        + busy.tick(runtime)
        + due(runtime)
        + expand.tick(runtime)
        + advance(runtime, 1000)
        + deliver(runtime, 1000)
    ):
        pass


def due(runtime: Runtime) -> int:
    """Lets in everything whose hour has come. How much it was."""
    now = runtime.now()
    booked = bookings.decline_unanswered(runtime, now) + bookings.sweep_list(runtime, now)
    return reminders.sweep(runtime, now) + appointments.sweep(runtime, now) + booked


class Worker:
    """One of any number that share a database. Rings of `runtime.wake` start it at once; without them it looks every
    SWEEP_SECONDS."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopping = threading.Event()
        self._turns = [
            _Loop(f"turns-{n}", partial(self._turn, n), self._stopping, None if n else self._warm_up)
            for n in range(TURNERS)
        ]
        self._dispatch = _Loop("dispatch", self._dispatch_some, self._stopping)
        self._greeter = _Loop("newcomers", self._greet, self._stopping)
        self._busy: set[Attempt | Batch] = set()
        self._full = False
        self._ended: deque[tuple[Attempt, Receipt]] = deque()
        self._settling = threading.Lock()
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="sender")
        self._ticks = BackgroundScheduler(
            timezone=UTC,
            executors={"default": TickThreads(2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @property
    def alive(self) -> bool:
        """Whether every thread was heard of lately."""
        return all(loop.alive for loop in (*self._turns, self._dispatch, self._greeter))

    def start(self) -> None:
        """Begins with what was left lying by the last process."""
        workspaces.look_again(self._runtime)
        release_expired(self._runtime, everybody=self._runtime.db.is_sqlite)
        self._runtime.wake.listen(self._turns[0].ring)
        self._runtime.wake.listen(self._greeter.ring)
        for loop in (*self._turns, self._dispatch, self._greeter):
            loop.start()
        self._ticks.add_job(_logged(self._sweep), "interval", seconds=SWEEP_SECONDS)
        self._ticks.add_job(_logged(self._let_go), "interval", seconds=LET_GO_SECONDS)
        self._ticks.add_job(_logged(lambda: expand.tick(self._runtime)), "interval", seconds=SWEEP_SECONDS)
        self._ticks.add_job(_logged(lambda: learn(self._runtime)), "interval", seconds=NAMES_SECONDS)
        self._ticks.add_job(_logged(lambda: busy.tick(self._runtime)), "interval", seconds=BUSY_SECONDS)
        soon = datetime.now(UTC) + timedelta(minutes=1)
        self._ticks.add_job(_logged(lambda: tidy(self._runtime)), "interval", days=1, next_run_time=soon)
        self._ticks.start()

    def stop(self) -> None:
        """Ends after the turn and the calls under way."""
        self._stopping.set()
        if self._ticks.running:
            self._ticks.shutdown(wait=False)
        for loop in (*self._turns, self._dispatch, self._greeter):
            loop.join()
        self._senders.shutdown(wait=True)

    def _sweep(self) -> None:
        due(self._runtime)
        for loop in (*self._turns, self._dispatch, self._greeter):
            loop.ring()
        release_expired(self._runtime)

    def _let_go(self) -> None:
        let_go(self._runtime)

    def _greet(self) -> None:
        """Apart from the turns: a provider that is slow to say who somebody is keeps nobody else waiting."""
        while not self._stopping.is_set() and get_acquainted(self._runtime):
            self._greeter.beat()
            self._turns[0].ring()
        if staff_room.sweep(self._runtime):
            self._dispatch.ring()

    def _warm_up(self) -> None:
        """What the engine makes of the content at its first text (hundreds of patterns) takes a second or two: not while
        a patient waits for it."""
        facts = Facts(self._runtime.now(), ZoneInfo(self._runtime.content.clinic.time_zone))
        self._runtime.step(self._runtime.content, State(), facts, Said("。"))

    def _turn(self, number: int) -> None:
        relay = _Relay(self, number)
        while not self._stopping.is_set() and advance(self._runtime, ROUND, relay) == ROUND:
            pass

    def room(self) -> int:
        """How many senders are free."""
        return max(0, SENDERS - len(self._busy))

    def turned(self, number: int, leased: Sequence[Attempt], left: bool, more: bool) -> None:
        """After turns in the turner of that number. They may have opened alerts."""
        self._greeter.ring()
        self._turns[number].beat()
        for one in leased:
            self._hand_over(one)
        if left:
            self._dispatch.ring()
        if more and number + 1 < TURNERS:
            self._turns[number + 1].ring()

    def _hand_over(self, one: Attempt | Batch) -> None:
        self._busy.add(one)
        self._senders.submit(self._send, one)

    def _dispatch_some(self) -> None:
        while not self._stopping.is_set():
            self._dispatch.beat()
            self._full = True  # from here on whoever ends rings: none may slip between the look and the note
            places = min(BATCH, self.room())
            if not places:
                return
            tips = sum(isinstance(one, Attempt) and one.of_broadcast for one in tuple(self._busy))
            claimed = claim_some(self._runtime, places, max(0, BROADCASTERS - tips))
            for one in claimed:
                self._hand_over(one)
            if len(claimed) < places and not any(isinstance(one, Batch) for one in claimed):
                self._full = False
                return  # the next ring looks again

    def _send(self, one: Attempt | Batch) -> None:
        more = True
        try:
            if isinstance(one, Batch):
                attempt(self._runtime, one)
            else:
                more = self._settle(one, send(self._runtime, one))
        except Exception as error:  # the database failed; the lease runs out and the message is tried again
            log.error("settling_failed", outbox=_first_id(one), error=error)
        finally:
            self._busy.discard(one)
            if more or self._full or (isinstance(one, Attempt) and one.of_broadcast):
                self._dispatch.ring()

    def _settle(self, one: Attempt, receipt: Receipt) -> bool:
        """Together with what ended while others were being settled. Whether messages may have waited for them."""
        self._ended.append((one, receipt))
        with self._settling:
            ended = [self._ended.popleft() for _ in range(len(self._ended))]
            if len(ended) < 2:
                return bool(ended) and settle(self._runtime, ended)
            try:
                return settle(self._runtime, ended)
            except OperationalError:
                raise  # the database's trouble, not one message's
            except Exception as error:
                log.error("settling_together_failed", count=len(ended), error=error)
                return True in [self._settle_alone(*each) for each in ended]

    def _settle_alone(self, one: Attempt, receipt: Receipt) -> bool:
        try:
            return settle(self._runtime, [(one, receipt)])
        except Exception as error:
            log.error("settling_failed", outbox=one.outbox_id, error=error)
            return True


class _Relay:
    """A turner's side of the worker."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number

    def room(self) -> int:
        return self._worker.room()

    def turned(self, leased: Sequence[Attempt], left: bool, more: bool) -> None:
        self._worker.turned(self._number, leased, left, more)


class Shift:
    """A runtime's worker, from one start to one stop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._worker: Worker | None = None

    def alive(self) -> bool:
        """False before the start and after the stop, too."""
        return self._worker is not None and self._worker.alive

    def start(self) -> None:
        """In the process that is to do the work."""
        self._worker = Worker(self._runtime)
        self._worker.start()

    def stop(self) -> None:
        """Returns when what was under way is done."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """Works while entered."""
        self.start()
        try:
            yield
        finally:
            self.stop()


class _Loop:
    """A thread that runs `first` once and `work` after every ring, and goes on whatever they raise."""

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        stopping: threading.Event,
        first: Callable[[], None] | None = None,
    ) -> None:
        self._first = first
        self._work = work
        self._stopping = stopping
        self._bell = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._last = time.monotonic()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and time.monotonic() - self._last < SILENT_SECONDS

    def start(self) -> None:
        self._bell.set()
        self._thread.start()

    def ring(self) -> None:
        self._bell.set()

    def beat(self) -> None:
        self._last = time.monotonic()

    def join(self) -> None:
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        if self._first is not None:
            self._guarded(self._first)
        while not self._stopping.is_set():
            self._bell.wait()
            self._bell.clear()
            self.beat()
            self._guarded(self._work)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            log.error("worker_failed", thread=self._thread.name, error=error)
            self._stopping.wait(RECOVER_SECONDS)
            self._bell.set()


def _first_id(one: Attempt | Batch) -> int:
    return one.outbox_id if isinstance(one, Attempt) else one.members[0].outbox_id


def _logged(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except Exception as error:
            log.error("tick_failed", error=error)

    return run
