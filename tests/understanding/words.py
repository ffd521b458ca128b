"""The project's own vocabulary, read once, and copies of it with one thing taken out."""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np

from bot.content.likeness import Likeness
from bot.content.requests import Requests
from bot.content.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary.model_validate(tomllib.loads((ROOT / "content" / "words.toml").read_text("utf-8")))


@cache
def likeness() -> Likeness:
    return Likeness.model_validate(_network("likeness"))


@cache
def requests() -> Requests:
    return Requests.model_validate(_network("requests"))


def _network(name: str) -> dict[str, object]:
    told = tomllib.loads((ROOT / "content" / f"{name}.toml").read_text("utf-8"))
    return {**told, "numbers": np.load(ROOT / "content" / f"{name}.npy")}


def without_rule(name: str) -> Vocabulary:
    """Everything but one rule; what is compiled is shared."""
    copy = vocabulary().model_copy(update={"rules": tuple(rule for rule in vocabulary().rules if rule.id != name)})
    copy.__dict__.pop("rules_by_concept", None)
    return copy


def without_scope(name: str) -> Vocabulary:
    """Everything but one scope; what is compiled is shared."""
    copy = vocabulary().model_copy()
    copy.__dict__["scope_patterns"] = {
        place: tuple(it for it in patterns if it.scope.id != name)
        for place, patterns in vocabulary().scope_patterns.items()
    }
    return copy
