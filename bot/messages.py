"""Channel-neutral words: what came in (Inbound, Event), what goes out (Message), and what a button carries (Token)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Locale = Literal["ja", "en"]
LOCALES: tuple[Locale, ...] = ("ja", "en")

Page = Literal["player", "progress", "data", "trend", "appointment"]
"""The patient's own pages; `trend` is a picture, `appointment` a file for their calendar."""

TOKEN_MAX = 300
"""Longest encoded token in characters: the tightest channel's limit (LINE postback data)."""

MAX_PARTS = 5
"""Parts of one message: a LINE reply token carries five message objects."""


class Disposition(StrEnum):
    """What a screening leads to, the most serious first. The most serious that applies wins, at any time."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    DOCTOR = "doctor"
    NO_MASSAGE = "no_massage"
    SELF_MASSAGE = "self_massage"

    @property
    def rank(self) -> int:
        """0 is the most serious."""
        return list(Disposition).index(self)


class Command(StrEnum):
    """What a patient can ask for at any moment, by a standing button or in their own words."""

    START = "start"
    TODAY = "today"
    BACK = "back"
    GO_ON = "go_on"
    MENU = "menu"
    HUMAN = "human"
    ASSESSMENT = "assessment"
    CHANGE_BOOKING = "change_booking"
    CANCEL_BOOKING = "cancel_booking"
    HOURS = "hours"
    REMINDER = "reminder"
    PROGRESS = "progress"
    SUMMARY = "summary"
    NOT_ME = "not_me"
    SEEN_DOCTOR = "seen_doctor"
    CONSENTS = "consents"
    DATA = "data"
    STOP = "stop"
    ERASE = "erase"
    JAPANESE = "japanese"
    ENGLISH = "english"


# --- what a button carries -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PickToken:
    """An answer to one question. `turn` is the turn in which the button was offered; `question` is `flow/node`, with
    `/item` while a card is asked item by item, or `routine/step` while a routine is guided."""

    turn: int
    question: str
    option: str


@dataclass(frozen=True, slots=True)
class CommandToken:
    """A standing button (rich menu, advice): valid at any time, whatever is being asked. `via` is the button of a
    broadcast, `12.0` for the first one of number 12; "" everywhere else."""

    command: Command
    via: str = ""


@dataclass(frozen=True, slots=True)
class StaffToken:
    """A button for staff, in their own channel."""

    what: Literal["acknowledge", "tip_go", "tip_drop"]
    value: str


Token = PickToken | CommandToken | StaffToken


_VIA = re.compile(r"[0-9]{1,10}\.[0-9]{1,3}")


def encode_token(token: Token) -> str:
    """At most TOKEN_MAX characters, ASCII, no secret inside."""
    match token:
        case PickToken(turn, question, option):
            return f"p|{turn}|{question}|{option}"
        case CommandToken(command, via):
            return f"c|{command.value}|{via}" if via else f"c|{command.value}"
        case StaffToken(what, value):
            return f"s|{what}|{value}"


def decode_token(data: str) -> Token | None:
    """None for anything that this program did not write (an old version's button, a forged one)."""
    match data.split("|"):
        case ["p", turn, question, option] if turn.isascii() and turn.isdigit() and len(turn) < 10:
            return PickToken(int(turn), question, option)
        case ["c", command] if command in set(Command):
            return CommandToken(Command(command))
        case ["c", command, via] if command in set(Command) and _VIA.fullmatch(via):
            return CommandToken(Command(command), via)
        case ["s", ("acknowledge" | "tip_go" | "tip_drop") as what, value]:
            return StaffToken(what, value)
        case _:
            return None


# --- what came in ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Followed:
    """The contact added us (again) or opened the chat for the first time."""

    kind: Literal["followed"] = "followed"


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """The contact blocked us: nothing can be sent any more."""

    kind: Literal["unfollowed"] = "unfollowed"


@dataclass(frozen=True, slots=True)
class Picked:
    """A button was tapped."""

    token: PickToken
    kind: Literal["picked"] = "picked"


@dataclass(frozen=True, slots=True)
class Commanded:
    """A standing button was tapped. `via` as in its token."""

    command: Command
    via: str = ""
    kind: Literal["commanded"] = "commanded"


@dataclass(frozen=True, slots=True)
class Said:
    """Free text. `message_id` is the channel's own, so that a later `Unsent` finds it."""

    text: str
    message_id: str = ""
    kind: Literal["said"] = "said"


@dataclass(frozen=True, slots=True)
class Showed:
    """Something that is not text; its content is never fetched nor stored."""

    what: Literal["sticker", "image", "video", "audio", "location", "file", "other"]
    kind: Literal["showed"] = "showed"


@dataclass(frozen=True, slots=True)
class Unsent:
    """The contact took a message back: its stored text is deleted."""

    message_id: str
    kind: Literal["unsent"] = "unsent"


@dataclass(frozen=True, slots=True)
class Invited:
    """We were added to a group or room, or somebody speaks to us there. Nothing personal is ever said in one."""

    kind: Literal["invited"] = "invited"


@dataclass(frozen=True, slots=True)
class Garbled:
    """A button of ours that no longer means anything (an old version's data)."""

    kind: Literal["garbled"] = "garbled"


@dataclass(frozen=True, slots=True)
class Decided:
    """The contact decided about their data on their own page. `purpose` is the consent to withdraw; "" with erase."""

    what: Literal["withdraw", "erase"]
    purpose: str = ""
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True, slots=True)
class Filled:
    """Several items of one question were answered at once: one pick for each item chosen, none for those left open."""

    picks: tuple[PickToken, ...]
    kind: Literal["filled"] = "filled"


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """The contact looks at the app's own page inside the messenger."""

    kind: Literal["home_opened"] = "home_opened"


@dataclass(frozen=True, slots=True)
class Introduced:
    """What the messenger knows of a newcomer. `locale` None: a language that we do not speak. `zone` is an IANA name,
    "" when unknown."""

    locale: Locale | None = None
    zone: str = ""
    kind: Literal["introduced"] = "introduced"


ReminderKind = Literal["care", "weekly"]
"""What comes at a time that the patient chose: the reminder of today's care, the summary of the week."""


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """The hour that the patient chose has come. Of no more use from `expires_at` on. `asked`: the patient put it off to this
    very time."""

    reminder: ReminderKind
    due_at: datetime
    expires_at: datetime
    asked: bool = False
    kind: Literal["reminder_due"] = "reminder_due"


@dataclass(frozen=True, slots=True)
class StaffDid:
    """One of the staff acted in the patient's chat. take_over and say silence the guide until `until`; say carries `text`;
    seen_doctor: they know that a doctor has looked. `by` is their sign-in name."""

    what: Literal["take_over", "say", "hand_back", "seen_doctor"]
    by: str
    text: str = ""
    until: datetime | None = None
    kind: Literal["staff_did"] = "staff_did"


Notice = Literal["day_before", "soon", "after"]
"""What is said around an appointment, in this order."""


@dataclass(frozen=True, slots=True)
class BookingDue:
    """The hour of a reminder of an appointment, or of thanks, has come. Of no more use from `expires_at` on."""

    booking: int
    what: Notice
    due_at: datetime
    expires_at: datetime
    kind: Literal["booking_due"] = "booking_due"


@dataclass(frozen=True, slots=True)
class BookingDecided:
    """Staff decided about an appointment. `booking` is 0 with `book`; `starts_at` and `ends_at` come with `book` and
    `move`."""

    what: Literal["confirm", "decline", "move", "cancel", "no_show", "book"]
    staff: str
    booking: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    kind: Literal["booking_decided"] = "booking_decided"


@dataclass(frozen=True, slots=True)
class SlotOffered:
    """A time became free and is kept for this patient of the waiting list until `expires_at`."""

    booking: int
    expires_at: datetime
    kind: Literal["slot_offered"] = "slot_offered"


Event = (
    Followed
    | Unfollowed
    | Picked
    | Filled
    | Commanded
    | Said
    | Showed
    | Unsent
    | Invited
    | Garbled
    | Decided
    | HomeOpened
    | Introduced
    | ReminderDue
    | StaffDid
    | BookingDue
    | BookingDecided
    | SlotOffered
)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One event as a channel received it. `user_id` is the address that answers go to (a group's id for `Invited`).
    `event_id` is the channel's own: the same one twice is the same event. The reply token may be missing."""

    channel: str
    event_id: str
    user_id: str
    occurred_at: datetime
    event: Event
    reply_token: str | None = None
    reply_expires_at: datetime | None = None


# --- what goes out ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. Exactly one of `token`, `uri` (tel: or https:) and `page` is set; a page becomes a signed `uri` before
    the message is stored. `say` is what appears in the chat as the patient's own words when it is tapped; None means
    the label. `picker`: the channel lets a time of day or a day be chosen and puts it (HH:MM, YYYY-MM-DD) in the place of the
    token's option. `between`: the first and the last day worth choosing, as far as a channel can keep to them."""

    label: str
    token: Token | None = None
    uri: str | None = None
    page: Page | None = None
    say: str | None = None
    style: Literal["main", "plain"] = "plain"
    picker: Literal["time", "date"] | None = None
    between: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A plain text bubble."""

    text: str
    kind: Literal["words"] = "words"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of content/media by name (`low_back-hands.png`), with what it shows for those who cannot see it. One that is
    drawn for the patient has no file but a `page`, which becomes a signed `uri` before the message is stored."""

    file: str
    alt: str
    page: Page | None = None
    uri: str | None = None
    kind: Literal["picture"] = "picture"


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a form: exactly one of `choices` (picks) can be chosen, and none is to begin with. Without choices it is
    written; what is written goes by `name`."""

    text: str
    choices: tuple[Choice, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """All the items that are asked one after the other, for a channel that can ask them on one card."""

    rows: tuple[Row, ...]
    submit: str


@dataclass(frozen=True, slots=True)
class Card:
    """One framed thing: a question, an advice, a routine's step. `lines` are shown as a list, `progress` is (3, 9) for
    "3/9", `note` is small print under the rest, `choices` are buttons inside the card. A channel that can show `form`
    shows it instead of `text` and `choices`, which ask its first row alone."""

    title: str
    text: str = ""
    lines: tuple[str, ...] = ()
    note: str = ""
    picture: Picture | None = None
    progress: tuple[int, int] | None = None
    choices: tuple[Choice, ...] = ()
    tone: Literal["plain", "question", "advice", "routine"] = "plain"
    form: Form | None = None
    kind: Literal["card"] = "card"


@dataclass(frozen=True, slots=True)
class Carousel:
    """Cards side by side."""

    cards: tuple[Card, ...]
    kind: Literal["carousel"] = "carousel"


Part = Words | Picture | Card | Carousel


@dataclass(frozen=True, slots=True)
class Message:
    """All that one turn says: one delivery of at most MAX_PARTS parts. `quick` are answers shown under the last part
    (LINE quick replies). `safety` marks advice that must arrive even at the price of arriving twice. `surface` "home":
    not said in the chat but shown on the app's own page, in the place of what stood there; "modal": in a window over everything. `loud` calls everybody in a room by a
    notification."""

    parts: tuple[Part, ...]
    quick: tuple[Choice, ...] = ()
    safety: bool = False
    surface: Literal["chat", "home", "modal"] = "chat"
    loud: bool = False


Pushed = Literal["booking", "care", "news", "extra"]
"""What is said to somebody who did not write first, the most important first: an appointment, the reminder of the day's care,
what staff send to many, and what is never urgent (tips, summaries, questionnaires)."""


class Priority(StrEnum):
    """The order in which waiting deliveries leave."""

    SAFETY = "safety"
    REPLY = "reply"
    TIMED = "timed"
    BROADCAST = "broadcast"

    @property
    def rank(self) -> int:
        """0 leaves first."""
        return list(Priority).index(self)
