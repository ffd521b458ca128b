"""The patient's own pages in a real browser, on a phone's and a desk's width."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bot.messages import Command
from bot.simulator.demo import Demo
from tests.patient import Patient, open_demo

NONE = "どれもない"
SIZES = [(375, 812), (1280, 800)]
on_both = pytest.mark.parametrize("context", SIZES, indirect=True, ids=["phone", "desk"])

LISTEN = """
window.heard = { beeps: 0, buzzes: [], locks: 0 };
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.heard.beeps += 1; return make.call(this); };
navigator.vibrate = (pattern) => { window.heard.buzzes.push(pattern); return true; };
Object.defineProperty(navigator, "wakeLock", { value: {
  request: async () => { window.heard.locks += 1; return { addEventListener() {}, release() { window.heard.locks -= 1; } }; },
} });
"""
"""What a phone would sound, buzz and keep awake."""


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    with open_demo(sqlite_copy(tmp_path)) as demo:
        yield demo


@pytest.fixture
def patient(demo: Demo) -> Patient:
    """Somebody who has been screened and has begun the routine of the low back."""
    patient = Patient(demo)
    patient.follow()
    for label in ("体の確認", "同意して 20〜44歳", *[NONE] * 7, "1週間より短い", "年に1〜2回", "3", "腰が張る・重い"):
        patient.tap(label)
    patient.tap("はじめる")
    return patient


@pytest.fixture
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    width, height = getattr(request, "param", SIZES[0])
    context = browser.new_context(viewport={"width": width, "height": height}, locale="ja-JP", has_touch=True)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Iterator[Page]:
    """Fails when it asked for anything elsewhere or complained about anything."""
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda one: complaints.append(f"{one.text} {one.location}") if one.type in ("error", "warning") else None,
    )
    page.add_init_script(LISTEN)
    yield page
    assert [url for url in asked if not url.startswith(demo.url + "/")] == []
    # the icon in the tab is not the page's own: the browser asks for it again whenever it likes, offline too
    assert [one for one in complaints if "/care/static/icon.svg" not in one] == []
    assert context.cookies() == []


def link(patient: Patient, label: str) -> str:
    return next(b.value for r in patient.answer for b in r.buttons if b.label == label)


@pytest.fixture
def player(page: Page, patient: Patient) -> Page:
    """The player at its second step, sixty seconds a side, before it is begun; time is the test's."""
    page.clock.install()
    page.goto(link(patient, "画面で見ながら"))
    expect(page.get_by_role("heading", name="場所をたしかめる")).to_be_visible()
    page.get_by_role("button", name="次へ").click()
    expect(page.get_by_role("heading", name="手のひらで小さな円")).to_be_visible()
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def shows(page: Page, seconds: int) -> bool:
    """Give or take one: the page looks at its clock five times a second, and the browser's own time runs on."""
    return abs(int(page.locator("#seconds").inner_text()) - seconds) <= 1


def test_the_clock_counts_one_side_then_the_other_and_then_shows_the_next_step(player: Page) -> None:
    press(player, "はじめる")
    player.clock.run_for(10_000)
    assert shows(player, 50)
    expect(player.locator("#left")).to_have_class("side on")
    player.clock.run_for(51_000)
    expect(player.locator("#mood")).to_have_text("反対側へ")
    expect(player.locator("#right")).to_have_class("side on")
    player.clock.run_for(5_000)
    assert shows(player, 59)
    player.clock.run_for(61_000)
    expect(player.get_by_role("heading", name="ひざを軽くかかえる")).to_be_visible()
    expect(player.get_by_role("button", name="はじめる")).to_be_visible()


def test_a_pause_stops_the_clock_and_going_on_takes_it_up(player: Page) -> None:
    press(player, "はじめる")
    player.clock.run_for(20_000)
    press(player, "一時停止")
    expect(player.locator("#mood")).to_have_text("止まっています")
    stands = int(player.locator("#seconds").inner_text())
    player.clock.run_for(60_000)
    assert stands == int(player.locator("#seconds").inner_text())
    assert shows(player, 40)
    press(player, "つづける")
    player.clock.run_for(10_000)
    assert shows(player, 30)


def test_back_begins_the_step_again_and_then_goes_to_the_one_before(player: Page) -> None:
    press(player, "はじめる")
    player.clock.run_for(20_000)
    press(player, "もどる")
    assert shows(player, 60)
    press(player, "もどる")
    expect(player.get_by_role("heading", name="場所をたしかめる")).to_be_visible()
    expect(player.get_by_role("button", name="もどる")).to_be_disabled()


def test_a_change_sounds_and_buzzes_unless_that_is_switched_off(player: Page) -> None:
    press(player, "はじめる")
    player.clock.run_for(61_000)
    assert player.evaluate("heard.beeps") == 1
    assert player.evaluate("heard.buzzes.length") == 1
    press(player, "音")
    press(player, "振動")
    expect(player.get_by_role("button", name="音")).to_have_attribute("aria-pressed", "false")
    player.clock.run_for(70_000)
    expect(player.get_by_role("heading", name="ひざを軽くかかえる")).to_be_visible()
    assert player.evaluate("heard.beeps") == 1
    assert player.evaluate("heard.buzzes.length") == 1


def test_the_screen_stays_awake_while_the_clock_runs_and_only_then(player: Page) -> None:
    assert player.evaluate("heard.locks") == 0
    press(player, "はじめる")
    player.wait_for_function("heard.locks === 1")
    press(player, "一時停止")
    assert player.evaluate("heard.locks") == 0


def test_when_it_hurts_one_tap_stops_the_clock_and_says_what_to_do(player: Page) -> None:
    press(player, "はじめる")
    player.clock.run_for(5_000)
    press(player, "痛い・しびれる")
    dialog = player.get_by_role("dialog", name="ここでやめて、休みましょう")
    expect(dialog).to_contain_text("トークに戻り")
    expect(dialog).to_contain_text("するどい痛み、しびれ、めまい")
    expect(dialog.get_by_role("link", name="119 に電話")).to_have_attribute("href", "tel:119")
    expect(dialog.get_by_role("link", name="トークに戻る")).to_have_attribute("href", "https://line.me/R/")
    player.clock.run_for(60_000)
    press(player, "ケアの画面に戻る")
    assert shows(player, 55)


def test_the_keyboard_is_enough(player: Page) -> None:
    player.keyboard.press("Space")
    player.clock.run_for(4_000)
    assert shows(player, 56)
    player.keyboard.press("Space")
    expect(player.locator("#mood")).to_have_text("止まっています")
    player.keyboard.press("ArrowRight")
    expect(player.get_by_role("heading", name="ひざを軽くかかえる")).to_be_visible()
    player.keyboard.press("ArrowLeft")
    expect(player.get_by_role("heading", name="手のひらで小さな円")).to_be_visible()
    player.locator("#hurts").focus()
    player.keyboard.press("Enter")
    expect(player.get_by_role("dialog")).to_be_visible()
    player.keyboard.press("Escape")
    expect(player.get_by_role("dialog")).to_be_hidden()


def test_once_loaded_the_whole_routine_runs_without_a_network(player: Page, context: BrowserContext) -> None:
    player.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    context.set_offline(True)
    for title in ("手のひらで小さな円", "ひざを軽くかかえる", "息をはいてお腹をへこます"):
        expect(player.get_by_role("heading", name=title)).to_be_visible()
        expect(player.get_by_role("img").first).to_be_visible()
        press(player, "はじめる")
        player.clock.run_for(130_000)
    expect(player.get_by_role("heading", name="おつかれさまでした")).to_be_visible()
    expect(player.locator("#done")).to_contain_text("きょうはここまで")
    context.set_offline(False)


def test_changes_are_announced_and_the_counting_is_not(player: Page) -> None:
    told = player.get_by_role("status")
    press(player, "はじめる")
    player.clock.run_for(1_000)
    expect(told).to_have_text("左側、60秒")
    player.clock.run_for(5_000)
    expect(told).to_have_text("左側、60秒")
    player.clock.run_for(55_000)
    expect(told).to_contain_text("反対側へ 右側")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_want_it_still(player: Page, motion: str) -> None:
    player.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    lasts = player.locator("#arc").evaluate("one => getComputedStyle(one).transitionDuration")
    assert lasts == ("0s" if motion == "reduce" else "0.25s")
    press(player, "はじめる")
    player.clock.run_for(3_000)
    assert shows(player, 57)


@on_both
def test_everything_on_the_player_fits_the_screen_and_can_be_hit_with_a_thumb(player: Page) -> None:
    assert player.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in player.locator("button:visible").all():
        box = button.bounding_box()
        size = player.viewport_size
        assert box is not None
        assert size is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= size["height"]


def test_every_control_and_picture_has_a_name(player: Page, patient: Patient) -> None:
    nameless = "all => all.filter(one => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).length"
    assert player.locator("button:visible, a:visible, input:visible").evaluate_all(nameless) == 0
    assert player.locator(".slide img").evaluate_all("all => all.every(one => one.alt.length > 5)")
    patient.tap_data("c|data")
    player.goto(link(patient, "記録のページを開く"))
    assert player.locator("button:visible, a:visible, input:visible").evaluate_all(nameless) == 0
    expect(player.get_by_role("textbox", name="「消す」と入力")).to_be_visible()


@on_both
def test_progress_is_a_picture_and_a_table(page: Page, patient: Patient) -> None:
    for label in ("きょうはここまで", "できた", "1"):
        patient.tap(label)
    patient.tap_menu(Command.PROGRESS)
    page.goto(link(patient, "グラフのページ"))
    expect(page.get_by_role("img", name="痛みの折れ線グラフ")).to_be_visible()
    page.get_by_text("数字を表で見る").click()
    expect(page.get_by_role("row", name="2026/4/6 3 1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_patient_reads_keeps_and_deletes_everything(page: Page, patient: Patient, demo: Demo) -> None:
    patient.say("<img src=x onerror=alert(1)>")
    patient.tap_data("c|data")
    page.goto(link(patient, "記録のページを開く"))
    page.locator("details:has(.talk) summary").click()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as saved:
        page.get_by_role("link", name="ファイルを保存する").click()
    assert saved.value.suggested_filename == "selfcare-records.json"
    page.get_by_role("textbox").fill("消す")
    page.get_by_role("button", name="すべて消す").click()
    expect(page.get_by_role("heading", name="うけたまわりました")).to_be_visible()
    demo.bot.drain()
    assert patient.state.screening is None


def test_the_player_is_closed_after_the_days_check_grew_old(page: Page, patient: Patient, demo: Demo) -> None:
    path = link(patient, "画面で見ながら")
    page.goto(path)
    demo.clock.move(timedelta(hours=1))
    assert page.request.get(path).status == 409
