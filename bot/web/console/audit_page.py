"""Who did what: the audit, newest first."""

from flask import Blueprint, Response, request
from sqlalchemy import select

from bot.access import Action
from bot.store import codec
from bot.store.tables import Audit
from bot.web.console.visit import House, needs, page

ROWS = 100


def register(console: Blueprint, house: House) -> None:
    """The page."""

    @console.get("/audit")
    @needs(Action.SEE_AUDIT)
    def audit_log() -> Response:
        before = request.args.get("before", type=int)
        actor = request.args.get("actor", "")[:80]
        query = select(Audit).with_only_columns(
            Audit.id, Audit.at, Audit.actor, Audit.action, Audit.contact_id, Audit.detail
        )
        if before is not None:
            query = query.where(Audit.id < before)
        if actor:
            query = query.where(Audit.actor == actor)
        with house().db.read() as look:
            rows = look.execute(query.order_by(Audit.id.desc()).limit(ROWS + 1)).all()
        shown = [(row, codec.words_from(row.detail)) for row in rows[:ROWS]]
        more = rows[ROWS - 1].id if len(rows) > ROWS else None
        return page("audit", rows=shown, more=more, actor=actor)
