"""销号 over HTTP: of persons only for who names them, of courses never about persons, and nothing of who was erased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model.recommender import Recommender
from service import create_app
from service.store import audit
from service.store.database import Database

API = "/api/v1"
TEXT = "一上台讲话就冒汗"


@pytest.fixture
def app(registry: Path, tmp_path: Path) -> APIFlask:
    store = {"DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db", "SECRET": "x" * 32}
    return create_app({"REGISTRY": str(registry), "TESTING": True, "LOCAL": True, **store})


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def course(trained: Recommender) -> str:
    return trained.answer([TEXT])[0].matches[0].course.id


def say(client: FlaskClient, course: str, person: str, *told: tuple[str, float | None, float | None]) -> None:
    given = [
        {
            "verdict": verdict,
            "course_id": course,
            "gap": TEXT,
            "person": person,
            **({"score_before": before, "score_after": after} if verdict == "tested" else {}),
        }
        for verdict, before, after in told
    ]
    assert client.post(f"{API}/feedback", json=given).status_code == 201


ACCEPT, ATTENDED = ("accept", None, None), ("attended", None, None)


def states(client: FlaskClient, people: list[dict[str, Any]], status: int = 200, **more: Any) -> Any:
    response = client.post(f"{API}/gap-states", json={"people": people, **more})
    assert response.status_code == status, response.get_data(as_text=True)
    return response.get_json()


def outcomes(client: FlaskClient, course: str) -> dict[str, Any]:
    return client.get(f"{API}/courses/{course}/outcomes").get_json()


def test_each_gap_of_who_is_named_is_told_with_what_says_so(client: FlaskClient, course: str):
    say(client, course, "P1", ACCEPT, ATTENDED, ("tested", 50, 80))
    say(client, course, "P2", ATTENDED, ("tested", 50, 55))
    asked = [{"id": "P2", "gaps": [" 一上台讲话就冒汗", "公文写作"]}, {"id": "P1"}, {"id": "P3"}]
    second, first, third = states(client, asked)["results"]
    assert [(one["status"], one["course_id"]) for one in first["gaps"]] == [("已销号", course)]
    assert [(one["deed"], one["score_after"]) for one in first["gaps"][0]["evidence"]] == [
        ("arranged", None), ("attended", None), ("tested", 80.0),
    ]  # fmt: skip
    assert [(one["gap"], one["status"]) for one in second["gaps"]] == [
        (" 一上台讲话就冒汗", "已学"),
        ("公文写作", "待补"),
    ]
    assert "尚未销号" in second["gaps"][0]["note"]
    assert third == {"id": "P3", "gaps": []}


def test_what_is_assessed_anew_after_it_was_closed_is_open_again(client: FlaskClient, course: str):
    say(client, course, "P1", ("tested", 50, 80))
    named = [{"id": "P1", "gaps": [TEXT]}]

    def status(**more: Any) -> str:
        return str(states(client, named, **more)["results"][0]["gaps"][0]["status"])

    assert (status(), status(assessed="2020-01-01"), status(assessed="2099-01-01")) == ("已销号", "已销号", "重开")
    say(client, course, "P1", ("tested", None, 30))
    assert status() == "重开"


def test_asking_is_recorded_as_an_export_without_a_name_or_a_gap(app: APIFlask, client: FlaskClient, course: str):
    say(client, course, "秘密工号", ATTENDED)
    states(client, [{"id": "秘密工号", "gaps": ["秘密短板"]}])
    database: Database = app.extensions["quebu.store"]
    with database.reading() as connection:
        last = audit.entries(connection)[-1]
        assert "秘密" not in str(audit.entries(connection))
    assert (last.action, last.detail) == ("gap_state.export", {"people": 1})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"people": []}, "people"),
        ({"people": [{"id": "P1"}, {"id": "P1"}]}, "people.1.id"),
        ({"people": [{"id": "P1", "gaps": []}]}, "people.0.gaps"),
        ({"people": [{"gaps": [TEXT]}]}, "people.0.id"),
        ({"people": [{"id": "P1"}], "assessed": "昨天"}, "assessed"),
        ({"people": "P1"}, "people"),
        ({}, "people"),
    ],
)
def test_what_is_asked_wrongly_is_told_by_its_field(client: FlaskClient, body: dict[str, Any], field: str):
    told = client.post(f"{API}/gap-states", json=body)
    assert told.status_code == 422
    assert any(field in str(error) or field.replace(".", "/") in str(error) for error in told.get_json()["errors"])


def test_a_course_tells_what_it_closed_once_three_people_stand_behind_it(client: FlaskClient, course: str):
    assert outcomes(client, course)["sentence"].startswith("尚无证据")
    say(client, course, "P1", ATTENDED, ("tested", 50, 80))
    say(client, course, "P2", ATTENDED, ("tested", 50, 80))
    assert outcomes(client, course)["promised"] is None
    assert "不足 3 人" in outcomes(client, course)["sentence"]
    say(client, course, "P3", ATTENDED, ("tested", 50, 55))
    found = outcomes(client, course)
    assert (found["promised"], found["tested"], found["closed"], found["share"]) == (3, 3, 2, 0.6667)
    assert "确认销号 2 条" in found["sentence"]


def test_of_who_is_erased_nothing_is_left_neither_by_person_nor_by_course(
    app: APIFlask, client: FlaskClient, course: str
):
    for person in ("P1", "P2", "P3"):
        say(client, course, person, ACCEPT, ATTENDED, ("tested", 50, 80))
    assert outcomes(client, course)["closed"] == 3
    erased = client.post(f"{API}/erasures", json={"person": "P1"}).get_json()
    assert (erased["plans"], erased["feedback"]) == (0, 3)
    assert states(client, [{"id": "P1"}])["results"] == [{"id": "P1", "gaps": []}]
    assert outcomes(client, course)["closed"] is None
    kept = client.get(f"{API}/feedback").get_json()["feedback"]
    assert [(one["verdict"], one["person"]) for one in kept[:1]] == [("accept", None)]
    assert len([one for one in kept if one["verdict"] == "tested"]) == 2


def test_a_course_that_is_not_there_has_no_outcomes(client: FlaskClient):
    assert client.get(f"{API}/courses/nichts/outcomes").status_code == 404


def test_what_replaced_a_course_was_taken_for_the_gap_in_its_place(
    client: FlaskClient, course: str, trained: Recommender
):
    other = next(one.id for one in trained.catalog if one.id != course)
    given = {
        "verdict": "replace",
        "course_id": course,
        "gap": TEXT,
        "person": "P1",
        "replacement": other,
        "reason": "浅",
    }
    say(client, course, "P1", ACCEPT)
    assert client.post(f"{API}/feedback", json=given).status_code == 201
    (gap,) = states(client, [{"id": "P1"}])["results"][0]["gaps"]
    assert (gap["status"], gap["course_id"]) == ("已安排", other)


def test_what_would_be_learnt_is_told_before_it_is(client: FlaskClient, course: str, trained: Recommender):
    say(client, course, "P1", ACCEPT, ATTENDED, ("tested", 50, 80), ("tested", None, 80))
    told = client.get(f"{API}/feedback/learning").get_json()
    assert told["pieces"] == {"accepted": 1, "attended": 1, "improved": 1}
    assert (told["on"], told["enough"], told["last"], told["planners"]) == (True, False, None, 1)
    assert told["missing"] == ["至少要有 2 位经办人的反馈，现有 1 位"]
    assert set(told["weights"]) == {*trained.matcher.rankers_[0].evidence.features, "offset"}
