"""Single fields of Slack's JSON: as they are stored, or "" for what could not be one."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

_ID = re.compile(r"[A-Za-z0-9]{2,60}")
_STAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,60}")

Say = Mapping[str, Any]
"""Slack's JSON."""


def once(kind: str, *parts: object) -> str:
    """An id for what Slack gives none; the same request makes the same."""
    known = [str(part) for part in parts if part]
    return f"{kind}:{sha256('|'.join(known).encode()).hexdigest()[:32]}" if known else ""


def ident(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def stamp(value: object) -> str:
    return value if isinstance(value, str) and _STAMP.fullmatch(value) else ""


def name_of(kind: object) -> str:
    """As a name for counters and logs; whatever could not be one is `unknown`."""
    return kind if isinstance(kind, str) and _NAME.fullmatch(kind) else "unknown"


def moment(value: object, now: datetime) -> datetime:
    """When it happened: to the microsecond where Slack says so, so that two texts of one second keep their order."""
    try:
        return datetime.fromtimestamp(float(str(value)), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now


def typed(event: Say) -> str:
    """As they typed it ("Formatting text: Escaping text"), and as it can be stored: without NUL and lone surrogates."""
    text = str(event.get("text", ""))
    text = text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
