"""Every sentence of the content with its place, so that each can be held against a limit or a list of words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from bot.content.model import Content, Wording

Voice = Literal["ask", "say"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. `path` is the way to it inside `file`, by ids where there are any. `voice`: what we ask about, or
    what we say ourselves. `name` is the field it stands in."""

    file: str
    path: str
    name: str
    voice: Voice
    wording: Wording


_ASKED = frozenset(("item", "ask", "card", "ask_number"))
"""What asks: here the name of an illness may stand, for it is the patient's own word."""


def sentences(content: Content) -> Iterator[Sentence]:
    """Every wording of every file but words.toml, which holds what patients say."""
    roots: list[tuple[str, str, Voice, BaseModel]] = [
        ("clinic.toml", "", "say", content.clinic),
        ("menu.toml", "", "say", content.menu),
        ("phrases.toml", "", "say", content.phrases),
        ("reminders.toml", "", "say", content.reminders),
        ("pages.toml", "", "say", content.pages),
        ("booking.toml", "", "say", content.booking),
        ("nudges.toml", "", "say", content.nudges),
        ("programme.toml", "", "say", content.programme),
    ]
    safety = content.safety
    roots += [("red_flags.toml", item.id, "ask", item) for item in safety.item]
    roots += [("red_flags.toml", flag.id, "say", flag) for flag in safety.flag]
    roots += [("red_flags.toml", advice.id, "say", advice) for advice in safety.advice]
    for flow in content.flows.values():
        yield Sentence(f"flows/{flow.id}.toml", "title", "title", "say", flow.title)
        for node in flow.node:
            roots.append((f"flows/{flow.id}.toml", node.id, "ask" if node.kind in _ASKED else "say", node))
    roots += [(f"routines/{routine.id}.toml", "", "say", routine) for routine in content.routines.values()]
    roots += [(f"tips/{tip.factor}.toml", tip.id, "say", tip) for tip in content.tips]
    for file, path, voice, root in roots:
        yield from _within(root, file, path, voice, "")


def _within(value: object, file: str, path: str, voice: Voice, name: str) -> Iterator[Sentence]:
    match value:
        case Wording():
            yield Sentence(file, path, name, voice, value)
        case BaseModel():
            for field in type(value).model_fields:
                yield from _within(getattr(value, field), file, _join(path, field), voice, field)
        case tuple():
            for index, inner in enumerate(value):
                label = getattr(inner, "id", None)
                yield from _within(inner, file, _join(path, label or str(index + 1)), voice, name)
        case Mapping():
            for key, inner in value.items():
                yield from _within(inner, file, _join(path, str(key)), voice, name)
        case _:
            pass


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
