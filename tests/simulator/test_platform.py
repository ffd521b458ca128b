"""The platform in miniature, driven by the SDK's own client over HTTP."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import urllib3
from flask import Flask
from linebot.v3 import WebhookParser
from linebot.v3 import messaging as line
from linebot.v3.messaging.exceptions import ApiException
from PIL import Image

from bot.simulator.clock import Clock
from bot.simulator.endpoints import API, DATA, Endpoints
from bot.simulator.faults import Fault
from bot.simulator.platform import Platform
from bot.simulator.server import Server, address, bind
from bot.simulator.webhooks import Webhooks

SECRET = "secret"
TOKEN = "token"


@dataclass
class Bot:
    """Where the platform's webhooks arrive."""

    bodies: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)
    status: int = 200

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.bodies.append((body, headers))
        return self.status


@dataclass
class House:
    platform: Platform
    webhooks: Webhooks
    clock: Clock
    bot: Bot
    api: line.MessagingApi
    blob: line.MessagingApiBlob
    user: str


@pytest.fixture
def house() -> Iterator[House]:
    clock = Clock(datetime(2026, 4, 1, 3, 0, tzinfo=UTC))
    platform = Platform(clock, quota=5)
    bot = Bot()
    webhooks = Webhooks(platform, secret=SECRET, post=bot.post)
    endpoints = Endpoints(platform, webhooks, TOKEN)
    app = Flask("platform")
    app.register_blueprint(endpoints.api())
    app.register_blueprint(endpoints.data())
    listener = bind("127.0.0.1", 0)
    base = address(listener)
    platform.endpoint = f"{base}/webhooks/line"
    server = Server(app, listener)
    server.start()
    api = line.ApiClient(line.Configuration(host=base + API, access_token=TOKEN))
    blob = line.ApiClient(line.Configuration(host=base + DATA, access_token=TOKEN))
    for client in (api, blob):
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
    user = platform.chats.add_person("見本 花子(サンプル)").user_id
    webhooks.follow(user)
    yield House(platform, webhooks, clock, bot, line.MessagingApi(api), line.MessagingApiBlob(blob), user)
    for client in (api, blob):
        client.rest_client.pool_manager.clear()
    server.stop()


def text(words: str) -> line.TextMessage:
    return line.TextMessage(text=words)


def last_reply_token(house: House) -> str:
    token = house.webhooks.told[-1].events[0]["replyToken"]
    assert isinstance(token, str)
    return token


def push(house: House, words: str = "a", key: str | None = None, to: str | None = None) -> line.PushMessageResponse:
    return house.api.push_message(
        line.PushMessageRequest(to=to or house.user, messages=[text(words)]),
        x_line_retry_key=key,
        _request_timeout=5,
    )


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ApiException) as caught:
        call()
    return caught.value.status, json.loads(caught.value.body)["message"]


def heard(house: House) -> list[object]:
    return [b.message.get("text") for b in house.platform.chats.bubbles(house.user) if b.sender == "bot"]


def test_a_webhook_is_signed_so_that_the_sdk_accepts_it(house: House) -> None:
    house.webhooks.say(house.user, "腰が重い")
    body, headers = house.bot.bodies[-1]
    [event] = WebhookParser(SECRET).parse(body.decode(), headers["X-Line-Signature"])
    assert event.message.text == "腰が重い"
    assert (
        headers["X-Line-Signature"]
        == base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    )


@pytest.mark.parametrize("what", ["image", "video", "audio", "file", "location"])
def test_everything_a_person_can_show_is_a_webhook_that_the_sdk_reads(house: House, what: str) -> None:
    house.webhooks.show(house.user, what)  # type: ignore[arg-type]
    body, headers = house.bot.bodies[-1]
    [event] = WebhookParser(SECRET).parse(body.decode(), headers["X-Line-Signature"])
    assert event.message.type == what


def test_every_other_act_is_a_webhook_that_the_sdk_reads(house: House) -> None:
    house.webhooks.tap(house.user, "c|start", "はじめる")
    house.webhooks.sticker(house.user)
    house.webhooks.unsend(house.user, "1")
    house.webhooks.join("C" + "1" * 32)
    house.webhooks.say_in_group("C" + "1" * 32, house.user, "こんにちは")
    house.webhooks.block(house.user)
    house.webhooks.follow(house.user)
    parser = WebhookParser(SECRET)
    events = [e for body, h in house.bot.bodies for e in parser.parse(body.decode(), h["X-Line-Signature"])]
    assert [e.type for e in events] == [
        "follow", "postback", "message", "unsend", "join", "message", "unfollow", "follow",
    ]  # fmt: skip
    assert [e.follow.is_unblocked for e in events if e.type == "follow"] == [False, True]
    assert len({e.webhook_event_id for e in events}) == len(events)


def test_a_redelivered_event_keeps_its_id_and_says_so(house: House) -> None:
    first = house.webhooks.say(house.user, "あ")
    again = house.webhooks.redeliver(*first.events)
    assert again.events[0]["webhookEventId"] == first.events[0]["webhookEventId"]
    assert again.events[0]["deliveryContext"] == {"isRedelivery": True}
    assert first.events[0]["deliveryContext"] == {"isRedelivery": False}


def test_what_the_bot_accepted_is_shown_as_read_and_what_it_did_not_is_not(house: House) -> None:
    house.bot.status = 500
    house.webhooks.say(house.user, "あ")
    assert [b.read for b in house.platform.chats.bubbles(house.user) if b.sender == "person"] == [False]
    house.bot.status = 200
    house.webhooks.say(house.user, "い")
    assert all(b.read for b in house.platform.chats.bubbles(house.user) if b.sender == "person")


def test_a_reply_is_free_and_arrives_once(house: House) -> None:
    request = line.ReplyMessageRequest(reply_token=last_reply_token(house), messages=[text("やあ"), text("どうも")])
    sent = house.api.reply_message(request)
    assert len(sent.sent_messages) == 2
    assert heard(house) == ["やあ", "どうも"]
    assert refusal(lambda: house.api.reply_message(request)) == (400, "Invalid reply token")
    assert heard(house) == ["やあ", "どうも"]
    assert (house.platform.free, house.platform.billed()) == (1, 0)
    assert house.platform.violations == []


@pytest.mark.parametrize(("seconds", "accepted"), [(60, True), (61, False)])
def test_a_reply_token_lives_a_minute_of_the_virtual_clock(house: House, seconds: int, accepted: bool) -> None:
    token = last_reply_token(house)
    house.clock.move(timedelta(seconds=seconds))
    request = line.ReplyMessageRequest(reply_token=token, messages=[text("やあ")])
    if accepted:
        house.api.reply_message(request)
    else:
        assert refusal(lambda: house.api.reply_message(request)) == (400, "Invalid reply token")


def test_a_push_is_one_billed_message_however_many_objects_it_has(house: House) -> None:
    house.api.push_message(line.PushMessageRequest(to=house.user, messages=[text("a"), text("b"), text("c")]))
    assert (house.platform.free, house.platform.billed()) == (0, 1)
    assert house.api.get_message_quota_consumption().total_usage == 1
    assert house.api.get_message_quota().value == 5


def test_the_same_retry_key_sends_once_and_is_answered_with_409(house: House) -> None:
    key = str(uuid.uuid4())
    first = push(house, "a", key)
    with pytest.raises(ApiException) as caught:
        push(house, "a", key)
    assert caught.value.status == 409
    assert caught.value.headers["x-line-accepted-request-id"]
    assert json.loads(caught.value.body)["sentMessages"][0]["id"] == first.sent_messages[0].id
    assert heard(house) == ["a"]
    assert house.platform.billed() == 1


def test_a_retry_key_is_forgotten_after_a_day(house: House) -> None:
    key = str(uuid.uuid4())
    push(house, "a", key)
    house.clock.move(timedelta(hours=24))
    push(house, "a", key)
    assert heard(house) == ["a", "a"]


def test_a_reply_with_a_retry_key_is_refused(house: House) -> None:
    house.api.api_client.set_default_header("X-Line-Retry-Key", str(uuid.uuid4()))
    request = line.ReplyMessageRequest(reply_token=last_reply_token(house), messages=[text("a")])
    assert refusal(lambda: house.api.reply_message(request))[0] == 400
    assert [v.where for v in house.platform.violations] == ["X-Line-Retry-Key"]


def test_what_is_sent_to_one_who_blocks_is_accepted_and_goes_nowhere(house: House) -> None:
    house.webhooks.block(house.user)
    push(house)
    assert heard(house) == []
    assert house.platform.billed() == 0
    assert refusal(lambda: house.api.get_profile(house.user))[0] == 404


def test_an_address_that_does_not_exist_is_refused(house: House) -> None:
    assert refusal(lambda: push(house, to="U" + "0" * 32)) == (400, "Failed to send messages")


def test_multicast_bills_those_it_reaches(house: House) -> None:
    other = house.platform.chats.add_person("見本 太郎(サンプル)").user_id
    house.api.multicast(line.MulticastRequest(to=[house.user, other], messages=[text("a")]))
    assert house.platform.billed() == 1
    house.webhooks.follow(other)
    house.api.multicast(line.MulticastRequest(to=[house.user, other], messages=[text("a")]))
    assert house.platform.billed() == 3


def test_the_monthly_allowance_ends_and_comes_back_with_the_month(house: House) -> None:
    for _ in range(5):
        push(house)
    assert refusal(lambda: push(house)) == (429, "You have reached your monthly limit.")
    house.clock.move(timedelta(days=31))
    push(house)
    assert house.platform.billed() == 1


def test_faults_strike_as_often_as_they_were_laid(house: House) -> None:
    house.platform.faults.lay(Fault("rate", times=2, path="push"))
    house.platform.faults.lay(Fault("monthly", path="push"))
    house.platform.faults.lay(Fault("server_error", path="push"))
    house.api.get_bot_info()
    wanted = [429, 429, 429, 500]
    assert [refusal(lambda: push(house))[0] for _ in wanted] == wanted
    push(house)
    assert heard(house) == ["a"]


@pytest.mark.parametrize(("failure", "arrived"), [("drop_before", []), ("drop_after", ["a"])])
def test_a_broken_connection_leaves_the_message_sent_or_not(house: House, failure: str, arrived: list[str]) -> None:
    house.platform.faults.lay(Fault(failure))  # type: ignore[arg-type]
    with pytest.raises(urllib3.exceptions.HTTPError):
        push(house)
    assert heard(house) == arrived


def test_a_slow_platform_outlasts_a_timeout(house: House) -> None:
    house.platform.faults.lay(Fault("slow", seconds=0.6))
    with pytest.raises(urllib3.exceptions.HTTPError):
        house.api.push_message(line.PushMessageRequest(to=house.user, messages=[text("a")]), _request_timeout=0.2)


def test_a_wrong_token_is_refused(house: House) -> None:
    house.api.api_client.configuration.access_token = "other"
    assert refusal(lambda: push(house))[0] == 401


BUBBLE = {
    "type": "bubble",
    "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "a", "wrap": True}]},
}
GOOD = [
    {"type": "text", "text": "a"},
    {"type": "flex", "altText": "a", "contents": BUBBLE},
    {"type": "image", "originalContentUrl": "https://a.example/a.png", "previewImageUrl": "http://127.0.0.1:1/a.png"},
]


def button(**action: object) -> dict[str, object]:
    return {"type": "button", "action": {"type": "postback", "label": "a", "data": "a", **action}}


def flex(*contents: object, **box: object) -> dict[str, object]:
    body = {"type": "box", "layout": "vertical", "contents": list(contents), **box}
    return {"type": "flex", "altText": "a", "contents": {"type": "bubble", "body": body}}


def quick(count: int, label: str = "a") -> dict[str, object]:
    item = {"type": "action", "action": {"type": "message", "label": label, "text": "a"}}
    return {"type": "text", "text": "a", "quickReply": {"items": [item] * count}}


BAD: dict[str, list[object]] = {
    "no message": [],
    "six messages": [{"type": "text", "text": "a"}] * 6,
    "an empty text": [{"type": "text", "text": ""}],
    "a text of 5,001 units": [{"type": "text", "text": "😀" * 2500 + "a"}],
    "fourteen quick replies": [quick(14)],
    "a label of 21 units": [quick(1, "あ" * 21)],
    "an alt text of 1,501 units": [{"type": "flex", "altText": "a" * 1501, "contents": BUBBLE}],
    "no alt text": [{"type": "flex", "contents": BUBBLE}],
    "data of 301 units": [flex(button(data="a" * 301))],
    "a bubble of over 30 KB": [flex(*[{"type": "text", "text": "a" * 1000}] * 31)],
    "thirteen bubbles": [{"type": "flex", "altText": "a", "contents": {"type": "carousel", "contents": [BUBBLE] * 13}}],
    "a carousel of over 50 KB": [
        {
            "type": "flex",
            "altText": "a",
            "contents": {
                "type": "carousel",
                "contents": [flex(*[{"type": "text", "text": "a" * 1000}] * 25)["contents"]] * 3,
            },
        }
    ],
    "bubbles of two sizes": [
        {
            "type": "flex",
            "altText": "a",
            "contents": {"type": "carousel", "contents": [BUBBLE, {**BUBBLE, "size": "kilo"}]},
        }
    ],
    "an unknown size": [flex({"type": "text", "text": "a", "size": "huge"})],
    "an unknown colour": [flex({"type": "text", "text": "a", "color": "red"})],
    "an unknown property": [flex({"type": "text", "text": "a", "colour": "#ff0000"})],
    "an icon in a vertical box": [flex({"type": "icon", "url": "https://a.example/a.png"})],
    "an empty flex text": [flex({"type": "text", "text": ""})],
    "a picture over http": [
        {"type": "image", "originalContentUrl": "http://a.example/a.png", "previewImageUrl": "https://a.example/a.png"}
    ],
    "a script as a link": [flex({"type": "button", "action": {"type": "uri", "label": "a", "uri": "javascript:1"}})],
    "a button without a label": [flex({"type": "button", "action": {"type": "postback", "data": "a"}})],
}


def post_raw(house: House, path: str, body: object, *, host: str = API) -> tuple[int, dict[str, object]]:
    base = (house.platform.endpoint or "").removesuffix("/webhooks/line")
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "POST", base + host + path, json=body, headers={"Authorization": f"Bearer {TOKEN}"}, retries=False
        )
        return response.status, response.json()


def test_messages_within_every_limit_are_accepted(house: House) -> None:
    messages = [*GOOD, quick(13, "あ" * 20), flex(button(data="a" * 300, displayText="a"))]
    status, _ = post_raw(house, "/v2/bot/message/push", {"to": house.user, "messages": messages})
    assert status == 200
    assert house.platform.violations == []


@pytest.mark.parametrize("messages", BAD.values(), ids=BAD.keys())
def test_messages_over_a_limit_are_refused_and_recorded(house: House, messages: list[object]) -> None:
    status, error = post_raw(house, "/v2/bot/message/push", {"to": house.user, "messages": messages})
    assert status == 400
    assert error["details"]
    assert house.platform.violations
    assert heard(house) == []


def test_multicast_takes_500_different_ids(house: House) -> None:
    def send(ids: list[str]) -> int:
        return post_raw(house, "/v2/bot/message/multicast", {"to": ids, "messages": [GOOD[0]]})[0]

    ids = [f"U{n:032x}" for n in range(501)]
    assert [send(ids[:500]), send(ids), send([ids[0], ids[0]])] == [200, 400, 400]


def test_a_picture_goes_to_the_data_host_and_nothing_else_does(house: House) -> None:
    body = {"to": house.user, "messages": [GOOD[0]]}
    assert post_raw(house, "/v2/bot/message/push", body, host=DATA)[0] == 404
    assert house.platform.violations


def rich_menu() -> line.RichMenuRequest:
    return line.RichMenuRequest(
        size=line.RichMenuSize(width=2500, height=1686),
        selected=True,
        name="menu",
        chat_bar_text="メニュー",
        areas=[
            line.RichMenuArea(
                bounds=line.RichMenuBounds(x=0, y=0, width=2500, height=1686),
                action=line.PostbackAction(label="はじめる", data="c|start", display_text="はじめる"),
            )
        ],
    )


def png(width: int, height: int) -> bytearray:
    buffer = BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return bytearray(buffer.getvalue())


def test_a_rich_menu_needs_its_picture_before_it_becomes_the_default(house: House) -> None:
    menu_id = house.api.create_rich_menu(rich_menu()).rich_menu_id
    assert refusal(lambda: house.api.set_default_rich_menu(menu_id))[0] == 400
    house.blob.set_rich_menu_image(menu_id, body=png(2500, 1686), _headers={"Content-Type": "image/png"})
    house.api.set_default_rich_menu(menu_id)
    assert house.api.get_default_rich_menu_id().rich_menu_id == menu_id
    assert [menu.rich_menu_id for menu in house.api.get_rich_menu_list().richmenus] == [menu_id]
    assert house.platform.violations == []


def test_a_picture_of_another_size_than_its_menu_is_refused(house: House) -> None:
    menu_id = house.api.create_rich_menu(rich_menu()).rich_menu_id
    headers = {"Content-Type": "image/png"}
    upload = lambda: house.blob.set_rich_menu_image(menu_id, body=png(800, 540), _headers=headers)  # noqa: E731
    assert refusal(upload)[0] == 400


def test_the_webhook_address_is_set_read_and_tested(house: House) -> None:
    house.api.set_webhook_endpoint(line.SetWebhookEndpointRequest(endpoint="https://clinic.example/webhooks/line"))
    assert house.api.get_webhook_endpoint().endpoint == "https://clinic.example/webhooks/line"
    assert house.api.test_webhook_endpoint(line.TestWebhookEndpointRequest()).success is True
    assert json.loads(house.bot.bodies[-1][0])["events"] == []
    house.bot.status = 401
    assert house.api.test_webhook_endpoint(line.TestWebhookEndpointRequest()).status_code == 401


def test_the_loading_animation_ends_with_the_answer(house: House) -> None:
    house.api.show_loading_animation(line.ShowLoadingAnimationRequest(chat_id=house.user, loading_seconds=5))
    assert house.platform.is_loading(house.user)
    push(house)
    assert not house.platform.is_loading(house.user)


def test_the_profile_is_that_of_the_friend(house: House) -> None:
    profile = house.api.get_profile(house.user)
    assert (profile.display_name, profile.language) == ("見本 花子(サンプル)", "ja")
