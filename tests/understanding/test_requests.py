"""The everyday requests by their own examples, and the grammar of times, days, durations and numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content.vocabulary import Intent
from bot.engine import amount_words, clock_words, number_words
from bot.engine.clock_words import DAYS, ClockTime
from bot.engine.normal import normalise
from bot.engine.understand import Done, SetReminder, Snooze, Unknown, understand
from tests.understanding.scoring import name
from tests.understanding.words import vocabulary

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


@pytest.mark.parametrize("hour", range(1, 13))
def test_a_bare_hour_is_never_guessed(hour: int) -> None:
    for text in (f"{hour}時に教えて", f"{kanji(hour)}時に知らせて", f"remind me at {hour}"):
        request = understand(text, vocabulary())
        assert isinstance(request, SetReminder), text
        assert request.ambiguous, text
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


def test_sets_of_days() -> None:
    for text, wanted in (("平日", "weekdays"), ("週末だけ", "weekends"), ("毎日", "daily"), ("every night", "daily")):
        assert clock_words.days(normalise(text)) == wanted
    assert clock_words.days(normalise("月曜から金曜")) == DAYS[:5]
    assert clock_words.days(normalise("今日")) is None


@pytest.mark.parametrize("intent", vocabulary().intents, ids=lambda intent: intent.id)
def test_a_request_is_known_by_its_own_examples(intent: Intent) -> None:
    wanted = intent.id.partition(".")[0].removesuffix("_ja").removesuffix("_en")
    for text in intent.yes:
        assert name(understand(text, vocabulary())) == wanted, text
    for text in intent.no:
        assert name(understand(text, vocabulary())) != wanted, text


def test_nothing_is_asked_for() -> None:
    for text in ("", "。。。", "🍌", "ねこ", "asdf", "1+1は"):
        assert understand(text, vocabulary()) == Unknown()


def test_a_report_may_carry_a_number() -> None:
    assert understand("終わりました。痛みは2です", vocabulary()) == Done(2)
    assert understand("終わりました", vocabulary()) == Done(None)
