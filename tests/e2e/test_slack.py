"""Slack's window in a real browser: from /selfcare to a done session, a red flag of LINE in the staff's channel, a tip from
there to both, and an administrator who takes the app in."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from bot.simulator.demo import Demo
from bot.store import codec
from bot.store.tables import Contact

WIDE, NARROW = (1280, 900), (375, 812)
SLOW = 30_000
"""Milliseconds."""


def press(page: Page, label: str) -> None:
    """The newest button of that name."""
    button = page.locator("#log").get_by_role("button", name=label, exact=True).last
    expect(button).to_be_visible(timeout=SLOW)
    button.click()


def heard(page: Page, text: str) -> None:
    """What the app said last has come."""
    expect(page.locator("#log .post").last).to_contain_text(text, timeout=SLOW)


def go_through_a_session(page: Page) -> None:
    """From /selfcare to the thanks after the first session."""
    expect(page.locator("#member option").first).to_be_attached(timeout=SLOW)  # the page has begun
    page.get_by_label("メッセージを書く / Write a message").fill("/selfcare")
    page.keyboard.press("Enter")
    for label in ("体の確認", "同意して 20〜44歳"):
        press(page, label)
    for step in range(2, 9):
        expect(page.locator("#log h2").last).to_contain_text(f"{step}/", timeout=SLOW)
        press(page, "どれもない")
    for label in ("1週間より短い", "年に1〜2回", "3", "腰が張る・重い", "はじめる"):
        press(page, label)
    for step in range(1, 4):
        heard(page, f"{step}/4")
        press(page, "できた・次へ")
    for text, label in (("4/4", "おわり"), ("いかがでしたか", "できた"), ("いまの痛み", "2")):
        heard(page, text)
        press(page, label)
    heard(page, "ありがとうございます")


def see_no_sideways_scrolling(page: Page) -> None:
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]  # type: ignore[index]


def agree_to_tips(demo: Demo, user_id: str) -> None:
    """As after a first session, which this patient had before."""
    with demo.bot.runtime.db.write() as tx:
        row = tx.execute(select(Contact.state).where(Contact.user_id == user_id)).one()
        now = demo.clock.now()
        state = replace(codec.state_from(row.state), consents={"guidance": now, "tips": now})
        values = {"state": codec.state_json(state), "consents": codec.times_json(state.consents)}
        tx.execute(update(Contact).where(Contact.user_id == user_id).values(**values))


@pytest.mark.parametrize("page", [WIDE], indirect=True)
def test_one_walk_a_session_in_slack_a_red_flag_of_line_and_a_tip_to_both(page: Page, demo: Demo) -> None:
    demo.list_slack_staff()
    flagged, well = demo.platform.chats.people()[:2]
    agree_to_tips(demo, well.user_id)
    page.locator("#slack").click()

    go_through_a_session(page)
    press(page, "はい、見てもよい")
    heard(page, "小さなコツ")
    press(page, "はい、ほしい")
    heard(page, "うけたまわりました")

    demo.webhooks.say(flagged.user_id, "おしっこが出にくくて、お股の感覚がありません")
    staff = page.locator("#staff-log")
    expect(staff).to_contain_text("緊急：119 の案内をしました", timeout=SLOW)
    expect(staff).to_contain_text("受付 ")
    assert "おしっこ" not in staff.inner_text()

    page.get_by_label("スタッフとして書く / Write as staff").fill("/tip")
    page.keyboard.press("Enter")
    form = page.locator("#modal")
    expect(form).to_be_visible(timeout=SLOW)
    tip = demo.bot.runtime.content.tips[0].title.ja
    for name, choice in (("choose", tip), ("audience", "みなさん（2人）"), ("when", "いますぐ")):
        row = form.locator(f'fieldset[data-block="p|0|tip/{name}|"]')
        if row.locator("select").count():
            row.locator("select").select_option(label=choice)
        else:
            row.get_by_label(choice).check()
    form.locator("button[type=submit]").click()
    expect(staff).to_contain_text("届く方：2人", timeout=SLOW)
    staff.get_by_role("button", name="この内容で送る").click()
    expect(staff).to_contain_text("さんが送りました（2人、いますぐ）", timeout=SLOW)
    heard(page, tip)
    see_no_sideways_scrolling(page)

    page.goto(demo.url)
    page.locator("#people").get_by_text(well.name).click()
    expect(page.locator("#log")).to_contain_text(tip, timeout=SLOW)
    assert demo.slack.violations == []


@pytest.mark.parametrize("page", [NARROW], indirect=True)
def test_an_administrator_takes_the_app_in_and_sees_how_it_ended(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/slack/install")
    page.get_by_role("link", name=demo.employer.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Slack につながりました", timeout=SLOW)
    see_no_sideways_scrolling(page)


@pytest.mark.parametrize("page", [NARROW], indirect=True)
def test_a_patient_goes_from_selfcare_to_a_done_session_on_a_phone(page: Page, demo: Demo) -> None:
    page.locator("#slack").click()
    go_through_a_session(page)
    see_no_sideways_scrolling(page)
    assert demo.slack.violations == []


@pytest.mark.parametrize("page", [NARROW], indirect=True)
def test_a_red_flag_of_line_is_in_the_staffs_window_with_its_clock_and_is_confirmed_there(
    page: Page, demo: Demo
) -> None:
    patient = demo.platform.chats.people()[0]
    demo.webhooks.say(patient.user_id, "おしっこが出にくくて、お股の感覚がありません")
    page.goto(f"{demo.url}/simulator/slack/")
    page.get_by_role("button", name="スタッフ / Staff").click()
    staff = page.locator("#staff-log")
    expect(staff).to_contain_text("緊急：119 の案内をしました", timeout=30_000)
    expect(staff).to_contain_text("受付 ")
    staff.get_by_role("button", name="確認しました").click()
    expect(staff).to_contain_text("さんが確認しました", timeout=30_000)
    expect(staff.get_by_role("button", name="確認しました")).to_have_count(0)
    assert "おしっこ" not in staff.inner_text()
