from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service import create_app

ANSWERS = [
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/static/console.css"),
    ("GET", "/openapi.json"),
    ("GET", "/api/v1/metrics"),
    ("GET", "/api/v1/health/ready"),
    ("GET", "/api/v1/health/live"),
    ("GET", "/api/v1/models"),
    ("GET", "/api/v1/courses"),
    ("GET", "/api/v1/courses/Q0001"),
    ("GET", "/api/v1/courses/nowhere"),
    ("GET", "/api/v1/competencies"),
    ("GET", "/api/v1/posts"),
    ("POST", "/api/v1/recommendations"),
    ("POST", "/api/v1/recommendations/batch"),
    ("OPTIONS", "/api/v1/recommendations"),
    ("GET", "/nowhere"),
    ("DELETE", "/"),
]


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_answer_carries_the_security_headers(method: str, path: str, client: FlaskClient):
    headers = client.open(path, method=method, buffered=True).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert len(headers.getlist("Content-Security-Policy")) == 1


def test_answers_are_kept_by_nobody_but_the_style_sheet_and_what_a_tag_vouches_for(client: FlaskClient):
    kept = {
        path: response.headers["Cache-Control"]
        for method, path in ANSWERS
        if (response := client.open(path, method=method, buffered=True)).headers["Cache-Control"] != "no-store"
    }
    style = kept.pop("/static/console.css")
    tagged = ("/api/v1/courses", "/api/v1/courses/Q0001", "/api/v1/competencies", "/api/v1/posts")
    assert "no-store" not in style
    # Kept by the caller alone, and asked for again each time.
    assert kept == dict.fromkeys(tagged, "private, no-cache")


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_a_request_keeps_the_id_its_caller_gave_it(method: str, path: str, client: FlaskClient):
    response = client.open(path, method=method, headers={"X-Request-ID": "hr-7:2026.11_a"}, buffered=True)
    assert response.headers.getlist("X-Request-ID") == ["hr-7:2026.11_a"]
    if response.content_type == "application/problem+json":
        assert response.get_json()["request_id"] == "hr-7:2026.11_a"


@pytest.mark.parametrize(
    "given", [None, "", " ", "a b", "a\tb", "<script>", "x" * 101, "é", "１", "钟离婉".encode().decode("latin-1"), "a;b", '"a"', "a/b"]
)  # fmt: skip
def test_a_request_without_a_well_formed_id_gets_one_of_its_own(given: str | None, client: FlaskClient):
    headers = {} if given is None else {"X-Request-ID": given.encode().decode("latin-1")}
    first, second = (client.get("/api/v1/nowhere", headers=headers) for _ in range(2))
    for response in (first, second):
        assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])
        assert response.get_json()["request_id"] == response.headers["X-Request-ID"]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_the_id_of_a_request_that_crashed_is_found_in_the_log(registry: Path, caplog: pytest.LogCaptureFixture):
    app = create_app({"REGISTRY": str(registry), "LOCAL": True})

    @app.get("/crash")
    def crash() -> None:
        raise ValueError

    with caplog.at_level(logging.ERROR):
        response = app.test_client().get("/crash")
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in caplog.text
