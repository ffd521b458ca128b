"""What a patient's phone is told to show: exact message objects, and what happens at each of LINE's limits."""

import json
from collections.abc import Sequence
from typing import cast

import pytest
from structlog.testing import capture_logs

from bot.channels.line.flex import FAINT, INK, MAIN, PLAIN, RULE, JsonObject
from bot.channels.line.limits import cut_to_clusters, cut_to_units
from bot.channels.line.render import render
from bot.messages import (
    Card,
    Carousel,
    Choice,
    Command,
    CommandToken,
    Message,
    Part,
    PickToken,
    Picture,
    Words,
)
from tests.wire.line_models import assert_known_to_the_sdk

MEDIA = "https://bot.example/media"
YES = Choice("はい", PickToken(4, "screening/toilet", "yes"), style="main")
NO = Choice("どれもない", PickToken(4, "screening/toilet", "none"), say="どれもありません")
CALL = Choice("119に電話", uri="tel:119")


def shown(*parts: Part, quick: tuple[Choice, ...] = (), media: str | None = MEDIA) -> list[JsonObject]:
    objects = render(Message(parts, quick), media)
    for one in objects:
        assert_known_to_the_sdk(one)
    return objects


def only(*parts: Part, quick: tuple[Choice, ...] = (), media: str | None = MEDIA) -> dict[str, object]:
    (one,) = shown(*parts, quick=quick, media=media)
    return dict(one)


def size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def texts(value: object) -> list[str]:
    """Every text of a Flex message, in reading order."""
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "text" else []
        return own + [text for key in value for text in texts(value[key])]
    return [text for item in value for text in texts(item)] if isinstance(value, list) else []


def actions(value: object) -> list[dict[str, str]]:
    if isinstance(value, dict):
        own = [cast("dict[str, str]", value["action"])] if isinstance(value.get("action"), dict) else []
        return own + [action for item in value.values() for action in actions(item)]
    return [action for item in value for action in actions(item)] if isinstance(value, list) else []


# --- each part, exactly ----------------------------------------------------------------------------------------------


def test_words_are_a_text_message() -> None:
    assert shown(Words("こんにちは\n腰の調子は？")) == [{"type": "text", "text": "こんにちは\n腰の調子は？"}]


def test_a_picture_is_an_image_message_fetched_from_us() -> None:
    url = "https://bot.example/media/low_back-hands%20%C3%A9.png"
    assert only(Picture("low_back-hands é.png", "手を当てる")) == {
        "type": "image",
        "originalContentUrl": url,
        "previewImageUrl": url,
    }


def test_a_card_is_a_flex_bubble() -> None:
    card = Card(
        title="トイレと足",
        text="次のどれかがありますか？",
        lines=("おしっこが出にくい", "両足がしびれる"),
        note="迷うときは「ある」を選んでください",
        picture=Picture("stop.png", "止まる手"),
        progress=(3, 12),
        choices=(YES, NO, CALL),
    )
    secondary = {"type": "button", "style": "secondary", "color": PLAIN, "height": "md", "adjustMode": "shrink-to-fit"}
    assert only(card) == {
        "type": "flex",
        "altText": (
            "トイレと足 3/12\n次のどれかがありますか？\n・おしっこが出にくい\n・両足がしびれる\n止まる手\n"
            "迷うときは「ある」を選んでください"
        ),
        "contents": {
            "type": "bubble",
            "size": "mega",
            "header": {
                "type": "box",
                "layout": "horizontal",
                "spacing": "md",
                "paddingAll": "lg",
                "backgroundColor": "#eef4f2",
                "contents": [
                    {
                        "type": "text",
                        "text": "トイレと足",
                        "size": "lg",
                        "color": INK,
                        "wrap": True,
                        "weight": "bold",
                        "flex": 1,
                    },
                    {"type": "text", "text": "3/12", "size": "sm", "color": FAINT, "align": "end", "flex": 0},
                ],
            },
            "hero": {
                "type": "image",
                "url": "https://bot.example/media/stop.png",
                "size": "full",
                "aspectRatio": "1:1",
                "aspectMode": "fit",
            },
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "md",
                "contents": [
                    {"type": "text", "text": "次のどれかがありますか？", "size": "md", "color": INK, "wrap": True},
                    {
                        "type": "box",
                        "layout": "vertical",
                        "spacing": "md",
                        "contents": [bullet("おしっこが出にくい"), bullet("両足がしびれる")],
                    },
                    {"type": "separator", "color": RULE},
                    {
                        "type": "text",
                        "text": "迷うときは「ある」を選んでください",
                        "size": "sm",
                        "color": FAINT,
                        "wrap": True,
                    },
                ],
            },
            "footer": {
                "type": "box",
                "layout": "vertical",
                "spacing": "sm",
                "contents": [
                    {
                        "type": "button",
                        "style": "primary",
                        "color": MAIN,
                        "height": "md",
                        "adjustMode": "shrink-to-fit",
                        "action": {
                            "type": "postback",
                            "label": "はい",
                            "data": "p|4|screening/toilet|yes",
                            "displayText": "はい",
                        },
                    },
                    {
                        **secondary,
                        "action": {
                            "type": "postback",
                            "label": "どれもない",
                            "data": "p|4|screening/toilet|none",
                            "displayText": "どれもありません",
                        },
                    },
                    {**secondary, "action": {"type": "uri", "label": "119に電話", "uri": "tel:119"}},
                ],
            },
        },
    }


def bullet(line: str) -> JsonObject:
    return {
        "type": "box",
        "layout": "horizontal",
        "spacing": "sm",
        "contents": [
            {"type": "text", "text": "•", "size": "md", "color": MAIN, "flex": 0},
            {"type": "text", "text": line, "size": "md", "color": INK, "wrap": True, "flex": 1},
        ],
    }


def test_a_card_with_a_title_alone_has_no_empty_boxes() -> None:
    contents = only(Card("お疲れさまでした", lines=("",)))["contents"]
    assert isinstance(contents, dict)
    assert set(contents) == {"type", "size", "header"}


def test_a_card_without_a_title_is_named_by_its_buttons_in_notifications() -> None:
    assert only(Card("", choices=(YES, NO)))["altText"] == "はい\nどれもない"


def test_cards_with_many_choices_keep_them_as_lower_buttons() -> None:
    contents = only(Card("痛み", choices=(YES, NO, CALL, YES, NO)))["contents"]
    assert isinstance(contents, dict)
    assert [button["height"] for button in contents["footer"]["contents"]] == ["sm"] * 5


@pytest.mark.parametrize(("tone", "color"), [("plain", "#eef4f2"), ("advice", "#fbf0dc"), ("routine", "#e6f0f7")])
def test_each_tone_has_its_own_calm_header(tone: str, color: str) -> None:
    contents = only(Card("題", tone=tone))["contents"]  # type: ignore[arg-type]
    assert isinstance(contents, dict)
    assert contents["header"]["backgroundColor"] == color


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("#ffffff", MAIN),
        ("#111111", PLAIN),
        (FAINT, "#ffffff"),
        (INK, "#fbf0dc"),
        (FAINT, "#e6f0f7"),
        (FAINT, "#fbf0dc"),
    ],
)
def test_text_stands_out_from_its_ground_as_wcag_aa_asks(ink: str, ground: str) -> None:
    lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_carousel_is_a_flex_carousel_that_says_all_its_cards() -> None:
    one = only(Carousel((Card("一", "あ"), Card("二", "い", choices=(YES,)))))
    assert one["altText"] == "一\nあ\n\n二\nい"
    contents = one["contents"]
    assert isinstance(contents, dict)
    assert contents["type"] == "carousel"
    assert [bubble["type"] for bubble in contents["contents"]] == ["bubble", "bubble"]


def test_quick_replies_hang_on_the_last_message_only() -> None:
    menu = Choice("メニュー", CommandToken(Command.MENU))
    first, last = shown(Words("一"), Words("二"), quick=(menu, CALL))
    assert first == {"type": "text", "text": "一"}
    assert last == {
        "type": "text",
        "text": "二",
        "quickReply": {
            "items": [
                {
                    "type": "action",
                    "action": {"type": "postback", "label": "メニュー", "data": "c|menu", "displayText": "メニュー"},
                },
                {"type": "action", "action": {"type": "uri", "label": "119に電話", "uri": "tel:119"}},
            ]
        },
    }


@pytest.mark.parametrize(
    ("uri", "sent"),
    [
        ("tel:119", "tel:119"),
        ("tel:#7119", "tel:%237119"),
        ("tel:%237119", "tel:%237119"),
        ("tel:03-1234-5678", "tel:03-1234-5678"),
        ("tel:+81-3", "tel:+81-3"),
        ("https://clinic.example/予約?a=1#b", "https://clinic.example/予約?a=1#b"),
    ],
)
def test_a_telephone_number_is_dialled_whole(uri: str, sent: str) -> None:
    assert actions(only(Card("電話", choices=(Choice("電話", uri=uri),)))) == [
        {"type": "uri", "label": "電話", "uri": sent}
    ]


# --- what LINE cannot show is degraded, and logged --------------------------------------------------------------------


def test_without_an_https_address_a_picture_becomes_its_description() -> None:
    with capture_logs() as logs:
        assert only(Picture("stop.png", "止まる手"), media=None) == {"type": "text", "text": "止まる手"}
    assert logs == [{"event": "line_picture_as_words", "file": "stop.png", "log_level": "warning"}]


def test_without_an_https_address_a_card_says_what_its_picture_shows() -> None:
    one = only(Card("題", "本文", picture=Picture("stop.png", "止まる手")), media=None)
    contents = one["contents"]
    assert isinstance(contents, dict)
    assert "hero" not in contents
    assert texts(contents) == ["題", "本文\n止まる手"]


def test_a_picture_whose_address_is_too_long_becomes_its_description() -> None:
    fits = "a" * (2_000 - len(MEDIA) - len("/.png")) + ".png"
    assert only(Picture(fits, "絵"))["type"] == "image"
    assert only(Picture("a" + fits, "絵"))["type"] == "text"


@pytest.mark.parametrize(("letter", "units"), [("a", 1), ("腰", 1), ("👍", 2)])
def test_a_text_is_whole_up_to_five_thousand_utf16_units(letter: str, units: int) -> None:
    longest = letter * (5_000 // units)
    with capture_logs() as logs:
        assert only(Words(longest))["text"] == longest
    assert logs == []
    with capture_logs() as logs:
        cut = cast("str", only(Words(longest + "a"))["text"])
    assert logs == [{"event": "line_text_cut", "units": 5_001, "log_level": "warning"}]
    assert cut.endswith("…")
    assert 4_990 <= len(cut.encode("utf-16-le")) // 2 <= 5_000


def test_a_text_that_is_too_long_ends_with_a_whole_sentence() -> None:
    sentence = "腰を丸めて、ゆっくり息を吐きます。"
    cut = cast("str", only(Words(sentence * 400))["text"])
    assert cut == sentence * (4_999 // len(sentence)) + "…"


def test_up_to_five_parts_are_sent_and_no_other_number() -> None:
    assert len(shown(*[Words("一")] * 5)) == 5
    for count in (0, 6):
        with pytest.raises(ValueError, match=f"^{count} parts"):
            render(Message((Words("一"),) * count), MEDIA)


def numbered(count: int) -> tuple[Choice, ...]:
    return tuple(Choice(str(n), PickToken(1, "daily/pain", str(n))) for n in range(count))


@pytest.mark.parametrize("part", [Words("いまの痛みは？"), Card("痛み", "いまの痛みは？")])
def test_thirteen_quick_replies_are_quick_replies_and_fourteen_are_buttons(part: Part) -> None:
    fitting = only(part, quick=numbered(13))
    assert len(actions(fitting["quickReply"])) == 13
    with capture_logs() as logs:
        degraded = only(part, quick=numbered(14))
    assert logs == [{"event": "line_quick_replies_degraded", "answers": 14, "log_level": "warning"}]
    assert "quickReply" not in degraded
    assert [action["label"] for action in actions(degraded)] == [str(n) for n in range(14)]
    assert "いまの痛みは？" in texts(degraded["contents"])


def test_under_a_picture_the_first_thirteen_quick_replies_are_kept() -> None:
    assert len(actions(only(Picture("stop.png", "絵"), quick=numbered(14)))) == 13


@pytest.mark.parametrize("letter", ["あ", "a", "👍", "👩‍👩‍👧‍👦", "が".encode().decode(), "か\u3099", "🇯🇵", "👍🏽", "☎️"])
def test_a_label_has_at_most_twenty_visible_characters(letter: str) -> None:
    (fits,) = actions(only(Words("?"), quick=(Choice(letter * 20, uri="tel:119"),)))
    assert fits["label"] == letter * 20
    (cut,) = actions(only(Words("?"), quick=(Choice(letter * 21, uri="tel:119"),)))
    assert cut["label"] == letter * 19 + "…"


def test_a_cut_label_is_still_said_whole() -> None:
    label = "新しくある・前より悪くなった・迷っている人"
    (action,) = actions(only(Words("?"), quick=(Choice(label, CommandToken(Command.MENU)),)))
    assert action["label"] == "新しくある・前より悪くなった・迷ってい…"
    assert action["displayText"] == label


def test_what_a_tap_says_has_at_most_three_hundred_characters() -> None:
    for said, expected in (("は" * 300, "は" * 300), ("は" * 301, "は" * 299 + "…")):
        (action,) = actions(only(Words("?"), quick=(Choice("はい", CommandToken(Command.MENU), say=said),)))
        assert action["displayText"] == expected


def test_button_data_may_have_three_hundred_characters_and_is_never_cut() -> None:
    room = 300 - len("p|1||x")
    token = PickToken(1, "q" * room, "x")
    assert len(actions(only(Words("?"), quick=(Choice("はい", token),)))[0]["data"]) == 300
    with pytest.raises(ValueError, match="301"):
        shown(Words("?"), quick=(Choice("はい", PickToken(1, "q" * (room + 1), "x")),))


def test_an_address_may_have_a_thousand_characters_and_is_never_cut() -> None:
    longest = "https://clinic.example/".ljust(1_000, "a")
    assert actions(only(Words("?"), quick=(Choice("予約", uri=longest),)))[0]["uri"] == longest
    with pytest.raises(ValueError, match="1001"):
        shown(Words("?"), quick=(Choice("予約", uri=longest + "a"),))


def test_a_button_that_does_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="token or an address"):
        shown(Words("?"), quick=(Choice("はい"),))


def test_the_spoken_text_has_at_most_fifteen_hundred_utf16_units() -> None:
    assert only(Card("題", "あ" * 1_498))["altText"] == "題\n" + "あ" * 1_498
    cut = cast("str", only(Card("題", "あ" * 1_499))["altText"])
    assert (len(cut), cut[-1]) == (1_500, "…")


def longest_card(limit: int) -> Card:
    """A card whose bubble has exactly `limit` bytes."""
    room = limit - size(only(Card("題", "a"))["contents"])
    return Card("題", "a" * (room + 1))


def test_a_bubble_of_thirty_kilobytes_is_sent_whole_and_a_larger_one_is_cut() -> None:
    card = longest_card(30_000)
    with capture_logs() as logs:
        assert size(only(card)["contents"]) == 30_000
    assert logs == []
    larger = Card(card.title, card.text + "a", choices=(YES, NO))
    with capture_logs() as logs:
        one = only(larger)
    assert [log["event"] for log in logs] == ["line_card_cut"]
    assert size(one["contents"]) <= 30_000
    assert [action["label"] for action in actions(one)] == ["はい", "どれもない"]
    assert texts(one["contents"])[1].startswith("aaaa")


def test_the_longest_texts_of_a_large_card_are_cut_first() -> None:
    one = only(Card("題", "短い。", lines=("長い。" * 5_000, "これも短い。")))
    found = texts(one["contents"])
    assert found[1] == "短い。"
    assert found[-1] == "これも短い。"


def test_a_card_that_no_cut_can_shrink_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="bytes"):
        shown(Card("題", choices=(YES,) * 200))


def test_twelve_cards_stand_side_by_side_and_thirteen_become_a_list() -> None:
    cards = tuple(Card(f"{n}番", "説明", choices=(Choice(f"{n}", uri="tel:119"),)) for n in range(13))
    contents = only(Carousel(cards[:12]))["contents"]
    assert isinstance(contents, dict)
    assert len(contents["contents"]) == 12
    with capture_logs() as logs:
        listed = only(Carousel(cards))
    assert logs == [{"event": "line_carousel_as_list", "cards": 13, "log_level": "warning"}]
    assert [action["label"] for action in actions(listed)] == [str(n) for n in range(13)]
    assert [text for text in texts(listed["contents"]) if text != "•"] == [f"{n}番\n説明" for n in range(13)]


def test_a_carousel_of_fifty_kilobytes_is_sent_whole_and_a_larger_one_becomes_a_list() -> None:
    first = longest_card(25_000)
    rest = 50_000 - size(only(Carousel((first, Card("題", "a"))))["contents"])
    second = Card("題", "a" * (rest + 1))
    whole = only(Carousel((first, second)))["contents"]
    assert isinstance(whole, dict)
    assert (whole["type"], size(whole)) == ("carousel", 50_000)
    listed = only(Carousel((first, Card("題", second.text + "a"))))["contents"]
    assert isinstance(listed, dict)
    assert listed["type"] == "bubble"
    assert size(listed) <= 30_000


# --- cutting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("", 1, ""),
        ("あいう", 3, "あいう"),
        ("あいう", 2, "あ…"),
        ("あ。いうえ", 4, "あ。…"),
        ("あ。いうえおかきく", 8, "あ。いうえおか…"),
        ("Stop. Then rest now", 9, "Stop.…"),
        ("👍👍", 3, "👍…"),
        ("👍👍", 2, "…"),
        ("ab👩‍👩‍👧‍👦", 10, "ab…"),
        ("かか\u3099か", 3, "か…"),
        ("あ い", 2, "あ…"),
        ("あ いう", 3, "あ…"),
    ],
)
def test_a_cut_never_splits_what_the_eye_sees_as_one(text: str, limit: int, cut: str) -> None:
    assert cut_to_units(text, limit) == cut
    assert len(cut.encode("utf-16-le")) // 2 <= limit


def test_a_cut_label_never_splits_a_family() -> None:
    assert cut_to_clusters("👩‍👩‍👧‍👦" * 3, 2) == "👩‍👩‍👧‍👦…"


def test_cutting_keeps_the_order_of_parts() -> None:
    parts: Sequence[Part] = (Words("一"), Card("二"), Picture("stop.png", "三"), Carousel((Card("四"),)))
    assert [one["type"] for one in shown(*parts)] == ["text", "flex", "image", "flex"]
