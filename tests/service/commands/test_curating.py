"""The commands by which a course list is kept: what is said holds at once, can be taken elsewhere, and is refused line by line where it cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from postgres import SECRET
from python_calamine import CalamineWorkbook

from model.domain import Course
from model.versions.registry import Registry
from service.cli import main
from tests.model.test_recommender import COURSES, train

TEXT = "突发事件现场乱"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEBU_SECRET", SECRET)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return made(tmp_path / "one")


def made(folder: Path) -> Path:
    store = Registry(folder / "registry")
    known = train([*COURSES, Course("d1", "随便聊聊"), Course("=d2", "=cmd|' /C calc'!A0")])
    store.activate(store.save(lambda version: replace(known, version=version), {}))
    return store.folder


def run(registry: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--registry", str(registry)])


def done(registry: Path, *words: str) -> Any:
    result = run(registry, *words)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout) if result.stdout.strip() else None


def matched(registry: Path, text: str = TEXT) -> dict[str, Any]:
    return done(registry, "match", text)


def test_what_is_said_holds_at_once_and_no_more_when_it_is_reverted(registry: Path):
    before = matched(registry)
    said = done(
        registry, "overrides", "add", "--pin", "--course", "d1", "--competency", "应急处突", "--reason", "讲的是处突"
    )
    after = matched(registry)
    assert after["overridden"] == [said["id"]]
    assert {one["course_id"]: one["relevance"] for one in after["matches"]}["d1"] == 1
    assert done(registry, "overrides", "list") == [said]
    done(registry, "overrides", "revert", str(said["id"]))
    assert matched(registry) == before
    assert done(registry, "overrides", "list") == []
    assert [one["id"] for one in done(registry, "overrides", "list", "--reverted")] == [said["id"]]


def test_what_was_said_in_one_place_can_be_said_in_another(registry: Path, tmp_path: Path):
    for words in (
        ("--reject", "--course", "c5", "--gap", TEXT),
        ("--pin", "--course", "c4"),
        ("--teaches", "公文写作", "--teaches", "应急处突", "--course", "d1"),
        ("--synonym", "扎口子", "--competency", "写材料"),
    ):
        done(registry, "overrides", "add", *words, "--reason", "本校的做法")
    out, other = tmp_path / "all.jsonl", made(tmp_path / "two")
    done(registry, "overrides", "export", "--out", str(out))
    told = done(other, "overrides", "import", str(out))
    assert (told["imported"], told["refused"]) == (4, 0)
    plain = [
        {name: one[name] for name in one if name not in {"id", "at", "actor"}}
        for one in done(registry, "overrides", "list")
    ]
    again = [
        {name: one[name] for name in one if name not in {"id", "at", "actor"}}
        for one in done(other, "overrides", "list")
    ]
    assert plain == again
    assert done(other, "overrides", "import", str(out))["overrides"] == told["overrides"], "nothing is said twice"


def test_of_a_file_with_faults_the_rest_is_taken_and_each_fault_is_named_by_its_line(registry: Path, tmp_path: Path):
    source = tmp_path / "said.jsonl"
    lines = [
        '{"kind": "teaches", "course_id": "d1", "competencies": ["公文写作"], "reason": "。"}',
        '{"kind": "teaches", "course_id": "gone", "competencies": ["公文写作"], "reason": "。"}',
        "not json",
        '{"kind": "synonym", "word": "扎口子", "competencies": ["飞天"], "reason": "。"}',
    ]
    source.write_text("\n".join(lines), encoding="utf-8")
    result = run(registry, "overrides", "import", str(source))
    assert json.loads(result.stdout) == {"imported": 1, "refused": 3, "overrides": [1]}
    for place in ("said.jsonl:2", "said.jsonl:3", "said.jsonl:4"):
        assert place in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--course", "c1"),
        ("--pin", "--reject", "--course", "c1"),
        ("--reject", "--course", "gone"),
        ("--synonym", "扎口子"),
    ],
)
def test_what_cannot_be_is_refused_with_its_cause(words: tuple[str, ...], registry: Path):
    result = run(registry, "overrides", "add", *words, "--reason", "。")
    assert result.exit_code == 2
    assert result.stderr.strip()
    assert done(registry, "overrides", "list") == []


def test_the_courses_to_look_at_come_as_a_table_without_live_formulas(registry: Path, tmp_path: Path):
    shown = done(registry, "reviews")
    assert {"d1", "=d2"} <= {one["course_id"] for one in shown}
    book, table = tmp_path / "复核.xlsx", tmp_path / "复核.csv"
    done(registry, "reviews", "--out", str(book))
    rows = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[2:] if row[1]][: len(shown)] == [one["course_id"] for one in shown]
    done(registry, "reviews", "--out", str(table))
    assert "'=cmd" in table.read_text(encoding="utf-8-sig")


def test_what_is_filled_into_the_table_is_taken_and_what_is_no_competency_named_by_its_cell(
    registry: Path, tmp_path: Path
):
    table = tmp_path / "复核.csv"
    done(registry, "reviews", "--out", str(table))
    lines = table.read_text(encoding="utf-8-sig").splitlines()
    rows = {line.split(",")[0].strip("'"): number for number, line in enumerate(lines)}
    for course, said in (("d1", "公文写作、应急处突"), ("c4", "无"), ("c2", "飞天遁地")):
        if course in rows:
            lines[rows[course]] += said
    table.write_text("\n".join(lines), encoding="utf-8-sig")
    result = run(registry, "overrides", "import", str(table))
    told = {one["course_id"]: one["competencies"] for one in done(registry, "overrides", "list")}
    assert told["d1"] == ["公文写作", "应急处突"]
    assert told.get("c4", []) == []
    assert ("飞天遁地" in result.stderr) == ("c2" in rows)
    (tmp_path / "other.csv").write_text("课程编号,课程名称\n1,二\n", encoding="utf-8")
    assert "更正为" in run(registry, "overrides", "import", str(tmp_path / "other.csv")).stderr
