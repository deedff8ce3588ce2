"""Catalog -> choices: what a planner can put into a class. A course is one choice; a series is one, held in its order with its hours added.

Choices that say nearly the same (one course by two providers) form a group of which at most one is wanted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz, process
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from model.courselists import plain_title
from model.domain import Catalog, Course
from model.lexicon import BRANCHES, Lexicon

OTHER = "其他"  # The branch of a course whose matter nobody recognises.
ALIKE = 90  # rapidfuzz ratio (0 to 100) of two titles that say nearly the same.

_PART = re.compile(
    r"第([一二三四五六七八九十\d]+)[讲课集部]|之([一二三四五六七八九十])(?=[：:·\s]|$)|[（(]([上中下一二三四五六七八九十\d]{1,2})[)）]|([一二三四五六七八九十])[：:]"
)
_INNOVATIVE = re.compile(
    r"习近平|总书记|新时代中国特色社会主义思想|党的创新理论|[二三]十大(?:报告|精神|党章)|党的[二三]十大|[一二三四五六七八九]中全会"
)
_ORDER = {mark: number for number, mark in enumerate("上中下")} | {
    mark: number for number, mark in enumerate("一二三四五六七八九十", start=1)
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One course, or the courses of a series in their order; ``rows`` are their places in the catalog.

    ``hours`` (学时) are those of all its courses; ``tentative`` where some are not stated and a default stands for them (学时待定).
    """

    rows: tuple[int, ...]
    courses: tuple[Course, ...]
    title: str
    hours: float
    tentative: bool
    branch: str
    area: str
    competency: str | None

    @property
    def id(self) -> str:
        """The id of its first course."""
        return self.courses[0].id

    @property
    def mode(self) -> str:
        """How it is taught, each way once."""
        return "、".join(dict.fromkeys(course.mode for course in self.courses if course.mode))


def choices_of(
    catalog: Catalog, teaches: Sequence[str | None], lexicon: Lexicon, default_hours: float
) -> tuple[Choice, ...]:
    """The choices of a catalog in the order of their first courses; ``teaches`` tells the main competency of each course."""
    members: dict[str, list[int]] = defaultdict(list)
    for row, course in enumerate(catalog):
        members[_series(course)].append(row)
    made = []
    for rows in members.values():
        parts = [part_of(catalog.courses[row].title) for row in rows]
        named = bool(catalog.courses[rows[0]].series)
        if len(rows) > 1 and not named and (None in parts or len(set(parts)) < len(parts)):
            # Equal titles without parts are one course offered twice, not a series.
            made += [_choice((row,), catalog, teaches, lexicon, default_hours) for row in rows]
            continue
        ordered = sorted(rows, key=lambda row: (part_of(catalog.courses[row].title) or 0, catalog.courses[row].id))
        made.append(_choice(tuple(ordered), catalog, teaches, lexicon, default_hours))
    return tuple(sorted(made, key=lambda choice: min(choice.rows)))


def _series(course: Course) -> str:
    """What courses of one series share: the name of the series, else the title without the mark of its part."""
    return (
        f"series {course.series}|{course.provider}"
        if course.series
        else f"title {plain_title(course.title)}|{course.provider}"
    )


def _choice(
    rows: tuple[int, ...],
    catalog: Catalog,
    teaches: Sequence[str | None],
    lexicon: Lexicon,
    default_hours: float,
) -> Choice:
    courses = tuple(catalog.courses[row] for row in rows)
    hours = round(sum(default_hours if course.hours is None else course.hours for course in courses), 4)
    title = courses[0].title if len(courses) == 1 else courses[0].series or " ＋ ".join(c.title for c in courses)
    main = next((competency for course in courses for competency in course.competencies), teaches[rows[0]])
    tentative = any(course.hours is None for course in courses)
    known = lexicon.by_name.get(main or "")
    area = known.area if known else ""
    return Choice(rows, courses, title, hours, tentative, branch_of(courses[0], main, lexicon), area, main)


def part_of(title: str) -> int | None:
    """The number of the part a title names (上, 第二讲, （三）); None where it names none."""
    found = _PART.search(title)
    if not found:
        return None
    mark = next(group for group in found.groups() if group)
    return int(mark) if mark.isdecimal() else sum(_ORDER.get(letter, 0) for letter in mark)


def branch_of(course: Course, competency: str | None, lexicon: Lexicon) -> str:
    """The branch (理论教育, 党性教育, 履职能力, 知识) a course belongs to: as its category says; what teaches the thought and speeches of the
    leadership is theory (domain rule C14); else that of its main competency."""
    said = next((branch for branch in BRANCHES if branch in course.category), None)
    if said is None and innovative(course):
        return BRANCHES[0]
    known = lexicon.by_name.get(competency or "")
    return said or (known.branch if known else OTHER)


def innovative(course: Course) -> bool:
    """Whether a course teaches 党的创新理论, by what its title and category say."""
    return bool(_INNOVATIVE.search(course.title) or _INNOVATIVE.search(course.category))


def near_duplicates(choices: Sequence[Choice]) -> list[list[int]]:
    """Groups (of places) of choices that say nearly the same: alike titles and the same main competency."""
    titles = [plain_title(choice.title) for choice in choices]
    alike = process.cdist(titles, titles, scorer=fuzz.ratio, score_cutoff=ALIKE, dtype=np.uint8)
    first, second = np.nonzero(np.triu(alike, k=1))
    same = [
        (one, other)
        for one, other in zip(first.tolist(), second.tolist(), strict=True)
        if choices[one].competency == choices[other].competency
    ]
    size = len(choices)
    links = csr_matrix((np.ones(len(same)), tuple(np.array(same, dtype=int).reshape(-1, 2).T)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    groups: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels.tolist()):
        groups[label].append(place)
    return [group for group in groups.values() if len(group) > 1]
