from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from click.testing import CliRunner, Result
from world import KNITTING

from model.encoder import bundled_encoder
from service.cli import main

HEADER = ("工号", "姓名", "单位", "职务", "层级", "任现职时间", "可用学时", "已参训课程", "短板")
PEOPLE = (
    ("1001", "韩立秋", "青溪镇政府", "副镇长", "乡科级副职", "2023.03", "24", "", "应急处突经验不足；一上台讲话就冒汗"),
    ("1002", "金亦文", "市审计局", "办公室科员", "科员级", "2021.05", "", "如何养猫", "公文写作不规范"),
    ("1003", "邵一鸣", "云栖街道", "党工委书记", "乡科级正职", "2025.01", "12", "", ""),
)


@pytest.fixture(scope="module")
def rosters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same three people as .xlsx and as .csv, and the first as .jsonl."""
    folder = tmp_path_factory.mktemp("rosters")
    with xlsxwriter.Workbook(folder / "名册.xlsx") as book:
        sheet = book.add_worksheet("名册")
        sheet.write(0, 0, "干部花名册")
        for number, row in enumerate((HEADER, *PEOPLE), start=1):
            sheet.write_row(number, 0, row)
    with (folder / "名册.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([HEADER, *PEOPLE])
    lines = [{"id": "P1", "post": "副镇长", "weaknesses": [{"text": "怕讲话"}]}, {"id": "P2", "post": "科员"}]
    (folder / "名册.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture
def quebu(registry: Path) -> Any:
    def run(*arguments: object, code: int = 0, registry: Path | None = registry) -> Result:
        words = [str(argument) for argument in arguments] + (["--registry", str(registry)] if registry else [])
        result = CliRunner().invoke(main, words)
        assert result.exit_code == code, result.output
        return result

    return run


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_recommend_prints_one_plan_a_line_in_the_shape_of_the_contract_and_nothing_else(quebu, rosters):
    result = quebu("recommend", "--roster", rosters[".xlsx"])
    plans = lines_of(result.stdout)
    assert [plan["id"] for plan in plans] == ["1001", "1002", "1003"]
    for plan in plans:
        assert list(plan) == ["id", "gaps", "recommendations", "unmet", "model_version"]
        assert all(list(gap) == ["text", "competency", "reason", "source", "weight"] for gap in plan["gaps"])
        assert all(list(unmet) == ["gap", "cause"] for unmet in plan["unmet"])
        for found in plan["recommendations"]:
            keys = ["course_id", "title", "score", "duty_score", "lack_score", "hours", "required", "reasons"]
            assert list(found) == keys
            assert all(list(reason) == ["gap", "part", "code", "text"] for reason in found["reasons"])
    assert "名册.xlsx：读取 3 行" in result.stderr


def test_a_workbook_and_a_csv_of_the_same_people_get_the_same_plans(quebu, rosters):
    assert (
        quebu("recommend", "--roster", rosters[".xlsx"]).stdout
        == quebu("recommend", "--roster", rosters[".csv"]).stdout
    )


def test_a_line_of_json_gets_the_answer_that_http_gives(quebu, rosters, client):
    plans = lines_of(quebu("recommend", "--roster", rosters[".jsonl"]).stdout)
    bodies = lines_of(rosters[".jsonl"].read_text(encoding="utf-8"))
    assert plans == [client.post("/api/v1/recommendations", json=body).get_json() for body in bodies]


def test_the_answer_for_one_person_does_not_depend_on_the_others(quebu, rosters, tmp_path):
    lines = rosters[".jsonl"].read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "turned.jsonl").write_text("".join(reversed(lines)), encoding="utf-8")
    forward = quebu("recommend", "--roster", rosters[".jsonl"]).stdout.splitlines()
    assert quebu("recommend", "--roster", tmp_path / "turned.jsonl").stdout.splitlines() == forward[::-1]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx"])
def test_the_same_roster_gives_the_same_file_byte_for_byte(suffix, quebu, rosters, tmp_path):
    files = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for file in files:
        result = quebu("recommend", "--roster", rosters[".xlsx"], "--out", file)
        assert result.stdout == ""
        assert f"已写入 {file}" in result.stderr
    assert files[0].read_bytes() == files[1].read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name for file in files]


def test_the_workbook_opens_with_the_lists_planners_file(quebu, rosters, tmp_path):
    quebu("recommend", "--roster", rosters[".xlsx"], "--out", tmp_path / "清单.xlsx")
    book = openpyxl.load_workbook(tmp_path / "清单.xlsx")
    assert book.sheetnames == ["个人推荐清单", "缺课清单", "读取说明"]
    rows = list(book["个人推荐清单"].values)
    assert {row[1] for row in rows[2:-1]} == {"韩立秋", "金亦文", "邵一鸣"}
    assert [row[0] for row in rows[2:-1]] == list(range(1, len(rows) - 2))
    assert "仅供培训安排参考" in str(rows[-1][0])
    assert "如何养猫" in str(list(book["读取说明"].values))


def test_the_csv_opens_in_excel_and_holds_the_same_list(quebu, rosters, tmp_path):
    quebu("recommend", "--roster", rosters[".xlsx"], "--out", tmp_path / "清单.csv")
    data = (tmp_path / "清单.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["序号", "姓名", "单位及职务"]
    assert {row[1] for row in rows[1:-1]} == {"韩立秋", "金亦文", "邵一鸣"}


def test_what_each_rule_took_away_is_counted(quebu, rosters):
    assert "· 推荐之前按规则排除的课程（人次）：" in quebu("recommend", "--roster", rosters[".xlsx"]).stderr


def test_a_completed_course_that_the_catalog_does_not_know_is_told_without_the_person(quebu, rosters):
    told = quebu("recommend", "--roster", rosters[".xlsx"]).stderr
    assert "! 已学课程“如何养猫”不在课程目录中，未能排除（1 人）" in told
    assert "金亦文" not in told


def test_excluded_courses_are_left_out_and_unknown_numbers_are_told(quebu, rosters):
    first = lines_of(quebu("recommend", "--roster", rosters[".jsonl"]).stdout)[0]["recommendations"][0]["course_id"]
    result = quebu("recommend", "--roster", rosters[".jsonl"], "--exclude", first, "--exclude", "K0")
    assert first not in result.stdout
    assert "K0" in result.stderr
    assert first not in result.stderr


def test_top_limits_the_ranked_courses_of_each_person(quebu, rosters):
    for plan in lines_of(quebu("recommend", "--roster", rosters[".xlsx"], "--top", 2).stdout):
        assert sum(not found["required"] for found in plan["recommendations"]) <= 2


def test_match_prints_the_ranking_of_one_text(quebu):
    answer = json.loads(quebu("match", "公文写作不规范", "--top", 3).stdout)
    assert list(answer) == ["id", "text", "matches", "answerable", "model_version"]
    assert (answer["id"], answer["text"], answer["answerable"]) == (None, "公文写作不规范", True)
    assert [list(found) for found in answer["matches"]] == [["course_id", "title", "relevance"]] * 3
    relevance = [found["relevance"] for found in answer["matches"]]
    assert relevance == sorted(relevance, reverse=True)
    assert all(0 <= value <= 1 for value in relevance)


def test_match_answers_a_file_line_by_line_in_its_order(quebu, tmp_path):
    texts = ["怕讲话", "公文写作不规范", "怕讲话"]
    asked = [{"id": number, "text": text} for number, text in enumerate(texts)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in asked), encoding="utf-8")
    printed = quebu("match", "--in", tmp_path / "q.jsonl").stdout
    answers = lines_of(printed)
    assert [(answer["id"], answer["text"]) for answer in answers] == list(enumerate(texts))
    assert answers[0]["matches"] == answers[2]["matches"]
    quebu("match", "--in", tmp_path / "q.jsonl", "--out", tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == printed


def test_match_of_one_text_may_go_to_a_file_too(quebu, tmp_path):
    assert quebu("match", "怕讲话", "--out", tmp_path / "a.jsonl").stdout == ""
    assert lines_of((tmp_path / "a.jsonl").read_text(encoding="utf-8"))[0]["text"] == "怕讲话"


@pytest.mark.parametrize("text", ["", "  ", "不会" * 300])
def test_match_refuses_a_text_that_says_nothing_or_far_too_much(text, quebu):
    assert "1 到 500 个字" in quebu("match", text, code=1).stderr


def test_check_tells_the_faults_of_a_course_list_without_training(quebu, tmp_path):
    (tmp_path / "课程表.csv").write_text("课程名称,学时\n公文写作,4\n应急处突,一上午\n,2\n", encoding="utf-8")
    result = quebu("train", "--check", "--courses", tmp_path / "课程表.csv", registry=tmp_path / "none")
    account = {"rows": 4, "read": 2, "rejected": 1, "skipped": {"表头": 1}}
    told = json.loads(result.stdout)
    assert (told["source"], told["courses"]) == ("课程表.csv", 2)
    assert {name: told["reading"][name] for name in account} == account
    lines = result.stderr.splitlines()
    assert [line.split(":")[0] for line in lines[1:3]] == ["! 课程表!B3", "! 课程表!A4"]
    assert lines[3] == "· 没有可比的目录：新增 2 门。"
    assert lines[4].startswith("· 更新率：")
    assert len(lines) == 5
    assert not (tmp_path / "none").exists()


def test_train_saves_a_version_prints_its_metrics_and_activates_it_when_asked(quebu, tmp_path):
    (tmp_path / "课程表.csv").write_text("课程编号,课程名称\nK1,公文写作实务\nK2,突发事件应急处置\n", encoding="utf-8")
    home = tmp_path / "registry"
    result = quebu("train", "--courses", tmp_path / "课程表.csv", "--activate", registry=home)
    card = json.loads(result.stdout)
    assert list(card) == [
        "version", "created", "courses", "catalog_fingerprint", "encoder", "degraded", "familiar", "metrics", "sources", "active",
    ]  # fmt: skip
    assert (card["version"], card["courses"], card["active"]) == ("v0001", 2, True)
    assert card["familiar"] == 1
    assert "能力词表" not in result.stderr
    assert datetime.fromisoformat(card["created"])
    assert card["metrics"]["full"]["ndcg@10"] > 0
    saved = json.loads((home / "v0001" / "card.json").read_text(encoding="utf-8"))
    assert (saved["source"], saved["reading"]["rows"]) == ("课程表.csv", 3)
    answer = json.loads(quebu("match", "公文写作", registry=home).stdout)
    assert answer["matches"][0]["course_id"] == "K1"


@pytest.mark.skipif(bundled_encoder() is None, reason="the bundled encoder is not here")
def test_training_on_courses_about_quite_other_matters_says_how_far_to_trust_the_relevances(quebu, registry, tmp_path):
    """The session's version goes before, so that nothing is learnt anew."""
    shutil.copytree(registry, tmp_path / "registry")
    titles = [course.title for course in KNITTING]
    (tmp_path / "课程表.csv").write_text("\n".join(["课程名称", *titles]) + "\n", encoding="utf-8")
    result = quebu("train", "--courses", tmp_path / "课程表.csv", registry=tmp_path / "registry")
    card = json.loads(result.stdout)
    assert (card["courses"], card["active"]) == (5, False)
    assert card["familiar"] < 0.5
    (note,) = [line for line in result.stderr.splitlines() if line.startswith("· ")]
    assert "超出随附的能力词表" in note
    assert not any(title in result.stderr for title in titles)


def test_demo_shows_the_first_people_and_writes_the_workbook(quebu, tmp_path):
    result = quebu("demo", "--out", tmp_path / "demo.xlsx")
    assert result.stdout.count("■ ") == 5
    assert "以上是前 5 人，共 80 人。" in result.stdout
    assert openpyxl.load_workbook(tmp_path / "demo.xlsx").sheetnames == ["个人推荐清单", "缺课清单", "读取说明"]
    assert "面向本层级" not in result.stdout


@pytest.mark.parametrize("command", [[], ["train"], ["recommend"], ["match"], ["evaluate"], ["serve"], ["demo"]])
def test_help_tells_every_option_in_chinese(command, quebu):
    text = quebu(*command, "--help", registry=None).stdout
    options = [line for line in text.splitlines() if line.startswith("  --") and "--help" not in line and command]
    assert all(
        any("一" <= char <= "鿿" for char in line) for line in options if not line.rstrip().endswith(("PATH", "FILE"))
    )


def command_line(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*words], capture_output=True, timeout=120, check=False)


def test_the_console_script_prints_plans_to_stdout_and_all_else_to_stderr(registry, rosters):
    script = str(Path(sys.executable).with_name("quebu"))
    done = command_line(script, "recommend", "--roster", str(rosters[".xlsx"]), "--registry", str(registry))
    assert done.returncode == 0
    assert [plan["id"] for plan in lines_of(done.stdout.decode())] == ["1001", "1002", "1003"]
    told = done.stderr.decode()
    assert "读取 3 行" in told
    assert "推荐  [" not in told


def test_a_process_that_fails_on_purpose_ends_with_1_and_one_that_is_misused_with_2(tmp_path):
    module = (sys.executable, "-m", "service.cli")
    failed = command_line(*module, "recommend", "--roster", str(tmp_path / "x.xlsx"), "--registry", str(tmp_path))
    misused = command_line(*module, "recommend")
    assert (failed.returncode, failed.stdout, misused.returncode, misused.stdout) == (1, b"", 2, b"")
    assert failed.stderr.decode().startswith("错误：还没有启用的版本")
    assert misused.stderr.decode() == "用法错误：缺少 --roster。\n查看用法：python -m service.cli recommend --help\n"


def test_results_are_utf8_whatever_the_terminal_speaks(registry, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = command_line(sys.executable, "-m", "service.cli", "match", "怕讲话", "--registry", str(registry))
    assert json.loads(done.stdout.decode("utf-8"))["text"] == "怕讲话"
