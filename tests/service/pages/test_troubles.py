"""What cannot be shown is a page: what happened and the way on, for people; systems get the problem as it is."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.store import logins
from service.store.audit import By
from service.store.roles import Role
from service.wire.languages import COOKIE
from tests.service.pages.consoleforms import send, words

PAGE = {"Accept": "text/html,application/xhtml+xml"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FOR_PROGRAMMERS = ("openapi", "Allow", "JSON", "Retry-After", "errors")


def told(answer: TestResponse) -> str:
    assert answer.mimetype == "text/html"
    found = words(answer)
    assert not [one for one in FOR_PROGRAMMERS if one in found]
    return found


def links(answer: TestResponse) -> list[str]:
    main = answer.get_data(as_text=True).partition("<main")[2]
    return re.findall(r'<a class="btn[^"]*" href="([^"]*)"', main)


def test_a_page_that_does_not_exist_leads_back_to_the_start(client: FlaskClient):
    answer = client.get("/nowhere", headers=PAGE)
    assert answer.status_code == 404
    assert "没有这一页" in told(answer)
    assert links(answer) == ["/"]


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/plan/77", "/plan"),
        ("/saved/none/sheets/1", "/saved"),
        ("/waiting/none", "/roster"),
        ("/course-list/courses/none", "/course-list"),
        ("/versions/v9999/comparison", "/versions"),
    ],
)
def test_what_is_no_longer_there_leads_to_the_page_that_lists_what_is(client: FlaskClient, path: str, page: str):
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 404
    assert "没有找到" in told(answer)
    assert links(answer) == [page, "/"]


def test_an_address_that_only_takes_forms_leads_to_the_page_of_its_form(client: FlaskClient):
    answer = client.get("/roster/mended", headers=PAGE)
    assert answer.status_code == 405
    assert "这一页不能这样打开" in told(answer)
    assert links(answer) == ["/roster", "/"]


def test_a_form_of_a_lost_session_says_so_and_leads_back_to_it(client: FlaskClient):
    answer = client.post("/roster/mended", headers=PAGE)
    assert answer.status_code == 400
    assert "这一页已经失效" in told(answer)
    assert links(answer) == ["/roster", "/"]


def test_who_may_not_open_a_page_reads_which_role_it_needs(own_app: APIFlask):
    logins.create(own_app.extensions["quebu.store"], By("test"), "li", Role.READER, "correct horse battery")
    client = own_app.test_client()
    assert send(client, "/login", account="li", password="correct horse battery").status_code == 303
    answer = client.get("/roster", headers=PAGE)
    assert answer.status_code == 403
    assert "打开这一页需要“培训计划”角色" in told(answer)


@pytest.mark.parametrize("path", ["/nowhere", "/plan/77", "/waiting/none", "/roster/mended", "/versions/v9999"])
def test_a_problem_is_told_in_english_to_who_reads_english(client: FlaskClient, path: str):
    client.set_cookie(COOKIE, "en")
    assert CHINESE.findall(told(client.get(path, headers=PAGE))) == []


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}])
def test_a_system_gets_the_problem_as_it_is(client: FlaskClient, headers: dict[str, str]):
    answer = client.get("/nowhere", headers=headers)
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["title"] == "没有这个地址"


@pytest.mark.parametrize(
    ("path", "page"),
    [("/plan", "/plan"), ("/admin/accounts", "/admin/accounts"), ("/admin/erasure/done", "/admin/erasure")],
)
def test_a_form_that_was_refused_stays_where_it_is_when_the_language_is_changed(
    caller: FlaskClient, path: str, page: str
):
    send(caller, "/roster/sample")
    answer = send(caller, path)
    assert answer.status_code == 422
    assert f'name="next" value="{page}"' in answer.get_data(as_text=True)


def test_a_part_of_a_page_tells_its_trouble_in_the_words_of_the_page(client: FlaskClient):
    page = client.get("/plan/77", headers=PAGE)
    part = client.get("/plan/77", headers={"HX-Request": "true", "Accept": "*/*"})
    assert (part.status_code, part.mimetype) == (404, "application/problem+json")
    assert part.get_json()["detail"] in told(page)
    assert part.get_json()["title"] == "没有找到"
    assert client.get("/plan/77").get_json()["title"] != "没有找到", "systems get the problem as it is"
