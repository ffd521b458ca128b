"""Flows as a graph of spots and ways. A spot is a node, or one item of a card that is asked by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from bot.content.atoms import purpose_key
from bot.content.model import (
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Conclude,
    Content,
    Due,
    End,
    Exit,
    Flow,
    Item,
    ItemOption,
    Measure,
    Node,
    Report,
    Setback,
    Suggest,
    Tell,
)


class Spot(NamedTuple):
    """A place on a path. `item` is an index into a card's items, -1 for the node itself."""

    flow: str
    node: str
    item: int = -1

    def __str__(self) -> str:
        return f"{self.flow}/{self.node}"


@dataclass(frozen=True, slots=True)
class Way:
    """One way on from a spot: what the patient chose, what is then known, and where it leads. `agrees` are consents
    given or (False) withdrawn by it. `restarts`: into another flow, which keeps only the answers it carries. `names` is
    all that it writes, consents among it."""

    label: str
    to: Spot
    writes: tuple[tuple[str, str], ...]
    agrees: tuple[tuple[str, bool], ...]
    restarts: bool
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A spot with its node and its ways on. Branches list their cases in order, then otherwise."""

    spot: Spot
    node: Node
    ways: tuple[Way, ...]

    @property
    def is_question(self) -> bool:
        """Whether the patient has to answer here."""
        return isinstance(self.node, Ask | CardAsk | AskNumber)


def asks_consent(place: Place) -> bool:
    """Whether this is the question that asks for leave to guide the patient."""
    return isinstance(place.node, Ask) and any("guidance" in option.consents for option in place.node.options)


Graph = Mapping[Spot, Place]


def target(flow: str, to: Exit) -> Spot:
    """The spot that an exit of `flow` means."""
    other, _, node = to.rpartition("/")
    return Spot(other or flow, node)


def options_of(item: Item, card: CardAsk) -> tuple[ItemOption, ...]:
    """The answers to an item asked alone: its own, else the card's."""
    return item.options or card.options


def exits(node: Node) -> tuple[Exit, ...]:
    """Every exit a node names."""
    match node:
        case Ask():
            return (*(o.to for o in node.options if o.to), *((node.next,) if node.next else ()))
        case Branch():
            return (*(case.to for case in node.cases), node.otherwise)
        case Due():
            return (*node.checkups, node.next)
        case CardAsk() | AskNumber() | Tell() | Conclude() | Report() | Measure() | Setback():
            return (node.next,)
        case Suggest() | End():
            return ()
        case _:
            assert_never(node)


def build(content: Content) -> Graph:
    """Every spot of every flow. The exits and the items must exist."""
    items = {item.id: item for item in content.safety.item}
    places = (place for flow in content.flows.values() for node in flow.node for place in _places(flow, node, items))
    return {place.spot: place for place in places}


def entry(flow: Flow) -> Spot:
    """Where a flow begins."""
    return Spot(flow.id, flow.node[0].id)


def _places(flow: Flow, node: Node, items: Mapping[str, Item]) -> Iterator[Place]:
    spot = Spot(flow.id, node.id)
    match node:
        case Ask():
            purposes = sorted({purpose for o in node.options for purpose in o.consents})
            ways = tuple(
                _way(
                    flow,
                    o.id,
                    o.to or node.next,
                    ((node.stored_as, o.id),),
                    tuple((p, p in o.consents) for p in purposes),
                )
                for o in node.options
                if o.to or node.next
            )
            yield Place(spot, node, ways)
        case AskNumber():
            values = [str(n) for n in range(node.low, node.high + 1)]
            yield Place(spot, node, tuple(_way(flow, v, node.next, ((node.id, v),)) for v in values))
        case CardAsk():
            yield from _card(flow, node, [items[i] for i in node.items])
        case Branch():
            ways = tuple(_way(flow, "", case.to) for case in node.cases)
            yield Place(spot, node, (*ways, _way(flow, "", node.otherwise)))
        case Due():
            yield Place(spot, node, tuple(_way(flow, "", to) for to in exits(node)))
        case Tell() | Conclude() | Report() | Measure() | Setback():
            yield Place(spot, node, (_way(flow, "", node.next),))
        case Suggest() | End():
            yield Place(spot, node, ())
        case _:
            assert_never(node)


def _card(flow: Flow, card: CardAsk, items: list[Item]) -> Iterator[Place]:
    spot = Spot(flow.id, card.id)
    opened = Spot(flow.id, card.id, 0)
    none = _way(flow, "none", card.next, tuple((item.id, "no") for item in items))
    old = (_on("old", opened),) if card.old_label else ()
    yield Place(spot, card, (_on("any", opened), *old, none))
    for index, item in enumerate(items):
        here = Spot(flow.id, card.id, index)
        labels = [(f"{item.id}={o.id}", ((item.id, o.id),)) for o in options_of(item, card)]
        if index + 1 < len(items):
            following = Spot(flow.id, card.id, index + 1)
            yield Place(here, card, tuple(_on(label, following, writes) for label, writes in labels))
        else:
            yield Place(here, card, tuple(_way(flow, label, card.next, writes) for label, writes in labels))


Writes = tuple[tuple[str, str], ...]
Agrees = tuple[tuple[str, bool], ...]


def _way(flow: Flow, label: str, to: Exit | None, writes: Writes = (), agrees: Agrees = ()) -> Way:
    assert to is not None
    there = target(flow.id, to)
    return _on(label, there, writes, agrees, there.flow != flow.id)


def _on(label: str, to: Spot, writes: Writes = (), agrees: Agrees = (), restarts: bool = False) -> Way:
    names = frozenset(name for name, _ in writes) | {purpose_key(purpose) for purpose, _ in agrees}
    return Way(label, to, writes, agrees, restarts, names)


def answers_of(content: Content) -> dict[str, tuple[str, ...]]:
    """Every answer that some node asks for, with the values it can take, in order."""
    items = {item.id: item for item in content.safety.item}
    found: dict[str, dict[str, None]] = {}
    for flow in content.flows.values():
        for node in flow.node:
            match node:
                case Ask():
                    found.setdefault(node.stored_as, {}).update((o.id, None) for o in node.options)
                case AskNumber():
                    found.setdefault(node.id, {}).update((str(n), None) for n in range(node.low, node.high + 1))
                case CardAsk():
                    for item in (items[i] for i in node.items if i in items):
                        found.setdefault(item.id, {"no": None}).update((o.id, None) for o in options_of(item, node))
                case _:
                    pass
    return {name: tuple(values) for name, values in found.items()}
