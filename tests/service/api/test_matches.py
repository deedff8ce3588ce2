"""What ``quebu match`` answers, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from model.recommender import Recommender
from service.api.matches import MOST_QUERIES
from service.shapes.schemas import dump_answer

MATCHES = "/api/v1/matches"
TEXTS = ("一上台讲话就冒汗", "公文写作不规范；不会应急处突", "不缺写作能力", "量子色动力学", "一上台讲话就冒汗")


def fields_of(response: Any) -> list[str]:
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    return [error["field"] for error in response.get_json()["errors"]]


def test_each_text_gets_the_answer_of_the_command_line_in_the_order_given(client: FlaskClient, trained: Recommender):
    queries = [{"id": number, "text": text} for number, text in enumerate(TEXTS)]
    response = client.post(MATCHES, json={"queries": queries, "top": 3})
    assert (response.status_code, response.content_type) == (200, "application/json")
    expected = zip(range(len(TEXTS)), trained.answer(TEXTS, 3), strict=True)
    assert response.get_json() == {"results": [dump_answer(number, answer, "v0001") for number, answer in expected]}
    first = response.get_json()["results"][0]
    assert list(first) == ["id", "text", "matches", "answerable", "model_version"]
    assert [tuple(match) for match in first["matches"]] == [("course_id", "title", "relevance")] * 3


def test_matches_are_best_first_and_say_whether_the_catalog_can_answer(client: FlaskClient):
    queries = [{"text": text} for text in TEXTS[:3]]
    speech, two, none = client.post(MATCHES, json={"queries": queries}).get_json()["results"]
    assert [result["answerable"] for result in (speech, two, none)] == [True, True, False]
    assert [len(result["matches"]) for result in (speech, two, none)] == [10, 10, 0]
    relevances = [match["relevance"] for match in speech["matches"]]
    assert relevances == sorted(relevances, reverse=True)
    assert all(0 <= relevance <= 1 for relevance in relevances)


def test_a_text_is_answered_the_same_alone_and_among_others(client: FlaskClient):
    together = client.post(MATCHES, json={"queries": [{"text": text} for text in TEXTS]}).get_json()["results"]
    alone = [client.post(MATCHES, json={"queries": [{"text": text}]}).get_json()["results"][0] for text in TEXTS]
    assert together == alone


@pytest.mark.parametrize("identity", ["组-1 <b>&😀", "", 0, -7, 10**30, None])
def test_an_id_comes_back_as_it_was_given(identity: Any, client: FlaskClient):
    (result,) = client.post(MATCHES, json={"queries": [{"id": identity, "text": "怕讲话"}]}).get_json()["results"]
    assert (result["id"], type(result["id"])) == (identity, type(identity))


def test_a_query_may_carry_fields_of_its_callers_and_ids_may_repeat(client: FlaskClient):
    query = {"id": 1, "text": "怕讲话", "style": "idiom", "level": ["x"]}
    first, second = client.post(MATCHES, json={"queries": [query, query], "top": 1}).get_json()["results"]
    assert first == second


@pytest.mark.parametrize("top", [1, 100])
def test_top_is_the_number_of_matches(top: int, client: FlaskClient):
    (result,) = client.post(MATCHES, json={"queries": [{"text": "怕讲话"}], "top": top}).get_json()["results"]
    assert len(result["matches"]) == top


GOOD = {"text": "怕讲话"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["queries"]),
        ([], ["body"]),
        ({"queries": []}, ["queries"]),
        ({"queries": [GOOD] * (MOST_QUERIES + 1)}, ["queries"]),
        ({"queries": GOOD}, ["queries"]),
        ({"queries": None}, ["queries"]),
        ({"queries": [GOOD, "怕讲话", None, {}, {"text": ""}, {"text": " "}, {"text": 7}, {"text": "长" * 501}]},
         ["queries.1", "queries.2", "queries.3.text", "queries.4.text", "queries.5.text", "queries.6.text", "queries.7.text"]),
        ({"queries": [{**GOOD, "id": wrong} for wrong in (True, 1.5, [], {})]}, [f"queries.{n}.id" for n in range(4)]),
        *(({"queries": [GOOD], "top": top}, ["top"]) for top in (0, 101, -1, "3", 2.5, True, None, [])),
        ({"queries": [GOOD], "tpo": 3}, ["tpo"]),
    ],
)  # fmt: skip
def test_every_faulty_field_is_named(body: Any, fields: list[str], client: FlaskClient):
    assert fields_of(client.post(MATCHES, json=body)) == fields


def test_a_query_parameter_that_is_none_is_named(client: FlaskClient):
    assert fields_of(client.post(f"{MATCHES}?top=3", json={"queries": [GOOD]})) == ["query.top"]


def test_an_error_repeats_nothing_of_the_texts(client: FlaskClient):
    body = {"queries": [{"id": ["工号77310"], "text": "见了记者就腿软" * 200}, {"text": ["钟离婉"]}], "top": "云栖街道"}
    told = json.dumps(client.post(MATCHES, json=body).get_json(), ensure_ascii=False)
    assert not [secret for secret in ("工号77310", "腿软", "钟离婉", "云栖") if secret in told]
