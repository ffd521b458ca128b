"""The plan of reminders: on which days they come, from when on, and how it changes with the patient's answers."""

from dataclasses import replace
from datetime import datetime

from bot.content.rules import ReminderRule, next_fire
from bot.engine.draft import Draft
from bot.engine.state import Cadence, EndReminder, Reminder, SetReminder
from bot.messages import ReminderKind

KIND: ReminderKind = "care"
FEWER: dict[Cadence, Cadence | None] = {"own": "three", "three": "one", "one": None}
MORE: dict[Cadence, Cadence] = {"own": "own", "three": "own", "one": "three"}


def thinned(days: tuple[int, ...], cadence: Cadence) -> tuple[int, ...]:
    """The days on which reminders come: all, three spread over them, or the first."""
    match cadence:
        case "own":
            return days
        case "three":
            return days if len(days) <= 3 else (days[0], days[(len(days) - 1) // 2], days[-2])
        case "one":
            return days[:1]


def fewer(reminder: Reminder) -> Cadence | None:
    """The next step down that makes a difference; None after the last."""
    cadence = FEWER[reminder.cadence]
    while cadence is not None and thinned(reminder.days, cadence) == thinned(reminder.days, reminder.cadence):
        cadence = FEWER[cadence]
    return cadence


def next_at(draft: Draft, reminder: Reminder) -> datetime:
    """When the next one comes (aware UTC)."""
    after = max(draft.now, reminder.rest_until or draft.now)
    return next_fire(_rule(draft, reminder), after, draft.content.reminders.quiet_hours)


def _rule(draft: Draft, reminder: Reminder) -> ReminderRule:
    return ReminderRule(reminder.at, thinned(reminder.days, reminder.cadence), draft.zone.key)


def arm(draft: Draft, reminder: Reminder) -> None:
    """Remembers it and has it come."""
    draft.change(reminder=replace(reminder, status="on", unanswered=0, awaiting=False))
    draft.do(SetReminder(KIND, _rule(draft, reminder), next_at(draft, reminder)))


def end(draft: Draft, reminder: Reminder) -> None:
    """No more of them. The time and the days are remembered, for one tap to begin again."""
    draft.change(reminder=replace(reminder, status="off", cadence="own", unanswered=0, awaiting=False))
    draft.do(EndReminder(KIND))


def heard(draft: Draft) -> None:
    """The patient did something: whoever answers a reminder is reminded a step more often again, up to their own days."""
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "on" or not reminder.awaiting:
        return
    if reminder.cadence == "own":
        draft.change(reminder=replace(reminder, unanswered=0, awaiting=False))
    else:
        arm(draft, replace(reminder, cadence=MORE[reminder.cadence]))
