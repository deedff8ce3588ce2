"""Who changed or exported what, when and from where: rows are only added, each vouched for by a digest that covers the row before it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from service.store.database import Database, now
from service.store.tables import audit

CHAIN = 7265422  # The number of the lock under which rows are added.


class Done(NamedTuple):
    """One row of the log. ``detail`` names no person and holds nothing written about one; why a version was activated stands there."""

    id: int
    at: str
    actor: str
    action: str
    object: str
    detail: dict[str, Any]
    address: str
    request_id: str


class By(NamedTuple):
    """Who acts, from where, in which request."""

    actor: str
    address: str = ""
    request_id: str = ""


def record(database: Database, connection: Connection, by: By, action: str, subject: str, **detail: Any) -> None:
    """Add a row within the unit of work that makes the change, so that there is none without the other."""
    database.alone(connection, CHAIN)  # Else two rows could follow the same one.
    number, before = _end(connection)
    row = Done(number + 1, now().isoformat(), by.actor, action, subject, detail, by.address, by.request_id)
    values = row._asdict() | {"detail": json.dumps(detail, ensure_ascii=False, sort_keys=True)}
    connection.execute(insert(audit).values(**values, digest=_digest(database, values, before)))


def entries(connection: Connection, after: int = 0, most: int = 1000) -> list[Done]:
    """The rows after a number, oldest first."""
    found = connection.execute(select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(most))
    return [_done(row._mapping) for row in found]


def every(connection: Connection) -> Iterator[Done]:
    """All rows, oldest first, a few at a time in memory."""
    return map(_done, _all(connection))


def last(connection: Connection) -> str | None:
    """The last row as ``number:digest``, to be kept elsewhere; None where there is none."""
    number, digest = _end(connection)
    return f"{number}:{digest}" if number else None


def holds(connection: Connection, mark: str) -> bool:
    """Whether the row that was once the last one is still there."""
    row = connection.execute(select(audit.c.id).where(audit.c.digest == mark.partition(":")[2])).first()
    return row is not None and mark.partition(":")[0] == str(row.id)


def broken(database: Database) -> int | None:
    """The number of the first row that was altered, or that follows one taken away; None where the log is whole.

    Rows cut off at the end leave no trace here; whoever needs to know of them keeps what :func:`last` tells elsewhere.
    """
    before, expected = "", 1
    with database.reading() as connection, closing(_all(connection)) as rows:
        for row in rows:
            values = {name: row[name] for name in Done._fields}
            if not hmac.compare_digest(row["digest"], _digest(database, values, before)):
                return expected
            before, expected = row["digest"], expected + 1
    return None


def _end(connection: Connection) -> tuple[int, str]:
    row = connection.execute(select(audit.c.id, audit.c.digest).order_by(audit.c.id.desc()).limit(1)).first()
    return (row.id, row.digest) if row else (0, "")


def _all(connection: Connection) -> Generator[Any]:
    with connection.execute(select(audit).order_by(audit.c.id), execution_options={"yield_per": 1000}) as found:
        yield from found.mappings()


def _digest(database: Database, values: dict[str, Any], before: str) -> str:
    return database.digest(json.dumps([before, values], ensure_ascii=False, sort_keys=True), "audit")


def _done(row: Any) -> Done:
    return Done(**{name: row[name] for name in Done._fields if name != "detail"}, detail=json.loads(row["detail"]))
