"""Course-list sheets -> Catalog, and the words a person gives for a completed course -> course ids."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import TypeVar

from marshmallow import Schema
from rapidfuzz import fuzz, process

from model import cells
from model.domain import Catalog, Course, Reading
from model.errors import TableError
from model.headers import Cell, Column, Row
from model.lexicon import Lexicon, bare
from model.rows import Account, CellField, load_row, tables_in, text_of
from model.tables import Sheet

T = TypeVar("T")

COLUMNS = (
    Column("course_id", ("课程编号", "课程代码", "课程编码", "课程id", "编号", "course_id", "id"), code=True),
    Column("code", ("code",), code=True),
    Column("serial", ("序号",)),
    Column("title", ("课程名称", "课程名", "课程标题", "专题名称", "讲题", "教学专题", "课程", "title", "名称")),
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
    Column("mode", ("授课方式", "培训形式", "教学方式", "培训方式", "授课形式", "形式", "mode")),
    Column("levels", ("适用层级", "层次", "适用层次", "levels", "level")),
    Column("posts", ("适用岗位", "岗位类别", "posts")),
    Column("audience", ("适用对象", "培训对象", "授课对象", "面向对象", "对象", "audience")),
    Column("required", ("必修选修", "课程性质", "必修", "是否必修", "必修/选修", "required")),
    Column("provider", ("主办单位", "提供单位", "来源", "开课单位", "承办单位", "provider", "origin")),
    Column("teacher_kind", ("主讲人类别", "师资类别", "teacher_kind")),
    Column("year", ("年度", "设立时间", "首次开设", "开设年份", "year", "created")),
    Column("seats", ("名额", "人数上限", "选课人数上限", "容量", "seats")),
    Column("series", ("系列", "系列名称", "series")),
    Column("status", ("状态", "课程状态", "status")),
)
NEEDED = (frozenset({"title"}),)

MANY_REQUIRED = 30  # More required courses than this are worth a question to the planner.
STOPPED = re.compile(r"停|暂停|下架|作废|删除|关闭")
_EVERYBODY = re.compile("全体|全部|全员|所有|不限|各级|各类|通用|均可|普遍|大众")


def read_catalog(sheets: Sequence[Sheet], lexicon: Lexicon) -> tuple[Catalog, Reading[Course]]:
    """Read the courses of a course list. A later row with the same number replaces the earlier one, as platforms do.

    Raises TableError where there is no course list in the file, or none of its rows is a course.
    """
    account = Account()
    tables = tables_in(sheets, COLUMNS, NEEDED, account, "课程表")
    reader = _RowReader(lexicon, account)
    courses: dict[str, Course] = {}
    rows = [row for table in tables for _, row in table.rows]
    serials = [text_of(row, "serial") for row in rows if not given_id(row)]
    reader.numbered = all(serials) and len({*serials, *filter(None, map(given_id, rows))}) == len(rows)
    for table in tables:
        for _, row in table.rows:
            course = reader.course(row)
            if course is None:
                account.rejected += 1
            elif STOPPED.search(text_of(row, "status")):
                account.skipped["已停开"] += 1
            else:
                older = courses.get(course.id)
                if older is not None and not given_id(row):
                    # The same title twice, without a number: whichever stands first, the row that tells more is kept.
                    account.skipped["同名重复"] += 1
                    course = max(older, course, key=_told)
                elif older is not None:
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
    required = sum(course.required for course in courses.values())
    if required > MANY_REQUIRED:
        account.notes.append(
            f"有 {required} 门课程标为必修，会排在每个人清单的最前面；若不是本意，请改“必修”一列后重新训练。"
        )
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
        return Course(
            id=self._id(row, title, provider),
            title=title,
            summary="。".join(filter(None, [text_of(row, "summary"), text_of(row, "keywords")])),
            category="/".join(filter(None, [text_of(row, "category"), text_of(row, "area")])),
            competencies=self._competencies(row),
            hours=loaded.get("hours"),
            mode=text_of(row, "mode"),
            levels=self._heard(
                row, "levels", self.lexicon.levels_in(audience), "层级", "可写“县处级、乡科级正职”，不限请留空"
            ),
            posts=self._heard(
                row,
                "posts",
                self.lexicon.families_in(f"{text_of(row, 'posts')}、{text_of(row, 'audience')}"),
                "岗位",
                "可写“乡镇街道、村社区”，不限请留空",
            ),
            required=loaded.get("required", False),
            provider=provider,
            teacher_kind=text_of(row, "teacher_kind"),
            year=loaded.get("year"),
            seats=loaded.get("seats"),
            series=text_of(row, "series"),
        )

    def _competencies(self, row: Row) -> tuple[str, ...]:
        words = [word.strip() for word in re.split(r"[、，,；;/|\n]", text_of(row, "competencies"))]
        words = [word for word in words if not cells.is_nothing(word)]
        named = [self.lexicon.named.get(bare(word)) for word in words]
        strange = [word for word, name in zip(words, named, strict=True) if name is None]
        if strange:
            self.account.fault(
                row["competencies"][0], f"不认识的能力“{'”“'.join(strange)}”，已略去", "请用能力表里的规范词或别名"
            )
        return tuple(dict.fromkeys(name for name in named if name))

    def _heard(self, row: Row, field: str, found: frozenset[T], what: str, remedy: str) -> frozenset[T]:
        """Report a cell that restricts the audience in words nobody understood; silence would open the course to everybody."""
        text = text_of(row, field)
        if not found and not cells.is_nothing(text) and not _EVERYBODY.search(text):
            self.account.fault(row[field][0], f"看不出{what}，已按面向全体处理", remedy)
        return found

    def _id(self, row: Row, title: str, provider: str) -> str:
        """The course's own number; where a list has none, its 序号; where that is not unique, a hash of title and provider."""
        given = given_id(row) or (text_of(row, "serial") if self.numbered else "")
        if given:
            return given
        return "t" + hashlib.sha256(f"{title}|{provider}".encode()).hexdigest()[:8]


def given_id(row: Row) -> str:
    """The number a list gives to a course, blank where it gives none."""
    return text_of(row, "course_id") or text_of(row, "code")


def _told(course: Course) -> tuple[int, str]:
    """How much a row tells, and a stable order among rows that tell equally much."""
    values = [sorted(value) if isinstance(value, frozenset) else value for value in asdict(course).values()]
    return sum(map(bool, values)), json.dumps(values, ensure_ascii=False)


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
    return _characters(re.sub(r"[（(][上中下一二三四五六七八九十\d]{1,2}[)）]\s*$", "", title.strip()))


def _characters(title: str) -> str:
    return re.sub(r"[^\w]|_", "", unicodedata.normalize("NFKC", title)).lower()


_BETWEEN_TITLES = re.compile(r"(?<=》)[、，,\s]*(?=《)|[、，,](?![^《]{0,100}》)")
_REMARK = re.compile(r"[（(][^（()）]*[)）]\s*$")


class TitleIndex:
    """Finds the courses of a catalog by what a person wrote: an id, a title, a shortened title, several titles joined by 、."""

    LEAST_SHORT = 4  # A shortened title of fewer characters could be anything.
    LEAST_ALIKE = 90  # rapidfuzz ratio (0 to 100) from which a misspelt title is taken for the real one.

    def __init__(self, catalog: Catalog) -> None:
        self.ids = set(catalog.row_of)
        self.by_part: dict[str, list[str]] = {}
        self.by_title: dict[str, list[str]] = {}
        for course in catalog:
            self.by_part.setdefault(_characters(course.title), []).append(course.id)
            self.by_title.setdefault(plain_title(course.title), []).append(course.id)
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
        """By id or title; a remark behind the title (（县里培训）) is not part of it.

        Who attended 上 has not attended 下; a title without its part means all parts.
        """
        if text.strip() in self.ids:
            return {text.strip()}
        for spelling in (text, _REMARK.sub("", text)):
            found = self.by_part.get(_characters(spelling)) or self.by_title.get(plain_title(spelling))
            if found:
                return set(found)
        return set()

    def _nearly(self, text: str) -> set[str]:
        """By a shortened title (with its part, if the text names one), a title with words around it, or a misspelt one."""
        with_part, plain = _characters(text), plain_title(text)
        tries = [(with_part, self.by_part)] if with_part != plain else []
        tries += [(plain, self.by_title), (plain_title(_REMARK.sub("", text)), self.by_title)]
        for words, titles in tries:
            found = self._like(words, titles) if len(words) >= self.LEAST_SHORT else None
            if found is not None:
                return set(titles.get(found, ()))
        return set()

    def _like(self, words: str, titles: Mapping[str, list[str]]) -> str | None:
        """The title that is meant; blank where several may be meant, None where none is like it."""
        longer = [title for title in titles if words in title]
        if longer:
            # The only title with these words, or the only one that mostly consists of them. 乡村振兴 stands in many titles and
            # means none of them: better reported than guessed.
            if len(longer) == 1:
                return longer[0] if longer[0].startswith(words) or 2 * len(words) >= len(longer[0]) else ""
            mostly = [title for title in longer if 2 * len(words) > len(title)]
            return mostly[0] if len(mostly) == 1 else ""
        inside = [title for title in titles if title in words and len(title) >= max(self.LEAST_SHORT, 0.6 * len(words))]
        if inside:
            return max(inside, key=lambda title: (len(title), title))
        nearest = process.extractOne(words, sorted(titles), scorer=fuzz.ratio, score_cutoff=self.LEAST_ALIKE)
        return nearest[0] if nearest else None
