"""Tiny cohorts whose best split can be found by trying every way to divide the people."""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from model.cohort.demand import Demand
from model.cohort.nouns import CohortPlan, Origin
from model.cohort.placing import place
from model.cohort.program import Impossible
from model.cohort.rules import ClassRules, SplitRules, even_split
from model.cohort.split import plan_split, settle
from tests.model.cohort.test_class_plan import EXACT, cohort, course, gap, needs

LEVELS = {20: "乡科级副职", 30: "乡科级正职", 60: "县处级正职"}


def planned(demand: Demand, rules: ClassRules, split: SplitRules) -> CohortPlan:
    return plan_split(demand, rules, split, EXACT, lambda: 0.0, Origin("v1", "catalog"), LEVELS)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Demand, ClassRules, SplitRules]:
    courses = [course(number, hours=draw(st.sampled_from([1.0, 2.0]))) for number in range(draw(st.integers(2, 4)))]
    texts = [f"t{number}" for number in range(4)]
    ids = st.sampled_from([one.id for one in courses])
    reach = {
        text: draw(st.dictionaries(ids, st.sampled_from([0.5, 0.7, 0.9]), min_size=1, max_size=2)) for text in texts
    }
    gaps = st.lists(
        st.builds(gap, st.sampled_from(texts), st.sampled_from([0.3, 1.0])),
        min_size=1,
        max_size=3,
        unique_by=lambda one: one.text,
    )
    people = [
        needs(f"P{number}", *draw(gaps), level=draw(st.sampled_from([None, 20, 30, 60])))
        for number in range(draw(st.integers(2, 5)))
    ]
    rules = ClassRules("专题班", draw(st.sampled_from([1.0, 2.0])), pinned=frozenset(draw(st.lists(ids, max_size=1))))
    assume(all(one.hours <= rules.hours for one in courses if one.id in rules.pinned))
    assume(min(one.hours for one in courses) <= rules.hours)
    split = SplitRules(2, 1, draw(st.integers((len(people) + 1) // 2, len(people))), draw(st.sampled_from([None, 4])))
    return cohort(people, courses, reach), rules, split


def keeps(demand: Demand, split: SplitRules, of: tuple[int, ...], span: float) -> bool:
    sizes = np.bincount(of, minlength=split.classes)
    if sizes.min() < split.least or sizes.max() > split.most:
        return False
    for part in range(split.classes):
        known = [
            own.profile.level
            for own, its in zip(demand.people, of, strict=True)
            if its == part and own.profile.level is not None
        ]
        if known and max(known) - min(known) > 10 * span:
            return False
    return True


@given(worlds())
@settings(max_examples=25, deadline=None)
def test_a_split_keeps_sizes_and_levels_and_lies_between_its_best_rival_and_its_bound(world):
    demand, rules, split = world
    ways = product(range(split.classes), repeat=len(demand.people))
    span = 4 if split.span is None else split.span
    feasible = [of for of in ways if keeps(demand, split, of, span)]
    plan = planned(demand, rules, split)
    part_of = {person: number for number, part in enumerate(plan.classes) for person in part.people}
    of = tuple(part_of[own.profile.id] for own in demand.people)
    assert keeps(demand, split, of, span)
    best = max(settle(demand, rules, np.array(way), EXACT, lambda: 0.0).objective for way in feasible)
    objective, bound = plan.certificate.objective, plan.certificate.bound
    assert objective <= best + 1e-9
    assert bound >= best - 1e-6
    assert sum(one.value for one in plan.closed) == pytest.approx(objective)
    assert len(plan.closed) + len(plan.missed) == sum(len(own.gaps) for own in demand.people)
    # Each class is the best for its people, and nobody sits in another class.
    assert objective == pytest.approx(settle(demand, rules, np.array(of), EXACT, lambda: 0.0).objective)
    for session in plan.sessions:
        assert set(session.attendees) <= set(plan.classes[session.part].people)
    for one in plan.closed:
        assert one.person in plan.classes[plan.sessions[one.session].part].people
    again = planned(demand, rules, split)
    assert again == plan


def two_kinds() -> Demand:
    """Three who cannot write, three who know no law; two courses, of which a class has hours for one."""
    courses = [course(0), course(1)]
    reach = {"写不好": {"c0": 0.9}, "不懂法": {"c1": 0.9}}
    writers = [needs(f"W{number}", gap("写不好", competency="公文写作"), level=20) for number in range(3)]
    jurists = [needs(f"J{number}", gap("不懂法", competency="依法行政"), level=20) for number in range(3)]
    people = [person for pair in zip(writers, jurists, strict=True) for person in pair]
    return cohort(people, courses, reach)


def test_people_with_like_needs_come_together_and_the_class_is_named_by_them():
    plan = planned(two_kinds(), ClassRules("专题班", 1.0), even_split(6, 2))
    assert {frozenset(part.people) for part in plan.classes} == {
        frozenset({"W0", "W1", "W2"}),
        frozenset({"J0", "J1", "J2"}),
    }
    assert {part.name[3:] for part in plan.classes} == {"（公文写作；乡科级副职）", "（依法行政；乡科级副职）"}
    assert plan.certificate.objective == plan.certificate.bound == pytest.approx(5.4)
    assert not plan.missed
    others = {other.name: other.objective for other in plan.yardsticks}
    assert others["不分班，全体同上一个班"] == pytest.approx(2.7)


def test_far_levels_are_kept_apart_even_where_needs_are_alike():
    courses, reach = [course(0), course(1)], {"甲": {"c0": 0.9}, "乙": {"c1": 0.9}}
    people = [needs(f"P{number}", gap("甲乙"[number % 2]), level=20 if number < 2 else 60) for number in range(4)]
    plan = planned(cohort(people, courses, reach), ClassRules("专题班", 1.0), SplitRules(2, 1, 3, 2))
    assert {frozenset(part.people) for part in plan.classes} == {frozenset({"P0", "P1"}), frozenset({"P2", "P3"})}


@pytest.mark.parametrize(
    ("split", "told"),
    [
        (SplitRules(2, 1, 2), "每班放宽到 3 人"),
        (SplitRules(2, 4, 6), "每班下限减为 3 人"),
        (SplitRules(7, 1, 6), "减为 6 个班"),
    ],
)
def test_classes_that_cannot_hold_everybody_are_told_with_what_would_help(split: SplitRules, told: str):
    with pytest.raises(Impossible, match=told):
        planned(two_kinds(), ClassRules("专题班", 1.0), split)


def test_levels_too_far_apart_for_so_few_classes_are_told_with_the_span_that_would_do():
    people = [needs(f"P{number}", gap("甲"), level=level) for number, level in enumerate((20, 30, 60))]
    demand = cohort(people, [course(0)], {"甲": {"c0": 0.9}})
    with pytest.raises(Impossible, match="同班层级放宽到相差 1 级"):
        planned(demand, ClassRules("专题班", 1.0), SplitRules(2, 1, 3, 0))
    assert place([20, 30, 60], np.zeros((3, 2)), SplitRules(2, 1, 2, 1)).tolist() in ([0, 0, 1], [1, 1, 0])


def test_the_best_split_is_found_in_most_small_cohorts_and_none_falls_far_behind():
    """All of these were the best of all ways to divide the people when this was written."""
    dice, shares = Random(0), []
    for _ in range(10):
        courses = [course(number) for number in range(4)]
        reach = {f"t{number}": {f"c{number}": 0.9, f"c{dice.randrange(4)}": 0.7} for number in range(4)}
        people = [
            needs(
                f"P{number}",
                *(gap(text, dice.choice([0.3, 1.0])) for text in dice.sample(list(reach), dice.randint(1, 3))),
                level=20,
            )
            for number in range(5)
        ]
        demand, rules, split = cohort(people, courses, reach), ClassRules("专题班", 1.0), SplitRules(2, 1, 4, 4)
        best = max(
            settle(demand, rules, np.array(way), EXACT, lambda: 0.0).objective
            for way in product(range(2), repeat=5)
            if keeps(demand, split, way, 4)
        )
        shares.append(planned(demand, rules, split).certificate.objective / best)
    assert sum(share > 1 - 1e-6 for share in shares) >= 9
    assert min(shares) > 0.95
