"""A success has one shape, the plan of the contract. Everything else is a problem (RFC 9457).

A problem is ``application/problem+json``: ``type`` (urn:quebu:error:STATUS), ``title``, ``status`` and ``detail`` in Chinese, and where
fields are faulty ``errors``, each with ``field`` and ``message``. It carries the headers the status asks for (Allow, Retry-After).
Nothing that a person wrote into a body stands in it, or in any log.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import request
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service import create_app
from service.errors import MOST_ERRORS

RECOMMEND = "/api/v1/recommendations"
CONTRACT = {
    "id": "P1", "name": None, "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "duty": None, "years_in_post": 3,
    "weaknesses": [{"text": "一上台讲话就冒汗", "severity": 3, "kind": None, "source": "组织评价"}], "scores": {"公文写作": 55},
    "completed": [], "hours_available": 24, "hours_done": 16, "online_hours_done": None, "five_year_hours_done": 210, "restrictions": [],
}  # fmt: skip
SECRETS = ("钟离婉", "工号77310", "见了记者就腿软", "云栖街道", "私下里常打麻将")


def assert_problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    body: dict[str, Any] = response.get_json()
    assert list(body)[:4] == ["type", "title", "status", "detail"]
    assert set(body) <= {"type", "title", "status", "detail", "errors"}
    assert (body["type"], body["status"]) == (f"urn:quebu:error:{status}", status)
    assert all(re.search("[一-鿿]", body[key]) for key in ("title", "detail"))
    for error in body.get("errors", []):
        assert list(error) == ["field", "message"]
        assert error["field"]
        assert re.search("[一-鿿]", error["message"])
    return body


def test_a_profile_gets_its_plan_in_the_shape_and_order_of_the_contract(client: FlaskClient):
    response = client.post(RECOMMEND, json=CONTRACT)
    assert (response.status_code, response.content_type) == (200, "application/json")
    plan = json.loads(response.data)
    assert list(plan) == ["id", "gaps", "recommendations", "unmet", "model_version"]
    assert (plan["id"], plan["model_version"]) == ("P1", "v0001")
    assert {tuple(gap) for gap in plan["gaps"]} == {("text", "competency", "reason", "source", "weight")}
    assert {gap["reason"] for gap in plan["gaps"]} == {"duty", "lack"}
    assert {tuple(found) for found in plan["recommendations"]} == {
        ("course_id", "title", "score", "duty_score", "lack_score", "hours", "required", "reasons")
    }
    reasons = [reason for found in plan["recommendations"] for reason in found["reasons"]]
    assert {tuple(reason) for reason in reasons} == {("gap", "part", "code", "text")}
    assert all(set(unmet) == {"gap", "cause"} for unmet in plan["unmet"])


def test_parts_add_up_and_required_courses_stand_first_then_the_best(client: FlaskClient):
    found = client.post(RECOMMEND, json=CONTRACT).get_json()["recommendations"]
    for course in found:
        assert course["score"] == pytest.approx(sum(reason["part"] for reason in course["reasons"]))
        assert course["score"] == pytest.approx(course["duty_score"] + course["lack_score"])
    ranked = [course["score"] for course in found if not course["required"]]
    assert ranked == sorted(ranked, reverse=True)
    assert [course["required"] for course in found] == sorted((course["required"] for course in found), reverse=True)


def test_the_same_profile_gets_the_same_bytes(client: FlaskClient):
    assert client.post(RECOMMEND, json=CONTRACT).data == client.post(RECOMMEND, json=CONTRACT).data


def test_a_completed_course_is_never_recommended_again(client: FlaskClient):
    first = client.post(RECOMMEND, json=CONTRACT).get_json()["recommendations"]
    done = [first[-1]["course_id"], first[0]["title"]]
    again = client.post(RECOMMEND, json={**CONTRACT, "completed": done}).get_json()["recommendations"]
    assert not {first[-1]["course_id"], first[0]["course_id"]} & {course["course_id"] for course in again}


@pytest.mark.parametrize("top", [1, 3])
def test_top_limits_the_ranked_courses_but_not_the_required_ones(top: int, client: FlaskClient):
    found = client.post(f"{RECOMMEND}?top={top}", json=CONTRACT).get_json()["recommendations"]
    assert sum(not course["required"] for course in found) == top
    assert any(course["required"] for course in found)


def test_an_id_comes_back_as_it_was_written(client: FlaskClient):
    assert client.post(RECOMMEND, json={"id": "组-1 <b>&😀"}).get_json()["id"] == "组-1 <b>&😀"


@pytest.mark.parametrize(
    "query", ["top=0", "top=101", "top=x", "top=", "top=1.5", "tpo=3", "level_window=11", "level_window=-1"]
)
def test_a_query_parameter_out_of_range_or_unknown_is_named(query: str, client: FlaskClient):
    problem = assert_problem(client.post(f"{RECOMMEND}?{query}", json=CONTRACT), 422)
    assert [error["field"] for error in problem["errors"]] == [f"query.{query.split('=', maxsplit=1)[0]}"]


def test_every_faulty_field_is_named(client: FlaskClient):
    body = {
        **CONTRACT,
        "id": 7,
        "hours_available": -1,
        "level": "大王",
        "weaknesses": [{"text": "怕讲话", "severity": 7}],
        "hour": 1,
    }
    problem = assert_problem(client.post(RECOMMEND, json=body), 422)
    assert [error["field"] for error in problem["errors"]] == [
        "id",
        "weaknesses.0.severity",
        "hours_available",
        "level",
        "hour",
    ]


def test_of_very_many_faults_the_first_are_listed_and_all_are_counted(client: FlaskClient):
    problem = assert_problem(client.post(RECOMMEND, json={"id": "P1", **{f"x{n}": 1 for n in range(5000)}}), 422)
    assert len(problem["errors"]) == MOST_ERRORS
    assert "共 5000 处" in problem["detail"]


def test_a_body_that_is_no_json_is_told_where(client: FlaskClient):
    response = client.post(RECOMMEND, data='{"id": "P1",\n"post" "科员"}', content_type="application/json")
    assert "第 2 行第 8 个字符" in assert_problem(response, 400)["detail"]


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_of_another_type_is_told_what_would_be_right(content_type: str | None, client: FlaskClient):
    response = client.post(RECOMMEND, data='{"id": "P1"}', content_type=content_type)
    assert "application/json" in assert_problem(response, 415)["detail"]


def test_a_body_that_is_too_large_is_told_the_limit(registry: Path):
    client = create_app({"REGISTRY": str(registry), "MAX_BODY_MB": 1}).test_client()
    response = client.post(RECOMMEND, data=b" " * (2**20 + 1), content_type="application/json")
    assert "1 MB" in assert_problem(response, 413)["detail"]


def test_an_unknown_address_is_a_problem_too(client: FlaskClient):
    for path in (
        "/api/v1/nothing",
        "/api/v2/recommendations",
        f"{RECOMMEND}/",
        "/favicon.ico",
        "/static/../settings.py",
    ):
        assert_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", RECOMMEND, {"POST", "OPTIONS"}), ("DELETE", "/", {"GET", "HEAD", "OPTIONS"}), ("POST", "/api/v1/health/ready", {"GET", "HEAD", "OPTIONS"})],
)  # fmt: skip
def test_a_method_that_is_not_offered_is_told_which_are(method: str, path: str, allowed: set[str], client: FlaskClient):
    response = client.open(path, method=method)
    assert_problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_options_tells_the_methods(client: FlaskClient):
    response = client.options(RECOMMEND)
    assert (response.status_code, set(response.headers["Allow"].split(", "))) == (200, {"POST", "OPTIONS"})


def test_ready_says_which_version_answers_on_how_many_courses(client: FlaskClient, trained: Any):
    response = client.get("/api/v1/health/ready")
    assert response.get_json() == {
        "status": "ready", "model_version": "v0001", "courses": len(trained.catalog),
        "encoder": trained.matcher.encoder, "degraded": False,
    }  # fmt: skip


def test_without_a_version_the_service_says_how_to_get_one(untrained: FlaskClient):
    for response in (untrained.get("/api/v1/health/ready"), untrained.post(RECOMMEND, json=CONTRACT)):
        assert "quebu train" in assert_problem(response, 503)["detail"]
        assert int(response.headers["Retry-After"]) > 0


def test_a_crash_tells_neither_the_answer_nor_the_log_what_a_person_wrote(
    registry: Path, caplog: pytest.LogCaptureFixture
):
    app = create_app({"REGISTRY": str(registry)})

    @app.post("/crash")
    def crash() -> None:
        raise ValueError(f"cannot handle {request.get_data(as_text=True)}")

    with caplog.at_level(logging.DEBUG):
        response = app.test_client().post("/crash", json=dict(enumerate(SECRETS)))
    problem = assert_problem(response, 500)
    assert "管理员" in problem["detail"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "ValueError" in caplog.text
    assert re.search(r"test_api\.py:\d+", caplog.text)
    assert_silent(response.get_data(as_text=True) + caplog.text)


def assert_silent(text: str) -> None:
    decoded = text.encode().decode("unicode_escape", "ignore")
    assert not [secret for secret in SECRETS if secret in text or secret in decoded]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"level": SECRETS[3]},
        {"severity": SECRETS[0]},
        {"restrictions": [SECRETS[4]]},
        {"weaknesses": [{"text": SECRETS[2] * 200, "kind": SECRETS[4]}]},
        {"scores": {"公文写作": SECRETS[0]}},
        {"completed": SECRETS[0]},
        {"years_in_post": SECRETS[1]},
        {"id": [SECRETS[1]]},
    ],
)  # fmt: skip
def test_no_log_and_no_error_holds_a_name_an_id_or_a_lack(
    broken: dict[str, Any], client: FlaskClient, caplog: pytest.LogCaptureFixture
):
    name, identity, lack, unit, note = SECRETS
    body = {"id": identity, "name": name, "unit": unit, "duty": note, "weaknesses": [{"text": lack}], **broken}
    with caplog.at_level(logging.DEBUG):
        response = client.post(RECOMMEND, json=body)
        cut_off = client.post(
            RECOMMEND, data=json.dumps(body, ensure_ascii=False)[:-2], content_type="application/json"
        )
    assert response.status_code == (422 if broken else 200)
    assert_silent(cut_off.get_data(as_text=True) + caplog.text + (response.get_data(as_text=True) if broken else ""))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(body=st.dictionaries(st.sampled_from([*CONTRACT, "x"]), JSON, max_size=4) | JSON | st.binary(max_size=20))
def test_whatever_is_sent_the_answer_is_a_plan_or_a_problem(app: APIFlask, body: Any):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = app.test_client().post(RECOMMEND, data=data, content_type="application/json")
    if response.status_code != 200:
        assert_problem(response, response.status_code)
        assert response.status_code in {400, 422}
