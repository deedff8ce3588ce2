"""GET /coverage: each competency of the table, with the courses that would serve it."""

from __future__ import annotations

from flask.testing import FlaskClient

from model.recommender import Recommender

COVERAGE = "/api/v1/coverage"


def test_every_competency_is_told_and_the_missing_ones_add_up(client: FlaskClient, trained: Recommender):
    told = client.get(COVERAGE).get_json()
    found = told["competencies"]
    assert [one["name"] for one in found] == [one.name for one in trained.lexicon.competencies]
    assert (told["total"], told["missing"]) == (len(found), sum(one["courses"] == 0 for one in found))
    assert 0 < told["missing"] < told["total"]
    assert told["model_version"] == trained.version
    for one in found:
        assert one["nearest"]["course_id"] in trained.catalog.row_of
        assert (one["nearest"]["relevance"] >= trained.accepted) == (one["courses"] > 0)


def test_a_competency_has_a_course_where_a_gap_of_its_name_has_one(client: FlaskClient):
    found = client.get(COVERAGE).get_json()["competencies"]
    asked = [one["name"] for one in found][::23]
    body = {"queries": [{"text": name} for name in asked]}
    answers = client.post("/api/v1/matches", json=body).get_json()["results"]
    covered = {one["name"]: one["courses"] > 0 for one in found}
    assert [one["answerable"] for one in answers] == [covered[name] for name in asked]


def test_it_is_read_again_only_where_it_has_changed(client: FlaskClient):
    tag = client.get(COVERAGE).headers["ETag"]
    assert client.get(COVERAGE, headers={"If-None-Match": tag}).status_code == 304
