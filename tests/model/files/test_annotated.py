"""The workbook a planner corrects her list by: opened as an office program opens it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.changes import compare
from model.domain import Catalog, Course
from model.files import annotated as made
from model.files.annotated import annotated, sheet_names
from model.files.categories import Asked
from model.files.courselists import read_catalog
from model.files.sheets import write_workbook
from model.files.tables import Sheet, read_sheets
from model.lexicon import Lexicon

HEADER = ("课程编号", "课程名称", "学时", "年度")
LIST = Sheet(
    "课程", (("课程一览表",), HEADER, ("K1", "公文写作", "一上午", "去年"), ("K2", "", "2"), ("K3", "=cmd|'/C calc'!A0", "3"))
)  # fmt: skip
HOSTILE = ("=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "＝1", '=HYPERLINK("http://example.invalid")', "\t=1", "http://example.invalid", "mailto:a@b.c")  # fmt: skip


def written(folder: Path, lexicon: Lexicon, *sheets: Sheet, before: Catalog | None = None) -> Path:
    catalog, reading = read_catalog(sheets, lexicon)
    out = folder / "核对.xlsx"
    write_workbook(out, annotated(sheets, reading, compare(before, catalog) if before is not None else None))
    return out


def test_the_list_stands_as_it_was_read_with_its_faulty_cells_coloured_and_commented(tmp_path: Path, lexicon: Lexicon):
    book = openpyxl.load_workbook(written(tmp_path, lexicon, LIST))
    assert book.sheetnames == ["核对结果", "表头与类别", "课程"]
    page = book["课程"]
    assert [[cell.value or "" for cell in row][: len(LIST.rows[n])] for n, row in enumerate(page.iter_rows())] == [
        list(row) for row in LIST.rows
    ]
    comments = {cell.coordinate: cell.comment.text for row in page.iter_rows() for cell in row if cell.comment}
    assert set(comments) == {"C3", "D3", "B4"}
    assert comments["B4"] == "缺少课程名称，这一行没有读取。\n请补上课程名称。"
    coloured = {cell.coordinate for row in page.iter_rows() for cell in row if cell.fill.fgColor.rgb == "FFF8CBAD"}
    assert coloured == set(comments)


def test_the_first_sheet_lists_every_fault_and_how_the_rows_add_up(tmp_path: Path, lexicon: Lexicon):
    page = openpyxl.load_workbook(written(tmp_path, lexicon, LIST))["核对结果"]
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert rows[1] == ["序号", "工作表", "单元格", "内容", "问题", "怎样改"]
    assert [row[:4] for row in rows[2:5]] == [
        [1, "课程", "C3", "一上午"],
        [2, "课程", "D3", "去年"],
        [3, "课程", "B4", ""],
    ]
    assert rows[5][0] == "共 5 行：可用 2 行，未能读取 1 行，略过：标题 1 行、表头 1 行。"


def test_a_list_without_faults_says_so(tmp_path: Path, lexicon: Lexicon):
    page = openpyxl.load_workbook(written(tmp_path, lexicon, Sheet("表", (HEADER, ("K1", "公文写作", "2")))))[
        "核对结果"
    ]
    assert page["E3"].value == "没有发现问题"


def test_what_a_json_document_says_wrong_is_told_by_path_and_marked_in_the_table_it_became(
    tmp_path: Path, lexicon: Lexicon
):
    (tmp_path / "课.json").write_text(
        '[{"@type": "Course", "name": "公文写作", "timeRequired": "说不准"}]', encoding="utf-8"
    )
    book = openpyxl.load_workbook(written(tmp_path, lexicon, *read_sheets(tmp_path / "课.json")))
    assert book["核对结果"]["C3"].value == "课.json $[0].timeRequired"
    assert [cell.coordinate for row in book["课.json"].iter_rows() for cell in row if cell.comment] == ["F2"]


def test_what_changes_stands_in_a_sheet_of_its_own(tmp_path: Path, lexicon: Lexicon):
    before = Catalog(
        (
            Course("K1", "公文写作", hours=1.0),
            Course("K4", "党史专题学习"),
            Course("K5", "应急处突"),
            Course("K6", "保密（上）"),
        )
    )
    rows = (
        HEADER,
        ("K1", "公文写作", "2", "2025"),
        ("K7", "党史专题研学", "", ""),
        ("K8", "信访", "", ""),
        ("K9", "保密（上）", "", ""),
    )
    page = openpyxl.load_workbook(written(tmp_path, lexicon, Sheet("表", rows), before=before))["与现用目录比较"]
    told = [[cell.value for cell in row] for row in page.iter_rows(min_row=3)]
    assert [row[:4] for row in told[:5]] == [
        ["新增", "K8", "", "信访"], ["删除", "K5", "应急处突", ""], ["改名", "K7", "党史专题学习", "党史专题研学"],
        ["改编号", "K9", "K6", "K9"], ["学时变化", "K1", 1, 2],
    ]  # fmt: skip
    assert "新增 1 门，删除 1 门" in told[5][0]
    assert told[6][0].startswith("更新率（2025 年）25%")


def test_what_each_header_was_read_as_and_the_labels_nobody_knows_stand_in_a_sheet_of_their_own(
    tmp_path: Path, lexicon: Lexicon
):
    sheet = Sheet("表", (("课程名称", "备注", "电话"), ("公文写作", "", "")))
    _, reading = read_catalog((sheet,), lexicon)
    asked = (Asked("经信类", 3, "履职能力"), Asked("其 它", 1, ""))
    write_workbook(tmp_path / "核对.xlsx", annotated((sheet,), reading, None, asked))
    page = openpyxl.load_workbook(tmp_path / "核对.xlsx")["表头与类别"]
    assert [[cell.value or "" for cell in row] for row in page.iter_rows(min_row=3, max_row=7)] == [
        ["表头", "表", "课程名称", "课程名称", ""], ["表头", "表", "备注", "未使用", ""], ["表头", "表", "电话", "含个人隐私，不读", ""],
        ["类别", "", "经信类", "认不出（3 门），像是履职能力", "--category 经信类=履职能力"],
        ["类别", "", "其 它", "认不出（1 门）", '--category "其 它=类别"'],
    ]  # fmt: skip


def test_private_columns_are_blank_in_the_copy(tmp_path: Path, lexicon: Lexicon):
    sheet = Sheet("表", (("课程名称", "主讲人身份证号"), ("公文写作", "11010119900307123X"), ("办会", "不详")))
    page = openpyxl.load_workbook(written(tmp_path, lexicon, sheet))["表"]
    assert [cell.value for cell in page["B"]] == ["主讲人身份证号（已略去）", None, None]
    assert [cell.value for cell in page["A"]] == ["课程名称", "公文写作", "办会"]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_the_workbook_is_a_formula_or_a_link(text: str, tmp_path: Path, lexicon: Lexicon):
    hostile = Sheet(text[:20], ((*HEADER, text), (text, text, text, text, text), ("K2", text, text, text, text)))
    out = written(tmp_path, lexicon, hostile, before=Catalog((Course("K9", text), Course("K2", "别的"))))
    with zipfile.ZipFile(out) as book:
        for name in book.namelist():
            content = book.read(name).decode()
            assert "<f>" not in content, name
            assert "<hyperlink " not in content, name
            assert "externalLink" not in name
    cells = [cell for page in openpyxl.load_workbook(out) for row in page.iter_rows() for cell in row]
    assert text in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells if cell.value == text} == {"s"}


def test_beyond_so_many_remarks_the_list_goes_on_and_the_comments_stop(
    tmp_path: Path, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(made, "MOST_REMARKS", 2)
    rows = (HEADER, *((f"K{n}", f"第{n}课", "说不准") for n in range(4)))
    book = openpyxl.load_workbook(written(tmp_path, lexicon, Sheet("表", rows)))
    assert sum(bool(cell.comment) for row in book["表"].iter_rows() for cell in row) == 2
    said = [cell.value for cell in book["核对结果"]["A"]]
    assert said[2:6] == [1, 2, 3, 4]
    assert any("其余 2 处只列在上表" in str(line) for line in said)


NAMES = st.lists(st.text("表[]:*?/\\'课程 History", max_size=40), unique=True, min_size=1, max_size=6)


@given(NAMES)
def test_every_sheet_gets_a_name_that_office_programs_take(names: list[str]):
    found = sheet_names([Sheet(name, ()) for name in names])
    taken = [name.lower() for name in found.values()]
    assert list(found) == names
    assert len(set(taken)) == len(taken)
    for name in found.values():
        assert 1 <= len(name) <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$", name)
        assert name.lower() not in {"history", "核对结果", "表头与类别", "与现用目录比较"}
