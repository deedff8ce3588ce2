"""The long work that was begun from this desk: kept there, so that it is begun once, can be found again, and leads to what came of it when its job is
forgotten."""

from __future__ import annotations

from typing import NamedTuple

from service.pages import desk

PART = "work"
MOST = 40  # Beyond them the oldest goes; of what is under way there are fewer, as of one caller's jobs.


class Work(NamedTuple):
    """A job of the desk and its kind; ``result`` is the address where what came of it is shown, blank until it was taken onto the desk."""

    job: str
    kind: str
    result: str = ""


def listed() -> list[Work]:
    """The work of the desk in the order it was begun."""
    return [Work(*one) for one in desk.take(PART) or ()]


def find(job_id: str) -> Work | None:
    """The work that a job does for this desk; None where it is another's."""
    return next((one for one in listed() if one.job == job_id), None)


def add(job_id: str, kind: str) -> None:
    """Keep that a job was begun."""
    desk.lay(PART, [*listed(), Work(job_id, kind)][-MOST:])


def settle(job_id: str, result: str) -> None:
    """Keep where what came of a job is shown."""
    desk.lay(PART, [one._replace(result=result) if one.job == job_id else one for one in listed()])


def drop(*job_ids: str) -> None:
    """Know of some jobs no more."""
    there = listed()
    kept = [one for one in there if one.job not in job_ids]
    if len(kept) < len(there):
        desk.lay(PART, kept)
