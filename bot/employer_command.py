"""`flask report`: what an employer may be told of a month."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from bot.config import Settings

if TYPE_CHECKING:
    from bot.employer import Figures
    from bot.runtime import Runtime

WORDS: Mapping[str, tuple[str, str]] = {
    "took_part": ("体の確認かケアをした方", "Answered the body check or did a routine"),
    "did": ("ケアをした方", "Did a routine"),
    "told": ("ケアの前と後の痛みを教えてくださった方", "Told us their pain before and after it"),
    "less_pain": ("最後のケアの後、痛みが前より小さかった方", "Of these, had less pain after their last one"),
    "count": ("{count}人以上", "{count} or more people"),
    "hidden": (
        "お伝えできません（該当する方、または上の数字との差が{least}人未満）",
        "not told (fewer than {least} people, or fewer than {least} apart)",
    ),
    "note": (
        "数字は{least}人きざみで切り下げています。お一人ずつのことは、どなたにもお伝えしていません。痛みの変化は、ケアの効き目を示すものではありません。",
        "Numbers are rounded down in steps of {least}. Nothing is told of anybody by themselves. A change of pain proves no effect of the routine.",
    ),
    "nobody": ("この月に使った方はいません。", "Nobody used it in that month."),
}


def command(open_runtime: "Callable[[Settings], Runtime]", settings: Callable[[], Settings]) -> click.Command:
    """One month of Slack's workspaces."""

    @click.command("report")
    @click.option("--month", prompt="Month (YYYY-MM)", type=click.DateTime(["%Y-%m"]))
    @click.option("--workspace", default="", help="Slack's id of one workspace (T...): what its employer may have.")
    @click.option("--english", is_flag=True)
    def report(month: datetime, workspace: str, english: bool) -> None:
        """What an employer may be told: numbers of groups that are large enough, never of one person."""
        from bot import employer

        runtime = open_runtime(settings())
        try:
            found = employer.report(runtime, month.date(), workspace)
        except employer.NotOver as error:
            raise click.ClickException(f"{error} is not over yet: only whole months can be told.") from error
        least = runtime.content.clinic.employer.least
        for line in _lines(found, f"{month:%Y-%m}", least, int(english)):
            click.echo(line)

    return report


def _lines(found: "Sequence[Figures]", month: str, least: int, language: int) -> Iterator[str]:
    if not found:
        yield WORDS["nobody"][language]
        return
    for one in found:
        yield f"{month}  {one.name or one.workspace} ({one.workspace})"
        for step, count in one.counts.items():
            value = WORDS["hidden" if count is None else "count"][language].format(count=count, least=least)
            yield f"  {WORDS[step.value][language]}: {value}"
    yield WORDS["note"][language].format(least=least)
