from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Candidate, Cause, Course, Fault, Gap, Part, Plan, Profile, Reading, Reason, Unmet
from model.explanation import explain
from model.files.sheets import SheetOut, write_workbook
from model.lexicon import Lexicon
from model.reports import (
    CAUSE_ADVICE,
    FOOTER,
    account_line,
    missing_courses,
    personal_lists,
    reading_account,
    unit_and_post,
    without_course,
)

WANG = Profile("P2", "王三", "青溪镇政府", "镇长", level=20)
LI = Profile("P1", "李二", "县政府办公室", "秘书")
NOBODY = Profile("P3")
WRITING = Gap("写材料没观点", "公文写作", Reason.LACK, "能力弱项", "本人自评", 0.72)
DUTY = Gap("公文写作", "公文写作", Reason.DUTY, None, "岗位要求", 0.36)
DIVING = Gap("水下考古", "考古", Reason.LACK, "知识空白", "组织评价", 0.8)
COURSE = Course("c1", "公文写作十讲", category="机关运转", hours=2.0, mode="网络课程", provider="市委党校")
PINNED = Course("c9", "党纪必修课", required=True)


def plan(person: Profile, *courses: tuple[Course, tuple[Part, ...]], unmet: tuple[Unmet, ...] = ()) -> Plan:
    gaps = {part.gap: None for _, parts in courses for part in parts} | {lost.gap: None for lost in unmet}
    return Plan(person, tuple(gaps), tuple(explain(Candidate(*course)) for course in courses), unmet, {}, "v0001")


def cells(sheet: SheetOut) -> list[dict[str, object]]:
    return [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]


PLANS = (
    plan(WANG, (PINNED, ()), (COURSE, (Part(WRITING, 0.8), Part(DUTY, 0.8))), unmet=(Unmet(DIVING, Cause.NO_COURSE),)),
    plan(LI, (COURSE, (Part(WRITING, 0.9),))),
    plan(NOBODY),
)


def test_every_recommended_course_and_every_open_gap_has_its_row(tiny_lexicon: Lexicon) -> None:
    rows = cells(personal_lists(PLANS, tiny_lexicon))
    assert [(row["姓名"], row["推荐课程"]) for row in rows] == [
        ("王三", "党纪必修课"),
        ("王三", "公文写作十讲"),
        ("王三", "（暂无可推荐课程）"),
        ("李二", "公文写作十讲"),
        ("P3", ""),
    ]
    assert [row["序号"] for row in rows] == [1, 2, 3, 4, 5]


def test_a_row_tells_who_what_how_long_and_why_with_both_scores_apart(tiny_lexicon: Lexicon) -> None:
    row = cells(personal_lists(PLANS, tiny_lexicon))[1]
    assert row["单位及职务"] == "青溪镇政府 镇长"
    assert row["职务层次"] == "乡科级正职"
    assert row["短板或岗位需要（来源）"] == "写材料没观点（本人自评）；公文写作（岗位要求）"
    assert (row["岗位匹配分"], row["短板匹配分"]) == (0.288, 0.576)
    assert (row["类别"], row["方式"], row["学时"], row["提供单位"]) == ("机关运转", "网络课程", 2.0, "市委党校")
    assert str(row["推荐理由"]).count("\n") == 1


def test_required_courses_are_marked_and_unknown_hours_are_said_to_be_open(tiny_lexicon: Lexicon) -> None:
    first, second, *_ = cells(personal_lists(PLANS, tiny_lexicon))
    assert (first["必修/选修"], second["必修/选修"]) == ("必修", "选修")
    assert (first["学时"], first["短板或岗位需要（来源）"]) == ("学时待定", "")
    assert str(first["推荐理由"]).startswith("必修课")


@pytest.mark.parametrize("cause", Cause)
def test_an_open_gap_says_its_cause_and_what_that_means(cause: Cause, tiny_lexicon: Lexicon) -> None:
    (row,) = cells(personal_lists([plan(WANG, unmet=(Unmet(DIVING, cause),))], tiny_lexicon))
    assert row["短板或岗位需要（来源）"] == "水下考古（组织评价）"
    assert row["推荐理由"] == f"{cause.value}：{CAUSE_ADVICE[cause]}"


def test_a_person_without_any_gap_is_not_left_out(tiny_lexicon: Lexicon) -> None:
    row = cells(personal_lists(PLANS, tiny_lexicon))[-1]
    assert "请补充" in str(row["推荐理由"])
    assert (row["姓名"], row["单位及职务"], row["职务层次"]) == ("P3", "", "")


def test_people_stand_in_the_order_of_the_roster_and_are_never_ranked(tiny_lexicon: Lexicon) -> None:
    for plans in (PLANS, PLANS[::-1]):
        sheet = personal_lists(plans, tiny_lexicon)
        people = list(dict.fromkeys(row["姓名"] for row in cells(sheet)))
        assert people == [person.profile.name or person.profile.id for person in plans]
        assert not any(word in header for header in sheet.header for word in ("排名", "名次", "总分"))


def lost(
    text: str, competency: str | None = None, cause: Cause = Cause.NO_COURSE, reason: Reason = Reason.LACK
) -> Unmet:
    return Unmet(replace(DIVING, text=text, competency=competency, reason=reason), cause)


def test_a_missing_course_counts_each_person_once_however_often_the_need_is_stated() -> None:
    stated = (lost("水下考古", "考古"), lost("不会考古", "考古"), lost("考古", "考古", reason=Reason.DUTY))
    (row,) = cells(missing_courses(without_course([plan(WANG, unmet=stated), plan(LI, unmet=stated[:1])])))
    assert (row["短板（能力）"], row["需要人数"], row["涉及单位数"]) == ("考古", 2, 2)
    assert row["来由"] == "干什么学什么、缺什么补什么"
    assert row["原话摘录"] == "水下考古；不会考古；考古"
    assert row["现有课程门数"] == 0


def test_a_text_that_one_person_lacks_and_must_know_is_quoted_as_one_persons() -> None:
    both = (lost("乙", "考古"), lost("乙", "考古", reason=Reason.DUTY))
    plans = [plan(WANG, unmet=both), plan(LI, unmet=(lost("甲", "考古"),)), plan(NOBODY, unmet=(lost("甲", "考古"),))]
    (row,) = cells(missing_courses(without_course(plans)))
    assert row["原话摘录"] == "甲；乙"


def test_only_gaps_without_any_course_ask_for_a_new_one() -> None:
    others = tuple(lost("考古", "考古", cause) for cause in Cause if cause is not Cause.NO_COURSE)
    assert missing_courses(without_course([plan(WANG, unmet=others)])).rows == []


def test_a_person_of_unknown_unit_adds_no_unit() -> None:
    (row,) = cells(missing_courses(without_course([plan(NOBODY, unmet=(lost("考古"),))])))
    assert (row["需要人数"], row["涉及单位数"]) == (1, 0)


needs = st.lists(
    st.builds(
        lost,
        text=st.sampled_from(["甲", "乙", "丙"]),
        competency=st.sampled_from([None, "考古", "潜水"]),
        cause=st.sampled_from([Cause.NO_COURSE, Cause.NO_COURSE, Cause.LEVEL]),
    ),
    max_size=4,
)


@given(st.lists(needs, max_size=6), st.randoms(use_true_random=False))
def test_the_missing_courses_add_up_and_do_not_depend_on_the_order_of_people(people, dice) -> None:
    plans = [plan(replace(NOBODY, id=f"P{n}", unit=f"单位{n % 3}"), unmet=tuple(u)) for n, u in enumerate(people)]
    sheet = missing_courses(without_course(plans))
    expected = Counter(
        need
        for person in plans
        for need in {u.gap.competency or u.gap.text for u in person.unmet if u.cause is Cause.NO_COURSE}
    )
    rows = cells(sheet)
    assert {row["短板（能力）"]: row["需要人数"] for row in rows} == expected
    counts = [row["需要人数"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    dice.shuffle(plans)
    assert missing_courses(without_course(plans)) == sheet


def test_both_lists_end_with_the_footer_that_says_what_they_are_for(tiny_lexicon: Lexicon, tmp_path: Path) -> None:
    sheets = [personal_lists(PLANS, tiny_lexicon), missing_courses(without_course(PLANS))]
    write_workbook(tmp_path / "lists.xlsx", sheets)
    book = openpyxl.load_workbook(tmp_path / "lists.xlsx")
    assert book.sheetnames == ["个人推荐清单", "缺课清单"]
    for sheet, page in zip(sheets, book, strict=True):
        assert page.cell(1, 1).value == sheet.title
        assert page.cell(page.max_row, 1).value == FOOTER
        assert page.max_row == len(sheet.rows) + 3
        assert len(sheet.widths) == len(sheet.header)
    assert FOOTER.startswith("仅供培训安排参考")


READING = Reading(
    (WANG, LI),
    rows=9,
    rejected=1,
    skipped={"表头": 2, "空行": 3, "合计": 1},
    faults=(Fault("名册!B7", "很多", "不是学时数", "可写“24”"), Fault("名册!B8", "", "缺少姓名", "请补上姓名")),
    notes=("1 人未填层级，已按职务推断。",),
)


def test_the_account_of_a_reading_adds_up_to_the_rows_of_the_file() -> None:
    assert account_line(READING) == "读取 2 行，未能读取 1 行，跳过 6 行（表头 2、空行 3、合计 1），共 9 行。"
    assert account_line(Reading((WANG,), 1, 0, {})) == "读取 1 行，未能读取 0 行，跳过 0 行，共 1 行。"


def test_the_account_names_every_fault_by_cell_and_every_completed_course_that_is_not_known() -> None:
    sheet = reading_account(READING, [(WANG, "书法入门"), (NOBODY, "骑马")])
    assert [tuple(row) for row in sheet.rows] == [
        ("合计", "文件共 9 行", account_line(READING)),
        ("说明", "", "1 人未填层级，已按职务推断。"),
        ("待核对", "名册!B7", "“很多”，不是学时数；可写“24”"),
        ("待核对", "名册!B8", "缺少姓名；请补上姓名"),
        ("未识别的已学课程", "王三", "“书法入门”不在课程目录中，未能排除"),
        ("未识别的已学课程", "P3", "“骑马”不在课程目录中，未能排除"),
    ]


@pytest.mark.parametrize(
    ("unit", "post", "text"),
    [("青溪镇政府", "镇长", "青溪镇政府 镇长"), (None, "镇长", "镇长"), ("青溪镇", None, "青溪镇"), (None, None, "")],
)
def test_unit_and_post_share_a_cell(unit: str | None, post: str | None, text: str) -> None:
    assert unit_and_post(Profile("P1", unit=unit, post=post)) == text
