"""课程目录: searched as the interface searches, each course with all that is known of it; what the catalog leaves out; who may see what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model.recommender import Recommender
from service import create_app
from service.store import keys, overrides
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role
from tests.service.pages.consoleforms import followed, send, words, work

LIST = "/course-list"


def bearer(store: Database, role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(store, By('test'), 'x', role, 1)}"}


def linked(page: str) -> list[str]:
    return re.findall(r'href="/course-list/courses/([^"]+)"', page)


def test_the_catalog_is_shown_page_by_page_and_every_course_once(client: FlaskClient, trained: Recommender):
    found, number = [], 1
    while True:
        page = client.get(f"{LIST}?page={number}").get_data(as_text=True)
        found += linked(page)
        if f"page={number + 1}" not in page:
            break
        number += 1
    assert found == list(trained.catalog.row_of)


@pytest.mark.parametrize("q", ["公文 写作", "Ｑ０６５７", "这里没有这样的课", "<b>"])
def test_a_search_finds_what_the_interface_finds(q: str, client: FlaskClient):
    told = client.get("/api/v1/courses", query_string={"q": q, "limit": 50}).get_json()
    page = client.get(LIST, query_string={"q": q})
    assert linked(page.get_data(as_text=True)) == [one["id"] for one in told["courses"]]
    assert f"找到 {told['total']} 门" in words(page)
    assert "<b>" not in page.get_data(as_text=True)


def test_a_course_is_shown_with_its_fields_what_it_teaches_and_what_came_of_it(client: FlaskClient):
    told = client.get("/api/v1/courses/Q0578").get_json()
    page = words(client.get(f"{LIST}/courses/Q0578"))
    for name in ("id", "title", "summary", "category", "competency", "mode", "provider"):
        assert " ".join(told[name].split()) in page, name
    assert client.get("/api/v1/courses/Q0578/outcomes").get_json()["sentence"] in page
    assert client.get(f"{LIST}/courses/nowhere").status_code == 404


def test_an_awkward_id_leads_to_its_course(narrow: APIFlask, versions: Any):
    client = narrow.test_client()
    last = linked(client.get(f"{LIST}?page=99").get_data(as_text=True))[-1]
    assert client.get(f"{LIST}/courses/{last}").status_code == 200


def test_readers_read_the_catalog_but_not_what_was_said_and_see_no_way_to_change_it(
    caller: FlaskClient, own_store: Database
):
    overrides.reject(own_store, By("key:one"), "Q0578", reason="教材过时", title="新人第一课：公文写作基本规范")
    seen = {}
    for role in (Role.READER, Role.PLANNER, Role.CURATOR):
        seen[role] = caller.get(f"{LIST}/courses/Q0578", headers=bearer(own_store, role)).get_data(as_text=True)
    assert "教材过时" not in seen[Role.READER]
    assert "教材过时" in seen[Role.PLANNER]
    assert "/curating/said" not in seen[Role.READER]
    assert "更正所教能力" not in seen[Role.PLANNER]
    assert "更正所教能力" in seen[Role.CURATOR]


def test_where_no_version_answers_the_way_to_the_first_one_is_shown(untrained: FlaskClient):
    page = untrained.get(LIST)
    assert page.status_code == 200
    assert 'href="/course-list/new"' in page.get_data(as_text=True)
    assert untrained.get("/course-list/new").status_code == 200


def test_what_the_catalog_leaves_out_is_what_the_interface_says(client: FlaskClient):
    told = client.get("/api/v1/coverage").get_json()
    page = words(client.get(f"{LIST}/coverage"))
    assert f"没有课的能力（{told['missing']} 项）" in page
    for one in told["competencies"]:
        if not one["courses"]:
            assert one["name"] in page
            assert one["nearest"]["title"] in page
    assert "现在没有" in page, "there is no roster on the desk"


def test_with_a_roster_on_the_desk_it_is_told_who_needs_what_and_what_nobody_is_recommended(
    caller: FlaskClient, trained: Recommender
):
    assert "按工作台上的名册统计" not in words(caller.get(f"{LIST}/coverage"))
    assert "请先读入一份" in followed(caller, send(caller, f"{LIST}/coverage/roster"))
    send(caller, "/roster/sample")
    assert "按工作台上的名册统计" in words(caller.get(f"{LIST}/coverage"))
    page = followed(caller, send(caller, f"{LIST}/coverage/roster"))
    left = re.search(r"下面 (\d+) 门课没有推荐给任何人", page)
    assert left
    assert 0 < int(left[1]) < len(trained.catalog)
    assert "工作台上的名册有 80 人" in page
    assert "名册上需要的人数" in page


def test_what_was_counted_is_shown_no_more_once_the_roster_or_what_was_said_is_another(
    caller: FlaskClient, own_store: Database
):
    send(caller, "/roster/sample")
    send(caller, f"{LIST}/coverage/roster")
    assert "门课没有推荐给任何人" in words(caller.get(f"{LIST}/coverage"))
    made = overrides.reject(own_store, By("key:one"), "Q0578", reason="教材过时")
    assert "门课没有推荐给任何人" not in words(caller.get(f"{LIST}/coverage"))
    overrides.revert(own_store, By("key:one"), made.id)
    assert "门课没有推荐给任何人" in words(caller.get(f"{LIST}/coverage"))
    send(caller, "/roster/clear")
    assert "现在没有" in words(caller.get(f"{LIST}/coverage"))


def test_a_roster_too_large_to_be_waited_for_is_counted_by_a_job(own: dict[str, Any]):
    app = create_app({**own, "MAX_COHORT": 10})
    client = app.test_client()
    send(client, "/roster/sample")
    answer = send(client, f"{LIST}/coverage/roster")
    assert answer.location.startswith("/waiting/")
    work(app)
    collect = re.search(
        r'action="(/course-list/coverage/collected/\w+)"', client.get(answer.location).get_data(as_text=True)
    )
    assert collect
    assert "工作台上的名册有 80 人" in followed(client, send(client, collect[1]))
