"""缺什么: the same numbers as the interface gives, each of which leads to its people; a person's page, and what a planner says there."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service import create_app
from service.store.database import Database
from service.store.jobs import count_by_status
from tests.service.pages.consoleforms import followed, send, work

PEOPLE = [
    {"id": "P1", "name": "甲某某", "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "weaknesses": [{"text": "一上台讲话就冒汗"}]},
    {"id": "P2", "name": "乙某某", "unit": "市统计局", "weaknesses": [{"text": "公文写作不规范"}]},
    {"id": "P3", "name": "丙某某", "unit": "市统计局"},
]  # fmt: skip


@pytest.fixture
def given(caller: FlaskClient) -> FlaskClient:
    """A planner with a roster on the desk."""
    assert send(caller, "/roster", **{"roster": as_file(PEOPLE)}).status_code == 303
    return caller


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return unescape(answer.get_data(as_text=True))


def says(client: FlaskClient, path: str, **said: str) -> TestResponse:
    """Send what is said on a person's page, as its form does."""
    mark = re.findall(r'name="roster" value="(\w+)"', text_of(client, path))[0]
    place, _, query = path.partition("?")
    return send(client, f"{place}/feedback?{query}", roster=mark, **said)


def first_of(client: FlaskClient, place: int) -> dict[str, Any]:
    """The first recommendation of somebody that can be said something of, with the gap it is for."""
    told = client.post("/api/v1/recommendations", json=PEOPLE[place]).get_json()
    first: dict[str, Any] = next(one for one in told["recommendations"] if not one["required"])
    return first | {"gap": next(reason["gap"] for reason in first["reasons"] if reason["gap"])}


def as_file(people: list[dict[str, Any]]) -> tuple[BytesIO, str]:
    return BytesIO("\n".join(json.dumps(one, ensure_ascii=False) for one in people).encode()), "名册.jsonl"


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
    first = first_of(given, 1)
    said = {"verdict": "reject", "course_id": first["course_id"], "gap": first["gap"], "scope": "gap", "reason": "太浅"}
    assert "“待确认与调整”里撤销" in followed(given, says(given, "/people/1", **said))
    assert f"<h3>1. {first['title']}" not in text_of(given, "/people/1")
    (kept,) = given.get("/api/v1/overrides").get_json()["overrides"]
    assert (kept["course_id"], kept["reason"]) == (first["course_id"], "太浅")


@pytest.mark.parametrize(
    "said",
    [{"verdict": "reject"}, {"verdict": "replace", "reason": "x"}, {"verdict": "nonsense"}, {"verdict": "accept", "course_id": "nirgends"}],
)  # fmt: skip
def test_what_is_half_said_is_not_kept_and_the_page_says_so(given: FlaskClient, said: dict[str, str]):
    course = given.get("/api/v1/courses?limit=1").get_json()["courses"][0]["id"]
    answer = says(given, "/people/1", **{"course_id": course, "gap": "公文写作不规范", **said})
    assert answer.status_code == 422
    assert "没有记下" in answer.get_data(as_text=True)
    assert given.get("/api/v1/feedback").get_json()["feedback"] == []


def test_a_rejection_that_cannot_be_kept_stands_in_its_form_as_it_was_with_the_trouble_beside_it(given: FlaskClient):
    first = first_of(given, 1)
    said = {
        "verdict": "replace",
        "course_id": first["course_id"],
        "gap": first["gap"],
        "scope": "person",
        "reason": "太浅",
        "replacement": "X999",
    }
    page = unescape(says(given, "/people/1", **said).get_data(as_text=True))
    form = page.partition("<details open>")[2].partition("</details>")[0]
    assert "课程目录里没有这个编号" in form
    assert 'value="太浅"' in form
    assert 'value="X999"' in form
    assert '<option value="person" selected>' in form
    assert page.count("<details open>") == 1


def test_what_is_said_on_a_page_of_another_roster_is_kept_of_nobody(given: FlaskClient):
    first = first_of(given, 1)
    mark = re.findall(r'name="roster" value="(\w+)"', text_of(given, "/people/1"))[0]
    send(given, "/roster/clear")
    # The place, and even the id, are those of somebody else by now.
    send(given, "/roster", roster=as_file([PEOPLE[0], PEOPLE[1] | {"name": "丁某某", "unit": "市档案馆"}]))
    said = {
        "verdict": "reject",
        "course_id": first["course_id"],
        "gap": first["gap"],
        "scope": "person",
        "reason": "太浅",
    }
    for marked in ({"roster": mark}, {}):
        assert "请重新打开这个人的页面" in followed(given, send(given, "/people/1/feedback", **said, **marked))
    assert given.get("/api/v1/feedback").get_json()["feedback"] == []
    assert given.get("/api/v1/overrides").get_json()["overrides"] == []


def test_what_is_accepted_stands_at_its_course_with_its_date_and_can_be_taken_back(given: FlaskClient):
    first = first_of(given, 1)
    said = {"course_id": first["course_id"], "gap": first["gap"]}
    page = followed(given, says(given, "/people/1", verdict="accept", **said))
    assert "已记下采纳" in page
    assert f"已安排（{date.today()}）" in re.sub(r"\s+", "", page)
    assert "待确认与调整" not in page
    article = text_of(given, "/people/1").partition(f"{first['title']} <span")[2].partition("</article>")[0]
    assert "已采纳" in article
    assert 'value="accept"' not in article
    assert "已撤回采纳" in followed(given, says(given, "/people/1", verdict="withdraw", **said))
    back = text_of(given, "/people/1")
    assert ("已采纳" in back, "已安排" in back) == (False, False)
    # Whoever rejects what they accepted has it accepted no longer.
    says(given, "/people/1", verdict="accept", **said)
    assert "已采纳" in text_of(given, "/people/1")
    says(given, "/people/1", verdict="reject", reason="太浅", scope="gap", **said)
    assert "已采纳" not in text_of(given, "/people/1")


def test_whoever_walks_through_the_people_of_a_cell_stays_among_them(given: FlaskClient):
    text_of(given, "/diagnosis")
    cell = text_of(given, "/diagnosis/people?axis=单位&row=市统计局")
    first, second = re.findall(r'href="(/people/\d[^"]*)"', cell)
    page = text_of(given, first)
    assert "上一人" not in page
    assert "返回这些人（2 人）" in page
    assert re.findall(r'<a href="([^"]*)">下一人', page) == [second]
    page = text_of(given, second)
    assert "下一人" not in page
    assert re.findall(r'<a href="([^"]*)">上一人', page) == [first]
    (back,) = re.findall(r'<a href="([^"]*)">返回这些人', page)
    assert re.findall(r'href="(/people/\d[^"]*)"', text_of(given, back)) == [first, second]
    # What is said there leads back there.
    one = first_of(given, 1)
    said = {"verdict": "reject", "course_id": one["course_id"], "gap": one["gap"], "scope": "gap", "reason": "太浅"}
    followed(given, answer := says(given, first, **said))
    assert re.findall(r'<a href="([^"]*)">下一人', text_of(given, answer.location)) == [second]


def test_an_address_that_asks_for_what_there_is_not_is_passed_over(given: FlaskClient):
    text_of(given, "/diagnosis")
    assert "丙某某" in text_of(given, "/diagnosis/people?axis=x&reason=y")


def test_without_a_roster_one_is_asked_for(caller: FlaskClient):
    for path in ("/diagnosis", "/people/0", "/diagnosis/people"):
        answer = caller.get(path, follow_redirects=True)
        assert "从一份花名册开始" in answer.get_data(as_text=True)


@pytest.fixture
def large(own: dict[str, Any]) -> APIFlask:
    """A service to which three people are many."""
    return create_app(own | {"MAX_COHORT": 2})


@pytest.fixture
def waiting(large: APIFlask) -> FlaskClient:
    """A planner of it with a roster on the desk."""
    client = large.test_client()
    send(client, "/roster", roster=as_file(PEOPLE))
    return client


def collected(client: FlaskClient, at: str) -> TestResponse:
    """Send the form of a job that is done, as the page itself does."""
    return send(client, re.findall(r'action="(/\w+/collected/[^"]+)" data-send', text_of(client, at))[0])


def test_a_large_roster_is_worked_on_in_the_background_and_ends_on_the_same_page(
    given: FlaskClient, waiting: FlaskClient, large: APIFlask
):
    told = facts(text_of(given, "/diagnosis"))
    begun = waiting.get("/diagnosis")
    assert (begun.status_code, begun.location[:9]) == (303, "/waiting/")
    assert "已排队" in text_of(waiting, begun.location)
    work(large)
    followed(waiting, collected(waiting, begun.location))
    assert facts(text_of(waiting, "/diagnosis")) == told
    # Of the job nothing is left: what it found lies on the desk, and who comes back to its address is led there.
    assert waiting.get("/api/v1/jobs").get_json()["jobs"] == []
    assert waiting.get(begun.location).location == "/diagnosis"
    assert waiting.get(f"{begun.location}/progress").headers["HX-Redirect"] == begun.location


def test_what_is_under_way_is_not_begun_again(waiting: FlaskClient, large: APIFlask):
    begun = waiting.get("/diagnosis").location
    assert waiting.get("/diagnosis").location == begun
    work(large)
    assert waiting.get("/diagnosis").location == begun, "what is done waits to be taken"
    collected(waiting, begun)
    assert waiting.get("/diagnosis").status_code == 200


def test_what_was_cancelled_is_begun_anew(waiting: FlaskClient):
    begun = waiting.get("/diagnosis").location
    send(waiting, f"{begun}/cancel")
    assert "正在看缺什么" not in text_of(waiting, "/roster")
    assert waiting.get("/diagnosis").location not in (begun, "/diagnosis")


def test_who_left_long_work_finds_it_on_the_workbench(waiting: FlaskClient, large: APIFlask):
    begun = waiting.get("/diagnosis").location
    page = text_of(waiting, "/roster")
    assert "正在看缺什么" in page
    assert f'<a href="{begun}">查看进度' in page
    work(large)
    assert f'<a href="{begun}">看结果' in text_of(waiting, "/plan")
    collected(waiting, begun)
    assert begun not in text_of(waiting, "/roster")


def test_another_roster_ends_the_work_on_the_one_before(waiting: FlaskClient, large: APIFlask):
    store: Database = large.extensions["quebu.store"]
    begun = waiting.get("/diagnosis").location
    send(waiting, "/roster", roster=as_file(PEOPLE[::-1]))
    assert count_by_status(store)["cancelled"] == 1
    assert "没有放上来" in followed(waiting, send(waiting, f"/diagnosis/collected/{begun.rpartition('/')[2]}"))
    send(waiting, "/roster/clear")
    assert "正在看缺什么" not in text_of(waiting, "/roster")


def test_of_a_job_that_is_no_more_the_page_that_asks_is_led_to_where_that_is_said(waiting: FlaskClient):
    answer = waiting.get("/waiting/0123456789abcdef/progress")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (404, "/waiting/0123456789abcdef")
    assert waiting.get("/waiting/0123456789abcdef").status_code == 404
