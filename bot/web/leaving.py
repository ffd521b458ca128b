"""`/l/...`: a link of a broadcast, counted, and on to where it leads. It leads only to what stands in that broadcast."""

from collections.abc import Callable

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import Connection
from werkzeug.urls import iri_to_uri

from bot import taps
from bot.broadcasts import results
from bot.broadcasts.letter import is_link
from bot.runtime import Runtime
from bot.taps import Link

log = structlog.get_logger()

CRAWLERS = ("line-poker", "facebookexternalhit", "slackbot")
"""Programs that fetch a link to draw its preview (LINE Developers FAQ, "line-poker"; Slack API, "Unfurling links"): nobody tapped."""


def blueprint(runtime: Callable[[], Runtime]) -> Blueprint:
    """Needs no sign-in and no cookie."""
    leaving = Blueprint("leaving", __name__)

    @leaving.get("/l/<token>")
    def follow(token: str) -> Response:
        house = runtime()
        link = taps.link_of(house.settings, token)
        target = _target(house, link) if link is not None else None
        if link is None or target is None:
            log.warning("link_refused")
            return Response("このリンクは使えません。 / This link does not work.\n", 404, mimetype="text/plain")
        if link.counts and request.method == "GET" and not _is_crawler(request.user_agent.string):
            _count(house, link)
        response = Response(status=302)
        response.headers["Location"] = iri_to_uri(target)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return leaving


def _target(runtime: Runtime, link: Link) -> str | None:
    """Where its button leads; None when there is no such broadcast or button."""
    with runtime.db.read() as look:
        found = results.find(look, link.broadcast_id)
    if found is None:
        return None
    buttons = list(taps.buttons(found.letter[link.locale]))
    uri = buttons[link.button].uri if 0 <= link.button < len(buttons) else None
    return uri if uri is not None and is_link(uri) else None


def _count(runtime: Runtime, link: Link) -> None:
    now = runtime.now()

    def once_more(tx: Connection) -> None:
        taps.count(runtime.db, tx, link.broadcast_id, link.button, link.contact_id, now)

    runtime.db.together(once_more)


def _is_crawler(agent: str) -> bool:
    return any(name in agent.lower() for name in CRAWLERS)
