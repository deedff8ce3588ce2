from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given

from model.cohort.class_plan import what_if
from model.cohort.filing import NO_UNIT, Filing
from model.cohort.menu import MENU
from model.cohort.need_reports import common_needs, units
from model.cohort.nouns import WhatIf
from model.cohort.plan_reports import (
    MOST_NAMED,
    SPLIT,
    STATUS,
    charts,
    cohort_sheets,
    overview,
    people_list,
    rolls,
    timetable,
)
from model.cohort.rules import ClassRules, MenuRules, SplitRules
from model.domain import Match, Restriction
from model.files.sheets import SheetOut
from model.reports import FOOTER
from tests.filings import FILINGS, ORIGIN, SPEECH, STARS, WRITING, Cell, count_of, filed, number, office_demand, rows
from tests.model.cohort.test_class_plan import EXACT, cohort, course, gap, needs

NAMES = [
    "班次方案", "图表", "课程安排", "参训名单", "单位汇总", "课程点名单", "共性需求", "热力图·单位", "热力图·层级", "缺课清单", "漏补人员",
    "重复培训", "三张清单", "应急替代", "短板去向",
]  # fmt: skip


def told(filing: Filing) -> dict[tuple[Cell, Cell], Cell]:
    return {(row["类别"], row["项目"]): row["结果"] for row in rows(overview(filing))}


# Every report reconciles.


@given(FILINGS)
def test_the_overview_tells_the_numbers_of_the_plan(filing: Filing):
    plan, found = filing.plan, told(filing)
    assert found["班次", "人数"] == len(filing.own)
    hours = found["班次", "各班学时合计" if plan.classes else "总学时"]
    assert hours == pytest.approx(sum(session.hours for session in plan.sessions))
    assert found["班次", "课程门数"] == len({session.courses for session in plan.sessions})
    assert found.get(("班次", "场次"), found["班次", "课程门数"]) == len(plan.sessions)
    gaps = [found["短板和岗位需要", word] for word in ("共有", "补上", "漏下")]
    assert gaps == [len(plan.closed) + len(plan.missed), len(plan.closed), len(plan.missed)]
    assert found["最优性证明", "补上的短板分量（目标值）"] == pytest.approx(sum(one.value for one in plan.closed))
    assert number(found["最优性证明", "任何方案都不会超过（上限）"]) >= plan.certificate.objective
    parts = [part for row, part in found.items() if row[0] == "分班"]
    assert len(parts) == len(plan.classes)


@given(FILINGS)
def test_the_timetable_comes_to_the_hours_and_to_what_is_closed(filing: Filing):
    plan, table = filing.plan, rows(timetable(filing))
    assert [row["序号"] for row in table] == list(range(1, len(plan.sessions) + 1))
    assert sum(number(row["补上的分量"]) for row in table) == pytest.approx(
        plan.certificate.objective, abs=0.005 * len(table) + 1e-9
    )
    for row, session in zip(table, plan.sessions, strict=True):
        assert row["参训人数"] == len(session.attendees)
        assert number(row["受益人数"]) <= number(row["参训人数"])
        assert row["日期"] == row["时间"] == row["地点"] == ""
        assert ("学时待定" in str(row["备注"])) == session.tentative


@given(FILINGS)
def test_the_list_of_people_is_the_roster_and_its_gaps_are_those_of_the_plan(filing: Filing):
    plan, people = filing.plan, rows(people_list(filing))
    assert [row["姓名"] for row in people] == [own.profile.name or own.profile.id for own in filing.demand.people]
    assert sum(number(row["补上条数"]) for row in people) == len(plan.closed)
    assert sum(number(row["仍缺条数"]) for row in people) == len(plan.missed)
    assert sum(number(row["参加门数"]) for row in people) == sum(len(session.attendees) for session in plan.sessions)
    for row, own in zip(people, filing.demand.people, strict=True):
        part = filing.part_of.get(own.profile.id, 0)
        held = sum(session.part == part for session in plan.sessions)
        if plan.kind != MENU:
            assert number(row["参加门数"]) + number(row["免修门数"]) + number(row["不便参加门数"]) == held
        assert row.get("班次", "") == (plan.classes[part].name if plan.classes else "")
        assert (row["备注"] == "没有可补的短板或岗位信息") == (not own.gaps)


@given(FILINGS)
def test_the_rolls_name_everybody_who_attends_and_the_places_of_the_units_are_theirs(filing: Filing):
    plan, listed = filing.plan, rows(rolls(filing))
    assert len(listed) == sum(len(session.attendees) for session in plan.sessions)
    for place, session in enumerate(plan.sessions, start=1):
        own = [row for row in listed if row["场次"] == place]
        assert [row["序号"] for row in own] == list(range(1, len(session.attendees) + 1))
        assert {row["签到"] for row in own} <= {""}
        if own:
            assert own[0]["课程"] == filing.titled(session)
            assert count_of(own[0]["各单位名额"]) == len(own)
            assert not any(row["课程"] or row["各单位名额"] for row in own[1:])


@given(FILINGS)
def test_the_charts_draw_numbers_that_are_there(filing: Filing):
    sheets = {sheet.name: sheet for sheet in cohort_sheets(filing)}
    drawn = sheets["图表"]
    assert len(drawn.rows) == len(drawn.charts)
    for chart in drawn.charts:
        source = sheets[chart.sheet]
        assert 0 < chart.rows <= len(source.rows)
        for row in source.rows[: chart.rows]:
            assert isinstance(row[chart.names], str)
            assert row[chart.names] != "合计"
            assert all(isinstance(row[column], int) for column in chart.numbers)


@given(FILINGS)
def test_the_workbook_has_its_sheets_in_order_and_each_says_what_it_is_for(filing: Filing):
    sheets = cohort_sheets(replace(filing, more=(SheetOut("学时预警", "甲", ["乙", "丙"], [], [9, 9], (FOOTER,)),)))
    assert [sheet.name for sheet in sheets] == [*NAMES[:-1], "学时预警", NAMES[-1]]
    for sheet in sheets:
        assert FOOTER in sheet.footer
        assert all(len(row) == len(sheet.header) == len(sheet.widths) for row in sheet.rows)


@given(FILINGS)
def test_all_that_is_missing_is_commissioned(filing: Filing):
    (missing,) = [sheet for sheet in cohort_sheets(filing) if sheet.name == "缺课清单"]
    stated = {(one.person, one.gap.competency or one.gap.text) for one in filing.missing}
    assert sum(number(row["需要人数"]) for row in rows(missing)) == len(stated)


# What each of them tells.


def test_a_plan_that_is_proved_says_so_and_what_simpler_ways_fall_short():
    """Two hours: by gain an hour the short course is taken first, and the long one does not fit any more."""
    courses, reach = [course(0, hours=1), course(1, hours=2)], {"写材料": {"c0": 0.6}, "讲话": {"c1": 0.9}}
    people = [needs("P1", gap("写材料", 0.6), gap("讲话"))]
    found = told(filed(cohort(people, courses, reach), ClassRules("专题班", 2)))
    assert found["最优性证明", "求解"] == STATUS["optimal"]
    assert found["最优性证明", "相对差距"] == "0.0000%"
    assert found["对照", "按需求总量从高到低排课"] == "0.9（少补 0.0%）"
    assert found["要求", "总学时"] == "2 学时"


def test_a_simpler_way_that_breaks_a_rule_closes_more_and_is_told_to_break_it():
    people = [needs("P1", WRITING), needs("P2", gap("写材料", 0.5))]
    filing = filed(cohort(people, [course(0)], {"写材料": {"c0": 0.9}}))
    other = replace(filing.plan.yardsticks[0], name="别的", objective=2.7, breaks=("总学时不超过 8 学时",))
    found = told(replace(filing, plan=replace(filing.plan, yardsticks=(other,))))
    assert found["对照", "别的"] == "2.7（多补 100.0%；违反：总学时不超过 8 学时）"


def test_what_one_thing_more_would_close_is_told_with_its_gain():
    demand = cohort(
        [needs("P1", WRITING, SPEECH)], [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.8}}
    )
    rules = ClassRules("专题班", 1)
    filing = filed(demand, rules)
    more = what_if(demand, rules, EXACT, lambda: 0.0)
    less = WhatIf("少 1 门", 0.4)
    found = told(replace(filing, plan=replace(filing.plan, what_if=(*more, less))))
    assert found["如果", "多 1 学时"] == "1.38（多补 0.48）"
    assert found["如果", "少 1 门"] == "0.4（少补 0.50）"


def test_a_plan_tells_where_it_comes_from():
    found = told(filed(office_demand()))
    assert (found["复核", "模型版本"], found["复核", "课程目录指纹"]) == (ORIGIN.model_version, ORIGIN.catalog)
    assert "总学时 8.0" in str(found["复核", "参数"])


def test_the_renewal_counts_courses_with_a_year_alone():
    found = told(filed(office_demand(), year=2026))
    assert (found["更新率", "课程目录"], found["更新率", "本方案"]) == ("2/3（66.7%）", "1/2（50.0%）")
    for year, courses in ((None, [course(0, year=2026)]), (2026, [course(0)])):
        demand = cohort([needs("P1", WRITING)], courses, {"写材料": {"c0": 0.9}})
        assert told(filed(demand, year=year))["更新率", "课程目录"] == "课程目录没有年度一列，无法计算"
    undated = cohort([needs("P1", WRITING)], [course(0), course(1, year=2026)], {"写材料": {"c0": 0.9}})
    assert told(filed(undated, year=2026))["更新率", "本方案"] == "0/0（无）"


def test_a_split_tells_its_classes_on_every_list():
    people = [needs(f"P{place}", gap("写材料" if place % 2 else "讲话"), level=20) for place in range(4)]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    filing = filed(demand, ClassRules("专题班", 1), SplitRules(2, 1, 3))
    found = told(filing)
    parts = {str(name) for kind, name in found if kind == "分班"}
    assert len(parts) == 2
    assert {row["班次"] for row in rows(timetable(filing))} == parts
    assert {row["班次"] for row in rows(people_list(filing))} == parts
    *_, total = rows(units(filing))
    assert (total["第1班名额"], total["第2班名额"]) == (2, 2)
    assert "场次" not in {name for _, name in found}, "each class holds a course of its own"


def test_a_course_that_two_classes_hold_is_one_course_in_two_sessions():
    people = [needs(f"P{place}", WRITING, level=20) for place in range(4)]
    demand = cohort(people, [course(0, hours=None)], {"写材料": {"c0": 0.9}})
    filing = filed(demand, ClassRules("专题班", 1), SplitRules(2, 2, 2))
    found = told(filing)
    assert (found["班次", "课程门数"], found["班次", "场次"], found["班次", "其中学时待定的课程"]) == (1, 2, 1)
    assert found["班次", "各班学时合计"] == 2
    unproved = replace(filing.plan, certificate=replace(filing.plan.certificate, status="feasible"))
    assert told(replace(filing, plan=unproved))["最优性证明", "求解"] == SPLIT


def test_a_menu_counts_its_sessions_and_nobody_is_free_or_kept_away_from_what_is_not_theirs():
    people = [needs(f"P{place}", WRITING) for place in range(4)]
    people.append(needs("P4", SPEECH, completed=["c0"]))
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    filing = filed(demand, MenuRules(1, seats=2, repeats=2))
    found = told(filing)
    assert overview(filing).title == "菜单选学方案（草案）"
    assert (found["班次", "课程门数"], found["班次", "场次"]) == (2, 3)
    assert [row["课程"] for row in rows(timetable(filing))] == [
        "甲甲甲甲甲甲（第1期）",
        "甲甲甲甲甲甲（第2期）",
        "乙乙乙乙乙乙",
    ]
    last = rows(people_list(filing))[-1]
    assert (last["参加门数"], last["免修门数"], last["不便参加门数"]) == (1, 0, 0)


def test_who_is_free_and_who_is_kept_away_is_told_and_nobody_is_both():
    people = {row["姓名"]: row for row in rows(people_list(filed(office_demand())))}
    counts = {name: (row["参加门数"], row["免修门数"], row["不便参加门数"]) for name, row in people.items()}
    assert counts["孙五"] == (1, 0, 3)
    assert counts["周六"] == (3, 1, 0)
    assert people["孙五"]["备注"] == "没有排上能补其短板的课，需另行安排"
    both = needs("P1", SPEECH, completed=["c0"], restrictions=frozenset({Restriction.ONLINE_ONLY}))
    demand = cohort(
        [both, needs("P2", WRITING)],
        [course(0, mode="线下讲授"), course(1, mode="网络")],
        {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}},
    )
    first, _ = rows(people_list(filed(demand)))
    assert (first["参加门数"], first["免修门数"], first["不便参加门数"]) == (1, 1, 0)


def test_nobody_gains_from_a_session_they_are_kept_away_from():
    """The gap is closed by the part on screen, but the series is held as a whole, and its other part is out of the question for P1."""
    parts = [course(0, series="公文", mode="网络"), course(1, series="公文", mode="线下脱产")]
    people = [needs("P1", WRITING, restrictions=frozenset({Restriction.NOT_OFF_POST})), needs("P2", WRITING)]
    (row,) = rows(timetable(filed(cohort(people, parts, {"写材料": {"c0": 0.9}}))))
    assert (row["参训人数"], row["受益人数"]) == (1, 1)


def test_the_timetable_names_what_a_session_closes_and_the_courses_of_a_series():
    table = {row["课程"]: row for row in rows(timetable(filed(office_demand())))}
    assert table["公文写作与处理实务"]["主要补什么（条数）"] == "写作（3）"
    assert (table["公文写作与处理实务"]["参训人数"], table["公文写作与处理实务"]["受益人数"]) == (4, 2)
    assert (table["公文写作与处理实务"]["方式"], table["公文写作与处理实务"]["提供单位"]) == ("线下讲授", "市委党校")
    assert table["讲话"]["备注"] == "学时待定；讲话第一讲；讲话第二讲"
    assert [row["模块"] for row in table.values()] == ["理论教育", "党性教育", "履职能力", "履职能力"]


def test_the_rolls_give_each_unit_its_places():
    first = rows(rolls(filed(office_demand())))[0]
    assert first["各单位名额"] == f"甲局 2、{NO_UNIT} 1、乙局 1、丙局 1"
    assert (first["姓名"], first["单位及职务"]) == ("王三", "甲局 局长")


def test_a_class_of_very_many_is_named_once_in_the_list_of_all():
    people = [needs(f"P{place}", WRITING, unit="甲局") for place in range(MOST_NAMED // 2 + 1)]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}})
    filing = filed(demand, ClassRules("专题班", 2, pinned=frozenset({"c1"})))
    listed = rolls(filing)
    assert [row["姓名"] for row in rows(listed)] == [f"共 {len(people)} 人"] * 2
    assert {row["单位及职务"] for row in rows(listed)} == {"姓名见“参训名单”"}


def test_what_is_missing_is_told_with_the_course_that_comes_nearest():
    near = Match(course(2), 0.31)
    filing = replace(filed(office_demand()), nearest={STARS.text: near}, teaches={"c2": "党性"})
    (missing,) = [sheet for sheet in cohort_sheets(filing) if sheet.name == "缺课清单"]
    (row,) = rows(missing)
    assert (row["短板（能力）"], row["需要人数"], row["涉及单位数"]) == ("观星", 1, 0)
    assert row["最接近的课程"] == "丙丙丙丙丙丙（匹配度 0.31）"
    assert row["它还缺什么"] == "主要讲“党性”，没有讲“观星”"


def test_where_nobody_lacks_anything_no_need_is_drawn():
    filing = filed(cohort([needs("P1", unit="甲局")], [course(0)], {}))
    drawn = charts(filing, common_needs(filing), units(filing))
    assert [chart.sheet for chart in drawn.charts] == ["单位汇总"]
    assert told(filing)["对照", "按需求总量从高到低排课"] == "0（少补 0.0%；违反：课程至少安排一门）"
    assert Counter(row["备注"] for row in rows(people_list(filing))) == {"没有可补的短板或岗位信息": 1}
