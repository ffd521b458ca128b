"""Wakes workers in other processes by PostgreSQL's NOTIFY. A ring may get lost; workers look every second anyway."""

import threading
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.store.session import Database

log = structlog.get_logger()

NAME = "selfcare"
PATIENCE_SECONDS = 1.0


class Ringer:
    """Rings once for any number of calls that come while it is ringing, so that nobody waits for it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="ringer", daemon=True)

    def start(self) -> None:
        """In the process that rings, after any fork."""
        self._thread.start()

    def ring(self) -> None:
        """Returns at once."""
        self._wanted.set()

    def stop(self) -> None:
        """Returns after a last ring."""
        self._stopping = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait()
            self._wanted.clear()
            try:
                with self._db.write() as tx:
                    tx.execute(text(f"NOTIFY {NAME}"))
            except DBAPIError as error:
                log.warning("ring_failed", error=error)


class Listener:
    """Calls `ring` for every ring of another process."""

    def __init__(self, db: Database, ring: Callable[[], None]) -> None:
        self._db = db
        self._ring = ring
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Returns within PATIENCE_SECONDS."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("listening_failed", error=error)
                self._stopping.wait(PATIENCE_SECONDS)

    def _listen(self) -> None:
        """On a connection of its own: one that listens must never be lent to others."""
        url = self._db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"LISTEN {NAME}")
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=PATIENCE_SECONDS, stop_after=1):
                    self._ring()
