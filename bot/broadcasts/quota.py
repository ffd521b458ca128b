"""Whether LINE's monthly messages carry a broadcast, and what is kept back from every one of them."""

from dataclasses import dataclass
from typing import Literal

from bot.channels.base import NotTold, TellsAllowance
from bot.channels.line.channel import LineChannel
from bot.runtime import Runtime

LINE = LineChannel.name


@dataclass(frozen=True, slots=True)
class Quota:
    """`left` of the month's messages, of which `kept` are not for broadcasts."""

    left: int
    kept: int

    @property
    def free(self) -> int:
        """What a broadcast may use."""
        return max(0, self.left - self.kept)


Unlimited = Literal["unlimited"]
Unreadable = Literal["unreadable"]


def ask(runtime: Runtime) -> Quota | Unlimited | Unreadable:
    """Asks LINE, outside any transaction. Where nobody bills, nothing ends."""
    channel = runtime.channels.get(LINE)
    if not isinstance(channel, TellsAllowance):
        return "unlimited"
    try:
        found = channel.allowance()
    except NotTold:
        return "unreadable"
    if found.limit is None:
        return "unlimited"
    return Quota(max(0, found.limit - found.used), round(found.limit * runtime.content.clinic.broadcasts.reserve))


def carries(quota: Quota | Unlimited | Unreadable, people: int) -> bool:
    """Whether so many people on LINE can be written to. What cannot be read is not known to be enough."""
    match quota:
        case Quota():
            return people <= quota.free
        case "unlimited":
            return True
        case "unreadable":
            return people == 0
