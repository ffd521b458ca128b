"""Opens the database and hands out transactions, the same on SQLite and PostgreSQL."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any, Generic, TypeVar

from sqlalchemy import ClauseElement, Connection, Dialect, Engine, Row, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler

HEAD = "0016"
"""The newest migration: what `alembic_version` holds in a database that fits this program."""

BUSY_SECONDS = 15.0
"""How long an SQLite writer of another process is waited for."""

POOL = 12
"""Connections kept open; twice as many at most."""

IDLE_SECONDS = 1.0
"""After so long without use a PostgreSQL connection is tried before it is trusted."""


T = TypeVar("T")


class _Job(Generic[T]):
    """Work that waits to be committed with others'."""

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self._result: list[T] = []
        self._error: Exception | None = None

    def finish(self, result: T) -> None:
        self._result.append(result)
        self.done = True

    def run_alone(self, db: "Database") -> None:
        try:
            with db.write() as tx:
                result = self.work(tx)
        except Exception as error:  # handed to the one who brought the work
            self.fail(error)
        else:
            self.finish(result)

    def fail(self, error: Exception) -> None:
        self._error = error
        self.done = True

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


class Prepared:
    """A statement for the busiest path, compiled once: working it out anew costs SQLAlchemy several times what the database
    takes to run it. `run` writes values as its columns do."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        self._order = compiled.positiontup
        self._writers = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()
        }

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Row[Any] | None:
        """The first row that it returns."""
        written = {name: write(values[name]) if write else values[name] for name, write in self._writers.items()}
        given = written if self._order is None else tuple(written[name] for name in self._order)
        return connection.exec_driver_sql(self._sql, given).first()


class Database:
    """Transactions over one engine. Leave a `with` block normally to commit, by an exception to roll back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._one_writer = threading.Lock()
        self._one_leader = threading.Lock()
        self._jobs: deque[_Job[Any]] = deque()
        self._closed = False
        event.listen(engine, "checkin", self._given_back)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A writing transaction. On SQLite writers of this process queue here, where they are woken at once, instead of
        polling the file lock; writers of other processes are kept out by BEGIN IMMEDIATE."""
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._one_writer, self.engine.connect() as plain:
            connection = plain.execution_options(immediate=True)
            with connection.begin():
                yield connection

    def together(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a writing transaction and returns after its commit. Work that arrives while another commit is
        under way shares the next one: one fsync, and one BEGIN and COMMIT to wait for, for all. If anything in a shared
        transaction fails, all of it is rolled back and each work is run again alone, so `work` must have no effect but
        on the database."""
        job = _Job(work)
        self._jobs.append(job)
        with self._one_leader:
            if not job.done:
                self._lead()
        return job.outcome()

    def give_way(self, seconds: float) -> None:
        """Returns when nobody waits for a shared commit any more, at the latest after `seconds`."""
        end = time.monotonic() + seconds
        while self._jobs and time.monotonic() < end:
            time.sleep(seconds / 8)

    def prepare(self, statement: ClauseElement) -> Prepared:
        """For statements that are run for every event."""
        return Prepared(statement, self.engine.dialect)

    def at_once(self, statement: Prepared, values: Mapping[str, Any]) -> Row[Any] | None:
        """The first row of a writing statement that is a transaction of its own: PostgreSQL need not be waited for
        three times, for BEGIN, the statement and COMMIT."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return statement.run(connection, values)

    def _lead(self) -> None:
        jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
        try:
            with self.write() as tx:
                results = [job.work(tx) for job in jobs]
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].fail(error)
            else:
                for job in jobs:
                    job.run_alone(self)
        except BaseException:  # this thread is being ended; the others' work is not
            self._jobs.extendleft(reversed(jobs))
            raise
        else:
            for job, result in zip(jobs, results, strict=True):
                job.finish(result)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only looks."""
        with self.engine.connect() as connection:
            yield connection

    def insert(self, table: Any) -> postgresql.Insert | sqlite.Insert:
        """An INSERT with this database's ON CONFLICT clauses."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def revision(self) -> str | None:
        """The migration the database is at; None when it was never migrated. Raises when it cannot be reached."""
        with self.read() as connection:
            if not self.engine.dialect.has_table(connection, "alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found

    def reachable(self) -> bool:
        """Whether a query is answered."""
        try:
            with self.read() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def close(self) -> None:
        """Closes every idle connection now, and every other when it is given back: a thread that is still at work keeps
        its own until then."""
        self._closed = True
        self.engine.dispose()

    def _given_back(self, _: object, record: ConnectionPoolEntry) -> None:
        if self._closed:
            record.invalidate()


def open_database(url: str) -> Database:
    """Opens (SQLite: and creates the file's folder). Does not migrate."""
    parsed = make_url(url)
    return Database(_open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed))


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("DATABASE_URL needs a file: sqlite:///path/to/file.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_size=POOL,
        max_overflow=POOL,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
        json_serializer=_as_is,
        json_deserializer=_as_is,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: SQLiteConnection, _: object) -> None:
    """synchronous=FULL: what a provider was told to forget (200) must outlive a power cut, not only a killed process.
    NORMAL would be enough for the latter; FULL costs one fsync a commit."""
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _open_postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_size=POOL,
        max_overflow=POOL,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "selfcare"},
        json_serializer=_as_is,
        json_deserializer=_as_is,
    )
    event.listen(engine, "checkin", _note_checkin)
    event.listen(engine, "checkout", lambda connection, record, _: _ping_idle(engine, connection, record))
    return engine


def _note_checkin(_: object, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_idle(engine: Engine, connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    """A connection that lay idle may be dead (the server restarted): it is tried, and replaced by the pool. Under load
    none is: a ping before every transaction (pool_pre_ping) is one more round trip in each."""
    if time.monotonic() - record.info.get("idle_since", math.inf) < IDLE_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _as_is(value: Any) -> Any:
    """JSON columns carry text that bot.store.codec wrote and reads."""
    return bytes(value).decode() if isinstance(value, bytes | memoryview) else value
