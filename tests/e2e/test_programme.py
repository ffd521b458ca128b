"""The programme by time travel in the demo's page: nine in the evening, one tap to the daily card, the weekly picture."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.simulator.chats import SAMPLES
from bot.simulator.demo import Demo
from tests.e2e.test_phone import NONE, inside, newcomer, outside, press
from tests.patient import open_demo


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    """A Monday, 10:00 in Tokyo."""
    with open_demo(sqlite_copy(tmp_path)) as demo:
        for name in SAMPLES:
            demo.webhooks.follow(demo.platform.chats.add_person(name).user_id)
        with demo.bot.working():
            yield demo


def travel(page: Page, label: str, times: int = 1) -> None:
    inside(page)
    for _ in range(times):
        before = page.locator(".ahead").text_content() or ""
        page.get_by_role("button", name=label).click()
        expect(page.locator(".ahead")).not_to_have_text(before)
    outside(page)


def say(page: Page, words: str) -> None:
    before = page.locator(".entry.theirs:not(.typing)").count()
    page.get_by_role("textbox", name="メッセージを入力").fill(words)
    page.keyboard.press("Enter")
    expect(page.locator(".entry.theirs:not(.typing)").nth(before)).to_be_attached()


def last(page: Page) -> str:
    return page.locator(".entry.theirs:not(.typing)").last.inner_text()


def test_a_patient_is_reminded_at_nine_does_the_session_and_gets_the_weekly_picture(page: Page, demo: Demo) -> None:
    newcomer(page)
    for label in ("体の確認", "同意して 20〜44歳", *[NONE] * 7, "1〜4週間", "年に1〜2回", "3", "腰が張る・重い"):
        press(page, label)
    say(page, "毎晩9時にお知らせして")
    assert "毎日 21:00" in last(page)
    press(page, "週のまとめがほしい")
    press(page, "日曜日")
    travel(page, "+1 時間", 10)
    assert "もうできた" not in page.locator("#log").inner_text()
    travel(page, "+1 時間")
    expect(page.locator("#log").get_by_role("button", name="きょうのケア").last).to_be_visible()
    for label in ("きょうのケア", "ない", "3", "はじめる", "きょうはここまで", "できた", "2"):
        press(page, label)
    press(page, "はい、見てもよい")
    travel(page, "+1 日", 6)
    picture = page.locator("#log img[src*='trend']").last
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.complete && one.naturalWidth > 0")
    assert demo.platform.violations == []
