"""The summary of the week: on the day the patient likes, or with the answer to something they do on that day."""

from dataclasses import replace
from datetime import date, time, timedelta
from statistics import median

from bot.content.rules import ReminderRule, next_fire
from bot.engine import reminder_due
from bot.engine.draft import Draft
from bot.engine.reminder_words import REMINDER, clock
from bot.engine.state import EndReminder, PassOver, SetReminder, Weekly
from bot.messages import Card, Choice, Command, PickToken, Picture, ReminderDue, ReminderKind

KIND: ReminderKind = "weekly"
WEEK = 7
FORGIVEN = 2
"""Care on one day and on the next but one is still care that goes on."""


def choice(draft: Draft) -> Choice:
    """The button that leads to choosing the day, or to changing it."""
    words, weekly = draft.content.programme.weekly, draft.state.weekly
    label = words.change_label if weekly is not None and weekly.status != "off" else words.label
    return Choice(draft.text(label), token=PickToken(0, f"{REMINDER}/weekly", "ask"))


def picked(draft: Draft, option: str) -> bool:
    """A button of the summary. False for one that this program does not write."""
    match option:
        case "ask":
            _ask(draft)
        case "stop":
            _stop(draft)
        case _ if len(option) == 1 and option in "0123456":
            _set(draft, int(option))
        case _:
            return False
    return True


def resume(draft: Draft) -> None:
    """What was held comes again."""
    weekly = draft.state.weekly
    if weekly is not None and weekly.status == "held":
        _arm(draft, weekly)


def moved(draft: Draft) -> None:
    """The time zone has changed."""
    weekly = draft.state.weekly
    if weekly is not None and weekly.status == "on":
        _arm(draft, weekly)


def heard(draft: Draft) -> None:
    """The patient did something."""
    weekly = draft.state.weekly
    if weekly is not None and weekly.unanswered:
        draft.change(weekly=replace(weekly, unanswered=0))


def due(draft: Draft, event: ReminderDue) -> None:
    """Its hour has come: said now, unless it was said today already or must not come. Nobody is written to for ever."""
    weekly = draft.state.weekly
    if weekly is None or weekly.status != "on":
        draft.do(PassOver("extra", "off"))
        return
    reason = "done" if weekly.said_on == _today(draft) else reminder_due.why_not(draft, event)
    if reason is not None:
        draft.do(PassOver("extra", reason))
        return
    draft.change(weekly=replace(weekly, unanswered=weekly.unanswered + 1))
    ending = weekly.unanswered + 1 >= draft.content.programme.weekly.patience
    _say(draft, draft.text(draft.content.programme.weekly.last) if ending else "")
    if ending:
        _end(draft)


def ride_along(draft: Draft) -> None:
    """On its day it goes with the answer to a session, which is free; then nothing more is sent that day."""
    weekly, today = draft.state.weekly, _today(draft)
    if weekly is not None and weekly.status == "on" and weekly.day == today.weekday() and weekly.said_on != today:
        _say(draft, "")


def _say(draft: Draft, ending: str) -> None:
    words, state = draft.content.programme.weekly, draft.state
    today = _today(draft)
    if state.weekly is not None:
        draft.change(weekly=replace(state.weekly, said_on=today))
    opening = draft.text(words.openings[today.toordinal() // WEEK % len(words.openings)])
    text = "\n".join(filter(None, (opening, *_numbers(draft), ending)))
    if draft.facts.pages and state.pains and state.recent_sessions:
        draft.say(Picture("", draft.text(words.chart), page="trend"))
    page = (Choice(draft.text(draft.content.phrases.progress_page), page="progress"),) if draft.facts.pages else ()
    stop = Choice(draft.text(words.stop_label), token=PickToken(0, f"{REMINDER}/weekly", "stop"))
    choices = (replace(draft.command(Command.TODAY), style="main"), *page, choice(draft), *(() if ending else (stop,)))
    draft.say(Card(draft.text(words.title), text, choices=choices))


def _numbers(draft: Draft) -> tuple[str, ...]:
    """What was done and what was told, as numbers; never a judgement."""
    words, state, zone, today = draft.content.programme.weekly, draft.state, draft.zone, _today(draft)
    days = [today - at.astimezone(zone).date() for at in state.recent_sessions]
    week = sum(gap < timedelta(days=WEEK) for gap in days)
    if not week:
        return (draft.text(words.quiet),)
    streak = state.programme.streak if days[-1] <= timedelta(days=FORGIVEN) else 0
    counts = draft.text(words.counts, {"week": str(week), "streak": str(streak)})
    pains = [pain.value for pain in state.pains if draft.since(pain.at) < timedelta(days=WEEK)]
    return (counts, draft.text(words.pain, {"pain": f"{median(pains):g}"})) if pains else (counts,)


def _ask(draft: Draft) -> None:
    words = draft.content.programme.weekly
    names = draft.text(draft.content.phrases.weekdays).split()
    suffix = "曜日" if draft.state.locale == "ja" else ""
    days = tuple(
        Choice(name + suffix, token=PickToken(0, f"{REMINDER}/weekly", str(day))) for day, name in enumerate(names)
    )
    _card(draft, draft.text(words.ask), days)


def _set(draft: Draft, day: int) -> None:
    """At the hour of the reminders, so that the two can come together."""
    if not reminder_due.agreed(draft):
        return
    words, reminder = draft.content.programme.weekly, draft.state.reminder
    at: time = reminder.at if reminder is not None and reminder.status != "off" else words.at
    before = draft.state.weekly
    _arm(draft, Weekly(day, at, said_on=before.said_on if before else None))
    name = draft.text(draft.content.phrases.weekdays).split()[day]
    stop = Choice(draft.text(words.stop_label), token=PickToken(0, f"{REMINDER}/weekly", "stop"))
    _card(draft, draft.text(words.set, {"day": name, "time": clock(at)}), (choice(draft), stop))


def _stop(draft: Draft) -> None:
    if draft.state.weekly is not None:
        _end(draft)
    _card(draft, draft.text(draft.content.programme.weekly.stopped), (choice(draft),))


def _arm(draft: Draft, weekly: Weekly) -> None:
    draft.change(weekly=replace(weekly, status="on", unanswered=0))
    rule = ReminderRule(weekly.at, (weekly.day,), draft.zone.key)
    draft.do(SetReminder(KIND, rule, next_fire(rule, draft.now, draft.content.reminders.quiet_hours)))


def _end(draft: Draft) -> None:
    assert draft.state.weekly is not None
    draft.change(weekly=replace(draft.state.weekly, status="off", unanswered=0))
    draft.do(EndReminder(KIND))


def _card(draft: Draft, text: str, choices: tuple[Choice, ...]) -> None:
    """By the way: the question that waits goes on waiting."""
    draft.say(Card(draft.text(draft.content.programme.weekly.title), text, choices=choices))
    if draft.state.waiting is not None:
        draft.quick(draft.command(Command.GO_ON))


def _today(draft: Draft) -> date:
    return draft.now.astimezone(draft.zone).date()
