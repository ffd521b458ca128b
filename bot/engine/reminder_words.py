"""How reminders are spoken of: days, times, and the buttons. Every button says what it does whenever it is tapped, so that
none is too old and the same reminder is the same for everybody."""

from collections.abc import Sequence
from datetime import time

from bot.content.reminders import Moment, ReminderLabel
from bot.content.rules import DAILY
from bot.engine.clock_words import DAYS, ClockTime, Days
from bot.engine.draft import Draft
from bot.messages import Choice, PickToken

REMINDER = "reminder"
"""Marks the buttons of reminders: `reminder/<what>`."""

WEEKDAYS, WEEKENDS = (0, 1, 2, 3, 4), (5, 6)


def said_days(days: Days) -> tuple[int, ...]:
    """Weekdays as numbers from the words for them; 0 is Monday."""
    match days:
        case "daily":
            return DAILY
        case "weekdays":
            return WEEKDAYS
        case "weekends":
            return WEEKENDS
        case _:
            return tuple(sorted(DAYS.index(day) for day in days))


def days_words(draft: Draft, days: Sequence[int]) -> str:
    """As they are said back."""
    words = draft.content.reminders
    for known, wording in ((DAILY, words.daily), (WEEKDAYS, words.weekdays), (WEEKENDS, words.weekends)):
        if tuple(days) == known:
            return draft.text(wording)
    names = draft.text(draft.content.phrases.weekdays).split()
    return ("・" if draft.state.locale == "ja" else ", ").join(names[day] for day in days)


def clock(at: time) -> str:
    """21:00"""
    return f"{at.hour}:{at.minute:02}"


def digits(days: Sequence[int]) -> str:
    """Weekdays as they stand in a button."""
    return "".join(map(str, days))


def from_digits(text: str) -> tuple[int, ...] | None:
    """None for what `digits` did not write."""
    days = tuple(int(char) for char in text if char in "0123456")
    return days if days and digits(sorted(set(days))) == text else None


def button(draft: Draft, label: ReminderLabel, what: str, option: str = "yes", **values: str) -> Choice:
    """A button of reminders."""
    text = draft.text(draft.content.reminders.labels[label], values)
    return Choice(text, token=PickToken(0, f"{REMINDER}/{what}", option))


def again(draft: Draft) -> tuple[Choice, ...]:
    """The one tap that brings held reminders back; nothing for everybody else."""
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "held":
        return ()
    return (button(draft, "again", "again"),)


def moment_button(draft: Draft, moment: Moment, days: Sequence[int]) -> Choice:
    """A part of the day, by the time that stands for it."""
    token = PickToken(0, f"{REMINDER}/time/{digits(days)}", moment.at.strftime("%H:%M"))
    return Choice(draft.text(moment.label), token=token)


def picker(draft: Draft, days: Sequence[int]) -> Choice:
    """Any other time."""
    label = draft.text(draft.content.reminders.labels["pick"])
    return Choice(label, token=PickToken(0, f"{REMINDER}/time/{digits(days)}", "pick"), picker="time")


def halves(draft: Draft, said: ClockTime, days: Sequence[int]) -> tuple[Choice, ...]:
    """The two times that "9 o'clock" can mean, as buttons."""
    hours = (12, 0) if said.hour == 12 else (said.hour, said.hour + 12)
    labels: tuple[ReminderLabel, ReminderLabel] = ("noon", "midnight") if said.hour == 12 else ("morning", "evening")
    shown = clock(time(said.hour, said.minute))
    return tuple(
        button(draft, label, f"time/{digits(days)}", f"{hour:02}:{said.minute:02}", time=shown)
        for hour, label in zip(hours, labels, strict=True)
    )
