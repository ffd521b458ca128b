"""`flask staff`: accounts from the command line, for the first one and for lost keys."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bot.access import Role
from bot.config import Settings

if TYPE_CHECKING:
    from bot.runtime import Runtime
    from bot.staff import Account

ACTOR = "command line"

WHY = {
    "name": "A sign-in name has 1 to 40 characters.",
    "taken": "That sign-in name is taken: `flask staff reset` gives it a new password.",
    "short": "A password needs at least 12 characters, and not the same ones over and over.",
    "long": "That password is too long (200 characters at most).",
    "same": "That is the password it has already.",
}

password_option = click.option(
    "--password-stdin", "from_pipe", is_flag=True, help="Read the password from standard input instead of asking."
)


def group(open_runtime: Callable[[Settings], "Runtime"], settings: Callable[[], Settings]) -> click.Group:
    """The commands. A password is asked for, never taken from the command line, where other users could read it."""

    @click.group("staff")
    def commands() -> None:
        """Who may sign in to the console."""

    @commands.command("add")
    @click.option("--name", prompt="Sign-in name", help="1 to 40 characters.")
    @click.option("--role", type=click.Choice([role.value for role in Role]), prompt="Role", default=Role.OWNER.value)
    @click.option("--english", is_flag=True, help="Show the console in English.")
    @password_option
    def add(name: str, role: str, english: bool, from_pipe: bool) -> None:
        """Adds somebody."""
        from bot import staff

        runtime = open_runtime(settings())
        password = _password(from_pipe)
        try:
            with runtime.db.write() as tx:
                locale = "en" if english else "ja"
                staff.add(tx, runtime.now(), ACTOR, name, Role(role), password, locale=locale)  # type: ignore[arg-type]
        except staff.Refused as refused:
            raise click.ClickException(WHY[refused.why]) from refused
        click.echo(f"Added {staff.normal(name)} ({role}). Sign in at /console.")

    @commands.command("slack")
    @click.option("--name", prompt="Sign-in name")
    @click.option("--member", prompt="Slack member ID (U...; empty takes it away)", default="", show_default=False)
    def slack(name: str, member: str) -> None:
        """Notes who somebody is in Slack: listed staff can use /tip there."""
        from bot import staff

        runtime = open_runtime(settings())
        with runtime.db.write() as tx:
            if not staff.set_slack_member(tx, runtime.now(), ACTOR, name, member.strip() or None):
                raise click.ClickException(f"There is no {staff.normal(name)}.")
        click.echo(f"Noted {member.strip() or 'nobody'} for {staff.normal(name)}.")

    @commands.command("reset")
    @click.option("--name", prompt="Sign-in name")
    @password_option
    def reset(name: str, from_pipe: bool) -> None:
        """Gives a new password, asks for no code from a phone any more, and ends all sessions."""
        from bot import staff

        runtime = open_runtime(settings())
        with runtime.db.read() as look:
            account = staff.named(look, name)
        if account is None:
            raise click.ClickException("Nobody has that sign-in name: `flask staff list` shows them.")
        password = _password(from_pipe)
        try:
            with runtime.db.write() as tx:
                staff.set_password(tx, runtime.now(), ACTOR, account, password)
                staff.set_code_secret(tx, runtime.now(), ACTOR, account, None)
        except staff.Refused as refused:
            raise click.ClickException(WHY[refused.why]) from refused
        click.echo(f"{account.name} can sign in with the new password.")

    @commands.command("list")
    def show() -> None:
        """Everybody who may sign in."""
        from bot import staff

        with open_runtime(settings()).db.read() as look:
            for account in staff.everyone(look):
                click.echo(_line(account))

    return commands


def _line(account: "Account") -> str:
    state = "" if account.active else "  (not in use)"
    code = "  with code" if account.has_code else ""
    return f"{account.role.value:10} {account.name}{code}{state}"


def _password(from_pipe: bool) -> str:
    if from_pipe:
        return sys.stdin.readline().rstrip("\r\n")
    entered: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return entered
