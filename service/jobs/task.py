"""A job under way, as those see it who do it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from model.domain import Limits
from model.recommender import Recommender
from service.cohorts import limits_in
from service.engine import Engine
from service.store import leases
from service.store.database import Database
from service.store.jobs import Job, sliced
from service.store.layer import Layer
from service.store.patience import patiently
from service.store.room import check_room


@dataclass(frozen=True)
class Task:
    """A job under its lease, and the version that answers it; its answer is kept for ``hours``."""

    database: Database
    engine: Engine
    job: Job
    lease: str
    hours: int

    @cached_property
    def recommender(self) -> Recommender:
        """The version that was pinned, under what was rejected and said."""
        return Layer(self.database).over(self.engine.recommender(self.job.model_version))

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

    def reach(self, done: int, stage: str) -> None:
        """Say which stage the job has reached; raises Lost."""
        patiently(lambda: leases.reach(self.database, self.job.id, self.lease, done, stage))

    def finish(self, kind: str, content: bytes | None = None) -> None:
        """End the job well; raises Lost, OSError where the disk has too little room."""
        check_room(self.database, len(content or b""))
        parts = None if content is None else list(sliced(content))
        patiently(lambda: leases.finish(self.database, self.job.id, self.lease, kind, self.hours, parts))
