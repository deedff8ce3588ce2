"""Plans that are kept: the analysis apart from whom it is about."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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


ROSTER = """工号,姓名,单位及职务,短板,公文写作,调查研究
G001,欧阳建国,某局 科长,调查研究,95,40
G002,司马秀兰,某局 科长,公文写作,40,95
G003,诸葛明亮,某局 科长,应急处突；舆情应对；数字化能力；群众工作,,
G004,,某局 科长,公文写作,95,
"""
CALLED = {"G001": "欧阳建国", "G002": "司马秀兰", "G003": "诸葛明亮"}
KINDS: dict[str, dict[str, Any]] = {
    "class": {},
    "classes": {"classes": 2},
    "menu": {"menu": True},
    "people": {"pairs": "people"},
    "units": {"pairs": "units"},
}


def planned(client: FlaskClient, previous: dict[str, Any] | None = None, **asked: Any) -> dict[str, Any]:
    """The plan for an uploaded roster of four, one of them without a name."""
    form = {
        "roster": (io.BytesIO(ROSTER.encode()), "roster.csv"),
        "plan": json.dumps({"hours": 3, "catalog_required": False, **asked}),
        **({"previous": json.dumps(previous)} if previous else {}),
    }
    answer = client.post("/api/v1/cohorts/plan", data=form, content_type="multipart/form-data")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def kept(client: FlaskClient, plan: dict[str, Any], named: dict[str, str]) -> str:
    names = [{"id": identity, "name": name} for identity, name in named.items()]
    answer = client.post("/api/v1/plans", json={"title": "班", "plan": plan, "names": names})
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_plan_of_any_kind_names_anybody_where_it_is_stored(client: FlaskClient, store: Database, kind: str):
    plan = planned(client, **KINDS[kind])
    again = planned(client, plan, **KINDS[kind])
    assert again["missed"]
    for one in (plan, again):
        identity = kept(client, one, CALLED)
        analysis = b"".join(plans.pieces.read(store, f"plan:{identity}")).decode()
        assert client.get(f"/api/v1/plans/{identity}").json["plan"] == one
        client.delete(f"/api/v1/plans/{identity}/names")
        told = client.get(f"/api/v1/plans/{identity}").text
        for word in (*CALLED, *CALLED.values(), "G004"):
            assert word not in analysis
            assert word not in told
            assert word not in everything(store, "person")


def test_a_sentence_about_a_pair_names_each_as_long_as_the_name_is_kept(client: FlaskClient):
    plan = planned(client, pairs="people")
    sides = {one: CALLED.get(one, one) for one in (plan["pairs"][0]["first"], plan["pairs"][0]["second"])}
    assert all(name in json.dumps(plan["pairs"], ensure_ascii=False) for name in sides.values())
    identity = kept(client, plan, {"G002": CALLED["G002"]})

    def pairs() -> str:
        return json.dumps(client.get(f"/api/v1/plans/{identity}").json["plan"]["pairs"], ensure_ascii=False)

    assert "G002" in sides
    assert CALLED["G002"] in pairs()
    assert CALLED["G001"] not in pairs(), "nobody asked for this name to be kept"
    client.post("/api/v1/erasures", json={"person": "G002"})
    assert CALLED["G002"] not in pairs()
    assert "G002" not in pairs()
    assert "p_" in pairs()
    (other,) = set(sides) - {"G002"}
    assert other in pairs()


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


def test_what_may_still_hold_a_person_and_passes_by_itself_is_told_with_the_time(client: FlaskClient, store: Database):
    nothing = client.post("/api/v1/erasures", json={"person": "无此人"}).json
    body, key = {"id": "工号-4711", "weaknesses": [{"text": "写材料慢"}]}, {"Idempotency-Key": "erased-later"}
    assert client.post("/api/v1/recommendations", json=body, headers=key).status_code == 200
    told = client.post("/api/v1/erasures", json={"person": "工号-4711"}).json
    assert (told["results"], told["answers"]) == (nothing["results"], nothing["answers"] + 1)
    assert datetime.fromisoformat(told["gone_by"]) > datetime.now(UTC)


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
        ({"names": [*NAMES, *NAMES]}, "/names/1/id"),
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


INCONSISTENT: list[tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = [
    (lambda plan: {**plan, "people": []}, "/plan/assignments/0/id"),
    (lambda plan: {**plan, "people": []}, "/plan/sessions/0/attendees/0"),
    (lambda plan: {**plan, "people": [*plan["people"], plan["people"][0]]}, "/plan/people/2/id"),
    (lambda plan: {**plan, "closed": [{**plan["closed"][0], "id": "工号-9"}]}, "/plan/closed/0/id"),
    (lambda plan: {**plan, "missed": [{**plan["closed"][0], "id": "工号-9"}]}, "/plan/missed/0/id"),
    (lambda plan: {**plan, "settled": [{**plan["closed"][0], "id": "工号-9"}]}, "/plan/settled/0/id"),
    (lambda plan: {**plan, "classes": [{"people": ["工号-9"]}]}, "/plan/classes/0/people/0"),
    (lambda plan: {**plan, "classes": [{"people": [9]}]}, "/plan/classes/0/people/0"),
    (lambda plan: {**plan, "assignments": ["工号-9"]}, "/plan/assignments/0"),
    (lambda plan: {**plan, "pairs": [{"first": "工号-9"}]}, "/plan/pairs/0/second"),
    (
        lambda plan: {
            **plan,
            "parameters": {"pairs": "people"},
            "pairs": [{"first": "工号-4711", "second": "工号-9", "first_gives": [], "second_gives": []}],
        },
        "/plan/pairs/0/second",
    ),
]


@pytest.mark.parametrize(("change", "pointer"), INCONSISTENT)
def test_a_plan_that_names_whom_no_erasure_would_reach_is_refused(
    client: FlaskClient, plan: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]], pointer: str
):
    answer = client.post("/api/v1/plans", json={"title": "班", "plan": change(plan)})
    assert answer.status_code == 422
    (error,) = [error for error in answer.json["errors"] if error["pointer"] == pointer]
    assert error["message"]
    assert error["message_en"]
    assert "工号" not in answer.text


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
    assert client.get("/api/v1/plans", headers=other).json == {"plans": [], "next": None}
    assert [one["id"] for one in client.get("/api/v1/plans", headers=admin).json["plans"]] == [mine]
    assert client.get(f"/api/v1/plans/{mine}", headers=one).status_code == 200


def test_saved_plans_come_page_by_page_newest_first(registry: Path, plan: dict[str, Any], tmp_path: Path):
    config = {
        "REGISTRY": str(registry),
        "DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db",
        "TESTING": True,
        "LOCAL": True,
    }
    client = create_app(config).test_client()
    made = [client.post("/api/v1/plans", json={"title": f"第{n}份", "plan": plan}).json["id"] for n in range(5)]
    found, sizes, cursor = [], [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/plans?limit=2&cursor={cursor}").json
        found += [one["id"] for one in page["plans"]]
        sizes.append(len(page["plans"]))
        cursor = page["next"]
    assert (found, sizes) == (made[::-1], [2, 2, 1])
    assert client.get("/api/v1/plans?limit=5").json["next"] is None


def test_plans_of_one_moment_are_all_listed_once(registry: Path, plan: dict[str, Any], tmp_path: Path):
    config = {
        "REGISTRY": str(registry),
        "DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db",
        "TESTING": True,
        "LOCAL": True,
    }
    app = create_app(config)
    client = app.test_client()
    made = [client.post("/api/v1/plans", json={"title": "班", "plan": plan}).json["id"] for _ in range(4)]
    with app.extensions["quebu.store"].writing() as connection:
        connection.execute(update(saved_plan).values(created_at=now()))
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/plans?limit=1&cursor={cursor}").json
        found += [one["id"] for one in page["plans"]]
        cursor = page["next"]
    assert found == sorted(made, reverse=True)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("cursor=elsewhere", "/query/cursor"),
        ("cursor=99999999999999999999999999-a", "/query/cursor"),
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("stranger=1", "/query/stranger"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_field(client: FlaskClient, query: str, pointer: str):
    answer = client.get(f"/api/v1/plans?{query}")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
