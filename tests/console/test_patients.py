"""Patients: found, filtered, read with their consent, exported - and whatever they write stays harmless and out of the logs."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from bot import logs
from bot.access import Role
from bot.simulator.demo import Demo
from bot.store.tables import Audit, Contact, Session
from bot.web.console.sheet import cell
from tests.console.staff import Member, forms, signed_in
from tests.databases import on_sqlite
from tests.patient import Patient
from tests.test_care_pages import screened

CONSENTS = '{"guidance":"2026-04-01T00:00:00Z","staff":"2026-04-01T00:00:00Z"}'
HOSTILE = "<script>alert(1)</script> & \"quoted\" 'x' 😀👩‍👩‍👧 \u202eעברית\u202c {{7*7}} ${7*7} =1+1"
MARKED = "ひみつのしるし8841"


def allow(demo: Demo) -> None:
    """Everybody there agrees that staff may read."""
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(consents=CONSENTS))


def number(patient: Patient) -> int:
    with patient.demo.bot.runtime.db.read() as look:
        found: int = look.execute(select(Contact.id).where(Contact.user_id == patient.user_id)).scalar_one()
        return found


def listed(member: Member, query: str = "") -> list[int]:
    page = member.see(f"/console/patients?{query}")
    return [int(one) for one in re.findall(r'<td[^>]*><span><a href="/console/patients/(\d+)"', page)]


@pytest.fixture
def three(demo: Demo) -> list[Patient]:
    """One who is doing well, one who must see a doctor, one who was never screened; the last one was here last."""
    well, flagged, new = (Patient(demo, name) for name in ("見本 花子", "見本 太郎", "Sample Person"))
    screened(well).tap("はじめる")
    demo.clock.move(timedelta(minutes=1))
    flagged.say("片足に力が入らなくて、つま先が上がらない")
    demo.clock.move(timedelta(minutes=1))
    new.follow()
    now = demo.clock.now()
    with demo.bot.runtime.db.write() as tx:
        for one, name in ((well, "見本 花子"), (flagged, "100%_太郎"), (new, "Sample Person")):
            tx.execute(update(Contact).where(Contact.user_id == one.user_id).values(name=name))
        tx.execute(update(Contact).where(Contact.name == "Sample Person").values(phone="03-1234-5678", is_test=True))
        for days, pain in ((20, 7), (10, 5), (1, 3)):
            row = {
                "contact_id": number(well),
                "routine": "hip",
                "started_at": now - timedelta(days=days),
                "pain_before": pain,
            }
            tx.execute(insert(Session), row)
    allow(demo)
    return [well, flagged, new]


def test_the_latest_seen_come_first_and_search_and_filters_find_the_right_ones(
    demo: Demo, three: list[Patient]
) -> None:
    member = signed_in(demo, Role.ASSISTANT)
    well, flagged, new = (number(one) for one in three)
    assert listed(member) == [new, flagged, well]
    for query, found in (
        ("search=花子", [well]),
        ("search=sample", [new]),
        ("search=1234", [new]),
        ("search=%25", [flagged]),
        ("search=_", [flagged]),
        (f"search=%23{well}", [well]),
        ("search=nobody", []),
        ("disposition=urgent", [flagged]),
        ("disposition=self_massage", [well]),
        ("disposition=none", [new]),
        ("routine=hip", [well]),
        ("adherence=some", [well]),
        ("adherence=none", [new, flagged]),
        ("trend=better", [well]),
        ("trend=worse", []),
        ("channel=line", [new, flagged, well]),
        ("channel=slack", []),
        ("tag=test", [new]),
        ("tag=blocked", []),
        ("tag=talking", []),
        ("seen=day&routine=hip", [well]),
        ("seen=longer", []),
        ("after=nonsense&disposition=nonsense", [new, flagged, well]),
    ):
        assert listed(member, query) == found, query


def test_filters_on_records_find_nobody_who_has_not_agreed(demo: Demo, three: list[Patient]) -> None:
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).where(Contact.id == number(three[0])).values(consents="{}"))
    member = signed_in(demo)
    assert listed(member, "trend=better") == []
    page = member.see("/console/patients?search=花子")
    assert "記録の閲覧に同意していません" in page
    assert "3/10" not in page


def test_a_long_list_has_pages_that_miss_nobody_and_repeat_nobody(demo: Demo) -> None:
    member, now = signed_in(demo), demo.clock.now()
    with demo.bot.runtime.db.write() as tx:
        for n in range(120):
            at = now - timedelta(minutes=n // 3)  # several at the same moment
            tx.execute(insert(Contact), {"channel": "line", "user_id": f"U{n}", "created_at": at, "seen_at": at})
    seen: list[int] = []
    path = "/console/patients"
    while path:
        page = member.see(path)
        seen += [int(one) for one in re.findall(r'<span><a href="/console/patients/(\d+)"', page)]
        more = re.search(r'href="(/console/patients\?after=[^"]+)"', page)
        path = more.group(1).replace("&amp;", "&") if more else ""
        with demo.bot.runtime.db.write() as tx:  # somebody new meanwhile stands on a page that was turned already
            row = {"channel": "line", "user_id": f"late {len(seen)}", "created_at": now, "seen_at": now}
            tx.execute(insert(Contact), row)
    assert len(seen) == len(set(seen)) == 120


@on_sqlite
def test_a_page_tells_everything_in_words_and_notes_who_opened_it(demo: Demo, three: list[Patient]) -> None:
    member, well = signed_in(demo), three[0]
    page = member.see(f"/console/patients/{number(well)}")
    for words in ("体の確認", "セルフケア", "腰が張る・重い", "どれもない", "ケアの記録", "<svg", "からだ"):
        assert words in page, words
    member.send(f"/console/patients/{number(well)}/notes", {"text": "来週お電話"}, f"/console/patients/{number(well)}")
    assert "来週お電話" in member.see(f"/console/patients/{number(well)}")
    with demo.bot.runtime.db.read() as look:
        noted = look.execute(select(Audit.action).where(Audit.contact_id == number(well), Audit.actor == member.name))
        assert set(noted.scalars()) == {"record_opened", "note_written"}


@on_sqlite
def test_in_the_masked_mode_no_name_and_no_number_is_shown_anywhere(demo: Demo, three: list[Patient]) -> None:
    member, new = signed_in(demo), three[2]
    member.send("/console/mask", {"next": "/console/patients"}, "/console/patients")
    three[1].say("スタッフの人と話したいです")
    for path in ("", "patients", f"patients/{number(new)}", f"patients/{number(new)}/export", "patients.csv", "chats"):
        page = member.see(f"/console/{path}")
        for secret in ("Sample Person", "03-1234-5678", "見本 花子", "100%_太郎", new.user_id):
            assert secret not in page, (path, secret)
    assert member.get(f"/console/patients/{number(new)}/export.json").status_code == 409


def test_the_export_of_one_patient_is_whole_and_only_for_those_who_agreed(demo: Demo, three: list[Patient]) -> None:
    member, well = signed_in(demo, Role.THERAPIST), three[0]
    made = json.loads(member.get(f"/console/patients/{number(well)}/export.json").data)
    assert len(made["session"]) == 4
    assert made["contact"][0]["name"] == "見本 花子"
    assert "腰が張る・重い" in member.see(f"/console/patients/{number(well)}/export")
    assert signed_in(demo, Role.ASSISTANT).get(f"/console/patients/{number(well)}/export.json").status_code == 403
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(consents="{}"))
    assert member.get(f"/console/patients/{number(well)}/export.json").status_code == 409
    assert member.get(f"/console/patients/{number(well)}/export").status_code == 409


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "　=1", "=cmd|'/c calc'!A1"]
)
def test_no_cell_can_become_a_formula(text: str) -> None:
    assert cell(text).startswith("'")
    assert not cell(cell(text)[1:] or "x").startswith("=")


def test_cells_that_are_harmless_stay_as_they_are() -> None:
    assert [cell(one) for one in ("見本 花子", "a=b", -3, 0, None, "3-1")] == ["見本 花子", "a=b", "-3", "0", "", "3-1"]


@on_sqlite
def test_the_file_of_the_list_is_read_back_as_it_was_and_holds_no_formula(demo: Demo, three: list[Patient]) -> None:
    member = signed_in(demo)
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).where(Contact.id == number(three[0])).values(name='=HYPERLINK("x")\n"'))
    answer = member.get("/console/patients.csv?disposition=self_massage")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[1][1] == '\'=HYPERLINK("x")\n"'
    assert len(rows) == 2
    for value in rows[1]:
        assert not value.startswith(("=", "+", "@")), value


# --- whatever they write ---


def test_markup_emoji_other_directions_and_long_texts_only_stand_there(small_demo: Demo) -> None:
    member, patient = signed_in(small_demo), Patient(small_demo, HOSTILE)
    patient.follow()
    patient.say(HOSTILE)
    patient.say("長" * 5000)
    patient.say("スタッフの人と話したいです " + HOSTILE)
    with small_demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(consents=CONSENTS, name=HOSTILE, phone="<b>1"))
    page = f"/console/patients/{number(patient)}"
    member.send(f"{page}/notes", {"text": HOSTILE}, page)
    member.send(f"{page}/act/say", {"text": HOSTILE, "cost": "known"}, page)
    small_demo.bot.drain()
    allow(small_demo)
    for path in (
        "/console/",
        "/console/patients",
        page,
        f"{page}/talk",
        f"{page}/export",
        "/console/chats",
        "/console/audit",
    ):
        html = member.see(path)
        assert "<script>alert" not in html, path
        assert "<b>1" not in html, path
        assert "49" not in re.findall(r"\{\{7\*7\}\}|>49<", html), path
    assert "&lt;script&gt;alert(1)" in member.see(page)
    assert "長" * 100 in member.see(f"{page}/talk")
    assert HOSTILE in patient.heard, "the patient gets it as it was written"


def test_what_a_patient_and_staff_say_is_in_no_log_line(
    small_demo: Demo, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        logs.configure(stream=stream)
        _everything(small_demo)
    logs.configure()
    out, err = capfd.readouterr()
    written = path.read_text() + caplog.text + out + err
    assert "sign_in_refused" in written, "log lines were looked at"
    assert MARKED not in written
    with small_demo.bot.runtime.db.read() as look:
        assert MARKED not in str(look.execute(select(Audit.detail)).scalars().all())


def _everything(demo: Demo) -> None:
    member, patient = signed_in(demo), Patient(demo, MARKED)
    member.web.get(f"/console/nothing/{MARKED}")
    Member(demo).sign_in(MARKED + MARKED)
    patient.follow()
    patient.say(MARKED)
    patient.say("おしっこが出ません。両足がしびれています " + MARKED)
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(consents=CONSENTS, name=MARKED))
    page = f"/console/patients/{number(patient)}"
    for path in (
        "/console/",
        "/console/patients?search=" + MARKED,
        "/console/patients.csv?search=" + MARKED,
        page,
        f"{page}/export",
    ):
        member.see(path)
    member.send(f"{page}/notes", {"text": MARKED}, page)
    member.send(f"{page}/details", {"name": MARKED, "phone": ""}, page)
    member.send(f"{page}/act/say", {"text": MARKED, "cost": "known"}, page)
    member.send(f"{page}/act/say", {"text": MARKED * 2000, "cost": "known"}, page)
    resolve = next(form for form in forms(member.see("/console/")) if form.action.endswith("/resolved"))
    member.web.post(resolve.action, data={**resolve.fields, "note": MARKED})
    member.web.post(f"{page}/notes", data={"text": MARKED})
    demo.bot.runtime.db.close()
    demo.bot.drain()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    import structlog

    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_the_gate_is_switched_by_an_owner_and_shown_to_everybody(demo: Demo) -> None:
    owner, other = signed_in(demo), signed_in(demo, Role.ASSISTANT)
    assert owner.send("/console/gate", {"to": "off"}, "/console/gate").status_code == 303
    assert "送信：停止中" in other.see("/console/patients")
    assert f"{owner.name} さんが切り替えました" in other.see("/console/gate")
    token = other.form("/console/", "/console/sign-out").fields
    assert other.web.post("/console/gate", data={**token, "to": "on"}).status_code == 403
    assert owner.web.post("/console/gate", data={**token, "to": "sideways"}).status_code == 400


def test_the_month_is_told_by_line_and_a_silent_line_is_never_nought(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    page = member.see("/console/")
    assert '<b class="number">0</b> / <span class="number">200</span>' in page
    small_demo.clock.move(timedelta(minutes=6))
    channel = small_demo.bot.runtime.channels["line"]
    channel._api._url = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    page = member.see("/console/")
    assert "LINEから今月の通数を読めませんでした" in page
    assert '<b class="number">0</b> /' not in page
