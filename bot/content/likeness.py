"""What likeness.toml and likeness.npy may say: a small network over the signs of a message, learned from labelled ones."""

from functools import cached_property
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from bot.messages import Disposition

Kind = Literal["e1", "e2", "mental", "u1", "u2", "d1", "d2", "none"]
"""A card of the screening, or what has none: words of not wanting to live, and nothing at all."""

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: dict[str, Disposition] = {
    "e": Disposition.EMERGENCY, "m": Disposition.EMERGENCY, "u": Disposition.URGENT, "d": Disposition.DOCTOR,
}  # fmt: skip
"""The level of a kind by its first letter; none has none."""

NUMBERS = "likeness.npy"


class Likeness(BaseModel):
    """Written by `python -m tests.understanding.learn`, never by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    source: str
    sure: tuple[int, int, int]
    """The chance in hundredths from which a message counts as an emergency, as urgent or worse, as one for a doctor or
    worse, where no rule says so."""
    confirmed: tuple[int, int, int]
    """The same where a rule says so: below it the rule is not believed."""
    unit: float
    """What 1 in the numbers is worth."""
    bias: tuple[float, ...]
    """How far each trait is from being seen in a message that says nothing."""
    traits: tuple[tuple[float, ...], ...]
    """How much each trait speaks for each of KINDS."""
    leaning: tuple[float, ...]
    """How likely each of KINDS is where no trait is seen."""
    numbers: NDArray[np.int8]
    """How much each sign speaks for each trait: a row for each place that a sign can have, their number a power of two."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rows, columns = self.numbers.shape if self.numbers.ndim == 2 else (0, 0)
        if self.numbers.dtype != np.int8 or rows < 1 or rows & (rows - 1) or columns != len(self.bias):
            raise ValueError(f"{NUMBERS} needs a power of two of rows of {len(self.bias)} whole numbers of one byte")
        if len(self.traits) != columns or {len(self.leaning), *map(len, self.traits)} != {len(KINDS)}:
            raise ValueError(f"needs for each trait a number for each of {KINDS}")
        return self

    @cached_property
    def speaks(self) -> NDArray[np.float32]:
        """`traits` to reckon with."""
        return np.array(self.traits, np.float32)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Likeness)
            and self._told() == other._told()
            and np.array_equal(self.numbers, other.numbers)
        )

    def __hash__(self) -> int:
        return hash(self.bias)

    def _told(self) -> dict[str, Any]:
        return self.model_dump(exclude={"numbers"})
