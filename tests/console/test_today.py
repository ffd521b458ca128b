"""The first page: what patients raise is there at once, and what cannot be read is never shown as nought."""

import re
from collections.abc import Sequence

from sqlalchemy import select, text

from bot.access import Role
from bot.simulator.demo import Demo
from bot.store.tables import Alert, Audit
from tests.console.staff import Member, forms, signed_in
from tests.patient import Patient

SIGN = "おしっこが出ません。両足がしびれています"


def steps(member: Member) -> Sequence[str]:
    """Where the buttons of the alerts lead."""
    return [form.action for form in forms(member.see("/console/")) if "/alerts/" in form.action]


def counts(page: str) -> list[str]:
    return re.findall(r'class="count[^"]*">(\d+)<', page)


def test_an_alert_raised_by_a_patient_is_seen_called_and_resolved(demo: Demo) -> None:
    member, patient = signed_in(demo, Role.ASSISTANT), Patient(demo)
    assert counts(member.see("/console/")) == ["0", "0", "0"]
    patient.say(SIGN)
    page = member.see("/console/")
    assert counts(page)[:2] == ["1", "0"]
    assert "119を案内しました" in page
    assert SIGN not in page, "no consent was given to read along"
    waiting = member.get("/console/today/waiting")
    assert "119を案内しました" in waiting.get_data(as_text=True)
    seen, called, resolved = steps(member)
    member.send(seen, {}, "/console/")
    assert f"{member.name} さんが確認" in member.see("/console/")
    member.send(called, {}, "/console/")
    member.send(resolved, {"note": "ご家族と救急車で病院へ"}, "/console/")
    assert counts(member.see("/console/"))[:2] == ["0", "0"]
    with demo.bot.runtime.db.read() as look:
        alert = look.execute(select(Alert)).one()
        assert (alert.acknowledged_by, alert.called_by, alert.resolved_by) == (member.name,) * 3
        assert alert.note == "ご家族と救急車で病院へ"
        noted = look.execute(select(Audit.action).where(Audit.contact_id.is_not(None)).order_by(Audit.id)).scalars()
        assert list(noted) == ["alert_acknowledged", "alert_called", "alert_resolved"]


def test_what_somebody_did_first_is_not_done_again(demo: Demo) -> None:
    one, other, patient = signed_in(demo), signed_in(demo, Role.ASSISTANT), Patient(demo)
    patient.say(SIGN)
    form = other.form("/console/", steps(other)[1])
    one.send(form.action, {}, "/console/")
    other.web.post(form.action, data=form.fields)
    assert "先に記録していました" in other.see("/console/")
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(Alert.called_by)).scalar_one() == one.name


def test_who_asked_for_a_person_waits_in_a_list_of_their_own(demo: Demo) -> None:
    member, patient = signed_in(demo), Patient(demo)
    patient.say("スタッフの人と話したいです")
    assert counts(member.see("/console/"))[:2] == ["0", "1"]


def test_the_worst_comes_first_and_then_the_one_that_waits_longest(demo: Demo) -> None:
    member = signed_in(demo)
    Patient(demo, "見本 一").say("片足に力が入らなくて、つま先が上がらない")
    Patient(demo, "見本 二").say(SIGN)
    Patient(demo, "見本 三").say(SIGN)
    page = member.see("/console/")
    found = re.findall(r"alarm-(\w+)\"", page)
    assert found == ["emergency", "emergency", "urgent"]
    since = [int(at) for at in re.findall(r'data-since="(\d+)"', page)]
    assert since[0] <= since[1]


def test_the_part_that_renews_itself_keeps_its_stamp_while_nothing_changes(demo: Demo) -> None:
    member = signed_in(demo)
    first = member.get("/console/today/waiting").headers["X-Stamp"]
    assert member.get("/console/today/waiting").headers["X-Stamp"] == first
    Patient(demo).say(SIGN)
    assert member.get("/console/today/waiting").headers["X-Stamp"] != first


def test_a_part_that_cannot_be_read_says_so_and_shows_no_nought(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    with small_demo.bot.runtime.db.write() as tx:
        tx.execute(text("ALTER TABLE booking RENAME TO elsewhere"))
        tx.execute(text("ALTER TABLE alert RENAME TO elsewhere_too"))
    page = member.see("/console/")
    assert page.count("読めませんでした") == 3
    assert counts(page) == []
    assert "今日のご予約はありません" not in page
    assert "連絡が必要な方はいません" not in page


def test_an_alert_that_is_not_there_is_not_found(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    token = member.form("/console/", "/console/sign-out").fields
    assert member.web.post("/console/alerts/77/called", data=token).status_code == 404
    assert member.web.post("/console/alerts/77/dropped", data=token).status_code == 404
