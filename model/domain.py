"""The nouns of Quebu. Every other file of ``model/`` is one arrow between them.

All values are frozen. Levels are the codes of ``training_data/levels.csv`` (0 科员级 … 40 县处级正职 … 100), hours are 学时,
relevances are probabilities from 0 to 1 that a planner would accept the course for the gap.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Reason(StrEnum):
    """Why a gap is to be closed: the post asks for it, or this person lacks it."""

    DUTY = "duty"
    LACK = "lack"


LONGEST_TEXT = 500  # Characters of one stated lack; a longer one is a report, not a lack.

REASON_WORDS = {Reason.DUTY: "干什么学什么", Reason.LACK: "缺什么补什么"}

GAP_KINDS = ("知识空白", "经验盲区", "能力弱项")
GAP_SOURCES = ("本人自评", "组织评价", "测试", "岗位要求", "推断")


class Cause(StrEnum):
    """Why a gap stays open."""

    NO_COURSE = "目录无课"
    LEVEL = "层级不符"
    HOURS = "学时不足"
    SEATS = "名额已满"
    COMPLETED = "已学过"
    EXCLUDED = "被排除"
    UNCLEAR = "描述不明"


class Restriction(StrEnum):
    """What keeps a person from some ways of teaching."""

    NOT_OFF_POST = "不能脱产"
    LIMITED_MOBILITY = "行动不便"
    ONLINE_ONLY = "只能网络"
    NO_TRAVEL = "不能外出"


@dataclass(frozen=True, slots=True)
class Weakness:
    """One stated lack, in the words people really write. ``severity`` is 1 (slight) to 3 (severe)."""

    text: str
    kind: str | None = None
    source: str | None = None
    severity: int = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """One person as a roster or an HR system tells of them. Everything but ``id`` may be missing.

    Hours done are those of this year: ``hours_done`` in class (集中培训), ``online_hours_done`` on screen (网络);
    ``five_year_hours_done`` are those in class over the five-year period.
    """

    id: str
    name: str | None = None
    unit: str | None = None
    post: str | None = None
    level: int | None = None
    duty: str | None = None
    years_in_post: float | None = None
    weaknesses: tuple[Weakness, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    completed: tuple[str, ...] = ()
    hours_available: float | None = None
    hours_done: float | None = None
    online_hours_done: float | None = None
    five_year_hours_done: float | None = None
    restrictions: frozenset[Restriction] = frozenset()


@dataclass(frozen=True, slots=True)
class Gap:
    """What is to be closed for one person. ``weight`` is 0 to 1; ``competency`` may be unknown."""

    text: str
    competency: str | None
    reason: Reason
    kind: str | None
    source: str
    weight: float


@dataclass(frozen=True, slots=True)
class Course:
    """One course of a catalog. Empty ``levels`` or ``posts`` mean everybody; ``hours`` or ``seats`` None mean not stated. ``source`` names
    the list it came from, where several lists make the catalog."""

    id: str
    title: str
    summary: str = ""
    category: str = ""
    competencies: tuple[str, ...] = ()
    hours: float | None = None
    mode: str = ""
    levels: frozenset[int] = frozenset()
    posts: frozenset[str] = frozenset()
    required: bool = False
    provider: str = ""
    teacher_kind: str = ""
    year: int | None = None
    seats: int | None = None
    series: str = ""
    source: str = ""

    def __setstate__(self, state: list[Any]) -> None:
        """Take what was stored, by an earlier release perhaps, which knew fewer fields: the newer ones are not stated."""
        told = [*state, *(field.default for field in fields(self)[len(state) :])]
        for known, value in zip(fields(self), told, strict=True):
            object.__setattr__(self, known.name, value)


@dataclass(frozen=True)
class Catalog:
    """The courses in the order of their ids. Row *i* of every fitted matrix is ``courses[i]``."""

    courses: tuple[Course, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.courses, key=lambda course: course.id))
        object.__setattr__(self, "courses", ordered)
        if len(self.row_of) != len(ordered):
            raise ValueError("course ids must be unique within a catalog")

    def __len__(self) -> int:
        return len(self.courses)

    def __iter__(self) -> Iterator[Course]:
        return iter(self.courses)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Course id to row number."""
        return {course.id: row for row, course in enumerate(self.courses)}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything the catalog says; equal catalogs have equal fingerprints, whatever their row order. A list without a name
        adds nothing to it."""
        rows = [{**asdict(c), "levels": sorted(c.levels), "posts": sorted(c.posts)} for c in self.courses]
        for row in rows:
            if not row["source"]:
                del row["source"]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the caller asks of every plan: how many ranked courses, how far levels may differ, which courses are out."""

    top: int = 8
    level_window: int = 0
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """What a course gives to one gap: the gap's weight times the course's relevance to it, and the evidence that speaks most for it."""

    gap: Gap
    relevance: float
    evidence: str = ""

    @property
    def value(self) -> float:
        """The addend of the score, to four decimals, so that the printed addends make the printed score."""
        return round(self.gap.weight * self.relevance, 4)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A course and its parts. The score is nothing but their sum."""

    course: Course
    parts: tuple[Part, ...]

    @property
    def score(self) -> float:
        """Duty score plus lack score."""
        return round(self.duty_score + self.lack_score, 4)

    @property
    def duty_score(self) -> float:
        """The sum of the parts that serve the post (干什么学什么)."""
        return round(sum(part.value for part in self.parts if part.gap.reason is Reason.DUTY) + 0.0, 4)

    @property
    def lack_score(self) -> float:
        """The sum of the parts that serve a lack (缺什么补什么)."""
        return round(sum(part.value for part in self.parts if part.gap.reason is Reason.LACK) + 0.0, 4)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason for a recommendation, tied to the part it speaks of (``gap`` is None for a required course)."""

    gap: str | None
    part: float
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A chosen candidate with its reasons."""

    candidate: Candidate
    reasons: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True)
class Unmet:
    """A gap that no eligible course reaches, and why."""

    gap: Gap
    cause: Cause


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer for one person. ``removed`` counts the courses each eligibility rule took away; ``overridden`` are the numbers of the
    rejections (see :mod:`model.overrides`) that took part."""

    profile: Profile
    gaps: tuple[Gap, ...]
    recommendations: tuple[Recommendation, ...]
    unmet: tuple[Unmet, ...]
    removed: dict[str, int]
    model_version: str
    overridden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """A course for one gap text, with its calibrated relevance."""

    course: Course
    relevance: float


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell (or one field of a JSON line), and what would be right. ``cell`` is where it stands in the table that was made
    of what was none, where ``place`` says it in another way."""

    place: str
    value: str
    problem: str
    remedy: str
    cell: str = ""

    def __str__(self) -> str:
        return (
            f"{self.place}: “{self.value}”，{self.problem}；{self.remedy}"
            if self.value
            else (f"{self.place}: {self.problem}；{self.remedy}")
        )


class Heading(NamedTuple):
    """A header of a file and the field it was read as: None where its column is not used, blank where it is private and never read."""

    sheet: str
    header: str
    field: str | None


@dataclass(frozen=True)
class Reading(Generic[T]):
    """What came out of a file, with an account of every row: ``read + rejected + skipped == rows``, always.

    ``faults`` name cells; a fault in an optional cell leaves the row in ``values`` with that cell empty, a fault in a cell
    the row cannot do without puts the row in ``rejected``. ``skipped`` counts rows by kind (表头, 空行, 合计 …). ``headings`` tell what the
    columns were taken for.
    """

    values: tuple[T, ...]
    rows: int
    rejected: int
    skipped: dict[str, int]
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = field(default=())
    headings: tuple[Heading, ...] = ()

    @property
    def read(self) -> int:
        """The number of rows that became values."""
        return len(self.values)
