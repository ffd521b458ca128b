"""The everyday requests by their own examples, and the grammar of times, days, durations and numbers."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content.requests import ASKED
from bot.content.vocabulary import Intent
from bot.engine import amount_words, clock_words, number_words
from bot.engine.clock_words import DAYS, ClockTime
from bot.engine.normal import normalise
from bot.engine.understand import Done, Request, SetReminder, Snooze, Unknown, understand
from tests.understanding.scoring import name
from tests.understanding.words import requests, vocabulary

KANJI = "〇一二三四五六七八九"
WIDE = str.maketrans("0123456789:", "０１２３４５６７８９：")


def kanji(value: int) -> str:
    tens, ones = divmod(value, 10)
    if not tens:
        return KANJI[ones]
    return ("" if tens == 1 else KANJI[tens]) + "十" + (KANJI[ones] if ones else "")


def written(hour: int, minute: int) -> list[str]:
    """A time of day in twelve ways, none of which leaves open whether it is morning or evening."""
    half, half_en, short = ("午前", "am", hour) if hour < 12 else ("午後", "pm", hour - 12)
    kana_half = "ごぜん" if hour < 12 else "ごご"
    minutes = f"{minute}分" if minute else ""
    twelve = short or 12
    return [
        f"{short}:{minute:02}（{half}）",
        f"{twelve}:{minute:02} in the {'morning' if hour < 12 else 'afternoon'}",
        f"{half}{short}時{minutes}",
        f"{half}{short}時{minutes}".translate(WIDE),
        f"{half}{kanji(short)}時" + (f"{kanji(minute)}分" if minute else ""),
        f"{half}{short}:{minute:02}",
        f"{half}の{short}時" + ("半" if minute == 30 else minutes),
        f"{kana_half}{short}じ" + (f"{minute}ふん" if minute else ""),
        f"ｺﾞｾﾞﾝ{short}ｼﾞ{minute}ﾌﾝ" if hour < 12 else f"ｺﾞｺﾞ{short}ｼﾞ{minute}ﾌﾝ",
        f"{twelve}:{minute:02} {half_en}",
        f"{twelve}:{minute:02}{half_en.upper()}",
        f"at {twelve}:{minute:02} {half_en[0]}.m.",
    ]


@pytest.mark.parametrize("form", range(12))
def test_every_time_of_day_is_read_in_every_form(form: int) -> None:
    for minute in range(24 * 60):
        text = written(*divmod(minute, 60))[form]
        assert clock_words.times(normalise(text)) == (ClockTime(*divmod(minute, 60)),), text


def asked(text: str) -> Iterator[Request]:
    """By the patterns alone and by what was learned besides."""
    yield understand(text, vocabulary())
    yield understand(text, vocabulary(), requests())


@pytest.mark.parametrize("hour", range(1, 13))
@pytest.mark.parametrize("form", ["{digits}時に教えて", "{kanji}時に知らせて", "remind me at {digits}"])
def test_a_bare_hour_is_never_guessed(hour: int, form: str) -> None:
    text = form.format(digits=hour, kanji=kanji(hour))
    for request in asked(text):
        assert isinstance(request, SetReminder)
        assert request.ambiguous
        assert request.times[0].hour == hour


@given(st.integers(1, 59), st.integers(0, 9))
def test_durations(minute: int, hour: int) -> None:
    said = (f"{hour}時間" if hour else "") + f"{minute}分後にまた教えて"
    for text in (said, said.translate(WIDE)):
        assert understand(text, vocabulary()) == Snooze(hour * 60 + minute)
    assert understand(f"{kanji(minute)}分後", vocabulary()) == Snooze(minute)
    assert understand(f"remind me in {minute} minutes", vocabulary()) == Snooze(minute)


@given(st.integers(0, 99))
def test_numbers(value: int) -> None:
    for text in (str(value), str(value).translate(WIDE), kanji(value)):
        assert number_words.number(normalise(text)) == value


@given(
    st.integers(0, 10), st.sampled_from(("痛みは{}です", "今日は{}くらい", "{}/10", "10段階で{}", "{}", "pain is {}"))
)
def test_pain(value: int, form: str) -> None:
    assert amount_words.pain(normalise(form.format(value))) == value
    assert amount_words.pain(normalise(form.format(str(value).translate(WIDE)))) == value


@given(st.sets(st.sampled_from(range(7)), min_size=1))
def test_days(chosen: set[int]) -> None:
    wanted = tuple(DAYS[index] for index in sorted(chosen))
    expected = "daily" if len(wanted) == 7 else "weekends" if wanted == ("sat", "sun") else wanted
    ja = ["月火水木金土日"[index] for index in sorted(chosen)]
    forms = ["と".join(f"{day}曜" for day in ja) + "の夜9時", "、".join(f"{day}曜日" for day in ja)]
    if len(ja) > 1:
        forms.append("・".join(ja) + "の朝7時")
    forms.append(" and ".join(day + "day" if day in ("mon", "fri", "sun") else day for day in wanted))
    for text in forms:
        assert clock_words.days(normalise(text)) == expected, text


def test_a_pain_that_no_pattern_knows_is_told_by_its_number() -> None:
    for text, wanted in (
        ("it's a four from me", 4), ("五ってとこやな", 5), ("スコア:8", 8), ("雨のせいか今朝は七まで上がってます", 7), ("最悪の10です", 10),
        ("I would say eight of ten", 8), ("if ten is agony then I'm at nine", 9), ("not a scrap of pain", 0), ("yesterday was five, today six", 6),
        ("階段を12段のぼった", None),
    ):  # fmt: skip
        assert amount_words.any_pain(normalise(text)) == wanted, text


def test_lengths_of_time_in_other_words() -> None:
    for text, wanted in (
        ("ping me in 15", 15), ("five more mins", 5), ("twenty minutes' time", 20), ("quarter of an hour", 15), ("come back in 1h30", 90),
        ("10分だけ待って", 10), ("remind me in 2 hours", 120),
    ):  # fmt: skip
        assert amount_words.minutes(normalise(text)) == wanted, text


def test_sets_of_days() -> None:
    assert clock_words.days(normalise("平日だけ、夜7時半に声かけて。土日はいらない")) == "weekdays"
    assert clock_words.days(normalise("木曜は休みなので午後1時に教えて")) == ("thu",)
    for text, wanted in (("平日", "weekdays"), ("週末だけ", "weekends"), ("毎日", "daily"), ("every night", "daily")):
        assert clock_words.days(normalise(text)) == wanted
    assert clock_words.days(normalise("月曜から金曜")) == DAYS[:5]
    assert clock_words.days(normalise("今日")) is None


@pytest.mark.parametrize("intent", vocabulary().intents, ids=lambda intent: intent.id)
def test_a_request_is_known_by_its_own_examples(intent: Intent) -> None:
    wanted = intent.id.partition(".")[0].removesuffix("_ja").removesuffix("_en")
    for text in intent.yes:
        assert {name(it) for it in asked(text)} == {wanted}, text
    for text in intent.no:
        assert name(understand(text, vocabulary())) != wanted, text


def test_nothing_is_asked_for() -> None:
    for text in ("", "。。。", "🍌", "ねこ", "asdf", "1+1は"):
        assert set(asked(text)) == {Unknown()}


def test_a_report_may_carry_a_number() -> None:
    assert set(asked("終わりました。痛みは2です")) == {Done(2)}
    assert set(asked("終わりました")) == {Done(None)}


def test_every_request_that_can_be_learned_is_an_intent_of_the_vocabulary() -> None:
    intents = {intent.id.partition(".")[0] for intent in vocabulary().intents}
    assert set(ASKED) == intents | {"unknown"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("夜9時から夜10時に変えて", [(22, 0)]), ("朝7時じゃなくて夜8時に", [(20, 0)]), ("今21時に来てるやつ20時にして", [(20, 0)]),
        ("23時すぎると寝ちゃうので22時で", [(22, 0)]), ("会議が17時なんで、平日17時10分に", [(17, 10)]), ("朝7時と夜9時", [(7, 0), (21, 0)]),
        ("change my reminder from 8pm to 10pm", [(22, 0)]), ("the 21:00 one is too late, make it 20:00", [(20, 0)]),
        ("I get home about six, 7pm please", [(19, 0)]), ("half seven in the evening", [(19, 30)]), ("half past midnight", [(0, 30)]),
        ("夜9時に教えて。明日の朝8時は歯医者です", [(21, 0)]), ("夜9時にお願いします。10時には寝ています", [(21, 0)]),
        ("9時じゃなくて夜10時に鳴らしてほしい", [(22, 0)]), ("move it from morning to 9:15 pm", [(21, 15)]), ("毎日 朝7時 夜はいらない", [(7, 0)]),
        ("at ten thirty in the morning", [(10, 30)]), ("5:45 in the arvo", [(17, 45)]), ("at night 8", [(20, 0)]),
        ("1900で", [(19, 0)]), ("夜の10", [(22, 0)]), ("20.30 daily", [(20, 30)]), ("1964年生まれ", []), ("10時に寝ます", [(10, 0)]),
    ],
)  # fmt: skip
def test_of_times_one_after_the_other_the_one_that_is_asked_for_counts(
    text: str, wanted: list[tuple[int, int]]
) -> None:
    assert [(it.hour, it.minute) for it in clock_words.times(normalise(text))] == wanted


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("日曜以外の朝7時", {"sun"}), ("水曜だけ抜いて夜8時", {"wed"}), ("土日以外", {"sat", "sun"}), ("土日は要らんけど、ほかは", {"sat", "sun"}), ("月水以外の夜8時", {"mon", "wed"}),
        ("木曜と日曜以外", {"thu", "sun"}), ("every day but Sunday", {"sun"}), ("all days except Saturday and Sunday", {"sat", "sun"}),
        ("not at weekends though", {"sat", "sun"}),
    ],
)  # fmt: skip
def test_days_that_are_left_out_leave_all_the_others(text: str, left_out: set[str]) -> None:
    assert clock_words.days(normalise(text)) == tuple(day for day in DAYS if day not in left_out)


def test_a_day_in_another_word_leaves_nothing_out() -> None:
    for text in ("今日は無理なので明日の夜9時に", "お金は要らないから夜9時に教えて", "本日は休みます", "水は要らない"):
        assert clock_words.days(normalise(text)) is None, text


def test_what_no_pattern_knows_is_asked_for_in_other_words() -> None:
    for text, wanted in (
        ("金曜行かれへんようになったし、予約消しといて", "cancel_booking"), ("うちの腰、ここ二週間でましになっとるん?数字で見せて", "my_records"),
        ("scrap my Tuesday appt", "cancel_booking"), ("put me through to a member of the team", "human"),
    ):  # fmt: skip
        assert name(understand(text, vocabulary())) != wanted
        assert name(understand(text, vocabulary(), requests())) == wanted, text


def test_talk_with_the_words_of_a_request_asks_for_nothing() -> None:
    for text in ("駅前に新しいパン屋ができたよ", "caught a trout that fainted in my hand, threw it back"):
        assert understand(text, vocabulary(), requests()) == Unknown(), text
