"""What passes by itself, and may still hold somebody who was erased: results of jobs, and answers kept to be given again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from service.store.database import now
from service.store.tables import answer, job


class Passing(NamedTuple):
    """How many results and answers there are, and when the last of them will be gone (None: there are none)."""

    results: int
    answers: int
    gone_by: datetime | None


def passing(connection: Connection) -> Passing:
    """What is there now. Nobody looks into it: who is in it is not known."""
    counts = []
    for table in (job, answer):
        due = table.c.expires_at > now()
        counts.append(connection.execute(select(func.count(), func.max(table.c.expires_at)).where(due)).one())
    last = [moment for _, moment in counts if moment is not None]
    return Passing(counts[0][0], counts[1][0], max(last, default=None))
