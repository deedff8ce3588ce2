from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Catalog, Course, Reading
from model.errors import HeadersUnknown, TableError
from model.files.courselists import read_catalog
from model.files.tables import Sheet
from model.lexicon import Lexicon

HEADER = ("课程编号", "课程名称", "学时")


@pytest.fixture(scope="module")
def world(lexicon: Lexicon) -> Lexicon:
    return lexicon


def read(lexicon: Lexicon, *rows: tuple[str, ...]) -> tuple[Catalog, Reading[Course]]:
    return read_catalog([Sheet("课程", rows)], lexicon)


def one(lexicon: Lexicon, **cells: str) -> Course:
    row = {"课程编号": "A1", "课程名称": "公文写作方法"} | cells
    ((course,), _) = read(lexicon, tuple(row), tuple(row.values()))
    return course


def test_a_row_becomes_a_course(world: Lexicon):
    course = one(
        world, 课程编号="A1", 课程名称="怎样把稿子  写短", 内容提要="改三篇真稿", 课程类别="履职能力", 对应能力="写材料、调查研究", 课时="4学时",
        授课方式="案例教学", 适用层级="科级及以下", 适用岗位="乡镇街道", 课程性质="必修（全员）", 主办单位="市委党校", 主讲人类别="专家学者",
        年度="2025年", 名额="40人", 系列名称="写作营",
    )  # fmt: skip
    assert course == Course(
        id="A1", title="怎样把稿子 写短", summary="改三篇真稿", category="履职能力", competencies=("公文写作", "调查研究"), hours=4, mode="案例教学",
        levels=frozenset({0, 10, 20}), posts=frozenset({"乡镇街道"}), required=True, provider="市委党校", teacher_kind="专家学者",
        year=2025, seats=40, series="写作营",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "text", "hours"),
    [
        ("学时", "2", 2), ("时长（分钟）", "90", 2), ("课程时长(单位：分钟)", "45", 1), ("时长/分钟", "90", 2), ("时长（分钟）", "2学时", 2),
        ("学时（天）", "2", 16), ("课程时长", "14周", None), ("时长", "0:45:00", 1), ("学时", "不限", None),
    ],
)  # fmt: skip
def test_hours_take_the_unit_that_the_header_names(world: Lexicon, header: str, text: str, hours: float | None):
    assert one(world, **{header: text}).hours == hours


@pytest.mark.parametrize(
    ("cells", "levels"),
    [
        ({"适用层级": "县处级、乡科级正职"}, {20, 30, 40}), ({"适用对象": "处级以上干部"}, {30, 40, 50, 60, 70, 80, 90, 100}),
        ({"培训对象": "新录用公务员"}, {0}), ({"适用对象": "全体干部"}, set()), ({"层次": "不限"}, set()),
    ],
)  # fmt: skip
def test_audiences_become_levels(world: Lexicon, cells: dict[str, str], levels: set[int]):
    assert one(world, **cells).levels == levels


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"适用对象": "火星人"}, "看不出适用对象，已按面向全体处理"), ({"适用层级": "县处级", "适用对象": "火星人"}, "看不出适用对象，已略去"),
        ({"适用对象": "全体干部"}, None), ({"适用对象": "干部"}, None), ({"适用对象": "无"}, None), ({"适用对象": "乡镇街道干部"}, None),
    ],
)  # fmt: skip
def test_an_audience_nobody_understands_is_told(world: Lexicon, cells: dict[str, str], problem: str | None):
    row = {"课程名称": "公文写作"} | cells
    _, reading = read(world, tuple(row), tuple(row.values()))
    assert [fault.problem for fault in reading.faults] == ([problem] if problem else [])


def test_faulty_optional_cells_are_all_named_and_the_course_stays(world: Lexicon):
    header = ("课程名称", "学时", "是否必修", "年度", "名额", "对应能力", "适用层级", "适用岗位")
    _, reading = read(world, header, ("公文写作", "若干", "也许", "去年", "很多", "写材料、读心术", "高层", "骨干"))
    assert [(fault.place, fault.problem) for fault in reading.faults] == [
        ("课程!B2", "不是学时数，已按学时待定处理"), ("课程!C2", "看不出是必修还是选修，已按选修处理"), ("课程!D2", "不是年份，已按未填处理"),
        ("课程!E2", "不是名额，已按不限处理"), ("课程!F2", "不认识的能力“读心术”，已略去"), ("课程!G2", "看不出层级，已按面向全体处理"),
        ("课程!H2", "看不出岗位，已按面向全体处理"),
    ]  # fmt: skip
    assert reading.values == (Course(id=reading.values[0].id, title="公文写作", competencies=("公文写作",)),)


def test_a_row_without_a_title_is_rejected_and_named_by_cell(world: Lexicon):
    _, reading = read(world, HEADER, ("A1", "公文写作", "2"), ("A2", "", "2"))
    assert (reading.read, reading.rejected, reading.faults[0].place) == (1, 1, "课程!B3")


def test_a_later_row_with_the_same_number_replaces_the_earlier_and_a_new_title_is_reported(world: Lexicon):
    catalog, reading = read(
        world, HEADER, ("A1", "公文写作", "2"), ("A2", "办会", "1"), ("A1", "公文写作", "4"), ("A2", "保密", "1")
    )
    assert [(course.title, course.hours) for course in catalog] == [("公文写作", 4), ("保密", 1)]
    assert (reading.read, reading.skipped) == (2, {"同号被覆盖": 2, "表头": 1})
    assert [fault.place for fault in reading.faults] == ["课程!A5"]


def test_stopped_courses_are_skipped_and_counted(world: Lexicon):
    catalog, reading = read(
        world, ("课程名称", "状态"), ("公文写作", "正在选课"), ("办会", "暂停选课"), ("保密", "已下架")
    )
    assert (len(catalog), reading.skipped) == (1, {"已停开": 2, "表头": 1})


def test_a_list_in_which_everything_is_required_says_nothing_about_what_is(world: Lexicon):
    catalog, reading = read(world, ("课程名称", "必修选修"), ("公文写作", "必修"), ("办会", "必修"))
    assert [course.required for course in catalog] == [False, False]
    assert reading.notes == ("所有课程都标为必修，无法据此区分，已按未标注处理。",)


def test_sheets_that_each_count_from_one_lose_no_course(world: Lexicon):
    header = ("序号", "课程名称")
    sheets = [
        Sheet("理论", (header, ("1", "原著导读"), ("2", "党史"))), Sheet("履职", (header, ("1", "公文写作"), ("2", "应急处突")))
    ]  # fmt: skip
    catalog, reading = read_catalog(sheets, world)
    assert {course.title for course in catalog} == {"原著导读", "党史", "公文写作", "应急处突"}
    assert reading.faults == ()


def test_the_serial_numbers_of_one_list_are_its_ids(world: Lexicon):
    catalog, _ = read(world, ("序号", "课程名称"), ("1", "公文写作"), ("2", "应急处突"))
    assert list(catalog.row_of) == ["1", "2"]


def test_a_list_without_courses_is_refused_with_its_faults(world: Lexicon):
    with pytest.raises(TableError, match="没有一门可用的课程") as refused:
        read(world, HEADER, ("A1", "", "2"))
    assert [fault.place for fault in refused.value.faults] == ["课程!B2"]
    with pytest.raises(TableError, match="没有找到课程表的表头。表头行需要有“课程名称”"):
        read(world, ("姓名", "单位"), ("韩立秋", "县财政局"))


def test_a_list_whose_header_nobody_knows_is_refused_with_its_words_and_how_to_say_what_they_mean(world: Lexicon):
    rows = (("2026 年课程一览",), ("编号", "讲什么", "学时"), ("K001", "公文写作", "2"), ("K002", "办会", "3"))
    with pytest.raises(HeadersUnknown) as refused:
        read(world, *rows)
    assert "第 2 行：编号、讲什么、学时。" in str(refused.value)
    assert "--map 讲什么=课程名称（通过接口上传时写在 map 里）" in str(refused.value)
    # Told in other words, or in another process, it is still known what may be meant.
    told = pickle.loads(pickle.dumps(refused.value.saying("目录.csv：认不出")))
    assert isinstance(told, HeadersUnknown)
    assert (str(told), told.likely) == ("目录.csv：认不出", "讲什么")
    assert refused.value.how in str(refused.value)
    wide = tuple(f"说法{letter * 20}" for letter in "甲乙丙丁戊己庚辛壬癸子丑寅")
    with pytest.raises(TableError) as refused:
        read(world, wide)
    assert f"、说法{'丑' * 10}…等 13 个。" in str(refused.value)
    assert "寅" not in str(refused.value)


def test_a_row_with_numbers_in_it_is_not_told_as_a_header(world: Lexicon):
    with pytest.raises(TableError) as refused:
        read(world, ("韩立秋", "县财政局", "13800000000"), ("周明", "县水利局", "13900000000"))
    assert "韩立秋" not in str(refused.value)


TITLES = st.sampled_from(["公文写作", "应急处突", "党史", "保密", "办会"])
WIDE = ("课程名称", "主办单位", "学时", "授课方式", "适用层级", "适用岗位")
COURSE_ROWS = st.lists(
    st.tuples(
        TITLES, st.sampled_from(["", "市委党校"]), st.sampled_from(["", "2", "若干"]), st.sampled_from(["", "网络课程"]),
        st.sampled_from(["", "县处级、乡科级"]), st.sampled_from(["", "乡镇街道、村社区"]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(st.data())
def test_the_order_of_the_rows_changes_nothing(world: Lexicon, data: st.DataObject):
    rows = data.draw(COURSE_ROWS)
    numbered = [(f"A{number}", *row) for number, row in enumerate(rows)]
    shuffle = data.draw(st.permutations(range(len(rows))))
    for header, table in ((WIDE, rows), (("课程编号", *WIDE), numbered)):
        catalog, reading = read(world, header, *table)
        again, reading_again = read(world, header, *[table[number] for number in shuffle])
        assert catalog.fingerprint == again.fingerprint
        assert reading.skipped == reading_again.skipped


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "A1", "A2", "合计"]),
            TITLES | st.sampled_from(["", "无", "课程名称", "注：略"]),
            st.sampled_from(["", "2", "学时"]),
        ),
        max_size=10,
    )
)
def test_every_row_is_read_rejected_or_skipped(world: Lexicon, rows: list[tuple[str, str, str]]):
    try:
        _, reading = read(world, ("课程一览表",), HEADER, *rows)
    except TableError:
        return
    assert reading.read + reading.rejected + sum(reading.skipped.values()) == reading.rows == len(rows) + 2


YEARLY = ("课程编号", "课程名称", "年度")


def test_of_one_number_in_several_years_the_newest_holds_and_the_others_are_counted_apart(world: Lexicon):
    rows = (("A1", "公文写作", "2026"), ("A1", "办会", "2024"), ("A2", "保密", "2025"), ("A2", "保密新规", "2026"))
    catalog, reading = read(world, YEARLY, *rows)
    assert [(course.title, course.year) for course in catalog] == [("公文写作", 2026), ("保密新规", 2026)]
    assert (reading.skipped, reading.faults) == ({"旧年度": 2, "表头": 1}, ())
    assert "有 2 行与另一年度的课程同号，已只保留最新年度的一行。" in reading.notes


def test_of_one_number_in_one_year_the_later_row_holds(world: Lexicon):
    catalog, reading = read(
        world, YEARLY, ("A1", "公文写作", "2026"), ("A1", "公文写作", "2026年3月"), ("A1", "办会", "")
    )
    assert [course.title for course in catalog] == ["办会"]
    assert reading.skipped == {"同号被覆盖": 2, "表头": 1}


def test_of_two_columns_with_one_header_the_first_is_read_and_this_is_said(world: Lexicon):
    catalog, reading = read(world, ("课程名称", "学时", "课程名称"), ("公文写作", "2", "办会"))
    assert [course.title for course in catalog] == ["公文写作"]
    assert "有几列的表头同为“课程名称”，只读了其中最左边的一列。" in reading.notes


def test_a_category_that_is_a_way_of_teaching_becomes_one_where_none_is_stated(world: Lexicon):
    header = ("课程名称", "培训内容分类", "授课方式")
    rows = (("公文写作", "网络培训", ""), ("办会", "专题讲座", "案例教学"), ("保密", "政治理论", ""))
    catalog, reading = read(world, header, *rows)
    assert {course.title: (course.category, course.mode) for course in catalog} == {
        "公文写作": ("", "网络课程"), "办会": ("", "案例教学"), "保密": ("政治理论", ""),
    }  # fmt: skip
    assert "类别“网络培训”说的是授课方式（1 门），已记入授课方式，课程按所教内容归类。" in reading.notes


def test_an_answer_about_a_label_stands_before_it(world: Lexicon):
    sheet = Sheet("课程", (("课程名称", "类别"), ("数字经济", "经信类"), ("公文写作", "政治理论")))
    catalog, _ = read_catalog([sheet], world, answers={"经信类": "履职能力"})
    assert {course.category for course in catalog} == {"履职能力/经信类", "政治理论"}


def test_the_reading_tells_what_each_header_was_taken_for(world: Lexicon):
    _, reading = read(world, ("课程名称", "备注", "联系电话"), ("公文写作", "", "13800000000"))
    assert [tuple(one) for one in reading.headings] == [
        ("课程", "课程名称", "title"), ("课程", "备注", None), ("课程", "联系电话", ""),
    ]  # fmt: skip
