"""Reads content/ into a Content, or says everything that is wrong with its files at once."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ValidationError

from bot.content.booking import BookingWords
from bot.content.likeness import Likeness
from bot.content.model import Clinic, Condition, Content, Flow, Menu, Phrases, Routine, Safety, Strict, Tip
from bot.content.nudges import Nudges
from bot.content.pacing import Pacing
from bot.content.pages import Pages
from bot.content.programme import Programme
from bot.content.reminders import Reminders
from bot.content.requests import Requests
from bot.content.staff_room import StaffRoom
from bot.content.vocabulary import Vocabulary

M = TypeVar("M", bound=BaseModel)
Table = dict[str, object]

_CONDITION = re.compile(rf"\b({'|'.join(kind.__name__ for kind in get_args(Condition))})\b")
"""How pydantic names the kind of condition that it tried."""


class Problem(NamedTuple):
    """One thing wrong. `item` is the way to it inside `file`, by ids where there are any; "" is the whole file."""

    file: str
    item: str
    problem: str


class ContentError(Exception):
    """The folder is not content. `problems` are all that were found, file by file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(": ".join(part for part in problem if part) for problem in problems))
        self.problems = tuple(problems)


class Tips(Strict):
    """A file of content/tips."""

    tip: tuple[Tip, ...]


def load(folder: Path) -> Content:
    """Everything in `folder`. Raises ContentError; that ids exist and paths are safe is for `check` to prove."""
    reader = _Reader(folder)
    clinic = reader.one("clinic.toml", Clinic)
    safety = reader.one("red_flags.toml", Safety)
    vocabulary = reader.one("words.toml", Vocabulary)
    likeness = reader.one("likeness.toml", Likeness, reader.numbers("likeness.npy"))
    requests = reader.one("requests.toml", Requests, reader.numbers("requests.npy"))
    menu = reader.one("menu.toml", Menu)
    phrases = reader.one("phrases.toml", Phrases)
    pages = reader.one("pages.toml", Pages)
    reminders = reader.one("reminders.toml", Reminders)
    pacing = reader.one("pacing.toml", Pacing)
    booking = reader.one("booking.toml", BookingWords)
    nudges = reader.one("nudges.toml", Nudges)
    programme = reader.one("programme.toml", Programme)
    staff_room = reader.one("staff_room.toml", StaffRoom)
    flows = reader.many("flows", Flow, named=True)
    routines = reader.many("routines", Routine, named=True)
    tips = reader.many("tips", Tips)
    if not (
        clinic
        and safety
        and vocabulary
        and likeness
        and requests
        and menu
        and phrases
        and pages
        and reminders
        and booking
        and nudges
        and programme
    ):
        raise ContentError(reader.problems)
    if reader.problems or pacing is None or staff_room is None:
        raise ContentError(reader.problems)
    media = frozenset(path.name for path in folder.glob("media/*.png"))
    return Content(
        version=_version(folder, media),
        clinic=clinic,
        safety=safety,
        vocabulary=vocabulary,
        likeness=likeness,
        requests=requests,
        menu=menu,
        phrases=phrases,
        pages=pages,
        reminders=reminders,
        pacing=pacing,
        booking=booking,
        nudges=nudges,
        programme=programme,
        staff_room=staff_room,
        flows=flows,
        routines=routines,
        tips=tuple(tip for file in tips.values() for tip in file.tip),
        media=media,
    )


class _Reader:
    """Reads file after file and keeps what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problems: list[Problem] = []

    def one(self, name: str, model: type[M], given: Table | None = None) -> M | None:
        """The file as `model`, with the fields `given` from outside; None when something is wrong with it."""
        try:
            table: Table = tomllib.loads((self._folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._found(name, "", "the file is missing")
            return None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self._found(name, "", f"cannot be read: {error}")
            return None
        for field in (given or {}).keys() & table.keys():
            self._found(name, field, "is given by the file's name; leave it out")
        try:
            return model.model_validate({**table, **(given or {})})
        except ValidationError as error:
            self.problems += _explained(name, table, error)
            return None

    def numbers(self, name: str) -> Table:
        """The table of numbers in a file. Not mapped from the disk: whoever wrote over the file would end the process."""
        try:
            return {"numbers": np.load(self._folder / name, allow_pickle=False)}
        except FileNotFoundError:
            self._found(name, "", "the file is missing")
        except (OSError, ValueError, EOFError) as error:
            self._found(name, "", f"cannot be read: {error}")
        return {}

    def many(self, name: str, model: type[M], named: bool = False) -> dict[str, M]:
        """The files of a folder by their stems, which are the ids of what they hold if `named`."""
        paths = sorted((self._folder / name).glob("*.toml"))
        if not paths:
            self._found(name, "", "the folder is missing or has no .toml file")
        read = {p.stem: self.one(f"{name}/{p.name}", model, {"id": p.stem} if named else None) for p in paths}
        return {stem: found for stem, found in read.items() if found is not None}

    def _found(self, file: str, item: str, problem: str) -> None:
        self.problems.append(Problem(file, item, problem))


def _explained(name: str, table: Table, error: ValidationError) -> Iterator[Problem]:
    """Each error where the author finds it. What fits none of the conditions is one problem, not one for each kind, and
    a list is not short for want of what is wrong in it."""
    errors = error.errors(include_url=False)
    seen: set[str] = set()
    for found in errors:
        where = found["loc"]
        if any(other["loc"][: len(where)] == where != other["loc"] for other in errors):
            continue
        kind = next((i for i, part in enumerate(where) if _CONDITION.search(str(part))), None)
        if kind is None:
            yield Problem(name, _item(table, where), found["msg"])
            continue
        item = _item(table, where[:kind])
        if item not in seen:
            seen.add(item)
            yield Problem(name, item, f"is none of the conditions: {_shown(table, where[:kind])}")


def _item(table: Table, where: tuple[int | str, ...]) -> str:
    """The way to a place in the file, with ids instead of positions."""
    parts: list[str] = []
    for here, part in zip(_down(table, where), where, strict=False):
        inner = here.get("id") if isinstance(here, dict) else None
        parts.append(str(inner) if isinstance(part, int) and isinstance(inner, str) else str(part))
    return ".".join(parts)


def _shown(table: Table, where: tuple[int | str, ...]) -> str:
    return repr(list(_down(table, where))[-1])


def _down(table: Table, where: tuple[int | str, ...]) -> Iterator[object]:
    """What stands at each part of the way. A part that pydantic adds (the kind of a node) stays where it is."""
    here: object = table
    for part in where:
        if isinstance(here, dict):
            here = here.get(part, here)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        yield here


def _version(folder: Path, media: frozenset[str]) -> str:
    """Changes with every byte of a .toml or .npy file, every file's name and every picture's name."""
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".toml", ".npy")):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(body)}\0".encode() + body)
    digest.update("\0".join(sorted(media)).encode())
    return digest.hexdigest()[:12]
