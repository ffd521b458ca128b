"""Copies a running SQLite database into a folder, proves that the copy is whole, and deletes copies that are too old.

    python3 backup.py DATABASE FOLDER --days 14

Prints the copy's name. Ends with 1, and leaves the older copies alone, when no whole copy could be made. Needs nothing
but Python.
"""

import argparse
import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

WAIT_SECONDS = 60.0


def copy(database: Path, folder: Path, now: datetime) -> Path:
    """The finished copy, readable by its owner only. Raises OSError or sqlite3.Error."""
    if not database.is_file():
        raise FileNotFoundError(f"there is no database at {database}")
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{database.stem}-{now:%Y%m%dT%H%M%SZ}.db"
    part = target.with_suffix(".part")
    try:
        with closing(sqlite3.connect(database, timeout=WAIT_SECONDS)) as connection:
            # One reading transaction: consistent whatever is written meanwhile. Deleted rows are not in the copy.
            connection.execute("VACUUM INTO ?", (str(part),))
        with closing(sqlite3.connect(part)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is not whole: {verdict}")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def drop_old(database: Path, folder: Path, before: datetime) -> None:
    """Deletes this database's copies that were made before that moment."""
    for old in folder.glob(f"{database.stem}-*.db"):
        if datetime.fromtimestamp(old.stat().st_mtime, UTC) < before:
            old.unlink()


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Copies a running SQLite database into a folder.")
    parser.add_argument("database", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=int, default=14, help="how long copies are kept (default: 14)")
    arguments = parser.parse_args()
    now = datetime.now(UTC)
    try:
        made = copy(arguments.database, arguments.folder, now)
        drop_old(arguments.database, arguments.folder, now - timedelta(days=arguments.days))
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"No backup was made: {error}\n")
        return 1
    sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
