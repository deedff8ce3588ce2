"""Lists that are read page by page, newest first: where a page begins and how it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, Table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def newest_first(query: Select[Any], table: Table, after: str, most: int) -> Select[Any]:
    """A page of at most ``most`` rows and one more, from the one after the cursor on; ValueError or OverflowError for a cursor that is none."""
    at, identity = table.c.created_at, table.c.id
    if after:
        moment, _, last = after.partition("-")
        created = EPOCH + timedelta(microseconds=_whole(moment))
        query = query.where((at < created) | ((at == created) & (identity < last)))
    return query.order_by(at.desc(), identity.desc()).limit(most + 1)


def cursor_of(created: datetime, identity: str) -> str:
    """The cursor of the page after a row."""
    return f"{(created - EPOCH) // timedelta(microseconds=1)}-{identity}"


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 17):
        raise ValueError(text)
    return int(text)
