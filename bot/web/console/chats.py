"""Conversations that staff have taken over, and who of those patients waits for an answer."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response
from sqlalchemy import Connection, func, select

from bot.access import Action
from bot.runtime import Runtime
from bot.store.tables import Contact, Inbox
from bot.web.console.people import PERSON, Person, person
from bot.web.console.timeline import UNHEARD
from bot.web.console.visit import House, needs, page, part, unattended


@dataclass(frozen=True, slots=True)
class Chat:
    """`waits_since`: the patient's last word, when no answer came after it."""

    who: Person
    by: str
    until: datetime
    waits_since: datetime | None


def register(console: Blueprint, house: House) -> None:
    """The page, which renews itself."""

    @console.get("/chats")
    @needs(Action.TAKE_OVER)
    def chats() -> Response:
        return page("chats", found=_read(house()))

    @console.get("/chats/list")
    @needs(Action.TAKE_OVER)
    @unattended
    def chats_list() -> Response:
        return part("chats_list", found=_read(house()))


def _read(runtime: Runtime) -> list[Chat]:
    with runtime.db.read() as look:
        found = list(_talking(look, runtime.now()))
    return sorted(found, key=lambda one: (one.waits_since is None, one.waits_since or one.until))


def _talking(look: Connection, now: datetime) -> list[Chat]:
    heard = (
        select(func.max(Inbox.occurred_at))
        .where(Inbox.contact_id == Contact.id, Inbox.kind.not_in((*UNHEARD, "unfollowed")))
        .scalar_subquery()
    )
    answered = (
        select(func.max(Inbox.occurred_at))
        .where(Inbox.contact_id == Contact.id, Inbox.kind == "staff_did")
        .scalar_subquery()
    )
    query = select(*PERSON, Contact.taken_by, Contact.taken_until, heard.label("heard"), answered.label("answered"))
    rows = look.execute(query.where(Contact.taken_until > now).order_by(Contact.taken_until).limit(200))
    return [
        Chat(
            person(row),
            row.taken_by,
            row.taken_until,
            row.heard if row.heard is not None and (row.answered is None or row.heard > row.answered) else None,
        )
        for row in rows
    ]
