"""The draft of the days: every hour of every session has a place, and no day has more than its hours."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.cohort.nouns import Session
from model.cohort.timetable import lay_out
from model.domain import Course

HOURS = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 7.5, 8.0, 13.0, 20.25])
SESSIONS = st.lists(st.tuples(HOURS, st.integers(0, 2)), max_size=30)


def session(hours: float, part: int = 0) -> Session:
    return Session((Course("c", "课"),), "课", hours, False, "知识", 0.0, (), part)


def laid(*hours: float, day: float = 6.0) -> list[tuple[int, int, float, float]]:
    found = lay_out([session(one) for one in hours], day)
    return [(one.session, one.day, one.start, one.hours) for one in found]


@given(SESSIONS, st.sampled_from([1.0, 6.0, 7.5, 8.0]))
def test_every_session_gets_its_hours_and_no_day_has_too_many(asked: list[tuple[float, int]], day: float):
    sessions = [session(hours, part) for hours, part in asked]
    given_to: dict[int, float] = defaultdict(float)
    taken: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for lesson in lay_out(sessions, day):
        assert lesson.part == sessions[lesson.session].part
        given_to[lesson.session] += lesson.hours
        taken[lesson.part, lesson.day].append((lesson.start, lesson.start + lesson.hours))
    assert given_to == pytest.approx({place: one.hours for place, one in enumerate(sessions)}, abs=1e-3)
    for spans in taken.values():
        assert max(end for _, end in spans) <= day + 1e-3
        assert all(end <= begin + 1e-9 for (_, end), (begin, _) in pairwise(spans))


@given(SESSIONS)
def test_a_class_has_no_empty_day_before_its_last(asked: list[tuple[float, int]]):
    days: dict[int, set[int]] = defaultdict(set)
    for lesson in lay_out([session(hours, part) for hours, part in asked], 6.0):
        days[lesson.part].add(lesson.day)
    assert all(found == set(range(1, max(found) + 1)) for found in days.values())


def test_sessions_follow_each_other_and_what_fits_an_earlier_day_goes_there():
    assert laid(4, 3, 2, 3) == [(0, 1, 0.0, 4), (2, 1, 4.0, 2), (1, 2, 0.0, 3), (3, 2, 3.0, 3)]


def test_what_is_longer_than_a_day_begins_one_and_runs_over_the_next():
    assert laid(2, 14, 4) == [(0, 1, 0.0, 2), (2, 1, 2.0, 4), (1, 2, 0.0, 6.0), (1, 3, 0.0, 6.0), (1, 4, 0.0, 2.0)]


def test_each_class_has_days_of_its_own():
    found = lay_out([session(4, 0), session(4, 1)], 6.0)
    assert [(one.part, one.day) for one in found] == [(0, 1), (1, 1)]


def test_nothing_makes_no_days():
    assert lay_out([], 6.0) == ()
