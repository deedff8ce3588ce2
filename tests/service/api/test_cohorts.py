"""``POST /api/v1/cohorts/…``: plans and recommendations of the command line over HTTP, and what is answered to demands that cannot be."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

PLAN = "/api/v1/cohorts/plan"
LISTS = "/api/v1/cohorts/recommendations"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LACKS = ("一上台讲话就冒汗", "公文写作", "应急处突没经验", "写材料慢")
PEOPLE = [
    {"id": f"P{number}", "unit": f"第{number % 2}局", "weaknesses": [{"text": text}]}
    for number, text in enumerate(LACKS)
]


def ask(client: FlaskClient, people: Any = PEOPLE, **asked: Any) -> Any:
    return client.post(PLAN, json={"people": people, "plan": {"catalog_required": False, **asked}})


def test_a_plan_comes_by_the_contract_and_adds_up(client: FlaskClient):
    response = ask(client, hours=6)
    assert response.status_code == 200
    plan = response.get_json()
    assert sum(one["value"] for one in plan["closed"]) == pytest.approx(plan["objective"], abs=1e-3)
    assert 0 < sum(session["hours"] for session in plan["sessions"]) <= 6
    assert {one["id"] for one in (*plan["closed"], *plan["missed"])} == {person["id"] for person in PEOPLE}
    assert plan["comparison"] is None
    assert plan["parameters"]["hours"] == 6


def test_classes_and_menus_are_asked_for_in_the_same_words(client: FlaskClient):
    split = ask(client, days=1, classes=2).get_json()
    assert sorted(person for part in split["classes"] for person in part["people"]) == ["P0", "P1", "P2", "P3"]
    menu = ask(client, hours=4, menu=True, seats=2).get_json()
    assert menu["kind"] == "菜单选学"
    assert all(len(session["attendees"]) <= 2 for session in menu["sessions"])


def test_a_kept_plan_is_compared_with_and_carried_on(client: FlaskClient):
    kept = ask(client, hours=6).get_json()
    body = {"people": PEOPLE, "plan": {"catalog_required": False, "hours": 6}, "previous": kept}
    assert client.post(PLAN, json=body).get_json()["comparison"]["same_inputs"]


def test_the_workbook_is_answered_where_it_is_asked_for(client: FlaskClient):
    body = {"people": PEOPLE, "plan": {"catalog_required": False, "hours": 6}}
    response = client.post(PLAN, json=body, headers={"Accept": WORKBOOK})
    assert (response.status_code, response.content_type) == (200, WORKBOOK)
    assert CalamineWorkbook.from_filelike(BytesIO(response.data)).sheet_names[0] == "班次方案"


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"hours": -1}, "/plan/hours"),
        ({"hours": "6"}, "/plan/hours"),
        ({"hours": 6, "type": "骑马班"}, "/plan/type"),
        ({"hours": 6, "menu": True, "seats": 0}, "/plan/seats"),
        ({"hours": 6, "class": 2}, "/plan/class"),
    ],
)
def test_a_field_that_cannot_be_is_named(client: FlaskClient, asked: dict[str, Any], pointer: str):
    response = ask(client, **asked)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "请用 hours 给出学时，或用 days 给出天数"),
        ({"hours": 6, "floor": 0.5}, "floor 只用于菜单选学"),
        ({"hours": 6, "class_size": 3}, "class_size 只用于分班"),
        ({"hours": 6, "classes": 9}, "减为 4 个班"),
        ({"hours": 6, "require": ["Q9999"]}, "require 中的编号不在课程目录里：Q9999"),
        ({"hours": 6, "budget": 1}, "经费至少"),
        ({"hours": 4, "menu": True, "min_size": 100}, "最少开班人数"),
    ],
)
def test_demands_that_cannot_be_are_told_in_the_words_of_the_request(
    client: FlaskClient, asked: dict[str, Any], told: str
):
    response = ask(client, **asked)
    assert response.status_code == 422
    detail = response.get_json()["detail"]
    assert told in detail
    assert "--" not in detail


def test_people_that_cannot_be_read_are_named_by_place_and_field(client: FlaskClient):
    response = ask(client, [PEOPLE[0], {"id": "x", "lvl": 1}, {"name": "钟离婉"}], hours=6)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == ["/people/1/lvl", "/people/2/id"]
    assert "钟离婉" not in response.get_data(as_text=True)


def test_a_plan_that_is_none_of_ours_is_refused_by_its_fields(client: FlaskClient):
    body = {"people": PEOPLE, "plan": {"hours": 6}, "previous": {"kind": "专题班"}}
    errors = client.post(PLAN, json=body).get_json()["errors"]
    assert {"/previous/objective", "/previous/closed"} <= {error["pointer"] for error in errors}


def test_two_people_of_one_id_and_too_many_people_are_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    assert "1 人的 id 与别人重复" in ask(client, [PEOPLE[0], PEOPLE[0]], hours=6).get_json()["detail"]
    monkeypatch.setitem(client.application.config, "MAX_BATCH", 3)
    assert "一次最多 3 人，现为 4 人" in ask(client, hours=6).get_json()["detail"]


def test_what_would_take_more_than_ten_minutes_is_refused(client: FlaskClient):
    assert "time_limit 最多 600 秒" in ask(client, hours=6, time_limit=601).get_json()["detail"]


def test_everybody_gets_the_recommendations_they_would_get_alone(client: FlaskClient):
    together = client.post(f"{LISTS}?top=2&explain=codes", json={"people": PEOPLE}).get_json()
    alone = [client.post("/api/v1/recommendations?top=2&explain=codes", json=one).get_json() for one in PEOPLE]
    assert (together["results"], together["reading"]) == (alone, None)


def test_recommendations_for_people_that_cannot_be_read_are_refused_by_place_and_field(client: FlaskClient):
    for people, pointer in (([PEOPLE[0], {"id": 7}], "/people/1/id"), ([], "/people"), ("x", "/people")):
        response = client.post(LISTS, json={"people": people})
        assert response.status_code == 422
        assert [error["pointer"] for error in response.get_json()["errors"]] == [pointer]
