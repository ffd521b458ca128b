"""Every path of every flow, walked at once: paths that stand alike at a spot go on as one, and are counted exactly.

What the engine does on the way is what is walked: emergency and urgent flags end a flow after the answer that shows
them, `conclude` and `suggest` judge every flag, an exit into another flow keeps only what that flow carries, and a flow
that begins with a screening starts from every clear result that a screening can leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from bot.content.atoms import Atoms, Facts, FlagBits
from bot.content.foresight import AFTER, ENTERED, LOCKING, SCREENING, Foresight, downstream
from bot.content.graph import Place, Spot, Way, answers_of, asks_consent, build
from bot.content.judging import Judge
from bot.content.model import Branch, Conclude, Content, End, Report, Suggest
from bot.content.stand import Arrival, Judged, Stand, Tally, Walked

Given = tuple[tuple[int, int], ...]
Entries = dict[Spot, dict[Stand, int]]
Waiting = dict[Spot, dict[Stand, Tally]]


@dataclass(frozen=True, slots=True)
class Step:
    """A way as masks: atoms it clears, what is then true and false (one pair for each way the last pain can compare),
    the names it answers, and the flags that may end the flow at once."""

    way: Way
    clears: int
    known: tuple[tuple[int, int], ...]
    answered: int
    at_once: tuple[FlagBits, ...]


class Walk:
    """Walks `content`, whose ids must all exist and whose flows must not turn in circles."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.atoms = Atoms(content)
        self.graph = build(content)
        self.sight = Foresight(content, self.graph, self.atoms)
        self.values = answers_of(content)
        self.name_bit = {name: 1 << i for i, name in enumerate(self.values)}
        self.found = Walked()
        self._judge = Judge(self.sight)
        self._steps = {spot: tuple(self._step(way) for way in place.ways) for spot, place in self.graph.items()}
        self._masks = {spot: self._conditions(place) for spot, place in self.graph.items()}
        self._all = sum(f.bit for f in self.atoms.flags if not f.others)
        self._entries: Entries = {spot: {} for spot in self.sight.entries}
        self._again: set[str] = set()
        self._kept: dict[str, set[tuple[int, int]]] = {}
        self._facts = tuple(self.atoms.facts())

    def _conditions(self, place: Place) -> tuple[int, ...]:
        match place.node:
            case Branch(cases=cases):
                return tuple(self.atoms.mask(case.when) for case in cases)
            case Suggest(offers=offers):
                return tuple(self.atoms.mask(offer.when) for offer in offers)
            case _:
                return ()

    def run(self) -> Walked:
        """Everything, until no flow can be entered in a new way."""
        for spot in self.sight.entries:
            if self.content.flows[spot.flow].begins_with == "screening" or self._is_front_door(spot):
                self._enter_from_outside(spot)
        self._again = set(self.content.flows)
        while self._again:
            for flow_id in dict.fromkeys((*ENTERED, *self.content.flows)):
                if flow_id in self._again:
                    self._again.discard(flow_id)
                    self._walk(flow_id)
        self.found.holding = self._judge.holding
        return self.found

    def _is_front_door(self, spot: Spot) -> bool:
        """Whether the engine itself enters a flow here."""
        return spot.flow in ENTERED and spot.node == self.content.flows[spot.flow].node[0].id

    # --- entering ---------------------------------------------------------------------------------------------------

    def _enter_from_outside(self, spot: Spot) -> None:
        """By a command, or after something that is no longer known: with nothing answered but what may be carried."""
        flow = self.content.flows[spot.flow]
        if flow.begins_with == "screening":
            for facts in self._facts_at(spot, recorded=False):
                self._enter(spot, Stand(facts.true, facts.false, 0, 0, 0), 0)
            return
        given = [self.atoms.classes(name, self.values.get(name, ())) for name in flow.carries]
        self._enter_carrying(spot, given, self._facts_at(spot, None))

    def _enter_from(self, spot: Spot, stand: Stand, certain: bool) -> None:
        """From another flow into one that the engine does not enter there by itself: what it carries goes along, the
        rest is as from outside."""
        carries = self.content.flows[spot.flow].carries
        given: list[Given] = []
        for name in carries:
            mask = self.atoms.of_name.get(name, 0)
            if (stand.true | stand.false) & mask & ~self.atoms.unanswered:
                given.append(((stand.true & mask, stand.false & mask),))
            else:
                given.append(self._remembered(name, mask, certain))
        facts = [f for f in self._facts_at(spot, None) if not (f.true ^ stand.true) & self.atoms.guidance]
        self._enter_carrying(spot, given, facts)

    def _remembered(self, name: str, mask: int, certain: bool) -> Given:
        """How an answer of the last screening can stand. `certain`: there has been one."""
        missing = (0, self.atoms.unanswered & mask)
        return tuple(sorted(self._kept.get(name, set()) | (set() if certain else {missing})))

    def _enter_carrying(self, spot: Spot, given: Sequence[Given], facts: Sequence[Facts]) -> None:
        names = self.content.flows[spot.flow].carries
        masks = [self.atoms.of_name.get(name, 0) for name in names]
        for fact, values in product(facts, tuple(product(*given))):
            true, false, answered = fact.true, fact.false, 0
            for name, mask, (yes, no) in zip(names, masks, values, strict=True):
                true, false = true & ~mask | yes, false & ~mask | no
                if (yes | no) & ~self.atoms.unanswered:
                    answered |= self.name_bit[name]
            self._enter(spot, Stand(true, false, 0, 0, 0), answered)

    def _inherit(self, here: Spot, stand: Stand, answered: int) -> None:
        """A screening was kept: flows that begin with one can begin with this one, on another day."""
        held = self.sight.lasting
        for name in self.sight.carried_names:
            mask = self.atoms.of_name.get(name, 0)
            known = self._kept.setdefault(name, set())
            if (value := (stand.true & mask, stand.false & mask)) not in known:
                known.add(value)
                self._again |= set(self.content.flows)
        for spot in self.sight.heirs:
            for facts in self._facts_at(spot, recorded=True):
                true = facts.true & ~held | stand.true & held
                false = facts.false & ~held | stand.false & held
                raw = Stand(true, false, stand.hit, stand.unknown, stand.out)
                self._enter(spot, raw, answered, self.sight.outlooks[here].open)

    def _facts_at(self, spot: Spot, recorded: bool | None) -> tuple[Facts, ...]:
        """What can stand at an entry, as far as it matters there. `recorded`: only with, only without a screening."""
        memory = self.sight.memory(spot, 0)
        keep = memory.keep | self.atoms.unanswered
        for flag, _ in memory.mixed:
            keep |= flag.need
        wanted = (f for f in self._facts if recorded is None or f.recorded is recorded)
        chosen = {(f.true & keep, f.false & keep, f.recorded) for f in wanted}
        return tuple(Facts(*each) for each in sorted(chosen))

    def _enter(self, spot: Spot, raw: Stand, answered: int, opened: int | None = None) -> None:
        stand = self._judge.settled(raw, self._all if opened is None else opened, spot)
        known = self._entries[spot]
        before = known.get(stand)
        after = answered if before is None else before & answered
        if before != after:
            known[stand] = after
            self._again.add(spot.flow)

    # --- going on ---------------------------------------------------------------------------------------------------

    def _walk(self, flow_id: str) -> None:
        spots = downstream(self.graph, flow_id)
        waiting: Waiting = {spot: {} for spot in spots}
        for spot in spots:
            for stand, answered in self._entries.get(spot, {}).items():
                waiting[spot][stand] = Tally(1, answered, 0)
                self.found.came.setdefault((spot, stand), None)
        arrivals: list[Arrival] = []
        paths = 0
        for spot in spots:
            for stand, tally in waiting.pop(spot).items():
                paths += self._pass(spot, stand, tally, waiting, arrivals)
        self.found.arrivals[flow_id] = arrivals
        self.found.paths[flow_id] = paths

    def _pass(self, spot: Spot, stand: Stand, tally: Tally, waiting: Waiting, arrivals: list[Arrival]) -> int:
        """Goes on from one spot. How many paths end here or leave the flow."""
        place = self.graph[spot]
        if place.is_question and not self._may_ask(place, stand):
            return tally.count
        judged: Judged | None = None
        taken: int | None = None
        steps = self._steps[spot]
        match place.node:
            case Branch(cases=cases):
                taken = self._first(spot, stand, len(cases))
                steps = (steps[taken],)
            case Suggest(offers=offers):
                judged = self._judge.judge(spot, stand)
                if not judged.levels & LOCKING:
                    chosen = self._first(spot, stand, len(offers))
                    taken = chosen if chosen < len(offers) else None
            case Conclude():
                judged = self._judge.judge(spot, stand)
                steps = () if judged.levels or judged.unknown else steps
            case Report():
                judged = self._judge.judge(spot, stand)
                steps = () if judged.levels & LOCKING else steps
            case End():
                judged = self._judge.judge(spot, stand)
            case _:
                pass
        if taken is not None:
            self.found.taken.add((spot, taken))
        if spot.item < 0:
            arrivals.append(Arrival(spot, stand, tally, judged, taken))
        if steps:
            return sum(self._take(spot, step, stand, tally, waiting) for step in steps)
        if judged is not None and not judged.unknown and not judged.levels & LOCKING and self.sight.records(place):
            self._inherit(spot, stand, tally.answered)
        return tally.count

    def _may_ask(self, place: Place, stand: Stand) -> bool:
        """Outside the screening the engine asks nothing without consent: it goes to the screening, which asks."""
        return place.spot.flow == SCREENING or bool(stand.true & self.atoms.guidance) or asks_consent(place)

    def _first(self, spot: Spot, stand: Stand, otherwise: int) -> int:
        """The first condition of a branch or a suggest that surely holds."""
        for index, mask in enumerate(self._masks[spot]):
            if mask & stand.true == mask:
                return index
        return otherwise

    def _take(self, spot: Spot, step: Step, stand: Stand, tally: Tally, waiting: Waiting) -> int:
        """One way on. How many paths end with it, by a flag that shows at once or by leaving the flow."""
        ended = 0
        way = step.way
        questions = tally.questions + (1 if self.graph[spot].is_question else 0)
        answered = tally.answered | step.answered
        for yes, no in step.known:
            true, false = stand.true & ~step.clears | yes, stand.false & ~step.clears | no
            after = Stand(true, false, stand.hit, stand.unknown, stand.out)
            if way.writes and self._judge.shows_at_once(spot, step.at_once, after):
                ended += tally.count
            elif way.restarts:
                ended += tally.count
                if self.content.flows[way.to.flow].begins_with == "nothing" and not self._is_front_door(way.to):
                    self._enter_from(way.to, after, spot.flow == AFTER)
            else:
                settled = self._judge.settled(after, self.sight.outlooks[spot].open, way.to)
                self._arrive(
                    way.to, settled, Tally(tally.count, answered, questions), waiting, (spot, stand, way.label)
                )
        return ended

    def _arrive(self, spot: Spot, stand: Stand, tally: Tally, waiting: Waiting, came: tuple[Spot, Stand, str]) -> None:
        known = waiting[spot].get(stand)
        if known is None:
            waiting[spot][stand] = tally
            self.found.came.setdefault((spot, stand), came)
        else:
            known.count += tally.count
            known.answered &= tally.answered
            known.questions = min(known.questions, tally.questions)

    def _step(self, way: Way) -> Step:
        """A way with what it makes known, for each way the last pain can compare."""
        clears = answered = 0
        known = [(0, 0)]
        for name, value in way.writes:
            clears |= self.atoms.of_name.get(name, 0)
            answered |= self.name_bit[name]
            known = [(t | yes, f | no) for t, f in known for yes, no in self.atoms.written(name, value)]
        for purpose, given in way.agrees:
            yes, no = self.atoms.agreed(purpose, given)
            clears |= yes | no
            known = [(t | yes, f | no) for t, f in known]
        return Step(way, clears, tuple(known), answered, self._judge.at_once(way.names))
