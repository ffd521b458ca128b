"""The patient's own pages, from the chat's button to what is shown, on both databases."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from werkzeug.test import Client, TestResponse

from bot import links
from bot.config import Settings
from bot.messages import Card, Choice, Command, Message, Page, Words
from bot.simulator.demo import Demo
from bot.store.tables import Base, Contact, Inbox, Session
from tests.databases import on_sqlite
from tests.patient import START, Patient

NONE = "どれもない"
PAGES: tuple[Page, ...] = ("player", "progress", "data")


@pytest.fixture
def patient(demo: Demo) -> Patient:
    """Somebody who has been screened and may begin."""
    return screened(Patient(demo))


def screened(patient: Patient) -> Patient:
    patient.follow()
    for label in ("体の確認", "同意して 20〜44歳", *[NONE] * 7, "1週間より短い", "年に1〜2回", "3", "腰が張る・重い"):
        patient.tap(label)
    return patient


def web(demo: Demo) -> Client:
    return Client(demo.bot.wsgi)


def link(patient: Patient, label: str) -> str:
    """The path behind a button of the last answer."""
    found = [b.value for r in patient.answer for b in (*r.buttons, *r.quick) if b.label == label and b.kind == "uri"]
    assert found, f"no [{label}] that opens a page: {patient.labels}"
    assert found[0].startswith(patient.demo.url + "/care/")
    return urlsplit(found[0]).path


def player(patient: Patient) -> str:
    patient.tap("はじめる")
    return link(patient, "画面で見ながら")


def progress(patient: Patient) -> str:
    patient.tap_menu(Command.PROGRESS)
    return link(patient, "グラフのページ")


def data(patient: Patient) -> str:
    patient.tap_menu(Command.MENU)
    patient.tap("わたしの記録")
    return link(patient, "記録のページを開く")


def text(response: TestResponse) -> str:
    return response.get_data(as_text=True)


# --- links ---


@pytest.mark.parametrize("opens", [player, progress, data], ids=PAGES)
def test_the_button_in_the_chat_opens_the_page(demo: Demo, patient: Patient, opens: Callable[[Patient], str]) -> None:
    response = web(demo).get(opens(patient))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response.headers["X-Robots-Tag"]
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "Set-Cookie" not in response.headers
    assert patient.user_id not in text(response).split("<main")[0]


@on_sqlite
@pytest.mark.parametrize("opens", [player, progress, data], ids=PAGES)
def test_an_old_link_tells_how_to_get_a_new_one_and_shows_nothing(
    demo: Demo, patient: Patient, opens: Callable[[Patient], str]
) -> None:
    path = opens(patient)
    demo.clock.move(timedelta(hours=25))
    response = web(demo).get(path)
    assert response.status_code == 410
    assert "トークに戻り" in text(response)
    assert "腰まわり" not in text(response)
    assert response.headers["Cache-Control"] == "no-store"


@on_sqlite
@pytest.mark.parametrize("page", PAGES)
def test_a_forged_link_opens_nothing(demo: Demo, patient: Patient, page: Page) -> None:
    good = progress(patient).rpartition("/")[2]
    other = links.address(Settings(secret_key=SecretStr("another")), page, 1, demo.clock.now()).rpartition("/")[2]
    own = links.address(demo.bot.runtime.settings, page, 1, demo.clock.now()).rpartition("/")[2]
    for token in ("x", "a.b.c", "%00", "1", good[:-1], good + "x", other, own.replace(".", "..", 1), "日本"):
        response = web(demo).get(f"/care/{page}/{token}")
        assert response.status_code == 403, token
        assert "トークに戻り" in text(response)


@on_sqlite
@pytest.mark.parametrize("page", [page for page in PAGES if page != "progress"])
def test_a_link_of_one_page_opens_no_other(demo: Demo, patient: Patient, page: Page) -> None:
    token = progress(patient).rpartition("/")[2]
    assert web(demo).get(f"/care/{page}/{token}").status_code == 403


@on_sqlite
def test_a_closed_page_speaks_the_readers_language(demo: Demo) -> None:
    assert "Go back to the chat" in text(web(demo).get("/care/data/x", headers={"Accept-Language": "en-GB,en;q=0.9"}))
    assert "トークに戻り" in text(web(demo).get("/care/data/x"))


@on_sqlite
def test_everybody_sees_only_their_own(demo: Demo, patient: Patient) -> None:
    patient.say("ひみつの話です")
    other = screened(Patient(demo, "見本 太郎(サンプル)"))
    assert "ひみつの話です" in text(web(demo).get(data(patient)))
    assert "ひみつの話です" not in text(web(demo).get(data(other)))
    assert "ひみつの話です" not in text(web(demo).get(data(other) + "/file"))


@on_sqlite
def test_nothing_personal_stands_in_an_address(patient: Patient) -> None:
    assert patient.user_id not in data(patient)


@pytest.mark.parametrize(
    ("public", "key", "can"),
    [
        ("https://bot.example", "k", True),
        ("https://bot.example", "", False),
        ("", "k", False),
        ("http://bot.example", "k", False),
    ],
)
def test_a_button_whose_page_cannot_be_opened_is_left_out(public: str, key: str, can: bool) -> None:
    settings = Settings(public_url=public, secret_key=SecretStr(key))
    page = Choice("記録", page="data")
    message = Message((Words("a"), Card("b", choices=(page,))), quick=(page,))
    found = links.signed(settings, message, 7, START)
    card = found.parts[1]
    assert isinstance(card, Card)
    assert [len(card.choices), len(found.quick)] == ([1, 1] if can else [0, 0])
    assert all((c.uri or "").startswith("https://bot.example/care/data/") and c.page is None for c in card.choices)


# --- the player ---


@on_sqlite
def test_the_player_shows_the_steps_of_the_routine_under_way(demo: Demo, patient: Patient) -> None:
    page = text(web(demo).get(player(patient)))
    for word in (
        "手のひらで小さな円",
        "low_back-hands.png",
        'data-sides="left right"',
        "痛い・しびれる",
        "きょうはここまで",
    ):
        assert word in page
    assert 'data-first="0"' in page


@on_sqlite
def test_the_player_begins_where_the_chat_is(demo: Demo, patient: Patient) -> None:
    path = player(patient)
    patient.tap("できた・次へ")
    assert 'data-first="1"' in text(web(demo).get(path))


@on_sqlite
@pytest.mark.parametrize("said", ["おしっこが出にくいです", "熱が39度あります"])
def test_a_warning_sign_closes_the_player_at_once(demo: Demo, patient: Patient, said: str) -> None:
    path = player(patient)
    assert web(demo).get(path).status_code == 200
    patient.say(said)
    assert patient.state.lock is not None
    response = web(demo).get(path)
    assert response.status_code == 409
    assert "先に、きょうの確認をしましょう" in text(response)
    assert "手のひら" not in text(response)


@on_sqlite
def test_the_player_closes_when_the_routine_ends(demo: Demo, patient: Patient) -> None:
    path = player(patient)
    patient.tap("きょうはここまで")
    assert web(demo).get(path).status_code == 409


@on_sqlite
def test_the_player_closes_when_the_days_check_grows_old(demo: Demo, patient: Patient) -> None:
    path = player(patient)
    demo.clock.move(timedelta(minutes=59))
    assert web(demo).get(path).status_code == 200
    demo.clock.move(timedelta(minutes=1))
    assert web(demo).get(path).status_code == 409


# --- progress ---


def test_progress_counts_what_was_begun_and_draws_what_was_told(demo: Demo, patient: Patient) -> None:
    patient.tap("はじめる")
    patient.tap("きょうはここまで")
    patient.tap("できた")
    patient.tap("1")
    page = text(web(demo).get(progress(patient)))
    assert "<b>1</b>" in page
    assert '<circle class="mark before"' in page
    assert '<rect class="mark after"' in page
    assert "<td>3</td><td>1</td>" in page
    assert "お答えの範囲で、セルフケアをご案内しました" in page
    assert "この7日間に始めたケアは 1 回" in patient.heard


@on_sqlite
def test_without_anything_done_progress_says_so(demo: Demo) -> None:
    newcomer = Patient(demo)
    newcomer.follow()
    page = text(web(demo).get(progress(newcomer)))
    assert "まだ記録がありません" in page
    assert "<svg" not in page
    assert "まだ記録がありません" in newcomer.heard


# --- my data ---


def test_the_file_holds_every_row_that_points_at_the_patient(demo: Demo, patient: Patient) -> None:
    patient.tap("はじめる")
    patient.say("熱が39度あります")
    patient.say("今日はとても疲れました")
    path = data(patient)
    response = web(demo).get(path + "/file")
    assert response.mimetype == "application/json"
    assert "attachment" in response.headers["Content-Disposition"]
    stored = json.loads(text(response))
    with demo.bot.runtime.db.read() as look:
        own = select(Contact.id).where(Contact.user_id == patient.user_id).scalar_subquery()
        for table in Base.metadata.sorted_tables:
            if "contact_id" in table.c:
                keys = list(table.primary_key.columns)
                rows = look.execute(select(*keys).where(table.c.contact_id == own)).all()
                held = [tuple(row[key.name] for key in keys) for row in stored[table.name]]
                assert held == sorted(map(tuple, rows)), table.name
    for name in ("inbox", "outbox", "screening", "session", "alert", "audit"):
        assert stored[name], name
    assert stored["contact"][0]["user_id"] == patient.user_id
    assert stored["contact"][0]["state"]["screening"]["answers"]["pain"] == "3"
    assert "今日はとても疲れました" in text(response)


def test_the_page_tells_what_was_said_answered_and_agreed_to(demo: Demo, patient: Patient) -> None:
    patient.say("今日はとても疲れました")
    page = text(web(demo).get(data(patient)))
    for word in (
        "今日はとても疲れました",
        "お答えを使ったセルフケアのご案内",
        "おしっこが出にくい",
        "（ボタン） どれもない",
    ):
        assert word in page, word


@on_sqlite
def test_markup_in_a_message_is_shown_as_it_was_typed(demo: Demo, patient: Patient) -> None:
    patient.say("<script>alert(1)</script>\"'><img src=x onerror=alert(1)>")
    page = text(web(demo).get(data(patient)))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@on_sqlite
def test_a_consent_is_withdrawn_by_way_of_the_engine(demo: Demo, patient: Patient) -> None:
    assert "guidance" in patient.state.consents
    path = data(patient)
    for _ in range(2):
        assert web(demo).post(path + "/withdraw", data={"purpose": "guidance"}).status_code == 202
    demo.bot.drain()
    assert patient.state.consents == {}
    assert patient.state.stopped
    with demo.bot.runtime.db.read() as look:
        told = look.execute(select(func.count()).select_from(Inbox).where(Inbox.kind == "decided")).scalar_one()
    assert told == 1
    assert web(demo).post(path + "/withdraw", data={"purpose": "guidance"}).status_code == 400


def test_one_consent_goes_and_the_others_stay(demo: Demo, patient: Patient) -> None:
    patient.tap_data("c|consents")
    patient.tap("はい、見てもよい")
    patient.tap("はい、ほしい")
    web(demo).post(data(patient) + "/withdraw", data={"purpose": "tips"})
    demo.bot.drain()
    assert set(patient.state.consents) == {"guidance", "staff"}
    assert "同意をひとつ取り消しました" in patient.heard


@on_sqlite
def test_nothing_is_deleted_before_the_word_is_typed(demo: Demo, patient: Patient) -> None:
    path = data(patient)
    for word in ("", "けす", "はい", "x" * 3000):
        response = web(demo).post(path + "/erase", data={"word": word})
        assert response.status_code == 400
        assert "まだ消していません" in text(response)
    assert web(demo).post(path + "/erase", data={"word": "x" * 9000}).status_code == 413
    demo.bot.drain()
    assert patient.state.screening is not None


def test_all_is_deleted_and_the_link_is_dead(demo: Demo, patient: Patient) -> None:
    patient.tap("はじめる")
    patient.say("熱が39度あります")
    path = data(patient)
    for _ in range(2):
        assert web(demo).post(path + "/erase", data={"word": " 消す "}).status_code == 202
    demo.bot.drain()
    assert "すべて消しました" in patient.heard
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(func.count()).select_from(Contact)).scalar_one() == 0
        for table in Base.metadata.sorted_tables:
            if table.name not in ("audit", "inbox", "outbox") and "contact_id" in table.c:
                assert look.execute(select(func.count()).select_from(table)).scalar_one() == 0, table.name
        assert look.execute(select(func.count()).where(Inbox.event.is_not(None))).scalar_one() == 0
        assert look.execute(select(func.count()).where(Session.id > 0)).scalar_one() == 0
    for rest in ("", "/file"):
        response = web(demo).get(path + rest)
        assert response.status_code == 410
        assert "ひみつ" not in text(response)
    assert web(demo).post(path + "/erase", data={"word": "消す"}).status_code == 410


@on_sqlite
def test_the_pages_speak_english_to_those_who_do(demo: Demo) -> None:
    guest = Patient(demo, language="en")
    guest.follow()
    guest.tap("English")
    guest.tap_menu(Command.PROGRESS)
    assert "My progress" in text(web(demo).get(link(guest, "Open my chart")))
    guest.tap_data("c|data")
    page = text(web(demo).get(link(guest, "Open my records")))
    assert '<html lang="en">' in page
    assert "Delete everything" in page


@on_sqlite
@pytest.mark.parametrize("name", ["care.css", "player.js", "signals.js", "icon.svg"])
def test_the_pages_own_files_are_served_with_the_same_care(demo: Demo, name: str) -> None:
    response = web(demo).get(f"/care/static/{name}")
    with closing(response):
        assert text(response) == Path("bot/web/care/static", name).read_text(encoding="utf-8")
        assert "max-age" in response.headers["Cache-Control"]
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
