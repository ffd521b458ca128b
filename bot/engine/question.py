"""How questions, sentences and ends look: from a node to the parts of a message."""

from dataclasses import replace
from typing import assert_never

from bot.content.model import Ask, AskNumber, CardAsk, End, Item, ItemOption, Tell
from bot.engine.draft import Draft
from bot.engine.state import Asking
from bot.messages import Card, Choice, Command, Form, PickToken, Picture, Row, Words

IN_CARD = 10
"""Up to this many answers are buttons in the card, where they stay; more become quick replies under it."""

ANY, OLD, NONE = "any", "old", "none"
"""The answers to a card as a whole."""


def key(asking: Asking) -> str:
    """What the buttons of a question carry."""
    base = f"{asking.flow}/{asking.node}"
    return base if asking.item is None else f"{base}/{asking.item}"


def item_of(draft: Draft, item_id: str) -> Item:
    """The item of that id."""
    return next(i for i in draft.content.safety.item if i.id == item_id)


def item_options(draft: Draft, node: CardAsk, item_id: str) -> tuple[ItemOption, ...]:
    """An item's own answers, or the card's."""
    return item_of(draft, item_id).options or node.options


def show(draft: Draft, asking: Asking, node: Ask | CardAsk | AskNumber) -> None:
    """Says the question with its answers, and the way back when there is one."""
    text, lines = _text(draft, asking, node)
    choices = _picks(draft, asking, node)
    inside = len(choices) <= IN_CARD and not isinstance(node, AskNumber)
    flow = draft.content.flows[asking.flow]
    note = node.note if asking.item is None else None
    picture = node.picture if isinstance(node, Ask) else None
    draft.say(
        Card(
            title=draft.text(flow.title),
            text=text,
            lines=lines,
            note=draft.text(note) if note else "",
            picture=Picture(picture.file, draft.text(picture.alt)) if picture else None,
            progress=(node.step, flow.steps) if node.step and not draft.state.alone else None,
            choices=choices if inside else (),
            tone="question",
            form=_form(draft, asking, node),
        )
    )
    back = (draft.command(Command.BACK),) if draft.state.trail else ()
    draft.quick(*(back if inside else (*choices, *back)))


def _form(draft: Draft, asking: Asking, node: Ask | CardAsk | AskNumber) -> Form | None:
    """The items of a card that are still to be asked, together. None where only one thing is asked."""
    if not isinstance(node, CardAsk) or asking.item is None or not asking.todo:
        return None
    alone = (replace(asking, item=item, todo=()) for item in (asking.item, *asking.todo))
    rows = tuple(Row(_text(draft, one, node)[0], _picks(draft, one, node)) for one in alone)
    return Form(rows, draft.text(draft.content.phrases.form_submit))


def _picks(draft: Draft, asking: Asking, node: Ask | CardAsk | AskNumber) -> tuple[Choice, ...]:
    return tuple(
        Choice(label, token=PickToken(asking.turn, key(asking), value)) for value, label in answers(draft, asking, node)
    )


def _text(draft: Draft, asking: Asking, node: Ask | CardAsk | AskNumber) -> tuple[str, tuple[str, ...]]:
    """The text and the lines under it."""
    match node:
        case Ask():
            return draft.text(node.text), tuple(draft.text(w) for w in node.lines)
        case AskNumber():
            return draft.text(node.text), ()
        case CardAsk() if asking.item is None:
            return draft.text(node.text), tuple(draft.text(item_of(draft, i).text) for i in node.items)
        case CardAsk():
            assert asking.item is not None
            item = item_of(draft, asking.item)
            if item.ask is not None:
                return draft.text(item.ask), ()
            return draft.text(draft.content.phrases.item_question, {"item": draft.text(item.text)}), ()
        case _:
            assert_never(node)


def answers(draft: Draft, asking: Asking, node: Ask | CardAsk | AskNumber) -> tuple[tuple[str, str], ...]:
    """The answers as (value, label), in the order shown."""
    match node:
        case Ask():
            return tuple((o.id, draft.text(o.label)) for o in node.options)
        case AskNumber():
            return tuple((str(n), str(n)) for n in range(node.low, node.high + 1))
        case CardAsk() if asking.item is not None:
            return tuple((o.id, draft.text(o.label)) for o in item_options(draft, node, asking.item))
        case CardAsk():
            old = ((OLD, draft.text(node.old_label)),) if node.old_label is not None else ()
            return ((ANY, draft.text(node.any_label)), *old, (NONE, draft.text(node.none_label)))
        case _:
            assert_never(node)


def wants_number(draft: Draft, asking: Asking) -> bool:
    """Whether the question asks for a number."""
    return any(isinstance(n, AskNumber) and n.id == asking.node for n in draft.content.flows[asking.flow].node)


def tell(draft: Draft, node: Tell) -> None:
    """A sentence on the way."""
    picture = Picture(node.picture.file, draft.text(node.picture.alt)) if node.picture else None
    if node.lines:
        draft.say(Card(draft.text(node.text), lines=tuple(draft.text(w) for w in node.lines), picture=picture))
        return
    if picture:
        draft.say(picture)
    draft.say(Words(draft.text(node.text)))


def end(draft: Draft, node: End) -> None:
    """The last sentence of a flow, its buttons as quick replies."""
    draft.say(Words(draft.text(node.text)))
    draft.quick(*draft.actions(node.actions))
