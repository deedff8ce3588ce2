"""The first answer to a request that its caller may have to repeat, kept for a while under the caller's own key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.store import pieces
from service.store.database import Database, now
from service.store.tables import answer

UNDER_WAY = timedelta(minutes=15)  # After this a request that never ended counts as lost, and may be made again.


class First(NamedTuple):
    """A request somebody made under a key, and what was answered; ``status`` is None while that is not known."""

    fingerprint: str
    status: int | None
    headers: dict[str, str]
    blob: str
    expires_at: datetime


def claim(database: Database, owner: str, key: str, fingerprint: str) -> First | None:
    """Take a key for a request; None where it is the first one, else what is known of the first."""
    mine = (answer.c.owner == owner) & (answer.c.key == key)
    values = {"owner": owner, "key": key, "fingerprint": fingerprint, "blob": f"answer:{secrets.token_hex(16)}"}
    while True:
        with database.reading() as connection:
            row = connection.execute(select(answer).where(mine)).first()
        if row and row.expires_at > now():
            return First(row.fingerprint, row.status, json.loads(row.headers or "{}"), row.blob, row.expires_at)
        # Of two at once one inserts; the other finds its row on the next round.
        with suppress(IntegrityError), database.writing() as connection:
            if row:
                pieces.drop(connection, row.blob)
                connection.execute(delete(answer).where(mine & (answer.c.blob == row.blob)))
            connection.execute(insert(answer).values(**values, expires_at=now() + UNDER_WAY))
            return None


def keep(
    database: Database, owner: str, key: str, status: int, headers: Mapping[str, str], body: Iterable[bytes], hours: int
) -> None:
    """Keep an answer whole."""
    mine = _under_way(owner, key)
    with database.writing() as connection:
        blob = connection.scalar(select(answer.c.blob).where(mine))
        if blob:
            pieces.put_all(connection, blob, body)
            connection.execute(update(answer).where(mine).values(_finished(status, headers, hours)))


def kept(
    database: Database, owner: str, key: str, status: int, headers: Mapping[str, str], body: Iterator[bytes], hours: int
) -> Iterator[bytes]:
    """Pass an answer on while it is kept. Where it does not come to its end, the key is free again."""
    mine = _under_way(owner, key)
    with database.reading() as connection:
        blob = connection.scalar(select(answer.c.blob).where(mine))
    whole = False
    try:
        for number, part in enumerate(pieces.cut(body)):
            if blob:
                with database.writing() as connection:
                    pieces.put(connection, blob, number, part)
            yield part
        whole = True
    finally:
        if not whole:
            release(database, owner, key)
    with database.writing() as connection:
        connection.execute(update(answer).where(mine).values(_finished(status, headers, hours)))


def release(database: Database, owner: str, key: str) -> None:
    """Forget a request that had no answer worth keeping."""
    mine = _under_way(owner, key)
    with database.writing() as connection:
        blobs = [*connection.scalars(select(answer.c.blob).where(mine))]
        pieces.drop(connection, *blobs)
        connection.execute(delete(answer).where(mine))


def expire(database: Database) -> int:
    """Forget the answers whose time has come; how many."""
    with database.writing() as connection:
        due = [*connection.scalars(select(answer.c.blob).where(answer.c.expires_at <= now()))]
        pieces.drop(connection, *due)
        connection.execute(delete(answer).where(answer.c.blob.in_(due)))
    return len(due)


def _under_way(owner: str, key: str) -> ColumnElement[bool]:
    """The request that is being answered."""
    return (answer.c.owner == owner) & (answer.c.key == key) & answer.c.status.is_(None)


def _finished(status: int, headers: Mapping[str, str], hours: int) -> dict[str, Any]:
    """What an answer is known by from now on."""
    return {"status": status, "headers": json.dumps(dict(headers)), "expires_at": now() + timedelta(hours=hours)}
