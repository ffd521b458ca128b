"""deploy/backup.py, run as the timer runs it."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.session import HEAD, open_database

SCRIPT = Path(__file__).resolve().parents[1] / "deploy/backup.py"
DAY = 86_400.0


def back_up(database: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(database), str(folder), "--days", "14"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def database(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Path:
    sqlite_copy(tmp_path)
    return tmp_path / "test.db"


def audits(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        found: int = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
        return found


NOTE = "INSERT INTO audit (at, actor, action, detail) VALUES ('2026-12-01 00:00:00', 'test', 'noted', '{}')"


def test_a_copy_holds_what_was_committed_while_the_guide_is_writing(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute(NOTE)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(NOTE)
        done = back_up(database, tmp_path / "copies")
        writer.execute("COMMIT")
    assert done.returncode == 0, done.stderr
    copy = Path(done.stdout.strip())
    assert audits(copy) == 1
    assert audits(database) == 2
    assert copy.stat().st_mode & 0o077 == 0


def test_a_copy_opens_as_the_guides_database(database: Path, tmp_path: Path) -> None:
    copy = Path(back_up(database, tmp_path / "copies").stdout.strip())
    restored = open_database(f"sqlite:///{copy}")
    assert restored.revision() == HEAD
    restored.close()


def test_copies_go_after_their_days_and_nothing_else_does(database: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    ages = {"test-old.db": 15, "test-young.db": 13, "other-old.db": 15, "test-old.txt": 15}
    for name, days in ages.items():
        (copies / name).touch()
        os.utime(copies / name, (time.time() - days * DAY,) * 2)
    made = Path(back_up(database, copies).stdout.strip())
    assert {file.name for file in copies.iterdir()} == {*ages, made.name} - {"test-old.db"}


@pytest.mark.parametrize("content", [None, b"not a database " * 1000], ids=["missing", "broken"])
def test_without_a_whole_copy_the_old_ones_stay(tmp_path: Path, content: bytes | None) -> None:
    database, copies = tmp_path / "test.db", tmp_path / "copies"
    if content is not None:
        database.write_bytes(content)
    copies.mkdir()
    (copies / "test-old.db").touch()
    os.utime(copies / "test-old.db", (0, 0))
    done = back_up(database, copies)
    assert done.returncode == 1
    assert done.stderr.startswith("No backup was made: ")
    assert [file.name for file in copies.iterdir()] == ["test-old.db"]
    assert database.exists() == (content is not None)
