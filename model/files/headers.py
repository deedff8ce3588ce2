"""Sheet -> Table: the header row found wherever it is, every column named, every row of the file accounted for.

Planners' sheets open with a title, a 填报单位 line, then one or two header rows (已完成学时 over 线下 and 网络); they end in 合计 and
填表人. Headers carry hints in brackets, numbers and line breaks. A header matches a column by its exact alias, else by the longest
alias it begins with (职务（全称）), or, where several columns may fill a field, ends with (本人存在的短板).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from model.files.tables import Sheet, place

HEADER_SEARCH_ROWS = 40
MOST_MERGED_ROWS = 1_000_000

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
    "email",
    "e-mail",
    "微信",
    "qq号",
    "银行卡",
    "护照",
)
PRIVATE_VALUES = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d(?:[- ]?\d{4}){2})(?!\d)")
SCRUBBED = "（号码已略去）"

# A footer word stands alone or before a mark: 联系人：李四 ends a table, 联系人民群众的方法 is a course.
FOOTER = re.compile(
    r"(?P<sum>(?:合\s*计|总\s*计|小\s*计|共\s*计)(?=$|[^一-龥])|共\s*\d+\s*[人门])"
    r"|(?:填\s*表\s*人|填\s*报\s*人|制\s*表\s*人?|审\s*核\s*人?|经\s*办\s*人|联\s*系\s*人|单位负责人|填[报表](?:单位|日期|时间|说明))"
    r"(?=$|[^一-龥]|签|盖)"
    r"|(?:注\s*\d?|备注|附注|说明|注意事项)\s*[:：]|以下空白|※"
)

# What follows an alias and makes another matter of it: 职务类别 is no 职务, 课程目录 is no 课程名称.
_OTHER_MATTER = re.compile(
    "^(?:的?(?:大?类|性质|属性|分类|等级|级别|层[次级]|编[号码]|代码|序号|排序|负责人|联系人|意见|签[字章名]|链接|负载|地[点址]|教师|整改|措施|"
    "评分|得分|人数|目录|一览|清单|安排|计划|汇?总?表|统计|总数|门数|隶属|规模|变动)|.*(?:时间|日期|年月|年限)$)"
)


_NO_HEADER = re.compile(r"\d{3}|^\d+$|.{31}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column the product understands: its field and the headers planners give it, most specific first."""

    field: str
    aliases: tuple[str, ...]
    many: bool = False  # Several columns of one sheet may fill this field (短板一、短板二).
    code: bool = False  # Holds the numbers of things, never of persons, so a long number in it is no private one.


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of one cell, where it stands (``名册!B7``), the bare header above it and that header as it was written."""

    place: str
    text: str
    header: str
    written: str = ""


Row = Mapping[str, tuple[Cell, ...]]


@dataclass(frozen=True)
class Table:
    """The body of one sheet. ``rows`` hold the understood cells by field; ``skipped`` counts the other rows by kind.

    ``around`` are the lines above and below the table (填报日期 may stand in either place).
    """

    sheet: str
    around: tuple[str, ...]
    rows: tuple[tuple[int, Row], ...]
    skipped: dict[str, int]
    used: dict[str, str]
    unused: tuple[str, ...]
    dropped: tuple[str, ...]
    again: tuple[str, ...] = ()  # Headers that stand over a further column, which is not read.


@dataclass(frozen=True, slots=True)
class _Header:
    """A header row (two of them where ``depth`` is 2): the name of each column, and its spellings that may match an alias."""

    row: int
    depth: int
    names: Mapping[int, str]
    spellings: Mapping[int, tuple[str, ...]]


class _Used(NamedTuple):
    """A column that is read: where it stands, what it means, its header, and whether it holds numbers of things."""

    column: int
    field: str
    header: str
    written: str
    code: bool


def plain_header(text: str) -> str:
    """Bring a header to its bare words: half-width, no blanks, no bracketed hints, no marks, no question number."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    text = re.sub(r"[*★:]", "", re.sub(r"[(\[【][^)\]】]*[)\]】]?", "", text)).lower()
    return re.sub(r"^(?:\d{1,2}[.、])?(?:请?您的?)?", "", text)


def find_table(
    sheet: Sheet,
    columns: Sequence[Column],
    needed: Sequence[frozenset[str]],
    extra: Mapping[str, str] | None = None,
    corrected: Mapping[str, str] = MappingProxyType({}),
) -> Table | None:
    """Find the table in a sheet; None where no row is a header.

    ``needed`` are alternatives sets: a header row must show at least one field of each. ``extra`` maps further headers
    (competency names that stand over score columns) to fields; they count only beside a header that is found without them.
    ``corrected`` maps plain headers to the fields a planner says they are (blank: not to be read); it outranks the aliases.
    """
    header = _find_header(sheet, columns, needed, corrected)
    if header is None:
        return None
    names = header.names
    dropped = {column for column, name in names.items() if any(word in name for word in PRIVATE_COLUMNS)}
    scored = {
        column: extra[name]
        for column, spellings in header.spellings.items()
        for name in spellings
        if extra and name in extra
    }
    fields = {c: field for c, field in _fields_of(header, columns, corrected, scored).items() if c not in dropped}
    skipped = {"标题": header.row} if header.row else {}
    skipped["表头"] = header.depth
    first = header.row + header.depth
    heads = [[plain_header(text) for text in row] for row in sheet.rows[header.row : first]]
    around = ["".join(row) for row in sheet.rows[: header.row]]
    codes = {column.field for column in columns if column.code}
    written = {c: "".join(row[c] for row in sheet.rows[header.row : first] if c < len(row)) for c in fields}
    used = [_Used(c, field, names[c], written[c], field in codes) for c, field in sorted(fields.items())]
    spans = _spans(sheet)
    wide = {row for top, left, end, right in spans if right - left >= 2 for row in range(top, end)}
    filled = _fill_merged(sheet, spans)
    rows = []
    for number, texts in enumerate(filled[first:], start=first):
        # In what was no table to begin with, every row was written as a course: none is a total, and a blank one lacks its title.
        kind = None if sheet.named else _kind(texts, fields, heads, number in wide)
        if kind:
            skipped[kind] = skipped.get(kind, 0) + 1
            around.append("".join(texts))
            if kind == "表头":
                used = _moved(used, texts, heads)
        else:
            rows.append((number + 1, _cells(sheet.name, number, texts, used)))
    return Table(
        sheet=sheet.name,
        around=tuple(line for line in around if line.strip()),
        rows=tuple(rows),
        skipped=skipped,
        used={names[column]: field for column, field in fields.items()},
        unused=tuple(name for column, name in names.items() if name and column not in fields and column not in dropped),
        dropped=tuple(names[column] for column in sorted(dropped)),
        again=tuple(dict.fromkeys(names[c] for c in names if c not in fields and names[c] in map(names.get, fields))),
    )


def header_of(sheet: Sheet, names: Set[str]) -> tuple[int, int, Mapping[int, str]] | None:
    """Where the header with just these names stands: its first row, the row after it, the name of each column; None where it does not."""
    for row in range(min(len(sheet.rows), HEADER_SEARCH_ROWS)):
        for depth in (1, 2):
            header = _header(sheet, row, depth)
            if header.names and set(header.names.values()) == names:
                return row, row + depth, header.names
    return None


def likely_header(sheet: Sheet) -> tuple[int, tuple[str, ...]] | None:
    """The row (from 0) that looks most like a header, and its words: of the first rows the fullest in which every cell is short and holds no number;
    None where there is none. Rows of people and courses hold numbers, so that what is told of it is no row of theirs."""
    best: tuple[int, tuple[str, ...]] | None = None
    for number, row in enumerate(sheet.rows[:HEADER_SEARCH_ROWS]):
        words = tuple(re.sub(r"\s+", "", text) for text in row if text.strip())
        like = words and len(set(words)) == len(words) and not any(_NO_HEADER.search(word) for word in words)
        if like and (best is None or len(words) > len(best[1])):
            best = number, words
    return best


def _moved(used: list[_Used], texts: Sequence[str], heads: Sequence[Sequence[str]]) -> list[_Used]:
    """The columns after a header inside the sheet: where its words stand in another order, the fields move with them."""
    home = {word: column for head in reversed(heads) for column, word in enumerate(head) if word}
    now = {home[plain_header(text)]: column for column, text in enumerate(texts) if text.strip()}
    if all(before == after for before, after in now.items()):
        return used
    return [one._replace(column=now[one.column]) for one in used if one.column in now]


def _find_header(
    sheet: Sheet, columns: Sequence[Column], needed: Sequence[frozenset[str]], corrected: Mapping[str, str]
) -> _Header | None:
    """The first row with the most fields; among equals a row of exact aliases (课程名称) beats a title (课程目录)."""
    best: _Header | None = None
    most = (0, 0)
    exact = {alias for column in columns for alias in column.aliases} | set(corrected)
    for row in range(min(len(sheet.rows), HEADER_SEARCH_ROWS)):
        for depth in (1, 2):
            header = _header(sheet, row, depth)
            found = set(_fields_of(header, columns, corrected).values())
            rank = (len(found), sum(plain_header(text) in exact for text in sheet.rows[row]))
            second = best is not None and best.row == row and rank[0] >= most[0]
            if all(group & found for group in needed) and (rank > most or second):
                best, most = header, rank
    return best


def _header(sheet: Sheet, row: int, depth: int) -> _Header:
    """Name each column by one header row, or by two joined (``已完成学时线下``) where the second refines the first.

    Under a heading that says nothing (基本情况 over 姓名、单位) the lower name alone may match an alias too.
    """
    upper = [plain_header(cell) for cell in sheet.rows[row]]
    if depth == 1:
        names = {column: name for column, name in enumerate(upper) if name}
        return _Header(row, depth, names, {column: (name,) for column, name in names.items()})
    lower = [plain_header(cell) for cell in sheet.rows[row + 1]] if row + 1 < len(sheet.rows) else []
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    # Some exports repeat the text of a merged cell in every cell it covers.
    lower = ["" if below == above else below for above, below in zip(upper, lower, strict=True)]
    upper = [name if column == 0 or name != upper[column - 1] else "" for column, name in enumerate(upper)]
    # A second header row stands below spans of the first one (已完成学时, then a blank); a row of data stands below every header.
    spanned = [not upper[column] or (column + 1 < width and not upper[column + 1]) for column in range(width)]
    below = [column for column in range(width) if lower[column]]
    if not any(not upper[column] for column in below) or not all(spanned[column] for column in below):
        return _Header(row, depth, {}, {})
    names, spellings, parent = {}, {}, ""
    for column in range(width):
        parent = upper[column] or (parent if lower[column] else "")
        if parent or lower[column]:
            names[column] = parent + lower[column]
            spellings[column] = tuple(dict.fromkeys(filter(None, (names[column], lower[column]))))
    return _Header(row, depth, names, spellings)


def _fields_of(
    header: _Header, columns: Sequence[Column], corrected: Mapping[str, str], extra: Mapping[int, str] | None = None
) -> dict[int, str]:
    """Give each header its field: what was ``corrected`` first, then exact aliases, then ``extra``, then the longest alias it begins
    (or ends) with.

    A field is taken once, unless several columns may fill it.
    """
    fields: dict[int, str] = {}
    many = {column.field for column in columns if column.many}
    alias_of = {alias: column.field for column in reversed(columns) for alias in column.aliases}

    left_out = {position for position, names in header.spellings.items() if any(corrected.get(n) == "" for n in names)}

    def give(position: int, field: str | None) -> None:
        free = position not in fields and position not in left_out
        if field and free and (field in many or field not in fields.values()):
            fields[position] = field

    for position, spellings in header.spellings.items():
        give(position, next((corrected[name] for name in spellings if corrected.get(name)), None))
    for rank in range(2):
        for position, spellings in header.spellings.items():
            give(position, alias_of.get(spellings[rank]) if rank < len(spellings) else None)
    fields |= {c: field for c, field in (extra or {}).items() if c not in fields and c not in left_out}
    for alias in sorted((alias for alias in alias_of if len(alias) > 1), key=len, reverse=True):
        for position, spellings in header.spellings.items():
            if any(_means(name, alias, alias_of[alias] in many) for name in spellings):
                give(position, alias_of[alias])
    return fields


def _means(name: str, alias: str, many: bool) -> bool:
    if name.startswith(alias):
        return not _OTHER_MATTER.match(name.removeprefix(alias))
    return many and name.endswith(alias) and not name.startswith("是否")


def _spans(sheet: Sheet) -> list[tuple[int, int, int, int]]:
    """The merged ranges as top, left, row after the last, right; no more rows in all than an honest sheet can merge."""
    spans, left_over = [], MOST_MERGED_ROWS
    for (top, left), (bottom, right) in sorted(sheet.merged):
        end = min(bottom + 1, len(sheet.rows))
        left_over -= max(0, end - top)
        if left_over < 0:
            break
        spans.append((top, left, end, right))
    return spans


def _fill_merged(sheet: Sheet, spans: Sequence[tuple[int, int, int, int]]) -> list[list[str]]:
    """Repeat the text of vertically merged cells (one 单位 over many people) in each row they cover."""
    rows = [list(row) for row in sheet.rows]
    for top, left, end, _ in spans:
        for number in range(top + 1, end):
            if left < len(rows[number]) and left < len(rows[top]):
                rows[number][left] = rows[top][left]
    return rows


def _kind(texts: Sequence[str], fields: Mapping[int, str], heads: Sequence[Sequence[str]], wide: bool) -> str | None:
    """Tell what a row is that holds nobody: blank (or only numbered), a footer, a heading, the header repeated on a new page."""
    filled = [(column, text.strip()) for column, text in enumerate(texts) if text.strip()]
    if not filled:
        return "空行"
    footer = next(filter(None, (FOOTER.match(text) for _, text in filled[:2])), None)
    if footer and (footer["sum"] or len(filled) <= 3):
        return "合计" if footer["sum"] else "填表说明"
    known = {fields[column] for column, _ in filled if column in fields}
    if known == {"serial"} and len(filled) == 1:
        return "空行" if re.fullmatch(r"[\d.、]+", filled[0][1]) else "说明行"
    if not known or (wide and len(filled) == 1):
        return "说明行"
    # A header on a new page may stand in another order; two or more header words and nothing else are no person.
    words = {word for head in heads for word in head if word}
    return "表头" if len(filled) > 1 and all(plain_header(text) in words for _, text in filled) else None


def _cells(sheet: str, number: int, texts: Sequence[str], used: Sequence[_Used]) -> dict[str, tuple[Cell, ...]]:
    cells: dict[str, tuple[Cell, ...]] = {}
    for column, field, header, written, code in used:
        text = texts[column].strip() if column < len(texts) else ""
        if not code:
            text = PRIVATE_VALUES.sub(SCRUBBED, text)
        cells[field] = (*cells.get(field, ()), Cell(place(sheet, number, column), text, header, written))
    return cells
