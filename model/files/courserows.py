"""A row of a course list -> a course: the columns that are understood, and what each cell of them means."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

from marshmallow import Schema

from model.domain import Course
from model.files import cells
from model.files.headers import Column, Row
from model.files.rows import Account, CellField, load_row, text_of
from model.lexicon import Lexicon, bare

COLUMNS = (
    Column("course_id", ("课程编号", "课程代码", "课程编码", "课程id", "编号", "course_id", "id"), code=True),
    Column("code", ("平台代码", "code"), code=True),
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

_EVERYBODY = re.compile(
    "全体|全部|全员|所有|不限|各级|各类|通用|均可|普遍|大众|^(?:广大)?(?:党员)?干部(?:职工)?$|^学员$"
)


class RowReader:
    """Reads the rows of a course list."""

    def __init__(self, lexicon: Lexicon, account: Account, answers: Mapping[str, str]) -> None:
        self.lexicon, self.account, self.answers = lexicon, account, answers
        self.numbered = False
        self.ways: Counter[str] = Counter()  # Categories that turned out to be ways of teaching.
        self.schema = Schema.from_dict(
            {
                "hours": CellField(cells.hours, "不是学时数，已按学时待定处理", "可写“2”“2学时”或“90分钟”"),
                "required": CellField(cells.yes_no, "看不出是必修还是选修，已按选修处理", "可写“是/否”或“必修/选修”"),
                "year": CellField(_year, "不是年份，已按未填处理", "可写“2025”或“2025-03”"),
                "seats": CellField(_seats, "不是名额，已按不限处理", "可写整数，不限请留空"),
            }
        )()

    def one_of(self, older: Course, course: Course, row: Row) -> Course:
        """Which of two courses of one number holds, the second of them read from ``row``; the other is counted."""
        if not given_id(row):
            # The same title twice, without a number: whichever stands first, the row that tells more is kept.
            self.account.skipped["同名重复"] += 1
            return max(older, course, key=_told)
        if older.year and course.year and older.year != course.year:
            self.account.skipped["旧年度"] += 1
            return max(older, course, key=lambda one: one.year or 0)
        self.account.skipped["同号被覆盖"] += 1
        if older.title != course.title:
            cell = next(row[field][0] for field in ("course_id", "code") if field in row and row[field][0].text)
            self.account.fault(cell, f"编号与《{older.title}》重复，已以后一行为准", "请给每门课程各自的编号")
        return course

    def tell(self) -> None:
        """Say what was done with many rows alike."""
        if old := self.account.skipped["旧年度"]:
            self.account.notes.append(f"有 {old} 行与另一年度的课程同号，已只保留最新年度的一行。")
        for label, count in sorted(self.ways.items()):
            self.account.notes.append(
                f"类别“{label}”说的是授课方式（{count} 门），已记入授课方式，课程按所教内容归类。"
            )

    def course(self, row: Row) -> Course | None:
        """Turn one row into a course; None where it has no title."""
        title = re.sub(r"\s+", " ", text_of(row, "title"))
        if cells.is_nothing(title):
            self.account.fault(row["title"][0], "缺少课程名称，这一行没有读取", "请补上课程名称")
            return None
        loaded = load_row(self.schema, row, self.account)
        competencies = self._competencies(row)
        levels, posts = self._audience(row)
        provider = text_of(row, "provider")
        category, mode = self._category(row)
        return Course(
            id=self._id(row, title, provider),
            title=title,
            summary="。".join(filter(None, [text_of(row, "summary"), text_of(row, "keywords")])),
            category=category,
            competencies=competencies,
            hours=loaded.get("hours"),
            mode=mode,
            levels=levels,
            posts=posts,
            required=loaded.get("required", False),
            provider=provider,
            teacher_kind=text_of(row, "teacher_kind"),
            year=loaded.get("year"),
            seats=loaded.get("seats"),
            series=text_of(row, "series"),
        )

    def _category(self, row: Row) -> tuple[str, str]:
        """The category and the way of teaching: some schemes have labels that are the latter (网络培训)."""
        categories, mode = self.lexicon.categories, text_of(row, "mode")
        written = "/".join(filter(None, [text_of(row, "category"), text_of(row, "area")]))
        said = categories.read(written)
        if said.mode:
            self.ways[written] += 1
        return categories.answered(said.text, self.answers), mode or said.mode

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

    def _audience(self, row: Row) -> tuple[frozenset[int], frozenset[str]]:
        """The levels and the posts a course is for; 适用对象 may name either."""
        words = text_of(row, "audience")
        levels = self.lexicon.levels_in(f"{text_of(row, 'levels')}、{words}")
        posts = self.lexicon.families_in(f"{text_of(row, 'posts')}、{words}")
        open_to_all = "已按面向全体处理"
        if not levels:
            self._unheard(row, "levels", f"看不出层级，{open_to_all}", "可写“县处级、乡科级正职”，不限请留空")
        if not posts:
            self._unheard(row, "posts", f"看不出岗位，{open_to_all}", "可写“乡镇街道、村社区”，不限请留空")
        if not self.lexicon.levels_in(words) and not self.lexicon.families_in(words):
            done = "已略去" if levels or posts else open_to_all
            self._unheard(
                row, "audience", f"看不出适用对象，{done}", "可写层级或岗位，如“县处级”“乡镇街道”，不限请留空"
            )
        return levels, posts

    def _unheard(self, row: Row, field: str, problem: str, remedy: str) -> None:
        """Report a cell that restricts the audience in words nobody understood; silence would open the course to everybody."""
        text = text_of(row, field)
        if not cells.is_nothing(text) and not _EVERYBODY.search(text):
            self.account.fault(row[field][0], problem, remedy)

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
