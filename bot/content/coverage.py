"""Every answer that is not a clear "no" counts, every line is asked, and a routine is what it says it is."""

from collections.abc import Iterator

from bot.content.issue import Code, Issue
from bot.content.model import Answered, Ask, CardAsk, Content, Item, Routine
from bot.content.proofs import SAFETY, flow_file
from bot.messages import Disposition

CLEAR, UNSURE = "no", "unsure"


def problems(content: Content) -> Iterator[Issue]:
    """What the answers and the routines leave open, without walking a path."""
    counted = _counted(content)
    asked = {name for flow in content.flows.values() for n in flow.node if isinstance(n, CardAsk) for name in n.items}
    for item in content.safety.item:
        if item.id not in asked:
            yield Issue(SAFETY, item.id, "unasked_item", "no card asks for this item")
        yield from _item(content, item, counted)
    yield from _unsure(content, counted)
    yield from _cleared(content)
    yield from _routines(content)
    yield from _phones(content)


def _counted(content: Content) -> set[tuple[str, str]]:
    """Answers that a flag looks for, or a limit on a routine."""
    safety = content.safety
    whens = (*(flag.when for flag in safety.flag), *(when for limit in safety.modifier for when in limit.when))
    return {
        (condition.answer, value)
        for when in whens
        for condition in when
        if isinstance(condition, Answered)
        for value in condition.any_of
    }


def _item(content: Content, item: Item, counted: set[tuple[str, str]]) -> Iterator[Issue]:
    cards = [n for flow in content.flows.values() for n in flow.node if isinstance(n, CardAsk) and item.id in n.items]
    answers = {option.id for card in cards for option in item.options or card.options}
    if cards and CLEAR not in answers:
        yield Issue(SAFETY, item.id, "no_clearing", f"none of its answers is {CLEAR!r}")
    for card in cards:
        if UNSURE not in {option.id for option in item.options or card.options}:
            yield Issue(SAFETY, item.id, "no_unsure", f"who is not sure cannot say so on {card.id}")
    for answer in sorted(answers - {CLEAR}):
        if (item.id, answer) not in counted:
            code: Code = "unsure_is_no" if answer == UNSURE else "yes_is_no"
            yield Issue(SAFETY, item.id, code, f"nothing counts the answer {answer!r}")


def _unsure(content: Content, counted: set[tuple[str, str]]) -> Iterator[Issue]:
    """Not being sure about a question that flags look at counts as well."""
    names = {name for name, _ in counted}
    for flow in content.flows.values():
        for node in flow.node:
            if not isinstance(node, Ask) or node.stored_as not in names or (node.stored_as, UNSURE) in counted:
                continue
            if any(option.id == UNSURE for option in node.options):
                problem = f"nothing counts the answer {UNSURE!r}"
                yield Issue(flow_file(flow.id), node.id, "unsure_is_no", problem)


def _cleared(content: Content) -> Iterator[Issue]:
    """`no` to an item is never a flag."""
    items = {item.id for item in content.safety.item}
    for flag in content.safety.flag:
        for condition in flag.when:
            if isinstance(condition, Answered) and condition.answer in items and CLEAR in condition.any_of:
                yield Issue(SAFETY, flag.id, "no_is_yes", f"counts {CLEAR!r} to {condition.answer} as a flag")


def _routines(content: Content) -> Iterator[Issue]:
    if all(routine.pressure for routine in content.routines.values()):
        yield Issue("routines", "", "no_gentle_routine", "nothing is left for those who must not massage")
    for routine in content.routines.values():
        file = f"routines/{routine.id}.toml"
        for step in (*routine.step, *routine.after):
            if not routine.pressure and step.tool != "none":
                problem = f"a routine without pressure uses the {step.tool}"
                yield Issue(file, step.id, "hidden_pressure", problem)
        if all(step.tool == "ball" for step in routine.step):
            yield Issue(file, routine.id, "only_balls", "nothing is left for hands only")
        if (minutes := _minutes(routine)) > routine.minutes_max:
            problem = f"its steps take {minutes:g} minutes, at most {routine.minutes_max}"
            yield Issue(file, routine.id, "over_dose", problem)
        for step in routine.step:
            if step.seconds_short is not None and step.seconds_short > step.seconds:
                yield Issue(file, step.id, "over_dose", "the short dose is longer than the full one")


def _minutes(routine: Routine) -> float:
    """How long the steps press, both sides together."""
    return sum(step.seconds * (2 if step.side == "each" else 1) for step in routine.step if step.tool != "none") / 60


def _phones(content: Content) -> Iterator[Issue]:
    """Whoever is told of an emergency can dial at once: the first button is a phone line."""
    for advice in content.safety.advice:
        if advice.disposition is Disposition.EMERGENCY and not (advice.actions and advice.actions[0].phone):
            yield Issue(SAFETY, advice.id, "no_phone", "the first button of an emergency must be a phone line")
