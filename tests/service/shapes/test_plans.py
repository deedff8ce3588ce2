from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from marshmallow import ValidationError

from model.cohort.filing import Filing
from model.cohort.nouns import Filed, Status
from model.cohort.pairing import Gift, Pair, Pairing
from model.cohort.rules import ClassRules, MenuRules, SplitRules
from model.domain import Match
from model.errors import InputError
from service.shapes.plans import dump_cohort, load_cohort, read_filed
from tests.filings import (
    FILINGS,
    NAMED,
    ORIGIN,
    SPEECH,
    STARS,
    WRITING,
    filed,
    kept_of,
    office_demand,
    planned,
)
from tests.model.cohort.test_class_plan import cohort, course, needs

CONTRACT = {
    "status", "objective", "bound", "gap", "sessions", "assignments", "closed", "missed", "rules", "model_version", "inputs_hash",
}  # fmt: skip
ADDED = {
    "kind", "seconds", "classes", "settled", "missing_courses", "pairs", "yardsticks", "what_if", "catalog_hash", "parameters",
}  # fmt: skip
SESSION = {"course_id", "course_ids", "title", "hours", "tentative", "category", "closes"}
GAP = {"id", "gap", "competency", "reason", "weight", "status"}


def dumped(filing: Filing) -> dict[str, Any]:
    """What is read of the JSON that is written."""
    found: dict[str, Any] = json.loads(json.dumps(dump_cohort(filing), ensure_ascii=False))
    return found


@given(FILINGS)
def test_the_json_keeps_the_contract_and_adds_up(filing: Filing):
    plan, found = filing.plan, dumped(filing)
    assert found.keys() >= CONTRACT | ADDED
    assert all(one.keys() >= SESSION for one in found["sessions"])
    assert all(one.keys() >= GAP | {"course_id", "session", "relevance", "value"} for one in found["closed"])
    assert all(one.keys() >= GAP | {"cause"} for one in found["missed"])
    assert sum(one["value"] for one in found["closed"]) == pytest.approx(found["objective"])
    assert sum(one["closes"] for one in found["sessions"]) == pytest.approx(found["objective"])
    assert found["objective"] <= found["bound"]
    gaps = sum(len(own.gaps) for own in filing.demand.people)
    assert len(found["closed"]) + len(found["missed"]) == gaps
    assert len(found["settled"]) == len(filing.fates) - gaps
    for one in found["closed"]:
        assert found["sessions"][one["session"]]["course_id"] == one["course_id"]
    seats = sum(len(session.attendees) for session in plan.sessions)
    assert sum(len(one["sessions"]) for one in found["assignments"]) == seats
    assert {one["id"] for one in found["closed"]} <= {one["id"] for one in found["assignments"]}


@given(FILINGS)
def test_only_a_split_tells_classes_and_only_a_menu_names_who_attends(filing: Filing):
    found, split = dumped(filing), bool(filing.plan.classes)
    menu = found["kind"] == "菜单选学"
    assert len(found["classes"]) == len(filing.plan.classes)
    assert all(("class" in one) == split for one in (*found["sessions"], *found["assignments"]))
    assert all(("attendees" in one) == menu for one in found["sessions"])
    if menu:
        named = [(person, one["course_id"]) for one in found["sessions"] for person in one["attendees"]]
        assert sorted(named) == sorted(
            (one["id"], course) for one in found["assignments"] for course in one["sessions"]
        )
    if split:
        people = [person for part in found["classes"] for person in part["people"]]
        assert sorted(people) == sorted(filing.own)
        assert all(one["id"] in found["classes"][one["class"]]["people"] for one in found["assignments"])


@given(FILINGS)
def test_what_is_missing_counts_each_person_once(filing: Filing):
    found = dumped(filing)["missing_courses"]
    stated = {(one.person, one.gap.competency or one.gap.text) for one in filing.missing}
    assert sum(one["people"] for one in found) == len(stated)
    assert sum(one["weight"] for one in found) == pytest.approx(sum(one.gap.weight for one in filing.missing), abs=0.01)


@given(FILINGS)
def test_a_kept_plan_tells_the_states_of_its_gaps_and_what_it_held(filing: Filing):
    loaded, kept = load_cohort(dumped(filing)), kept_of(filing)
    assert loaded.fates.keys() == kept.fates.keys()
    for key, fate in kept.fates.items():
        assert (loaded.fates[key].status, loaded.fates[key].competency) == (fate.status, fate.competency)
    assert (loaded.kind, loaded.objective, loaded.bound) == (kept.kind, kept.objective, kept.bound)
    assert (loaded.sessions, loaded.inputs_hash) == (kept.sessions, kept.inputs_hash)
    assert loaded.origin == kept.origin


def chain(*rosters: list[Any]) -> tuple[Filed, Filed]:
    """The last plan as it was and as it is read again; the plans before it are read from what was kept."""
    courses, reach = [course(0), course(1)], {"写材料": {"c0": 0.9, "c1": 0.8}, "讲话": {}}
    before = None
    for people in rosters:
        filing = filed(cohort(people, courses, reach), ClassRules("专题班", 1), before=before)
        before = load_cohort(dumped(filing))
    assert before
    return kept_of(filing), before


def test_a_kept_plan_keeps_the_fates_of_what_is_open_arranged_and_settled():
    first = [needs("P1", WRITING, SPEECH), needs("P2", WRITING), needs("P3", WRITING)]
    second = [needs("P1", WRITING, SPEECH), needs("P2", completed=["c0"]), needs("P3")]
    kept, loaded = chain(first, second)
    assert loaded == kept
    assert {fate.status for fate in loaded.fates.values()} == {Status.ARRANGED, Status.OPEN, Status.SETTLED}
    assert {fate.note for fate in loaded.fates.values()} == {"", "名册不再提出，但没有学习记录，请核实后销号"}


def test_a_kept_plan_keeps_what_was_learnt():
    kept, loaded = chain([needs("P1", WRITING)], [needs("P1", WRITING, completed=["c0"])])
    assert loaded.fates == kept.fates


def test_a_kept_plan_keeps_why_a_gap_was_reopened():
    learnt = [needs("P1", completed=["c0"])]
    kept, loaded = chain([needs("P1", WRITING)], learnt, [needs("P1", WRITING, completed=["c0"])])
    assert loaded.fates == kept.fates


def test_what_later_versions_add_is_no_fault():
    found = dumped(filed(office_demand()))
    found["closed"][0]["later"] = found["later"] = 1
    assert load_cohort(found).objective == found["objective"]


@pytest.mark.parametrize(
    "key", ["sessions", "closed", "missed", "objective", "inputs_hash", "parameters", "model_version"]
)
def test_what_a_plan_cannot_do_without_is_missed(key: str):
    found = dumped(filed(office_demand()))
    del found[key]
    with pytest.raises(ValidationError):
        load_cohort(found)


def test_a_class_a_split_and_a_menu_tell_what_kind_they_are():
    split = dumped(filed(office_demand(), ClassRules("专题班", 5), SplitRules(2, 1, 5, 4)))
    assert [one["name"][:3] for one in split["classes"]] == ["第1班", "第2班"]
    assert sum(one["objective"] for one in split["classes"]) == pytest.approx(split["objective"])
    menu = dumped(filed(office_demand(), MenuRules(4, seats=2, repeats=2)))
    assert menu["kind"] == "菜单选学"
    assert all(0 < len(one["attendees"]) <= 2 for one in menu["sessions"])
    held = dumped(filed(office_demand()))
    assert [one["course_ids"] for one in held["sessions"]] == [["c3"], ["c2"], ["c0"], ["c4", "c5"]]
    assert {one["id"]: one["sessions"] for one in held["assignments"]}["P6"] == ["c3", "c2", "c4"], (
        "the writing is known"
    )
    assert {one["id"] for one in held["assignments"]} >= {"P4"}, "who lacks nothing attends the class too"


def test_what_is_missing_names_the_course_that_comes_nearest():
    demand = office_demand()
    plan = planned(demand)
    filing = Filing(plan, demand, NAMED, filed(demand).fates, nearest={STARS.text: Match(course(2), 0.31)})
    assert dumped(filing)["missing_courses"] == [
        {"competency": "观星", "people": 1, "weight": 0.7, "nearest": {"course_id": "c2", "title": "丙" * 6, "relevance": 0.31}},
    ]  # fmt: skip
    assert dumped(filed(demand))["missing_courses"][0]["nearest"] is None


def test_pairs_stand_with_what_each_gives():
    demand = office_demand()
    gift = Gift("写作", 0.4, "甲局写得好")
    pairs = Pairing(
        "units", (Pair("甲局", "乙局", 0.6, (gift,), (Gift("理论", 0.2, "乙局懂理论"),)),), (), filed(demand).plan.certificate, ()
    )  # fmt: skip
    (found,) = dumped(filed(demand, pairs=pairs))["pairs"]
    assert (found["first"], found["second"], found["value"]) == ("甲局", "乙局", 0.6)
    assert found["first_gives"] == [{"competency": "写作", "amount": 0.4, "text": "甲局写得好"}]
    assert dumped(filed(demand))["pairs"] == []


# Files.


def test_a_file_is_read_as_it_was_written_whatever_its_encoding(tmp_path: Path):
    filing = filed(office_demand())
    text = json.dumps(dump_cohort(filing), ensure_ascii=False, indent=2)
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        (tmp_path / "方案.json").write_bytes(text.encode(encoding))
        assert read_filed(tmp_path / "方案.json") == kept_of(filing)
    assert read_filed(tmp_path / "方案.json").origin == ORIGIN


NO_PLAN = {
    "empty": b"",
    "no JSON": "姓名,单位\n王三,甲局\n".encode(),
    "cut off": b'{"kind": "',
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "another object": b'{"status": "optimal"}',
    "JSON lines": b'{"id": 1}\n{"id": 2}',
    "wrong types": json.dumps({"kind": 1, "sessions": {}, "closed": None}).encode(),
    "no number": json.dumps({"kind": "专题班", "objective": "NaN", "bound": "很多"}).encode(),
}


@pytest.mark.parametrize("name", NO_PLAN)
def test_a_file_that_is_no_plan_is_refused_by_name(name: str, tmp_path: Path):
    (tmp_path / "方案.json").write_bytes(NO_PLAN[name])
    with pytest.raises(InputError, match=r"方案\.json 不是 quebu plan 写出的方案（\.json），读不出来。请给出"):
        read_filed(tmp_path / "方案.json")


@pytest.mark.parametrize("reason", ["", "lacking", None, 3])
def test_a_plan_with_an_unknown_reason_or_state_is_refused(reason: object, tmp_path: Path):
    for field in ("reason", "status"):
        found = dumped(filed(office_demand()))
        found["closed"][0][field] = reason
        (tmp_path / "方案.json").write_text(json.dumps(found), encoding="utf-8")
        with pytest.raises(InputError, match=r"方案\.json 不是 quebu plan"):
            read_filed(tmp_path / "方案.json")


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path):
    for path in (tmp_path / "没有.json", tmp_path):
        with pytest.raises(InputError, match=rf"找不到文件 {path.name}。"):
            read_filed(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04\0\0", b"\xff\xfe\x00"], ids=["the workbook", "damaged"])
def test_a_workbook_in_the_place_of_a_plan_is_refused_by_name(content: bytes, tmp_path: Path):
    (tmp_path / "方案.xlsx").write_bytes(content)
    with pytest.raises(InputError, match=r"方案\.xlsx 不是 quebu plan 写出的方案"):
        read_filed(tmp_path / "方案.xlsx")


def test_a_file_of_brackets_is_refused_by_name(tmp_path: Path):
    (tmp_path / "方案.json").write_bytes(b"[" * 100_000)
    with pytest.raises(InputError, match=r"方案\.json 不是 quebu plan"):
        read_filed(tmp_path / "方案.json")
