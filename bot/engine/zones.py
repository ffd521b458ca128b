"""The patient's own time zone: chosen, said, or known to the messenger. What is set moves with it: 21:00 stays 21:00."""

from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.content.reminders import Place
from bot.engine import weekly
from bot.engine.draft import Draft
from bot.engine.reminder_plan import arm
from bot.engine.reminder_words import REMINDER
from bot.messages import Card, Choice, Command, PickToken


def choice(draft: Draft) -> Choice:
    """The button that leads to choosing."""
    return Choice(draft.text(draft.content.reminders.place_label), token=PickToken(0, f"{REMINDER}/zone", "ask"))


def picked(draft: Draft, option: str) -> bool:
    """A button of time zones. False for one that this program does not write."""
    if option == "ask":
        _ask(draft)
        return True
    place = next((each for each in draft.content.reminders.places if each.zone == option), None)
    if place is None:
        return False
    told(draft, place)
    return True


def known(draft: Draft, name: str) -> None:
    """As the messenger knows it (IANA). What is no time zone, and the clinic's own, changes nothing."""
    try:
        zone = ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name from outside, which may be anything
        return
    if zone and zone != draft.zone.key:
        _move(draft, zone)


def _move(draft: Draft, zone: str) -> None:
    draft.change(zone=None if zone == draft.facts.zone.key else zone)
    reminder = draft.state.reminder
    if reminder is not None and reminder.status == "on":
        unanswered, awaiting = reminder.unanswered, reminder.awaiting
        arm(draft, reminder)
        assert draft.state.reminder is not None
        draft.change(reminder=replace(draft.state.reminder, unanswered=unanswered, awaiting=awaiting))
    weekly.moved(draft)


def _ask(draft: Draft) -> None:
    words = draft.content.reminders
    places = tuple(
        Choice(draft.text(place.label), token=PickToken(0, f"{REMINDER}/zone", place.zone)) for place in words.places
    )
    _card(draft, draft.text(words.ask_place), places)


def told(draft: Draft, place: Place) -> None:
    """The patient is at `place`."""
    _move(draft, place.zone)
    now = draft.now.astimezone(draft.zone)
    values = {"place": draft.text(place.label), "time": f"{now.hour}:{now.minute:02}"}
    _card(draft, draft.text(draft.content.reminders.moved, values), (choice(draft), draft.command(Command.REMINDER)))


def _card(draft: Draft, text: str, choices: tuple[Choice, ...]) -> None:
    """By the way: the question that waits goes on waiting."""
    draft.say(Card(draft.text(draft.content.reminders.title), text, choices=choices))
    if draft.state.waiting is not None:
        draft.quick(draft.command(Command.GO_ON))
