"""What a typed message asks for, if it asks for one of the everyday things."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.content.vocabulary import Vocabulary
from bot.engine import amount_words, clock_words
from bot.engine.clock_words import Anchor, ClockTime, Days
from bot.engine.normal import normalise
from bot.messages import Locale

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class StartScreening:
    pass


@dataclass(frozen=True, slots=True)
class ShowRoutine:
    pass


@dataclass(frozen=True, slots=True)
class Done:
    """`pain` is the number that the report carries, if any."""

    pain: int | None = None


@dataclass(frozen=True, slots=True)
class HalfDone:
    pass


@dataclass(frozen=True, slots=True)
class Skip:
    pass


@dataclass(frozen=True, slots=True)
class Snooze:
    """`minutes` None: later, without saying how much."""

    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class PainNumber:
    value: int


@dataclass(frozen=True, slots=True)
class SetReminder:
    """`times` may be empty (an anchor, or nothing said: ask). `days` None: no days were said."""

    times: tuple[ClockTime, ...] = ()
    anchor: Anchor | None = None
    days: Days | None = None

    @property
    def ambiguous(self) -> bool:
        """Neither morning nor evening was said: ask back."""
        return any(time.ambiguous for time in self.times)


@dataclass(frozen=True, slots=True)
class StopReminders:
    pass


@dataclass(frozen=True, slots=True)
class StopEverything:
    pass


@dataclass(frozen=True, slots=True)
class Book:
    pass


@dataclass(frozen=True, slots=True)
class AskExercise:
    """Which exercise suits them."""


@dataclass(frozen=True, slots=True)
class AskPrevention:
    """How to keep it from coming back."""


@dataclass(frozen=True, slots=True)
class ChangeBooking:
    pass


@dataclass(frozen=True, slots=True)
class CancelBooking:
    pass


@dataclass(frozen=True, slots=True)
class OpeningHours:
    pass


@dataclass(frozen=True, slots=True)
class Phone:
    pass


@dataclass(frozen=True, slots=True)
class Human:
    pass


@dataclass(frozen=True, slots=True)
class MyRecords:
    pass


@dataclass(frozen=True, slots=True)
class DeleteData:
    pass


@dataclass(frozen=True, slots=True)
class Language:
    code: Locale


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Greeting:
    pass


@dataclass(frozen=True, slots=True)
class Thanks:
    pass


@dataclass(frozen=True, slots=True)
class Back:
    pass


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


Request = (
    StartScreening | ShowRoutine | Done | HalfDone | Skip | Snooze | PainNumber | SetReminder | StopReminders
    | StopEverything | Book | AskExercise | AskPrevention | ChangeBooking | CancelBooking | OpeningHours | Phone | Human | MyRecords | DeleteData
    | Language | Help | Greeting | Thanks | Back | Unknown
)  # fmt: skip


def understand(text: str, vocabulary: Vocabulary) -> Request:
    """The first everyday request, in the vocabulary's order, that `text` makes; Unknown if none."""
    folded = normalise(text[:_LONGEST])
    lookout = vocabulary.requests
    possible = lookout.possible(folded)
    for intent, patterns, unless in vocabulary.intent_patterns:
        asked = any(lookout.pattern(it).search(folded) for it in patterns & possible)
        if asked and not any(lookout.pattern(it).search(folded) for it in unless & possible):
            request = _READERS[intent.partition(".")[0]](folded)
            if request is not None:
                return request
    return Unknown()


def _snooze(text: str) -> Request | None:
    return Snooze(amount_words.minutes(text))


def _reminder(text: str) -> Request | None:
    times, days = clock_words.times(text), clock_words.days(text)
    anchor = None if times else clock_words.anchor(text)
    return SetReminder(times, anchor, days)


def _pain(text: str) -> Request | None:
    value = amount_words.pain(text)
    return None if value is None else PainNumber(value)


_READERS: dict[str, Callable[[str], Request | None]] = {
    "delete_data": lambda text: DeleteData(),
    "stop_everything": lambda text: StopEverything(),
    "stop_reminders": lambda text: StopReminders(),
    "cancel_booking": lambda text: CancelBooking(),
    "change_booking": lambda text: ChangeBooking(),
    "language_ja": lambda text: Language("ja"),
    "language_en": lambda text: Language("en"),
    "back": lambda text: Back(),
    "human": lambda text: Human(),
    "phone": lambda text: Phone(),
    "opening_hours": lambda text: OpeningHours(),
    "my_records": lambda text: MyRecords(),
    "snooze": _snooze,
    "set_reminder": _reminder,
    "half_done": lambda text: HalfDone(),
    "done": lambda text: Done(amount_words.pain(text)),
    "skip": lambda text: Skip(),
    "book": lambda text: Book(),
    "ask_exercise": lambda text: AskExercise(),
    "ask_prevention": lambda text: AskPrevention(),
    "start_screening": lambda text: StartScreening(),
    "show_routine": lambda text: ShowRoutine(),
    "pain_number": _pain,
    "help": lambda text: Help(),
    "thanks": lambda text: Thanks(),
    "greeting": lambda text: Greeting(),
}
