"""The console's sentences, in both languages: texts/*.toml, one file a subject, `[key] ja = ... en = ...`."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from bot.messages import LOCALES, Locale

FOLDER = Path(__file__).with_name("texts")

Say = Callable[..., str]
"""`say("today.waits", minutes=5)`: the sentence under that key of that file, its places filled in."""


@cache
def table() -> Mapping[str, Mapping[Locale, str]]:
    """Everything that the console says, by `file.key`. Raises KeyError for a sentence that lacks a language."""
    found: dict[str, Mapping[Locale, str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for key, words in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[f"{path.stem}.{key}"] = {locale: words[locale] for locale in LOCALES}
    return found


def speaker(locale: Locale) -> Say:
    """Says them in one language. Raises KeyError for a key that does not exist: a bug."""

    def say(key: str, **values: object) -> str:
        text = table()[key][locale]
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    return say
