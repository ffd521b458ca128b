"""Content changes while patients are in mid-conversation: no error, and no red flag left unasked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.content.load import load
from bot.content.model import (
    Answered,
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Conclude,
    Content,
    Flag,
    Item,
    Known,
    Node,
    Number,
    Rise,
    Tell,
    Wording,
)
from bot.engine.state import Asking, Facts, State
from bot.engine.step import step
from bot.messages import Card, Command, Commanded, Disposition, Event, Message, Picked, PickToken
from bot.store.codec import state_from, state_json

CONTENT = load(Path("content"))
ZONE = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
QUESTIONS = tuple(n for n in CONTENT.flows["screening"].node if isinstance(n, Ask | CardAsk | AskNumber))
CARDS = tuple(n for n in QUESTIONS if isinstance(n, CardAsk))
HEALTHY = {"pain": "3"}
WELL = ("a20", "days", "sometimes", "back")


@dataclass
class Talk:
    content: Content
    state: State
    asked: list[str]
    last: Message | None = None
    now: datetime = NOW

    def do(self, event: Event) -> None:
        turn = step(self.content, self.state, Facts(self.now, ZONE), event)
        self.state = state_from(state_json(turn.state))
        self.last = turn.message
        self.now += timedelta(seconds=5)
        if isinstance(self.state.waiting, Asking):
            self.asked.append(self.state.waiting.node)

    def answer(self) -> bool:
        """Answers the present question as a healthy person does; False when nothing is asked."""
        waiting = self.state.waiting
        if not isinstance(waiting, Asking):
            return False
        node = next((n for n in self.content.flows[waiting.flow].node if n.id == waiting.node), None)
        if node is None:
            self.do(Picked(PickToken(waiting.turn, f"{waiting.flow}/{waiting.node}", "none")))
            return True
        if isinstance(node, CardAsk):
            value = "no" if waiting.item else "none"
        elif isinstance(node, Ask):
            value = healthy(node)
        else:
            value = HEALTHY[node.id]
        question = "/".join(x for x in (waiting.flow, waiting.node, waiting.item) if x)
        self.do(Picked(PickToken(waiting.turn, question, value)))
        return True

    @property
    def offered(self) -> bool:
        return self.last is not None and any(isinstance(p, Card) and p.tone == "routine" for p in self.last.parts)


def healthy(node: Ask) -> str:
    """The answer that no flag and no exit to an ending looks at: the one that brings a person furthest."""
    flagged = {
        value
        for flag in CONTENT.safety.flag
        for c in flag.when
        if isinstance(c, Answered) and c.answer == node.stored_as
        for value in c.any_of
    }
    best = [o for o in node.options if o.id in WELL] or [o for o in node.options if o.id not in flagged]
    return best[0].id


def after(answers: int, content: Content = CONTENT) -> Talk:
    talk = Talk(content, State(), [])
    talk.do(Commanded(Command.START))
    for _ in range(answers):
        talk.answer()
    return talk


def rewired(node: Node, gone: str, to: str) -> Node:
    """The node with every exit to `gone` leading to `to`."""
    update: dict[str, object] = {}
    if isinstance(node, Branch):
        cases = tuple(c.model_copy(update={"to": to}) if c.to == gone else c for c in node.cases)
        update = {"cases": cases, "otherwise": to if node.otherwise == gone else node.otherwise}
    elif isinstance(node, Ask):
        options = tuple(o.model_copy(update={"to": to}) if o.to == gone else o for o in node.options)
        update = {"options": options, "next": to if node.next == gone else node.next}
    elif isinstance(node, CardAsk | AskNumber | Tell | Conclude) and node.next == gone:
        update = {"next": to}
    return node.model_copy(update=update)


def names(flag: Flag) -> set[str]:
    found = set()
    for c in flag.when:
        match c:
            case Answered(answer=name) | Number(number=name) | Rise(rise=name) | Known(known=name):
                found.add(name)
            case _:
                pass
    return found


def without(card: CardAsk) -> Content:
    """The content as an author leaves it who takes a card out, with its flags."""
    flow = CONTENT.flows["screening"]
    nodes = tuple(rewired(n, card.id, card.next) for n in flow.node if n.id != card.id)
    flags = tuple(f for f in CONTENT.safety.flag if not names(f) & set(card.items))
    safety = CONTENT.safety.model_copy(update={"flag": flags})
    flows = {**CONTENT.flows, "screening": flow.model_copy(update={"node": nodes})}
    return CONTENT.model_copy(update={"flows": flows, "safety": safety, "version": "without"})


def with_new_card(before: str) -> Content:
    """The content with one more card, and its flag, in front of a node."""
    text = Wording(ja="あたらしい質問", en="A new question")
    first = CARDS[0]
    item = Item(id="brand_new", text=text, source=CONTENT.safety.item[0].source)
    flag = Flag(
        id="brand_new_flag",
        when=(Answered(answer="brand_new", any_of=("yes", "unsure")),),
        disposition=Disposition.URGENT,
        reason=text,
        card="screening/extra",
        source=item.source,
    )
    card = first.model_copy(update={"id": "extra", "items": ("brand_new",), "next": before, "old_label": None})
    flow = CONTENT.flows["screening"]
    nodes = (*(rewired(n, before, "extra") for n in flow.node), card)
    safety = CONTENT.safety.model_copy(
        update={"item": (*CONTENT.safety.item, item), "flag": (*CONTENT.safety.flag, flag)}
    )
    flows = {**CONTENT.flows, "screening": flow.model_copy(update={"node": nodes})}
    return CONTENT.model_copy(update={"flows": flows, "safety": safety, "version": "with"})


def steps_of_a_healthy_person() -> int:
    talk, count = after(0), 0
    while talk.answer():
        count += 1
    assert talk.offered
    return count


STEPS = steps_of_a_healthy_person()


def test_a_healthy_newcomer_needs_at_most_twelve_taps() -> None:
    assert STEPS <= 12


@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.id)
@pytest.mark.parametrize("answers", range(STEPS))
def test_a_card_taken_out_in_mid_screening_does_not_break_it(card: CardAsk, answers: int) -> None:
    talk = after(answers)
    talk.content = without(card)
    for _ in range(30):
        if not talk.answer():
            break
    assert talk.offered
    assert not set(card.items) & set(talk.state.answers)


@pytest.mark.parametrize("before", [n.id for n in QUESTIONS if isinstance(n, CardAsk)])
@pytest.mark.parametrize("answers", range(STEPS))
def test_a_red_flag_added_in_mid_screening_is_asked_before_a_routine(before: str, answers: int) -> None:
    talk = after(answers)
    talk.content = with_new_card(before)
    for _ in range(30):
        if not talk.answer():
            break
    assert talk.offered
    assert "extra" in talk.asked
    assert talk.state.answers["brand_new"] == "no"


def test_a_question_reworded_out_of_its_answers_forgets_what_was_answered() -> None:
    talk = after(3)
    name, value = next((n, v) for n, v in talk.state.answers.items() if v == "no")
    items = tuple(
        i.model_copy(update={"options": tuple(o.model_copy(update={"id": f"x_{o.id}"}) for o in CARDS[0].options)})
        if i.id == name
        else i
        for i in CONTENT.safety.item
    )
    talk.content = CONTENT.model_copy(
        update={"safety": CONTENT.safety.model_copy(update={"item": items}), "version": "reworded"}
    )
    talk.answer()
    assert value == "no"
    assert name not in talk.state.answers
