"""How fast Slack may be spoken to: a message a second to each address, some a second in all, and silence for as long as
Slack asked for it."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.channels.slack.limits import BURST, MESSAGES_PER_SECOND, SECONDS_BETWEEN_MESSAGES

PATIENCE = 3
"""Gaps that a thread waits for its turn: several want to speak to the staff's channel at once, never to a patient."""

LOOK = 0.02
"""Seconds between looks at an address that is being spoken to."""


class Pace:
    """Thread-safe; one for all workspaces. `gap` is seconds between messages to one address, `rate` messages a second in
    all. Keeps no address longer than its gap."""

    def __init__(
        self,
        gap: float = SECONDS_BETWEEN_MESSAGES,
        rate: float = MESSAGES_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = gap
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}
        self._silent: dict[str, float] = {}
        self._room = float(BURST)
        self._since = clock()

    @contextmanager
    def turn(self, address: str) -> Iterator[bool]:
        """Entered when the address's second has come: nobody else speaks to it meanwhile, nor within the gap after. False when
        that would have taken more than PATIENCE gaps: then it is better done by somebody else, later."""
        mine = self._enter(address)
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    self._free[address] = self._clock() + self._gap

    def _enter(self, address: str) -> bool:
        latest = self._clock() + PATIENCE * self._gap
        while True:
            with self._lock:
                now = self._clock()
                free = self._free.get(address, 0.0)
                if free <= now:
                    self._refill(now)
                    self._room -= 1
                    self._free = {known: at for known, at in self._free.items() if at > now}
                    self._free[address] = math.inf
                    return True
            if now >= latest:
                return False
            self._sleep(LOOK if free == math.inf else free - now)

    def full(self) -> bool:
        """Whether as much was said lately as Slack bears. Answers are not kept back by that: people wait for them."""
        with self._lock:
            self._refill(self._clock())
            return self._room < 1

    def hush(self, name: str, seconds: float) -> None:
        """Slack asked for silence (429, Retry-After) in a workspace or at an address."""
        with self._lock:
            now = self._clock()
            self._silent = {known: until for known, until in self._silent.items() if until > now}
            self._silent[name] = max(self._silent.get(name, 0.0), now + seconds)

    def silent_for(self, name: str) -> float:
        """Seconds until that is over; 0 when nothing was asked for."""
        with self._lock:
            return max(0.0, self._silent.get(name, 0.0) - self._clock())

    def _refill(self, now: float) -> None:
        self._room = min(float(BURST), self._room + (now - self._since) * self._rate)
        self._since = now
