"""``quebu plan`` on the bundled sample: the files it writes, and what it answers to demands that cannot be."""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from model.cohort.rules import Share
from model.errors import InputError
from model.files.categories import BRANCHES
from model.lexicon import TRAINING_DATA
from service.cli import main
from service.commands.terminal import stdout_kept
from service.shapes.asked import share_of

SAMPLE = TRAINING_DATA / "roster_sample.xlsx"
KEYS = {
    "status", "objective", "bound", "gap", "sessions", "assignments", "closed", "missed", "rules", "model_version", "inputs_hash",
    "catalog_hash", "parameters",
}  # fmt: skip


def run(registry: Path, *words: object) -> Result:
    return CliRunner().invoke(main, ["plan", "--roster", str(SAMPLE), "--registry", str(registry), *map(str, words)])


def test_a_class_plan_as_json_keeps_the_contract_and_adds_up(registry: Path, tmp_path: Path):
    out = tmp_path / "plan.json"
    done = run(registry, "--hours", 16, "--type", "主体班", "--out", out)
    assert done.exit_code == 0, done.output
    plan = json.loads(out.read_text(encoding="utf-8"))
    assert set(plan) >= KEYS
    assert plan["objective"] <= plan["bound"] <= plan["objective"] * 1.001
    assert sum(one["value"] for one in plan["closed"]) == pytest.approx(plan["objective"], abs=1e-3)
    assert sum(session["closes"] for session in plan["sessions"]) == pytest.approx(plan["objective"], abs=1e-3)
    assert 0 < sum(session["hours"] for session in plan["sessions"]) <= 16
    held = {session["course_id"] for session in plan["sessions"]}
    assert {one["course_id"] for one in plan["closed"]} <= held
    assert {course for one in plan["assignments"] for course in one["sessions"]} == held
    theory = sum(s["hours"] for s in plan["sessions"] if s["category"] in {"理论教育", "党性教育"})
    assert theory >= 0.7 * sum(session["hours"] for session in plan["sessions"]) - 1e-6
    again = tmp_path / "again.json"
    run(registry, "--hours", 16, "--type", "主体班", "--out", again)
    other = json.loads(again.read_text(encoding="utf-8"))
    assert {**plan, "seconds": 0} == {**other, "seconds": 0}


def test_the_workbook_holds_what_a_planner_files_and_its_sums_agree(registry: Path, tmp_path: Path):
    out = tmp_path / "plan.xlsx"
    assert run(registry, "--hours", 24, "--type", "主体班", "--what-if", "--out", out).exit_code == 0
    book = CalamineWorkbook.from_path(out)
    assert book.sheet_names == [
        "班次方案", "图表", "课程安排", "参训名单", "单位汇总", "课程点名单", "共性需求", "热力图·单位", "热力图·层级", "缺课清单", "漏补人员",
        "重复培训", "三张清单", "应急替代", "学时预警", "结对共建", "短板去向", "读取说明",
    ]  # fmt: skip
    overview = book.get_sheet_by_name("班次方案").to_python()[2:]
    told = {row[1]: row[3] for row in overview if row[0] in {"班次", "短板和岗位需要"}}
    more = [row[1] for row in overview if row[0] == "如果"]
    assert more == ["多 1 学时", "不要求理论教育＋党性教育占 70%", "不要求党性教育占 20%"]
    gone = book.get_sheet_by_name("短板去向").to_python()[2:-1]
    assert told["共有"] == told["补上"] + told["漏下"] == len(gone)
    assert told["补上"] == sum(row[7] == "已安排" for row in gone)
    people = book.get_sheet_by_name("参训名单").to_python()[2:-2]
    assert told["人数"] == len(people) == 80
    assert (sum(row[7] for row in people), sum(row[8] for row in people)) == (told["补上"], told["漏下"])
    units = book.get_sheet_by_name("单位汇总").to_python()[2:-1]
    assert units[-1][1:6] == [sum(row[column] for row in units[:-1]) for column in range(1, 6)]
    assert [units[-1][1], *units[-1][3:6]] == [told["人数"], told["共有"], told["补上"], told["漏下"]]
    for axis in ("单位", "层级"):
        *each, total = book.get_sheet_by_name(f"热力图·{axis}").to_python()[2:-2]
        assert total[1:3] == [told["共有"], told["漏下"]]
        assert total[1] == sum(row[1] for row in each) == sum(total[3:])
    hours = sum(row[4] for row in book.get_sheet_by_name("课程安排").to_python()[2:-1])
    assert hours == pytest.approx(told["总学时"])
    assert all(
        any("仅供培训安排参考" in str(row[0]) for row in book.get_sheet_by_name(name).to_python())
        for name in book.sheet_names[:-1]
    )


def test_a_menu_gives_each_person_sessions_of_their_own(registry: Path, tmp_path: Path):
    out = tmp_path / "menu.json"
    done = run(registry, "--menu", "--hours", 4, "--seats", 15, "--min-size", 3, "--gap", 0.01, "--out", out)
    assert done.exit_code == 0, done.output
    plan = json.loads(out.read_text(encoding="utf-8"))
    sizes = [len(session["attendees"]) for session in plan["sessions"]]
    assert min(sizes) >= 3
    hours = {session["course_id"]: session["hours"] for session in plan["sessions"]}
    assert all(sum(hours[course] for course in one["sessions"]) <= 4 for one in plan["assignments"])
    assert len({tuple(one["sessions"]) for one in plan["assignments"]}) > 1


def test_classes_take_everybody_once_and_are_named_by_what_they_have_in_common(registry: Path, tmp_path: Path):
    out = tmp_path / "split.json"
    done = run(
        registry, "--days", 1, "--no-catalog-required", "--classes", 2, "--time-limit", 20, "--gap", 0.01, "--out", out
    )
    assert done.exit_code == 0, done.output
    plan = json.loads(out.read_text(encoding="utf-8"))
    people = [person for part in plan["classes"] for person in part["people"]]
    assert len(people) == len(set(people)) == 80
    assert all(part["name"].startswith(f"第{number}班（") for number, part in enumerate(plan["classes"], start=1))
    for number in range(2):
        assert 0 < sum(session["hours"] for session in plan["sessions"] if session["class"] == number) <= 6
    assert {one["name"] for one in plan["yardsticks"]} == {"不分班，全体同上一个班", "按名册顺序分班"}
    assert plan["parameters"]["days"] == 1


def test_a_kept_plan_can_be_made_again_and_compared(registry: Path, tmp_path: Path):
    first, second, third = (tmp_path / name for name in ("first.json", "second.json", "third.json"))
    assert run(registry, "--days", 3, "--type", "主体班", "--max-courses", 9, "--out", first).exit_code == 0
    again = run(registry, "--again", first, "--out", second)
    assert "与原方案的输入和课程完全相同" in again.stderr
    kept, made = (json.loads(path.read_text(encoding="utf-8")) for path in (first, second))
    assert made.pop("comparison")["same_inputs"]
    assert {**kept, "seconds": 0} == {**made, "seconds": 0}
    changed = run(registry, "--again", first, "--hours", 16, "--out", third)
    assert changed.exit_code == 0, changed.output
    other = json.loads(third.read_text(encoding="utf-8"))
    assert (other["parameters"]["type"], other["parameters"]["max_courses"]) == ("主体班", 9)
    found = other["comparison"]
    assert {name: pair for name, *pair in found["parameters"]} == {"hours": [None, 16.0], "days": [3.0, None]}
    gaps = ("both_close", "first_closes", "second_closes", "neither_closes")
    assert sum(found[name] for name in gaps) == len(kept["closed"]) + len(kept["missed"])
    book = tmp_path / "both.xlsx"
    told = CliRunner().invoke(main, ["compare-plans", str(first), str(third), "--out", str(book)])
    assert told.exit_code == 0, told.output
    assert CalamineWorkbook.from_path(book).sheet_names == ["方案比较"]


def test_what_native_code_prints_does_not_mix_with_the_answer(capfd: pytest.CaptureFixture[str]):
    with stdout_kept():
        os.write(1, b"noise")
        ctypes.CDLL(None).puts(b"more noise")
    os.write(1, b"answer")
    assert capfd.readouterr().out == "answer"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--hours", "24", "--type", "骑马班"), "不认识班次类型“骑马班”"),
        (("--hours", "-3"), "--hours 的值不对，应为 0.25 到 10000 的数"),
        (("--hours", "8", "--require", "Q9999"), "--require 中的编号不在课程目录里：Q9999"),
        (("--hours", "8", "--require", "Q0001", "--exclude", "Q0001"), "既在 --require 又在 --exclude 中"),
        (("--hours", "8", "--share", "党性教育=3"), "--share “党性教育=3”读不懂"),
        (("--hours", "1", "--require", "Q0001", "--require", "Q0004"), "总学时至少"),
        (("--hours", "8", "--budget", "10"), "经费至少"),
        (("--hours", "8", "--mode", "骑马", "--no-catalog-required"), "授课方式：骑马"),
        (("--hours", "8", "--max-courses", "1", "--no-catalog-required"), "课程门数放宽到 2 门"),
        (("--hours", "8", "--menu", "--seats", "0"), "--seats 的值不对"),
        (("--hours", "8", "--menu", "--min-size", "500"), "最少开班人数"),
        (("--hours", "8", "--menu", "--share", "党性教育=0.2", "--classes", "2"), "--share、--classes 只用于排班"),
        (("--hours", "8", "--floor", "0.5", "--offer", "Q0001"), "--floor、--offer 只用于菜单选学"),
        (("--hours", "8", "--class-size", "20"), "--class-size 只用于分班"),
        (("--type", "专题班"), "请用 --hours 给出学时，或用 --days 给出天数"),
        (("--hours", "8", "--days", "2"), "两者给一个"),
        (("--hours", "8", "--classes", "4", "--class-size", "10"), "每班放宽到 20 人"),
        (("--hours", "8", "--classes", "0"), "--classes 的值不对"),
        (("--hours", "8", "--previous", "no-such-plan.json"), "找不到文件 no-such-plan.json"),
        (("--again", str(SAMPLE)), "不是 quebu plan 写出的方案"),
        (("--hours", "8", "--out", "plan.docx"), "--out 的后缀可为 .xlsx 或 .json"),
    ],
)
def test_a_demand_that_cannot_be_is_answered_with_the_field_or_the_rules(
    registry: Path, words: tuple[str, ...], told: str
):
    done = run(registry, *words)
    assert done.exit_code != 0
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert "HiGHS" not in done.output


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("党性教育=0.2", Share(("党性教育",), 0.2)),
        ("理论教育+党性教育=70%", Share(("理论教育", "党性教育"), 0.7)),
        ("理论教育＋党性教育＝70％", Share(("理论教育", "党性教育"), 0.7)),
    ],
)
def test_a_share_may_be_written_as_people_write_it(text: str, share: Share):
    assert share_of(text) == share


@pytest.mark.parametrize("text", ["", "=", "党性教育", "党性=0.2", "党性教育=二成", "党性教育=-1", "党性教育=101%"])
def test_a_share_that_cannot_be_read_is_told_how_to_be_written(text: str):
    with pytest.raises(InputError, match=BRANCHES[0]):
        share_of(text)
