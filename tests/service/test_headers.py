from __future__ import annotations

import pytest
from flask.testing import FlaskClient

ANSWERS = [
    ("GET", "/"),
    ("GET", "/static/quebu.css"),
    ("GET", "/openapi.json"),
    ("GET", "/api/v1/health/ready"),
    ("POST", "/api/v1/recommendations"),
    ("OPTIONS", "/api/v1/recommendations"),
    ("GET", "/nowhere"),
    ("DELETE", "/"),
]


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_answer_carries_the_security_headers(method: str, path: str, client: FlaskClient):
    headers = client.open(path, method=method, buffered=True).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert len(headers.getlist("Content-Security-Policy")) == 1


def test_answers_are_kept_by_nobody_but_the_style_sheet_may_be(client: FlaskClient):
    kept = {
        path
        for method, path in ANSWERS
        if client.open(path, method=method, buffered=True).headers["Cache-Control"] != "no-store"
    }
    assert kept == {"/static/quebu.css"}
