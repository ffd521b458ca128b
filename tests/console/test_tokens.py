"""Tokens on the console and the command line: made by owners, shown once, listed, revoked."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from werkzeug.test import Client

from app import app
from bot import staff, tokens
from bot.access import Action, Role
from bot.simulator.demo import Demo
from bot.store.session import open_database
from bot.store.tables import Audit
from bot.web.console.texts import table
from tests.console.staff import Member, signed_in

PAGE = "/console/tokens"
KEY = re.compile(r"scg_[\w-]{43}")


def make(member: Member, **values: str) -> str:
    """What the page shows after a token was asked for."""
    answer = member.send(PAGE, {"name": "Reception screen", "scope": "see_today", **values}, PAGE)
    return answer.get_data(as_text=True)


def asked(demo: Demo, key: str, path: str = "/alerts") -> int:
    return Client(demo.bot.wsgi).get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_token_is_shown_once_works_at_once_and_is_shut_out_by_revoking_it(demo: Demo) -> None:
    owner = signed_in(demo)
    assert f'href="{PAGE}"' in owner.see("/console/staff")
    key = KEY.findall(make(owner))[0]
    assert key not in owner.see(PAGE)
    assert (asked(demo, key), asked(demo, key, "/patients")) == (200, 403)
    assert "Reception screen" in owner.see(PAGE)
    assert owner.send(f"{PAGE}/1/revoke", {}, PAGE).status_code == 303
    assert asked(demo, key) == 401
    with demo.bot.runtime.db.read() as look:
        actions = look.execute(select(Audit.action).where(Audit.action.startswith("token"))).scalars().all()
    assert actions == ["token_made", "token_revoked"]


def test_what_cannot_be_is_refused_with_the_reason(small_demo: Demo) -> None:
    owner, assistant = signed_in(small_demo), Member(small_demo, Role.ASSISTANT)
    with small_demo.bot.runtime.db.read() as look:
        account = staff.named(look, assistant.name)
    assert account is not None
    for why, values in (
        ("token_name", {"name": " "}),
        ("scopes", {"scope": "manage_staff"}),
        ("beyond", {"owner": str(account.id), "scope": "broadcast"}),
    ):
        page = make(owner, **values)
        assert table()[f"tokens.refused_{why}"]["ja"] in page
        assert not KEY.search(page)
    assert KEY.search(make(owner, owner=str(account.id)))


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.THERAPIST])
def test_tokens_are_for_owners_only(small_demo: Demo, role: Role) -> None:
    member = signed_in(small_demo, role)
    assert member.get(PAGE).status_code == 403
    token = member.form("/console/account", "/console/account/password").fields["csrf_token"]
    assert member.web.post(PAGE, data={"csrf_token": token, "name": "x", "scope": "see_today"}).status_code == 403


def flask(*arguments: str) -> Result:
    return CliRunner().invoke(app.cli, ["token", *arguments])


def test_the_command_line_makes_lists_and_revokes_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/staff.db")
    started = CliRunner().invoke(
        app.cli, ["staff", "add", "--name", "desk", "--role", "assistant", "--password-stdin"], "a quiet morning walk\n"
    )
    assert started.exit_code == 0
    ran = flask("add", "--name", "screen", "--owner", "Desk", "--scope", "see_today", "--scope", "see_patients")
    key = ran.stdout.strip()
    assert KEY.fullmatch(key)
    db = open_database(f"sqlite:///{tmp_path}/staff.db")
    with db.read() as look:
        [token] = tokens.everyone(look)
        assert tokens.shown(look, key, token.made_at) == token
    assert token.scopes == (Action.SEE_TODAY, Action.SEE_PATIENTS)
    assert "screen  desk  see_today see_patients  until" in flask("list").output
    assert key not in flask("list").output
    assert "does not allow" in flask("add", "--name", "x", "--owner", "desk", "--scope", "broadcast").output
    assert flask("add", "--name", "x", "--owner", "nobody", "--scope", "see_today").exit_code == 1
    assert flask("revoke", str(token.id)).exit_code == 0
    assert flask("revoke", str(token.id)).exit_code == 1
    assert "does not work" in flask("list").output
    db.close()
