"""``quebu serve`` starts, answers, and ends as systemd or a terminal ends it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from running import PERSON, READY, RECOMMEND, WAIT, answered, ask, free_port, serving, until


def test_it_becomes_ready_answers_and_stops_when_told_to(registry: Path, tmp_path: Path):
    port, log = free_port(), tmp_path / "log"
    with serving(registry, port, log) as process:
        status, ready = answered(port, READY, 200)
        assert (status, ready["status"], ready["model_version"]) == (200, "ready", "v0001")
        status, plan = ask(port, RECOMMEND, {"id": "P1", "weaknesses": [{"text": "公文写作不规范"}]})
        assert status == 200
        assert plan["id"] == "P1"
        assert plan["recommendations"]
        assert ask(port, RECOMMEND, {"id": "李红梅", "weakness": "怕讲话"})[0] == 422
        # Who comes through a proxy is not at this machine: the server hides no header that tells so.
        assert ask(port, RECOMMEND, PERSON, {"X-Forwarded-For": "192.0.2.7"})[0] == 401
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
        answered(port, "/api/v1/health/live")
        until(lambda: "quebu train" in ask(port, READY)[1]["detail"], "it does not say what is missing")
        assert ask(port, READY)[0] == 503
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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_faulty_setting_is_told_once_in_a_sentence(workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUEBU_SECRET", "short")
    with serving(tmp_path / "registry", free_port(), tmp_path / "log", "--workers", workers) as process:
        assert process.wait(60) == 1
    told = (tmp_path / "log").read_text(encoding="utf-8")
    assert told.count("QUEBU_SECRET") == 1
    assert "Traceback" not in told


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGINT), ("2", signal.SIGINT), ("2", signal.SIGTERM)])
def test_when_it_is_stopped_what_is_under_way_ends_and_nothing_new_begins(
    workers: str, number: int, versions: Path, tmp_path: Path
):
    port, people = free_port(), [f"P{number}" for number in range(1000)]
    lines = [json.dumps(PERSON | {"id": person}) for person in people]
    with (
        serving(versions, port, tmp_path / "log", "--workers", workers) as process,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)) as connection,
    ):
        answered(port, READY, 200)
        kind = {"Content-Type": "application/x-ndjson"}
        with socket.create_connection(("127.0.0.1", port)):  # Somebody who rests is not waited for.
            connection.request("POST", f"{RECOMMEND}/batch", "\n".join(lines).encode(), kind)
            response = connection.getresponse()
            first = response.readline()
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # Ctrl+C reaches all processes of a command.
            else:
                process.send_signal(number)
            if workers == "1":  # Several processes stop to listen one after the other.
                until(lambda: refuses(port), "new connections are still taken")
            records = [json.loads(line) for line in [first, *response]]
            assert process.wait(WAIT) == 0
        assert [record["id"] for record in records] == people
        assert refuses(port)
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False
