"""The bot is killed without warning, again and again, in the middle of everything. Nobody is left without an answer,
and nobody hears one twice."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Contact, Inbox, Outbox
from tests.conftest import ROOT
from tests.crash.bots import bots
from tests.crash.provider import Provider, free_ports

SECRET = "a1b2c3"


PROVIDER_PORT, BOT_PORT = free_ports(2)
PEOPLE, EVENTS_EACH, SENDERS = 200, 3, 6
KILLS = int(os.environ.get("KILLS", "8"))
QUIET_SECONDS = 30.0


def environment(database_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "LINE_CHANNEL_SECRET": SECRET,
        "LINE_CHANNEL_ACCESS_TOKEN": "t",
        "LINE_API_URL": f"http://127.0.0.1:{PROVIDER_PORT}",
        "PUBLIC_URL": f"http://127.0.0.1:{BOT_PORT}",
    }


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider(PROVIDER_PORT)
    found.start()
    yield found
    found.stop()


def person(number: int) -> str:
    return f"U{number:032x}"


def token(number: int, nth: int) -> str:
    return f"{number:016x}{nth:016x}"


def body(number: int, nth: int) -> bytes:
    event: dict[str, object] = {
        "type": "message",
        "message": {"type": "text", "id": f"{number}-{nth}", "quoteToken": "q", "text": f"{nth}"},
        "webhookEventId": f"01H{number:011d}{nth:012d}",
        "deliveryContext": {"isRedelivery": False},
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": person(number)},
        "replyToken": token(number, nth),
        "mode": "active",
    }
    return json.dumps({"destination": "U" + "0" * 32, "events": [event]}).encode()


def converse(number: int, stop: threading.Event) -> None:
    """One person says a few things; LINE delivers each until it is acknowledged, and some twice."""
    for nth in range(EVENTS_EACH):
        once_more = number % 5 == 0
        while not stop.is_set():
            if post(body(number, nth)):
                if not once_more:
                    break
                once_more = False
            else:
                time.sleep(0.02)


def post(content: bytes) -> bool:
    signature = base64.b64encode(hmac.digest(SECRET.encode(), content, hashlib.sha256)).decode()
    connection = http.client.HTTPConnection("127.0.0.1", BOT_PORT, timeout=5)
    try:
        connection.request("POST", "/webhooks/line", content, {"X-Line-Signature": signature})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_quiet(db: Database) -> None:
    """Until nothing waits any more."""
    end = time.monotonic() + QUIET_SECONDS
    open_rows = (
        select(func.count()).select_from(Inbox).where(Inbox.status == "waiting").scalar_subquery()
        + select(func.count())
        .select_from(Outbox)
        .where(Outbox.status.in_(("waiting", "sending", "held")))
        .scalar_subquery()
    )
    while time.monotonic() < end:
        with db.read() as look:
            if look.execute(select(open_rows)).scalar_one() == 0:
                return
        time.sleep(0.1)
    raise AssertionError("something is stuck")


def check_everything(db: Database, provider: Provider) -> None:
    heard = {
        number: sum(provider.delivered[token(number, nth)] for nth in range(EVENTS_EACH))
        + provider.delivered[person(number)]
        for number in range(1, PEOPLE + 1)
    }
    assert {number: count for number, count in heard.items() if count != EVENTS_EACH} == {}
    with db.read() as look:
        assert set(look.execute(select(Inbox.status)).scalars()) == {"done"}
        assert set(look.execute(select(Outbox.status)).scalars()) == {"sent"}
        assert look.execute(select(func.count()).select_from(Outbox)).scalar_one() == PEOPLE * EVENTS_EACH
        contacts = look.execute(select(Contact.version, Contact.state)).all()
        assert len(contacts) == PEOPLE
        for version, state in contacts:
            assert version == EVENTS_EACH
            assert codec.state_from(state).turn == EVENTS_EACH
        if db.is_sqlite:
            assert look.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.mark.timeout(120)
def test_two_hundred_conversations_survive_being_killed_again_and_again(
    db: Database, database_url: str, provider: Provider
) -> None:
    chance = random.Random(20260401)
    stop = threading.Event()
    with bots(BOT_PORT, environment(database_url)) as bot, ThreadPoolExecutor(SENDERS) as people:
        bot.start()
        talks = [people.submit(converse, number, stop) for number in range(1, PEOPLE + 1)]
        try:
            kills = 0
            while kills < KILLS or not all(talk.done() for talk in talks):
                if kills == KILLS:
                    time.sleep(0.05)
                    continue
                time.sleep(chance.uniform(0.02, 0.5))
                bot.kill()
                kills += 1
                bot.start()
            wait_until_quiet(db)
        finally:
            stop.set()
        assert [talk.exception() for talk in talks if talk.exception()] == []
    check_everything(db, provider)


def test_flask_serve_itself_goes_on_after_it_was_killed(tmp_path: Path, provider: Provider) -> None:
    url = f"sqlite:///{tmp_path}/serve.db"
    with serving(url) as process:
        until(lambda: post(body(1, 0)))
        os.killpg(process.pid, signal.SIGKILL)
    with serving(url) as process:
        until(lambda: post(body(2, 0)))
        until(lambda: [provider.delivered[token(number, 0)] for number in (1, 2)] == [1, 1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@contextmanager
def serving(database_url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A real `flask serve`, both of its processes in a group of their own."""
    command = [sys.executable, "-m", "flask", "--app", "app", "serve", "--port", str(BOT_PORT)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(database_url), stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
