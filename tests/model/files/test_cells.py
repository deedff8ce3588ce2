from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Restriction
from model.files import cells

SEPTEMBER_2025 = (2025, 9)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("24", 24), ("24.5", 24.5), ("24学时", 24), ("３０学时", 30), ("24课时", 24), ("约30", 30), ("20学时左右", 20),
        ("不超过24学时", 24), ("24学时以内", 24), ("8（只能网络）", 8), ("12（回清江时可线下）", 12), ("24学时，其中线下16", 24),
        ("24-32", 28), ("90分钟", 2), ("1.5h", 1.5), ("1小时30分钟", 1.5), ("0:45:00", 1), ("半天", 4), ("2天", 16),
        ("2个半天", 8), ("两天", 16), ("三天", 24), ("一天半", 12), ("1天半", 12), ("十学时", 10), ("0", 0),
    ],
)  # fmt: skip
def test_hours_are_read_in_every_form_planners_write_them(text: str, hours: float):
    assert cells.hours(text) == hours


@pytest.mark.parametrize("text", ["", "-", "—", "/", "无", "不限", "待定", "视情况", "14周"])
def test_hours_that_are_not_stated_are_none(text: str):
    assert cells.hours(text) is None


@pytest.mark.parametrize("text", ["若干", "线下16、网络24", "-5", "2026", "1,200", "每周2学时", "45:12", "三月底"])
def test_hours_that_would_have_to_be_guessed_are_faults(text: str):
    with pytest.raises(ValueError, match="学时"):
        cells.hours(text)


@pytest.mark.parametrize(("text", "hours"), [("无", 0), ("暂无", 0), ("0", 0), ("", None), ("-", None), ("60学时", 60)])
def test_no_hours_done_are_told_from_hours_not_told(text: str, hours: float | None):
    assert cells.hours_done(text) == hours


@pytest.mark.parametrize("text", ["待定", "2周", "很多", "2001", "60/32"])
def test_what_is_no_number_of_hours_done_is_a_fault(text: str):
    with pytest.raises(ValueError, match="学时"):
        cells.hours_done(text)


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("60/32", (60, 32)), ("６０／３２", (60, 32)), ("60学时 / 32.5学时", (60, 32.5)), ("60/", (60, None)), ("—/32", (None, 32)),
        ("/", (None, None)), ("", (None, None)), ("60", (60, None)), ("约60", (60, None)), ("无", (0, None)), ("无/32", (0, 32)),
        ("线下60，网络32", (60, 32)), ("网络32；线下60", (60, 32)), ("线下60 网络32", (60, 32)), ("60（线下）/32（网络）", (60, 32)),
        ("集中培训：60学时\n网络：32学时", (60, 32)), ("网络32", (None, 32)), ("线下-/网络32", (None, 32)),
    ],
)  # fmt: skip
def test_hours_in_class_and_on_screen_are_read_from_one_cell(text: str, ways: tuple[float | None, float | None]):
    assert cells.hours_by_way(text) == ways


def test_where_hours_on_screen_come_first_the_numbers_change_places_but_not_the_words():
    told = [cells.hours_by_way(text, screen_first=True) for text in ("32/60", "32", "线下60，网络32")]
    assert told == [(60, 32), (None, 32), (60, 32)]


@pytest.mark.parametrize(
    "text",
    [
        "1/2/3", "60/12天", "线下、网络60", "9（线下6，网络3）", "线下60，线下5", "线下60，32", "1,200/3", "很多", "2001/3", "-5/3",
        "2026-06-12", "24学时，其中线下16",
    ],
)  # fmt: skip
def test_hours_of_which_the_way_would_have_to_be_guessed_are_faults(text: str):
    with pytest.raises(ValueError, match="学时"):
        cells.hours_by_way(text)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2012-03-05", (2012, 3)), ("2012.03", (2012, 3)), ("201203", (2012, 3)), ("20120305", (2012, 3)),
        ("2021年3月", (2021, 3)), ("2021 年 3 月", (2021, 3)), ("2022/8/1", (2022, 8)), ("25年5月", (2025, 5)),
        ("99年5月", (1999, 5)), ("2024.3至今", (2024, 3)), ("２０２４．０３", (2024, 3)), ("2019", (2019, 1)), ("2020年", (2020, 1)),
    ],
)  # fmt: skip
def test_dates_are_read_in_the_forms_of_real_rosters(text: str, month: tuple[int, int]):
    assert cells.month(text) == month


@pytest.mark.parametrize("text", ["2021.13", "45170", "略", "去年", "3022.5"])
def test_what_is_no_date_is_a_fault(text: str):
    with pytest.raises(ValueError, match="日期"):
        cells.month(text)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("不足1年", 0.5), ("不到一年", 0.5), ("未满1年", 0.5), ("1年以内", 0.5), ("半年", 0.5), ("8个月", 0.67),
        ("1年3个月", 1.25), ("一年零三个月", 1.25), ("两年半", 2.5), ("2年半", 2.5), ("3年多", 3), ("十年", 10), ("2.5", 2.5),
        ("任职3年", 3), ("2023.03", 2.5), ("2024年9月", 1), ("23.9", 2), ("25年5月", 0.33), ("2025.12", 0), ("无", None),
    ],
)  # fmt: skip
def test_time_in_post_is_a_duration_or_counted_from_the_date_of_the_roster(text: str, years: float | None):
    assert cells.years_since(text, SEPTEMBER_2025) == years


def test_a_date_without_a_date_of_the_roster_gives_no_years_but_a_duration_does():
    assert cells.years_since("2023.03", None) is None
    assert cells.years_since("3年", None) == 3


def test_a_post_taken_years_from_now_is_a_fault():
    with pytest.raises(ValueError, match="还没有到"):
        cells.years_since("2032.03", SEPTEMBER_2025)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("应急处突能力弱；不会写材料;招商没门路", ("应急处突能力弱", "不会写材料", "招商没门路")),
        ("应急处突\r\n\r\n群众工作", ("应急处突", "群众工作")),
        ("1.“三会一课”怎么开？\n2.两新怎么抓", ("“三会一课”怎么开？", "两新怎么抓")),
        ("①不会办会；②不会写材料。", ("不会办会", "不会写材料")),
        ("①看不见问题②看不出门道③问不到要害", ("看不见问题", "看不出门道", "问不到要害")),
        ("1、应急不足2、不会写材料3、增长2.5%算不清", ("应急不足", "不会写材料", "增长2.5%算不清")),
        ("（1）应急；（2）公文", ("应急", "公文")),
        ("（一）应急（二）公文", ("应急", "公文")),
        ("一、应急二、公文", ("应急", "公文")),
        ("一是调研不深，二是落实不够", ("调研不深", "落实不够")),
        ("第一，不懂财务；第二，不会算账", ("不懂财务", "不会算账")),
        ("招商引资 / 产业链招商 /外语", ("招商引资", "产业链招商", "外语")),
        ("代表履职 | 监督", ("代表履职", "监督")),
    ],
)
def test_several_lacks_in_one_cell_are_split_where_the_writer_marked_it(text: str, parts: tuple[str, ...]):
    assert cells.several(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "专项债申报、隐性债务化解办法不多",
        "工作压力大，情绪容易急躁，不会自我排解",
        "乡村振兴、产业发展/集体经济",
        "政治能力（判断力；领悟力；执行力）",
        "班子里“一言堂；一支笔”",
        "《党章；党规》学习",
        "第一书记不会干",
        "人均0.5学时不够用",
    ],
)
def test_marks_that_belong_to_one_lack_do_not_split_it(text: str):
    assert cells.several(text) == (text,)


@pytest.mark.parametrize(
    "text", ["", "无", "无。", "（无）", "暂无", "/", "——", "无明显短板", "暂无不足", "None", "N/A"]
)
def test_a_cell_that_says_nothing_holds_no_lack(text: str):
    assert cells.is_nothing(text)
    assert cells.several(text) == ()


def test_a_lack_that_begins_with_a_word_for_nothing_is_kept():
    assert cells.several("没有问题意识") == ("没有问题意识",)


@pytest.mark.parametrize("text", ["同上", "同上。", "同上行", "〃", "同前"])
def test_ditto_marks_are_known(text: str):
    assert cells.is_ditto(text)


@given(
    st.lists(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=3), min_size=2, max_size=9),
    st.sampled_from(["；", ";", "\n", " / ", "；\n"]),
)
def test_splitting_what_was_joined_gives_the_parts_back(parts: list[str], mark: str):
    assert cells.several(mark.join(parts)) == tuple(parts)


@given(st.text(max_size=80))
def test_no_text_makes_a_reader_fail_otherwise_than_by_refusing_it(text: str):
    cells.several(text)
    cells.restrictions(text)
    for read in (cells.hours, cells.month, cells.yes_no, cells.grade):
        with suppress(ValueError):
            read(text)


@pytest.mark.parametrize(
    "text", ["《" * 30_000, "“" * 30_000, "（" * 30_000, "1、2、" * 8_000, "①" * 30_000, " /" * 15_000]
)
def test_a_hostile_cell_costs_no_time(text: str):
    began = time.process_time()
    cells.several(text)
    cells.restrictions(text)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("信访岗AB岗，不能脱产", {Restriction.NOT_OFF_POST}),
        ("工作忙，脱不开身", {Restriction.NOT_OFF_POST}),
        ("左腿不便，请安排线上", {Restriction.LIMITED_MOBILITY}),
        ("孕期，不宜出差", {Restriction.NO_TRAVEL}),
        ("晕车，不便长途", {Restriction.NO_TRAVEL}),
        ("8（只能网络）", {Restriction.ONLINE_ONLY}),
        ("长期在外招商，只能网络；行动不便", {Restriction.ONLINE_ONLY, Restriction.LIMITED_MOBILITY}),
        ("11月后可脱产", set()),
        ("无行动不便", set()),
        ("挂职至年底", set()),
    ],
)
def test_restrictions_are_read_from_remarks(text: str, rules: set[Restriction]):
    assert cells.restrictions(text) == rules


@pytest.mark.parametrize(
    ("text", "answer"), [("是", True), ("必修（全员）", True), ("√", True), ("选修", False), ("", False)]
)
def test_yes_and_no_are_read_as_planners_write_them(text: str, answer: bool):
    assert cells.yes_no(text) is answer


@pytest.mark.parametrize(
    ("text", "points"),
    [("55", 55), ("55分", 55), ("4", 80), ("优", 95), ("中", 70), ("不及格", 45), ("", None), ("缺考", None)],
)
def test_grades_become_points_of_a_hundred(text: str, points: float | None):
    assert cells.grade(text) == points


def test_small_numbers_are_points_of_five_only_where_all_are_small():
    assert (cells.grade("4"), cells.grade("4", of_five=False)) == (80, 4)
