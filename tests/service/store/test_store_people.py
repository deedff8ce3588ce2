"""Whom a plan is about, taken out of it and put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from model.cohort.filing import Filing
from model.cohort.pairing import Between, Gift, Pair, Pairing, said_of_people
from service.shapes.plans import dump_cohort
from service.store import people
from service.store.database import Database
from tests.filings import FILINGS


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('store')}/quebu.db", "a secret of the tests " * 2)
    yield database
    database.engine.dispose()


def told_of(filing: Filing, between: Between = Between.PEOPLE) -> dict[str, Any]:
    """The JSON of a plan in which the first two people, or two units, are a pair."""
    first, second = list(filing.own)[:2] if between is Between.PEOPLE else ("甲局", "乙局")
    called = {person: own.profile.name or person for person, own in filing.own.items()}
    sides = called.get(first, first), called.get(second, second)
    text = said_of_people(sides[0], "写作", sides[1]), said_of_people(sides[1], "理论", sides[0])
    if between is Between.UNITS:
        text = "甲局 3 人中没有人提到欠缺“写作”", "乙局 3 人中没有人提到欠缺“理论”"
    pair = Pair(first, second, 0.6, (Gift("写作", 0.4, text[0]),), (Gift("理论", 0.2, text[1]),))
    pairs = Pairing(between, (pair,), (), filing.plan.certificate, ())
    origin = replace(filing.plan.origin, parameters={"hours": 8.0, "pairs": between.value})
    found = dump_cohort(replace(filing, pairs=pairs, plan=replace(filing.plan, origin=origin)))
    return json.loads(json.dumps(found, ensure_ascii=False))


@given(FILINGS)
def test_nothing_of_the_analysis_names_anybody(store: Database, filing: Filing):
    hidden, _ = people.hidden(store, told_of(filing))
    text = json.dumps(hidden, ensure_ascii=False)
    for person, own in filing.own.items():
        assert person not in text
        assert not own.profile.name or own.profile.name not in text


@given(FILINGS)
def test_a_plan_names_nobody_who_is_not_among_its_people(filing: Filing):
    assert people.strangers(told_of(filing)) == []
    assert people.strangers(told_of(filing, Between.UNITS)) == []


@given(FILINGS)
def test_with_the_names_that_were_kept_a_plan_is_told_as_it_was(store: Database, filing: Filing):
    plan = told_of(filing)
    hidden, rows = people.hidden(store, plan)
    names = {person: own.profile.name for person, own in filing.own.items()}
    assert people.told(hidden, {key: {**row, "name": names[row["id"]]} for key, row in rows.items()}) == plan


def sentences(plan: dict[str, Any]) -> list[str]:
    (pair,) = plan["pairs"]
    return [gift["text"] for gift in (*pair["first_gives"], *pair["second_gives"])]


@given(FILINGS)
def test_who_is_forgotten_stands_in_sentences_under_the_pseudonym_and_others_under_the_id(
    store: Database, filing: Filing
):
    first, second = list(filing.own)[:2]
    hidden, rows = people.hidden(store, told_of(filing))
    gone = people.pseudonym(store, first)
    told = people.told(hidden, {key: {**row, "name": None} for key, row in rows.items() if key != gone})
    assert sentences(told) == [said_of_people(gone, "写作", second), said_of_people(second, "理论", gone)]


@given(FILINGS)
def test_pairs_of_units_stay_as_they_are(store: Database, filing: Filing):
    plan = told_of(filing, Between.UNITS)
    hidden, _ = people.hidden(store, plan)
    assert hidden["pairs"] == people.told(hidden, {})["pairs"] == plan["pairs"]


@given(FILINGS)
def test_every_place_that_names_a_stranger_is_found(filing: Filing):
    plan = told_of(filing)
    found = people.strangers({**plan, "people": []})
    assert {("assignments", place, "id") for place in range(len(plan["assignments"]))} <= set(found)
    for part in ("closed", "missed", "settled"):
        assert {(part, place, "id") for place in range(len(plan[part]))} <= set(found)
    assert {("pairs", 0, "first"), ("pairs", 0, "second")} <= set(found)
    seats = sum(len(one.get("attendees", ())) for one in plan["sessions"])
    assert sum(steps[0] == "sessions" for steps in found) == seats
    assert sum(steps[0] == "classes" for steps in found) == sum(len(one["people"]) for one in plan["classes"])
