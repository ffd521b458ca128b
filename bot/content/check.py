"""The check of a content folder: every problem at once, and the proof over every path. Nothing here sends or stores."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from bot.content import coverage, dates, languages, limits, proofs, references, shape, wording
from bot.content.issue import Issue, Report
from bot.content.load import ContentError, load
from bot.content.model import Content
from bot.content.walk import Walk

__all__ = ["Issue", "Report", "check", "examine", "render"]


def check(folder: Path, today: date | None = None) -> Report:
    """Reads and examines `folder`. `today` is the day on which sources must be in date; None is the real one."""
    refused, problems = wording.read(folder)
    try:
        content = load(folder)
    except ContentError as error:
        unreadable = (Issue(p.file, p.item, "unreadable", p.problem) for p in error.problems)
        return Report(_sorted([*problems, *unreadable]))
    report = examine(content)
    day = today or datetime.now(UTC).date()
    more = [*problems, *wording.problems(content, refused), *dates.problems(content, day)]
    return Report(_sorted([*report.issues, *more]), report.walked)


def examine(content: Content) -> Report:
    """Everything that can be proved of content in itself. Paths are walked once every name means something."""
    found = list(references.problems(content))
    broken = bool(found)
    for part in (coverage.problems, languages.problems, limits.problems):
        found.extend(part(content))
    if broken:
        return Report(_sorted(found))
    circles = list(shape.problems(content))
    found.extend(circles)
    if any(issue.code == "endless" for issue in circles):
        return Report(_sorted(found))
    walk = Walk(content)
    walked = walk.run()
    found.extend(proofs.prove(walk, walked))
    return Report(_sorted(found), walked.paths)


def render(report: Report) -> str:
    """One line an issue, `file: item: code: problem`, then what was walked."""
    lines = [
        f"{i.file}: {i.item or '-'}: {i.code}: {i.problem}" + (" (warning)" if i.severity == "warning" else "")
        for i in report.issues
    ]
    errors = sum(issue.severity == "error" for issue in report.issues)
    flows = ", ".join(f"{flow} {count:,}" for flow, count in report.walked.items())
    walked = f"{report.paths:,} paths walked ({flows})" if report.walked else "no path walked: mend the above first"
    lines.append(f"{errors} errors, {len(report.issues) - errors} warnings; {walked}")
    return "\n".join(lines)


def _sorted(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(sorted(dict.fromkeys(issues)))
