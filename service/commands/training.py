"""``quebu train``: a course list read, checked, compared with the catalog at work, and made into a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from model.errors import InputError
from model.lexicon import load_lexicon
from service.catalogs import Base, Draft, Import, draft
from service.commands.checked import tell_checked
from service.commands.terminal import (
    out_option,
    print_json,
    registry_option,
    store_of,
    tell,
    tell_reading,
    who_runs_this,
)
from service.settings import load_settings
from service.shapes.courselists import write_annotated
from service.shapes.outputs import check_out
from service.store.database import Database, beside
from service.store.feedback import to_learn
from service.versions import GateRefused, activate_through_gate


def _pairs(_: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Options of the form 甲=乙."""
    pairs = [value.partition("=") for value in values]
    if wrong := [left for left, mark, _ in pairs if not mark or not left.strip()]:
        raise click.UsageError(f"{param.opts[-1]} 的“{wrong[0]}”应写成 甲=乙 的样子，用英文等号。")
    return tuple((left.strip(), right.strip()) for left, _, right in pairs)


@click.command("train", help="用课程表训练出一个新版本，并输出版本号和指标（JSON）；--check 只核对，不训练。")
@click.option(
    "--courses",
    type=click.Path(path_type=Path),
    default=None,
    help="课程表：.xlsx .xls .csv .jsonl，schema.org 课程 .json .jsonld，Moodle 导出 .csv",
)
@registry_option
@click.option("--source", default=None, help="这份表的来源名，如 省网院；其他来源的课程保留。不给则这份表就是整个目录")
@click.option("--without", multiple=True, help="去掉一个来源的课程，可多次给出")
@click.option(
    "--map",
    "headers",
    multiple=True,
    metavar="表头=项目",
    callback=_pairs,
    help="更正表头的含义，如 讲什么=课程名称；等号后留空表示不读这一列。可多次给出，按来源记住",
)
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="标签=类别",
    callback=_pairs,
    help="认不出的课程类别归到哪一类，如 经信类=履职能力。可多次给出，按来源记住",
)
@click.option("--year", type=click.IntRange(1950, 2100), default=None, help="算哪一年的更新率；默认为表中最近的年度")
@click.option("--check", is_flag=True, help="只核对课程表，并与现用目录比较，不训练")
@out_option(help="核对结果写成工作簿：.xlsx，有问题的单元格标色并加批注；须与 --check 同用")
@click.option("--activate", is_flag=True, help="训练后启用这个版本；须通过启用前的检查")
@click.option("--reason", default=None, help="没有通过检查也要启用的理由，记入审计日志；不要写人名")
def train_command(
    courses: Path | None,
    registry: Path,
    source: str | None,
    without: tuple[str, ...],
    headers: tuple[tuple[str, str], ...],
    categories: tuple[tuple[str, str], ...],
    year: int | None,
    check: bool,
    out: Path | None,
    activate: bool,
    reason: str | None,
) -> None:
    """Read, check, compare; train, save, print the card."""
    _asked_for(courses, without, headers, categories, source, check, out)
    if check and (activate or reason is not None):
        raise click.UsageError(
            "--check 只核对，不训练，不能与 --activate、--reason 同用。要训练并启用时请去掉 --check。"
        )
    if registry.exists() and not registry.is_dir():
        raise InputError(f"{registry} 是文件，不是目录。请用 --registry 另指定版本库目录。")
    wanted = Import(courses, source, without, headers, categories, year)
    drafted = draft(wanted, Base.of(store_of(registry)), load_lexicon())
    _tell(courses, drafted)
    if check:
        tell_checked(drafted)
        if out and drafted.read:
            write_annotated(out, drafted.read, drafted.changes, drafted.asked)
            tell(f"已写入 {out}。")
        print_json(drafted.told())
    else:
        _train(drafted, registry, activate, reason)


def _asked_for(
    courses: Path | None,
    without: Sequence[str],
    headers: Sequence[Any],
    categories: Sequence[Any],
    source: str | None,
    check: bool,
    out: Path | None,
) -> None:
    """Refuse options that do not go together."""
    if courses is None and not without:
        raise click.UsageError("缺少 --courses；只去掉一个来源时给 --without。")
    if courses is None and (headers or categories or source is not None):
        raise click.UsageError("--source、--map 和 --category 说的是一份课程表，须与 --courses 同用。")
    if out and not (check and courses):
        raise click.UsageError("--out 须与 --courses 和 --check 同用：它写出核对结果。")
    check_out(out, (".xlsx",), courses)


def _tell(courses: Path | None, drafted: Draft) -> None:
    """What a planner should know of the list, on stderr."""
    if drafted.read and courses:
        tell_reading(courses, drafted.read.reading)
    for note in drafted.notes:
        tell(f"· {note}")


def _train(drafted: Draft, registry: Path, activate: bool, reason: str | None) -> None:
    # scikit-learn takes a second to import; --help should not wait for it.
    from service.training import FOREIGN, is_foreign, told, trained  # noqa: PLC0415

    settings = load_settings() | {"REGISTRY": str(registry)}
    if drafted.unknown:
        tell(
            f"· 有 {len(drafted.unknown)} 种课程类别认不出，这些课程先按所教内容归类；加 --check 查看，用 --category 标签=类别 说明。"
        )
    tell(f"读到 {len(drafted.catalog)} 门课程。正在训练，并用随附的评判数据评价匹配效果……")
    with beside(settings) as database:
        said = to_learn(settings, database)
        store, version = trained(drafted, settings, {"who": "local"}, said, tell=lambda words: tell(f"· {words}"))
        _tell_learnt(store.card(version)["metrics"].get("feedback"))
        refused = _activated(settings, database, version, reason) if activate else None
    active = activate and refused is None
    tell(f"已保存版本 {version}{'，并已启用' if active else '，尚未启用'}。")
    if is_foreign(store, version):
        tell(f"· {FOREIGN}")
    print_json(told(store, version) | {"active": active})
    if refused:
        raise refused


def _tell_learnt(learnt: Mapping[str, Any] | None) -> None:
    """What came of the feedback in the store, where there is any."""
    count = sum(learnt["pieces"].values()) if learnt else 0
    if learnt and count:
        came = "已据此调整匹配" if learnt["taken"] else f"没有采用：{'；'.join(learnt['why'])}"
        tell(f"· 反馈 {count} 条，{came}；详见版本的 metrics.feedback，不要时设 QUEBU_LEARN=0 再训练。")


def _activated(
    settings: dict[str, Any], database: Database | None, version: str, reason: str | None
) -> GateRefused | None:
    """Let the version take over; what the gate says where it does not let it."""
    try:
        done = activate_through_gate(settings, version, who_runs_this(), database=database, reason=reason)
    except GateRefused as refused:
        return refused
    for one in done.findings:
        tell(f"! {one['told']}")
    return None
