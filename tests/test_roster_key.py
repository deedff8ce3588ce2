"""The messy development roster against its key, end to end: nothing edited by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model import training
from model.domain import Limits, Plan, Reason
from model.files.courselists import read_catalog
from model.files.rosters import read_roster
from model.files.tables import read_sheets


@pytest.fixture(scope="module")
def plans(shared: Path) -> dict[str, list[Plan]]:
    lexicon = training.knowledge().lexicon
    catalog, _ = read_catalog(read_sheets(shared / "courses" / "cadre_courses_1380.csv"), lexicon)
    recommender = training.train(catalog, "v0001")
    found = {}
    for name in ("roster.xlsx", "roster_gbk.csv"):
        reading = read_roster(read_sheets(shared / "judged_dev" / name), lexicon)
        found[name] = list(recommender.plans(reading.values, Limits()))
    return found


@pytest.fixture(scope="module")
def key(shared: Path) -> list[dict]:
    lines = (shared / "judged_dev" / "roster_key.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def texts(shared: Path) -> dict[str, str]:
    lines = (shared / "judged_dev" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return {query["qid"]: query["text"] for query in map(json.loads, lines)}


def lacks(plan: Plan) -> set[str]:
    return {gap.text for gap in plan.gaps if gap.reason is Reason.LACK}


def test_the_workbook_and_the_csv_give_the_same_plans(plans: dict[str, list[Plan]]):
    assert plans["roster.xlsx"] == plans["roster_gbk.csv"]


def test_every_person_is_found_in_order(plans: dict[str, list[Plan]], key: list[dict]):
    assert [plan.profile.name for plan in plans["roster.xlsx"]] == [row["name"] for row in key]


def test_written_out_gaps_are_found_as_they_are_and_none_is_invented(
    plans: dict[str, list[Plan]], key: list[dict], texts: dict[str, str]
):
    wrong = {}
    for plan, row in zip(plans["roster.xlsx"], key, strict=True):
        if not row["variant"] and lacks(plan) != {texts[qid] for qid in row["qids"]}:
            wrong[row["name"]] = lacks(plan)
    assert wrong == {}


def test_at_least_97_percent_of_the_intended_gaps_are_found_as_separate_gaps(
    plans: dict[str, list[Plan]], key: list[dict]
):
    intended = sum(len(row["qids"]) for row in key)
    found = sum(min(len(lacks(plan)), len(row["qids"])) for plan, row in zip(plans["roster.xlsx"], key, strict=True))
    assert found >= 0.97 * intended


def test_every_completed_course_of_the_key_is_excluded(plans: dict[str, list[Plan]], key: list[dict]):
    for plan, row in zip(plans["roster.xlsx"], key, strict=True):
        offered = {recommendation.candidate.course.id for recommendation in plan.recommendations}
        assert offered.isdisjoint(row["completed"])
        assert plan.removed.get("已学过", 0) >= len(row["completed"])
