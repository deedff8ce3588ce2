"""A sheet of a workbook as a page shows it: some of its rows at a time, cells coloured by what they count, its charts with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response

from model.files.sheets import SheetOut, write_csv, write_workbook
from service.cohorts import WORKBOOK
from service.pages.downloads import download
from service.pages.paging import Page
from service.shapes.filed import Called, Cell, calling
from service.shapes.sheets import load_sheet

ROWS = 100  # Rows of a sheet on a page.
SHADES = 5


@dataclass(frozen=True)
class Shown:
    """A sheet of a plan: its place among them, the rows of a page, each cell with its words and its colour, and its charts."""

    place: int
    sheet: SheetOut
    rows: Page
    charts: list[dict[str, Any]]


def shown(told: Sequence[Any], place: int, people: Sequence[Called], asked: str) -> Shown:
    """A sheet of a plan, by its place."""
    sheets = [load_sheet(one) for one in told]
    sheet, call = sheets[place], calling(people)
    page = Page.of(sheet.rows, asked, ROWS)
    most = max((_number(cell) for row in _heated(sheet) for cell in row), default=0.0)
    rows = [
        [(_words(call(cell)), _shade(sheet, page.first + line, column, cell, most)) for column, cell in enumerate(row)]
        for line, row in enumerate(page.entries)
    ]
    charts = [_drawn(sheets, chart) for chart in sheet.charts]
    return Shown(place, sheet, Page(rows, page.number, page.pages, page.total, page.first), charts)


def _words(cell: Cell) -> str:
    return f"{cell:,.10g}" if isinstance(cell, int | float) else cell or ""


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else 0.0


def _heated(sheet: SheetOut) -> list[Sequence[Cell]]:
    heat = sheet.heat
    return [row[heat.first : heat.last + 1] for row in sheet.rows[: heat.rows]] if heat else []


def _shade(sheet: SheetOut, line: int, column: int, cell: Cell, most: float) -> str:
    """The class of a cell: the darker, the more it counts. The number stands in it, so colour is never alone."""
    heat = sheet.heat
    if not heat or line >= heat.rows or not heat.first <= column <= heat.last or not _number(cell):
        return ""
    return f"heat-{min(SHADES, max(1, -(-int(_number(cell)) * SHADES // max(1, int(most)))))}"


def _drawn(sheets: Sequence[SheetOut], chart: Any) -> dict[str, Any]:
    """A chart, with the numbers of the sheet that it draws."""
    source = next(sheet for sheet in sheets if sheet.name == chart.sheet)
    rows = source.rows[: chart.rows]
    return {
        "title": chart.title,
        "description": chart.title,
        "names": [str(row[chart.names]) for row in rows],
        "series": [
            {"name": source.header[column], "values": [row[column] for row in rows]} for column in chart.numbers
        ],
    }


def workbook(sheets: Sequence[SheetOut], name: str) -> Response:
    """Sheets as a workbook to be downloaded."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.xlsx"
        write_workbook(path, sheets)
        return download(path.read_bytes(), WORKBOOK, f"{name}.xlsx")


def table(sheet: SheetOut, name: str) -> Response:
    """A sheet as CSV to be downloaded."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        write_csv(path, sheet)
        return download(path.read_bytes(), "text/csv; charset=utf-8", f"{name}.csv")
