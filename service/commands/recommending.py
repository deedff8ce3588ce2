"""``quebu recommend``: a plan for each person on a roster, with its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from model.domain import Limits, Plan
from service.bulk.large_rosters import Bulk, options, recommend_in_portions
from service.commands.terminal import (
    as_of_option,
    level_window_option,
    progress,
    registry_option,
    roster_of,
    roster_option,
    setting,
    tell,
    tell_overridden,
    tell_removed,
    unknown_completed,
    version_at_work,
    version_option,
)
from service.shapes.outputs import Results, writer


@click.command("recommend", help="为名册里的每个人推荐课程。")
@roster_option
@click.option("--top", type=click.IntRange(1, 100), help="每人最多推荐几门（必修课另计）", **setting("TOP"))
@level_window_option
@click.option("--exclude", multiple=True, help="不推荐的课程编号，可多次给出")
@as_of_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="结果文件，按后缀决定格式：.xlsx .csv .jsonl；不给则以 jsonl 输出。分份处理时为 .jsonl 或目录",
)
@options
@registry_option
@version_option
def recommend_command(
    roster: Path,
    top: int,
    level_window: int,
    exclude: tuple[str, ...],
    as_of: datetime | None,
    out: Path | None,
    registry: Path,
    version: str | None,
    **bulk: Any,
) -> None:
    """Read the roster, recommend, write."""
    asked = Bulk(**bulk)
    asked.check(roster, out)
    write = None if asked.wanted else writer(out, roster)
    recommender = version_at_work(registry, version)
    strangers = sorted(set(exclude) - set(recommender.catalog.row_of))
    if strangers:
        tell(f"· --exclude 中的编号不在课程目录里，未起作用：{'、'.join(strangers)}。")
    limits = Limits(top, level_window, frozenset(exclude))
    if write is None:
        recommend_in_portions(asked, roster, recommender, limits, registry, out)
        return
    reading = roster_of(roster, recommender.lexicon, (as_of.year, as_of.month) if as_of else None)
    unknown = unknown_completed(recommender, reading)
    with progress(len(reading.values), "推荐") as step:
        plans = recommender.plans(reading.values, limits, step)
        removed: Counter[str] = Counter()
        overridden: set[int] = set()
        write(Results(_counted(plans, removed, overridden), recommender.lexicon, reading, unknown))
    tell_removed(removed)
    tell_overridden(recommender, overridden)
    if out:
        tell(f"已写入 {out}。")


def _counted(plans: Iterator[Plan], removed: Counter[str], overridden: set[int]) -> Iterator[Plan]:
    """Pass the plans on, adding up what each eligibility rule took away, and which rejections took part."""
    for plan in plans:
        removed.update(plan.removed)
        overridden |= plan.overridden
        yield plan
