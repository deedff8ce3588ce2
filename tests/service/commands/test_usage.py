from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from model.domain import Fault
from model.errors import InputError, TableError
from service.cli import main
from service.commands.usage import MOST_FAULTS_SHOWN, Planners, few


@click.group(cls=Planners)
def group() -> None:
    pass


def ending(error: Exception) -> tuple[int, str, str]:
    @group.command("end")
    def end() -> None:
        raise error

    result = CliRunner().invoke(group, ["end"])
    return result.exit_code, result.stdout, result.stderr


def test_an_error_raised_on_purpose_ends_with_its_message_and_1():
    assert ending(InputError("请给出名册。")) == (1, "", "错误：请给出名册。\n")


def test_of_very_many_faults_the_first_are_shown_and_the_rest_counted():
    faults = tuple(Fault(f"名册!B{n}", "", "缺少姓名", "请补上") for n in range(2, 202))
    code, _, told = ending(TableError("没有一个可用的人员。", faults))
    lines = told.splitlines()
    assert (code, lines[0], lines[1]) == (1, "错误：没有一个可用的人员。", "! 名册!B2: 缺少姓名；请补上")
    assert (len(lines), lines[-1]) == (MOST_FAULTS_SHOWN + 2, "! ……另有 150 处。")
    assert few([]) == []
    assert few(["甲"]) == ["! 甲"]


def test_a_fault_of_the_machine_is_told_with_the_file():
    code, _, told = ending(PermissionError(13, "Permission denied", "/srv/清单.xlsx"))
    assert code == 1
    assert told.startswith("错误：无法读写 /srv/清单.xlsx")
    assert "权限" in told


def test_a_fault_of_our_own_is_not_dressed_up():
    @group.command("crash")
    def crash() -> None:
        raise KeyError("ours")

    assert isinstance(CliRunner().invoke(group, ["crash"]).exception, KeyError)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recommend"], "缺少 --roster。"),
        (["recomend"], "没有命令 recomend，是否想写 recommend？"),
        (["xyz"], "没有命令 xyz。"),
        (["--verzion"], "没有选项 --verzion，是否想写 --version？"),
        (["recommend", "--rooster", "x"], "没有选项 --rooster"),
        (["recommend", "--roster"], "选项 --roster 的写法不对"),
        (["recommend", "--roster", "x", "--top", "0"], "--top 的值不对，应为 1 到 100 的整数。"),
        (["recommend", "--roster", "x", "--top", "many"], "--top 的值不对，应为 1 到 100 的整数。"),
        (
            ["recommend", "--roster", "x", "--as-of", "去年"],
            "--as-of 的值不对，应为 2026-03 或 2026-03-01 这样的日期。",
        ),
        (["recommend", "--roster", "x", "--out", "/"], "--out 的值不对，应为文件，不能是目录。"),
        (["recommend", "--roster", "a", "b"], "含空格的参数请加引号"),
        (["match"], "请给出一句短板，或用 --in 给出文件，二者选一。"),
        (["match", "怕讲话", "--in", "x"], "请给出一句短板，或用 --in 给出文件，二者选一。"),
        (["serve", "--port", "70000"], "--port 的值不对，应为 1 到 65535 的整数。"),
    ],
)
def test_a_command_that_is_misused_is_told_in_chinese_what_would_be_right(words: list[str], message: str):
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout) == (2, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("用法错误：")
    assert message in first
    assert second.startswith("查看用法：")
    assert second.endswith("--help")
