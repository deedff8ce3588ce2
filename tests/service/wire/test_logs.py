"""What the service tells: one JSON object a line, and nothing that a caller wrote."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from apiflask import APIFlask
from click.testing import CliRunner
from flask.testing import FlaskClient

from model.errors import InputError
from service.cli import main
from service.wire.logs import Line, init_logs

ROOT = Path(__file__).parents[3]
NAME, TEXT, KEY = "钟离婉", "见了记者就腿软", "qb_7f3a9c_s3cr3tk3yv4lu3"
SECRETS = (NAME, TEXT, KEY, "工号77310", "110101199003077758", "云栖街道", "13800138000")


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """Everything that is told from here on, on any level, as it would stand in the log."""
    handler, root = logging.StreamHandler(StringIO()), logging.getLogger()
    handler.setFormatter(Line())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.stream
    root.removeHandler(handler)
    root.setLevel(level)


def told(lines: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def access(lines: StringIO) -> list[dict[str, Any]]:
    return [line for line in told(lines) if line["logger"] == "quebu.access"]


def test_a_request_is_one_line_of_known_members(client: FlaskClient, lines: StringIO):
    answer = client.get(f"/api/v1/courses/Q0001?model_version={NAME}", headers={"X-Request-ID": "hr-1"})
    (line,) = access(lines)
    assert set(line) == {
        "time", "level", "logger", "pid", "message", "method", "route", "status", "ms", "request_id", "who", "bytes",
    }  # fmt: skip
    assert (line["level"], line["message"], line["method"], line["status"]) == ("INFO", "request", "GET", 422)
    assert (line["route"], line["request_id"], line["who"]) == ("/api/v1/courses/<path:identity>", "hr-1", "local")
    assert line["bytes"] == len(answer.data)
    assert line["ms"] > 0
    assert line["pid"] == os.getpid()


def test_of_a_packed_batch_the_bytes_are_those_that_were_sent(client: FlaskClient, lines: StringIO):
    people = {"profiles": [{"id": str(number)} for number in range(40)]}
    path = "/api/v1/recommendations/batch"
    answer = client.post(path, json=people, headers={"Accept-Encoding": "gzip"}, buffered=True)
    (line,) = access(lines)
    assert (line["route"], line["status"], line["bytes"]) == (path, 200, len(answer.data))


PERSON = {
    "id": SECRETS[3], "name": NAME, "unit": SECRETS[5], "post": NAME, "duty": TEXT, "weaknesses": [{"text": TEXT}], "scores": {NAME: 40},
    "completed": [KEY], "restrictions": ["不能脱产"],
}  # fmt: skip
BODIES: list[Any] = [
    PERSON,
    {"profiles": [PERSON, PERSON, {**PERSON, "id": [NAME]}, NAME, {"id": KEY, "level": NAME}]},
    {"queries": [{"id": KEY, "text": TEXT}, {"id": NAME, "text": ""}]},
    {"people": [PERSON], "plan": {"hours": 8, "catalog_required": False, "must": [NAME]}},
    {"people": [{**PERSON, "level": NAME}], "plan": {"hours": NAME}},
    {"person": KEY, "course": NAME, "verdict": TEXT, "reason": TEXT, "name": NAME, "role": NAME},
    NAME,
    [TEXT],
    {**PERSON, "weaknesses": [{"text": TEXT, "severity": NAME, "kind": TEXT, "source": KEY}], "hours_done": TEXT},
]  # fmt: skip


def sent() -> Iterator[tuple[bytes, dict[str, str]]]:
    """Bodies full of telling words, good and faulty, in every form a body may have."""
    for body in BODIES:
        data = json.dumps(body, ensure_ascii=False).encode()
        yield data, {"Content-Type": "application/json"}
        yield data, {"Content-Type": "application/x-ndjson"}
    whole = json.dumps(PERSON, ensure_ascii=False).encode()
    yield whole[:-3], {"Content-Type": "application/json"}
    yield NAME.encode("gb18030"), {"Content-Type": "application/json"}
    yield whole, {"Content-Type": f"text/{KEY}"}
    yield whole, {"Content-Type": f'multipart/form-data; boundary="{KEY}"'}
    yield gzip.compress(whole), {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    yield gzip.compress(whole)[:-4], {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    yield whole, {"Content-Type": "application/json", "Content-Encoding": KEY}


def addresses(app: APIFlask) -> Iterator[tuple[str, str]]:
    """Every route with telling words for its parts, and addresses that are none."""
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for part in rule.arguments:
            path = path.replace(
                next(piece for piece in path.split("/") if piece.rstrip(">").endswith(part)), quote(NAME)
            )
        for method in sorted(rule.methods or ()):
            yield method, path
    yield from (("GET", f"/{quote(NAME)}"), ("POST", f"/api/v1/{KEY}"), ("DELETE", "/"), (KEY, "/api/v1/gaps"))


def test_nothing_that_was_sent_is_told_in_a_log_or_a_problem(app: APIFlask, lines: StringIO):
    client, problems, statuses = app.test_client(), [], set()
    for method, path in addresses(app):
        bodies = list(sent()) if method in {"POST", "PUT", "PATCH"} else [(b"", {})]
        for data, headers in bodies:
            for authorization in ({}, {"Authorization": f"Bearer {KEY}"})[: 2 if data in {b"", bodies[0][0]} else 1]:
                response = client.open(
                    path, method=method, data=data, query_string={"q": NAME, "model_version": KEY} if method == "GET" else {},
                    headers={**headers, **authorization, "X-Request-ID": NAME.encode().decode("latin-1"), "User-Agent": KEY, "Cookie": f"quebu_login={KEY}"},
                    buffered=True,
                )  # fmt: skip
                statuses.add(response.status_code)
                if response.content_type == "application/problem+json":
                    problems.append(response.get_data(as_text=True))
    assert {200, 400, 401, 404, 405, 413, 415, 422} - statuses <= {413}
    text = lines.getvalue()
    assert [secret for secret in SECRETS if secret in text] == []
    assert [secret for secret in SECRETS for problem in problems if secret in problem] == []
    # The words were there to be told: of every request there is a line.
    assert len(access(lines)) >= len(problems) > 100


def test_a_crash_is_told_by_kind_and_place(registry: Path, lines: StringIO):
    from service import create_app  # noqa: PLC0415

    app = create_app({"REGISTRY": str(registry), "LOCAL": True})

    @app.get("/crash")
    def crash() -> None:
        raise ValueError(TEXT)

    crash.allowed = (None, 0)  # type: ignore[attr-defined]
    assert app.test_client().get("/crash").status_code == 500
    assert TEXT not in lines.getvalue()
    assert any("ValueError" in line["message"] and "test_logs.py" in line["message"] for line in told(lines))


def test_of_what_a_library_says_nothing_is_told_that_was_put_into_it(lines: StringIO):
    foreign = logging.getLogger("waitress")
    foreign.warning("Exception while serving %s after %d of %s", f"/x?name={NAME}", 3, {"name": NAME})
    foreign.warning("%(who)s said it %(often).1f times", {"who": NAME, "often": 2})
    foreign.warning(f"Invalid request from {NAME}")
    foreign.error(ValueError(NAME))
    foreign.error("with %s", "more", extra={"person": NAME}, stack_info=True)
    try:
        raise KeyError(NAME)
    except KeyError:
        foreign.exception("Error handling request %s", f"/{NAME}")
        logging.getLogger("service.batch").exception("broke off")
    found = told(lines)
    assert [line["message"] for line in found] == [
        "Exception while serving … after 3 of …",
        "… said it 2.0 times",
        "",
        "",
        "with …",
        "Error handling request …",
        "broke off",
    ]
    assert NAME not in lines.getvalue()
    assert all("test_logs.py:" in line["at"] for line in found[:-1])
    assert all("KeyError at" in line["exc_info"] and "test_logs.py:" in line["exc_info"] for line in found[-2:])


def test_a_sentence_that_does_not_fit_what_is_put_into_it_is_told_as_it_is():
    record = logging.LogRecord("waitress", logging.ERROR, "x.py", 1, "100% sure of %s", (NAME,), None)
    assert json.loads(Line().format(record))["message"] == "100% sure of %s"


def test_a_record_stays_as_it_was_for_others():
    record = logging.LogRecord("waitress", logging.ERROR, "x.py", 1, "of %s", (NAME,), None)
    assert NAME not in Line().format(record)
    assert record.getMessage() == f"of {NAME}"


SPEAK = """
import logging, sys, threading, warnings
from service.wire.logs import init_logs

init_logs(sys.argv[1])
logging.getLogger("service.x").info("of ours")
logging.getLogger("service.x").debug("little")
logging.getLogger("alembic").info("of a library")
logging.getLogger("alembic").warning("worse")
warnings.warn(sys.argv[2])
thread = threading.Thread(target=lambda: [][len(sys.argv)])
thread.start()
thread.join()

class Careless:
    def __del__(self):
        raise ValueError(sys.argv[2])

Careless()
"""


@pytest.mark.parametrize(("level", "ours"), [("debug", ["of ours", "little"]), ("INFO", ["of ours"]), ("warning", [])])
def test_a_process_tells_everything_as_json_on_stderr(level: str, ours: list[str]):
    done = subprocess.run(
        [sys.executable, "-c", SPEAK, level, NAME], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert NAME not in done.stderr
    assert [line["message"] for line in lines if line["logger"] == "service.x"] == ours
    assert [line["level"] for line in lines if line["logger"] == "alembic"] == ["WARNING"]
    assert [line["message"] for line in lines if "Warning" in line["message"]] == ["UserWarning at <string>:10"]
    assert [line["exc_info"].split(" at ")[0] for line in lines if "exc_info" in line] == ["IndexError", "ValueError"]


@pytest.mark.parametrize("level", ["", "loud", "10", "warn"])
def test_another_word_than_a_level_is_refused_with_those_there_are(level: str):
    with pytest.raises(InputError, match=r"QUEBU_LOG_LEVEL.*debug.*error"):
        init_logs(level)


def test_what_gunicorn_tells_goes_the_same_way(tmp_path: Path):
    script = """
import logging
from gunicorn.config import Config
from service.wire.logs import gunicorn_logger, init_logs

init_logs("info")
config = Config()
config.set("logger_class", gunicorn_logger)
for _ in range(2):  # It is set up again when it is told to read its settings anew.
    logger = config.logger_class(config)
logger.warning("Worker (pid:%s) was sent %s", 12, "SIGKILL")
logger.error("Invalid request")
logger.info("Booting worker")
try:
    [][0]
except IndexError:
    logger.exception("Error handling request")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["logger"] for line in lines} == {"gunicorn.error"}
    assert [line["message"] for line in lines] == ["Worker (pid:12) was sent …", "", ""]
    # The place is that of who speaks, not that of gunicorn's own logger.
    assert [line["at"] for line in lines] == ["<string>:11", "<string>:12", "<string>:17"]
    assert lines[-1]["exc_info"] == "IndexError at <string>:15"


def test_commands_that_do_not_serve_tell_as_before():
    result = CliRunner().invoke(main, ["recommend", "--roster", "nowhere.xlsx"])
    assert result.exit_code != 0
    assert not result.stderr.startswith("{")
