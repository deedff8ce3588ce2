from __future__ import annotations

from dataclasses import replace

import pytest

from model.domain import Candidate, Catalog, Cause, Course, Gap, Limits, Profile, Reason, Restriction
from model.selection import RULES, Needs, Reached, Selected, Selector, bars

PERSON = Profile("P1", level=20)
FAMILY = "乡镇街道"


def lack(text: str, weight: float = 1.0) -> Gap:
    return Gap(text, text, Reason.LACK, "能力弱项", "本人自评", weight)


WRITING, RISK, SECRETS = lack("写材料"), lack("应急"), lack("保密")


def select(
    courses: list[Course],
    serves: dict[Gap, dict[str, float]],
    person: Profile = PERSON,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    completed: frozenset[str] = frozenset(),
    unclear: frozenset[Gap] = frozenset(),
) -> Selected:
    """Select where ``serves`` tells which course (id -> relevance) serves which gap."""
    catalog = Catalog(tuple(courses))
    reached = [
        {catalog.row_of[identity]: Reached(value) for identity, value in rows.items()} for rows in serves.values()
    ]
    selector = Selector(catalog, limits)
    needs = Needs(person, FAMILY, completed, tuple(serves), tuple(gap in unclear for gap in serves))
    return selector.select(needs, reached)


def ids(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.course.id for candidate in candidates]


GOOD, BEST = Course("good", "写作二"), Course("best", "写作一")
BARRED = {
    "已学过": {"completed": frozenset({"best"})},
    "被排除": {"limits": Limits(excluded=frozenset({"best"}))},
    "名额已满": {"course": replace(BEST, seats=0)},
    "层级不符": {"course": replace(BEST, levels=frozenset({40}))},
    "岗位不符": {"course": replace(BEST, posts=frozenset({"党政综合"}))},
    "方式不便": {
        "course": replace(BEST, mode="异地教学"),
        "person": replace(PERSON, restrictions=frozenset({Restriction.NO_TRAVEL})),
    },
}


def test_every_rule_is_tried_below() -> None:
    assert set(BARRED) == set(RULES)


@pytest.mark.parametrize("rule", BARRED)
def test_a_course_that_a_rule_bars_is_removed_and_counted_before_ranking(rule: str) -> None:
    world = dict(BARRED[rule])
    best = world.pop("course", BEST)
    selected = select([best, GOOD], {WRITING: {"best": 0.99, "good": 0.5}}, **world)
    assert ids(selected.ranked) == ["good"]
    assert selected.removed == {rule: 1}
    assert selected.unmet == ()


def test_a_course_required_of_one_level_is_not_pinned_for_whom_no_level_is_known() -> None:
    first_lesson = Course("first", "新人第一课", required=True, levels=frozenset({0}))
    unknown, newcomer = Profile("P1"), Profile("P2", level=0)
    assert ids(select([first_lesson], {WRITING: {}}, person=unknown).required) == []
    assert ids(select([first_lesson], {WRITING: {}}, person=newcomer).required) == ["first"]


@pytest.mark.parametrize("rule", BARRED)
def test_a_gap_whose_only_course_a_rule_bars_is_unmet_with_that_cause(rule: str) -> None:
    world = dict(BARRED[rule])
    best = world.pop("course", BEST)
    selected = select([best], {WRITING: {"best": 0.99}}, **world)
    assert selected.ranked == ()
    assert [(unmet.gap, unmet.cause) for unmet in selected.unmet] == [(WRITING, RULES[rule])]


@pytest.mark.parametrize("rule", BARRED)
def test_a_required_course_that_a_rule_bars_is_not_pinned(rule: str) -> None:
    world = dict(BARRED[rule])
    best = replace(world.pop("course", BEST), required=True)
    assert select([best], {}, **world).required == ()


def test_a_course_that_several_rules_bar_is_counted_by_the_first_alone() -> None:
    course = replace(BEST, seats=0, levels=frozenset({40}), posts=frozenset({"党政综合"}))
    limits = Limits(excluded=frozenset({"best"}))
    assert select([course], {}, limits=limits, completed=frozenset({"best"})).removed == {"已学过": 1}
    assert select([course], {}, limits=limits).removed == {"被排除": 1}
    assert select([course], {}).removed == {"名额已满": 1}
    assert select([replace(course, seats=None)], {}).removed == {"层级不符": 1}


def test_a_removed_course_counts_though_it_serves_no_gap() -> None:
    assert select([replace(BEST, seats=0), GOOD], {}).removed == {"名额已满": 1}


@pytest.mark.parametrize(
    ("levels", "window", "allowed"),
    [
        ({20}, 0, True),
        ({10}, 0, False),
        ({10}, 1, True),
        ({30, 40}, 0, False),
        ({30, 40}, 1, True),
        ({40}, 1, False),
        ({40}, 2, True),
        (set(), 0, True),
    ],
)
def test_a_level_window_of_one_lets_in_the_next_rank(levels: set[int], window: int, allowed: bool) -> None:
    course = replace(BEST, levels=frozenset(levels))
    selected = select([course], {WRITING: {"best": 0.9}}, limits=Limits(level_window=window))
    assert bool(selected.ranked) == allowed


def test_what_is_not_known_of_a_person_bars_nothing() -> None:
    course = replace(BEST, levels=frozenset({40}), posts=frozenset({"党政综合"}))
    stranger = Profile("P2")
    selector = Selector(Catalog((course,)), Limits())
    assert ids(
        selector.select(Needs(stranger, None, frozenset(), (WRITING,), (False,)), [{0: Reached(0.9)}]).ranked
    ) == ["best"]


OFF, MOBILITY, ONLINE, TRAVEL = (
    Restriction.NOT_OFF_POST,
    Restriction.LIMITED_MOBILITY,
    Restriction.ONLINE_ONLY,
    Restriction.NO_TRAVEL,
)
# Which restrictions bar which way of teaching.
MODES = {
    "": set(),
    "网络课程": set(),
    "直播": set(),
    "自主学习": {ONLINE},
    "送学上门": {ONLINE},
    "线下/网络": set(),
    "线下讲授": {OFF, MOBILITY, ONLINE},
    "案例教学": {OFF, MOBILITY, ONLINE},
    "现场教学": {OFF, MOBILITY, ONLINE, TRAVEL},
    "异地教学": {OFF, MOBILITY, ONLINE, TRAVEL},
    "跟班学习": {OFF, MOBILITY, ONLINE, TRAVEL},
    "中心组学习": {MOBILITY, ONLINE},
    "不脱产": {MOBILITY, ONLINE},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("restriction", Restriction)
def test_each_restriction_bars_the_ways_of_teaching_it_cannot_bear(mode: str, restriction: Restriction) -> None:
    assert bars(mode, frozenset({restriction})) == (restriction in MODES[mode])


@pytest.mark.parametrize("mode", MODES)
def test_several_restrictions_bar_what_any_of_them_bars_and_none_bars_nothing(mode: str) -> None:
    assert not bars(mode, frozenset())
    assert bars(mode, frozenset(Restriction)) == bool(MODES[mode])


RULE_BOOK = Course("must", "党纪必修", hours=6, required=True)


def test_required_courses_stand_in_their_own_block_and_do_not_count_in_top() -> None:
    selected = select([RULE_BOOK, BEST, GOOD], {WRITING: {"best": 0.9, "good": 0.8}}, limits=Limits(top=1))
    assert ids(selected.required) == ["must"]
    assert ids(selected.ranked) == ["best"]


def test_a_required_course_is_never_ranked_away_however_little_it_gives() -> None:
    many = [Course(f"c{number}", "写作") for number in range(9)]
    selected = select([RULE_BOOK, *many], {WRITING: {course.id: 0.9 for course in many}}, limits=Limits(top=0))
    assert ids(selected.required) == ["must"]


def test_a_required_course_uses_none_of_the_available_hours() -> None:
    person = replace(PERSON, hours_available=2.0)
    course = replace(BEST, hours=2)
    assert ids(select([RULE_BOOK, course], {WRITING: {"best": 0.9}}, person).ranked) == ["best"]


def test_a_gap_that_a_required_course_serves_is_served_again_only_after_the_open_ones() -> None:
    courses = [RULE_BOOK, BEST, Course("risk", "应急")]
    serves = {WRITING: {"must": 0.5, "best": 0.99}, RISK: {"risk": 0.45}}
    assert ids(select(courses, serves, limits=Limits(top=1)).ranked) == ["risk"]
    assert ids(select(courses, serves, limits=Limits(top=2)).ranked) == ["best", "risk"]


def test_a_gap_that_a_required_course_serves_is_not_unmet() -> None:
    assert select([RULE_BOOK], {WRITING: {"must": 0.5}}).unmet == ()


def test_a_gap_that_no_course_reaches_lacks_a_course_or_a_clear_description() -> None:
    unnamed = replace(RISK, competency=None)
    selected = select([BEST], {WRITING: {}, unnamed: {}, SECRETS: {}}, unclear=frozenset({SECRETS}))
    assert [unmet.cause for unmet in selected.unmet] == [Cause.NO_COURSE, Cause.UNCLEAR, Cause.UNCLEAR]


def test_the_cause_is_that_of_the_most_relevant_course_and_of_equals_that_of_the_first() -> None:
    full, done = replace(BEST, id="a", seats=0), replace(BEST, id="b")
    world = {"completed": frozenset({"b"})}
    assert select([full, done], {WRITING: {"a": 0.8, "b": 0.9}}, **world).unmet[0].cause is Cause.COMPLETED
    assert select([full, done], {WRITING: {"a": 0.9, "b": 0.9}}, **world).unmet[0].cause is Cause.SEATS


def test_a_gap_whose_courses_are_all_too_long_is_unmet_for_want_of_hours() -> None:
    person = replace(PERSON, hours_available=2.0)
    selected = select([replace(BEST, hours=3)], {WRITING: {"best": 0.9}}, person)
    assert selected.ranked == ()
    assert [unmet.cause for unmet in selected.unmet] == [Cause.HOURS]


def test_a_gap_that_only_waits_for_a_larger_top_is_not_unmet() -> None:
    courses = [BEST, Course("risk", "应急")]
    selected = select(courses, {WRITING: {"best": 0.9}, RISK: {"risk": 0.8}}, limits=Limits(top=1))
    assert ids(selected.ranked) == ["best"]
    assert selected.unmet == ()


def test_a_course_of_unknown_length_fits_any_hours_and_unknown_hours_hold_any_course() -> None:
    long = replace(GOOD, hours=400)
    serves = {WRITING: {"best": 0.9}, RISK: {"good": 0.9}}
    assert ids(select([BEST, long], serves, replace(PERSON, hours_available=0.0)).ranked) == ["best"]
    assert ids(select([BEST, long], serves).ranked) == ["best", "good"]


def test_hours_that_fit_exactly_fit_though_they_are_no_binary_fractions() -> None:
    thirds = [Course(f"c{number}", "网课", hours=0.67) for number in range(3)]
    serves = {WRITING: {course.id: 0.9 for course in thirds}}
    assert len(select(thirds, serves, replace(PERSON, hours_available=2.01)).ranked) == 3
    assert len(select(thirds, serves, replace(PERSON, hours_available=2.0)).ranked) == 2
