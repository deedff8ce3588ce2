"""Sheets to write -> an Excel workbook or a CSV file, as planners file them."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter

_EPOCH = datetime.datetime(2000, 1, 1)
_COLOURS = ("#4F81BD", "#E46C0A", "#A5A5A5")

MOST_IN_CELL = 32_767  # Characters a cell can hold.

# What makes Excel run a cell of a CSV file; the full-width forms do so in East Asian settings.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Heat:
    """Which cells of a table are coloured by how large they are: a range of columns, in the first so many rows."""

    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class ChartOut:
    """Stacked bars drawn from the first rows of a sheet: the column of names, and the columns of numbers."""

    title: str
    sheet: str
    names: int
    numbers: Sequence[int]
    rows: int


@dataclass(frozen=True)
class SheetOut:
    """A sheet to write: a title, one header row, rows of text or numbers, and lines below the table.

    ``heat`` colours numbers, ``pick`` tells what may be picked in a column, ``charts`` stand below the table.
    """

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]
    widths: Sequence[int]
    footer: Sequence[str] = field(default=("仅供培训安排参考",))
    heat: Heat | None = None
    pick: Mapping[int, Sequence[str]] = field(default_factory=dict)
    charts: Sequence[ChartOut] = ()


@dataclass(frozen=True)
class CopyOut:
    """A sheet to write as it was read, each cell in its place; ``remarks`` are comments on cells (by row, then by column, from 0), which are
    coloured."""

    name: str
    rows: Sequence[Sequence[str]]
    remarks: Mapping[int, Mapping[int, str]]


def write_workbook(path: Path, sheets: Sequence[SheetOut | CopyOut]) -> None:
    """Write an .xlsx file as planners file it: title row, frozen header, widths, borders, a footer; or as it was read, with remarks. Cells are
    never formulas."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    with xlsxwriter.Workbook(path, options) as book:
        # A fixed date keeps the file the same, byte for byte, for the same content.
        book.set_properties({"title": getattr(sheets[0], "title", sheets[0].name), "created": _EPOCH})
        title = book.add_format({"bold": True, "font_size": 15, "align": "center", "valign": "vcenter"})
        header = book.add_format(
            {
                "bold": True,
                "bg_color": "#DCE6F1",
                "border": 1,
                "text_wrap": True,
                "align": "center",
                "valign": "vcenter",
            }
        )
        cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        number = book.add_format({"border": 1, "valign": "top", "align": "center"})
        footer = book.add_format({"font_color": "#595959", "italic": True})
        faulty = book.add_format({"bg_color": "#F8CBAD", "border": 1})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            if isinstance(sheet, CopyOut):
                _copy(page, sheet, faulty)
                continue
            page.set_landscape()
            page.set_paper(9)
            page.fit_to_pages(1, 1 if sheet.charts else 0)
            page.repeat_rows(1)
            for column, width in enumerate(sheet.widths):
                page.set_column(column, column, width)
            page.freeze_panes(2, 0)
            page.set_row(0, 30)
            page.merge_range(0, 0, 0, len(sheet.header) - 1, sheet.title, title)
            page.set_row(1, 24)
            for column, word in enumerate(sheet.header):
                page.write_string(1, column, word, header)
            for line, row in enumerate(sheet.rows, start=2):
                page.set_row(line, _height(row, sheet.widths))
                for column, value in enumerate(row):
                    if isinstance(value, (int, float)):
                        page.write_number(line, column, value, number)
                    else:
                        page.write_string(line, column, value or "", cell)
            for line, words in enumerate(sheet.footer, start=2 + len(sheet.rows)):
                page.write_string(line, 0, words, footer)
            if sheet.heat and sheet.heat.rows:
                scale = {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#F4A6A0"}
                page.conditional_format(2, sheet.heat.first, 1 + sheet.heat.rows, sheet.heat.last, scale)
            for column, words_of in sheet.pick.items() if sheet.rows else ():
                picked = {"validate": "list", "source": list(words_of)}
                page.data_validation(2, column, 1 + len(sheet.rows), column, picked)
            below = 3 + len(sheet.rows) + len(sheet.footer)
            for order, chart in enumerate(sheet.charts):
                page.insert_chart(below + 26 * order, 0, _drawn(book, chart, sheets))


def _copy(page: Any, sheet: CopyOut, faulty: Any) -> None:
    """Write the cells in their places, and a comment on each that has a remark. Rows are written out as they are done with, so that comments go
    with their rows."""
    for line, row in enumerate(sheet.rows):
        remarks = sheet.remarks.get(line, {})
        for column, text in enumerate(row):
            if column not in remarks and text:
                page.write_string(line, column, text[:MOST_IN_CELL])
        for column, words in remarks.items():
            text = row[column] if column < len(row) else ""
            page.write_string(line, column, text[:MOST_IN_CELL], faulty)
            page.write_comment(line, column, words, {"author": "缺补", "x_scale": 2, "y_scale": 1.2})


def _drawn(book: xlsxwriter.Workbook, chart: ChartOut, sheets: Sequence[SheetOut | CopyOut]) -> Any:
    """A chart of stacked bars, the first row on top."""
    source = next(sheet for sheet in sheets if isinstance(sheet, SheetOut) and sheet.name == chart.sheet)
    drawn = book.add_chart({"type": "bar", "subtype": "stacked"})
    for column, colour in zip(chart.numbers, _COLOURS, strict=False):
        cells = [chart.sheet, 2, column, 1 + chart.rows, column]
        names = [chart.sheet, 2, chart.names, 1 + chart.rows, chart.names]
        series = {
            "name": source.header[column],
            "categories": names,
            "values": cells,
            "fill": {"color": colour},
            "gap": 40,
        }
        drawn.add_series(series)
    drawn.set_title({"name": chart.title, "name_font": {"size": 12}})
    drawn.set_y_axis({"reverse": True, "num_font": {"size": 9}})
    drawn.set_x_axis(
        {"label_position": "low", "num_format": "0", "major_gridlines": {"visible": True, "line": {"color": "#E0E0E0"}}}
    )
    drawn.set_legend({"position": "bottom"})
    drawn.set_size({"width": 900, "height": 500})
    return drawn


def _height(row: Sequence[str | float | None], widths: Sequence[int]) -> float:
    """Row height in points for wrapped text, since not every office program fits rows to it; Chinese characters are two wide."""
    lines = 1
    for value, width in zip(row, widths, strict=False):
        if isinstance(value, str):
            wide = [sum(1 + (ord(char) > 0x2E7F or char in "“”‘’—…·") for char in line) for line in value.split("\n")]
            lines = max(lines, sum(max(1, -(-size // max(1, width - 1))) for size in wide))
    return min(15.0 * lines + 2, 400.0)


def write_csv(path: Path, sheet: SheetOut) -> None:
    """Write the table of a sheet as CSV that Excel opens (UTF-8 with BOM); cells that Excel would run as formulas get a leading '."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(sheet.header)
        writer.writerows([[_harmless(value) for value in row] for row in sheet.rows])
        writer.writerows([[line] for line in sheet.footer])


def _harmless(value: str | float | None) -> str | float | None:
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
