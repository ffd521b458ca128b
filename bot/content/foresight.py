"""What can still matter at each spot: the answers that may yet be given, the flags they decide, the conditions ahead.

A path is walked with no more memory than that, so paths that differ only in what nobody looks at any more are one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.content.atoms import Atoms, FlagBits, level_bit, purpose_key
from bot.content.graph import Graph, Place, Spot, Way, answers_of, entry
from bot.content.model import Branch, CardAsk, Conclude, Content, Flow, Suggest
from bot.messages import Disposition

AT_ONCE = level_bit(Disposition.EMERGENCY) | level_bit(Disposition.URGENT)
"""Dispositions that end a flow after the answer that shows them."""

LOCKING = AT_ONCE | level_bit(Disposition.DOCTOR)
"""Dispositions after which there is no routine of any kind."""

PAIN = "pain"
"""The answer that is never taken over from an earlier screening: it is asked on the day."""

SCREENING, TODAY, AFTER, CONSENTS = "screening", "today", "after", "consents"
ENTERED = (SCREENING, TODAY, AFTER, CONSENTS)
"""The flows that the engine enters by itself; others are entered by exits only."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What to remember: `keep` are atoms needed in any case, `mixed` flags with the part of them that no answer ahead
    can change. Once that part is false they are out; until then their atoms are remembered too. `moot` flags (bits)
    make no difference any more."""

    keep: int
    mixed: tuple[tuple[FlagBits, int], ...]
    moot: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """One spot. `open` are flags that answers ahead may still decide (bits), `firsts` those of them that look at no
    other flag. Flags that look at others stay open to the end."""

    open: int
    firsts: tuple[FlagBits, ...]
    moving: int
    """Atoms that answers ahead may change."""


class Foresight:
    """Every spot's outlook."""

    def __init__(self, content: Content, graph: Graph, atoms: Atoms) -> None:
        self.graph = graph
        self.atoms = atoms
        self._flows = content.flows
        self.entries = _entries(content.flows, graph)
        self.heirs = tuple(s for s in self.entries if content.flows[s.flow].begins_with == "screening")
        self.carried_names = tuple(sorted({name for flow in content.flows.values() for name in flow.carries}))
        self.lasting = self.mask(frozenset(answers_of(content))) & ~atoms.of_name.get(PAIN, 0)
        """Atoms on answers that a later flow can begin with."""
        self._order = _order(graph)
        self._ahead = self._names_ahead()
        self._looked = self._atoms_looked_at(locked=False)
        self._looked_locked = self._atoms_looked_at(locked=True)
        self.outlooks = {spot: self._outlook(spot) for spot in graph}
        self._memories: dict[Spot, dict[int, Memory]] = {spot: {} for spot in graph}

    def records(self, place: Place) -> bool:
        """Whether the answers may be kept here as a screening, for flows that begin with one."""
        if isinstance(place.node, Suggest):
            return self._flows[place.spot.flow].begins_with == "nothing"
        return isinstance(place.node, Conclude)

    def carried(self, flow_id: str) -> int:
        """The atoms of the answers that a flow keeps when another leads into it, consents among them."""
        flow = self._flows[flow_id]
        mask = sum(m for name, m in self.atoms.of_name.items() if name.startswith(purpose_key("")))
        if flow.begins_with == "nothing":
            for name in flow.carries:
                mask |= self.atoms.of_name.get(name, 0)
        return mask

    def mask(self, names: frozenset[str]) -> int:
        """The atoms that look at any of these names."""
        mask = 0
        for name in names:
            mask |= self.atoms.of_name.get(name, 0)
        return mask

    def _names_ahead(self) -> Mapping[Spot, frozenset[str]]:
        ahead: dict[Spot, frozenset[str]] = dict.fromkeys(self.graph, frozenset())
        changed = True
        while changed:
            changed = False
            for spot in self._order:
                place = self.graph[spot]
                names = {name for way in place.ways for name in (way.names | self._on(way, ahead))}
                if self.records(place):
                    names |= {PAIN}.union(*(ahead[heir] for heir in self.heirs))
                if len(names) != len(ahead[spot]):
                    ahead[spot] = frozenset(names)
                    changed = True
        return ahead

    @staticmethod
    def _on(way: Way, ahead: Mapping[Spot, frozenset[str]]) -> frozenset[str]:
        return frozenset() if way.restarts else ahead[way.to]

    def _atoms_looked_at(self, locked: bool) -> Mapping[Spot, int]:
        """`locked`: on paths where a flag holds already that ends them at the next conclude."""
        looked: dict[Spot, int] = dict.fromkeys(self.graph, 0)
        changed = True
        while changed:
            changed = False
            for spot in self._order:
                mask = self._further(self.graph[spot], looked, locked)
                if mask != looked[spot]:
                    looked[spot] = mask
                    changed = True
        return looked

    def _further(self, place: Place, looked: Mapping[Spot, int], locked: bool) -> int:
        if locked and isinstance(place.node, Conclude | Suggest):
            return self.atoms.guidance
        mask = self._looks(place)
        for way in place.ways:
            further = self.carried(way.to.flow) if way.restarts else looked[way.to]
            mask |= further & ~self.mask(way.names)
        if self.records(place):
            mask |= self.mask(frozenset(self.carried_names))
            for heir in self.heirs:
                mask |= looked[heir] & self.lasting
        return mask

    def _looks(self, place: Place) -> int:
        mask = self.atoms.guidance
        match place.node:
            case Branch(cases=cases):
                for case in cases:
                    mask |= self.atoms.mask(case.when)
            case Suggest(offers=offers):
                for offer in offers:
                    mask |= self.atoms.mask(offer.when)
            case _:
                pass
        return mask

    def _outlook(self, spot: Spot) -> Outlook:
        ahead = self._ahead[spot]
        firsts = tuple(f for f in self.atoms.flags if not f.others and f.names & ahead)
        return Outlook(sum(f.bit for f in firsts), firsts, self.mask(ahead))

    def memory(self, spot: Spot, hit: int) -> Memory:
        """What to remember at a spot where flags that hold for good have left the signs `hit`."""
        known = self._memories[spot]
        if hit not in known:
            known[hit] = self._memory(spot, hit if self.atoms.levels(hit) & LOCKING else 0)
        return known[hit]

    def _memory(self, spot: Spot, hit: int) -> Memory:
        outlook = self.outlooks[spot]
        keep = self._looked_locked[spot] if hit else self._looked[spot]
        mixed = []
        moot = 0
        for flag in (*outlook.firsts, *(f for f in self.atoms.flags if f.others)):
            fixed = flag.need & ~outlook.moving
            if hit and not self._matters(flag, hit):
                moot |= flag.bit
            elif fixed or flag.others:
                mixed.append((flag, fixed))
            else:
                keep |= flag.need
        return Memory(keep, tuple(mixed), moot)

    def _matters(self, flag: FlagBits, hit: int) -> bool:
        """Whether `flag` can make things more serious than `hit`, alone or by another flag that looks at it."""
        levels = self.atoms.levels(hit)
        worst = levels & -levels
        if flag.level < worst:
            return True
        waiting = (f for f in self.atoms.flags if f.level < worst)
        return any(wanted & flag.sign and not wanted & hit for f in waiting for wanted, _ in f.others)


def _entries(flows: Mapping[str, Flow], graph: Graph) -> tuple[Spot, ...]:
    """The first node of every flow, and every node that another flow leads to."""
    found = {entry(flow): None for flow in flows.values()}
    found.update({way.to: None for place in graph.values() for way in place.ways if way.restarts})
    return tuple(found)


def _order(graph: Graph) -> tuple[Spot, ...]:
    """Every spot after the spots of its own flow that it leads to."""
    done: dict[Spot, None] = {}

    def visit(start: Spot) -> None:
        stack = [(start, iter(graph[start].ways))]
        begun.add(start)
        while stack:
            spot, ways = stack[-1]
            for way in ways:
                if not way.restarts and way.to not in begun:
                    begun.add(way.to)
                    stack.append((way.to, iter(graph[way.to].ways)))
                    break
            else:
                done[spot] = None
                stack.pop()

    begun: set[Spot] = set()
    for spot in graph:
        if spot not in begun:
            visit(spot)
    return tuple(done)


def downstream(graph: Graph, flow_id: str) -> tuple[Spot, ...]:
    """The spots of a flow, each before those it leads to."""
    return tuple(spot for spot in reversed(_order(graph)) if spot.flow == flow_id)


def items_at(place: Place) -> tuple[str, ...]:
    """The items asked at a card, () elsewhere."""
    return place.node.items if isinstance(place.node, CardAsk) else ()
