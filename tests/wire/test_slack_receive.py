"""What Slack sends, in our words; and what nobody but Slack could have sent."""

import contextlib
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import Forged, Malformed, Parted, Reception, StaffAct
from bot.channels.slack.channel import SlackChannel
from bot.messages import (
    Command,
    Commanded,
    Event,
    Filled,
    Followed,
    Garbled,
    HomeOpened,
    Invited,
    Picked,
    PickToken,
    Said,
    Showed,
    Unfollowed,
    Unsent,
)
from tests.wire.slack_requests import (
    STAFF,
    TEAM,
    USER,
    channel,
    command,
    envelope,
    form,
    message,
    received,
    signed,
    tap,
)
from tests.world import START


def the_event(body: bytes) -> Event:
    [inbound] = received(body).inbound
    assert inbound.user_id.startswith(f"{TEAM}/")
    return inbound.event


# --- genuine or not ---


def test_slacks_own_example_of_a_signature_is_accepted() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    slack = SlackChannel(
        secrets=("8f742231b10e8888abcd99yyyzzz85a5",),
        tokens=lambda _: None,
        api_url="https://slack.com/api",
        public_url="",
    )
    assert slack.receive(body, headers, datetime.fromtimestamp(1531420618, UTC)).ignored == ("/webhook-collect",)


@pytest.mark.parametrize("secret", ["5c1a9f", "older"])
def test_while_a_secret_is_rotated_both_are_accepted(secret: str) -> None:
    body = envelope(message("a"))
    assert channel().receive(body, signed(body, secret=secret), START).inbound


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_request_of_five_minutes_ago_is_still_accepted(seconds: int) -> None:
    body = envelope(message("a"))
    assert channel().receive(body, signed(body, START + timedelta(seconds=seconds)), START).inbound


def refused() -> list[dict[str, str]]:
    body = envelope(message("a"))
    good = signed(body)
    return [
        {},
        {**good, "X-Slack-Signature": ""},
        {**good, "X-Slack-Signature": "v0=" + "0" * 64},
        {**good, "X-Slack-Signature": good["X-Slack-Signature"].removeprefix("v0=")},
        {**good, "X-Slack-Signature": "署名"},
        {**good, "X-Slack-Request-Timestamp": ""},
        {**good, "X-Slack-Request-Timestamp": "now"},
        {**good, "X-Slack-Request-Timestamp": str(int(START.timestamp()) + 1)},
        signed(body, START - timedelta(seconds=301)),
        signed(body, START + timedelta(seconds=301)),
        signed(body + b" "),
        signed(body, secret="other"),
    ]


@pytest.mark.parametrize("headers", refused())
def test_what_is_forged_old_or_unsigned_is_refused_before_it_is_parsed(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = envelope(message("a"))
    slack = channel()
    monkeypatch.setattr("slack_bolt.request.request.parse_body", lambda *_: pytest.fail("parsed"))
    with pytest.raises(Forged):
        slack.receive(body, headers, START)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"not json", b"[]", b'"a"', b"null", b"{", b"payload=x"])
def test_a_signed_body_that_is_no_request_of_slacks_is_refused(body: bytes) -> None:
    with pytest.raises((Forged, Malformed)):
        received(body)


def test_nothing_that_was_said_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret_words = "おしっこが出ません"
    for body in (
        envelope(message(secret_words)),
        envelope({"type": "strange", "text": secret_words}),
        form(tap({"action_id": "x", "value": secret_words})),
        command("/other", secret_words),
        json.dumps({"type": secret_words}).encode(),
    ):
        received(body)
        with pytest.raises(Forged):
            channel().receive(body, {}, START)
    assert secret_words not in caplog.text
    assert "text" not in caplog.text


def test_slacks_question_for_the_address_is_answered() -> None:
    body = json.dumps({"token": "t", "challenge": "3eZbrw1aB", "type": "url_verification"}).encode()
    assert received(body) == Reception((), answer='{"challenge": "3eZbrw1aB"}')


def test_no_secret_no_channel() -> None:
    with pytest.raises(ValueError, match="signing secret"):
        SlackChannel(secrets=(), tokens=lambda _: "x", api_url="https://slack.com/api", public_url="")


# --- what happened ---


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (message("腰が重い"), Said("腰が重い", "1775012400.000200")),
        (message("a &lt; b &amp;amp; c &gt; d"), Said("a < b &amp; c > d", "1775012400.000200")),
        (message("a\x00b"), Said("ab", "1775012400.000200")),
        (message(":thumbsup: :smile:"), Showed("sticker")),
        (message("", subtype="file_share", files=[{"mimetype": "image/png"}]), Showed("image")),
        (message("", subtype="file_share", files=[{"mimetype": "application/pdf"}]), Showed("file")),
        (message("熱です", subtype="file_share", files=[{}]), Said("熱です", "1775012400.000200")),
        (
            message("", subtype="message_deleted", deleted_ts="1.5", previous_message={"user": USER, "text": "x"}),
            Unsent("1.5"),
        ),
        ({"type": "app_mention", "user": USER, "channel": "C1", "text": "<@U0> hi", "ts": "1.2"}, Invited()),
        ({"type": "member_joined_channel", "user": "U0BOT", "channel": "C1", "event_ts": "1.2"}, Invited()),
        ({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "home", "event_ts": "1.2"}, HomeOpened()),
        ({"type": "user_change", "user": {"id": USER, "deleted": True}, "event_ts": "1.2"}, Unfollowed()),
    ],
)
def test_an_event_is_understood(event: dict[str, Any], wanted: Event) -> None:
    assert the_event(envelope(event)) == wanted


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (message("a", channel_type="channel"), "message/channel/"),
        (message("a", bot_id="B1"), "message/im/"),
        (message("a", subtype="message_changed"), "message/message_changed"),
        ({"type": "app_home_opened", "user": USER, "tab": "messages"}, "app_home_opened/messages"),
        ({"type": "member_joined_channel", "user": USER, "channel": "C1"}, "member_joined_channel"),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, "tokens_revoked/user"),
        ({"type": "reaction_added"}, "reaction_added"),
        (message("a", user=None), "said/no_address"),
        ({"type": "user_change", "user": "U1"}, "user_change"),
        ({"type": "member_joined_channel", "user": ["x"]}, "unreadable"),
    ],
)
def test_what_has_no_use_is_ignored_by_name(event: dict[str, Any], name: str) -> None:
    assert received(envelope(event)) == Reception((), (name,))


@pytest.mark.parametrize("event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U0"]}}])
def test_a_workspace_that_sends_us_away_is_noted(event: dict[str, Any]) -> None:
    assert received(envelope(event)).gone == (Parted(TEAM, START),)


def test_a_member_who_is_not_deactivated_may_be_back() -> None:
    back = received(envelope({"type": "user_change", "user": {"id": USER, "deleted": False}}))
    assert (back.back, back.inbound, back.ignored) == ((f"{TEAM}/{USER}",), (), ())


def test_a_command_alone_begins_and_with_words_is_something_said() -> None:
    assert the_event(command()) == Followed()
    assert the_event(command(text=" 予約したい ")) == Said("予約したい")
    assert received(command("/tip")).staff == (StaffAct("tip", f"{TEAM}/{USER}", trigger="1.2.3"),)


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ({"action_id": "button:1", "value": "p|3|s/c|any"}, Picked(PickToken(3, "s/c", "any"))),
        ({"action_id": "button:1", "value": "c|today"}, Commanded(Command.TODAY)),
        ({"action_id": "button:1", "value": "old"}, Garbled()),
        (
            {"action_id": "time:p|3|reminder/time|pick", "selected_time": "07:30"},
            Picked(PickToken(3, "reminder/time", "07:30")),
        ),
        (
            {"action_id": "time:p|3|reminder/time|pick", "selected_time": "7:30"},
            Picked(PickToken(3, "reminder/time", "pick")),
        ),
        (
            {"action_id": "day:p|0|booking/day|pick", "selected_date": "2026-04-29"},
            Picked(PickToken(0, "booking/day", "2026-04-29")),
        ),
        (
            {"action_id": "day:p|0|booking/day|pick", "selected_date": "29 April"},
            Picked(PickToken(0, "booking/day", "pick")),
        ),
        ({"action_id": "submit:1"}, Filled(())),
    ],
)
def test_a_tap_is_understood(action: dict[str, Any], wanted: Event) -> None:
    assert the_event(form(tap(action))) == wanted


@pytest.mark.parametrize("action_id", ["link:1", "chosen"])
def test_a_link_opened_or_a_choice_not_sent_yet_is_no_answer(action_id: str) -> None:
    assert received(form(tap({"action_id": action_id}))).inbound == ()


def test_a_form_carries_every_item_that_was_answered() -> None:
    def chosen(value: str, label: str) -> dict[str, Any]:
        return {"chosen": {"type": "radio_buttons", "selected_option": {"value": value, "text": {"text": label}}}}

    values = {
        "p|3|s/c/urine|": chosen("no", "ない"),
        "p|3|s/c/bowel|": {"chosen": {"type": "radio_buttons", "selected_option": None}},
        "p|3|s/c/saddle|": chosen("new", "新しくある"),
        "strange": chosen("x", "x"),
    }
    asked = {"type": "input", "block_id": "p|3|s/c/urine|", "label": {"text": "おしっこ"}}
    shown = {"ts": "1.2", "text": "t", "blocks": [asked]}
    [inbound] = received(form(tap({"action_id": "submit:4"}, state={"values": values}, message=shown))).inbound
    assert inbound.event == Filled((PickToken(3, "s/c/urine", "no"), PickToken(3, "s/c/saddle", "new")))
    after = json.loads(inbound.reply_token or "")
    assert after["url"] == "https://hooks.slack.com/actions/T1/2/3"
    assert after["blocks"][-1]["elements"][0]["text"] == "✓ おしっこ → ない\n✓ 新しくある"


def test_two_taps_are_two_events_and_a_retry_of_one_is_the_same() -> None:
    first = received(form(tap({"action_id": "button:1", "value": "p|3|a/b|x"}))).inbound[0].event_id
    retry = received(form(tap({"action_id": "button:1", "value": "p|3|a/b|x"}))).inbound[0].event_id
    later = received(form(tap({"action_id": "button:1", "value": "p|3|a/b|x"}, trigger_id="2"))).inbound[0].event_id
    assert first == retry != later


def test_a_staff_button_counts_in_the_staffs_channel_only() -> None:
    action = {"action_id": "button:1", "value": "s|acknowledge|7"}
    inside = received(form(tap(action, channel={"id": STAFF})))
    [act] = inside.staff
    assert (act.what, act.value, act.who, act.name) == ("acknowledge", "7", f"{TEAM}/{USER}", "sample")
    elsewhere = received(form(tap(action, channel={"id": "C0OTHER"})))
    assert (elsewhere.staff, elsewhere.inbound, elsewhere.ignored) == ((), (), ("tap/staff_elsewhere",))


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "event", "user", "actions", "value", "view", "state", "values", "team", "channel", "id"]
                ),
                c,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_shape_of_a_signed_body_raises_anything_but_malformed(shape: Any) -> None:
    for body in (
        json.dumps(shape).encode(),
        envelope(shape),
        json.dumps({"type": "event_callback", "event": {"type": "message", "channel_type": "im", "x": shape}}).encode(),
        form(tap({"action_id": "button:1", "value": "v"}) | (shape if isinstance(shape, dict) else {})),
    ):
        with contextlib.suppress(Malformed):
            assert isinstance(SLACK.receive(body, signed(body, kind=kind_of(body)), START), Reception)


SLACK = channel()


def kind_of(body: bytes) -> str:
    return "application/x-www-form-urlencoded" if body.startswith(b"payload=") else "application/json"
