"""The form of a plan becomes the request of the interface, or says what is wrong beside the field."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask

from model.errors import InputError
from service.pages.plans.asking import (
    DEFAULTS,
    FIELDS,
    NUMBERS,
    asked_in,
    differing,
    form_of,
    in_words_of_the_form,
    with_course,
    without,
)
from service.shapes.asked import AskedIn


@pytest.fixture(autouse=True)
def request_of(app: APIFlask) -> Any:
    with app.test_request_context("/plan"):
        yield


def body(**given: str) -> dict[str, Any]:
    told, asked, faults = asked_in(form_of({**DEFAULTS, **given}))
    assert asked is not None, faults
    return told


def faults(**given: str) -> dict[str, str]:
    _, asked, wrong = asked_in(form_of({**DEFAULTS, **given}))
    assert asked is None
    return wrong


def test_the_form_as_it_is_filled_in_asks_for_a_class():
    told = body()
    assert told["type"] == "专题班"
    assert told["hours"] == 24
    assert told["catalog_required"] is told["what_if"] is True
    assert "seats" not in told


def test_every_member_that_the_form_asks_for_is_one_of_the_interface():
    told = body(kind="主体班", classes="2", require="Q1 Q2", exclude="Q3", mode="线下讲授、网络课程", **{"share-党性教育": "20", "share-main": "70"})  # fmt: skip
    told |= body(kind="menu", offer="Q1", sessions="3")
    told |= dict.fromkeys(NUMBERS)
    names = {field.data_key or name for name, field in AskedIn().fields.items()}
    assert set(told) <= names


def test_shares_percents_days_and_lists_are_read_as_they_are_written():
    told = body(length="2.5", length_in="days", fit="60%", require="Q1，Q2、Q3", **{"share-党性教育": "20", "share-main": "70"})  # fmt: skip
    assert told["days"] == 2.5
    assert "hours" not in told
    assert told["fit"] == 0.6
    assert told["require"] == ["Q1", "Q2", "Q3"]
    assert told["share"] == ["党性教育=20%", "理论教育+党性教育=70%"]


def test_what_is_only_for_classes_is_left_out_of_a_menu_and_the_other_way_round():
    menu = body(kind="menu", seats="30", theory="3", require="Q1", classes="3", class_size="20")
    assert menu["seats"] == 30
    assert menu["menu"] is True
    assert menu["require"] == ["Q1"]
    assert not {"theory", "classes", "class_size", "type"} & set(menu)
    assert not {"seats", "floor", "offer"} & set(body(seats="30", floor="50", offer="Q1"))


def test_sizes_of_classes_count_only_where_there_are_several():
    assert "class_size" not in body(class_size="20")
    assert body(classes="2", class_size="20")["class_size"] == 20


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("length", "两天", "应为数字"),
        ("length", "", "请填写"),
        ("length", "-3", "应在"),
        ("length", "1e999", "应为数字"),
        ("length", "nan", "应为数字"),
        ("theory", "2.5", "整数"),
        ("budget", "五万", "应为数字"),
        ("fit", "150", "应在 0 到 100"),
        ("length", "五万学时", "应为数字"),
        ("kind", "<b>", "之一"),
        ("pairs", "cats", "之一"),
        ("time_limit", "99999", "应在"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(field: str, text: str, words: str):
    assert words in faults(**{field: text})[field]


def test_a_percentage_of_more_than_all_is_told_beside_its_field():
    for field in ("share-党性教育", "share-main", "fit"):
        assert "应在 0 到 100 之间" in faults(**{field: "200%"})[field]
    assert "应在 0 到 100 之间" in faults(kind="menu", floor="-1")["floor"]


def test_a_course_on_both_lists_is_told():
    assert "“必须安排的课程”" in faults(require="Q1", exclude="Q1")[""]


def test_options_of_the_command_are_fields_of_the_form():
    assert in_words_of_the_form(InputError("请用 --max-courses 给出门数。")) == "请用“最多课程门数”给出门数。"


@pytest.mark.parametrize(
    ("written", "told"),
    [("24学时", ("hours", 24)), ("24 学时", ("hours", 24)), ("2.5天", ("days", 2.5)), ("1 000", ("hours", 1000))],
)
def test_a_length_may_be_written_with_its_unit(written: str, told: tuple[str, float]):
    """A unit that was written counts for more than the one that stood chosen."""
    assert body(length=written)[told[0]] == told[1]


def test_numbers_may_be_written_with_their_units():
    told = body(classes="2 个", class_size="30人", theory="3 门", budget="50,000元", fit="60 ％", level_span="1级")
    assert told["classes"] == 2
    assert (told["class_size"], told["theory"], told["budget"], told["fit"]) == (30, 3, 50_000, 0.6)
    assert told["level_span"] == 1


def test_a_form_differs_where_the_folded_part_is_not_as_it_is_filled_in():
    form = form_of(DEFAULTS)
    assert not differing(form)
    assert not differing({**form, "kind": "主体班", "length": "8"})
    assert differing({**form, "exclude": "Q1"})
    assert differing({name: text for name, text in form.items() if name != "catalog_required"})


def test_a_course_goes_out_and_comes_in_again():
    form = form_of({**DEFAULTS, "require": "Q1 Q2", "exclude": "Q9"})
    out = without(form, ["Q1"])
    assert (out["require"], out["exclude"]) == ("Q2", "Q9 Q1")
    back = with_course(out, "Q1")
    assert (back["require"], back["exclude"]) == ("Q2 Q1", "Q9")
    assert form["require"] == "Q1 Q2", "the form it was made from stays"


def test_only_what_the_form_has_is_kept_and_no_more_of_it_than_a_field_holds():
    kept = form_of({"kind": " 主体班 ", "length": "8", "evil": "1", "require": "Q" * 50_000})
    assert set(kept) <= set(FIELDS)
    assert kept["kind"] == "主体班"
    assert len(kept["require"]) == 20_000
