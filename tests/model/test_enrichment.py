"""What each course was understood to teach, how that is known, and which courses somebody should look at."""

from __future__ import annotations

from functools import cache

from test_recommender import COURSES, train

from model.curation import Taught
from model.domain import Course
from model.enrichment import ENOUGH, SAID, STATED, TO_REVIEW, proposals, to_review
from model.overrides import Overrides
from model.recommender import Recommender


@cache
def known() -> Recommender:
    return train([*COURSES, Course("c6", "随便聊聊"), Course("c7", "聊聊天", competencies=("应急处突",))])


def test_what_a_list_states_and_what_somebody_said_is_not_asked_again() -> None:
    found = {one.course.id: one for one in proposals(known())}
    assert found["c7"].state == STATED
    assert found["c7"].competencies[0][0] == "应急处突"
    assert found["c6"].state in TO_REVIEW
    said = known().under(Overrides.of([Taught(1, "c6", ("公文写作",)), Taught(2, "c4", ())]))
    after = {one.course.id: one for one in proposals(said)}
    assert (after["c6"].state, after["c6"].competencies[0]) == (SAID, ("公文写作", 1.0))
    assert (after["c4"].state, after["c4"].competencies) == (SAID, ())
    assert {one.course.id for one in to_review(after.values())} == {
        one.course.id for one in to_review(found.values())
    } - {"c6", "c4"}


def test_the_least_sure_come_first_and_nothing_sure_is_asked() -> None:
    every = proposals(known())
    asked = to_review(every)
    assert asked
    assert [one.surely for one in asked] == sorted(one.surely for one in asked)
    assert all(one.surely < ENOUGH for one in asked)
    assert [one.course.id for one in every] == [course.id for course in known().catalog]
    assert all(0 <= value <= 1 for one in every for _, value in one.competencies)
