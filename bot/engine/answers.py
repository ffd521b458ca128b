"""Answers: taking one, going back, whether a question still stands, and asking one card anew to set a mistake right."""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from bot.content.conditions import number
from bot.content.model import Ask, AskNumber, CardAsk, Option
from bot.engine import course, guide, nodes, question
from bot.engine.advice import SAFE
from bot.engine.draft import Draft
from bot.engine.screen import PAIN, verdict
from bot.engine.state import Asking, Guiding, Lock, SetConsents, Waiting
from bot.messages import Command, Disposition, PickToken

EMERGENT = (Disposition.EMERGENCY, Disposition.URGENT)
"""Dispositions that end a flow at once; the others wait for its `conclude`."""


def take(draft: Draft, asking: Asking, value: str) -> bool:
    """Takes `value` as the answer to the question. False, and nothing changed, when it is none of its answers."""
    node = nodes.question_node(draft, asking)
    match node:
        case Ask():
            option = next((o for o in node.options if o.id == value), None)
            if option is None:
                return False
            _store(draft, asking, {node.stored_as: value})
            _consent(draft, node, option)
            if option.renews:
                course.renew(draft)
            to = option.to or node.next
            assert to is not None, f"{asking.flow}/{node.id}/{value}"
            _go_on(draft, asking, to)
        case AskNumber():
            given = number(value)
            if given is None or not node.low <= given <= node.high:
                return False
            _store(draft, asking, {node.id: str(given)})
            if node.id == PAIN:
                nodes.remember_pain(draft, given)
            _go_on(draft, asking, node.next)
        case CardAsk():
            return _take_card(draft, asking, node, value)
        case _:
            assert_never(node)
    return True


def _take_card(draft: Draft, asking: Asking, node: CardAsk, value: str) -> bool:
    if asking.item is not None:
        if value not in {o.id for o in question.item_options(draft, node, asking.item)}:
            return False
        _store(draft, asking, {asking.item: value})
        _go_on(draft, asking, node.next)
        return True
    match value:
        case question.NONE:
            _store(draft, asking, dict.fromkeys(node.items, "no"))
            _go_on(draft, asking, node.next)
        case question.ANY | question.OLD if value == question.ANY or node.old_label is not None:
            drop(draft, node, None)
            draft.change(trail=(*draft.state.trail, asking))
            _open_item(draft, asking, node.items)
        case _:
            return False
    return True


def take_items(draft: Draft, asking: Asking, picks: tuple[PickToken, ...]) -> bool:
    """Takes the answers to several items of a card together, before any of them is judged: the worst counts, not the
    first. False, and nothing changed, when one of them is no answer of an open item."""
    node = nodes.question_node(draft, asking)
    if not isinstance(node, CardAsk) or asking.item is None:
        return False
    given: dict[str, str] = {}
    open_items = (asking.item, *asking.todo)
    for pick in picks:
        item = next((i for i in open_items if question.key(replace(asking, item=i)) == pick.question), None)
        if item is None or pick.option not in {o.id for o in question.item_options(draft, node, item)}:
            return False
        given[item] = pick.option
    if not given:
        draft.words(draft.content.phrases.ask_again)
        again(draft)
        return True
    _store(draft, asking, given)
    _go_on(draft, replace(asking, todo=tuple(i for i in open_items if i not in given)), node.next)
    return True


def _open_item(draft: Draft, asking: Asking, items: tuple[str, ...]) -> None:
    nodes.ask(draft, replace(asking, item=items[0], todo=items[1:], turn=draft.turn, since=draft.now))


def _store(draft: Draft, asking: Asking, given: dict[str, str]) -> None:
    draft.change(answers={**draft.state.answers, **given}, trail=(*draft.state.trail, asking), misses=0)


def _consent(draft: Draft, node: Ask, option: Option) -> None:
    """Choosing an answer agrees to its purposes and, where the question offered others, withdraws those."""
    offered = {purpose for o in node.options for purpose in o.consents}
    given = tuple(p for p in option.consents if p not in draft.state.consents)
    withdrawn = tuple(sorted(p for p in offered - set(option.consents) if p in draft.state.consents))
    if not given and not withdrawn:
        return
    kept = {p: at for p, at in draft.state.consents.items() if p not in withdrawn}
    draft.change(consents={**kept, **dict.fromkeys(given, draft.now)})
    if "guidance" in given:
        draft.change(stopped=False)
    draft.do(SetConsents(given, withdrawn))


def _go_on(draft: Draft, asking: Asking, to: str) -> None:
    """After an answer: the red flags first, then the next item, then the way out of the question."""
    found = verdict(draft.content, draft.state, draft.facts)
    if found.worst in EMERGENT:
        nodes.flagged(draft)
        return
    if asking.item is not None and asking.todo:
        _open_item(draft, asking, asking.todo)
        return
    if draft.state.alone:
        _set_right(draft, asking)
        return
    nodes.follow(draft, draft.content.flows[asking.flow], to)


def drop(draft: Draft, node: Ask | CardAsk | AskNumber, item: str | None) -> None:
    """Forgets the answers to a question, or to one item of a card."""
    match node:
        case Ask():
            names = {node.stored_as}
        case AskNumber():
            names = {node.id}
        case CardAsk():
            names = set(node.items) if item is None else {item}
        case _:
            assert_never(node)
    draft.change(answers={name: v for name, v in draft.state.answers.items() if name not in names})


def back(draft: Draft) -> None:
    """Asks the question before the present one again, its answer forgotten."""
    trail = draft.state.trail
    if not trail or not isinstance(draft.state.waiting, Asking):
        draft.words(draft.content.phrases.back_impossible)
        again(draft)
        return
    last = trail[-1]
    drop(draft, nodes.question_node(draft, last), last.item)
    draft.change(trail=trail[:-1])
    nodes.ask(draft, replace(last, turn=draft.turn, since=draft.now))


def again(draft: Draft) -> None:
    """Says what waits once more, with buttons that mean the same as those already on screen; else nothing."""
    waiting = draft.state.waiting
    match waiting:
        case Asking():
            question.show(draft, waiting, nodes.question_node(draft, waiting))
        case Guiding():
            guide.show(draft)
        case None:
            pass
        case _:
            assert_never(waiting)


def still_stands(draft: Draft) -> bool:
    """Whether what waits can still be answered. If not, that is said and the flow begins anew (a routine: today's
    card), because content changed under it or too much time has passed."""
    waiting = draft.state.waiting
    phrases = draft.content.phrases
    freshness = draft.content.safety.freshness
    if waiting is None:
        return True
    if isinstance(waiting, Guiding):
        late = guide.late(draft, waiting)
        if not late and guide.known(draft, waiting):
            return True
        draft.change(waiting=None)
        draft.words(phrases.routine_expired if late else phrases.routine_gone)
        nodes.enter(draft, nodes.TODAY)
        return False
    late = draft.since(draft.state.begun_at) >= timedelta(hours=freshness.question_hours)
    if not late and _exists(draft, waiting):
        if draft.state.version != draft.content.version:
            _prune(draft)
        return True
    draft.words(phrases.restarted if late else phrases.changed)
    flow = waiting.flow if waiting.flow in draft.content.flows else nodes.SCREENING
    if flow == nodes.AFTER:
        flow = nodes.TODAY
    _prune(draft)
    draft.change(waiting=None)
    nodes.enter(draft, flow)
    return False


def _exists(draft: Draft, asking: Asking) -> bool:
    """Whether content still has this question, and every question of the trail."""
    items = {i.id for i in draft.content.safety.item}
    for asked in (asking, *draft.state.trail):
        flow = draft.content.flows.get(asked.flow)
        node = nodes.find(flow, asked.node) if flow else None
        if not isinstance(node, Ask | CardAsk | AskNumber):
            return False
        wanted = {i for i in (asked.item, *asked.todo) if i is not None}
        if wanted and not (isinstance(node, CardAsk) and wanted <= set(node.items) & items):
            return False
    return True


def _prune(draft: Draft) -> None:
    """Content changed in mid-conversation: no answer stays that the new content does not ask for or offer."""
    valid: dict[str, set[str]] = {}
    for flow in draft.content.flows.values():
        for node in flow.node:
            match node:
                case Ask():
                    valid.setdefault(node.stored_as, set()).update(o.id for o in node.options)
                case AskNumber():
                    valid.setdefault(node.id, set()).update(str(n) for n in range(node.low, node.high + 1))
                case CardAsk():
                    for item in node.items:
                        options = question.item_options(draft, node, item)
                        valid.setdefault(item, set()).update(o.id for o in options)
                case _:
                    pass
    kept = {name: v for name, v in draft.state.answers.items() if v in valid.get(name, ())}
    draft.change(answers=kept, version=draft.content.version)


# --- setting a mistake right -----------------------------------------------------------------------------------------


def ask_alone(draft: Draft, card: str, parked: Waiting | None) -> None:
    """Asks one card of the screening for itself, to be sure about a message; `parked` is what to return to."""
    if draft.state.waiting is None:
        draft.change(begun_at=draft.now, answers={}, version=draft.content.version)
    draft.change(alone=True, parked=parked, trail=())
    asking = Asking(nodes.SCREENING, card, draft.turn, draft.now)
    drop(draft, nodes.question_node(draft, asking), None)
    nodes.ask(draft, asking)


def _set_right(draft: Draft, asking: Asking) -> None:
    """The card asked alone is answered: a flag that holds stands; all "no" lifts the lock that the message had set."""
    found = verdict(draft.content, draft.state, draft.facts)
    if found.worst is not None and found.worst not in SAFE:
        nodes.flagged(draft)
        return
    node = nodes.question_node(draft, asking)
    assert isinstance(node, CardAsk)
    clear = all(draft.state.answers.get(item) == "no" for item in node.items)
    parked = draft.state.parked
    lift(draft)
    in_screening = isinstance(parked, Asking) and parked.flow == nodes.SCREENING
    if not clear and not in_screening:
        nodes.enter(draft, nodes.SCREENING)
        return
    draft.words(draft.content.phrases.not_me)
    resume(draft, parked)


def lift(draft: Draft) -> None:
    """Brings back what stood before a message was read as a flag."""
    lock = draft.state.lock
    draft.change(lock=lock.under if lock else None, alone=False, parked=None, waiting=None, trail=())


def resume(draft: Draft, parked: Waiting | None) -> None:
    """Returns to a question, or offers the next thing to do."""
    if parked is None:
        draft.quick(draft.command(Command.TODAY), draft.command(Command.MENU))
        return
    draft.change(waiting=replace(parked, turn=draft.turn))
    if still_stands(draft):
        again(draft)


def recheck(draft: Draft, lock: Lock) -> None:
    """The patient says that the advice did not fit: its card is asked anew, in full. The lock stands until then."""
    phrases = draft.content.phrases
    if lock.card is None:
        lift(draft)
        draft.words(phrases.not_me)
        resume(draft, None)
        return
    flow = draft.content.flows[nodes.SCREENING]
    card = nodes.find(flow, lock.card)
    if "guidance" not in draft.state.consents or not isinstance(card, Ask | CardAsk | AskNumber):
        nodes.enter(draft, nodes.SCREENING)
        return
    if lock.origin == "text" and isinstance(card, CardAsk):
        ask_alone(draft, lock.card, draft.state.parked)
        return
    recent = draft.since(draft.state.begun_at) < timedelta(hours=draft.content.safety.freshness.question_hours)
    if not recent:
        nodes.enter(draft, nodes.SCREENING, lock.card)
        return
    drop(draft, card, None)
    draft.change(skip_known=True, trail=(), alone=False, parked=None)
    nodes.walk(draft, flow, lock.card)
