"""A flow as a picture: boxes in layers from its entry down, ways between them. In pixels; the page draws it."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from bot.content.graph import Graph, Spot
from bot.content.model import Ask, Branch, Content, Flow
from bot.content.notation import condition
from bot.messages import Locale

WIDTH, HEIGHT = 190, 62
"""Of a box."""

THIN = 30
"""Room of a way that passes a layer."""

ACROSS, DOWN, EDGE = 26, 56, 16
LINE, LINES = 25, 2
"""Half-width characters a line of a box, and its lines."""

LABEL = 22
"""Half-width characters beside a way."""

LATIN = 1.12
"""Width of other letters than Japanese, in half-width characters: they differ, this is more than most."""

NEAR = 8
CLOSING = "。、，．）」』？！,.)?!"
"""No line begins with one of these."""

SWEEPS = 6
OUT = "out:"
"""What the box of another flow is called by in front of its exit."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node, or (kind "flow") the place of another flow that a way leads to. `x`, `y` is the upper left corner."""

    name: str
    kind: str
    words: Sequence[str]
    whole: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A way on; `label` stands at `x`, `y` when the ways of a box differ: beside the line, on the side it leads to."""

    path: str
    label: str
    x: float
    y: float
    side: Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that is drawn."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    box_width: int = WIDTH
    box_height: int = HEIGHT


@dataclass(slots=True)
class _Layers:
    """Where everything stands while it is being arranged. Names in the form `~...` are ways that pass a layer."""

    rows: list[list[str]]
    above: dict[str, list[str]] = field(default_factory=dict)
    below: dict[str, list[str]] = field(default_factory=dict)
    x: dict[str, float] = field(default_factory=dict)

    def join(self, upper: str, lower: str) -> None:
        self.below.setdefault(upper, []).append(lower)
        self.above.setdefault(lower, []).append(upper)


def draw(content: Content, graph: Graph, flow: Flow, locale: Locale, otherwise: str) -> Drawing:
    """`otherwise` names the last way of a branch."""
    ways = _ways(graph, flow, locale, otherwise)
    names = [node.id for node in flow.node]
    names += [to for outs in ways.values() for to in outs if to.startswith(OUT) and to not in names]
    names = list(dict.fromkeys(names))
    level = _levels(names, ways)
    layers = _Layers([[] for _ in range(max(level.values()) + 1)])
    for name in names:
        layers.rows[level[name]].append(name)
    chains = {(one, to): _chain(layers, level, one, to) for one, outs in ways.items() for to in outs}
    _order(layers)
    _place(layers)
    return _drawing(content, flow, locale, ways, layers, chains)


def _ways(graph: Graph, flow: Flow, locale: Locale, otherwise: str) -> Mapping[str, Mapping[str, str]]:
    """Of each node, where its ways lead and by what: nothing to say where all lead to the same."""
    found: dict[str, dict[str, list[str]]] = {}
    for node in flow.node:
        outs: dict[str, list[str]] = {}
        for number, way in enumerate(graph[Spot(flow.id, node.id)].ways):
            if way.to.item >= 0:
                continue  # a card's items are asked inside its box
            to = way.to.node if way.to.flow == flow.id else f"{OUT}{way.to}"
            outs.setdefault(to, []).append(_label(node, way.label, number, locale, otherwise))
        found[node.id] = outs
    return {
        name: {to: _joined(labels) if len(outs) > 1 else "" for to, labels in outs.items()}
        for name, outs in found.items()
    }


def _label(node: object, label: str, number: int, locale: Locale, otherwise: str) -> str:
    match node:
        case Ask(options=options):
            return next((one.label.to(locale) for one in options if one.id == label), "")
        case Branch(cases=cases):
            return condition(cases[number].when) if number < len(cases) else otherwise
        case _:
            return ""


def _joined(labels: Sequence[str]) -> str:
    """Two of them in full, of more the first and how many there are."""
    known = [one for one in dict.fromkeys(labels) if one]
    return " / ".join(known) if len(known) <= 2 else f"{known[0]} +{len(known) - 1}"


def _levels(names: Sequence[str], ways: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """The longest way from the entry, in boxes; ways back up count for nothing."""
    level = dict.fromkeys(names, 0)
    open_: set[str] = set()
    done: list[str] = []

    def visit(name: str) -> None:
        open_.add(name)
        for to in ways.get(name, ()):
            if to not in open_ and to not in done:
                visit(to)
        open_.discard(name)
        done.append(name)

    for name in names:
        if name not in done:
            visit(name)
    order = {name: n for n, name in enumerate(reversed(done))}
    for name in sorted(order, key=lambda one: order[one]):
        for to in ways.get(name, ()):
            if order[to] > order[name]:
                level[to] = max(level[to], level[name] + 1)
    return level


def _chain(layers: _Layers, level: Mapping[str, int], one: str, to: str) -> Sequence[str]:
    """The way from one to the other, a stop in each layer between."""
    stops = [f"~{one}>{to}:{n}" for n in range(level[one] + 1, level[to])]
    for n, stop in enumerate(stops, level[one] + 1):
        layers.rows[n].append(stop)
    chain = [one, *stops, to]
    if level[to] > level[one]:
        for upper, lower in pairwise(chain):
            layers.join(upper, lower)
    return chain


def _order(layers: _Layers) -> None:
    """Neighbours near each other, so that few ways cross (Sugiyama, Tagawa, Toda 1981: barycentres, sweep by sweep)."""
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        rows = layers.rows[1:] if down else layers.rows[-2::-1]
        near = layers.above if down else layers.below
        place = {name: n / max(1, len(row)) for row in layers.rows for n, name in enumerate(row)}
        for row in rows:
            own = {name: place[name] for name in row}
            row.sort(key=lambda one: _mean([place[other] for other in near.get(one, ())], own[one]))
            place.update({name: n / len(row) for n, name in enumerate(row)})


def _place(layers: _Layers) -> None:
    """Each box under those that lead to it, as far as there is room."""
    x = layers.x
    for row in layers.rows:
        at = 0.0
        for name in row:
            x[name] = at + _wide(name) / 2
            at += _wide(name) + ACROSS
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        near = layers.above if down else layers.below
        for row in layers.rows if down else reversed(layers.rows):
            wanted = [_mean([x[other] for other in near.get(one, ())], x[one]) for one in row]
            _settle(row, wanted, x)
    left = min(x[name] - _wide(name) / 2 for name in x) - EDGE
    for name in x:
        x[name] -= left


def _settle(row: Sequence[str], wanted: Sequence[float], x: dict[str, float]) -> None:
    """As near to where they want to be as their order and their widths allow."""
    at: list[float] = []
    for n, name in enumerate(row):
        least = at[-1] + (_wide(row[n - 1]) + _wide(name)) / 2 + ACROSS if at else wanted[n]
        at.append(max(wanted[n], least))
    shift = sum(a - b for a, b in zip(wanted, at, strict=True)) / max(1, len(row))
    for name, one in zip(row, at, strict=True):
        x[name] = one + shift


def _drawing(
    content: Content,
    flow: Flow,
    locale: Locale,
    ways: Mapping[str, Mapping[str, str]],
    layers: _Layers,
    chains: Mapping[tuple[str, str], Sequence[str]],
) -> Drawing:
    y = {name: EDGE + n * (HEIGHT + DOWN) for n, row in enumerate(layers.rows) for name in row}
    nodes = {node.id: node for node in flow.node}
    boxes = []
    for name in (name for row in layers.rows for name in row if not name.startswith("~")):
        if name.startswith(OUT):
            other, _, node_id = name.removeprefix(OUT).partition("/")
            kind, words = "flow", f"→ {content.flows[other].title.to(locale)}"
            shown = node_id
        else:
            node = nodes[name]
            text = getattr(node, "text", None)
            kind, words, shown = node.kind, text.to(locale) if text is not None else "", name
        boxes.append(Box(shown, kind, wrapped(words), words, layers.x[name] - WIDTH / 2, y[name]))
    lines = [
        _line(
            [(layers.x[stop], y[stop]) for stop in chain], cut(ways[one][to], LABEL), _height(layers, chains, one, to)
        )
        for (one, to), chain in chains.items()
    ]
    width = max(layers.x[name] + _wide(name) / 2 for name in layers.x) + EDGE
    height = max(y.values()) + HEIGHT + EDGE
    return Drawing(tuple(boxes), tuple(lines), round(width), round(height))


def _height(layers: _Layers, chains: Mapping[tuple[str, str], Sequence[str]], one: str, to: str) -> float:
    """How far down its way a label stands: those of many ways in two rows."""
    across = sorted((layers.x[chain[1]], other) for (from_, other), chain in chains.items() if from_ == one)
    if len(across) < 3:
        return 0.56
    return (0.4, 0.76)[[other for _, other in across].index(to) % 2]


def _line(stops: Sequence[tuple[float, float]], label: str, height: float) -> Line:
    """From the foot of the first to the head of the last, straight through the layers between."""
    (x, y), path = stops[0], []
    y += HEIGHT
    path.append(f"M{x:.1f} {y:.1f}")
    for n, (to_x, to_y) in enumerate(stops[1:], 1):
        bend = (to_y - y) / 2
        path.append(f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
        if n < len(stops) - 1:
            y += HEIGHT
            path.append(f"V{y:.1f}")
    (x0, y0), (x1, y1) = stops[0], stops[1]
    middle, down = (x0 + x1) / 2, y0 + HEIGHT + (y1 - y0 - HEIGHT) * height
    if abs(x1 - x0) < NEAR:
        return Line(" ".join(path), label, round(x1, 1), round(down, 1), "middle")
    side: Literal["start", "end"] = "start" if x1 > x0 else "end"
    return Line(" ".join(path), label, round(middle + (NEAR if x1 > x0 else -NEAR), 1), round(down, 1), side)


def _wide(name: str) -> int:
    return THIN if name.startswith("~") else WIDTH


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def wrapped(text: str) -> Sequence[str]:
    """At most LINES lines of LINE half-width characters; what is cut off ends in an ellipsis."""
    rest = " ".join(text.split())
    lines: list[str] = []
    while rest and len(lines) < LINES:
        last = len(lines) == LINES - 1
        line = cut(rest, LINE) if last else _head(rest, LINE)
        if not last and line != rest:
            line = _at_a_word(line, rest)
        lines.append(line.strip())
        rest = "" if last else rest[len(line) :].strip()
    return lines


def cut(text: str, most: int) -> str:
    """At most so many half-width characters."""
    head = _head(text, most)
    return text if len(head) == len(text) else f"{_head(text, most - 2)}…"


def _head(text: str, most: int) -> str:
    used = 0.0
    for n, letter in enumerate(text):
        used += 2 if unicodedata.east_asian_width(letter) in "WFA" else LATIN
        if used > most:
            return text[:n]
    return text


def _at_a_word(line: str, rest: str) -> str:
    """The line's end where words or sentences end."""
    following = rest[len(line)]
    if following in CLOSING:
        return line + following
    words = line.rstrip().rpartition(" ")[0]
    return words if words and following.isascii() and following != " " and line[-1].isascii() else line
