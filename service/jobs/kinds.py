"""What each kind of job does: from what was given and asked to an answer, written by pieces where that can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count, islice
from tempfile import TemporaryFile
from typing import NamedTuple

from model.domain import Limits
from model.recommender import Recommender
from service.batch import CHUNK, NDJSON, answers, as_lines, as_part, records_of, values_in
from service.cohorts import (
    JSON,
    LISTED,
    WORKBOOK,
    Roster,
    limits_in,
    lists_as_json,
    lists_as_workbook,
    plan_as_json,
    plan_as_workbook,
    plan_for,
)
from service.shapes.asked import AskedIn
from service.shapes.plans import load_cohort
from service.store import leases
from service.store.database import Database
from service.store.jobs import Job, sliced
from service.store.patience import patiently
from service.store.room import check_room


class Task(NamedTuple):
    """A job under its lease, and the version that answers it."""

    database: Database
    job: Job
    lease: str
    recommender: Recommender
    hours: int

    @property
    def limits(self) -> Limits:
        """The limits that were asked for."""
        return limits_in(self.job.request)

    def given(self, name: str) -> bytes:
        """What the job works on."""
        return patiently(lambda: leases.given(self.database, self.job.id, name))

    def written(self) -> int:
        """How many pieces an earlier attempt has written."""
        return patiently(lambda: leases.written(self.database, self.job.id))

    def write(self, number: int, content: bytes, done: int) -> None:
        """Keep a piece of the answer; raises Lost, OSError where the disk has too little room."""
        check_room(self.database, len(content))
        patiently(lambda: leases.write(self.database, self.job.id, self.lease, number, content, done))

    def finish(self, kind: str, content: bytes | None = None) -> None:
        """End the job well; raises Lost, OSError where the disk has too little room."""
        check_room(self.database, len(content or b""))
        parts = None if content is None else list(sliced(content))
        patiently(lambda: leases.finish(self.database, self.job.id, self.lease, kind, self.hours, parts))


def plan(task: Task) -> None:
    """One plan for all. It is made as a whole, and made anew when it was interrupted."""
    asked, request = AskedIn().load(task.job.request["plan"]), task.job.request
    roster = Roster(request["suffix"], task.given("people"))
    previous = task.given("previous")
    before = load_cohort(json.loads(previous)) if previous else None
    reading = roster.read(task.recommender.lexicon, asked.month)
    results = plan_for(task.recommender, reading, asked, request["settings"], request["deadline"], before)
    if request["answer"] == WORKBOOK:
        task.finish(WORKBOOK, plan_as_workbook(results))
    else:
        task.finish(JSON, plan_as_json(results, from_file=roster.suffix != LISTED))


def recommendations(task: Task) -> None:
    """The recommendations for all: as JSON piece by piece, from the first that is missing; a workbook as a whole."""
    request = task.job.request
    roster = Roster(request["suffix"], task.given("people"))
    reading = roster.read(task.recommender.lexicon, request["month"] and tuple(request["month"]))
    if request["answer"] == WORKBOOK:
        task.finish(WORKBOOK, lists_as_workbook(task.recommender, reading, task.limits))
        return
    first = task.written()
    parts = lists_as_json(
        task.recommender, reading, task.limits, request["explain"], from_file=roster.suffix != LISTED, first=first
    )
    for number, (part, done) in enumerate(parts, start=first):
        task.write(number, part, done)
    task.finish(JSON)


def batch(task: Task) -> None:
    """A record for each record, piece by piece, from the first that is missing."""
    request, first, done = task.job.request, task.written(), 0
    with TemporaryFile() as file:
        file.write(task.given("people"))
        _, values = values_in(file, request["longest"], lines=request["lines"])
        # All are read again, for a record may repeat the id of an earlier one.
        records = records_of(values, task.recommender)
        for number in count():
            chunk = list(islice(records, CHUNK))
            if not chunk:
                break
            done += len(chunk)
            if number >= first:
                found = answers(chunk, task.recommender, task.limits, request["explain"])
                if request["lines"]:
                    part = b"".join(as_lines(found))
                else:
                    last = done == task.job.total
                    part = as_part(found, task.recommender.version, first=number == 0, last=last)
                task.write(number, part, done)
    task.finish(NDJSON if request["lines"] else JSON)


KINDS: dict[str, Callable[[Task], None]] = {"plan": plan, "recommendations": recommendations, "batch": batch}
