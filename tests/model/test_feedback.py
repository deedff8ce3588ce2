"""What feedback is worth: laws that hold however much is said, by whoever, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import feedback
from model.feedback import (
    LEAST_PAIRS,
    LEAST_PLANNERS,
    LEAST_TEXTS,
    PAIR_MOST,
    PLANNER_MOST,
    WORTH,
    Kind,
    Lesson,
    Piece,
    lesson,
    told_by_scores,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
COURSES = ("c1", "c2", "c3")
PIECES = st.lists(
    st.builds(
        Piece,
        st.sampled_from(["怕讲话", "怕 讲话", "写不好材料", "ＫＰＩ", "kpi"]),
        st.sampled_from([*COURSES, "gone"]),
        st.sampled_from(list(Kind)),
        st.sampled_from("甲乙丙"),
        st.integers(0, 30).map(lambda day: START + timedelta(days=day)),
    ),
    max_size=40,
)


def piece(course: str = "c1", kind: Kind = Kind.ACCEPTED, planner: str = "甲", text: str = "怕讲话") -> Piece:
    return Piece(text, course, kind, planner, START)


def weighed(*pieces: Piece) -> dict[tuple[str, str], float]:
    """The pairs of a lesson in which the planners named are not held back by there being few."""
    enough = [
        piece("c3", planner=planner, text=f"别的{planner}{number}") for planner in "甲乙丙" for number in range(9)
    ]
    found = lesson([*pieces, *enough], COURSES).pairs
    return {about: worth for about, worth in found.items() if not about[0].startswith("别的")}


@given(PIECES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_what_is_said_again_counts_once(pieces: list[Piece], random: object):
    again = [*pieces, *pieces]
    random.shuffle(again)  # type: ignore[attr-defined]
    assert lesson(again, COURSES) == lesson(pieces, COURSES)


@given(PIECES)
def test_whatever_is_said_a_pair_stays_within_its_bound_and_is_of_a_course_at_hand(pieces: list[Piece]):
    found = lesson(pieces, COURSES)
    assert all(0 < abs(worth) <= PAIR_MOST and course in COURSES for (_, course), worth in found.pairs.items())
    assert found.dropped.get("course_gone", 0) == len({one for one in pieces if one.course == "gone"})


@given(PIECES)
def test_one_planner_never_counts_more_than_all_others_together(pieces: list[Piece]):
    others = {(one.planner, one.text, one.course) for one in pieces if one.planner != "甲"}
    total = sum(abs(worth) for worth in lesson(pieces, COURSES).pairs.values())
    assert total <= 2 * len(others) + 1e-6  # So that one alone teaches nothing.


def test_who_says_a_hundred_thousand_things_counts_as_much_as_one_may():
    loud = [piece(text=f"短板{number}", planner="乙", kind=Kind.REJECTED) for number in range(5000)]
    quiet = [piece(text=f"弱项{number}", planner=planner) for number in range(150) for planner in "甲丙"]
    found = lesson([*loud[:2000], *quiet], COURSES)
    against = -sum(worth for worth in found.pairs.values() if worth < 0)
    assert against <= PLANNER_MOST + 1e-6
    assert found.cut == 1
    alone = lesson([*loud[:1500], *quiet[:40]], COURSES)
    assert -sum(worth for worth in alone.pairs.values() if worth < 0) == pytest.approx(40)


def test_what_one_accepts_and_another_rejects_says_nothing():
    assert weighed(piece(), piece(kind=Kind.REJECTED, planner="乙")) == {}
    assert weighed(piece(), piece(kind=Kind.REJECTED)) == {}
    assert weighed(piece(), piece(planner="乙"), piece(kind=Kind.REJECTED, planner="丙")) == {("怕讲话", "c1"): 1.0}
    enough = [piece("c3", planner=planner, text="别的") for planner in "甲乙"]
    assert lesson([*enough, piece(), piece(kind=Kind.REJECTED, planner="乙")], COURSES).dropped == {"contradicted": 1}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_counts_as_the_table_says(kind: Kind):
    assert weighed(piece(kind=kind)) == {("怕讲话", "c1"): WORTH[kind]}


def test_the_tests_of_many_people_count_by_their_mean_and_attendance_once():
    def at(day: int, kind: Kind) -> Piece:
        return replace(piece(kind=kind), at=START + timedelta(days=day))

    assert weighed(at(1, Kind.IMPROVED), *(at(day, Kind.UNIMPROVED) for day in range(2, 5))) == {
        ("怕讲话", "c1"): 0.0625
    }
    assert weighed(*(at(day, Kind.ATTENDED) for day in range(5))) == {("怕讲话", "c1"): 0.25}
    assert weighed(at(1, Kind.ACCEPTED), at(2, Kind.ATTENDED), at(3, Kind.IMPROVED)) == {("怕讲话", "c1"): 1.0}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (50.0, 60.0, Kind.IMPROVED),
        (50.0, 59.5, Kind.UNIMPROVED),
        (80.0, 70.0, Kind.UNIMPROVED),
        (90.0, 100.0, Kind.IMPROVED),
        (91.0, 100.0, None),  # There was no room for ten points.
        (None, 90.0, None),
        (50.0, None, None),
    ],
)
def test_a_test_tells_of_a_course_only_beside_the_one_before(
    before: float | None, after: float | None, kind: Kind | None
):
    assert told_by_scores(before, after) is kind


def enough(planners: str = "甲乙") -> list[Piece]:
    """Just enough to learn from: each planner speaks of half of the pairs."""
    pairs = [(f"短板{number}", course) for number in range(LEAST_TEXTS) for course in COURSES]
    return [
        piece(course, Kind.REJECTED if course == "c3" else Kind.ACCEPTED, planners[place % len(planners)], text)
        for place, (text, course) in enumerate(pairs)
    ]


def missing(pieces: Sequence[Piece]) -> str:
    return "；".join(lesson(pieces, COURSES).missing)


def test_with_just_enough_there_is_something_to_learn_and_with_less_it_is_told_what_is_missing():
    assert len(lesson(enough(), COURSES).pairs) == LEAST_PAIRS
    assert missing(enough()) == ""
    assert missing(enough()[1:]) == f"至少要有 {LEAST_PAIRS} 组“短板—课程”的判断，现有 {LEAST_PAIRS - 1} 组"
    assert missing(enough("甲")) == f"至少要有 {LEAST_PLANNERS} 位经办人的反馈，现有 1 位"
    assert missing([]) == f"至少要有 {LEAST_PLANNERS} 位经办人的反馈，现有 0 位"
    assert "认为不对口的" in missing([replace(one, kind=Kind.ACCEPTED) for one in enough()])
    assert "认为对口的" in missing([replace(one, kind=Kind.REJECTED) for one in enough()])
    few = [replace(one, text="短板" + one.text[-1:].translate({ord("9"): "8"})) for one in enough()]
    assert "条不同的短板" in missing(few)


def test_of_very_many_texts_those_last_spoken_of_are_learnt_from(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feedback, "MOST_TEXTS", 2)
    days = [
        Piece(f"短板{day}", "c1", Kind.ACCEPTED, planner, START + timedelta(days=day))
        for day in (2, 0, 1)
        for planner in "甲乙"
    ]
    found: Lesson = lesson(days, COURSES)
    assert found.texts == ("短板1", "短板2")
    assert found.dropped == {"long_ago": 2}


def test_texts_that_differ_by_blanks_alone_are_one():
    assert weighed(piece(text="怕 讲话"), piece(text="怕讲话", planner="乙")) == {("怕 讲话", "c1"): 2.0}
