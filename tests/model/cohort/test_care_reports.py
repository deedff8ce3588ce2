from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given

from model.cohort.care_reports import MOST_NAMED, closed_share, judged, missed_people, repeats, substitutes
from model.cohort.filing import Filing, Line
from model.cohort.rules import ClassRules, MenuRules
from model.domain import Cause, Course
from model.files.sheets import SheetOut
from model.reports import FOOTER
from tests.filings import FILINGS, SPEECH, WRITING, Cell, filed, number, office_demand, rows
from tests.model.cohort.test_class_plan import cohort, course, gap, needs

ALONE = {"写材料": {"c0": 0.9}}
BOTH = ALONE | {"讲话": {"c1": 0.9}}


def told_of(sheet: SheetOut, column: str) -> dict[Cell, dict[str, Cell]]:
    return {row[column]: row for row in rows(sheet)}


def line(weight: float, closed: bool) -> Line:
    return Line(needs("P1"), gap("写材料", weight), None, 0.9 if closed else 0.0, None if closed else Cause.HOURS)


# 漏补人员


@given(FILINGS)
def test_missed_and_weakly_trained_people_and_all_others_make_the_roster(filing: Filing):
    sheet = missed_people(filing)
    told = rows(sheet)
    people, *_ = sheet.footer
    counts = dict(re.findall(r"(已覆盖|补得少|无短板|未补上) (\d+) 人", people.partition("。")[0]))
    assert people.startswith(f"全部 {len(filing.own)} 人：")
    assert sum(map(int, counts.values())) == len(filing.own)
    listed = Counter(str(row["情况"]) for row in told)
    assert listed == Counter({kind: int(counts[kind]) for kind in ("未补上", "补得少") if kind in counts})
    assert int(counts.get("无短板", 0)) == sum(not own.gaps for own in filing.demand.people)
    served = {one.person for one in filing.plan.closed}
    assert listed["未补上"] == sum(bool(own.gaps) and own.profile.id not in served for own in filing.demand.people)
    assert [row["序号"] for row in told] == list(range(1, len(told) + 1))


@given(FILINGS)
def test_every_missed_person_has_one_cause_that_is_one_of_theirs(filing: Filing):
    causes = Counter(one.cause.value for one in filing.plan.missed)
    for row in rows(missed_people(filing)):
        assert causes[str(row["主要原因"])]
        assert str(row["建议"]).endswith("。")
        assert number(row["补上条数"]) < number(row["短板和岗位需要"])
        share = int(str(row["补上的分量占比"]).rstrip("%"))
        assert (share == 0 and row["补上条数"] == 0) if row["情况"] == "未补上" else share < 50


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([], "无短板"),
        ([line(0.9, False)], "未补上"),
        ([line(0.4, True), line(0.6, False)], "补得少"),
        ([line(0.5, True), line(0.5, False)], "已覆盖"),
        # 0.1 + 0.2 is more than 0.3, and 0.3 less than half of 0.1 + 0.2 + 0.3, where floats are added up.
        ([line(0.3, True), line(0.2, False), line(0.1, False)], "已覆盖"),
        ([line(0.1, False), line(0.2, False), line(0.3, True)], "已覆盖"),
        ([line(0.9, True)], "已覆盖"),
    ],
)
def test_less_than_half_of_the_weight_is_weak(lines: list[Line], verdict: str):
    assert judged(lines) == verdict


def test_a_share_just_below_half_is_not_printed_as_half():
    reach = {"写材料": {"c0": 0.9}, "讲话": {}}
    demand = cohort([needs("P1", gap("写材料", 0.499), gap("讲话", 0.501))], [course(0)], reach)
    (row,) = rows(missed_people(filed(demand)))
    assert (row["情况"], row["补上的分量占比"]) == ("补得少", "49%")
    assert closed_share([line(0.499, True), line(0.501, False)]) == 0.499


def test_the_office_has_its_missed_people():
    told = told_of(missed_people(filed(office_demand())), "姓名")
    assert {
        who: (row["情况"], row["主要原因"], row["短板和岗位需要"], row["补上条数"]) for who, row in told.items()
    } == {
        "P3": ("补得少", "目录无课", 3, 1),
        "孙五": ("未补上", "被排除", 1, 0),
        "周六": ("补得少", "学时不足", 2, 1),
    }
    assert (told["孙五"]["单位及职务"], told["孙五"]["职务层次"]) == ("乙局", "乡科级正职")


# 重复培训


@given(FILINGS)
def test_repeats_are_counted_and_named(filing: Filing):
    sheet = repeats(filing)
    assert f"共 {len(sheet.rows)} 条" in sheet.footer[0]
    for row in rows(sheet):
        assert number(row["数量"]) >= 1
        if row["情形"] == "内容相近的课程":
            assert number(row["数量"]) >= 2
        if row["情形"] == "参训而无所补":
            served = {one.person for one in filing.plan.closed}
            attending = {person for session in filing.plan.sessions for person in session.attendees}
            assert row["数量"] == len(attending - served)


def test_near_duplicates_are_told_with_the_one_that_is_held_and_their_providers():
    told = told_of(repeats(filed(office_demand())), "情形")
    twins = told["内容相近的课程"]
    assert twins["对象"] == "公文写作与处理实务（c0，市委党校）；公文写作与处理实务（2）（c1，干部网院）"
    assert twins["数量"] == 2
    assert str(twins["说明与建议"]).startswith("本方案只排《公文写作与处理实务》；")
    assert told["可用学时不足"]["对象"] == "李二"
    assert (told["参训而无所补"]["对象"], told["参训而无所补"]["数量"]) == ("赵四、孙五", 2)


TWINS = [
    course(0, title="公文写作与处理实务", hours=3),
    course(1, title="公文写作与处理实务（2）", provider="另一家", hours=3),
    course(2),
]
TWIN_REACH = {"写材料": {"c0": 0.9, "c1": 0.8}, "讲话": {"c2": 0.9}}


def test_who_has_completed_something_near_may_ask_to_stay_away():
    people = [needs("P1", WRITING, completed=["c1"], name="王三"), needs("P2", WRITING)]
    told = told_of(repeats(filed(cohort(people, TWINS, TWIN_REACH))), "情形")
    assert told["学过内容相近的课程"]["对象"] == "《公文写作与处理实务》：王三"
    assert told["学过内容相近的课程"]["数量"] == 1


def test_near_duplicates_that_are_not_held_are_told_and_those_nobody_wants_are_not():
    held = filed(cohort([needs("P1", WRITING, SPEECH)], TWINS, TWIN_REACH), ClassRules("专题班", 1))
    (row,) = rows(repeats(held))
    assert str(row["说明与建议"]).startswith("本方案没有排；")
    assert rows(repeats(filed(cohort([needs("P1", SPEECH)], TWINS, TWIN_REACH)))) == []


def test_the_first_of_many_people_are_named_and_the_others_counted():
    people = [needs("P0", WRITING), *(needs(f"N{number}") for number in range(MOST_NAMED + 2))]
    (row,) = rows(repeats(filed(cohort(people, [course(0)], ALONE))))
    assert (row["情形"], row["数量"]) == ("参训而无所补", MOST_NAMED + 2)
    assert str(row["对象"]).endswith(f"等 {MOST_NAMED + 2} 人")
    assert str(row["对象"]).count("、") == MOST_NAMED - 1


def test_hours_that_just_suffice_are_enough():
    people = [needs("P1", WRITING, hours_available=1.0)]
    assert rows(repeats(filed(cohort(people, [course(0, hours=1.0)], ALONE)))) == []


# 应急替代


@given(FILINGS)
def test_every_session_is_held_on_screen_replaced_or_put_off(filing: Filing):
    plan, sheet = filing.plan, substitutes(filing)
    told = rows(sheet)
    if not any(one.mode for choice in filing.demand.choices for one in choice.courses):
        assert len(told) == 1
        assert "没有写授课方式" in str(told[0]["替代课程或说明"])
        return
    assert [row["序号"] for row in told] == list(range(1, len(plan.sessions) + 1))
    held = {session.courses[0].id for session in plan.sessions}
    by_title = {choice.title: choice for choice in filing.demand.choices if choice.id not in held}
    for row, session in zip(told, plan.sessions, strict=True):
        way = row["不能现场授课时"]
        assert way in {"照常", "改线上", "顺延"}
        if way == "改线上":
            choice = by_title[str(row["替代课程或说明"])]
            assert all("网络" in one.mode for one in choice.courses)
            assert row["学时"] == choice.hours
            assert 50 <= int(str(row["能补上原来的"]).rstrip("%")) <= 999
        assert (way == "照常") == all("网络" in one.mode for one in session.courses)


def test_a_session_on_site_is_replaced_by_the_course_on_screen_that_closes_at_least_half():
    told = told_of(substitutes(filed(office_demand())), "课程")
    assert {title: row["不能现场授课时"] for title, row in told.items()} == {
        "一线见学": "顺延", "党纪十讲": "照常", "公文写作与处理实务": "改线上", "讲话": "顺延",
    }  # fmt: skip
    writing = told["公文写作与处理实务"]
    # 0.6 beside 0.9 for each of the gaps it closes.
    assert (writing["替代课程或说明"], writing["能补上原来的"]) == ("公文写作与处理实务（2）", "66%")
    assert (writing["学时"], writing["提供单位"]) == (2.0, "干部网院")
    assert told["一线见学"]["替代课程或说明"] == "目录里没有能替代的线上课程"


def modes(*ways: str) -> list[Course]:
    return [replace(course(place), mode=way) for place, way in enumerate(ways)]


def test_a_course_on_screen_that_closes_less_than_half_is_told_and_the_session_put_off():
    people = [needs("P1", WRITING), needs("P2", SPEECH)]
    reach = {"写材料": {"c0": 0.9}, "讲话": {"c0": 0.9, "c1": 0.8}}
    demand = cohort(people, modes("线下讲授", "网络"), reach)
    (row,) = rows(substitutes(filed(demand, ClassRules("专题班", 1))))
    # 0.6 x 0.8 of 1.0 x 0.9 + 0.6 x 0.9: 33.3 percent.
    assert (row["不能现场授课时"], row["替代课程或说明"]) == ("顺延", "线上课程最多能补其中的 33%")


def test_what_closes_nothing_has_no_substitute_to_be_measured_by():
    demand = cohort([needs("P1", WRITING)], modes("网络", "线下讲授"), BOTH)
    told = told_of(substitutes(filed(demand, ClassRules("专题班", 9, pinned=frozenset({"c1"})))), "课程")
    assert told["乙" * 6]["不能现场授课时"] == "顺延"
    assert told["乙" * 6]["替代课程或说明"] == "这门课在本方案中没有补上短板，无法按短板找替代课程"


def test_what_nobody_says_how_it_is_taught_counts_as_taught_on_site():
    demand = cohort([needs("P1", WRITING)], modes("", "网络"), {"写材料": {"c0": 0.9, "c1": 0.6}})
    (row,) = rows(substitutes(filed(demand)))
    assert (row["方式"], row["不能现场授课时"]) == ("", "改线上")


def test_a_catalog_without_ways_of_teaching_is_asked_for_them():
    (row,) = rows(substitutes(filed(cohort([needs("P1", WRITING)], [course(0)], ALONE))))
    assert "请在课程表中补“授课方式”一列" in str(row["替代课程或说明"])


def test_each_parallel_session_of_a_menu_has_its_substitute():
    people = [needs(f"P{number}", WRITING) for number in range(4)]
    demand = cohort(people, modes("线下讲授", "网络"), {"写材料": {"c0": 0.9, "c1": 0.5}})
    told = rows(substitutes(filed(demand, MenuRules(1, seats=2, repeats=2, offered=frozenset({"c0"})))))
    assert [(row["不能现场授课时"], row["能补上原来的"]) for row in told] == [("改线上", "55%")] * 2


@given(FILINGS)
def test_all_three_say_what_they_are_for(filing: Filing):
    for sheet in (missed_people(filing), repeats(filing), substitutes(filing)):
        assert sheet.footer[-1] == FOOTER
        assert all(len(row) == len(sheet.header) == len(sheet.widths) for row in sheet.rows)
