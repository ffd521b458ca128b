"""A member of staff who sees the console for the first time, on a phone and at a desk: somebody needs a call, somebody wants to
talk. And nothing that a patient writes does anything but stand there."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from bot.simulator.demo import Demo
from bot.store.tables import Alert, Contact

SIZES = [(375, 812), (1280, 800)]
SIGN = "昨日から急におしっこが出なくなって、両足がしびれています"
HOSTILE = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\"> 😀 \u202eעברית =cmd|'/c'!A1"


@pytest.fixture
def desk(request: pytest.FixtureRequest, browser: Browser, demo: Demo) -> Iterator[Page]:
    """The console's sign-in in a fresh browser. Fails when a page asked for anything elsewhere or complained."""
    width, height = getattr(request, "param", SIZES[0])
    context = browser.new_context(viewport={"width": width, "height": height}, locale="ja-JP", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page.on("dialog", lambda one: one.accept())
    page.goto(demo.url + "/console/")
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(demo.url + "/")] == []
    assert complaints == []


def sign_in(page: Page, demo: Demo) -> None:
    page.get_by_label("お名前（サインイン名）").fill("sample")
    page.get_by_label("パスワード").fill(demo.give_staff_sign_in("sample"))
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("今日")


def fits(page: Page) -> None:
    """Nothing has to be scrolled sideways."""
    page.wait_for_function("document.documentElement && document.body")  # a page that is only coming has none yet
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def open_patient(page: Page, demo: Demo, user_id: str) -> None:
    with demo.bot.runtime.db.read() as look:
        found = look.execute(select(Contact.id).where(Contact.user_id == user_id)).scalar_one()
    page.goto(f"{demo.url}/console/patients/{found}")


def people(demo: Demo) -> list[str]:
    return [one.user_id for one in demo.platform.chats.people()]


def heard(demo: Demo, user_id: str, words: str, page: Page) -> None:
    """Waits until it is on the patient's phone."""
    for _ in range(100):
        if words in str([one.message for one in demo.platform.chats.bubbles(user_id)]):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{words} did not arrive")


@pytest.mark.parametrize("desk", SIZES, indirect=True)
def test_somebody_new_sees_an_alert_calls_resolves_takes_a_chat_over_and_hands_it_back(desk: Page, demo: Demo) -> None:
    sign_in(desk, demo)
    expect(desk.get_by_text("いま、連絡が必要な方はいません。")).to_be_visible()
    patient = people(demo)[0]
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(phone="03-0000-0000", name="見本 花子(サンプル)"))
    demo.webhooks.say(patient, SIGN)
    alarm = desk.locator(".alarm").first
    expect(alarm).to_contain_text("119", timeout=15_000)  # without a click: the page renews itself
    expect(alarm.locator("time")).to_contain_text("お待ち")
    first = alarm.locator("time").inner_text()
    expect(alarm.locator("time")).not_to_have_text(first, timeout=5_000)  # it counts on
    expect(alarm.get_by_role("link", name="03-0000-0000")).to_have_attribute("href", "tel:03-0000-0000")
    fits(desk)
    alarm.get_by_role("button", name="電話した").click()
    expect(desk.get_by_text("電話したことを記録しました。")).to_be_visible()
    desk.locator(".resolve > summary").first.click()
    desk.get_by_label("どう対応したか").fill("電話しました。救急車を呼ばれたそうです。")
    desk.locator(".resolve").get_by_role("button", name="対応済みにする").click()
    expect(desk.get_by_text("いま、連絡が必要な方はいません。")).to_be_visible()

    open_patient(desk, demo, patient)
    desk.get_by_role("button", name="お電話します").click()
    expect(desk.get_by_label("患者さんへのお返事")).to_have_value(re.compile("お電話してもよいですか"))
    expect(desk.locator("#cost")).to_contain_text("1通")
    fits(desk)
    desk.get_by_role("button", name="代わって送る").click()
    expect(desk.get_by_text("送りました。")).to_be_visible()
    heard(demo, patient, "お電話してもよいですか", desk)
    demo.webhooks.say(patient, "はい、お願いします")
    expect(desk.locator(".talk")).to_contain_text("はい、お願いします", timeout=15_000)
    expect(desk.locator("#cost")).to_contain_text("無料で返信できます")
    fits(desk)
    desk.get_by_role("button", name="自動のご案内に戻す").click()
    heard(demo, patient, "自動のご案内に戻ります", desk)
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(Alert.resolved_by)).scalar_one() == "sample"


@pytest.mark.parametrize("desk", SIZES, indirect=True)
def test_a_chat_taken_over_elsewhere_can_be_handed_back_from_a_page_that_was_open(desk: Page, demo: Demo) -> None:
    sign_in(desk, demo)
    patient = people(demo)[0]
    open_patient(desk, demo, patient)
    other = desk.context.new_page()
    other.goto(desk.url)
    other.get_by_role("button", name=re.compile("スタッフが代わる")).click()
    expect(desk.get_by_role("button", name="自動のご案内に戻す")).to_be_visible(timeout=15_000)
    other.close()


@pytest.mark.parametrize("desk", SIZES, indirect=True)
def test_every_page_is_fit_for_screen_readers_and_narrow_screens_in_both_languages(desk: Page, demo: Demo) -> None:
    demo.webhooks.say(people(demo)[0], SIGN)
    sign_in(desk, demo)
    expect(desk.locator(".alarm").first).to_be_visible(timeout=15_000)
    for language in ("ja", "en"):
        if language == "en":
            desk.evaluate("document.querySelector('form.language button').click()")
            expect(desk.locator("html[lang=en]")).to_be_attached()
        for path in ("", "patients", "patients/1", "bookings", "calendar", "chats", "staff", "audit", "account"):
            desk.goto(f"{demo.url}/console/{path}")
            assert desk.evaluate("document.documentElement.lang") == language
            fits(desk)
            found = Axe().run(desk)
            serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
            assert serious == [], (path, language, [(one["id"], one["nodes"][0]["html"]) for one in serious])


def test_what_a_patient_writes_and_is_called_only_stands_there(desk: Page, demo: Demo) -> None:
    patient = people(demo)[0]
    demo.webhooks.say(patient, HOSTILE)
    demo.webhooks.say(patient, "長" * 5000)
    sign_in(desk, demo)
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).where(Contact.user_id == patient).values(name=HOSTILE))
    demo.webhooks.say(patient, "スタッフの人と話したいです")
    expect(desk.locator(".alarm").first).to_contain_text("<script>", timeout=15_000)
    fits(desk)
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(consents='{"staff":"2026-04-01T00:00:00Z"}'))
    for path in ("patients", "patients/1", "patients/1/export"):
        desk.goto(f"{demo.url}/console/{path}")
        expect(desk.locator("main")).to_contain_text("<script>")
        assert desk.title() != "x"
        assert desk.locator("main script, main img[src=x]").count() == 0
        fits(desk)
    open_patient(desk, demo, patient)
    expect(desk.locator(".talk")).to_contain_text("長" * 50)
