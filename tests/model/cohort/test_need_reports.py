from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given

from model.cohort.filing import NO_UNIT, Filing
from model.cohort.need_reports import (
    LEVEL_UNKNOWN,
    MOST_COLUMNS,
    REST,
    advice,
    common_needs,
    least,
    level_map,
    three_lists,
    unit_map,
    units,
    whereabouts,
)
from model.cohort.nouns import Fate, Status
from model.cohort.rules import ClassRules, MenuRules
from model.domain import Cause
from model.reports import CAUSE_ADVICE, FOOTER, need_of
from tests.filings import (
    FILINGS,
    NAMED,
    SPEECH,
    WRITING,
    count_of,
    filed,
    kept_of,
    number,
    office_demand,
    rows,
)
from tests.model.cohort.test_class_plan import cohort, course, gap, needs

REPORTS = (whereabouts, common_needs, unit_map, level_map, units, three_lists)


def settled(filing: Filing) -> int:
    return len(list(filing.gone()))


# Every report reconciles.


@given(FILINGS)
def test_the_whereabouts_are_those_of_every_gap_closed_missed_or_settled(filing: Filing):
    plan, told = filing.plan, rows(whereabouts(filing))
    assert [row["序号"] for row in told] == list(range(1, len(told) + 1))
    assert len(told) == len(plan.closed) + len(plan.missed) + settled(filing)
    closed = [row for row in told if row["匹配度"] != ""]
    assert len(closed) == len(plan.closed)
    assert Counter(row["课程"] for row in closed) == Counter(plan.sessions[one.session].title for one in plan.closed)
    missed = Counter(
        str(row["漏下的原因或说明"]).partition("：")[0] for row in told if row["分量"] != "" and not row["课程"]
    )
    assert missed == Counter(one.cause.value for one in plan.missed)
    assert Counter(row["状态"] for row in told) == Counter(fate.status for key, fate in filing.fates.items())
    weights = sum(number(row["分量"]) for row in told if row["分量"] != "")
    assert weights == pytest.approx(sum(one.gap.weight for one in (*plan.closed, *plan.missed)))


@given(FILINGS)
def test_common_needs_count_each_person_once_a_need_and_every_missed_gap(filing: Filing):
    told = rows(common_needs(filing))
    wanted = {(person, need_of(line.gap)) for person, lines in filing.lines.items() for line in lines}
    assert {row["短板（能力）"]: row["需要人数"] for row in told} == Counter(need for _, need in wanted)
    assert all(number(row["需要人数"]) == number(row["补上人数"]) + number(row["仍缺人数"]) for row in told)
    assert sum(count_of(row["漏下原因（条数）"]) for row in told) == len(filing.plan.missed)
    assert all(number(row["涉及单位数"]) <= number(row["需要人数"]) for row in told)
    people = [number(row["需要人数"]) for row in told]
    assert people == sorted(people, reverse=True)


@given(FILINGS)
def test_the_heat_maps_come_to_all_gaps_by_rows_and_by_columns(filing: Filing):
    plan = filing.plan
    for sheet in (unit_map(filing), level_map(filing)):
        *each, total = sheet.rows
        assert total[:3] == ["合计", len(plan.closed) + len(plan.missed), len(plan.missed)]
        assert all(row[1] == sum(map(number, row[3:])) for row in sheet.rows)
        assert all(total[column] == sum(number(row[column]) for row in each) for column in range(1, len(sheet.header)))
        assert sheet.heat
        assert sheet.heat.rows == len(each), "the total is not coloured"
        assert sheet.heat.last == len(sheet.header) - 1 - (REST in sheet.header)
        assert f"合计 {total[1]} 条，其中仍缺 {total[2]} 条" in sheet.footer[0]


@given(FILINGS)
def test_the_units_come_to_the_roster_its_gaps_and_who_attends(filing: Filing):
    plan, sheet = filing.plan, units(filing)
    *each, total = rows(sheet)
    assert len({row["单位"] for row in each}) == len(each)
    for column in sheet.header[1:]:
        assert total[column] == sum(number(row[column]) for row in each)
    assert all(number(row["短板和岗位需要"]) == number(row["补上条数"]) + number(row["仍缺条数"]) for row in each)
    assert total["人数"] == len(filing.own)
    assert (total["短板和岗位需要"], total["补上条数"]) == (len(plan.closed) + len(plan.missed), len(plan.closed))
    assert total["有短板补上的人数"] == len({one.person for one in plan.closed})
    places = [number(total[column]) for column in sheet.header[6:]]
    for part, count in enumerate(places):
        held = [session for session in plan.sessions if session.part == part]
        assert count == len({person for session in held for person in session.attendees})
    assert len(places) == max(1, len(plan.classes))


@given(FILINGS)
def test_the_three_lists_come_to_every_gap_closed_missed_or_settled(filing: Filing):
    plan, told = filing.plan, rows(three_lists(filing))
    assert [row["序号"] for row in told] == list(range(1, len(told) + 1))
    states = Counter[str]()
    for row in told:
        own = dict(part.split(" ") for part in str(row["各条状态"]).split("、"))
        states.update({status: int(count) for status, count in own.items()})
        assert row["状态"] in own
        assert list(own) == [status for status in Status if status in own], "in the order of their progress"
        assert number(row["人数"]) <= count_of(row["各条状态"])
    assert states == Counter(fate.status for fate in filing.fates.values())
    assert states.total() == len(plan.closed) + len(plan.missed) + settled(filing)
    steps = sum(int(count) for row in told for count in re.findall(r"（(\d+) 条）", str(row["举措"])))
    assert steps <= states.total()
    assert {row["时限"] for row in told} <= {filing.deadline}


@given(FILINGS)
def test_all_sheets_count_the_same_gaps_of_a_unit(filing: Filing):
    stated = {row["单位"]: number(row["短板和岗位需要"]) for row in rows(units(filing)) if row["短板和岗位需要"]}
    assert stated == {row["单位"]: row["合计"] for row in rows(unit_map(filing)) if row["合计"]}
    listed = Counter[object]()
    for row in rows(three_lists(filing)):
        listed[row["单位"]] += count_of(row["各条状态"])
    for person, *_ in filing.gone():
        listed[filing.unit_of(person)] -= 1
    assert +listed == Counter({unit: count for unit, count in stated.items() if unit != "合计"})


@given(FILINGS)
def test_no_report_ranks_people_and_all_say_what_they_are_for(filing: Filing):
    for report in REPORTS:
        sheet = report(filing)
        assert FOOTER in sheet.footer
        assert len(sheet.header) == len(sheet.widths)
        assert all(len(row) == len(sheet.header) for row in sheet.rows)
        assert not any(word in header for header in sheet.header for word in ("排名", "名次", "总分"))


# What each of them tells.


def test_a_gap_tells_its_course_or_why_there_is_none_and_what_could_be_studied_alone():
    told = {(row["姓名"], row["短板或岗位需要"], row["来源"]): row for row in rows(whereabouts(filed(office_demand())))}
    closed = told["王三", "写材料", "本人自评"]
    assert (closed["单位及职务"], closed["状态"], closed["匹配度"]) == ("甲局 局长", "已安排", 0.9)
    assert (closed["课程"], closed["漏下的原因或说明"], closed["个性选学建议"]) == ("公文写作与处理实务", "", "")
    assert told["王三", "写材料", "岗位要求"]["状态"] == "已安排", "the duty of the same words is a gap of its own"
    missed = told["周六", "写材料", "本人自评"]
    assert (missed["状态"], missed["课程"], missed["匹配度"]) == ("待补", "", "")
    assert str(missed["漏下的原因或说明"]).startswith("学时不足：目录里有课")
    assert missed["个性选学建议"] == "公文写作与处理实务（2）（2 学时，网络课程）"
    nobody = told["P3", "素质", "本人自评"]
    assert (nobody["归入能力"], nobody["单位及职务"]) == ("", "")
    assert str(nobody["漏下的原因或说明"]).startswith("描述不明：")


def test_a_course_of_unknown_hours_is_not_said_to_take_the_default():
    courses = [course(0, hours=None, mode="网络"), course(1)]
    demand = cohort([needs("P1", WRITING, SPEECH)], courses, {"写材料": {"c0": 0.5}, "讲话": {"c1": 0.9}})
    told = {row["短板或岗位需要"]: row for row in rows(whereabouts(filed(demand, ClassRules("专题班", 1))))}
    assert told["写材料"]["个性选学建议"] == "甲甲甲甲甲甲（学时待定，网络）"


def test_the_status_can_be_picked_from_the_five_there_are():
    filing = filed(office_demand())
    for sheet in (whereabouts(filing), three_lists(filing)):
        ((column, words),) = sheet.pick.items()
        assert sheet.header[column] == "状态"
        assert list(words) == ["待补", "已安排", "已学", "已销号", "重开"]


def reopened() -> Filing:
    """P1 learnt what was arranged and states the gap again; P2 states nothing any more, without having learnt; P3 has learnt."""
    courses, reach = [course(0), course(1)], {"写材料": {"c0": 0.9, "c1": 0.8}}
    rules = ClassRules("专题班", 1)
    before = filed(cohort([needs(f"P{n}", WRITING, unit="甲局") for n in (1, 2, 3)], courses, reach), rules)
    for stated in ((), (WRITING,)):
        people = [
            needs("P1", *stated, unit="甲局", completed=["c0"]),
            needs("P2", unit="甲局"),
            needs("P3", unit="甲局", completed=["c0"]),
        ]
        before = filed(cohort(people, courses, reach), rules, before=kept_of(before))
    return before


def test_what_is_to_be_known_of_a_status_stands_beside_it():
    told = {row["姓名"]: row for row in rows(whereabouts(reopened()))}
    assert (told["P1"]["状态"], told["P1"]["课程"]) == ("重开", "乙" * 6)
    assert told["P1"]["漏下的原因或说明"] == "重开：销号后又提出。"
    assert (told["P2"]["状态"], told["P2"]["课程"]) == ("已安排", "甲" * 6)
    assert told["P2"]["漏下的原因或说明"] == "名册不再提出，但没有学习记录，请核实后销号"
    assert (told["P3"]["状态"], told["P3"]["漏下的原因或说明"]) == ("已销号", "")


def test_the_three_lists_tell_what_is_done_and_by_whom_and_take_the_state_that_wants_most():
    (row,) = rows(three_lists(reopened()))
    assert (row["单位"], row["责任单位"], row["责任人"], row["人数"]) == ("甲局", "甲局", "", 3)
    assert (row["难题（短板）"], row["原话摘录"]) == ("写作", "写材料")
    assert (row["状态"], row["各条状态"]) == ("重开", "已安排 1、已销号 1、重开 1")
    assert set(str(row["举措"]).split("；")) == {
        "参加《乙乙乙乙乙乙》（1 条）",
        "核实后销号（1 条）",
        "已补上（1 条）",
    }, "what nobody has seen learnt is not said to be closed"


def test_what_is_done_about_a_gap_that_stays_open_depends_on_the_cause():
    told = {row["难题（短板）"]: row for row in rows(three_lists(filed(office_demand()))) if row["状态"] == "待补"}
    assert {need: row["举措"] for need, row in told.items()} == {
        "观星": "委托开发课程（1 条）",
        "素质": "请本人写明具体短板（1 条）",
        "理论": "另行安排（1 条）",
        "写作": "个性选学《公文写作与处理实务（2）》（1 条）",
    }
    assert told["观星"]["单位"] == NO_UNIT
    assert told["观星"]["责任单位"] == "", "who sees to it is to be filled in"


def test_what_is_for_other_levels_is_to_be_learnt_in_a_class_of_that_level():
    people = [needs("P1", WRITING, level=20), needs("P2", SPEECH)]
    courses, reach = [course(0, levels=frozenset({40})), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}
    (row,) = rows(three_lists(filed(cohort(people, courses, reach))))
    assert row["举措"] == "参加《乙乙乙乙乙乙》（1 条）；参加相应层级的班次（1 条）"
    assert (row["状态"], row["各条状态"]) == ("待补", "待补 1、已安排 1")


def test_what_was_learnt_and_is_still_stated_wants_to_be_verified():
    courses, reach = [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}
    before = filed(cohort([needs("P1", WRITING)], courses, reach))
    after = filed(cohort([needs("P1", WRITING, SPEECH, completed=["c0"])], courses, reach), before=kept_of(before))
    (row,) = rows(three_lists(after))
    assert set(str(row["举措"]).split("；")) == {"已学，核实后销号（1 条）", "参加《乙乙乙乙乙乙》（1 条）"}
    assert (row["状态"], row["各条状态"]) == ("已安排", "已安排 1、已学 1")


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ((Status.SETTLED, Status.LEARNT), Status.LEARNT),
        ((Status.LEARNT, Status.ARRANGED), Status.ARRANGED),
        ((Status.ARRANGED, Status.OPEN), Status.OPEN),
        ((Status.OPEN, Status.REOPENED, Status.SETTLED), Status.REOPENED),
    ],
)
def test_several_states_together_are_the_one_that_wants_most(states: tuple[Status, ...], together: Status):
    assert least(Counter(states)) is together


def test_a_person_without_gaps_is_a_person_of_their_unit_and_stands_in_no_map():
    filing = filed(office_demand())
    told = {row["单位"]: row for row in rows(units(filing))}
    assert (told["乙局"]["人数"], told["乙局"]["短板和岗位需要"]) == (2, 1)
    assert (told["乙局"]["有短板补上的人数"], told["乙局"]["参训名额"]) == (0, 2)
    assert told[NO_UNIT]["人数"] == 1
    assert {row["单位"]: row["合计"] for row in rows(unit_map(filing))} == {
        "甲局": 5, NO_UNIT: 3, "丙局": 2, "乙局": 1, "合计": 11,
    }  # fmt: skip
    assert {row["层级"] for row in rows(level_map(filing))} == {*NAMED.level_names.values(), LEVEL_UNKNOWN, "合计"}


def test_a_person_who_needs_one_ability_twice_is_served_by_the_first():
    people = [needs("P1", gap("甲"), gap("乙"), unit="甲局"), needs("P2", gap("乙"))]
    demand = cohort(people, [course(0), course(1, hours=9)], {"甲": {"c0": 0.9}, "乙": {"c1": 0.9}})
    (row,) = rows(common_needs(filed(demand)))
    assert (row["需要人数"], row["补上人数"], row["仍缺人数"], row["涉及单位数"]) == (2, 1, 1, 1)
    assert (row["可上的课程门数"], row["漏下原因（条数）"]) == (2, "学时不足 2")


def test_a_map_shows_the_most_common_abilities_and_the_others_together():
    """Twenty-three abilities, the first lacked by two people."""
    lacks = [gap(f"t{one:02}", competency=f"能力{one:02}") for one in range(MOST_COLUMNS + 3)]
    people = [needs("P1", *lacks, unit="甲局"), needs("P2", lacks[0], unit="乙局")]
    sheet = unit_map(filed(cohort(people, [course(0)], {one.text: {"c0": 0.9} for one in lacks})))
    assert list(sheet.header[:4]) == ["单位", "合计", "仍缺", "能力00"]
    assert len(sheet.header) == 3 + MOST_COLUMNS + 1
    assert sheet.header[-1] == REST
    assert [(row["单位"], row["合计"], row[REST]) for row in rows(sheet)] == [
        ("甲局", 23, 3),
        ("乙局", 1, 0),
        ("合计", 24, 3),
    ]


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_advice(cause: Cause):
    assert advice(cause).endswith("。")
    if cause is Cause.HOURS:
        assert advice(cause) != CAUSE_ADVICE[cause], "a plan has hours of its own"


def test_a_menu_whose_seats_are_taken_says_so():
    people = [needs("P1", WRITING), needs("P2", gap("写材料", 0.5))]
    filing = filed(cohort(people, [course(0)], {"写材料": {"c0": 0.9}}), MenuRules(2, seats=1))
    told = {row["姓名"]: row for row in rows(whereabouts(filing))}
    assert str(told["P2"]["漏下的原因或说明"]).startswith("名额已满：")
    assert rows(units(filing))[-1]["参训名额"] == 1


def test_without_any_gap_there_is_nothing_to_report_but_the_people():
    filing = filed(cohort([needs("P1", unit="甲局"), needs("P2")], [course(0)], {}))
    assert whereabouts(filing).rows == common_needs(filing).rows == three_lists(filing).rows == []
    for sheet in (unit_map(filing), level_map(filing)):
        assert sheet.rows == [["合计", 0, 0]]
        assert sheet.heat
        assert sheet.heat.rows == 0
    assert [row["人数"] for row in rows(units(filing))] == [1, 1, 2]


def test_a_course_the_catalog_no_longer_has_is_named_by_its_id():
    before = filed(cohort([needs("P1", WRITING)], [course(0)], {"写材料": {"c0": 0.9}}))
    after = filed(
        cohort([needs("P1", gap("讲话", 1.0, "讲话"))], [course(1)], {"讲话": {"c1": 0.9}}), before=kept_of(before)
    )
    told = {row["短板或岗位需要"]: row for row in rows(whereabouts(after))}
    assert told["写材料"]["课程"] == "c0"
    assert Fate(Status.ARRANGED, "c0", "写作", str(told["写材料"]["漏下的原因或说明"])) in after.fates.values()
