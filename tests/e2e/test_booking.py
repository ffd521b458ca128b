"""An assessment from the nudge to the cancellation in a real browser: the patient on a phone, staff at a desk, and a calendar
outside that reads the secret address."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from icalendar import Calendar
from playwright.sync_api import Browser, Page, expect

from bot.simulator.demo import Demo
from tests.e2e.conftest import PHONE
from tests.e2e.test_console import fits, sign_in
from tests.e2e.test_phone import inside, outside, press
from tests.patient import TOKYO, Patient, open_demo

DESK = (1280, 800)
NONE = "どれもない"


def cares(patient: Patient, *before: str) -> None:
    """The routine to its end, and the report but for its number."""
    for label in (*before, "はじめる"):
        patient.tap(label)
    while "できた・次へ" in patient.labels:
        patient.tap("できた・次へ")
    patient.tap("おわり")
    patient.tap("できた")


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    """Somebody whose back hurts again and again has been through the care of the third day, and is asked for the pain. The
    clock stands still until moved; the worker works."""
    with open_demo(sqlite_copy(tmp_path)) as demo:
        patient = Patient(demo)
        patient.follow()
        for label in ("体の確認", "同意して 20〜44歳", *[NONE] * 7, "時々出て、おさまる", "年に3回以上", "4"):
            patient.tap(label)
        cares(patient, "腰が張る・重い")
        for number, later in (("4", "はい、見てもよい"), ("3", "また今度")):
            patient.tap(number)
            patient.tap(later)
            patient.wait(timedelta(days=1))
            cares(patient, "きょうのケア", "ない", "3")
        with demo.bot.working():
            yield demo


@pytest.fixture
def windows(browser: Browser, demo: Demo) -> Iterator[Callable[[tuple[int, int], str], Page]]:
    """Opens a window of that size at a path. Fails when one asked for anything elsewhere or complained."""
    contexts, asked, complaints = [], list[str](), list[str]()

    def opened(size: tuple[int, int], path: str) -> Page:
        viewport: Any = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, locale="ja-JP", reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda one: asked.append(one.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("dialog", lambda one: one.accept())
        page.goto(demo.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(demo.url + "/")] == []
    assert complaints == []


def events(feed: str) -> list[tuple[datetime, str]]:
    """What a calendar program reads there: when, and how sure."""
    with urllib3.PoolManager() as web:
        answer = web.request("GET", feed)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    found: list[Any] = list(Calendar.from_ical(answer.data).walk("VEVENT"))
    return [(event["DTSTART"].dt, str(event["STATUS"])) for event in found]


def at(day: int, hour: int) -> datetime:
    """April 2026 in Tokyo."""
    return datetime(2026, 4, day, hour, tzinfo=TOKYO).astimezone(UTC)


def write(phone: Page, text: str) -> None:
    """Types it and waits for the answer."""
    before = phone.locator(".entry.theirs:not(.typing)").count()
    phone.get_by_role("textbox", name="メッセージを入力").fill(text)
    phone.keyboard.press("Enter")
    expect(phone.locator(".entry.theirs:not(.typing)").nth(before)).to_be_attached()


def choose_day(phone: Page, day: str) -> None:
    """In the calendar that the phone slides up."""
    before = phone.locator(".entry.theirs:not(.typing)").count()
    phone.locator("#log").get_by_role("button", name="カレンダーで選ぶ").last.click()
    phone.get_by_label("日にちを選ぶ").fill(day)
    phone.locator("#time").get_by_role("button").click()
    expect(phone.locator(".entry.theirs:not(.typing)").nth(before)).to_be_attached()


def pass_time(phone: Page, days: int = 0, hours: int = 0) -> None:
    """By the buttons beside the phone."""
    inside(phone)
    for button, times in (("+1 日", days), ("+1 時間", hours)):
        for _ in range(times):
            before = phone.locator(".now").inner_text()
            phone.get_by_role("button", name=button).click()
            expect(phone.locator(".now")).not_to_have_text(before)
    outside(phone)


def both(desk: Page) -> None:
    """At a desk and on a phone."""
    fits(desk)
    desk.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    fits(desk)
    desk.set_viewport_size({"width": DESK[0], "height": DESK[1]})


def look(desk: Page, path: str, words: str) -> None:
    """A page of the console, where that stands."""
    desk.goto(desk.url.split("/console")[0] + f"/console/{path}")
    expect(desk.locator("main")).to_contain_text(words)
    both(desk)


def test_who_is_nudged_books_is_reminded_twice_moves_and_cancels_while_staff_and_their_calendar_see_each_of_it(
    windows: Callable[[tuple[int, int], str], Page], demo: Demo
) -> None:
    phone, desk = windows(PHONE, "/"), windows(DESK, "/console/")
    log = phone.locator("#log")
    press(phone, "3")
    expect(log).to_contain_text("年に3回以上くり返している方には")
    fits(phone)
    for label in ("空いている日を見る", "4/10（金） の時間", "14:00", "この時間でお願いする"):
        press(phone, label)
        fits(phone)
    expect(log).to_contain_text("申し込みを受け付けました")
    for label in ("確認の結果を見せる", "見せる"):
        press(phone, label)

    sign_in(desk, demo)
    desk.get_by_role("link", name="受付の時間").click()
    desk.get_by_role("button", name="新しい住所を作る").click()
    feed = desk.locator("code.once").inner_text()
    assert events(feed) == [(at(10, 14), "TENTATIVE")]
    look(desk, "bookings?week=2026-04-10", "確認待ちの申し込み")
    desk.locator("section", has_text="確認待ちの申し込み").first.get_by_role("link").first.click()
    both(desk)
    expect(desk.locator("main")).to_contain_text("年に3回以上")
    desk.get_by_role("button", name="確定する").click()
    expect(desk.get_by_text("確定し、お知らせしました。")).to_be_visible()
    expect(log).to_contain_text("ご予約が決まりました")
    assert events(feed) == [(at(10, 14), "CONFIRMED")]

    pass_time(phone, days=1, hours=8)
    expect(log).to_contain_text("明日は、からだの評価のご予約日です")
    fits(phone)
    demo.clock.move(timedelta(hours=18))
    expect(log).to_contain_text("きょうは、からだの評価のご予約日です")
    fits(phone)
    press(phone, "予約を変える")
    choose_day(phone, "2026-04-19")
    expect(log).to_contain_text("4/19（日） は、空いている時間がありません")
    fits(phone)
    choose_day(phone, "2026-04-14")
    press(phone, "10:00")
    expect(log).to_contain_text("いまのご予約を、4/14（火） 10:00〜11:00 に変えますか")
    press(phone, "この時間でお願いする")
    fits(phone)
    assert events(feed) == [(at(14, 10), "TENTATIVE")]
    desk.goto(f"{demo.url}/console/")
    sign_in(desk, demo)
    look(desk, "bookings?week=2026-04-14", "確認待ちの申し込み")
    desk.locator("section", has_text="確認待ちの申し込み").first.get_by_role("link").first.click()
    desk.get_by_role("button", name="確定する").click()
    expect(log).to_contain_text("4/14（火） の 10:00〜11:00")
    assert events(feed) == [(at(14, 10), "CONFIRMED")]

    write(phone, "予約をキャンセルしたい")
    press(phone, "取り消す")
    expect(log).to_contain_text("ご予約を取り消しました")
    fits(phone)
    assert events(feed) == []
    look(desk, "bookings?week=2026-04-14", "最近の動き（7日）")
    told = desk.locator(".changes li").all_inner_texts()
    assert [line.split()[2] for line in told] == ["取り消し", "確定", "時間の変更", "確定", "予約"]
    expect(desk.locator("table.rows")).to_contain_text("1 (100%)")
    desk.locator(".changes a").first.click()
    expect(desk.locator("main")).to_contain_text("取り消し")
    both(desk)

    desk.goto(f"{demo.url}/console/calendar")
    desk.get_by_label("ほかのカレンダー（iCal の住所）").fill(f"{demo.url}/calendar/nowhere.ics")
    desk.locator("section", has_text="ほかのカレンダー").get_by_role("button", name="保存する").click()
    expect(desk.get_by_role("alert")).to_contain_text("読めません（断られました）。読めるまで、空きは案内しません。")
    both(desk)
    look(desk, "bookings", "空きを案内していません")
    expect(desk.locator(".week")).not_to_contain_text("空き:")
    press(phone, "評価のご予約")
    expect(log).to_contain_text("いまは空き時間を確かめられません")
    fits(phone)
