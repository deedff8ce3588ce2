"""Chains of plan, new roster, plan, as planners go through them: the plan before is kept as JSON and read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from model.cohort.filing import Filing
from model.cohort.follow import AGAIN, STILL, UNSEEN, follow
from model.cohort.nouns import Fate, Filed, GapKey, Status
from model.cohort.rules import ClassRules
from model.domain import Gap, Reason
from model.selection import Needs
from service.shapes.plans import dump_cohort, load_cohort
from tests.filings import DUTY, FILINGS, SPEECH, WRITING, filed, kept_of
from tests.model.cohort.test_class_plan import cohort, course, needs

KEY: GapKey = ("P1", Reason.LACK, "写材料")
ONE_HOUR = ClassRules("专题班", 1)
TWO = {"写材料": {"c0": 0.9, "c1": 0.8}}
ONE = {"写材料": {"c0": 0.9}}


def kept(filing: Filing) -> Filed:
    """What is read of the file that was written."""
    return load_cohort(json.loads(json.dumps(dump_cohort(filing))))


def chain(reach: dict[str, dict[str, float]], *rosters: Sequence[Needs]) -> list[Fate | None]:
    """What the gap has come to after each roster."""
    before, found = None, []
    for people in rosters:
        filing = filed(cohort([*people, needs("P9")], [course(0), course(1)], reach), ONE_HOUR, before=before)
        found.append(filing.fates.get(KEY))
        before = kept(filing)
    return found


def states(*fates: Fate | None) -> list[str]:
    return [fate.status.value if fate else "" for fate in fates]


def one(*gaps: Gap, learnt: Sequence[str] = ()) -> list[Needs]:
    return [needs("P1", *gaps, completed=learnt)]


def test_without_a_plan_before_what_is_closed_is_arranged_and_the_rest_is_open():
    filing = filed(cohort([needs("P1", WRITING, SPEECH)], [course(0)], ONE | {"讲话": {}}))
    assert {text: (fate.status, fate.course) for (_, _, text), fate in filing.fates.items()} == {
        "写材料": (Status.ARRANGED, "c0"),
        "讲话": (Status.OPEN, ""),
    }


def test_what_was_open_is_arranged_once_there_is_a_course_and_open_again_where_it_is_gone():
    found = []
    before = None
    for reach in ({"写材料": {}}, ONE, {"写材料": {}}):
        filing = filed(cohort(one(WRITING), [course(0)], reach), before=before)
        found.append(filing.fates[KEY])
        before = kept(filing)
    assert states(*found) == ["待补", "已安排", "待补"]


def test_who_has_completed_what_was_arranged_has_learnt():
    assert states(*chain(TWO, one(WRITING), one(WRITING, learnt=["c0"]))) == ["已安排", "已学"]
    assert states(*chain(ONE, one(WRITING), one(WRITING, learnt=["c0"]))) == ["已安排", "已学"]


def test_who_has_completed_something_else_has_not_learnt_what_was_arranged():
    assert states(*chain(TWO, one(WRITING), one(WRITING, learnt=["c1"]))) == ["已安排", "已安排"]


def test_what_was_learnt_and_is_no_longer_stated_is_settled_and_stays_so():
    *found, last = chain(TWO, one(WRITING), one(learnt=["c0"]), one(learnt=["c0"]))
    assert states(*found) == ["已安排", "已销号"]
    assert last == found[-1] == Fate(Status.SETTLED, "c0", "写作")


def test_what_is_no_longer_stated_and_was_not_seen_learnt_stays_as_it_was_with_a_note():
    *_, last = chain(TWO, one(WRITING), one(), one())
    assert last == Fate(Status.ARRANGED, "c0", "写作", UNSEEN)
    *_, never = chain({"写材料": {}}, one(WRITING), one())
    assert never == Fate(Status.OPEN, "", "写作", UNSEEN)


def test_the_same_matter_in_other_words_goes_on():
    reach = {"写材料": {"c0": 0.9}, "材料写得慢": {"c0": 0.9}}
    before = kept(filed(cohort(one(WRITING), [course(0)], reach)))
    after = filed(cohort(one(replace(WRITING, text="材料写得慢"), learnt=["c0"]), [course(0)], reach), before=before)
    assert {text: fate.status.value for (_, _, text), fate in after.fates.items()} == {"材料写得慢": "已学"}


def test_a_series_is_learnt_when_all_of_it_is():
    parts = [course(0, series="写作"), course(1, series="写作")]
    reach = {"写材料": {"c0": 0.9, "c1": 0.9}}
    before = kept(filed(cohort([needs("P1", WRITING)], parts, reach)))
    for learnt, status in ((["c0"], "已安排"), (["c0", "c1"], "已学")):
        after = filed(cohort([needs("P1", WRITING, completed=learnt)], parts, reach), before=before)
        (fate,) = after.fates.values()
        assert fate.status == status, learnt


def test_people_whose_ids_are_row_numbers_are_known_again_by_name_and_unit():
    courses, reach = [course(0)], {"写材料": {"c0": 0.9}}
    zhang = needs("1", WRITING, name="张三", unit="甲局")
    before = kept(filed(cohort([zhang, needs("2", name="李四", unit="甲局")], courses, reach)))
    moved = [needs("1", WRITING, name="王五", unit="甲局"), needs("2", name="张三", unit="甲局", completed=["c0"])]
    after = filed(cohort(moved, courses, reach), before=before)
    assert {key[0]: fate.status.value for key, fate in after.fates.items()} == {"1": "已安排", "2": "已销号"}


def test_what_is_stated_again_after_it_was_settled_is_reopened():
    *found, last = chain(TWO, one(WRITING), one(learnt=["c0"]), one(WRITING, learnt=["c0"]))
    assert states(*found) == ["已安排", "已销号"]
    assert last == Fate(Status.REOPENED, "c1", "写作", AGAIN)


def test_what_is_reopened_stays_so_until_what_is_arranged_now_is_learnt():
    learnt_both = one(WRITING, learnt=["c0", "c1"])
    *_, again, still, done, gone = chain(
        TWO, one(WRITING), one(learnt=["c0"]), one(WRITING, learnt=["c0"]), one(WRITING, learnt=["c0"]), learnt_both, one(learnt=["c0", "c1"])
    )  # fmt: skip
    assert states(again, still, done, gone) == ["重开", "重开", "已学", "已销号"]


def test_the_next_plan_reopens_what_is_stated_though_it_was_learnt():
    """Among values, without a file between them."""
    before = None
    for people in (one(WRITING), one(WRITING, learnt=["c0"]), one(WRITING, learnt=["c0"])):
        filing = filed(cohort(people, [course(0), course(1)], TWO), ONE_HOUR, before=before)
        before = kept_of(filing)
    assert filing.fates[KEY] == Fate(Status.REOPENED, "c1", "写作", STILL)


@pytest.mark.parametrize("reach", [TWO, ONE], ids=["another course is left", "no course is left"])
def test_a_kept_plan_reopens_what_is_stated_though_it_was_learnt(reach: dict[str, dict[str, float]]):
    *found, last = chain(reach, one(WRITING), one(WRITING, learnt=["c0"]), one(WRITING, learnt=["c0"]))
    assert states(*found) == ["已安排", "已学"]
    assert last
    assert (last.status, last.note) == (Status.REOPENED, STILL)


@pytest.mark.parametrize("reach", [TWO, ONE], ids=["another course is left", "no course is left"])
def test_what_was_learnt_two_plans_ago_is_settled_without_a_note(reach: dict[str, dict[str, float]]):
    *found, last = chain(reach, one(WRITING), one(WRITING, learnt=["c0"]), one(learnt=["c0"]))
    assert states(*found) == ["已安排", "已学"]
    assert last == Fate(Status.SETTLED, "c0", "写作")


def test_a_duty_and_a_lack_of_the_same_words_go_their_own_ways():
    courses = [course(0), course(1)]
    first = filed(cohort([needs("P1", WRITING, DUTY)], courses, ONE))
    second = filed(cohort([needs("P1", DUTY, completed=["c0"])], courses, ONE), before=kept(first))
    assert {reason.value: fate.status.value for (_, reason, _), fate in second.fates.items()} == {
        "lack": "已销号",
        "duty": "已学",
    }


def test_who_is_no_longer_on_the_roster_is_forgotten_and_who_is_new_begins_anew():
    courses = [course(0)]
    first = filed(cohort([needs("P1", WRITING), needs("P2", WRITING)], courses, ONE))
    second = filed(
        cohort([needs("P2", WRITING), needs("P3", WRITING, completed=["c0"])], courses, ONE), before=kept(first)
    )
    assert {person: fate.status.value for (person, *_), fate in second.fates.items()} == {"P2": "已安排", "P3": "待补"}


@given(FILINGS)
def test_the_same_roster_and_plan_again_change_nothing_but_what_was_learnt_and_is_stated_still(filing: Filing):
    again = follow(filing.plan, filing.demand, kept_of(filing))
    assert again.keys() == filing.fates.keys()
    parts = {choice.id: {course.id for course in choice.courses} for choice in filing.demand.choices}
    for key, fate in filing.fates.items():
        if fate.status is Status.LEARNT:
            assert again[key].status is Status.REOPENED
        else:
            learnt = bool(fate.course) and parts.get(fate.course, {fate.course}) <= filing.own[key[0]].completed
            learnt = learnt and fate.status is not Status.SETTLED
            assert again[key].status is (Status.LEARNT if learnt else fate.status)


@given(FILINGS)
def test_every_gap_of_the_roster_has_a_fate_and_all_others_are_settled_or_to_be_verified(filing: Filing):
    stated = {(own.profile.id, gap.reason, gap.text) for own in filing.demand.people for gap in own.gaps}
    assert stated <= filing.fates.keys()
    assert all(
        fate.status is Status.SETTLED or fate.note == UNSEEN for key, fate in filing.fates.items() if key not in stated
    )
    assert Status.SETTLED not in {filing.fates[key].status for key in stated}
    for one_closed in filing.plan.closed:
        assert filing.fate(one_closed.person, one_closed.gap).status is not Status.OPEN
    for one_missed in filing.plan.missed:
        assert filing.fate(one_missed.person, one_missed.gap).status is not Status.ARRANGED
