"""`flask demo` and `flask chat`. Everything large is imported when they run, not when any other command does."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.ending import told_to_end

if TYPE_CHECKING:
    from bot.simulator.demo import Build, Demo

PORT: Final = 8000
PORTS_TRIED: Final = 50
SAMPLE_STAFF: Final = "sample"


def register(cli: click.Group, build: "Build") -> None:
    """Adds both commands. `build` makes the bot from settings and a clock."""

    @cli.command("demo")
    @click.option("--host", default="127.0.0.1", show_default=True, help="Anyone who reaches it can play the patients.")
    @click.option("--port", default=PORT, show_default=True, help="The first port tried; the next free one is taken.")
    @click.option("--keep", is_flag=True, help="Go on with var/demo.db of the last time.")
    def demo(host: str, port: int, keep: bool) -> None:
        """The bot and a LINE of its own in the browser: no account, no network."""
        end = told_to_end()
        with _open(build, host, port, Path("var/demo.db"), keep) as house, house.bot.working():
            _welcome_samples(house)
            house.list_slack_staff()
            click.echo(_addresses(house.url, port) + _staff_door(house))
            end()

    @cli.command("chat")
    @click.option("--name", default="見本 花子(サンプル)", show_default=True, help="Who is talking.")
    @click.option("--english", is_flag=True, help="The person's LINE is set to English.")
    @click.option("--keep", is_flag=True, help="Go on with var/chat.db of the last time.")
    def chat(name: str, english: bool, keep: bool) -> None:
        """The same talk in a terminal; reads lines, so a file can be piped in."""
        from bot.simulator.chat import Chat

        with _open(build, "127.0.0.1", 0, Path("var/chat.db"), keep) as house:
            talk = Chat(house, click.echo, name, "en" if english else "ja")
            talk.begin()
            while (line := _line()) is not None and talk.take(line):
                pass


def _open(build: "Build", host: str, port: int, database: Path, keep: bool) -> "Demo":
    from bot import logs
    from bot.config import Settings
    from bot.simulator.demo import Demo
    from bot.simulator.server import bind

    logs.configure(logging.WARNING)
    try:
        listener = bind(host, port, PORTS_TRIED if port else 1)
    except OSError as error:
        raise click.ClickException(f"No free port from {port} on {host}: {error.strerror}.") from error
    if port and listener.getsockname()[1] != port:
        database = database.with_stem(f"{database.stem}-{listener.getsockname()[1]}")  # another demo runs on its own
    if not keep:
        for leftover in database.parent.glob(database.name + "*"):
            leftover.unlink()
    return Demo(build, listener, database_url=f"sqlite:///{database}", content_dir=Settings().content_dir)


def _welcome_samples(house: "Demo") -> None:
    from bot.simulator.chats import SAMPLES

    for name in SAMPLES:
        house.webhooks.follow(house.platform.chats.add_person(name).user_id)


def _staff_door(house: "Demo") -> str:
    """A sample owner of the console, with a password made now."""
    password = house.give_staff_sign_in(SAMPLE_STAFF)
    return (
        f"\n  スタッフの画面 / The staff console:  {house.url}/console/\n"
        f"  お名前 / name: {SAMPLE_STAFF}   パスワード / password: {password}\n"
    )


def _addresses(url: str, port: int) -> str:
    moved = "" if url.endswith(f":{port}") else f"\n  ({port} は使用中です / port {port} is taken)"
    return (
        f"\n  電話の画面 / The phone:  {url}/{moved}\n"
        "  ブラウザで開いてください。終わるには Ctrl-C。 / Open it in a browser. Ctrl-C ends it.\n"
    )


def _line() -> str | None:
    """The next line typed; None at the end of the input."""
    if sys.stdin.isatty():
        try:
            return input("> ")
        except (EOFError, KeyboardInterrupt):
            return None
    return sys.stdin.readline() or None
