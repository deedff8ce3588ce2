"""Tiny cohorts whose best class can be found by trying every set of courses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.cohort.choices import Choice, choices_of
from model.cohort.class_plan import ClassProblem, plan_class, what_if
from model.cohort.demand import Demand, demand_of
from model.cohort.nouns import CohortPlan, Origin
from model.cohort.program import Effort, Impossible
from model.cohort.rules import Budget, ClassRules, Share
from model.domain import Catalog, Cause, Course, Gap, Limits, Profile, Reason
from model.lexicon import Competency, Lexicon
from model.selection import Needs, Reached, Selector

THEORY = Competency("理论", "理论教育", "党的重要会议精神", "", (), (), ())
PARTY = Competency("党性", "党性教育", "党章和党规党纪", "", (), (), ())
SKILL = Competency("写作", "履职能力", "机关运转与公文", "", (), (), ())
LEXICON = Lexicon((THEORY, PARTY, SKILL), (), (), (), ())
NAMES = ("理论", "党性", "写作")
EXACT = Effort(seconds=30, gap=0)
TITLES = "甲乙丙丁戊己庚辛"


def course(number: int, teaches: str = "写作", hours: float | None = 1.0, **more: object) -> Course:
    """Titles of one character each are alike to no other."""
    return replace(Course(f"c{number}", TITLES[number] * 6, competencies=(teaches,), hours=hours), **more)


def gap(text: str, weight: float = 1.0, competency: str | None = "写作") -> Gap:
    return Gap(text, competency, Reason.LACK, None, "本人自评", weight)


def needs(identity: str, *gaps: Gap, **profile: object) -> Needs:
    completed = frozenset(profile.pop("completed", ()))
    return Needs(Profile(identity, **profile), None, completed, gaps, (False,) * len(gaps))


def cohort(
    people: list[Needs], courses: list[Course], reach: dict[str, dict[str, float]], limits: Limits | None = None
) -> Demand:
    """``reach``: for each text the relevance of courses by their ids."""
    catalog = Catalog(tuple(courses))
    rows = {
        text: {catalog.row_of[identity]: Reached(relevance) for identity, relevance in found.items()}
        for text, found in reach.items()
    }
    choices = choices_of(catalog, [None] * len(catalog), LEXICON, 1.0)
    return demand_of(people, rows, choices, Selector(catalog, limits or Limits()))


def planned(demand: Demand, rules: ClassRules) -> CohortPlan:
    return plan_class(demand, rules, EXACT, lambda: 0.0, Origin("v1", "catalog"))


def held(plan: CohortPlan) -> set[str]:
    return {session.courses[0].id for session in plan.sessions}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Demand, ClassRules]:
    courses = [
        course(
            number,
            draw(st.sampled_from(NAMES)),
            draw(st.sampled_from([None, 0.5, 1.0, 1.5, 3.0])),
            series=draw(st.sampled_from(["", "", "", "一个系列"])),
            levels=draw(st.sampled_from([frozenset(), frozenset(), frozenset({20}), frozenset({40})])),
            mode=draw(st.sampled_from(["", "线下讲授", "现场教学"])),
        )
        for number in range(draw(st.integers(1, 7)))
    ]
    texts = [f"t{number}" for number in range(draw(st.integers(1, 5)))]
    ids = [one.id for one in courses]
    relevances = st.sampled_from([0.5, 0.55, 0.7, 0.9, 1.0])
    reach = {text: draw(st.dictionaries(st.sampled_from(ids), relevances, max_size=4)) for text in texts}
    people = [
        needs(
            f"P{number}",
            *draw(
                st.lists(
                    st.builds(gap, st.sampled_from(texts), st.sampled_from([0.3, 0.6, 1.0])), max_size=4,
                    unique_by=lambda one: one.text,
                )
            ),
            level=draw(st.sampled_from([None, 20, 40])),
            completed=draw(st.lists(st.sampled_from(ids), max_size=1)),
        )
        for number in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    rules = ClassRules(
        "专题班",
        draw(st.sampled_from([0.5, 1.0, 2.5, 4.0, 8.0])),
        shares=draw(st.sampled_from([(), (), (Share(("理论教育", "党性教育"), 0.7),), (Share(("党性教育",), 0.2),)])),
        theory=draw(st.sampled_from([0, 0, 1])),
        pinned=frozenset(draw(st.lists(st.sampled_from(ids), max_size=1))),
        modes=draw(st.sampled_from([(), (), ("线下", "现场")])),
        most_courses=draw(st.sampled_from([None, None, 1, 2])),
        budget=draw(st.sampled_from([None, None, Budget(3000, 1000, 60, 6)])),
        fit=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )
    return cohort(people, courses, reach), rules


def every_class(problem: ClassProblem) -> Iterator[np.ndarray]:
    """Every set of choices that keeps the rules."""
    places = np.flatnonzero(problem.allowed).tolist()
    for size in range(len(places) + 1):
        for some in combinations(places, size):
            chosen = np.zeros(len(problem.hours), dtype=bool)
            chosen[list(some)] = True
            if not problem.broken(chosen):
                yield chosen


def by_hand(demand: Demand, chosen: np.ndarray) -> float:
    """What a class closes, person by person, without groups: weight times the best relevance, rounded as it is printed."""
    total = 0.0
    relevance = demand.relevance.toarray()
    for found in demand.open:
        best = max((relevance[found.group, place] for place in np.flatnonzero(chosen)), default=0.0)
        total += round(found.gap.weight * best, 4)
    return round(total, 4)


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_the_class_is_the_best_there_is_and_keeps_every_rule_or_there_is_none(world: tuple[Demand, ClassRules]):
    demand, rules = world
    problem = ClassProblem(demand, rules)
    best = max((by_hand(demand, chosen) for chosen in every_class(problem)), default=None)
    if best is None:
        with pytest.raises(Impossible):
            planned(demand, rules)
        return
    plan = planned(demand, rules)
    assert plan.certificate.objective == pytest.approx(best, abs=1e-4)
    assert plan.certificate.bound == pytest.approx(best, abs=1e-3)
    assert plan.certificate.status == "optimal"
    places = {choice.id: place for place, choice in enumerate(demand.choices)}
    chosen = np.zeros(len(problem.hours), dtype=bool)
    chosen[[places[identity] for identity in held(plan)]] = True
    assert problem.broken(chosen) == ()
    assert sum(session.hours for session in plan.sessions) <= rules.hours + 1e-6
    assert rules.pinned <= {one.id for session in plan.sessions for one in session.courses}


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_the_totals_of_a_plan_reconcile(world: tuple[Demand, ClassRules]):
    demand, rules = world
    try:
        plan = planned(demand, rules)
    except Impossible:
        return
    told = Counter((one.person, one.gap) for one in (*plan.closed, *plan.missed))
    assert told == Counter((own.profile.id, one) for own in demand.people for one in own.gaps)
    assert sum(one.value for one in plan.closed) == pytest.approx(plan.certificate.objective, abs=1e-6)
    assert sum(session.closes for session in plan.sessions) == pytest.approx(plan.certificate.objective, abs=1e-6)
    assert all(yard.objective <= plan.certificate.bound + 1e-6 for yard in plan.yardsticks if not yard.breaks)
    assert {person for session in plan.sessions for person in session.attendees} <= {
        own.profile.id for own in demand.people
    }


@settings(max_examples=25, deadline=None)
@given(worlds())
def test_equal_inputs_give_the_equal_plan(world: tuple[Demand, ClassRules]):
    def outcome() -> CohortPlan | str:
        try:
            return planned(*world)
        except Impossible as error:
            return str(error)

    assert outcome() == outcome()


WRITING, SPEECH = gap("写材料"), gap("讲话")


def test_a_gap_counts_once_and_by_the_course_that_closes_it_most_surely():
    demand = cohort([needs("P1", WRITING)], [course(0), course(1)], {"写材料": {"c0": 0.6, "c1": 0.9}})
    plan = planned(demand, ClassRules("专题班", 2))
    assert held(plan) == {"c1"}, "the second would close nothing more, and a shorter class is the better one"
    assert [(one.relevance, one.value) for one in plan.closed] == [(0.9, 0.9)]


def test_of_near_duplicates_one_is_held():
    twins = [course(0, title="公文写作与处理实务"), course(1, title="公文写作与处理实务（2）", provider="另一家")]
    demand = cohort([needs("P1", WRITING), needs("P2", SPEECH)], twins, {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    assert len(planned(demand, ClassRules("专题班", 8)).sessions) == 1


def test_a_series_is_held_as_a_whole_and_in_its_order():
    parts = [course(0, title="党史第二讲", series="党史"), course(1, title="党史第一讲", series="党史"), course(2)]
    demand = cohort([needs("P1", WRITING)], parts, {"写材料": {"c0": 0.9}})
    (session,) = planned(demand, ClassRules("专题班", 2)).sessions
    assert [one.id for one in session.courses] == ["c1", "c0"]
    assert (session.title, session.hours) == ("党史", 2.0)
    with pytest.raises(Impossible):
        planned(demand, ClassRules("专题班", 1.5, pinned=frozenset({"c0"})))


def test_a_course_without_hours_takes_the_default_and_is_marked():
    demand = cohort([needs("P1", WRITING)], [course(0, hours=None)], {"写材料": {"c0": 0.9}})
    (session,) = planned(demand, ClassRules("专题班", 1)).sessions
    assert (session.hours, session.tentative) == (1.0, True)


def test_who_has_completed_a_course_need_not_attend_and_gains_nothing_from_it():
    people = [needs("P1", WRITING, completed=["c0"]), needs("P2", WRITING)]
    plan = planned(cohort(people, [course(0)], {"写材料": {"c0": 0.9}}), ClassRules("专题班", 1))
    assert plan.sessions[0].attendees == ("P2",)
    assert [(one.person, one.cause) for one in plan.missed] == [("P1", Cause.COMPLETED)]


@pytest.mark.parametrize(
    ("rules", "cause"),
    [
        (ClassRules("专题班", 1), Cause.HOURS),
        (ClassRules("专题班", 9, modes=("线下",)), Cause.EXCLUDED),
        (ClassRules("专题班", 9, excluded=frozenset({"c1"})), Cause.EXCLUDED),
    ],
)
def test_why_a_gap_is_missed(rules: ClassRules, cause: Cause):
    people = [needs("P1", WRITING, SPEECH), needs("P2", WRITING), needs("P3", gap("观星", competency="观星"))]
    courses = [course(0, mode="线下讲授"), course(1, mode="网络")]
    plan = planned(cohort(people, courses, {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}, "观星": {}}), rules)
    assert {(one.gap.text, one.cause) for one in plan.missed} == {("讲话", cause), ("观星", Cause.NO_COURSE)}


FEWER_REQUIRED = "不要求必修课全部安排（其他要求不变时，最多排得下 1 门）"
IMPOSSIBLE = {
    "hours below the required block": (
        ClassRules("专题班", 1, pinned=frozenset({"c0", "c1"})), ["总学时不超过 1 学时", "必修课全部安排（2 门，共 2 学时）"],
        ["总学时至少 2 学时", FEWER_REQUIRED],
    ),
    "a share nothing can make up": (
        ClassRules("主体班", 9, shares=(Share(("党性教育",), 0.2),)), ["课程至少安排一门", "党性教育不低于总学时的 20%"], ["补充可用的党性教育课程（还差 0.2 学时）"],
    ),
    "theory that is not taught": (ClassRules("专题班", 9, theory=2), ["党的创新理论课程至少 2 门"], ["党的创新理论课程减为 0 门"]),
    "no money": (
        ClassRules("专题班", 9, budget=Budget(10, 1000, 550, 6)), ["课程至少安排一门", "经费不超过 10 元"], ["经费至少 1,092 元"],
    ),
    "too few courses": (
        ClassRules("专题班", 9, pinned=frozenset({"c0", "c1"}), most_courses=1), ["必修课全部安排（2 门，共 2 学时）", "课程门数不超过 1 门"],
        [FEWER_REQUIRED, "课程门数放宽到 2 门"],
    ),
    "no way of teaching": (
        ClassRules("专题班", 9, modes=("骑马",)), ["有课程符合“授课方式：骑马；适用对象覆盖全班的 50%；未被排除、名额未满”"],
        ["放宽授课方式、适用对象比例或排除的课程"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_demand_names_the_fewest_rules_and_what_would_help(name: str):
    rules, conflict, remedies = IMPOSSIBLE[name]
    demand = cohort([needs("P1", WRITING)], [course(0), course(1)], {"写材料": {"c0": 0.9}})
    with pytest.raises(Impossible) as error:
        planned(demand, rules)
    assert list(error.value.conflict) == conflict
    assert list(error.value.remedies) == remedies


def test_choices_of_a_pinned_course_stay_whatever_the_other_rules_say_of_them():
    demand = cohort([needs("P1", WRITING)], [course(0, mode="网络"), course(1)], {"写材料": {"c1": 0.9}})
    rules = ClassRules("专题班", 9, pinned=frozenset({"c0"}), modes=("线下",))
    assert held(planned(demand, rules)) == {"c0"}


def test_the_same_gap_of_a_thousand_people_is_one_group():
    people = [needs(f"P{number}", WRITING) for number in range(1000)]
    demand = cohort(people, [course(0)], {"写材料": {"c0": 0.9}})
    assert demand.worth.shape == (1, 1)
    assert planned(demand, ClassRules("专题班", 1)).certificate.objective == pytest.approx(900)


def test_choices_know_their_branch_area_and_hours():
    (choice,) = choices_of(Catalog((course(0, "理论"),)), [None], LEXICON, 1.0)
    assert isinstance(choice, Choice)
    assert (choice.branch, choice.area, choice.hours) == ("理论教育", "党的重要会议精神", 1.0)


def test_what_one_thing_more_would_close():
    """Two courses of an hour each; in one hour the better is held, with one more both."""
    demand = cohort(
        [needs("P1", WRITING, SPEECH)], [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.8}}
    )
    rules = ClassRules(
        "专题班", 1, shares=(Share(("履职能力",), 0.5),), most_courses=2, budget=Budget(5000, 1000, 60, 6)
    )
    assert planned(demand, rules).certificate.objective == pytest.approx(0.9)
    found = {one.change: one.objective for one in what_if(demand, rules, EXACT, lambda: 0.0)}
    assert found == {
        "多 1 学时": pytest.approx(1.7), "多 1 门课程": pytest.approx(0.9), "经费多一成（5,500 元）": pytest.approx(0.9),
        "不要求履职能力占 50%": pytest.approx(0.9),
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_nothing_more_ever_closes_less(world: tuple[Demand, ClassRules]):
    demand, rules = world
    try:
        objective = planned(demand, rules).certificate.objective
    except Impossible:
        return
    assert all(one.objective >= objective - 1e-6 for one in what_if(demand, rules, EXACT, lambda: 0.0))


def hashed() -> str:
    people, reach = [needs("P1", WRITING, SPEECH)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.8}}
    rules = ClassRules("专题班", 9, pinned=frozenset({"c0", "c1", "c2"}), modes=("线下",))
    return planned(cohort(people, [course(number) for number in range(3)], reach), rules).inputs_hash


def test_another_process_gives_the_plan_the_same_hash():
    here = Path(__file__).parent
    for seed in ("1", "2"):
        program = "import sys; sys.path[:0] = sys.argv[1:]; import test_class_plan; print(test_class_plan.hashed())"
        answer = subprocess.run(
            [sys.executable, "-c", program, str(here), str(here.parent)],
            capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert answer.stdout.strip() == hashed()


def test_another_level_window_is_another_input():
    people, courses = [needs("P1", WRITING, level=20)], [course(0, levels=frozenset({30})), course(1)]
    reach = {"写材料": {"c0": 0.9, "c1": 0.6}}
    rules = ClassRules("专题班", 9)
    narrow, wide = (planned(cohort(people, courses, reach, Limits(level_window=window)), rules) for window in (0, 1))
    assert narrow.inputs_hash != wide.inputs_hash
