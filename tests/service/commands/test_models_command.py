"""``quebu models``: JSON on stdout, words on stderr, and no version that the gate holds up without a reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result
from postgres import SECRET
from test_versions import rows as audited_rows
from test_versions import shelf  # noqa: F401 (a fixture)

from model.versions.registry import Registry
from service.cli import main
from service.store.database import Database

PEOPLE = "工号,姓名,单位,职务,短板\n1001,韩立秋,青溪镇政府,副镇长,不会处置突发事件\n1002,金亦文,市审计局,科员,公文写作能力不足\n"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEBU_SECRET", SECRET)


@pytest.fixture
def registry(shelf: Path, tmp_path: Path) -> Path:  # noqa: F811
    return shutil.copytree(shelf, tmp_path / "instance" / "registry")


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "名册.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    return path


def run(registry: Path, *words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["models", *map(str, words), "--registry", str(registry)])
    assert result.exit_code == code, result.output
    return result


def answer(registry: Path, *words: object) -> Any:
    return json.loads(run(registry, *words).stdout)


def test_versions_are_listed_newest_first_in_the_shape_of_the_contract(registry: Path):
    run(registry, "activate", "v0001")
    (registry / "v0002" / "card.json").write_text("{", encoding="utf-8")
    result = run(registry, "list")
    found = json.loads(result.stdout)
    assert [(one["version"], one["active"]) for one in found] == [("v0003", False), ("v0001", True)]
    assert {tuple(one) for one in found} == {("version", "active", "created", "courses", "metrics")}
    assert "v0002" in result.stderr, "a card that cannot be read hides no other, and is told"


def test_where_nothing_was_trained_the_list_is_empty(tmp_path: Path):
    assert answer(tmp_path / "none", "list") == []
    assert not (tmp_path / "none").exists(), "looking makes nothing"


def test_a_card_is_shown_with_what_happened_to_its_version(registry: Path):
    run(registry, "activate", "v0001")
    shown = answer(registry, "show", "v0001")
    assert shown["active"] is True
    assert shown["files"]["model.joblib"]["bytes"] > 0
    (event,) = shown["history"]
    assert (event["action"], event["version"], event["by"]) == ("activate", "v0001", "local")
    assert answer(registry, "show", "v0003")["history"] == []


def test_two_versions_are_compared_as_json_and_as_a_workbook(registry: Path, roster: Path, tmp_path: Path):
    result = run(registry, "compare", "v0001", "v0002", "--roster", roster)
    found = json.loads(result.stdout)
    assert (found["before"], found["after"], found["passed"]) == ("v0001", "v0002", False)
    assert (found["roster"], found["people"]["all"], found["people"]["changed"]) == ("名册.csv", 2, 1)
    assert found["people"]["largest"][0]["id"] == "1001"
    assert "韩立秋" not in result.output
    assert "没有通过启用前的检查" in result.stderr
    assert "与这份课程表无关" in result.stderr
    assert "QUEBU_GATE_UNMET" in result.stderr
    run(registry, "compare", "v0001", "v0002", "--roster", roster, "--out", tmp_path / "报告.xlsx")
    book = openpyxl.load_workbook(tmp_path / "报告.xlsx")
    assert book.sheetnames == ["变更报告", "课程进出", "短板变化", "变化最大的人员"]
    assert "v0001 → v0002" in str(book["变更报告"]["A1"].value)
    (told,) = [row[4] for row in book["变更报告"].values if "nDCG" in str(row[0])]
    assert "与这份课程表无关" in str(told)
    assert "韩立秋" not in str(list(book["变化最大的人员"].values))
    run(registry, "compare", "v0003", "v0001", "--roster", roster, "--out", tmp_path / "报告.json")
    assert json.loads((tmp_path / "报告.json").read_text(encoding="utf-8"))["passed"] is True
    assert "不支持写出 .pdf" in run(registry, "compare", "v0001", "v0002", "--out", "a.pdf", code=1).stderr


def test_a_candidate_that_fails_is_activated_only_with_a_reason(registry: Path, roster: Path):
    first = run(registry, "activate", "v0001")
    assert json.loads(first.stdout) == {
        "version": "v0001",
        "active": True,
        "before": None,
        "reason": None,
        "findings": [],
    }
    assert "没有可比较的" in first.stderr
    refused = run(registry, "activate", "v0002", "--roster", roster, code=1)
    assert refused.stdout == ""
    assert "没有通过启用前的检查，仍使用 v0001" in refused.stderr
    assert "应急处突" in refused.stderr
    assert "--reason" in refused.stderr
    assert Registry(registry).active() == "v0001"
    done = answer(registry, "activate", "v0002", "--roster", roster, "--reason", "应急课程另行组织")
    assert (done["version"], done["before"], done["reason"]) == ("v0002", "v0001", "应急课程另行组织")
    assert [finding["check"] for finding in done["findings"]] == ["unmet"]
    assert Registry(registry).active() == "v0002"


def test_a_reason_has_to_say_something_and_not_too_much(registry: Path, roster: Path):
    run(registry, "activate", "v0001")
    held = ("activate", "v0002", "--roster", roster, "--reason")
    for blank in ("", " ", "\u3000\n"):
        assert "没有通过启用前的检查" in run(registry, *held, blank, code=1).stderr
    for words in (held, ("rollback", "--reason")):
        assert "最多 500 个" in run(registry, *words, "长" * 501, code=1).stderr
    assert Registry(registry).active() == "v0001"
    done = run(registry, *held, " 试用 ")
    assert json.loads(done.stdout)["reason"] == "试用"
    assert "! " in done.stderr
    assert "QUEBU_GATE_UNMET" in done.stderr, "what the reason overrides is told"


def test_a_folder_that_was_copied_is_said_to_be_one_and_not_to_be_missing(registry: Path):
    shutil.copytree(registry / "v0001", registry / "v0099")
    refused = run(registry, "activate", "v0099", code=1).stderr
    assert "v0099 的 card.json 已损坏，或这个目录是由别的版本复制" in refused
    assert "其他版本：v0001、v0002、v0003。" in refused


def test_the_way_back_is_told_from_where_to_where(registry: Path):
    run(registry, "activate", "v0001")
    assert "没有可以退回的" in run(registry, "rollback", code=1).stderr
    run(registry, "activate", "v0002", "--reason", "试用")
    result = run(registry, "rollback", "--reason", "试用结束")
    assert json.loads(result.stdout) == {"version": "v0001", "active": True, "before": "v0002", "reason": "试用结束"}
    assert "已退回 v0001（此前是 v0002）" in result.stderr
    assert Registry(registry).active() == "v0001"


def test_nothing_to_go_back_to_where_nothing_was_activated(tmp_path: Path):
    assert "quebu train" in run(tmp_path / "none", "rollback", code=1).stderr


def test_changes_go_into_the_audit_log_where_there_is_a_store_and_make_none(registry: Path):
    run(registry, "activate", "v0001")
    assert not (registry.parent / "quebu.db").exists()
    database = Database(f"sqlite:///{registry.parent}/quebu.db", SECRET)
    database.prepare()
    run(registry, "activate", "v0003", "--reason", "新学期")
    run(registry, "rollback")
    assert audited_rows(database) == [
        ("model.activate", "v0003", {"from": "v0001", "reason": "新学期"}),
        ("model.rollback", "v0001", {"from": "v0003"}),
    ]
    database.engine.dispose()


@pytest.mark.parametrize(
    "version", ["../v0001", "v0001/..", "/etc", "v1", "v0001\n", "v0001\x00", "v٠٠٠١", "active", "v" + "9" * 300]
)
@pytest.mark.parametrize("words", [("show",), ("activate",), ("sign",), ("compare", "v0001")])
def test_what_is_no_version_number_is_refused_everywhere(
    registry: Path, version: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("QUEBU_SIGNING_KEY", "k" * 32)
    Registry(registry, key=b"k" * 32).sign("v0001")
    before = sorted(path.name for path in registry.iterdir())
    refused = run(registry, *words, version, code=1).stderr
    assert "应形如 v0001" in refused
    assert sorted(path.name for path in registry.iterdir()) == before


def test_a_version_is_signed_with_the_key_of_the_settings_or_of_a_file(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "QUEBU_SIGNING_KEY" in run(registry, "sign", "v0001", code=1).stderr
    monkeypatch.setenv("QUEBU_SIGNING_KEY", "short")
    assert "至少 32 个字符" in run(registry, "sign", "v0001", code=1).stderr
    monkeypatch.delenv("QUEBU_SIGNING_KEY")
    monkeypatch.setenv("QUEBU_SIGNING_KEY_FILE", str(tmp_path / "key"))
    assert "QUEBU_SIGNING_KEY_FILE" in run(registry, "sign", "v0001", code=1).stderr
    (tmp_path / "key").write_text("k" * 32 + "\n", encoding="utf-8")
    assert "quebu models sign v0001" in run(registry, "activate", "v0001", code=1).stderr
    run(registry, "sign", "v0001")
    run(registry, "activate", "v0001")
    assert Registry(registry, key=b"k" * 32).load().version == "v0001"


def test_a_roster_is_saved_for_the_comparisons_to_come_and_given_up_again(registry: Path, roster: Path):
    run(registry, "activate", "v0001")
    assert "已保存 2 人" in run(registry, "roster", roster).stderr
    found = answer(registry, "compare", "v0001", "v0002")
    assert (found["roster"], found["people"]["all"]) == ("保存的名册", 2)
    assert "id" not in found["people"]["largest"][0]
    run(registry, "roster", "--bundled")
    assert answer(registry, "compare", "v0001", "v0002")["roster"] == "随附的名册样例"
    assert "二者选一" in run(registry, "roster", code=2).stderr
    assert "二者选一" in run(registry, "roster", roster, "--bundled", code=2).stderr
