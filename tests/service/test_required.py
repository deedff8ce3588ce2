"""A required course that a planner takes out is told beside the rule of the required ones, where it is for this cohort at all."""

from __future__ import annotations

from collections.abc import Set

from model.cohort.demand import Demand
from model.cohort.nouns import CohortPlan
from model.cohort.rules import ClassRules
from model.domain import Catalog, Course, Limits
from model.selection import Selector
from service.required import taken_out, telling
from tests.model.cohort.test_class_plan import cohort, course, gap, needs, planned

COURSES = [
    course(0, required=True),
    course(1, required=True, levels=frozenset({40})),
    course(2),
    course(3, required=True, series="一个系列"),
    course(4, required=True, series="一个系列"),
]
PEOPLE = [needs(f"P{number}", gap("写材料"), level=20) for number in range(3)]


def demand(excluded: Set[str] = frozenset()) -> Demand:
    limits = Limits(excluded=frozenset(excluded))
    return cohort(PEOPLE, COURSES, {"写材料": {"c0": 0.9, "c2": 0.8}}, limits)


def out(*excluded: str, courses: list[Course] = COURSES) -> int:
    return taken_out(demand(set(excluded)), Selector(Catalog(tuple(courses)), Limits()), set(excluded), 0.5)


def plan(pinned: Set[str]) -> CohortPlan:
    return planned(demand(), ClassRules("专题班", 8, pinned=frozenset(pinned)))


def told(found: CohortPlan) -> list[tuple[str, str]]:
    return [(one.asked, one.found) for one in found.rules if one.rule == "必修课"]


def test_only_what_is_required_of_these_people_counts_as_taken_out():
    assert out() == 0
    assert out("c0") == 1
    assert out("c0", "c2") == 1, "the other one nobody requires"
    assert out("c1") == 0, "it is required of another level"


def test_a_series_is_one_course():
    assert out("c3", "c4") == 1


def test_the_rule_of_what_is_left_says_what_is_not():
    found = plan({"c0"})
    ((asked, held),) = told(found)
    ((changed, same),) = told(telling(found, 2))
    assert changed == f"{asked}；另有 2 门目录中的必修课由排班人移出，没有安排"
    assert same == held
    assert telling(found, 0) is found


def test_it_is_said_where_nothing_required_is_left_too():
    found = plan(set())
    assert told(found) == []
    assert told(telling(found, 1)) == [("有 1 门目录中的必修课由排班人移出，没有安排", "0 门")]
