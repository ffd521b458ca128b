"""The staff's side of appointments: the week, decisions, hours, the other calendar, and calendars outside."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from icalendar import Calendar
from sqlalchemy import select

from bot import busy, schedule
from bot.access import Role
from bot.simulator.demo import Demo
from bot.store.tables import Booking
from tests.console.staff import Member, signed_in
from tests.patient import Patient


def asks_for(demo: Demo) -> Patient:
    """A patient who asked for Wednesday at two."""
    patient = Patient(demo)
    patient.follow()
    patient.tap("体の確認")
    patient.tap("同意して 20〜44歳")
    patient.say("予約したい")
    for label in ("4/8（水） の時間", "14:00", "この時間でお願いする"):
        patient.tap(label)
    assert "申し込みを受け付けました" in patient.heard
    return patient


def booking_id(demo: Demo) -> int:
    with demo.bot.runtime.db.read() as look:
        found: int = look.execute(select(Booking.id)).scalar_one()
        return found


def test_staff_see_a_request_in_the_week_and_confirm_it(small_demo: Demo) -> None:
    member, patient = signed_in(small_demo, Role.ASSISTANT), asks_for(small_demo)
    page = member.see("/console/bookings?week=2026-04-08")
    assert "確認待ちの申し込み" in page
    assert "14:00" in page
    one = booking_id(small_demo)
    before = len(patient.bubbles)
    with small_demo.bot.working():
        member.send(f"/console/bookings/{one}/confirm", {}, f"/console/bookings/{one}")
    small_demo.bot.drain()
    assert len(patient.bubbles) == before + 1
    assert "確定" in member.see(f"/console/bookings/{one}")
    assert "見せる同意がありません" in member.see(f"/console/bookings/{one}")


def test_the_feed_and_the_patients_file_show_the_same_time(small_demo: Demo) -> None:
    asks_for(small_demo)
    runtime = small_demo.bot.runtime
    with runtime.db.write() as tx:
        key = schedule.new_feed(tx, "owner", runtime.now())
    member = signed_in(small_demo, Role.OWNER)
    feed = Calendar.from_ical(member.get(f"/calendar/{key}.ics").get_data())
    events: list[Any] = list(feed.walk("VEVENT"))
    (event,) = events
    with runtime.db.read() as look:
        starts, ends, contact = look.execute(select(Booking.starts_at, Booking.ends_at, Booking.contact_id)).one()
        assert contact is not None
        mine = schedule.of_patient(look, runtime.content, contact, "ja", runtime.now())
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (starts, ends)
    assert event["STATUS"] == "TENTATIVE"
    assert [(one.span.starts, one.span.ends) for one in mine] == [(starts, ends)]
    assert member.get("/calendar/wrong.ics").status_code == 404


def test_hours_set_in_the_console_are_what_patients_are_offered(small_demo: Demo) -> None:
    member = signed_in(small_demo, Role.OWNER)
    numbers = {"slot_minutes": "30", "buffer_minutes": "0", "seats": "1", "notice_hours": "1", "horizon_days": "7"}
    hours = {"opens2": "09:00", "closes2": "10:00", "change_hours": "1"}
    member.send("/console/calendar", {**numbers, **hours}, "/console/calendar")
    page = member.see("/console/bookings?week=2026-04-08")
    assert "9:30" in page
    assert "14:00" not in page


ICS = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260408T010000Z\r
DTEND:20260408T100000Z\r\nRRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""


class _Other(BaseHTTPRequestHandler):
    body = ICS

    def do_GET(self) -> None:
        self.send_response(200 if self.body else 500)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_what_is_taken_elsewhere_is_not_offered_and_an_unreadable_calendar_closes_everything(small_demo: Demo) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    member, runtime = signed_in(small_demo, Role.OWNER), small_demo.bot.runtime
    url = f"http://127.0.0.1:{server.server_port}/other.ics"
    member.send("/console/calendar/other", {"url": url}, "/console/calendar")
    page = member.see("/console/bookings?week=2026-04-08")
    assert "4/8 水" in page
    day = page.split("4/8 水")[1].split("</section>")[0]
    assert "空き" not in day
    assert "空き" in page.split("4/9 木")[1].split("</section>")[0]
    _Other.body = b""
    small_demo.clock.move(timedelta(minutes=31))
    assert busy.tick(runtime) == 1
    _Other.body = ICS
    server.shutdown()
    server.server_close()
    assert "空きを案内していません" in member.see("/console/bookings?week=2026-04-08")
    assert "断られました" in member.see("/console/calendar")


def shared_page(demo: Demo, member: Member) -> str:
    """The page of the one appointment."""
    return member.see(f"/console/bookings/{booking_id(demo)}")


def test_the_therapist_reads_what_the_patient_shows_until_that_is_taken_back_in_any_way(small_demo: Demo) -> None:
    member, patient = signed_in(small_demo, Role.THERAPIST), asks_for(small_demo)
    for label in (*["どれもない"] * 7, "1週間より短い", "年に3回以上", "3", "腰が張る・重い"):
        patient.tap(label)
    hidden, told = "見せる同意がありません", "年に3回以上"
    assert hidden in shared_page(small_demo, member)

    def shows() -> None:
        for label in ("評価のご予約", "確認の結果を見せる", "見せる"):
            patient.tap(label)
        assert told in shared_page(small_demo, member)

    def hides() -> None:
        page = shared_page(small_demo, member)
        assert hidden in page
        assert told not in page

    shows()
    for label in ("評価のご予約", "見せるのをやめる"):
        patient.tap(label)
    hides()
    patient.tap_data("c|consents")
    for label in ("はい、見てもよい", "いいえ"):
        patient.tap(label)
    shows()
    patient.tap_data("c|consents")
    patient.tap("いいえ")
    hides()
    shows()
    patient.tap_data("c|stop")
    assert "の評価のご予約は、残っています" in patient.heard
    hides()
    patient.tap_old("見せる")
    hides()


def test_staff_see_who_was_told_to_see_a_doctor_and_their_decision_reaches_a_patient_they_talk_with(
    small_demo: Demo,
) -> None:
    member, patient = signed_in(small_demo, Role.OWNER), asks_for(small_demo)
    patient.say("妊娠しているかもしれません")
    assert "そのままお取りしてあります" in patient.heard
    assert "受診を先にご案内中" in shared_page(small_demo, member)
    assert "受診を先にご案内中" in member.see("/console/bookings?week=2026-04-08")
    member.send("/console/patients/1/act/take_over", {}, "/console/patients/1")
    small_demo.bot.drain()
    one = booking_id(small_demo)
    with small_demo.bot.working():
        member.send(f"/console/bookings/{one}/confirm", {}, f"/console/bookings/{one}")
    small_demo.bot.drain()
    page = shared_page(small_demo, member)
    assert "これまでの動き" in page
    assert page.index("<b>予約</b>") < page.index("<b>確定</b>")


def test_a_reminder_of_an_appointment_waits_for_the_end_of_a_talk_and_is_not_lost(small_demo: Demo) -> None:
    patient = asks_for(small_demo)
    patient.staff("confirm")
    patient.wait(timedelta(hours=31, minutes=30))
    member = signed_in(small_demo, Role.OWNER)
    member.send("/console/patients/1/act/take_over", {}, "/console/patients/1")
    assert "明日は、からだの評価のご予約日です" not in patient.wait(timedelta(minutes=31))
    assert "明日は、からだの評価のご予約日です" in patient.wait(timedelta(hours=2))


def test_who_has_blocked_us_is_marked_and_who_had_everything_deleted_leaves_a_free_time_without_a_name(
    small_demo: Demo,
) -> None:
    member, patient = signed_in(small_demo, Role.OWNER), asks_for(small_demo)
    week = "/console/bookings?week=2026-04-08"
    assert "届きません" not in member.see(week)
    patient.block()
    assert "メッセージが届きません" in member.see(week)
    patient.follow()
    patient.say("データを全部消してください")
    assert "4/8（水） 14:00 の評価のご予約も、取り消しになります" in patient.heard
    patient.tap("すべて消す")
    page = member.see(week)
    assert "患者 1" not in page
    assert "記録を消した方</a>" not in page
    assert "記録を消した方" in page
    assert "at=2026-04-08T14:00" in page, "it can be booked again by a tap"
