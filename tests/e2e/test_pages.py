"""Outcomes, content, tags and one's own chat: walked by somebody new, on a phone and at a desk, in both languages."""

import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select, update

from bot import staff
from bot.access import Role
from bot.simulator.demo import Demo
from bot.store.tables import Contact, OwnChat, Tag
from tests.console.staff import PASSWORD
from tests.e2e.test_console import fits
from tests.test_outcomes import PEOPLE, plant

SIZES = ((375, 812), (1280, 900))
HOSTILE = "\"><script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"


def sound(page: Page) -> None:
    """Nothing serious for those who cannot see it or have no mouse, nothing cut off at the side, and no markup that came
    from a name."""
    found = Axe().run(page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == [], (page.url, serious)
    fits(page)
    assert page.locator("main script, main img[src=x]").count() == 0
    assert page.title() != "x"


def settled(demo: Demo) -> None:
    """Until everybody's first message has been answered."""
    for _ in range(200):
        with demo.bot.runtime.db.read() as look:
            if not look.execute(select(func.count()).where(Contact.state.is_(None))).scalar_one():
                return
        time.sleep(0.05)
    raise AssertionError("no answer")


def test_somebody_new_reads_outcomes_and_content_puts_a_tag_and_links_their_own_chat(
    browser: Browser, demo: Demo
) -> None:
    settled(demo)
    runtime = demo.bot.runtime
    numbers = plant(runtime.db, PEOPLE)
    with runtime.db.write() as tx:
        staff.add(tx, runtime.now(), "test", "sample therapist", Role.THERAPIST, PASSWORD)
        tx.execute(update(Contact).where(Contact.id == numbers[0]).values(name=HOSTILE))
    context = browser.new_context(viewport={"width": 375, "height": 812}, locale="ja-JP", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda one: wrong.append(one.text) if one.type in ("error", "warning") else None)
    page.on("request", lambda one: None if one.url.startswith(demo.url + "/") else wrong.append(one.url))
    page.on("dialog", lambda one: one.accept())
    page.goto(demo.url + "/console/sign-in")
    page.fill("#name", "sample therapist")
    page.fill("#password", PASSWORD)
    page.click("main .btn-primary")
    page.wait_for_url(demo.url + "/console/")

    page.locator(".menu > summary").click()
    page.get_by_role("link", name="成果").click()
    expect(page.locator("#funnel tbody tr")).to_have_count(6)
    expect(page.locator("svg.columns")).to_have_count(2)
    with page.expect_download() as kept:
        page.get_by_role("link", name="CSV").click()
    assert kept.value.suggested_filename == "outcomes.csv"

    page.goto(demo.url + "/console/content")
    expect(page.locator("#check .state.well")).to_be_visible(timeout=60_000)  # found without a click
    frame = page.locator(".frame")
    assert frame.evaluate("it => it.scrollWidth > it.clientWidth && it.scrollHeight > it.clientHeight"), (
        "it scrolls inside"
    )
    frame.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="電話の画面で試す")).to_have_attribute("href", "/")

    page.goto(f"{demo.url}/console/patients/{numbers[0]}")
    page.get_by_label("タグをつける").fill(HOSTILE[:40])
    page.locator("#tags").get_by_role("button", name="つける").click()
    expect(page.locator("#tags .chip")).to_have_text(HOSTILE[:40])
    page.goto(demo.url + "/console/patients")
    page.get_by_label("タグをつける").fill("夜勤")
    page.get_by_role("button", name="つける").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("タグ")
    with runtime.db.read() as look:
        everybody = look.execute(select(func.count()).select_from(Contact)).scalar_one()
        assert look.execute(select(func.count()).where(Tag.name == "夜勤")).scalar_one() == everybody
    expect(page.locator("table.rows")).to_contain_text(str(everybody))

    page.goto(demo.url + "/console/account")
    page.get_by_role("button", name="チャットを登録する").click()
    mine = demo.platform.chats.people()[0].user_id
    demo.webhooks.say(mine, page.locator("#own-chat .once").inner_text())
    page.get_by_role("button", name="送りました").click()
    expect(page.get_by_text("配信のテストはこのチャットに届きます")).to_be_visible()
    with runtime.db.read() as look:
        linked = select(Contact.user_id).join(OwnChat, OwnChat.contact_id == Contact.id)
        assert look.execute(linked).scalars().all() == [mine]

    for language, (width, height) in (("ja", SIZES[0]), ("en", SIZES[1])):
        if language == "en":
            page.evaluate("document.querySelector('form.language button').click()")
            expect(page.locator("html[lang=en]")).to_be_attached()
        page.set_viewport_size({"width": width, "height": height})
        for path in ("outcomes", "content?flow=after", "tags"):
            page.goto(f"{demo.url}/console/{path}")
            sound(page)
            page.set_viewport_size({"width": SIZES[0][0] + SIZES[1][0] - width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
            page.set_viewport_size({"width": width, "height": height})
    context.close()
    assert wrong == []
