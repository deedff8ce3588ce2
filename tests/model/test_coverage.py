"""What a catalog leaves out: competencies without a course, and courses nobody of a roster was recommended."""

from __future__ import annotations

import pytest
from test_recommender import CLERK, COURSES, LEXICON, MAYOR, train

from model import coverage as subject
from model.coverage import coverage, left_over, use_of
from model.domain import Catalog, Limits
from model.overrides import Overrides, Rejection
from model.recommender import Recommender


@pytest.fixture(scope="module")
def known() -> Recommender:
    return train([course for course in COURSES if course.id != "c2"])


def test_every_competency_is_told_once_and_one_without_a_course_with_the_nearest(known: Recommender):
    found = {one.competency.name: one for one in coverage(known)}
    assert list(found) == [one.name for one in LEXICON.competencies]
    assert found["公文写作"].courses >= 2
    assert found["公文写作"].mainly >= 2
    nearest = found["公文写作"].nearest
    assert nearest
    assert nearest.course.id in {"c1", "c5"}
    assert found["应急处突"].courses == 0, "the course for it is not in this catalog"
    nearest = found["应急处突"].nearest
    assert nearest
    assert nearest.relevance < known.accepted


def test_a_course_counts_where_it_would_close_a_gap_of_that_name_and_nowhere_else(known: Recommender):
    for one in coverage(known):
        (answer,) = known.answer([one.competency.name], len(known.catalog))
        assert answer.answerable == (one.courses > 0)
        assert one.courses == sum(match.relevance >= known.accepted for match in answer.matches)


def test_a_rejected_course_covers_nothing_it_was_rejected_for(known: Recommender):
    before = {one.competency.name: one.courses for one in coverage(known)}
    out = [Rejection(number, course, "公文写作") for number, course in enumerate(("c1", "c5"), start=1)]
    after = {one.competency.name: one.courses for one in coverage(known.under(Overrides.of(out)))}
    assert before["公文写作"] - after["公文写作"] == 2
    assert {name: count for name, count in after.items() if name != "公文写作"} == {
        name: count for name, count in before.items() if name != "公文写作"
    }
    everything = [Rejection(number, course.id) for number, course in enumerate(known.catalog, start=1)]
    assert {(one.courses, one.nearest) for one in coverage(known.under(Overrides.of(everything)))} == {(0, None)}


def test_competencies_looked_up_a_few_at_a_time_are_the_same(known: Recommender, monkeypatch: pytest.MonkeyPatch):
    whole = coverage(known)
    monkeypatch.setattr(subject, "CHUNK", 1)
    assert coverage(known) == whole


def test_people_are_counted_once_for_what_they_lack_and_for_each_course_they_are_recommended(known: Recommender):
    plans = list(known.plans([MAYOR, CLERK], Limits()))
    use = use_of(
        ((gap.competency for gap in plan.gaps), (one.candidate.course.id for one in plan.recommendations))
        for plan in plans
    )
    assert use.people == 2
    assert use.needed["公文写作"] == sum(any(gap.competency == "公文写作" for gap in plan.gaps) for plan in plans)
    assert None not in use.needed
    offered = {one.candidate.course.id for plan in plans for one in plan.recommendations}
    assert {course.id for course in left_over(known.catalog, use)} == set(known.catalog.row_of) - offered
    assert "c4" not in offered


def test_two_gaps_of_one_competency_are_one_need_of_one_person():
    use = use_of([(["公文写作", "公文写作", None], ["c1", "c1"]), (["公文写作"], [])])
    assert (use.people, use.needed, use.recommended) == (2, {"公文写作": 2}, {"c1": 1})
    assert left_over(Catalog(COURSES), use_of([])) == list(Catalog(COURSES))
