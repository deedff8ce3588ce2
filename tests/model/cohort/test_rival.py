from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given

from model.cohort.filing import Filing
from model.cohort.nouns import Filed, Origin
from model.cohort.rival import Comparison, compare, comparison_sheet
from model.cohort.rules import ClassRules, MenuRules
from model.reports import FOOTER
from model.selection import Needs
from tests.filings import FILINGS, SPEECH, WRITING, filed, kept_of, rows
from tests.model.cohort.test_class_plan import cohort, course, gap, needs

REACH = {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.8}}
COURSES = [course(0), course(1)]


def kept(people: Sequence[Needs], rules: ClassRules | MenuRules | None = None, before: Filed | None = None) -> Filed:
    return kept_of(filed(cohort(list(people), COURSES, REACH), rules, before=before))


def asked(plan: Filed, **parameters: object) -> Filed:
    return replace(plan, origin=Origin("v1", "catalog", parameters))


def figures(found: Comparison) -> dict[str, tuple[float, float]]:
    return {name: (first, second) for name, first, second in found.figures}


def counts(found: Comparison) -> tuple[int, int, int, int]:
    return found.both_close, found.first_closes, found.second_closes, found.neither_closes


PEOPLE = [needs("P1", WRITING, SPEECH), needs("P2", WRITING), needs("P3")]


def test_two_plans_differ_by_what_they_hold_and_close():
    """In one hour the writing course is held for two; excluding it, the speech."""
    first = kept(PEOPLE, ClassRules("专题班", 1))
    second = kept(PEOPLE, ClassRules("专题班", 1, excluded=frozenset({"c0"})))
    found = compare(first, second)
    assert (found.only_first, found.only_second) == ((("c0", "甲" * 6),), (("c1", "乙" * 6),))
    assert counts(found) == (0, 2, 1, 0)
    assert figures(found) == {
        "补上的短板分量（目标值）": (1.8, 0.48), "任何方案都不会超过（上限）": (1.8, 0.48), "课程门数": (1, 1), "总学时": (1, 1), "补上条数": (2, 1),
        "漏下条数": (1, 2), "补上的人数": (2, 1),
    }  # fmt: skip
    assert not found.same_inputs
    assert found.told == (
        "与原方案比较：目标值 1.80 → 0.48，增 1 门、减 1 门课程；两份名册共有的短板中，都补上 0 条，只有原方案补上 2 条，只有本方案补上 1 条。"
    )


def test_the_same_plan_is_told_to_be_the_same():
    found = compare(kept(PEOPLE), kept(PEOPLE))
    assert found.same_inputs
    assert found.told == "与原方案的输入和课程完全相同。"
    assert counts(found) == (3, 0, 0, 0)
    assert found.parameters == ()
    assert rows(comparison_sheet(found))[-1] == {
        "类别": "复核", "项目": "输入指纹", "原方案": "相同", "本方案": "相同", "增减": "",
    }  # fmt: skip


def test_gaps_of_one_roster_alone_are_not_compared():
    found = compare(kept(PEOPLE), kept([needs("P2", WRITING, SPEECH), needs("P4", WRITING)]))
    assert counts(found) == (1, 0, 0, 0)
    assert figures(found)["补上条数"] == (3, 3)


def test_what_is_settled_is_on_one_roster_alone():
    """The second roster no longer states that P2 lacks writing; nobody fails to close it."""
    first = kept(PEOPLE)
    found = compare(first, kept([needs("P1", WRITING, SPEECH), needs("P2"), needs("P3")], before=first))
    assert counts(found) == (2, 0, 0, 0)
    assert figures(found)["补上条数"] == (3, 2)
    assert figures(found)["漏下条数"] == (0, 0)


def test_what_is_arranged_for_a_second_time_is_closed():
    """P2 stops lacking writing, then lacks it again."""
    first = kept(PEOPLE)
    second = kept([PEOPLE[0], needs("P2"), PEOPLE[2]], before=first)
    third = kept(PEOPLE, before=second)
    assert counts(compare(first, third)) == (3, 0, 0, 0)
    assert figures(compare(first, third))["补上条数"] == (3, 3)


def test_a_course_held_several_times_is_one_course():
    people = [needs(f"P{number}", WRITING) for number in range(4)]
    once, twice = kept(people, MenuRules(9, seats=4)), kept(people, MenuRules(9, seats=2, repeats=2))
    assert len(twice.sessions) == 2
    assert figures(compare(once, twice))["课程门数"] == (1, 1)
    assert figures(compare(once, twice))["总学时"] == (1, 2)
    none = kept([needs("P0", SPEECH)], MenuRules(9))
    assert compare(twice, none).only_first == (("c0", "甲" * 6),)


def test_parameters_that_differ_are_told_and_the_versions_among_them():
    first = asked(
        kept(PEOPLE), hours=8.0, share=["党性教育=0.2", "理论教育=0.3"], menu=False, settings={"A": 1, "B": 2}
    )
    second = replace(
        asked(kept(PEOPLE), hours=9.0, menu=True), origin=Origin("v2", "catalog", {"hours": 9.0, "menu": True})
    )
    told = {
        row["项目"]: (row["原方案"], row["本方案"])
        for row in rows(comparison_sheet(compare(first, second)))
        if row["类别"] == "参数"
    }
    assert told == {
        "总学时": ("8.0", "9.0"), "类别比例": ("党性教育=0.2、理论教育=0.3", ""), "菜单选学": ("否", "是"), "设置": ("A 1；B 2", ""),
        "模型版本": ("v1", "v2"),
    }  # fmt: skip


@given(FILINGS, FILINGS)
def test_the_figures_of_two_plans_add_up(one: Filing, other: Filing):
    first, second = kept_of(one), kept_of(other)
    found = compare(first, second)
    for plan, number in ((first, 1), (second, 2)):
        told = {row[0]: row[number] for row in found.figures}
        assert told["补上条数"] + told["漏下条数"] == len(plan.closed) + len(plan.missed)
        assert told["补上的人数"] <= told["补上条数"]
        assert told["补上条数"] == len(plan.closed)
    both, only_first, only_second, neither = counts(found)
    assert both + only_first <= figures(found)["补上条数"][0]
    assert both + only_second <= figures(found)["补上条数"][1]
    assert only_second + neither <= figures(found)["漏下条数"][0]
    assert only_first + neither <= figures(found)["漏下条数"][1]
    back = compare(second, first)
    assert counts(back) == (both, only_second, only_first, neither)
    assert (back.only_first, back.only_second) == (found.only_second, found.only_first)


@given(FILINGS)
def test_all_that_a_plan_closes_counts_as_closed(filing: Filing):
    (told,) = [row for row in compare(kept_of(filing), kept_of(filing)).figures if row[0] == "补上条数"]
    assert told[1] == len(filing.plan.closed)


@given(FILINGS, FILINGS)
def test_the_sheet_tells_all_of_it(one: Filing, other: Filing):
    found = compare(kept_of(one), kept_of(other))
    sheet = comparison_sheet(found)
    told = rows(sheet)
    assert [row["项目"] for row in told if row["类别"] == "总体"] == [name for name, *_ in found.figures]
    assert sum(row["类别"] == "课程" for row in told) == len(found.only_first) + len(found.only_second)
    assert sheet.footer == (FOOTER,)
    assert all(len(row) == len(sheet.header) == len(sheet.widths) for row in sheet.rows)
    shared = [row for row in told if row["类别"] == "两份名册共有的短板"]
    assert [row["原方案"] for row in shared] == [found.both_close, found.first_closes, found.neither_closes]
    assert shared[1]["本方案"] == found.second_closes


def test_plans_that_close_nothing_compare_too():
    empty = kept_of(filed(cohort([needs("P1", gap("观星"))], COURSES, {"观星": {}})))
    found = compare(empty, empty)
    assert counts(found) == (0, 0, 0, 1)
    assert found.told == "与原方案的输入和课程完全相同。"
