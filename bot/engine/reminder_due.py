"""A reminder is due: one message or none, and fewer of them when nobody answers."""

from dataclasses import replace
from datetime import timedelta

from bot.engine.draft import Draft
from bot.engine.reminder_plan import arm, end, fewer, thinned
from bot.engine.reminder_words import button, days_words
from bot.messages import Card, Choice, Command, ReminderDue

SNOOZES = (10, 30, 60)
"""Minutes that can be tapped; others can be written."""


def due(draft: Draft, event: ReminderDue) -> None:
    """One message, or none: nobody is reminded who must not or need not be."""
    reminder = draft.state.reminder
    if reminder is None or reminder.status != "on" or not _welcome(draft, event):
        return
    if reminder.unanswered < draft.content.reminders.patience:
        draft.change(reminder=replace(reminder, unanswered=reminder.unanswered + 1, awaiting=True))
        _prompt(draft)
    elif (cadence := fewer(reminder)) is not None:
        arm(draft, replace(reminder, cadence=cadence))
        assert draft.state.reminder is not None
        draft.change(reminder=replace(draft.state.reminder, awaiting=True))
        days = days_words(draft, thinned(reminder.days, cadence))
        choices = (_start(draft), button(draft, "keep", "keep"), button(draft, "stop", "stop"))
        _remind(draft, draft.text(draft.content.reminders.fewer, {"days": days}), choices)
    else:
        end(draft, reminder)
        _remind(draft, draft.text(draft.content.reminders.goodbye), (button(draft, "again", "again"), _start(draft)))


def _welcome(draft: Draft, event: ReminderDue) -> bool:
    """Whether a reminder may come now: agreed to, nothing serious open, in time, not at night, not in the middle of a
    conversation, and today's care not begun yet."""
    state, words, zone = draft.state, draft.content.reminders, draft.facts.zone
    if state.lock is not None or state.stopped or "guidance" not in state.consents:
        return False
    local = draft.now.astimezone(zone)
    if draft.now >= event.expires_at or words.quiet_hours.hold(local.time()):
        return False
    talking = state.waiting is not None and draft.since(state.waiting.since) < timedelta(minutes=words.talk_minutes)
    done = any(at.astimezone(zone).date() == local.date() for at in state.recent_sessions)
    return not talking and not done


def _prompt(draft: Draft) -> None:
    """Today's wording, the same for everybody, so that one call can carry it to many."""
    prompts = draft.content.reminders.prompts
    today = draft.now.astimezone(draft.facts.zone).date()
    later = (button(draft, "minutes", "snooze", str(minutes), minutes=str(minutes)) for minutes in SNOOZES)
    choices = (_start(draft), *later, button(draft, "skip", "skip"), button(draft, "stop", "stop"))
    _remind(draft, draft.text(prompts[today.toordinal() % len(prompts)]), choices)


def _start(draft: Draft) -> Choice:
    return replace(draft.command(Command.TODAY), style="main")


def _remind(draft: Draft, text: str, choices: tuple[Choice, ...]) -> None:
    draft.say(Card(draft.text(draft.content.phrases.commands[Command.TODAY]), text, choices=choices))
