from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from service.shapes.fields import (
    LONGEST_NAME_SHOWN,
    MESSAGES,
    Door,
    Number,
    Said,
    between,
    both,
    characters,
    field_name,
    flatten,
    pointer,
    texts,
)
from service.wire.errors import faulty_fields


class Seat(Door):
    """A schema with everything that names a field in its own way."""

    label = fields.String(required=True, validate=characters(1, 5))
    row = Number(validate=between(0, 9))
    tags = texts(3, 2)
    points = fields.Dict(keys=fields.String(validate=characters(1, 5)), values=Number(validate=between(0, 9)))


class Hall(Door):
    """Seats within seats' hall."""

    seats = fields.List(fields.Nested(Seat))


def said(schema: Door, body: Any) -> list[Said]:
    with pytest.raises(ValidationError) as refused:
        schema.load(body)
    return list(flatten(refused.value.messages))


def test_each_fault_is_told_by_its_steps_in_chinese_and_in_english():
    assert said(Seat(), {"row": 10, "tags": ["好", "很好很好"]}) == [
        (("label",), "缺少这一项；请补上", "Missing data for required field."),
        (("row",), "应在 0 到 9 之间", "Must be between 0 and 9."),
        (("tags", "1"), "应为 1 到 3 个字", "Must have 1 to 3 characters."),
    ]


def test_an_entry_of_a_mapping_is_named_by_its_key_whichever_side_is_wrong():
    found = said(Seat(), {"label": "甲", "points": {"": 1, "value": 10, "key": "5"}})
    assert [fault.steps for fault in found] == [("points", ""), ("points", "value"), ("points", "key")]


@pytest.mark.parametrize("name", ["key", "value", "labl", "x"])
def test_a_stranger_is_named_whatever_it_is_called_and_wherever_it_stands(name: str):
    seat = {"label": "甲", name: 1}
    assert [fault.steps for fault in said(Seat(), seat)] == [(name,)]
    assert [fault.steps for fault in said(Hall(), {"seats": [seat]})] == [("seats", "0", name)]


def test_a_misspelt_field_is_told_which_may_have_been_meant_in_both_languages():
    (fault,) = said(Seat(), {"label": "甲", "lable": 1})
    assert fault == (("lable",), "没有这个字段；是否想写 label？", "Unknown field; did you mean label?")
    (fault,) = said(Seat(), {"label": "甲", "完全不像": 1})
    assert fault == (("完全不像",), MESSAGES["Unknown field."], "Unknown field.")


@pytest.mark.parametrize("body", [None, [], "甲", 3])
def test_a_value_that_is_no_object_is_faulty_as_a_whole(body: Any):
    assert [fault.steps for fault in said(Seat(), body)] == [()]
    assert faulty_fields({"_schema": ["Invalid input type."]}) == [
        {"field": "body", "pointer": "", "message": "不是对象；应为 JSON 对象 {…}", "message_en": "Invalid input type."}
    ]


@pytest.mark.parametrize("blank", ["", " ", "\u3000\n"])
def test_a_text_that_must_say_something_is_refused_once_where_it_says_nothing(blank: str):
    assert len(said(Seat(), {"label": blank})) == 1


@pytest.mark.parametrize("number", ["3", "", True, float("nan"), float("inf"), 10**400, [3], None])
def test_a_number_is_a_number(number: Any):
    assert [fault.steps for fault in said(Seat(), {"label": "甲", "row": number})] == [("row",)]


def test_a_message_without_an_english_side_stands_for_both():
    assert list(flatten({"a": ["与第 1 行重复"]})) == [(("a",), "与第 1 行重复", "与第 1 行重复")]
    assert list(flatten({"a": [both("甲", "A")]})) == [(("a",), "甲", "A")]


def test_every_message_of_the_framework_that_a_caller_can_meet_is_translated():
    class Every(Door):
        a = fields.Integer(strict=True)
        b = fields.Boolean(truthy={True}, falsy={False})
        c = fields.List(fields.String())
        d = fields.Dict()
        e = fields.Nested(Seat)
        f = fields.String(required=True)

    wrong = ({"a": None, "b": None}, dict.fromkeys("abcdef", 1.5), {"a": "x", "b": [], "c": {}, "d": [], "e": []}, [])
    told = [fault for body in wrong for fault in said(Every(), body)]
    assert {fault.english for fault in told} <= set(MESSAGES)
    assert all(fault.chinese == MESSAGES[fault.english] for fault in told)


def resolved(body: Any, path: str) -> Any:
    """What a JSON pointer leads to, by the letter of RFC 6901."""
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body


NAMES = st.text(max_size=12) | st.sampled_from(["", "a/b", "m~n", "~1", "~0", "/", "0", "~01"])


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_a_pointer_leads_to_what_it_names_whatever_the_names_are(names: list[str]):
    body: Any = "here"
    for name in reversed(names):
        body = {name: body}
    assert resolved(body, pointer(tuple(names))) == "here"


def test_a_pointer_leads_to_the_faulty_value():
    body = {"seats": [{"label": "甲"}, {"label": "乙", "points": {"a/b~c": 10}}]}
    with pytest.raises(ValidationError) as refused:
        Hall().load(body)
    (fault,) = faulty_fields(refused.value.messages)
    assert (fault["field"], fault["pointer"]) == ("seats.1.points.a/b~c", "/seats/1/points/a~1b~0c")
    assert resolved(body, fault["pointer"]) == 10


@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=100), min_size=1, max_size=4))
def test_names_are_cut_and_made_printable(steps: list[str]):
    for shown in (field_name(tuple(steps)), pointer(tuple(steps))):
        shown.encode()
    assert all(len(field_name((step,))) <= LONGEST_NAME_SHOWN for step in steps)
    assert pointer(tuple(steps)).count("/") == len(steps)
