"""What `content/` may say: frozen models of every file, unknown keys refused. The proofs over them are in `check`."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bot.content.basis import Strict as Strict
from bot.content.basis import Wording as Wording
from bot.content.booking import Booking, BookingWords
from bot.content.booking import Hours as Hours
from bot.content.employer import Employer
from bot.content.likeness import Likeness
from bot.content.nudges import Nudges
from bot.content.pacing import Pacing
from bot.content.pages import Pages
from bot.content.programme import Factor, Programme
from bot.content.reminders import Reminders
from bot.content.requests import Requests
from bot.content.staff_room import StaffRoom
from bot.content.vocabulary import Vocabulary
from bot.messages import Command, Disposition

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""Ids stand in button data, so they are short and plain."""

Exit = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}(/[a-z][a-z0-9_-]{0,39})?$")]
"""`node` in the same flow, or `flow/node`."""


class Picture(Strict):
    """A file of content/media (PNG) and what it shows."""

    file: str
    alt: Wording


class Source(Strict):
    """Where a clinical statement comes from. `review_by` is the day after which the check complains."""

    id: Id
    title: str
    year: int
    where: str
    reviewed_on: date
    review_by: date


# --- conditions: closed, so that every path can be walked -----------------------------------------------------------


class Answered(Strict):
    """The answer to a question (or to one item of a card) is one of these."""

    answer: Id
    any_of: tuple[str, ...] = Field(min_length=1)


class Number(Strict):
    """A number answer lies in a range; both ends are included, a missing end is open."""

    number: Id
    at_least: int | None = None
    at_most: int | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        return self


class Rise(Strict):
    """A pain answer (0-10) compared with the last report: at least this many points higher."""

    rise: Id
    at_least: int = Field(ge=1, le=10)


class Standing(Strict):
    """Where the patient stands as the flow is entered.

    none: never screened to the end. stale: screened, too long ago or unused too long. fresh: screened and recent.
    locked: emergency, urgent or doctor was said and not yet cleared (wins over the others).
    """

    standing: tuple[Literal["none", "stale", "fresh", "locked"], ...] = Field(min_length=1)


class Consented(Strict):
    """The patient agreed to this purpose, or (`given = false`) did not."""

    consent: Literal["guidance", "staff", "tips"]
    given: bool = True


class Known(Strict):
    """The question has an answer already, whatever it is."""

    known: Id


class Experience(Strict):
    """How many routines the patient has finished before; both ends included."""

    sessions_at_least: int = 0
    sessions_at_most: int | None = None


CourseName = Literal["steady", "returning", "resting", "worse", "thrice"]


class Course(Strict):
    """How the programme has gone; the one that weighs most counts.

    steady: nothing of the others. returning: pressing was stopped lately, so hands only. resting: it is stopped now.
    worse: pain has grown over weeks. thrice: stopped too often (programme.toml says what each means in numbers).
    """

    course: tuple[CourseName, ...] = Field(min_length=1)


class OtherFlag(Strict):
    """At least one other flag of one of these dispositions holds. Flags that use this condition do not count, nor do
    those named in `besides`: the flag that tests the same answer alone."""

    other_flag: tuple[Disposition, ...] = Field(min_length=1)
    besides: tuple[Id, ...] = ()


Condition = Answered | Number | Rise | Standing | Consented | Known | Experience | Course | OtherFlag
When = tuple[Condition, ...]
"""All of them hold."""


# --- red_flags.toml -------------------------------------------------------------------------------------------------


class ItemOption(Strict):
    """An answer to one item of a card."""

    id: Id
    label: Wording


class Item(Strict):
    """One line of a card. Asked alone it gets `options`, or the card's own. `no` is the option that clears it."""

    id: Id
    text: Wording
    ask: Wording | None = None
    options: tuple[ItemOption, ...] = ()
    source: Id


class Flag(Strict):
    """A red flag or a contraindication: when these answers stand, this disposition follows. Emergency and urgent end
    a flow at once; doctor and no_massage at the flow's `conclude`. `reason` is said to the patient, in symptoms, never
    as a disease. `card` is the node that asks for it again. `advice` names another advice than the disposition's."""

    id: Id
    when: When = Field(min_length=1)
    disposition: Literal[Disposition.EMERGENCY, Disposition.URGENT, Disposition.DOCTOR, Disposition.NO_MASSAGE]
    reason: Wording
    card: Exit
    advice: Id | None = None
    source: Id


class Action(Strict):
    """A button: a phone line of clinic.toml, a command, or a link held by the clinic's profile."""

    label: Wording
    phone: Id | None = None
    command: Command | None = None
    link: Literal["booking", "map", "phone"] | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if sum(x is not None for x in (self.phone, self.command, self.link)) != 1:
            raise ValueError("give exactly one of phone, command, link")
        return self


class Advice(Strict):
    """What is said when a disposition is reached: action first, then `{reason}`, then (non-emergency) the safety net."""

    id: Id
    disposition: Disposition
    title: Wording
    text: Wording
    meanwhile: tuple[Wording, ...] = ()
    net: Wording | None = None
    actions: tuple[Action, ...]


class Modifier(Strict):
    """A limit on a routine. hands_only: steps with a ball are left out. short: the shortest dose. gentle: nothing with
    pressure. `when` lists alternatives: any one of them is enough."""

    id: Literal["hands_only", "short", "gentle"]
    when: tuple[When, ...] = Field(min_length=1)
    source: Id


class Freshness(Strict):
    """How long answers count. A screening is asked in full again after `screening_days`, or after `unused_days` without
    use. Leave to begin a routine ends after `clearance_minutes`; unfinished questions are begun anew after
    `question_hours`. Answers that a screening carries over from the last one are asked again after `carried_days`. Pain is compared with the last report or the median of `median_days`, whichever is lower."""

    screening_days: int = Field(ge=1)
    unused_days: int = Field(ge=1)
    clearance_minutes: int = Field(ge=5)
    median_days: int = Field(ge=1)
    question_hours: int = Field(ge=1)
    carried_days: int = Field(ge=1)
    source: Id


class Safety(Strict):
    """red_flags.toml"""

    source: tuple[Source, ...]
    freshness: Freshness
    item: tuple[Item, ...]
    flag: tuple[Flag, ...]
    modifier: tuple[Modifier, ...]
    advice: tuple[Advice, ...]


# --- flows/*.toml ---------------------------------------------------------------------------------------------------


class Option(Strict):
    """One answer of an `ask`. `to` overrides the node's `next`; `consents` are given by choosing it; `renews`: a doctor
    has looked, so what went badly before no longer counts."""

    id: Id
    label: Wording
    to: Exit | None = None
    consents: tuple[Literal["guidance", "staff", "tips"], ...] = ()
    renews: bool = False


class Ask(Strict):
    """A question with fixed answers, stored under `answer` (default: the node's id)."""

    kind: Literal["ask"]
    id: Id
    answer: Id | None = None
    text: Wording
    lines: tuple[Wording, ...] = ()
    note: Wording | None = None
    picture: Picture | None = None
    options: tuple[Option, ...] = Field(min_length=1)
    next: Exit | None = None
    step: int | None = None

    @property
    def stored_as(self) -> str:
        """The name that conditions use."""
        return self.answer or self.id


class CardAsk(Strict):
    """Several items with one forced answer: `any_label` opens them one by one, `none_label` answers "no" to each.
    `options` are the answers to an item asked alone (an item's own come first); `no` must be among them."""

    kind: Literal["card"]
    id: Id
    text: Wording
    note: Wording | None = None
    items: tuple[Id, ...] = Field(min_length=1)
    any_label: Wording
    old_label: Wording | None = None
    none_label: Wording
    options: tuple[ItemOption, ...] = Field(min_length=2)
    next: Exit
    step: int | None = None


class AskNumber(Strict):
    """A number from `low` to `high`, tapped or typed."""

    kind: Literal["ask_number"]
    id: Id
    text: Wording
    note: Wording | None = None
    low: int
    high: int
    next: Exit
    step: int | None = None


class Tell(Strict):
    """Says something and goes on in the same turn."""

    kind: Literal["tell"]
    id: Id
    text: Wording
    lines: tuple[Wording, ...] = ()
    picture: Picture | None = None
    next: Exit


class Case(Strict):
    """One way out of a branch."""

    when: When = Field(min_length=1)
    to: Exit


class Branch(Strict):
    """The first case that surely holds is taken, else `otherwise`."""

    kind: Literal["branch"]
    id: Id
    cases: tuple[Case, ...] = Field(min_length=1)
    otherwise: Exit


class Conclude(Strict):
    """Where a screening is decided. Any flag that holds ends the flow with the advice of the most serious one; any flag
    not known to be false restarts the screening; otherwise the flow goes on."""

    kind: Literal["conclude"]
    id: Id
    next: Exit


class Offer(Strict):
    """A routine for whom."""

    routine: Id
    when: When = ()


class Suggest(Strict):
    """Offers the first routine whose condition holds - if, and only if, the engine finds every flag false (or, for a
    routine without pressure, none worse than no_massage). The last offer has no condition."""

    kind: Literal["suggest"]
    id: Id
    text: Wording
    offers: tuple[Offer, ...] = Field(min_length=1)


class Report(Strict):
    """Ends a session: stores the pain answer named `pain` and the answer named `report`, then goes on. `worse`: it did
    not do good. A flag for the doctor that holds then ends the flow with its advice."""

    kind: Literal["report"]
    id: Id
    report: Id
    pain: Id | None = None
    worse: bool = False
    next: Exit


class Measure(Strict):
    """Keeps the answers named `answers` as the check-up `measure` (programme.toml)."""

    kind: Literal["measure"]
    id: Id
    measure: Id
    answers: tuple[Id, ...] = Field(min_length=1)
    next: Exit


class Due(Strict):
    """The patient is here: the week's summary and a tip are said when their time has come, and the check-up that is due
    is entered; otherwise on. No check-up and no tip is ever worth a push of its own."""

    kind: Literal["due"]
    id: Id
    checkups: tuple[Exit, ...]
    next: Exit


class Setback(Strict):
    """Pressing stops for some days, because the last session left soreness that lasts."""

    kind: Literal["setback"]
    id: Id
    next: Exit


class End(Strict):
    """Says a last sentence with buttons."""

    kind: Literal["end"]
    id: Id
    text: Wording
    actions: tuple[Action, ...] = ()


Node = Annotated[
    Ask | CardAsk | AskNumber | Tell | Branch | Conclude | Suggest | Report | Measure | Due | Setback | End,
    Field(discriminator="kind"),
]


class Flow(Strict):
    """A conversation. The first node is the entry. `begins_with = "screening"`: the answers of the last screening stand
    until asked anew (the daily card); `"nothing"`: only those named in `carries` stand."""

    id: Id
    title: Wording
    begins_with: Literal["nothing", "screening"] = "nothing"
    carries: tuple[Id, ...] = ()
    node: tuple[Node, ...] = Field(min_length=1)

    @property
    def steps(self) -> int:
        """The last step number shown as the total of "3/9"; 0 when the flow shows none."""
        return max((n.step or 0 for n in self.node if isinstance(n, Ask | CardAsk | AskNumber)), default=0)


# --- routines/*.toml ------------------------------------------------------------------------------------------------


class Step(Strict):
    """One thing to do. `seconds` and `seconds_short` (modifier short) are for one side when `side` is `each`; 0 means
    no clock. A step with tool `ball` is left out under hands_only. Of the steps of one `group` the one with the highest
    `level` that the patient has come to is shown (programme.toml); `factors` are those that it suits most."""

    id: Id
    title: Wording
    text: Wording
    seconds: int = Field(ge=0, le=300)
    seconds_short: int | None = Field(default=None, ge=0, le=300)
    side: Literal["none", "both", "left", "right", "each"]
    tool: Literal["none", "hand", "ball"]
    picture: Picture
    group: Id | None = None
    level: int = Field(default=1, ge=1, le=3)
    factors: tuple[Factor, ...] = ()


class Routine(Strict):
    """`pressure = false` is the only kind shown to those who must not massage. `after` comes when the steps are done."""

    id: Id
    title: Wording
    why: Wording
    pressure: bool
    per_day: int = Field(ge=1, le=2)
    minutes_max: int = Field(ge=1, le=15)
    before: tuple[Wording, ...]
    stop: Wording
    step: tuple[Step, ...] = Field(min_length=1)
    after: tuple[Step, ...]
    source: Id


# --- the rest -------------------------------------------------------------------------------------------------------


class Phone(Strict):
    """A public phone line. `number` is what is dialled, `note` says where or when it does not exist."""

    id: Id
    label: Wording
    number: str = Field(pattern=r"^[#0-9-]+$")
    note: Wording | None = None
    checked_on: date
    review_by: date


class Broadcasts(Strict):
    """Messages to many. `second_person`: somebody else than the author must have approved one before it starts. `reserve`:
    the share of the month's allowance that no broadcast may use, kept for safety advice and appointments."""

    second_person: bool = False
    reserve: float = Field(default=0.2, ge=0, le=0.9)


class Clinic(Strict):
    """clinic.toml. Empty phone, address, map_url and booking_url are shown nowhere."""

    name: Wording
    kind: Wording
    area: Wording
    time_zone: str
    phone: str = ""
    address: Wording | None = None
    map_url: str = ""
    booking_url: str = ""
    booking_policy: Wording
    physician_reviewed: bool
    hours: tuple[Hours, ...]
    hours_note: Wording
    booking: Booking = Booking()
    broadcasts: Broadcasts = Broadcasts()
    employer: Employer = Employer()
    phone_line: tuple[Phone, ...]


class Area(Strict):
    """One field of the rich menu, left to right, top row first."""

    label: Wording
    icon: str
    command: Command


class Menu(Strict):
    """menu.toml: six areas, three a row (LINE's large rich menu, 2500 x 1686 px)."""

    name: str
    chat_bar: Wording
    areas: tuple[Area, ...] = Field(min_length=6, max_length=6)
    background: str = Field(pattern=r"^#[0-9a-f]{6}$")
    ink: str = Field(pattern=r"^#[0-9a-f]{6}$")


class Tip(Strict):
    """A short self-care tip, tagged with one of the article's five factors."""

    id: Id
    factor: Factor
    title: Wording
    text: Wording
    source: Id


class Reply(Strict):
    """What staff can send with two taps, and change before they send it."""

    id: Id
    title: Wording
    text: Wording


class Phrases(Strict):
    """phrases.toml: what the engine says in its own words. `{...}` are filled in by the engine, as named there."""

    welcome_picture: Picture
    welcome: Wording
    welcome_back: Wording
    back_impossible: Wording
    resumed: Wording
    restarted: Wording
    changed: Wording
    old_button: Wording
    nothing_asked: Wording
    ask_again: Wording
    ask_again_number: Wording
    offer_human: Wording
    menu_title: Wording
    menu_text: Wording
    item_question: Wording
    form_submit: Wording
    home: Wording
    home_known: Wording
    home_note: Wording
    sticker: Wording
    unreadable: Wording
    invited: Wording
    human: Wording
    human_closed: Wording
    staff_here: Wording
    staff_gone: Wording
    staff_seen_doctor: Wording
    staff_replies: tuple[Reply, ...] = Field(min_length=1)
    hours: Wording
    closed_day: Wording
    weekdays: Wording
    booking_label: Wording
    phone_label: Wording
    map_label: Wording
    assessment: Wording
    assessment_nothing: Wording
    progress: Wording
    progress_none: Wording
    progress_page: Wording
    data: Wording
    data_here: Wording
    data_page: Wording
    withdrawn: Wording
    summary_title: Wording
    summary_none: Wording
    summary_head: Wording
    not_me: Wording
    locked_today: Wording
    greeting: Wording
    thanks: Wording
    skipped: Wording
    check_in: Wording
    denied: Wording
    language: Wording
    stopped: Wording
    erase_ask: Wording
    erase_yes: Wording
    erase_no: Wording
    erased: Wording
    no_consent: Wording
    routine_start: Wording
    routine_next: Wording
    routine_skip: Wording
    routine_stop: Wording
    routine_hurts: Wording
    routine_done: Wording
    routine_page: Wording
    routine_seconds: Wording
    routine_each_side: Wording
    routine_enough: Wording
    routine_expired: Wording
    routine_gone: Wording
    after_title: Wording
    commands: Mapping[Command, Wording]


class Content(Strict):
    """Everything in content/, valid in itself. `version` is a hash of the files, `media` the names in content/media."""

    version: str
    clinic: Clinic
    safety: Safety
    vocabulary: Vocabulary
    likeness: Likeness
    requests: Requests
    menu: Menu
    phrases: Phrases
    pages: Pages
    reminders: Reminders
    pacing: Pacing
    booking: BookingWords
    nudges: Nudges
    programme: Programme
    staff_room: StaffRoom
    flows: Mapping[str, Flow]
    routines: Mapping[str, Routine]
    tips: tuple[Tip, ...]
    media: frozenset[str]
