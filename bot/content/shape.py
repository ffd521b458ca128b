"""Flows end: no circle inside one, no circle without a question across them, and no turn that says too much."""

from collections.abc import Iterator, Mapping

from bot.content.graph import Graph, Spot, build
from bot.content.issue import Issue
from bot.content.model import Conclude, Content, Due, End, Report, Suggest, Tell
from bot.content.proofs import flow_file
from bot.messages import MAX_PARTS

LONGEST = 30
"""Nodes passed between two questions. The engine stops at a hundred; authors have no need of thirty."""


def problems(content: Content) -> Iterator[Issue]:
    """Circles and overlong turns. The exits and the items must exist."""
    graph = build(content)
    inside = {spot: tuple(w.to for w in place.ways if not w.restarts) for spot, place in graph.items()}
    silent = {spot: () if place.is_question else tuple(way.to for way in place.ways) for spot, place in graph.items()}
    circles = [*_circles(inside), *_circles(silent)]
    for spot in dict.fromkeys(circles):
        yield Issue(flow_file(spot.flow), spot.node, "endless", "a path can come back here without an end")
    if not circles:
        yield from _turns(graph, silent)


def _circles(ways: Mapping[Spot, tuple[Spot, ...]]) -> Iterator[Spot]:
    """One spot of every circle found."""
    done: set[Spot] = set()
    for start in ways:
        path: dict[Spot, Iterator[Spot]] = {}
        if start not in done:
            path[start] = iter(ways[start])
        while path:
            spot = next(reversed(path))
            following = next(path[spot], None)
            if following is None:
                done.add(spot)
                del path[spot]
            elif following in path:
                yield following
            elif following not in done:
                path[following] = iter(ways[following])


def _turns(graph: Graph, silent: Mapping[Spot, tuple[Spot, ...]]) -> Iterator[Issue]:
    """The longest turn that can begin at each spot, counted at the questions it would come after."""
    known: dict[Spot, tuple[int, int]] = {}

    def longest(spot: Spot) -> tuple[int, int]:
        if spot not in known:
            further = [longest(to) for to in silent[spot]]
            nodes = max((n for n, _ in further), default=0)
            parts = max((p for _, p in further), default=0)
            own = _parts(graph, spot)
            ends = isinstance(graph[spot].node, Report)  # its advice is said only where the turn ends with it
            known[spot] = (nodes + 1, max(parts, own) if ends else parts + own)
        return known[spot]

    for spot, place in graph.items():
        if spot.item >= 0:
            continue
        nodes, parts = longest(spot)
        if nodes > LONGEST or parts > MAX_PARTS:
            problem = f"from here a turn may pass {nodes} nodes and say {parts} things; {MAX_PARTS} fit"
            yield Issue(flow_file(spot.flow), place.node.id, "long_turn", problem)


def _parts(graph: Graph, spot: Spot) -> int:
    """The most message parts a node adds: a picture and a text, an advice and a routine, a text and a routine; the week's
    picture and card, and a tip."""
    match graph[spot].node:
        case Tell(picture=None) | End() | Report():
            return 1
        case Tell() | Conclude() | Suggest():
            return 2
        case Due():
            return 3
        case _:
            return 1 if graph[spot].is_question else 0
