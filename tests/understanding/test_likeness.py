"""The second vote: learned from labelled messages, it adds to the rules and says why."""

from bot.content.likeness import KINDS, Kind, Likeness
from bot.engine.likeness import chances, opinion, pieces
from bot.engine.safety import ALIKE, assess
from bot.messages import Disposition
from tests.understanding import learn
from tests.understanding.learn import Example
from tests.understanding.words import likeness, vocabulary

WORDS: tuple[tuple[str, Kind], ...] = (("おしりがへん", "e1"), ("おしりがぬけた", "e1"), ("ねつがでた", "u1"), ("ねつっぽい", "u1"), ("おわりました", "none"),
         ("おわったよ", "none"))  # fmt: skip


def small() -> Likeness:
    given = [Example(frozenset(pieces(text, text)), kind) for text, kind in WORDS]
    return learn.learn(given, kept=60)


def test_the_same_messages_give_the_same_weights() -> None:
    assert learn.written(small()) == learn.written(small())


def test_what_was_learned_is_found_again() -> None:
    learned = small()
    assert len(learned.weights) <= 60
    for text, kind in WORDS:
        by_kind = chances(pieces(text, text), learned)
        assert by_kind[KINDS.index(kind)] == max(by_kind), text
        assert abs(sum(by_kind) - 1) < 1e-9


def test_doubt_asks_for_more() -> None:
    learned = small().model_copy(update={"sure_emergency": 1, "sure_in_doubt": 100})
    found = opinion("おしりがへん", "おしりかへん", learned)
    assert found is not None
    sure = found.vote(doubt=False)
    assert sure is not None
    assert sure.level is Disposition.EMERGENCY
    assert found.vote(doubt=True) is None


def test_a_topic_merely_named_means_nothing_without_a_hint() -> None:
    for text in ("股にかけて活躍する選手", "座布団買った"):
        assert assess(text, vocabulary()).level is not None
        assert assess(text, vocabulary(), likeness()).level is None
    assert (
        assess("おしっこのことで、いつもとは違うことがあって", vocabulary(), likeness()).level is Disposition.EMERGENCY
    )


def test_a_message_that_no_rule_names_is_caught_with_its_telling_words() -> None:
    text = "朝からトイレに何べん行っても一滴二滴でよ"
    found = assess(text, vocabulary(), likeness())
    assert found.level is Disposition.EMERGENCY
    reasons = [trigger for trigger in found.triggers if trigger.rule.startswith(ALIKE)] or list(found.triggers)
    assert all(reason.words in text and reason.words and reason.source for reason in reasons)


def test_the_vote_never_lowers_what_a_rule_found_by_more_than_a_topic() -> None:
    for text in ("血尿が出ました", "両足がしびれます", "ワーファリンを飲んでいます", "ヘルニアと言われました"):
        alone, together = assess(text, vocabulary()).level, assess(text, vocabulary(), likeness()).level
        assert alone is not None
        assert together is not None
        assert together.rank <= alone.rank


def test_the_weights_that_are_shipped_are_whole() -> None:
    assert len(likeness().weights) > 1000
    assert all(len(weights) == len(KINDS) for weights in likeness().weights.values())
