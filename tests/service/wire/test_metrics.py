"""What is counted is what was asked, by whichever process; and no label holds what a caller wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from running import free_port

from service import create_app
from service.engine import Engine
from service.wire.metrics import Metrics

METRICS = "/api/v1/metrics"
SECRET = "钟离婉-sk1a2b3c"
ROOT = Path(__file__).parents[3]

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


@pytest.fixture
def counted(versions: Path) -> FlaskClient:
    """An application that has counted nothing yet."""
    return create_app({"REGISTRY": str(versions), "TESTING": True, "LOCAL": True}).test_client()


def scrape(client: FlaskClient) -> Samples:
    response = client.get(METRICS)
    assert (response.status_code, response.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return samples(response.get_data(as_text=True))


def test_requests_are_counted_by_rule_method_and_status(counted: FlaskClient):
    for identity in ("Q0001", "Q0002", "nowhere"):
        counted.get(f"/api/v1/courses/{identity}")
    counted.post("/api/v1/gaps", json={})
    found, rule = scrape(counted), "/api/v1/courses/<path:identity>"
    assert value(found, "quebu_requests_total", route=rule, method="GET", status="200") == 2
    assert value(found, "quebu_requests_total", route=rule, method="GET", status="404") == 1
    assert value(found, "quebu_requests_total", route="/api/v1/gaps", method="POST", status="422") == 1
    assert value(found, "quebu_request_seconds_count", route=rule) == 3
    assert value(found, "quebu_request_seconds_bucket", route=rule, le="+Inf") == 3
    assert value(found, "quebu_request_seconds_sum", route=rule) > 0
    # A request is counted when it is answered.
    assert value(found, "quebu_requests_total", route=METRICS, method="GET", status="200") == 0
    assert value(scrape(counted), "quebu_requests_total", route=METRICS, method="GET", status="200") == 1


def test_no_label_holds_what_a_caller_wrote(counted: FlaskClient):
    for path in (
        f"/{SECRET}",
        f"/api/v1/{SECRET}",
        f"/api/v1/courses/{SECRET}",
        f"/api/v1/courses?q={SECRET}",
        f"/static/{SECRET}",
    ):
        counted.get(path)
    counted.open("/api/v1/gaps", method=SECRET.encode().decode("latin-1"))
    counted.post("/api/v1/recommendations", json={"id": SECRET, SECRET: SECRET}, headers={"X-Request-ID": "sk1a2b3c"})
    text = counted.get(METRICS).get_data(as_text=True)
    assert "钟离婉" not in text
    assert "sk1a2b3c" not in text.lower()
    found = samples(text)
    assert value(found, "quebu_requests_total", route="unknown", method="GET", status="404") == 2
    assert value(found, "quebu_requests_total", route="unknown", method="unknown", status="405") == 1


def test_profiles_and_gap_texts_are_counted_where_they_are_answered(counted: FlaskClient):
    person = {"id": "P1", "weaknesses": [{"text": "公文写作不规范"}, {"text": "怕讲话"}]}
    counted.post("/api/v1/gaps", json=person)
    counted.post("/api/v1/recommendations", json=person)
    counted.post("/api/v1/recommendations", json={"id": ""})
    batch = {"profiles": [person, {"id": "P2"}, {"id": 7}]}
    plans = counted.post("/api/v1/recommendations/batch", json=batch, buffered=True).get_json()["results"]
    assert ["error" in plan for plan in plans] == [False, False, True]
    counted.post("/api/v1/matches", json={"queries": [{"text": "怕讲话"}] * 3})
    found = scrape(counted)
    assert value(found, "quebu_profiles_total") == 4
    assert value(found, "quebu_gap_texts_total") == 2 + 2 + 2 + 3


def test_the_version_at_work_is_told(counted: FlaskClient):
    found = scrape(counted)
    assert value(found, "quebu_version_info", version="v0001") == 1
    assert value(found, "quebu_ready") == 1
    assert value(found, "quebu_courses") == counted.get("/api/v1/health/ready").get_json()["courses"]
    assert (value(found, "quebu_degraded"), value(found, "quebu_version_refused")) == (0, 0)


def test_jobs_are_told_by_their_status(counted: FlaskClient):
    before = value(scrape(counted), "quebu_jobs", status="queued")
    body = {"people": [{"id": "P1"}]}
    counted.post("/api/v1/cohorts/recommendations", json=body, headers={"Prefer": "respond-async"})
    assert value(scrape(counted), "quebu_jobs", status="queued") == before + 1
    assert value(scrape(counted), "quebu_jobs", status="failed") == 0


def test_without_a_version_the_rest_is_told(untrained: FlaskClient):
    found = scrape(untrained)
    assert value(found, "quebu_ready") == 0
    assert not [name for name, _ in found if name in {"quebu_version_info", "quebu_courses", "quebu_degraded"}]


def test_an_answer_without_an_encoder_and_a_version_that_is_refused_are_told(versions: Path, tmp_path: Path):
    (tmp_path / "v0001").symlink_to(versions / "v0001")
    (tmp_path / "active").write_text("v0001\n", encoding="utf-8")
    engine = Engine(tmp_path)
    metrics = Metrics(engine)
    engine.recommender().matcher.take([])
    (tmp_path / "v0009").mkdir()
    (tmp_path / "next").write_text("v0009\n", encoding="utf-8")
    (tmp_path / "next").replace(tmp_path / "active")
    engine.follow()
    found = samples(metrics.text().decode())
    assert value(found, "quebu_degraded") == 1
    assert value(found, "quebu_version_refused") == 1
    assert value(found, "quebu_version_info", version="v0001") == 1


def run(script: str, *given: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *given], cwd=ROOT, env=os.environ | more, capture_output=True, text=True, check=True
    )  # fmt: skip


TOGETHER = """
import os, sys
from pathlib import Path
import prometheus_client  # Even where it was imported before.
from service.engine import Engine
from service.wire.metrics import FOLDER, Metrics, counting_together

with counting_together():
    metrics, folder = Metrics(Engine(Path("nowhere"))), Path(os.environ[FOLDER])
    for people in (1, 2):
        if not os.fork():
            metrics.count(people)
            sys.exit()  # As a worker ends: this block is left in it as well.
        os.wait()
    metrics.count(4)
    assert folder.is_dir()
    print(metrics.text().decode())
assert not folder.exists()
assert FOLDER not in os.environ
"""


def test_processes_count_together_also_those_that_have_ended():
    assert value(samples(run(TOGETHER).stdout), "quebu_profiles_total") == 7


SERVE = """
import sys
from service import create_app
from service.wire.metrics import counting_together
from service.serving.workers import serve

with counting_together():
    config = {"REGISTRY": sys.argv[1], "LOCAL": True, "WORKERS": 2}
    serve(lambda: create_app(config), 2, "127.0.0.1", int(sys.argv[2]), lambda: None)
"""


def test_several_workers_tell_the_same(tmp_path: Path):
    port = free_port()
    create_app({"REGISTRY": str(tmp_path / "none")})  # The store is made by the parent, too.

    def ask(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return str(response.read().decode())

    command = [sys.executable, "-c", SERVE, str(tmp_path / "none"), str(port)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, cwd=ROOT, stderr=log) as server:
        try:
            end = time.monotonic() + 60
            while True:
                try:
                    ask("/api/v1/health/live")
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < end, (tmp_path / "log").read_text()
                    time.sleep(0.1)
            for _ in range(30):
                ask("/api/v1/health/live")
            told = [samples(ask(METRICS)) for _ in range(10)]
        finally:
            server.terminate()
            assert server.wait(30) == 0
    live = {"route": "/api/v1/health/live", "method": "GET", "status": "200"}
    assert {value(found, "quebu_requests_total", **live) for found in told} == {31}
    own = [value(found, "quebu_requests_total", route=METRICS, method="GET", status="200") for found in told]
    assert own == list(range(10))


def test_the_route_is_documented_as_text(app: APIFlask):
    operation = app.test_client().get("/openapi.json").get_json()["paths"][METRICS]["get"]
    assert operation["operationId"] == "metrics"
    assert operation["responses"]["200"]["content"] == {
        "text/plain": {"schema": {"type": "string", "format": "prometheus"}}
    }
