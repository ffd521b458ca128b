"""The app's own page inside a messenger that has one: where to begin, whatever is being asked in the chat."""

from dataclasses import replace

from bot.engine.draft import Draft
from bot.messages import Card, Choice, Command, CommandToken


def show(draft: Draft) -> None:
    """The menu's fields as buttons, the one to begin with first."""
    content = draft.content
    known = draft.state.screening is not None or draft.state.lock is not None
    first = Command.TODAY if known else Command.START
    fields = tuple(Choice(draft.text(area.label), token=CommandToken(area.command)) for area in content.menu.areas)
    more = tuple(draft.command(c) for c in (Command.SUMMARY, Command.DATA, Command.HUMAN))
    choices = tuple(replace(c, style="main") if c.token == CommandToken(first) else c for c in fields)
    shown = {c.token for c in fields}
    draft.surface = "home"
    text = draft.text(content.phrases.home_known if known else content.phrases.home)
    note = draft.text(content.phrases.home_note)
    draft.say(
        Card(
            draft.text(content.clinic.name),
            text,
            note=note,
            choices=(*choices, *(c for c in more if c.token not in shown)),
        )
    )
