"""A reminder is due: one message or none, and fewer of them when nobody answers."""

from dataclasses import replace
from datetime import timedelta

from bot.content.basis import Wording
from bot.engine.draft import Draft
from bot.engine.reminder_plan import arm, end, fewer, thinned
from bot.engine.reminder_words import button, days_words
from bot.engine.state import PassedOver, PassOver
from bot.messages import Card, Choice, Command, ReminderDue

SNOOZES = (10, 30, 60)
"""Minutes that can be tapped; others can be written."""


def due(draft: Draft, event: ReminderDue) -> None:
    """One message, or none: nobody is reminded who must not or need not be."""
    reminder = draft.state.reminder
    why_not = _unwelcome(draft, event)
    if reminder is None or why_not is not None:
        draft.do(PassOver("care", why_not or "off"))
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
        _remind(draft, draft.text(_of_today(draft, draft.content.reminders.fewer), {"days": days}), choices)
    else:
        end(draft, reminder)
        _remind(
            draft,
            draft.text(_of_today(draft, draft.content.reminders.goodbye)),
            (button(draft, "again", "again"), _start(draft)),
        )


def agreed(draft: Draft) -> bool:
    """Whether anything may come unasked at all: agreed to, and nothing serious open."""
    state = draft.state
    return state.lock is None and not state.stopped and "guidance" in state.consents


def why_not(draft: Draft, event: ReminderDue) -> PassedOver | None:
    """Why nothing may come now. It must be agreed to, nothing serious open, in time, not at night, and not in the middle of
    a conversation."""
    state, words = draft.state, draft.content.reminders
    talking = state.waiting is not None and draft.since(state.waiting.since) < timedelta(minutes=words.talk_minutes)
    reasons: tuple[tuple[PassedOver, bool], ...] = (
        ("locked", state.lock is not None),
        ("stopped", state.stopped),
        ("no_consent", "guidance" not in state.consents),
        ("too_late", draft.now >= event.expires_at),
        ("quiet", words.quiet_hours.hold(draft.now.astimezone(draft.zone).time())),
        ("talking", talking),
    )
    return next((reason for reason, holds in reasons if holds), None)


def _unwelcome(draft: Draft, event: ReminderDue) -> PassedOver | None:
    """Why no reminder may come now: it must be wanted, too, and today's care not begun yet."""
    state, zone = draft.state, draft.zone
    if state.reminder is None or state.reminder.status != "on":
        return "off"
    today = draft.now.astimezone(zone).date()
    done = any(at.astimezone(zone).date() == today for at in state.recent_sessions)
    return why_not(draft, event) or ("done" if done else None)


def _prompt(draft: Draft) -> None:
    """Today's wording, the same for everybody, so that one call can carry it to many."""
    later = (button(draft, "minutes", "snooze", str(minutes), minutes=str(minutes)) for minutes in SNOOZES)
    did = button(draft, "did", "did", "done")
    choices = (_start(draft), did, *later, button(draft, "skip", "skip"), button(draft, "stop", "stop"))
    _remind(draft, draft.text(_of_today(draft, draft.content.reminders.prompts)), choices)


def _of_today(draft: Draft, wordings: tuple[Wording, ...]) -> Wording:
    """The one whose turn it is on this local day."""
    return wordings[draft.now.astimezone(draft.zone).date().toordinal() % len(wordings)]


def _start(draft: Draft) -> Choice:
    return replace(draft.command(Command.TODAY), style="main")


def _remind(draft: Draft, text: str, choices: tuple[Choice, ...]) -> None:
    draft.say(Card(draft.text(draft.content.phrases.commands[Command.TODAY]), text, choices=choices))
