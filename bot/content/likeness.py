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
MOST = 7
"""Numbers are whole ones from -MOST to MOST: as good as finer ones (measured), at half a byte each."""
_NOTHING = 8
Numbers = NDArray[np.float32]


def packed(numbers: Numbers) -> NDArray[np.uint8]:
    """Whole numbers from -MOST to MOST, of an even number of traits, as they are kept."""
    low, high = np.hsplit((np.clip(numbers, -MOST, MOST) + _NOTHING).astype(np.uint8), 2)
    return np.asarray(low | high << np.uint8(4))


class Likeness(BaseModel):
    """Written by `python -m tests.understanding.learn`, never by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    source: str
    sure: tuple[int, int, int]
    """The odds in hundredths, of a level or worse against nothing at all, from which a message counts as an emergency, as
    urgent, as one for a doctor, where no rule says so. What speaks for a lower level does not count against a higher one:
    being asked once too often is better than not at all."""
    confirmed: tuple[int, int, int]
    """The same where a rule says so: below it the rule is not believed."""
    least: tuple[int, int, int]
    """The chance in hundredths that a level or worse must have by itself."""
    unit: float
    """What 1 in the numbers is worth."""
    bias: tuple[float, ...]
    """How far each trait is from being seen in a message that says nothing."""
    traits: tuple[tuple[float, ...], ...]
    """How much each trait speaks for each of KINDS."""
    leaning: tuple[float, ...]
    """How likely each of KINDS is where no trait is seen."""
    numbers: NDArray[np.uint8]
    """How much each sign speaks for each trait, two traits in a byte (`packed`): a row for each place that a sign can have,
    their number a power of two."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rows, columns = self.numbers.shape if self.numbers.ndim == 2 else (0, 0)
        if self.numbers.dtype != np.uint8 or rows < 1 or rows & (rows - 1) or 2 * columns != len(self.bias):
            raise ValueError(
                f"{NUMBERS} needs a power of two of rows with half a byte for each of {len(self.bias)} traits"
            )
        if len(self.traits) != len(self.bias) or {len(self.leaning), *map(len, self.traits)} != {len(KINDS)}:
            raise ValueError(f"needs for each trait a number for each of {KINDS}")
        return self

    def of(self, rows: NDArray[np.intp]) -> Numbers:
        """The numbers of some rows, a column for each trait."""
        pairs = self.numbers[rows]
        return np.concatenate([pairs & 0xF, pairs >> 4], axis=1).astype(np.float32) - np.float32(_NOTHING)

    @cached_property
    def speaks(self) -> NDArray[np.float32]:
        """`traits` to reckon with."""
        return np.array(self.traits, np.float32)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which rows say anything: what no sign that was learned has does not count."""
        return np.asarray((self.numbers != (_NOTHING << 4 | _NOTHING)).any(axis=1))

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
