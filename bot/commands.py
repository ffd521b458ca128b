"""The operator's commands. Everything large is imported by the command that needs it, so that each starts at once."""

import contextlib
import ctypes
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

import click
from flask import Flask
from pydantic import ValidationError

from bot import employer_command, logs, staff_command, token_command
from bot.config import Settings
from bot.ending import told_to_end

if TYPE_CHECKING:
    from bot.runtime import Runtime
    from bot.worker import Shift

MISSING = 2
"""Exit code: the operator must set something first."""

PROVEN = b"proven"

M_ARENA_MAX = -8
"""mallopt(3), glibc."""

HEAPS = 2
"""By itself glibc gives every thread a heap of its own; with two, a running guide takes 20 MB less (tests/bench)."""

REFUSED = 3
"""Exit code: content or database do not fit this program. Gunicorn, too, gives up when a worker ends like this."""


class CreateApp(Protocol):
    """The web application over a runtime; `working` as bot.web.health takes it."""

    def __call__(self, *, runtime: "Runtime", working: Callable[[], bool] | None = None) -> Flask: ...


@dataclass(frozen=True, slots=True)
class House:
    """What the composition root makes."""

    open_runtime: Callable[[Settings], "Runtime"]
    create_app: CreateApp


host_option = click.option("--host", default="127.0.0.1", show_default=True)
port_option = click.option("--port", default=8000, show_default=True)


def register(cli: click.Group, house: House) -> None:
    """Adds them all."""
    staff = staff_command.group(house.open_runtime, _settings)
    token = token_command.group(house.open_runtime, _settings)
    report = employer_command.command(house.open_runtime, _settings)
    for command in (
        _serve(house),
        _web(house),
        _worker(house),
        _forecast(house),
        check,
        doctor,
        db,
        line,
        staff,
        token,
        report,
    ):
        cli.add_command(command)


def _share_heaps() -> None:
    """Before the first thread. Another C library than glibc has no such call, and does as it likes."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def _serve(house: House) -> click.Command:
    @click.command("serve")
    @host_option
    @port_option
    def serve(host: str, port: int) -> None:
        """Everything in one process: web, conversation, delivery."""
        _share_heaps()
        _run_server(house, _ready_settings(shared=False), host, port, with_worker=True)

    return serve


def _web(house: House) -> click.Command:
    @click.command("web")
    @host_option
    @port_option
    def web(host: str, port: int) -> None:
        """Webhooks and pages only; any number of them beside `flask worker`."""
        _share_heaps()
        _run_server(house, _ready_settings(shared=True), host, port, with_worker=False)

    return web


def _worker(house: House) -> click.Command:
    @click.command("worker")
    def worker() -> None:
        """Conversation and delivery only; any number of them beside `flask web`."""
        _share_heaps()
        settings = _ready_settings(shared=True)
        logs.configure()
        _refuse_wrong_content(settings.content_dir)
        runtime = _start(house, settings)
        from bot.store.bell import Listener
        from bot.worker import Shift

        end = told_to_end()
        listener = Listener(runtime.db, runtime.wake)
        with Shift(runtime).working():
            listener.start()
            end()
            listener.stop()

    return worker


def _forecast(house: House) -> click.Command:
    @click.command("forecast")
    @click.option("--days", default=30, show_default=True, type=click.IntRange(1, 366))
    def forecast(days: int) -> None:
        """What would go to whom in the next days, why, what is skipped, and what it costs. Sends nothing."""
        from datetime import timedelta

        from bot.forecast import look_ahead, render
        from bot.worker import drain

        logs.configure(logging.ERROR)
        runtime = _start(house, _settings())
        for line in render(look_ahead(runtime, drain, timedelta(days=days)), runtime.content):
            click.echo(line)

    return forecast


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        names = (f"{str(problem['loc'][0]).upper()}: {problem['msg']}" for problem in error.errors(include_input=False))
        _give_up(f"These settings cannot be read.\n  {chr(10).join(names)}")


def _give_up(why: str, code: int = MISSING) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(code)


def _ready_settings(*, shared: bool) -> Settings:
    """Settings to serve real patients with. `shared`: several processes are going to use the database."""
    settings = _settings()
    if settings.half_set:
        _give_up(
            f"Missing: {', '.join(settings.half_set)}. Its other half is set. `flask doctor` tells where to find it."
        )
    if not settings.has_line and not settings.has_slack:
        _give_up(
            "No channel is set up, so nobody could be answered.\n"
            "  LINE needs LINE_CHANNEL_SECRET and LINE_CHANNEL_ACCESS_TOKEN (README.md tells where to find them).\n"
            "  Slack needs SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN (the same). One of the two is enough.\n"
            "To try the guide without any account: make demo"
        )
    if shared and settings.database_url.startswith("sqlite"):
        _give_up("`flask web` and `flask worker` share a PostgreSQL database: set DATABASE_URL, or use `flask serve`.")
    return settings


def _start(house: House, settings: Settings) -> "Runtime":
    """The runtime, or a clear end of the process."""
    from bot.content.load import ContentError
    from bot.engine.safety import prepare
    from bot.store.session import HEAD

    try:
        runtime = house.open_runtime(settings)
    except ContentError as error:
        _give_up(str(error), REFUSED)
    if runtime.db.revision() != HEAD:
        _give_up("The database is not at this program's revision: run `flask db upgrade`.", REFUSED)
    prepare(runtime.content.vocabulary, runtime.content.likeness)
    return runtime


def _refuse_wrong_content(folder: Path) -> None:
    from bot.content.check import check, render

    report = check(folder)
    if report.unsafe:
        _give_up(f"The content is not safe to be used (`flask check`):\n{render(report)}", REFUSED)


class _Proof:
    """The content check in a process of its own, beside the start of the server: either takes a second or two."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reading, writing = os.pipe()
        if os.fork() == 0:
            with os.fdopen(writing, "wb") as pipe, contextlib.suppress(BaseException):
                from bot.content.check import check

                pipe.write(b"" if check(folder).unsafe else PROVEN)
                pipe.flush()
            os._exit(0)
        os.close(writing)

    def wait(self) -> None:
        """Ends this process if the content must not be used. A second call (gunicorn's reload) checks anew."""
        if os.read(self._reading, len(PROVEN)) != PROVEN:
            _refuse_wrong_content(self._folder)


def _run_server(house: House, settings: Settings, host: str, port: int, *, with_worker: bool) -> None:
    from bot.web.server import Server

    shifts: list[Shift] = []
    proof = _Proof(settings.content_dir)

    def load() -> Flask:
        logs.configure()
        runtime = _start(house, settings)
        proof.wait()
        if not with_worker:
            from bot.store.bell import Ringer

            ringer = Ringer(runtime.db)
            ringer.start()
            runtime.wake.listen(ringer.ring)
            return house.create_app(runtime=runtime)
        from bot.worker import Shift

        shift = Shift(runtime)
        shifts.append(shift)
        return house.create_app(runtime=runtime, working=shift.alive)

    def started() -> None:
        for shift in shifts:
            shift.start()
        click.echo(f"Serving on http://{host}:{port}", err=True)

    def stopped() -> None:
        for shift in shifts:
            shift.stop()

    Server(load, host, port, started, stopped).run()


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
def check(folder: Path | None) -> None:
    """Proves the content: every problem, one a line."""
    from bot.content.check import check as check_content
    from bot.content.check import render

    report = check_content(folder or _settings().content_dir)
    click.echo(render(report))
    sys.exit(1 if report.failed else 0)


@click.command()
def doctor() -> None:
    """Looks over an installation and says what to do."""
    from bot.doctor import examine

    findings = list(examine(_settings()))
    for finding in findings:
        click.echo(f"{finding.level.value:8} {finding.subject}: {finding.words}")
    sys.exit(1 if any(finding.stops for finding in findings) else 0)


@click.group()
def db() -> None:
    """The database's migrations."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Brings it to a revision (default: the newest)."""
    _migrate("upgrade", revision)


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Takes it back to a revision; `base` empties it."""
    _migrate("downgrade", revision)


@db.command()
def current() -> None:
    """Which revision it is at, and which there are."""
    from bot.store import migrate
    from bot.store.session import open_database

    at = open_database(_settings().database_url).revision()
    for revision, words in migrate.history():
        click.echo(f"{'*' if revision == at else ' '} {revision} {words}")


def _migrate(direction: str, revision: str) -> None:
    from bot.store import migrate
    from bot.store.session import open_database

    database = open_database(_settings().database_url)
    (migrate.upgrade if direction == "upgrade" else migrate.downgrade)(database, revision)
    click.echo(f"The database is at {database.revision() or 'base'}.")


@click.group()
def line() -> None:
    """The LINE Official Account."""


@line.command()
def setup() -> None:
    """Draws and uploads the rich menu, sets the webhook address and tests it. Run twice it changes nothing."""
    from bot.channels.line.menu import set_up
    from bot.content.load import ContentError, load

    settings = _settings()
    try:
        content = load(settings.content_dir)
    except ContentError as error:
        _give_up(str(error))
    sys.exit(0 if set_up(settings, content, click.echo) else 1)
