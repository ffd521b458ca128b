"""The first page: who needs a call, and how things stand."""

from flask import Blueprint, Response
from sqlalchemy import select

from bot.access import Action
from bot.store import codec
from bot.store.tables import Alert, Contact
from bot.web.console.visit import House, needs, page


def register(console: Blueprint, house: House) -> None:
    """The page."""

    @console.get("/")
    @needs(Action.SEE_TODAY)
    def today() -> Response:
        query = (
            select(Alert.id, Alert.urgency, Alert.flags, Alert.opened_at, Contact.id.label("contact_id"), Contact.name)
            .join(Contact, Contact.id == Alert.contact_id)
            .where(Alert.resolved_at.is_(None))
            .order_by(Alert.opened_at)
        )
        with house().db.read() as look:
            alerts = [(row, codec.strings_from(row.flags)) for row in look.execute(query)]
        return page("today", alerts=alerts)
