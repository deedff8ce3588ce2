"""``quebu recommend`` for rosters that outgrow one process or one machine: in portions, by processes of this machine or by a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from model.domain import Limits
from model.errors import InputError, TableError
from model.recommender import Recommender
from service.bulk.cluster import Each, on_dask, on_this_machine
from service.bulk.manifest import Run
from service.bulk.pinned import Pinned, arithmetic_of, hindrance
from service.bulk.portions import files_of, ids_of, source_of
from service.bulk.totals import Totals
from service.commands.terminal import progress, tell, tell_overridden, tell_removed, tell_unknown
from service.commands.usage import MOST_FAULTS_SHOWN
from service.shapes.outputs import check_out

PART_SIZE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """How to work on a large roster: where, by how many processes, how many lines a portion."""

    engine: str = "local"
    scheduler: str | None = None
    jobs: int | None = None
    part_size: int | None = None
    anew: bool = False

    @property
    def wanted(self) -> bool:
        """Whether the roster is worked on in portions at all."""
        return self.engine == "dask" or self.jobs is not None

    def check(self, roster: Path, out: Path | None) -> None:
        """Refuse options that do not go together, and what cannot be written, before the work begins."""
        if (self.engine == "dask") != (self.scheduler is not None):
            raise click.UsageError(
                "--engine dask 与 --scheduler 要一起给出，如 --engine dask --scheduler tcp://主机:8786。"
            )
        if self.engine == "dask" and self.jobs is not None:
            raise click.UsageError("--jobs 只用于本机；用 --engine dask 时进程数由集群决定，请去掉 --jobs。")
        if not self.wanted:
            if self.part_size is not None or self.anew:
                raise click.UsageError("--part-size、--anew 只用于分份处理，请同时给出 --jobs 或 --engine dask。")
            if out is not None and out.is_dir():
                raise click.UsageError("--out 的值不对，应为文件，不能是目录。")
            if roster.is_dir():
                raise click.UsageError("名册是文件夹时要分份处理，请同时给出 --jobs 或 --engine dask。")
            return
        if out is None:
            raise click.UsageError("分份处理的结果要写成文件，请用 --out 给出 .jsonl 文件或目录。")
        if out.suffix.lower() in {".xlsx", ".xls", ".csv"}:
            raise InputError("分份处理的结果只能写成 .jsonl 文件或目录；请改 --out，或去掉 --jobs 和 --engine。")
        if _single(out):
            check_out(out, (".jsonl",), roster)
        if roster.is_dir() and out.parent.is_dir() and out.parent.samefile(roster):
            raise InputError("--out 在名册的文件夹里，下次会被当作名册读取。请另给一个地方。")


def options(command: Any) -> Any:
    """The options of :class:`Bulk`, each with what it means."""
    several = (
        click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="在哪里计算：local 本机，dask 已有的 Dask 集群（名册分份处理）"),
        click.option("--scheduler", default=None, help="Dask 调度器的地址，如 tcp://主机:8786"),
        click.option("--jobs", type=click.IntRange(1, 256), default=None, help="名册分份处理，用本机几个进程"),
        click.option("--part-size", type=click.IntRange(1, 100_000), default=None, help=f"分份处理时每份最多几人，默认 {PART_SIZE}"),
        click.option("--anew", is_flag=True, help="结果目录里若有另一次运行的结果，弃去重做"),
    )  # fmt: skip
    for option in reversed(several):
        command = option(command)
    return command


def recommend_in_portions(
    asked: Bulk, roster: Path, recommender: Recommender, limits: Limits, registry: Path, out: Path | None
) -> None:
    """Recommend for a roster in portions; what an earlier run of the same has finished is taken over."""
    assert out is not None
    files = [path.absolute() for path in files_of(roster)]
    size = asked.part_size or PART_SIZE
    sources = tuple(source_of(path, size) for path in files)
    rows = sum(source.rows for source in sources)
    if not rows:
        raise InputError(f"{roster.name} 里没有内容。每行应为一个 JSON 对象。")
    folder = (out.with_name(f"{out.name}.parts") if _single(out) else out).absolute()
    pinned = Pinned.of(registry, recommender, limits, ids_of(files))
    run = Run(pinned, recommender.catalog.fingerprint, sources, size, folder)
    content = run.begin(asked.anew)
    accounts = run.done()
    tell(f"{roster.name}：{len(files)} 个文件，共 {rows:,} 行，分成 {len(run.portions):,} 份。")
    if accounts:
        tell(f"· 接着上次做：{len(accounts):,} 份已经完成。")
    seen = tuple((str(path), os.path.getsize(path)) for path in files)
    check = partial(hindrance, pinned, seen, str(run.manifest), content)
    try:
        with _workers(asked, check) as each, progress(rows, "推荐") as step:
            step(sum(run.portions[number].rows for number in accounts), rows)
            totals = run.finish(each, accounts, lambda done: step(done, rows))
    except InputError:  # Told before anything was done.
        if not accounts:
            run.remove()
        raise
    if _single(out):
        run.join(out if totals.people else None)
    _tell(totals, roster, recommender)
    tell(f"已写入 {out}。")


def _workers(asked: Bulk, check: Callable[[], str]) -> AbstractContextManager[Each]:
    return on_dask(asked.scheduler, check) if asked.scheduler else on_this_machine(asked.jobs or 1)


def _single(out: Path) -> bool:
    """Whether all goes into one file; else it stays in its parts."""
    return out.suffix.lower() == ".jsonl" and not out.is_dir()


def _tell(totals: Totals, roster: Path, recommender: Recommender) -> None:
    """Say what a run in one piece says."""
    skipped = f"（空行 {totals.blank}）" if totals.blank else ""
    all_rows = totals.people + totals.rejected + totals.blank
    account = (
        f"读取 {totals.people} 行，未能读取 {totals.rejected} 行，跳过 {totals.blank} 行{skipped}，共 {all_rows} 行。"
    )
    if not totals.people:
        raise TableError(f"{roster.name} 里没有一个可用的人员。{account}", totals.faults)
    tell(f"{roster.name}：{account}")
    for fault in totals.faults:
        tell(f"! {fault}")
    if totals.faulty > MOST_FAULTS_SHOWN:
        tell(f"! ……另有 {totals.faulty - MOST_FAULTS_SHOWN} 处。")
    tell_unknown(totals.unknown)
    tell_removed(totals.removed)
    tell_overridden(recommender, totals.overridden)
    others = totals.arithmetics.total() - totals.arithmetics[arithmetic_of(recommender)]
    if others:
        tell(
            f"· 有 {others:,} 份由运算末位与本机不同的机器完成（处理器或线性代数库不同），个别分数的第四位小数可能与在本机计算的不同。"
        )
