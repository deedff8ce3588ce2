"""补什么: from the form to a plan, what a change would bring, and back."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import g
from flask import session as cookie
from openpyxl import load_workbook
from sqlalchemy import select

from service import create_app
from service.jobs.hand import do
from service.pages.plans import variants
from service.pages.plans.asking import DEFAULTS
from service.store import keys, leases
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role
from service.store.tables import audit, piece
from service.wire.places import AT_ONCE, Places
from tests.service.pages.planner import Planner


@pytest.fixture
def planned(planner: Planner) -> Planner:
    planner.plans()
    return planner


def test_without_a_roster_the_way_leads_to_it(home: APIFlask):
    answer = home.test_client().get("/plan")
    assert (answer.status_code, answer.location) == (303, "/roster")


def test_the_form_as_it_is_gives_a_plan_with_one_click(planner: Planner):
    page = planner.go("/plan")
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]* value="([^"]*)"', page))
    fields |= dict(re.findall(r'<select[^>]*name="([^"]+)".*?<option value="([^"]*)" selected', page, re.DOTALL))
    answer = planner.send(
        "/plan", **{name: text for name, text in fields.items() if name not in {"csrf_token", "next"}}
    )
    assert (answer.status_code, answer.location) == (303, "/plan/1")
    assert "方案 1：专题班" in planner.words()


def test_a_plan_tells_how_good_it_is_what_it_closes_and_who_is_missed(planned: Planner):
    words = planned.words()
    for told in (
        "已证明最优",
        "按分量",
        "主要补什么",
        "谁漏下了",
        "学时不足",
        "缺课清单",
        "课表草案",
        "第 1 天",
        "全部报表",
    ):
        assert told in words, told
    assert re.search(r'href="/people/\d+"', planned.page), "whoever is missed is one click away"


def test_every_report_is_shown_as_a_table_with_the_names_of_the_roster(planned: Planner):
    places = {int(one) for one in re.findall(r'href="/plan/1/sheets/(\d+)"', planned.page)}
    assert places == set(range(len(places)))
    assert len(places) >= 17
    for place in sorted(places):
        page = planned.go(f"/plan/1/sheets/{place}")
        assert "⟦" not in page
        assert '<th scope="col"' in page
    assert planned.client.get(f"/plan/1/sheets/{len(places)}").status_code == 404


def test_a_long_report_is_read_page_by_page(planned: Planner):
    first = planned.go("/plan/1/sheets/16")
    assert "第 1/" in planned.words()
    assert planned.go("/plan/1/sheets/16?page=2") != first
    assert len(re.findall(r"<tr>", first)) <= 102


def test_the_heat_map_is_coloured_by_what_it_counts(planned: Planner):
    page = planned.go("/plan/1/sheets/7")
    shades = set(re.findall(r"<td class=\"(heat-\d)", page))
    assert "heat-5" in shades
    assert shades <= {f"heat-{number}" for number in range(1, 6)}


def test_no_name_of_the_roster_is_in_the_sheets_of_the_desk(planned: Planner, home: APIFlask):
    with planned.client.session_transaction() as session:
        token = session["desk"]
    with home.test_request_context():
        g.principal = type("Who", (), {"id": "local"})()
        cookie["desk"] = token
        content, names = json.dumps(variants.sheets(1), ensure_ascii=False), [one.name for one in variants.called()]
    assert len(names) == 80
    # A single character may be part of any word.
    assert not [name for name in names if len(name) > 2 and name in content]


def test_a_course_taken_out_makes_a_plan_beside_it_that_tells_its_price(planned: Planner):
    title = re.search(r'id="out-0".*?<span class="visually-hidden">(.*?)</span>', planned.page, re.DOTALL)
    assert title
    answer = planned.send("/plan/1/without", session="0")
    assert answer.location == "/plan/2"
    words = planned.words()
    assert f"移出《{title[1]}》" in words
    assert re.search("与方案 1 相比(多补|少补|一样多)", words)
    assert planned.go("/plan/1"), "the plan before is still there"


def test_a_course_put_in_is_held_and_tells_its_price(planned: Planner):
    found = planned.client.get("/plan/courses?q=公文&number=1").get_data(as_text=True)
    course = re.search(r'name="course_id" value="([^"]+)"', found)
    title = re.search(r'<span class="visually-hidden">(.*?)</span>', found)
    assert course
    assert title
    answer = planned.send("/plan/1/with", course_id=course[1])
    assert answer.location == "/plan/2"
    assert f"排入《{title[1]}》" in planned.words()
    assert re.search("相比(多补|少补|一样多)", planned.words())


def test_a_course_that_does_not_fit_is_refused_with_the_rules_that_stand_against_it(planner: Planner):
    at = planner.plans(length="14")
    found = planner.client.get("/plan/courses?q=集中辅导&number=1").get_data(as_text=True)
    course = re.search(r'name="course_id" value="([^"]+)"', found)
    assert course
    answer = planner.send(f"{at}/with", course_id=course[1])
    assert answer.location == at
    assert "排不成" in planner.words()
    assert "总学时" in planner.words()


def test_more_hours_are_tried_at_once_and_taken_up_only_when_asked(planned: Planner):
    answer = planned.client.post(
        "/plan/1/what-if",
        data={"length": "18", "csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', planned.page)[1]},  # type: ignore[index]
        headers={"HX-Request": "true"},
    )
    part = answer.get_data(as_text=True)
    assert "<html" not in part
    assert "改为 18 学时" in part
    assert "多补" in part
    assert planned.client.get("/plan/2").status_code == 404
    planned.send("/plan/1/otherwise", length="18")
    assert "改为 18 学时" in planned.words()


def test_without_scripts_the_answer_is_a_page(planned: Planner):
    answer = planned.send("/plan/1/what-if", length="18")
    assert "返回方案 1" in answer.get_data(as_text=True)


def test_two_plans_are_compared_and_one_with_a_saved_one(planned: Planner):
    planned.plans(length="20")
    planned.go("/plan/compare?first=1&second=2")
    assert "补上的短板分量（目标值）" in planned.words()
    kept = planned.saves("/plan/1").rpartition("/")[2]
    planned.go(f"/plan/compare?first=saved:{kept}&second=2")
    assert "秋季专题班" in planned.words()
    for wrong in ("first=1", "first=1&second=77", "first=saved:none&second=1", "first=x&second=1"):
        assert planned.client.get(f"/plan/compare?{wrong}").status_code == 404


@pytest.mark.parametrize("asked", [{"kind": "menu", "length": "6"}, {"classes": "2"}, {"kind": "主体班"}, {"length": "3", "length_in": "days"}])  # fmt: skip
def test_every_kind_of_plan_has_its_page_and_its_reports(planner: Planner, asked: dict[str, str]):
    at = planner.plans(**asked)
    assert "全部报表" in planner.words()
    planner.go(f"{at}/sheets/3")
    assert planner.client.get(f"{at}/workbook").status_code == 200


def test_what_cannot_be_is_told_on_the_form_beside_what_was_entered(planner: Planner):
    planner.go("/plan")
    answer = planner.send("/plan", kind="主体班", length="2", length_in="hours", exclude="Q0001", catalog_required="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "排不出方案" in page
    assert 'value="Q0001"' in page
    answer = planner.send("/plan", kind="专题班", length="很多")
    assert answer.status_code == 422
    assert "应为数字" in answer.get_data(as_text=True)
    answer = planner.send("/plan", kind="专题班", length="8", require="没有这门课")
    assert "“必须安排的课程”" in answer.get_data(as_text=True)


def test_a_plan_is_dropped_and_the_others_stay(planned: Planner):
    planned.plans(length="20")
    planned.go("/plan")
    planned.send("/plan/1/drop")
    assert planned.client.get("/plan/1").status_code == 404
    planned.go("/plan/2")


def test_the_number_of_a_plan_is_never_given_again(planned: Planner):
    """Another tab may still show the plan that had it."""
    planned.go("/plan")
    assert "丢弃后不可恢复" in planned.words()
    planned.send("/plan/1/drop")
    assert planned.plans(length="20") == "/plan/2"
    assert planned.client.get("/plan/1").status_code == 404
    planned.with_sample()
    assert planned.plans() == "/plan/3"


def test_a_required_course_that_is_taken_out_is_told_before_and_after(planned: Planner):
    required = re.search(r'id="out-(\d+)"(?:(?!</form>).)*这是必修课', planned.page, re.DOTALL)
    assert required, "the class holds a course that the catalog requires"
    assert "另有 1 门目录中的必修课" not in planned.words()
    planned.send("/plan/1/without", session=required[1])
    assert "（目录中的必修课）" in planned.words()
    assert "另有 1 门目录中的必修课由排班人移出，没有安排" in planned.words()


def test_what_stays_asked_of_the_next_plan_is_told_and_seen(planned: Planner):
    planned.go("/plan?from=1")
    assert "沿用方案 1 的条件" in planned.words()
    planned.go("/plan/1")
    planned.send("/plan/1/without", session="0")
    page = planned.go("/plan")
    assert "沿用方案 2 的条件" in planned.words()
    assert '<details class="mt-3" open>' in page


def test_a_first_form_is_folded(planner: Planner):
    page = planner.go("/plan")
    assert "已按常用条件填好" in page
    assert '<details class="mt-3">' in page


def test_a_course_is_put_into_a_menu_and_taken_out_at_its_price(planner: Planner):
    planner.plans(kind="menu", length="6")
    assert "这是必修课" not in planner.words()
    found = planner.client.get("/plan/courses?q=公文&number=1").get_data(as_text=True)
    course = re.search(r'name="course_id" value="([^"]+)"', found)
    assert course
    planner.send("/plan/1/with", course_id=course[1])
    assert re.search("排入《.*》 ?： ?与方案 1 相比", planner.words())
    assert "必须开设的课程 1 门 1 门" in planner.words()
    planner.send("/plan/2/without", session="0")
    assert re.search("移出《.*》 ?： ?与方案 2 相比(少补|一样多)", planner.words())


def test_two_plans_are_compared_by_their_names_with_signs_and_two_decimals(planned: Planner):
    planned.plans(length="20")
    planned.go("/plan/compare?first=1&second=2")
    words = planned.words()
    assert "只有“方案 1”补上" in words
    assert not re.search("原方案|本方案", words)
    assert re.search(r"补上的短板分量（目标值） \d+(\.\d\d)? \d+(\.\d\d)? [+-]\d+(\.\d\d)? ", words)
    assert re.search(r"总学时 [\d.]+ [\d.]+ \+\d", words)


def test_one_plan_is_compared_with_a_saved_one_rather_than_with_itself(planned: Planner):
    kept = planned.saves("/plan/1").rpartition("/")[2]
    page = planned.go("/plan")
    second = page.partition('name="second"')[2].partition("</select>")[0]
    chosen = re.findall(r'value="([^"]+)" selected', second)
    assert len(chosen) == 1
    assert chosen[0].startswith("saved:")
    assert kept in second


def test_a_form_that_has_to_wait_too_long_is_kept_and_told_in_plain_words(planned: Planner, home: APIFlask):
    places: Places = home.extensions["quebu.places"]
    patience, places.patience = places.patience, 0.05
    held = [places.take(waits=False) for _ in range(AT_ONCE)]
    try:
        planned.go("/plan")
        answer = planned.send("/plan", **{**DEFAULTS, "length": "17", "exclude": "Q0001"})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 503
        assert "请稍等几秒再试" in page
        assert 'value="17"' in page
        assert 'value="Q0001"' in page
        planned.go("/plan/1")
        tried = planned.send("/plan/1/what-if", length="18").get_data(as_text=True)
        changed = planned.send("/plan/1/otherwise", length="18")
        assert changed.location == "/plan/1"
        for told in (page, tried, planned.page):
            assert "请稍等几秒再试" in told
            assert "Retry-After" not in told
            assert "Prefer" not in told
        assert planned.client.get("/diagnosis").status_code == 503, "nothing is known of them yet"
    finally:
        places.patience = patience
        for _ in held:
            places.leave()
    planned.go("/diagnosis")
    held = [places.take(waits=False) for _ in range(AT_ONCE)]
    try:
        planned.go("/diagnosis")
    finally:
        for _ in held:
            places.leave()
    planned.go("/plan/1")
    assert planned.send("/plan/1/otherwise", length="18").location == "/plan/2"


def test_of_many_plans_the_oldest_go(planned: Planner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(variants, "MOST", 2)
    for hours in ("17", "18"):
        planned.plans(length=hours)
    assert planned.client.get("/plan/1").status_code == 404
    assert "方案 2" in planned.go("/plan")
    planned.go("/plan/3")


def test_another_roster_takes_the_plans_of_the_one_before_with_it(planned: Planner):
    planned.with_sample()
    assert planned.client.get("/plan/1").status_code == 404
    with planned.client.session_transaction() as session:
        assert "desk" in session


def test_nobody_sees_the_plans_of_somebody_else(planned: Planner, home: APIFlask):
    stranger = home.test_client()
    for path in ("/plan/1", "/plan/1/sheets/1", "/plan/1/workbook"):
        assert stranger.get(path).status_code == 404


def test_no_form_is_taken_without_its_token(planned: Planner):
    for path in (
        "/plan",
        "/plan/1/without",
        "/plan/1/with",
        "/plan/1/what-if",
        "/plan/1/otherwise",
        "/plan/1/save",
        "/plan/1/drop",
    ):
        assert planned.client.post(path, data={"session": "0"}).status_code == 400, path


def test_a_reader_may_not_plan(own_app: APIFlask):
    """With the first key the machine itself is no planner any more, so this service is one of its own."""
    key = keys.create(own_app.extensions["quebu.store"], By("test"), "reader", Role.READER, 1)
    for path in ("/plan", "/plan/1", "/saved"):
        answer = own_app.test_client().get(path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 403


def test_a_plan_is_made_with_the_state_of_the_saved_one_before(planner: Planner):
    kept = planner.saves(planner.plans()).rpartition("/")[2]
    planner.plans(previous=kept, deadline="2026年12月底前")
    planner.go("/plan/2/sheets/12")
    assert "2026年12月底前" in planner.words()
    assert "方案比较" in planner.words(), "the reports hold the comparison with the plan before"
    answer = planner.send("/plan/2/otherwise", length="17")
    assert answer.location == "/plan/3"
    planner.go("/plan")
    assert planner.send("/plan", kind="专题班", length="8", previous="nowhere").status_code == 422


def test_a_large_roster_becomes_a_job_whose_answer_is_laid_on_the_desk(own: dict[str, Any]):
    app = create_app({**own, "MAX_COHORT": 10})
    store: Database = app.extensions["quebu.store"]
    planner = Planner(app.test_client()).with_sample()
    planner.go("/plan")
    answer = planner.send("/plan", kind="专题班", length="16", length_in="hours", catalog_required="1")
    assert answer.location.startswith("/waiting/")
    identity = answer.location.split("/")[2]
    planner.go("/saved")
    assert "正在排方案… 查看进度" in planner.words(), "who left the work finds it on the pages of the workbench"
    do(store, app.extensions["quebu"], identity, str(leases.claim(store, identity)), 24)
    collected = planner.send(f"/plan/collected/{identity}")
    assert collected.location == "/plan/1"
    assert planner.client.get(answer.location).location == "/plan/1"
    assert "专题班" in planner.words()
    assert "算一算" not in planner.page, "what takes long is not tried while somebody holds a slider"
    assert "人数较多，这里不能随拖随算" in planner.words()
    answer = planner.send("/plan/1/what-if", length="18")
    assert "不能随拖随算" in answer.get_data(as_text=True)
    assert "⟦" not in planner.go("/plan/1/sheets/3")


def test_the_workbook_of_the_desk_names_the_people_and_their_posts(planned: Planner):
    answer = planned.client.get("/plan/1/workbook")
    book = load_workbook(io.BytesIO(answer.data), read_only=True)
    people = [row[1] for row in book["参训名单"].iter_rows(min_row=3, max_row=82, values_only=True)]
    assert "闻世钧" in people
    assert not [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if "⟦" in str(cell)]


def test_what_is_tried_is_nowhere_but_on_the_sealed_desk(tmp_path: Path, registry: Path):
    app = create_app({"REGISTRY": str(registry), "LOCAL": True, "DATABASE_URL": f"sqlite:///{tmp_path}/own.db"})
    Planner(app.test_client()).with_sample().plans()
    with app.extensions["quebu.store"].reading() as connection:
        told = [str(row) for row in connection.execute(select(audit))]
        blobs = set(connection.scalars(select(piece.c.blob)))
    assert not [row for row in told if "plan.save" in row]
    assert all(blob.startswith("desk:") for blob in blobs)
