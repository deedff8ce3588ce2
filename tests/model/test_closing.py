"""销号: what a gap has come to after what happened, and what a course may be said to have done, never about persons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.closing import AGAIN, FAILED_AGAIN, LEAST_PEOPLE, NOT_PASSED, Deed, Event, State, confirmation, state_of
from model.cohort.nouns import Status

START = datetime(2026, 3, 1, tzinfo=UTC)
A, T, R, D = Deed.ATTENDED, Deed.TESTED, Deed.ARRANGED, Deed.DROPPED


def on(day: int) -> datetime:
    return START + timedelta(days=day)


def events(*told: tuple[object, ...], course: str = "c1") -> list[Event]:
    """Things that happened on one day after the other: a deed, or a deed with scores or another course."""
    found = []
    for day, (deed, *more) in enumerate(told):
        assert isinstance(deed, Deed)
        own = str(more.pop()) if more and isinstance(more[-1], str) else course
        before, after = more if more else (None, None)
        found.append(Event(own, deed, on(day), before, after))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("told", "status", "course", "note"),
    [
        ([], "待补", "", ""),
        ([(R,)], "已安排", "c1", ""),
        ([(R,), (R, "c2")], "已安排", "c2", ""),
        ([(R,), (D,)], "待补", "", ""),
        ([(R, "c2"), (D,)], "已安排", "c2", ""),
        ([(D,)], "待补", "", ""),
        ([(R,), (A,)], "已学", "c1", ""),
        ([(A,), (D,)], "已学", "c1", ""),
        ([(A,), (R, "c2")], "已学", "c1", ""),
        ([(A,), (T, 50, 60)], "已销号", "c1", ""),
        ([(T, None, 60)], "已销号", "c1", ""),
        ([(A,), (T, 50, 59.5)], "已学", "c1", NOT_PASSED),
        ([(A,), (T, 80, 70)], "已学", "c1", NOT_PASSED),
        ([(T, None, 40), (T, 40, 80)], "已销号", "c1", ""),
        ([(T, None, 80), (A, "c2")], "已销号", "c1", ""),
        ([(T, None, 80), (T, None, 40)], "重开", "c1", FAILED_AGAIN),
        ([(T, None, 80), (T, None, 40), (R, "c2")], "重开", "c1", FAILED_AGAIN),
        ([(T, None, 80), (T, None, 40), (T, None, 30, "c2")], "重开", "c2", FAILED_AGAIN),
        ([(T, None, 80), (T, None, 40), (A, "c2")], "已学", "c2", ""),
        ([(T, None, 80), (T, None, 40), (T, 40, 90, "c2")], "已销号", "c2", ""),
    ],
)
def test_a_gap_comes_as_far_as_what_happened_says(
    told: Sequence[tuple[object, ...]], status: str, course: str, note: str
):
    happened = events(*told)
    assert state_of(happened) == State(Status(status), course, note, tuple(happened))


def test_what_is_stated_after_it_was_closed_is_open_again_and_what_was_stated_before_is_not():
    closed = events((A,), (T, 50, 80))
    assert state_of(closed, on(0)).status is Status.SETTLED
    assert state_of(closed, on(1)).status is Status.SETTLED
    assert (state_of(closed, on(2)).status, state_of(closed, on(2)).note) == (Status.REOPENED, AGAIN)
    assert state_of(events((A,)), on(2)).status is Status.LEARNT
    assert state_of([], on(2)).status is Status.OPEN


HAPPENED = st.lists(
    st.builds(
        Event,
        st.sampled_from(["c1", "c2"]),
        st.sampled_from(list(Deed)),
        st.integers(0, 9).map(on),
        st.none() | st.floats(0, 100),
        st.none() | st.floats(0, 100),
    ),
    max_size=8,
)


@given(HAPPENED, st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_things_were_told(happened: list[Event], random: object):
    told = {(one.at, one.deed, one.course): one for one in happened}  # Twice the same at once has no order of its own.
    one, other = list(told.values()), list(told.values())
    random.shuffle(other)  # type: ignore[attr-defined]
    assert state_of(one) == state_of(other)


@given(HAPPENED)
def test_nothing_is_closed_without_a_test_that_was_passed(happened: list[Event]):
    state = state_of(happened)
    if state.status in (Status.SETTLED, Status.REOPENED):
        assert any(one.deed is T and one.passed for one in happened)
    assert (state.status is Status.OPEN) == (not state.course)


def people(*told: Sequence[tuple[object, ...]]) -> dict[tuple[str, str], list[Event]]:
    """What happened to the same gap of one person after the other."""
    return {(f"p{number}", "怕讲话"): events(*one) for number, one in enumerate(told)}


def test_of_a_course_nobody_took_it_is_said_that_there_is_no_evidence():
    found = confirmation("c1", people([(R, "c2")], [(R,), (D,)]))
    assert (found.promised, found.closed, found.share) == (0, 0, None)
    assert found.sentence.startswith("尚无证据")


def test_a_course_is_told_by_what_was_closed_of_what_it_was_taken_for():
    passed, failed = [(A,), (T, 50, 80)], [(A,), (T, 50, 55)]
    again = [(T, 50, 80), (T, None, 30)]
    found = confirmation("c1", people(passed, passed, failed, again, [(R,)], [(R,), (D,)], [(R, "c2")]))
    assert (found.promised, found.attended, found.tested, found.closed, found.reopened) == (5, 4, 4, 2, 1)
    assert found.share == 0.4
    assert found.sentence == "5 条短板选用了这门课，其中 4 条有训后测试，确认销号 2 条（占 40%）。"


def test_what_another_course_closed_is_not_this_ones_doing():
    elsewhere = [(A,), (T, 50, 55), (T, 55, 90, "c2")]
    found = confirmation("c1", people(elsewhere, elsewhere, elsewhere))
    assert (found.promised, found.tested, found.closed) == (3, 3, 0)


@pytest.mark.parametrize("count", range(1, LEAST_PEOPLE + 2))
def test_what_too_few_people_stand_behind_is_not_told(count: int):
    told = confirmation("c1", people(*[[(A,), (T, 50, 80)]] * count))
    counts = (told.promised, told.attended, told.tested, told.closed, told.reopened, told.share)
    assert (counts == (None,) * 6) == (count < LEAST_PEOPLE)
    beside = confirmation("c1", people(*[[(A,), (T, 50, 80)]] * count, *[[(R,)]] * LEAST_PEOPLE))
    assert beside.promised == count + LEAST_PEOPLE
    assert (beside.attended, beside.tested, beside.closed) == ((None,) * 3 if count < LEAST_PEOPLE else (count,) * 3)


def test_many_gaps_of_one_person_are_one_person():
    one = {("p1", f"短板{number}"): events((A,), (T, 50, 80)) for number in range(9)}
    assert confirmation("c1", one).promised is None


def test_where_all_attended_and_nobody_was_tested_it_is_said():
    found = confirmation("c1", people(*[[(A,)]] * 4))
    assert (found.promised, found.attended, found.tested, found.closed) == (4, 4, 0, None)
    assert found.sentence == "尚无证据：4 条短板选用了这门课，还没有训后测试。"
