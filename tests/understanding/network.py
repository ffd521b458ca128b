"""Networks with one hidden layer over the signs of a message, learned by stochastic gradient descent (Adam) with dropout,
in an order and with first numbers that are drawn from a fixed seed: the same messages give the same numbers on the same
machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.content.network import MOST, Numbers, packed
from bot.engine.network import Signs, weighed

WIDTH, NETWORKS = 24, 3
"""Traits of a network; networks, whose mean opinion counts: what only one of them sees is chance."""
ROUNDS, AT_ONCE, STEP, WARM_UP = 8, 32, 3e-3, 0.15
FIRST, DECAY_MEAN, DECAY_SQUARE, LEAST = 0.005, 0.9, 0.999, 1e-8
SIGNS_DROPPED, TRAITS_DROPPED, DOUBT = 0.2, 0.5, 0.02
SEEN_AT_LEAST = 6
"""A sign that fewer messages have is not learned: chance, not language."""
CUT_OFF = 0.998
"""The heaviest two in a thousand numbers are cut off where they are written as small whole ones."""


@dataclass(frozen=True)
class Example:
    """What a message is learned from, and what it is."""

    signs: Signs
    kind: str


def learned(given: Sequence[Example], kinds: tuple[str, ...], width: int = WIDTH) -> dict[str, Any]:
    """The fields of a Network: some that make `given` likely, side by side as one."""
    placed, marks = _placed(given, kinds)
    networks = [_trained(placed, len(marks), width, len(kinds), np.random.default_rng(it)) for it in range(NETWORKS)]
    of_signs = np.concatenate([it.of_signs for it in networks], axis=1)
    unit = float(np.quantile(np.abs(of_signs), CUT_OFF)) / MOST
    return {
        "unit": round(unit, 8),
        "bias": _rounded(np.concatenate([it.bias for it in networks])),
        "traits": tuple(_rounded(row) for it in networks for row in it.of_traits / NETWORKS),
        "leaning": _rounded(np.mean([it.leaning for it in networks], axis=0)),
        "numbers": packed(marks, np.round(of_signs / np.float32(unit))),
    }


class _Network:
    """Numbers that are being learned, each with the mean of its slopes and of their squares."""

    def __init__(self, height: int, width: int, kinds: int, chance: np.random.Generator) -> None:
        self.of_signs = chance.standard_normal((height, width), dtype=np.float32) * np.float32(FIRST)
        self.bias = np.zeros(width, np.float32)
        self.of_traits = chance.standard_normal((width, kinds), dtype=np.float32) / np.float32(math.sqrt(width))
        self.leaning = np.zeros(kinds, np.float32)
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


def _placed(given: Sequence[Example], kinds: tuple[str, ...]) -> tuple[list[_Rows], NDArray[np.uint32]]:
    """The examples, and the marks of the signs that enough of them have."""
    each, counts = np.unique(
        np.concatenate([of for it in given for of in (it.signs.told, it.signs.facts)]), return_counts=True
    )
    marks = each[counts >= SEEN_AT_LEAST]
    weighted = [(*weighed(it.signs, marks), kinds.index(it.kind)) for it in given]
    return [_Rows(at, worth, kind) for at, worth, kind in weighted if len(at)], marks


def _trained(placed: list[_Rows], height: int, width: int, kinds: int, chance: np.random.Generator) -> _Network:
    network = _Network(height, width, kinds, chance)
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
    slopes = raised / raised.sum(axis=1, keepdims=True) - np.float32(DOUBT / raised.shape[1])
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
