"""What is written: the workbook a planner files, opened as a planner's program opens it, and the CSV file."""

from __future__ import annotations

import csv
import re
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from model.cohort.filing import Filing
from model.cohort.plan_reports import cohort_sheets
from model.cohort.rival import compare, comparison_sheet
from model.cohort.rules import ClassRules, MenuRules, SplitRules
from model.files.sheets import FORMULA_STARTS, ChartOut, Heat, SheetOut, write_csv, write_workbook
from model.files.tables import read_sheets
from tests.filings import FILINGS, SPEECH, WRITING, filed, filing, kept_of, office_demand
from tests.model.cohort.test_class_plan import cohort, course, gap, needs


def out(**changes: object) -> SheetOut:
    given: dict = {
        "name": "清单",
        "title": "个人推荐清单",
        "header": ("姓名", "学时"),
        "rows": (("韩立秋", 24.0),),
        "widths": (12, 8),
    }
    return SheetOut(**{**given, **changes})


def parts(path: Path, folder: str) -> list[str]:
    """The XML of the parts of a workbook that stand in a folder, in the order of their numbers."""
    with zipfile.ZipFile(path) as book:
        names = [name for name in book.namelist() if re.fullmatch(rf"{folder}/[a-z]+\d+\.xml", name)]
        names.sort(key=lambda name: int(re.findall(r"\d+", name)[-1]))
        return [book.read(name).decode() for name in names]


def pages(path: Path) -> dict[str, str]:
    """The XML of each sheet by its name."""
    return dict(zip(CalamineWorkbook.from_path(path).sheet_names, parts(path, "xl/worksheets"), strict=True))


def test_a_written_workbook_is_laid_out_as_planners_file_it(tmp_path: Path):
    write_workbook(tmp_path / "a.xlsx", [out(), out(name="缺课清单", title="缺课")])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    page = book["清单"]
    assert book.sheetnames == ["清单", "缺课清单"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [
        ["个人推荐清单", None], ["姓名", "学时"], ["韩立秋", 24], ["仅供培训安排参考", None],
    ]  # fmt: skip
    assert (page.freeze_panes, str(next(iter(page.merged_cells.ranges)))) == ("A3", "A1:B1")
    assert (page.column_dimensions["A"].width > 12, page["B2"].font.bold) == (True, True)
    assert (page.page_setup.orientation, page.print_title_rows) == ("landscape", "$2:$2")


def test_the_same_content_is_the_same_file_byte_for_byte(tmp_path: Path):
    write_workbook(tmp_path / "a.xlsx", [out()])
    time.sleep(2.1)  # Archives keep times to two seconds.
    write_workbook(tmp_path / "b.xlsx", [out()])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://example.invalid")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠a",
)


def test_nothing_written_to_a_workbook_is_a_formula_or_a_link(tmp_path: Path):
    write_workbook(
        tmp_path / "a.xlsx", [out(rows=[(text, 1) for text in (*FORMULAS, "http://example.invalid", "00012")])]
    )
    page = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    cells = [page.cell(row, 1) for row in range(3, 3 + len(FORMULAS) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    assert cells[-1].value == "00012"


def test_cells_of_a_csv_that_excel_would_run_are_quoted(tmp_path: Path):
    write_csv(tmp_path / "a.csv", out(rows=[(text, -1) for text in FORMULAS]))
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["姓名", "学时"]
    assert [row[0] for row in rows[1:-1]] == ["'" + text for text in FORMULAS]
    assert {row[1] for row in rows[1:-1]} == {"-1"}
    assert rows[-1] == ["仅供培训安排参考"]


@given(
    rows=st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\r")), st.integers(0, 99)), max_size=5
    )
)
def test_what_is_written_as_csv_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]]):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    write_csv(path, out(rows=rows))
    (sheet,) = read_sheets(path)
    back = [(row[0] if row[0] in dict(rows) else row[0].removeprefix("'"), int(row[1])) for row in sheet.rows[1:-1]]
    assert back == rows


def test_rows_are_as_high_as_their_wrapped_text(tmp_path: Path):
    wide = "一二三四五六七八九十" * 3
    write_workbook(tmp_path / "a.xlsx", [SheetOut("一", "标题", ["甲", "乙"], [["短", wide], ["短", "短"]], [10, 21])])
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["一"]
    assert sheet.row_dimensions[3].height == pytest.approx(15 * 3 + 2, abs=0.5)
    assert sheet.row_dimensions[4].height == pytest.approx(15 + 2, abs=0.5)


def test_a_heat_map_colours_its_numbers_and_not_its_totals(tmp_path: Path):
    rows = [("甲局", 3, 1, 2), ("乙局", 1, 1, 0), ("合计", 4, 2, 2)]
    sheet = out(header=("单位", "合计", "写作", "党性"), rows=rows, widths=(9, 9, 9, 9), heat=Heat(2, 3, 2))
    write_workbook(tmp_path / "a.xlsx", [sheet])
    (page,) = pages(tmp_path / "a.xlsx").values()
    assert re.findall(r'<conditionalFormatting sqref="([^"]+)"', page) == ["C3:D4"]
    assert "<colorScale>" in page


def test_a_status_is_picked_from_a_list_on_every_row_of_the_table(tmp_path: Path):
    sheet = out(rows=[("韩立秋", "待补"), ("金亦文", "已学")], pick={1: ["待补", "已学"]})
    write_workbook(tmp_path / "a.xlsx", [sheet])
    (page,) = pages(tmp_path / "a.xlsx").values()
    assert re.findall(r'<dataValidation type="list"[^>]*sqref="([^"]+)"', page) == ["B3:B4"]
    assert '<formula1>"待补,已学"</formula1>' in page


def test_in_an_empty_table_nothing_is_picked(tmp_path: Path):
    write_workbook(tmp_path / "a.xlsx", [out(rows=[], pick={1: ["待补", "已学"]})])
    (page,) = pages(tmp_path / "a.xlsx").values()
    assert "dataValidation" not in page


def test_charts_stand_below_the_table_and_draw_the_columns_of_another_sheet(tmp_path: Path):
    chart = ChartOut("最多的短板", "共性需求", 0, (1, 2), 2)
    needed = out(
        name="共性需求", header=("短板", "补上", "仍缺"), rows=[("写作", 3, 1), ("党性", 1, 0)], widths=(9, 9, 9)
    )
    write_workbook(tmp_path / "a.xlsx", [out(name="图表", rows=[("一", 1)], charts=[chart, chart]), needed])
    drawn = parts(tmp_path / "a.xlsx", "xl/charts")
    assert len(drawn) == 2
    assert all("最多的短板" in one and '<c:grouping val="stacked"/>' in one for one in drawn)
    assert re.findall(r"<c:f>([^<]+)</c:f>", drawn[0]) == [
        "共性需求!$A$3:$A$4", "共性需求!$B$3:$B$4", "共性需求!$A$3:$A$4", "共性需求!$C$3:$C$4",
    ]  # fmt: skip
    (placed,) = parts(tmp_path / "a.xlsx", "xl/drawings")
    starts = [int(row) for row in re.findall(r"<xdr:from>.*?<xdr:row>(\d+)</xdr:row>", placed)]
    assert starts == [5, 31], "below title, header, one row, one line of footer; the second below the first"


def written_by(path: Path, found: Filing) -> CalamineWorkbook:
    write_workbook(path, cohort_sheets(found))
    return CalamineWorkbook.from_path(path)


KINDS = {
    "class": lambda: filed(office_demand(), year=2026, deadline="2026年12月底前"),
    "split": lambda: filed(office_demand(), ClassRules("专题班", 5), SplitRules(2, 1, 5, 4)),
    "menu": lambda: filed(office_demand(), MenuRules(4, seats=2, repeats=2)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_workbook_of_a_plan_opens_with_every_cell_it_was_given(kind: str, tmp_path: Path):
    found = KINDS[kind]()
    book = written_by(tmp_path / "a.xlsx", found)
    sheets = cohort_sheets(found)
    assert book.sheet_names == [sheet.name for sheet in sheets]
    for sheet in sheets:
        title, header, *rows = book.get_sheet_by_name(sheet.name).to_python()
        assert title[0] == sheet.title
        assert header == list(sheet.header)
        assert rows[: len(sheet.rows)] == [["" if cell is None else cell for cell in row] for row in sheet.rows]
        assert [row[0] for row in rows[len(sheet.rows) :]] == list(sheet.footer)


def test_the_workbook_of_a_plan_has_its_lists_its_heat_and_its_charts(tmp_path: Path):
    written_by(tmp_path / "a.xlsx", KINDS["class"]())
    found = pages(tmp_path / "a.xlsx")
    assert {name for name, page in found.items() if "<dataValidation " in page} == {"三张清单", "短板去向"}
    assert {name for name, page in found.items() if "<conditionalFormatting " in page} == {"热力图·单位", "热力图·层级"}
    assert {name for name, page in found.items() if "<drawing " in page} == {"图表"}
    assert len(parts(tmp_path / "a.xlsx", "xl/charts")) == 2
    assert not any("<f>" in page for page in found.values())


def test_what_people_write_stays_text_in_every_sheet(tmp_path: Path):
    """Names, units and lacks that begin like formulas or links."""
    odd = ("=1+1", "+86", "@总", "-无", "http://example.invalid", "＝cmd")
    people = [
        needs(f"P{place}", gap(text, competency=None), name=text, unit=text, post=text)
        for place, text in enumerate(odd)
    ]
    courses = [course(0, title="=公式", provider="=HYPERLINK(1)", mode="=线下"), course(1, title="+网络", mode="网络")]
    found = filed(
        cohort(people, courses, {text: {"c0": 0.9, "c1": 0.6} if place % 2 else {} for place, text in enumerate(odd)})
    )
    written_by(tmp_path / "a.xlsx", found)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert not [
        cell for page in book for row in page.iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink
    ]
    assert {cell.value for cell in book["参训名单"]["B"]} >= set(odd)


EMPTY = {
    "nobody lacks anything": lambda: filed(cohort([needs("P1")], [course(0)], {})),
    "nothing is closed": lambda: filed(cohort([needs("P1", WRITING)], [course(0)], {"写材料": {}})),
    "no session is attended": lambda: filed(
        cohort([needs("P1", SPEECH, completed=["c0"])], [course(0)], {"讲话": {"c0": 0.9}})
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_reports_are_written_too(name: str, tmp_path: Path):
    found = EMPTY[name]()
    book = written_by(tmp_path / "a.xlsx", found)
    assert all(len(book.get_sheet_by_name(sheet).to_python()) > 2 for sheet in book.sheet_names)
    write_workbook(tmp_path / "b.xlsx", [comparison_sheet(compare(kept_of(found), kept_of(found)))])
    assert CalamineWorkbook.from_path(tmp_path / "b.xlsx").sheet_names == ["方案比较"]


@given(FILINGS)
@settings(max_examples=15)
def test_every_plan_can_be_written(tmp_path_factory: pytest.TempPathFactory, found: Filing):
    path = tmp_path_factory.mktemp("book") / "a.xlsx"
    book = written_by(path, found)
    assert book.sheet_names[0] == "班次方案"
    total = next(row for row in book.get_sheet_by_name("热力图·单位").to_python() if row[0] == "合计")
    assert total[1] == len(found.plan.closed) + len(found.plan.missed)


def test_the_same_plan_is_the_same_workbook_byte_for_byte(tmp_path: Path):
    for name in ("a", "b"):
        write_workbook(tmp_path / f"{name}.xlsx", cohort_sheets(filing(3)))
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@given(st.sampled_from(FORMULA_STARTS), st.text(max_size=5))
@settings(max_examples=20)
def test_no_cell_of_a_csv_file_begins_like_a_formula(tmp_path_factory: pytest.TempPathFactory, start: str, rest: str):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = start + "".join(char for char in rest if char.isprintable())
    write_csv(path, out(rows=[(text, 1)]))
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][0] == "'" + text
