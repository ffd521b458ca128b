"""What every channel promises, held by each of them: from the wire in, to the wire out."""

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
import structlog
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from bot import logs
from bot.channels.base import Delivery, Forged, Outcome, Receipt
from bot.channels.line.channel import LineChannel
from bot.channels.line.send import Api as LineApi
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.send import Api as SlackApi
from bot.engine.step import step
from bot.messages import Card, Choice, Followed, Message, Picked, PickToken, Said, Words
from bot.store.tables import Contact, Inbox, Outbox, OutboxStatus
from bot.worker import drain
from tests.wire import slack_requests
from tests.wire.line_platform import Answer, Platform, platform
from tests.world import START, World

Kind = Literal["line", "slack"]
LINE_SECRET = "a1b2c3"
LINE_USER = "U" + "1" * 32
PICK = PickToken(3, "screening/e1", "any")
MESSAGE = Message((Words("こんにちは"), Card("題", "文", choices=(Choice("はい", token=PICK),))))


@dataclass(frozen=True)
class Case:
    """One channel, and how its provider speaks."""

    name: Kind
    address: str
    sent: Answer
    rate: Answer
    gone: Answer
    refused: Answer
    credentials: Answer
    keyed: bool

    def channel(self, url: str) -> SlackChannel | LineChannel:
        if self.name == "slack":
            return slack_requests.channel(url)
        return LineChannel(
            secrets=(LINE_SECRET, "older"), access_token="t", api_url=url, public_url="https://bot.example"
        )

    def headers(self, body: bytes, secret: str = "") -> dict[str, str]:
        if self.name == "slack":
            kind = "application/json" if body.startswith(b"{") else "application/x-www-form-urlencoded"
            return slack_requests.signed(body, secret=secret or slack_requests.SECRET, kind=kind)
        mac = hmac.digest((secret or LINE_SECRET).encode(), body, hashlib.sha256)
        return {"X-Line-Signature": base64.b64encode(mac).decode()}

    def said(self, text: str, number: int = 1) -> bytes:
        if self.name == "slack":
            return slack_requests.envelope(slack_requests.message(text), f"Ev{number:06}")
        message = {"type": "text", "id": f"{number}", "quoteToken": "q", "text": text}
        return _line({"type": "message", "message": message}, number)

    def tapped(self, token: str) -> bytes:
        if self.name == "slack":
            return slack_requests.form(slack_requests.tap({"action_id": "button:1", "value": token}))
        return _line({"type": "postback", "postback": {"data": token}}, 7)

    def followed(self) -> bytes:
        return (
            slack_requests.command()
            if self.name == "slack"
            else _line({"type": "follow", "follow": {"isUnblocked": False}}, 8)
        )


def _line(parts: dict[str, Any], number: int) -> bytes:
    event = {
        **parts,
        "webhookEventId": f"01HZZZZZZZZZZZZZZZZZ{number:06d}",
        "deliveryContext": {"isRedelivery": False},
        "timestamp": int(START.timestamp() * 1000) + number,
        "source": {"type": "user", "userId": LINE_USER},
        "replyToken": f"{number:032d}",
        "mode": "active",
    }
    return json.dumps({"destination": "U" + "0" * 32, "events": [event]}, ensure_ascii=False).encode()


LINE = Case(
    "line",
    LINE_USER,
    sent=Answer(body={"sentMessages": [{"id": "m1"}]}),
    rate=Answer(429, {"message": "The API rate limit has been exceeded."}, {"Retry-After": "7"}),
    gone=Answer(400, {"message": "Failed to send messages"}),
    refused=Answer(400, {"message": "bad", "details": [{"property": "messages[0]"}]}),
    credentials=Answer(401, {"message": "no"}),
    keyed=True,
)
SLACK = Case(
    "slack",
    f"{slack_requests.TEAM}/{slack_requests.USER}",
    sent=Answer(body={"ok": True, "channel": "D1", "ts": "1.5"}),
    rate=Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}),
    gone=Answer(body={"ok": False, "error": "user_disabled"}),
    refused=Answer(body={"ok": False, "error": "invalid_blocks"}),
    credentials=Answer(body={"ok": False, "error": "token_revoked"}),
    keyed=False,
)
CASES = pytest.mark.parametrize("case", [LINE, SLACK], ids=lambda case: case.name)


# --- in ---


@CASES
def test_only_the_provider_is_believed_with_either_secret(case: Case) -> None:
    body, channel = case.said("a"), case.channel("http://127.0.0.1:1")
    for secret in ("", "older"):
        assert channel.receive(body, case.headers(body, secret), START).inbound
    for headers in ({}, case.headers(body, "other"), case.headers(body + b" ")):
        with pytest.raises(Forged):
            channel.receive(body, headers, START)


@CASES
def test_what_people_do_means_the_same_everywhere(case: Case) -> None:
    channel = case.channel("http://127.0.0.1:1")

    def event(body: bytes) -> object:
        [inbound] = channel.receive(body, case.headers(body), START).inbound
        assert (inbound.channel, inbound.user_id) == (case.name, case.address)
        assert inbound.reply_token is not None
        return inbound.event

    said = event(case.said("腰が <痛い> & つらい"))
    assert isinstance(said, Said)
    assert said.text == ("腰が <痛い> & つらい")
    assert said.message_id
    assert event(case.tapped("p|3|screening/e1|any")) == Picked(PICK)
    assert event(case.followed()) == Followed()


class Door:
    """The webhook's address, as the provider calls it."""

    def __init__(self, case: Case, client: FlaskClient) -> None:
        self.case = case
        self.client = client

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> TestResponse:
        signed = self.case.headers(body) if headers is None else dict(headers)
        return self.client.post(f"/webhooks/{self.case.name}", data=body, headers=signed)


def opened(world: World, case: Case, url: str) -> tuple[World, Door]:
    runtime = replace(world.runtime, channels={case.name: case.channel(url)}, step=step)
    return replace(world, runtime=runtime), Door(case, create_app(runtime=runtime).test_client())


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the program logs, as it does in earnest."""
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    structlog.reset_defaults()


@CASES
def test_a_forged_request_leaves_no_trace_but_a_count(case: Case, world: World, logged: io.StringIO) -> None:
    here, door = opened(world, case, "http://127.0.0.1:1")
    body = case.said("おしっこが出ません")
    for headers in ({}, case.headers(body, "other")):
        response = door.post(body, headers)
        assert (response.status_code, response.data) == (401, b"")
    assert here.count(Inbox) == here.count(Contact) == 0
    assert "webhook_forged" in logged.getvalue()
    assert "おしっこ" not in logged.getvalue()


@CASES
def test_the_same_event_three_times_is_one_turn(case: Case, world: World) -> None:
    with platform(lambda _: case.sent) as provider:
        here, door = opened(world, case, provider.url)
        for retry in range(3):
            body = case.followed()
            extra = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else {}
            assert door.post(body, {**case.headers(body), **extra}).status_code == 200
            drain(here.runtime)
        assert here.column(Inbox.kind).count("followed") == 1
        assert here.count(Outbox) == 1
        assert len(messages(provider)) == 1


def messages(provider: Platform) -> list[dict[str, Any]]:
    """The calls that carried a message."""
    return [r.body for r in provider.requests if r.path.endswith(("/reply", "/push", "/chat.postMessage"))]


@CASES
def test_what_was_accepted_is_answered_after_the_process_died_before_its_turn(case: Case, world: World) -> None:
    with platform(lambda _: case.sent) as provider:
        here, door = opened(world, case, provider.url)
        assert door.post(case.followed()).status_code == 200
        assert messages(provider) == []
        again, _ = opened(world, case, provider.url)  # another process, the same database
        world.clock.move(seconds=3)
        drain(again.runtime)
        assert len(messages(provider)) == 1
        assert here.column(Outbox.status) == [OutboxStatus.SENT]


# --- out ---


@pytest.fixture
def plan() -> list[Answer]:
    """What the provider answers next; the last one for ever."""
    return []


@pytest.fixture
def provider(plan: list[Answer]) -> Iterator[Platform]:
    with platform(lambda _: plan.pop(0) if len(plan) > 1 else plan[0]) as running:
        yield running


def send(case: Case, url: str) -> Receipt:
    key = "7a3c2f9e-5d1b-4c8a-9e6f-0b1a2c3d4e5f"
    return case.channel(url).send(Delivery(case.address, MESSAGE, key))


@CASES
def test_every_ending_has_one_meaning(case: Case, plan: list[Answer], provider: Platform) -> None:
    endings: list[tuple[Answer, Outcome]] = [
        (case.sent, Outcome.SENT),
        (case.refused, Outcome.REJECTED),
        (case.gone, Outcome.UNREACHABLE),
        (case.credentials, Outcome.RETRY),
        (Answer(503, {}), Outcome.RETRY),
        (
            Answer(200, raw=b"") if case.name == "line" else Answer(502, raw=b"<html>"),
            Outcome.SENT if case.name == "line" else Outcome.RETRY,
        ),
        (Answer(cut="all"), Outcome.UNCERTAIN),
        (Answer(cut="half"), Outcome.UNCERTAIN),
        (case.rate, Outcome.RETRY),
    ]
    receipt = Receipt(Outcome.SENT)
    for answer, outcome in endings:
        plan[:] = [answer]
        receipt = send(case, provider.url)
        assert receipt.outcome is outcome, answer
        assert "こんにちは" not in receipt.error
        assert case.address not in receipt.error
    assert receipt.retry_after == 7.0


@CASES
def test_nobody_there_is_tried_again_and_no_answer_in_time_is_uncertain(
    case: Case, plan: list[Answer], provider: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(case, "http://127.0.0.1:1").outcome is Outcome.RETRY
    plan[:] = [Answer(after_seconds=0.5)]
    api: Callable[..., object] = SlackApi.__init__ if case.name == "slack" else LineApi.__init__
    monkeypatch.setattr(api, "__defaults__", (0.2, 0.2))
    assert send(case, provider.url).outcome is Outcome.UNCERTAIN


@CASES
def test_a_doubtful_answer_is_repeated_only_where_the_provider_would_know_it_again(
    case: Case, world: World, plan: list[Answer], provider: Platform
) -> None:
    plan[:] = (
        [Answer(body={"ok": False, "error": "user_not_found"}), Answer(cut="all"), case.sent]
        if case.name == "slack"
        else [Answer(cut="all"), case.sent]
    )
    here, door = opened(world, case, provider.url)
    assert door.post(case.followed()).status_code == 200
    for _ in range(4):
        drain(here.runtime)
        world.clock.move(seconds=10)
    assert here.column(Outbox.status) == [OutboxStatus.SENT if case.keyed else OutboxStatus.UNCERTAIN]
    assert len(messages(provider)) == (2 if case.keyed else 1)
