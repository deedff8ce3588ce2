"""The table of jobs on either database: who may take, write and end a job, and what becomes of those whose worker is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from service.jobs.queue import Queue
from service.jobs.reaper import STALE, SWEEP, Reaper
from service.store import audit, jobs, leases
from service.store.audit import By
from service.store.database import Database, now
from service.store.jobs import Job, Status
from service.store.leases import Lost
from service.store.roles import Principal, Role
from service.store.tables import job, piece

ANNA = Principal("key:anna", Role.PLANNER)
BEN = Principal("key:ben", Role.PLANNER)
ADMIN = Principal("account:root", Role.ADMIN)


def make(database: Database, who: Principal = ANNA, **given: bytes) -> str:
    parts = {name: [content] for name, content in (given or {"people": b"[]"}).items()}
    return jobs.create(database, By(who.id), "recommendations", {"top": 3}, "v0001", 1200, parts).id


def seen(database: Database, identity: str, who: Principal = ANNA) -> Job:
    found = jobs.find(database, who, identity)
    assert found
    return found


def taken(database: Database, identity: str) -> str:
    lease = leases.claim(database, identity)
    assert lease
    return lease


def contents(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(piece)) or 0


def put(database: Database, identity: str, **values: Any) -> None:
    with database.writing() as connection:
        connection.execute(update(job).where(job.c.id == identity).values(**values))


def test_a_job_waits_is_worked_on_and_is_done(database: Database):
    identity = make(database, people=b"roster", previous=b"plan")
    assert (seen(database, identity).status, seen(database, identity).under_way) == (Status.QUEUED, True)
    lease = taken(database, identity)
    held = leases.held(database, identity, lease)
    assert (held.status, held.attempts, held.request) == (Status.RUNNING, 1, {"top": 3})
    assert leases.given(database, identity, "people") == b"roster"
    assert leases.given(database, identity, "previous") == b"plan"
    leases.write(database, identity, lease, 0, b"one ", 500)
    leases.write(database, identity, lease, 1, b"two", 1200)
    assert (seen(database, identity).done, leases.written(database, identity)) == (1200, 2)
    leases.finish(database, identity, lease, "text/plain", 24)
    done = seen(database, identity)
    assert (done.status, done.result_type, done.under_way) == (Status.DONE, "text/plain", False)
    assert done.finished_at
    assert done.expires_at == done.finished_at + timedelta(hours=24)
    assert b"".join(jobs.export(database, By(ANNA.id), done)) == b"one two"
    assert leases.given(database, identity, "people") == leases.given(database, identity, "previous") == b""


def test_what_was_made_as_a_whole_replaces_what_an_earlier_attempt_left(database: Database):
    identity = make(database)
    lease = taken(database, identity)
    leases.write(database, identity, lease, 0, b"half", 1)
    leases.finish(database, identity, lease, "text/plain", 24, [b"who", b"le"])
    assert b"".join(jobs.export(database, By(ANNA.id), seen(database, identity))) == b"whole"
    assert seen(database, identity).done == 1200


def test_a_piece_that_is_written_twice_counts_once(database: Database):
    identity = make(database)
    lease = taken(database, identity)
    for _ in range(2):
        leases.write(database, identity, lease, 0, b"one", 500)
    leases.finish(database, identity, lease, "text/plain", 24)
    assert b"".join(jobs.export(database, By(ANNA.id), seen(database, identity))) == b"one"


def test_only_one_takes_a_job_and_nobody_takes_what_is_not_there(database: Database):
    identity = make(database)
    assert leases.claim(database, identity)
    assert leases.claim(database, identity) is None
    assert leases.claim(database, "nothing") is None


WRITES: dict[str, Callable[[Database, str, str], Any]] = {
    "write": lambda database, identity, lease: leases.write(database, identity, lease, 0, b"late", 1),
    "finish": lambda database, identity, lease: leases.finish(database, identity, lease, "text/plain", 1, [b"late"]),
    "fail": lambda database, identity, lease: leases.fail(database, identity, lease, "late", 1),
    "held": leases.held,
}
VOIDS: dict[str, Callable[[Database, str, str], Any]] = {
    "cancelled": lambda database, identity, lease: jobs.cancel(database, By(ANNA.id), identity, 1),
    "taken back": lambda database, identity, lease: leases.release(database, identity, lease, 1, counted=True),
    "taken over": lambda database, identity, lease: (
        leases.release(database, identity, lease, 1, counted=True),
        leases.claim(database, identity),
    ),
    "forgotten": lambda database, identity, lease: [jobs.cancel(database, By(ANNA.id), identity, 1) for _ in range(2)],
    "done": lambda database, identity, lease: leases.finish(database, identity, lease, "text/plain", 1, [b"in time"]),
}


@pytest.mark.parametrize("voided", VOIDS)
def test_whoever_has_lost_the_lease_writes_nothing(database: Database, voided: str):
    identity = make(database)
    lease = taken(database, identity)
    VOIDS[voided](database, identity, lease)
    before, kept = jobs.find(database, ANNA, identity), contents(database)
    for write in WRITES.values():
        with pytest.raises(Lost):
            write(database, identity, lease)
    assert leases.beat(database, identity, lease) is False
    assert leases.release(database, identity, lease, 1, counted=True) is False
    assert (jobs.find(database, ANNA, identity), contents(database)) == (before, kept)


def test_a_job_whose_worker_died_three_times_fails_with_a_sentence(database: Database):
    identity = make(database)
    for attempt in (1, 2):
        lease = taken(database, identity)
        assert leases.release(database, identity, lease, 24, counted=True)
        assert (seen(database, identity).status, seen(database, identity).attempts) == (Status.QUEUED, attempt)
    leases.write(database, identity, lease := taken(database, identity), 0, b"half", 1)
    assert not leases.release(database, identity, lease, 24, counted=True)
    failed = seen(database, identity)
    assert (failed.status, failed.attempts) == (Status.FAILED, 3)
    assert failed.cause
    assert "3 次意外中断" in failed.cause
    assert (leases.claim(database, identity), contents(database)) == (None, 0)


def test_to_be_told_to_stop_is_no_attempt_and_what_was_written_stays(database: Database):
    identity = make(database)
    for _ in range(5):
        lease = taken(database, identity)
        leases.write(database, identity, lease, 0, b"half", 500)
        assert leases.release(database, identity, lease, 24, counted=False)
        assert (seen(database, identity).status, seen(database, identity).attempts) == (Status.QUEUED, 0)
    assert leases.written(database, identity) == 1


def test_a_job_that_fails_or_is_cancelled_leaves_nothing_but_the_cause(database: Database):
    failing, cancelled = make(database), make(database)
    lease = taken(database, failing)
    leases.write(database, failing, lease, 0, b"half", 500)
    leases.fail(database, failing, lease, "不行", 24)
    jobs.cancel(database, By(ANNA.id), cancelled, 24)
    assert (seen(database, failing).status, seen(database, failing).cause) == (Status.FAILED, "不行")
    assert seen(database, cancelled).status is Status.CANCELLED
    assert contents(database) == 0
    for identity in (failing, cancelled):
        jobs.cancel(database, By(ANNA.id), identity, 24)
        assert jobs.find(database, ANNA, identity) is None


def test_somebody_sees_their_own_jobs_and_an_admin_all(database: Database):
    own, other = make(database, ANNA), make(database, BEN)
    assert [one.id for one in jobs.page(database, ANNA, "", 10)[0]] == [own]
    assert jobs.find(database, ANNA, other) is None
    assert {one.id for one in jobs.page(database, ADMIN, "", 10)[0]} == {own, other}
    assert jobs.find(database, ADMIN, other)


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_pages_hold_every_job_once_newest_first_whatever_their_size(database: Database, most: int):
    made = [make(database) for _ in range(7)]
    at = now()
    for number, identity in enumerate(made):
        # Two each were made in the same moment.
        put(database, identity, created_at=at + timedelta(microseconds=number // 2))
    found, cursor = [], ""
    while cursor is not None:
        page, cursor = jobs.page(database, ANNA, cursor, most)
        found += page
    assert [(one.created_at, one.id) for one in found] == sorted(
        ((one.created_at, one.id) for one in found), reverse=True
    )
    assert {one.id for one in found} == set(made)
    assert len(found) == len(made)


@pytest.mark.parametrize("cursor", ["x", "-", "-1-a", "1.5-a", "9" * 30 + "-a", "٣-a"])
def test_a_cursor_that_is_none_is_refused(database: Database, cursor: str):
    with pytest.raises((ValueError, OverflowError)):
        jobs.page(database, ANNA, cursor, 10)


def test_nobody_has_more_than_so_many_jobs_under_way(database: Database):
    made = [make(database) for _ in range(jobs.MOST_WAITING)]
    with pytest.raises(jobs.TooMany):
        make(database)
    make(database, BEN)
    jobs.cancel(database, By(ANNA.id), made[0], 24)
    make(database)


def test_what_has_expired_is_forgotten_and_nothing_else(database: Database):
    old, fresh, waiting = make(database), make(database), make(database)
    for identity in (old, fresh):
        leases.finish(database, identity, taken(database, identity), "text/plain", 24, [b"made"])
    put(database, old, expires_at=now() - timedelta(seconds=1))
    assert jobs.expire(database) == 1
    assert jobs.find(database, ANNA, old) is None
    assert b"".join(jobs.export(database, By(ANNA.id), seen(database, fresh))) == b"made"
    assert leases.given(database, waiting, "people") == b"[]"


def test_a_result_that_is_taken_away_while_it_is_read_is_not_taken_for_whole(database: Database):
    identity = make(database)
    lease = taken(database, identity)
    for number in range(3):
        leases.write(database, identity, lease, number, b"part", number)
    leases.finish(database, identity, lease, "text/plain", 24)
    parts = jobs.export(database, By(ANNA.id), seen(database, identity))
    next(parts)
    jobs.cancel(database, By(ANNA.id), identity, 24)
    with pytest.raises(RuntimeError):
        list(parts)


def test_jobs_are_counted_by_status(database: Database):
    make(database)
    taken(database, make(database))
    assert jobs.count_by_status(database) == {"queued": 1, "running": 1, "done": 0, "failed": 0, "cancelled": 0}


def test_who_made_cancelled_and_fetched_what_stands_in_the_audit_log(database: Database):
    identity = make(database)
    leases.finish(database, identity, taken(database, identity), "text/plain", 24, [b"made"])
    jobs.export(database, By(BEN.id), seen(database, identity))
    jobs.cancel(database, By(ANNA.id), identity, 24)
    jobs.cancel(database, By(ANNA.id), make(database), 24)
    with database.reading() as connection:
        told = [(one.actor, one.action) for one in audit.entries(connection)]
    assert told == [
        (ANNA.id, "job.create"), (BEN.id, "job.export"), (ANNA.id, "job.forget"), (ANNA.id, "job.create"), (ANNA.id, "job.cancel"),
    ]  # fmt: skip
    assert audit.broken(database) is None


def test_word_of_a_job_is_carried_as_plain_text_and_once(database: Database):
    done: list[str] = []
    queue = Queue(database, done.append)
    Queue(database).send("abc")
    assert queue.waiting() == {"abc"}
    (message,) = queue.open().storage.enqueued_items()
    assert b'"abc"' in bytes(message)
    queue.open().execute(queue.open().dequeue())
    assert (done, queue.waiting()) == (["abc"], set())
    queue.close()


class Watched:
    """A reaper with a steady clock of its own, looking each second."""

    def __init__(self, database: Database, queue: Queue) -> None:
        self.queue = queue
        self.reaper, self.time = Reaper(database, queue, 24), 1000.0

    def look(self, seconds: float = 1.0) -> None:
        end = self.time + seconds
        while self.time < end:
            self.time += 1.0
            self.reaper.look(self.time)

    def stall(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def watched(database: Database) -> Iterator[Watched]:
    queue = Queue(database)
    yield Watched(database, queue)
    queue.close()


def test_a_worker_that_beats_is_left_alone_and_one_that_does_not_loses_its_job(database: Database, watched: Watched):
    beating, dead = make(database), make(database)
    alive, _ = taken(database, beating), taken(database, dead)
    for _ in range(int(STALE) + 2):
        watched.look()
        assert leases.beat(database, beating, alive)
    assert seen(database, beating).status is Status.RUNNING
    assert (seen(database, dead).status, seen(database, dead).attempts) == (Status.QUEUED, 1)
    assert watched.queue.waiting() == {dead}


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_neither_kills_a_living_worker_nor_keeps_a_dead_one(
    database: Database, watched: Watched, days: int
):
    beating, dead = make(database), make(database)
    alive, _ = taken(database, beating), taken(database, dead)
    put(database, dead, beat_at=now() + timedelta(days=days))
    for second in range(int(STALE) + 2):
        watched.look()
        # As a host writes it whose clock is being set back and forth.
        put(database, beating, beat_at=now() + timedelta(days=days * (-1) ** second, seconds=second))
    assert seen(database, beating).status is Status.RUNNING
    assert leases.beat(database, beating, alive)
    assert seen(database, dead).status is Status.QUEUED


def test_a_reaper_that_stood_still_itself_gives_everybody_time(database: Database, watched: Watched):
    identity = make(database)
    taken(database, identity)
    watched.look(2)
    watched.stall(3600)
    watched.look(STALE - 1)
    assert seen(database, identity).status is Status.RUNNING
    watched.look(3)
    assert seen(database, identity).status is Status.QUEUED


def test_word_that_got_lost_is_sent_again_and_word_under_way_is_not_doubled(database: Database, watched: Watched):
    lost, told = make(database), make(database)
    watched.queue.send(told)
    watched.look(5)
    assert sorted(watched.queue.waiting()) == sorted([lost, told])
    assert len(watched.queue.open().storage.enqueued_items()) == 2


def test_the_reaper_forgets_what_has_expired(database: Database, watched: Watched):
    identity = make(database)
    watched.look()
    leases.finish(database, identity, taken(database, identity), "text/plain", 24, [b"made"])
    put(database, identity, expires_at=now() - timedelta(seconds=1))
    watched.look(SWEEP + 1)
    assert (jobs.find(database, ANNA, identity), contents(database)) == (None, 0)
