"""Jobs, as those see them who do the work: claimed under a lease, beaten for, ended or given back.

Every write of a worker shows the lease it holds. Cancelling a job, or taking it back from a worker that beats no more, voids the lease: what the old
worker still wants to write is refused with :class:`Lost`, so that no two ever write for one job.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from service.store import pieces
from service.store.database import Database, now
from service.store.jobs import COLUMNS, Job, Status, drop, ended, input_of, job_of, output_of
from service.store.tables import job, piece

MOST_ATTEMPTS = 3
GIVEN_UP = "处理这项任务的进程 {attempts} 次意外中断（可能是内存不足），已不再重试。请减少人数或课程数后重新提交，或联系管理员。"


class Lost(Exception):
    """The lease is void: the job was cancelled, or taken for dead and given to another worker."""


class Held(NamedTuple):
    """A running job, as those see it who look after the workers."""

    id: str
    lease: str
    beat_at: datetime


def claim(database: Database, identity: str) -> str | None:
    """Take a queued job; the lease to work under, or None where there is nothing to take (any more)."""
    lease, at = secrets.token_hex(8), now()
    values = {
        "status": Status.RUNNING,
        "lease": lease,
        "beat_at": at,
        "started_at": func.coalesce(job.c.started_at, at),
        "attempts": job.c.attempts + 1,
    }
    with database.writing() as connection:
        free = (job.c.id == identity) & (job.c.status == Status.QUEUED)
        return lease if connection.execute(update(job).where(free).values(values)).rowcount else None


def beat(database: Database, identity: str, lease: str) -> bool:
    """Say that a job is still worked on; False where the lease is void or the job has ended."""
    try:
        with _holding(database, identity, lease, {}):
            return True
    except Lost:
        return False


def held(database: Database, identity: str, lease: str) -> Job:
    """The job that was claimed; raises Lost."""
    with database.reading() as connection:
        row = connection.execute(select(*COLUMNS).where(_mine(identity, lease))).first()
    if row is None:
        raise Lost
    return job_of(row)


def given(database: Database, identity: str, name: str) -> bytes:
    """What a job works on; nothing where nothing was given by this name."""
    return b"".join(pieces.read(database, input_of(identity, name)))


def written(database: Database, identity: str) -> int:
    """How many pieces of its answer there are already."""
    with database.reading() as connection:
        return pieces.count(connection, output_of(identity))


def write(database: Database, identity: str, lease: str, number: int, content: bytes, done: int) -> None:
    """Keep one piece of the answer; ``done`` people are answered by now. To write it again changes nothing. Raises Lost."""
    with _holding(database, identity, lease, {"done": done}) as connection:
        connection.execute(delete(piece).where((piece.c.blob == output_of(identity)) & (piece.c.number == number)))
        pieces.put(connection, output_of(identity), number, content)


def reach(database: Database, identity: str, lease: str, done: int, stage: str) -> None:
    """Say which stage a job has reached, and how many it has behind it. Raises Lost."""
    with _holding(database, identity, lease, {"done": done, "stage": stage}):
        pass


def finish(
    database: Database, identity: str, lease: str, kind: str, hours: int, content: Iterable[bytes] | None = None
) -> None:
    """End a job well. ``kind`` is the media type of what it made; ``content`` is all of it, where it was not written piece by piece. Raises Lost."""
    values = {"status": Status.DONE, "lease": None, "done": job.c.total, "result_type": kind} | ended(hours)
    with _holding(database, identity, lease, values) as connection:
        if content is not None:
            pieces.drop(connection, output_of(identity))
            pieces.put_all(connection, output_of(identity), content)
        drop(connection, identity)


def fail(database: Database, identity: str, lease: str, cause: str, hours: int) -> None:
    """End a job that cannot be done, with a sentence why. Raises Lost."""
    with _holding(database, identity, lease, _failed(cause, hours)) as connection:
        drop(connection, identity, result=True)


def release(database: Database, identity: str, lease: str, hours: int, *, counted: bool) -> bool:
    """Give a job back whose worker died (``counted``) or was told to stop; what it has written stays. After MOST_ATTEMPTS that died it fails
    instead. Whether it waits again; False as well where the lease is void."""
    with database.writing() as connection:
        attempts = connection.scalar(select(job.c.attempts).where(_mine(identity, lease)).with_for_update())
        if attempts is None:
            return False
        given_up = counted and attempts >= MOST_ATTEMPTS
        back = {"status": Status.QUEUED, "lease": None, "attempts": attempts if counted else attempts - 1}
        values = _failed(GIVEN_UP.format(attempts=attempts), hours) if given_up else back
        connection.execute(update(job).where(job.c.id == identity).values(values))
        if given_up:
            drop(connection, identity, result=True)
        return not given_up


def running(database: Database) -> list[Held]:
    """The jobs that somebody holds."""
    query = select(job.c.id, job.c.lease, job.c.beat_at).where(job.c.status == Status.RUNNING)
    with database.reading() as connection:
        return [Held(*row) for row in connection.execute(query)]


def queued(database: Database) -> list[str]:
    """The jobs that nobody holds yet, oldest first."""
    query = select(job.c.id).where(job.c.status == Status.QUEUED).order_by(job.c.created_at, job.c.id)
    with database.reading() as connection:
        return [*connection.scalars(query)]


@contextmanager
def _holding(database: Database, identity: str, lease: str, values: Mapping[str, Any]) -> Iterator[Connection]:
    """A unit of work of whoever holds the lease; raises Lost, before anything is written, for anybody else."""
    with database.writing() as connection:
        shown = update(job).where(_mine(identity, lease)).values({"beat_at": now(), **values})
        if not connection.execute(shown).rowcount:
            raise Lost
        yield connection


def _mine(identity: str, lease: str) -> Any:
    return (job.c.id == identity) & (job.c.lease == lease) & (job.c.status == Status.RUNNING)


def _failed(cause: str, hours: int) -> dict[str, Any]:
    return {"status": Status.FAILED, "lease": None, "cause": cause} | ended(hours)
