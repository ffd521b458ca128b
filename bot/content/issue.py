"""What the content check finds: one line per problem, and how much was walked to find it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One problem. `item` is the id or the path of what is wrong inside `file`."""

    file: str
    item: str
    code: str
    problem: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Report:
    """Every problem at once. `walked` counts the complete paths of each flow, from every way of entering it."""

    issues: tuple[Issue, ...]
    walked: Mapping[str, int] = field(default_factory=dict)

    @property
    def paths(self) -> int:
        """Paths of all flows together."""
        return sum(self.walked.values())

    @property
    def failed(self) -> bool:
        """Whether anything is worse than a warning."""
        return any(issue.severity == "error" for issue in self.issues)
