"""The sheets of a plan without names: nobody is in them, and with the names put in they are what they would have been."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given

from model.cohort.filing import Filing
from model.cohort.nouns import Origin
from model.cohort.pairing import Between, pair_up
from model.cohort.program import Effort
from model.domain import Fault, Profile, Reading
from model.files.sheets import SheetOut
from service.shapes.filed import Called, masked, named, sheets_beside
from service.shapes.outputs import PlanResults, plan_sheets
from service.shapes.sheets import dump_sheet, load_sheet
from tests.filings import FILINGS, NAMED, filed, office, office_demand
from tests.model.cohort.test_class_plan import cohort, course

SETTINGS = {"HOURS_PER_DAY": 6, "QUOTAS": "", "WEAK_SHARE": 50}
REAL = {"P1": "王三", "P2": "李二", "P4": "赵四", "P5": "孙五", "P6": "周六"}


def results(filing: Filing, between: Between = Between.PEOPLE) -> PlanResults:
    """A plan with all that stands beside it, pairs among its people included."""
    plan = replace(filing.plan, origin=Origin("v1", "catalog", {"hours": 8.0, "settings": SETTINGS}))
    people = filing.demand.people
    pairs = pair_up(people, NAMED, between, Effort(5, 0), lambda: 0.0)
    more = sheets_beside(plan, people, NAMED, pairs, SETTINGS)
    values = tuple(own.profile for own in people)
    fault = Fault("名册!B7", "王三的成绩", "不是数字", "请填数字")
    reading = Reading(values, len(values), 0, {}, (fault,))
    unknown = tuple((person, "没人知道的课") for person in values[:1])
    return PlanResults(replace(filing, plan=plan, pairs=pairs, more=more), reading, None, unknown)


def kept(found: PlanResults) -> list[SheetOut]:
    """The sheets as they are read again after they were kept."""
    content = json.dumps([dump_sheet(sheet) for sheet in plan_sheets(masked(found))], ensure_ascii=False)
    return [load_sheet(one) for one in json.loads(content)]


def called(found: PlanResults, posts: bool = True) -> list[Called]:
    people = [own.profile for own in found.filing.demand.people]
    return [Called(one.name or one.id, one.post or "" if posts else "") for one in people]


def plain(sheets: list[SheetOut]) -> list[object]:
    return [json.loads(json.dumps(dump_sheet(sheet))) for sheet in sheets]


def with_posts(filing: Filing) -> Filing:
    """The same, some people with a post."""
    people = tuple(
        replace(own, profile=replace(own.profile, post="科长" if place % 2 else None))
        for place, own in enumerate(filing.demand.people)
    )
    return replace(filing, demand=replace(filing.demand, people=people))


@given(FILINGS)
def test_with_the_names_put_in_the_sheets_are_what_they_would_have_been(filing: Filing):
    found = results(with_posts(filing))
    told = [named(sheet, called(found)) for sheet in kept(found)]
    without_cells = replace(found, reading=masked(found).reading)
    assert plain(told) == plain(plan_sheets(without_cells))


@given(FILINGS)
def test_no_name_no_post_and_no_id_is_kept(filing: Filing):
    found = results(with_posts(filing))
    content = json.dumps(plain(kept(found)), ensure_ascii=False)
    for own in found.filing.demand.people:
        assert f'"{own.profile.id}"' not in content
        assert not own.profile.name or f"{own.profile.name}" not in content.replace('姓名"', "")
    assert "科长" not in content


def test_nobody_of_an_office_is_in_what_is_kept():
    found = results(filed(office_demand()))
    content = json.dumps(plain(kept(found)), ensure_ascii=False)
    assert not [name for name in REAL.values() if name in content]
    assert "局长" not in content
    assert "⟦0⟧" in content
    assert "不是数字" in content, "what is wrong is told"
    assert "王三的成绩" not in content, "what stood in the cell is not"


def test_pairs_of_people_are_told_without_their_names():
    scores = {"P1": (("写作", 90.0), ("观星", 20.0)), "P3": (("写作", 30.0), ("观星", 95.0))}
    people = [replace(own, profile=replace(own.profile, scores=scores.get(own.profile.id, ()))) for own in office()]
    found = results(filed(cohort(people, [course(0)], {one.text: {} for own in people for one in own.gaps})))
    (sheet,) = [one for one in kept(found) if one.name == "结对共建"]
    assert not [name for name in REAL.values() if name in json.dumps(sheet.rows, ensure_ascii=False)]


def test_a_post_that_may_not_be_told_goes_with_its_blank():
    sheet = SheetOut("甲", "乙", ["丙"], [["⟦0⟧\n某局 ⟦0:职务⟧、⟦1⟧"], ["⟦1:职务⟧"], [3.5], [None]], [9])
    told = named(sheet, [Called("王三"), Called("李二")])
    assert [list(row) for row in told.rows] == [["王三\n某局、李二"], [""], [3.5], [None]]


def test_a_token_that_somebody_wrote_stays_what_it_is():
    sheet = SheetOut("甲", "乙", ["丙"], [["⟦99⟧ ⟦⟧ ⟦a⟧"]], [9])
    assert named(sheet, [Called("王三")]).rows == [["⟦99⟧ ⟦⟧ ⟦a⟧"]]


def test_who_has_no_name_is_called_by_what_stands_for_it():
    person = Profile("G-0047", unit="甲局")
    found = results(filed(office_demand()))
    one = replace(found, unknown=((replace(found.filing.demand.people[2].profile, unit=person.unit), "某课"),))
    (account,) = [sheet for sheet in plan_sheets(masked(one)) if sheet.name == "读取说明"]
    assert ["未识别的已学课程", "⟦2⟧"] in [list(row[:2]) for row in account.rows]
