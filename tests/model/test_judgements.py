"""Three texts and three courses; reading judgements from files stands in ``test_training.py``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Catalog, Course
from model.judgements import ACCEPTED_GRADE, Judgements, titles_only

# Handed over out of order: a catalog stands in the order of its ids.
CATALOG = Catalog(
    (
        Course("c3", "插花与茶艺"),
        Course("c1", "公文写作十讲", "讲请示、报告。", "文稿", ("公文写作",), 8, required=True),
        Course("c2", "突发事件现场指挥", seats=30, levels=frozenset({20})),
    )
)
TEXTS = {"q9": "写材料没有观点", "q1": "突发事件现场乱成一团", "q5": "一切都好"}
GRADES = {("q1", "c2"): 3, ("q9", "c1"): 2, ("q9", "c2"): 1, ("q1", "c3"): 0, ("q9", "c3"): 3}
JUDGEMENTS = Judgements(CATALOG, TEXTS, dict.fromkeys(TEXTS, "idiom"), GRADES)

judged = st.dictionaries(
    st.tuples(st.sampled_from(list(TEXTS)), st.sampled_from(["c1", "c2", "c3"])), st.integers(0, 3)
)


def test_rows_are_the_texts_as_given_columns_the_courses_by_id_and_grades_from_2_on_are_accepted():
    found = JUDGEMENTS.accepted()
    assert found.dtype == np.bool_
    assert found.tolist() == [
        [True, False, True],  # q9: grades 2, 1, 3
        [False, True, False],  # q1: none, 3, 0
        [False, False, False],  # q5: none at all
    ]


@pytest.mark.parametrize(("grade", "accepted"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_planner_accepts_what_clearly_helps_or_teaches_it(grade: int, accepted: bool):
    found = Judgements(CATALOG, {"q": "写材料"}, {}, {("q", "c2"): grade}).accepted()
    assert found.tolist() == [[False, accepted, False]]


def test_without_grades_nothing_is_accepted():
    assert not Judgements(CATALOG, TEXTS, {}, {}).accepted().any()
    assert Judgements(CATALOG, {}, {}, {}).accepted().shape == (0, 3)


def test_the_grades_of_each_text_are_told_by_course_and_a_text_without_grades_has_none():
    assert JUDGEMENTS.by_text() == {"q9": {"c1": 2, "c2": 1, "c3": 3}, "q1": {"c2": 3, "c3": 0}, "q5": {}}
    assert list(JUDGEMENTS.by_text()) == list(TEXTS)


def test_what_is_told_by_text_may_be_changed_without_changing_the_judgements():
    JUDGEMENTS.by_text()["q5"]["c1"] = 3
    assert JUDGEMENTS.by_text()["q5"] == {}
    JUDGEMENTS.accepted()[:] = True
    assert JUDGEMENTS.accepted().sum() == 3


@given(grades=judged)
def test_the_matrix_and_the_grades_by_text_tell_the_same(grades: dict[tuple[str, str], int]):
    judgements = Judgements(CATALOG, TEXTS, {}, grades)
    told = {
        (query, course)
        for query, by_course in judgements.by_text().items()
        for course, grade in by_course.items()
        if grade >= ACCEPTED_GRADE
    }
    ids = [course.id for course in CATALOG]
    rows, columns = np.nonzero(judgements.accepted())
    assert {(list(TEXTS)[row], ids[column]) for row, column in zip(rows, columns, strict=True)} == told


def test_of_a_bare_title_list_nothing_is_known_but_ids_and_titles():
    assert titles_only(CATALOG).courses == (
        Course("c1", "公文写作十讲"),
        Course("c2", "突发事件现场指挥"),
        Course("c3", "插花与茶艺"),
    )


def test_bare_titles_stand_in_the_rows_of_their_courses_and_stay_what_they_are():
    bare = titles_only(CATALOG)
    assert bare.row_of == CATALOG.row_of
    assert titles_only(bare) == bare
    assert CATALOG.courses[0].summary, "the catalog itself keeps what it says"
