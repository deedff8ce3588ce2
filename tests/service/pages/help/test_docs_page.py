"""The page with the OpenAPI document: all of it comes from this service, unchanged files, and no script stands within the page."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.service.pages.test_landing import Page

ROOT = Path(__file__).parents[4]


def page_of(client: FlaskClient) -> Page:
    response = client.get("/docs")
    assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
    return Page(response.get_data(as_text=True))


def test_a_wheel_carries_every_file_of_the_pages():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    files = [path for folder in ("static", "templates") for path in (ROOT / "service" / folder).rglob("*")]
    for path in files:
        told = path.relative_to(ROOT / "service").as_posix()
        # Setuptools' star, unlike that of fnmatch, stops at a slash.
        assert path.is_dir() or any(
            fnmatch(told, pattern) and told.count("/") == pattern.count("/")
            for pattern in patterns["package-data"]["service"]
        ), told


def test_the_page_runs_and_shows_only_what_this_service_has(client: FlaskClient):
    page = page_of(client)
    assert [script["src"] for script in page.all("script")] == [
        "/static/swagger-ui/swagger-ui-bundle.js",
        "/static/docs.js",
    ]
    assert {link["href"] for link in page.all("link") if link["rel"] == "stylesheet"} == {
        "/static/swagger-ui/swagger-ui.css", "/static/docs.css",
    }  # fmt: skip
    assert not {tag for tag, _ in page.elements} & {"style", "iframe", "object", "base", "form"}
    assert not [name for _, found in page.elements for name in found if name == "style" or name.startswith("on")]
    for path in [script["src"] for script in page.all("script")] + [link["href"] for link in page.all("link")]:
        assert path == "data:," or client.get(str(path), buffered=True).status_code == 200
    assert "//" not in (ROOT / "service" / "static" / "docs.css").read_text(encoding="utf-8")


def test_the_page_shows_the_document_of_this_service_and_sends_it_nowhere(client: FlaskClient):
    (place,) = [found for _, found in page_of(client).elements if found.get("id") == "docs"]
    assert place["data-document"] == "/openapi.json"
    script = (ROOT / "service" / "static" / "docs.js").read_text(encoding="utf-8")
    assert "validatorUrl: null" in script
    assert "http" not in script


def test_the_policy_lets_the_page_run_its_own_scripts_alone(client: FlaskClient):
    policy = dict(part.split(" ", 1) for part in client.get("/docs").headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    # The sheet draws its small pictures itself.
    assert policy["img-src"] == "'self' data:"


@pytest.mark.parametrize("path", ["/docs", "/static/docs.js", "/static/docs.css"])
def test_the_page_is_shown_to_everybody(path: str, client: FlaskClient):
    answer = client.get(path, headers={"X-Forwarded-For": "203.0.113.9"}, buffered=True)
    assert answer.status_code == 200


def test_the_page_is_chinese_and_leads_back(client: FlaskClient):
    page = page_of(client)
    assert page.all("html") == [{"lang": "zh-CN"}]
    assert "接口说明" in page.text
    assert {"/", "/openapi.json"} == {str(link["href"]) for link in page.all("a")}
    assert "/docs" in [link["href"] for link in Page(client.get("/").get_data(as_text=True)).all("a")]


@pytest.mark.parametrize("path", ["/docs/", "/docs/x", "/static/swagger-ui/", "/static/swagger-ui/index.html"])
def test_what_is_not_there_is_a_problem(path: str, client: FlaskClient):
    assert client.get(path, buffered=True).content_type == "application/problem+json"
