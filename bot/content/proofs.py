"""What walking every path proves, and each place where a proof fails, with one way to get there."""

from collections.abc import Iterator

from bot.content.atoms import level_bit, reads, stands
from bot.content.foresight import LOCKING, items_at
from bot.content.graph import Spot, asks_consent
from bot.content.issue import Code, Issue
from bot.content.model import Answered, Branch, Conclude, Content, End, Flag, Suggest
from bot.content.stand import Arrival, Walked
from bot.content.walk import Walk
from bot.messages import Disposition

SAFETY = "red_flags.toml"


def flow_file(flow_id: str) -> str:
    """The file of a flow."""
    return f"flows/{flow_id}.toml"


def prove(walk: Walk, walked: Walked) -> Iterator[Issue]:
    """Every failed proof, each once."""
    arrivals = [arrival for flow in walked.arrivals.values() for arrival in flow]
    found: dict[tuple[str, str, str, str], Issue] = {}
    proofs = (_at_gates, _undecided_limits, _unsaid, _early, _unconsented, _unquestioned)
    for proof in proofs:
        for issue in proof(walk, walked, arrivals):
            found.setdefault((issue.file, issue.item, issue.code, issue.problem.split(" (")[0]), issue)
    yield from found.values()
    yield from _unreached(walk, walked, arrivals)
    yield from _idle(walk, walked)


def _issue(code: Code, spot: Spot, problem: str, walked: Walked, arrival: Arrival) -> Issue:
    return Issue(flow_file(spot.flow), spot.node, code, f"{problem} (for example: {walked.example(arrival)})")


def _at_gates(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """At a conclude and a suggest every flag is decided; at a suggest none holds, and something is offered."""
    for arrival in arrivals:
        node, judged = walk.graph[arrival.spot].node, arrival.judged
        if judged is None or not isinstance(node, Conclude | Suggest):
            continue
        if judged.unknown and (isinstance(node, Suggest) or not judged.levels & LOCKING):
            for flag in walk.atoms.flags:
                if flag.bit & judged.unknown:
                    problem = f"flag {flag.flag.id} is not decided here"
                    yield _issue("undecided", arrival.spot, problem, walked, arrival)
        if isinstance(node, Suggest):
            yield from _at_suggest(node, arrival, walk, walked)


def _at_suggest(node: Suggest, arrival: Arrival, walk: Walk, walked: Walked) -> Iterator[Issue]:
    assert arrival.judged is not None
    if arrival.judged.levels & LOCKING:
        worst = next(d for d in Disposition if level_bit(d) & arrival.judged.worst)
        yield _issue("flagged_routine", arrival.spot, f"reached although {worst} holds", walked, arrival)
    elif arrival.taken is None:
        yield _issue("no_offer", arrival.spot, "no routine is offered", walked, arrival)


def _undecided_limits(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """What limits a routine is known where one is suggested."""
    for arrival in arrivals:
        if not isinstance(walk.graph[arrival.spot].node, Suggest):
            continue
        for modifier in walk.content.safety.modifier:
            for when in modifier.when:
                for name in filter(None, map(reads, when)):
                    if not walk.name_bit[name] & arrival.tally.answered:
                        problem = f"limit {modifier.id} is not decided here: {name}"
                        yield _issue("undecided", arrival.spot, problem, walked, arrival)


def _unsaid(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """No flow ends in small talk while a flag holds that stops everything, unless the patient was locked before."""
    for arrival in arrivals:
        if isinstance(walk.graph[arrival.spot].node, End) and arrival.judged and arrival.judged.levels & LOCKING:
            signs, holding = arrival.stand.hit, arrival.judged.holding
            if not any(stands(f.flag) and (f.sign & signs or f.bit & holding) for f in walk.atoms.flags):
                problem = "ends although a flag holds and was not said"
                yield _issue("unsaid_flag", arrival.spot, problem, walked, arrival)


def _early(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """Emergency items come before every other item."""
    emergency = emergency_items(walk.content)
    wanted = sum(walk.name_bit[name] for name in emergency if name in walk.name_bit)
    for arrival in arrivals:
        items = set(items_at(walk.graph[arrival.spot]))
        if items and not items & emergency and wanted & ~arrival.tally.answered:
            missing = next(n for n in walk.name_bit if walk.name_bit[n] & wanted & ~arrival.tally.answered)
            problem = f"asked before the emergency item {missing}"
            yield _issue("emergency_late", arrival.spot, problem, walked, arrival)


def _unconsented(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """No question about health before the patient agreed to be guided."""
    for arrival in arrivals:
        place = walk.graph[arrival.spot]
        if place.is_question and not asks_consent(place) and not arrival.stand.true & walk.atoms.guidance:
            yield _issue("before_consent", arrival.spot, "asked without consent to guidance", walked, arrival)


def _unquestioned(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """Every way to a routine passes a question of the same day."""
    for arrival in arrivals:
        if isinstance(walk.graph[arrival.spot].node, Suggest) and not arrival.tally.questions:
            yield _issue("no_question", arrival.spot, "a routine without a question before it", walked, arrival)


def emergency_items(content: Content) -> set[str]:
    """Items that by themselves lead to the advice of an emergency."""
    items = {item.id for item in content.safety.item}
    return {name for flag in content.safety.flag for name in _alone(flag) if name in items}


def _alone(flag: Flag) -> tuple[str, ...]:
    match flag.when:
        case (Answered(answer=name),) if flag.disposition is Disposition.EMERGENCY:
            return (name,)
        case _:
            return ()


def _unreached(walk: Walk, walked: Walked, arrivals: list[Arrival]) -> Iterator[Issue]:
    """Nodes, cases and offers that no path comes to."""
    reached = {(a.spot.flow, a.spot.node) for a in arrivals}
    for flow in walk.content.flows.values():
        for node in flow.node:
            spot = Spot(flow.id, node.id)
            if (flow.id, node.id) not in reached:
                yield Issue(flow_file(flow.id), node.id, "unreachable", "no path comes here")
            elif isinstance(node, Branch):
                for index in range(len(node.cases) + 1):
                    if (spot, index) not in walked.taken:
                        which = f"case {index + 1}" if index < len(node.cases) else "otherwise"
                        yield Issue(flow_file(flow.id), node.id, "never_taken", f"no path takes {which}")
    offered = {
        offer.routine
        for flow in walk.content.flows.values()
        for node in flow.node
        if isinstance(node, Suggest)
        for index, offer in enumerate(node.offers)
        if (Spot(flow.id, node.id), index) in walked.taken
    }
    for routine in walk.content.routines.values():
        if routine.pressure and routine.id not in offered:
            yield Issue(f"routines/{routine.id}.toml", routine.id, "never_offered", "no path leads to this routine")


def _idle(walk: Walk, walked: Walked) -> Iterator[Issue]:
    """Flags and advice that no path can bring about."""
    advised: set[str] = set()
    for flag in walk.atoms.flags:
        if flag.bit & walked.holding:
            advised.add(flag.flag.advice or flag.flag.disposition.value)
        else:
            yield Issue(SAFETY, flag.flag.id, "never_holds", "no path makes this flag hold")
    for advice in walk.content.safety.advice:
        if advice.id not in advised and advice.id not in SPOKEN:
            yield Issue(SAFETY, advice.id, "unused_advice", "no flag leads to this advice")


SPOKEN = (
    *(d.value for d in Disposition if d is not Disposition.SELF_MASSAGE),
    "emergency_mental",
    "urgent_mental_pain",
)
"""Advice that the engine gives by name, after a message in the patient's own words."""
