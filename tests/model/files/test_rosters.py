from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Profile, Reading, Restriction, Weakness
from model.errors import TableError
from model.files.rosters import read_roster
from model.files.tables import Sheet
from model.lexicon import Lexicon

HEADER = ("姓名", "单位", "职务", "短板")


@pytest.fixture(scope="module")
def world(lexicon: Lexicon) -> Lexicon:
    """The bundled lexicon: these tests are about what real level and post words do."""
    return lexicon


def read(lexicon: Lexicon, *rows: tuple[str, ...], name: str = "名册") -> Reading[Profile]:
    return read_roster([Sheet(name, rows)], lexicon)


def one(lexicon: Lexicon, **cells: str) -> Profile:
    """The person of a roster with these columns and this one row."""
    header = {"姓名": "韩立秋", "单位及职务": "青溪镇干事"} | cells
    (person,) = read(lexicon, tuple(header), tuple(header.values())).values
    return person


def lacks(person: Profile) -> list[str]:
    return [weakness.text for weakness in person.weaknesses]


def test_a_row_becomes_a_profile(world: Lexicon):
    person = one(
        world, 工号="0012", 单位及职务="青溪镇党委委员、副镇长（分管应急管理）", 职务层次="乡科级副职", 任现职时间="2年半", 能力弱项="写材料头疼；不会办会",
        已参训课程="c0504；《公文写作方法》", 公文写作="55", 可用学时="约30（只能网络）", 备注="年底前不能脱产",
    )  # fmt: skip
    assert person == Profile(
        id="0012", name="韩立秋", unit="青溪镇", post="党委委员、副镇长（分管应急管理）", level=10, duty="分管应急管理", years_in_post=2.5,
        weaknesses=(Weakness("写材料头疼", "能力弱项", "组织评价"), Weakness("不会办会", "能力弱项", "组织评价")),
        scores=(("公文写作", 55.0),), completed=("c0504", "《公文写作方法》"), hours_available=30,
        restrictions=frozenset({Restriction.ONLINE_ONLY, Restriction.NOT_OFF_POST}),
    )  # fmt: skip


def test_the_header_of_a_weakness_tells_its_kind_and_source(world: Lexicon):
    header = ("姓名", "职务", "知识空白", "本人自评短板", "组织评价短板", "培训需求")
    (person,) = read(world, header, ("韩立秋", "科长", "不懂金融", "怕见记者", "抓落实不够", "保密测试不及格")).values
    assert [(weakness.kind, weakness.source) for weakness in person.weaknesses] == [
        ("知识空白", "组织评价"), (None, "本人自评"), (None, "组织评价"), (None, "测试"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "level"),
    [
        ({"职务层次": "乡科级正职"}, 20), ({"级别": "正科"}, 20), ({"职务层次": "县处级副职（职级）"}, 30), ({"职级": "四级调研员"}, 30),
        ({"职务层次": "乡科级副职", "职级": "三级调研员"}, 10), ({"职务层次": "七级管理岗"}, 20), ({"职务层次": "十三级职员"}, None),
        ({"职务层次": "专业技术九级"}, None), ({"职务层次": "未确定"}, None), ({"职务层次": "高级工程师"}, None),
        ({"单位及职务": "县发改局副主任（正科级）"}, 20), ({"单位及职务": "县政协一级调研员"}, 40),
        ({"单位及职务": "东陵县委书记（二级巡视员）"}, 50), ({"单位及职务": "县教育局副局长、三级调研员"}, 30),
        ({"单位及职务": "青溪镇党委副书记、镇长"}, 20), ({"单位及职务": "东陵县政府县委副书记、县长"}, 40),
        ({"单位及职务": "市审计局科员"}, 0), ({"单位及职务": "市财政局预算处副处长（主持工作）"}, 30),
        ({"单位及职务": "青溪镇副镇长（选调生）"}, 10), ({"单位及职务": "云陵县人民政府副县长（挂职）"}, None),
        ({"单位及职务": "挂职云陵县人民政府副县长"}, None), ({"单位及职务": "挂职青溪镇副镇长（正科级）"}, 20),
        ({"单位及职务": "县市场监管局科员、青溪镇副镇长（挂职）"}, 0), ({"单位及职务": "滨江大学文学院院长、教授", "备注": "双肩挑"}, None),
        ({"单位及职务": "东陵县长江路街道党工委书记"}, 20), ({"单位及职务": "东陵县长江路小学校长"}, None),
        ({"单位及职务": "锦绣社区长者食堂负责人"}, None), ({"单位及职务": "市委组织部科级干部科干事"}, None),
        ({"单位及职务": "团县委书记"}, None), ({"单位及职务": "共青团东陵县委副书记"}, None), ({"单位及职务": "县审计局局长"}, None),
    ],
)  # fmt: skip
def test_the_level_is_what_is_stated_and_a_title_only_where_it_surely_tells(
    world: Lexicon, cells: dict[str, str], level: int | None
):
    assert one(world, **cells).level == level


def test_levels_guessed_from_titles_are_counted_and_stated_ones_are_not(world: Lexicon):
    reading = read(world, ("姓名", "职务", "级别"), ("韩立秋", "镇长", ""), ("金亦文", "局长", "正科"))
    assert [note for note in reading.notes if "推断" in note] == ["1 人未填层级，已按职务推断。"]


def test_an_unknown_level_is_named_by_its_cell_and_the_row_goes_on(world: Lexicon):
    reading = read(world, ("填报表",), ("姓名", "职务", "级别"), ("韩立秋", "科长", "超级"))
    assert [str(fault) for fault in reading.faults] == [
        "名册!C3: “超级”，不认识的层级；可写“县处级正职”“乡科级副职”“四级主任科员”等"
    ]
    assert (reading.read, reading.values[0].level) == (1, None)


def test_people_without_a_level_and_rosters_without_a_lack_are_said_to_be_so(world: Lexicon):
    reading = read(world, ("姓名", "单位及职务"), ("韩立秋", "云陵县财政局 局长"))
    assert reading.notes == (
        "没有读到任何人的短板，只能按岗位推荐；短板一列的表头可写“短板”“培训需求”“存在不足”等。",
        "1 人看不出层级，未按层级筛选课程；可补一列“职务层次”。",
    )


def test_a_header_in_another_order_inside_the_sheet_is_no_person_and_is_followed(world: Lexicon):
    rows = (("韩立秋", "民政局", "写材料"), ("单位", "姓名", "短板"), ("财政局", "金亦文", "做预算"))
    reading = read(world, ("姓名", "单位", "短板"), *rows)
    assert reading.skipped["表头"] == 2
    assert [(p.name, p.unit) for p in reading.values] == [("韩立秋", "民政局"), ("金亦文", "财政局")]


def test_restrictions_may_be_columns_of_their_own(world: Lexicon):
    reading = read(world, ("姓名", "职务", "不能脱产", "行动不便"), ("韩立秋", "科长", "是", "否"))
    assert reading.values[0].restrictions == {Restriction.NOT_OFF_POST}


def test_a_test_result_may_stand_below_the_competency_with_its_kind(world: Lexicon):
    assert read(world, ("姓名", "职务", "公文写作成绩"), ("韩立秋", "科长", "58")).values[0].scores == (
        ("公文写作", 58.0),
    )


def done(person: Profile) -> tuple[float | None, float | None, float | None]:
    return person.hours_done, person.online_hours_done, person.five_year_hours_done


def hours_told(lexicon: Lexicon, *columns: tuple[str, str]) -> tuple[float | None, float | None, float | None]:
    """What a roster with these columns (header, cell) tells of hours done: 集中培训, 网络, over five years."""
    header, cells = zip(*columns, strict=True)
    (person,) = read(lexicon, ("姓名", "职务", *header), ("韩立秋", "科长", *cells)).values
    assert person.hours_available is None
    return done(person)


@pytest.mark.parametrize(
    ("header", "cell", "told"),
    [
        ("集中培训学时", "60", (60, None, None)), ("本年度脱产学时", "60学时", (60, None, None)), ("已完成学时（线下）", "3天", (24, None, None)),
        ("网络学时", "32", (None, 32, None)), ("今年已修网络学时", "无", (None, 0, None)), ("线上学时（小时）", "", (None, None, None)),
        ("五年累计学时", "2100", (None, None, 2100)), ("累计学时（五年）", "210", (None, None, 210)), ("近五年集中培训学时", "0", (None, None, 0)),
        ("已完成学时（线下/网络）", "60/32", (60, 32, None)), ("已完成（网络/线下）", "32/60", (60, 32, None)),
        ("已完成学时（线下/网络）", "网络：32；线下：60学时", (60, 32, None)), ("已修学时", "线下60、网络32", (60, 32, None)),
        ("已完成学时（线下/网络）", "-/32", (None, 32, None)), ("已完成学时", "60", (60, None, None)), ("hours_done", "60/32", (60, 32, None)),
        ("online_hours_done", "32", (None, 32, None)), ("five_year_hours_done", "210", (None, None, 210)),
        ("线下学时（含直播）", "60", (60, None, None)), ("2025年已完成学时（线下/网络）", "60/32", (60, 32, None)),
    ],
)  # fmt: skip
def test_hours_done_are_read_by_kind_and_period(
    world: Lexicon, header: str, cell: str, told: tuple[float | None, float | None, float | None]
):
    assert hours_told(world, (header, cell)) == told


@pytest.mark.parametrize(
    "header",
    [
        "应完成学时", "剩余网络学时", "未完成学时", "需完成集中培训学时", "网络学时完成率", "已完成学时占比", "年度任务线下学时", "网络学时要求", "累计学时",
        "三年累计学时", "2023-2027年累计学时", "上年度集中培训学时", "五年网络学时", "已完成培训班次",
    ],
)  # fmt: skip
def test_a_column_that_tells_no_hours_done_or_not_which_is_left_alone_with_a_note(world: Lexicon, header: str):
    reading = read(world, ("姓名", "职务", "级别", "短板", header), ("韩立秋", "科长", "正科", "写材料", "60"))
    assert (done(reading.values[0]), reading.values[0].hours_available) == ((None, None, None), None)
    (note,) = reading.notes
    assert header in note


def test_hours_a_person_has_left_are_never_hours_done(world: Lexicon):
    header = ("姓名", "职务", "可用学时", "已完成学时（线下/网络）")
    (person,) = read(world, header, ("韩立秋", "科长", "24", "60/32")).values
    assert (person.hours_available, *done(person)) == (24, 60, 32, None)
    (other,) = read(world, ("姓名", "职务", "剩余学时"), ("韩立秋", "科长", "24")).values
    assert (other.hours_available, *done(other)) == (24, None, None, None)


def test_hours_done_may_stand_below_a_header_of_two_rows(world: Lexicon):
    for above in ("已完成学时", "已完成", "已修学时（学时）"):
        rows = (
            ("姓名", "职务", "年度学习任务", "", above, ""),
            ("", "", "线下学时", "网络学时", "线下学时", "网络学时"),
            ("韩立秋", "科长", "90", "50", "60", "32"),
        )
        assert done(read(world, *rows).values[0]) == (60, 32, None)
    rows = (("姓名", "职务", "已完成学时", ""), ("", "", "线下", "网络"), ("韩立秋", "科长", "16", "-"))
    assert done(read(world, *rows).values[0]) == (16, None, None)


def test_of_two_columns_that_tell_the_same_hours_none_is_read_and_a_sum_gives_way_to_its_parts(world: Lexicon):
    assert hours_told(world, ("党校脱产学时", "40"), ("调训脱产学时", "20"), ("网络学时", "32")) == (None, 32, None)
    assert hours_told(world, ("已完成学时", "92"), ("集中培训学时", "60"), ("网络学时", "32")) == (60, 32, None)
    assert hours_told(world, ("已完成学时", "60"), ("网络学时", "32")) == (60, 32, None)


def test_hours_done_of_no_kind_are_said_to_be_counted_as_training_in_class(world: Lexicon):
    reading = read(world, ("姓名", "职务", "已完成学时"), ("韩立秋", "科长", "60"))
    assert [note for note in reading.notes if "按本年集中培训学时计" in note]
    reading = read(world, ("姓名", "职务", "集中培训学时"), ("韩立秋", "科长", "60"))
    assert not [note for note in reading.notes if "学时" in note]


def test_a_cell_that_tells_no_hours_done_is_named_with_a_remedy_and_the_row_stays(world: Lexicon):
    header = ("姓名", "职务", "已完成学时（线下/网络）", "五年累计学时")
    rows = (
        ("韩立秋", "科长", "很多", "3个月"),
        ("金亦文", "科员", "60/32/5", "12000"),
        ("时雨", "科员", "24学时，其中线下16", "待定"),
    )
    reading = read(world, header, *rows)
    assert (reading.read, reading.rejected) == (3, 0)
    assert [done(person) for person in reading.values] == [(None, None, None)] * 3
    faults = {fault.place: str(fault) for fault in reading.faults}
    assert set(faults) == {f"名册!{column}{row}" for column in "CD" for row in (2, 3, 4)}
    assert faults["名册!C2"].endswith("“很多”，看不出各是多少学时；可写“60/32”（线下/网络）或“线下60，网络32”")
    assert faults["名册!D2"].endswith("“3个月”，不是学时数；可写“60”或“60学时”，没有参加的写“0”")


def test_hours_done_told_on_another_row_of_the_same_person_are_kept(world: Lexicon):
    first = Sheet("一", (("姓名", "单位", "职务", "集中培训学时"), ("韩立秋", "县财政局", "科长", "60")))
    second = Sheet(
        "二", (("姓名", "单位", "职务", "网络学时", "五年累计学时"), ("韩立秋", "县财政局", "科长", "32", "210"))
    )
    (person,) = read_roster([first, second], world).values
    assert done(person) == (60, 32, 210)


def test_every_fault_of_a_row_is_reported_at_once_by_cell(world: Lexicon):
    header = ("姓名", "职务", "级别", "任现职时间", "可用学时", "公文写作")
    reading = read(world, header, ("韩立秋", "科长", "超级", "去年", "若干", "凑合"), ("", "科长", "", "", "", ""))
    assert [fault.place for fault in reading.faults] == ["名册!C2", "名册!D2", "名册!E2", "名册!F2", "名册!A3"]
    assert (reading.read, reading.rejected) == (1, 1)


def test_a_text_nobody_could_mean_as_one_lack_is_reported_and_left_out(world: Lexicon):
    reading = read(
        world, HEADER, ("韩立秋", "局", "科长", "不会" * 300 + "；写材料"), ("金亦文", "局", "科员", "不会" * 3_000)
    )
    assert [(fault.place, fault.problem) for fault in reading.faults] == [
        ("名册!D2", "有一条短板过长（超过 500 字），已略去"), ("名册!D3", "内容过长（6,000 字）"),
    ]  # fmt: skip
    assert [lacks(person) for person in reading.values] == [["写材料"], []]


def test_ditto_takes_the_cell_above_in_its_own_column(world: Lexicon):
    reading = read(
        world,
        ("姓名", "单位", "职务", "本人自评短板", "组织评价短板"),
        ("韩立秋", "县财政局", "科长", "写材料；办会", "抓落实不够"),
        ("金亦文", "同上", "科员", "同上；保密", ""),
        ("时雨", "〃", "科员", "同上", "无"),
    )
    assert [person.unit for person in reading.values] == ["县财政局"] * 3
    assert [lacks(person) for person in reading.values] == [
        ["写材料", "办会", "抓落实不够"], ["写材料", "办会", "保密"], ["写材料", "办会", "保密"],
    ]  # fmt: skip


def test_ditto_below_nothing_is_a_fault(world: Lexicon):
    reading = read(world, HEADER, ("韩立秋", "县财政局", "科长", "同上"))
    assert [(fault.place, fault.problem) for fault in reading.faults] == [("名册!D2", "“同上”之上没有内容")]


def test_one_person_over_several_rows_is_one_profile_with_all_that_is_told(world: Lexicon):
    first = Sheet("一", (HEADER, ("韩 立秋", "县财政局", "科长", "写材料"), ("韩立秋", "县财政局", "科长", "办会")))
    second = Sheet("二", ((*HEADER, "级别", "备注"), ("韩立秋", "县财政局", "科长", "写材料", "正科", "不能脱产")))
    reading = read_roster([first, second], world)
    (person,) = reading.values
    assert (lacks(person), person.level) == (["写材料", "办会"], 20)
    assert person.restrictions == {Restriction.NOT_OFF_POST}
    assert reading.skipped == {"同一人的其他行": 2, "表头": 2}


def test_people_of_one_name_in_different_units_stay_apart(world: Lexicon):
    reading = read(world, HEADER, ("李二", "县财政局", "科长", "a"), ("李二", "滨江大学", "科长", "b"))
    assert reading.read == 2


def test_one_number_with_two_names_is_rejected_and_both_places_are_named(world: Lexicon):
    reading = read(world, ("工号", *HEADER), ("7", "韩立秋", "局", "科长", "a"), ("7", "金亦文", "局", "科员", "b"))
    assert (reading.read, reading.rejected) == (1, 1)
    assert str(reading.faults[0]).startswith("名册!A3: “7”，工号与 名册!2 行重复，但姓名不同")


def test_an_id_card_in_the_number_column_is_neither_kept_nor_taken_for_a_number(world: Lexicon):
    rows = [(f"11010119900101{n}23X", f"人{n}", "局", "科员", "写材料") for n in range(3)]
    reading = read(world, ("人员编号", *HEADER), *rows)
    assert (reading.read, reading.rejected, reading.faults) == (3, 0, ())
    assert [person.id for person in reading.values] == ["名册!2", "名册!3", "名册!4"]


def test_ids_are_unique_even_where_two_sheets_count_alike(world: Lexicon):
    header = ("序号", *HEADER)
    sheets = [
        Sheet(name, (header, ("1", f"{name}一", "局", "科长", "a"), ("2", f"{name}二", "局", "科长", "a")))
        for name in "甲乙"
    ]
    assert [person.id for person in read_roster(sheets, world).values] == ["1", "2", "乙-1", "乙-2"]


def test_time_in_post_counts_from_the_date_above_or_below_the_table_unless_told_otherwise(world: Lexicon):
    table = (("姓名", "职务", "任现职时间"), ("韩立秋", "科长", "2023.03"))
    above = [Sheet("名册", (("填报日期：", "2025.9.5", ""), *table))]
    below = [Sheet("名册", (*table, ("填表日期：2025 年 9 月 5 日", "", "")))]
    years = [
        read_roster(sheets, world, today).values[0].years_in_post
        for sheets, today in ((above, None), (below, None), (above, (2024, 3)), ([Sheet("名册", table)], None))
    ]
    assert years == [2.5, 2.5, 1.0, None]


def test_points_of_five_are_told_from_points_of_a_hundred_by_their_column(world: Lexicon):
    header = ("姓名", "职务", "公文写作", "调查研究")
    reading = read(world, header, ("韩立秋", "科长", "4", "4"), ("金亦文", "科员", "88", "2"))
    assert [dict(person.scores) for person in reading.values] == [
        {"公文写作": 4, "调查研究": 80}, {"公文写作": 88, "调查研究": 40},
    ]  # fmt: skip


def test_unit_and_section_are_joined_and_side_posts_kept(world: Lexicon):
    header = ("姓名", "单位", "部门", "职务", "党内职务", "是否支部书记", "参训人身份")
    (person,) = read(world, header, ("韩立秋", "县财政局", "预算股", "股长", "无", "是", "双肩挑")).values
    assert (person.unit, person.post) == ("县财政局预算股", "股长、支部书记")


def test_hidden_and_other_sheets_are_not_read_but_accounted_for(world: Lexicon):
    rows = (HEADER, ("韩立秋", "局", "科长", "a"))
    sheets = [Sheet("名册", rows), Sheet("底稿", rows, hidden=True), Sheet("说明", (("按实际填写",),))]
    reading = read_roster(sheets, world)
    assert (reading.read, reading.rows, reading.skipped) == (1, 5, {"其他工作表": 3, "表头": 1})
    assert reading.notes[:2] == ("工作表“底稿”是隐藏的，未读取。", "工作表“说明”没有名册的表头，未读取。")


def test_dropped_private_columns_are_reported(world: Lexicon):
    reading = read(world, (*HEADER, "身份证号", "联系电话", "民族"), ("韩立秋", "局", "科长", "a", "1", "2", "汉"))
    assert reading.notes[:2] == ("“身份证号”“联系电话”列含个人隐私，推荐课程用不到，已略去不读。", "未使用的列：民族。")


def test_a_file_without_a_roster_says_which_headers_it_needs(world: Lexicon):
    with pytest.raises(
        TableError, match="没有找到名册的表头。表头行需要有“工号”或“姓名”，以及“单位及职务”或“职务”或“单位”或“短板”"
    ):
        read(world, ("课程名称", "学时"), ("公文写作", "2"))


NAMES = st.sampled_from(["", "韩立秋", "金亦文", "时 雨", "合计", "填表人：李四", "同上", "姓名", "（略）"])
CELLS = st.sampled_from(
    [
        "",
        "局",
        "青溪镇副镇长",
        "无",
        "同上",
        "/",
        "1.写材料2.办会",
        "13812345678",
        "=1+1",
        "合计",
        "注：",
        "超级",
        "99999",
    ]
)
ROWS = st.lists(st.tuples(st.sampled_from(["", "1", "2", "一、乡镇"]), NAMES, CELLS, CELLS, CELLS, CELLS), max_size=12)
MERGES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(0, 3), st.integers(0, 5)), max_size=3)


@given(above=st.integers(0, 3), rows=ROWS, more=ROWS, merges=MERGES, hidden=st.booleans())
def test_every_row_of_a_messy_file_is_read_rejected_or_skipped(
    world: Lexicon, above: int, rows: list, more: list, merges: list, hidden: bool
):
    header = ("序号", "姓名", "单位及职务", "级别", "短板", "可用学时")
    merged = tuple(((top, left), (top + down, left + right)) for top, left, down, right in merges)
    first = Sheet("一", (*[("东陵县汇总表", "", "", "", "", "")] * above, header, *rows), merged=merged)
    second = Sheet("二", (("姓名", "职务", "备注"), *[row[1:4] for row in more]), hidden=hidden)
    reading = read_roster([first, second], world)
    assert reading.read + reading.rejected + sum(reading.skipped.values()) == reading.rows
    assert reading.rows == len(first.rows) + len(second.rows)
    assert len({person.id for person in reading.values}) == reading.read
    assert "13812345678" not in str(reading)
    assert all(fault.place.startswith(("一!", "二!")) for fault in reading.faults)
