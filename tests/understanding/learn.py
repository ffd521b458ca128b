"""Learns content/likeness.toml and likeness.npy from the labelled messages that were looked at:
`python -m tests.understanding.learn`.

A network with one hidden layer over the signs of a message, by stochastic gradient descent (Adam) with dropout, in an
order and with first numbers that are drawn from a fixed seed: the same messages give the same files on the same machine.
Takes some minutes.
"""

import math
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from bot.content.likeness import KINDS, LEVELS, MOST, NUMBERS, Kind, Likeness, Numbers, packed
from bot.engine.likeness import Signs, rows, weighed
from bot.engine.safety import assess, look, signs
from bot.messages import Disposition
from tests.understanding import scoring
from tests.understanding.scoring import LEARNED_FROM, Part
from tests.understanding.words import ROOT, vocabulary

TARGET = ROOT / "content" / "likeness.toml"
HEIGHT, WIDTH, NETWORKS = 1 << 19, 24, 3
"""Rows for the signs; traits of a network; networks, whose mean opinion counts: what only one of them sees is chance."""
ROUNDS, AT_ONCE, STEP, WARM_UP = 8, 32, 3e-3, 0.15
FIRST, DECAY_MEAN, DECAY_SQUARE, LEAST = 0.05, 0.9, 0.999, 1e-8
SIGNS_DROPPED, TRAITS_DROPPED, DOUBT = 0.2, 0.5, 0.02
SEEN_AT_LEAST = 9
"""A row that fewer messages have is left at nothing: chance, not language."""
CUT_OFF = 0.998
"""The heaviest two in a thousand numbers are cut off where they are written as small whole ones."""
SHOWN_TIMES = 5
"""As many messages each example of a rule or a scope is worth: somebody chose it."""
PLAIN_TIMES = 3
"""As many messages each plain denial is worth: hardly any author takes the trouble to write one."""
SOURCE = "labelled_messages"
SURE, CONFIRMED, LEAST_CHANCE = (20, 50, 55), (20, 20, 25), (3, 5, 5)
"""Chosen by totals of the messages kept apart; see the README here."""


class Requests(BaseModel):
    """Ways of asking for a reminder (`frames` with `d`ays and `t`imes), signs that are denied (the nouns in the frames of
    scopes, the verbs with their endings), and what is said plainly when all is well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    denied: tuple[str, ...]
    verbs: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    plain: tuple[str, ...]
    times: tuple[str, ...]
    days: tuple[str, ...]
    frames: tuple[str, ...]


class Daily(BaseModel):
    """daily.toml: what is said every day and means nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reports: tuple[str, ...]
    pains: tuple[str, ...]
    ja: Requests
    en: Requests


@dataclass(frozen=True)
class Example:
    signs: Signs
    kind: Kind


def kind_of(text: str, level: str, mechanism: str) -> Kind:
    """The card that asks for what is labelled `level`: the rules' own, else the level's likeliest."""
    if level in ("none", "no_massage"):
        return "none"
    found = assess(text, vocabulary())
    if level == "emergency" and (found.mental_health or mechanism.startswith(("mental", "suicid"))):
        return "mental"
    for kind in KINDS:
        if kind == found.card and LEVELS.get(kind[0]) is found.level is Disposition(level):
            return kind
    return {"emergency": "e1", "urgent": "u1"}.get(level, "d2")  # type: ignore[return-value]


def example(text: str, level: str, mechanism: str) -> Example:
    """What a message is learned from."""
    _, sheet, hits = look(text, vocabulary())
    return Example(signs(text, sheet, hits), kind_of(text, level, mechanism))


def own_examples() -> list[tuple[str, str, str]]:
    """What the rules and scopes show of themselves: text, level, mechanism."""
    shown = [(text, rule.level.value, "rule") for rule in vocabulary().rules for text in rule.yes]
    shown += [(text, "none", "scope") for scope in vocabulary().scopes for text in scope.clears]
    daily = Daily.model_validate(tomllib.loads(Path(__file__).with_name("daily.toml").read_text(encoding="utf-8")))
    shown += [
        (scope.frame.format(noun), "none", "denied")
        for scope in vocabulary().scopes
        if scope.frame
        for noun in (daily.ja if scope.lang == "ja" else daily.en).denied
    ]
    shown += [(text, level.value, "scope") for scope in vocabulary().scopes for text, level in scope.turns.items()]
    asked = [text for intent in vocabulary().intents for text in intent.yes]
    shown += [(text, "none", "request") for text in asked if assess(text, vocabulary()).level is None]
    return shown * SHOWN_TIMES + [(" ".join(text.split()), "none", "request") for text in _said(daily)]


def _said(daily: Daily) -> Iterator[str]:
    for it in (daily.ja, daily.en):
        yield from (frame.format(d=day, t=time) for frame in it.frames for day in it.days for time in it.times)
        yield from (verb + ending for verb in it.verbs for ending in it.endings)
        yield from it.plain * PLAIN_TIMES
    yield from daily.reports
    yield from (frame.format(n=pain) for frame in daily.pains for pain in range(11))


def examples(parts: Sequence[Part]) -> list[Example]:
    return [example(row.text, row.level, row.mechanism) for part in parts for row in scoring.rows(part)]


class _Network:
    """Numbers that are being learned, each with the mean of its slopes and of their squares."""

    def __init__(self, height: int, width: int, chance: np.random.Generator) -> None:
        self.of_signs = chance.standard_normal((height, width), dtype=np.float32) * np.float32(FIRST)
        self.bias = np.zeros(width, np.float32)
        self.of_traits = chance.standard_normal((width, len(KINDS)), dtype=np.float32) / np.float32(math.sqrt(width))
        self.leaning = np.zeros(len(KINDS), np.float32)
        self._moments = {id(it): (np.zeros_like(it), np.zeros_like(it)) for it in self._all()}
        self.turn = 0

    def _all(self) -> tuple[Numbers, ...]:
        return self.of_signs, self.bias, self.of_traits, self.leaning

    def descend(self, numbers: Numbers, slopes: Numbers, step: float, which: NDArray[np.intp] | None = None) -> None:
        """One step of Adam, in the rows `which` only, if given."""
        mean, square = self._moments[id(numbers)]
        at = slice(None) if which is None else which
        mean[at] = DECAY_MEAN * mean[at] + (1 - DECAY_MEAN) * slopes
        square[at] = DECAY_SQUARE * square[at] + (1 - DECAY_SQUARE) * slopes * slopes
        size = np.sqrt(square[at] / np.float32(1 - DECAY_SQUARE**self.turn)) + np.float32(LEAST)
        numbers[at] -= np.float32(step) * (mean[at] / np.float32(1 - DECAY_MEAN**self.turn)) / size


@dataclass(frozen=True)
class _Rows:
    """An example as rows of the numbers and what each is worth."""

    at: NDArray[np.intp]
    worth: Numbers
    kind: int


def _placed(given: Sequence[Example], height: int) -> tuple[list[_Rows], NDArray[np.bool_]]:
    """The examples, and which rows are known: enough messages have them."""
    counts = np.zeros(height, np.int64)
    for it in given:
        counts[np.unique(np.concatenate([rows(it.signs.told, height), rows(it.signs.facts, height)]))] += 1
    known = counts >= SEEN_AT_LEAST
    weighted = [(*weighed(it.signs, known), KINDS.index(it.kind)) for it in given]
    placed = [_Rows(at, worth, kind) for at, worth, kind in weighted if len(at)]
    return placed, known


def learn(given: Sequence[Example], height: int = HEIGHT, width: int = WIDTH) -> Likeness:
    """The networks that make `given` likely, side by side as one."""
    placed, known = _placed(given, height)
    networks = [_trained(placed, height, width, np.random.default_rng(seed)) for seed in range(NETWORKS)]
    of_signs = np.concatenate([it.of_signs for it in networks], axis=1)
    of_signs[~known] = 0
    unit = float(np.quantile(np.abs(of_signs[known]), CUT_OFF)) / MOST
    of_traits = np.concatenate([it.of_traits for it in networks]) / NETWORKS
    return Likeness(
        source=SOURCE,
        sure=SURE,
        confirmed=CONFIRMED,
        least=LEAST_CHANCE,
        unit=round(unit, 8),
        bias=_rounded(np.concatenate([it.bias for it in networks])),
        traits=tuple(_rounded(row) for row in of_traits),
        leaning=_rounded(np.mean([it.leaning for it in networks], axis=0)),
        numbers=packed(np.round(of_signs / np.float32(unit))),
    )


def _trained(placed: list[_Rows], height: int, width: int, chance: np.random.Generator) -> _Network:
    network = _Network(height, width, chance)
    turns = ROUNDS * -(-len(placed) // AT_ONCE)
    for _ in range(ROUNDS):
        order = chance.permutation(len(placed))
        for start in range(0, len(order), AT_ONCE):
            network.turn += 1
            done = network.turn / turns
            step = done / WARM_UP if done < WARM_UP else (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2
            _turn(network, [placed[i] for i in order[start : start + AT_ONCE]], STEP * step, chance)
    return network


def _turn(network: _Network, some: list[_Rows], step: float, chance: np.random.Generator) -> None:
    lengths = [len(it.at) for it in some]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    at = np.concatenate([it.at for it in some])
    worth = np.concatenate([it.worth for it in some])
    worth = worth * (chance.random(len(worth), dtype=np.float32) >= SIGNS_DROPPED)
    shown = np.add.reduceat(network.of_signs[at] * worth[:, None], starts, axis=0) + network.bias
    kept = (
        (shown > 0) * (chance.random(shown.shape, dtype=np.float32) >= TRAITS_DROPPED) / np.float32(1 - TRAITS_DROPPED)
    )
    seen = (shown * kept).astype(np.float32)
    scores = seen @ network.of_traits + network.leaning
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    slopes = raised / raised.sum(axis=1, keepdims=True) - np.float32(DOUBT / len(KINDS))
    slopes[np.arange(len(some)), [it.kind for it in some]] -= np.float32(1 - DOUBT)
    slopes = (slopes / np.float32(len(some))).astype(np.float32)
    inner = ((slopes @ network.of_traits.T) * kept).astype(np.float32)
    network.descend(network.of_traits, seen.T @ slopes, step)
    network.descend(network.leaning, slopes.sum(axis=0), step)
    network.descend(network.bias, inner.sum(axis=0), step)
    by_row = np.argsort(at, kind="stable")
    which, firsts = np.unique(at[by_row], return_index=True)
    of_each = inner[np.repeat(np.arange(len(some)), lengths)[by_row]] * worth[by_row, None]
    network.descend(network.of_signs, np.add.reduceat(of_each, firsts, axis=0), step, which)


def _rounded(numbers: Numbers) -> tuple[float, ...]:
    return tuple(round(float(it), 4) for it in numbers)


def written(likeness: Likeness) -> str:
    """All but the numbers."""
    traits = "".join(f"    {list(row)},\n" for row in likeness.traits)
    return (
        "# Written by `python -m tests.understanding.learn` from the labelled messages in tests/understanding; never by hand.\n"
        f'source = "{likeness.source}"\nsure = {list(likeness.sure)}\nconfirmed = {list(likeness.confirmed)}\nleast = {list(likeness.least)}\nunit = {likeness.unit}\n'
        f"bias = {list(likeness.bias)}\nleaning = {list(likeness.leaning)}\n"
        f"# Columns: {' '.join(KINDS)}.\ntraits = [\n{traits}]\n"
    )


if __name__ == "__main__":
    found = learn(examples(LEARNED_FROM) + [example(*shown) for shown in own_examples()])
    TARGET.write_text(written(found), encoding="utf-8")
    np.save(TARGET.with_name(NUMBERS), found.numbers)
    sys.stdout.write(f"{int(found.known.sum())} of {len(found.numbers)} rows in use\n")
