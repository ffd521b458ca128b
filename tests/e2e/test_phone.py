"""The page of `flask demo` in a real browser."""

import pytest
import urllib3
from playwright.sync_api import Page, expect

from bot.channels.line.menu import set_up
from bot.simulator.demo import Demo

NONE = "どれもない"
on_both = pytest.mark.parametrize("page", [(375, 812), (1280, 800)], indirect=True, ids=["phone", "desk"])


def newcomer(page: Page) -> None:
    page.get_by_role("button", name="新しい人").click()
    page.get_by_role("button", name="友だち追加", exact=True).click()
    expect(page.locator(".theirs .flex-bubble").first).to_be_visible()


def press(page: Page, label: str) -> None:
    """The newest button or chip with that label, then the answer."""
    before = page.locator(".entry.theirs:not(.typing)").count()
    chips = page.locator("#quick").get_by_role("button", name=label, exact=True)
    button = chips if chips.count() else page.locator("#log").get_by_role("button", name=label, exact=True).last
    button.click()
    expect(page.locator(".entry.theirs:not(.typing)").nth(before)).to_be_attached()


def inside(page: Page) -> None:
    """To the inspector; on a wide screen it is there already."""
    tab = page.get_by_role("button", name="中を見る")
    if tab.is_visible():
        tab.click()


def outside(page: Page) -> None:
    tab = page.get_by_role("button", name="電話", exact=True)
    if tab.is_visible():
        tab.click()


@on_both
def test_a_stranger_adds_the_clinic_is_screened_and_guided_through_the_routine(page: Page, demo: Demo) -> None:
    newcomer(page)
    press(page, "体の確認")
    press(page, "同意して 20〜44歳")
    for _ in range(7):
        press(page, NONE)
    for label in ("時々出て、おさまる", "年に1〜2回", "3", "腰が張る・重い", "はじめる"):
        press(page, label)
    expect(page.locator(".flex-bubble").last).to_contain_text("1/")
    for label in ("できた・次へ", "できた・次へ", "できた・次へ", "おわり"):
        press(page, label)
    expect(page.locator(".flex-bubble").last).to_contain_text("おつかれさま")
    pictures = page.locator("#log img").evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0)")
    assert pictures
    assert all(pictures)
    inside(page)
    expect(page.locator(".card-state")).to_contain_text("self_massage")
    expect(page.locator(".card-deliveries .tag-sent").first).to_be_visible()
    assert demo.platform.billed() == 0


def test_quick_replies_go_away_with_the_next_message(page: Page) -> None:
    newcomer(page)
    press(page, "体の確認")
    press(page, "同意して 20〜44歳")
    expect(page.locator("#quick").get_by_role("button", name="ひとつ戻る")).to_be_visible()
    page.get_by_role("button", name="ブロック", exact=True).click()
    expect(page.locator("#quick")).to_be_hidden()


def test_what_was_said_is_marked_as_read(page: Page) -> None:
    newcomer(page)
    page.get_by_role("textbox", name="メッセージを入力").fill("こんにちは")
    page.get_by_role("button", name="送信", exact=True).click()
    expect(page.locator(".mine .said").last).to_have_text("こんにちは")
    expect(page.locator(".mine .read").last).to_have_text("既読")


def test_what_is_typed_can_never_become_markup(page: Page) -> None:
    newcomer(page)
    page.get_by_role("textbox", name="メッセージを入力").fill("<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .said").last).to_have_text("<img src=x onerror=alert(1)>")
    assert page.locator(".mine .said img").count() == 0


def test_an_emergency_offers_a_number_that_the_demo_never_dials(page: Page) -> None:
    newcomer(page)
    press(page, "体の確認")
    press(page, "同意して 20〜44歳")
    page.get_by_role("textbox", name="メッセージを入力").fill("おしっこが出にくい")
    page.keyboard.press("Enter")
    page.locator("#log").get_by_role("button", name="119").last.click()
    expect(page.get_by_role("dialog")).to_contain_text("119")
    page.get_by_role("button", name="閉じる").click()
    inside(page)
    expect(page.locator(".card-alerts")).to_contain_text("emergency")


def test_a_sticker_is_sent_and_answered(page: Page) -> None:
    newcomer(page)
    page.get_by_role("button", name="スタンプ").click()
    page.get_by_role("button", name="ありがとう").click()
    expect(page.locator(".mine .sticker")).to_have_count(1)
    expect(page.locator(".entry.theirs:not(.typing)").nth(1)).to_be_attached()


def test_the_rich_menu_is_drawn_from_content_and_its_fields_work(page: Page) -> None:
    newcomer(page)
    toggle = page.locator("#menu-toggle")
    if toggle.get_attribute("aria-expanded") == "false":
        toggle.click()
    page.locator("#menu").get_by_role("button", name="体の確認").click()
    expect(page.locator(".flex-bubble").last).to_contain_text("1/")
    expect(page.locator("#menu")).to_be_hidden()


def test_the_uploaded_rich_menu_takes_the_place_of_the_drawn_one(page: Page, demo: Demo) -> None:
    said: list[str] = []
    assert set_up(demo.bot.runtime.settings, demo.bot.runtime.content, said.append), said
    newcomer(page)
    picture = page.locator("#menu .menu-picture img")
    toggle = page.locator("#menu-toggle")
    expect(picture).to_be_attached()
    if toggle.get_attribute("aria-expanded") == "false":
        toggle.click()
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.naturalWidth") == 2500
    page.locator("#menu").get_by_role("button").first.click()
    expect(page.locator(".flex-bubble").last).to_contain_text("1/")


@on_both
def test_a_day_passes_in_a_tap(page: Page, demo: Demo) -> None:
    inside(page)
    before = page.locator(".now").text_content()
    page.get_by_role("button", name="+1 日").click()
    expect(page.locator(".ahead")).to_have_text("+24 時間進めた")
    expect(page.locator(".now")).not_to_have_text(before or "")
    page.get_by_role("button", name="+1 時間").click()
    expect(page.locator(".ahead")).to_have_text("+25 時間進めた")
    assert demo.clock.added.total_seconds() == 25 * 3600


def test_blocking_stops_the_chat_and_unblocking_goes_on(page: Page) -> None:
    newcomer(page)
    page.get_by_role("button", name="ブロック", exact=True).click()
    expect(page.locator(".notice").last).to_contain_text("ブロックしました")
    before = page.locator(".entry.theirs:not(.typing)").count()
    page.get_by_role("button", name="ブロック解除").click()
    expect(page.locator(".entry.theirs:not(.typing)").nth(before)).to_be_attached()


def test_a_message_taken_back_is_gone_from_the_phone_and_from_the_store(page: Page) -> None:
    newcomer(page)
    page.get_by_role("textbox", name="メッセージを入力").fill("ないしょの話")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .said").last).to_have_text("ないしょの話")
    page.locator(".mine .unsend").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mine .said")).to_have_count(0)
    inside(page)
    page.locator(".card-events summary").click()
    expect(page.locator(".card-events")).to_contain_text("unsent")
    expect(page.locator(".card-events")).not_to_contain_text("ないしょの話")


def test_a_redelivered_webhook_is_answered_once(page: Page, demo: Demo) -> None:
    newcomer(page)
    press(page, "体の確認")
    before = page.locator(".entry.theirs:not(.typing)").count()
    inside(page)
    page.locator(".card-webhooks summary").click()
    page.get_by_role("button", name="最後の知らせをもう一度送る").click()
    expect(page.locator(".card-webhooks .tag-done")).to_have_count(3)
    outside(page)
    page.wait_for_timeout(1000)
    expect(page.locator(".entry.theirs:not(.typing)")).to_have_count(before)


def test_the_two_samples_have_been_greeted_and_each_has_a_chat_of_their_own(page: Page) -> None:
    expect(page.locator(".theirs .flex-bubble")).to_have_count(1)
    page.get_by_role("textbox", name="メッセージを入力").fill("わたしは花子")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .said")).to_have_count(1)
    page.get_by_role("button", name="見本 太郎(サンプル)").click()
    expect(page.locator(".mine .said")).to_have_count(0)
    expect(page.locator(".theirs .flex-bubble")).to_have_count(1)


def test_the_page_speaks_english_too(page: Page) -> None:
    page.get_by_role("button", name="English", exact=True).first.click()
    expect(page.get_by_role("button", name="New person")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    page.reload()
    expect(page.get_by_role("button", name="New person")).to_be_visible()


@on_both
def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    newcomer(page)
    press(page, "体の確認")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    inside(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_control_has_a_name_and_new_bubbles_are_announced(page: Page) -> None:
    newcomer(page)
    named = """one => one.ariaLabel || one.textContent.trim() || one.querySelector('img[alt]:not([alt=""])')"""
    controls = page.locator("button:visible, input:visible")
    nameless = controls.evaluate_all(f"all => all.filter(one => !({named})(one)).map(one => one.outerHTML)")
    assert nameless == []
    log = page.get_by_role("log")
    assert log.get_attribute("aria-live") == "polite"
    assert page.locator(".flex-bubble").first.get_attribute("aria-label")


def test_the_whole_screening_can_be_walked_by_keyboard(page: Page) -> None:
    newcomer(page)
    page.locator("#log").get_by_role("button", name="体の確認").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".flex-bubble").last).to_contain_text("1/")
    page.locator("#log").get_by_role("button", name="同意して 20〜44歳").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".flex-bubble").last).to_contain_text("2/")
    page.locator("#quick").get_by_role("button", name="ひとつ戻る").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".flex-bubble").last).to_contain_text("1/")
    assert page.evaluate("document.activeElement.id") == "log"  # the chip is gone; the focus is not lost


@pytest.mark.parametrize("path", ["/", "/simulator/main.js"])
def test_no_script_or_style_may_stand_in_the_page_itself(demo: Demo, path: str) -> None:
    with urllib3.PoolManager() as web:
        response = web.request("GET", demo.url + path)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
