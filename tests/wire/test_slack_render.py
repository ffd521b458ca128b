"""Messages as Slack's blocks: held against the documented limits by the platform in miniature, and against the SDK's own
models."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from structlog.testing import capture_logs

from bot.channels.slack import limits
from bot.channels.slack.blocks import answered
from bot.channels.slack.render import render
from bot.messages import (
    TOKEN_MAX,
    Card,
    Carousel,
    Choice,
    Command,
    CommandToken,
    Form,
    Message,
    PickToken,
    Picture,
    Row,
    Words,
)
from bot.simulator.slack.blockkit import check_blocks
from tests.wire.test_line_conversation import conversation

MEDIA = "https://bot.example/media"
FAMILY = "👨‍👩‍👧‍👦"


def blocks(message: Message, media: str | None = MEDIA) -> list[dict[str, Any]]:
    """As JSON; every one is what Slack documents."""
    made = json.loads(json.dumps(render(message, media).blocks))
    assert check_blocks(made, "home" if message.surface == "home" else "message") == ()
    for block in Block.parse_all(made):
        block.validate_json()
    return list(made)


def words(text: str) -> list[dict[str, Any]]:
    return blocks(Message((Words(text),)))


def texts(made: Sequence[Mapping[str, Any]]) -> list[str]:
    return [block["text"]["text"] for block in made if block["type"] == "section"]


def pick(option: str = "yes", question: str = "screening/e1/urine", turn: int = 3) -> PickToken:
    return PickToken(turn, question, option)


# --- sizes ---


@pytest.mark.parametrize("letter", ["a", "痛", "😀", "&", FAMILY])
def test_a_text_of_any_length_arrives_whole_in_sections_that_slack_takes(letter: str) -> None:
    per_letter = limits.units(limits.escape(letter))
    for count in (limits.SECTION // per_letter, limits.SECTION // per_letter + 1, 2 * limits.SECTION // per_letter + 7):
        found = texts(words(letter * count))
        assert "".join(found) == limits.escape(letter * count)
        assert max(map(limits.units, found)) <= limits.SECTION
        assert len(found) == -(-count // (limits.SECTION // per_letter))


def test_a_long_text_is_parted_between_sentences() -> None:
    sentence = "ゆっくり息を吐きながら、気持ちいい強さで押します。"
    parts = texts(words(sentence * 200))
    assert len(parts) == 2
    assert all(part.endswith("。") for part in parts)


def test_nothing_that_is_said_can_become_a_link_or_a_mention() -> None:
    [block] = words("<!channel> & <https://a.example|b> <@U1>")
    assert block["text"]["text"] == "&lt;!channel&gt; &amp; &lt;https://a.example|b&gt; &lt;@U1&gt;"
    assert block["text"]["verbatim"] is True


@pytest.mark.parametrize("letter", ["a", "痛", "😀"])
@pytest.mark.parametrize("over", [0, 1])
def test_a_label_is_cut_only_beyond_the_limit_and_never_inside_an_emoji(letter: str, over: int) -> None:
    size = limits.units(letter)
    label = letter * (limits.BUTTON_TEXT // size + over)
    [actions] = blocks(Message((Card("", choices=(Choice(label, token=pick()),)),)))
    shown = actions["elements"][0]["text"]["text"]
    assert limits.units(shown) <= limits.BUTTON_TEXT
    assert (shown == label) == (over == 0)
    assert set(shown) <= {letter, "…"}


def test_an_emoji_of_several_characters_is_kept_or_left_out_whole() -> None:
    label = "a" * (limits.BUTTON_TEXT - 4) + FAMILY
    [actions] = blocks(Message((Card("", choices=(Choice(label, token=pick()),)),)))
    assert actions["elements"][0]["text"]["text"] == "a" * (limits.BUTTON_TEXT - 4) + "…"


@pytest.mark.parametrize(("count", "rows"), [(25, [25]), (26, [25, 1])])
def test_more_than_twenty_five_buttons_go_into_another_row(count: int, rows: list[int]) -> None:
    choices = tuple(Choice(str(n), token=pick(str(n))) for n in range(count))
    made = blocks(Message((Words("a"),), quick=choices))
    assert [len(block["elements"]) for block in made if block["type"] == "actions"] == rows


@pytest.mark.parametrize("cards", [16, 17, 25])
def test_a_list_of_cards_beyond_fifty_blocks_loses_dividers_and_pictures_but_no_word_and_no_button(cards: int) -> None:
    one = [
        Card(f"題{n}", f"文{n}", picture=Picture("a.png", f"絵{n}"), choices=(Choice("開く", token=pick(str(n))),))
        for n in range(cards)
    ]
    made = json.dumps(blocks(Message((Carousel(tuple(one)),))), ensure_ascii=False)
    for n in range(cards):
        assert f'題{n}"' in made or f"題{n}\\n" in made
        assert f"文{n}" in made
        assert f"|{n}" in made


def test_what_cannot_fit_without_losing_something_is_an_error_and_never_cut_in_silence() -> None:
    cards = tuple(Card("題", "文" * 2000, choices=(Choice("開く", token=pick()),)) for _ in range(40))
    with pytest.raises(ValueError, match="blocks, Slack takes"):
        render(Message((Carousel(cards),)), None)


def test_the_longest_token_fits_a_button_and_a_time_picker_refuses_what_does_not_fit() -> None:
    token = pick("x" * (TOKEN_MAX - len("p|3|screening/e1/urine|")))
    [actions] = blocks(Message((Card("", choices=(Choice("a", token=token),)),)))
    assert len(actions["elements"][0]["value"]) == TOKEN_MAX
    with pytest.raises(ValueError, match="time picker id"):
        render(Message((Card("", choices=(Choice("a", token=token, picker="time"),)),)), None)


# --- kinds ---


def test_a_question_has_its_progress_its_lines_and_a_button_for_each_answer() -> None:
    card = Card(
        "体の確認",
        "次のどれかがありますか？",
        lines=("おしっこが出にくい", "便がもれる"),
        note="皆さんに同じ質問をしています。",
        progress=(2, 12),
        choices=(Choice("ある・迷う", token=pick("any")), Choice("どれもない", token=pick("none"), style="main")),
        tone="question",
    )
    head, question, lines, note, actions = blocks(Message((card,)))
    assert head["text"]["text"] == "体の確認　2/12"
    assert question["text"]["text"] == "*次のどれかがありますか？*"
    assert lines["text"]["text"] == "• おしっこが出にくい\n• 便がもれる"
    assert note["elements"][0]["text"] == "皆さんに同じ質問をしています。"
    assert [e["value"] for e in actions["elements"]] == ["p|3|screening/e1/urine|any", "p|3|screening/e1/urine|none"]
    assert [e.get("style") for e in actions["elements"]] == [None, "primary"]


def test_a_form_asks_every_item_with_nothing_chosen_and_sends_them_with_one_button() -> None:
    rows = tuple(
        Row(
            f"{item}はありますか？",
            (Choice("ある", token=pick("yes", f"s/c/{item}")), Choice("ない", token=pick("no", f"s/c/{item}"))),
        )
        for item in ("熱", "しびれ")
    )
    card = Card("体の確認", "熱はありますか？", choices=rows[0].choices, form=Form(rows, "この内容で答える"))
    made = blocks(Message((card,)))
    inputs = [block for block in made if block["type"] == "input"]
    assert [block["label"]["text"] for block in inputs] == ["熱はありますか？", "しびれはありますか？"]
    assert [block["block_id"] for block in inputs] == ["p|3|s/c/熱|", "p|3|s/c/しびれ|"]
    assert all("initial_option" not in block["element"] for block in inputs)
    assert [o["value"] for o in inputs[0]["element"]["options"]] == ["yes", "no"]
    [submit] = made[-1]["elements"]
    assert submit["text"]["text"] == "この内容で答える"


def test_a_row_of_a_form_that_asks_two_things_at_once_is_an_error() -> None:
    row = Row("?", (Choice("a", token=pick("a", "s/x")), Choice("b", token=pick("b", "s/y"))))
    with pytest.raises(ValueError, match="form's row"):
        render(Message((Card("", form=Form((row,), "ok")),)), None)


def test_a_picture_is_an_image_where_slack_can_fetch_it_and_its_words_where_not() -> None:
    message = Message((Picture("a b.png", "壁ぎわのボール"),))
    assert blocks(message) == [
        {"type": "image", "image_url": "https://bot.example/media/a%20b.png", "alt_text": "壁ぎわのボール"}
    ]
    with capture_logs() as logs:
        assert texts(blocks(message, None)) == ["壁ぎわのボール"]
    assert [log["event"] for log in logs] == ["slack_picture_as_words"]


def test_a_phone_number_is_a_link_because_buttons_do_not_dial() -> None:
    card = Card(
        "", "お電話を", choices=(Choice("#7119 で相談", uri="tel:#7119"), Choice("地図", uri="https://m.example/"))
    )
    _text, phone, actions = blocks(Message((card,)))
    assert phone["text"]["text"] == "<tel:%237119|#7119 で相談>"
    assert actions["elements"][0]["url"] == "https://m.example/"


def test_a_time_is_chosen_with_nothing_chosen_beforehand() -> None:
    [actions] = blocks(Message((Card("", choices=(Choice("ほかの時刻", token=pick("pick"), picker="time"),)),)))
    [clock] = actions["elements"]
    assert clock["type"] == "timepicker"
    assert clock["action_id"] == "time:p|3|screening/e1/urine|pick"
    assert "initial_time" not in clock


def test_a_day_is_chosen_in_slacks_own_calendar() -> None:
    choice = Choice("カレンダーで選ぶ", token=pick("pick"), picker="date", between=("2026-04-08", "2026-05-02"))
    [actions] = blocks(Message((Card("", choices=(choice,)),)))
    [calendar] = actions["elements"]
    assert (calendar["type"], calendar["placeholder"]["text"]) == ("datepicker", "カレンダーで選ぶ")
    assert calendar["action_id"] == "day:p|3|screening/e1/urine|pick"
    assert "initial_date" not in calendar


def test_the_notification_says_what_the_message_says() -> None:
    card = Card("体の確認", "熱は <38℃> ありますか？", note="小さい字", picture=Picture("a.png", "絵の説明"))
    text = render(Message((Words("こんにちは"), card)), None).text
    assert text.split("\n") == ["こんにちは", "", "体の確認", "熱は &lt;38℃&gt; ありますか？", "絵の説明", "小さい字"]


def test_an_answered_question_keeps_what_it_said_and_loses_what_it_asked() -> None:
    asked = Message(
        (
            Card(
                "題", "文", choices=(Choice("はい", token=pick()), Choice("メニュー", token=CommandToken(Command.MENU)))
            ),
        ),
        quick=(Choice("もどる", token=CommandToken(Command.BACK)), Choice("地図", uri="https://m.example/")),
    )
    after = json.loads(json.dumps(answered(blocks(asked), ["はい <3"])))
    assert check_blocks(after, "message") == ()
    labels = [e["text"]["text"] for block in after if block["type"] == "actions" for e in block["elements"]]
    assert labels == ["メニュー", "もどる", "地図"]
    assert after[-1]["elements"][0]["text"] == "✓ はい &lt;3"


@pytest.mark.parametrize("seed", range(10))
def test_everything_the_guide_says_fits_slack_without_being_degraded(seed: int) -> None:
    with capture_logs() as logs:
        for message in conversation(seed, events=80):
            blocks(message)
    assert logs == []
