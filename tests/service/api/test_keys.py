"""Keys over HTTP: what `quebu keys` does, for admins."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from service.store import audit, keys
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Principal, Role
from service.store.tables import metadata

KEYS = "/api/v1/keys"
ASKED = {"name": "人事系统", "role": "planner", "days": 30}


@pytest.fixture
def admin(database: Database) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(database, By('test'), 'admin', Role.ADMIN, 1)}"}


def made(app: APIFlask, admin: dict[str, str], **headers: str) -> dict[str, Any]:
    response = app.test_client().post(KEYS, json=ASKED, headers=admin | headers)
    assert response.status_code == 201
    return dict(response.get_json())


def test_a_key_is_shown_when_it_is_made_and_never_again(secured: APIFlask, admin: dict[str, str], database: Database):
    told = made(secured, admin)
    key = told.pop("key")
    assert keys.find(database, key) == Principal(f"key:{told['id']}", Role.PLANNER)
    assert (told["name"], told["role"], told["revoked_at"]) == ("人事系统", "planner", None)
    assert told["created_by"].startswith("key:")
    listed = secured.test_client().get(KEYS, headers=admin)
    assert listed.get_json()["keys"][-1] == told
    assert key not in listed.get_data(as_text=True)


def test_a_key_lasts_a_year_where_nothing_else_is_said(secured: APIFlask, admin: dict[str, str]):
    body = {name: ASKED[name] for name in ("name", "role")}
    told = secured.test_client().post(KEYS, json=body, headers=admin).get_json()
    assert int(told["expires_at"][:4]) - int(told["created_at"][:4]) == 1


def test_a_key_works_until_it_is_revoked_and_revoking_twice_is_no_fault(secured: APIFlask, admin: dict[str, str]):
    told, client = made(secured, admin), secured.test_client()
    holder = {"Authorization": f"Bearer {told['key']}"}
    assert client.get("/api/v1/models", headers=holder).status_code == 200
    for _ in range(2):
        assert client.delete(f"{KEYS}/{told['id']}", headers=admin).status_code == 204
        assert client.get("/api/v1/models", headers=holder).status_code == 401


@pytest.mark.parametrize("identity", ["00000000", "x", "a%20b", "%00", "%E7%94%B2"])
def test_a_key_that_there_is_not_cannot_be_revoked(secured: APIFlask, admin: dict[str, str], identity: str):
    response = secured.test_client().delete(f"{KEYS}/{identity}", headers=admin)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"role": "boss"}, "role"),
        ({"role": None}, "role"),
        ({"days": 0}, "days"),
        ({"days": 3651}, "days"),
        ({"days": "7"}, "days"),
        ({"key": "mine"}, "key"),
    ],
)
def test_what_cannot_be_a_key_is_refused_by_field(
    secured: APIFlask, admin: dict[str, str], change: dict[str, Any], field: str
):
    response = secured.test_client().post(KEYS, json=ASKED | change, headers=admin)
    assert response.status_code == 422
    assert [error["field"] for error in response.get_json()["errors"]] == [field]


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "\u202e"])
def test_a_name_that_cannot_be_shown_is_refused(secured: APIFlask, admin: dict[str, str], name: str):
    assert secured.test_client().post(KEYS, json=ASKED | {"name": name}, headers=admin).status_code == 422


def test_a_repeated_request_makes_another_key_for_an_answer_kept_would_hold_the_first(
    secured: APIFlask, admin: dict[str, str], database: Database
):
    first, second = (made(secured, admin, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert first["key"] != second["key"]
    with database.reading() as connection:
        held = repr(
            [connection.execute(select(table)).all() for table in metadata.sorted_tables if table.name != "api_key"]
        )
    assert "once" not in held


def test_the_log_tells_who_gave_out_and_who_revoked_which_key(
    secured: APIFlask, admin: dict[str, str], database: Database
):
    told = made(secured, admin, **{"X-Request-ID": "hr-7"})
    secured.test_client().delete(f"{KEYS}/{told['id']}", headers=admin)
    with database.reading() as connection:
        _, created, revoked = audit.every(connection)
    assert (created.action, created.object, created.request_id) == ("key.create", told["id"], "hr-7")
    assert (revoked.action, revoked.object) == ("key.revoke", told["id"])
    assert created.actor == revoked.actor == told["created_by"]
    assert created.address == "127.0.0.1"
