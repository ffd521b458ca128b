"""A member of staff sends a tip to three of five sample patients, on a phone and on a desk, and it arrives on their phones."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from bot import staff
from bot.access import Role
from bot.simulator.demo import Demo
from bot.store import codec
from bot.store.tables import Contact
from tests.console.staff import PASSWORD

SIZES = {"phone": (375, 812), "desk": (1280, 900)}


@pytest.fixture(params=SIZES)
def console(request: pytest.FixtureRequest, browser: Browser, demo: Demo) -> Iterator[Page]:
    """Signed in; fails on anything that the page complained about or asked for elsewhere."""
    width, height = SIZES[request.param]
    runtime = demo.bot.runtime
    with runtime.db.write() as tx:
        staff.add(tx, runtime.now(), "test", "sample therapist", Role.THERAPIST, PASSWORD)
    context = browser.new_context(viewport={"width": width, "height": height}, locale="ja-JP", reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda one: wrong.append(one.text) if one.type in ("error", "warning") else None)
    page.on("request", lambda one: None if one.url.startswith(demo.url + "/") else wrong.append(one.url))
    page.goto(demo.url + "/console/sign-in")
    page.fill("#name", "sample therapist")
    page.fill("#password", PASSWORD)
    page.click("main .btn-primary")
    page.wait_for_url(demo.url + "/console/")
    yield page
    context.close()
    assert [one for one in wrong if "400 (BAD REQUEST)" not in one] == [], "but for the wrong number that a test types"


def consenting(demo: Demo, people: int) -> list[str]:
    """So many of the sample patients agree to tips. Everybody's user id."""
    runtime = demo.bot.runtime
    with runtime.db.write() as tx:
        rows = tx.execute(select(Contact.id, Contact.user_id, Contact.state).order_by(Contact.id)).all()
        for row in rows[:people]:
            given = {"guidance": runtime.now(), "tips": runtime.now()}
            state = replace(codec.state_from(row.state), consents=given)
            values = {"state": codec.state_json(state), "consents": codec.times_json(given)}
            tx.execute(update(Contact).where(Contact.id == row.id).values(**values))
    return [row.user_id for row in rows]


def settled(demo: Demo) -> None:
    """Until everybody's first message has arrived."""
    for _ in range(200):
        with demo.bot.runtime.db.read() as look:
            if all(state is not None for state in look.execute(select(Contact.state)).scalars()):
                return
        time.sleep(0.05)
    raise AssertionError("no answer")


def sound(page: Page) -> None:
    """Nothing serious stands in the way of those who cannot see it or have no mouse, and nothing is cut off at the side."""
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_tip_goes_to_three_of_five_and_is_seen_on_their_phones(
    console: Page, demo: Demo, shot: Callable[[Page, str], None]
) -> None:
    while len(demo.platform.chats.people()) < 5:
        name = f"見本 {len(demo.platform.chats.people())}(サンプル)"
        demo.webhooks.follow(demo.platform.chats.add_person(name).user_id)
    settled(demo)
    users = consenting(demo, 3)
    console.goto(demo.url + "/console/broadcasts")
    shot(console, "list-empty")
    console.click("text=新しく作る")
    console.select_option("#tip", "load-bit-by-bit")
    console.click("text=このコツを使う")
    expect(console.locator("[data-screen=ja]")).to_contain_text("少しずつふやす")
    expect(console.locator("[data-screen=en]")).to_contain_text("A little more at a time")
    expect(console.locator("[data-slack=ja]")).to_contain_text("少しずつふやす")
    expect(console.locator("[data-slack=en]")).to_contain_text("A little more at a time")
    expect(console.locator("[data-recipients]")).to_have_text("3")
    expect(console.locator("[data-left-out]")).to_contain_text("同意していない")
    console.check("input[name=reads][value=en]")
    expect(console.locator("[data-recipients]")).to_have_text("0")
    console.uncheck("input[name=reads][value=en]")
    expect(console.locator("[data-recipients]")).to_have_text("3")
    shot(console, "desk")
    sound(console)
    console.click("text=下書きを保存")
    shot(console, "draft")
    sound(console)
    console.fill("#number", "5")
    console.click(".starter button")
    expect(console.locator(".problem")).to_contain_text("人数が違います")
    console.fill("#number", "3")
    console.click(".starter button")
    expect(console.locator("[data-status]")).to_have_text("完了", timeout=15_000)
    expect(console.locator("[data-number=sent]")).to_have_text("3")
    shot(console, "done")
    sound(console)
    got = {user for user in users if "少しずつふやす" in str(demo.platform.chats.bubbles(user, 0))}
    assert got == set(users[:3])
    console.goto(demo.url + "/")
    expect(console.locator("body")).to_contain_text("少しずつふやす", timeout=15_000)
    console.goto(demo.url + "/console/broadcasts")
    expect(console.locator("table.rows")).to_contain_text("3人")
    shot(console, "list")


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Takes a picture into the folder that SHOTS names; nothing when it names none."""
    folder = os.environ.get("SHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            size = page.viewport_size
            assert size
            page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)

    return take
