"""What requests and answers about broadcasts look like."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from bot.audience import Audience, Bar, Whole
from bot.broadcasts.desk import TITLE_MOST
from bot.broadcasts.letter import Flaw
from bot.broadcasts.moves import Move
from bot.messages import Locale
from bot.store.tables import BroadcastStatus
from bot.web.api.operation import NEWEST, Id, PageSize
from bot.web.api.problem import Shape
from bot.web.api.words import Letter


class Wanted(Shape):
    """Whom it is for: those to whom all criteria apply, and everybody without any."""

    audience: Audience


class Count(Shape):
    """`recipients` by channel and `left_out` by reason add up to `all`, exactly. `sent_to` is the number to start with."""

    recipients: dict[str, int]
    sent_to: int
    left_out: dict[Bar, int]
    all: int


class BroadcastDraft(Shape):
    """What can be changed until it starts. `title` is for staff only."""

    title: Annotated[str, Field(max_length=TITLE_MOST, pattern=r"^[^\x00]*[^\x00-\x20\x7f-\xa0\s][^\x00]*$")]
    letter: Letter
    audience: Audience


class FlawFound(Shape):
    """What keeps it from being sent. `part` counts from 0, null is the whole message. `words`: what must not be said."""

    flaw: Flaw
    part: int | None
    language: Locale | None
    words: str


class Progress(Shape):
    """People. `looked_at` = `sent` + `waiting` + `left_out` + `failed` + `uncertain` + `erased`, always. `share`: 0 to 1."""

    looked_at: int
    sent: int
    waiting: int
    left_out: dict[str, int]
    failed: dict[str, int]
    uncertain: int
    erased: int
    share: float


class BroadcastLine(Shape):
    """A broadcast in the list. `reason` says why it rests. `expected` is the number that was given to start it."""

    id: int
    title: str
    status: BroadcastStatus
    reason: str
    written_by: str
    approved_by: str | None
    expected: int | None
    created_at: datetime
    start_at: datetime | None
    begun_at: datetime | None
    ended_at: datetime | None


class Broadcast(BroadcastLine):
    """All of it. `moves` are possible now; `flaws` are looked for until it starts."""

    letter: Letter
    audience: Audience
    moves: tuple[Move, ...]
    flaws: tuple[FlawFound, ...]
    progress: Progress


class Broadcasts(Shape):
    """A page, the newest first. `next` is the `before` of the next one, null on the last."""

    items: tuple[BroadcastLine, ...]
    next: int | None


class BroadcastList(Shape):
    """Which of them."""

    before: Id = NEWEST
    limit: PageSize = 50


class BroadcastPath(Shape):
    """One of them."""

    broadcast_id: Id


class Start(Shape):
    """`recipients`: the number of people who would get it now, as the count says it. Whoever starts it has seen it."""

    recipients: Annotated[int, Field(ge=0, lt=2**31), Whole]


class Schedule(Start):
    """`start_at` is a time with its offset."""

    start_at: AwareDatetime
