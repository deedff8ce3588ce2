"""``quebu serve`` as it runs: a process of its own, a port of its own, without a jobs worker beside it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WAIT = 90.0
READY = "/api/v1/health/ready"
RECOMMEND = "/api/v1/recommendations"
PERSON = {"id": "P1", "weaknesses": [{"text": "公文写作不规范"}]}
SERVE = ("-m", "service.cli")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    data = json.dumps(body).encode() if body is not None else None
    told = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, told)
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait for something to be true; the answer is what it was."""
    end = time.monotonic() + WAIT
    while not (found := true()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def answered(port: int, path: str, status: int | None = None) -> tuple[int, Any]:
    """The first answer of a service that is starting, or the first with this status."""

    def tried() -> tuple[int, Any] | None:
        try:
            found = ask(port, path)
        except (urllib.error.URLError, ConnectionError):
            return None
        return found if status in {None, found[0]} else None

    found: tuple[int, Any] = until(tried, "the service did not start")
    return found


@contextmanager
def serving(
    registry: Path, port: int, log: Path, *options: str, program: tuple[str, ...] = SERVE, worker: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A service that is starting; killed in the end, with all its processes, if it still runs."""
    command = [
        sys.executable,
        *program,
        "serve",
        "--port",
        str(port),
        "--registry",
        str(registry),
        *(() if worker else ("--no-worker",)),
        *options,
    ]
    # A group of its own, as a command has that somebody typed.
    with log.open("ab") as file, subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)


def copy_of(registry: Path, to: Path) -> Path:
    """The same versions in a folder of their own. The files are linked: whoever wants to change one has to put another in its place."""
    shutil.copytree(registry, to, copy_function=os.link)
    (to / "active").unlink()
    (to / "active").write_text((registry / "active").read_text())
    return to


def children(process: subprocess.Popen[bytes]) -> set[int]:
    """The processes a process has started (on Linux)."""
    lists = Path(f"/proc/{process.pid}/task").glob("*/children")
    return {int(child) for children in lists for child in children.read_text().split()}
