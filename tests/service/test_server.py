"""``quebu serve`` as it runs: a process of its own, a port of its own, ended as systemd ends it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WAIT = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def answered(port: int, path: str) -> tuple[int, Any]:
    """The first answer of a service that is starting."""
    end = time.monotonic() + WAIT
    while True:
        try:
            return ask(port, path)
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, "the service did not start"
            time.sleep(0.1)


@contextmanager
def serving(registry: Path, port: int, log: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port), "--registry", str(registry), *options]
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_it_becomes_ready_answers_and_stops_when_told_to(registry: Path, tmp_path: Path):
    port, log = free_port(), tmp_path / "log"
    with serving(registry, port, log) as process:
        status, ready = answered(port, "/api/v1/health/ready")
        assert (status, ready["status"], ready["model_version"]) == (200, "ready", "v0001")
        status, plan = ask(port, "/api/v1/recommendations", {"id": "P1", "weaknesses": [{"text": "公文写作不规范"}]})
        assert status == 200
        assert plan["id"] == "P1"
        assert plan["recommendations"]
        assert ask(port, "/api/v1/recommendations", {"id": "李红梅", "weakness": "怕讲话"})[0] == 422
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    told = log.read_text(encoding="utf-8")
    assert f"http://127.0.0.1:{port}/" in told
    assert "李红梅" not in told
    assert "公文写作" not in told
    assert "Traceback" not in told


def test_without_a_version_it_runs_and_says_what_is_missing(tmp_path: Path):
    port = free_port()
    with serving(tmp_path / "none", port, tmp_path / "log", "--workers", "2") as process:
        status, problem = answered(port, "/api/v1/health/ready")
        assert (status, problem["status"]) == (503, 503)
        assert "quebu train" in problem["detail"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_port_that_is_taken_is_told_at_once(tmp_path: Path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        with serving(tmp_path, port, tmp_path / "log") as process:
            assert process.wait(30) == 1
    told = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"127.0.0.1:{port}" in told
    assert "--port" in told
    assert "Traceback" not in told
