"""Jobs and what may happen to whoever works on them: real ``quebu work`` and ``quebu serve``, killed, stopped, and two at once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from postgres import SECRET
from running import READY, answered, ask, children, free_port, serving, until

from model.domain import Limits
from model.recommender import Recommender
from service.cohorts import asked_of, lists_as_json, reading_of
from service.jobs import foreman
from service.jobs.hand import FULL
from service.jobs.queue import Queue
from service.store import jobs, leases
from service.store.audit import By
from service.store.database import Database
from service.store.jobs import Job, Status
from service.store.roles import Principal, Role

ME = By("key:me")
MANY = 2500  # People of a job that takes some seconds.
LONGEST = 300.0  # Seconds anything is waited for.
LIMITS = Limits(3)
LACKS = ("一上台讲话就冒汗", "公文写作", "应急处突没经验", "写材料慢", "怕讲话", "不会用表格", "党史了解不多")

Start = Callable[..., subprocess.Popen[bytes]]


def people(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"P{number}", "post": "镇长", "weaknesses": [{"text": LACKS[number % 7]}, {"text": LACKS[number % 5]}]}
        for number in range(count)
    ]


def queue(database: Database, count: int, limits: Limits = LIMITS) -> str:
    """Queue a job as the service does."""
    asked = asked_of(limits) | {"explain": "full", "month": None, "suffix": ".json", "answer": "application/json"}
    roster = json.dumps(people(count)).encode()
    identity = jobs.create(database, ME, "recommendations", asked, "v0001", count, {"people": [roster]}).id
    Queue(database).send(identity)
    return identity


def seen(database: Database, identity: str) -> Job:
    found = jobs.find(database, Principal(ME.actor, Role.ADMIN), identity)
    assert found
    return found


def wait(database: Database, identity: str, true: Callable[[Job], bool]) -> Job:
    """The job as soon as something is true of it; on a busy machine that takes a while."""
    end = time.monotonic() + LONGEST
    while not true(job := seen(database, identity)):
        assert time.monotonic() < end, job
        time.sleep(0.05)
    return job


def half_done(job: Job) -> bool:
    assert job.status in jobs.UNDER_WAY, job
    return 0 < job.done < job.total


def made(database: Database, identity: str) -> bytes:
    return b"".join(jobs.export(database, ME, seen(database, identity)))


def command_of(pid: int) -> bytes:
    """The words a process was started with; none when it is no more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.fixture(scope="module")
def undisturbed(trained: Recommender) -> Callable[[int], bytes]:
    """What a job for so many people makes when nothing happens to it."""
    known: dict[int, bytes] = {}

    def answer(count: int) -> bytes:
        if count not in known:
            reading = reading_of(people(count), trained.lexicon)
            parts = lists_as_json(trained, reading, LIMITS, "full", from_file=False)
            known[count] = b"".join(part for part, _ in parts)
        return known[count]

    return answer


def environment(database: Database) -> Mapping[str, str]:
    url = database.url.set(drivername=database.url.get_backend_name()).render_as_string(hide_password=False)
    return os.environ | {"QUEBU_DATABASE_URL": url, "QUEBU_SECRET": SECRET}


@contextmanager
def starting(registry: Path, database: Database) -> Iterator[Start]:
    """A function that starts ``quebu work``; what still runs in the end is killed."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "service.cli", "work", "--registry", str(registry), *options]
        begun.append(subprocess.Popen(command, env=environment(database), start_new_session=True))
        return begun[-1]

    try:
        yield start
    finally:
        for process in begun:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('jobs')}/quebu.db", SECRET)
    database.prepare()
    yield database
    database.engine.dispose()


@pytest.fixture(scope="module")
def worker(registry: Path, store: Database) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that several tests use, one after the other; each leaves it at work."""
    with starting(registry, store) as start:
        yield start()


def kill(pids: set[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_job_whose_process_is_killed_is_finished_at_the_second_attempt_with_the_same_bytes(
    store: Database, worker: subprocess.Popen[bytes], undisturbed: Callable[[int], bytes]
):
    identity = queue(store, MANY)
    wait(store, identity, half_done)
    kill(children(worker))
    done = wait(store, identity, lambda job: not job.under_way)
    assert (done.status, done.attempts, done.done) == (Status.DONE, 2, MANY)
    assert made(store, identity) == undisturbed(MANY)


def test_a_job_that_is_cancelled_midway_makes_room_for_the_next_at_once(
    store: Database, worker: subprocess.Popen[bytes], undisturbed: Callable[[int], bytes]
):
    cancelled, following = queue(store, 20_000), queue(store, 10)
    wait(store, cancelled, half_done)
    jobs.cancel(store, ME, cancelled, 24)
    assert wait(store, following, lambda job: not job.under_way).status is Status.DONE
    assert made(store, following) == undisturbed(10)
    assert (seen(store, cancelled).status, leases.written(store, cancelled)) == (Status.CANCELLED, 0)


def test_a_job_that_kills_its_process_three_times_fails_with_the_cause(
    store: Database, worker: subprocess.Popen[bytes]
):
    identity = queue(store, 20_000)
    for attempt in (1, 2, 3):
        wait(store, identity, lambda job, number=attempt: job.attempts == number and job.status is Status.RUNNING)
        kill(until(lambda: children(worker), "no process works on the job"))
        wait(store, identity, lambda job, number=attempt: job.attempts != number or job.status is not Status.RUNNING)
    failed = wait(store, identity, lambda job: not job.under_way)
    assert (failed.status, failed.attempts) == (Status.FAILED, 3)
    assert "3 次意外中断" in str(failed.cause)


def test_a_worker_that_is_told_to_stop_gives_back_what_it_holds_and_another_goes_on(
    registry: Path, store: Database, worker: subprocess.Popen[bytes], undisturbed: Callable[[int], bytes]
):
    identity = queue(store, MANY)
    wait(store, identity, half_done)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    given_back = seen(store, identity)
    assert (given_back.status, given_back.attempts) == (Status.QUEUED, 0)
    assert given_back.done > 0
    with starting(registry, store) as start:
        other = start()
        done = wait(store, identity, lambda job: not job.under_way)
        (hand,) = children(other)
        other.kill()
        other.wait()
        until(lambda: not command_of(hand), "the process that works outlives its worker")
    assert (done.status, done.attempts) == (Status.DONE, 1)
    assert made(store, identity) == undisturbed(MANY)


def test_a_job_that_takes_too_long_is_stopped(registry: Path, store: Database, monkeypatch: pytest.MonkeyPatch):
    for name, value in environment(store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(foreman, "LONGEST", 1.0)
    identity = queue(store, 20_000)
    working = foreman.Foreman(store, registry, 24, threading.Event())
    assert working.perform(identity) is False
    working.close()
    assert (seen(store, identity).status, seen(store, identity).attempts) == (Status.FAILED, 1)
    assert "仍未完成" in str(seen(store, identity).cause)
    assert working.perform(identity) is False


def test_two_workers_at_one_store_take_each_job_once(
    registry: Path, database: Database, undisturbed: Callable[[int], bytes]
):
    queued = [queue(database, count) for count in (10, 700, 20, 30, 40, 50)]
    with starting(registry, database) as start:
        workers = [start(), start()]
        found = [wait(database, identity, lambda job: not job.under_way) for identity in queued]
        assert {(one.status, one.attempts) for one in found} == {(Status.DONE, 1)}
        assert [made(database, one.id) == undisturbed(one.total) for one in found] == [True] * 6
        assert all(children(worker) for worker in workers), "one of them had nothing to do"


def test_a_database_that_is_restarted_in_the_middle_of_a_job_loses_nothing(
    registry: Path, request: pytest.FixtureRequest, undisturbed: Callable[[int], bytes]
):
    server = request.getfixturevalue("postgres")
    database = Database(server.new(request.getfixturevalue("made")), SECRET)
    database.prepare()
    try:
        with starting(registry, database) as start:
            worker = start()
            identity = queue(database, MANY)
            wait(database, identity, half_done)
            server.restart("immediate")
            done = wait(database, identity, lambda job: not job.under_way)
            assert done.status is Status.DONE
            assert made(database, identity) == undisturbed(MANY)
            assert worker.poll() is None
            assert wait(database, queue(database, 5), lambda job: not job.under_way).status is Status.DONE
    finally:
        database.engine.dispose()
        server.drop(database.url)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own with few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "quebu-test", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # Whoever was killed may still be going.


def test_a_disk_that_runs_full_under_a_job_fails_it_with_the_cause_and_others_go_on(registry: Path, small_disk: Path):
    database = Database(f"sqlite:///{small_disk}/quebu.db", SECRET)
    database.prepare()
    identity = queue(database, 20_000, Limits(100))
    with starting(registry, database) as start:
        worker = start()
        failed = wait(database, identity, lambda job: not job.under_way)
        assert (failed.status, failed.cause) == (Status.FAILED, FULL)
        assert worker.poll() is None
        assert wait(database, queue(database, 5), lambda job: not job.under_way).status is Status.DONE
    database.engine.dispose()


def test_a_service_that_is_killed_with_all_its_processes_goes_on_when_it_is_started_again(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Callable[[int], bytes]
):
    store = Database(f"sqlite:///{tmp_path}/quebu.db", SECRET)
    store.prepare()
    for name, value in environment(store).items():
        monkeypatch.setenv(name, value)
    with serving(registry, port := free_port(), tmp_path / "log", "--worker") as process:
        answered(port, READY, 200)
        status, told = ask(port, "/api/v1/cohorts/recommendations?top=3", {"people": people(MANY)})
        assert status == 202
        wait(store, told["id"], half_done)
        os.killpg(process.pid, signal.SIGKILL)
    with serving(registry, port := free_port(), tmp_path / "log", "--worker") as process:
        answered(port, READY, 200)
        done = wait(store, told["id"], lambda job: not job.under_way)
        assert (done.status, done.attempts) == (Status.DONE, 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert made(store, told["id"]) == undisturbed(MANY)
    assert LACKS[0] not in (tmp_path / "log").read_text(encoding="utf-8")
    store.engine.dispose()


def test_a_worker_that_dies_is_replaced_and_none_outlives_its_service(tmp_path: Path):
    def working() -> set[int]:
        return {pid for pid in children(process) if b"service.jobs.consumer" in command_of(pid)}

    with serving(tmp_path / "none", port := free_port(), tmp_path / "log", "--worker", "--workers", "2") as process:
        answered(port, "/api/v1/health/live", 200)
        (first,) = until(working, "no worker")
        os.kill(first, signal.SIGKILL)
        (second,) = until(lambda: working() - {first}, "nobody has taken its place")
        assert ask(port, "/api/v1/health/live")[0] == 200
        process.kill()
        process.wait()
        until(lambda: not command_of(second), "the worker outlives its service")
    with serving(tmp_path / "none", port := free_port(), tmp_path / "log", "--worker", "--workers", "2") as process:
        answered(port, "/api/v1/health/live", 200)
        (third,) = until(working, "no worker")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not command_of(third)


def test_without_its_own_worker_a_service_starts_none(tmp_path: Path):
    with serving(tmp_path / "none", port := free_port(), tmp_path / "log", "--no-worker") as process:
        answered(port, "/api/v1/health/live", 200)
        time.sleep(1)
        assert children(process) == set()


def test_what_waits_for_jobs_does_not_load_what_only_working_needs() -> None:
    # It waits beside every service; scikit-learn would be memory that nobody shares.
    told = subprocess.run(
        [sys.executable, "-c", "import sys, service.jobs.consumer; print(sorted({'sklearn', 'scipy', 'apiflask'} & set(sys.modules)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "[]"
