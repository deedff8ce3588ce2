"""Who lacks what: everything is counted from the same list, so all sums agree."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from model.cohort.diagnosis import Person, Told, diagnosed, heat_map, needs_of, place_of, sources_of, step_of
from model.domain import Catalog, Cause, Course, Gap, Limits, Profile, Reason
from model.lexicon import Lexicon
from model.reports import need_of
from model.selection import Needs, Reached, Selector

SOURCES = ("本人自评", "组织评价", "岗位要求")


def told(text: str, cause: Cause | None = None, reason: Reason = Reason.LACK, source: str = "本人自评") -> Told:
    return Told(Gap(text, text, reason, None, source, 0.5), cause)


def person(identity: str, *gaps: Told, unit: str = "甲局", level: str = "乡科级") -> Person:
    return Person(identity, f"名{identity}", unit, "科长", level, gaps)


gaps = st.builds(
    told,
    st.sampled_from([f"能力{number}" for number in range(30)]),
    st.sampled_from([None, Cause.NO_COURSE, Cause.LEVEL]),
    st.sampled_from(list(Reason)),
    st.sampled_from(SOURCES),
)
rosters = st.lists(
    st.tuples(st.lists(gaps, max_size=6), st.sampled_from(["甲局", "乙局", ""]), st.sampled_from(["乡科级", ""])),
    max_size=12,
).map(lambda rows: [person(str(n), *own, unit=unit, level=level) for n, (own, unit, level) in enumerate(rows)])


@given(rosters, st.sampled_from(["单位", "层级"]))
def test_the_cells_of_a_map_add_up_to_all_gaps_and_its_people_to_all_people(people: list[Person], axis: str):
    found = heat_map(people, axis)
    everything = sum(len(one.gaps) for one in people)
    assert sum(sum(row.counts) for row in found.rows) == sum(row.total for row in found.rows) == everything
    assert sum(row.people for row in found.rows) == len(people)
    assert {row.name for row in found.rows} == {place_of(axis)(one) for one in people}
    assert all(len(row.counts) == len(found.columns) for row in found.rows)


@given(rosters)
def test_needs_and_sources_count_the_same_gaps(people: list[Person]):
    everything = sum(len(one.gaps) for one in people)
    assert sum(need.lacks + need.duties for need in needs_of(people)) == everything
    assert sum(source.gaps for source in sources_of(people)) == everything
    for need in needs_of(people):
        lacking = {one.id for one in people if any(need_of(gap.gap) == need.need for gap in one.gaps)}
        assert need.people == len(lacking)
        assert need.served <= need.people


def test_a_need_of_many_is_common_and_of_few_individual_whatever_the_share():
    people = [person(str(number), told("写作")) for number in range(3)] + [person("9", told("外语"))]
    found = {need.need: (need.common, need.step) for need in needs_of(people)}
    assert found == {
        "写作": (True, "共性需求，建议排入班次集中培训。"),
        "外语": (False, "个性需求，建议菜单选学或结对帮带。"),
    }
    assert [need.common for need in needs_of(people[:2])] == [False]  # All of two people are still no cohort.
    assert [need.common for need in needs_of(people, share=0.9)] == [False, False]


def test_what_stands_in_the_way_of_most_decides_what_to_do():
    assert "委托开发" in step_of([told("甲", Cause.NO_COURSE), told("甲", Cause.NO_COURSE), told("甲")], common=True)
    assert "写明" in step_of([told("甲", Cause.UNCLEAR)], common=False)
    assert "不适合" in step_of([told("甲", Cause.EXCLUDED)], common=False)
    assert step_of([told("甲", Cause.NO_COURSE), told("甲")], common=True).startswith("共性")


def test_of_whom_nobody_said_anything_only_the_post_speaks():
    assert person("1").states_nothing
    assert person("1", told("甲", reason=Reason.DUTY)).states_nothing
    assert not person("1", told("甲")).states_nothing


def test_a_gap_is_told_with_why_no_course_would_close_it(tiny_lexicon: Lexicon):
    catalog = Catalog((Course("c0", "写作"), Course("c1", "外语", levels=frozenset({40}))))
    own = tuple(Gap(text, text, Reason.LACK, None, "本人自评", 0.5) for text in ("写作", "外语", "摄影"))
    needs = Needs(Profile("P1", unit="甲局", level=20), None, frozenset(), own, (False,) * 3)
    reach = {"写作": {0: Reached(0.9)}, "外语": {1: Reached(0.9)}, "摄影": {}}

    (found,) = diagnosed([needs], reach, Selector(catalog, Limits()), tiny_lexicon)
    assert [one.cause for one in found.gaps] == [None, Cause.LEVEL, Cause.NO_COURSE]
    assert (found.unit, found.level, found.name) == ("甲局", "乡科级正职", "")


def test_competencies_beyond_the_twentieth_are_counted_together():
    people = [person("1", *(told(f"能力{number:02}") for number in range(30)))]
    found = heat_map(people, "单位")
    assert (len(found.columns), found.columns[-1], found.rows[0].counts[-1]) == (21, "其他能力", 10)
    assert Counter(found.columns).most_common(1)[0][1] == 1
