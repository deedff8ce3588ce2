"""Versions of a tiny world moved through the gate: what is held up, what a reason lets through, what is told and kept of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from postgres import SECRET
from test_fallback import matcher_by
from world import CATALOG, LEXICON

from model.domain import Catalog, Profile, Restriction, Weakness
from model.errors import InputError, VersionError
from model.recommender import Recommender
from model.versions.registry import Moved, Registry
from service.settings import load_settings
from service.shapes.gates import dump_people, load_people
from service.store import audit, feedback, overrides
from service.store.audit import By
from service.store.database import Database
from service.versions import GateRefused, Roster, Versions, activate_through_gate, registry_of, roster_from

ME = By("key:12345678")
LACKING = Roster(
    "三人",
    tuple(
        Profile(f"P{row}", weaknesses=(Weakness(text),))
        for row, text in enumerate(("不会处置突发事件", "公文写作能力不足", "纪律处分条例没学透"))
    ),
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v0001 and v0003 know all courses, v0002 one less."""
    store = Registry(tmp_path_factory.mktemp("shelf") / "registry", [])
    matcher = matcher_by()
    less = Catalog(tuple(course for course in CATALOG if course.id != "c2"))
    for catalog in (CATALOG, less, CATALOG):
        ready = matcher.for_catalog(catalog)
        store.save(
            lambda version, ready=ready, catalog=catalog: Recommender(
                version, LEXICON, ready, catalog, 0.3, {}, "learnt"
            ),
            {"created": "2026-01-01"},
        )
    return store.folder


@pytest.fixture
def settings(shelf: Path, tmp_path: Path) -> dict[str, Any]:
    registry = shutil.copytree(shelf, tmp_path / "registry")
    return load_settings({}) | {"REGISTRY": str(registry)}


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/quebu.db", SECRET)
    database.prepare()
    yield database
    database.engine.dispose()


@pytest.fixture
def versions(settings: dict[str, Any], audited: Database) -> Versions:
    return Versions.of(settings, audited)


def rows(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with database.reading() as connection:
        return [(row.action, row.object, row.detail) for row in audit.entries(connection)]


def test_the_first_version_has_nothing_to_be_compared_with_and_a_worse_one_is_held_up(
    versions: Versions, audited: Database
):
    first = versions.activate("v0001", ME)
    assert (first.before, first.report) == (None, None)
    assert "没有可比较的" in first.note
    with pytest.raises(GateRefused) as refused:
        versions.activate("v0002", ME, roster=LACKING)
    assert versions.registry.active() == "v0001"
    assert [finding["check"] for finding in refused.value.findings] == ["unmet"]
    assert refused.value.findings[0]["told"] in str(refused.value)
    assert "--reason" in str(refused.value)
    assert rows(audited) == [("model.activate", "v0001", {})]


def test_a_reason_lets_it_through_and_is_audited_and_kept_in_the_history(versions: Versions, audited: Database):
    versions.activate("v0001", ME)
    done = versions.activate("v0002", ME, "应急课程另行组织", LACKING)
    assert (done.before, versions.registry.active()) == ("v0001", "v0002")
    assert rows(audited)[-1] == (
        "model.activate",
        "v0002",
        {"from": "v0001", "findings": ["unmet"], "reason": "应急课程另行组织"},
    )
    event = versions.registry.history()[-1]
    assert (event["version"], event["from"], event["by"], event["reason"], event["findings"]) == (
        "v0002",
        "v0001",
        "key:12345678",
        "应急课程另行组织",
        ["unmet"],
    )


def test_a_blank_reason_is_none_whoever_gives_it_and_a_long_one_is_refused(
    versions: Versions, settings: dict[str, Any]
):
    versions.activate("v0001", ME, "  ")
    versions.save_roster(LACKING, ME)
    for blank in ("", " ", "\n\u3000"):
        with pytest.raises(GateRefused):
            activate_through_gate(settings, "v0002", ME, reason=blank)
    with pytest.raises(InputError, match="最多 500 个"):
        activate_through_gate(settings, "v0002", ME, reason="长" * 501)
    done = activate_through_gate(settings, "v0002", ME, reason=f"  {'长' * 500} ")
    assert (done.reason, [finding["check"] for finding in done.findings]) == ("长" * 500, ["unmet"])
    assert versions.roll_back(ME, " ").reason is None
    assert [event.get("reason") for event in versions.registry.history()] == [None, "长" * 500, None]


def test_an_equal_version_passes_and_the_way_back_needs_no_gate(versions: Versions, audited: Database):
    versions.activate("v0002", ME)
    assert versions.activate("v0003", ME, roster=LACKING).report["findings"] == []
    back = versions.roll_back(ME, "先用旧的")
    assert (back.version, back.before, versions.registry.active()) == ("v0002", "v0003", "v0002")
    assert rows(audited)[-1] == ("model.rollback", "v0002", {"from": "v0003", "reason": "先用旧的"})
    with pytest.raises(VersionError, match="没有可以退回的"):
        versions.roll_back(ME)
    assert len(rows(audited)) == 3, "what did not happen is not audited"


def test_a_version_that_cannot_be_loaded_is_never_activated_even_as_the_first(versions: Versions, audited: Database):
    path = versions.registry.folder / "v0001" / "model.joblib"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VersionError, match=r"model\.joblib"):
        versions.activate("v0001", ME, "无论如何")
    assert versions.registry.pointer() is None
    assert rows(audited) == []


def test_where_the_active_version_cannot_be_read_any_more_another_takes_over_and_it_is_told(settings: dict[str, Any]):
    registry = registry_of(settings)
    registry.activate("v0001")
    card = registry.folder / "v0001" / "card.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"numpy": "', '"numpy": "0.'), encoding="utf-8")
    done = activate_through_gate(settings, "v0002", ME)
    assert (done.before, done.report, registry.active()) == ("v0001", None, "v0002")
    assert "未能与启用中的版本比较" in done.note
    assert "numpy" in done.note


def test_who_compared_with_a_version_that_is_no_longer_active_compares_again(settings: dict[str, Any]):
    registry = registry_of(settings)
    registry.activate("v0001")
    with pytest.raises(Moved, match="重新比较"):
        registry.activate("v0002", instead_of=None)
    with pytest.raises(Moved, match="重新比较"):
        registry.activate("v0002", instead_of="v0003")
    registry.activate("v0002", instead_of="v0001")
    with pytest.raises(Moved):
        registry.rollback(to="v0003")
    assert registry.rollback(to="v0001") == ("v0002", "v0001")


def test_of_two_who_activate_at_once_both_were_compared_with_what_was_active(versions: Versions):
    versions.activate("v0001", ME)

    def go(version: str) -> str:
        try:
            return versions.activate(version, ME, "试").before or ""
        except Moved:
            return "moved"

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(go, ("v0002", "v0003")))
    assert sorted(found) in (["moved", "v0001"], ["v0001", "v0002"], ["v0001", "v0003"])
    events = versions.registry.history()
    assert [one["from"] for one in events] == [None, *(one["version"] for one in events[:-1])]


def test_a_comparison_is_kept_and_found_again_until_something_it_is_made_of_changes(
    versions: Versions, audited: Database
):
    found = versions.compared("v0001", "v0002")
    folder = versions.registry.folder / "reports"
    (kept,) = folder.iterdir()
    kept.write_text(json.dumps(found | {"seconds": -1}), encoding="utf-8")
    assert versions.compared("v0001", "v0002")["seconds"] == -1
    overrides.reject(audited, ME, "c1")
    assert versions.compared("v0001", "v0002")["seconds"] >= 0, "what is rejected is part of what people get"
    stricter = replace(versions, settings={**versions.settings, "GATE_CHANGED": 0.0})
    assert stricter.compared("v0001", "v0002")["seconds"] >= 0
    assert len(list(folder.iterdir())) == 3


def test_the_two_ways_between_two_versions_mirror_each_other(versions: Versions):
    there, back = versions.compared("v0001", "v0002"), versions.compared("v0002", "v0001")
    assert there["gaps"]["newly_unmet"] == back["gaps"]["newly_met"]
    assert there["people"]["changed"] == back["people"]["changed"]
    assert there["courses"]["vanishing"] == back["courses"]["entering"]
    assert there["roster"] == "随附的名册样例"
    assert there["people"]["all"] > 10


def test_what_planners_judged_is_part_of_the_report_and_the_newest_word_of_each_counts(
    versions: Versions, audited: Database
):
    assert versions.compared("v0001", "v0002")["own"] is None

    def said(verdict: str, course: str) -> dict[str, Any]:
        more = {"person": None, "replacement": None, "reason": "", "score_before": None, "score_after": None}
        scope = "gap" if verdict == "reject" else None
        return {"verdict": verdict, "course_id": course, "gap": "公文写作能力不足", "scope": scope, **more}

    feedback.keep(audited, ME, [said("reject", "c1"), said("accept", "c1"), said("reject", "c4")], "v0001")
    own = versions.compared("v0001", "v0002")["own"]
    assert (own["metric"], own["cases"], own["after"]["mean"]) == ("agreement", 2, 1.0)


def test_a_roster_is_kept_without_names_ids_and_units_and_used_from_then_on(
    versions: Versions, tmp_path: Path, audited: Database
):
    path = tmp_path / "名册.csv"
    path.write_text(
        "工号,姓名,单位,职务,短板\n1001,韩立秋,青溪镇政府,副镇长,不会处置突发事件\n1002,金亦文,市审计局,科员,公文写作能力不足\n",
        encoding="utf-8",
    )
    versions.save_roster(roster_from(path, LEXICON), ME)
    kept = versions.registry.folder / "reports" / "roster.jsonl"
    text = kept.read_text(encoding="utf-8")
    assert "不会处置突发事件" in text
    assert not any(word in text for word in ("1001", "韩立秋", "青溪", "审计局"))
    assert kept.stat().st_mode & 0o077 == 0
    found = versions.compared("v0001", "v0002")
    assert (found["roster"], found["people"]["all"]) == ("保存的名册", 2)
    assert [one["row"] for one in found["people"]["largest"]] == [1]
    assert "id" not in found["people"]["largest"][0]
    versions.activate("v0001", ME)
    assert kept.exists(), "it belongs to no version, and goes with none"
    kept.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="quebu models roster"):
        versions.compared("v0001", "v0002")
    versions.save_roster(None, ME)
    assert versions.compared("v0001", "v0002")["roster"] == "随附的名册样例"
    assert [(action, detail) for action, _, detail in rows(audited) if action == "model.roster"] == [
        ("model.roster", {"people": 2}),
        ("model.roster", {"people": 0}),
    ]


def test_people_come_back_as_they_were_but_for_who_they_are():
    person = Profile(
        "1001", "韩立秋", "青溪镇政府", "副镇长", 20, "分管应急", 1.5, (Weakness("怕讲话", "能力弱项", "测试", 3),), (("公文写作", 55.0),), ("c1",), 24.0, 8.0,
        16.0, 90.0, frozenset({Restriction.NO_TRAVEL, Restriction.NOT_OFF_POST}),
    )  # fmt: skip
    nobody = Profile("1002")
    assert load_people(dump_people([person, nobody])) == (replace(person, id="1", name=None, unit=None), Profile("2"))


def test_of_a_large_roster_people_are_taken_evenly(tmp_path: Path):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"id": f"P{row}"}) + "\n" for row in range(2500)), encoding="utf-8")
    people = roster_from(path, LEXICON).people
    assert [person.id for person in people[:3]] == ["P0", "P5", "P10"]
    assert len(people) == 500


def test_with_a_signing_key_only_sealed_versions_are_moved(settings: dict[str, Any]):
    sealed = settings | {"SIGNING_KEY": "k" * 32}
    with pytest.raises(VersionError, match="quebu models sign v0001"):
        activate_through_gate(sealed, "v0001", ME)
    registry_of(sealed).sign("v0001")
    assert activate_through_gate(sealed, "v0001", ME).version == "v0001"
    with pytest.raises(VersionError, match=r"签名与 card\.json 不符"):
        registry_of(settings | {"SIGNING_KEY": "l" * 32}).load("v0001")
    assert registry_of(settings).load("v0001").version == "v0001", "without a key the seal is not asked for"
