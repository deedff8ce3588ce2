from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import GAP_KINDS, GAP_SOURCES, Candidate, Course, Gap, Part, Reason
from model.explanation import explain

COURSE = Course("c1", "公文写作十讲", hours=2)
LACK = Gap("写材料没观点", "公文写作", Reason.LACK, "能力弱项", "本人自评", 0.72)
DUTY = Gap("公文写作", "公文写作", Reason.DUTY, None, "岗位要求", 0.36)

gaps = st.builds(
    Gap,
    text=st.sampled_from(["写材料", "应急", "保密"]),
    competency=st.sampled_from([None, "写材料", "公文写作"]),
    reason=st.just(Reason.LACK),
    kind=st.sampled_from(GAP_KINDS),
    source=st.sampled_from(GAP_SOURCES),
    weight=st.integers(1, 100).map(lambda hundredths: hundredths / 100),
) | st.builds(replace, st.just(DUTY), text=st.sampled_from(["写材料", "招商"]))
candidates = st.builds(
    Candidate,
    course=st.builds(replace, st.just(COURSE), required=st.booleans()),
    parts=st.lists(st.builds(Part, gap=gaps, relevance=st.floats(0.4, 1)), max_size=6).map(tuple),
)


@given(candidates)
def test_each_part_has_one_reason_and_the_reasons_add_up_to_the_score(candidate: Candidate) -> None:
    reasons = explain(candidate).reasons
    told = [(reason.gap, reason.part) for reason in reasons if reason.code != "required"]
    assert sorted(told) == sorted((part.gap.text, part.value) for part in candidate.parts)
    assert sum(Decimal(str(reason.part)) for reason in reasons) == Decimal(str(candidate.score))


@given(candidates)
def test_the_numbers_in_the_sentences_add_up_to_the_printed_duty_and_lack_scores(candidate: Candidate) -> None:
    sums = {"duty": Decimal(0), "lack": Decimal(0)}
    for reason in explain(candidate).reasons:
        if reason.gap is not None:
            sums[reason.code.split("_")[0]] += Decimal(re.findall(r"计 (\d\.\d+) 分", reason.text)[0])
    assert sums["duty"] == Decimal(str(candidate.duty_score))
    assert sums["lack"] == Decimal(str(candidate.lack_score))


@given(candidates)
def test_the_largest_part_is_told_first_and_after_nothing_but_that_the_course_is_required(
    candidate: Candidate,
) -> None:
    reasons = explain(candidate).reasons
    assert [reason.code == "required" for reason in reasons] == [candidate.course.required] * (
        candidate.course.required
    ) + [False] * len(candidate.parts)
    parts = [reason.part for reason in reasons if reason.gap is not None]
    assert parts == sorted(parts, reverse=True)


@given(candidates)
def test_a_sentence_says_whether_the_post_asks_or_the_person_lacks(candidate: Candidate) -> None:
    for reason in explain(candidate).reasons:
        if reason.gap is not None:
            start = {"duty": "因岗位", "lack": "因短板"}[reason.code.split("_")[0]]
            assert reason.text.startswith(start)
            assert f"“{reason.gap}”" in reason.text


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("本人自评", "lack_self"),
        ("组织评价", "lack_appraisal"),
        ("测试", "lack_test"),
        ("推断", "lack_inferred"),
        ("岗位要求", "lack_post"),
    ],
)
def test_the_code_of_a_lack_tells_its_source(source: str, code: str) -> None:
    (reason,) = explain(Candidate(COURSE, (Part(replace(LACK, source=source), 0.8),))).reasons
    assert reason.code == code
    assert f"{source}·能力弱项" in reason.text


def test_a_lack_and_a_duty_are_told_in_whole_sentences() -> None:
    reasons = explain(Candidate(COURSE, (Part(DUTY, 0.8123), Part(LACK, 0.8123)))).reasons
    assert [(reason.gap, reason.part, reason.code) for reason in reasons] == [
        ("写材料没观点", 0.5849, "lack_self"),
        ("公文写作", 0.2924, "duty_post"),
    ]
    assert reasons[0].text == (
        "因短板“写材料没观点”（本人自评·能力弱项，归入“公文写作”）：对口的把握约 81%，计 0.5849 分。"
    )
    assert reasons[1].text == "因岗位需要“公文写作”：对口的把握约 81%，计 0.2924 分。"


def test_no_chance_is_ever_called_certain() -> None:
    (reason,) = explain(Candidate(COURSE, (Part(LACK, 1.0),))).reasons
    assert "约 99%" in reason.text


def test_a_quotation_within_the_gaps_own_words_takes_the_inner_marks() -> None:
    gap = replace(LACK, text="班子里“一言堂”", competency=None)
    (reason,) = explain(Candidate(COURSE, (Part(gap, 0.8),))).reasons
    assert reason.text.startswith("因短板“班子里‘一言堂’”（本人自评·能力弱项）：")
    assert reason.gap == "班子里“一言堂”"


def test_a_required_course_that_serves_nothing_still_says_why_it_is_there() -> None:
    (reason,) = explain(Candidate(replace(COURSE, required=True), ())).reasons
    assert (reason.gap, reason.part, reason.code) == (None, 0.0, "required")
    assert reason.text.startswith("必修课")
