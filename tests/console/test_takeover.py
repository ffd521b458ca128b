"""A person takes over: the guide is silent, but never about a warning sign."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from bot.access import Role
from bot.messages import Message, Priority, Words
from bot.outbox import Address, put
from bot.simulator.demo import Demo
from bot.store.tables import Audit, Contact, Outbox, OutboxStatus
from tests.console.staff import Member, signed_in
from tests.databases import on_sqlite
from tests.patient import Patient
from tests.test_care_pages import screened

SIGN = "おしっこが出ません。両足がしびれています"


@pytest.fixture
def member(demo: Demo) -> Member:
    return signed_in(demo, Role.ASSISTANT)


@pytest.fixture
def patient(demo: Demo) -> Patient:
    return screened(Patient(demo))


def contact_id(patient: Patient) -> int:
    with patient.demo.bot.runtime.db.read() as look:
        found: int = look.execute(select(Contact.id).where(Contact.user_id == patient.user_id)).scalar_one()
        return found


def act(member: Member, patient: Patient, what: str, **values: str) -> str:
    """Where it leads to, or what is wrong; then everything due is done, and the patient sees it."""
    page = f"/console/patients/{contact_id(patient)}"
    patient._seen = patient.demo.platform.chats.seq
    answer = member.send(f"{page}/act/{what}", values, page)
    member.demo.bot.drain()
    return "" if answer.status_code == 303 else answer.get_data(as_text=True)


def test_the_patient_is_told_that_a_person_is_here_and_the_guide_is_silent_until_handed_back(
    member: Member, patient: Patient
) -> None:
    act(member, patient, "take_over")
    assert "スタッフが直接お返事します" in patient.heard
    assert patient.say("今日のケア") == ""
    assert patient.say("ありがとう") == ""
    assert patient.tap_old("はじめる") == ""
    act(member, patient, "say", text="お電話してもよいですか？", cost="known")
    assert patient.heard == "お電話してもよいですか？"
    act(member, patient, "hand_back")
    assert "自動のご案内に戻ります" in patient.heard
    assert patient.say("今日のケア") != ""


@on_sqlite
def test_the_first_answer_carries_the_notice_in_the_same_message(member: Member, patient: Patient) -> None:
    before = patient.demo.platform.billed()
    act(member, patient, "say", text="こんにちは", cost="known")
    assert "スタッフが直接お返事します" in patient.heard
    assert "こんにちは" in patient.heard
    assert patient.demo.platform.billed() == before + 1


@on_sqlite
def test_a_warning_sign_is_heard_all_the_same_each_time(member: Member, patient: Patient) -> None:
    act(member, patient, "take_over")
    assert "119" in patient.say(SIGN)
    assert [one.urgency for one in patient.new_alerts] == ["emergency"]
    assert "119" in patient.say(SIGN)
    assert patient.say("わかりました") == ""


@on_sqlite
def test_a_card_of_warning_signs_is_answered_all_the_same(member: Member, demo: Demo) -> None:
    patient = Patient(demo)
    patient.follow()
    patient.tap("体の確認")
    patient.tap("同意して 20〜44歳")
    act(member, patient, "take_over")
    patient.tap_old("新しくある・迷う" if "新しくある・迷う" in str(patient.labels) else "どれもない")
    assert patient.heard != ""


@on_sqlite
def test_stopping_and_deleting_are_heard_all_the_same(member: Member, patient: Patient) -> None:
    act(member, patient, "take_over")
    assert (
        "お送りしません" in patient.say("やめたい 配信停止")
        or patient.state.stopped
        or patient.say("すべて止めて") != ""
    )


@on_sqlite
def test_the_guide_comes_back_by_itself_when_the_time_is_up(member: Member, patient: Patient) -> None:
    act(member, patient, "take_over", hours="1")
    patient.wait(timedelta(minutes=59))
    assert patient.say("メニュー") == ""
    patient.wait(timedelta(minutes=2))
    assert patient.say("メニュー") != ""


@on_sqlite
def test_an_answer_within_a_minute_is_free_and_a_later_one_says_what_it_costs_first(
    member: Member, patient: Patient
) -> None:
    page = f"/console/patients/{contact_id(patient)}"
    act(member, patient, "take_over")
    before = patient.demo.platform.billed()
    patient.say("腰が少し楽です")
    assert "無料で返信できます" in member.see(page)
    act(member, patient, "say", text="よかったです")
    assert (patient.heard, patient.demo.platform.billed()) == ("よかったです", before)
    assert "通数を1通使います" in member.see(page)
    wrong = act(member, patient, "say", text="また教えてください", cost="")
    assert "もう一度押してください" in wrong
    assert "また教えてください" in wrong, "what was written is not lost"
    assert patient.heard == ""
    act(member, patient, "say", text="また教えてください", cost="known")
    assert patient.demo.platform.billed() == before + 1


def test_what_nobody_asked_for_waits_while_staff_talk_and_leaves_afterwards(member: Member, patient: Patient) -> None:
    act(member, patient, "take_over", hours="1")
    runtime = patient.demo.bot.runtime
    with runtime.db.write() as tx:
        to = Address(contact_id(patient), "line", patient.user_id)
        tip = Message((Words("小さなコツ"),))
        put(runtime.db, tx, to, tip, cause="t", dedupe_key="t", now=runtime.now(), priority=Priority.BROADCAST)
    patient.wait(timedelta(minutes=30))
    assert patient.heard == ""
    patient.wait(timedelta(minutes=31))
    assert patient.heard == "小さなコツ"


def test_the_same_press_twice_is_one_message(member: Member, patient: Patient) -> None:
    page = f"/console/patients/{contact_id(patient)}"
    form = member.form(page, f"{page}/act/say")
    for _ in range(2):
        member.web.post(form.action, data={**form.fields, "text": "こんにちは", "cost": "known"})
    member.demo.bot.drain()
    assert str([b.message for b in patient.bubbles]).count("こんにちは") == 1


@pytest.mark.parametrize(
    ("text", "says"), [("   ", "何も書かれていません"), ("あ" * 4001, "長すぎます"), ("😀" * 2001, "長すぎます")]
)
def test_what_cannot_be_sent_is_said_before_it_is_tried(small_demo: Demo, text: str, says: str) -> None:
    member, patient = signed_in(small_demo), Patient(small_demo)
    patient.follow()
    assert says in act(member, patient, "say", text=text, cost="known")
    assert patient.heard == ""


def test_the_longest_answer_arrives_whole(small_demo: Demo) -> None:
    member, patient = signed_in(small_demo), Patient(small_demo)
    patient.follow()
    assert act(member, patient, "say", text="😀" * 2000, cost="known") == ""
    assert "😀" * 2000 in patient.heard


@on_sqlite
def test_after_a_doctors_visit_the_body_check_begins_anew_and_only_that_opens_self_care(demo: Demo) -> None:
    member, patient = signed_in(demo, Role.THERAPIST), screened(Patient(demo))
    patient.say("片足に力が入らなくて、つま先が上がらない")
    assert patient.state.lock is not None
    page = f"/console/patients/{contact_id(patient)}"
    patient._seen = demo.platform.chats.seq
    assert member.send(f"{page}/seen-doctor", {}, page).status_code == 303
    demo.bot.drain()
    assert "受診されたことをうかがいました" in patient.heard
    assert patient.state.lock is not None, "only a clear check takes it away"
    with demo.bot.runtime.db.read() as look:
        assert "chat_seen_doctor" in look.execute(select(Audit.action)).scalars().all()


def test_an_assistant_cannot_clear_after_a_doctors_visit(small_demo: Demo) -> None:
    member, patient = signed_in(small_demo, Role.ASSISTANT), Patient(small_demo)
    patient.say(SIGN)
    page = f"/console/patients/{contact_id(patient)}"
    token = member.form(page, "/console/sign-out").fields
    assert member.web.post(f"{page}/seen-doctor", data=token).status_code == 403


@on_sqlite
def test_staff_read_without_consent_only_what_is_said_while_they_talk(demo: Demo) -> None:
    member, patient = signed_in(demo), Patient(demo)
    patient.follow()
    patient.say("前に話したひみつ")
    page = f"/console/patients/{contact_id(patient)}"
    assert "前に話したひみつ" not in member.see(page)
    demo.clock.move(timedelta(minutes=1))
    act(member, patient, "take_over", hours="1")
    demo.clock.move(timedelta(minutes=1))
    patient.say("スタッフへの話")
    shown = member.see(page)
    assert "スタッフへの話" in shown
    assert "前に話したひみつ" not in shown
    demo.clock.move(timedelta(hours=2))
    member.sign_in()
    assert "スタッフへの話" not in member.see(page)


def test_those_who_wait_for_an_answer_come_first_among_the_conversations(demo: Demo) -> None:
    member, one, other = signed_in(demo), Patient(demo, "見本 一"), Patient(demo, "見本 二")
    for patient in (one, other):
        patient.follow()
        act(member, patient, "take_over")
    demo.clock.move(timedelta(minutes=1))
    other.say("もしもし")
    page = member.see("/console/chats")
    first, second = (page.index(f"/console/patients/{contact_id(patient)}") for patient in (other, one))
    assert first < second
    assert page.count("お返事済み") == 1


def test_an_erased_patient_is_not_found_and_takes_what_waited_along(demo: Demo) -> None:
    member, patient = signed_in(demo), Patient(demo)
    patient.follow()
    act(member, patient, "take_over")
    number = contact_id(patient)
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Outbox).values(status=OutboxStatus.SENT))
        from bot import contacts

        contacts.erase(tx, number, demo.clock.now(), "patient")
    for path in ("", "/talk", "/export", "/export.json"):
        assert member.get(f"/console/patients/{number}{path}").status_code == 404


def test_what_staff_write_and_its_audit_are_one_and_survive_the_end_of_the_process(
    small_demo: Demo,
) -> None:
    member, patient = signed_in(small_demo), Patient(small_demo)
    patient.follow()
    page = f"/console/patients/{contact_id(patient)}"
    form = member.form(page, f"{page}/act/say").fields
    db = small_demo.bot.runtime.db
    with db.write() as tx:  # the second half of the transaction fails
        tx.execute(text("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'broken'); END"))
    values = {**form, "text": "こんにちは", "cost": "known"}
    assert member.web.post(f"{page}/act/say", data=values).status_code == 500
    small_demo.bot.drain()
    assert patient.say("メニュー") != "", "nothing of it happened: the guide is not silent"
    with db.write() as tx:
        tx.execute(text("DROP TRIGGER broken"))
    assert member.web.post(f"{page}/act/say", data=values).status_code == 303
    db.close()  # committed, and the process ends before the turn
    patient._seen = small_demo.platform.chats.seq
    small_demo.bot.drain()
    assert "こんにちは" in patient.heard
