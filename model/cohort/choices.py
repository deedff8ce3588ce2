"""Catalog -> choices: what a planner can put into a class. A course is one choice; a series is one, held in its order with its hours added.

Choices that say nearly the same (one course by two providers) form a group of which at most one is wanted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from model.domain import Catalog, Course
from model.files.categories import BRANCHES
from model.lexicon import Lexicon
from model.series import grouped
from model.titles import alike, plain_title

OTHER = "其他"  # The branch of a course whose matter nobody recognises.
_INNOVATIVE = re.compile(
    r"习近平|总书记|新时代中国特色社会主义思想|党的创新理论|[二三]十大(?:报告|精神|党章)|党的[二三]十大|[一二三四五六七八九]中全会"
)


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
    def ids(self) -> frozenset[str]:
        """The ids of all its courses."""
        return frozenset(course.id for course in self.courses)

    @property
    def mode(self) -> str:
        """How it is taught, each way once."""
        return "、".join(dict.fromkeys(course.mode for course in self.courses if course.mode))


def choices_of(
    catalog: Catalog, teaches: Sequence[str | None], lexicon: Lexicon, default_hours: float
) -> tuple[Choice, ...]:
    """The choices of a catalog in the order of their first courses; ``teaches`` tells the main competency of each course."""
    made = (_choice(rows, catalog, teaches, lexicon, default_hours) for rows in grouped(catalog.courses))
    return tuple(sorted(made, key=lambda choice: min(choice.rows)))


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


def branch_of(course: Course, competency: str | None, lexicon: Lexicon) -> str:
    """The branch (理论教育, 党性教育, 履职能力, 知识) a course belongs to: as its category says, in whichever scheme; what teaches the thought and speeches of the
    leadership is theory (domain rule C14); else that of its main competency."""
    said = lexicon.categories.read(course.category).branch
    if not said and innovative(course):
        return BRANCHES[0]
    known = lexicon.by_name.get(competency or "")
    return said or (known.branch if known else OTHER)


def innovative(course: Course) -> bool:
    """Whether a course teaches 党的创新理论, by what its title and category say."""
    return bool(_INNOVATIVE.search(course.title) or _INNOVATIVE.search(course.category))


def near_duplicates(choices: Sequence[Choice]) -> list[list[int]]:
    """Groups (of places) of choices that say nearly the same: alike titles and the same main competency."""
    titles = [plain_title(choice.title) for choice in choices]
    same = [(one, other) for one, other, _ in alike(titles) if choices[one].competency == choices[other].competency]
    size = len(choices)
    links = csr_matrix((np.ones(len(same)), tuple(np.array(same, dtype=int).reshape(-1, 2).T)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    groups: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels.tolist()):
        groups[label].append(place)
    return [group for group in groups.values() if len(group) > 1]
