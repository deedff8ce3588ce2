"""A success has one shape, the plan of the contract. Everything else is a problem (RFC 9457).

A problem is ``application/problem+json``: ``type`` (urn:quebu:error:STATUS), ``title`` and ``detail`` in Chinese, ``title_en``, ``status``,
``request_id`` (that of the header X-Request-ID), and where fields are faulty ``errors``, each with ``field``, ``pointer`` (RFC 6901), ``message``
in Chinese and ``message_en``. It carries the headers the status asks for (Allow, Retry-After).
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
from service.wire.access import allows
from service.wire.errors import MOST_ERRORS

RECOMMEND = "/api/v1/recommendations"
GAPS = "/api/v1/gaps"
MATCHES = "/api/v1/matches"
READERS = [RECOMMEND, GAPS, MATCHES, f"{RECOMMEND}/batch"]  # What reads a body.
CONTRACT = {
    "id": "P1", "name": None, "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "duty": None, "years_in_post": 3,
    "weaknesses": [{"text": "一上台讲话就冒汗", "severity": 3, "kind": None, "source": "组织评价"}], "scores": {"公文写作": 55},
    "completed": [], "hours_available": 24, "hours_done": 16, "online_hours_done": None, "five_year_hours_done": 210, "restrictions": [],
}  # fmt: skip
SECRETS = ("钟离婉", "工号77310", "见了记者就腿软", "云栖街道", "私下里常打麻将")


def assert_problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    body: dict[str, Any] = response.get_json()
    members = ["type", "title", "title_en", "status", "detail", *(["errors"] if "errors" in body else []), "request_id"]
    assert list(body) == members
    assert (body["type"], body["status"]) == (f"urn:quebu:error:{status}", status)
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert all(re.search("[一-鿿]", body[key]) for key in ("title", "detail"))
    assert re.fullmatch("[A-Z][A-Za-z ]+", body["title_en"])
    for error in body.get("errors", []):
        assert list(error) == ["field", "pointer", "message", "message_en"]
        assert error["field"]
        assert error["pointer"].startswith("/") or (error["field"], error["pointer"]) == ("body", "")
        assert re.search("[一-鿿]", error["message"])
        assert re.match("[A-Z]", error["message_en"])
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
    "query",
    [
        "top=0", "top=101", "top=x", "top=", "top=1.5", f"top={'9' * 5000}", "tpo=3", "level_window=11", "level_window=-1", "explain=some", "explain=",
        "model_version=", f"model_version={'v' * 21}", "model_version=v9999", "model_version=..", "model_version=v0001%0A", "excluded=Q0001",
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [RECOMMEND, f"{RECOMMEND}/batch"])
def test_a_query_parameter_out_of_range_or_unknown_is_named(query: str, address: str, client: FlaskClient):
    problem = assert_problem(client.post(f"{address}?{query}", json=CONTRACT), 422)
    name = query.split("=", maxsplit=1)[0]
    assert [(error["field"], error["pointer"]) for error in problem["errors"]] == [(f"query.{name}", f"/query/{name}")]


@pytest.mark.parametrize(
    ("excluded", "place"), [([""], ".0"), (["Q0001", " "], ".1"), (["x" * 201], ".0"), (["Q0001"] * 1001, "")]
)
def test_a_list_of_excluded_courses_that_cannot_be_is_named(excluded: list[str], place: str, client: FlaskClient):
    problem = assert_problem(client.post(RECOMMEND, json=CONTRACT, query_string={"exclude": excluded}), 422)
    assert [error["field"] for error in problem["errors"]] == [f"query.exclude{place}"]


def test_excluded_courses_are_recommended_to_nobody_and_a_gap_left_without_says_so(client: FlaskClient):
    body = {"id": "P1", "weaknesses": [{"text": "一上台讲话就冒汗"}]}
    plan = client.post(f"{RECOMMEND}?top=100", json=body).get_json()
    every = [course["course_id"] for course in plan["recommendations"]]
    assert plan["unmet"] == []
    fewer = client.post(RECOMMEND, json=body, query_string={"exclude": [every[0], every[-1], "nowhere"]}).get_json()
    assert not {every[0], every[-1]} & {course["course_id"] for course in fewer["recommendations"]}
    assert fewer["recommendations"]
    none = client.post(RECOMMEND, json=body, query_string={"exclude": every}).get_json()
    assert none["recommendations"] == []
    assert [unmet["cause"] for unmet in none["unmet"]] == ["被排除"]


def test_the_level_of_explanation_changes_what_is_said_and_nothing_else(client: FlaskClient):
    full, codes, none = (
        client.post(RECOMMEND, json=CONTRACT, query_string={"explain": level}).get_json()
        for level in ("full", "codes", "none")
    )
    assert full == client.post(RECOMMEND, json=CONTRACT).get_json()
    reasons = [reason for course in full["recommendations"] for reason in course["reasons"]]
    assert reasons
    assert all(reason["text"] for reason in reasons)
    for reason in reasons:
        reason["text"] = None
    assert codes == full
    for course in full["recommendations"]:
        course["reasons"] = []
    assert none == full


def test_a_person_of_whom_nothing_is_known_is_told_why_the_answer_is_empty(client: FlaskClient):
    for address in (RECOMMEND, GAPS):
        answer = client.post(address, json={"id": "P1"}).get_json()
        assert answer["gaps"] == []
        assert "短板" in answer["note"]
    plan = client.post(RECOMMEND, json={"id": "P1"}).get_json()
    assert all(course["required"] for course in plan["recommendations"])


@pytest.mark.parametrize(
    "known", [{"weaknesses": [{"text": "怕讲话"}]}, {"post": "镇党委书记", "unit": "青溪镇党委"}, {"scores": {"公文写作": 40}}, {"weaknesses": [{"text": "量子色动力学"}]}]
)  # fmt: skip
def test_who_has_a_gap_is_told_no_such_thing(known: dict[str, Any], client: FlaskClient):
    for address in (RECOMMEND, GAPS):
        answer = client.post(address, json={"id": "P1", **known}).get_json()
        assert answer["gaps"]
        assert "note" not in answer


def test_gaps_alone_are_those_of_the_plan(client: FlaskClient):
    response = client.post(GAPS, json=CONTRACT)
    plan = client.post(RECOMMEND, json=CONTRACT).get_json()
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert list(response.get_json()) == ["id", "gaps", "model_version"]
    assert response.get_json() == {name: plan[name] for name in ("id", "gaps", "model_version")}


def test_gaps_know_no_limits_of_courses(client: FlaskClient):
    problem = assert_problem(client.post(f"{GAPS}?top=3", json=CONTRACT), 422)
    assert [error["field"] for error in problem["errors"]] == ["query.top"]


def test_a_version_that_is_named_answers_and_the_active_one_where_none_is(narrow: APIFlask):
    client = narrow.test_client()
    active = client.post(RECOMMEND, json=CONTRACT)
    assert client.post(f"{RECOMMEND}?model_version=v0001", json=CONTRACT).data == active.data
    # The other version accepts no course, so that every gap stays open.
    other = client.post(f"{RECOMMEND}?model_version=v0002", json=CONTRACT).get_json()
    assert (active.get_json()["model_version"], other["model_version"]) == ("v0001", "v0002")
    assert other["gaps"] == active.get_json()["gaps"]
    assert {unmet["gap"] for unmet in other["unmet"]} == {gap["text"] for gap in other["gaps"]}
    assert client.post(GAPS, json=CONTRACT, query_string={"model_version": "v0002"}).get_json()["gaps"] == other["gaps"]
    assert client.post(RECOMMEND, json=CONTRACT).data == active.data


def test_an_unknown_version_is_told_in_both_languages_and_where_to_find_the_known_ones(client: FlaskClient):
    addresses = [(name, "POST") for name in (RECOMMEND, GAPS, MATCHES, f"{RECOMMEND}/batch")]
    addresses += [("/api/v1/courses", "GET"), ("/api/v1/courses/Q0001", "GET")]
    for address, method in addresses:
        response = client.open(f"{address}?model_version=v9999", method=method, json=CONTRACT)
        (error,) = assert_problem(response, 422)["errors"]
        assert error["field"] == "query.model_version"
        assert all("/api/v1/models" in error[message] for message in ("message", "message_en"))


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


@pytest.mark.parametrize("address", READERS)
def test_a_body_that_is_no_json_is_told_where(address: str, client: FlaskClient):
    response = client.post(address, data='{"id": "P1",\n"post" "科员"}', content_type="application/json")
    assert "第 2 行第 8 个字符" in assert_problem(response, 400)["detail"]


@pytest.mark.parametrize("address", READERS)
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "是空的"),
        (b" \n", "是空的"),
        (b"\xef\xbb\xbf", "是空的"),
        (b"[" * 100_000, "嵌套过深"),
        (b'{"id":' * 100_000, "嵌套过深"),
        (b'{"id": ' + b"9" * 5000 + b"}", "过长的数字"),
        (b'{"id": "\\ud800"}', "残缺的字符"),
        ('{"id": "韩立秋"}'.encode("gb18030"), "UTF-8"),
        ('{"id": "P1"}'.encode("utf-16"), "UTF-8"),
        (b'{"id": "\xff"}', "UTF-8"),
    ],
    ids=["empty", "blank", "bom", "lists", "objects", "integer", "surrogate", "gb18030", "utf-16", "latin"],
)
def test_a_body_that_cannot_be_read_is_told_why(address: str, data: bytes, told: str, client: FlaskClient):
    response = client.post(address, data=data, content_type="application/json")
    assert told in assert_problem(response, 400)["detail"]


HUGE = "9" * 4000  # Short enough to be read, too large to be a float.


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", HUGE, f"-{HUGE}"])
def test_a_number_that_is_none_or_far_too_large_is_named(number: str, client: FlaskClient):
    sent = {
        RECOMMEND: f'{{"id": "P1", "hours_available": {number}, "scores": {{"公文写作": {number}}}}}',
        GAPS: f'{{"id": "P1", "years_in_post": {number}, "weaknesses": [{{"text": "怕讲话", "severity": {number}}}]}}',
        MATCHES: f'{{"top": {number}, "queries": [{{"text": "怕讲话"}}]}}',
    }
    named = {
        RECOMMEND: ["scores.公文写作", "hours_available"],
        GAPS: ["years_in_post", "weaknesses.0.severity"],
        MATCHES: ["top"],
    }
    for address, data in sent.items():
        problem = assert_problem(client.post(address, data=data.encode(), content_type="application/json"), 422)
        assert [error["field"] for error in problem["errors"]] == named[address]


@pytest.mark.parametrize("address", READERS)
def test_brackets_of_any_depth_are_refused(address: str, client: FlaskClient):
    # Around the depth that Python can just read, one step of the service has room for them and the next one has not.
    for depth in (*range(1, 10), *range(800, 1010, 2)):
        data = f'{{"id": "P1", "x": {"[" * depth}{"]" * depth}}}'
        response = client.post(address, data=data, content_type="application/json")
        assert response.status_code in {400, 422}
        assert_problem(response, response.status_code)


def test_a_byte_order_mark_before_a_body_is_no_fault(client: FlaskClient):
    data = b"\xef\xbb\xbf" + json.dumps(CONTRACT).encode()
    response = client.post(RECOMMEND, data=data, content_type="application/json")
    assert response.data == client.post(RECOMMEND, json=CONTRACT).data


@pytest.mark.parametrize("address", READERS)
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
def test_a_body_of_another_type_is_told_what_would_be_right(
    address: str, content_type: str | None, client: FlaskClient
):
    response = client.post(address, data='{"id": "P1"}', content_type=content_type)
    detail = assert_problem(response, 415)["detail"]
    assert "application/json" in detail
    assert ("application/x-ndjson" in detail) == address.endswith("batch")


@pytest.mark.parametrize("address", READERS)
def test_a_body_that_is_too_large_is_told_the_limit_of_its_address(address: str, narrow: APIFlask):
    most = 2 if address.endswith("batch") else 1
    types = ["application/json", *(["application/x-ndjson"] if address.endswith("batch") else [])]
    for content_type in types:
        response = narrow.test_client().post(address, data=b" " * (most * 2**20 + 1), content_type=content_type)
        assert f" {most} MB" in assert_problem(response, 413)["detail"]


def test_an_unknown_address_is_a_problem_too(client: FlaskClient):
    for path in (
        "/api/v1/nothing",
        "/api/v2/recommendations",
        f"{RECOMMEND}/",
        "/api/v1/courses/",
        "/api/v1//courses",
        "//api/v1/courses",
        "/api/v1/models/v0001/",
        "/favicon.ico",
        "/static/../settings.py",
    ):
        assert_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [*((method, address, {"POST", "OPTIONS"}) for method in ("GET", "PUT", "DELETE") for address in (RECOMMEND, GAPS, MATCHES)),
     *(("POST", f"/api/v1/{name}", {"GET", "HEAD", "OPTIONS"}) for name in ("courses", "courses/Q1", "competencies", "posts", "models/v1", "health/live")),
     ("DELETE", "/", {"GET", "HEAD", "OPTIONS"}), ("POST", "/api/v1/health/ready", {"GET", "HEAD", "OPTIONS"})],
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


def test_live_says_that_the_process_answers_whether_it_is_ready_or_not(client: FlaskClient, untrained: FlaskClient):
    for one in (client, untrained):
        response = one.get("/api/v1/health/live")
        assert (response.status_code, response.get_json()) == (200, {"status": "live"})


def test_without_a_version_the_service_says_how_to_get_one(untrained: FlaskClient):
    asked = [untrained.post(address, json=CONTRACT) for address in READERS]
    asked += [
        untrained.get(f"/api/v1/{name}") for name in ("health/ready", "courses", "courses/Q1", "competencies", "posts")
    ]
    for response in asked:
        assert "quebu train" in assert_problem(response, 503)["detail"]
        assert int(response.headers["Retry-After"]) > 0


def test_a_crash_tells_neither_the_answer_nor_the_log_what_a_person_wrote(
    registry: Path, caplog: pytest.LogCaptureFixture
):
    app = create_app({"REGISTRY": str(registry), "LOCAL": True})

    @app.post("/crash")
    @app.extensions["csrf"].exempt
    @allows(None)
    def crash() -> None:
        raise ValueError(f"cannot handle {request.get_data(as_text=True)}")

    with caplog.at_level(logging.DEBUG):
        response = app.test_client().post("/crash", json=dict(enumerate(SECRETS)))
    problem = assert_problem(response, 500)
    assert "管理员" in problem["detail"]
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == ["ERROR"]
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


@given(
    body=st.dictionaries(st.sampled_from([*CONTRACT, "x"]), JSON, max_size=4) | JSON | st.binary(max_size=20),
    address=st.sampled_from([RECOMMEND, GAPS, MATCHES]),
)
def test_whatever_is_sent_the_answer_is_a_plan_or_a_problem(app: APIFlask, body: Any, address: str):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = app.test_client().post(address, data=data, content_type="application/json")
    if response.status_code != 200:
        assert_problem(response, response.status_code)
        assert response.status_code in {400, 422}
