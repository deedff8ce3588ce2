"""Who of many lacks what, over HTTP: as JSON, from a file, by a job."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient

SAMPLE = Path(__file__).parents[3] / "training_data" / "roster_sample.xlsx"
GAPS = "/api/v1/cohorts/gaps"
PEOPLE = [
    {"id": "P1", "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "weaknesses": [{"text": "一上台讲话就冒汗"}]},
    {"id": "P2", "unit": "市统计局"},
]  # fmt: skip


def test_a_cohort_is_told_what_it_lacks_and_all_sums_agree(client: FlaskClient):
    told = client.post(GAPS, json={"people": PEOPLE}).get_json()
    everything = sum(len(one["gaps"]) for one in told["results"])
    assert (told["people"], told["gaps"], told["reading"]) == (2, everything, None)
    assert [one["axis"] for one in told["maps"]] == ["单位", "层级"]
    assert all(sum(row["total"] for row in one["rows"]) == everything for one in told["maps"])
    assert told["silent"] == ["P2"]


def test_each_persons_gaps_are_those_that_are_told_of_them_alone(client: FlaskClient):
    told = client.post(GAPS, json={"people": PEOPLE[:1]}).get_json()["results"][0]["gaps"]
    alone = client.post("/api/v1/gaps", json=PEOPLE[0]).get_json()["gaps"]
    assert [{name: gap[name] for name in alone[0]} for gap in told] == alone


def test_a_roster_as_a_file_is_accounted_for(client: FlaskClient):
    form = {"roster": (io.BytesIO(SAMPLE.read_bytes()), "名册.xlsx")}
    told = client.post(GAPS, data=form, content_type="multipart/form-data").get_json()
    assert told["people"] == told["reading"]["read"] == 80


def test_who_would_rather_wait_gets_a_job(client: FlaskClient):
    answer = client.post(GAPS, json={"people": PEOPLE}, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.get_json()["kind"]) == (202, "gaps")
    assert client.delete(answer.headers["Location"]).status_code == 204


@pytest.mark.parametrize("query", ["common=2", "common=x", "top=3", "explain=none", "as_of=gestern"])
def test_what_is_not_asked_here_is_refused(client: FlaskClient, query: str):
    assert client.post(f"{GAPS}?{query}", json={"people": PEOPLE}).status_code == 422
