"""LINE's webhooks as they come over the wire, and what we understand."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.base import Forged, Malformed, Reception
from bot.channels.line.channel import LineChannel
from bot.messages import (
    Command,
    Commanded,
    Event,
    Followed,
    Garbled,
    Inbound,
    Invited,
    Picked,
    PickToken,
    Said,
    Showed,
    Unfollowed,
    Unsent,
)

SAMPLES = json.loads((Path(__file__).parent / "line_events.json").read_text())
NOW = datetime(2023, 8, 17, 6, 0, tzinfo=UTC)
USER = "U4af4980629f4a1e2b3c4d5e6f7a8b9c0"
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"


def channel(*secrets: str) -> LineChannel:
    return LineChannel(
        secrets=secrets or (SECRET,),
        access_token="token",
        api_url="https://api.example",
        public_url="https://x.example",
    )


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def wrap(*events: object) -> bytes:
    return json.dumps({"destination": "U0b", "events": list(events)}).encode()


def receive(body: bytes) -> Reception:
    return channel().receive(body, {"X-Line-Signature": sign(body)}, NOW)


def understood(event: object) -> Inbound:
    reception = receive(wrap(event))
    assert reception.ignored == ()
    (inbound,) = reception.inbound
    return inbound


def text(**changes: object) -> dict[str, object]:
    return {**SAMPLES["text"], **changes}


# --- the signature ---------------------------------------------------------------------------------------------------


def test_a_body_signed_with_the_channel_secret_is_read() -> None:
    assert len(receive(wrap(SAMPLES["text"])).inbound) == 1


def test_the_signature_of_line_s_own_example_is_accepted() -> None:
    # Page "Verify webhook signature": its secret, body and signature.
    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    signature = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="
    assert channel(SECRET).receive(body, {"x-line-signature": signature}, NOW) == Reception(())


@pytest.mark.parametrize("name", ["X-Line-Signature", "x-line-signature", "X-LINE-SIGNATURE"])
def test_the_signature_header_is_found_in_any_case(name: str) -> None:
    body = wrap()
    assert channel().receive(body, {"Host": "x", name: sign(body)}, NOW) == Reception(())


@pytest.mark.parametrize("signed_with", ["old secret", "new secret"])
def test_while_a_secret_is_rotated_both_are_accepted(signed_with: str) -> None:
    body = wrap(SAMPLES["text"])
    reception = channel("old secret", "new secret").receive(body, {"X-Line-Signature": sign(body, signed_with)}, NOW)
    assert len(reception.inbound) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Line-Signature": ""},
        {"X-Line-Signature": sign(b"another body")},
        {"X-Line-Signature": sign(wrap(), "another secret")},
        {"X-Line-Signature": sign(wrap()).lower()},
        {"X-Line-Signature": sign(wrap()) + "\n"},
        {"X-Line-Signature": "署名"},
        {"X-Line-Signature": "\ud800"},
        {"X-Slack-Signature": sign(wrap())},
    ],
)
def test_a_missing_or_wrong_signature_is_forged(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        channel().receive(wrap(), headers, NOW)


def test_the_raw_bytes_are_what_is_signed() -> None:
    spaced = json.dumps({"events": []}, indent=1).encode()
    compact = json.dumps({"events": []}).encode()
    with pytest.raises(Forged):
        channel().receive(spaced, {"X-Line-Signature": sign(compact)}, NOW)


def test_a_forged_body_is_not_even_parsed() -> None:
    with pytest.raises(Forged):
        channel().receive(b"{", {"X-Line-Signature": "x"}, NOW)


@pytest.mark.parametrize("secrets", [(), ("",), ("good", "")])
def test_a_channel_without_a_secret_cannot_be_made(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="secret"):
        LineChannel(secrets=secrets, access_token="t", api_url="https://api.example", public_url="")


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"events"',
        b"{}",
        b'{"events": null}',
        b'{"events": {}}',
        b"[" * 100_000,
        b'{"events": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_signed_body_that_is_no_webhook_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        receive(body)


def test_the_console_s_verify_request_is_a_valid_empty_webhook() -> None:
    assert receive(wrap()) == Reception(())


@pytest.mark.parametrize("token", ["0" * 32, "f" * 32])
def test_the_old_verify_events_are_neither_answered_nor_counted(token: str) -> None:
    assert receive(wrap(text(replyToken=token))) == Reception(())


def test_unknown_fields_do_no_harm() -> None:
    event = text(weather="fine", message={**SAMPLES["text"]["message"], "mood": {"deep": [1]}})
    assert isinstance(understood(event).event, Said)


@pytest.mark.parametrize("stranger", [None, 7, "event", [], {}, {"type": 7}, {"type": "a b"}, {"type": ["message"]}])
def test_an_unreadable_event_does_not_take_its_neighbours_with_it(stranger: object) -> None:
    reception = receive(wrap(SAMPLES["text"], stranger, SAMPLES["sticker"]))
    assert [type(one.event) for one in reception.inbound] == [Said, Showed]
    assert reception.ignored == ("unknown",)


def test_several_events_of_several_people_keep_their_order() -> None:
    other = {"type": "user", "userId": "U" + "1" * 32}
    reception = receive(wrap(SAMPLES["text"], text(source=other), SAMPLES["follow"]))
    assert [one.user_id for one in reception.inbound] == [USER, "U" + "1" * 32, USER]


# --- events ----------------------------------------------------------------------------------------------------------

UNDERSTOOD: dict[str, Event] = {
    "text": Said("@All @example (love) 腰が痛い", "444573844083572737"),
    "sticker": Showed("sticker"),
    "image": Showed("image"),
    "video": Showed("video"),
    "audio": Showed("audio"),
    "file": Showed("file"),
    "location": Showed("location"),
    "future message": Showed("other"),
    "future sticker": Showed("sticker"),
    "future mention": Said("@Team 足がしびれる", "444573844083572738"),
    "follow": Followed(),
    "unblock": Followed(),
    "unfollow": Unfollowed(),
    "postback": Picked(PickToken(7, "screening/toilet", "none")),
    "postback with date": Commanded(Command.REMINDER),
    "unsend": Unsent("444573844083572737"),
    "join group": Invited(),
    "join room": Invited(),
}

IGNORED = {
    "text in a group": "message/group",
    "postback in a room": "postback/room",
    "unsend in a group": "unsend/group",
    "leave": "leave/group",
    "memberJoined": "memberJoined/group",
    "memberLeft": "memberLeft/group",
    "messageEdited": "messageEdited/group",
    "beacon": "beacon",
    "accountLink": "accountLink",
    "videoPlayComplete": "videoPlayComplete",
    "membership": "membership",
    "module": "module",
    "activated": "activated",
    "deactivated": "deactivated/standby",
    "botSuspended": "botSuspended",
    "botResumed": "botResumed",
    "delivery": "delivery",
    "things": "things",
    "future event": "hologramCall",
    "standby": "message/standby",
    "text without a user": "message/no_address",
    "text from a hidden user": "message/no_address",
}


def test_there_is_an_expectation_for_every_sample_and_a_sample_for_every_event_of_the_sdk() -> None:
    from linebot.v3.webhooks import Event as SdkEvent

    assert set(SAMPLES) == set(UNDERSTOOD) | set(IGNORED)
    known = set(SdkEvent._Event__discriminator_value_class_map)
    assert known <= {event["type"] for event in SAMPLES.values()}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_an_event_is_understood(name: str) -> None:
    sample = SAMPLES[name]
    inbound = understood(sample)
    assert inbound.event == UNDERSTOOD[name]
    assert inbound.channel == "line"
    assert inbound.event_id == sample["webhookEventId"]
    source = sample["source"]
    assert inbound.user_id == source.get("groupId", source.get("roomId", source.get("userId")))
    assert inbound.occurred_at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=sample["timestamp"])
    assert inbound.occurred_at.tzinfo is UTC
    assert inbound.reply_token == sample.get("replyToken")


@pytest.mark.parametrize("name", IGNORED)
def test_an_event_without_use_is_ignored_by_name(name: str) -> None:
    assert receive(wrap(SAMPLES[name])) == Reception((), (IGNORED[name],))


def test_a_reply_token_lives_fifty_seconds_from_its_arrival() -> None:
    assert understood(SAMPLES["text"]).reply_expires_at == NOW + timedelta(seconds=50)
    assert understood(SAMPLES["unfollow"]).reply_expires_at is None


def test_a_redelivered_event_keeps_its_id() -> None:
    again = text(deliveryContext={"isRedelivery": True})
    assert understood(again) == understood(SAMPLES["text"])


def said(words: str) -> Event:
    return understood(text(message={"type": "text", "id": "1", "quoteToken": "q", "text": words})).event


def test_a_text_of_any_length_is_kept_whole() -> None:
    words = "腰👍" * 5_000
    assert said(words) == Said(words, "1")


def test_what_cannot_be_stored_is_taken_out_of_a_text() -> None:
    assert said("腰\x00が\ud800痛い👍") == Said("腰が\ufffd痛い👍", "1")


@pytest.mark.parametrize(
    "data", ["", "x", "p|1|a", "c|fly", "p|-1|a|b", "p|1|a/b|\ud800", "p|1|a/b|x\x00", "p|1|a/b|" + "y" * 300]
)
def test_a_button_that_is_not_ours_is_garbled(data: str) -> None:
    assert understood({**SAMPLES["postback"], "postback": {"data": data}}).event == Garbled()


def test_a_button_with_the_longest_data_is_understood() -> None:
    option = "y" * (300 - len("p|1|a/b|"))
    event = understood({**SAMPLES["postback"], "postback": {"data": f"p|1|a/b|{option}"}}).event
    assert event == Picked(PickToken(1, "a/b", option))


def test_an_impossible_time_becomes_the_time_of_arrival() -> None:
    assert understood(text(timestamp=10**30)).occurred_at == NOW
    assert understood(text(timestamp=-(10**18))).occurred_at == NOW


def test_a_reply_token_that_cannot_be_one_is_left_out() -> None:
    inbound = understood(text(replyToken="a b\n"))
    assert (inbound.reply_token, inbound.reply_expires_at) == (None, None)


@pytest.mark.parametrize("source", [{"type": "user", "userId": "U\x00"}, {"type": "user", "userId": "U" * 201}])
def test_an_address_that_cannot_be_one_is_ignored(source: dict[str, str]) -> None:
    assert receive(wrap(text(source=source))).ignored == ("message/no_address",)


def _broken(value: object) -> list[object]:
    """The value with each of its parts replaced, in turn, by something of another kind."""
    junk: list[object] = [None, 7, "", [], {}, True, "\ud800"]
    found: list[object] = list(junk)
    if isinstance(value, dict):
        for key, part in value.items():
            found += [{**value, key: broken} for broken in _broken(part)]
            found.append({other: kept for other, kept in value.items() if other != key})
    elif isinstance(value, list):
        for index, part in enumerate(value):
            found += [[*value[:index], broken, *value[index + 1 :]] for broken in _broken(part)]
    return found


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_no_mutation_of_an_event_raises_or_hides_the_next_event(name: str) -> None:
    mutants = _broken(SAMPLES[name])
    reception = receive(wrap(*mutants, SAMPLES["follow"]))
    assert reception.inbound[-1] == understood(SAMPLES["follow"])
    for inbound in reception.inbound:
        assert json.dumps(inbound.event_id + inbound.user_id).isascii()
        if isinstance(inbound.event, Said):
            inbound.event.text.encode()
