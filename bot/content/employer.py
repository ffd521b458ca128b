"""clinic.toml, [employer]: how large a group must be before its employer is told anything about it."""

from pydantic import Field

from bot.content.basis import Strict


class Employer(Strict):
    """`least` is the fewest people that a number may be about; the rule behind it allows no smaller one."""

    least: int = Field(default=10, ge=10)
    source: str = ""
