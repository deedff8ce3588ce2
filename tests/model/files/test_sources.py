"""Several lists as one catalog. The law: whatever is replaced, no course that remains gets another id."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Catalog, Course
from model.errors import InputError
from model.files.sources import UNNAMED, Source, check_name, join, put, sources_of, without

NAMES = ("省网院", "清华", "党校")
LISTS = st.lists(st.sampled_from("1234567"), unique=True, max_size=6)
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), LISTS), max_size=6)


def courses(numbers: list[str], name: str = "") -> list[Course]:
    return [Course(number, f"{name}的课{number}") for number in numbers]


def ids(catalog: Catalog, name: str) -> dict[str, str]:
    """The ids of the courses of one list by their titles."""
    return {course.title: course.id for course in catalog if course.source == name}


def test_of_courses_with_one_number_that_of_the_first_list_keeps_it():
    catalog = join([("省网院", courses(["1", "2"])), ("清华", courses(["2", "3"])), ("党校", courses(["2"]))])
    assert [(course.id, course.source) for course in catalog] == [
        ("1", "省网院"), ("2", "省网院"), ("3", "清华"), ("党校/2", "党校"), ("清华/2", "清华"),
    ]  # fmt: skip


def test_one_list_without_a_name_is_the_catalog_it_was():
    plain = Catalog(tuple(courses(["1", "2"])))
    assert join([("", plain)]).fingerprint == plain.fingerprint


def test_a_replaced_list_leaves_the_numbers_of_others_alone_even_where_it_now_has_them():
    catalog = join([("省网院", courses(["1", "2"])), ("清华", courses(["2", "3"]))])
    again = put(catalog, "省网院", courses(["1", "3"]))
    assert {course.id: course.source for course in again} == {
        "1": "省网院",
        "省网院/3": "省网院",
        "清华/2": "清华",
        "3": "清华",
    }
    # The number that became free is not given back: 清华/2 may have been completed by somebody.
    assert set(put(again, "清华", courses(["2", "3"])).row_of) == set(again.row_of)


def test_a_number_that_looks_like_one_given_by_us_collides_with_nothing():
    catalog = join([("甲", courses(["2", "乙/2"])), ("乙", courses(["2"]))])
    assert len(catalog) == 3
    assert len(join([("", courses(["2"])), ("乙", courses(["2", "乙/2"]))])) == 3


@given(STEPS, st.sampled_from(NAMES), LISTS)
def test_replacing_a_list_changes_no_id_of_a_course_that_remains(steps: list, name: str, numbers: list[str]):
    before = Catalog(())
    for one, own in steps:
        before = put(before, one, courses(own, one))
    after = put(before, name, courses(numbers, name))
    for other in NAMES:
        old, new = ids(before, other), ids(after, other)
        if other != name:
            assert new == old
        assert {title: identity for title, identity in new.items() if title in old}.items() <= old.items()
    assert set(ids(after, name)) == {course.title for course in courses(numbers, name)}


@given(STEPS, st.sampled_from(NAMES))
def test_putting_the_same_list_again_changes_nothing_and_taking_it_away_leaves_the_others(steps: list, name: str):
    catalog = Catalog(())
    last: dict[str, list[str]] = {}
    for one, own in steps:
        catalog, last[one] = put(catalog, one, courses(own, one)), own
    assert put(catalog, name, courses(last.get(name, []), name)).fingerprint == catalog.fingerprint
    left = without(catalog, name)
    assert {course.source for course in left} <= set(NAMES) - {name}
    assert len(left) + len(last.get(name, [])) == len(catalog)


@given(STEPS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_within_a_list_changes_nothing(steps: list, chance):
    one, other = Catalog(()), Catalog(())
    for name, own in steps:
        turned = list(own)
        chance.shuffle(turned)
        one, other = put(one, name, courses(own, name)), put(other, name, courses(turned, name))
    assert one.fingerprint == other.fingerprint


def test_a_source_goes_into_a_card_and_comes_back():
    source = Source("省网院", "表.xlsx", "ab", 2, {"讲什么": "title"}, {"经信类": "履职能力"}, {"rows": 3}, 2026)
    told = json.loads(json.dumps(source.as_json(), ensure_ascii=False))
    assert Source.of_json(told) == source
    assert Source.of_json({**told, "later": 1}) == source


def test_the_lists_of_a_version_are_those_of_its_card_and_one_without_a_name_where_it_tells_none():
    catalog = join([("省网院", courses(["1"])), ("清华", courses(["2"]))])
    card = {"sources": [Source("清华").as_json(), Source("省网院").as_json(), Source("别处").as_json()]}
    assert [source.name for source in sources_of(catalog, card)] == ["清华", "省网院"]
    assert [source.name for source in sources_of(catalog, {})] == ["清华", "省网院"]
    (old,) = sources_of(Catalog(tuple(courses(["1"]))), {"source": "课程表.csv", "reading": {"rows": 2}})
    assert (old.name, old.file, old.courses, old.reading) == ("", "课程表.csv", 1, {"rows": 2})


@pytest.mark.parametrize("name", ["", "  ", "a/b", "名" * 31, "两\n行", UNNAMED])
def test_a_name_that_could_not_stand_in_an_id_is_refused(name: str):
    with pytest.raises(InputError, match="来源名"):
        check_name(name)


def test_a_name_is_taken_without_the_blanks_around_it():
    assert check_name(" 省网院 ") == "省网院"
