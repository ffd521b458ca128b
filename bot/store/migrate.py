"""Brings a database to a revision of migrations/. Alembic is imported only when it is needed: it is slow to load."""

from pathlib import Path
from typing import TYPE_CHECKING

from bot.store.session import Database

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).resolve().parents[2] / "migrations"

POSTGRESQL_LOCK = 7_331_001
"""Advisory lock: two processes that migrate at once do so one after the other."""


def upgrade(db: Database, revision: str = "head") -> None:
    """All of it in one transaction: a failure leaves the database as it was."""
    _run(db, "upgrade", revision)


def downgrade(db: Database, revision: str) -> None:
    """All of it in one transaction. `base` is the empty database."""
    _run(db, "downgrade", revision)


def history() -> list[tuple[str, str]]:
    """Revisions and what they do, oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return [(script.revision, script.doc) for script in reversed(list(scripts.walk_revisions()))]


def _run(db: Database, direction: str, revision: str) -> None:
    from alembic import command
    from sqlalchemy import text

    config = _config()
    with db.write() as connection:
        if db.is_sqlite:
            # Rebuilding a table must not cascade; a pragma inside a transaction would be ignored.
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POSTGRESQL_LOCK})
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
