"""The courses whose competencies were not surely read: every one once, the least sure first, gone once somebody has said what they teach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from test_feedback_api import API, fields_of, post

from model.domain import Course
from model.versions.registry import Registry
from tests.model.test_recommender import COURSES, train


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A version of a list that states no competencies."""
    store = Registry(tmp_path / "registry")
    courses = [*COURSES, *(Course(f"d{number}", title) for number, title in enumerate(("随便聊聊", "下棋", "品茗")))]
    known = train(courses)
    store.activate(store.save(lambda version: replace(known, version=version), {}))
    return store.folder


def pages(caller: FlaskClient, limit: int) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while cursor is not None:
        page = caller.get(f"{API}/course-reviews", query_string={"limit": limit, "cursor": cursor}).get_json()
        found += page["reviews"]
        cursor = page["next"]
        assert page["total"] >= len(found)
    return found


def test_every_course_to_look_at_comes_once_and_the_least_sure_first(caller: FlaskClient):
    whole = caller.get(f"{API}/course-reviews?limit=500").get_json()
    assert len(whole["reviews"]) > 2
    assert pages(caller, 2) == whole["reviews"]
    ids = [one["course_id"] for one in whole["reviews"]]
    assert len(set(ids)) == len(ids) == whole["total"] == whole["known"]["unsure"] + whole["known"]["unrecognised"]
    surely = [one["competencies"][0]["probability"] if one["competencies"] else 0.0 for one in whole["reviews"]]
    assert surely == sorted(surely)
    total = caller.get(f"{API}/courses?limit=1").get_json()["total"]
    assert sum(whole["known"].values()) == total


def test_a_corrected_course_is_no_longer_asked_about_until_the_correction_is_reverted(caller: FlaskClient):
    first = caller.get(f"{API}/course-reviews?limit=1").get_json()
    course = first["reviews"][0]["course_id"]
    said = {"kind": "teaches", "course_id": course, "competencies": ["公文写作"], "reason": "看过讲稿"}
    made = post(caller, "/overrides", said, 201).get_json()
    after = caller.get(f"{API}/course-reviews?limit=500").get_json()
    assert course not in {one["course_id"] for one in after["reviews"]}
    assert (after["total"], after["known"]["said"]) == (first["total"] - 1, 1)
    assert caller.get(f"{API}/courses/{course}").get_json()["competency"] == "公文写作"
    caller.delete(f"{API}/overrides/{made['id']}")
    assert caller.get(f"{API}/course-reviews?limit=1").get_json() == first


def test_a_cursor_of_ones_own_is_refused(caller: FlaskClient):
    response = caller.get(f"{API}/course-reviews?cursor=abc")
    assert (response.status_code, fields_of(response)) == (422, ["/query/cursor"])
