"""What is said when self-massage is not the answer, what is locked, and the summary for a doctor."""

from collections.abc import Mapping

from bot.content.model import Advice, CardAsk, Content, Flag, Flow
from bot.engine import booking_words
from bot.engine.draft import Draft
from bot.engine.state import Asking, HoldTimed, Lock, RaiseAlert, RecordScreening, Screening
from bot.messages import Card, Choice, Command, Disposition, Words

SAFE = (Disposition.NO_MASSAGE, Disposition.SELF_MASSAGE)
"""Dispositions that lock nothing."""

WAITS = (Disposition.URGENT, Disposition.DOCTOR)
"""Those with which an appointment may be spoken of in the same breath. Whoever needs help at once reads of nothing else; their
reminder says it."""


def find(content: Content, name: str) -> Advice:
    """The advice of that id. The content check proves that each one named exists."""
    return next(a for a in content.safety.advice if a.id == name)


def flagged(draft: Draft, hit: tuple[Flag, ...]) -> None:
    """Flags hold, the worst first: the flow ends, its advice is said, staff are alerted, what waits is cancelled."""
    worst = hit[0].disposition
    flags = tuple(f for f in hit if f.disposition is worst)
    ids = tuple(f.id for f in hit)
    name = flags[0].advice or worst.value
    record(draft, worst, ids)
    draft.change(waiting=None, misses=0, clearance=None, alone=False, parked=None, skip_known=False)
    if worst in SAFE:
        draft.change(lock=None)
    else:
        card = flags[0].card.split("/")[-1]
        draft.change(lock=Lock(worst, ids, name, draft.now, "answers", card))
        draft.do(RaiseAlert(worst, ids, "answers"))
        draft.do(HoldTimed())
    advise(draft, find(draft.content, name), reasons(draft, flags))
    if worst in WAITS:
        booking_words.mention(draft, draft.content.booking.stands_while_locked)


def reasons(draft: Draft, flags: tuple[Flag, ...]) -> tuple[str, ...]:
    """Why, in symptoms, each reason once."""
    return tuple(dict.fromkeys(draft.text(f.reason) for f in flags))


def advise(draft: Draft, advice: Advice, why: tuple[str, ...], *more: Choice) -> None:
    """Action first, then the reason, what to do meanwhile, and the safety net."""
    text = draft.text(advice.text, {"reason": "\n".join(f"・{reason}" for reason in why)}).strip()
    draft.say(
        Card(
            title=draft.text(advice.title),
            text=text,
            lines=tuple(draft.text(w) for w in advice.meanwhile),
            note=draft.text(advice.net) if advice.net else "",
            choices=(*more, *draft.actions(advice.actions)),
            tone="advice",
        )
    )
    if advice.disposition not in SAFE:
        draft.safety = True


def repeat(draft: Draft, lock: Lock) -> None:
    """Says the advice of a standing lock again. A flag that content no longer knows gives no reason."""
    known = {f.id: f for f in draft.content.safety.flag}
    flags = tuple(known[i] for i in lock.flags if i in known and known[i].disposition is lock.level)
    names = {a.id for a in draft.content.safety.advice}
    name = lock.advice if lock.advice in names else lock.level.value
    advise(draft, find(draft.content, name), reasons(draft, flags))


def record(draft: Draft, outcome: Disposition, flags: tuple[str, ...]) -> None:
    """The screening came to a result: kept in the state and, never to be changed, in its table. What a daily card, a
    report or a single card finds is added to the last full screening, which does not become younger by it."""
    state, version = draft.state, draft.content.version
    last, waiting = state.screening, state.waiting
    in_part = isinstance(waiting, Asking) and (waiting.flow != "screening" or state.alone)
    answers, at = dict(state.answers), draft.now
    if in_part and last is not None:
        answers, at = {**last.answers, **answers}, last.at
    draft.change(screening=Screening(outcome, flags, answers, at, version))
    draft.do(RecordScreening(outcome, flags, answers, version))


def summary(draft: Draft) -> None:
    """What to tell a doctor, as plain text that can be copied: answers that were not "no", and the pain."""
    phrases = draft.content.phrases
    screening = draft.state.screening
    if screening is None:
        draft.words(phrases.summary_none)
        return
    local = screening.at.astimezone(draft.zone)
    rows = [draft.text(phrases.summary_head, {"date": local.strftime("%Y-%m-%d")})]
    items = {i.id: i for i in draft.content.safety.item}
    labels = _labels(draft)
    for name, value in screening.answers.items():
        if name in items and value != "no":
            rows.append(f"・{draft.text(items[name].text)}: {labels.get((name, value), value)}")
        elif name not in items and (name, value) in labels:
            rows.append(f"・{labels[name, '']} {labels[name, value]}")
        elif name not in items and value.isdigit() and (name, "") in labels:
            rows.append(f"・{labels[name, '']} {value}/10")
    draft.say(Words("\n".join([draft.text(phrases.summary_title), *rows])))


def in_words(draft: Draft, answers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Each answer with its question, as the patient saw them; bare ids where content no longer knows them."""
    items = {i.id: draft.text(i.text) for i in draft.content.safety.item}
    labels = _labels(draft)
    return tuple(
        (items.get(name) or labels.get((name, ""), name), labels.get((name, value), value))
        for name, value in answers.items()
    )


def _labels(draft: Draft) -> dict[tuple[str, str], str]:
    """What each answer was called: (name, value) to its label, (name, "") to the question."""
    found: dict[tuple[str, str], str] = {}
    own = {i.id: i.options for i in draft.content.safety.item}
    for node in (node for flow in _told(draft) for node in flow.node):
        match node.kind:
            case "card":
                assert isinstance(node, CardAsk)
                for item in node.items:
                    for option in own.get(item, ()) or node.options:
                        found[item, option.id] = draft.text(option.label)
            case "ask":
                found[node.stored_as, ""] = draft.text(node.text).split("\n")[0]
                for choice in node.options:
                    found[node.stored_as, choice.id] = draft.text(choice.label)
            case "ask_number":
                found[node.id, ""] = draft.text(node.text).split("\n")[0]
            case _:
                pass
    return found


def _told(draft: Draft) -> tuple[Flow, ...]:
    """The flows whose answers are told again: the check-ups', then the screening's, whose words win."""
    flows = draft.content.flows
    return (*(flows[each.flow] for each in draft.content.programme.checkup), flows["screening"])


def stop_choice(draft: Draft) -> Choice:
    """The way back for somebody who tapped by mistake."""
    return draft.command(Command.NOT_ME)
