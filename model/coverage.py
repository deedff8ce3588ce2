"""A version at work -> what its catalog leaves out: competencies that no course would serve; and by what a roster got, who needs them and which courses
nobody was recommended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from model.domain import Catalog, Course, Match
from model.lexicon import Competency
from model.recommender import Recommender

CHUNK = 32  # Competencies looked up at once; bounds memory at CHUNK x courses.


class Covered(NamedTuple):
    """A competency with the number of courses that would be accepted for a gap of its name, and of those that mainly teach it; ``nearest`` is the course
    that comes nearest to it, accepted or not (None: every course was rejected for it)."""

    competency: Competency
    courses: int
    mainly: int
    nearest: Match | None


class Use(NamedTuple):
    """What a roster got: its people, how many of them need each competency, and to how many each course (by id) is recommended."""

    people: int
    needed: Mapping[str, int]
    recommended: Mapping[str, int]


def coverage(recommender: Recommender) -> list[Covered]:
    """How the catalog covers each competency of the lexicon, in its order. Who may attend a course is not looked at, what was rejected is."""
    competencies, catalog = recommender.lexicon.competencies, recommender.catalog
    mainly = Counter(recommender.teaches.values())
    found = []
    for start in range(0, len(competencies), CHUNK):
        some = competencies[start : start + CHUNK]
        for one, row in zip(some, recommender.relevance([one.name for one in some]), strict=True):
            out = [
                catalog.row_of[course]
                for course in recommender.overrides.for_words(one.name)
                if course in catalog.row_of
            ]
            row[out] = -1
            best = int(np.argmax(row))
            nearest = Match(catalog.courses[best], round(float(row[best]), 4)) if row[best] >= 0 else None
            found.append(Covered(one, int(np.sum(row >= recommender.accepted)), mainly[one.name], nearest))
    return found


def use_of(people: Iterable[tuple[Iterable[str | None], Iterable[str]]]) -> Use:
    """Count over people, each told by the competencies they lack (None: a gap without one) and the courses they were recommended. Each person counts
    once for a competency, however many gaps name it."""
    everybody, needed, recommended = 0, Counter[str](), Counter[str]()
    for lacks, courses in people:
        everybody += 1
        needed.update({name for name in lacks if name})
        recommended.update(set(courses))
    return Use(everybody, needed, recommended)


def left_over(catalog: Catalog, use: Use) -> list[Course]:
    """The courses that nobody of a roster was recommended, in the order of the catalog."""
    return [course for course in catalog if not use.recommended.get(course.id)]
