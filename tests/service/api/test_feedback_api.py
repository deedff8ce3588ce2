"""What planners say over HTTP, and what they reject: out at once on every path, for every worker, whatever version answers, until it is taken back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from click.testing import CliRunner
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from model.domain import Catalog
from model.recommender import Recommender
from model.versions.registry import Registry
from service import create_app
from service.cli import main
from service.store import audit, feedback, keys, overrides
from service.store.audit import By
from service.store.database import Database
from service.store.people import pseudonym
from service.store.roles import Role

API = "/api/v1"
TEXT, OTHER = "一上台讲话就冒汗", "公文写作不规范"
PERSON = {"id": "工号-4711", "post": "镇党委书记", "weaknesses": [{"text": TEXT}, {"text": OTHER}]}
SECRET = "x" * 32
BY = By("key:11112222")
Pairs = set[tuple[str, str]]


@pytest.fixture
def config(registry: Path, tmp_path: Path) -> dict[str, Any]:
    store = {"DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db", "SECRET": SECRET}
    return {"REGISTRY": str(registry), "TESTING": True, "LOCAL": True, **store}


@pytest.fixture
def app(config: dict[str, Any]) -> APIFlask:
    return create_app(config)


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def database(app: APIFlask) -> Database:
    return app.extensions["quebu.store"]


@pytest.fixture
def course(trained: Recommender) -> str:
    """The course that serves TEXT best."""
    return trained.answer([TEXT])[0].matches[0].course.id


def post(client: FlaskClient, path: str, body: Any, status: int = 200, **more: Any) -> Any:
    response = client.post(API + path, json=body, buffered=True, **more)
    assert response.status_code == status, response.get_data(as_text=True)
    return response


def pairs_of(plan: dict[str, Any]) -> Pairs:
    return {(reason["gap"], one["course_id"]) for one in plan["recommendations"] for reason in one["reasons"]}


def alone(client: FlaskClient) -> tuple[Pairs, Any]:
    plan = post(client, "/recommendations", PERSON).get_json()
    return pairs_of(plan), plan.get("overridden")


def in_a_batch(client: FlaskClient) -> tuple[Pairs, Any]:
    (plan,) = post(client, "/recommendations/batch", {"profiles": [PERSON]}).get_json()["results"]
    return pairs_of(plan), plan.get("overridden")


def in_lines(client: FlaskClient) -> tuple[Pairs, Any]:
    line = json.dumps(PERSON)
    path = f"{API}/recommendations/batch"
    plan = json.loads(client.post(path, data=line, content_type="application/x-ndjson", buffered=True).data)
    return pairs_of(plan), plan.get("overridden")


def matched(client: FlaskClient) -> tuple[Pairs, Any]:
    (answer,) = post(client, "/matches", {"queries": [{"text": TEXT}]}).get_json()["results"]
    return {(TEXT, one["course_id"]) for one in answer["matches"]}, answer.get("overridden")


def planned(client: FlaskClient, **asked: Any) -> tuple[Pairs, Any]:
    body = {"people": [PERSON], "plan": {"hours": 20, "catalog_required": False, **asked}}
    plan = post(client, "/cohorts/plan", body).get_json()
    return {(one["gap"], one["course_id"]) for one in plan["closed"]}, plan.get("overridden")


def on_a_menu(client: FlaskClient) -> tuple[Pairs, Any]:
    return planned(client, menu=True, seats=2)


def as_a_cohort(client: FlaskClient) -> tuple[Pairs, Any]:
    (plan,) = post(client, "/cohorts/recommendations", {"people": [PERSON]}).get_json()["results"]
    return pairs_of(plan), plan.get("overridden")


PATHS: dict[str, Callable[[FlaskClient], tuple[Pairs, Any]]] = {
    path.__name__: path for path in (alone, in_a_batch, in_lines, matched, planned, on_a_menu, as_a_cohort)
}


def rejection(course: str, **more: Any) -> dict[str, Any]:
    return {"verdict": "reject", "course_id": course, "gap": TEXT, "reason": "讲的是宣讲，不是讲话", **more}


@pytest.mark.parametrize("path", PATHS)
def test_a_rejected_pair_is_out_on_every_path_at_once_and_back_when_it_is_reverted(
    path: str, client: FlaskClient, course: str
):
    before, told = PATHS[path](client)
    assert ((TEXT, course) in before, told) == (True, None)
    (made,) = post(client, "/feedback", rejection(course), 201).get_json()["results"]
    after, told = PATHS[path](client)
    assert (TEXT, course) not in after
    assert told == [made["override"]]
    assert client.delete(f"{API}/overrides/{made['override']}").status_code == 204
    assert PATHS[path](client) == (before, None)


@pytest.mark.parametrize("path", [name for name in PATHS if name != "matched"])
def test_a_course_rejected_for_somebody_is_out_for_them_alone(path: str, client: FlaskClient, course: str):
    given = rejection(course, person=PERSON["id"], scope="person")
    (made,) = post(client, "/feedback", given, 201).get_json()["results"]
    found, told = PATHS[path](client)
    assert course not in {other for _, other in found}
    assert told == [made["override"]]
    other = post(client, "/recommendations", {**PERSON, "id": "工号-4712"}).get_json()
    assert course in {one["course_id"] for one in other["recommendations"]}


@pytest.mark.parametrize("path", PATHS)
def test_a_course_rejected_for_everybody_is_out(path: str, client: FlaskClient, course: str):
    made = post(client, "/overrides", {"course_id": course, "reason": "教材过时"}, 201).get_json()
    found, told = PATHS[path](client)
    assert course not in {other for _, other in found}
    assert told == [made["id"]]


def test_the_former_answer_comes_back_byte_for_byte(client: FlaskClient, course: str):
    asked = [("/recommendations", PERSON), ("/matches", {"queries": [{"text": TEXT}]})]
    before = [post(client, *one).data for one in asked]
    given = [rejection(course), rejection(course, person=PERSON["id"], scope="person")]
    made = post(client, "/feedback", given, 201).get_json()["results"]
    assert [post(client, *one).data for one in asked] != before
    for one in made:
        client.delete(f"{API}/overrides/{one['override']}")
    assert [post(client, *one).data for one in asked] == before


def test_another_worker_has_it_at_once(client: FlaskClient, config: dict[str, Any], course: str):
    other = create_app(config).test_client()
    assert (TEXT, course) in alone(other)[0]
    (made,) = post(client, "/feedback", rejection(course), 201).get_json()["results"]
    assert (TEXT, course) not in alone(other)[0]
    other.delete(f"{API}/overrides/{made['override']}")
    assert (TEXT, course) in alone(client)[0]


def test_the_gap_whose_only_course_was_rejected_stays_open_because_of_that(client: FlaskClient, course: str):
    served = {other for text, other in alone(client)[0] if text == TEXT}
    post(client, "/feedback", [rejection(other) for other in served], 201)
    unmet = {one["gap"]: one["cause"] for one in post(client, "/recommendations?top=100", PERSON).get_json()["unmet"]}
    left = post(client, "/recommendations?top=100", PERSON).get_json()
    if not {text for text, _ in pairs_of(left) if text == TEXT}:
        assert unmet[TEXT] == "被排除"
    body = {"people": [PERSON], "plan": {"hours": 20, "catalog_required": False}}
    missed = {one["gap"]: one["cause"] for one in post(client, "/cohorts/plan", body).get_json()["missed"]}
    assert missed.get(TEXT) == unmet.get(TEXT)


def test_a_plan_under_a_rejection_has_other_inputs(client: FlaskClient, course: str):
    body = {"people": [PERSON], "plan": {"hours": 20, "catalog_required": False}}
    before = post(client, "/cohorts/plan", body).get_json()
    (made,) = post(client, "/feedback", rejection(course), 201).get_json()["results"]
    after = post(client, "/cohorts/plan", body | {"previous": before}).get_json()
    assert after["inputs_hash"] != before["inputs_hash"]
    assert after["comparison"]["same_inputs"] is False
    workbook = post(
        client,
        "/cohorts/plan",
        body,
        headers={"Accept": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    )
    rows = CalamineWorkbook.from_filelike(BytesIO(workbook.data)).get_sheet_by_name("班次方案").to_python()
    assert ["复核", "人工调整", "", "1 条人工调整起了作用"] in [row[:4] for row in rows]
    client.delete(f"{API}/overrides/{made['override']}")
    assert post(client, "/cohorts/plan", body).get_json()["inputs_hash"] == before["inputs_hash"]


def test_what_was_stopped_for_everybody_is_not_held_though_the_catalog_requires_it_and_cannot_be_asked_for(
    client: FlaskClient, trained: Recommender, course: str
):
    post(client, "/overrides", {"course_id": course, "reason": "教材过时"}, 201)
    for given in ({"require": [course]}, {"menu": True, "offer": [course]}):
        body = {"people": [PERSON], "plan": {"hours": 20, "catalog_required": False, **given}}
        assert "已被人工停用" in post(client, "/cohorts/plan", body, 422).get_json()["detail"]
    required = next((one.id for one in trained.catalog if one.required and not one.levels and not one.posts), None)
    if required:
        post(client, "/overrides", {"course_id": required, "reason": "教材过时"}, 201)
        held = post(client, "/cohorts/plan", {"people": [PERSON], "plan": {"hours": 200}}).get_json()["sessions"]
        assert required not in {identity for session in held for identity in session["course_ids"]}


def test_it_holds_for_the_next_version_and_is_told_to_be_idle_where_the_course_is_gone(
    config: dict[str, Any], trained: Recommender, tmp_path: Path, course: str
):
    registry = Registry(tmp_path / "instance" / "registry")
    card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": len(trained.catalog)}
    registry.activate(registry.save(lambda version: replace(trained, version=version), card))
    client = create_app(config | {"REGISTRY": str(registry.folder)}).test_client()
    (made,) = post(client, "/feedback", rejection(course), 201).get_json()["results"]

    def renamed(version: str) -> Recommender:
        # Another title as well: by its own it would be found under its new number.
        other = (replace(one, id="Q9999", title="另一门课") if one.id == course else one for one in trained.catalog)
        return replace(trained, version=version, catalog=Catalog(tuple(other)))

    again = registry.save(lambda version: replace(trained, version=version), card)
    other = registry.save(renamed, card)
    for version, applies in ((again, True), (other, False)):
        registry.activate(version)
        (told,) = client.get(f"{API}/overrides").get_json()["overrides"]
        assert (told["id"], told["applies"], told["applies_to"] is not None) == (made["override"], applies, applies)
        assert alone(client)[1] == ([made["override"]] if applies else None)
        assert (TEXT, course) not in alone(client)[0]


def test_it_is_shown_who_rejected_what_when_and_why(client: FlaskClient, database: Database, course: str):
    made = post(client, "/feedback", rejection(course, person=PERSON["id"]), 201).get_json()["results"][0]
    own = post(client, "/overrides", {"course_id": course, "person": PERSON["id"], "reason": "已离岗"}, 201).get_json()
    first, second = client.get(f"{API}/overrides").get_json()["overrides"]
    assert {name: first[name] for name in ("id", "course_id", "gap", "person", "reason", "actor", "feedback", "applies")} == {
        "id": made["override"], "course_id": course, "gap": TEXT, "person": None, "reason": "讲的是宣讲，不是讲话",
        "actor": "local", "feedback": made["id"], "applies": True,
    }  # fmt: skip
    assert second == own
    assert second["person"] == pseudonym(database, PERSON["id"])
    client.delete(f"{API}/overrides/{own['id']}")
    assert [one["id"] for one in client.get(f"{API}/overrides").get_json()["overrides"]] == [first["id"]]
    page = client.get(f"{API}/overrides?reverted=true&limit=1&course_id={course}").get_json()
    assert (page["overrides"], page["next"]) == ([first], first["id"])
    (gone,) = client.get(f"{API}/overrides?reverted=true&cursor={page['next']}").get_json()["overrides"]
    assert (gone["applies"], gone["reverted_by"]) == (False, "local")
    assert client.delete(f"{API}/overrides/{own['id']}").status_code == 204
    assert client.delete(f"{API}/overrides/999").status_code == 404
    assert client.delete(f"{API}/overrides/{10**30}").status_code == 404


def fields_of(response: Any) -> list[str]:
    return [error["pointer"] for error in response.get_json()["errors"]]


@pytest.mark.parametrize(
    ("given", "faulty"),
    [
        ({}, ["/verdict", "/course_id"]),
        ({"verdict": "maybe", "course_id": "Q0001"}, ["/verdict"]),
        ({"verdict": "reject", "course_id": "gone"}, ["/course_id", "/reason"]),
        ({"verdict": "reject", "course_id": "Q0001", "reason": " ", "stranger": 1}, ["/reason", "/stranger"]),
        ({"verdict": "reject", "course_id": "Q0001", "reason": "。", "scope": "gap"}, ["/gap"]),
        ({"verdict": "reject", "course_id": "Q0001", "reason": "。", "scope": "person", "gap": TEXT}, ["/person"]),
        ({"verdict": "reject", "course_id": "Q0001", "reason": "。", "gap": "1. 甲的事；2. 乙的事"}, ["/gap"]),
        ({"verdict": "reject", "course_id": "Q0001", "reason": "。", "gap": TEXT, "replacement": "Q0002"}, ["/replacement"]),
        ({"verdict": "replace", "course_id": "Q0001", "reason": "。", "gap": TEXT}, ["/replacement"]),
        ({"verdict": "replace", "course_id": "Q0001", "reason": "。", "gap": TEXT, "replacement": "Q0001"}, ["/replacement"]),
        ({"verdict": "replace", "course_id": "Q0001", "reason": "。", "gap": TEXT, "replacement": "gone"}, ["/replacement"]),
        ({"verdict": "accept", "course_id": "Q0001"}, ["/gap"]),
        ({"verdict": "accept", "course_id": "Q0001", "gap": TEXT, "scope": "gap"}, ["/scope"]),
        ({"verdict": "attended", "course_id": "Q0001"}, ["/person"]),
        ({"verdict": "attended", "course_id": "Q0001", "person": "P1", "score_after": 60}, ["/score_after"]),
        ({"verdict": "tested", "course_id": "Q0001", "person": "P1"}, ["/score_after"]),
        ({"verdict": "tested", "course_id": "Q0001", "person": "P1", "score_after": 101}, ["/score_after"]),
        ({"verdict": "accept", "course_id": "Q0001", "gap": "甲\0"}, ["/gap"]),
        ([{"verdict": "accept"}, {"verdict": "accept", "course_id": "Q0001", "gap": TEXT}, 7], ["/0/course_id", "/0/gap", "/2"]),
        ([], [""]),
        (7, [""]),
    ],
)  # fmt: skip
def test_every_fault_is_named_and_nothing_is_kept(given: Any, faulty: list[str], client: FlaskClient):
    response = post(client, "/feedback", given, 422)
    assert sorted(fields_of(response)) == sorted(faulty)
    assert client.get(f"{API}/feedback").get_json()["feedback"] == []
    assert client.get(f"{API}/overrides").get_json()["overrides"] == []


def test_more_than_a_thousand_at_once_are_refused(client: FlaskClient):
    one = {"verdict": "accept", "course_id": "Q0001", "gap": TEXT}
    assert len(post(client, "/feedback", [one] * 1000, 201).get_json()["results"]) == 1000
    post(client, "/feedback", [one] * 1001, 422)


@pytest.mark.parametrize(
    ("given", "faulty"),
    [
        ({}, ["/course_id", "/reason"]),
        ({"course_id": "gone", "reason": "。"}, ["/course_id"]),
        ({"course_id": "Q0001", "reason": "。", "gap": TEXT, "person": "P1"}, ["/person"]),
        ({"course_id": "Q0001", "reason": "。", "gap": "1. 甲的事；2. 乙的事"}, ["/gap"]),
    ],
)
def test_every_fault_of_a_rejection_without_feedback_is_named(given: Any, faulty: list[str], client: FlaskClient):
    assert sorted(fields_of(post(client, "/overrides", given, 422))) == sorted(faulty)


def test_what_was_attended_or_tested_may_have_left_the_catalog_and_that_is_told(client: FlaskClient):
    given = [
        {"verdict": "attended", "course_id": "旧课", "person": "P1"},
        {"verdict": "tested", "course_id": "Q0001", "person": "P1", "score_before": 55, "score_after": 80},
    ]
    results = post(client, "/feedback", given, 201).get_json()["results"]
    assert [(one["known"], one["override"]) for one in results] == [(False, None), (True, None)]


def test_no_error_and_no_log_repeats_what_was_said(client: FlaskClient, caplog: pytest.LogCaptureFixture):
    given = {
        "verdict": "reject",
        "course_id": "秘密课",
        "gap": "秘密短板",
        "person": "秘密工号",
        "reason": "秘密\0理由",
    }
    told = post(client, "/feedback", given, 422).get_data(as_text=True)
    assert "秘密" not in told + caplog.text


def test_the_feedback_comes_back_page_by_page_under_pseudonyms_and_reading_it_is_recorded(
    client: FlaskClient, database: Database, course: str
):
    given = [rejection(course, person=PERSON["id"]), {"verdict": "accept", "course_id": "Q0001", "gap": OTHER}]
    post(client, "/feedback", given, 201)
    first = client.get(f"{API}/feedback?limit=1").get_json()
    second = client.get(f"{API}/feedback?limit=1&cursor={first['next']}").get_json()
    assert second["next"] is None
    rows = [*first["feedback"], *second["feedback"]]
    assert [(one["verdict"], one["course_id"], one["gap"], one["scope"]) for one in rows] == [
        ("reject", course, TEXT, "gap"), ("accept", "Q0001", OTHER, None),
    ]  # fmt: skip
    assert [one["person"] for one in rows] == [pseudonym(database, PERSON["id"]), None]
    with database.reading() as connection:
        done = [(one.action, one.detail) for one in audit.entries(connection) if one.action == "feedback.export"]
        judged = [(one.text, one.course, one.kind) for one in feedback.judged(connection)]
    assert done == [
        ("feedback.export", {"after": 0, "rows": 1}),
        ("feedback.export", {"after": first["next"], "rows": 1}),
    ]
    assert judged == [(TEXT, course, "rejected"), (OTHER, "Q0001", "accepted")]


def test_the_feedback_is_a_table_for_excel_in_which_nothing_is_a_formula(
    client: FlaskClient, database: Database, course: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(feedback, "PAGE", 2)
    for number in range(5):
        post(client, "/feedback", rejection(course, gap=f"短板{number}", reason="=HYPERLINK(1),\n“引”"), 201)
    response = client.get(f"{API}/feedback", headers={"Accept": "text/csv"})
    assert response.mimetype == "text/csv"
    assert response.data.startswith("\ufeff编号".encode())
    header, *rows = csv.reader(StringIO(response.data.decode("utf-8-sig"), newline=""))
    assert [row[header.index("短板")] for row in rows] == [f"短板{number}" for number in range(5)]
    assert {row[header.index("理由")] for row in rows} == {"'=HYPERLINK(1),\n“引”"}
    with database.reading() as connection:
        assert audit.entries(connection)[-1].detail == {"after": 0, "rows": 5}


def test_who_may_reject_what_and_revert_whose(app: APIFlask, database: Database, course: str):
    key = {role: keys.create(database, BY, role.value, role, 1) for role in Role}

    def ask(role: Role, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {key[role]}"}
        return app.test_client().open(API + path, method=method, json=body, headers=headers)

    planner, curator = Role.PLANNER, Role.CURATOR
    assert ask(Role.READER, "POST", "/feedback", rejection(course)).status_code == 403
    made = ask(planner, "POST", "/feedback", rejection(course)).get_json()["results"][0]["override"]
    everybody = {"verdict": "reject", "course_id": course, "reason": "教材过时"}
    refused = ask(planner, "POST", "/feedback", [rejection(course, gap=OTHER), everybody])
    assert refused.status_code == 403
    assert [one["id"] for one in ask(planner, "GET", "/overrides").get_json()["overrides"]] == [made]
    assert ask(planner, "POST", "/overrides", {"course_id": course, "reason": "。"}).status_code == 403
    assert ask(planner, "GET", "/feedback").status_code == 403
    others = ask(curator, "POST", "/feedback", everybody).get_json()["results"][0]["override"]
    assert ask(planner, "DELETE", f"/overrides/{others}").status_code == 403
    assert ask(planner, "DELETE", f"/overrides/{made}").status_code == 204
    again = ask(planner, "POST", "/feedback", rejection(course)).get_json()["results"][0]["override"]
    assert ask(curator, "DELETE", f"/overrides/{again}").status_code == 204
    assert overrides.listed(database, 0, 10)[0].id == others


COMMANDS: dict[str, tuple[str, ...]] = {
    "recommend": ("recommend", "--roster", "ROSTER"),
    "match": ("match", TEXT),
    "plan": ("plan", "--roster", "ROSTER", "--hours", "20", "--no-catalog-required", "--pairs", "people"),
}


@pytest.fixture
def quebu(
    config: dict[str, Any], registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Any, str]]:
    """Run a command on the store of the application: what it answers, and what it tells."""
    monkeypatch.setenv("QUEBU_DATABASE_URL", config["DATABASE_URL"])
    monkeypatch.setenv("QUEBU_SECRET", SECRET)
    (tmp_path / "roster.jsonl").write_text(json.dumps(PERSON), encoding="utf-8")

    def run(name: str) -> tuple[Any, str]:
        words = [str(tmp_path / "roster.jsonl") if word == "ROSTER" else word for word in COMMANDS[name]]
        result = CliRunner().invoke(main, [*words, "--registry", str(registry)])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout), result.stderr

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_go_by_the_rejections_of_the_store_and_say_so(
    name: str, quebu: Callable[[str], tuple[Any, str]], database: Database, course: str
):
    before, told = quebu(name)
    assert course in str(before)
    assert "人工调整" not in told
    made = overrides.reject(database, BY, course, TEXT, reason="不对口")
    overrides.reject(database, BY, course, None, "somebody else", reason="不宜")
    after, told = quebu(name)
    assert course not in str({**after, "overridden": None})
    assert after["overridden"] == [made.id]
    assert "人工调整共 2 条，本次起作用 1 条" in told


def test_a_command_stops_where_it_cannot_read_the_store(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    monkeypatch.setenv("QUEBU_DATABASE_URL", f"sqlite:///{tmp_path}/broken.db")
    monkeypatch.setenv("QUEBU_SECRET", SECRET)
    result = CliRunner().invoke(main, ["match", TEXT, "--registry", str(registry)])
    assert result.exit_code != 0
    assert "数据库" in result.output
    assert "relevance" not in result.output
