"""What an everyday request in free text means to the engine."""

from dataclasses import dataclass
from typing import Literal

from bot.content.model import Content
from bot.content.reminders import Place
from bot.engine import understand
from bot.engine.normal import normalise
from bot.messages import Command

_IS_AT = ("にいます", "に住", "時間", "引っ越", "滞在", "出張", " time", "i am in", "i'm in", "live in", "moved to")
"""With the name of a place: the patient says where they are."""


@dataclass(frozen=True, slots=True)
class Wish:
    """At most one of `command` (do it), `asked` (which exercise suits; how to prevent it), `reminder` (about reminders),
    `number` (an answer to a question for one), `done` (a step or routine is finished; `half` of it), `skip` (not today),
    `phrase` (the name of a sentence in phrases.toml) and `place` (where the patient is) is set; none of them: not
    understood."""

    command: Command | None = None
    reminder: understand.SetReminder | understand.Snooze | understand.StopReminders | None = None
    number: int | None = None
    done: bool = False
    half: bool = False
    skip: bool = False
    phrase: str | None = None
    asked: Literal["exercise", "prevention"] | None = None
    place: Place | None = None


def read(text: str, content: Content) -> Wish:
    """The wish in a text that raised no alarm. Who says where they are is not held to have asked for what others ask in
    such words ("いまは" is no "not now"): only a pattern counts before the place."""
    place = _place(normalise(text), content)
    match understand.understand(text, content.vocabulary, None if place else content.requests):
        case understand.StartScreening():
            return Wish(Command.START)
        case understand.ShowRoutine():
            return Wish(Command.TODAY)
        case understand.Done():
            return Wish(done=True, phrase="thanks")
        case understand.HalfDone():
            return Wish(done=True, half=True, phrase="thanks")
        case understand.Skip():
            return Wish(skip=True)
        case understand.PainNumber(value=value):
            return Wish(number=value)
        case (understand.SetReminder() | understand.Snooze() | understand.StopReminders()) as wish:
            return Wish(reminder=wish)
        case understand.StopEverything():
            return Wish(Command.STOP)
        case understand.AskExercise():
            return Wish(asked="exercise")
        case understand.AskPrevention():
            return Wish(asked="prevention")
        case understand.Book():
            return Wish(Command.ASSESSMENT)
        case understand.ChangeBooking():
            return Wish(Command.CHANGE_BOOKING)
        case understand.CancelBooking():
            return Wish(Command.CANCEL_BOOKING)
        case understand.OpeningHours():
            return Wish(Command.HOURS)
        case understand.Phone():
            return Wish(Command.ASSESSMENT)
        case understand.Human():
            return Wish(Command.HUMAN)
        case understand.MyRecords():
            return Wish(Command.PROGRESS)
        case understand.DeleteData():
            return Wish(Command.ERASE)
        case understand.Language(code=code):
            return Wish(Command.ENGLISH if code == "en" else Command.JAPANESE)
        case understand.Help():
            return Wish(Command.MENU)
        case understand.Greeting():
            return Wish(phrase="greeting")
        case understand.Thanks():
            return Wish(phrase="thanks")
        case understand.Back():
            return Wish(Command.BACK)
        case understand.Unknown():
            return Wish(place=place)


def _place(text: str, content: Content) -> Place | None:
    if not any(normalise(words) in text for words in _IS_AT):
        return None
    places = content.reminders.places
    return next((it for it in places if any(normalise(name) in text for name in (it.label.ja, it.label.en))), None)
