"""Course-list sheets -> Catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from model.domain import Catalog, Course, Reading
from model.errors import HeadersUnknown, TableError
from model.files.courserows import COLUMNS, NEEDED, RowReader, given_id
from model.files.headers import likely_header, plain_header
from model.files.mapping import names_of
from model.files.moodle import prepared
from model.files.rows import Account, tables_in, text_of
from model.files.tables import Sheet
from model.lexicon import Lexicon

MANY_REQUIRED = 30  # More required courses than this are worth a question to the planner.
TITLE = names_of(COLUMNS)["title"]
MOST_SHOWN, LONGEST_SHOWN = 12, 12  # Headers told of a list that has none we know, and characters of each.
STOPPED = re.compile(r"停|暂停|下架|作废|删除|关闭")


def read_catalog(
    sheets: Sequence[Sheet],
    lexicon: Lexicon,
    corrected: Mapping[str, str] = MappingProxyType({}),
    answers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Catalog, Reading[Course]]:
    """Read the courses of a course list. A later row with the same number replaces the earlier one, as platforms do, unless their years differ:
    then the newer year holds.

    ``corrected`` are fields by plain header (:mod:`model.files.mapping`), ``answers`` branches by plain label (:mod:`model.files.categories`).
    Raises TableError where there is no course list in the file, or none of its rows is a course.
    """
    account = Account()
    written, meant = prepared(sheets)
    try:
        tables = tables_in(written, COLUMNS, NEEDED, account, "课程表", corrected={**meant, **corrected})
    except TableError as error:
        seen, likely = _what_may_be_meant(sheets)
        example = f"，例如 --map {likely}={TITLE}" if likely else ""
        how = f"请用 --map 表头={TITLE} 说明{example}（通过接口上传时写在 map 里）。" if seen else ""
        raise HeadersUnknown(f"{error}{seen}{how}", error.faults, how, likely) from error
    reader = RowReader(lexicon, account, answers)
    courses: dict[str, Course] = {}
    rows = [row for table in tables for _, row in table.rows]
    serials = [text_of(row, "serial") for row in rows if not given_id(row)]
    reader.numbered = all(serials) and len({*serials, *filter(None, map(given_id, rows))}) == len(rows)
    for row in rows:
        course = reader.course(row)
        if course is None:
            account.rejected += 1
        elif STOPPED.search(text_of(row, "status")):
            account.skipped["已停开"] += 1
        else:
            older = courses.get(course.id)
            courses[course.id] = course if older is None else reader.one_of(older, course, row)
    courses = _really_required(courses, account)
    reader.tell()
    reading = account.reading(tuple(courses.values()), sheets)
    if not courses:
        raise TableError("课程表里没有一门可用的课程。", reading.faults)
    return Catalog(reading.values), reading


def _what_may_be_meant(sheets: Sequence[Sheet]) -> tuple[str, str]:
    """The words of the row that looks most like a header, and which of them may mean the title; blank where there is none."""
    likely = [(sheet.name, *found) for sheet in sheets if not sheet.hidden and (found := likely_header(sheet))]
    if not likely:
        return "", ""
    sheet, row, words = max(likely, key=lambda one: len(one[2]))
    known = {alias for column in COLUMNS for alias in column.aliases}
    strange = [word for word in words if plain_header(word) not in known]
    shown = "、".join(word if len(word) <= LONGEST_SHOWN else word[:LONGEST_SHOWN] + "…" for word in words[:MOST_SHOWN])
    more = f"等 {len(words)} 个" if len(words) > MOST_SHOWN else ""
    seen = f"最像表头的是工作表“{sheet}”第 {row + 1} 行：{shown}{more}。哪一列是{TITLE}，"
    return seen, plain_header(strange[0]) if strange else ""


def _really_required(courses: dict[str, Course], account: Account) -> dict[str, Course]:
    """The courses, none of them required where all are: that says nothing about what is."""
    if len(courses) > 1 and all(course.required for course in courses.values()):
        account.notes.append("所有课程都标为必修，无法据此区分，已按未标注处理。")
        return {identity: replace(course, required=False) for identity, course in courses.items()}
    required = sum(course.required for course in courses.values())
    if required > MANY_REQUIRED:
        account.notes.append(
            f"有 {required} 门课程标为必修，会排在每个人清单的最前面；若不是本意，请改“必修”一列后重新训练。"
        )
    return courses
