"""Fixtures that every test may use. A test that changes state runs on both databases."""

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from werkzeug.routing import Rule

from bot import staff
from bot.config import Settings
from bot.content.model import Content
from bot.runtime import Runtime
from bot.simulator.demo import Demo
from bot.store.session import Database, open_database
from tests.content import load, read_once
from tests.databases import KINDS, Cluster, normal, sqlite_copier
from tests.patient import open_demo
from tests.world import Clock, Platform, World, echo

ROOT = Path(__file__).resolve().parents[1]

read_once()
# A sign-in that costs a guesser a tenth of a second costs these tests a minute.
staff._hasher = cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

_compile_builder = Rule._compile_builder
_builders: dict[object, Callable[..., tuple[str, str]]] = {}


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """Each test makes the application anew; what its 300 addresses are compiled to is the same each time."""
    key = (rule.rule, tuple(rule._trace), tuple((rule.defaults or {}).items()), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _compiled_once  # type: ignore[method-assign, assignment]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server."""
    found = Cluster()
    yield found
    found.close()


@pytest.fixture(scope="session")
def sqlite_copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Puts a migrated SQLite file into a folder."""
    return sqlite_copier(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database of this test's own, on both kinds in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_copy")(tmp_path)
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.migrated() as url:
        yield url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A migrated database."""
    found = open_database(normal(database_url))
    yield found
    found.close()


@pytest.fixture
def demo(database_url: str) -> Iterator[Demo]:
    """The whole bot with its console and a clock that stands still, on both kinds of database in turn."""
    with open_demo(database_url) as found:
        yield found


@pytest.fixture
def small_demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    """The same on one, where a test asks nothing of the database that differs."""
    with open_demo(sqlite_copy(tmp_path)) as found:
        yield found


@pytest.fixture(scope="session")
def content() -> Content:
    """The clinic's real content."""
    return load(ROOT / "content")


@pytest.fixture
def clock() -> Clock:
    """Stands still until moved."""
    return Clock()


@pytest.fixture
def world(db: Database, database_url: str, content: Content, clock: Clock) -> World:
    """The pipeline with a platform in this process, and an engine that says back what it hears."""
    platform = Platform(clock)
    numbers = itertools.count(1)
    runtime = Runtime(
        settings=Settings(database_url=database_url),
        db=db,
        content=content,
        channels={"line": platform},
        now=clock,
        new_uuid=lambda: UUID(int=next(numbers)),
        random=lambda: 0.0,
        step=echo,
    )
    return World(runtime, clock, platform)
