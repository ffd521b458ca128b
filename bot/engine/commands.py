"""What a patient can ask for at any moment. A question that waits goes on waiting, unless something else is asked for."""

from datetime import timedelta

from bot.engine import advice, answers, booking, booking_words, nodes, reminding, weekly
from bot.engine.draft import Draft
from bot.engine.state import Asking, EraseContact, HoldTimed, Lock, RequestHuman, SetConsents, State
from bot.messages import Card, Choice, Command, CommandToken, Disposition, PickToken, Words

ERASE = "erase/confirm"
"""The question that the two buttons under "delete my data" answer. They are good only while they are the newest."""

MENU = (Command.TODAY, Command.START, Command.ASSESSMENT, Command.SUMMARY, Command.HUMAN, Command.HOURS, Command.STOP)


def obey(draft: Draft, command: Command) -> None:
    """Does what is asked for."""
    phrases = draft.content.phrases
    match command:
        case Command.START:
            start(draft)
        case Command.TODAY:
            today(draft)
        case Command.GO_ON:
            go_on(draft)
        case Command.BACK:
            if answers.still_stands(draft):
                answers.back(draft)
        case Command.MENU:
            menu(draft)
        case Command.HUMAN:
            human(draft)
        case Command.ASSESSMENT:
            (booking.menu if booking.here(draft) else assessment)(draft)
        case Command.CHANGE_BOOKING:
            (booking.change if booking.here(draft) else assessment)(draft)
        case Command.CANCEL_BOOKING:
            (booking.cancel if booking.here(draft) else assessment)(draft)
        case Command.HOURS:
            hours(draft)
        case Command.REMINDER:
            reminding.menu(draft)
        case Command.PROGRESS:
            progress(draft)
        case Command.SUMMARY:
            advice.summary(draft)
        case Command.NOT_ME:
            not_me(draft)
        case Command.SEEN_DOCTOR:
            nodes.enter(draft, nodes.SCREENING)
        case Command.CONSENTS:
            nodes.enter(draft, nodes.CONSENTS)
        case Command.DATA:
            data(draft)
        case Command.STOP:
            stop(draft)
        case Command.ERASE:
            erase_question(draft)
        case Command.JAPANESE | Command.ENGLISH:
            draft.change(locale="ja" if command is Command.JAPANESE else "en")
            aside(draft, draft.text(phrases.language))


def aside(draft: Draft, text: str) -> None:
    """Says something by the way: the question that waits is asked again after it, else the menu is at hand."""
    draft.say(Words(text))
    if draft.state.waiting is None:
        draft.quick(*(draft.command(c) for c in (Command.TODAY, Command.MENU)))
    elif answers.still_stands(draft):
        answers.again(draft)


def start(draft: Draft) -> None:
    """The screening: gone on with where it stands, begun otherwise."""
    waiting = draft.state.waiting
    if isinstance(waiting, Asking) and waiting.flow == nodes.SCREENING:
        if answers.still_stands(draft):
            draft.words(draft.content.phrases.resumed)
            answers.again(draft)
        return
    nodes.enter(draft, nodes.SCREENING)


def today(draft: Draft) -> None:
    """Today's care: by way of the daily card. While something serious is open, its advice instead."""
    waiting, lock = draft.state.waiting, draft.state.lock
    if isinstance(waiting, Asking) and waiting.flow == nodes.SCREENING:
        start(draft)
    elif lock is not None:
        draft.words(draft.content.phrases.locked_today)
        advice.repeat(draft, lock)
    else:
        nodes.enter(draft, nodes.TODAY)


def go_on(draft: Draft) -> None:
    """Back to what waits."""
    if draft.state.waiting is None:
        menu(draft)
    elif answers.still_stands(draft):
        answers.again(draft)


def menu(draft: Draft) -> None:
    """Everything that can be asked for, as buttons that stay."""
    phrases = draft.content.phrases
    choices = tuple(draft.command(c) for c in MENU)
    draft.say(Card(draft.text(phrases.menu_title), draft.text(phrases.menu_text), choices=choices))
    more = [
        Command.ENGLISH if draft.state.locale == "ja" else Command.JAPANESE,
        Command.DATA,
        Command.CONSENTS,
        Command.ERASE,
    ]
    if draft.state.waiting is not None:
        more.insert(0, Command.GO_ON)
    draft.quick(*(draft.command(c) for c in more))


def human(draft: Draft) -> None:
    """Asks staff to get in touch. Says plainly whether anybody is there now."""
    phrases = draft.content.phrases
    draft.do(RequestHuman())
    aside(draft, draft.text(phrases.human if is_open(draft) else phrases.human_closed))


def is_open(draft: Draft) -> bool:
    """Whether the clinic is open now by its weekly hours."""
    local = draft.now.astimezone(draft.facts.zone)
    at = local.strftime("%H:%M")
    return any(h.weekday == local.weekday() and h.opens <= at < h.closes for h in draft.content.clinic.hours)


def hours(draft: Draft) -> None:
    """The weekly hours, a line a day."""
    phrases, clinic = draft.content.phrases, draft.content.clinic
    names = draft.text(phrases.weekdays).split()
    rows = []
    for day, name in enumerate(names):
        spans = [f"{h.opens}-{h.closes}" for h in clinic.hours if h.weekday == day]
        rows.append(f"{name}  {'  '.join(spans) or draft.text(phrases.closed_day)}")
    aside(draft, draft.text(phrases.hours, {"hours": "\n".join(rows)}) + "\n" + draft.text(clinic.hours_note))


def assessment(draft: Draft) -> None:
    """Where to book, as far as the clinic has said. Never offered in place of a doctor."""
    phrases, clinic, lock = draft.content.phrases, draft.content.clinic, draft.state.lock
    if lock is not None:
        booking.doctor_first(draft, lock)
        return
    links = draft.links()
    if not links:
        aside(draft, draft.text(phrases.assessment_nothing))
        return
    text = "\n".join([draft.text(phrases.assessment), draft.text(clinic.booking_policy)])
    draft.say(Card(draft.text(phrases.commands[Command.ASSESSMENT]), text, choices=links))
    if draft.state.waiting is not None:
        draft.quick(draft.command(Command.GO_ON))


def not_me(draft: Draft) -> None:
    """The advice did not fit: its card is asked again."""
    if draft.state.lock is None:
        _not_no_massage(draft)
    elif draft.state.alone and draft.state.waiting is not None:
        go_on(draft)
    else:
        answers.recheck(draft, draft.state.lock)


def _not_no_massage(draft: Draft) -> None:
    """`no_massage` locks nothing, so its card is found by the flags of the screening."""
    screening = draft.state.screening
    worst = next((f for f in draft.content.safety.flag if screening and f.id in screening.flags[:1]), None)
    if screening is None or screening.outcome is not Disposition.NO_MASSAGE or worst is None:
        menu(draft)
        return
    card = worst.card.split("/")[-1]
    outcome = Disposition.NO_MASSAGE
    answers.recheck(draft, Lock(outcome, screening.flags, outcome.value, screening.at, "answers", card))


WEEK = timedelta(days=7)


def progress(draft: Draft) -> None:
    """What has been done lately, in words, and the page that shows more. A number is said, never a judgement."""
    state, phrases = draft.state, draft.content.phrases
    text = draft.text(phrases.progress_none)
    if state.pains:
        week = sum(draft.since(at) < WEEK for at in state.recent_sessions)
        text = draft.text(phrases.progress, {"week": str(week), "pain": str(state.pains[-1].value)})
    if not draft.facts.pages:
        aside(draft, text)
        return
    page = Choice(draft.text(phrases.progress_page), page="progress", style="main")
    _show(draft, Card(draft.text(phrases.commands[Command.PROGRESS]), text, choices=(page, weekly.choice(draft))))


def data(draft: Draft) -> None:
    """What is stored, and how to take it back or have it deleted."""
    phrases = draft.content.phrases
    page = Choice(draft.text(phrases.data_page), page="data", style="main")
    text = phrases.data if draft.facts.pages else phrases.data_here
    ways = tuple(draft.command(c) for c in (Command.SUMMARY, Command.CONSENTS, Command.ERASE))
    choices = (page, *ways) if draft.facts.pages else ways
    _show(draft, Card(draft.text(phrases.commands[Command.DATA]), draft.text(text), choices=choices))


def _show(draft: Draft, card: Card) -> None:
    draft.say(card)
    waits = draft.state.waiting is not None
    draft.quick(*(draft.command(c) for c in ((Command.GO_ON,) if waits else (Command.TODAY, Command.MENU))))


def withdraw(draft: Draft, purpose: str) -> None:
    """One consent is taken back. Without the first of them nothing goes on."""
    if purpose == "guidance":
        stop(draft)
    elif purpose in draft.state.consents:
        draft.change(consents={p: at for p, at in draft.state.consents.items() if p != purpose})
        draft.do(SetConsents((), (purpose,)))
        aside(draft, draft.text(draft.content.phrases.withdrawn))


def stop(draft: Draft) -> None:
    """Everything ends in one tap: consents withdrawn, nothing more sent unasked. What is open for safety stays."""
    withdrawn = tuple(sorted(draft.state.consents))
    draft.change(consents={}, waiting=None, clearance=None, stopped=True, alone=False, parked=None, trail=())
    if withdrawn:
        draft.do(SetConsents((), withdrawn))
    draft.do(HoldTimed())
    draft.words(draft.content.phrases.stopped)
    booking_words.mention(draft, draft.content.booking.stands)
    draft.quick(draft.command(Command.START), draft.command(Command.ERASE))


def erase_question(draft: Draft) -> None:
    """Asks once more before everything is deleted."""
    phrases = draft.content.phrases
    yes = Choice(draft.text(phrases.erase_yes), token=PickToken(draft.turn, ERASE, "yes"))
    no = Choice(draft.text(phrases.erase_no), token=CommandToken(Command.GO_ON), style="main")
    too = booking_words.ahead(draft, draft.content.booking.ends_with_erasure)
    text = "\n".join(filter(None, (draft.text(phrases.erase_ask), too)))
    draft.say(Card(draft.text(phrases.commands[Command.ERASE]), text, choices=(no, yes)))


def erase(draft: Draft) -> None:
    """Deletes everything; what is said last is in the language that was spoken."""
    draft.words(draft.content.phrases.erased)
    draft.state = State(locale=draft.state.locale, turn=draft.state.turn)
    draft.do(EraseContact())
