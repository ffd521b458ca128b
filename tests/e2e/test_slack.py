"""Slack's window in a real browser: from /selfcare to a done session, and a red flag of LINE in the staff's channel."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.simulator.demo import Demo

WIDE, NARROW = (1280, 900), (375, 812)


def press(page: Page, label: str) -> None:
    """The newest button of that name."""
    button = page.locator("#log").get_by_role("button", name=label, exact=True).last
    expect(button).to_be_visible(timeout=30_000)
    button.click()


@pytest.mark.parametrize("page", [WIDE, NARROW], indirect=True)
def test_a_patient_goes_from_selfcare_to_a_done_session(page: Page, demo: Demo) -> None:
    page.locator("#slack").click()
    page.get_by_label("メッセージを書く / Write a message").fill("/selfcare")
    page.keyboard.press("Enter")
    for label in ("体の確認", "同意して 20〜44歳"):
        press(page, label)
    for step in range(2, 9):
        expect(page.locator("#log h2").last).to_contain_text(f"{step}/", timeout=30_000)
        press(page, "どれもない")
    for label in ("1週間より短い", "年に1〜2回"):
        press(page, label)
    press(page, "3")
    press(page, "腰が張る・重い")
    press(page, "はじめる")
    log = page.locator("#log")
    for _ in range(20):
        buttons = log.locator(".post").last.get_by_role("button")
        expect(buttons.first).to_be_visible(timeout=30_000)
        before = log.locator(".post").count()
        names = buttons.all_inner_texts()
        if any("0" <= name[:1] <= "9" for name in names):
            break
        buttons.first.click()
        expect(log.locator(".post")).not_to_have_count(before, timeout=30_000)
    press(page, "2")
    page.wait_for_function("() => document.querySelectorAll('#log .post').length > 15")
    assert demo.slack.violations == []
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]  # type: ignore[index]


@pytest.mark.parametrize("page", [WIDE, NARROW], indirect=True)
def test_a_red_flag_of_line_is_in_the_staffs_window_with_its_clock_and_is_confirmed_there(
    page: Page, demo: Demo, tmp_path: Path
) -> None:
    patient = demo.platform.chats.people()[0]
    demo.webhooks.say(patient.user_id, "おしっこが出にくくて、お股の感覚がありません")
    page.goto(f"{demo.url}/simulator/slack/")
    if page.viewport_size == {"width": NARROW[0], "height": NARROW[1]}:
        page.get_by_role("button", name="スタッフ / Staff").click()
    staff = page.locator("#staff-log")
    expect(staff).to_contain_text("緊急：119 の案内をしました", timeout=30_000)
    expect(staff).to_contain_text("受付 ")
    staff.get_by_role("button", name="確認しました").click()
    expect(staff).to_contain_text("さんが確認しました", timeout=30_000)
    expect(staff.get_by_role("button", name="確認しました")).to_have_count(0)
    assert "おしっこ" not in staff.inner_text()
