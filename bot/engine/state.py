"""What is remembered of one patient between turns, and what the engine wants done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from bot.content.rules import ReminderRule
from bot.engine.diary import BookingEffect, Diary, Telling
from bot.messages import Disposition, Locale, Message, Pushed, ReminderKind


@dataclass(frozen=True, slots=True)
class Asking:
    """The question that waits for an answer. `item` is the line of a card being asked alone, `todo` the lines after
    it. `turn` is the turn that asked: a tap with another turn is an old button."""

    flow: str
    node: str
    turn: int
    since: datetime
    item: str | None = None
    todo: tuple[str, ...] = ()
    kind: Literal["asking"] = "asking"


@dataclass(frozen=True, slots=True)
class Guiding:
    """A routine under way, at step `index` of `steps` (ids). `index == len(steps)` is the page after the steps."""

    routine: str
    steps: tuple[str, ...]
    index: int
    short: bool
    turn: int
    since: datetime
    kind: Literal["guiding"] = "guiding"


Waiting = Asking | Guiding


@dataclass(frozen=True, slots=True)
class Screening:
    """The last screening that came to a result. `answers` hold what it rests on."""

    outcome: Disposition
    flags: tuple[str, ...]
    answers: Mapping[str, str]
    at: datetime
    content_version: str


@dataclass(frozen=True, slots=True)
class Lock:
    """Emergency, urgent or doctor was said. No routine until a later screening ends clear, or the patient corrects a
    mistake by answering `card` anew (a node of the screening; None: there is nothing to ask, as with mental health).
    `under` is the lock that stood before a message was read as a flag: correcting that message brings it back."""

    level: Disposition
    flags: tuple[str, ...]
    advice: str
    since: datetime
    origin: Literal["answers", "text"]
    card: str | None = None
    under: "Lock | None" = None


@dataclass(frozen=True, slots=True)
class Clearance:
    """Leave to begin one routine now, given by a screening or a daily card; it ends by itself after a while."""

    routine: str
    hands_only: bool
    short: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class PainReport:
    """Pain 0-10 as reported."""

    at: datetime
    value: int


Cadence = Literal["own", "three", "one"]
"""How often: on the patient's own days, on three of them a week, or on one."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """What the patient chose: a local time and weekdays (0 is Monday). held: until a screening is clear again; off: until
    the patient asks. None comes before `rest_until`. `unanswered` counts those in a row that nothing was answered to since
    the last change of `cadence`; `awaiting`: nothing was answered to the last one."""

    at: time
    days: tuple[int, ...]
    status: Literal["on", "held", "off"] = "on"
    cadence: Cadence = "own"
    unanswered: int = 0
    awaiting: bool = False
    rest_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """The weeks after the first screening. `begun_at` is the first routine (after a doctor has looked: the first since),
    `first_pain` the median of its first days. `worse_row` counts worse sessions in a row, `rests` are the beginnings of the
    latest stops of pressing, oldest first. `streak` counts days with care, a single day off forgiven each time.
    `reported_at` is the end of the last session: what is written soon after is a note on it. `asked` holds when each
    check-up was last begun, `factors` those of the five that play a part, `tips` how many were told, the last at `tip_at`."""

    begun_at: datetime | None = None
    first_pain: int | None = None
    worse_row: int = 0
    rests: tuple[datetime, ...] = ()
    streak: int = 0
    reported_at: datetime | None = None
    asked: Mapping[str, datetime] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    tips: int = 0
    tip_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weekly:
    """The summary of the week: its day (0 is Monday) and local time. `said_on` is the day of the last one; `unanswered`
    counts those in a row after which nothing was heard."""

    day: int
    at: time
    status: Literal["on", "held", "off"] = "on"
    said_on: date | None = None
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """One of the staff talks with the patient, and the guide is silent, until `until` at the latest."""

    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Nudging:
    """When the assessment was pointed out last and by which rule, None once that was put aside or led to an appointment;
    and when each rule was put aside."""

    at: datetime | None = None
    open: str | None = None
    rests: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """Everything remembered. `answers` are those of the flow under way, begun at `begun_at` on content `version`;
    `trail` the questions answered in it, oldest first, for going back. `skip_known` passes over questions that have an
    answer (after a correction). `alone` asks one card for itself; `parked` is the question to return to afterwards.
    `turn` counts turns that said something. `recent_sessions` are the latest starts of a routine, oldest first. `zone` is
    the patient's own time zone (IANA), None: the clinic's. `telling`: what the next text adds to an appointment.
    `assessment_at`: the appointment made last, None once it is cancelled."""

    locale: Locale = "ja"
    turn: int = 0
    waiting: Waiting | None = None
    misses: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)
    begun_at: datetime | None = None
    version: str = ""
    trail: tuple[Asking, ...] = ()
    skip_known: bool = False
    alone: bool = False
    parked: Waiting | None = None
    consents: Mapping[str, datetime] = field(default_factory=dict)
    screening: Screening | None = None
    lock: Lock | None = None
    clearance: Clearance | None = None
    pains: tuple[PainReport, ...] = ()
    sessions: int = 0
    recent_sessions: tuple[datetime, ...] = ()
    stopped: bool = False
    reminder: Reminder | None = None
    programme: Programme = field(default_factory=Programme)
    taken: Taken | None = None
    weekly: Weekly | None = None
    zone: str | None = None
    telling: Telling | None = None
    assessment_at: datetime | None = None
    nudging: Nudging = field(default_factory=Nudging)


# --- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RaiseAlert:
    """Staff must look. `flags` are ids of red_flags.toml or of words.toml rules; never the patient's words."""

    level: Disposition
    flags: tuple[str, ...]
    origin: Literal["answers", "text"]


@dataclass(frozen=True, slots=True)
class RequestHuman:
    """The patient wants to talk to a person."""


@dataclass(frozen=True, slots=True)
class HoldTimed:
    """Cancels every reminder, tip and broadcast that waits for this patient, and holds the reminders to come."""


@dataclass(frozen=True, slots=True)
class RecordScreening:
    """A screening came to its result."""

    outcome: Disposition
    flags: tuple[str, ...]
    answers: Mapping[str, str]
    content_version: str


@dataclass(frozen=True, slots=True)
class StartSession:
    """A routine was begun. `pain_before` 0-10, None when not asked."""

    routine: str
    pain_before: int | None


@dataclass(frozen=True, slots=True)
class FinishSession:
    """The patient reported on the routine begun last."""

    report: str
    pain_after: int | None


@dataclass(frozen=True, slots=True)
class KeepNote:
    """What the patient wrote about the session that ended last. `message_id` is the channel's, for taking it back."""

    text: str
    message_id: str


@dataclass(frozen=True, slots=True)
class RecordMeasure:
    """A check-up was answered: `kind` is its id, `answers` as given."""

    kind: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetConsents:
    """Purposes agreed to and purposes withdrawn."""

    given: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetReachable:
    """Whether anything can be sent to the contact."""

    reachable: bool


@dataclass(frozen=True, slots=True)
class ForgetText:
    """Deletes the stored text of one message that the patient took back."""

    message_id: str


@dataclass(frozen=True, slots=True)
class SetReminder:
    """From now on there is one reminder of this kind, by `rule`, the next at `next_at` (aware UTC)."""

    kind: ReminderKind
    rule: ReminderRule
    next_at: datetime


@dataclass(frozen=True, slots=True)
class SnoozeReminder:
    """The next reminder comes at `until`; those after it by the rule."""

    kind: ReminderKind
    until: datetime


@dataclass(frozen=True, slots=True)
class EndReminder:
    """No reminder of this kind any more."""

    kind: ReminderKind


PassedOver = Literal["off", "locked", "stopped", "no_consent", "too_late", "quiet", "talking", "done"]
"""Why something due is not said: switched off meanwhile, something serious is open, the patient wants nothing, did not
agree, its hour is over, it is night, a conversation is under way, today's care is done."""


@dataclass(frozen=True, slots=True)
class PassOver:
    """What was due is not said, and why. It is kept, for staff and for the forecast."""

    kind: Pushed
    reason: PassedOver


@dataclass(frozen=True, slots=True)
class SetTaken:
    """Who of the staff talks with the patient, and until when nothing leaves for them that they did not ask for. None:
    nobody any more."""

    taken: Taken | None


@dataclass(frozen=True, slots=True)
class EraseContact:
    """Deletes everything stored about the patient, after this turn's answer has been handed over."""


Effect = (
    RaiseAlert
    | RequestHuman
    | HoldTimed
    | RecordScreening
    | StartSession
    | FinishSession
    | KeepNote
    | RecordMeasure
    | SetConsents
    | SetReachable
    | ForgetText
    | SetReminder
    | SnoozeReminder
    | EndReminder
    | PassOver
    | SetTaken
    | EraseContact
    | BookingEffect
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the engine may know of the world. `now` is aware UTC. `pages`: the patient's own pages can be opened. `diary`
    None: nobody has looked it up; a turn that needs it says so and is made again."""

    now: datetime
    zone: ZoneInfo
    pages: bool = False
    diary: Diary | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The outcome of one event: the new state, at most one message, and the effects in order. `needs_diary`: nothing was
    decided; the same event again with the diary in the facts."""

    state: State
    message: Message | None = None
    effects: tuple[Effect, ...] = ()
    needs_diary: bool = False
