"""What the content check finds: one line per problem, and how much was walked to find it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]
Code = Literal[
    "before_consent",
    "duplicate_id",
    "emergency_late",
    "empty_text",
    "endless",
    "flagged_routine",
    "hidden_pressure",
    "long_emergency",
    "long_label",
    "long_turn",
    "misplaced_other_flag",
    "missing_command",
    "missing_flow",
    "mixed_card",
    "never_holds",
    "never_offered",
    "never_taken",
    "no_clearing",
    "no_exit",
    "no_gentle_routine",
    "no_is_yes",
    "no_offer",
    "no_phone",
    "no_question",
    "no_unsure",
    "not_english",
    "not_japanese",
    "only_balls",
    "other_advice",
    "out_of_date",
    "over_dose",
    "refused_wording",
    "too_long",
    "too_many_choices",
    "too_many_lines",
    "unasked_item",
    "undecided",
    "unknown_advice",
    "unknown_answer",
    "unknown_card",
    "unknown_exit",
    "unknown_flag",
    "unknown_item",
    "unknown_phone",
    "unknown_picture",
    "unknown_place",
    "unknown_routine",
    "unknown_source",
    "unknown_value",
    "unreachable",
    "unreadable",
    "unsaid_flag",
    "unsure_is_no",
    "unused_advice",
    "unused_source",
    "yes_is_no",
]
"""What kind of problem it is. Each has the smallest content that shows it in tests/broken/."""


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One problem. `item` is the id or the path of what is wrong inside `file`."""

    file: str
    item: str
    code: Code
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

    @property
    def unsafe(self) -> bool:
        """Whether nobody may be served with it. A source or phone line whose day of review has passed is an error to
        mend, but no reason to leave patients without any answer after a restart."""
        return any(issue.severity == "error" and issue.code != "out_of_date" for issue in self.issues)
