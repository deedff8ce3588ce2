from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.files.courselists import COLUMNS as COURSE_COLUMNS
from model.files.courselists import NEEDED as COURSE_NEEDED
from model.files.headers import Table, find_table, place, plain_header
from model.files.rosters import COLUMNS, NEEDED
from model.files.tables import Sheet

HEADER = ("序号", "姓名", "单位及职务", "短板")
HAN = ("1", "韩立秋", "青溪镇副镇长", "应急处突")
JIN = ("2", "金亦文", "县财政局科员", "公文写作")


def table(*rows: tuple[str, ...], merged: tuple = (), extra: dict[str, str] | None = None) -> Table:
    found = find_table(Sheet("名册", rows, merged=merged), COLUMNS, NEEDED, extra)
    assert found is not None
    return found


def courses(*rows: tuple[str, ...]) -> Table:
    found = find_table(Sheet("课程", rows), COURSE_COLUMNS, COURSE_NEEDED)
    assert found is not None
    return found


def names(found: Table) -> list[str]:
    return [row["name"][0].text for _, row in found.rows]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("姓名", "姓名"), ("姓 名", "姓名"), ("*姓名", "姓名"), ("姓名（必填）", "姓名"), ("（必填）姓名", "姓名"), ("姓名：", "姓名"),
        ("组织评价\n短板", "组织评价短板"), ("ＩＤ", "id"), ("课程编号（如果是新增课程请留空，", "课程编号"), ("2、您的姓名", "姓名"),
        ("职务【全称】", "职务"), ("必修/选修", "必修/选修"),
    ],
)  # fmt: skip
def test_a_header_is_brought_to_its_bare_words(written: str, plain: str):
    assert plain_header(written) == plain


def test_cells_are_named_as_excel_names_them():
    assert [place("名册", 6, 1), place("名册", 0, 25), place("名册", 0, 26), place("名册", 9, 701)] == [
        "名册!B7", "名册!Z1", "名册!AA1", "名册!ZZ10",
    ]  # fmt: skip


@given(st.integers(0, 30))
def test_the_header_is_found_below_any_number_of_title_rows(above: int):
    found = table(*[("东陵县摸底汇总表", "", "", "")] * above, HEADER, HAN, JIN)
    assert names(found) == ["韩立秋", "金亦文"]
    assert found.skipped == ({"标题": above} if above else {}) | {"表头": 1}


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (("工作证号", "姓名", "时任单位及职务"), {"person_id", "name", "unit_post"}),
        (("学工号", "参训人员姓名", "所在单位", "时任职务"), {"person_id", "name", "unit", "post"}),
        (("人员编号", "姓名", "任职机构", "岗位名称", "分管工作"), {"person_id", "name", "unit", "post", "duty"}),
        (("姓名", "职务", "职务层次", "职级", "任现职时间"), {"name", "post", "level", "rank", "since"}),
        (("姓名", "职务（全称）", "党内职务", "备注"), {"name", "post", "party_post", "note"}),
        (("姓名", "岗位", "短板及培训需求（可多项）"), {"name", "post", "weakness"}),
        (("您的姓名", "您所在单位", "您认为自己存在的短板"), {"name", "unit", "weakness"}),
        (("id", "name", "post", "weaknesses"), {"person_id", "name", "post", "weakness"}),
    ],
)
def test_headers_of_real_rosters_are_understood(headers: tuple[str, ...], fields: set[str]):
    assert set(table(headers, ("1",) * len(headers)).used.values()) == fields


@pytest.mark.parametrize(
    "other",
    [
        "职务类别",
        "单位性质",
        "岗位类别",
        "现任职级时间",
        "单位联系人",
        "姓名拼音排序",
        "是否有培训需求",
        "专业技术职务",
    ],
)
def test_a_header_that_only_begins_like_a_known_one_is_left_alone(other: str):
    found = table((*HEADER, other), (*HAN, "x"))
    assert other in found.unused or found.used.get(other) == "name"
    assert [cell.text for cell in found.rows[0][1]["unit_post"]] == ["青溪镇副镇长"]


def test_several_columns_may_state_weaknesses_and_keep_their_headers():
    found = table(("姓名", "职务", "知识空白", "经验盲区", "本人存在的短板"), ("韩立秋", "副镇长", "a", "b", "c"))
    assert [(cell.header, cell.text) for cell in found.rows[0][1]["weakness"]] == [
        ("知识空白", "a"), ("经验盲区", "b"), ("本人存在的短板", "c"),
    ]  # fmt: skip


def test_a_second_header_row_refines_the_spans_of_the_first():
    found = table(
        ("序号", "姓名", "单位及职务", "已完成学时", "", "短板"),
        ("", "", "", "线下", "网络", ""),
        ("1", "韩立秋", "青溪镇副镇长", "16", "24", "应急处突"),
    )
    assert [cell.header for cell in found.rows[0][1]["done_hours"]] == ["已完成学时线下", "已完成学时网络"]
    assert (names(found), found.skipped) == (["韩立秋"], {"表头": 2})


def test_a_heading_over_the_names_does_not_hide_them():
    found = table(
        ("序号", "基本情况", "", "", "短板"),
        ("", "姓名", "单位", "职务", ""),
        ("1", "韩立秋", "青溪镇", "副镇长", "写作"),
    )
    assert set(found.used.values()) == {"serial", "name", "unit", "post", "weakness"}
    assert names(found) == ["韩立秋"]


def test_an_export_that_repeats_merged_headers_reads_the_same():
    found = table(
        ("姓名", "单位及职务", "已完成学时", "已完成学时"),
        ("姓名", "单位及职务", "线下", "网络"),
        ("韩立秋", "青溪镇副镇长", "1", "2"),
    )
    assert (names(found), found.skipped) == (["韩立秋"], {"表头": 2})


def test_the_first_row_of_data_is_not_taken_for_a_second_header():
    assert names(table(HEADER, ("1", "韩立秋", "青溪镇副镇长", ""), JIN)) == ["韩立秋", "金亦文"]


def test_a_header_repeated_on_a_new_page_is_skipped_even_with_two_rows():
    upper, lower = ("姓名", "单位及职务", "已完成学时", ""), ("", "", "线下", "网络")
    found = table(
        upper, lower, ("韩立秋", "青溪镇副镇长", "1", "2"), upper, lower, ("金亦文", "县财政局科员", "3", "4")
    )
    assert (names(found), found.skipped) == (["韩立秋", "金亦文"], {"表头": 4})


def test_a_title_that_looks_like_a_header_gives_way_to_the_header():
    found = courses(("课程目录",), ("课程名称",), ("公文写作方法",), ("应急处突案例课",))
    assert [row["title"][0].text for _, row in found.rows] == ["公文写作方法", "应急处突案例课"]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("", "", "", ""), "空行"), (("3", "", "", ""), "空行"), (("合计", "", "2人", ""), "合计"), (("", "小计", "2", ""), "合计"),
        (("共50人", "", "", ""), "合计"), (("填表人：李四", "", "审核人：王五", ""), "填表说明"), (("注：短板可填多项", "", "", ""), "填表说明"),
        (("单位负责人（签字）：", "", "", ""), "填表说明"), (("一、县直机关", "", "", ""), "说明行"), (HEADER, "表头"),
    ],
)  # fmt: skip
def test_rows_that_hold_nobody_are_skipped_and_counted_by_kind(row: tuple[str, ...], kind: str):
    found = table(HEADER, HAN, row, JIN)
    assert names(found) == ["韩立秋", "金亦文"]
    assert found.skipped[kind] == (2 if kind == "表头" else 1)


def test_a_course_whose_title_begins_like_a_footer_is_a_course():
    titles = ("联系人民群众的方法", "审核人员业务培训", "填报高考志愿指导", "总计划与年度安排")
    found = courses(("课程名称",), *((title,) for title in titles), ("合计",))
    assert [row["title"][0].text for _, row in found.rows] == list(titles)


def test_a_merged_heading_across_the_table_is_no_person():
    found = table(
        ("姓名", "单位", "职务"), ("一、乡镇", "", ""), ("韩立秋", "青溪镇", "副镇长"), merged=(((1, 0), (1, 2)),)
    )
    assert names(found) == ["韩立秋"]


def test_vertically_merged_cells_hold_for_each_row_they_cover():
    rows = (
        ("姓名", "单位", "职务"),
        ("韩立秋", "青溪镇", "副镇长"),
        ("金亦文", "", "科员"),
        ("时雨", "县财政局", "科长"),
    )
    found = table(*rows, merged=(((1, 1), (2, 1)),))
    assert [row["unit"][0].text for _, row in found.rows] == ["青溪镇", "青溪镇", "县财政局"]


@pytest.mark.parametrize("header", ["身份证号", "联系电话", "手机号码", "联系方式", "家庭住址", "邮箱", "E-mail地址"])
def test_private_columns_are_dropped_and_named(header: str):
    found = table((*HEADER, header), (*HAN, "13812345678"))
    assert found.dropped == (plain_header(header),)
    assert "13812345678" not in str(found.rows)


@pytest.mark.parametrize(
    "number", ["110101199001011234", "11010119900101123X", "13812345678", "138-1234-5678", "138 1234 5678"]
)
def test_private_numbers_in_other_cells_are_left_out(number: str):
    found = table(HEADER, ("1", "韩立秋", "青溪镇副镇长", f"联系我{number}再说"))
    assert found.rows[0][1]["weakness"][0].text == "联系我（号码已略去）再说"


def test_course_numbers_are_not_taken_for_telephone_numbers():
    found = courses(("课程编号", "课程名称"), ("15020230001", "公文写作"), ("15020230002", "应急处突"))
    assert [row["course_id"][0].text for _, row in found.rows] == ["15020230001", "15020230002"]


def test_competency_names_over_score_columns_count_only_beside_a_real_header():
    extra = {"公文写作": "score:公文写作", "部门预算": "score:部门预算"}
    found = table(("姓名", "职务", "公文写作", "部门预算"), ("韩立秋", "副镇长", "55", "80"), extra=extra)
    assert found.used == {"姓名": "name", "职务": "post", "公文写作": "score:公文写作", "部门预算": "score:部门预算"}
    assert find_table(Sheet("表", (("公文写作", "部门预算"), ("55", "80"))), COLUMNS, NEEDED, extra) is None


def test_a_sheet_without_a_header_is_no_table():
    assert find_table(Sheet("填表说明", (("填表说明",), ("1.按实际填写。",))), COLUMNS, NEEDED) is None


def test_the_lines_around_the_table_are_kept_for_the_date_they_tell():
    found = table(
        ("填报单位：县委组织部", "", "", "填报日期：2025.9.5"), HEADER, HAN, ("填表日期：2025年9月", "", "", "")
    )
    assert found.around == ("填报单位：县委组织部填报日期：2025.9.5", "填表日期：2025年9月")
