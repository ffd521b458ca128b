"""What goes out to LINE, byte for byte, and what each way of ending means."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from bot.channels.base import Delivery, Outcome, Receipt
from bot.channels.line.channel import LineChannel
from bot.channels.line.send import CONNECTIONS, Api, receipt
from bot.messages import Card, Message, Picture, Words
from tests.wire.line_models import assert_valid_request
from tests.wire.line_platform import Answer, Platform, Request, platform

KEY = "123e4567-e89b-12d3-a456-426614174000"
USER = "U4af4980629f4a1e2b3c4d5e6f7a8b9c0"
TOKEN = "issued-by-line"
HELLO = Message((Words("こんにちは👋"),))
SENT: dict[str, object] = {"sentMessages": [{"id": "461230966842064897", "quoteToken": "IStG5h1Tz7b"}]}
MONTHLY: dict[str, object] = {"message": "You have reached your monthly limit."}
RATE: dict[str, object] = {"message": "The API rate limit has been exceeded. Try again later."}
BAD_REPLY: dict[str, object] = {"message": "Invalid reply token"}
NOBODY: dict[str, object] = {"message": "Failed to send messages"}
BAD_TO: dict[str, object] = {"message": "The property, 'to', in the request body is invalid (line: -, column: -)"}
BAD_BODY: dict[str, object] = {
    "message": "The request body has 2 error(s)",
    "details": [
        {"message": "May not be empty", "property": "messages[0].text"},
        {"message": "腰が痛い is too long", "property": "腰が痛い"},
    ],
}


def always(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _: answer


def channel(url: str, public_url: str = "https://bot.example") -> LineChannel:
    return LineChannel(secrets=["secret"], access_token=TOKEN, api_url=url, public_url=public_url)


def push(url: str) -> Receipt:
    return channel(url).send(Delivery(USER, HELLO, KEY))


def reply(url: str) -> Receipt:
    return channel(url).send(Delivery(USER, HELLO, KEY, reply_token="38ef843bde154d9b91c21320ffd17a0f"))


def multicast(url: str) -> Receipt:
    return channel(url).send_many([USER, "U" + "1" * 32], HELLO, KEY)


def only_request(running: Platform) -> Request:
    (request,) = running.requests
    return request


# --- exact requests --------------------------------------------------------------------------------------------------


def test_a_reply_carries_the_token_and_no_retry_key() -> None:
    with platform(always(Answer(body=SENT))) as line:
        got = reply(line.url)
    sent = only_request(line)
    assert (sent.method, sent.path) == ("POST", "/v2/bot/message/reply")
    assert sent.data == (
        '{"replyToken":"38ef843bde154d9b91c21320ffd17a0f","messages":[{"type":"text","text":"こんにちは👋"}]}'.encode()
    )
    assert sent.headers["authorization"] == "Bearer issued-by-line"
    assert sent.headers["content-type"] == "application/json"
    assert "x-line-retry-key" not in sent.headers
    assert_valid_request("reply", sent.body)
    assert got == Receipt(Outcome.SENT, ("461230966842064897",), billed=0)


def test_a_push_carries_its_retry_key_and_costs_one_message() -> None:
    with platform(always(Answer(body=SENT))) as line:
        got = push(line.url)
    sent = only_request(line)
    assert (sent.method, sent.path) == ("POST", "/v2/bot/message/push")
    assert sent.body == {"to": USER, "messages": [{"type": "text", "text": "こんにちは👋"}]}
    assert sent.headers["x-line-retry-key"] == KEY
    assert_valid_request("push", sent.body)
    assert got == Receipt(Outcome.SENT, ("461230966842064897",), billed=1)


def test_a_push_of_five_parts_costs_one_message() -> None:
    with platform(always(Answer(body=SENT))) as line:
        got = channel(line.url).send(Delivery(USER, Message((Words("一"),) * 5), KEY))
    assert got.billed == 1


def test_a_multicast_carries_every_address_and_costs_one_message_each() -> None:
    with platform(always(Answer(body={}))) as line:
        got = multicast(line.url)
    sent = only_request(line)
    assert (sent.method, sent.path) == ("POST", "/v2/bot/message/multicast")
    assert sent.body["to"] == [USER, "U" + "1" * 32]
    assert sent.headers["x-line-retry-key"] == KEY
    assert_valid_request("multicast", sent.body)
    assert got == Receipt(Outcome.SENT, (), billed=2)


@pytest.mark.parametrize("count", [0, 501])
def test_a_multicast_to_nobody_or_to_more_than_five_hundred_is_a_mistake(count: int) -> None:
    with platform(always(Answer())) as line:
        with pytest.raises(ValueError, match=f"^{count} addresses"):
            channel(line.url).send_many([USER] * count, HELLO, KEY)
        assert channel(line.url).send_many([USER] * 500, HELLO, KEY).billed == 500
    assert len(line.requests) == 1


def test_the_address_of_the_platform_may_have_a_path() -> None:
    with platform(always(Answer())) as line:
        push(line.url + "/line/api/")
    assert only_request(line).path == "/line/api/v2/bot/message/push"


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "トークン"])
def test_an_access_token_that_no_header_can_carry_is_refused_at_the_start(token: str) -> None:
    with pytest.raises(ValueError, match="channel access token"):
        LineChannel(secrets=["s"], access_token=token, api_url="https://api.example", public_url="")


def picture_url(public_url: str, api_url: str) -> object:
    with platform(always(Answer())) as line:
        url = line.url if api_url == "http" else api_url
        bot = LineChannel(secrets=["s"], access_token="t", api_url=url, public_url=public_url)
        bot.send(Delivery(USER, Message((Picture("stop.png", "止まる手"),)), KEY))
        (message,) = only_request(line).body["messages"]
    return message.get("originalContentUrl")


def test_pictures_come_from_the_public_address() -> None:
    assert picture_url("https://bot.example/", "http") == "https://bot.example/media/stop.png"


def test_a_platform_on_plain_http_fetches_pictures_over_http() -> None:
    assert picture_url("http://127.0.0.1:8000", "http") == "http://127.0.0.1:8000/media/stop.png"


def test_without_a_public_address_pictures_are_described() -> None:
    assert picture_url("", "http") is None


# --- every answer ----------------------------------------------------------------------------------------------------

ANSWERS: list[tuple[str, Answer, Receipt, Receipt | None]] = [
    # name, answer, receipt of a push, receipt of a reply where it is another one
    ("accepted for later", Answer(202), Receipt(Outcome.SENT, billed=1), Receipt(Outcome.SENT)),
    ("no JSON in a success", Answer(200, raw=b"<"), Receipt(Outcome.SENT, billed=1), Receipt(Outcome.SENT)),
    (
        "already accepted",
        Answer(409, {"message": "The retry key is already accepted", **SENT}),
        Receipt(Outcome.SENT, ("461230966842064897",), billed=1),
        Receipt(Outcome.RETRY, error="status_409"),
    ),
    (
        "rate limit",
        Answer(429, RATE, {"Retry-After": "7"}),
        Receipt(Outcome.RETRY, error="rate", retry_after=7.0),
        None,
    ),
    (
        "rate limit with a date",
        Answer(429, RATE, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        Receipt(Outcome.RETRY, error="rate"),
        None,
    ),
    (
        "429 in HTML",
        Answer(429, raw=b"<h1>"),
        Receipt(Outcome.RETRY, error="rate"),
        None,
    ),
    (
        "monthly limit",
        Answer(429, MONTHLY),
        Receipt(Outcome.NO_QUOTA, error="monthly_limit"),
        None,
    ),
    (
        "reply token used or expired",
        Answer(400, BAD_REPLY),
        Receipt(Outcome.RETRY, error="reply_token"),
        None,
    ),
    (
        "no such user",
        Answer(400, NOBODY),
        Receipt(Outcome.UNREACHABLE, error="not_deliverable"),
        None,
    ),
    (
        "an address of the wrong form",
        Answer(400, BAD_TO),
        Receipt(Outcome.REJECTED, error="status_400"),
        None,
    ),
    (
        "a body LINE refuses",
        Answer(400, BAD_BODY),
        Receipt(Outcome.REJECTED, error="status_400 messages[0].text"),
        None,
    ),
    ("400 in HTML", Answer(400, raw=b"<h1>"), Receipt(Outcome.REJECTED, error="status_400"), None),
    ("too large", Answer(413), Receipt(Outcome.REJECTED, error="status_413"), None),
    (
        "wrong token",
        Answer(401, {"message": "Authentication failed"}),
        Receipt(Outcome.RETRY, error="credentials"),
        None,
    ),
    ("not allowed", Answer(403), Receipt(Outcome.RETRY, error="credentials"), None),
    ("wrong address", Answer(404), Receipt(Outcome.RETRY, error="status_404"), None),
    ("moved", Answer(302, headers={"Location": "/elsewhere"}), Receipt(Outcome.RETRY, error="status_302"), None),
    ("broken", Answer(500), Receipt(Outcome.RETRY, error="status_500"), None),
    ("in front of a broken one", Answer(502, raw=b"<h1>"), Receipt(Outcome.RETRY, error="status_502"), None),
    (
        "busy",
        Answer(503, headers={"Retry-After": "1.5"}),
        Receipt(Outcome.RETRY, error="status_503", retry_after=1.5),
        None,
    ),
    ("cut off before the answer", Answer(cut="all"), Receipt(Outcome.UNCERTAIN, error="ProtocolError"), None),
    ("cut off in the answer", Answer(cut="half"), Receipt(Outcome.UNCERTAIN, error="ProtocolError"), None),
]


@pytest.mark.parametrize(("answer", "pushed", "replied"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS])
def test_each_answer_has_one_meaning(answer: Answer, pushed: Receipt, replied: Receipt | None) -> None:
    with platform(always(answer)) as line:
        assert push(line.url) == pushed
        assert reply(line.url) == (replied or pushed)
    assert len(line.requests) == 2, "one attempt each"


def test_a_multicast_already_accepted_was_billed_for_everyone() -> None:
    with platform(always(Answer(409))) as line:
        assert multicast(line.url) == Receipt(Outcome.SENT, billed=2)


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"sentMessages": 7}', b'{"sentMessages": [7, {}]}', b"[" * 100_000])
def test_an_odd_success_is_still_a_success(body: bytes) -> None:
    assert receipt(200, {}, body, keyed=True, billed=1) == Receipt(Outcome.SENT, billed=1)


@pytest.mark.parametrize("body", [b'{"details": 7}', b'{"details": [7, {"property": 7}]}', b'{"message": {"a": 1}}'])
def test_an_odd_refusal_is_still_a_refusal(body: bytes) -> None:
    got = receipt(400, {}, body, keyed=True, billed=1)
    assert got.outcome is Outcome.REJECTED


def test_an_error_never_repeats_a_text_or_an_address() -> None:
    body = {"message": f"腰が痛い {USER}", "details": [{"message": USER, "property": f"{USER} 腰が痛い"}]}
    with platform(always(Answer(400, body))) as line:
        got = push(line.url)
    assert USER not in got.error
    assert "腰" not in got.error


# --- the wire --------------------------------------------------------------------------------------------------------


def test_a_refused_connection_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    assert push(url) == Receipt(Outcome.RETRY, error="connection")


def test_an_impossible_address_is_tried_again() -> None:
    assert push("http://[line") == Receipt(Outcome.RETRY, error="address")


def test_a_connection_that_never_opens_is_tried_again() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        try:
            api = Api(f"http://127.0.0.1:{address[1]}", TOKEN, connect_seconds=0.2)
            assert api.push(USER, [], KEY) == Receipt(Outcome.RETRY, error="connection")
        finally:
            for one in waiting:
                one.close()


def test_no_answer_in_time_is_uncertain() -> None:
    with platform(always(Answer(after_seconds=0.5))) as line:
        api = Api(line.url, TOKEN, read_seconds=0.1)
        assert api.push(USER, [], KEY) == Receipt(Outcome.UNCERTAIN, error="ReadTimeoutError")
    assert len(line.requests) == 1


def test_a_platform_that_does_not_speak_tls_is_tried_again() -> None:
    with platform(always(Answer())) as line:
        assert push(line.url.replace("http:", "https:")) == Receipt(Outcome.RETRY, error="tls")


def test_many_threads_share_a_few_connections() -> None:
    with platform(always(Answer(body=SENT, after_seconds=0.01))) as line:
        bot = channel(line.url)
        receipts: list[Receipt] = []

        def send_ten() -> None:
            receipts.extend(bot.send(Delivery(USER, HELLO, KEY)) for _ in range(10))

        threads = [threading.Thread(target=send_ten) for _ in range(3 * CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [one.outcome for one in receipts] == [Outcome.SENT] * 30 * CONNECTIONS
    assert line.connections <= CONNECTIONS


def test_a_connection_that_line_closed_while_idle_is_opened_anew() -> None:
    with platform(always(Answer(body=SENT, cut="after"))) as line:
        bot = channel(line.url)
        for number in range(3):
            assert bot.send(Delivery(USER, HELLO, KEY)).outcome is Outcome.SENT
            line.wait_until_closed(number + 1)
    assert line.connections == 3


def test_a_card_travels_whole() -> None:
    card = Card("題", "本文", lines=("一",), picture=Picture("stop.png", "絵"))
    with platform(always(Answer(body=SENT))) as line:
        channel(line.url).send(Delivery(USER, Message((card,)), KEY))
    assert_valid_request("push", only_request(line).body)


def test_the_bot_starts_without_the_sdk_s_sending_side() -> None:
    """It costs 20 MB and most of a second."""
    code = "import sys, bot.channels.line.channel; sys.exit('linebot.v3.messaging' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
