"""What an everyday request in free text means to the engine."""

from dataclasses import dataclass
from typing import Literal

from bot.content.model import Content
from bot.engine import understand
from bot.messages import Command


@dataclass(frozen=True, slots=True)
class Wish:
    """At most one of `command` (do it), `asked` (which exercise suits; how to prevent it), `reminder` (about reminders),
    `number` (an answer to a question for one), `done` (a step or routine is finished; `half` of it), `skip` (not today) and
    `phrase` (the name of a sentence in phrases.toml) is set; none
    of them: not understood."""

    command: Command | None = None
    reminder: understand.SetReminder | understand.Snooze | understand.StopReminders | None = None
    number: int | None = None
    done: bool = False
    half: bool = False
    skip: bool = False
    phrase: str | None = None
    asked: Literal["exercise", "prevention"] | None = None


def read(text: str, content: Content) -> Wish:
    """The wish in a text that raised no alarm."""
    match understand.understand(text, content.vocabulary, content.requests):
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
            return Wish()
