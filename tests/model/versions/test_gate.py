"""What is told of two versions: worlds in which it is known who gets what, and laws that hold for any."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import CATALOG, LEXICON

from model.domain import Catalog, Course, Profile, Weakness
from model.recommender import Recommender
from model.versions.gate import LARGEST, LEAST_CASES, Frozen, Report, Thresholds, compare, counterparts
from model.versions.gate_quality import Case, own_quality
from model.versions.gate_sheets import report_sheets
from tests.model.test_matcher import TEXTS, world

LACKS = ("公文写作能力不足", "不会处置突发事件", "纪律处分条例没学透")
SERVED = dict(zip(LACKS, ("c1", "c2", "c3"), strict=True))
LENIENT = Thresholds(1, 1, 1)
STRICT = Thresholds(0, 0, 0)


@cache
def before() -> Recommender:
    matcher, judgements = world()
    return Recommender("v0001", LEXICON, matcher.fit(CATALOG, judgements), CATALOG, 0.3)


def on(catalog: Catalog, version: str = "v0002") -> Recommender:
    """The same version made ready for another catalog."""
    return replace(before(), version=version, matcher=before().matcher.for_catalog(catalog), catalog=catalog)


def without(*courses: str) -> Catalog:
    return Catalog(tuple(course for course in CATALOG if course.id not in courses))


def frozen(*people: Profile, cases: tuple[Case, ...] = ()) -> Frozen:
    return Frozen(world()[1], people or people_lacking(*LACKS), cases)


def people_lacking(*lacks: str) -> tuple[Profile, ...]:
    return tuple(Profile(f"P{row}", "某人", weaknesses=(Weakness(lack),)) for row, lack in enumerate(lacks, start=1))


def test_a_version_held_against_itself_changes_nothing_and_passes_the_strictest_gate() -> None:
    report = compare(before(), before(), frozen(), STRICT)
    assert (report.people, report.changed, report.shifts, report.largest, report.findings) == (3, 0, (), (), ())
    assert (report.gaps, report.newly_unmet, report.newly_met) == (3, 0, 0)
    assert report.quality.before == report.quality.after
    assert tuple(report.quality.difference) == (0, 0, 0)
    assert report.quality.cases == len(TEXTS) - 1, "the text that has no answer is no case"


def test_a_course_that_is_gone_leaves_its_gaps_unmet_with_the_cause_and_is_told_with_its_people() -> None:
    twice = people_lacking(*LACKS, LACKS[1])
    report = compare(before(), on(without("c2")), frozen(*twice), Thresholds())
    assert [(one.need, one.cause, one.gaps, one.people) for one in report.unmet] == [("应急处突", "目录无课", 2, 2)]
    assert (report.gaps, report.newly_unmet, report.newly_met, report.changed) == (4, 2, 0, 2)
    assert [(one.course_id, one.before, one.after) for one in report.shifts] == [("c2", 2, 0)]
    assert (report.entering, report.vanishing) == (0, 1)
    assert [(one.row, one.id, one.distance, one.before, one.after) for one in report.largest] == [
        (2, "P2", 1, ("突发事件现场指挥",), ()), (4, "P4", 1, ("突发事件现场指挥",), ()),
    ]  # fmt: skip
    (finding,) = report.findings
    assert finding.check == "unmet"
    assert "2 条原来有课的短板" in finding.told
    assert "应急处突（目录无课）2 条" in finding.told
    assert "QUEBU_GATE_UNMET" in finding.told


def test_the_way_back_turns_the_same_gaps_met_and_tells_why_each_new_course_is_there() -> None:
    report = compare(on(without("c2")), before(), frozen(), STRICT)
    assert [(one.need, one.cause) for one in report.met] == [("应急处突", "目录无课")]
    assert (report.newly_unmet, report.newly_met, report.entering, report.vanishing) == (0, 1, 1, 0)
    ((title, why),) = report.largest[0].reasons
    assert title == "突发事件现场指挥"
    assert why.startswith("缺什么补什么“应急处突”")
    assert "分" in why
    assert [finding.check for finding in report.findings] == ["changed"]


def test_neither_names_nor_the_words_of_people_are_in_a_report() -> None:
    text = json.dumps(asdict(compare(before(), on(without("c2")), frozen(), STRICT)), ensure_ascii=False)
    assert "某人" not in text
    assert not any(lack in text for lack in LACKS)


def test_courses_whose_numbers_moved_are_the_same_courses() -> None:
    moved = Catalog(tuple(replace(course, id=f"c{row}") for row, course in enumerate(CATALOG, start=2)))
    report = compare(before(), on(moved), frozen(), STRICT)
    assert (report.changed, report.shifts, report.newly_unmet, report.findings) == (0, (), 0, ())


def test_which_course_is_which() -> None:
    after = Catalog(
        (
            Course("c2", "公文写作十讲"),  # Its row has moved.
            Course("c9", "插花与茶艺"),
            Course("c3", "《纪律处分条例》逐条精读"),  # Another title, and neither stands elsewhere.
            Course("c1", "新课"),  # The number of one that has moved.
            Course("c8", "又一门新课"),
        )
    )
    assert counterparts(CATALOG, after) == {"c2": "c1", "c9": "c4", "c3": "c3"}


titles = st.lists(st.sampled_from("甲乙丙丁戊己"), min_size=1, max_size=6)


@given(titles, titles)
def test_no_course_has_two_counterparts_and_the_way_back_is_the_same(old: list[str], new: list[str]) -> None:
    one, other = (Catalog(tuple(Course(f"c{row}", title) for row, title in enumerate(part))) for part in (old, new))
    there, back = counterparts(one, other), counterparts(other, one)
    assert {value: key for key, value in there.items()} == back
    assert counterparts(one, one) == {course.id: course.id for course in one}


def test_a_version_that_ranks_worse_is_told_by_how_much_and_how_sure_that_is() -> None:
    worse = replace(before(), version="v0002", matcher=world()[0].fit(CATALOG, _turned()))
    report = compare(before(), worse, frozen(), Thresholds(unmet=1))
    assert report.quality.difference.mean == pytest.approx(
        report.quality.after.mean - report.quality.before.mean, abs=1e-3
    )
    assert report.quality.difference.low <= report.quality.difference.mean <= report.quality.difference.high < 0
    (finding,) = (one for one in report.findings if one.check == "quality")
    assert "QUEBU_GATE_QUALITY" in finding.told
    assert f"{report.quality.difference.mean:+.3f}" in finding.told
    assert compare(before(), worse, frozen(), LENIENT).findings == ()


def _turned():
    """Judgements by somebody who wants flowers whatever is asked."""
    judgements = world()[1]
    return replace(judgements, grades={(text, "c4"): 3 for text in TEXTS if text != "q7"})


def test_the_own_cases_of_a_planner_speak_against_a_version_once_there_are_enough() -> None:
    cases = tuple(Case(lack, course, accepted=True) for lack, course in SERVED.items())
    few = compare(before(), on(without("c4")), frozen(cases=cases), STRICT)
    assert few.own
    assert (few.own.metric, few.own.cases, few.own.after.mean) == ("agreement", 3, 1.0)
    unwilling = replace(before(), version="v0002", accepted=2.0)
    assert "own" not in {one.check for one in compare(before(), unwilling, frozen(cases=cases), STRICT).findings}
    many = cases * (LEAST_CASES // 3)
    assert "own" in {one.check for one in compare(before(), unwilling, frozen(cases=many), STRICT).findings}


def test_cases_about_courses_that_one_of_the_catalogs_lacks_do_not_count() -> None:
    cases = [Case(LACKS[0], course, accepted=True) for course in ("c1", "c2", "c9")]
    found = own_quality(before(), on(without("c2")), cases, counterparts(CATALOG, without("c2")))
    assert found
    assert found.cases == 1
    assert own_quality(before(), before(), [], {}) is None


def test_the_people_whose_lists_change_most_come_first_and_no_more_than_ten() -> None:
    people = people_lacking(*LACKS[:1] * 14)
    both = replace(people[7], weaknesses=(Weakness(LACKS[0]), Weakness(LACKS[1])))
    report = compare(before(), on(without("c1", "c2")), frozen(*people[:7], both, *people[8:]), LENIENT)
    assert report.changed == 14
    assert len(report.largest) == LARGEST
    assert [one.row for one in report.largest] == [8, 1, 2, 3, 4, 5, 6, 7, 9, 10]
    assert report.largest[0].distance == 2


def test_two_versions_that_learnt_the_same_are_read_once_and_told_as_if_they_were_read_twice() -> None:
    one, other = replace(before(), learnt="same"), replace(on(without("c4")), learnt="same")
    assert compare(one, other, frozen(), LENIENT) == compare(before(), on(without("c4")), frozen(), LENIENT)


def test_nobody_on_the_roster_is_nothing_to_divide_by() -> None:
    report = compare(before(), on(without("c2")), Frozen(world()[1], ()), STRICT)
    assert (report.people, report.changed, report.gaps, report.findings) == (0, 0, 0, ())


def test_the_sheets_hold_what_the_report_tells_and_add_up() -> None:
    report: Report = compare(before(), on(without("c2")), frozen(), Thresholds())
    overall, courses, gaps, people = report_sheets(report)
    assert [sheet.name for sheet in (overall, courses, gaps, people)] == [
        "变更报告",
        "课程进出",
        "短板变化",
        "变化最大的人员",
    ]
    assert any(finding.told in row for finding in report.findings for row in overall.rows)
    assert sum(row[3] for row in gaps.rows if row[0] == "变成没有课") == report.newly_unmet
    assert [row[4] for row in courses.rows] == [-1]
    assert [row[0] for row in people.rows] == [2]
    assert all(
        len(row) == len(sheet.header) == len(sheet.widths)
        for sheet in (overall, courses, gaps, people)
        for row in sheet.rows
    )


def test_the_same_is_told_whatever_else_was_asked_before() -> None:
    first = compare(before(), on(without("c2")), frozen(), STRICT)
    before().relevance([*LACKS, "别的"])
    assert np.array_equal(first.quality.before, compare(before(), on(without("c2")), frozen(), STRICT).quality.before)
    assert compare(before(), on(without("c2")), frozen(), STRICT) == first
