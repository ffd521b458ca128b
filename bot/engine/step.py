"""The engine's one way in: an event in, a turn out. Pure: the same arguments give the same turn.

The order is the same for every text: safety, then commands, then the question that waits, then asking again.
"""

from dataclasses import replace
from typing import assert_never

from bot.content.model import Content
from bot.engine import (
    advice,
    answers,
    booking,
    booking_news,
    booking_words,
    commands,
    guide,
    home,
    nodes,
    notes,
    nudging,
    question,
    reminder_due,
    reminder_plan,
    reminder_words,
    reminding,
    staffed,
    weekly,
    wishes,
    zones,
)
from bot.engine.draft import Draft
from bot.engine.normal import normalise
from bot.engine.safety import Finding, assess
from bot.engine.state import (
    Asking,
    Facts,
    ForgetText,
    Guiding,
    HoldTimed,
    Lock,
    RaiseAlert,
    SetReachable,
    State,
    Turn,
)
from bot.messages import (
    BookingDecided,
    BookingDue,
    Card,
    Command,
    Commanded,
    Decided,
    Disposition,
    Event,
    Filled,
    Followed,
    Garbled,
    HomeOpened,
    Introduced,
    Invited,
    Picked,
    PickToken,
    Picture,
    ReminderDue,
    Said,
    Showed,
    SlotOffered,
    StaffDid,
    Unfollowed,
    Unsent,
)

PATIENCE = 2
"""Misses in a row after which a human and the menu are offered."""


def step(content: Content, state: State, facts: Facts, event: Event) -> Turn:
    """Total: any event in any state gives a turn."""
    draft = Draft(content, state, facts)
    if isinstance(event, Picked | Filled | Commanded | Said | Showed | Followed):
        reminder_plan.heard(draft)
        weekly.heard(draft)
    if isinstance(event, Picked | Commanded | Followed):
        draft.change(telling=None)
    match event:
        case Followed():
            _welcome(draft)
        case Unfollowed():
            draft.do(SetReachable(False))
            draft.do(HoldTimed())
        case Picked(token=token):
            _picked(draft, token)
        case Filled(picks=picks):
            _filled(draft, picks)
        case Commanded(command=command):
            commands.obey(draft, command)
        case Said(text=text, message_id=message_id):
            _said(draft, text, message_id)
        case Showed(what=what):
            phrases = content.phrases
            commands.aside(draft, draft.text(phrases.sticker if what == "sticker" else phrases.unreadable))
        case Unsent(message_id=message_id):
            draft.do(ForgetText(message_id))
        case Invited():
            draft.words(content.phrases.invited)
        case Garbled():
            _old_button(draft)
        case HomeOpened():
            home.show(draft)
        case Introduced(locale=locale, zone=zone):
            zones.known(draft, zone)
            if locale is not None and not draft.state.turn:
                draft.change(locale=locale)
        case ReminderDue(reminder="weekly"):
            weekly.due(draft, event)
        case ReminderDue():
            reminder_due.due(draft, event)
        case BookingDue():
            booking_news.due(draft, event)
        case BookingDecided():
            booking_news.decided(draft, event)
        case SlotOffered():
            booking_news.offered(draft, event)
        case Decided(what="withdraw", purpose=purpose):
            commands.withdraw(draft, purpose)
        case Decided():
            commands.erase(draft)
        case StaffDid():
            staffed.act(draft, event)
        case _:
            assert_never(event)
    return staffed.hush(draft, event, state, draft.finish())


def _welcome(draft: Draft) -> None:
    """A new friend, or one who comes back: what this is, and one button."""
    phrases = draft.content.phrases
    draft.do(SetReachable(True))
    known = draft.state.screening is not None or draft.state.lock is not None
    first = Command.TODAY if known else Command.START
    wording = phrases.welcome_back if known else phrases.welcome
    other = Command.ENGLISH if draft.state.locale == "ja" else Command.JAPANESE
    name = draft.text(draft.content.clinic.name)
    main = replace(draft.command(first), style="main")
    choices = (main, draft.command(Command.MENU), draft.command(other))
    shown = draft.content.phrases.welcome_picture
    picture = Picture(shown.file, draft.text(shown.alt))
    draft.say(Card(name, draft.text(wording), picture=picture, choices=choices))


def _picked(draft: Draft, token: PickToken) -> None:
    """A tap answers the question that it was offered with, and no other."""
    match token.question.split("/"):
        case [guide.ROUTINE, routine, guide.BEGIN]:
            _begin(draft, routine)
            return
        case ["erase", "confirm"] if token.turn == draft.state.turn and token.option == "yes":
            commands.erase(draft)
            return
        case [reminder_words.REMINDER, *what]:
            if not reminding.picked(draft, "/".join(what), token.option):
                _old_button(draft)
            return
        case [booking_words.BOOKING, what]:
            if not booking.here(draft) or not booking.picked(draft, what, token.option):
                _old_button(draft)
            return
        case [nudging.NUDGE, what]:
            if not nudging.picked(draft, what, token.option):
                _old_button(draft)
            return
        case _:
            pass
    waiting = draft.state.waiting
    if waiting is None or token.turn != waiting.turn:
        _old_button(draft)
        return
    if not answers.still_stands(draft):
        return
    match waiting:
        case Asking():
            if token.question != question.key(waiting) or not answers.take(draft, waiting, token.option):
                _old_button(draft)
        case Guiding():
            if token.question == guide.key(waiting):
                _guided(draft, waiting, token.option)
            else:
                _old_button(draft)
        case _:
            assert_never(waiting)


def _filled(draft: Draft, picks: tuple[PickToken, ...]) -> None:
    """Items answered together. What was left open is asked again: nothing chosen never means no."""
    waiting = draft.state.waiting
    if waiting is None or any(token.turn != waiting.turn for token in picks):
        _old_button(draft)
        return
    if not answers.still_stands(draft):
        return
    if not isinstance(waiting, Asking) or not answers.take_items(draft, waiting, picks):
        _old_button(draft)


def _begin(draft: Draft, name: str) -> None:
    """A routine begins only with leave given lately; without it, today's card comes first."""
    phrases = draft.content.phrases
    if isinstance(draft.state.waiting, Guiding) and draft.state.waiting.routine == name:
        if answers.still_stands(draft):
            answers.again(draft)
    elif not guide.cleared(draft, name):
        if draft.state.lock is None:
            draft.words(phrases.routine_expired)
        commands.today(draft)
    elif guide.enough_today(draft, draft.content.routines[name]):
        commands.aside(draft, draft.text(phrases.routine_enough))
    else:
        guide.begin(draft, draft.content.routines[name])


def _guided(draft: Draft, waiting: Guiding, option: str) -> None:
    """One step on, or out of the routine by way of the report."""
    if option == "next" and guide.forward(draft, waiting):
        return
    if option == "hurts":
        draft.words(draft.content.routines[waiting.routine].stop)
    nodes.enter(draft, nodes.AFTER)


def _old_button(draft: Draft) -> None:
    """A tap on something that is no longer asked: what is asked now is said again instead."""
    if draft.state.waiting is not None and not answers.still_stands(draft):
        return
    commands.aside(draft, draft.text(draft.content.phrases.old_button))


def _said(draft: Draft, text: str, message_id: str) -> None:
    if not text:
        return  # taken back before we came to it
    finding = assess(text, draft.content.vocabulary, draft.content.likeness)
    if finding.level is not None:
        _found(draft, finding, finding.level)
        return
    if finding.gentle_check_in:
        commands.aside(draft, draft.text(draft.content.phrases.check_in))
        return
    if booking.told(draft, text):
        return
    wish = wishes.read(text, draft.content)
    if wish.asked is not None:
        nudging.asked(draft, wish.asked)
        return
    if wish.command is not None:
        commands.obey(draft, wish.command)
        return
    if wish.reminder is not None:
        reminding.asked(draft, wish.reminder)
        return
    waiting = draft.state.waiting
    if waiting is not None and not answers.still_stands(draft):
        return
    if isinstance(waiting, Asking):
        value = _spoken(draft, waiting, text, wish.number)
        if value is not None and answers.take(draft, waiting, value):
            return
    if isinstance(waiting, Guiding) and wish.done:
        _guided(draft, waiting, "next")
        return
    if wish.skip:
        reminding.skip(draft)
        return
    if waiting is None and wish.done and reminding.report(draft, "partly" if wish.half else "done"):
        return
    if wish.phrase is not None:
        commands.aside(draft, draft.text(getattr(draft.content.phrases, wish.phrase)))
        return
    if wish.place is not None:
        zones.told(draft, wish.place)
        return
    if notes.take(draft, text, message_id):
        return
    if finding.denied:
        commands.aside(draft, draft.text(draft.content.phrases.denied))
        return
    _missed(draft)


def _spoken(draft: Draft, asking: Asking, text: str, spoken_number: int | None) -> str | None:
    """The answer that a text gives: exactly the words of a button, or the number asked for. Never a guess."""
    node = nodes.question_node(draft, asking)
    wanted = normalise(text)
    for value, label in question.answers(draft, asking, node):
        if normalise(label) == wanted:
            return value
    return None if spoken_number is None else str(spoken_number)


def _found(draft: Draft, finding: Finding, level: Disposition) -> None:
    """Something in the message must be looked at before all else."""
    state = draft.state
    rules = tuple(t.rule for t in finding.triggers)
    agreed = "guidance" in state.consents
    draft.change(clearance=None, misses=0)
    if level is Disposition.NO_MASSAGE:
        if isinstance(state.waiting, Asking) and state.waiting.flow == nodes.SCREENING:
            commands.start(draft)
        else:
            nodes.enter(draft, nodes.SCREENING)
        return
    name = level.value
    if finding.mental_health:
        name = "emergency_mental" if level is Disposition.EMERGENCY else "urgent_mental_pain"
    under = state.lock
    if under is not None and under.origin == "text":
        under = under.under
    repeated = state.lock is not None and state.lock.origin == "text" and state.lock.flags == rules
    parked = state.parked if state.alone else state.waiting
    draft.change(
        lock=Lock(level, rules, name, draft.now, "text", finding.card, under), waiting=None, alone=False, parked=None
    )
    if not repeated:
        draft.do(RaiseAlert(level, rules, "text"))
    draft.do(HoldTimed())
    advice.advise(draft, advice.find(draft.content, name), ())
    if level in advice.WAITS and not finding.mental_health:
        booking_words.mention(draft, draft.content.booking.stands_while_locked)
    if level is not Disposition.EMERGENCY and finding.card is not None and agreed:
        answers.ask_alone(draft, finding.card, parked)


def _missed(draft: Draft) -> None:
    """Not understood. The second time in a row, a human and the menu are offered."""
    phrases = draft.content.phrases
    misses = draft.state.misses + 1
    draft.change(misses=misses)
    if misses >= PATIENCE:
        draft.words(phrases.offer_human)
        rest = (Command.GO_ON,) if draft.state.waiting is not None else ()
        draft.quick(*(draft.command(c) for c in (Command.HUMAN, Command.MENU, *rest)))
        return
    if draft.state.waiting is None:
        commands.aside(draft, draft.text(phrases.nothing_asked))
        return
    is_number = isinstance(draft.state.waiting, Asking) and question.wants_number(draft, draft.state.waiting)
    draft.words(phrases.ask_again_number if is_number else phrases.ask_again)
    answers.again(draft)
