"""What likeness.toml may say beside its network: how sure it must be that a message reports a sign."""

from typing import ClassVar, Literal, get_args

from bot.content.network import Network
from bot.messages import Disposition

Kind = Literal["e1", "e2", "mental", "u1", "u2", "d1", "d2", "none"]
"""A card of the screening, or what has none: words of not wanting to live, and nothing at all."""

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: dict[str, Disposition] = {
    "e": Disposition.EMERGENCY, "m": Disposition.EMERGENCY, "u": Disposition.URGENT, "d": Disposition.DOCTOR,
}  # fmt: skip
"""The level of a kind by its first letter; none has none."""


class Likeness(Network):
    """The second vote on what a message reports."""

    kinds: ClassVar[tuple[str, ...]] = KINDS

    source: str
    sure: tuple[int, int, int]
    """The odds in hundredths, of a level or worse against nothing at all, from which a message counts as an emergency, as
    urgent, as one for a doctor, where no rule says so. What speaks for a lower level does not count against a higher one:
    being asked once too often is better than not at all."""
    confirmed: tuple[int, int, int]
    """The same where a rule says so: below it the rule is not believed."""
    least: tuple[int, int, int]
    """The chance in hundredths that a level or worse must have by itself."""
