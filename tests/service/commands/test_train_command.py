"""``quebu train``: read, check, compare; then train. The session's registry goes before, so that nothing is learnt anew."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from model.versions.registry import Registry
from service.cli import main

LIST = "课程编号,讲什么,类别,学时\nK1,公文写作实务,政治理论,2\nK2,突发事件应急处置,经信类,一上午\n"


@pytest.fixture
def home(tmp_path: Path, registry: Path) -> Path:
    """A registry of one's own, with a copy of the session's version."""
    shutil.copytree(registry, tmp_path / "registry")
    return tmp_path / "registry"


@pytest.fixture
def courses(tmp_path: Path) -> Path:
    (tmp_path / "课程表.csv").write_text(LIST, encoding="utf-8")
    return tmp_path / "课程表.csv"


def train(*arguments: object, registry: Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["train", *map(str, arguments), "--registry", str(registry)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def told(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout))


def test_a_check_tells_headers_categories_and_changes_and_writes_the_annotated_workbook(
    courses: Path, home: Path, tmp_path: Path
):
    out = tmp_path / "核对.xlsx"
    result = train("--check", "--courses", courses, "--map", "讲什么=课程名称", "--out", out, registry=home)
    found = told(result)
    assert "与版本 v0001 的目录相比：新增 2 门，删除 714 门" in result.stderr
    assert "更新率：" in result.stderr
    assert "类别“经信类”认不出（1 门），像是履职能力；若是，请加 --category 经信类=履职能力" in result.stderr
    assert {one["header"]: one["field"] for one in found["headers"]} == {
        "课程编号": "course_id", "讲什么": "title", "类别": "category", "学时": "hours",
    }  # fmt: skip
    assert found["categories"] == [{"label": "经信类", "courses": 1, "proposed": "履职能力"}]
    assert (found["base"], found["changes"]["counts"]["added"]) == ("v0001", 2)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["核对结果", "表头与类别", "与现用目录比较", "课程表"]
    assert book["课程表"]["D3"].comment.text.startswith("不是学时数")
    assert Registry(home).versions() == ["v0001"]


def test_lists_are_trained_one_after_the_other_each_remembered_and_each_replaceable(
    courses: Path, home: Path, tmp_path: Path
):
    given = ("--map", "讲什么=课程名称", "--category", "经信类=履职能力")
    first = told(
        train("--courses", courses, "--source", "省网院", *given, "--activate", "--reason", "试用", registry=home)
    )
    assert (first["version"], first["active"], first["courses"]) == ("v0002", True, 716)
    assert [(one["name"], one["courses"]) for one in first["sources"]] == [("", 714), ("省网院", 2)]
    card = Registry(home).card("v0002")
    assert (card["parent"], card["sources"]) == ("v0001", first["sources"])
    courses.write_text(LIST + "K3,数字经济前沿,经信类,3\n", encoding="utf-8")
    again = told(train("--check", "--courses", courses, "--source", "省网院", registry=home))
    assert (again["courses"], again["categories"], again["changes"]["counts"]["added"]) == (3, [], 1)
    assert again["sources"][1]["headers"] == {"讲什么": "title"}
    left = told(train("--without", "省网院", registry=home))
    assert (left["courses"], left["active"]) == (714, False)
    assert [one["name"] for one in left["sources"]] == [""]
    assert set(Registry(home).load("v0003").catalog) == set(Registry(home).load("v0001").catalog)


def test_a_version_that_the_gate_holds_up_is_kept_but_not_active_until_a_reason_is_given(courses: Path, home: Path):
    held = train("--courses", courses, "--map", "讲什么=课程名称", "--activate", registry=home, code=1)
    assert told(held)["active"] is False
    assert "尚未启用" in held.stderr
    assert "--reason" in held.stderr
    assert Registry(home).active() == "v0001"
    train("--courses", courses, "--map", "讲什么=课程名称", "--activate", "--reason", "试点", registry=home)
    assert Registry(home).active() == "v0003"


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ((), ["--courses", "--without"]),
        (("--courses", "{list}", "--map", "讲什么"), ["--map", "讲什么", "甲=乙"]),
        (("--courses", "{list}", "--map", "讲什么：课程名称"), ["--map", "英文等号"]),
        (("--without", "甲", "--map", "讲什么=课程名称"), ["--courses"]),
        (("--courses", "{list}", "--out", "{folder}/核对.xlsx"), ["--out", "--check"]),
        (("--courses", "{list}", "--check", "--activate"), ["--check", "--activate"]),
        (("--courses", "{list}", "--check", "--reason", "试点"), ["--check", "--reason"]),
        (("--courses", "{list}", "--year", "1"), ["--year", "1950"]),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_read(
    arguments: tuple[str, ...], mentions: list[str], courses: Path, tmp_path: Path
):
    words = [word.format(list=courses, folder=tmp_path) for word in arguments]
    result = train(*words, registry=tmp_path / "none", code=2)
    assert all(mention in result.stderr for mention in mentions), result.stderr
    assert result.stdout == ""


def test_a_list_without_a_header_that_is_known_is_refused_in_the_planners_words(courses: Path, tmp_path: Path):
    result = train("--check", "--courses", courses, "--map", "讲什=课程名称", registry=tmp_path / "none", code=1)
    assert "课程编号、讲什么、类别、学时" in result.stderr
    assert "（讲什=课程名称）" in result.stderr
    assert "title" not in result.stderr


@pytest.mark.parametrize("name", ["核对.csv", "课程表.csv"])
def test_a_result_that_is_no_workbook_or_the_list_itself_is_refused(name: str, courses: Path, tmp_path: Path):
    result = train("--check", "--courses", courses, "--out", tmp_path / name, registry=tmp_path / "none", code=1)
    assert "错误：" in result.stderr
    assert courses.read_text(encoding="utf-8") == LIST


class Trap:
    """What a pickle would run when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("trapped"),)


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "csv", "json", "jsonl"])
@pytest.mark.parametrize("protocol", [0, 5])
def test_a_pickle_under_any_name_is_refused_and_nothing_runs_or_changes(
    suffix: str, protocol: int, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"课程表.{suffix}"
    path.write_bytes(pickle.dumps([Trap(), "课程名称"], protocol))
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file() and file.suffix == ".json"}
    result = train("--courses", path, registry=home, code=1)
    assert "错误：" in result.stderr
    assert not (tmp_path / "trapped").exists()
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file() and file.suffix == ".json"} == before
    assert Registry(home).versions() == ["v0001"]


def test_formulas_in_a_list_are_text_in_all_that_is_written(home: Path, tmp_path: Path):
    formula = "=cmd|'/C calc'!A0"
    path, out = tmp_path / "课程表.csv", tmp_path / "核对.xlsx"
    path.write_text(f"课程名称,类别,学时\n{formula},{formula},{formula}\n+1,@x,-1\n", encoding="utf-8")
    found = told(train("--check", "--courses", path, "--out", out, registry=home))
    assert {course["title"] for course in found["changes"]["added"]} == {formula, "+1"}
    with zipfile.ZipFile(out) as book:
        assert not [name for name in book.namelist() if b"<f>" in book.read(name) or "externalLink" in name]
