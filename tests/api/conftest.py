"""The whole bot with a clock that stands still: on both databases, or where a test asks nothing of the database, on one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.simulator.demo import Demo
from tests.patient import open_demo


@pytest.fixture(scope="module")
def door(sqlite_copy: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One for all tests that change nothing."""
    with open_demo(sqlite_copy(tmp_path_factory.mktemp("door"))) as demo:
        yield demo
