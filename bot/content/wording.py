"""Words that are never said: promises of a cure, diagnoses, claims of another profession. The list is wording.toml."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from bot.content.issue import Issue
from bot.content.model import Content, Strict
from bot.content.texts import sentences
from bot.messages import LOCALES

FILE = "wording.toml"

OFFERS = ("nudges.toml", "booking.toml")
"""Where an assessment is offered."""


class Refusal(Strict):
    """Patterns that are not said, and why. `where`: in every sentence, only in what we say ourselves - in a question the
    patient's own word may stand - or only where an assessment is offered. `but` are patterns that take a finding back, such as "this is not a diagnosis"."""

    id: str
    ja: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    but_ja: tuple[str, ...] = ()
    but_en: tuple[str, ...] = ()
    where: Literal["everywhere", "said", "offered"]
    why: str = Field(min_length=1)
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _patterns_compile(self) -> Self:
        for pattern in (*self.ja, *self.en, *self.but_ja, *self.but_en):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no pattern: {error}") from error
        return self

    def found(self, text: str, locale: str) -> str | None:
        """The words of `text` that are refused, None when there are none."""
        patterns, but = (self.ja, self.but_ja) if locale == "ja" else (self.en, self.but_en)
        for allowed in but:
            text = re.sub(allowed, "", text, flags=re.IGNORECASE)
        for pattern in patterns:
            if found := re.search(pattern, text, flags=re.IGNORECASE):
                return found[0]
        return None


class Refused(Strict):
    """wording.toml"""

    refusal: tuple[Refusal, ...]


def read(folder: Path) -> tuple[Refused, tuple[Issue, ...]]:
    """The list of a content folder, and what is wrong with it."""
    try:
        return Refused.model_validate(tomllib.loads((folder / FILE).read_text(encoding="utf-8"))), ()
    except FileNotFoundError:
        problem = "the file is missing"
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        problem = "; ".join(str(error).splitlines())
    return Refused(refusal=()), (Issue(FILE, "", "unreadable", problem),)


def problems(content: Content, refused: Refused) -> Iterator[Issue]:
    """Sentences that say what must not be said."""
    for sentence in sentences(content):
        for refusal in refused.refusal:
            if refusal.where == "said" and sentence.voice != "say":
                continue
            if refusal.where == "offered" and sentence.file not in OFFERS:
                continue
            for locale in LOCALES:
                if found := refusal.found(sentence.wording.to(locale), locale):
                    problem = f"says {found!r} in {locale} ({refusal.id}: {refusal.why})"
                    yield Issue(sentence.file, sentence.path, "refused_wording", problem)
