"""While one of the staff talks with the patient the guide is silent, but for what keeps them safe and what is their right."""

from datetime import datetime, timedelta

from bot.content.model import CardAsk
from bot.engine import commands, nodes
from bot.engine.draft import Draft
from bot.engine.state import (
    Asking,
    EraseContact,
    ForgetText,
    PassOver,
    RaiseAlert,
    SetConsents,
    SetReachable,
    SetTaken,
    State,
    Taken,
    Turn,
)
from bot.messages import (
    BookingDecided,
    BookingDue,
    Event,
    Filled,
    HomeOpened,
    Introduced,
    Picked,
    ReminderDue,
    StaffDid,
    Words,
)

HEARD = (RaiseAlert, SetConsents, SetReachable, ForgetText, EraseContact)
"""Effects whose turn goes through whole: a warning sign, and a patient's decision about their own data."""

PASSED_ON = StaffDid | HomeOpened | Introduced | BookingDecided | BookingDue
"""Events whose turns always go through: what staff themselves do, and reminders of an appointment, which wait in the outbox
until the talk is over."""

REST = timedelta(hours=2)
"""How long the guide is silent when nobody said for how long."""


def act(draft: Draft, event: StaffDid) -> None:
    """What staff did, in the patient's chat."""
    phrases = draft.content.phrases
    match event.what:
        case "take_over":
            if not talking(draft.state, draft.now):
                draft.words(phrases.staff_here)
            _take(draft, event)
        case "say":
            if not talking(draft.state, draft.now):
                draft.words(phrases.staff_here)
            _take(draft, event)
            draft.say(Words(event.text))
        case "hand_back":
            if draft.state.taken is not None:
                draft.change(taken=None)
                draft.do(SetTaken(None))
                commands.aside(draft, draft.text(phrases.staff_gone))
        case "seen_doctor":
            if draft.state.lock is not None:
                draft.words(phrases.staff_seen_doctor)
                nodes.enter(draft, nodes.SCREENING)


def _take(draft: Draft, event: StaffDid) -> None:
    taken = Taken(event.by, event.until or draft.now + REST)
    draft.change(taken=taken)
    draft.do(SetTaken(taken))


def talking(state: State, now: datetime) -> bool:
    """Whether one of the staff talks with the patient now."""
    return state.taken is not None and now < state.taken.until


def hush(draft: Draft, event: Event, before: State, turn: Turn) -> Turn:
    """The turn, or while staff talk with the patient one that says nothing and changes nothing: the question that waited
    waits on, and its buttons stay good. Cards of warning signs are answered all the same."""
    if not talking(before, draft.now) or isinstance(event, PASSED_ON):
        return turn
    if isinstance(event, ReminderDue):
        return Turn(before, effects=(PassOver("care" if event.reminder == "care" else "extra", "talking"),))
    if any(isinstance(effect, HEARD) for effect in turn.effects) or (turn.message is not None and turn.message.safety):
        return turn
    if isinstance(event, Picked | Filled) and _asks_for_signs(draft, before):
        return turn
    return Turn(before)


def _asks_for_signs(draft: Draft, state: State) -> bool:
    waiting = state.waiting
    flow = draft.content.flows.get(waiting.flow) if isinstance(waiting, Asking) else None
    return flow is not None and isinstance(waiting, Asking) and isinstance(nodes.find(flow, waiting.node), CardAsk)
