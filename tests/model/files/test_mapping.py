from __future__ import annotations

import pytest

from model.errors import InputError
from model.files.courselists import COLUMNS, read_catalog
from model.files.mapping import LEFT_OUT, check_corrections, corrections_of
from model.files.tables import Sheet
from model.lexicon import Lexicon

ROWS = (("讲什么", "多久", "课程", "身份证号"), ("公文写作", "2", "甲", "1"), ("应急处突", "3", "乙", "2"))


def test_a_corrected_header_outranks_the_aliases(lexicon: Lexicon):
    corrected = corrections_of([("讲什么", "课程名称"), ("多久", "hours")], COLUMNS)
    catalog, reading = read_catalog([Sheet("表", ROWS)], lexicon, corrected)
    assert {(course.title, course.hours) for course in catalog} == {("公文写作", 2), ("应急处突", 3)}
    assert {one.header: one.field for one in reading.headings} == {
        "讲什么": "title", "多久": "hours", "课程": None, "身份证号": "",
    }  # fmt: skip


def test_a_header_of_which_nothing_else_is_known_is_found_by_the_correction_alone(lexicon: Lexicon):
    catalog, _ = read_catalog([Sheet("表", (("讲什么",), ("公文写作",)))], lexicon, {"讲什么": "title"})
    assert [course.title for course in catalog] == ["公文写作"]


def test_a_column_that_is_not_to_be_read_makes_room_for_another(lexicon: Lexicon):
    rows = (("课程名称", "名称", "学时"), ("甲-1", "公文写作", "2"))
    corrected = corrections_of([("课程名称", "")], COLUMNS)
    assert corrected == {"课程名称": LEFT_OUT}
    assert [course.title for course in read_catalog([Sheet("表", rows)], lexicon, corrected)[0]] == ["公文写作"]


@pytest.mark.parametrize(
    ("pair", "mentions"), [(("讲什么", "题目"), ["题目", "课程名称", "学时"]), ((" ", "课程名称"), ["没有写表头"])]
)
def test_a_field_that_does_not_exist_is_refused_with_those_that_do(pair: tuple[str, str], mentions: list[str]):
    with pytest.raises(InputError) as refused:
        corrections_of([pair], COLUMNS)
    assert all(mention in str(refused.value) for mention in mentions)


def test_a_header_that_does_not_exist_is_refused_with_those_that_do(lexicon: Lexicon):
    _, reading = read_catalog([Sheet("表", ROWS)], lexicon)
    check_corrections({"讲什么": "title"}, reading.headings)
    with pytest.raises(InputError, match=r"讲甚么.*现有表头：.*讲什么、多久"):
        check_corrections({"讲甚么": "title"}, reading.headings)


def test_a_private_column_cannot_be_opened_by_a_correction(lexicon: Lexicon):
    corrected = {"身份证号": "serial"}
    catalog, reading = read_catalog([Sheet("表", ROWS)], lexicon, corrected)
    assert "1" not in catalog.row_of
    with pytest.raises(InputError, match="个人隐私"):
        check_corrections(corrected, reading.headings)


def test_the_lower_of_two_header_rows_may_be_corrected_alone(lexicon: Lexicon):
    rows = (("课程", "", "安排", ""), ("讲什么", "编号", "多久", "在哪"), ("公文写作", "K1", "2", "礼堂"))
    corrected = corrections_of([("讲什么", "课程名称"), ("多久", "学时")], COLUMNS)
    catalog, reading = read_catalog([Sheet("表", rows)], lexicon, corrected)
    check_corrections(corrected, reading.headings)
    assert [(course.id, course.title, course.hours) for course in catalog] == [("K1", "公文写作", 2)]
