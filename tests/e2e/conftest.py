"""A browser and a running demo, as `flask demo` runs it: the real app, the real worker, the page."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app import build
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.pace import Pace
from bot.channels.slack.staff import StaffChannel
from bot.simulator.chats import SAMPLES
from bot.simulator.demo import Demo
from bot.simulator.server import bind

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]
"""`make test` must pass where there is no browser, and says then that these tests were left out."""

PHONE = (375, 812)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last word of such a run."""
    if CHROMIUM is None:
        terminalreporter.write_line("No Chromium on the PATH: tests/e2e was left out.", yellow=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def hurry(demo: Demo) -> None:
    """The Slack in miniature bears more than one message a second; only tests/test_slack_reminders.py is about that."""
    for channel in demo.bot.runtime.channels.values():
        if isinstance(channel, SlackChannel | StaffChannel):
            channel._pace = Pace(gap=0.05)


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    with Demo(build, bind("127.0.0.1", 0), database_url=sqlite_copy(tmp_path), content_dir=Path("content")) as demo:
        hurry(demo)
        for name in SAMPLES:
            demo.webhooks.follow(demo.platform.chats.add_person(name).user_id)
        with demo.bot.working():
            yield demo
    demo.bot.runtime.db.close()
    assert demo.platform.violations == []


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, demo: Demo) -> Iterator[Page]:
    """The open page, in Japanese, of a phone's size unless a test says otherwise. Fails when it asked for anything
    elsewhere or complained about anything."""
    width, height = getattr(request, "param", PHONE)
    context = browser.new_context(viewport={"width": width, "height": height}, locale="ja-JP", reduced_motion="reduce")
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page.goto(demo.url + "/")
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(demo.url + "/")] == []
    assert complaints == []
