"""The composition root: puts the parts together for each way of running them. `app` is the WSGI application and the
`flask` command line; everything large is imported when it is needed, so that commands start at once."""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from bot import commands, logs
from bot.config import Settings
from bot.simulator import command as simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from bot.channels.base import Channel
    from bot.runtime import Runtime
    from bot.simulator.demo import Bot
    from bot.store.session import Database


def open_runtime(settings: Settings, now: "Callable[[], datetime] | None" = None) -> "Runtime":
    """Everything a process works with. Migrates an SQLite file. Raises ContentError for content that cannot be read."""
    from bot.content.load import load
    from bot.runtime import Runtime, clock

    content = load(settings.content_dir)
    db = _open_database(settings)
    return Runtime(
        settings=settings,
        db=db,
        content=content,
        channels={**_line(settings), **_slack(settings, db)},
        now=now or clock,
    )


def _open_database(settings: Settings) -> "Database":
    from bot.store.session import HEAD, open_database

    db = open_database(settings.database_url)
    if db.is_sqlite and db.revision() != HEAD:
        from bot.store import migrate

        migrate.upgrade(db)
    return db


def _line(settings: Settings) -> "Mapping[str, Channel]":
    if not settings.has_line:
        return {}
    from bot.channels.line.channel import LineChannel

    line = LineChannel(
        secrets=settings.line_channel_secrets,
        access_token=settings.line_channel_access_token.get_secret_value(),
        api_url=settings.line_api_url,
        public_url=settings.public_url,
    )
    return {line.name: line}


def _slack(settings: Settings, db: "Database") -> "Mapping[str, Channel]":
    """The staff's channel is in the workspace of the settings' token."""
    if not settings.has_slack:
        return {}
    from bot.channels.slack.account import Own
    from bot.channels.slack.channel import SlackChannel
    from bot.channels.slack.staff import StaffChannel
    from bot.workspaces import Tokens

    token = settings.slack_bot_token.get_secret_value()
    own = Own(settings.slack_api_url, token) if token else None
    slack = SlackChannel(
        secrets=settings.slack_signing_secrets,
        tokens=Tokens(db, settings, own),
        api_url=settings.slack_api_url,
        public_url=settings.public_url,
        staff_channel=settings.slack_staff_channel if token else "",
        own=own,
        many=settings.slack_many,
    )
    if not token or not settings.slack_staff_channel:
        return {slack.name: slack}
    room = StaffChannel(token=token, api_url=settings.slack_api_url)
    return {slack.name: slack, room.name: room}


def create_app(
    settings: Settings | None = None,
    *,
    runtime: "Runtime | None" = None,
    working: Callable[[], bool] | None = None,
) -> Flask:
    """The web application over `runtime` (None: one is opened for `settings`, None: from the environment). `working`
    tells whether this process's worker is alive; None where another process has it."""
    from bot.web import feeds, headers, health, hooks, leaving, slack_install
    from bot.web.api.blueprint import blueprint as api
    from bot.web.care.blueprint import blueprint as care
    from bot.web.console import blueprint as console

    parts = runtime or open_runtime(settings or Settings())
    web = Flask("selfcare", static_folder=None, static_url_path="/static")
    web.secret_key = parts.settings.secret_key.get_secret_value() or None
    web.register_blueprint(hooks.blueprint(lambda: parts))
    web.register_blueprint(health.blueprint(lambda: parts, working))
    web.register_blueprint(care(lambda: parts))
    web.register_blueprint(feeds.blueprint(lambda: parts))
    console.install(web, lambda: parts, parts.settings, working)
    web.register_blueprint(api(lambda: parts))
    web.register_blueprint(leaving.blueprint(lambda: parts))
    if parts.settings.slack_many:
        web.register_blueprint(slack_install.blueprint(parts))
    headers.install(web, parts.settings.public_url)
    web.register_error_handler(Exception, _unexpected)
    return web


def _unexpected(error: Exception) -> Response | HTTPException:
    """Logged without its words, which may be a patient's."""
    if isinstance(error, HTTPException):
        return error
    import structlog

    structlog.get_logger().error("request_failed", error=error)
    return Response(status=500)


def build(settings: Settings, now: Callable[[], datetime]) -> "Bot":
    """All of it in one process, for the demo and for tests."""
    from bot.simulator.demo import Bot
    from bot.worker import Shift, drain

    runtime = open_runtime(settings, now)
    shift = Shift(runtime)
    web = create_app(runtime=runtime, working=shift.alive)
    return Bot(wsgi=web, runtime=runtime, working=shift.working, drain=lambda: drain(runtime))


class _Late:
    """The web application for any WSGI server, made at the first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Flask | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with self._lock:
            if self._made is None:
                logs.configure()
                self._made = create_app()
        return self._made.wsgi_app(environ, start_response)


app = Flask("selfcare", static_folder=None)
app.wsgi_app = _Late()  # type: ignore[method-assign]
commands.register(app.cli, commands.House(open_runtime, create_app))
simulator.register(app.cli, build)
