"""LINE calls: genuine, stored, acknowledged - or refused without a trace."""

import base64
import hashlib
import hmac
import io
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest
import structlog
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from app import create_app, open_runtime
from bot import logs
from bot.channels.line.channel import LineChannel
from bot.config import Settings
from bot.conversation import advance
from bot.engine.step import step
from bot.store.tables import Contact, Inbox
from bot.web.hooks import BODY_MAX
from tests.world import START, World

SECRET = "a1b2c3"
USER = "U" + "1" * 32


def text_event(words: str, number: int = 1, user: str = USER) -> dict[str, Any]:
    return {
        "type": "message",
        "message": {"type": "text", "id": f"{number}", "quoteToken": "q", "text": words},
        "webhookEventId": f"01HZZZZZZZZZZZZZZZZZ{number:06d}",
        "deliveryContext": {"isRedelivery": False},
        "timestamp": int(START.timestamp() * 1000) + number,
        "source": {"type": "user", "userId": user},
        "replyToken": f"{number:032d}",
        "mode": "active",
    }


def body_of(*events: object) -> bytes:
    return json.dumps({"destination": "U" + "0" * 32, "events": events}, ensure_ascii=False).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


class Line:
    """LINE's side of the webhook."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def post(self, body: bytes, **headers: str) -> TestResponse:
        """Signed, unless told otherwise."""
        return self.client.post("/webhooks/line", data=body, headers={"X-Line-Signature": signature(body), **headers})


@pytest.fixture
def world(world: World) -> World:
    """With LINE's own reading of webhooks, and the real conversation."""
    line = LineChannel(
        secrets=(SECRET, "older"), access_token="t", api_url="http://127.0.0.1:1", public_url="http://127.0.0.1:1"
    )
    line.send = world.platform.send  # type: ignore[method-assign]
    return replace(world, runtime=replace(world.runtime, channels={"line": line}, step=step))


@pytest.fixture
def line(world: World) -> Line:
    return Line(create_app(runtime=world.runtime).test_client())


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged."""
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    structlog.reset_defaults()


def test_a_genuine_webhook_is_stored_and_acknowledged_with_an_empty_body(world: World, line: Line) -> None:
    response = line.post(body_of(text_event("hello", 1), text_event("hello", 2, "U" + "2" * 32)))
    assert (response.status_code, response.data) == (200, b"")
    assert world.count(Inbox) == world.count(Contact) == 2


def test_lines_own_test_without_events_is_acknowledged(world: World, line: Line) -> None:
    assert line.post(body_of()).status_code == 200
    assert world.count(Inbox) == 0


@pytest.mark.parametrize("given", ["", "x", signature(b"another body"), signature(body_of(text_event("a")), "wrong")])
def test_a_wrong_signature_is_refused_without_a_word_or_a_row(world: World, line: Line, given: str) -> None:
    response = line.client.post("/webhooks/line", data=body_of(text_event("a")), headers={"X-Line-Signature": given})
    assert (response.status_code, response.data) == (401, b"")
    assert world.count(Inbox) == world.count(Contact) == 0


def test_a_missing_signature_is_refused_without_a_word_or_a_row(world: World, line: Line) -> None:
    response = line.client.post("/webhooks/line", data=body_of(text_event("a")))
    assert (response.status_code, response.data) == (401, b"")
    assert world.count(Inbox) == 0


def test_the_older_secret_is_accepted_while_it_is_being_rotated(world: World, line: Line) -> None:
    body = body_of(text_event("a"))
    assert line.post(body, **{"X-Line-Signature": signature(body, "older")}).status_code == 200
    assert world.count(Inbox) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"events": 1}', b"\xff\xfe", b"[" * 100_000])
def test_signed_nonsense_is_a_bad_request_and_no_row(world: World, line: Line, body: bytes) -> None:
    response = line.post(body)
    assert (response.status_code, response.data) == (400, b"")
    assert world.count(Inbox) == 0


def test_a_body_over_one_mebibyte_is_refused_unread(world: World, line: Line) -> None:
    body = body_of(text_event("x" * BODY_MAX))
    assert (line.post(body).status_code, line.post(body).data) == (413, b"")
    assert world.count(Inbox) == 0


def test_a_body_over_one_mebibyte_without_a_length_is_refused_as_well(world: World, line: Line) -> None:
    body = body_of(text_event("x" * BODY_MAX))
    response = line.client.post(
        "/webhooks/line",
        input_stream=io.BytesIO(body),
        headers={"X-Line-Signature": signature(body), "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == 413
    assert world.count(Inbox) == 0


def test_a_body_of_just_one_mebibyte_is_read(world: World, line: Line) -> None:
    body = body_of(text_event("a"))
    body = body[:-1] + b" " * (BODY_MAX - len(body)) + b"}"
    assert len(body) == BODY_MAX
    assert line.post(body).status_code == 200
    assert world.count(Inbox) == 1


@pytest.mark.parametrize("path", ["/webhooks/slack", "/webhooks/fax", "/webhooks/", "/webhooks"])
def test_a_channel_that_is_not_set_up_is_not_there(line: Line, path: str) -> None:
    assert line.client.post(path, data=b"{}").status_code == 404


def test_looking_at_a_webhook_address_is_not_allowed(line: Line) -> None:
    assert line.client.get("/webhooks/line").status_code == 405


def test_a_database_that_is_away_makes_line_deliver_again(world: World, line: Line) -> None:
    with world.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE inbox RENAME TO away")
    try:
        response = line.post(body_of(text_event("a")))
        assert response.status_code >= 500
        assert response.data == b""
    finally:
        with world.db.write() as tx:
            tx.exec_driver_sql("ALTER TABLE away RENAME TO inbox")
    assert line.post(body_of(text_event("a"))).status_code == 200


def test_nothing_that_a_patient_wrote_is_ever_logged(world: World, line: Line, logged: io.StringIO) -> None:
    words = "とても個人的なこと"
    line.post(body_of(text_event(words)))
    line.post(body_of(text_event(words)), **{"X-Line-Signature": "wrong"})
    line.post(body_of(text_event(words))[:-1])

    def broken(_: object, __: object, ___: object, event: object) -> NoReturn:
        raise ValueError(f"{event} of {USER}")

    advance(replace(world.runtime, step=broken), 10)
    with world.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE inbox RENAME TO away")
    line.post(body_of(text_event(words, 2)))
    with world.db.write() as tx:
        tx.exec_driver_sql("ALTER TABLE away RENAME TO inbox")
    said = logged.getvalue()
    assert "webhook_forged" in said
    assert "webhook_malformed" in said
    assert "turn_failed" in said
    assert "ProgrammingError" in said or "OperationalError" in said
    for secret in (words, USER, SECRET):
        assert secret not in said


def test_a_first_hello_is_welcomed_by_the_real_conversation(world: World, line: Line) -> None:
    follow = {**text_event("", 1), "type": "follow", "follow": {"isUnblocked": False}}
    del follow["message"]
    line.post(body_of(follow))
    world.turns()
    assert world.outgoing() == 1


# --- mutated -----------------------------------------------------------------------------------------------------------

FUZZ_SECONDS = "3"
"""On each database, unless the environment says longer."""


def test_mutated_webhooks_never_break_the_server(world: World, line: Line) -> None:
    chance = random.Random(20260401)
    end = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", FUZZ_SECONDS))
    seen: set[int] = set()
    rounds = 0
    while time.monotonic() < end:
        body = next(mutations(chance))
        headers = {} if chance.random() < 0.9 else {"X-Line-Signature": "".join(chance.choices("aZ=/é\u3042", k=9))}
        response = line.post(body, **{k: v.encode("utf-8", "replace").decode("latin-1") for k, v in headers.items()})
        seen.add(response.status_code)
        rounds += 1
    assert seen <= {200, 400, 401}
    assert {200, 400} <= seen
    assert rounds > 100
    world.run_quietly()
    assert "failed" not in world.column(Inbox.status)


def mutations(chance: random.Random) -> Iterator[bytes]:
    """Bodies near to real ones."""
    odd: list[object] = [None, True, -1, 1e308, "", "\x00", "\ud800", "x" * 5000, [], {}, [[]], {"a": 1}, 10**30]
    while True:
        event = text_event("腰が痛い", chance.randrange(40), "U" + str(chance.randrange(3)) * 32)
        if chance.random() < 0.5:
            event["type"] = chance.choice(["postback", "unsend", "join", "follow", "memberLeft", "beacon", "zzz", None])
            event["postback"] = {
                "data": chance.choice(["p|1|a/b|c", "c|start", "", "\x00", "p|999999999|" + "x" * 200])
            }
            event["unsend"] = {"messageId": str(chance.randrange(40))}
        where = [event, event["message"], event["source"]]
        for _ in range(chance.randrange(4)):
            part = chance.choice(where)
            part[chance.choice([*part, "new"])] = chance.choice(odd)
        body = json.dumps({"destination": "U", "events": [event]}).encode()
        if chance.random() < 0.3:
            at = chance.randrange(len(body))
            body = (
                body[:at] + bytes(chance.choices(range(256), k=chance.randrange(4))) + body[at + chance.randrange(9) :]
            )
        yield body


# --- health -------------------------------------------------------------------------------------------------------------


def test_health_says_alive_without_asking_anybody(line: Line) -> None:
    assert line.client.get("/healthz").data == b"ok\n"


def test_readiness_names_what_is_wrong(world: World, line: Line) -> None:
    assert line.client.get("/readyz").get_json() == {"ready": True, "troubles": []}
    resting = create_app(runtime=world.runtime, working=lambda: False).test_client()
    assert (resting.get("/readyz").status_code, resting.get("/readyz").get_json()["troubles"]) == (
        503,
        ["worker not running"],
    )
    with world.db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    assert line.client.get("/readyz").get_json()["troubles"] == ["database not migrated"]


def test_metrics_tell_what_waits_and_for_how_long(world: World, line: Line) -> None:
    line.post(body_of(text_event("hello")))
    world.clock.move(seconds=9)
    found = line.client.get("/metrics").get_data(as_text=True)
    assert 'queue_length{queue="inbox"} 1.0' in found
    assert 'queue_age_seconds{queue="inbox"} 9.0' in found
    assert "inbox_accepted_total" in found


def test_pictures_are_served_for_long_and_nothing_else_is(world: World, line: Line) -> None:
    name = min(world.runtime.content.media)
    picture = line.client.get(f"/media/{name}")
    assert picture.status_code == 200
    assert picture.headers["Cache-Control"] == "public, max-age=2592000"
    picture.close()
    for other in ("../clinic.toml", "..%2fclinic.toml", "nothing.png", ".", "%00"):
        assert line.client.get(f"/media/{other}").status_code == 404


def test_the_whole_program_is_made_from_settings_alone(database_url: str) -> None:
    settings = Settings(
        database_url=database_url,
        line_channel_secret=SecretStr(SECRET),
        line_channel_access_token=SecretStr("t"),
        public_url="https://example.org",
    )
    runtime = open_runtime(settings)
    client = create_app(runtime=runtime).test_client()
    assert Line(client).post(body_of(text_event("hello"))).status_code == 200
    assert client.get("/readyz").status_code == 200
    runtime.db.close()
