"""Jobs, as those see them who ask for them: large work that waits, is under way, and ends. ``leases`` is the side of those who do it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from service.store import audit, pieces
from service.store.audit import By
from service.store.database import Database, now
from service.store.pages import cursor_of, newest_first
from service.store.roles import Principal, Role
from service.store.room import check_room
from service.store.tables import job

MOST_WAITING = 20  # Jobs of one caller that wait or run.
INPUTS = ("people", "previous", "courses")  # What a job works on, by name; forgotten as soon as it ends.


class Status(StrEnum):
    """How far a job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = (Status.QUEUED, Status.RUNNING)


class TooMany(Exception):
    """The caller has as many jobs under way as anybody may."""


class UnderWay(Exception):
    """Another job of this kind, of which there is one at a time, is under way; ``identity`` is its id."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.identity = identity


class Job(NamedTuple):
    """What is told of a job. ``request`` is what was asked beside the people; ``done`` of ``total`` people are answered, or so many of the stages of a
    training, which ``stage`` names."""

    id: str
    kind: str
    status: Status
    owner: str
    request: dict[str, Any]
    model_version: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    attempts: int
    done: int
    total: int
    cause: str | None
    result_type: str | None
    stage: str | None

    @property
    def under_way(self) -> bool:
        """Whether something is still to come of it."""
        return self.status in UNDER_WAY


COLUMNS = [job.c[name] for name in Job._fields]


def create(
    database: Database,
    by: By,
    kind: str,
    request: Mapping[str, Any],
    version: str,
    total: int,
    given: Mapping[str, Iterable[bytes]],
    *,
    alone: bool = False,
) -> Job:
    """Queue a job with what it works on (by the names of INPUTS), to be answered by ``version``. TooMany where the caller has enough of them,
    UnderWay where it is to be the only one of its kind and is not, OSError where the disk has too little room."""
    check_room(database, 0)
    identity = secrets.token_hex(8)
    with database.writing() as connection:
        if alone:
            database.alone(connection)
            same = select(job.c.id).where((job.c.kind == kind) & job.c.status.in_(UNDER_WAY)).limit(1)
            other = connection.scalar(same)
            if other is not None:
                raise UnderWay(other)
        waiting = select(func.count()).where((job.c.owner == by.actor) & job.c.status.in_(UNDER_WAY))
        if (connection.scalar(waiting) or 0) >= MOST_WAITING:
            raise TooMany
        connection.execute(
            insert(job).values(
                id=identity,
                kind=kind,
                status=Status.QUEUED,
                owner=by.actor,
                request=json.dumps(request, ensure_ascii=False),
                model_version=version,
                created_at=now(),
                attempts=0,
                done=0,
                total=total,
            )
        )
        for name, content in given.items():
            pieces.put_all(connection, input_of(identity, name), content)
        audit.record(database, connection, by, "job.create", identity, kind=kind, people=total, version=version)
        return job_of(connection.execute(select(*COLUMNS).where(job.c.id == identity)).one())


def find(database: Database, who: Principal, identity: str) -> Job | None:
    """A job of somebody's own; any for an admin."""
    with database.reading() as connection:
        row = connection.execute(select(*COLUMNS).where((job.c.id == identity) & _seen_by(who))).first()
    return job_of(row) if row else None


def under_way(database: Database, kind: str) -> Job | None:
    """The job of a kind of which there is one at a time that waits or runs, whoever asked for it."""
    standing = (job.c.kind == kind) & job.c.status.in_(UNDER_WAY)
    with database.reading() as connection:
        row = connection.execute(select(*COLUMNS).where(standing).order_by(job.c.created_at).limit(1)).first()
    return job_of(row) if row else None


def page(database: Database, who: Principal, after: str, most: int) -> tuple[list[Job], str | None]:
    """The jobs somebody may see, newest first, from the one after the cursor on; the cursor of the next page. ValueError or OverflowError for one
    that is none."""
    query = newest_first(select(*COLUMNS).where(_seen_by(who)), job, after, most)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    found = [job_of(row) for row in rows[:most]]
    return found, cursor_of(found[-1].created_at, found[-1].id) if len(rows) > most else None


def cancel(database: Database, by: By, identity: str, hours: int) -> None:
    """Stop a job that is under way, and forget what it worked on; one that has ended is forgotten with its result."""
    with database.writing() as connection:
        known = job.c.id == identity
        values = {"status": Status.CANCELLED, "lease": None} | ended(hours)
        if connection.execute(update(job).where(known & job.c.status.in_(UNDER_WAY)).values(values)).rowcount:
            audit.record(database, connection, by, "job.cancel", identity)
        elif connection.execute(delete(job).where(known)).rowcount:
            audit.record(database, connection, by, "job.forget", identity)
        drop(connection, identity, result=True)


def export(database: Database, by: By, told: Job) -> Iterator[bytes]:
    """What a job made, piece by piece. RuntimeError where it is taken away meanwhile, so that nobody takes a part for the whole."""
    with database.writing() as connection:
        audit.record(database, connection, by, "job.export", told.id, kind=told.kind, people=told.total)
        count = pieces.count(connection, output_of(told.id))

    def read() -> Iterator[bytes]:
        sent = 0
        for part in pieces.read(database, output_of(told.id)):
            yield part
            sent += 1
        if sent < count:
            raise RuntimeError("the result was taken away while it was read")

    return read()


def expire(database: Database) -> int:
    """Forget the jobs whose time has come, with their results; how many."""
    due = job.c.expires_at <= now()
    with database.reading() as connection:
        found = [*connection.scalars(select(job.c.id).where(due))]
    for identity in found:
        with database.writing() as connection:
            connection.execute(delete(job).where(job.c.id == identity))
            drop(connection, identity, result=True)
    return len(found)


def count_by_status(database: Database) -> dict[str, int]:
    """How many jobs there are of each status, none left out."""
    with database.reading() as connection:
        rows = connection.execute(select(job.c.status, func.count()).group_by(job.c.status)).all()
    return {status.value: 0 for status in Status} | {str(status): int(count) for status, count in rows}


def ended(hours: int) -> dict[str, Any]:
    """When a job ended, and when it will be forgotten."""
    at = now()
    return {"finished_at": at, "expires_at": at + timedelta(hours=hours)}


def drop(connection: Connection, identity: str, *, result: bool = False) -> None:
    """Forget what a job worked on, and what it made."""
    pieces.drop(connection, *(input_of(identity, name) for name in INPUTS), *([output_of(identity)] if result else []))


def sliced(content: bytes) -> Iterator[bytes]:
    """A long content in the parts it is kept in."""
    return (content[at : at + pieces.SIZE] for at in range(0, len(content), pieces.SIZE))


def input_of(identity: str, name: str) -> str:
    """The blob of something that a job works on."""
    return f"job:{identity}:{name}"


def output_of(identity: str) -> str:
    """The blob of what it makes."""
    return f"job:{identity}:result"


def job_of(row: Row[Any]) -> Job:
    """A row of COLUMNS as a value."""
    return Job(**row._mapping)._replace(status=Status(row.status), request=json.loads(row.request))


def _seen_by(who: Principal) -> Any:
    return job.c.owner == who.id if not who.role.covers(Role.ADMIN) else job.c.id.is_not(None)
