"""The database moves between revisions with everything in it, and the tables are what the program thinks they are."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select

from bot.inbox import accept
from bot.store import migrate
from bot.store.session import HEAD, Database, open_database
from bot.store.tables import Base
from tests.conftest import ROOT
from tests.databases import KINDS, Cluster, normal
from tests.world import World


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that was never migrated."""
    if request.param == "sqlite":
        db = open_database(f"sqlite:///{tmp_path}/new.db")
        yield db
        db.close()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.empty() as url:
        db = open_database(normal(url))
        yield db
        db.close()


def tables(db: Database) -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def rows(db: Database) -> dict[str, list[object]]:
    with db.read() as look:
        return {
            table.name: [tuple(row) for row in look.execute(select(table))] for table in Base.metadata.sorted_tables
        }


def test_a_new_database_reaches_the_newest_revision(empty: Database) -> None:
    assert empty.revision() is None
    migrate.upgrade(empty)
    assert empty.revision() == HEAD
    assert tables(empty) == set(Base.metadata.tables)
    migrate.upgrade(empty)
    assert empty.revision() == HEAD


def test_the_program_knows_which_revision_is_the_newest() -> None:
    assert migrate.history()[-1][0] == HEAD


def test_the_migrated_tables_are_the_declared_ones(db: Database) -> None:
    with db.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_declared_index_and_check_is_there(db: Database) -> None:
    found = inspect(db.engine)
    for table in Base.metadata.tables.values():
        names = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= names
        declared = {str(c.name) for c in table.constraints if c.name and str(c.name).startswith("ck_")}
        assert declared == {str(check["name"]) for check in found.get_check_constraints(table.name)}


def test_a_database_can_be_emptied_and_filled_again(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert empty.revision() is None
    assert tables(empty) == set()
    migrate.upgrade(empty)
    assert tables(empty) == set(Base.metadata.tables)


def test_every_revision_can_be_left_and_reached_with_rows_in_the_tables(world: World) -> None:
    accept(world.runtime, [world.said("hello"), world.said("again"), world.said("other", "U2")])
    world.run()
    before = rows(world.db)
    assert all(before[name] for name in ("contact", "inbox", "outbox"))
    revisions = [revision for revision, _ in migrate.history()]
    for revision in reversed(revisions[:-1]):
        migrate.downgrade(world.db, revision)
        assert world.db.revision() == revision
    migrate.upgrade(world.db)
    assert rows(world.db) == before
    migrate.downgrade(world.db, "base")
    assert tables(world.db) == set()


def test_a_migration_that_fails_changes_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with empty.write() as tx:
        tx.exec_driver_sql("CREATE TABLE session (id INTEGER)")  # in the way of the first migration, near its end
    with pytest.raises(Exception, match="session"):
        migrate.upgrade(empty)
    assert empty.revision() is None
    assert tables(empty) == {"session"}


def test_two_processes_that_migrate_at_once_do_so_one_after_the_other(empty: Database) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
    environment = {**os.environ, "DATABASE_URL": url}
    both = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    for one in both:
        out, _ = one.communicate(timeout=60)
        assert (one.returncode, out) == (0, f"The database is at {HEAD}.\n".encode())
