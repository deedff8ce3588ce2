"""缺什么: the same numbers as the interface gives, each of which leads to its people; a person's page, and what a planner says there."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from service import create_app
from tests.service.pages.consoleforms import followed, send, work

PEOPLE = [
    {"id": "P1", "name": "甲某某", "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "weaknesses": [{"text": "一上台讲话就冒汗"}]},
    {"id": "P2", "name": "乙某某", "unit": "市统计局", "weaknesses": [{"text": "公文写作不规范"}]},
    {"id": "P3", "name": "丙某某", "unit": "市统计局"},
]  # fmt: skip


@pytest.fixture
def given(caller: FlaskClient) -> FlaskClient:
    """A planner with a roster on the desk."""
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in PEOPLE).encode()
    assert send(caller, "/roster", **{"roster": (BytesIO(lines), "名册.jsonl")}).status_code == 303
    return caller


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return unescape(answer.get_data(as_text=True))


def facts(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<dd>(?:<a[^>]*>)?(\d+)", page)]


def test_the_page_counts_what_the_interface_counts(given: FlaskClient):
    told = given.post("/api/v1/cohorts/gaps", json={"people": PEOPLE}).get_json()
    common = sum(need["common"] for need in told["needs"])
    assert facts(text_of(given, "/diagnosis")) == [told["people"], told["gaps"], common, len(told["silent"])]


@pytest.mark.parametrize("axis", ["单位", "层级"])
@pytest.mark.parametrize("reason", ["", "lack", "duty"])
def test_each_number_of_the_map_leads_to_as_many_gaps(given: FlaskClient, axis: str, reason: str):
    page = text_of(given, f"/diagnosis?axis={axis}&reason={reason}")
    links = re.findall(
        r'<a href="(/diagnosis/people\?[^"]*need=[^"]*row=[^"]*|/diagnosis/people\?[^"]*row=[^"]*need=[^"]*)">(\d+)</a>',
        page,
    )
    assert links
    for address, count in links:
        assert f"人，{count} 条。" in text_of(given, address)


def test_of_whom_nothing_is_known_is_told(given: FlaskClient):
    text_of(given, "/diagnosis")
    page = text_of(given, "/diagnosis/people?silent=1")
    assert "丙某某" in page
    assert "甲某某" not in page


def test_people_are_found_by_name(given: FlaskClient):
    text_of(given, "/diagnosis")
    page = text_of(given, "/diagnosis/people?text=乙某")
    assert ("乙某某" in page, "甲某某" in page) == (True, False)


def test_a_persons_page_tells_both_reasons_and_their_sum(given: FlaskClient):
    page = text_of(given, "/people/0")
    told = given.post("/api/v1/recommendations", json=PEOPLE[0]).get_json()
    for one in told["recommendations"]:
        assert one["title"] in page
        if not one["required"]:
            assert f"合计 {one['score']:.2f} = 岗位 {one['duty_score']:.2f} + 短板 {one['lack_score']:.2f}" in page
    for one in told["unmet"]:
        assert f"{one['gap']}：<strong>{one['cause']}</strong>" in page


def test_what_is_rejected_is_gone_and_can_be_seen_with_its_reason(given: FlaskClient):
    told = given.post("/api/v1/recommendations", json=PEOPLE[1]).get_json()
    first = next(one for one in told["recommendations"] if not one["required"])
    gap = next(reason["gap"] for reason in first["reasons"] if reason["gap"])
    said = {"verdict": "reject", "course_id": first["course_id"], "gap": gap, "scope": "gap", "reason": "太浅"}
    assert send(given, "/people/1/feedback", **said).status_code == 303
    assert f"<h3>1. {first['title']}" not in text_of(given, "/people/1")
    (kept,) = given.get("/api/v1/overrides").get_json()["overrides"]
    assert (kept["course_id"], kept["reason"]) == (first["course_id"], "太浅")


@pytest.mark.parametrize(
    "said",
    [{"verdict": "reject"}, {"verdict": "replace", "reason": "x"}, {"verdict": "nonsense"}, {"verdict": "accept", "course_id": "nirgends"}],
)  # fmt: skip
def test_what_is_half_said_is_not_kept_and_the_page_says_so(given: FlaskClient, said: dict[str, str]):
    course = given.get("/api/v1/courses?limit=1").get_json()["courses"][0]["id"]
    send(given, "/people/1/feedback", **{"course_id": course, "gap": "公文写作不规范", **said})
    assert "没有记下" in text_of(given, "/people/1")
    assert given.get("/api/v1/feedback").get_json()["feedback"] == []


def test_without_a_roster_one_is_asked_for(caller: FlaskClient):
    for path in ("/diagnosis", "/people/0", "/diagnosis/people"):
        answer = caller.get(path, follow_redirects=True)
        assert "从一份花名册开始" in answer.get_data(as_text=True)


def test_a_large_roster_is_worked_on_in_the_background_and_ends_on_the_same_page(
    given: FlaskClient, own: dict[str, Any]
):
    told = facts(text_of(given, "/diagnosis"))
    app = create_app(own | {"MAX_COHORT": 2})
    client = app.test_client()
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in PEOPLE).encode()
    send(client, "/roster", roster=(BytesIO(lines), "名册.jsonl"))
    begun = client.get("/diagnosis")
    assert (begun.status_code, begun.location[:9]) == (303, "/waiting/")
    assert "已排队" in text_of(client, begun.location)
    work(app)
    page = text_of(client, begun.location)
    collected = re.findall(r'action="(/diagnosis/collected/[^"]+)"', page)[0]
    followed(client, send(client, collected))
    assert facts(text_of(client, "/diagnosis")) == told
    # Of the job nothing is left: what it found lies on the desk.
    assert client.get("/api/v1/jobs").get_json()["jobs"] == []
