"""保存与导出: whatever was saved is shown and exported from what was kept alone, with the names as long as they are kept."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from apiflask import APIFlask
from openpyxl import load_workbook
from sqlalchemy import select

from service.shapes.plans import dump_cohort
from service.store import plans
from service.store.audit import By
from service.store.database import Database
from service.store.people import pseudonym
from service.store.pieces import read
from service.store.tables import audit
from tests.filings import filed, office_demand
from tests.service.pages.planner import Planner

PERSON = "闻世钧"


@pytest.fixture
def kept(planner: Planner) -> str:
    """Where a saved plan is shown."""
    return planner.saves(planner.plans())


def cells(content: bytes) -> dict[str, list[list[Any]]]:
    book = load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def test_a_saved_plan_is_listed_and_tells_the_same_as_it_did_on_the_desk(planner: Planner, kept: str):
    planner.go("/plan/1")
    numbers = re.search(r"补上（条） (\d+ / \d+)", planner.words())
    planner.go("/saved")
    assert "秋季专题班" in planner.words()
    planner.go(kept)
    assert numbers
    assert numbers[1] in planner.words()
    for told in ("下载 Excel", "各单位名单", "打印（A4）", "已证明最优", "谁漏下了", "课表草案", "全部报表"):
        assert told in planner.words(), told


def test_the_workbook_of_a_saved_plan_is_that_of_the_desk_but_for_the_posts(planner: Planner, kept: str):
    desk = cells(planner.client.get("/plan/1/workbook").data)
    saved = cells(planner.client.get(f"{kept}/workbook").data)
    assert list(saved) == list(desk)
    for name, rows in desk.items():
        for row, other in zip(rows, saved[name], strict=True):
            for cell, told in zip(row, other, strict=True):
                # A post stood behind the unit; it was not kept.
                assert told == cell or (isinstance(cell, str) and cell.startswith(str(told or ""))), (name, cell, told)
    assert any(PERSON in map(str, row) for row in saved["参训名单"])


def test_it_is_made_from_what_was_kept_alone(planner: Planner, kept: str):
    before = planner.client.get(f"{kept}/workbook").data
    planner.go("/roster")
    planner.send("/roster/clear")
    assert planner.client.get(f"{kept}/workbook").data == before
    planner.go(f"{kept}/sheets/16?page=2")
    assert "⟦" not in planner.page


def test_what_is_kept_names_nobody_and_no_post(planner: Planner, kept: str, own_store: Database):
    identity = kept.rpartition("/")[2]
    sheets = json.dumps(plans.sheets_of(own_store, identity), ensure_ascii=False)
    analysis = b"".join(read(own_store, f"plan:{identity}")).decode()
    reading = list(re.findall(r"<tr><td>\d+</td><td>(.*?)</td><td>.*?</td><td>(.*?)</td>", planner.go("/roster")))
    assert len(reading) == 20
    for name, post in reading:
        assert len(name) < 3 or name not in sheets + analysis
        assert f'{post}"' not in sheets or not post


def test_the_lists_of_the_units_have_everybody_once(planner: Planner, kept: str):
    book = cells(planner.client.get(f"{kept}/units.xlsx").data)
    first, *units = book.values()
    people = [row[1] for rows in units for row in rows[2:] if isinstance(row[0], int)]
    assert len(people) == 80
    assert sum(row[2] for row in first[2:] if isinstance(row[0], int)) == 80
    answer = planner.client.get(f"{kept}/units.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert sorted(row["姓名"] for row in rows) == sorted(people)
    assert all(row["单位"] for row in rows)
    assert any("；" in row["参加的课程"] for row in rows)


def test_the_json_is_the_plan_that_the_interface_takes_as_the_one_before(planner: Planner, kept: str):
    answer = planner.client.get(f"{kept}/plan.json")
    told = planner.client.get(f"/api/v1/plans/{kept.rpartition('/')[2]}").json
    assert json.loads(answer.data) == told["plan"]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_page_to_be_printed_has_a_button_and_no_script_of_its_own(planner: Planner, kept: str):
    page = planner.go(f"{kept}/print")
    assert "data-print" in page
    assert not re.findall(r"<script(?![^>]*src=)", page)
    assert "style=" not in page


def test_once_the_names_are_erased_pseudonyms_stand_for_the_people(planner: Planner, kept: str, own_store: Database):
    planner.go(kept)
    planner.send(f"{kept}/erase-names")
    assert "已抹去 80 人的身份" in planner.words()
    for path in ("", "/sheets/3", "/print"):
        page = planner.go(kept + path)
        assert PERSON not in page
        assert "⟦" not in page
    person = json.loads(planner.client.get(f"{kept}/plan.json").data)["people"][0]["id"]
    assert person.startswith("p_")
    book = cells(planner.client.get(f"{kept}/workbook").data)
    assert any(person in map(str, row) for row in book["参训名单"])
    assert not any(PERSON in str(cell) for rows in book.values() for row in rows for cell in row)


def test_one_person_who_is_forgotten_is_forgotten_in_the_reports_too(planner: Planner, kept: str, own_store: Database):
    person = json.loads(planner.client.get(f"{kept}/plan.json").data)["people"][0]["id"]
    assert planner.client.post("/api/v1/erasures", json={"person": person}).status_code == 200
    page = planner.go(f"{kept}/sheets/3")
    assert PERSON not in page
    assert pseudonym(own_store, person) in page
    assert "季云舟" in page


def test_a_saved_plan_is_deleted_with_all_that_was_made_of_it(planner: Planner, kept: str):
    planner.go(kept)
    assert re.search(r"删除《秋季专题班》", planner.words())
    planner.send(f"{kept}/delete")
    assert "已删除《秋季专题班》" in planner.words()
    for path in ("", "/sheets/0", "/workbook", "/units.xlsx", "/units.csv", "/plan.json", "/print"):
        assert planner.client.get(kept + path).status_code == 404, path


def test_reading_a_saved_plan_is_recorded(planner: Planner, kept: str, own_store: Database):
    def opened() -> int:
        with own_store.reading() as connection:
            return sum("plan.read" in str(row) for row in connection.execute(select(audit)))

    before = opened()
    planner.go(kept)
    planner.client.get(f"{kept}/workbook")
    assert opened() == before + 2


def test_a_title_must_say_something(planner: Planner):
    at = planner.plans()
    answer = planner.send(f"{at}/save", title="   ")
    assert answer.location == at
    assert "没有保存" in planner.words()


def test_a_plan_that_came_over_the_interface_is_shown_without_reports(planner: Planner, own_store: Database):
    plan = dump_cohort(filed(office_demand()))
    identity = plans.save(own_store, By("local"), "接口保存的班", plan, {"P1": "王三"}, 0).id
    planner.go(f"/saved/{identity}")
    assert "由接口保存，没有带报表" in planner.words()
    assert planner.client.get(f"/saved/{identity}/workbook").status_code == 404
    assert planner.client.get(f"/saved/{identity}/plan.json").status_code == 200
    planner.go(f"/saved/{identity}/print")


def test_many_plans_are_listed_page_by_page(planner: Planner, own_store: Database):
    plan = dump_cohort(filed(office_demand()))
    for number in range(23):
        plans.save(own_store, By("local"), f"第{number:02}个班", plan, {}, 0)
    planner.go("/saved")
    assert "第22个班" in planner.words()
    assert "第02个班" not in planner.words()
    further = re.search(r'href="(/saved\?cursor=[^"]+)"', planner.page)
    assert further
    planner.go(further[1])
    assert "第02个班" in planner.words()
    assert planner.client.get("/saved?cursor=nonsense").location == "/saved"


def test_nothing_is_erased_or_deleted_without_the_token_of_a_form(planner: Planner, kept: str):
    for path in ("erase-names", "delete"):
        assert planner.client.post(f"{kept}/{path}").status_code == 400
    planner.go(kept)


def test_a_plan_there_is_none_of_is_unknown(planner: Planner, home: APIFlask, own_store: Database):
    plan = dump_cohort(filed(office_demand()))
    identity = plans.save(own_store, By("account:other"), "别人的班", plan, {}, 0).id
    # Who sits at the machine is an admin and sees all; what there is none of is none for anybody.
    assert planner.client.get("/saved/0000000000000000").status_code == 404
    assert planner.client.get(f"/saved/{identity}").status_code == 200
