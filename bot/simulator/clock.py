"""A clock that can be moved forward, so that a day passes in a tap."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC. Runs with the real time plus what was added; with `fixed` it stands still until moved."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self._fixed = fixed
        self._added = timedelta()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The time that everything in the demo and in the tests goes by."""
        with self._lock:
            return (self._fixed or datetime.now(UTC)) + self._added

    @property
    def added(self) -> timedelta:
        """How far the clock is ahead of where it began."""
        with self._lock:
            return self._added

    def move(self, by: timedelta) -> None:
        """Forward only: a clock that ran backwards would test nothing that happens. Raises ValueError."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        with self._lock:
            self._added += by
        for listener in self._listeners:
            listener()

    def on_move(self, listener: Callable[[], None]) -> None:
        """Called after every move, in the mover's thread (the worker is woken so)."""
        self._listeners.append(listener)
