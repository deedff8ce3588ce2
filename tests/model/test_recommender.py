from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions, load_phrases
from model.domain import Catalog, Cause, Course, Limits, Plan, Profile, Reason, Restriction, Weakness
from model.judgements import Judgements
from model.lexicon import Competency, Lexicon, PostFamily, Requirement
from model.matcher import CHUNK, Matcher
from model.overrides import NONE, Overrides, Rejection
from model.recommender import Recommender

WORDS = {"公文写作": ("写材料",), "应急处突": ("突发事件处置",), "党纪学习教育": ("党规党纪",)}
PHRASES = {
    "a": {
        "材料写不出来": "公文写作",
        "请示报告分不清": "公文写作",
        "出了突发事件手忙脚乱": "应急处突",
        "纪律处分条例没读过": "党纪学习教育",
        "一切都好，没有短板": UNANSWERABLE,
        "希望早日调回县城": UNANSWERABLE,
    },
    "b": {
        "写材料没有观点": "公文写作",
        "突发事件现场不会处置": "应急处突",
        "防汛抢险没有经验": "应急处突",
        "不知道纪律红线在哪": "党纪学习教育",
        "没什么要补的，一切都好": UNANSWERABLE,
        "想早日回县城": UNANSWERABLE,
    },
}
LEXICON = Lexicon(
    tuple(
        Competency(name, "党性教育" if "党" in name else "履职能力", "能力", f"会{name}。", (), aliases, ())
        for name, aliases in WORDS.items()
    ),
    (),
    (("乡科级正职", 20, "领导职务"),),
    (PostFamily("乡镇街道", "P22", ("镇政府",), ("镇长",), ""),),
    (Requirement("乡镇街道", "乡科级", "应急处突", 1.0), Requirement("全部", "全部", "党纪学习教育", 0.5)),
)
COURSES = (
    Course("c1", "公文写作十讲：写材料怎样有观点", hours=2),
    Course("c2", "突发事件现场处置", hours=4, mode="现场教学"),
    Course("c3", "《纪律处分条例》必修课：党纪学习教育", hours=1, required=True),
    Course("c4", "插花与茶艺", hours=1),
    Course("c5", "公文写作提高班：请示报告", hours=3),
)
TEXTS = {
    "q1": "写材料没有观点",
    "q2": "突发事件现场乱",
    "q3": "纪律红线说不清",
    "q4": "请示报告写不好",
    "q5": "一切都好",
}
GRADES = {
    ("q1", "c1"): 3, ("q1", "c5"): 3, ("q2", "c2"): 3, ("q3", "c3"): 3, ("q4", "c5"): 3, ("q4", "c1"): 3,
}  # fmt: skip


class CountingMatcher(Matcher):
    """A matcher that remembers which texts it was asked to score."""

    def scores(self, texts: Sequence[str]) -> NDArray[np.void]:
        self._count(texts)
        return super().scores(texts)

    def reaching(self, texts: Sequence[str], least: float) -> list[NDArray[np.void]]:
        self._count(texts)
        return super().reaching(texts, least)

    def _count(self, texts: Sequence[str]) -> None:
        self.scored = [*getattr(self, "scored", []), *texts]
        self.largest = max(getattr(self, "largest", 0), len(texts))


def train(courses: Sequence[Course]) -> Recommender:
    catalog = Catalog(tuple(courses))
    matcher = CountingMatcher((CLASSIFIER,), LEXICON).fit(catalog, Judgements(Catalog(COURSES), TEXTS, {}, GRADES))
    return Recommender("v0007", LEXICON, matcher, catalog, 0.4)


WRITTEN = tuple(Phrase(t, (n,), "paraphrase", author) for author, texts in PHRASES.items() for t, n in texts.items())
CLASSIFIER = CompetencyClassifier().fit(
    [*(phrase for phrase in WRITTEN if phrase.author == "a"), *definitions(LEXICON)],
    [phrase for phrase in WRITTEN if phrase.author == "b"],
    list(WORDS),
)
MAYOR = Profile("P1", unit="青溪镇政府", post="镇长", level=20, weaknesses=(Weakness("写材料没有观点", severity=3),))
CLERK = Profile(
    "P2",
    weaknesses=(Weakness("写材料没有观点"), Weakness("希望早日调回县城")),
    completed=("公文写作十讲：写材料怎样有观点",),
)
PEOPLE = (MAYOR, CLERK, Profile("P3"), Profile("P4", scores=(("公文写作", 40.0),), hours_available=1.0))


@pytest.fixture
def recommender() -> Recommender:
    return train(COURSES)


def ids(plan: Plan) -> list[str]:
    return [recommendation.candidate.course.id for recommendation in plan.recommendations]


def plan(recommender: Recommender, person: Profile, limits: Limits = Limits()) -> Plan:  # noqa: B008 (frozen)
    return next(recommender.plans([person], limits))


def test_a_profile_becomes_a_plan_of_gaps_courses_and_reasons(recommender: Recommender) -> None:
    found = plan(recommender, MAYOR)
    assert [(gap.text, gap.competency, gap.reason) for gap in found.gaps] == [
        ("写材料没有观点", "公文写作", Reason.LACK),
        ("应急处突", "应急处突", Reason.DUTY),
        ("党纪学习教育", "党纪学习教育", Reason.DUTY),
    ]
    assert ids(found)[0] == "c3", "required courses come first"
    assert set(ids(found)) == {"c1", "c2", "c3", "c5"}
    assert (found.unmet, found.model_version) == ((), "v0007")


def test_duty_and_lack_are_kept_apart_in_scores_and_reasons(recommender: Recommender) -> None:
    for recommendation in plan(recommender, MAYOR).recommendations:
        candidate = recommendation.candidate
        told = {"duty": Decimal(0), "lack": Decimal(0), "required": Decimal(0)}
        for reason in recommendation.reasons:
            told[reason.code.split("_")[0]] += Decimal(str(reason.part))
        assert told["duty"] == Decimal(str(candidate.duty_score))
        assert told["lack"] == Decimal(str(candidate.lack_score))
        assert told["duty"] + told["lack"] == Decimal(str(candidate.score))
    scores = {
        r.candidate.course.id: (r.candidate.duty_score, r.candidate.lack_score)
        for r in plan(recommender, MAYOR).recommendations
    }
    assert scores["c1"][0] == scores["c2"][1] == 0
    assert scores["c1"][1] > scores["c2"][0] > 0


def test_a_completed_course_is_known_by_id_or_title_and_never_recommended(recommender: Recommender) -> None:
    for text in ("c1", "公文写作十讲：写材料怎样有观点", "《公文写作十讲：写材料怎样有观点》（县里培训）"):
        found = plan(recommender, replace(CLERK, completed=(text,)))
        assert "c1" not in ids(found)
        assert found.removed == {"已学过": 1}


def test_completed_courses_that_are_in_no_catalog_are_reported(recommender: Recommender) -> None:
    person = replace(CLERK, completed=("c1", "骑马与射箭"))
    assert recommender.unknown_completed(person) == ("骑马与射箭",)


def test_what_names_no_lack_is_unmet_as_unclear_and_serves_no_course(recommender: Recommender) -> None:
    found = plan(recommender, CLERK)
    assert [(unmet.gap.text, unmet.cause) for unmet in found.unmet] == [("希望早日调回县城", Cause.UNCLEAR)]


def test_a_gap_that_the_catalog_does_not_teach_is_unmet_for_want_of_a_course() -> None:
    found = plan(train(COURSES[3:4]), MAYOR)
    assert {unmet.gap.text: unmet.cause for unmet in found.unmet} == dict.fromkeys(
        ("写材料没有观点", "应急处突", "党纪学习教育"), Cause.NO_COURSE
    )


def test_what_is_listed_as_missing_is_taught_by_no_course_of_the_catalog(trained: Recommender) -> None:
    people = [Profile(phrase.text, weaknesses=(Weakness(phrase.text),)) for phrase in load_phrases("validation")[::9]]
    missing = {
        unmet.gap.competency
        for found in trained.plans(people, Limits())
        for unmet in found.unmet
        if unmet.cause is Cause.NO_COURSE
    }
    assert missing
    answers = trained.answer([name for name in missing if name], top=1)
    assert not any(answer.matches[0].relevance >= trained.accepted for answer in answers)


def test_rules_hours_and_top_hold_from_end_to_end(recommender: Recommender) -> None:
    tied = replace(MAYOR, restrictions=frozenset({Restriction.NO_TRAVEL}), hours_available=2.0)
    found = plan(recommender, tied, Limits(top=1, excluded=frozenset({"c4"})))
    assert found.removed == {"被排除": 1, "方式不便": 1}
    assert ids(found) == ["c3", "c1"]
    assert {unmet.gap.text: unmet.cause for unmet in found.unmet} == {"应急处突": Cause.EXCLUDED}
    short = plan(recommender, PEOPLE[3])
    assert [unmet.cause for unmet in short.unmet] == [Cause.HOURS]


def test_every_distinct_text_is_scored_once_however_many_people_share_it(recommender: Recommender) -> None:
    crowd = [replace(person, id=f"{person.id}-{number}") for number in range(20) for person in PEOPLE]
    list(recommender.plans(crowd, Limits()))
    assert Counter(recommender.matcher.scored) == Counter(
        {"写材料没有观点": 1, "应急处突": 1, "党纪学习教育": 1, "希望早日调回县城": 1, "公文写作": 1}
    )


def test_many_texts_are_scored_in_chunks_and_each_once(recommender: Recommender) -> None:
    crowd = [Profile(f"P{n}", weaknesses=(Weakness(f"第{n}号材料写不出来"),)) for n in range(CHUNK + 5)]
    list(recommender.plans(crowd, Limits()))
    assert recommender.matcher.largest == CHUNK
    # Besides the people's words, the competency they were understood as, which tells whether the catalog teaches it at all.
    assert sorted(recommender.matcher.scored) == sorted(
        [*(f"第{n}号材料写不出来" for n in range(CHUNK + 5)), "公文写作"]
    )


EXPECTED = cache(lambda: {found.profile.id: found for found in train(COURSES).plans(PEOPLE, Limits())})


@settings(max_examples=12)
@given(st.permutations(PEOPLE), st.permutations(COURSES))
def test_the_order_of_people_and_of_catalog_rows_changes_no_plan(people: list[Profile], rows: list[Course]) -> None:
    found = list(train(rows).plans(people, Limits()))
    assert [plan.profile for plan in found] == people
    assert {plan.profile.id: plan for plan in found} == EXPECTED()


def test_another_process_with_another_hash_seed_gives_the_same_plans() -> None:
    tell = (
        "from test_recommender import *\n"
        "for plan in train(COURSES).plans(PEOPLE, Limits()):"
        " print(plan.gaps, plan.recommendations, plan.unmet, plan.removed)"
    )
    here = Path(__file__).parent
    told = {
        subprocess.run(
            [sys.executable, "-c", tell],
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(here.parents[1]), "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert "写材料没有观点" in told.pop().decode()


def test_one_person_gets_the_same_plan_alone_as_in_a_crowd(recommender: Recommender) -> None:
    together = list(recommender.plans(PEOPLE, Limits()))
    assert [plan(recommender, person) for person in PEOPLE] == together
    assert list(recommender.plans(PEOPLE, Limits())) == together


def test_nobody_and_a_person_of_whom_nothing_is_known_are_answered(recommender: Recommender) -> None:
    assert list(recommender.plans([], Limits())) == []
    found = plan(recommender, Profile("P9"))
    assert (found.gaps, ids(found), found.unmet) == ((), ["c3"], ())


def test_progress_is_told_after_each_person(recommender: Recommender) -> None:
    told: list[tuple[int, int]] = []
    list(recommender.plans(PEOPLE, Limits(), lambda done, total: told.append((done, total))))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_answer_ranks_courses_for_each_text_asked_and_scores_equal_texts_once(recommender: Recommender) -> None:
    asked = ["写材料没有观点", "希望早日调回县城", "写材料没有观点"]
    first, nothing, again = recommender.answer(asked, top=3)
    assert first == again
    assert (first.text, first.answerable, nothing.answerable) == (asked[0], True, False)
    assert {match.course.id for match in first.matches[:2]} == {"c1", "c5"}
    relevances = [match.relevance for match in first.matches]
    assert relevances == sorted(relevances, reverse=True)
    assert len(first.matches) == 3
    assert sorted(recommender.matcher.scored) == sorted(set(asked))
    assert recommender.answer([]) == []


def test_a_text_of_several_lacks_is_answered_by_the_courses_of_each() -> None:
    recommender = train(COURSES)
    parts = ("公文写作", "突发事件处置")
    text = "、".join(parts)
    whole, *alone = (
        {match.course.id: match.relevance for match in answer.matches} for answer in recommender.answer([text, *parts])
    )
    assert recommender.reader.split([text])[text] == parts
    assert whole == {course: max(answer[course] for answer in alone) for course in whole}


def test_the_reason_tells_which_evidence_speaks_most_for_a_course(recommender: Recommender) -> None:
    found = plan(recommender, MAYOR)
    told = [part.evidence for each in found.recommendations for part in each.candidate.parts]
    assert told
    assert set(told) <= {"lexical", "competency", "expansion"}
    assert "（主要凭" in found.recommendations[-1].reasons[0].text


def test_of_equally_relevant_courses_the_smaller_id_is_answered_first() -> None:
    twins = [replace(COURSES[0], id=identity) for identity in ("z", "a", "m")]
    (answer,) = train(twins).answer(["写材料没有观点"])
    assert [match.course.id for match in answer.matches] == ["a", "m", "z"]


TRAINED = cache(lambda: train(COURSES))
STATED = "写材料没有观点；突发事件现场乱"
TEAM = (*PEOPLE, Profile("P5", weaknesses=(Weakness(STATED),)))
SAID = ("写材料没有观点", "公文写作", "应急处突", "突发事件现场乱", STATED, "别的")
REJECTIONS = st.lists(
    st.one_of(
        st.builds(Rejection, st.integers(1, 99), st.sampled_from(["c1", "c2", "c5"]), st.sampled_from(SAID), st.none()),
        st.builds(Rejection, st.integers(1, 99), st.sampled_from(["c1", "c2", "c3"]), st.none(), st.sampled_from(["P1", "P5", "P9"])),
        st.builds(Rejection, st.integers(1, 99), st.sampled_from(["c2", "c3", "gone"]), st.none(), st.none()),
    ),
    max_size=5,
    unique_by=lambda one: one.number,
)  # fmt: skip


def rejecting(*rejected: Rejection) -> Recommender:
    return TRAINED().under(Overrides.of(rejected))


@given(REJECTIONS)
def test_no_rejected_pair_is_in_any_plan_or_answer(rejected: list[Rejection]) -> None:
    recommender = rejecting(*rejected)
    of_everybody = {one.course for one in rejected if one.gap is None and one.person is None}
    for found in recommender.plans(TEAM, Limits()):
        own = {one.course for one in rejected if one.person == found.profile.id} | of_everybody
        assert not own & set(ids(found))
        stated = {weakness.text for weakness in found.profile.weaknesses}
        for one in found.recommendations:
            for reason in one.reasons:
                words = {reason.gap, *(text for text in stated if reason.gap in recommender.reader.split([text])[text])}
                out = {each.course for each in rejected if each.gap in words}
                assert reason.code == "required" or one.candidate.course.id not in out
    for answer in recommender.answer(SAID):
        out = {one.course for one in rejected if one.gap == answer.text} | of_everybody
        assert not out & {match.course.id for match in answer.matches}
    for text, match in recommender.nearest(SAID).items():
        assert match.course.id not in {one.course for one in rejected if one.gap == text} | of_everybody


@given(REJECTIONS, st.randoms(use_true_random=False))
def test_the_order_of_rejections_changes_nothing_and_without_them_all_is_as_before(
    rejected: list[Rejection], dice: Random
) -> None:
    one, other = rejecting(*rejected), rejecting(*dice.sample(rejected, len(rejected)))
    assert list(one.plans(TEAM, Limits())) == list(other.plans(TEAM, Limits()))
    assert one.answer(SAID) == other.answer(SAID)
    assert list(one.under(NONE).plans(TEAM, Limits())) == list(TRAINED().plans(TEAM, Limits()))
    assert one.under(NONE).answer(SAID) == TRAINED().answer(SAID)


def test_a_rejected_course_may_still_be_brought_by_another_gap() -> None:
    person = Profile("P1", weaknesses=(Weakness("写材料没有观点"), Weakness("请示报告分不清")))
    before = plan(TRAINED(), person)
    both = {one.candidate.course.id for one in before.recommendations if len(one.candidate.parts) == 2}
    course = min(both)
    after = plan(rejecting(Rejection(3, course, "写材料没有观点")), person)
    (found,) = (one.candidate for one in after.recommendations if one.candidate.course.id == course)
    assert [part.gap.text for part in found.parts] == ["请示报告分不清"]
    assert found.score == found.parts[0].value
    assert after.overridden == {3}
    assert before.overridden == frozenset()


def test_a_rejection_that_names_a_part_holds_wherever_the_part_occurs() -> None:
    recommender = rejecting(Rejection(1, "c1", "写材料没有观点"))
    assert recommender.reader.split([STATED])[STATED] == ("写材料没有观点", "突发事件现场乱")
    assert "c1" not in ids(plan(recommender, TEAM[-1]))
    (answer,) = recommender.answer([STATED], top=2)
    assert {match.course.id for match in answer.matches} == {"c5", "c2"}
    assert answer.overridden == {1}


def test_a_rejection_that_names_a_whole_text_holds_for_the_gaps_it_states_and_for_no_others() -> None:
    recommender = rejecting(Rejection(1, "c1", STATED))
    assert "c1" not in ids(plan(recommender, TEAM[-1]))
    assert "c1" in ids(plan(recommender, MAYOR))


def test_the_only_course_for_a_text_being_rejected_it_is_not_answerable() -> None:
    text = "突发事件现场乱"
    before, after = TRAINED().answer([text])[0], rejecting(Rejection(4, "c2", text)).answer([text])[0]
    assert (before.answerable, before.matches[0].course.id, before.overridden) == (True, "c2", frozenset())
    assert (after.answerable, after.overridden) == (False, {4})
    # With all courses asked for, the rejected one is not listed last either.
    assert {match.course.id for match in after.matches} == {"c1", "c3", "c4", "c5"}


def test_a_rejection_that_would_not_have_been_listed_took_no_part() -> None:
    (answer,) = rejecting(Rejection(4, "c4", "突发事件现场乱")).answer(["突发事件现场乱"], top=1)
    assert answer == TRAINED().answer(["突发事件现场乱"], top=1)[0]


def test_of_what_was_rejected_for_a_text_nothing_is_nearest() -> None:
    every = [Rejection(number, course.id, "应急") for number, course in enumerate(COURSES, start=1)]
    assert rejecting(*every[1:]).nearest(["应急"])["应急"].course.id == every[0].course
    assert rejecting(*every).nearest(["应急"]) == {}


def test_a_version_under_rejections_is_the_same_version_and_shares_what_it_knows() -> None:
    recommender = rejecting(Rejection(1, "c1"))
    assert recommender.version == TRAINED().version
    assert (recommender.titles, recommender.reader) == (TRAINED().titles, TRAINED().reader)
    assert TRAINED().overrides == NONE
