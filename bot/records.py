"""Everything that is stored about one person, for that person."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import JSON, Connection, Table, select

from bot.store.tables import CONTACT, Base

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Row: TypeAlias = Mapping[str, Json]

KEYS = frozenset(("reply_token", "request_id", "dedupe_key", "batch_key"))
"""Columns left out: they open a provider's door or order our own work, and say nothing about the person."""


def of(tx: Connection, contact_id: int) -> Mapping[str, Sequence[Row]]:
    """The rows of every table that point at the contact, oldest first, by table; the contact's own first. Empty when
    there is no such contact. A table made later is in it by itself."""
    own = _rows(tx, CONTACT, "id", contact_id)
    if not own:
        return {}
    tables = [table for table in Base.metadata.sorted_tables if "contact_id" in table.c]
    return {CONTACT.name: own, **{table.name: _rows(tx, table, "contact_id", contact_id) for table in tables}}


def _rows(tx: Connection, table: Table, name: str, contact_id: int) -> Sequence[Row]:
    columns = [column for column in table.c if column.key not in KEYS]
    query = select(*columns).where(table.c[name] == contact_id).order_by(*table.primary_key.columns)
    return [
        {c.key: _value(value, isinstance(c.type, JSON)) for c, value in zip(columns, row, strict=True)}
        for row in tx.execute(query)
    ]


def _value(value: object, is_json: bool) -> Json:
    match value:
        case str() if is_json:
            parsed: Json = json.loads(value)
            return parsed
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case _:
            raise TypeError(type(value).__name__)
