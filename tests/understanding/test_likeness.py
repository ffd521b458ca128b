"""The second vote: learned from labelled messages, it weighs what the rules find and says why."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.content.likeness import KINDS, Kind, Likeness
from bot.content.load import ContentError, load
from bot.content.network import packed
from bot.engine.likeness import Vote, telling, vote
from bot.engine.network import ALWAYS, Signs, chances, places, signs
from bot.engine.safety import ALIKE, assess
from bot.messages import Disposition
from tests.understanding import learn
from tests.understanding.network import SEEN_AT_LEAST, Example
from tests.understanding.words import ROOT, likeness, vocabulary

WORDS: tuple[tuple[str, Kind], ...] = (("おしりがへん", "e1"), ("おしりがぬけた", "e1"), ("ねつがでた", "u1"), ("ねつっぽい", "u1"), ("おわりました", "none"),
         ("おわったよ", "none"))  # fmt: skip


def told(text: str) -> Signs:
    return signs(text, text, False, (), {ALWAYS})


@cache
def small() -> Likeness:
    return learn.likeness([Example(told(text), kind) for text, kind in WORDS * 200], width=8)


def test_the_same_messages_give_the_same_numbers() -> None:
    again = learn.likeness([Example(told(text), kind) for text, kind in WORDS * 200], width=8)
    assert again == small()
    assert learn.written(again) == learn.written(small())


def test_what_was_learned_is_found_again() -> None:
    for text, kind in WORDS:
        found = chances(told(text), small())
        assert found[KINDS.index(kind)] == max(found), text
        assert abs(sum(found) - 1) < 1e-6


@pytest.mark.parametrize(
    ("near", "far", "pair", "words"),
    [
        ("no pain or odd numbness", "no: a word, that is two in all, for numbness", "no … numb", True),
        (
            "no pain, and that in neither leg, numbing",
            "no pain at all in my two legs or any numbness",
            "no … numb",
            True,
        ),
        ("便が漏れることはない", "便が漏れる夢を見た、それはない", "便 … はない", False),
    ],
)
def test_a_word_and_what_denies_it_are_one_sign_with_a_few_others_between(
    near: str, far: str, pair: str, words: bool
) -> None:
    """Up to seven in English, by their stems; up to four runs of one script in Japanese."""
    (mark,) = set(signs("", "", False, (pair,), ()).told) - set(signs("", "", False, (), ()).told)
    assert mark in signs(near, "", words, (), ()).told
    assert mark not in signs(far, "", words, (), ()).told


def test_what_few_messages_have_is_not_learned() -> None:
    rare = [Example(told("めずらしい"), "e2")] * (SEEN_AT_LEAST - 1)
    learned = learn.likeness([*(Example(told(text), kind) for text, kind in WORDS * 200), *rare], width=8)
    assert max(chances(told("めずらしい"), learned)) != chances(told("めずらしい"), learned)[KINDS.index("e2")]


def test_numbers_are_kept_two_in_a_byte_beside_the_mark_of_their_sign() -> None:
    numbers = np.array([[-7, 0, 3, 7], [0, 0, 0, 0], [1, -1, 9, -9], [0, 0, 0, 1]], np.float32)
    marks = np.array([3, 5, 2**31, 2**32 - 1], np.uint32)
    kept = Likeness.model_validate(
        {
            **small().model_dump(exclude={"bias", "traits"}),
            "bias": (0,) * 4,
            "traits": ((0,) * 8,) * 4,
            "numbers": packed(marks, numbers),
        }
    )
    assert kept.numbers.itemsize == 6
    assert (kept.of(np.arange(4)) == np.clip(numbers, -7, 7)).all()
    at, known = places(np.array([0, 3, 4, 2**31, 2**32 - 1], np.uint32), kept.marks)
    assert at[known].tolist() == [0, 2, 3]
    assert known.tolist() == [False, True, False, True, True]


def test_the_most_serious_level_that_is_sure_enough_counts() -> None:
    learned = small().model_copy(update={"sure": (50, 60, 70), "confirmed": (10, 20, 30), "least": (4, 5, 5)})

    def level(said: Disposition | None, **by_kind: float) -> Disposition | None:
        found = vote(tuple(by_kind.get(kind, 0.0) for kind in KINDS), said, learned)
        return found.level if found else None

    assert level(None, e1=0.3, e2=0.2, none=0.5) is Disposition.EMERGENCY
    assert level(None, e1=0.3, u1=0.3, none=0.4) is Disposition.URGENT
    assert level(None, e1=0.3, u1=0.2, none=0.5) is None
    assert level(Disposition.EMERGENCY, e1=0.1, none=0.9) is Disposition.EMERGENCY
    assert level(Disposition.EMERGENCY, e1=0.05, none=0.95) is None
    assert level(Disposition.DOCTOR, e1=0.25, none=0.6, d1=0.15) is Disposition.DOCTOR


def test_what_speaks_for_a_lower_level_does_not_speak_against_a_higher_one() -> None:
    learned = small().model_copy(update={"sure": (50, 60, 70), "confirmed": (10, 20, 30), "least": (4, 5, 5)})
    emergency_or_doctor = tuple({"e1": 0.1, "d1": 0.85, "none": 0.05}.get(kind, 0.0) for kind in KINDS)
    hardly = tuple({"e1": 0.03, "d1": 0.97}.get(kind, 0.0) for kind in KINDS)
    assert vote(emergency_or_doctor, None, learned) == Vote("e1", Disposition.EMERGENCY)
    assert vote(hardly, None, learned) == Vote("d1", Disposition.DOCTOR)


def test_an_emergency_that_is_not_sure_by_itself_is_what_is_asked_about() -> None:
    learned = small().model_copy(update={"sure": (50, 40, 40), "confirmed": (10, 20, 30), "least": (4, 5, 5)})

    def cast(**by_kind: float) -> Vote | None:
        return vote(tuple(by_kind.get(kind, 0.0) for kind in KINDS), None, learned)

    assert cast(e1=0.3, u1=0.1, none=0.6) == Vote("e1", Disposition.URGENT)
    assert cast(e1=0.2, u1=0.25, none=0.55) == Vote("u1", Disposition.URGENT)
    assert cast(mental=0.3, u1=0.1, none=0.6) == Vote("mental", Disposition.URGENT)
    assert cast(mental=0.3, d1=0.1, none=0.6) == Vote("d1", Disposition.DOCTOR)


def test_the_telling_words_are_those_that_weigh_most() -> None:
    for text in ("おわりました。おしりがへん", "おしりがへん\nおわりました"):
        start, end = telling(text, told(text), "e1", small())
        assert "おしり" in text[start:end]
        assert "おわりました" not in text[start:end]


def test_a_topic_merely_named_means_nothing() -> None:
    for text in ("股にかけて活躍する選手", "座布団買った"):
        assert assess(text, vocabulary()).level is not None
        assert assess(text, vocabulary(), likeness()).level is None
    assert (
        assess("おしっこのことで、いつもとは違うことがあって", vocabulary(), likeness()).level is Disposition.EMERGENCY
    )


def test_a_figure_of_speech_is_taken_back_but_a_wish_to_die_still_asked_about() -> None:
    text = "kill me now, it's Monday"
    assert assess(text, vocabulary()).level is Disposition.EMERGENCY
    found = assess(text, vocabulary(), likeness())
    assert found.level is None
    assert found.gentle_check_in


def test_what_a_rule_believes_of_one_sentence_is_not_talked_away_by_others() -> None:
    for text in (
        "死にたい\n熱はありません",
        "熱はありません。ろれつが回らない。夜9時に教えてください",
        "thanks!\n救急車を呼んで",
    ):
        assert assess(text, vocabulary(), likeness()).level is Disposition.EMERGENCY


def test_a_message_that_no_rule_names_is_caught_with_its_telling_words() -> None:
    text = "朝からトイレに何べん行っても一滴二滴でよ"
    found = assess(text, vocabulary(), likeness())
    assert found.level is Disposition.EMERGENCY
    reasons = [trigger for trigger in found.triggers if trigger.rule.startswith(ALIKE)] or list(found.triggers)
    assert all(reason.words in text and reason.words and reason.source for reason in reasons)


def test_plain_warning_signs_are_never_lowered() -> None:
    for text in ("血尿が出ました", "両足がしびれます", "ワーファリンを飲んでいます", "ヘルニアと言われました"):
        alone, together = assess(text, vocabulary()).level, assess(text, vocabulary(), likeness()).level
        assert alone is not None
        assert together is not None
        assert together.rank <= alone.rank


def kept(marks: list[int], traits: int) -> NDArray[np.void]:
    rows: NDArray[np.void] = packed(np.array(marks, np.uint32), np.zeros((len(marks), traits), np.float32))
    return rows


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        (kept([1, 2], 4), "half a byte for each"),
        (kept([], 2), "half a byte for each"),
        (kept([1, 2], 2).reshape(2, 1), "half a byte for each"),
        (np.zeros((4, 1), np.uint8), "half a byte for each"),
        (kept([2, 1], 2), "must ascend"),
        (kept([1, 1], 2), "must ascend"),
        (None, "missing"),
        (b"not numbers", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(tmp_path: Path, numbers: object, complaint: str) -> None:
    folder = Path(shutil.copytree(ROOT / "tests" / "broken" / "base", tmp_path / "content"))
    match numbers:
        case np.ndarray():
            np.save(folder / "likeness.npy", numbers)
        case bytes():
            (folder / "likeness.npy").write_bytes(numbers)
        case _:
            (folder / "likeness.npy").unlink()
    with pytest.raises(ContentError, match=complaint):
        load(folder)


def test_other_numbers_are_another_version_of_the_content(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "content", tmp_path / "content"))
    before = load(folder)
    np.save(folder / "likeness.npy", np.load(folder / "likeness.npy")[::2])
    after = load(folder)
    assert after.version != before.version
    assert after.likeness != before.likeness


def test_whoever_writes_over_the_numbers_does_not_disturb_what_was_read(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "content", tmp_path / "content"))
    read = load(folder).likeness
    before = read.numbers.tobytes()
    (folder / "likeness.npy").write_bytes(b"")
    assert read.numbers.tobytes() == before
