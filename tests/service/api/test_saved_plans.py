"""Plans that are kept: the analysis apart from whom it is about."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service import create_app
from service.store import audit, keys, plans
from service.store.audit import By
from service.store.database import Database, now
from service.store.roles import Role
from service.store.tables import metadata, person, saved_plan

PEOPLE = [
    {"id": "工号-4711", "unit": "青溪镇", "level": "乡科级正职", "weaknesses": [{"text": "不会写公文"}]},
    {"id": "工号-4712", "unit": "青溪镇", "level": "乡科级副职", "weaknesses": [{"text": "一上台讲话就紧张"}]},
]
NAMES = [{"id": "工号-4711", "name": "欧阳丹青"}]


@pytest.fixture(scope="module")
def home(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = tmp_path_factory.mktemp("store") / "quebu.db"
    config = {"REGISTRY": str(registry), "DATABASE_URL": f"sqlite:///{store}", "TESTING": True, "LOCAL": True}
    return create_app(config)


@pytest.fixture
def client(home: Any) -> FlaskClient:
    return home.test_client()


@pytest.fixture
def store(home: Any) -> Database:
    return home.extensions["quebu.store"]


@pytest.fixture(scope="module")
def plan(home: Any) -> dict[str, Any]:
    """A menu, whose sessions name who attends."""
    answer = home.test_client().post(
        "/api/v1/cohorts/plan", json={"people": PEOPLE, "plan": {"hours": 8, "menu": True}}
    )
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


@pytest.fixture
def saved(client: FlaskClient, plan: dict[str, Any]) -> str:
    answer = client.post("/api/v1/plans", json={"title": "秋季班", "plan": plan, "names": NAMES})
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


def everything(store: Database, besides: str) -> str:
    """All that the store holds outside one table, contents of pieces read."""
    found = []
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            if table.name not in {besides, "piece"}:
                found += [str(row) for row in connection.execute(select(table))]
    return "\n".join(found)


def test_a_saved_plan_comes_back_as_it_was(client: FlaskClient, plan: dict[str, Any], saved: str):
    opened = client.get(f"/api/v1/plans/{saved}").json
    assert opened["plan"] == plan
    assert opened["names"] == NAMES
    assert (opened["title"], opened["people"], opened["owner"]) == ("秋季班", 2, "local")


def test_the_analysis_names_nobody(store: Database, saved: str):
    analysis = b"".join(plans.pieces.read(store, f"plan:{saved}")).decode()
    assert "4711" not in analysis
    assert "4711" not in everything(store, "person")
    assert "欧阳" not in everything(store, "person") + analysis
    assert "不会写公文" in analysis


def test_with_one_call_who_it_is_about_is_forgotten_and_the_analysis_stays(
    client: FlaskClient, store: Database, plan: dict[str, Any], saved: str
):
    assert client.delete(f"/api/v1/plans/{saved}/names").json == {"people": 2}
    opened = client.get(f"/api/v1/plans/{saved}").json
    assert opened["names"] == []
    assert "4711" not in json.dumps(opened)
    assert len(opened["plan"]["closed"]) == len(plan["closed"])
    assert {one["id"][:2] for one in opened["plan"]["people"]} == {"p_"}
    with store.reading() as connection:
        assert not connection.execute(select(person).where(person.c.plan == saved)).all()


def test_with_one_call_a_person_is_forgotten_in_every_plan(client: FlaskClient, plan: dict[str, Any], saved: str):
    again = client.post("/api/v1/plans", json={"title": "再存一份", "plan": plan}).json["id"]
    erased = client.post("/api/v1/erasures", json={"person": "工号-4711"}).json
    assert erased["plans"] >= 2
    for identity in (saved, again):
        opened = json.dumps(client.get(f"/api/v1/plans/{identity}").json, ensure_ascii=False)
        assert "4711" not in opened
        assert "4712" in opened


def test_a_person_has_one_pseudonym_in_every_plan_that_nobody_can_make_without_the_secret(
    client: FlaskClient, store: Database, plan: dict[str, Any], saved: str, tmp_path: Path
):
    again = client.post("/api/v1/plans", json={"title": "又一份", "plan": plan}).json["id"]
    with store.reading() as connection:
        names = [
            set(connection.scalars(select(person.c.pseudonym).where(person.c.plan == one))) for one in (saved, again)
        ]
    assert names[0] == names[1]
    stranger = Database(f"sqlite:///{tmp_path}/x.db", "another secret" * 4)
    assert plans.people.pseudonym(stranger, "工号-4711") not in names[0]


def test_a_saved_plan_is_what_the_next_one_is_compared_with(client: FlaskClient, saved: str):
    before = client.get(f"/api/v1/plans/{saved}").json["plan"]
    body = {"people": PEOPLE, "plan": {"hours": 8, "menu": True}, "previous": before}
    assert client.post("/api/v1/cohorts/plan", json=body).json["comparison"]["same_inputs"] is True


def test_after_its_time_a_plan_is_forgotten_with_everything_of_it(client: FlaskClient, store: Database, saved: str):
    with store.writing() as connection:
        connection.execute(
            update(saved_plan).where(saved_plan.c.id == saved).values(expires_at=now() - timedelta(seconds=1))
        )
    assert client.get(f"/api/v1/plans/{saved}").status_code == 404
    assert plans.expire(store) == 1
    with store.reading() as connection:
        assert plans.pieces.count(connection, f"plan:{saved}") == 0
        assert not connection.execute(select(person).where(person.c.plan == saved)).all()


def test_a_deleted_plan_is_gone(client: FlaskClient, store: Database, saved: str):
    assert client.delete(f"/api/v1/plans/{saved}").status_code == 204
    assert client.get(f"/api/v1/plans/{saved}").status_code == 404
    assert client.delete(f"/api/v1/plans/{saved}").status_code == 404
    assert client.delete(f"/api/v1/plans/{saved}/names").status_code == 404
    assert saved not in [one["id"] for one in client.get("/api/v1/plans").json["plans"]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"plan": {"kind": "class"}}, "/plan/objective"),
        ({"plan": None}, "/plan"),
        ({"title": ""}, "/title"),
        ({"names": [{"id": "工号-9", "name": "某某"}]}, "/names"),
        ({"names": [{"id": "工号-4711", "name": ""}]}, "/names/0/name"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    client: FlaskClient, plan: dict[str, Any], change: dict[str, Any], pointer: str
):
    answer = client.post("/api/v1/plans", json={"title": "班", "plan": plan, **change})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json["errors"]]
    assert "某某" not in answer.text


def test_nothing_is_kept_beside_the_members_of_a_plan(client: FlaskClient, plan: dict[str, Any]):
    answer = client.post("/api/v1/plans", json={"title": "班", "plan": {**plan, "phones": ["13800000000"]}})
    assert answer.status_code == 422


def test_what_is_done_with_a_plan_stands_in_the_audit_log(client: FlaskClient, store: Database, saved: str):
    client.get(f"/api/v1/plans/{saved}")
    client.delete(f"/api/v1/plans/{saved}/names")
    client.delete(f"/api/v1/plans/{saved}")
    with store.reading() as connection:
        done = [one for one in audit.entries(connection) if one.object == saved]
    assert [one.action for one in done] == ["plan.save", "plan.read", "plan.erase_names", "plan.delete"]
    assert {one.actor for one in done} == {"local"}
    assert "4711" not in str(done)


def test_a_planner_sees_the_own_plans_and_an_admin_all(registry: Path, plan: dict[str, Any], tmp_path: Path):
    app = create_app({"REGISTRY": str(registry), "DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db", "TESTING": True})
    database = app.extensions["quebu.store"]
    one, other, admin = (
        {"Authorization": f"Bearer {keys.create(database, By('test'), 'k', role, 1)}"}
        for role in (Role.PLANNER, Role.PLANNER, Role.ADMIN)
    )
    client = app.test_client()
    mine = client.post("/api/v1/plans", json={"title": "班", "plan": plan}, headers=one).json["id"]
    assert client.get(f"/api/v1/plans/{mine}", headers=other).status_code == 404
    assert client.delete(f"/api/v1/plans/{mine}", headers=other).status_code == 404
    assert client.get("/api/v1/plans", headers=other).json == {"plans": []}
    assert [one["id"] for one in client.get("/api/v1/plans", headers=admin).json["plans"]] == [mine]
    assert client.get(f"/api/v1/plans/{mine}", headers=one).status_code == 200
