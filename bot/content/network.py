"""A small network over the signs of a message, learned from labelled ones: `<name>.toml`, and `<name>.npy` beside it."""

from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

MOST = 7
"""Numbers are whole ones from -MOST to MOST: as good as finer ones (measured), at half a byte each."""
_NOTHING = 8
Numbers = NDArray[np.float32]


def packed(marks: NDArray[np.uint32], numbers: Numbers) -> NDArray[np.void]:
    """The rows of signs as they are kept: each mark beside its whole numbers from -MOST to MOST, two in a byte. `marks`
    ascend, and traits are even in number."""
    low, high = np.hsplit((np.clip(numbers, -MOST, MOST) + _NOTHING).astype(np.uint8), 2)
    rows = np.empty(len(marks), _row(low.shape[1]))
    rows["mark"], rows["pairs"] = marks, low | high << np.uint8(4)
    return rows


def _row(pairs: int) -> np.dtype[np.void]:
    return np.dtype([("mark", "<u4"), ("pairs", np.uint8, (pairs,))])


class Network(BaseModel):
    """Signs show traits, traits speak for kinds. Written by `python -m tests.understanding.learn`, never by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kinds: ClassVar[tuple[str, ...]] = ()
    """What a message can be; each has a chance."""

    unit: float
    """What 1 in the numbers is worth."""
    bias: tuple[float, ...]
    """How far each trait is from being seen in a message that says nothing."""
    traits: tuple[tuple[float, ...], ...]
    """How much each trait speaks for each of `kinds`."""
    leaning: tuple[float, ...]
    """How likely each of `kinds` is where no trait is seen."""
    numbers: NDArray[np.void]
    """A row for each sign that is known, by its mark: how much it speaks for each trait (`packed`)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.traits) != len(self.bias) or {len(self.leaning), *map(len, self.traits)} != {len(self.kinds)}:
            raise ValueError(f"needs for each trait a number for each of {self.kinds}")
        if self.numbers.ndim != 1 or not len(self.numbers) or self.numbers.dtype != _row(len(self.bias) // 2):
            raise ValueError(
                f"the numbers need rows of a mark and half a byte for each of an even number of traits, {len(self.bias)}"
            )
        if not (np.diff(self.marks.astype(np.int64)) > 0).all():
            raise ValueError("the marks of the numbers must ascend")
        return self

    def of(self, rows: NDArray[np.intp]) -> Numbers:
        """The numbers of some rows, a column for each trait."""
        pairs = self.numbers["pairs"][rows]
        return np.concatenate([pairs & 0xF, pairs >> 4], axis=1).astype(np.float32) - np.float32(_NOTHING)

    @cached_property
    def marks(self) -> NDArray[np.uint32]:
        """The signs that are known, one a row."""
        return np.ascontiguousarray(self.numbers["mark"])

    @cached_property
    def speaks(self) -> NDArray[np.float32]:
        """`traits` to reckon with."""
        return np.array(self.traits, np.float32)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, type(self))
            and self._told() == other._told()
            and np.array_equal(self.numbers, other.numbers)
        )

    def __hash__(self) -> int:
        return hash(self.bias)

    def _told(self) -> dict[str, Any]:
        return self.model_dump(exclude={"numbers"})
