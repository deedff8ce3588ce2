"""Tables of a file -> values, with every fault named by cell and every row accounted for.

What rosters and course lists share: a marshmallow schema reads the cells of one row, collects all faults of the row at once,
and lets the good cells through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from model.domain import Fault, Heading, Reading
from model.errors import TableError
from model.files.cells import half_width
from model.files.headers import Cell, Column, Row, Table, find_table
from model.files.tables import Sheet, spot

T = TypeVar("T")

MOST_FAULT_VALUE = 30
LONGEST_CELL = 5_000
_UNIT_IN_HEADER = re.compile(r"[(](?:单位:?)?(分钟|天)[)]|(?:/|时长)(?=分钟$)(分钟)")


def shortened(text: str) -> str:
    """The beginning of a faulty value: enough to find it, no more than a report needs."""
    return text if len(text) <= MOST_FAULT_VALUE else text[:MOST_FAULT_VALUE] + "…"


class CellField(fields.Field[Any]):
    """A field read from the text of a cell; what the reader refuses becomes a fault with its remedy."""

    def __init__(self, read: Callable[[str], Any], problem: str, remedy: str, **options: Any) -> None:
        super().__init__(**options)
        self.read, self.problem, self.remedy = read, problem, remedy

    def _deserialize(self, value: str, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        try:
            return self.read(value)
        except ValueError as error:
            raise ValidationError([self.problem, self.remedy]) from error


@dataclass
class Account:
    """The account of one file while it is being read: faults, notes, and what became of every row."""

    rejected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)

    def fault(self, cell: Cell, problem: str, remedy: str) -> None:
        """Record one faulty cell; long cells are shortened, because reports travel further than rosters."""
        self.faults.append(Fault(cell.place, shortened(cell.text), problem, remedy))

    def reading(self, values: tuple[T, ...], sheets: Sequence[Sheet]) -> Reading[T]:
        """Close the account: every row of the file was read, rejected or skipped. The headers of what was no table are none of its rows."""
        listed = sum(sheet.named is not None for sheet in sheets)
        rows = sum(len(sheet.rows) for sheet in sheets) - listed
        self.skipped["表头"] -= listed
        skipped = {kind: count for kind, count in sorted(self.skipped.items()) if count}
        order = {sheet.name: number for number, sheet in enumerate(sheets)}

        def position(fault: Fault) -> tuple[int, int]:
            sheet, _, cell = fault.place.rpartition("!")
            return order[sheet], (spot(cell) or (0, 0))[0]

        def called(fault: Fault) -> Fault:
            """What was no table to begin with names its places in its own way."""
            sheet, _, cell = fault.place.rpartition("!")
            named, where = sheets[order[sheet]].named, spot(cell)
            return replace(fault, place=named(*where), cell=fault.place) if named and where else fault

        faults = tuple(map(called, sorted(self.faults, key=position)))
        notes = tuple(dict.fromkeys(self.notes))
        return Reading(values, rows, self.rejected, skipped, faults, notes, tuple(self.headings))


def text_of(row: Row, name: str) -> str:
    """The text of a field in a row, half-width at the ends; blank where the column is missing."""
    return "\n".join(cell.text for cell in row.get(name, ()) if cell.text)


def load_row(schema: Schema, row: Row, account: Account) -> dict[str, Any]:
    """Read the cells of a row by ``schema``; faults go to the account, faulty cells are left out of the result."""
    texts = {name: _with_unit(cells[0]) for name, cells in row.items() if name in schema.fields}
    try:
        return dict(schema.load(texts, unknown=EXCLUDE))
    except ValidationError as error:
        messages = error.messages if isinstance(error.messages, dict) else {}
        for name, (problem, remedy) in messages.items():
            account.fault(row[name][0], problem, remedy)
        valid = error.valid_data
        return dict(valid) if isinstance(valid, dict) else {}


def _without_long_cells(row: Row, account: Account) -> Row:
    """A cell that holds a whole document is reported and left blank: no field of a person or course is that long."""
    long = [cell for cells in row.values() for cell in cells if len(cell.text) > LONGEST_CELL]
    for cell in long:
        account.fault(cell, f"内容过长（{len(cell.text):,} 字）", f"每格不超过 {LONGEST_CELL:,} 字，请精简")
    if not long:
        return row
    return {
        name: tuple(replace(cell, text="") if cell in long else cell for cell in cells) for name, cells in row.items()
    }


def _with_unit(cell: Cell) -> str:
    """The text of a cell; a bare number takes the unit that its header names (时长（分钟）)."""
    text = half_width(cell.text)
    unit = _UNIT_IN_HEADER.search(half_width(cell.written))
    return text + (unit[1] or unit[2]) if unit and re.fullmatch(r"\d+(?:\.\d+)?", text) else text


def tables_in(
    sheets: Sequence[Sheet],
    columns: Sequence[Column],
    needed: Sequence[frozenset[str]],
    account: Account,
    what: str,
    extra: Mapping[str, str] | None = None,
    corrected: Mapping[str, str] = MappingProxyType({}),
) -> list[Table]:
    """Find the tables of a file; account for the rows of the other sheets; :class:`TableError` where there is no table at all."""
    tables = []
    for sheet in sheets:
        table = None if sheet.hidden else find_table(sheet, columns, needed, extra, corrected)
        if table is None:
            account.skipped["其他工作表"] += len(sheet.rows)
            if len(sheets) > 1:
                account.notes.append(
                    f"工作表“{sheet.name}”{'是隐藏的' if sheet.hidden else f'没有{what}的表头'}，未读取。"
                )
            continue
        tables.append(
            replace(table, rows=tuple((number, _without_long_cells(row, account)) for number, row in table.rows))
        )
        account.skipped.update(table.skipped)
        account.headings += [Heading(sheet.name, header, name) for header, name in table.used.items()]
        account.headings += [Heading(sheet.name, header, None) for header in dict.fromkeys(table.unused)]
        account.headings += [Heading(sheet.name, header, "") for header in table.dropped]
        if table.again:
            account.notes.append(f"有几列的表头同为“{'”“'.join(table.again)}”，只读了其中最左边的一列。")
        if table.dropped:
            account.notes.append(f"“{'”“'.join(table.dropped)}”列含个人隐私，推荐课程用不到，已略去不读。")
        if table.unused:
            account.notes.append(f"未使用的列：{'、'.join(table.unused)}。")
    if not tables:
        first = columns_hint(columns, needed)
        raise TableError(f"没有找到{what}的表头。表头行需要有{first}；可以有标题行，表头不必在第一行。")
    return tables


def columns_hint(columns: Sequence[Column], needed: Sequence[frozenset[str]]) -> str:
    """Name the columns a header needs, in planners' words."""
    words = {column.field: column.aliases[0] for column in columns}
    return "，以及".join("“" + "”或“".join(words[name] for name in words if name in group) + "”" for group in needed)
