"""Pickers of a time and of a day on LINE: how they are sent, and how what was chosen comes back."""

import json
from datetime import UTC, datetime

import pytest

from bot.channels.line.parse import read
from bot.channels.line.render import render
from bot.messages import Card, Choice, Event, Garbled, Message, Picked, PickToken
from tests.wire.line_models import assert_known_to_the_sdk

PICK = PickToken(0, "reminder/time/01234", "pick")


def tapped(data: str, params: object) -> Event:
    event = {
        "type": "postback",
        "postback": {"data": data, "params": params},
        "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC015",
        "deliveryContext": {"isRedelivery": False},
        "timestamp": 1462629479859,
        "source": {"type": "user", "userId": "U4af4980629f4a1e2b3c4d5e6f7a8b9c0"},
        "replyToken": "38ef843bde154d9b91c21320ffd17a0e",
        "mode": "active",
    }
    body = json.dumps({"destination": "U1", "events": [event]}).encode()
    [inbound] = read(body, datetime(2026, 4, 6, tzinfo=UTC)).inbound
    return inbound.event


def test_a_time_picker_is_a_datetime_picker_for_a_time() -> None:
    choice = Choice("ほかの時刻", token=PICK, picker="time")
    wanted = {"type": "datetimepicker", "label": "ほかの時刻", "data": "p|0|reminder/time/01234|pick", "mode": "time"}
    [card] = render(Message((Card("時刻", "いつ？", choices=(choice,)),)), None)
    assert json.loads(json.dumps(card))["contents"]["footer"]["contents"][0]["action"] == wanted
    assert_known_to_the_sdk(card)
    [quick] = render(Message((Card("時刻", "いつ？"),), quick=(choice,)), None)
    assert_known_to_the_sdk(quick)


def test_the_chosen_time_is_the_answer() -> None:
    assert tapped("p|0|reminder/time/01234|pick", {"time": "07:30"}) == Picked(
        PickToken(0, "reminder/time/01234", "07:30")
    )


@pytest.mark.parametrize(
    "params", [None, {}, {"time": "24:00"}, {"time": "7:30"}, {"time": "0730|x"}, {"datetime": "2026-04-06T07:30"}]
)
def test_what_is_no_time_changes_no_answer(params: object) -> None:
    assert tapped("p|0|reminder/time/01234|pick", params) == Picked(PICK)


def test_a_time_with_data_that_is_not_ours_is_garbled() -> None:
    assert tapped("x|pick", {"time": "07:30"}) == Garbled()


DAY = PickToken(0, "booking/day", "pick")


def test_a_day_picker_is_a_datetime_picker_for_a_date_between_the_first_and_the_last_day() -> None:
    choice = Choice("カレンダーで選ぶ", token=DAY, picker="date", between=("2026-04-08", "2026-05-02"))
    [card] = render(Message((Card("もっと先の日", choices=(choice,)),)), None)
    action = json.loads(json.dumps(card))["contents"]["footer"]["contents"][0]["action"]
    days = {"initial": "2026-04-08", "min": "2026-04-08", "max": "2026-05-02"}
    assert (
        action
        == {"type": "datetimepicker", "label": "カレンダーで選ぶ", "data": "p|0|booking/day|pick", "mode": "date"}
        | days
    )
    assert_known_to_the_sdk(card)


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"date": "2026-04-29"}, "2026-04-29"),
        ({"date": "2026-4-29"}, "pick"),
        ({"date": "29/04/2026"}, "pick"),
        ({"datetime": "2026-04-29T10:00"}, "pick"),
        (None, "pick"),
    ],
)
def test_the_chosen_day_is_the_answer_and_what_is_no_day_is_none(params: object, option: str) -> None:
    assert tapped("p|0|booking/day|pick", params) == Picked(PickToken(0, "booking/day", option))
