"""A course export of Moodle (CSV: fullname, shortname, idnumber, category, summary, visible, startdate) -> a sheet a planner might have written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser

from model.files.headers import plain_header
from model.files.mapping import LEFT_OUT
from model.files.tables import Sheet

CATEGORIES = (
    "category_path",
    "categoryname",
    "category_name",
    "category",
)  # The most telling first; category may be a bare number.
LONGEST = 50_000  # Characters of a summary from which on it is left as it is, for the reader of tables to refuse.

_EPOCH = re.compile(r"\d{9,11}")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SILENT = {"script", "style", "head", "title"}
_BLOCKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"}


def prepared(sheets: Sequence[Sheet]) -> tuple[list[Sheet], dict[str, str]]:
    """The sheets, those of Moodle with cells as planners write them, each where it stood; and what Moodle's headers mean. Other sheets
    are left as they are."""
    ready: list[Sheet] = []
    meant: dict[str, str] = {}
    for sheet in sheets:
        heads = [plain_header(cell) for cell in sheet.rows[0]] if sheet.rows else []
        if not {"fullname", "shortname"} <= set(heads):
            ready.append(sheet)
            continue
        fields = _fields(heads, sheet.rows[1:])
        meant |= fields
        write = [WRITTEN.get(fields.get(head, LEFT_OUT), str) for head in heads]
        rows = [
            tuple(write[column](cell) if column < len(write) else cell for column, cell in enumerate(row))
            for row in sheet.rows[1:]
        ]
        ready.append(replace(sheet, rows=(sheet.rows[0], *rows)))
    return ready, meant


def _fields(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Header -> field. Moodle's own number (id) changes from one site to the next; a category that is a number says nothing."""

    def tells(head: str) -> bool:
        column = heads.index(head)
        return any(column < len(row) and row[column].strip() and not row[column].isdecimal() for row in rows)

    meant = {
        "fullname": "title",
        "shortname": "code",
        "idnumber": "course_id",
        "summary": "summary",
        "visible": "status",
        "startdate": "year",
    }
    chosen = next((head for head in CATEGORIES if head in heads and tells(head)), None)
    left_out = [head for head in ("id", *CATEGORIES) if head in heads and head != chosen]
    found = {head: field for head, field in meant.items() if head in heads}
    return found | dict.fromkeys(left_out, LEFT_OUT) | ({chosen: "category"} if chosen else {})


class _Text(HTMLParser):
    """Collects what a page shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.silent += tag in _SILENT
        self.pieces.append("\n" if tag in _BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT and self.silent > 0
        self.pieces.append("\n" if tag in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(data)


def shown(html: str) -> str:
    """The text that a piece of HTML shows, a line a block."""
    if len(html) > LONGEST or not re.search("[<&]", html):
        return html
    page = _Text()
    page.feed(html)
    page.close()
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(page.pieces).split("\n"))
    return "\n".join(filter(None, lines))


def _status(visible: str) -> str:
    return "已停开" if visible.strip().lower() in {"0", "false", "no"} else ""


def _year(date: str) -> str:
    """The year of a start: seconds since 1970, or a date in any order; 0 stands for none."""
    text = date.strip()
    if text == "0":
        return ""
    if _EPOCH.fullmatch(text):
        return str(datetime.datetime.fromtimestamp(int(text), datetime.UTC).year)
    year = _YEAR.search(text)
    return year[0] if year else text


WRITTEN: Mapping[str, Callable[[str], str]] = {"summary": shown, "status": _status, "year": _year, "title": shown}
