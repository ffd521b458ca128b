"""What is known of paths that stand alike, and what walking every path has met."""

from dataclasses import dataclass, field
from typing import NamedTuple

from bot.content.graph import Spot


class Stand(NamedTuple):
    """Where a path stands, as far as it still matters. `true` and `false` are atoms; `hit` the signs of decided flags
    that hold; `unknown` flags that can no longer be decided; `out` undecided flags that cannot hold or matter any more.
    """

    true: int
    false: int
    hit: int
    unknown: int
    out: int


@dataclass(slots=True)
class Tally:
    """Of the paths that stand alike at a spot: how many, what all of them have answered (bits of names), and the fewest
    questions any of them has answered in this flow."""

    count: int
    answered: int
    questions: int


class Judged(NamedTuple):
    """The dispositions that hold, and the flags that are not known, as bits. `holding` leaves out flags that were
    decided before."""

    levels: int
    holding: int
    unknown: int

    @property
    def worst(self) -> int:
        """The most serious disposition as a bit, 0 when none holds."""
        return self.levels & -self.levels


@dataclass(frozen=True, slots=True)
class Arrival:
    """Paths that stand alike as they reach a spot."""

    spot: Spot
    stand: Stand
    tally: Tally
    judged: Judged | None = None
    """Only at `conclude`, `suggest` and `end`."""
    taken: int | None = None
    """The case of a branch or the offer of a suggest that is taken; None where none is."""


@dataclass(slots=True)
class Walked:
    """All that was met. `arrivals` of every flow; `paths` from each flow's entries to their ends; `holding` the flags
    (bits) that hold on some path; `taken` the cases and offers that were taken."""

    arrivals: dict[str, list[Arrival]] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)
    holding: int = 0
    taken: set[tuple[Spot, int]] = field(default_factory=set)
    came: dict[tuple[Spot, Stand], tuple[Spot, Stand, str] | None] = field(default_factory=dict)

    def example(self, arrival: Arrival) -> str:
        """One way to get there, as the answers given."""
        labels: list[str] = []
        step = self.came.get((arrival.spot, arrival.stand))
        while step is not None:
            spot, stand, label = step
            if label:
                labels.append(f"{spot.node}: {label}" if spot.item < 0 else label)
            step = self.came.get((spot, stand))
        return ", ".join(reversed(labels)) or "no answer at all"
