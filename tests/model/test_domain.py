from __future__ import annotations

import dataclasses
import pickle
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import (
    REASON_WORDS,
    Candidate,
    Catalog,
    Course,
    Fault,
    Gap,
    Limits,
    Part,
    Profile,
    Reading,
    Reason,
)

COURSES = (
    Course("c3", "应急处突实务", hours=2.0, levels=frozenset({10, 20}), posts=frozenset({"乡镇街道"})),
    Course("c1", "公文写作入门", hours=1.0, seats=30),
    Course("c2", "公文写作提高"),
)

gaps = st.builds(
    Gap,
    text=st.sampled_from(["写材料", "应急", "保密", "招商"]),
    competency=st.none(),
    reason=st.sampled_from(Reason),
    kind=st.none(),
    source=st.just("本人自评"),
    weight=st.integers(0, 100).map(lambda hundredths: hundredths / 100),
)
parts = st.builds(Part, gap=gaps, relevance=st.floats(0.4, 1).map(lambda value: round(value, 4)))


def exactly(value: float) -> Decimal:
    return Decimal(str(value))


@given(st.lists(parts, max_size=8))
def test_the_printed_parts_add_up_to_the_printed_scores_to_the_last_digit(found: list[Part]) -> None:
    candidate = Candidate(COURSES[0], tuple(found))
    duty = [part for part in found if part.gap.reason is Reason.DUTY]
    lack = [part for part in found if part.gap.reason is Reason.LACK]
    assert exactly(candidate.duty_score) == sum(exactly(part.value) for part in duty)
    assert exactly(candidate.lack_score) == sum(exactly(part.value) for part in lack)
    assert exactly(candidate.score) == exactly(candidate.duty_score) + exactly(candidate.lack_score)


def test_a_part_is_the_weight_of_the_gap_times_the_relevance_to_four_decimals() -> None:
    gap = Gap("写材料", "公文写作", Reason.LACK, "能力弱项", "本人自评", 0.72)
    assert Part(gap, 0.7777).value == 0.5599


def test_a_candidate_without_parts_scores_nothing() -> None:
    candidate = Candidate(COURSES[0], ())
    assert (candidate.score, candidate.duty_score, candidate.lack_score) == (0.0, 0.0, 0.0)


def test_both_reasons_have_the_planners_own_words() -> None:
    assert REASON_WORDS == {Reason.DUTY: "干什么学什么", Reason.LACK: "缺什么补什么"}
    assert [reason.value for reason in Reason] == ["duty", "lack"]


def test_a_catalog_stands_in_the_order_of_its_ids_whatever_the_order_of_its_rows() -> None:
    catalog = Catalog(COURSES)
    assert [course.id for course in catalog] == ["c1", "c2", "c3"]
    assert catalog.row_of == {"c1": 0, "c2": 1, "c3": 2}
    assert len(catalog) == 3


def test_a_catalog_refuses_two_courses_with_one_id() -> None:
    with pytest.raises(ValueError, match="unique"):
        Catalog((*COURSES, Course("c1", "另一门课")))


@given(st.permutations(COURSES))
def test_equal_catalogs_have_equal_fingerprints_whatever_their_row_order(rows: list[Course]) -> None:
    assert Catalog(tuple(rows)).fingerprint == Catalog(COURSES).fingerprint
    assert Catalog(tuple(rows)) == Catalog(COURSES)


CHANGES = {
    "title": "改名",
    "summary": "新简介",
    "category": "法治",
    "competencies": ("保密",),
    "hours": 9.0,
    "mode": "直播",
    "levels": frozenset({90}),
    "posts": frozenset({"党政综合"}),
    "required": True,
    "provider": "市委党校",
    "teacher_kind": "专家学者",
    "year": 2026,
    "seats": 1,
    "series": "三讲",
    "source": "省网院",
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_sees_a_change_in_any_field(change: str) -> None:
    changed = dataclasses.replace(COURSES[0], **{change: CHANGES[change]})
    assert Catalog((changed, *COURSES[1:])).fingerprint != Catalog(COURSES).fingerprint


def test_the_changes_tried_on_the_fingerprint_are_all_fields_but_the_id() -> None:
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Course)} - {"id"}


def test_the_fingerprint_does_not_depend_on_the_order_within_sets() -> None:
    levels = [0, 10, 20, 30, 40, 50]
    prints = set()
    for seed in range(5):
        random.Random(seed).shuffle(levels)
        prints.add(Catalog((dataclasses.replace(COURSES[0], levels=frozenset(levels)),)).fingerprint)
    assert len(prints) == 1


@pytest.mark.parametrize(
    "value", [COURSES[0], Profile("P1"), Limits(), Fault("表!A1", "", "空", "补上"), Catalog(COURSES)]
)
def test_values_are_frozen(value: object) -> None:
    name = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "changed")


def test_a_profile_needs_nothing_but_an_id() -> None:
    person = Profile("P1")
    assert (person.weaknesses, person.completed, person.restrictions) == ((), (), frozenset())
    assert (
        person.hours_available is person.hours_done is person.online_hours_done is person.five_year_hours_done is None
    )


def test_a_fault_names_its_cell_its_value_and_what_would_be_right() -> None:
    assert str(Fault("花名册!B7", "很多", "不是学时数", "可写“24”")) == "花名册!B7: “很多”，不是学时数；可写“24”"
    assert str(Fault("花名册!B7", "", "缺少姓名", "请补上")) == "花名册!B7: 缺少姓名；请补上"


def test_a_reading_counts_the_rows_that_became_values() -> None:
    reading = Reading((Profile("P1"), Profile("P2")), rows=6, rejected=1, skipped={"表头": 2, "空行": 1})
    assert reading.read == 2
    assert reading.read + reading.rejected + sum(reading.skipped.values()) == reading.rows


def test_a_list_without_a_name_leaves_the_fingerprint_of_before() -> None:
    assert Catalog((Course("1", "公文写作"),)).fingerprint == "65578a2a9145bc8e"


def test_a_course_stored_by_a_release_that_knew_fewer_fields_is_read_with_these_not_stated() -> None:
    stored = pickle.dumps(COURSES[0])
    assert pickle.loads(stored) == COURSES[0]
    older = Course.__new__(Course)
    older.__setstate__(["1", "公文写作", "简介"])
    assert older == Course("1", "公文写作", "简介")
