"""The patient's own pages: a good link opens one, anything else opens nothing and says how to get a new one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import structlog
from flask import Blueprint, Response, render_template, request
from sqlalchemy import Connection

from bot import ics, progress, schedule
from bot.content.model import Content, Wording
from bot.inbox import accept
from bot.links import Refusal
from bot.messages import LOCALES, Command, Decided, Inbound, Page
from bot.runtime import Runtime
from bot.web.care import data
from bot.web.care.chart import chart
from bot.web.care.measures import measured
from bot.web.care.player import play
from bot.web.care.visit import Visit, open_page, speaker, written

log = structlog.get_logger()

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
FORM_MAX = 4096
"""Bytes: a form of ours has one short field."""

STATIC_LIFE = timedelta(hours=1)

Show = Callable[[Connection, Visit], Response]


def blueprint(runtime: Callable[[], Runtime]) -> Blueprint:
    """Everything under /care. Needs no cookie and asks nobody else for anything."""
    care = Blueprint(
        "care",
        __name__,
        url_prefix="/care",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )

    def opened(page: Page, token: str, show: Show) -> Response:
        house = runtime()
        with house.db.read() as tx:
            visit = open_page(house, tx, page, token)
            if isinstance(visit, Refusal):
                return _closed(house.content, page, visit)
            return show(tx, visit)

    @care.get("/player/<token>")
    def player(token: str) -> Response:
        return opened("player", token, _player)

    @care.get("/progress/<token>")
    def trend(token: str) -> Response:
        return opened("progress", token, _progress)

    @care.get("/trend/<token>")
    def drawn(token: str) -> Response:
        return opened("trend", token, _trend)

    @care.get("/appointment/<token>")
    def appointment(token: str) -> Response:
        return opened("appointment", token, _appointment)

    @care.get("/data/<token>")
    def everything(token: str) -> Response:
        return opened("data", token, _data)

    @care.get("/data/<token>/file")
    def file(token: str) -> Response:
        return opened("data", token, _file)

    @care.post("/data/<token>/erase")
    def erase(token: str) -> Response:
        request.max_content_length = FORM_MAX
        return opened("data", token, lambda tx, visit: _erase(runtime(), tx, visit))

    @care.post("/data/<token>/withdraw")
    def withdraw(token: str) -> Response:
        request.max_content_length = FORM_MAX
        return opened("data", token, lambda tx, visit: _withdraw(runtime(), tx, visit))

    care.after_request(_harden)
    return care


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.endpoint == "care.static":
        response.cache_control.max_age = int(STATIC_LIFE.total_seconds())
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def _page(template: str, visit: Visit, status: int = 200, **values: object) -> Response:
    pages = visit.draft.content.pages
    html = render_template(
        f"care/{template}.html",
        visit=visit,
        locale=visit.locale,
        say=visit.say,
        pages=pages,
        phrases=visit.draft.content.phrases,
        clinic=visit.draft.content.clinic,
        chat=visit.chat,
        root=_root(),
        **values,
    )
    return Response(html, status)


def _root() -> str:
    """The way up to the site's root, whatever a proxy puts before it."""
    return "../" * (request.path.count("/") - 1)


def _notice(visit: Visit, title: Wording, text: str, status: int) -> Response:
    return _page("notice", visit, status, title=visit.say(title), text=text, way=None)


def _closed(content: Content, page: Page, why: Refusal) -> Response:
    """Nobody's data, nobody's language: the browser's is taken."""
    log.warning("care_link_refused", page=page, why=why.value)
    locale: Literal["ja", "en"] = "en" if request.accept_languages.best_match(LOCALES, "ja") == "en" else "ja"
    say, words = speaker(locale), content.pages.common
    commands = content.phrases.commands
    ways = {
        "player": say(words.new_player, button=say(commands[Command.TODAY])),
        "progress": say(words.new_progress, button=say(commands[Command.PROGRESS])),
        "trend": say(words.new_progress, button=say(commands[Command.PROGRESS])),
        "appointment": say(words.new_data, button=say(commands[Command.ASSESSMENT])),
        "data": say(words.new_data, button=say(commands[Command.DATA])),
    }
    expired = why is Refusal.EXPIRED
    html = render_template(
        "care/notice.html",
        locale=locale,
        say=say,
        pages=content.pages,
        clinic=content.clinic,
        chat=None,
        title=say(words.closed_title),
        text=say(words.expired if expired else words.forged),
        way=ways[page],
        root=_root(),
    )
    return Response(html, 410 if expired else 403)


def _player(_: Connection, visit: Visit) -> Response:
    found = play(visit)
    words = visit.draft.content.pages
    if found is None:
        button = visit.say(visit.draft.content.phrases.commands[Command.TODAY])
        text = visit.say(words.common.not_now, button=button)
        return _notice(visit, words.common.not_now_title, text, 409)
    return _page("player", visit, play=found, words=words.player)


def _progress(tx: Connection, visit: Visit) -> Response:
    found = progress.read(tx, visit.contact_id, visit.zone, visit.draft.now)
    drawn = chart(found.points) if found.points else None
    screening = visit.draft.state.screening
    words = visit.draft.content.pages.progress
    measures = measured(tx, visit)
    return _page(
        "progress",
        visit,
        progress=found,
        chart=drawn,
        screening=screening,
        measures=measures,
        words=words,
        written=written,
    )


def _trend(tx: Connection, visit: Visit) -> Response:
    """For the chat, which asks for it as often as it is opened."""
    from bot.web.care.picture import draw  # drawing costs memory: only where a picture is asked for

    found = progress.read(tx, visit.contact_id, visit.zone, visit.draft.now)
    words = visit.draft.content.pages.progress
    return Response(draw(found.points, words, visit.say), mimetype="image/png")


def _data(tx: Connection, visit: Visit, status: int = 200, wrong: bool = False) -> Response:
    words = visit.draft.content.pages.data
    return _page("data", visit, status, account=data.account(tx, visit), words=words, wrong=wrong, token=_token())


def _appointment(tx: Connection, visit: Visit) -> Response:
    """Their next appointment as a file for their calendar; an empty calendar when there is none any more."""
    entries = schedule.of_patient(tx, visit.draft.content, visit.contact_id, visit.locale, visit.draft.now)
    response = Response(ics.write(visit.say(visit.draft.content.booking.event), entries), mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


def _token() -> str:
    """The link's own, for the page's forms."""
    assert request.view_args is not None
    return str(request.view_args["token"])


def _file(tx: Connection, visit: Visit) -> Response:
    response = Response(data.file(tx, visit), mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="selfcare-records.json"'
    return response


def _erase(runtime: Runtime, tx: Connection, visit: Visit) -> Response:
    """Only when the word was typed; done by the engine, as everything else. The same wish twice is one event."""
    words = visit.draft.content.pages.data
    if request.form.get("word", "").strip().casefold() != visit.say(words.erase_word).casefold():
        return _data(tx, visit, 400, wrong=True)
    _tell(runtime, visit, Decided("erase"), f"care-erase-{visit.contact_id}")
    return _notice(visit, words.erasing_title, visit.say(words.erasing), 202)


def _withdraw(runtime: Runtime, tx: Connection, visit: Visit) -> Response:
    words = visit.draft.content.pages.data
    purpose = request.form.get("purpose", "")
    given = visit.draft.state.consents.get(purpose)
    if given is None:
        return _data(tx, visit, 400)
    event_id = f"care-{purpose}-{visit.contact_id}-{given.timestamp()}"
    _tell(runtime, visit, Decided("withdraw", purpose), event_id)
    return _notice(visit, words.withdrawing_title, visit.say(words.withdrawing), 202)


def _tell(runtime: Runtime, visit: Visit, event: Decided, event_id: str) -> None:
    now = visit.draft.now
    accept(runtime, [Inbound(visit.channel, event_id, visit.user_id, now, event)])
