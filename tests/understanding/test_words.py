"""Every rule and scope of words.toml proves itself with its own examples, and none of them can go unnoticed."""

import pytest

from bot.content.vocabulary import Rule, Scope
from bot.engine.safety import assess
from bot.messages import Disposition
from tests.understanding.words import likeness, vocabulary, without_rule, without_scope

RULES = vocabulary().rules
SCOPES = vocabulary().scopes
SHOWN = [scope for scope in SCOPES if scope.clears or scope.turns]


def names(it: Rule | Scope) -> str:
    return it.id


@pytest.mark.parametrize("rule", RULES, ids=names)
def test_a_rule_finds_its_own_examples(rule: Rule) -> None:
    for text in rule.yes:
        finding = assess(text, vocabulary())
        assert rule.id in [trigger.rule for trigger in finding.triggers], text
        assert finding.level is not None, text
        assert finding.level.rank <= rule.level.rank, text
        assert all(trigger.source and trigger.words for trigger in finding.triggers), text
        assert finding.level is not Disposition.SELF_MASSAGE


@pytest.mark.parametrize("rule", RULES, ids=names)
def test_a_rule_leaves_its_counterexamples_alone(rule: Rule) -> None:
    assert rule.no, "a rule shows what it does not mean"
    for text in rule.no:
        assert rule.id not in [trigger.rule for trigger in assess(text, vocabulary()).triggers], text


@pytest.mark.parametrize("rule", RULES, ids=names)
def test_no_rule_can_be_dropped_unnoticed(rule: Rule) -> None:
    rest = without_rule(rule.id)
    assert any(assess(text, rest).triggers != assess(text, vocabulary()).triggers for text in rule.yes)


@pytest.mark.parametrize("scope", SHOWN, ids=names)
def test_a_scope_judges_its_examples(scope: Scope) -> None:
    for text in scope.clears:
        found = assess(text, vocabulary())
        assert found.level in (None, Disposition.NO_MASSAGE), (text, found.triggers)
    for text, level in scope.turns.items():
        assert assess(text, vocabulary()).level is level, text


@pytest.mark.parametrize("scope", SCOPES, ids=names)
def test_no_scope_can_be_dropped_unnoticed(scope: Scope) -> None:
    rest = without_scope(scope.id)
    texts = [*scope.clears, *scope.turns]
    assert any(assess(text, rest) != assess(text, vocabulary()) for text in texts), "no example needs it"


@pytest.mark.parametrize("rule", RULES, ids=names)
def test_a_rule_is_believed_in_its_own_examples(rule: Rule) -> None:
    for text in rule.yes:
        level = assess(text, vocabulary(), likeness()).level
        assert level is not None, text
        assert level.rank <= rule.level.rank, text


@pytest.mark.parametrize("scope", SHOWN, ids=names)
def test_what_a_scope_clears_stays_cleared(scope: Scope) -> None:
    for text in scope.clears:
        assert assess(text, vocabulary(), likeness()).level in (None, Disposition.NO_MASSAGE), text


@pytest.mark.parametrize("text", vocabulary().plain)
def test_what_is_plain_by_itself_names_no_sign_and_raises_nothing(text: str) -> None:
    assert assess(text, vocabulary()).triggers == ()
    assert assess(f"{text}。", vocabulary(), likeness()).level is None
    assert assess(text.upper(), vocabulary(), likeness()).level is None


def test_what_is_plain_by_itself_covers_nothing_that_stands_beside_it() -> None:
    for text in ("できない。おしっこが出ない", "だめ\n両足に力が入らない", "お手洗いに間に合わず漏れる"):
        assert assess(text, vocabulary(), likeness()).level is Disposition.EMERGENCY
