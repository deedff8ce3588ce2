from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from model.domain import GAP_KINDS, GAP_SOURCES, LONGEST_TEXT, Profile, Restriction, Weakness
from model.lexicon import Lexicon, load_lexicon
from service.shapes.fields import field_name, flatten
from service.shapes.schemas import MOST_WEAKNESSES, ProfileIn, QuestionIn

BUNDLED = load_lexicon()
CONTRACT = {
    "id": "P1", "name": None, "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "duty": None, "years_in_post": 3,
    "weaknesses": [{"text": "一上台讲话就冒汗", "severity": 3, "kind": None, "source": "组织评价"}], "scores": {"公文写作": 55},
    "completed": ["c0504"], "hours_available": 24, "hours_done": 16, "online_hours_done": 30.5, "five_year_hours_done": 2100, "restrictions": [],
}  # fmt: skip


def load(lexicon: Lexicon, **fields: Any) -> Profile:
    return ProfileIn(lexicon).load({"id": "P1", **fields})


def faults(lexicon: Lexicon, **fields: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        load(lexicon, **fields)
    found = [(field_name(said.steps), said.chinese) for said in flatten(refused.value.messages)]
    assert len(found) == len(dict(found))
    return dict(found)


def test_the_profile_of_the_contract_becomes_a_value(tiny_lexicon: Lexicon):
    assert ProfileIn(tiny_lexicon).load(CONTRACT) == Profile(
        id="P1",
        unit="青溪镇党委",
        post="镇党委书记",
        level=20,
        years_in_post=3.0,
        weaknesses=(Weakness("一上台讲话就冒汗", None, "组织评价", 3),),
        scores=(("公文写作", 55.0),),
        completed=("c0504",),
        hours_available=24.0,
        hours_done=16.0,
        online_hours_done=30.5,
        five_year_hours_done=2100.0,
    )


@pytest.mark.parametrize("field", sorted(set(CONTRACT) - {"id"}))
def test_every_field_but_the_id_may_be_missing_or_null(field: str, tiny_lexicon: Lexicon):
    without = {name: value for name, value in CONTRACT.items() if name != field}
    assert ProfileIn(tiny_lexicon).load(without) == ProfileIn(tiny_lexicon).load({**CONTRACT, field: None})


def test_a_profile_of_nothing_but_an_id_lacks_nothing(tiny_lexicon: Lexicon):
    assert load(tiny_lexicon) == Profile("P1")


def test_a_weakness_says_two_when_it_does_not_say_how_severe(tiny_lexicon: Lexicon):
    assert load(tiny_lexicon, weaknesses=[{"text": "怕讲话"}]).weaknesses == (Weakness("怕讲话", None, None, 2),)


def test_a_text_that_lists_several_lacks_becomes_several(tiny_lexicon: Lexicon):
    text = "1. 公文写作不规范；2. 应急处突没经验"
    found = load(tiny_lexicon, weaknesses=[{"text": text, "severity": 3, "source": "测试"}]).weaknesses
    assert found == (Weakness("公文写作不规范", None, "测试", 3), Weakness("应急处突没经验", None, "测试", 3))


def test_a_test_named_by_an_alias_is_filed_under_the_competency(tiny_lexicon: Lexicon):
    assert load(tiny_lexicon, scores={"写材料": 70, "气象": 40}).scores == (("公文写作", 70.0), ("气象", 40.0))


def test_restrictions_are_read_from_free_words(tiny_lexicon: Lexicon):
    found = load(tiny_lexicon, restrictions=["年底前不能脱产", "左腿不便，请安排线上"]).restrictions
    assert found == {Restriction.NOT_OFF_POST, Restriction.LIMITED_MOBILITY}


def test_all_faults_are_named_at_once_each_by_its_field(tiny_lexicon: Lexicon):
    found = faults(
        tiny_lexicon,
        level="大王",
        hours_available=-1,
        weaknesses=[{"text": "怕讲话"}, {"text": " ", "severity": 7, "kind": "态度"}],
        scores={"公文写作": 101, "统计": "良"},
        restrictions=["属虎"],
        hours_availble=24,
    )
    assert list(found) == [
        "weaknesses.1.text", "weaknesses.1.kind", "weaknesses.1.severity", "scores.公文写作", "scores.统计", "hours_available",
        "level", "restrictions", "hours_availble",
    ]  # fmt: skip
    assert found["hours_availble"] == "没有这个字段；是否想写 hours_available？"


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": None},
        {"id": "x" * 101},
        {"name": "x" * 101},
        {"unit": "x" * 501},
        {"duty": "x" * 2001},
        {"level": "x" * 101},
        {"years_in_post": "3"},
        {"years_in_post": True},
        {"years_in_post": 61},
        {"hours_available": 10**400},
        {"hours_available": float("nan")},
        {"hours_done": -0.5},
        {"hours_done": 2001},
        {"online_hours_done": "32"},
        {"online_hours_done": float("inf")},
        {"five_year_hours_done": 10_001},
        {"hour_done": 1},
        {"weaknesses": [{"text": "x"}] * (MOST_WEAKNESSES + 1)},
        {"weaknesses": [{"text": "x" * (LONGEST_TEXT + 1)}]},
        {"weaknesses": [{"severity": 2}]},
        {"weaknesses": [{"text": "x", "severity": "3"}]},
        {"weaknesses": [{"text": "x", "severity": 2.5}]},
        {"weaknesses": {"text": "x"}},
        {"scores": {"": 1}},
        {"scores": {"统计": None}},
        {"scores": {str(n): 1 for n in range(1001)}},
        {"completed": [1]},
        {"completed": [""]},
        {"completed": ["x"] * 2001},
        {"restrictions": "不能脱产"},
        {"post": ["科员"]},
        {"": 1},
        {"姓名": "韩立秋"},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_once_in_chinese(fields: dict[str, Any], tiny_lexicon: Lexicon):
    found = faults(tiny_lexicon, **fields)
    assert len(found) == 1
    assert re.search("[一-鿿]", *found.values())


@pytest.mark.parametrize("body", [[], "P1", 3, None, [{"id": "P1"}]])
def test_a_body_that_is_no_object_is_refused_as_a_whole(body: Any, tiny_lexicon: Lexicon):
    with pytest.raises(ValidationError) as refused:
        ProfileIn(tiny_lexicon).load(body)
    assert list(flatten(refused.value.messages)) == [((), "不是对象；应为 JSON 对象 {…}", "Invalid input type.")]


@pytest.mark.parametrize(("field", "words"), [("kind", GAP_KINDS), ("source", GAP_SOURCES)])
def test_the_closed_lists_are_those_of_the_domain(field: str, words: tuple[str, ...], tiny_lexicon: Lexicon):
    for word in words:
        assert getattr(load(tiny_lexicon, weaknesses=[{"text": "怕讲话", field: word}]).weaknesses[0], field) == word
    assert all(word in str(faults(tiny_lexicon, weaknesses=[{"text": "怕讲话", field: "别的"}])) for word in words)


def test_unknown_fields_are_told_in_the_order_they_came(tiny_lexicon: Lexicon):
    names = [f"x{n}" for n in (7, 3, 9, 1)]
    assert list(faults(tiny_lexicon, **dict.fromkeys(names, 1))) == names


def test_the_name_of_a_strange_field_is_cut_and_made_printable(tiny_lexicon: Lexicon):
    found = faults(tiny_lexicon, **{"\ud83d" + "很" * 500: 1})
    assert list(found) == ["?" + "很" * 59]


def test_a_question_keeps_its_id_and_may_carry_fields_of_its_own():
    assert QuestionIn().load({"id": 7, "text": "怕讲话", "style": "idiom"}) == {"id": 7, "text": "怕讲话"}
    assert QuestionIn().load({"text": "怕讲话"}) == {"id": None, "text": "怕讲话"}


@pytest.mark.parametrize("identity", [True, 1.5, [], {}, float("nan")])
def test_the_id_of_a_question_is_a_text_or_an_integer(identity: Any):
    with pytest.raises(ValidationError) as refused:
        QuestionIn().load({"id": identity, "text": "怕讲话"})
    assert list(refused.value.messages) == ["id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "severity", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*CONTRACT, "stranger"]), JSON, max_size=6))
def test_whatever_the_json_says_it_becomes_a_profile_or_faults_in_chinese(body: dict[str, Any]):
    try:
        assert isinstance(ProfileIn(BUNDLED).load(body), Profile)
    except ValidationError as error:
        found = list(flatten(error.messages))
        assert found
        assert all(re.search("[一-鿿]", said.chinese) and re.match("[A-Z]", said.english) for said in found)
