"""CSV files that a table program shows and never runs."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins with one of these may be run (OWASP, "CSV Injection"); the wide ones are narrowed by some programs."""

MARK = "\ufeff"
"""Without it Excel takes Japanese for something else."""


def cell(value: object) -> str:
    """Text that no table program takes for a formula. A number stays one."""
    if isinstance(value, int | float):
        return str(value)
    text = "" if value is None else str(value).replace("\x00", "")
    return "'" + text if text.lstrip(" \u3000").startswith(FORMULA) or text.startswith(FORMULA) else text


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file to be kept, never shown in the browser."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([cell(one) for one in head])
    writer.writerows([cell(one) for one in row] for row in rows)
    response = Response(MARK + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
