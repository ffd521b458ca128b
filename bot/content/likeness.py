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
    sure: tuple[int, int, int]
    """The chance in hundredths from which a message counts as an emergency, as urgent or worse, as one for a doctor or
    worse, where no rule says so."""
    confirmed: tuple[int, int, int]
    """The same where a rule says so: below it the rule is not believed."""
    bias: tuple[int, ...] = ()
    pieces: str = ""
    """One piece a line: a few letters, or something named and what became of it; a tab; and for each of KINDS a weight in
    hundredths."""
    facts: str = ""
    """The same for what the rules make of a message, and for each kind's own chance by the pieces."""

    @field_validator("bias")
    @classmethod
    def _one_for_each(cls, bias: tuple[int, ...]) -> tuple[int, ...]:
        if len(bias) not in (0, len(KINDS)):
            raise ValueError(f"needs a number for each of {KINDS}")
        return bias

    @cached_property
    def weights(self) -> dict[str, tuple[int, ...]]:
        """The weights of each piece, in the order of KINDS."""
        return _table(self.pieces)

    @cached_property
    def fact_weights(self) -> dict[str, tuple[int, ...]]:
        """The weights of each fact, in the order of KINDS."""
        return _table(self.facts)


def _table(lines: str) -> dict[str, tuple[int, ...]]:
    parted = (line.split("\t") for line in lines.splitlines() if line)
    known: dict[str, int] = {}  # the same number is kept once: there are a quarter of a million
    return {name: tuple(known.setdefault(one, int(one)) for one in numbers.split()) for name, numbers in parted}
