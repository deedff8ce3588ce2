from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service import create_app


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(client: FlaskClient) -> Page:
    response = client.get("/")
    assert response.status_code == 200
    return Page(response.get_data(as_text=True))


def test_a_ready_service_tells_its_version_and_what_to_do_next(client: FlaskClient):
    text = page_of(client).text
    assert "服务已就绪" in text
    assert all(
        word in text
        for word in ("v0001", "2026-01-01", "courses.csv", "门", "make demo", "quebu train", "quebu recommend")
    )
    assert f"{client.get('/api/v1/health/ready').get_json()['courses']} 门" in text


def test_a_service_without_a_version_tells_how_to_train_one(untrained: FlaskClient):
    text = page_of(untrained).text
    assert "服务还不能推荐课程" in text
    assert "quebu train --courses training_data/courses.csv --activate" in text
    assert "服务已就绪" not in text


def test_the_page_loads_nothing_that_its_policy_forbids(client: FlaskClient, untrained: FlaskClient):
    for page in (page_of(client), page_of(untrained)):
        assert not {tag for tag, _ in page.elements} & {"style", "img", "iframe", "object", "base"}
        assert all(str(script.get("src")).startswith("/static/") for script in page.all("script"))
        assert all(str(form["action"]).startswith("/") for form in page.all("form"))
        assert not [
            name for _, attributes in page.elements for name in attributes if name == "style" or name.startswith("on")
        ]
        sheets = [link["href"] for link in page.all("link") if link["rel"] == "stylesheet"]
        assert sheets == ["/static/bootstrap/bootstrap.min.css", "/static/console.css", "/static/unscripted.css"]


def test_every_link_of_the_page_leads_somewhere_on_this_service(client: FlaskClient):
    page = page_of(client)
    links = [str(one["href"]) for tag in ("a", "link") for one in page.all(tag)]
    assert links
    for link in set(links) - {"#content", "data:,"}:
        assert link.startswith("/")
        assert client.get(link, buffered=True).status_code == 200


def test_the_style_sheet_loads_nothing_either(client: FlaskClient):
    response = client.get("/static/console.css", buffered=True)
    assert response.content_type.startswith("text/css")
    assert "url(" not in response.get_data(as_text=True)
    assert "@import" not in response.get_data(as_text=True)


def test_the_page_says_its_language_and_fits_a_narrow_screen(client: FlaskClient):
    page = page_of(client)
    assert page.all("html") == [{"lang": "zh-CN"}]
    assert "width=device-width" in str(page.all("meta"))
    assert [tag for tag, _ in page.elements if tag == "h1"] == ["h1"]


def test_the_request_shown_on_the_page_is_answered(client: FlaskClient):
    command = page_of(client).text.split("curl -X POST ")[1]
    body = command.split("-d '")[1].split("'")[0]
    assert command.startswith("http://localhost/api/v1/recommendations ")
    assert client.post("/api/v1/recommendations", json=json.loads(body)).status_code == 200


def test_a_hostile_host_header_stays_text(client: FlaskClient):
    html = client.get("/", headers={"Host": 'x"><script>alert(1)</script>'}).get_data(as_text=True)
    assert "<script>" not in html


@pytest.mark.parametrize("dropped", ["created", "source"])
def test_a_card_that_tells_less_still_makes_a_page(dropped: str, tmp_path: Path, registry: Path):
    (tmp_path / "v0001").mkdir()
    for original in (registry / "v0001").iterdir():
        (tmp_path / "v0001" / original.name).symlink_to(original)
    card = json.loads((registry / "v0001" / "card.json").read_text(encoding="utf-8"))
    del card[dropped]
    (tmp_path / "v0001" / "card.json").unlink()
    (tmp_path / "v0001" / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (tmp_path / "active").write_text("v0001\n", encoding="utf-8")
    assert "不详" in page_of(create_app({"REGISTRY": str(tmp_path), "TESTING": True, "LOCAL": True}).test_client()).text
