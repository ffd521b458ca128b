"""The second vote: learned from labelled messages, it weighs what the rules find and says why."""

from bot.content.likeness import KINDS, Kind, Likeness
from bot.engine.likeness import ALWAYS, chances, pieces, telling, vote, weighed
from bot.engine.safety import ALIKE, assess
from bot.messages import Disposition
from tests.understanding import learn
from tests.understanding.learn import Example
from tests.understanding.words import likeness, vocabulary

WORDS: tuple[tuple[str, Kind], ...] = (("おしりがへん", "e1"), ("おしりがぬけた", "e1"), ("ねつがでた", "u1"), ("ねつっぽい", "u1"), ("おわりました", "none"),
         ("おわったよ", "none"))  # fmt: skip


def small() -> Likeness:
    given = [Example(frozenset(pieces(text, text)), kind, frozenset({ALWAYS})) for text, kind in WORDS]
    return learn.learn(given, given * 5, kept=60)


def test_the_same_messages_give_the_same_weights() -> None:
    assert learn.written(small()) == learn.written(small())


def test_what_was_learned_is_found_again() -> None:
    learned = small()
    assert len(learned.weights) <= 60
    for text, kind in WORDS:
        by_pieces = chances(pieces(text, text), learned)
        by_kind = weighed(by_pieces, {ALWAYS}, learned)
        for found in (by_pieces, by_kind):
            assert found[KINDS.index(kind)] == max(found), text
            assert abs(sum(found) - 1) < 1e-9


def test_the_most_serious_level_that_is_sure_enough_counts() -> None:
    learned = small().model_copy(update={"sure": (50, 60, 70), "confirmed": (10, 20, 30)})

    def level(said: Disposition | None, **by_kind: float) -> Disposition | None:
        found = vote(tuple(by_kind.get(kind, 0.0) for kind in KINDS), said, learned)
        return found.level if found else None

    assert level(None, e1=0.3, e2=0.2, none=0.5) is Disposition.EMERGENCY
    assert level(None, e1=0.3, u1=0.3, none=0.4) is Disposition.URGENT
    assert level(None, e1=0.3, u1=0.2, none=0.5) is None
    assert level(Disposition.EMERGENCY, e1=0.1, none=0.9) is Disposition.EMERGENCY
    assert level(Disposition.EMERGENCY, e1=0.05, none=0.95) is None
    assert level(Disposition.DOCTOR, e1=0.3, none=0.7) is Disposition.DOCTOR


def test_the_telling_words_are_those_that_weigh_most() -> None:
    start, end = telling("おわりました。おしりがへん", "e1", small())
    assert "おしり" in "おわりました。おしりがへん"[start:end]


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


def test_the_weights_that_are_shipped_are_whole() -> None:
    assert len(likeness().weights) > 1000
    assert all(len(weights) == len(KINDS) for weights in likeness().weights.values())
