"""花名册: a roster is read, shown cell by cell, corrected; nobody but its planner sees it, and it is gone when it is cleared."""

from __future__ import annotations

import io
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.store.database import Database
from service.store.tables import piece
from tests.service.pages.consoleforms import followed, send
from tests.service.pages.planner import Planner

MESSY = (
    "填表说明：请如实填写\n"
    "姓名,单位,职务,职务层次,手机号,哪方面弱,可用学时\n"
    "甲某某,青溪镇,镇长,乡科级正职,13800001111,一上台讲话就冒汗,二十四\n"
    "乙某某,青溪镇,副镇长,乡科级副职,13800002222,写材料慢,半天吧\n"
)


def read(client: FlaskClient, content: str = MESSY, name: str = "名册.csv") -> TestResponse:
    return send(client, "/roster", **{"roster": (io.BytesIO(content.encode()), name)})


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.headers.get("Location")
    return str(answer.get_data(as_text=True))


def test_every_faulty_cell_is_named_and_private_columns_are_never_shown(caller: FlaskClient):
    assert read(caller).status_code == 303
    page = text_of(caller, "/roster")
    assert "roster!G3" in page
    assert "不是学时数" in page
    assert "13800001111" not in page
    assert "手机号" in page  # That it was left out is told.


def test_a_corrected_cell_and_a_corrected_header_are_read_again(caller: FlaskClient):
    read(caller)
    assert "一上台讲话就冒汗" not in text_of(caller, "/roster")  # Nobody knows the header.
    page = text_of(caller, "/roster")
    number = page[: page.index("“哪方面弱”读作")].rpartition('name="header-')[2].partition('"')[0]
    given: dict[str, Any] = {"cell:roster!G3": "24", f"header-{number}": "weakness"}
    assert send(caller, "/roster/mended", **given).status_code == 303
    page = text_of(caller, "/roster")
    assert "一上台讲话就冒汗" in page
    assert "不是学时数" not in page


def test_what_is_said_of_a_file_names_it_as_the_planner_did(caller: FlaskClient):
    page = read(caller, "a,b\n1,2\n", "青溪镇名册.csv").get_data(as_text=True)
    assert "青溪镇名册.csv" in page
    assert "roster.csv" not in page


def header_number(page: str, header: str) -> str:
    return page[: page.index(f"“{header}”读作")].rpartition('name="header-')[2].partition('"')[0]


def test_a_correction_is_listed_and_can_be_taken_back(caller: FlaskClient):
    read(caller)
    send(caller, "/roster/mended", **{"cell:roster!G3": "24", "cell:roster!G4": "8"})
    page = text_of(caller, "/roster")
    assert "已更正的单元格（2 处）" in page
    assert "<td>G3</td><td>24</td>" in page
    assert "不是学时数" not in page
    send(caller, "/roster/mended", undo="roster!G3")
    page = text_of(caller, "/roster")
    assert "<td>G3</td><td>24</td>" not in page
    assert "<td>G4</td><td>8</td>" in page
    assert "不是学时数" in page
    send(caller, "/roster/mended", **{"cell:roster!G4": " "})
    assert "已更正的单元格" not in text_of(caller, "/roster")


def test_of_many_faulty_cells_the_page_says_how_many_it_leaves_out(caller: FlaskClient):
    rows = "".join(f"某{number},镇长,随便\n" for number in range(205))
    read(caller, f"姓名,职务,可用学时\n{rows}")
    page = text_of(caller, "/roster")
    assert "205 处" in page
    assert "另有 5 处" in page


def test_a_correction_by_which_nothing_can_be_read_leaves_the_roster_as_it_was_and_says_why(caller: FlaskClient):
    read(caller)
    page = text_of(caller, "/roster")
    answer = send(caller, "/roster/mended", **{f"header-{header_number(page, '姓名')}": ""})
    assert answer.location == "/roster"
    page = followed(caller, answer)
    assert "没有照改" in page
    assert "甲某某" in page
    assert "从一份花名册开始" not in page


def test_plans_are_kept_where_nothing_was_corrected_and_their_loss_is_told_beforehand(caller: FlaskClient):
    planner = Planner(caller).with_sample()
    assert "试排的" not in planner.words()
    at = planner.plans()
    planner.go("/roster")
    assert "试排的 1 个方案就会清除" in planner.words()
    assert "清空工作台…" in planner.words()
    planner.send("/roster/mended")
    assert "没有新的更正" in planner.words()
    planner.go(at)
    planner.send("/roster/mended", **{"cell:汇总表!M5": "挂职"})
    assert caller.get(at).status_code == 404


def test_what_is_no_roster_is_refused_with_the_way_on_and_the_one_before_stays(caller: FlaskClient):
    read(caller)
    for content, name, told in (
        ("", "空.csv", "空文件"),
        ("a,b\n1,2\n", "名册.csv", "名册"),
        ("x", "名册.pdf", ".xlsx"),
    ):
        answer = read(caller, content, name)
        assert answer.status_code == 422
        assert told in answer.get_data(as_text=True)
    assert "甲某某" in text_of(caller, "/roster")


def test_the_store_never_holds_a_roster_that_can_be_read(caller: FlaskClient, own_store: Database):
    read(caller)
    caller.get("/diagnosis")
    with own_store.reading() as connection:
        kept = b"".join(connection.scalars(select(piece.c.content)))
    assert kept
    assert "甲某某".encode() not in kept


def test_another_browser_sees_nothing_of_it(caller: FlaskClient, own_app: APIFlask):
    read(caller)
    assert "甲某某" not in text_of(own_app.test_client(), "/roster")


def test_what_is_cleared_is_gone_from_the_store(caller: FlaskClient, own_store: Database):
    read(caller)
    assert send(caller, "/roster/clear", **{}).status_code == 303
    assert "甲某某" not in text_of(caller, "/roster")
    with own_store.reading() as connection:
        assert connection.execute(select(piece)).first() is None


def test_the_diagnosis_of_another_roster_is_not_shown_for_this_one(caller: FlaskClient):
    read(caller)
    assert "青溪镇" in text_of(caller, "/diagnosis")
    read(caller, MESSY.replace("青溪镇", "白塔乡"))
    page = text_of(caller, "/diagnosis")
    assert "白塔乡" in page
    assert "青溪镇" not in page


def test_a_form_that_was_not_made_here_is_not_taken(caller: FlaskClient):
    assert caller.post("/roster/sample").status_code == 400


def test_the_menu_shows_where_a_page_belongs(caller: FlaskClient):
    read(caller)
    for path, words in (("/diagnosis", "工作台"), ("/course-list/coverage", "课程目录"), ("/admin/keys", "管理")):
        marked = [
            link.split(">")[1].split("<")[0]
            for link in text_of(caller, path).split("<a ")[1:]
            if "nav-link active" in link
        ]
        assert marked == [words]
