"""Reminders as the patient talks about them: chosen, changed, put off, stopped. The question that waits goes on waiting."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.content.rules import DAILY
from bot.engine import answers, nodes, reminder_words, understand, weekly, zones
from bot.engine.draft import Draft
from bot.engine.reminder_plan import KIND, arm, end, next_at, thinned
from bot.engine.reminder_words import button, clock, days_words, digits
from bot.engine.state import Reminder, SnoozeReminder
from bot.messages import Card, Choice, Command, Words

SNOOZE_LEAST, SNOOZE_MOST, SNOOZE_USUAL = 5, 180, 30
"""Minutes: what is less or more is taken for the least or the most; when nothing is said, the usual."""

WEEK = timedelta(days=7)


# --- what the patient asks for ----------------------------------------------------------------------------------------


def menu(draft: Draft) -> None:
    """What is set, with everything that can be done about it; the times to choose from when nothing is."""
    reminder = draft.state.reminder
    if not _may(draft):
        return
    if reminder is None or reminder.status == "off":
        _ask_time(draft, reminder.days if reminder else DAILY)
    else:
        _show(draft, reminder)


def asked(draft: Draft, wish: understand.SetReminder | understand.Snooze | understand.StopReminders) -> None:
    """In the patient's own words."""
    match wish:
        case understand.SetReminder():
            _wanted(draft, wish)
        case understand.Snooze(minutes=minutes):
            _snooze(draft, minutes or SNOOZE_USUAL)
        case understand.StopReminders():
            _stop(draft)


def picked(draft: Draft, what: str, option: str) -> bool:
    """A button of reminders. False for one that this program does not write."""
    name, _, rest = what.partition("/")
    match name:
        case "time":
            return _picked_time(draft, rest, option)
        case "change":
            if _may(draft):
                _ask_time(draft, draft.state.reminder.days if draft.state.reminder else DAILY)
        case "days" if option == "ask":
            if _may(draft):
                _ask_days(draft)
        case "days":
            days = reminder_words.from_digits(option)
            if days is None:
                return False
            _set_days(draft, days)
        case "snooze" if option.isascii() and option.isdigit() and len(option) < 4:
            _snooze(draft, int(option))
        case "skip":
            skip(draft)
        case "zone":
            return zones.picked(draft, option)
        case "weekly":
            return weekly.picked(draft, option)
        case "did" if option in ("done", "partly"):
            if not report(draft, option):
                menu(draft)
        case "pause":
            _rest(draft, draft.now + WEEK, draft.text(draft.content.reminders.paused))
        case "stop":
            _stop(draft)
        case "again":
            _again(draft)
        case "keep":
            _keep(draft)
        case _:
            return False
    return True


def _picked_time(draft: Draft, days: str, option: str) -> bool:
    chosen = reminder_words.from_digits(days)
    try:
        at = time.fromisoformat(option) if len(option) == 5 else None
    except ValueError:
        at = None
    if chosen is None or at is None or at.tzinfo is not None:
        return False
    _set(draft, at, chosen)
    return True


def _wanted(draft: Draft, wish: understand.SetReminder) -> None:
    if not _may(draft):
        return
    before = draft.state.reminder
    days = reminder_words.said_days(wish.days) if wish.days else before.days if before else DAILY
    if wish.times and wish.times[0].ambiguous:
        halves = reminder_words.halves(draft, wish.times[0], days)
        _say(draft, draft.text(draft.content.reminders.which), (*halves, button(draft, "change", "change")))
    elif wish.times:
        _set(draft, time(wish.times[0].hour, wish.times[0].minute), days)
    elif wish.anchor is not None:
        moment = next((m for m in draft.content.reminders.moments if m.id == wish.anchor), None)
        if moment is None:
            _ask_time(draft, days)
        else:
            _set(draft, moment.at, days)
    elif wish.days and before is not None and before.status == "on":
        _set(draft, before.at, days)
    else:
        _ask_time(draft, days)


def _may(draft: Draft) -> bool:
    """Reminders are for those who agreed to be guided, and rest while something serious is open. Says so if not."""
    if "guidance" not in draft.state.consents:
        draft.words(draft.content.phrases.no_consent)
        draft.quick(draft.command(Command.START))
        return False
    if draft.state.lock is not None:
        _aside(draft, draft.text(draft.content.reminders.not_while_locked))
        return False
    return True


def _ask_time(draft: Draft, days: tuple[int, ...]) -> None:
    words = draft.content.reminders
    moments = (reminder_words.moment_button(draft, moment, days) for moment in words.moments)
    _say(draft, draft.text(words.ask), (*moments, reminder_words.picker(draft, days)))


def _ask_days(draft: Draft) -> None:
    sets = (DAILY, reminder_words.WEEKDAYS, reminder_words.WEEKENDS)
    choices = tuple(
        replace(button(draft, "days", "days", digits(days)), label=_capital(days_words(draft, days))) for days in sets
    )
    _say(draft, draft.text(draft.content.reminders.ask_days), choices)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _set_days(draft: Draft, days: tuple[int, ...]) -> None:
    reminder = draft.state.reminder
    if reminder is None:
        if _may(draft):
            _ask_time(draft, days)
    else:
        _set(draft, reminder.at, days)


def _set(draft: Draft, at: time, days: tuple[int, ...]) -> None:
    """A time was chosen: it is said back in words."""
    if not _may(draft):
        return
    if draft.content.reminders.quiet_hours.hold(at):
        draft.words(draft.content.reminders.quiet)
        _ask_time(draft, days)
        return
    arm(draft, Reminder(at, days))
    _show(draft, Reminder(at, days))


def _again(draft: Draft) -> None:
    weekly.resume(draft)
    reminder = draft.state.reminder
    if reminder is None:
        menu(draft)
    else:
        _set(draft, reminder.at, reminder.days)


def _keep(draft: Draft) -> None:
    """Not fewer, as before."""
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "on":
        menu(draft)
        return
    arm(draft, replace(reminder, cadence="own"))
    _aside(draft, draft.text(draft.content.reminders.kept))


def _snooze(draft: Draft, minutes: int) -> None:
    reminder, words = draft.state.reminder, draft.content.reminders
    if reminder is None or reminder.status != "on":
        menu(draft)
        return
    minutes = min(max(minutes, SNOOZE_LEAST), SNOOZE_MOST)
    until = draft.now + timedelta(minutes=minutes)
    if words.quiet_hours.hold(until.astimezone(draft.zone).time()):
        _rest(draft, _tomorrow(draft), draft.text(words.snoozed_late))
        return
    draft.do(SnoozeReminder(KIND, until))
    _aside(draft, draft.text(words.snoozed, {"minutes": str(minutes)}))


def skip(draft: Draft) -> None:
    """Nothing more today."""
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "on":
        _aside(draft, draft.text(draft.content.phrases.skipped))
        return
    _rest(draft, _tomorrow(draft), draft.text(draft.content.reminders.rested))


def report(draft: Draft, how: str) -> bool:
    """Today's care was done without being guided (`how`: done, partly): asks how the pain is. False when that cannot be
    asked now."""
    state = draft.state
    if (
        "guidance" not in state.consents
        or state.lock is not None
        or state.screening is None
        or state.waiting is not None
    ):
        return False
    draft.change(clearance=None)
    nodes.enter(draft, nodes.AFTER, "pain_after", {"report": how})
    return True


def _rest(draft: Draft, until: datetime, said: str) -> None:
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "on":
        menu(draft)
        return
    arm(draft, replace(reminder, rest_until=until))
    _aside(draft, f"{said}{_next(draft)}")


def _stop(draft: Draft) -> None:
    reminder, words = draft.state.reminder, draft.content.reminders
    if reminder is None or reminder.status == "off":
        _aside(draft, draft.text(words.none))
        return
    end(draft, reminder)
    _aside(draft, draft.text(words.stopped))


def _tomorrow(draft: Draft) -> datetime:
    """The last moment of today, local."""
    local = draft.now.astimezone(draft.zone)
    return datetime.combine(local.date(), time(23, 59, 59), draft.zone)


# --- how it is said ---------------------------------------------------------------------------------------------------


def _show(draft: Draft, reminder: Reminder) -> None:
    words = draft.content.reminders
    values = {"days": days_words(draft, thinned(reminder.days, reminder.cadence)), "time": clock(reminder.at)}
    stop = button(draft, "stop", "stop")
    if reminder.status == "held":
        _say(
            draft,
            draft.text(words.held, values),
            (*reminder_words.again(draft), button(draft, "change", "change"), stop),
        )
        return
    text = draft.text(words.set, values) + _next(draft)
    keep: tuple[Choice, ...] = ()
    if reminder.cadence != "own":
        text += "\n" + draft.text(words.fewer_now)
        keep = (button(draft, "keep", "keep"),)
    change = (button(draft, "change", "change"), button(draft, "days", "days", "ask"), button(draft, "pause", "pause"))
    _say(draft, text, (*keep, *change, weekly.choice(draft), zones.choice(draft), stop))


def _next(draft: Draft) -> str:
    """When the next one comes, on a line of its own; empty when none does."""
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "on":
        return ""
    local = next_at(draft, reminder).astimezone(draft.zone)
    names = draft.text(draft.content.phrases.weekdays).split()
    values = {"date": f"{local.month}/{local.day}", "day": names[local.weekday()], "time": clock(local.time())}
    return "\n" + draft.text(draft.content.reminders.next, values)


def _say(draft: Draft, text: str, choices: tuple[Choice, ...]) -> None:
    """A card by the way: the question that waits goes on waiting."""
    draft.say(Card(draft.text(draft.content.reminders.title), text, choices=choices))
    if draft.state.waiting is not None:
        draft.quick(draft.command(Command.GO_ON))


def _aside(draft: Draft, text: str) -> None:
    draft.say(Words(text))
    if draft.state.waiting is None:
        draft.quick(*(draft.command(c) for c in (Command.TODAY, Command.REMINDER, Command.MENU)))
    elif answers.still_stands(draft):
        answers.again(draft)
