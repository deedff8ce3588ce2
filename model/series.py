"""Courses -> what belongs together: the courses of one series in their order, by the name of the series, else by the marks of parts in their titles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from model.domain import Course
from model.titles import part_of, plain_title


def grouped(courses: Sequence[Course]) -> list[tuple[int, ...]]:
    """The places of the courses, those of one series together and in its order; a course that is of no series stands alone."""
    members: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, course in enumerate(courses):
        members[_series(course)].append(place)
    groups: list[tuple[int, ...]] = []
    for places in members.values():
        parts = [part_of(courses[place].title) for place in places]
        named = bool(courses[places[0]].series)
        if len(places) > 1 and not named and (None in parts or len(set(parts)) < len(parts)):
            # Equal titles without parts are one course offered twice, not a series.
            groups += [(place,) for place in places]
        else:
            groups.append(
                tuple(sorted(places, key=lambda place: (part_of(courses[place].title) or 0, courses[place].id)))
            )
    return groups


def joined(courses: Sequence[Course]) -> list[tuple[Course, ...]]:
    """The series that no list states, made out by the parts in their titles (上、下)."""
    groups = ([courses[place] for place in places] for places in grouped(courses) if len(places) > 1)
    return [tuple(group) for group in groups if not group[0].series]


def _series(course: Course) -> tuple[str, ...]:
    """What courses of one series share: the name of the series, else the title without the mark of its part."""
    shared = ("series", course.series) if course.series else ("title", plain_title(course.title))
    return (*shared, course.provider, course.source)
