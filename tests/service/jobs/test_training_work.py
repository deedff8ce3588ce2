"""A training by a real worker: killed in the middle, it is finished at the second attempt, and there is one new version."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import SECRET
from test_jobs_work import ME, children, kill, made, seen, starting, until, wait

from model.lexicon import TRAINING_DATA
from model.versions.registry import Registry
from service.jobs.queue import Queue
from service.store import jobs
from service.store.database import Database
from service.store.jobs import Status

ASKED = {
    "file": "新学期.csv",
    "source": None,
    "without": [],
    "map": None,
    "categories": None,
    "year": None,
    "activate": False,
    "reason": None,
}


@pytest.fixture
def shelf(registry: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(registry, tmp_path / "registry"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/quebu.db", SECRET)
    database.prepare()
    yield database
    database.engine.dispose()


def test_a_training_that_is_killed_in_the_middle_ends_in_one_version_that_answers(shelf: Path, store: Database):
    content = (TRAINING_DATA / "courses.csv").read_bytes() + "N0001,扎口子工作实务\n".encode()
    identity = jobs.create(store, ME, "training", ASKED, "v0001", 7, {"courses": [content]}, alone=True).id
    Queue(store).send(identity)
    with starting(shelf, store) as start:
        worker = start()
        wait(store, identity, lambda job: job.stage is not None)
        kill(until(lambda: children(worker), "no process trains"))
        done = wait(store, identity, lambda job: not job.under_way)
    assert (done.status, done.attempts, done.cause) == (Status.DONE, 2, None)
    assert b'"version": "v000' in made(store, identity)
    kept = Registry(shelf)
    assert len(kept.versions()) == 2
    assert kept.pointer() == "v0001"
    assert "N0001" in kept.load(kept.versions()[-1]).catalog.row_of
    assert seen(store, identity).done == seen(store, identity).total
