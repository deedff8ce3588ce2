"""Course-list sheets -> Catalog, and the words a person gives for a completed course -> course ids."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from marshmallow import Schema
from rapidfuzz import fuzz, process

from model import cells
from model.domain import Catalog, Course, Reading
from model.errors import TableError
from model.headers import Cell, Column, Row
from model.lexicon import Lexicon, split_words
from model.rows import Account, CellField, load_row, tables_in, text_of
from model.tables import Sheet

COLUMNS = (
    Column("course_id", ("课程编号", "课程代码", "课程id", "编号", "course_id", "id")),
    Column("code", ("code",)),
    Column("serial", ("序号",)),
    Column("title", ("课程名称", "课程标题", "专题名称", "讲题", "教学专题", "课程", "title", "名称")),
    Column("summary", ("简介", "课程简介", "课程要点", "内容提要", "主要内容", "内容简介", "summary", "description")),
    Column("keywords", ("关键词", "标签", "keywords", "tags")),
    Column(
        "category",
        (
            "类别",
            "课程类别",
            "课程分类",
            "专题分类",
            "培训内容分类",
            "模块",
            "单元",
            "category",
            "category_label",
            "branch",
        ),
    ),
    Column("area", ("领域", "专题", "area")),
    Column("competencies", ("所教能力", "对应能力", "能力标签", "competencies")),
    Column("hours", ("学时", "课时", "时长", "课程时长", "hours")),
    Column("mode", ("授课方式", "培训形式", "教学方式", "培训方式", "授课形式", "mode")),
    Column("levels", ("适用层级", "层次", "适用层次", "levels")),
    Column("posts", ("适用岗位", "岗位类别", "posts")),
    Column("audience", ("适用对象", "培训对象", "授课对象", "面向对象", "audience")),
    Column("required", ("必修选修", "课程性质", "必修", "是否必修", "必修/选修", "required")),
    Column("provider", ("主办单位", "提供单位", "来源", "开课单位", "承办单位", "provider", "origin")),
    Column("teacher_kind", ("主讲人类别", "师资类别", "teacher_kind")),
    Column("year", ("年度", "设立时间", "首次开设", "开设年份", "year", "created")),
    Column("seats", ("名额", "人数上限", "选课人数上限", "容量", "seats")),
    Column("series", ("系列", "系列名称", "series")),
    Column("status", ("状态", "课程状态", "status")),
)
NEEDED = (frozenset({"title"}),)

STOPPED = re.compile(r"停|暂停|下架|作废|删除|关闭")


def read_catalog(sheets: Sequence[Sheet], lexicon: Lexicon) -> tuple[Catalog, Reading[Course]]:
    """Read the courses of a course list. A later row with the same number replaces the earlier one, as platforms do.

    Raises TableError where there is no course list in the file, or none of its rows is a course.
    """
    account = Account()
    tables = tables_in(sheets, COLUMNS, NEEDED, account, "课程表")
    reader = _RowReader(lexicon, account)
    courses: dict[str, Course] = {}
    for table in tables:
        serials = [text_of(row, "serial") for _, row in table.rows]
        reader.numbered = all(serials) and len(set(serials)) == len(serials)
        for _, row in table.rows:
            course = reader.course(row)
            if course is None:
                account.rejected += 1
            elif STOPPED.search(text_of(row, "status")):
                account.skipped["已停开"] += 1
            else:
                older = courses.get(course.id)
                if older is not None:
                    account.skipped["同号被覆盖"] += 1
                    if older.title != course.title:
                        account.fault(
                            reader.id_cell(row),
                            f"编号与《{older.title}》重复，已以后一行为准",
                            "请给每门课程各自的编号",
                        )
                courses[course.id] = course
    if courses and len(courses) > 1 and all(course.required for course in courses.values()):
        account.notes.append("所有课程都标为必修，无法据此区分，已按未标注处理。")
        courses = {identity: replace(course, required=False) for identity, course in courses.items()}
    reading = account.reading(tuple(courses.values()), sheets)
    if not courses:
        raise TableError("课程表里没有一门可用的课程。", reading.faults)
    return Catalog(reading.values), reading


class _RowReader:
    """Reads the rows of a course list."""

    def __init__(self, lexicon: Lexicon, account: Account) -> None:
        self.lexicon, self.account = lexicon, account
        self.numbered = False
        self.schema = Schema.from_dict(
            {
                "hours": CellField(cells.hours, "不是学时数，已按学时待定处理", "可写“2”“2学时”或“90分钟”"),
                "required": CellField(cells.yes_no, "看不出是必修还是选修，已按选修处理", "可写“是/否”或“必修/选修”"),
                "year": CellField(_year, "不是年份，已按未填处理", "可写“2025”或“2025-03”"),
                "seats": CellField(_seats, "不是名额，已按不限处理", "可写整数，不限请留空"),
            }
        )()

    def id_cell(self, row: Row) -> Cell:
        """The cell a duplicate number is reported at."""
        return next(row[field][0] for field in ("course_id", "code", "serial", "title") if field in row)

    def course(self, row: Row) -> Course | None:
        """Turn one row into a course; None where it has no title."""
        title = re.sub(r"\s+", " ", text_of(row, "title"))
        if cells.is_nothing(title):
            self.account.fault(row["title"][0], "缺少课程名称，这一行没有读取", "请补上课程名称")
            return None
        loaded = load_row(self.schema, row, self.account)
        audience = "、".join(text_of(row, field) for field in ("levels", "audience"))
        provider = text_of(row, "provider")
        tagged = (
            self.lexicon.named.get(cells.half_width(word).lower()) for word in split_words(text_of(row, "competencies"))
        )
        return Course(
            id=self._id(row, title, provider),
            title=title,
            summary="。".join(filter(None, [text_of(row, "summary"), text_of(row, "keywords")])),
            category="/".join(filter(None, [text_of(row, "category"), text_of(row, "area")])),
            competencies=tuple(dict.fromkeys(name for name in tagged if name)),
            hours=loaded.get("hours"),
            mode=text_of(row, "mode"),
            levels=self.lexicon.levels_in(audience),
            posts=self.lexicon.families_in(f"{text_of(row, 'posts')}、{text_of(row, 'audience')}"),
            required=loaded.get("required", False),
            provider=provider,
            teacher_kind=text_of(row, "teacher_kind"),
            year=loaded.get("year"),
            seats=loaded.get("seats"),
            series=text_of(row, "series"),
        )

    def _id(self, row: Row, title: str, provider: str) -> str:
        """The course's own number; where a list has none, its 序号; where that is not unique, a hash of title and provider."""
        given = text_of(row, "course_id") or text_of(row, "code")
        if given:
            return given
        if self.numbered:
            return text_of(row, "serial")
        return "t" + hashlib.sha256(f"{title}|{provider}".encode()).hexdigest()[:8]


def _year(text: str) -> int | None:
    found = cells.month(text)
    return found[0] if found else None


def _seats(text: str) -> int | None:
    if cells.is_nothing(text) or text == "不限":
        return None
    number = float(text.removesuffix("人"))
    if number < 0 or number != int(number):
        raise ValueError("名额应为不小于 0 的整数")
    return int(number)


def plain_title(title: str) -> str:
    """A title reduced to its characters: no quotation marks, brackets, blanks or part numbers, so that spellings meet."""
    title = re.sub(r"[（(][上中下一二三四五六七八九十\d]{1,2}[)）]\s*$", "", title.strip())
    return re.sub(r"[^\w]|_", "", unicodedata.normalize("NFKC", title)).lower()


_BETWEEN_TITLES = re.compile(r"(?<=》)[、，,\s]+(?=《)|[、，,](?![^《]*》)")
_REMARK = re.compile(r"[（(][^（()）]*[)）]\s*$")


class TitleIndex:
    """Finds the courses of a catalog by what a person wrote: an id, a title, a shortened title, several titles joined by 、."""

    LEAST_SHORT = 4  # A shortened title of fewer characters could be anything.
    LEAST_ALIKE = 90  # rapidfuzz ratio (0 to 100) from which a misspelt title is taken for the real one.

    def __init__(self, catalog: Catalog) -> None:
        self.ids = set(catalog.row_of)
        self.by_title: dict[str, list[str]] = {}
        for course in catalog:
            self.by_title.setdefault(plain_title(course.title), []).append(course.id)
        self.titles = sorted(self.by_title)
        self.find = lru_cache(maxsize=65_536)(self._find)

    def resolve(self, texts: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
        """Return the ids of the completed courses, and the texts no course was found for."""
        answers = [self.find(text) for text in texts]
        found = frozenset(identity for ids, _ in answers for identity in ids)
        return found, tuple(piece for _, unknown in answers for piece in unknown)

    def _find(self, text: str) -> tuple[frozenset[str], tuple[str, ...]]:
        """The whole text first, unless each of its pieces is a title of its own; then piece by piece."""
        pieces = [piece.strip() for piece in _BETWEEN_TITLES.split(text) if piece.strip()]
        exact = [self._exactly(piece) for piece in pieces]
        whole = self._exactly(text) or (set() if all(exact) else self._nearly(text))
        if whole:
            return frozenset(whole), ()
        near = [ids or self._nearly(piece) for piece, ids in zip(pieces, exact, strict=True)]
        unknown = tuple(piece for piece, ids in zip(pieces, near, strict=True) if not ids)
        return frozenset(set().union(*near)), unknown

    def _exactly(self, text: str) -> set[str]:
        """By id or title; a remark behind the title (（县里培训）) is not part of it."""
        if text.strip() in self.ids:
            return {text.strip()}
        spellings = (plain_title(text), plain_title(_REMARK.sub("", text)))
        return next((set(self.by_title[plain]) for plain in spellings if plain in self.by_title), set())

    def _nearly(self, text: str) -> set[str]:
        """By a shortened title, a title with words around it, or a misspelt one."""
        for plain in dict.fromkeys([plain_title(text), plain_title(_REMARK.sub("", text))]):
            if len(plain) < self.LEAST_SHORT:
                continue
            longer = [title for title in self.titles if plain in title]
            if longer:
                return set(self.by_title[min(longer, key=lambda title: (len(title), title))])
            inside = [
                title
                for title in self.titles
                if title in plain and len(title) >= max(self.LEAST_SHORT, 0.6 * len(plain))
            ]
            if inside:
                return set(self.by_title[max(inside, key=lambda title: (len(title), title))])
            nearest = process.extractOne(plain, self.titles, scorer=fuzz.ratio, score_cutoff=self.LEAST_ALIKE)
            if nearest:
                return set(self.by_title[nearest[0]])
        return set()
