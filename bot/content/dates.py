"""What has to be looked at again: sources and phone numbers past their day."""

from collections.abc import Iterator
from datetime import date

from bot.content.issue import Issue
from bot.content.model import Content
from bot.content.proofs import SAFETY
from bot.content.references import sourced


def problems(content: Content, today: date) -> Iterator[Issue]:
    """An error where safety rests on it (red flags, phone lines), a warning elsewhere."""
    grave = {source for file, _, source in sourced(content) if file == SAFETY}
    for source in content.safety.source:
        if source.review_by < today:
            severity = "error" if source.id in grave else "warning"
            problem = f"was to be reviewed by {source.review_by}"
            yield Issue(SAFETY, source.id, "out_of_date", problem, "error" if severity == "error" else "warning")
    for phone in content.clinic.phone_line:
        if phone.review_by < today:
            problem = f"{phone.number} was to be checked again by {phone.review_by}"
            yield Issue("clinic.toml", phone.id, "out_of_date", problem)
    for plan in content.pacing.plan:
        if plan.review_by < today:
            problem = f"the price was to be checked again by {plan.review_by}"
            yield Issue("pacing.toml", plan.id, "out_of_date", problem, "warning")
