"""`flask token`: keys for programs, from the command line."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bot.access import SCOPES, Action
from bot.config import Settings
from bot.staff_command import ACTOR

if TYPE_CHECKING:
    from bot.runtime import Runtime

WHY = {
    "token_name": "A token's name has 1 to 60 characters.",
    "scopes": "Give at least one --scope.",
    "beyond": "The owner's role does not allow one of these scopes.",
}


def group(open_runtime: Callable[[Settings], "Runtime"], settings: Callable[[], Settings]) -> click.Group:
    """The commands. A token is printed once, when it is made."""

    @click.group("token")
    def commands() -> None:
        """Tokens with which programs use /api/v1."""

    @commands.command("add")
    @click.option("--name", prompt="What it is for")
    @click.option(
        "--owner", prompt="Sign-in name of its owner", help="Whose name stands in the audit, whose role counts."
    )
    @click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice([one.value for one in SCOPES]))
    def add(name: str, owner: str, scopes: tuple[str, ...]) -> None:
        """Makes one and prints it: it is stored nowhere."""
        from bot import staff, tokens

        runtime = open_runtime(settings())
        try:
            with runtime.db.write() as tx:
                account = staff.named(tx, owner)
                if account is None or not account.active:
                    raise click.ClickException("Nobody in use has that sign-in name: `flask staff list` shows them.")
                chosen = [Action(scope) for scope in dict.fromkeys(scopes)]
                token_id, key = tokens.make(tx, runtime.now(), ACTOR, account, name, chosen)
        except staff.Refused as refused:
            raise click.ClickException(WHY[refused.why]) from refused
        click.echo(f"Token {token_id}, good for a year. It is shown this once:", err=True)
        click.echo(key)

    @commands.command("list")
    def show() -> None:
        """All of them, the newest first."""
        from bot import tokens

        runtime = open_runtime(settings())
        now = runtime.now()
        with runtime.db.read() as look:
            for one in tokens.everyone(look):
                state = f"until {one.expires_at:%Y-%m-%d}" if one.works(now) else "does not work"
                used = f"used {one.used_at:%Y-%m-%d}" if one.used_at else "never used"
                click.echo(f"{one.id:4} {one.name}  {one.owner.name}  {' '.join(one.scopes)}  {state}  {used}")

    @commands.command("revoke")
    @click.argument("token_id", type=int)
    def revoke(token_id: int) -> None:
        """Ends one, at once and for good."""
        from bot import tokens

        runtime = open_runtime(settings())
        with runtime.db.write() as tx:
            if not tokens.revoke(tx, runtime.now(), ACTOR, token_id):
                raise click.ClickException("There is no such token, or it was revoked before.")
        click.echo(f"Revoked {token_id}.")

    return commands
