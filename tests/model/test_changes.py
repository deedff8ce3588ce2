"""What a new catalog changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.changes import OTHERS, compare, freshness
from model.domain import Catalog, Course

BASE = (
    Course("1", "公文写作与处理实务", category="履职能力", hours=2.0),
    Course("2", "突发事件应急处置", category="履职能力", hours=3.0),
    Course("3", "党史学习专题", category="党性教育", hours=1.0),
    Course("4", "乡村振兴的路径", category="履职能力"),
    Course("5", "数字经济前沿（上）", category="知识"),
)


def after(*courses: Course) -> Catalog:
    return Catalog(courses)


def test_what_came_went_and_changed_is_told_each_in_its_place():
    changes = compare(
        Catalog(BASE),
        after(
            BASE[0],
            replace(BASE[1], title="突发事件现场处置", hours=4.0),
            replace(BASE[2], category="理论教育", seats=30),
            Course("9", "乡村振兴的新路径", category="履职能力"),
            Course("10", "信访工作法治化"),
        ),
    )
    assert [course.id for course in changes.added] == ["10"]
    assert [course.id for course in changes.removed] == ["5"]
    assert [(pair.before.id, pair.after.id) for pair in changes.renamed] == [("2", "2"), ("4", "9")]
    assert [pair.after.id for pair in changes.recategorised] == ["3"]
    assert [(pair.before.hours, pair.after.hours) for pair in changes.retimed] == [(3.0, 4.0)]
    assert changes.others == {"seats": 1}
    assert (changes.before, changes.after, changes.unchanged, changes.changed) == (5, 5, 1, 3)


def test_the_same_catalog_changes_nothing():
    changes = compare(Catalog(BASE), Catalog(BASE))
    assert (changes.unchanged, changes.changed, changes.others) == (5, 0, {})
    assert not any((changes.added, changes.removed, changes.renamed, changes.recategorised, changes.retimed))


def test_a_course_with_another_number_is_neither_new_nor_gone():
    changes = compare(Catalog(BASE), after(*BASE[1:], replace(BASE[0], id="88")))
    assert [(pair.before.id, pair.after.id) for pair in changes.renumbered] == [("1", "88")]
    assert (changes.added, changes.removed, changes.renamed) == ((), (), ())


def test_of_several_alike_titles_the_most_alike_are_paired_and_none_twice():
    before = Catalog((Course("1", "领导干部心理健康与压力调适"), Course("2", "领导干部心理健康与情绪调适")))
    new = after(Course("8", "领导干部心理健康和情绪调适"), Course("9", "领导干部心理健康与压力调节"))
    changes = compare(before, new)
    assert [(pair.before.id, pair.after.id) for pair in changes.renamed] == [("1", "9"), ("2", "8")]


def test_one_part_of_a_series_is_never_taken_for_another():
    changes = compare(Catalog((BASE[4],)), after(Course("6", "数字经济前沿（下）")))
    assert (len(changes.added), len(changes.removed)) == (1, 1)


def test_the_source_of_a_course_is_no_change():
    assert compare(Catalog(BASE), after(*(replace(one, source="省网院") for one in BASE))).unchanged == 5
    assert set(OTHERS) == {
        "summary", "competencies", "mode", "levels", "posts", "required", "provider", "teacher_kind", "year", "seats", "series",
    }  # fmt: skip


def test_near_duplicates_are_told_across_providers_and_lists_not_within_one():
    def twins(**other: str) -> Catalog:
        return after(
            Course("1", "宏观经济形势分析与展望", provider="甲"), Course("2", "宏观经济形势分析和展望", **other)
        )

    assert [len(compare(Catalog(()), new).duplicates) for new in (twins(provider="甲"), twins(provider="乙"))] == [0, 1]
    assert len(compare(Catalog(()), twins(provider="甲", source="清华")).duplicates) == 1


def test_series_made_out_by_their_parts_are_told():
    new = after(Course("1", "数字经济（下）"), Course("2", "数字经济（上）"))
    assert [[part.id for part in parts] for parts in compare(Catalog(()), new).series] == [["2", "1"]]


def test_the_rate_of_renewal_of_the_report_is_met():
    """新开《树立和践行正确政绩观》等课程24门，更新率达到45%: about 53 courses."""
    new = Catalog(tuple(Course(str(n), "x", year=2025 if n < 24 else 2020 + n % 5) for n in range(53)))
    fresh = freshness(new)
    assert (fresh.year, fresh.new, fresh.total, f"{fresh.rate:.0%}") == (2025, 24, 53, "45%")


def test_the_year_may_be_told_and_later_courses_do_not_count():
    new = after(Course("1", "a", year=2024), Course("2", "b", year=2025), Course("3", "c", year=2026), Course("4", "d"))
    fresh = freshness(new, 2025)
    assert (fresh.new, fresh.total, fresh.unstated, fresh.rate) == (1, 3, 1, 0.3333)


@pytest.mark.parametrize(("year", "mentions"), [(None, "年度"), (2025, "年度")])
def test_without_years_there_is_no_rate_but_the_reason(year: int | None, mentions: str):
    fresh = freshness(Catalog(BASE), year)
    assert fresh.rate is None
    assert mentions in fresh.reason
    assert freshness(after(Course("1", "a", year=2030)), 2025).rate is None


COURSES = st.lists(
    st.builds(
        Course,
        id=st.sampled_from("abcdef"),
        title=st.sampled_from(["公文写作与处理", "公文写作和处理", "应急处突（上）", "应急处突（下）", "党史"]),
        category=st.sampled_from(["", "知识"]),
        hours=st.sampled_from([None, 2.0]),
    ),
    unique_by=lambda course: course.id,
    max_size=6,
).map(lambda courses: Catalog(tuple(courses)))


@given(COURSES, COURSES)
def test_every_course_is_accounted_for_on_both_sides(before: Catalog, new: Catalog):
    changes = compare(before, new)
    assert changes.unchanged + changes.changed + len(changes.removed) == changes.before == len(before)
    assert changes.unchanged + changes.changed + len(changes.added) == changes.after == len(new)
