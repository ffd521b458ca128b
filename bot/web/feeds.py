"""The staff's appointments for their own calendars, behind a secret address each."""

from collections.abc import Callable

from flask import Blueprint, Response, abort

from bot import ics, schedule
from bot.runtime import Runtime


def blueprint(runtime: Callable[[], Runtime]) -> Blueprint:
    """/calendar/<secret>.ics"""
    feeds = Blueprint("feeds", __name__)

    @feeds.get("/calendar/<key>.ics")
    def feed(key: str) -> Response:
        house = runtime()
        with house.db.read() as look:
            if schedule.feed_owner(look, key) is None:
                abort(404)
            entries = schedule.of_clinic(look, house.content, "ja", house.now())
        response = Response(ics.write(house.content.clinic.name.ja, entries), mimetype="text/calendar")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return feeds
