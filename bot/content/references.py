"""Every name that content uses means something, every id is used once, and what is kept has its use."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from bot.content.atoms import reads
from bot.content.foresight import ENTERED, SCREENING
from bot.content.graph import answers_of, exits, target
from bot.content.issue import Issue
from bot.content.model import (
    Action,
    Answered,
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Content,
    Due,
    End,
    Flow,
    Measure,
    Node,
    OtherFlag,
    Picture,
    Report,
    Suggest,
    Tell,
    When,
)
from bot.content.nudges import Told
from bot.content.proofs import SAFETY, SPOKEN, flow_file
from bot.messages import Command


def problems(content: Content) -> Iterator[Issue]:
    """Names and ids. Paths can be walked only when there is none."""
    yield from _twice(content)
    for name in ENTERED:
        if name not in content.flows:
            yield Issue(flow_file(name), name, "missing_flow", "the engine enters this flow, and it is not there")
    for flow in content.flows.values():
        for node in flow.node:
            yield from _in_node(content, flow, node)
        yield from _carried(content, flow)
    yield from _in_flags(content)
    yield from _conditions(content)
    yield from _nudges(content)
    yield from _actions(content)
    yield from _pictures(content)
    yield from _sources(content)
    for command in Command:
        if command not in content.phrases.commands:
            yield Issue("phrases.toml", command.value, "missing_command", "this command has no label")


def _twice(content: Content) -> Iterator[Issue]:
    safety = content.safety
    groups: list[tuple[str, str, Iterable[str]]] = [
        (SAFETY, "source", (s.id for s in safety.source)),
        (SAFETY, "item", (i.id for i in safety.item)),
        (SAFETY, "flag", (f.id for f in safety.flag)),
        (SAFETY, "modifier", (m.id for m in safety.modifier)),
        (SAFETY, "advice", (a.id for a in safety.advice)),
        ("clinic.toml", "phone_line", (p.id for p in content.clinic.phone_line)),
        ("tips", "tip", (t.id for t in content.tips)),
        ("nudges.toml", "rule", (r.id for r in content.nudges.rule)),
    ]
    for item in safety.item:
        groups.append((SAFETY, f"{item.id}.options", (o.id for o in item.options)))
    for flow in content.flows.values():
        groups.append((flow_file(flow.id), "node", (n.id for n in flow.node)))
        for node in flow.node:
            if isinstance(node, Ask | CardAsk):
                groups.append((flow_file(flow.id), f"{node.id}.options", (o.id for o in node.options)))
    for routine in content.routines.values():
        steps = (s.id for s in (*routine.step, *routine.after))
        groups.append((f"routines/{routine.id}.toml", "step", steps))
    for file, kind, ids in groups:
        for name, count in Counter(ids).items():
            if count > 1:
                yield Issue(file, name, "duplicate_id", f"{count} times as a {kind}")


def _in_node(content: Content, flow: Flow, node: Node) -> Iterator[Issue]:
    file = flow_file(flow.id)
    for to in exits(node):
        spot = target(flow.id, to)
        known = content.flows.get(spot.flow)
        if known is None or spot.node not in {n.id for n in known.node}:
            yield Issue(file, node.id, "unknown_exit", f"there is no node {to}")
    match node:
        case Ask(next=None, options=options):
            for option in options:
                if option.to is None:
                    yield Issue(file, node.id, "no_exit", f"nothing follows the answer {option.id}")
        case CardAsk(items=items):
            for name in items:
                if name not in {i.id for i in content.safety.item}:
                    yield Issue(file, node.id, "unknown_item", f"there is no item {name}")
        case Suggest(offers=offers):
            for offer in offers:
                if offer.routine not in content.routines:
                    yield Issue(file, node.id, "unknown_routine", f"there is no routine {offer.routine}")
        case Measure(measure=measure, answers=names):
            if measure not in {each.id for each in content.programme.checkup}:
                yield Issue(file, node.id, "unknown_answer", f"there is no check-up {measure}")
            for name in names:
                if name not in answers_of(content):
                    yield Issue(file, node.id, "unknown_answer", f"nothing asks for {name}")
        case Due(checkups=checkups):
            wanted = {each.flow for each in content.programme.checkup}
            if wanted != {target(flow.id, to).flow for to in checkups}:
                problem = f"leads to other flows than the check-ups of programme.toml: {', '.join(sorted(wanted))}"
                yield Issue(file, node.id, "unknown_exit", problem)
        case Report(report=report, pain=pain):
            asked = answers_of(content)
            for name in (report, *((pain,) if pain else ())):
                if name not in asked:
                    yield Issue(file, node.id, "unknown_answer", f"nothing asks for {name}")
        case _:
            pass


def _carried(content: Content, flow: Flow) -> Iterator[Issue]:
    asked = answers_of(content)
    for name in flow.carries:
        if name not in asked:
            yield Issue(flow_file(flow.id), "carries", "unknown_answer", f"nothing asks for {name}")


def _in_flags(content: Content) -> Iterator[Issue]:
    advice = {a.id: a for a in content.safety.advice}
    flags = {f.id for f in content.safety.flag}
    for name in SPOKEN:
        if name not in advice:
            yield Issue(SAFETY, name, "unknown_advice", "the engine gives this advice, and it is not there")
    for flag in content.safety.flag:
        if flag.advice is not None and flag.advice not in advice:
            yield Issue(SAFETY, flag.id, "unknown_advice", f"there is no advice {flag.advice}")
        elif flag.advice is not None and advice[flag.advice].disposition is not flag.disposition:
            said = advice[flag.advice].disposition
            yield Issue(SAFETY, flag.id, "other_advice", f"is {flag.disposition}, its advice is for {said}")
        for condition in flag.when:
            for name in condition.besides if isinstance(condition, OtherFlag) else ():
                if name not in flags:
                    yield Issue(SAFETY, flag.id, "unknown_flag", f"there is no flag {name}")
        asked = _asked_at(content, flag.card)
        read = {reads(condition) for condition in flag.when}
        if not asked & read:
            yield Issue(SAFETY, flag.id, "unknown_card", f"{flag.card} asks for none of its answers")
    cards = {n.id for n in content.flows[SCREENING].node} if SCREENING in content.flows else set()
    for rule in content.vocabulary.rules:
        if rule.card is not None and rule.card not in cards:
            yield Issue("words.toml", rule.id, "unknown_card", f"there is no card {rule.card}")


def _asked_at(content: Content, card: str) -> set[str | None]:
    spot = target(SCREENING, card)
    flow = content.flows.get(spot.flow)
    for node in flow.node if flow else ():
        if node.id == spot.node:
            match node:
                case Ask():
                    return {node.stored_as}
                case AskNumber():
                    return {node.id}
                case CardAsk():
                    return set(node.items)
                case _:
                    return set()
    return set()


def whens(content: Content) -> Iterator[tuple[str, str, When]]:
    """Every condition list with its file and item."""
    for flag in content.safety.flag:
        yield SAFETY, flag.id, flag.when
    for modifier in content.safety.modifier:
        for when in modifier.when:
            yield SAFETY, modifier.id, when
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, Branch):
                for case in node.cases:
                    yield flow_file(flow.id), node.id, case.when
            elif isinstance(node, Suggest):
                for offer in node.offers:
                    yield flow_file(flow.id), node.id, offer.when


def _conditions(content: Content) -> Iterator[Issue]:
    asked = answers_of(content)
    flags = {flag.id for flag in content.safety.flag}
    for file, item, when in whens(content):
        for condition in when:
            name = reads(condition)
            if name is not None and name not in asked:
                yield Issue(file, item, "unknown_answer", f"nothing asks for {name}")
            elif isinstance(condition, Answered):
                for value in condition.any_of:
                    if value not in asked[condition.answer]:
                        yield Issue(file, item, "unknown_value", f"{name} is never answered {value}")
            elif isinstance(condition, OtherFlag) and not (file == SAFETY and item in flags):
                yield Issue(file, item, "misplaced_other_flag", "only a flag can look at other flags")


def _nudges(content: Content) -> Iterator[Issue]:
    asked = answers_of(content)
    signs = [("never", sign) for sign in content.nudges.never]
    signs += [(rule.id, sign) for rule in content.nudges.rule for sign in rule.when if isinstance(sign, Told)]
    for item, sign in signs:
        if sign.told not in asked:
            yield Issue("nudges.toml", item, "unknown_answer", f"nothing asks for {sign.told}")
            continue
        for value in sign.any_of:
            if value not in asked[sign.told]:
                yield Issue("nudges.toml", item, "unknown_value", f"{sign.told} is never answered {value}")


def _actions(content: Content) -> Iterator[Issue]:
    lines = {phone.id for phone in content.clinic.phone_line}
    found: list[tuple[str, str, Action]] = [
        (SAFETY, advice.id, action) for advice in content.safety.advice for action in advice.actions
    ]
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, End):
                found.extend((flow_file(flow.id), node.id, action) for action in node.actions)
    for file, item, action in found:
        if action.phone is not None and action.phone not in lines:
            yield Issue(file, item, "unknown_phone", f"there is no phone line {action.phone}")


def pictures(content: Content) -> Iterator[tuple[str, str, Picture]]:
    """Every picture with its file and item."""
    for flow in content.flows.values():
        for node in flow.node:
            if isinstance(node, Ask | Tell) and node.picture is not None:
                yield flow_file(flow.id), node.id, node.picture
    for routine in content.routines.values():
        for step in (*routine.step, *routine.after):
            yield f"routines/{routine.id}.toml", step.id, step.picture
    for name in type(content.phrases).model_fields:
        phrase = getattr(content.phrases, name)
        if isinstance(phrase, Picture):
            yield "phrases.toml", name, phrase


def _pictures(content: Content) -> Iterator[Issue]:
    icons = (("menu.toml", area.command.value, area.icon) for area in content.menu.areas)
    for file, item, name in chain(((f, i, p.file) for f, i, p in pictures(content)), icons):
        if name not in content.media:
            yield Issue(file, item, "unknown_picture", f"content/media has no {name}")
        elif not name.endswith(".png"):
            yield Issue(file, item, "unknown_picture", f"{name} is not a PNG, which LINE needs")


def sourced(content: Content) -> Iterator[tuple[str, str, str]]:
    """Everything that names a source: file, item, source."""
    safety = content.safety
    yield SAFETY, "freshness", safety.freshness.source
    yield "programme.toml", "setbacks", content.programme.setbacks.source
    yield "programme.toml", "trend", content.programme.trend.source
    yield "programme.toml", "ladder", content.programme.ladder.source
    yield from (("programme.toml", each.id, each.source) for each in content.programme.checkup)
    for group in (safety.item, safety.flag, safety.modifier):
        yield from ((SAFETY, each.id, each.source) for each in group)
    yield from ((f"routines/{routine.id}.toml", routine.id, routine.source) for routine in content.routines.values())
    yield from (("nudges.toml", rule.id, rule.source) for rule in content.nudges.rule)
    yield from (("tips", tip.id, tip.source) for tip in content.tips)
    yield from (("words.toml", rule.id, rule.source) for rule in content.vocabulary.rules)
    yield "likeness.toml", "source", content.likeness.source


def _sources(content: Content) -> Iterator[Issue]:
    known = {source.id for source in content.safety.source}
    used = set()
    for file, item, source in sourced(content):
        used.add(source)
        if source not in known:
            yield Issue(file, item, "unknown_source", f"there is no source {source}")
    for name in sorted(known - used):
        yield Issue(SAFETY, name, "unused_source", "nothing rests on this source")
