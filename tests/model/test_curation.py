"""What is said of words and courses: what each saying is about, and what it does to answers, plans and the parts of a score."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_recommender import COURSES, WORDS, train

from model.curation import NOTHING, Curation, Pin, Synonym, Taught
from model.domain import Catalog, Course, Limits, Plan, Profile, Weakness
from model.overrides import NONE, Overrides, Places, Rejection
from model.recommender import Recommender

by_id = {course.id: course for course in COURSES}
IDS = [course.id for course in COURSES]
HOUSE_WORD = "爬格子"  # A word of this house alone, for a competency of the world.

sayings = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["秘书活", "应急", "应急预案"]), st.sampled_from([*WORDS])).map(lambda row: Synonym(0, *row)),
        st.tuples(st.sampled_from(IDS), st.lists(st.sampled_from([*WORDS]), max_size=2)).map(lambda row: Taught(0, row[0], tuple(row[1]))),
        st.tuples(st.sampled_from(IDS), st.sampled_from([None, "怕讲话"]), st.sampled_from([None, *WORDS])).map(lambda row: Pin(0, *row)),
    ),
    max_size=6,
).map(lambda rows: [one._replace(number=number) for number, one in enumerate(rows, start=1)])  # fmt: skip


@cache
def small() -> Recommender:
    return train(COURSES)


def under(*said: Synonym | Taught | Pin | Rejection) -> Recommender:
    return small().under(Overrides.of(said))


def matched(recommender: Recommender, text: str) -> dict[str, float]:
    (answer,) = recommender.answer([text])
    return {match.course.id: match.relevance for match in answer.matches}


def plan(recommender: Recommender, *texts: str) -> Plan:
    return next(recommender.plans([Profile("P1", weaknesses=tuple(map(Weakness, texts)))], Limits(top=5)))


def offered(found: Plan) -> dict[str, list[str]]:
    return {one.candidate.course.id: [part.gap.text for part in one.candidate.parts] for one in found.recommendations}


@given(sayings, st.randoms())
def test_the_order_in_which_sayings_are_read_does_not_matter_and_the_last_of_equals_holds(
    said: list[Synonym | Taught | Pin], random: Random
) -> None:
    shuffled = random.sample(said, len(said))
    assert Curation.of(shuffled) == Curation.of(said)
    for one in said:
        if isinstance(one, Taught):
            last = [other for other in said if isinstance(other, Taught) and other.course == one.course][-1]
            assert Curation.of(said).taught[one.course] == (last.competencies, last.number)
    assert Curation.of(said).numbers <= {one.number for one in said}
    assert bool(Curation.of(said)) == bool(said)


@given(sayings, st.sampled_from(["秘书活不会干", "应急预案没写过", "应急不行", "一切都好", "公文写作，秘书活"]))
def test_a_text_keeps_its_words_whatever_they_stand_for(said: list[Synonym | Taught | Pin], text: str) -> None:
    spelled = Curation.of(said).spelled_out(text)
    assert spelled.startswith(text)
    assert (spelled == text) or Curation.of(said).heard(text)


def test_of_two_synonyms_of_which_one_holds_the_other_the_longer_speaks() -> None:
    said = Curation.of([Synonym(1, "应急", "公文写作"), Synonym(2, "应急预案", "应急处突")])
    assert said.heard("应急预案没写过") == {2}
    assert said.spelled_out("应急预案没写过") == "应急预案没写过（应急处突）"
    assert said.heard("应急不行") == {1}


def test_a_word_of_the_house_means_its_competency_in_answers_and_in_plans() -> None:
    text = f"{HOUSE_WORD}不行"
    curated = under(Synonym(7, HOUSE_WORD, "公文写作"))
    (answer,) = curated.answer([text])
    assert answer.answerable
    assert answer.matches[0].course.id in {"c1", "c5"}
    assert answer.matches[0].relevance > matched(small(), text)[answer.matches[0].course.id] + 0.2
    assert answer.overridden == {7}
    found = plan(curated, text)
    assert set(offered(found)) & {"c1", "c5"}
    assert found.overridden == {7}
    assert plan(curated, "突发事件现场乱").overridden == set()


def test_a_text_that_is_a_synonym_is_named_by_its_competency() -> None:
    curated = under(Synonym(1, HOUSE_WORD, "公文写作"))
    assert [gap.competency for gap in plan(curated, HOUSE_WORD).gaps if gap.text == HOUSE_WORD] == ["公文写作"]


def test_a_synonym_in_a_title_says_what_the_course_teaches() -> None:
    assert small().teaches["c4"] is None
    assert under(Synonym(1, "茶艺", "应急处突")).teaches["c4"] == "应急处突"


def test_what_a_course_is_said_to_teach_stands_in_the_place_of_what_was_read() -> None:
    text = "突发事件现场乱"
    before = matched(small(), text)
    curated = under(Taught(3, "c2", ("公文写作",)))
    assert curated.teaches["c2"] == "公文写作"
    assert matched(curated, text)["c2"] < before["c2"]
    assert under(Taught(3, "c2", ())).teaches["c2"] is None
    found = plan(under(Taught(3, "c4", ("应急处突",))), text)
    assert (3 in found.overridden) == ("c4" in offered(found))


def test_a_competency_the_version_does_not_know_harms_nobody() -> None:
    assert under(Taught(1, "c2", ("没有的能力",))).teaches["c2"] is None
    assert under(Synonym(1, "茶艺", "没有的能力")).teaches["c4"] is None


@pytest.mark.parametrize("pin", [Pin(5, "c4", gap="写材料没有观点"), Pin(5, "c4", competency="公文写作")])
def test_a_pinned_course_serves_the_gap_surely_and_says_who_said_so(pin: Pin) -> None:
    curated = under(pin)
    assert matched(curated, "写材料没有观点")["c4"] == 1
    assert curated.answer(["写材料没有观点"])[0].overridden == {5}
    found = plan(curated, "写材料没有观点")
    (reason,) = next(one.reasons for one in found.recommendations if one.candidate.course.id == "c4")
    assert "由课程目录的管理者指定" in reason.text
    assert 5 in found.overridden
    assert "c4" not in matched(curated, "突发事件现场乱") or matched(curated, "突发事件现场乱")["c4"] < 0.5


def test_a_course_pinned_for_everybody_stands_first_for_everybody() -> None:
    found = plan(under(Pin(5, "c4")), "突发事件现场乱")
    (one,) = (one for one in found.recommendations if one.candidate.course.id == "c4")
    assert one.candidate.course.required
    assert one.reasons[0].text == "必修课：由课程目录的管理者指定。"


def test_a_rejection_is_stronger_than_a_pin() -> None:
    curated = under(Pin(1, "c4", gap="写材料没有观点"), Rejection(2, "c4", gap="写材料没有观点"))
    assert "c4" not in offered(plan(curated, "写材料没有观点"))
    assert "c4" not in matched(curated, "写材料没有观点")


@given(sayings)
def test_scores_stay_the_sums_of_their_parts(said: list[Synonym | Taught | Pin]) -> None:
    found = plan(under(*said), "写材料没有观点", "怕讲话", "应急预案没写过")
    for one in found.recommendations:
        assert one.candidate.score == round(sum(part.value for part in one.candidate.parts), 4)
    assert found.overridden <= {one.number for one in said}


def test_without_a_saying_nothing_changes_and_a_version_is_stored_without_them() -> None:
    plain = small()
    assert plain.under(NONE).answer(["写材料没有观点"]) == plain.answer(["写材料没有观点"])
    assert not NOTHING
    fresh = train(COURSES)
    fresh.under(Overrides.of([Taught(1, "c2", ())]))
    assert "_under" in fresh.__dict__
    assert "_under" not in fresh.__getstate__()


def test_the_same_overrides_are_put_to_work_once() -> None:
    overrides = Overrides.of([Taught(1, "c2", ())])
    assert small().under(overrides) is small().under(overrides)
    assert small().under(overrides) is not small().under(Overrides.of([Taught(1, "c2", ())]))
    assert small().under(overrides).matcher is not small().matcher


def test_what_was_said_of_a_course_follows_its_title_when_the_numbers_move() -> None:
    said = [Rejection(1, "c1", gap="写材料没有观点"), Taught(2, "c2", ("公文写作",)), Pin(3, "c4")]
    overrides = Overrides.of(said, {one.number: by_id[one.course].title for one in said})
    # One row more on top of a list without numbers of its own: every course has the number of the one after it.
    moved = [
        Course("c1", "全新的一门课", hours=1),
        *(replace(one, id=f"c{place}") for place, one in enumerate(COURSES, start=2)),
    ]
    placed = overrides.placed(Places(Catalog(tuple(moved))))
    assert placed.for_text("写材料没有观点") == {"c2": 1}
    assert placed.curation.taught == {"c3": (("公文写作",), 2)}
    assert placed.curation.everybody == {"c5": 3}
    assert placed.placed(Places(Catalog(tuple(moved)))) is placed


@pytest.mark.parametrize(
    ("title", "there", "place"),
    [
        ("公文写作十讲", "公文写作十讲（修订）", "c1"),  # The same course, its title a little changed.
        ("公文写作十讲", "调查研究方法", None),  # Another course under that number, and none of the title.
        (None, "调查研究方法", "c1"),  # Nothing but the number is known.
    ],
)
def test_a_number_is_a_course_as_long_as_its_title_is_alike(title: str | None, there: str, place: str | None) -> None:
    assert Places(Catalog((Course("c1", there),))).of("c1", title) == place


def test_a_course_that_is_gone_waits_under_its_number() -> None:
    assert Places(Catalog((Course("c1", "插花"),))).of("c9", "茶艺") == "c9"
