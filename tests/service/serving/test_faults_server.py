"""Faults while ``quebu serve`` runs under load: killed processes, damaged versions, slow and idle clients, a clock that jumps."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from running import PERSON, READY, RECOMMEND, WAIT, answered, ask, children, copy_of, free_port, serving, until

from model.versions.registry import Registry

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
CLIENTS = 4
LIVE = "/api/v1/health/live"


class Service(NamedTuple):
    """One that runs: on two versions, of which v0001 is active."""

    port: int
    registry: Registry
    process: subprocess.Popen[bytes]
    log: Path

    def activate(self, version: str) -> None:
        """Without the checks that `quebu models activate` makes: a fault may come later."""
        draft = self.registry.folder / ".active"
        draft.write_text(f"{version}\n", encoding="utf-8")
        draft.replace(self.registry.folder / "active")

    def model_version(self) -> str:
        status, plan = ask(self.port, RECOMMEND, PERSON)
        assert status == 200
        return str(plan["model_version"])

    def processes(self) -> set[int]:
        """Those that answer."""
        return children(self.process) or {self.process.pid}

    def all_answer(self, version: str) -> None:
        """Wait until every process answers from this version, and has let go of the other."""
        if sys.platform == "linux":
            until(lambda: all(mapped(one) == {version} for one in self.processes()), f"not all take {version}")
        until(lambda: {self.model_version() for _ in range(10)} == {version}, f"not all answer from {version}")


def mapped(process: int) -> set[str]:
    """The versions a process has mapped (on Linux)."""
    return set(re.findall(r"/(v\d+)/model\.joblib", Path(f"/proc/{process}/maps").read_text()))


@contextmanager
def service(versions: Path, folder: Path, *options: str, program: tuple[str, ...] = ()) -> Iterator[Service]:
    registry, port, log = copy_of(versions, folder / "instance" / "registry"), free_port(), folder / "log"
    more: dict[str, Any] = {"program": program} if program else {}
    with serving(registry, port, log, *options, **more) as process:
        answered(port, READY, 200)
        yield Service(port, Registry(registry), process, log)
    # Nothing a person wrote is in the log, whatever happened.
    assert PERSON["weaknesses"][0]["text"] not in log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def two(versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two processes by gunicorn."""
    with service(versions, tmp_path_factory.mktemp("two"), "--workers", "2") as running:
        yield running


@pytest.fixture(scope="module")
def one(versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process by waitress."""
    with service(versions, tmp_path_factory.mktemp("one")) as running:
        yield running


@contextmanager
def load(port: int) -> Iterator[Counter[str]]:
    """Several clients that ask all the time, each request on a connection of its own; counted by what answered: a version, or a fault."""
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def go() -> None:
        while not stop.is_set():
            try:
                status, plan = ask(port, RECOMMEND, PERSON)
                seen[plan["model_version"] if status == 200 else f"status {status}"] += 1
            except (OSError, http.client.HTTPException) as error:
                seen[f"failed: {type(error).__name__}"] += 1
                # Not in a hurry: whoever asks a port that nobody listens on often enough is at last connected with itself.
                stop.wait(0.1)

    clients = [threading.Thread(target=go) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        until(lambda: seen.total() > CLIENTS, "nothing is answered")
        yield seen
    finally:
        stop.set()
        for client in clients:
            client.join(WAIT)


@pytest.mark.parametrize("which", ["one", "two"])
def test_a_swap_under_load_reaches_every_process_and_fails_no_request(which: str, request: pytest.FixtureRequest):
    running: Service = request.getfixturevalue(which)
    with load(running.port) as seen:
        for version in ("v0002", "v0001"):
            running.registry.activate(version)
            running.all_answer(version)
            assert ask(running.port, READY)[1]["model_version"] == version
    assert set(seen) == {"v0001", "v0002"}


@pytest.mark.parametrize("which", ["one", "two"])
@pytest.mark.parametrize("fault", ["cut short", "altered"])
def test_a_damaged_version_that_is_made_active_is_refused_with_its_cause_and_the_one_before_serves(
    fault: str, which: str, request: pytest.FixtureRequest
):
    running: Service = request.getfixturevalue(which)
    path = running.registry.folder / "v0002" / "model.joblib"
    whole, told = path.rename(path.with_suffix(".whole")), len(running.log.read_text(encoding="utf-8"))
    if fault == "cut short":
        path.write_bytes(whole.read_bytes()[:-1000])
    else:
        content = bytearray(whole.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    try:
        with load(running.port) as seen:
            running.activate("v0002")
            until(lambda: len(refusals(running.log, told)) == len(running.processes()), "not every process tells of it")
            ready = ask(running.port, READY)[1]
        assert set(seen) == {"v0001"}
        assert ready["model_version"] == "v0001"
        assert "v0002 的文件 model.joblib 与训练时不一致" in ready["trouble"]
        assert len(refusals(running.log, told)) == len(running.processes()), "each process tells it once"
    finally:
        whole.replace(path)
        running.activate("v0002")
        running.all_answer("v0002")
        running.activate("v0001")
        running.all_answer("v0001")


def refusals(log: Path, since: int) -> list[str]:
    """What the log has told of a file, from a place on."""
    return [line for line in log.read_text(encoding="utf-8")[since:].splitlines() if "model.joblib" in line]


@linux
def test_when_a_process_is_killed_in_the_middle_of_a_swap_only_what_it_had_in_hand_fails_and_another_takes_its_place(
    two: Service,
):
    before = children(two.process)
    assert len(before) == 2
    with load(two.port) as seen:
        two.activate("v0002")
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(children(two.process) - {min(before)}) == 2, "nobody takes its place")
        two.all_answer("v0002")
    failed = {what: count for what, count in seen.items() if what not in {"v0001", "v0002"}}
    assert all(what.startswith("failed") for what in failed), failed
    assert sum(failed.values()) <= CLIENTS, failed
    two.activate("v0001")
    two.all_answer("v0001")


@linux
def test_processes_map_the_same_version_and_have_no_copy_of_it(two: Service):
    two.all_answer("v0001")
    for process in two.processes():
        parts = Path(f"/proc/{process}/smaps").read_text().split("VmFlags")
        lines = [line for part in parts if "v0001/model.joblib" in part for line in part.splitlines()]
        kilobytes = {
            name: sum(int(line.split()[1]) for line in lines if line.startswith(name))
            for name in ("Rss:", "Anonymous:")
        }
        assert kilobytes["Rss:"] > 10_000
        assert kilobytes["Anonymous:"] == 0


def test_a_version_whose_folder_is_deleted_goes_on_serving(one: Service):
    kept = one.registry.folder.parent / "kept"
    assert one.model_version() == "v0001"
    shutil.copytree(one.registry.folder / "v0001", kept, copy_function=os.link)
    shutil.rmtree(one.registry.folder / "v0001")
    for text in ("没有见过的说法之一", "没有见过的说法之二"):
        status, plan = ask(one.port, RECOMMEND, {"id": "P1", "weaknesses": [{"text": text}]})
        assert (status, plan["model_version"]) == (200, "v0001")
    kept.rename(one.registry.folder / "v0001")


def test_clients_that_drip_stop_nobody_else(one: Service):
    head = f"POST {RECOMMEND} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    with ExitStack() as stack:
        # A hundred that never end their headers, a hundred that never end their body.
        drips = [(head, b"X-More: 1\r\n"), (head + b"Content-Length: 10000\r\n\r\n{", b" ")] * 100
        slow = [
            (stack.enter_context(socket.create_connection(("127.0.0.1", one.port))), begin, more)
            for begin, more in drips
        ]
        for client, begin, _ in slow:
            client.sendall(begin)
        for _ in range(3):
            for client, _, more in slow:
                client.sendall(more)
            for _ in range(5):
                assert one.model_version() == "v0001"
                assert ask(one.port, LIVE)[0] == 200


@linux
def test_ten_thousand_idle_connections_are_let_go_and_others_are_answered_all_the_while(one: Service):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = 2**20 if limits[1] == resource.RLIM_INFINITY else limits[1]
    # What the tests before have open is not known.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 12_000), limits[1]))
    wanted = min(10_000, hard - 2_000)
    files = Path(f"/proc/{one.process.pid}/fd")
    before = len(list(files.iterdir()))
    try:
        with ExitStack() as stack:
            idle = []
            for number in range(wanted):
                idle.append(stack.enter_context(socket.create_connection(("127.0.0.1", one.port), timeout=WAIT)))
                if number % 500 == 499:
                    assert ask(one.port, RECOMMEND, PERSON)[0] == 200
                    assert len(list(files.iterdir())) < before + 1300
            until(lambda: sum(map(let_go, idle)) >= wanted - 1100, "they are kept")
            assert ask(one.port, LIVE)[0] == 200
        assert ask(one.port, RECOMMEND, PERSON)[0] == 200
        until(lambda: len(list(files.iterdir())) < before + 20, "their files are kept open")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def let_go(client: socket.socket) -> bool:
    """Whether the other side has closed a connection; it has, in order, where nothing is to be read."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False


# Each time it is read the clock on the wall is a day later.
JUMPING = """
import itertools, sys, time
true, jumps = time.time, itertools.count(0, 86_400)
time.time = lambda: true() + next(jumps)
from service.cli import main
sys.argv[0] = "quebu"
main()
"""


def test_a_clock_that_jumps_cuts_nobody_off_and_hinders_no_swap(versions: Path, tmp_path: Path):
    with service(versions, tmp_path, program=("-c", JUMPING)) as running:
        with closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=WAIT)) as connection:
            connection.putrequest("POST", RECOMMEND)
            body = b'{"id": "P1", "weaknesses": []}'
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            with load(running.port) as seen:
                for part in (body[:10], body[10:20]):
                    connection.send(part)
                    time.sleep(1)  # What is due by the clock on the wall is done once a second.
                running.registry.activate("v0002")
                running.all_answer("v0002")
                connection.send(body[20:])
                assert connection.getresponse().status == 200
        assert set(seen) == {"v0001", "v0002"}
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(WAIT) == 0


def test_killed_right_after_an_activation_it_starts_again_with_the_version_activated(versions: Path, tmp_path: Path):
    with service(versions, tmp_path) as running:
        with load(running.port):
            running.activate("v0002")
            running.process.kill()
            running.process.wait(WAIT)
        with serving(running.registry.folder, running.port, tmp_path / "again"):
            assert answered(running.port, READY, 200)[1]["model_version"] == "v0002"
