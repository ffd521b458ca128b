"""Flows: entering one, and walking it to the next question, advice, routine or end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from bot.content.conditions import holds, number
from bot.content.model import (
    Answered,
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Conclude,
    Due,
    End,
    Flag,
    Flow,
    Known,
    Measure,
    Node,
    Number,
    Offer,
    Report,
    Rise,
    Routine,
    Setback,
    Suggest,
    Tell,
)
from bot.engine import advice, course, guide, nudging, question, visit
from bot.engine.draft import Draft
from bot.engine.screen import PAIN, modifiers, verdict, view
from bot.engine.state import Asking, FinishSession, PainReport
from bot.messages import Command, Disposition

LIMIT = 100
"""Nodes passed in one turn before it is called a loop; the content check proves that no path comes near."""

SCREENING, TODAY, AFTER, CONSENTS = "screening", "today", "after", "consents"
"""The flows that the engine itself enters."""


def enter(draft: Draft, flow_id: str, node_id: str | None = None, given: Mapping[str, str] | None = None) -> None:
    """Begins a flow anew: only the answers that the flow lets stand are kept, and those `given` with the wish for it."""
    flow = draft.content.flows[flow_id]
    screening = draft.state.screening
    last = screening.answers if screening else {}
    lately = timedelta(days=draft.content.safety.freshness.carried_days)
    if flow.begins_with == "screening":
        kept = {name: value for name, value in last.items() if name != PAIN}
    else:
        old = last if screening and draft.since(screening.at) < lately else {}
        known = {**old, **draft.state.answers}
        kept = {name: known[name] for name in flow.carries if name in known}
    draft.change(
        waiting=None,
        misses=0,
        answers={**kept, **(given or {})},
        begun_at=draft.now,
        version=draft.content.version,
        trail=(),
        skip_known=False,
        alone=False,
        parked=None,
    )
    walk(draft, flow, node_id or flow.node[0].id)


def find(flow: Flow, node_id: str) -> Node | None:
    """The node of that id, None when content does not have it."""
    return next((n for n in flow.node if n.id == node_id), None)


def follow(draft: Draft, flow: Flow, to: str) -> None:
    """Takes an exit. One into another flow begins that flow."""
    other, _, node = to.rpartition("/")
    if other and other != flow.id:
        enter(draft, other, node)
    else:
        walk(draft, flow, node)


def walk(draft: Draft, flow: Flow, node_id: str) -> None:
    """Goes on from a node to where the turn ends, saying what there is to say on the way."""
    for _ in range(LIMIT):
        node = find(flow, node_id)
        if node is None:
            raise LookupError(f"{flow.id}/{node_id}")
        to = _pass(draft, flow, node)
        if to is None:
            return
        if "/" in to and not to.startswith(f"{flow.id}/"):
            follow(draft, flow, to)
            return
        node_id = to.rpartition("/")[2]
    raise RecursionError(f"more than {LIMIT} nodes in {flow.id}")


def _pass(draft: Draft, flow: Flow, node: Node) -> str | None:
    """The exit to take, None when the turn ends here."""
    match node:
        case Ask() | CardAsk() | AskNumber():
            known = _known_exit(draft, node) if draft.state.skip_known else None
            if known is None:
                ask(draft, Asking(flow.id, node.id, draft.turn, draft.now))
            return known
        case Tell():
            question.tell(draft, node)
            return node.next
        case Branch():
            seen = view(draft.content, draft.state, draft.facts)
            return next((case.to for case in node.cases if holds(case.when, seen)), node.otherwise)
        case Conclude():
            return _conclude(draft, flow, node)
        case Suggest():
            _suggest(draft, flow, node)
            return None
        case Report():
            _report(draft, node)
            found = verdict(draft.content, draft.state, draft.facts)
            if found.worst is None or found.worst in advice.SAFE:
                return node.next
            flagged(draft)
            return None
        case Measure(measure=measure, answers=names):
            visit.measured(draft, measure, {name: draft.state.answers[name] for name in names})
            return node.next
        case Due():
            flow_id = visit.due(draft)
            return next((to for to in node.checkups if to.startswith(f"{flow_id}/")), node.next)
        case Setback():
            course.rest(draft)
            return node.next
        case End():
            draft.change(waiting=None, misses=0, trail=())
            question.end(draft, node)
            if flow.id == AFTER:
                nudging.after_care(draft)
            return None
        case _:
            assert_never(node)


def ask(draft: Draft, asking: Asking) -> None:
    """Opens a question. Nothing about health is asked before the patient agreed to be guided."""
    node = question_node(draft, asking)
    if "guidance" not in draft.state.consents and not _asks_consent(node):
        draft.change(waiting=None)
        if asking.flow != SCREENING:
            enter(draft, SCREENING)
            return
        draft.words(draft.content.phrases.no_consent)
        draft.quick(draft.command(Command.START))
        return
    draft.change(waiting=asking, misses=0)
    question.show(draft, asking, node)


def _asks_consent(node: Ask | CardAsk | AskNumber) -> bool:
    return isinstance(node, Ask) and any("guidance" in option.consents for option in node.options)


def question_node(draft: Draft, asking: Asking) -> Ask | CardAsk | AskNumber:
    """The node of a question that is known to exist."""
    node = find(draft.content.flows[asking.flow], asking.node)
    assert isinstance(node, Ask | CardAsk | AskNumber)
    return node


def _known_exit(draft: Draft, node: Ask | CardAsk | AskNumber) -> str | None:
    """The way on from a question whose answer stands, None when it must be asked."""
    answers = draft.state.answers
    match node:
        case Ask():
            option = next((o for o in node.options if o.id == answers.get(node.stored_as)), None)
            return None if option is None else option.to or node.next
        case CardAsk():
            return node.next if all(item in answers for item in node.items) else None
        case AskNumber():
            return node.next if node.id in answers else None
        case _:
            assert_never(node)


def _conclude(draft: Draft, flow: Flow, node: Conclude) -> str | None:
    """Every flag false: on. One holds: its advice. One unknown: asked now, because not known is not safe."""
    found = verdict(draft.content, draft.state, draft.facts)
    if found.hit:
        flagged(draft)
        return None
    if found.unknown:
        draft.change(skip_known=True)
        asked = _asks(draft, flow, found.unknown)
        if asked is None:
            enter(draft, SCREENING)
        return asked
    draft.change(lock=None, skip_known=False)
    return node.next


def _asks(draft: Draft, flow: Flow, unknown: tuple[Flag, ...]) -> str | None:
    """The first question of the flow whose missing answer leaves one of the flags open; None when it asks for none."""
    missing = {name for flag in unknown for name in _names(flag)} - set(draft.state.answers)
    for node in flow.node:
        match node:
            case Ask() if node.stored_as in missing:
                return node.id
            case CardAsk() if missing & set(node.items):
                return node.id
            case AskNumber() if node.id in missing:
                return node.id
            case _:
                pass
    return None


def _names(flag: Flag) -> set[str]:
    names = set()
    for condition in flag.when:
        match condition:
            case Answered(answer=name) | Number(number=name) | Rise(rise=name) | Known(known=name):
                names.add(name)
            case _:
                pass
    return names


def flagged(draft: Draft) -> None:
    """The flags that hold end the flow. With no_massage, every other flag being ruled out, the gentle routine follows."""
    found = verdict(draft.content, draft.state, draft.facts)
    advice.flagged(draft, found.hit)
    if found.worst is Disposition.NO_MASSAGE and not found.unknown:
        guide.offer(draft, _gentle(draft))


def _gentle(draft: Draft) -> Routine:
    """The routine without pressure. The content check proves that there is one."""
    return next(r for r in draft.content.routines.values() if not r.pressure)


def _suggest(draft: Draft, flow: Flow, node: Suggest) -> None:
    """The last gate before a routine: whatever a flow does, nothing unknown and no flag gets past."""
    found = verdict(draft.content, draft.state, draft.facts)
    if found.unknown or draft.state.lock is not None:
        enter(draft, SCREENING)
        return
    if found.worst not in (None, Disposition.NO_MASSAGE):
        flagged(draft)
        return
    if flow.begins_with == "nothing":
        advice.record(draft, found.worst or Disposition.SELF_MASSAGE, tuple(f.id for f in found.hit))
    draft.change(waiting=None, misses=0, trail=())
    resting = "gentle" in modifiers(draft.content, draft.state, draft.facts)
    if resting and not found.worst:
        draft.words(draft.content.programme.resting)
    draft.words(node.text)
    guide.offer(draft, _gentle(draft) if found.worst or resting else _fitting(draft, node.offers))


def _fitting(draft: Draft, offers: tuple[Offer, ...]) -> Routine:
    """The routine of the first offer whose condition holds. The content check proves that the last one always does."""
    seen = view(draft.content, draft.state, draft.facts)
    return draft.content.routines[next(o for o in offers if holds(o.when, seen)).routine]


def _report(draft: Draft, node: Report) -> None:
    answers = draft.state.answers
    pain = number(answers.get(node.pain)) if node.pain else None
    draft.do(FinishSession(answers.get(node.report, ""), pain))
    draft.change(sessions=draft.state.sessions + 1)
    if pain is not None:
        remember_pain(draft, pain)
    course.reported(draft, node.worse)


def remember_pain(draft: Draft, value: int) -> None:
    """Keeps a report of pain (0-10); the latest sixty are enough for every rule."""
    draft.change(pains=(*draft.state.pains, PainReport(draft.now, value))[-60:])
