"""Closing a database while threads are still at work in it."""

from sqlalchemy import text

from bot.store.session import Database


def _answers(db: Database, connection: object) -> bool:
    """Whether the driver's connection is still open."""
    try:
        connection.execute("SELECT 1")  # type: ignore[attr-defined]
    except db.engine.dialect.loaded_dbapi.Error:
        return False
    return True


def test_a_connection_at_work_when_the_database_is_closed_goes_on_and_is_closed_when_it_is_given_back(
    db: Database,
) -> None:
    with db.read() as at_work:
        db.close()
        lent = at_work.connection.dbapi_connection
        assert at_work.execute(text("SELECT 1")).scalar() == 1
    assert not _answers(db, lent)


def test_an_open_database_keeps_a_connection_for_the_next(db: Database) -> None:
    with db.read() as first:
        lent = first.connection.dbapi_connection
    assert _answers(db, lent)


def test_a_closed_database_keeps_none(db: Database) -> None:
    db.close()
    with db.read() as late:
        lent = late.connection.dbapi_connection
    assert not _answers(db, lent)
