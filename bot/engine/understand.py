"""What a typed message asks for, if it asks for one of the everyday things."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.content.requests import ASKED, Requests
from bot.content.vocabulary import Vocabulary
from bot.engine import amount_words, clock_words
from bot.engine.clock_words import Anchor, ClockTime, Days
from bot.engine.network import ALWAYS, Signs, chances, signs, spoken
from bot.engine.normal import JAPANESE, normalise
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


def understand(text: str, vocabulary: Vocabulary, requests: Requests | None = None) -> Request:
    """What `text` asks for first: by the patterns, in the vocabulary's order, and, with `requests`, by what people are
    known to mean with such words; Unknown if nothing."""
    folded = normalise(text[:_LONGEST])
    named = named_intents(folded, vocabulary)
    by_pattern, request = request_of(folded, named)
    if requests is None:
        return request
    by_kind = chances(signs_of_request(folded, named, by_pattern, vocabulary), requests)
    chance, kind = max(zip(by_kind, ASKED, strict=True))
    if kind == by_pattern or chance * 100 < (requests.nothing if kind == "unknown" else requests.sure):
        return request
    return (_READERS_OF_LEARNED.get(kind) or _READERS[kind])(folded) or request


def named_intents(folded: str, vocabulary: Vocabulary) -> list[tuple[str, bool]]:
    """The intents that a pattern finds, in order, and whether nothing speaks against them."""
    lookout = vocabulary.requests
    possible = lookout.possible(folded)
    return [
        (intent.partition(".")[0], not any(lookout.pattern(it).search(folded) for it in unless & possible))
        for intent, patterns, unless in vocabulary.intent_patterns
        if any(lookout.pattern(it).search(folded) for it in patterns & possible)
    ]


def request_of(folded: str, named: list[tuple[str, bool]]) -> tuple[str, Request]:
    """The first intent that stands, by its name, and what it asks for."""
    for intent, stands in named:
        request = _READERS[intent](folded) if stands else None
        if request is not None:
            return intent, request
    return "unknown", Unknown()


def signs_of_request(folded: str, named: list[tuple[str, bool]], by_pattern: str, vocabulary: Vocabulary) -> Signs:
    """What is learned of a request, and what it is told by: letters and words, the intents that are named, and amounts."""
    japanese = bool(JAPANESE.search(folded))
    facts = {ALWAYS, "japanese" if japanese else "latin", f"asks:{by_pattern}"}
    facts |= {f"{'may' if stands else 'unless'}:{intent}" for intent, stands in named}
    times = clock_words.times(folded)
    told = {
        "time": bool(times),
        "ambiguous": bool(times) and times[0].ambiguous,
        "days": clock_words.days(folded) is not None,
        "moment": clock_words.anchor(folded) is not None,
        "minutes": amount_words.minutes(folded) is not None,
        "number": amount_words.pain(folded) is not None,
    }
    facts |= {name for name, so in told.items() if so}
    return signs(folded, spoken(vocabulary.in_kana(folded)), not japanese, (), facts)


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


def _any_pain(text: str) -> Request | None:
    value = amount_words.any_pain(text)
    return None if value is None else PainNumber(value)


_READERS_OF_LEARNED: dict[str, Callable[[str], Request | None]] = {
    "unknown": lambda text: Unknown(),
    "pain_number": _any_pain,
}
"""What differs where no pattern says that the text asks for it."""
