"""A turn while it is being written: the state so far, what will be said, what will be done."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.content.model import Action, Content, Wording
from bot.engine.diary import Diary
from bot.engine.state import Effect, Facts, HoldTimed, State, Turn
from bot.messages import MAX_PARTS, Choice, Command, CommandToken, Message, Part, Words


class Draft:
    """Mutable, and alive only inside one call of `step`."""

    def __init__(self, content: Content, state: State, facts: Facts) -> None:
        self.content = content
        self.state = state
        self.facts = facts
        self.turn = state.turn + 1
        self.safety = False
        self.surface: Literal["chat", "home"] = "chat"
        self._before = state
        self._needs_diary = False
        self._parts: list[Part] = []
        self._quick: tuple[Choice, ...] = ()
        self._effects: list[Effect] = []

    @property
    def now(self) -> datetime:
        """Aware UTC."""
        return self.facts.now

    @property
    def zone(self) -> ZoneInfo:
        """The patient's own time zone, else the clinic's. Opening hours and appointments go by the clinic's (`facts.zone`)."""
        return ZoneInfo(self.state.zone) if self.state.zone else self.facts.zone

    def since(self, moment: datetime | None) -> timedelta:
        """Time passed; a very long one when there is no moment."""
        return timedelta.max if moment is None else self.now - moment

    def change(self, **fields: Any) -> None:
        """Replaces fields of the state."""
        self.state = replace(self.state, **fields)

    def do(self, effect: Effect) -> None:
        """Adds an effect. What is held is remembered too."""
        self._effects.append(effect)
        reminder = self.state.reminder
        if isinstance(effect, HoldTimed) and reminder is not None and reminder.status == "on":
            self.change(reminder=replace(reminder, status="held"))
        weekly = self.state.weekly
        if isinstance(effect, HoldTimed) and weekly is not None and weekly.status == "on":
            self.change(weekly=replace(weekly, status="held"))

    def text(self, wording: Wording, values: Mapping[str, str] | None = None) -> str:
        """The sentence in the patient's language, `{name}` filled in."""
        text = wording.to(self.state.locale)
        for name, value in (values or {}).items():
            text = text.replace("{" + name + "}", value)
        return text

    def say(self, *parts: Part) -> None:
        """Adds parts. Neighbouring plain texts become one, so that a turn stays within one delivery."""
        for part in parts:
            last = self._parts[-1] if self._parts else None
            if isinstance(part, Words) and isinstance(last, Words):
                self._parts[-1] = Words(f"{last.text}\n\n{part.text}")
            else:
                self._parts.append(part)

    def words(self, wording: Wording, **values: str) -> None:
        """Adds a plain text."""
        self.say(Words(self.text(wording, values)))

    def quick(self, *choices: Choice) -> None:
        """Sets the answers under the last part."""
        self._quick = choices

    @property
    def said(self) -> bool:
        """Whether anything will be said."""
        return bool(self._parts)

    @property
    def room(self) -> int:
        """How many parts more the turn can say."""
        return MAX_PARTS - len(self._parts)

    def command(self, command: Command) -> Choice:
        """The standing button of a command."""
        label = self.text(self.content.phrases.commands[command])
        return Choice(label, token=CommandToken(command))

    def action(self, action: Action) -> Choice | None:
        """The button of an action; None when the clinic has not set what it needs."""
        label = self.text(action.label)
        if action.command is not None:
            return Choice(label, token=CommandToken(action.command))
        if action.phone is not None:
            line = next(p for p in self.content.clinic.phone_line if p.id == action.phone)
            return Choice(label, uri=telephone(line.number), style="main")
        clinic = self.content.clinic
        match action.link:
            case "booking":
                uri = clinic.booking_url
            case "map":
                uri = clinic.map_url
            case _:
                uri = telephone(clinic.phone) if clinic.phone else ""
        return Choice(label, uri=uri) if uri else None

    def actions(self, actions: tuple[Action, ...]) -> tuple[Choice, ...]:
        """The buttons that can be shown."""
        return tuple(c for c in map(self.action, actions) if c is not None)

    def links(self) -> tuple[Choice, ...]:
        """Buttons for what the clinic has set of booking page, phone and map."""
        clinic, phrases = self.content.clinic, self.content.phrases
        targets = (
            (phrases.booking_label, clinic.booking_url),
            (phrases.phone_label, telephone(clinic.phone) if clinic.phone else ""),
            (phrases.map_label, clinic.map_url),
        )
        return tuple(Choice(self.text(label), uri=uri) for label, uri in targets if uri)

    def diary(self) -> Diary | None:
        """The clinic's calendar; None asks for the turn to be made again with it, and the caller returns at once."""
        self._needs_diary = self.facts.diary is None
        return self.facts.diary

    def finish(self) -> Turn:
        """The turn. One that says nothing in the chat keeps its number, so the buttons on screen stay good."""
        if self._needs_diary:
            return Turn(self._before, needs_diary=True)
        if not self._parts:
            return Turn(self.state, None, tuple(self._effects))
        parts = tuple(self._parts)
        if len(parts) > MAX_PARTS:
            raise ValueError(f"{len(parts)} parts in one turn")
        message = Message(parts, self._quick, self.safety, self.surface)
        if self.surface == "home":
            return Turn(self.state, message, tuple(self._effects))
        return Turn(replace(self.state, turn=self.turn), message, tuple(self._effects))


def telephone(number: str) -> str:
    """A tel: link. `#` must be escaped, or phones dial only what stands before it."""
    return "tel:" + number.replace("#", "%23")
