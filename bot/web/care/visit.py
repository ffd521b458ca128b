"""One look at one of a patient's own pages: whose it is, in which language, and what the chat remembers of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from bot import links
from bot.content.model import Wording
from bot.engine.draft import Draft
from bot.engine.state import Facts
from bot.links import Refusal
from bot.messages import Locale, Page
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import Contact

CHAT = {"line": "https://line.me/R/"}
"""Where a chat is opened from a browser (LINE Developers, "LINE URL scheme"); the others are gone back to by hand."""

Speak = Callable[..., str]
"""A sentence in the reader's language, its places filled in."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A page opened by somebody whose link was good. `draft` holds the state as the engine sees it now."""

    contact_id: int
    channel: str
    user_id: str
    draft: Draft
    say: Speak

    @property
    def locale(self) -> Locale:
        return self.draft.state.locale

    @property
    def zone(self) -> ZoneInfo:
        return self.draft.zone

    @property
    def chat(self) -> str | None:
        """The address that opens the chat."""
        return CHAT.get(self.channel)

    def day(self, moment: datetime | None) -> str:
        """The local day; nothing for a moment that has not come."""
        return "" if moment is None else written(moment.astimezone(self.zone).date())


def written(day: date) -> str:
    """A day that Japanese and English read alike."""
    return f"{day.year}/{day.month}/{day.day}"


def open_page(runtime: Runtime, tx: Connection, page: Page, token: str) -> Visit | Refusal:
    """The visit that a link leads to. An erased contact's link is as good as an expired one."""
    now = runtime.now()
    found = links.owner(runtime.settings, page, token, now)
    if isinstance(found, Refusal):
        return found
    row = tx.execute(select(Contact.channel, Contact.user_id, Contact.state).where(Contact.id == found)).first()
    if row is None:
        return Refusal.EXPIRED
    facts = Facts(now, ZoneInfo(runtime.content.clinic.time_zone), pages=True)
    draft = Draft(runtime.content, codec.state_from(row.state), facts)
    return Visit(found, row.channel, row.user_id, draft, speaker(draft.state.locale))


def speaker(locale: Locale) -> Speak:
    """Says wordings in that language."""

    def say(wording: Wording, **values: object) -> str:
        text = wording.to(locale)
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    return say
