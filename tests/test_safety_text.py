"""Warning signs survive whatever stands around them, and a clear denial clears them."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.normal import normalise, read
from bot.engine.safety import assess
from bot.messages import Disposition
from tests.understanding.words import ROOT, likeness, vocabulary

EMERGENCIES = (
    "おしっこが出ません", "両足がしびれます", "お股の感覚がない", "便が漏れました", "胸が苦しいです", "息ができない",
    "ろれつが回らない", "死にたい", "救急車を呼んで", "屋根から落ちました", "I can't pee", "both legs are numb",
    "I have chest pain", "I want to die",
)  # fmt: skip
HARMLESS = (
    "こんにちは", "お世話になります", "今日もやりました", "夜9時に教えてください", "予約をお願いします", "ありがとうございます",
    "腰は少し張っています", "天気がいいですね", "😊", "熱はありません", "thanks", "see you tomorrow", "お風呂のあとにやります",
)  # fmt: skip
NOUNS = ("尿漏れ", "胸の痛み", "両足のしびれ", "血尿", "吐血", "失禁", "冷や汗", "熱", "ふくらはぎの腫れ")
NOUNS_EN = ("chest pain", "numbness in both legs", "blood in my urine", "fever")
FRAMES = {scope.frame: scope.lang for scope in vocabulary().scopes if scope.frame}
around = st.lists(st.sampled_from(HARMLESS), max_size=4)


@given(st.sampled_from(EMERGENCIES), around, around, st.sampled_from(("。", "\n", "！", "。 ")))
@settings(max_examples=150, deadline=None)
def test_harmless_words_never_hide_an_emergency(core: str, before: list[str], after: list[str], mark: str) -> None:
    text = mark.join([*before, core, *after])
    assert assess(text, vocabulary()).level is Disposition.EMERGENCY
    assert assess(text, vocabulary(), likeness()).level is Disposition.EMERGENCY


@given(st.sampled_from(sorted(FRAMES)), st.sampled_from(NOUNS), st.sampled_from(NOUNS_EN), around)
@settings(max_examples=150, deadline=None)
def test_every_listed_denial_clears_a_symptom(frame: str, noun: str, noun_en: str, before: list[str]) -> None:
    text = frame.format(noun if FRAMES[frame] == "ja" else noun_en)
    assert assess("。".join([*before, text]), vocabulary()).level is None, text
    assert assess(text, vocabulary(), likeness()).level is None, text


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_judged_and_its_words_can_be_shown(text: str) -> None:
    reading = read(text)
    assert len(reading.text) == len(reading.origin)
    for trigger in assess(text, vocabulary()).triggers:
        assert trigger.words in text


def test_what_is_typed_every_day_raises_nothing() -> None:
    lines = (ROOT / "tests" / "understanding" / "everyday.txt").read_text("utf-8").splitlines()
    assert len(lines) > 100
    assert [text for text in lines if assess(text, vocabulary(), likeness()).level] == []


def test_a_sign_that_is_denied_is_told_from_talk() -> None:
    for text in ("熱はないです", "しびれてはいない", "漏れたりしません", "No fever", "not pregnant"):
        assert assess(text, vocabulary(), likeness()).denied, text
    for text in ("時間がない", "予定はないです", "I can't today", "立つと痛い", "熱はないが尿が出ない"):
        assert not assess(text, vocabulary(), likeness()).denied, text


def test_one_spelling_for_many() -> None:
    same = {normalise(text) for text in ("オシッコ", "ｵｼｯｺ", "おしっこ", "おしっこー", "おしっこ😭", "「おしっこ」")}
    assert len(same) == 1
    assert normalise("ryouashi ga shibireru").endswith(normalise("りょうあしがしびれる"))
    assert normalise("I CAN’T pee!!!") == "i cant pee!"


def test_what_trails_off_goes_on_and_a_picture_between_two_full_stops_does_not_join_sentences() -> None:
    assert normalise("夜は。。胸の痛み") == normalise("夜は...胸の痛み") == normalise("夜は、胸の痛み")
    assert normalise("夜に教えて。😊。胸の痛み") == normalise("夜に教えて。胸の痛み")
    assert assess("夜9時に教えてください。😊。胸の痛みは大丈夫です", vocabulary()).level is None


def test_what_was_typed_is_shown_as_the_reason() -> None:
    finding = assess("昨日から ｵｼｯｺがﾃﾞﾏｾﾝ", vocabulary())
    assert "ｵｼｯｺがﾃﾞﾏｾ" in finding.triggers[0].words
    assert finding.card == "e1"


def test_mental_health_is_told_apart() -> None:
    wish = assess("死にたい", vocabulary())
    assert (wish.level, wish.mental_health, wish.card) == (Disposition.EMERGENCY, True, None)
    pain = assess("死にたいくらい腰が痛い", vocabulary())
    assert (pain.level, pain.mental_health, pain.card) == (Disposition.URGENT, True, "u1")
    tired = assess("もう疲れた。心が折れそう", vocabulary())
    assert (tired.level, tired.mental_health, tired.gentle_check_in) == (None, False, True)
    assert not assess("死ぬほど忙しい", vocabulary()).gentle_check_in


def test_a_long_message_takes_milliseconds() -> None:
    text = (
        "腰は張っていますが、熱もしびれもありません。昨日はお風呂のあとにやりました。母は元気です。夜9時に教えて。" * 4
    )[:200]
    assess(text, vocabulary())
    taken = []
    for _ in range(15):
        start = time.process_time()
        assess(text, vocabulary())
        taken.append(time.process_time() - start)
    assert min(taken) < 0.005 * 2, "5 ms on a quiet machine; twice that on a busy one"
