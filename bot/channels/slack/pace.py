"""How fast Slack may be spoken to: a message a second to each address, and silence for as long as Slack asked for it."""

import threading
import time
from collections.abc import Callable

from bot.channels.slack.limits import SECONDS_BETWEEN_MESSAGES


class Pace:
    """Thread-safe; one for all workspaces. Keeps no address longer than its second."""

    def __init__(
        self,
        gap: float = SECONDS_BETWEEN_MESSAGES,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = gap
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._silent: dict[str, float] = {}

    def wait(self, address: str) -> None:
        """Returns when the address's second has come, at most a second or two from now: the outbox never has two messages
        of one contact under way."""
        with self._lock:
            now = self._clock()
            self._next = {known: at for known, at in self._next.items() if at > now}
            at = max(now, self._next.get(address, 0.0))
            self._next[address] = at + self._gap
        if at > now:
            self._sleep(at - now)

    def hush(self, workspace: str, seconds: float) -> None:
        """Slack asked for silence (429, Retry-After)."""
        with self._lock:
            self._silent[workspace] = max(self._silent.get(workspace, 0.0), self._clock() + seconds)

    def silent_for(self, workspace: str) -> float:
        """Seconds until that is over; 0 when nothing was asked for."""
        with self._lock:
            return max(0.0, self._silent.get(workspace, 0.0) - self._clock())
