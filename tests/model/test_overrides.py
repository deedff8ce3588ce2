"""Rejections: what each is about, and what they do to one person's selection."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Catalog, Cause, Course, Gap, Limits, Profile, Reason
from model.overrides import NONE, Overrides, Rejection
from model.selection import Needs, Reached, Selected, Selector

TEXTS = ("写材料慢", "怕讲话", "不懂法律")
COURSES = Catalog(
    (
        Course("c0", "一"),
        Course("c1", "二"),
        Course("c2", "三", required=True),
        Course("c3", "四", levels=frozenset({40})),
    )
)
ALL = Limits(top=100)
ABSENT = "gone"

rejections = st.lists(
    st.tuples(
        st.sampled_from([*COURSES.row_of, ABSENT]),
        st.sampled_from([None, *TEXTS]),
        st.sampled_from([None, "P1", "P2"]),
    ),
    max_size=6,
).map(lambda rows: [Rejection(number, *row) for number, row in enumerate(rows, start=1)])


def gap(text: str) -> Gap:
    return Gap(text, text, Reason.LACK, None, "本人自评", 0.8)


@st.composite
def people(draw: st.DrawFn) -> tuple[Needs, list[dict[int, Reached]]]:
    """A person of level 20 whose gaps are served by some courses; the rejections are not yet known."""
    texts = draw(st.lists(st.sampled_from(TEXTS), unique=True, min_size=1))
    completed = draw(st.frozensets(st.sampled_from(list(COURSES.row_of)), max_size=1))
    gaps = tuple(map(gap, texts))
    rows = st.dictionaries(st.integers(0, len(COURSES) - 1), st.sampled_from([0.5, 0.7, 0.9]), max_size=3)
    reached = [{row: Reached(value) for row, value in draw(rows).items()} for _ in gaps]
    return Needs(Profile("P1", level=20), None, completed, gaps, (False,) * len(gaps)), reached


def under(needs: Needs, overrides: Overrides) -> Needs:
    barred = overrides.for_person(needs.profile.id)
    return replace(needs, barred=barred, rejected={one: overrides.for_text(one.text) for one in needs.gaps})


def selected(needs: Needs, reached: list[dict[int, Reached]]) -> Selected:
    return Selector(COURSES, ALL).select(needs, reached)


def offered(found: Selected) -> set[tuple[str, str]]:
    chosen = (*found.required, *found.ranked)
    return {(part.gap.text, one.course.id) for one in chosen for part in one.parts}


@given(people(), rejections)
def test_no_rejected_course_is_offered_and_no_other_is_lost(
    person: tuple[Needs, list[dict[int, Reached]]], rejected: list[Rejection]
) -> None:
    needs, reached = person
    before, after = selected(needs, reached), selected(under(needs, Overrides.of(rejected)), reached)
    out = {(text, one.course) for one in rejected for text in TEXTS if one.gap == text}
    # A gap is what a rejection is about wherever it names one.
    own = {one.course for one in rejected if one.gap is None and one.person in {None, "P1"}}
    assert offered(after) == {pair for pair in offered(before) if pair not in out and pair[1] not in own}
    ids = {one.course.id for one in (*after.required, *after.ranked)}
    assert not ids & own
    assert all(one.score == round(sum(part.value for part in one.parts), 4) for one in after.ranked)
    served = {text for text, _ in offered(after)}
    assert {lost.gap.text for lost in after.unmet} == {one.text for one in needs.gaps} - served


@given(people(), rejections)
def test_those_that_are_told_are_all_that_count_and_each_of_them_alone_would(
    person: tuple[Needs, list[dict[int, Reached]]], rejected: list[Rejection]
) -> None:
    needs, reached = person
    before, after = selected(needs, reached), selected(under(needs, Overrides.of(rejected)), reached)
    told = [one for one in rejected if one.number in after.overridden]
    again = selected(under(needs, Overrides.of(told)), reached)
    assert (again.required, again.ranked, again.unmet) == (after.required, after.ranked, after.unmet)
    for one in told:
        alone = selected(under(needs, Overrides.of([one])), reached)
        assert (alone.required, alone.ranked) != (before.required, before.ranked)


@given(rejections, st.randoms(use_true_random=False))
def test_the_order_of_rejections_does_not_matter(rejected: list[Rejection], dice: Random) -> None:
    shuffled = dice.sample(rejected, len(rejected))
    assert Overrides.of(shuffled) == Overrides.of(rejected)
    assert bool(Overrides.of(rejected)) == bool(rejected)


def test_words_are_the_same_whatever_their_blanks_and_widths() -> None:
    overrides = Overrides.of([Rejection(7, "c0", "KPI 怎么定")])
    assert overrides.for_text("ｋｐｉ怎么定") == {"c0": 7}
    assert overrides.for_text("KPI 怎么算") == {}
    assert overrides.for_text("别的", "KPI怎么定") == {"c0": 7}


def test_a_rejection_is_about_the_gap_else_the_person_else_the_course() -> None:
    overrides = Overrides.of(
        [
            Rejection(1, "c0", gap="甲"),
            Rejection(2, "c1", person="P1"),
            Rejection(3, "c2"),
            Rejection(4, "c3", "甲", "P1"),
        ]
    )
    assert (overrides.for_text("甲"), overrides.for_text("乙")) == ({"c0": 1, "c3": 4}, {})
    assert (overrides.for_person("P1"), overrides.for_person("P2")) == ({"c1": 2, "c2": 3}, {"c2": 3})
    assert overrides.for_words("甲") == {"c0": 1, "c2": 3, "c3": 4}
    assert overrides.numbers == {1, 2, 3, 4}


def test_of_several_that_say_the_same_the_smallest_number_tells() -> None:
    assert Overrides.of([Rejection(9, "c0"), Rejection(4, "c0")]).courses == {"c0": 4}


def test_nothing_is_out_by_default() -> None:
    assert not NONE
    assert (NONE.for_text("甲"), NONE.for_person("P1"), NONE.for_words("甲"), NONE.numbers) == ({}, {}, {}, frozenset())


def test_for_another_process_the_persons_are_looked_up() -> None:
    overrides = Overrides.of([Rejection(1, "c0", person="P1"), Rejection(2, "c1", person="P2"), Rejection(3, "c2")])
    assert overrides.among(["P2", "P3"]) == Overrides.of([Rejection(2, "c1", person="P2"), Rejection(3, "c2")])
    assert NONE.among(["P1"]) == NONE


WRITING = gap("写材料慢")
NEEDS = Needs(Profile("P1", level=20), None, frozenset(), (WRITING,), (False,))


@pytest.mark.parametrize(
    "rejected", [[Rejection(5, "c0", WRITING.text)], [Rejection(5, "c0", person="P1")], [Rejection(5, "c0")]]
)
def test_a_gap_whose_only_course_was_rejected_is_unmet_because_of_that(rejected: list[Rejection]) -> None:
    found = selected(under(NEEDS, Overrides.of(rejected)), [{0: Reached(0.9)}])
    assert [lost.cause for lost in found.unmet] == [Cause.EXCLUDED]
    assert found.overridden == {5}


def test_a_course_that_is_out_anyway_or_serves_nothing_is_not_told() -> None:
    overrides = Overrides.of([Rejection(1, "c3"), Rejection(2, "c1"), Rejection(3, "c0", "别的")])
    assert selected(under(NEEDS, overrides), [{0: Reached(0.9), 3: Reached(0.9)}]).overridden == frozenset()


def test_a_required_course_that_was_rejected_for_somebody_is_theirs_no_more() -> None:
    found = selected(under(NEEDS, Overrides.of([Rejection(1, "c2", person="P1")])), [{}])
    assert (found.required, found.overridden) == ((), {1})


def test_a_required_course_that_was_rejected_for_a_gap_stays_required_and_serves_it_no_more() -> None:
    found = selected(under(NEEDS, Overrides.of([Rejection(1, "c2", WRITING.text)])), [{2: Reached(0.9)}])
    assert [(one.course.id, one.parts) for one in found.required] == [("c2", ())]
    assert [lost.cause for lost in found.unmet] == [Cause.EXCLUDED]
