"""Every safety edge of the real content matters: spoil one, and the check or the clinical table says so."""

from pathlib import Path

import pytest

from bot.content import coverage, limits, proofs, references, shape
from bot.content.load import load
from bot.content.model import Ask, Branch, CardAsk, Node
from bot.content.walk import Walk
from tests.mutants import HARMLESS, KINDS, Mutant, mutants, with_
from tests.oracle import Case, cases, falls_short, first_fault, wrong_fits, wrong_limits

CONTENT = load(Path(__file__).parent.parent / "content")


def caught(mutant: Mutant) -> str | None:
    """What is said of a mutant, the cheapest first; None when nothing is."""
    content = mutant.content
    for part in (references.problems, coverage.problems):
        if issue := next(part(content), None):
            return f"check: {issue.code}"
    if fault := first_fault(content, mutant.names):
        return f"table: {fault}"
    for part in (shape.problems, limits.problems):
        if issue := next(part(content), None):
            return f"check: {issue.code}"
    try:
        walk = Impatient(content)
        issue = next(proofs.prove(walk, walk.run()), None)
    except Found as found:
        return f"check: {found}"
    return f"check: {issue.code}" if issue else None


class Found(Exception):
    """A proof failed before everything was walked."""


class Impatient(Walk):
    """Ends with the first flow on which a proof fails that more paths could not mend."""

    def _walk(self, flow_id: str) -> None:
        super()._walk(flow_id)
        if issue := next((one for one in proofs.prove(self, self.found) if one.code in STANDING), None):
            raise Found(issue.code)


STANDING = (
    "undecided",
    "flagged_routine",
    "no_offer",
    "unsaid_flag",
    "emergency_late",
    "before_consent",
    "no_question",
)
"""Faults of single paths. That something is never reached is only known in the end."""


@pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.order} {'+'.join(f'{k}={v}' for k, v in c.given.items())}")
def test_each_patient_of_the_clinical_table_is_told_at_least_what_it_demands(case: Case) -> None:
    assert falls_short(CONTENT, case) is None


def test_limits_and_routines_are_those_of_the_clinical_table() -> None:
    """With it: the healthy newcomer needs at most 12 taps, the one who returns 2."""
    assert list(wrong_limits(CONTENT)) == []
    assert list(wrong_fits(CONTENT)) == []


FEWEST = {"flags": 300, "items": 35, "options": 30, "exits": 40, "gates": 12, "limits": 12, "routines": 10}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", FEWEST)
def test_every_spoilt_safety_edge_is_caught(kind: str) -> None:
    found = {mutant.what: caught(mutant) for mutant in mutants(CONTENT, kind)}
    assert [what for what, said in found.items() if said is None] == []
    assert len(found) >= FEWEST[kind]


def test_the_spoilings_named_harmless_exist() -> None:
    """What is left out is left out for a reason that is still there."""
    every = [mutant.what for make in KINDS.values() for mutant in make(CONTENT)]
    for beginning in HARMLESS:
        assert any(what.startswith(beginning) for what in every)


def test_each_way_past_a_card_is_caught_by_the_check_alone() -> None:
    """The proof over every path needs no table: past a card, the flags of its lines are not decided."""
    flow = CONTENT.flows["screening"]
    cards = [node for node in flow.node if isinstance(node, CardAsk)]
    for card in cards:
        nodes = tuple(_past(node, card) for node in flow.node)
        content = CONTENT.model_copy(update={"flows": {**CONTENT.flows, flow.id: with_(flow, node=nodes)}})
        walk = Walk(content)
        assert "undecided" in {issue.code for issue in proofs.prove(walk, walk.run())}, card.id


def _past(node: Node, card: CardAsk) -> Node:
    """The node, leading past the card if it led to it."""
    match node:
        case CardAsk() | Ask() if node.next == card.id:
            return with_(node, next=card.next)
        case Branch() if node.otherwise == card.id:
            return with_(node, otherwise=card.next)
        case _:
            return node


def test_the_real_content_is_not_caught() -> None:
    assert caught(Mutant("nothing", CONTENT)) is None
