"""待确认与调整: what is confirmed, said and taken back on the pages is at work at once; planners take back their own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model.domain import Course
from model.versions.registry import Registry
from service import create_app
from service.store import logins, overrides
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role
from tests.model.test_recommender import COURSES, train
from tests.service.pages.consoleforms import followed, send, words

CURATING, SAID = "/curating", "/curating/said"
PASSWORD = "一句好记的话，比符号安全"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A version of a list that states no competencies, with more courses to confirm than a page shows."""
    store = Registry(tmp_path / "registry")
    courses = [*COURSES, *(Course(f"d{number:02}", f"随便聊聊之{number}") for number in range(25))]
    known = train(courses)
    store.activate(store.save(lambda version: replace(known, version=version), {}))
    return store.folder


def asked(page: str) -> list[str]:
    """The courses that are to be confirmed on a page."""
    return re.findall(r'name="course_id" value="([^"]+)"', page)


def said_now(caller: FlaskClient) -> list[dict[str, Any]]:
    return list(caller.get("/api/v1/overrides").get_json()["overrides"])


def test_the_courses_to_confirm_are_those_of_the_interface_page_by_page(caller: FlaskClient):
    told = caller.get("/api/v1/course-reviews?limit=500").get_json()
    pages = [caller.get(f"{CURATING}?page={number}").get_data(as_text=True) for number in (1, 2)]
    assert [course for page in pages for course in asked(page)] == [one["course_id"] for one in told["reviews"]]
    assert f"待确认的课程（{told['total']} 门）" in words(caller.get(CURATING))


def test_what_is_confirmed_is_at_work_at_once_and_asked_no_more(caller: FlaskClient):
    course = asked(caller.get(CURATING).get_data(as_text=True))[0]
    form = {
        "kind": "teaches",
        "course_id": course,
        "competencies": ["公文写作", ""],
        "reason": "看过讲稿",
        "next": CURATING,
    }
    page = followed(caller, send(caller, SAID, **form))
    assert "已记下" in page
    assert course not in asked(caller.get(CURATING).get_data(as_text=True))
    assert caller.get(f"/api/v1/courses/{course}").get_json()["competency"] == "公文写作"
    assert "人工确认的： 公文写作" in words(caller.get(f"/course-list/courses/{course}"))
    (made,) = said_now(caller)
    assert (made["kind"], made["competencies"], made["reason"]) == ("teaches", ["公文写作"], "看过讲稿")
    followed(caller, send(caller, f"{SAID}/{made['id']}/revert"))
    assert course in asked(caller.get(CURATING).get_data(as_text=True))


def test_a_course_that_teaches_nothing_of_the_table_is_said_to(caller: FlaskClient):
    form = {"kind": "teaches", "course_id": "c4", "competencies": ["公文写作"], "nothing": "1", "reason": "兴趣课"}
    followed(caller, send(caller, SAID, **form))
    assert [one["competencies"] for one in said_now(caller)] == [[]]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"kind": "synonym", "word": "扎口子", "competencies": ["公文写作"]}, "扎口子"),
        ({"kind": "pin", "course_id": "c4", "gap": "写材料没有观点"}, "对短板“写材料没有观点”"),
        ({"kind": "pin", "course_id": "c4", "competencies": ["公文写作"]}, "对能力“公文写作”"),
        ({"kind": "pin", "course_id": "c4"}, "所有人必修"),
        ({"kind": "reject", "course_id": "c4"}, "对所有人"),
        ({"kind": "reject", "course_id": "c1", "gap": "写材料没有观点"}, "公文写作十讲"),
    ],
)
def test_what_is_said_is_listed_with_who_when_and_why_and_taken_back(
    form: dict[str, Any], told: str, caller: FlaskClient
):
    page = followed(caller, send(caller, SAID, reason="本校的说法", **form))
    for part in (told, "本校的说法", "本机", "起作用"):
        assert part in page
    (made,) = said_now(caller)
    page = followed(caller, send(caller, f"{SAID}/{made['id']}/revert"))
    assert "还没有这样的调整" in page
    assert "已撤销（本机" in words(caller.get(f"{SAID}?reverted=1"))
    assert said_now(caller) == []


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"kind": "synonym", "word": "字", "competencies": ["公文写作"], "reason": "。"}, "应为 2 到 30 个字"),
        ({"kind": "synonym", "word": "扎口子", "competencies": ["飞天遁地"], "reason": "。"}, "不认识的能力“飞天遁地”"),
        ({"kind": "pin", "course_id": "gone", "reason": "。"}, "课程目录里没有这个编号"),
        ({"kind": "reject", "course_id": "c4"}, "缺少这一项"),
        ({"kind": "teaches", "course_id": "c4", "reason": "。"}, "请写明所教的能力"),
        ({"kind": "other", "reason": "。"}, "应为"),
    ],
)
def test_what_does_not_fit_comes_back_with_its_form_and_changes_nothing(
    form: dict[str, Any], told: str, caller: FlaskClient
):
    answer = send(caller, SAID, **form)
    assert answer.status_code == 422
    assert told in words(answer)
    content = answer.get_data(as_text=True)
    assert all(f'value="{value}"' in content for name, value in form.items() if name in {"word", "course_id"})
    assert said_now(caller) == []


def test_a_form_leads_back_to_pages_of_this_service_alone(caller: FlaskClient):
    form = {"kind": "reject", "course_id": "c4", "reason": "教材过时"}
    assert send(caller, SAID, **form, next="//other.site").location == "/"
    assert send(caller, SAID, **form, next="/curating?page=2").location == "/curating?page=2"


def test_the_list_is_narrowed_to_one_kind(caller: FlaskClient):
    send(caller, SAID, kind="reject", course_id="c4", reason="教材过时")
    send(caller, SAID, kind="synonym", word="扎口子", competencies=["公文写作"], reason="本校的说法")
    page = words(caller.get(f"{SAID}?kind=synonym"))
    assert "本校的说法" in page
    assert "教材过时" not in page
    assert "人工调整（2 条）" in page


def test_planners_see_what_was_said_take_back_their_own_and_say_nothing_themselves(
    own: dict[str, Any], cheap_passwords: None
):
    app: APIFlask = create_app({**own, "LOCAL": False})
    store: Database = app.extensions["quebu.store"]
    logins.create(store, By("test"), "zhang.wei", Role.PLANNER, PASSWORD)
    mine = overrides.reject(store, By("account:zhang.wei"), "c1", "写材料没有观点", reason="不对口")
    other = overrides.reject(store, By("account:li.na"), "c2", "突发事件现场乱", reason="教材过时")
    planner = app.test_client()
    send(planner, "/login", account="zhang.wei", password=PASSWORD)
    page = planner.get(SAID).get_data(as_text=True)
    assert "不对口" in page
    assert "教材过时" in page
    assert f"{SAID}/{mine.id}/revert" in page
    assert f"{SAID}/{other.id}/revert" not in page
    assert asked(planner.get(CURATING).get_data(as_text=True)) == [], "seen, but not to be confirmed"
    assert "已撤销，立即生效" in followed(planner, send(planner, f"{SAID}/{mine.id}/revert"))
    assert send(planner, f"{SAID}/{other.id}/revert").status_code == 403
    assert send(planner, f"{SAID}/999/revert").status_code == 404
    assert send(planner, SAID, kind="reject", course_id="c4", reason="。").status_code == 403
    assert [one.id for one in overrides.listed(store, 0, 10)] == [other.id]
