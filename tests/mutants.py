"""Small spoilings of the real content, each of which would let somebody through who must not massage."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from bot.content.model import (
    Answered,
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Conclude,
    Condition,
    Content,
    Course,
    Flag,
    Flow,
    Known,
    Modifier,
    Node,
    Number,
    Rise,
    Routine,
    Standing,
    Strict,
    Suggest,
)
from bot.messages import Disposition

T = TypeVar("T", bound=Strict)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spoilt content. `names` are the answers whose patients it concerns, None for any."""

    what: str
    content: Content
    names: frozenset[str] | None = None


HARMLESS = {
    "flag not_seen_yet without doctor_seen=no": "that answer ends the flow at once, before any routine",
    "screening/begin case 1 without age=": "whoever is not recognised is asked for the age again",
    "today/weigh case 3 without recurrence=": "goes on to the suggestion, where the flag still leaves gentle movement only",
    "today/weigh case 4": "goes on to the suggestion, where the flag still leaves gentle movement only",
    "today/weigh case 5": "the strain is not asked about again, and so still leaves gentle movement only",
    "today/weigh case 6": "the strain is not asked about again, and so still leaves gentle movement only",
}
"""Spoilings that let nobody through, by how they begin, and why they do not."""


def mutants(content: Content, kind: str) -> Iterator[Mutant]:
    """Every mutant of one of KINDS that is worse than the content."""
    for mutant in KINDS[kind](content):
        if not any(mutant.what.startswith(beginning) for beginning in HARMLESS):
            yield mutant


def with_(model: T, **fields: object) -> T:
    """A copy with other fields."""
    return model.model_copy(update=fields)


# --- flags ------------------------------------------------------------------------------------------------------------


def flags(content: Content) -> Iterator[Mutant]:
    """Each flag removed, made milder, made to overlook an answer, or made to need one thing more."""
    for index, flag in enumerate(content.safety.flag):
        names = frozenset(_names(flag.when))
        for what, new in _worse(content, flag):
            kept = (*content.safety.flag[:index], *((new,) if new else ()), *content.safety.flag[index + 1 :])
            spoilt = with_(content, safety=with_(content.safety, flag=kept))
            yield Mutant(f"flag {flag.id} {what}", spoilt, names)


def _worse(content: Content, flag: Flag) -> Iterator[tuple[str, Flag | None]]:
    yield "removed", None
    order = list(Disposition)
    milder = order[flag.disposition.rank + 1]
    if milder is not Disposition.SELF_MASSAGE:
        advice = next((a.id for a in content.safety.advice if a.disposition is milder), None)
        yield f"made {milder}", with_(flag, disposition=milder, advice=advice)
    for at, condition in enumerate(flag.when):
        for what, new in _narrower(condition):
            if (
                isinstance(condition, Answered)
                and isinstance(new, Answered)
                and _told_anyway(content, flag, condition, new)
            ):
                continue
            yield what, with_(flag, when=(*flag.when[:at], new, *flag.when[at + 1 :]))
    yield "only with an illness named", with_(flag, when=(*flag.when, Answered(answer="named", any_of=("yes",))))


def _told_anyway(content: Content, flag: Flag, old: Answered, new: Answered) -> bool:
    """Whether the answer that is now overlooked leads by itself to something as serious."""
    gone = set(old.any_of) - set(new.any_of)
    for other in content.safety.flag:
        match other.when:
            case (Answered(answer=old.answer, any_of=values),) if other is not flag:
                if gone <= set(values) and other.disposition.rank <= flag.disposition.rank:
                    return True
            case _:
                pass
    return False


def _narrower(condition: Condition) -> Iterator[tuple[str, Condition]]:
    match condition:
        case Answered(answer=name, any_of=values) if len(values) > 1:
            for value in values:
                rest = tuple(v for v in values if v != value)
                yield f"without {name}={value}", Answered(answer=name, any_of=rest)
        case Number(at_least=low) if low is not None:
            yield f"from {low + 1}", with_(condition, at_least=low + 1)
        case Rise(at_least=points):
            yield f"from +{points + 1}", with_(condition, at_least=points + 1)
        case Course(course=courses) if len(courses) > 1:
            for course in courses:
                yield f"without {course}", Course(course=tuple(c for c in courses if c != course))
        case _:
            pass


def _names(when: Iterable[Condition]) -> Iterator[str]:
    for condition in when:
        match condition:
            case Answered(answer=name) | Number(number=name) | Rise(rise=name) | Known(known=name):
                yield name
            case _:
                pass


# --- items and answers ------------------------------------------------------------------------------------------------


def items(content: Content) -> Iterator[Mutant]:
    """Each line of each card no longer asked."""
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, CardAsk):
                for item in node.items:
                    rest = tuple(i for i in node.items if i != item)
                    if rest:
                        spoilt = _with_node(content, flow, with_(node, items=rest))
                        yield Mutant(f"{flow.id}/{node.id} without {item}", spoilt, frozenset((item,)))


def options(content: Content) -> Iterator[Mutant]:
    """Each answer of an item or a card that is not "no" can no longer be given; a consent is given by declining."""
    for at, item in enumerate(content.safety.item):
        for option in item.options:
            if option.id != "no":
                less = with_(item, options=tuple(o for o in item.options if o is not option))
                kept = (*content.safety.item[:at], less, *content.safety.item[at + 1 :])
                spoilt = with_(content, safety=with_(content.safety, item=kept))
                yield Mutant(f"item {item.id} without the answer {option.id}", spoilt, frozenset())
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, CardAsk) and flow.id == "screening":
                less_options = tuple(o for o in node.options if o.id != "unsure")
                spoilt = _with_node(content, flow, with_(node, options=less_options))
                yield Mutant(f"card {node.id} without the answer unsure", spoilt, frozenset())
            elif isinstance(node, Ask) and any("guidance" in o.consents for o in node.options):
                never = tuple(with_(o, consents=()) for o in node.options)
                yield Mutant(
                    f"{flow.id}/{node.id} asks no consent", _with_node(content, flow, with_(node, options=never))
                )


# --- exits ------------------------------------------------------------------------------------------------------------

GUARDED = ("screening", "today", "after")


def exits(content: Content) -> Iterator[Mutant]:
    """Each exit of a question or a branch leads past the next node, or straight to the routine."""
    for flow in (content.flows[name] for name in GUARDED):
        following = {node.id: _after(node) for node in flow.node}
        suggest = next((node.id for node in flow.node if isinstance(node, Suggest)), None)
        for node in flow.node:
            for what, to, spoil in _exits(node):
                target = to.removeprefix(f"{flow.id}/")
                for new in {following.get(target), suggest} - {None, target, to, node.id}:
                    spoilt = _with_node(content, flow, spoil(new))
                    yield Mutant(f"{flow.id}/{node.id} {what}: {new} instead of {to}", spoilt)


def _after(node: Node) -> str | None:
    match node:
        case Ask() | CardAsk() | AskNumber() | Conclude():
            return node.next
        case Branch():
            return node.otherwise
        case _:
            return None


class _Exit:
    """Gives the node with one exit changed."""

    def __init__(self, node: Node, field: str, at: int | None = None) -> None:
        self._node, self._field, self._at = node, field, at

    def __call__(self, to: str | None) -> Node:
        node = self._node
        if self._at is None:
            return with_(node, **{self._field: to})
        parts = node.options if isinstance(node, Ask) else node.cases if isinstance(node, Branch) else ()
        changed = with_(parts[self._at], to=to)
        return with_(node, **{self._field: (*parts[: self._at], changed, *parts[self._at + 1 :])})


def _exits(node: Node) -> Iterator[tuple[str, str, _Exit]]:
    match node:
        case Ask(options=answers, next=following):
            for at, option in enumerate(answers):
                if option.to:
                    yield f"answer {option.id}", option.to, _Exit(node, "options", at)
            if following:
                yield "next", following, _Exit(node, "next")
        case CardAsk() | AskNumber():
            yield "next", node.next, _Exit(node, "next")
        case Branch(cases=cases):
            for at, case in enumerate(cases):
                yield f"case {at + 1}", case.to, _Exit(node, "cases", at)
            yield "otherwise", node.otherwise, _Exit(node, "otherwise")
        case _:
            pass


# --- gates, limits, routines --------------------------------------------------------------------------------------------


def gates(content: Content) -> Iterator[Mutant]:
    """The conclusion taken out, cards in another order, branches that let more people through."""
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, Conclude):
                yield Mutant(f"{flow.id}/{node.id} taken out", _without(content, flow, node))
            elif isinstance(node, Branch):
                for spoilt, what in _wider(content, flow, node):
                    yield Mutant(f"{flow.id}/{node.id} {what}", spoilt)
    screening = content.flows["screening"]
    cards = [node for node in screening.node if isinstance(node, CardAsk)]
    for one, other in pairwise(cards):
        swapped = {one.id: with_(one, items=other.items), other.id: with_(other, items=one.items)}
        if set(one.items) & EMERGENCIES and not set(other.items) & EMERGENCIES:
            nodes = tuple(swapped.get(node.id, node) for node in screening.node)
            yield Mutant(f"{other.id} before {one.id}", _with_flow(content, with_(screening, node=nodes)))


EMERGENCIES = frozenset(
    ("urine", "bowel", "saddle", "both_legs", "sudden_pain", "chest", "leg_belly", "trauma", "fever_weak")
)


def _without(content: Content, flow: Flow, gone: Conclude) -> Content:
    nodes = []
    for node in flow.node:
        if node is gone:
            continue
        changed = node
        for _, to, spoil in _exits(node):
            if to == gone.id:
                changed = spoil(gone.next)
        nodes.append(changed)
    return _with_flow(content, with_(flow, node=tuple(nodes)))


def _wider(content: Content, flow: Flow, node: Branch) -> Iterator[tuple[Content, str]]:
    for at, case in enumerate(node.cases):
        for condition_at, condition in enumerate(case.when):
            wider: list[tuple[str, Condition]] = list(_narrower(condition))
            if isinstance(condition, Standing) and flow.id == "today":
                more = [s for s in ("none", "stale", "locked") if s not in condition.standing]
                wider += [(f"for {s} too", Standing(standing=(*condition.standing, s))) for s in more]
            for what, new in wider:
                when = (*case.when[:condition_at], new, *case.when[condition_at + 1 :])
                cases = (*node.cases[:at], with_(case, when=when), *node.cases[at + 1 :])
                yield _with_node(content, flow, with_(node, cases=cases)), f"case {at + 1} {what}"


def limits(content: Content) -> Iterator[Mutant]:
    """Each limit on a routine, and each reason for it, taken away or weakened; answers that count for longer."""
    safety = content.safety
    for index, modifier in enumerate(safety.modifier):
        for what, new in _weaker(modifier):
            kept = (*safety.modifier[:index], *((new,) if new else ()), *safety.modifier[index + 1 :])
            yield Mutant(
                f"limit {modifier.id} {what}", with_(content, safety=with_(safety, modifier=kept)), frozenset()
            )
    for field in ("screening_days", "unused_days"):
        longer = with_(safety.freshness, **{field: getattr(safety.freshness, field) + 1})
        yield Mutant(f"{field} + 1", with_(content, safety=with_(safety, freshness=longer)), frozenset())


def _weaker(modifier: Modifier) -> Iterator[tuple[str, Modifier | None]]:
    yield "taken away", None
    for at, when in enumerate(modifier.when):
        rest = (*modifier.when[:at], *modifier.when[at + 1 :])
        if rest:
            yield f"without reason {at + 1}", with_(modifier, when=rest)
        for what, new in _narrower(when[0]):
            changed = (*modifier.when[:at], (new, *when[1:]), *modifier.when[at + 1 :])
            yield f"reason {at + 1} {what}", with_(modifier, when=changed)


def routines(content: Content) -> Iterator[Mutant]:
    """A routine that presses passed off as one that does not, tools in the gentle one, balls only, longer presses."""
    for routine in content.routines.values():
        if routine.pressure:
            yield _routine(content, "passed off as gentle", with_(routine, pressure=False))
            steps = tuple(s for s in routine.step if s.tool == "ball")
            if steps:
                yield _routine(content, "with balls only", with_(routine, step=steps))
        else:
            for tool in ("hand", "ball"):
                first = with_(routine.step[0], tool=tool)
                yield _routine(content, f"with a {tool}", with_(routine, step=(first, *routine.step[1:])))
        longest = tuple(with_(s, seconds=300) for s in routine.step)
        if routine.pressure:
            yield _routine(content, "five minutes a step", with_(routine, step=longest))


def _routine(content: Content, what: str, routine: Routine) -> Mutant:
    spoilt = with_(content, routines={**content.routines, routine.id: routine})
    return Mutant(f"routine {routine.id} {what}", spoilt, frozenset())


def _with_node(content: Content, flow: Flow, new: Node) -> Content:
    nodes = tuple(new if node.id == new.id else node for node in flow.node)
    return _with_flow(content, with_(flow, node=nodes))


def _with_flow(content: Content, flow: Flow) -> Content:
    return with_(content, flows={**content.flows, flow.id: flow})


KINDS: Mapping[str, Callable[[Content], Iterator[Mutant]]] = {
    "flags": flags,
    "items": items,
    "options": options,
    "exits": exits,
    "gates": gates,
    "limits": limits,
    "routines": routines,
}
