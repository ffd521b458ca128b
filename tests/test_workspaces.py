"""Several workspaces of Slack with one guide: taken in through OAuth, told apart, sent away and taken in again."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import urllib3
from pydantic import SecretStr
from slack_bolt.error import BoltError
from sqlalchemy import insert, select

import app
from bot import gate
from bot.channels.base import Parted
from bot.channels.slack.oauth import REDIRECT, SCOPES, Store
from bot.config import Settings
from bot.conversation import advance
from bot.doctor import _settings, _slack
from bot.simulator.demo import EMPLOYER, Demo
from bot.simulator.slack.webhooks import Webhooks
from bot.simulator.slack.workspace import TEAM, Workspace
from bot.store.tables import Alert, Audit, Contact, Outbox, SlackState, SlackWorkspace
from bot.workspaces import STATES_MOST, Register, Tokens, look_again, part
from tests.patient import open_demo
from tests.slack_patient import read

WEB = urllib3.PoolManager(retries=False)


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    with open_demo(sqlite_copy(tmp_path)) as house:
        yield house
    assert house.employer.violations == []


def get(url: str, cookie: str = "") -> urllib3.BaseHTTPResponse:
    headers = {"Cookie": cookie.split(";")[0], "Accept-Language": "en"}
    return WEB.request("GET", url, headers=headers, redirect=False)


def allow(demo: Demo, workspace: Workspace) -> tuple[str, str]:
    """An administrator goes as far as Slack's answer: where they are sent, and their browser's cookie."""
    begun = get(f"{demo.url}/slack/install")
    assert begun.status == 302
    asked = begun.headers["Location"]
    assert set(parse_qs(urlparse(asked).query)["scope"][0].split(",")) == set(SCOPES)
    assert get(asked).status == 200
    allowed = get(f"{asked.replace('/authorize?', '/allow?')}&team={workspace.team}")
    assert allowed.status == 302
    return allowed.headers["Location"], begun.headers["Set-Cookie"]


def install(demo: Demo, workspace: Workspace | None = None) -> urllib3.BaseHTTPResponse:
    back, cookie = allow(demo, workspace or demo.employer)
    return get(back, cookie)


def begin(demo: Demo, workspace: Workspace, hooks: Webhooks, name: str = "見本 花子(サンプル)") -> str:
    """Somebody there types /selfcare. Their id."""
    member = workspace.add(name)
    assert hooks.command(member.user_id).status == 200
    demo.bot.drain()
    return member.user_id


def heard(workspace: Workspace, user_id: str) -> list[str]:
    member = workspace.member(user_id)
    assert member is not None
    posts = [post for post in workspace.posts(member.channel) if post.sender == "bot"]
    return ["\n".join(read(post.blocks)) for post in posts]


def reachable(demo: Demo) -> dict[str, bool]:
    with demo.bot.runtime.db.read() as look:
        return {row.user_id: row.reachable for row in look.execute(select(Contact.user_id, Contact.reachable))}


# --- installing ---


def test_a_second_workspace_is_installed_and_each_is_answered_by_its_own_token(demo: Demo) -> None:
    done = install(demo)
    assert (done.status, "Connected to Slack" in done.data.decode()) == (200, True)
    there = begin(demo, demo.employer, demo.employer_hooks)
    here = begin(demo, demo.slack, demo.slack_hooks)
    assert there == here, "the same member id in both: only the workspace tells them apart"
    assert len(heard(demo.employer, there)) == len(heard(demo.slack, here)) == 1
    assert reachable(demo) == {f"{EMPLOYER}/{there}": True, f"{TEAM}/{here}": True}
    assert demo.employer.token != demo.slack.token


def test_the_state_is_good_once_and_in_the_browser_that_began(demo: Demo) -> None:
    back, cookie = allow(demo, demo.employer)
    assert get(back).status == 400
    assert get(back, "slack-app-oauth-state=other").status == 400
    assert get(back.replace("state=", "state=x"), cookie).status == 400
    assert demo.employer.token == ""
    assert get(back, cookie).status == 200
    again = get(back, cookie)
    assert (again.status, "used already" in again.data.decode()) == (401, True)


def test_the_state_expires_and_is_not_kept(demo: Demo) -> None:
    back, cookie = allow(demo, demo.employer)
    demo.clock.move(timedelta(seconds=601))
    assert get(back, cookie).status == 401
    assert demo.employer.token == ""
    allow(demo, demo.employer)
    with demo.bot.runtime.db.read() as look:
        assert len(look.execute(select(SlackState.hash)).all()) == 1


def test_many_begun_installations_do_not_fill_the_database(demo: Demo) -> None:
    register = Register(demo.bot.runtime)
    late = demo.clock.now() + timedelta(seconds=300)
    with demo.bot.runtime.db.write() as tx:
        tx.execute(insert(SlackState), [{"hash": f"h{n}", "expires_at": late} for n in range(STATES_MOST)])
    state = register.issue()
    with demo.bot.runtime.db.read() as look:
        assert len(look.execute(select(SlackState.hash)).all()) == STATES_MOST
        assert state not in str(look.execute(select(SlackState.hash)).all())
    assert register.consume(state)


def test_an_administrator_who_says_no_a_wrong_code_and_a_silent_slack_change_nothing(demo: Demo) -> None:
    refused = get(f"{demo.url}/slack/oauth_redirect?error=access_denied")
    assert (refused.status, "nothing has changed" in refused.data.decode()) == (200, True)
    back, cookie = allow(demo, demo.employer)
    assert get(back.replace("code=", "code=x"), cookie).status == 401
    assert get(f"{demo.url}/slack/install?team=T%0d%0aSet-Cookie:x").status == 302
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(SlackWorkspace.team)).all() == []


def test_the_workspace_of_the_settings_is_not_taken_in_a_second_time(demo: Demo) -> None:
    answer = install(demo, demo.slack)
    assert (answer.status, "SLACK_BOT_TOKEN" in answer.data.decode()) == (409, True)
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(SlackWorkspace.team)).all() == []


@pytest.fixture
def register(demo: Demo) -> Register:
    return Register(demo.bot.runtime)


def test_the_store_keeps_the_sdks_promises(demo: Demo, register: Register) -> None:
    store = Store(register)
    install(demo)
    found = store.find_installation(enterprise_id=None, team_id=EMPLOYER)
    assert found is not None
    assert (found.bot_token, found.team_name, found.bot_id) == (demo.employer.token, demo.employer.name, "B0SELFCARE")
    assert set(found.bot_scopes or ()) == set(SCOPES)
    bot = store.find_bot(enterprise_id=None, team_id=EMPLOYER)
    assert bot is not None
    assert bot.bot_token == demo.employer.token
    assert store.find_bot(enterprise_id=None, team_id="T0NOBODY") is None
    assert store.find_installation(enterprise_id=None, team_id=EMPLOYER, user_id="U0OTHER") is None
    store.delete_installation(enterprise_id=None, team_id=EMPLOYER, user_id=found.user_id)
    assert store.find_bot(enterprise_id=None, team_id=EMPLOYER) is not None
    demo.clock.move(timedelta(seconds=1))
    store.delete_all(enterprise_id=None, team_id=EMPLOYER)
    assert store.find_bot(enterprise_id=None, team_id=EMPLOYER) is None
    store.save(found)
    assert store.find_bot(enterprise_id=None, team_id=EMPLOYER) is not None


def test_what_this_app_cannot_serve_is_not_kept(demo: Demo, register: Register) -> None:
    store = Store(register)
    install(demo)
    found = store.find_installation(enterprise_id=None, team_id=EMPLOYER)
    assert found is not None
    for name, value, why in (
        ("is_enterprise_install", True, "whole_organisation"),
        ("bot_token_expires_at", 1, "rotation"),
        ("bot_token", None, "no_token"),
        ("team_id", None, "whole_organisation"),
    ):
        before = getattr(found, name)
        setattr(found, name, value)
        with pytest.raises(BoltError, match=why):
            store.save(found)
        setattr(found, name, before)


# --- whose staff ---


def test_nobody_in_another_workspace_can_be_staff_not_even_with_the_same_member_id(demo: Demo) -> None:
    install(demo)
    demo.list_slack_staff()
    name = "見本 受付(サンプル)"
    member = demo.employer.add(name)
    assert demo.employer_hooks.command(member.user_id, "/tip").status == 200
    demo.bot.drain()
    assert (demo.employer.modals, demo.slack.modals) == ({}, {})
    assert demo.slack_hooks.command(demo.slack.add(name).user_id, "/tip").status == 200
    demo.bot.drain()
    assert list(demo.slack.modals) == [member.user_id]


# --- sent away, and back ---


def test_a_workspace_that_removes_the_app_is_sent_nothing_more_and_a_new_installation_brings_it_back(
    demo: Demo,
) -> None:
    install(demo)
    there = begin(demo, demo.employer, demo.employer_hooks)
    here = begin(demo, demo.slack, demo.slack_hooks, "見本 次郎(サンプル)")
    runtime = demo.bot.runtime
    gate.switch(runtime, "off", "test")
    for hooks, who in ((demo.employer_hooks, there), (demo.slack_hooks, here)):
        hooks.say(who, "おしっこが出にくくて、お股の感覚がありません")
    advance(runtime, 10)  # advice is written, and has not left
    demo.clock.move(timedelta(minutes=40))  # nor can it any more as an answer
    assert [told.status for told in demo.employer_hooks.uninstall()] == [200, 200]
    assert reachable(demo) == {f"{EMPLOYER}/{there}": False, f"{TEAM}/{here}": True}
    with runtime.db.read() as look:
        rows = look.execute(select(Outbox.user_id, Outbox.status, Outbox.error).where(Outbox.priority == 0)).all()
        assert set(map(tuple, rows)) >= {
            (f"{EMPLOYER}/{there}", "cancelled", "workspace_gone"),
            (f"{TEAM}/{here}", "waiting", ""),
        }
        rung = look.execute(select(Alert.contact_id, Alert.flags).where(Alert.urgency == "phone")).all()
        assert [(row.contact_id, row.flags) for row in rung] == [(1, '["workspace_gone"]')]
        assert look.execute(select(SlackWorkspace.token)).scalars().all() == [None]
        assert "workspace_gone" in look.execute(select(Audit.action)).scalars().all()
    gate.switch(runtime, "on", "test")
    before = len(heard(demo.employer, there))
    demo.bot.drain()
    assert len(heard(demo.employer, there)) == before
    assert len(heard(demo.slack, here)) == 2
    demo.clock.move(timedelta(days=1))
    install(demo)
    assert reachable(demo) == {f"{EMPLOYER}/{there}": True, f"{TEAM}/{here}": True}
    demo.employer_hooks.say(there, "きょうのケア")
    demo.bot.drain()
    assert len(heard(demo.employer, there)) == before + 1


def test_a_removal_told_late_does_not_undo_a_newer_installation(demo: Demo) -> None:
    install(demo)
    begin(demo, demo.employer, demo.employer_hooks)
    removed = demo.employer_hooks.uninstall()[1]
    demo.clock.move(timedelta(minutes=2))
    install(demo)
    assert demo.employer_hooks.again(removed).status == 200
    assert list(reachable(demo).values()) == [True]


def test_the_settings_workspace_comes_back_when_a_worker_starts_with_a_token_that_works(demo: Demo) -> None:
    here = begin(demo, demo.slack, demo.slack_hooks)
    token = demo.slack.token
    demo.slack_hooks.uninstall()
    runtime = demo.bot.runtime
    assert reachable(demo) == {f"{TEAM}/{here}": False}
    demo.slack_hooks.say(here, "きょうのケア")  # was on its way
    demo.bot.drain()
    assert len(heard(demo.slack, here)) == 1
    assert not look_again(runtime), "Slack does not know the token any more"
    demo.slack.token = token
    look_again(runtime)
    assert reachable(demo) == {f"{TEAM}/{here}": True}
    demo.slack_hooks.say(here, "きょうのケア")
    demo.bot.drain()
    assert len(heard(demo.slack, here)) == 2


def test_a_deactivated_member_is_left_alone_and_an_active_one_is_not(demo: Demo) -> None:
    here = begin(demo, demo.slack, demo.slack_hooks)
    stranger = demo.slack.add("見本 よその人(サンプル)")
    demo.slack_hooks.deactivate(here)
    demo.slack_hooks.deactivate(stranger.user_id)
    demo.bot.drain()
    assert reachable(demo) == {f"{TEAM}/{here}": False}, "of a stranger nothing is kept"
    demo.slack_hooks.activate(stranger.user_id)
    demo.slack_hooks.activate(here)
    demo.bot.drain()
    assert reachable(demo) == {f"{TEAM}/{here}": True}
    assert len(heard(demo.slack, here)) == 1, "and nothing is said for it"


def test_parting_twice_at_once_is_parting_once_on_either_database(database_url: str, tmp_path: Path) -> None:
    with open_demo(database_url) as demo:
        install(demo)
        begin(demo, demo.employer, demo.employer_hooks)
        demo.clock.move(timedelta(seconds=1))
        now = demo.clock.now()
        for _ in range(2):
            part(demo.bot.runtime, Parted(EMPLOYER, now))
        with demo.bot.runtime.db.read() as look:
            assert look.execute(select(Audit.action)).scalars().all().count("workspace_gone") == 1
        install(demo)
        assert list(reachable(demo).values()) == [True]


# --- what the operator is told ---


def test_doctor_names_every_workspace_and_what_is_to_be_done(demo: Demo) -> None:
    settings = demo.bot.runtime.settings

    def said() -> list[str]:
        return [f"{one.level} {one.subject}: {one.words}" for one in _slack(settings) if "workspace" in one.subject]

    assert said() == []
    install(demo)
    [well] = said()
    assert well.startswith(f"ok workspace {demo.employer.name}: the token belongs to selfcare in {demo.employer.name}")
    token, demo.employer.token = demo.employer.token, ""
    assert said()[0].startswith(f"problem workspace {demo.employer.name}: Slack does not know it")
    demo.employer.token = token
    demo.clock.move(timedelta(seconds=1))
    demo.employer_hooks.uninstall()
    demo.slack_hooks.uninstall()
    [own, gone] = said()
    assert own.startswith(f"note workspace {TEAM}: removed the app on 2026-04-06 01:00 UTC.")
    assert gone.startswith(f"note workspace {demo.employer.name}: removed the app on 2026-04-06 01:00 UTC.")
    assert gone.endswith(f"{settings.public_url}/slack/install.")


def test_doctor_sees_a_workspace_that_is_served_both_ways(demo: Demo) -> None:
    row = {"team": TEAM, "token": "xoxb-other", "installed_at": demo.clock.now()}
    with demo.bot.runtime.db.write() as tx:
        tx.execute(insert(SlackWorkspace), row)
    findings = [one for one in _slack(demo.bot.runtime.settings) if one.subject == f"workspace {TEAM}"]
    assert [(one.level, "both" in one.words or "by OAuth" in one.words) for one in findings] == [("problem", True)]
    assert len(heard(demo.slack, begin(demo, demo.slack, demo.slack_hooks))) == 1  # by the setting's token


@pytest.mark.parametrize(
    ("given", "serves", "missing"),
    [
        ({"slack_bot_token": "t"}, True, ()),
        ({"slack_client_id": "i", "slack_client_secret": "c"}, True, ()),
        ({"slack_bot_token": "t", "slack_client_id": "i", "slack_client_secret": "c"}, True, ()),
        ({"slack_client_id": "i"}, False, ("SLACK_BOT_TOKEN", "SLACK_CLIENT_SECRET")),
        ({"slack_bot_token": "t", "slack_client_secret": "c"}, True, ("SLACK_CLIENT_ID",)),
    ],
)
def test_one_workspace_by_its_token_or_many_by_oauth_or_both(
    given: dict[str, Any], serves: bool, missing: tuple[str, ...]
) -> None:
    settings = Settings(**{"slack_signing_secret": "s", **given})
    assert (settings.has_slack, settings.half_set) == (serves, missing)


def test_without_a_token_of_its_own_the_guide_has_no_staff_channel_and_serves_those_who_installed_it(
    demo: Demo,
) -> None:
    install(demo)
    runtime = demo.bot.runtime
    only = runtime.settings.model_copy(update={"slack_bot_token": SecretStr("")})
    channels = app._slack(only, runtime.db)
    assert list(channels) == ["slack"]
    tokens = Tokens(runtime.db, only, None)
    assert (tokens(EMPLOYER), tokens(TEAM)) == (demo.employer.token, None)
    told = [one.subject for one in _settings(only) if one.stops]
    assert "SLACK_BOT_TOKEN" in told, "SLACK_STAFF_CHANNEL is set and would be of no use"


def test_the_manifest_asks_for_what_the_installation_asks_for() -> None:
    manifest = Path("slack-manifest.yml").read_text(encoding="utf-8")
    listed = manifest.partition("    bot:\n")[2].partition("settings:")[0]
    assert tuple(line.strip().removeprefix("- ") for line in listed.splitlines()) == SCOPES
    assert f"https://guide.example.jp{REDIRECT}" in manifest
