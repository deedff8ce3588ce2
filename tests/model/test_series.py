from __future__ import annotations

from model.domain import Course
from model.series import grouped, joined


def test_parts_of_one_title_are_a_series_in_their_order():
    courses = [Course("1", "心理调适（下）"), Course("2", "公文写作"), Course("3", "心理调适（上）")]
    assert sorted(grouped(courses)) == [(1,), (2, 0)]
    assert [[course.id for course in parts] for parts in joined(courses)] == [["3", "1"]]


def test_a_series_that_the_list_states_is_not_made_out():
    courses = [Course("1", "怎样立意", series="写作营"), Course("2", "怎样改稿", series="写作营")]
    assert grouped(courses) == [(0, 1)]
    assert joined(courses) == []


def test_equal_titles_without_parts_are_no_series_nor_are_parts_of_two_providers_or_lists():
    twice = [Course("1", "公文写作"), Course("2", "公文写作")]
    providers = [Course("1", "党史（上）", provider="甲"), Course("2", "党史（下）", provider="乙")]
    lists = [Course("1", "党史（上）", source="甲"), Course("2", "党史（下）", source="乙")]
    assert all(len(grouped(courses)) == 2 for courses in (twice, providers, lists))
