"""What likeness.toml may say: how much each few letters of a message weigh for each card, learned from labelled messages."""

from functools import cached_property
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, field_validator

from bot.messages import Disposition

Kind = Literal["e1", "e2", "mental", "u1", "u2", "d1", "d2", "none"]
"""A card of the screening, or what has none: words of not wanting to live, and nothing at all."""

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: dict[str, Disposition] = {
    "e": Disposition.EMERGENCY, "m": Disposition.EMERGENCY, "u": Disposition.URGENT, "d": Disposition.DOCTOR,
}  # fmt: skip
"""The level of a kind by its first letter; none has none."""


class Likeness(BaseModel):
    """Written by `python -m tests.understanding.learn`, never by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    sure_emergency: int
    """The chance in hundredths from which a message counts as an emergency; further `sure` ones: as that or worse."""
    sure_urgent: int
    sure_doctor: int
    sure_in_doubt: int
    """The same for any level where the message takes something back, asks for an everyday thing, or is not Japanese."""
    hint: int
    """The chance in hundredths, of any level, below which a topic that is merely named means nothing."""
    bias: tuple[int, ...] = ()
    pieces: str = ""
    """One piece a line: a few letters, a tab, and for each of KINDS a weight in hundredths."""

    @field_validator("bias")
    @classmethod
    def _one_for_each(cls, bias: tuple[int, ...]) -> tuple[int, ...]:
        if len(bias) not in (0, len(KINDS)):
            raise ValueError(f"needs a number for each of {KINDS}")
        return bias

    @cached_property
    def weights(self) -> dict[str, tuple[int, ...]]:
        """The weights of each piece, in the order of KINDS."""
        lines = (line.split("\t") for line in self.pieces.splitlines() if line)
        return {piece: tuple(map(int, numbers.split())) for piece, numbers in lines}
