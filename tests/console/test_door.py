"""Who gets in, who stays in, and what every page refuses to everybody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import Client

from bot import staff
from bot.access import Action, Role, may
from bot.simulator.demo import Demo
from bot.store.tables import Audit, Staff, StaffSession, Tried
from bot.web.console.texts import FOLDER, table
from bot.web.tries import Tries
from tests.console.staff import PASSWORD, Member, forms, signed_in

SIGN_IN = "/console/sign-in"


def web(demo: Demo) -> Flask:
    app = demo.bot.wsgi
    assert isinstance(app, Flask)
    return app


def actions(demo: Demo) -> list[str]:
    with demo.bot.runtime.db.read() as look:
        return list(look.execute(select(Audit.action).order_by(Audit.id)).scalars())


# --- getting in ---


def test_name_and_password_open_the_console_and_a_wrong_one_does_not(demo: Demo) -> None:
    member = Member(demo)
    assert member.sign_in("a wrong password").status_code == 401
    assert member.get("/console/").status_code == 303
    assert member.sign_in().headers["Location"] == "/console/"
    assert "今日" in member.see("/console/")
    assert actions(demo) == ["staff_added", "signed_in"]


def test_the_name_is_known_in_any_width_and_case(small_demo: Demo) -> None:
    Member(small_demo, name="Sato")
    answer = Member(small_demo, name="sato").send(SIGN_IN, {"name": " ＳＡＴＯ ", "password": PASSWORD}, SIGN_IN)
    assert answer.status_code == 303


def test_after_the_sign_in_the_page_asked_for_is_shown_and_no_other_site(small_demo: Demo) -> None:
    member = Member(small_demo)
    asked = member.get("/console/audit?actor=x").headers["Location"]
    answer = member.send(SIGN_IN, {"name": member.name, "password": PASSWORD}, asked)
    assert answer.headers["Location"] == "/console/audit?actor=x"
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "/console//evil.example",
        "/\\evil.example",
        "javascript:x",
    ):
        other = Member(small_demo)
        values = {"name": other.name, "password": PASSWORD, "next": elsewhere}
        assert other.send(SIGN_IN, values, SIGN_IN).headers["Location"] == "/console/"


def test_guessing_is_slowed_down_for_an_account_from_every_address_and_for_an_address_on_every_account(
    small_demo: Demo,
) -> None:
    member = Member(small_demo)
    for number in range(10):
        wrong = {"name": member.name, "password": "a wrong password"}
        assert member.send(SIGN_IN, wrong, SIGN_IN, **{"X-Forwarded-For": f"192.0.2.{number}"}).status_code == 401
    assert member.sign_in().status_code == 429
    other = Member(small_demo, Role.ASSISTANT)
    assert other.sign_in().status_code == 303
    guesser = Member(small_demo, Role.THERAPIST)
    codes = [
        guesser.send(SIGN_IN, {"name": f"nobody {n}", "password": "x"}, SIGN_IN, **{"X-Forwarded-For": "192.0.2.99"})
        for n in range(31)
    ]
    assert [one.status_code for one in codes] == [401] * 30 + [429]


def test_guesses_are_counted_for_all_processes_together_and_forgotten_after_a_quarter_of_an_hour(demo: Demo) -> None:
    from app import create_app

    member, runtime = Member(demo), demo.bot.runtime
    processes = [create_app(runtime=runtime) for _ in range(2)]
    wrong = {"name": member.name, "password": "a wrong password"}
    for number in range(10):
        member.web = Client(processes[number % 2])
        assert member.send(SIGN_IN, wrong, SIGN_IN).status_code == 401
    for process in processes:
        member.web = Client(process)
        assert member.sign_in().status_code == 429
    with runtime.db.read() as look:
        rows = look.execute(select(Tried.key_hash, Tried.times)).all()
    assert sorted(times for _, times in rows) == [10, 10]
    assert not any(member.name in key for key, _ in rows)
    demo.clock.move(timedelta(minutes=15))
    assert member.send(SIGN_IN, wrong, SIGN_IN).status_code == 401
    assert member.sign_in().status_code == 303
    with runtime.db.read() as look:
        assert [times for _, times in look.execute(select(Tried.key_hash, Tried.times)).all()] == [1, 1]


def test_guesses_at_the_same_moment_are_all_counted(demo: Demo) -> None:
    runtime = demo.bot.runtime
    tries = Tries("tables://", house=lambda: runtime)
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda _: tries.incr("somebody", 900), range(24)))
    assert sorted(counted) == list(range(1, 25))
    assert (tries.get("somebody"), tries.get("nobody")) == (24, 0)
    tries.clear("somebody")
    assert tries.get("somebody") == 0


def test_signing_in_well_is_never_slowed_down(small_demo: Demo) -> None:
    for _ in range(12):
        assert signed_in(small_demo).get("/console/").status_code == 200


def test_a_code_from_the_phone_is_asked_for_once_it_is_set_up_and_each_works_once(demo: Demo) -> None:
    member = signed_in(demo)
    secret = member.see("/console/account").split("<code>")[1].split("</code>")[0]
    codes = pyotp.TOTP(secret)
    now = demo.clock.now()
    set_up = "/console/account/code"
    assert member.send(set_up, {"code": "000000"}, "/console/account").status_code == 400
    assert member.send(set_up, {"code": codes.at(now)}, "/console/account").status_code == 303
    assert "</svg>\n" not in member.see("/console/account").split("確認コード（2段階）")[1].split("</section>")[0]
    back = Member(demo)
    assert back.sign_in().headers["Location"] == "/console/sign-in/code"
    assert back.get("/console/").status_code == 303, "the password alone opens nothing"
    assert back.send("/console/sign-in/code", {"code": "12345"}, "/console/sign-in/code").status_code == 401
    good = {"code": codes.at(now)}
    assert back.send("/console/sign-in/code", good, "/console/sign-in/code").status_code == 303
    assert back.get("/console/").status_code == 200
    again = Member(demo)
    again.sign_in()
    assert again.send("/console/sign-in/code", good, "/console/sign-in/code").status_code == 401
    demo.clock.move(timedelta(seconds=31))
    again.sign_in()
    later = {"code": codes.at(demo.clock.now())}
    assert again.send("/console/sign-in/code", later, "/console/sign-in/code").status_code == 303


# --- staying in ---


def test_a_session_ends_when_nobody_clicks_and_after_a_working_day(demo: Demo) -> None:
    member = signed_in(demo)
    for _ in range(14):
        demo.clock.move(timedelta(minutes=50))
        assert member.get("/console/").status_code == 200
    demo.clock.move(timedelta(minutes=50))
    assert member.get("/console/").status_code == 303, "12 hours are over"
    member.sign_in()
    demo.clock.move(timedelta(minutes=61))
    assert member.get("/console/").status_code == 303, "nobody clicked for an hour"


def test_signing_out_ends_the_session_even_for_a_copy_of_the_cookie(demo: Demo) -> None:
    member = signed_in(demo)
    cookie = member.web.get_cookie("console", path="/console")
    assert cookie is not None
    assert member.send("/console/sign-out", {}, "/console/").status_code == 303
    thief = Client(demo.bot.wsgi)
    thief.set_cookie("console", cookie.value, path="/console")
    assert thief.get("/console/").status_code == 303


def test_a_new_password_signs_out_every_other_browser(demo: Demo) -> None:
    here, there = signed_in(demo), signed_in(demo)
    form = {"old": PASSWORD, "new": "another quiet walk", "again": "another quiet walk"}
    assert here.send("/console/account/password", form, "/console/account").status_code == 303
    assert here.get("/console/").status_code == 200
    assert there.get("/console/").status_code == 303
    assert there.sign_in().status_code == 401
    assert there.sign_in("another quiet walk").status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", "another quiet walk", "another quiet walk"),
        (PASSWORD, "another quiet walk", "another loud walk"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "aaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaa"),
        (PASSWORD, PASSWORD, PASSWORD),
        (PASSWORD, "x1y2" * 60, "x1y2" * 60),
    ],
)
def test_a_password_that_is_not_good_is_refused_and_the_old_one_stays(
    small_demo: Demo, old: str, new: str, again: str
) -> None:
    member = signed_in(small_demo)
    form = {"old": old, "new": new, "again": again}
    assert member.send("/console/account/password", form, "/console/account").status_code == 400
    assert Member(small_demo).sign_in().status_code == 303


# --- accounts ---


def test_somebody_added_gets_a_password_once_and_must_choose_their_own(demo: Demo) -> None:
    owner = signed_in(demo)
    page = owner.send("/console/staff", {"name": "new one", "role": "assistant"}, "/console/staff")
    password = page.get_data(as_text=True).split('class="once">')[1].split("<")[0]
    assert password not in owner.see("/console/staff")
    newcomer = Member(demo, name="new one")
    assert newcomer.sign_in(password).status_code == 303
    assert newcomer.get("/console/").headers["Location"] == "/console/account"
    form = {"old": password, "new": "my own long words", "again": "my own long words"}
    assert newcomer.send("/console/account/password", form, "/console/account").status_code == 303
    assert newcomer.get("/console/").status_code == 200


def test_somebody_who_left_is_out_at_once(demo: Demo) -> None:
    owner, other = signed_in(demo), signed_in(demo, Role.ASSISTANT)
    with demo.bot.runtime.db.read() as look:
        account = staff.named(look, other.name)
    assert account is not None
    change = f"/console/staff/{account.id}"
    token = owner.form("/console/staff", change).fields["csrf_token"]
    assert owner.web.post(change, data={"role": "assistant", "csrf_token": token}).status_code == 303
    assert other.get("/console/").status_code == 303
    assert other.sign_in().status_code == 401


def test_the_last_owner_cannot_be_taken_away(demo: Demo) -> None:
    owner = signed_in(demo)
    with demo.bot.runtime.db.read() as look:
        account = staff.named(look, owner.name)
    assert account is not None
    change = f"/console/staff/{account.id}"
    assert owner.send(change, {"role": "assistant"}, "/console/staff").status_code == 400
    assert owner.get("/console/staff").status_code == 200


def test_a_reset_password_asks_for_no_code_from_the_lost_phone(small_demo: Demo) -> None:
    owner, other = signed_in(small_demo), Member(small_demo, Role.THERAPIST)
    runtime = small_demo.bot.runtime
    with runtime.db.write() as tx:
        account = staff.named(tx, other.name)
        assert account is not None
        staff.set_code_secret(tx, runtime.now(), "test", account, pyotp.random_base32())
    page = owner.send(f"/console/staff/{account.id}/reset", {}, "/console/staff").get_data(as_text=True)
    password = page.split('class="once">')[1].split("<")[0]
    assert other.sign_in(password).headers["Location"] == "/console/"


def test_passwords_and_session_keys_are_not_in_the_database(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    with small_demo.bot.runtime.db.read() as look:
        hashed = look.execute(select(Staff.password_hash)).scalars().one()
        keys = look.execute(select(StaffSession.key_hash)).scalars().all()
    assert hashed.startswith("$argon2id$")
    cookie = member.web.get_cookie("console", path="/console")
    signer = web(small_demo).session_interface.get_signing_serializer(web(small_demo))  # type: ignore[attr-defined]
    assert cookie is not None
    assert signer.loads(cookie.value)["_user_id"] not in keys


# --- every page ---


def test_every_route_refuses_strangers_but_the_door_static_files_health_and_what_signs_itself(small_demo: Demo) -> None:
    app, stranger = web(small_demo), Client(small_demo.bot.wsgi)
    free = {"console.sign_in", "console.code", "console.language", "console.static", "bootstrap.static", "care.static"}
    free |= {"slack_install.install"}  # Slack asks whether the person may
    free |= {"health.alive", "health.is_ready", "health.metrics", "health.media"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in free:
            continue
        path = rule.build(dict.fromkeys(rule.arguments, "1"), append_unknown=False)
        assert path is not None
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = stranger.open(path[1], method=method)
            refused = answer.status_code in (400, 401, 403, 404)
            to_the_door = answer.status_code == 303 and answer.headers["Location"].startswith(SIGN_IN)
            assert refused or to_the_door, (rule.endpoint, method, answer.status_code)


def test_every_answer_has_the_security_headers_and_every_cookie_is_guarded(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    asked = [
        rule.rule
        for rule in web(small_demo).url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    for path in [*asked, "/console/nothing-here", "/nothing-here", "/console/static/console.css"]:
        answer = member.get(path)
        answer.close()
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in answer.headers
        assert "frame-ancestors 'none'" in policy
        for cookie in answer.headers.getlist("Set-Cookie"):
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert "Path=/console" in cookie or path.startswith("/slack/")


def test_no_page_has_scripts_or_styles_of_its_own_or_from_elsewhere(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    for rule in web(small_demo).url_map.iter_rules():
        if rule.endpoint.startswith("console.") and "GET" in (rule.methods or ()) and not rule.arguments:
            html = member.get(rule.rule).get_data(as_text=True)
            for bad in (" style=", "<style", " onclick=", " onsubmit=", "javascript:", 'src="http', 'href="http'):
                assert bad not in html, (rule.rule, bad)


def test_every_form_carries_the_token_and_is_refused_without_it(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    seen = 0
    for rule in web(small_demo).url_map.iter_rules():
        if rule.endpoint.startswith("console.") and "GET" in (rule.methods or ()) and not rule.arguments:
            for form in forms(member.get(rule.rule).get_data(as_text=True)):
                if form.method == "post":
                    seen += 1
                    assert form.fields.get("csrf_token"), (rule.rule, form.action)
                    assert member.web.post(form.action, data={"name": "x"}).status_code == 400, form.action
    assert seen > 5


def test_every_route_of_the_console_that_changes_something_wants_the_token(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    for rule in web(small_demo).url_map.iter_rules():
        if rule.endpoint.startswith("console.") and "POST" in (rule.methods or ()):
            path = rule.build(dict.fromkeys(rule.arguments, "1"), append_unknown=False)
            assert path is not None
            assert member.web.post(path[1]).status_code == 400, rule.endpoint


@pytest.mark.parametrize(
    ("public", "secure"), [("https://bot.example", True), ("", False), ("http://127.0.0.1:8000", False)]
)
def test_cookies_are_for_https_only_but_on_this_machine(small_demo: Demo, public: str, secure: bool) -> None:
    from dataclasses import replace

    from app import create_app

    runtime = small_demo.bot.runtime
    settings = runtime.settings.model_copy(update={"public_url": public})
    app = create_app(runtime=replace(runtime, settings=settings))
    answer = app.test_client().get("/console/sign-in", base_url="http://127.0.0.1:8000")
    assert [("Secure" in cookie) for cookie in answer.headers.getlist("Set-Cookie")] == [secure]
    assert ("Strict-Transport-Security" in answer.headers) is secure


def test_without_a_secret_key_the_console_says_what_is_missing(small_demo: Demo) -> None:
    from dataclasses import replace

    from app import create_app

    runtime = small_demo.bot.runtime
    settings = runtime.settings.model_copy(update={"secret_key": type(runtime.settings.secret_key)("")})
    answer = create_app(runtime=replace(runtime, settings=settings)).test_client().get("/console/")
    assert answer.status_code == 503
    assert b"SECRET_KEY" in answer.data


def test_roles_open_what_the_mapping_says_and_nothing_else(small_demo: Demo) -> None:
    for role in Role:
        member = signed_in(small_demo, role)
        for path, action in (("/console/staff", Action.MANAGE_STAFF), ("/console/audit", Action.SEE_AUDIT)):
            assert member.get(path).status_code == (200 if may(role, action) else 403), (role, path)
    assert not may(Role.ASSISTANT, Action.BROADCAST)


def test_a_record_that_does_not_exist_is_not_found(small_demo: Demo) -> None:
    owner = signed_in(small_demo)
    token = owner.form("/console/staff", "/console/staff").fields["csrf_token"]
    assert owner.web.post("/console/staff/9999", data={"csrf_token": token, "role": "owner"}).status_code == 404


def test_the_console_speaks_the_language_that_was_chosen_and_remembers_it(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    assert 'lang="ja"' in member.see("/console/")
    member.send("/console/language", {"locale": "en", "next": "/console/audit"}, "/console/")
    assert 'lang="en"' in member.see("/console/")
    other_browser = signed_in(small_demo)
    assert "Today" in other_browser.see("/console/")


def test_every_sentence_has_both_languages_and_the_same_places(small_demo: Demo) -> None:
    import re

    assert len(table()) > 80
    for key, words in table().items():
        places = {locale: sorted(re.findall(r"\{\w+\}", text)) for locale, text in words.items()}
        assert places["ja"] == places["en"], key
        assert all(text.strip() for text in words.values()), key
        assert not re.search(r"[ぁ-んァ-ヶ一-龠]", words["en"]), key
    assert list(FOLDER.glob("*.toml"))


def test_every_sentence_asked_for_is_there_and_every_one_there_is_asked_for() -> None:
    import re

    folder = FOLDER.parent
    sources = [*folder.rglob("*.html"), *folder.rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"""["']([a-z_]+\.[a-z_0-9]+)["']""", text))
    made = re.findall(r"""["']([a-z_]+\.[a-z_]*)["']\s*~|f["']([a-z_]+\.[a-z_]*)\{""", text)
    prefixes = tuple(a or b for a, b in made)
    for key in table():
        assert key in named or key.startswith(prefixes), f"{key} is never said"


def test_no_change_of_the_audit_is_possible(demo: Demo) -> None:
    signed_in(demo)
    with pytest.raises(Exception, match="audit refuses"), demo.bot.runtime.db.write() as tx:
        tx.execute(update(Audit).values(actor="nobody"))
