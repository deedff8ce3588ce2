"""What each kind of job does: from what was given and asked to an answer, written by pieces where that can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count, islice
from tempfile import TemporaryFile

from service.batch import CHUNK, NDJSON, answers, as_lines, as_part, records_of, values_in
from service.cohorts import (
    JSON,
    LISTED,
    ON_THE_DESK,
    WORKBOOK,
    Roster,
    diagnosis_as_json,
    lists_as_json,
    lists_as_workbook,
    plan_as_json,
    plan_as_workbook,
    plan_for,
    plan_with_sheets,
)
from service.jobs.task import Task
from service.jobs.training import train
from service.shapes.asked import AskedIn
from service.shapes.plans import load_cohort


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
    elif request["answer"] == ON_THE_DESK:
        told = plan_with_sheets(results) | {"variant": request["variant"]}
        task.finish(JSON, json.dumps(told, ensure_ascii=False).encode())
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


def gaps(task: Task) -> None:
    """Who lacks what. It is made as a whole, and made anew when it was interrupted."""
    request = task.job.request
    roster = Roster(request["suffix"], task.given("people"))
    reading = roster.read(task.recommender.lexicon, request["month"] and tuple(request["month"]))
    from_file = roster.suffix != LISTED
    content = diagnosis_as_json(task.recommender, reading, task.limits, request["common"], from_file=from_file)
    task.finish(JSON, content)


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


KINDS: dict[str, Callable[[Task], None]] = {
    "plan": plan,
    "recommendations": recommendations,
    "gaps": gaps,
    "batch": batch,
    "training": train,
}
