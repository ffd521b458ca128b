"""Calls to Slack, as exact requests; what each of its answers means; how fast it is spoken to."""

import json
import threading
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.channels.base import Delivery, NotTold, Outcome, Receipt
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.limits import BURST
from bot.channels.slack.pace import Pace
from bot.channels.slack.send import Answer as Said
from bot.channels.slack.send import Api, receipt
from bot.messages import Card, Introduced, Message, Words
from tests.wire.line_platform import Answer, platform
from tests.wire.slack_requests import TEAM, USER, channel

ADDRESS = f"{TEAM}/{USER}"
OK = Answer(body={"ok": True, "channel": "D1", "ts": "1503435956.000247"})
HELLO = Delivery(ADDRESS, Message((Words("a <b>"),)), "k")


def test_a_message_is_one_call_to_the_member_s_direct_message() -> None:
    with platform(lambda _: OK) as slack:
        assert channel(f"{slack.url}/api").send(HELLO) == Receipt(Outcome.SENT, ("D1:1503435956.000247",))
        [request] = slack.requests
    assert (request.method, request.path) == ("POST", "/api/chat.postMessage")
    assert request.headers["authorization"] == "Bearer xoxb-1"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    text = {"type": "mrkdwn", "text": "a &lt;b&gt;", "verbatim": True}
    assert request.body == {
        "channel": USER,
        "text": "a &lt;b&gt;",
        "blocks": [{"type": "section", "text": text}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_the_home_tab_is_published_and_nothing_is_said() -> None:
    home = Delivery(ADDRESS, Message((Card("題", "文"),), surface="home"), "k")
    with platform(lambda _: Answer(body={"ok": True, "view": {}})) as slack:
        assert channel(slack.url).send(home).outcome is Outcome.SENT
        [request] = slack.requests
    assert request.path == "/views.publish"
    assert (request.body["user_id"], request.body["view"]["type"]) == (USER, "home")


def test_an_answer_takes_the_buttons_off_the_question_and_its_own_fate_counts_alone() -> None:
    def answer(request: Any) -> Answer:
        return Answer(404, raw=b"expired_url") if request.path == "/respond" else OK

    with platform(answer) as slack:
        after = json.dumps({"url": f"{slack.url}/respond", "text": "t", "blocks": [{"type": "divider"}]})
        assert channel(slack.url).send(replace(HELLO, reply_token=after)).outcome is Outcome.SENT
        assert [request.path for request in slack.requests] == ["/chat.postMessage", "/respond"]
        assert slack.requests[1].body == {"replace_original": True, "text": "t", "blocks": [{"type": "divider"}]}
        assert "authorization" not in slack.requests[1].headers


def test_a_question_is_not_touched_when_its_answer_did_not_leave_nor_where_slack_is_not() -> None:
    with platform(lambda _: Answer(503)) as slack:
        after = json.dumps({"url": f"{slack.url}/respond", "text": "t", "blocks": []})
        channel(slack.url).send(replace(HELLO, reply_token=after))
        assert [request.path for request in slack.requests] == ["/chat.postMessage"]
    with platform(lambda _: OK) as elsewhere:
        real = SlackChannel(secrets=("s",), tokens=lambda _: "x", api_url="https://127.0.0.1:1/api", public_url="")
        real._settle_question(json.dumps({"url": f"{elsewhere.url}/steal", "text": "t", "blocks": []}))
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (Said(200, {"ok": True, "channel": "D1", "ts": "1.2"}), Receipt(Outcome.SENT, ("D1:1.2",))),
        (Said(200, {"ok": True}), Receipt(Outcome.SENT)),
        (
            Said(429, {"ok": False, "error": "ratelimited"}, 30.0),
            Receipt(Outcome.RETRY, error="rate", retry_after=30.0),
        ),
        (Said(429, {}), Receipt(Outcome.RETRY, error="rate")),
        (Said(200, {"ok": False, "error": "ratelimited"}), Receipt(Outcome.RETRY, error="ratelimited")),
        (Said(503, {}), Receipt(Outcome.RETRY, error="status_503")),
        (Said(200, {"ok": False, "error": "fatal_error"}), Receipt(Outcome.UNCERTAIN, error="fatal_error")),
        (Said(200, {"ok": False, "error": "internal_error"}), Receipt(Outcome.UNCERTAIN, error="internal_error")),
        (Said(200, {"ok": False, "error": "user_disabled"}), Receipt(Outcome.UNREACHABLE, error="user_disabled")),
        (
            Said(200, {"ok": False, "error": "channel_not_found"}),
            Receipt(Outcome.UNREACHABLE, error="channel_not_found"),
        ),
        (Said(200, {"ok": False, "error": "msg_too_long"}), Receipt(Outcome.REJECTED, error="msg_too_long")),
        (Said(200, {"ok": False, "error": "痛い"}), Receipt(Outcome.REJECTED, error="status_200")),
        (Said(200, {}), Receipt(Outcome.REJECTED, error="status_200")),
        *(
            (Said(200, {"ok": False, "error": error}), Receipt(Outcome.RETRY, error=f"credentials:{error}"))
            for error in ("token_revoked", "account_inactive", "app_uninstalled", "invalid_auth", "missing_scope")
        ),
    ],
)
def test_each_answer_has_one_meaning(answer: Said, wanted: Receipt) -> None:
    assert receipt(answer) == wanted


def test_who_somebody_is_comes_from_their_profile() -> None:
    user = {"id": USER, "locale": "en-GB", "tz": "Europe/London"}
    with platform(lambda _: Answer(body={"ok": True, "user": user})) as slack:
        assert channel(slack.url).introduce(ADDRESS) == Introduced("en", "Europe/London")
        assert slack.requests[0].path == "/users.info"
        assert slack.requests[0].data == f"user={USER}&include_locale=true".encode()
        assert channel(slack.url).introduce(f"{TEAM}/C0123") is None
        assert len(slack.requests) == 1
    assert channel("http://127.0.0.1:1").introduce(ADDRESS) is None


def test_a_language_that_is_not_spoken_here_is_none() -> None:
    with platform(lambda _: Answer(body={"ok": True, "user": {"locale": "fr-FR"}})) as slack:
        assert channel(slack.url).introduce(ADDRESS) == Introduced(None, "")


def test_a_workspace_without_the_app_is_not_reached_and_one_whose_token_is_not_known_yet_waits() -> None:
    def silent(_: str) -> str:
        raise NotTold

    away, unsure = (
        SlackChannel(secrets=("s",), tokens=tokens, api_url="http://127.0.0.1:1", public_url="")
        for tokens in (lambda _: None, silent)
    )
    assert away.send(HELLO) == Receipt(Outcome.UNREACHABLE, error="not_installed")
    assert unsure.send(HELLO) == Receipt(Outcome.RETRY, error="connection")
    assert (away.introduce(ADDRESS), unsure.introduce(ADDRESS)) == (None, None)


# --- how fast ---


class Hand:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.time += seconds


def test_one_conversation_gets_a_message_a_second_and_others_do_not_wait_for_it() -> None:
    hand = Hand()
    pace = Pace(1.0, clock=hand.clock, sleep=hand.sleep)
    for address in ("a", "b", "a", "b", "a"):
        with pace.turn(address) as mine:
            assert mine
    assert hand.slept == [1.0, 1.0]
    assert hand.time == 102.0


def test_silence_lasts_as_long_as_slack_asked_for_it_and_in_that_workspace_only() -> None:
    hand = Hand()
    pace = Pace(0, clock=hand.clock, sleep=hand.sleep)
    answers = [Answer(429, {"ok": False}, {"Retry-After": "30"}), OK, OK]
    with platform(lambda _: answers.pop(0)) as slack:
        bot = channel(slack.url, pace)
        assert bot.send(HELLO) == Receipt(Outcome.RETRY, error="rate", retry_after=30.0)
        hand.time += 10
        assert bot.send(HELLO) == Receipt(Outcome.RETRY, error="rate", retry_after=20.0)
        assert len(slack.requests) == 1
        assert bot.send(replace(HELLO, user_id="T2/U2")).outcome is Outcome.SENT
        hand.time += 20
        assert bot.send(HELLO).outcome is Outcome.SENT


def test_safety_advice_waits_for_its_own_conversations_silence_and_not_for_the_workspaces() -> None:
    hand = Hand()
    answers = [Answer(429, {"ok": False}, {"Retry-After": "30"}), OK]
    urgent = Message((Words("119"),), safety=True)
    with platform(lambda _: answers.pop(0)) as slack:
        bot = channel(slack.url, Pace(0, clock=hand.clock, sleep=hand.sleep))
        assert bot.send(HELLO).outcome is Outcome.RETRY
        assert bot.send(replace(HELLO, message=urgent)) == Receipt(Outcome.RETRY, error="rate", retry_after=30.0)
        assert bot.send(replace(HELLO, user_id=f"{TEAM}/U2")).retry_after == 30.0
        assert bot.send(replace(HELLO, user_id=f"{TEAM}/U2", message=urgent)).outcome is Outcome.SENT
        assert len(slack.requests) == 2


def test_what_nobody_waits_for_keeps_back_when_much_was_said_and_comes_again_by_the_second() -> None:
    hand = Hand()
    pace = Pace(0, rate=4, clock=hand.clock, sleep=hand.sleep)
    for number in range(BURST):
        assert not pace.full()
        with pace.turn(str(number)):
            pass
    assert pace.full()
    hand.time += 0.2
    assert pace.full()
    hand.time += 0.1
    assert not pace.full()


def test_many_threads_keep_the_pace_together_and_none_waits_for_ever() -> None:
    pace = Pace(0.2)
    moments: list[float] = []
    left_out: list[float] = []

    def speak() -> None:
        with pace.turn("a") as mine:
            (moments if mine else left_out).append(time.monotonic())

    threads = [threading.Thread(target=speak) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(moments) + len(left_out) == 12
    assert left_out
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(sorted(moments)))


def test_a_connection_that_slack_closed_while_idle_is_opened_anew() -> None:
    with platform(lambda _: replace(OK, cut="after")) as slack:
        api = Api(slack.url)
        for number in range(3):
            assert api.call("chat.postMessage", "t", {}).ok
            slack.wait_until_closed(number + 1)  # before that it is no idle one, and what it took would be unsure
        assert slack.connections == 3
