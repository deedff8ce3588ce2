"""What a planner says a column is, or a cell should be -> corrections of the headers (header -> field, outranking the aliases) and of the sheets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from model.domain import Heading
from model.errors import InputError
from model.files.headers import Column, plain_header
from model.files.tables import Sheet, spot

LEFT_OUT = ""  # The field of a column that is not to be read.
FORM = "写法：表头=项目，例如“讲什么=课程名称”；“=”后留空表示不读这一列。"


def corrections_of(said: Iterable[tuple[str, str]], columns: Sequence[Column]) -> dict[str, str]:
    """Corrections by plain header. A field is named by any of its headers or by its own name; blank: the column is not to be read.

    Raises InputError, naming the fields that exist, where a field or a header is none.
    """
    fields = {column.field: column.field for column in columns}
    fields |= {alias: column.field for column in reversed(columns) for alias in column.aliases}
    corrected: dict[str, str] = {}
    for header, name in said:
        plain, wanted = plain_header(header), plain_header(name)
        if not plain:
            raise InputError(f"“{header}={name}”没有写表头。{FORM}")
        if wanted and wanted not in fields:
            raise InputError(f"没有“{name}”这一项。可以对应的有：{'、'.join(names_of(columns).values())}。{FORM}")
        corrected[plain] = fields[wanted] if wanted else LEFT_OUT
    return corrected


def names_of(columns: Sequence[Column]) -> dict[str, str]:
    """The fields with the words planners use for them."""
    return {column.field: column.aliases[0] for column in columns}


def check_corrections(corrected: Mapping[str, str], headings: Sequence[Heading]) -> None:
    """InputError where a corrected header does not stand in the file, or stands over a private column."""
    private = [one.header for one in headings if one.header in corrected and one.field == "" and corrected[one.header]]
    if private:
        raise InputError(f"“{'”“'.join(private)}”列含个人隐私，推荐课程用不到，不能读取。")
    there = list(dict.fromkeys(one.header for one in headings))
    # Of two header rows the lower name alone may be meant.
    strange = [header for header in corrected if not any(name.endswith(header) for name in there)]
    if strange:
        raise InputError(f"表里没有表头“{'”“'.join(strange)}”。现有表头：{'、'.join(there)}。")


def with_cells(sheets: Sequence[Sheet], cells: Mapping[str, str]) -> tuple[Sheet, ...]:
    """The sheets with other words in some cells, by their places (名册!B7); places outside of what was read are passed over."""
    by_sheet: dict[str, dict[tuple[int, int], str]] = {}
    for name, text in cells.items():
        sheet, _, cell = name.rpartition("!")
        where = spot(cell)
        if where:
            by_sheet.setdefault(sheet, {})[where] = text
    return tuple(
        replace(sheet, rows=tuple(_row(row, number, by_sheet[sheet.name]) for number, row in enumerate(sheet.rows)))
        if sheet.name in by_sheet
        else sheet
        for sheet in sheets
    )


def _row(row: Sequence[str], number: int, cells: Mapping[tuple[int, int], str]) -> tuple[str, ...]:
    return tuple(cells.get((number, column), text) for column, text in enumerate(row))
