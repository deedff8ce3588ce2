"""What of a sheet may be given back: everything but what is private."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import TableError
from model.files.courselists import read_catalog
from model.files.tables import Sheet
from model.files.withheld import withheld
from model.lexicon import Lexicon

CODES = frozenset({"course_id", "code"})
LONG = "110101199003071234"


def shown(lexicon: Lexicon, *rows: tuple[str, ...]) -> list[tuple[str, ...]]:
    sheet = Sheet("表", rows)
    _, reading = read_catalog((sheet,), lexicon)
    return list(withheld(sheet, reading.headings, CODES))


def test_a_list_without_anything_private_stays_as_it_is(lexicon: Lexicon):
    rows = (("课程一览",), ("课程名称", "学时", ""), ("公文写作", "2", "x"), (), ("合计", "2"))
    assert shown(lexicon, *rows) == list(rows)


def test_private_cells_are_blank_under_two_header_rows_and_their_headers_say_so(lexicon: Lexicon):
    rows = (("课程名称", "联系方式", ""), ("", "单位", "手机"), ("公文写作", "甲", "乙"))
    assert shown(lexicon, *rows) == [
        ("课程名称", "联系方式", ""), ("", "单位（已略去）", "手机（已略去）"), ("公文写作", "", ""),
    ]  # fmt: skip


def test_private_columns_move_with_a_header_that_is_repeated_in_another_order(lexicon: Lexicon):
    rows = (("课程名称", "微信", "学时"), ("公文写作", "gw", "2"), ("微信", "课程名称", "学时"), ("bh", "办会", "3"))
    assert shown(lexicon, *rows)[1:] == [
        ("公文写作", "", "2"), ("微信（已略去）", "课程名称", "学时"), ("", "办会", "3"),
    ]  # fmt: skip


def test_private_numbers_elsewhere_are_scrubbed_but_for_the_numbers_of_courses(lexicon: Lexicon):
    rows = (("联系电话：13800000000",), ("课程编号", "课程名称", "备注"), (LONG, "公文写作", f"找{LONG}"))
    assert shown(lexicon, *rows) == [
        ("联系电话：（号码已略去）",), ("课程编号", "课程名称", "备注"), (LONG, "公文写作", "找（号码已略去）"),
    ]  # fmt: skip


def test_a_sheet_that_was_not_read_gives_back_nothing_private_either():
    sheet = Sheet("名册", (("名册",), ("姓名", "家庭住址"), ("甲", "某街 1 号")), hidden=True)
    assert list(withheld(sheet, (), CODES)) == [("名册",), ("姓名", "家庭住址（已略去）"), ("甲", "")]


CELLS = st.sampled_from(["", "课程名称", "手机", "学时", "秘密", "2", "公文写作"])


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4).map(tuple), min_size=1, max_size=6))
def test_the_shape_of_a_sheet_never_changes_and_no_cell_gains_but_the_mark(
    lexicon: Lexicon, rows: list[tuple[str, ...]]
):
    sheet = Sheet("表", tuple(rows))
    try:
        headings = read_catalog((sheet,), lexicon)[1].headings
    except TableError:
        headings = ()
    given_back = list(withheld(sheet, headings, CODES))
    assert list(map(len, given_back)) == list(map(len, rows))
    for before, after in zip(rows, given_back, strict=True):
        assert all(text in (cell, f"{cell}（已略去）", "") for cell, text in zip(before, after, strict=True))


@pytest.mark.parametrize("header", ["身份证号", "联系电话", "E-mail", "3.您的微信（选填）"])
def test_a_marked_header_is_read_as_private_again(lexicon: Lexicon, header: str):
    once = shown(lexicon, ("课程名称", header), ("公文写作", "x"))
    assert shown(lexicon, *once)[1] == ("公文写作", "")
