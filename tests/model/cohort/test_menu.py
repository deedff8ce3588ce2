"""Tiny menus whose best plan can be found by trying every way to seat people."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_cohort import EXACT, cohort, course, gap, needs

from model.classes import MenuRules
from model.cohort_domain import CohortPlan, Origin
from model.demand import Demand
from model.domain import Cause
from model.menu import plan_menu
from model.program import Impossible


def planned(demand: Demand, rules: MenuRules) -> CohortPlan:
    return plan_menu(demand, rules, EXACT, lambda: 0.0, Origin("v1", "catalog"))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Demand, MenuRules]:
    courses = [
        course(number, hours=draw(st.sampled_from([0.5, 1.0, 2.0])), seats=draw(st.sampled_from([None, 1, 2])))
        for number in range(draw(st.integers(1, 3)))
    ]
    texts = [f"t{number}" for number in range(draw(st.integers(1, 4)))]
    reach = {
        text: draw(
            st.dictionaries(st.sampled_from([one.id for one in courses]), st.sampled_from([0.5, 0.7, 0.9]), max_size=3)
        )
        for text in texts
    }
    people = [
        needs(
            f"P{number}",
            *draw(
                st.lists(
                    st.builds(gap, st.sampled_from(texts), st.sampled_from([0.3, 1.0])),
                    max_size=3,
                    unique_by=lambda one: one.text,
                )
            ),
            hours_available=draw(st.sampled_from([None, None, 0.0, 1.0])),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    rules = MenuRules(
        draw(st.sampled_from([0.5, 1.0, 2.5])),
        seats=draw(st.integers(1, 3)),
        least=draw(st.integers(1, 2)),
        most_sessions=draw(st.sampled_from([None, None, 1])),
        nobody_left=draw(st.booleans()),
    )
    return cohort(people, courses, reach), rules


def by_hand(demand: Demand, rules: MenuRules) -> float | None:
    """The best of all ways to seat people; with nobody_left among those that leave fewest without a course that serves them."""
    relevance = demand.relevance.toarray()
    places = range(len(demand.choices))
    serves = {(found.person, place) for found in demand.open for place in places if relevance[found.group, place] > 0}
    pairs = sorted(serves)
    best: dict[int, float] = {}
    for taken in product([False, True], repeat=len(pairs)):
        seats = [pair for pair, yes in zip(pairs, taken, strict=True) if yes]
        sizes = Counter(place for _, place in seats)
        hours = Counter()
        for person, place in seats:
            hours[person] += demand.choices[place].hours
        limits = [
            min(rules.hours, 9 if own.profile.hours_available is None else own.profile.hours_available)
            for own in demand.people
        ]
        capacity = {
            place: rules.seats
            if demand.choices[place].courses[0].seats is None
            else demand.choices[place].courses[0].seats
            for place in places
        }
        if any(total > limits[person] for person, total in hours.items()):
            continue
        if any(not rules.least <= size <= capacity[place] for place, size in sizes.items()):
            continue
        if rules.most_sessions is not None and len(sizes) > rules.most_sessions:
            continue
        mine = {person: [place for who, place in seats if who == person] for person, _ in seats}
        value = sum(
            round(
                found.gap.weight
                * max((relevance[found.group, place] for place in mine.get(found.person, [])), default=0.0),
                4,
            )
            for found in demand.open
        )
        covered = len(mine)
        best[covered] = max(value, best.get(covered, 0.0))
    return best[max(best)] if rules.nobody_left else max(best.values())


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_the_menu_is_the_best_there_is_and_keeps_every_rule(world: tuple[Demand, MenuRules]):
    demand, rules = world
    assume(sum(1 for found in demand.open for _ in range(1)) <= 9)
    best = by_hand(demand, rules)
    try:
        plan = planned(demand, rules)
    except Impossible:
        assert best == 0
        return
    assert plan.certificate.objective == pytest.approx(best, abs=1e-4)
    assert plan.certificate.bound >= plan.certificate.objective
    assert plan.certificate.gap < 1e-3
    told = Counter((one.person, one.gap) for one in (*plan.closed, *plan.missed))
    assert told == Counter((own.profile.id, one) for own in demand.people for one in own.gaps)
    assert sum(one.value for one in plan.closed) == pytest.approx(plan.certificate.objective, abs=1e-6)
    for session in plan.sessions:
        stated = session.courses[0].seats
        assert rules.least <= len(session.attendees) <= (rules.seats if stated is None else stated)
    for own in demand.people:
        hours = sum(session.hours for session in plan.sessions if own.profile.id in session.attendees)
        assert hours <= min(rules.hours, 9 if own.profile.hours_available is None else own.profile.hours_available)


WRITING, SPEECH = gap("写材料"), gap("讲话", 0.4)


def test_a_seat_goes_to_whom_it_helps_most_unless_somebody_would_be_left_without_any():
    people = [needs("P1", WRITING, SPEECH), needs("P2", gap("写材料", 0.5))]
    reach = {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}
    demand = cohort(people, [course(0), course(1)], reach)
    free = planned(demand, MenuRules(2, seats=1, nobody_left=False))
    assert {one.title: one.attendees for one in free.sessions} == {"甲" * 6: ("P1",), "乙" * 6: ("P1",)}
    fair = planned(demand, MenuRules(2, seats=1))
    assert {one.title: one.attendees for one in fair.sessions} == {"甲" * 6: ("P2",), "乙" * 6: ("P1",)}
    assert [(one.person, one.gap.text, one.cause) for one in fair.missed] == [("P1", "写材料", Cause.SEATS)]


def test_a_session_for_too_few_is_not_held():
    demand = cohort([needs("P1", WRITING)], [course(0)], {"写材料": {"c0": 0.9}})
    with pytest.raises(Impossible, match="最少开班人数"):
        planned(demand, MenuRules(2, least=2))


def test_who_has_no_hours_left_misses_for_want_of_hours():
    people = [needs("P1", WRITING, SPEECH), needs("P2", WRITING, hours_available=0.0)]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    plan = planned(demand, MenuRules(1))
    assert {(one.person, one.gap.text, one.cause) for one in plan.missed} == {
        ("P1", "讲话", Cause.HOURS),
        ("P2", "写材料", Cause.HOURS),
    }


def test_a_floor_for_each_unit_names_the_unit_that_cannot_reach_it():
    people = [needs("P1", WRITING, unit="甲局"), needs("P2", WRITING, unit="乙局")]
    demand = cohort(people, [course(0)], {"写材料": {"c0": 0.9}})
    with pytest.raises(Impossible, match="甲局至少覆盖 1 人"):
        planned(demand, MenuRules(1, seats=1, floor=0.5, nobody_left=False))
