"""`flask staff`: the first account, and the way back in."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app import app
from bot.access import Role
from bot.staff import check_password, everyone
from bot.store.session import Database, open_database
from bot.store.tables import Audit

PASSWORD = "a quiet morning walk"


def flask(arguments: list[str], typed: str = "") -> Result:
    return CliRunner().invoke(app.cli, ["staff", *arguments], input=typed)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    url = f"sqlite:///{tmp_path}/staff.db"
    monkeypatch.setenv("DATABASE_URL", url)
    return open_database(url)


def test_somebody_added_at_the_prompts_can_sign_in_and_no_password_is_printed(db: Database) -> None:
    ran = flask(["add"], f"Sato\ntherapist\n{PASSWORD}\n{PASSWORD}\n")
    assert (ran.exit_code, PASSWORD in ran.output) == (0, False)
    with db.read() as look:
        account = check_password(look, "sato", PASSWORD)
        assert account is not None
        assert account.role is Role.THERAPIST
        assert look.execute(select(Audit.actor)).scalars().all() == ["command line"]


def test_flags_and_a_pipe_do_the_same(db: Database) -> None:
    ran = flask(["add", "--name", "desk", "--role", "assistant", "--english", "--password-stdin"], PASSWORD + "\n")
    assert ran.exit_code == 0
    with db.read() as look:
        assert [(one.name, one.role, one.locale) for one in everyone(look)] == [("desk", Role.ASSISTANT, "en")]
    assert "assistant  desk" in flask(["list"]).output


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("desk", "short", "12 characters"),
        ("", PASSWORD, "1 to 40"),
        ("x" * 41, PASSWORD, "1 to 40"),
        ("a\x07b", PASSWORD, "1 to 40"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(db: Database, name: str, password: str, says: str) -> None:
    ran = flask(["add", "--name", name, "--role", "owner", "--password-stdin"], password + "\n")
    assert ran.exit_code == 1
    assert says in ran.output
    with db.read() as look:
        assert everyone(look) == []


def test_a_lost_password_is_replaced_and_an_unknown_name_is_said_to_be_one(db: Database) -> None:
    flask(["add", "--name", "desk", "--role", "owner", "--password-stdin"], PASSWORD + "\n")
    assert flask(["add", "--name", "DESK", "--role", "owner", "--password-stdin"], PASSWORD + "\n").exit_code == 1
    assert flask(["reset", "--name", "desk", "--password-stdin"], "another quiet walk\n").exit_code == 0
    assert flask(["reset", "--name", "nobody", "--password-stdin"], "another quiet walk\n").exit_code == 1
    with db.read() as look:
        assert check_password(look, "desk", PASSWORD) is None
        assert check_password(look, "desk", "another quiet walk") is not None
