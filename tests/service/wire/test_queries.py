"""What a route does not know is not passed over: whoever writes ?dry_run=true means it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from service.store import keys
from service.store.database import Database


@pytest.mark.parametrize("path", ["models", "competencies", "posts", "keys", "jobs/x", "overrides", "courses"])
def test_a_query_parameter_nobody_knows_is_refused_by_name(path: str, client: FlaskClient):
    response = client.get(
        f"/api/v1/{path}?stranger=1&limit=1" if path in {"overrides", "courses"} else f"/api/v1/{path}?stranger=1"
    )
    assert response.status_code == 422, response.get_data(as_text=True)
    assert "/query/stranger" in [one["pointer"] for one in response.get_json()["errors"]]


def test_who_asks_whether_it_lives_may_add_what_it_likes(client: FlaskClient):
    assert client.get("/api/v1/health/live?_=123").status_code == 200


def test_nothing_is_done_where_one_is_refused(caller: FlaskClient, own_store: Database):
    before = len(keys.listed(own_store))
    response = caller.post("/api/v1/keys?dry_run=true", json={"name": "人事系统", "role": "reader"})
    assert response.status_code == 422
    assert len(keys.listed(own_store)) == before
