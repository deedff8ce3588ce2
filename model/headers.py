"""Sheet -> Table: the header row found wherever it is, every column named, every row of the file accounted for.

Planners' sheets open with a title, a 填报单位 line, then one or two header rows (已完成学时 over 线下 and 网络); they end in 合计 and
填表人. Headers carry hints in brackets and line breaks. A header matches a column by its exact alias or by an alias it begins with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.tables import Sheet

HEADER_SEARCH_ROWS = 40

# Never needed for advice on training, so never kept: the column is dropped on reading and the report says so.
PRIVATE_COLUMNS = (
    "身份证",
    "证件号",
    "手机",
    "电话",
    "联系方式",
    "联系电话",
    "家庭住址",
    "住址",
    "邮箱",
    "微信",
    "银行卡",
    "护照",
)
PRIVATE_VALUES = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")

FOOTER = re.compile(
    r"^(合\s*计|总\s*计|小\s*计|填\s*表\s*人|制\s*表|审\s*核\s*人|经\s*办\s*人|联\s*系\s*人|填报|单位负责人|注\s*[:：]|备注\s*[:：]|说明\s*[:：]|※)"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column the product understands: its field and the headers planners give it, most specific first."""

    field: str
    aliases: tuple[str, ...]
    many: bool = False  # Several columns of one sheet may fill this field (短板一、短板二).


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of one cell, where it stands (``名册!B7``) and the header above it."""

    place: str
    text: str
    header: str


Row = Mapping[str, tuple[Cell, ...]]


@dataclass(frozen=True)
class Table:
    """The body of one sheet. ``rows`` hold the understood cells by field; ``skipped`` counts the other rows by kind."""

    sheet: str
    above: tuple[str, ...]
    rows: tuple[tuple[int, Row], ...]
    skipped: dict[str, int]
    used: dict[str, str]
    unused: tuple[str, ...]
    dropped: tuple[str, ...]


def place(sheet: str, row: int, column: int) -> str:
    """Name a cell as Excel does: ``place("名册", 6, 1)`` is ``名册!B7`` (row and column count from 0)."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{sheet}!{letters}{row + 1}"


def plain_header(text: str) -> str:
    """Bring a header to its bare words: half-width, no blanks, no bracketed hints, no marks."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"[*:]", "", re.sub(r"[(\[【][^)\]】]*[)\]】]?", "", text)).lower()


def find_table(
    sheet: Sheet, columns: Sequence[Column], needed: Sequence[frozenset[str]], extra: Mapping[str, str] | None = None
) -> Table | None:
    """Find the table in a sheet; None where no row is a header.

    ``needed`` are alternatives sets: a header row must show at least one field of each. ``extra`` maps further headers
    (competency names that stand over score columns) to fields; they count only beside a header that is found without them.
    """
    best: tuple[int, int, dict[int, str]] | None = None
    for row in range(min(len(sheet.rows), HEADER_SEARCH_ROWS)):
        for depth in (1, 2):
            names = _header_names(sheet, row, depth)
            fields = _fields_of(names, columns)
            found = set(fields.values())
            if all(group & found for group in needed) and (
                best is None or len(found) >= len(set(best[2].values())) + (row > best[0])
            ):
                best = (row, depth, fields)
    if best is None:
        return None
    top, depth, fields = best
    names = _header_names(sheet, top, depth)
    for column, name in names.items():
        if extra and column not in fields and name in extra:
            fields[column] = extra[name]
    dropped = {column for column, name in names.items() if any(word in name for word in PRIVATE_COLUMNS)}
    fields = {column: field for column, field in fields.items() if column not in dropped}
    skipped: dict[str, int] = {}
    if top:
        skipped["标题"] = top
    skipped["表头"] = depth
    rows = []
    filled = _fill_merged(sheet)
    for number in range(top + depth, len(sheet.rows)):
        texts = filled[number]
        kind = _kind(texts, fields, names)
        if kind:
            skipped[kind] = skipped.get(kind, 0) + 1
        else:
            rows.append((number + 1, _cells(sheet.name, number, texts, fields, names)))
    return Table(
        sheet=sheet.name,
        above=tuple(cell for row in sheet.rows[:top] for cell in row if cell.strip()),
        rows=tuple(rows),
        skipped=skipped,
        used={names[column]: field for column, field in fields.items()},
        unused=tuple(name for column, name in names.items() if name and column not in fields and column not in dropped),
        dropped=tuple(names[column] for column in sorted(dropped)),
    )


def _header_names(sheet: Sheet, row: int, depth: int) -> dict[int, str]:
    """Name each column by one header row, or by two joined (``已完成学时线下``) where the second refines the first."""
    upper = [plain_header(cell) for cell in sheet.rows[row]]
    if depth == 1:
        return {column: name for column, name in enumerate(upper) if name}
    if row + 1 >= len(sheet.rows):
        return {}
    lower = [plain_header(cell) for cell in sheet.rows[row + 1]]
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    # A second header row stands below spans of the first one (已完成学时, then a blank); a row of data stands below every header.
    spanned = [not upper[column] or (column + 1 < width and not upper[column + 1]) for column in range(width)]
    below = [column for column in range(width) if lower[column]]
    if not any(not upper[column] for column in below) or not all(spanned[column] for column in below):
        return {}
    names, parent = {}, ""
    for column in range(width):
        parent = upper[column] or (parent if lower[column] else "")
        if parent or lower[column]:
            names[column] = parent + lower[column]
    return names


def _fields_of(names: Mapping[int, str], columns: Sequence[Column]) -> dict[int, str]:
    """Give each header its field: exact aliases first, then the longest alias it begins with; a field is taken once."""
    fields: dict[int, str] = {}
    many = {column.field for column in columns if column.many}
    exact = {alias: column.field for column in reversed(columns) for alias in column.aliases}
    for position, name in names.items():
        field = exact.get(name)
        if field and (field in many or field not in fields.values()):
            fields[position] = field
    prefixes = sorted(exact, key=len, reverse=True)
    for position, name in names.items():
        if position in fields:
            continue
        field = next((exact[alias] for alias in prefixes if len(alias) > 1 and name.startswith(alias)), None)
        if field and (field in many or field not in fields.values()):
            fields[position] = field
    return fields


def _fill_merged(sheet: Sheet) -> list[list[str]]:
    """Repeat the text of vertically merged cells (one 单位 over many people) in each row they cover."""
    rows = [list(row) for row in sheet.rows]
    for (top, left), (bottom, right) in sheet.merged:
        if left == right and top < len(rows) and left < len(rows[top]):
            for number in range(top + 1, min(bottom + 1, len(rows))):
                if left < len(rows[number]):
                    rows[number][left] = rows[top][left]
    return rows


def _kind(texts: Sequence[str], fields: Mapping[int, str], names: Mapping[int, str]) -> str | None:
    """Tell what a row is that holds nobody: blank, a footer, the header repeated on a new page."""
    filled = [(column, text.strip()) for column, text in enumerate(texts) if text.strip()]
    if not filled:
        return "空行"
    first = filled[0][1]
    if FOOTER.match(first) and (first.startswith(("合", "总", "小")) or len(filled) <= 3):
        return "合计" if re.match(r"[合总小]\s*计", first) else "填表说明"
    known = [text for column, text in filled if column in fields]
    if len(known) > 1 and all(plain_header(text) == names.get(column) for column, text in filled if column in fields):
        return "表头"
    if not known:
        return "说明行"
    return None


def _cells(
    sheet: str, number: int, texts: Sequence[str], fields: Mapping[int, str], names: Mapping[int, str]
) -> dict[str, tuple[Cell, ...]]:
    cells: dict[str, tuple[Cell, ...]] = {}
    for column, field in sorted(fields.items()):
        text = texts[column].strip() if column < len(texts) else ""
        cell = Cell(place(sheet, number, column), PRIVATE_VALUES.sub("（号码已略去）", text), names[column])
        cells[field] = (*cells.get(field, ()), cell)
    return cells
