"""What many people lack, under rejections: no plan for all holds what was rejected, and each tells what took part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.cohort.class_plan import plan_class
from model.cohort.demand import Demand
from model.cohort.menu import plan_menu
from model.cohort.nouns import CohortPlan, Origin
from model.cohort.program import Impossible
from model.cohort.rules import ClassRules, MenuRules
from model.domain import Cause, Course
from model.overrides import Overrides, Rejection
from model.selection import Needs
from tests.model.cohort.test_class_plan import EXACT, cohort, course, gap, needs

TEXTS = ("写材料", "讲话", "法律")
# The last two are one series, named by the first of them.
COURSES = [course(0), course(1), course(2), course(3, series="系列"), course(4, series="系列")]
REACH = {
    "写材料": {"c0": 0.9, "c1": 0.6, "c4": 0.7},
    "讲话": {"c1": 0.8, "c3": 0.5},
    "法律": {"c2": 0.9},
}
PEOPLE = [needs(f"P{number}", *(gap(text) for text in TEXTS[: number + 1])) for number in range(3)]
ORIGIN = Origin("v1", "catalog")


def under(people: Sequence[Needs], *rejected: Rejection) -> list[Needs]:
    overrides = Overrides.of(rejected)
    return [
        replace(
            own,
            barred=overrides.for_person(own.profile.id),
            rejected={one: overrides.for_text(one.text) for one in own.gaps if overrides.for_text(one.text)},
        )
        for own in people
    ]


def demand(
    *rejected: Rejection, courses: list[Course] = COURSES, reach: Mapping[str, dict[str, float]] = REACH
) -> Demand:
    return cohort(under(PEOPLE, *rejected), courses, dict(reach))


def a_class(found: Demand, hours: float = 9) -> CohortPlan:
    return plan_class(found, ClassRules("专题班", hours), EXACT, lambda: 0.0, ORIGIN)


def a_menu(found: Demand, hours: float = 9) -> CohortPlan:
    return plan_menu(found, MenuRules(hours, seats=2), EXACT, lambda: 0.0, ORIGIN, {})


REJECTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([one.id for one in COURSES]), st.sampled_from(TEXTS), st.none()),
        st.tuples(st.sampled_from([one.id for one in COURSES]), st.none(), st.sampled_from(["P0", "P1", "P9"])),
    ),
    max_size=4,
).map(lambda rows: [Rejection(number, *row) for number, row in enumerate(rows, start=1)])


@settings(max_examples=40)
@given(REJECTIONS)
@pytest.mark.parametrize("make", [a_class, a_menu])
def test_no_plan_for_all_closes_a_gap_with_what_was_rejected_for_it(make, rejected: list[Rejection]):
    try:
        plan = make(demand(*rejected))
    except Impossible:
        return
    ids = [{one.id for one in session.courses} for session in plan.sessions]
    for one in plan.closed:
        out = {other.course for other in rejected if one.gap.text == other.gap or one.person == other.person}
        assert not ids[one.session] & out
    for session, courses in zip(plan.sessions, ids, strict=True):
        assert not any(other.course in courses and other.person in session.attendees for other in rejected)
    assert len(plan.closed) + len(plan.missed) == sum(len(own.gaps) for own in PEOPLE)


@settings(max_examples=25)
@given(REJECTIONS)
def test_those_that_took_part_are_all_that_count(rejected: list[Rejection]):
    found = demand(*rejected)
    again = demand(*(one for one in rejected if one.number in found.overridden))
    assert (again.open, again.hopeless) == (found.open, found.hopeless)
    assert (again.relevance != found.relevance).nnz == 0


@settings(max_examples=25)
@given(REJECTIONS, st.randoms(use_true_random=False))
def test_the_order_and_the_numbers_of_rejections_do_not_change_the_hash_of_the_inputs(rejected, dice):
    renumbered = [replaced._replace(number=100 - replaced.number) for replaced in dice.sample(rejected, len(rejected))]
    assert demand(*renumbered).fingerprint(ORIGIN) == demand(*rejected).fingerprint(ORIGIN)


def test_a_rejection_changes_the_hash_of_the_inputs_only_where_it_is_about_them():
    plain = demand().fingerprint(ORIGIN)
    assert demand(Rejection(1, "c0", "写材料")).fingerprint(ORIGIN) != plain
    assert demand(Rejection(1, "c2", None, "P0")).fingerprint(ORIGIN) != plain, "who attends depends on it"
    assert demand(Rejection(1, "gone", "写材料"), Rejection(2, "c0", "别的")).fingerprint(ORIGIN) == plain
    assert demand(Rejection(1, "c0", None, "P9"), Rejection(2, "gone")).fingerprint(ORIGIN) == plain


def test_a_gap_whose_only_course_was_rejected_is_missed_because_of_that():
    plan = a_class(demand(Rejection(7, "c2", "法律")))
    assert [(one.person, one.gap.text, one.cause) for one in plan.missed] == [("P2", "法律", Cause.EXCLUDED)]
    assert demand(Rejection(7, "c2", "法律")).overridden == {7}


def test_a_series_one_part_of_which_was_rejected_for_a_gap_does_not_close_it_by_another_part():
    courses, reach = (
        [course(3, series="系列"), course(4, series="系列")],
        {"写材料": {"c4": 0.7}, "讲话": {"c3": 0.5}, "法律": {}},
    )
    for rejected in ("c3", "c4"):
        found = demand(Rejection(1, rejected, "写材料"), courses=courses, reach=reach)
        assert {one.gap.text for one in a_class(found).closed} == {"讲话"}
        assert found.overridden == {1}


def test_who_had_a_part_of_a_series_rejected_for_them_attends_none_of_it_and_gains_nothing_from_it():
    courses, reach = (
        [course(3, series="系列"), course(4, series="系列")],
        {"写材料": {"c4": 0.7}, "讲话": {}, "法律": {}},
    )
    plan = a_class(demand(Rejection(1, "c3", None, "P0"), courses=courses, reach=reach))
    assert plan.sessions[0].attendees == ("P1", "P2")
    assert {one.person for one in plan.closed} == {"P1", "P2"}


def test_a_rejection_for_somebody_who_is_not_there_or_of_what_serves_nobody_took_no_part():
    assert (
        demand(Rejection(1, "c2", "写材料"), Rejection(2, "c2", None, "P0"), Rejection(3, "c0", None, "P9")).overridden
        == frozenset()
    )
