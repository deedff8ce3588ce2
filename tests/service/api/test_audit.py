"""The audit log over HTTP, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask

from service.store import audit, keys
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role

AUDIT = "/api/v1/audit"


@pytest.fixture
def admin(database: Database) -> dict[str, str]:
    """The headers of an admin, whose key is the first of 30 rows."""
    key = keys.create(database, By("test"), "admin", Role.ADMIN, 1)
    for number in range(2, 31):
        with database.writing() as connection:
            audit.record(database, connection, By("test"), "thing.change", f"t{number}", number=number, text="改")
    return {"Authorization": f"Bearer {key}"}


def page(app: APIFlask, admin: dict[str, str], **query: Any) -> dict[str, Any]:
    response = app.test_client().get(AUDIT, query_string=query, headers=admin)
    assert response.status_code == 200
    return dict(response.get_json())


def test_a_row_is_told_whole(secured: APIFlask, admin: dict[str, str], database: Database):
    told = page(secured, admin, limit=30)["entries"]
    with database.reading() as connection:
        kept = audit.entries(connection, most=30)
    assert told == [done._asdict() for done in kept]
    assert told[1]["detail"] == {"number": 2, "text": "改"}


def test_the_pages_make_up_the_log_and_come_to_an_end_though_each_adds_a_row(secured: APIFlask, admin: dict[str, str]):
    found, cursor = [], 0
    while cursor is not None:
        told = page(secured, admin, cursor=cursor, limit=10)
        found += [row["id"] for row in told["entries"]]
        cursor = told["next"]
    assert found == list(range(1, 34))


def test_that_the_log_was_read_is_in_the_log(secured: APIFlask, admin: dict[str, str]):
    page(secured, admin, limit=10)
    last = page(secured, admin, cursor=30)["entries"][0]
    assert (last["action"], last["detail"]) == ("audit.export", {"after": 0, "rows": 10})
    assert last["actor"].startswith("key:")


def test_after_the_last_row_there_is_nothing(secured: APIFlask, admin: dict[str, str]):
    assert page(secured, admin, cursor=2**53) == {"entries": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [{"limit": 9}, {"limit": 1001}, {"limit": "x"}, {"cursor": -1}, {"cursor": 2**53 + 1}, {"cursor": "a"}, {"x": 1}],
)
def test_what_is_no_page_is_refused(secured: APIFlask, admin: dict[str, str], query: dict[str, Any]):
    response = secured.test_client().get(AUDIT, query_string=query, headers=admin)
    assert response.status_code == 422
    assert [error["field"] for error in response.get_json()["errors"]] == [f"query.{next(iter(query))}"]
