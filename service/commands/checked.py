"""What a check of a course list found, told on stderr: what would change, and the category labels that are asked about."""

from __future__ import annotations

from collections.abc import Iterator

from model.changes import Changes
from model.files.annotated import category_option, rate_line
from model.files.categories import BRANCHES, Asked
from service.catalogs import Draft
from service.commands.terminal import tell

MOST_ASKED_SHOWN = 10  # Labels told on a terminal; all of them stand in the answer and in the workbook.


def tell_checked(drafted: Draft) -> None:
    """Say what would change, a line for each matter there is something to say of."""
    for line in _changed(drafted.changes, drafted.base.version if drafted.base else ""):
        tell(f"· {line}")
    for one in drafted.asked[:MOST_ASKED_SHOWN]:
        tell(f"· {_asked(one)}")
    if (rest := len(drafted.asked) - MOST_ASKED_SHOWN) > 0:
        tell(f"· ……另有 {rest} 种类别认不出，见 categories 一项，或用 --out 核对.xlsx 写出。")


def _changed(changes: Changes, base: str) -> Iterator[str]:
    counts = {
        "新增": len(changes.added),
        "删除": len(changes.removed),
        "改名": len(changes.renamed),
        "改编号": len(changes.renumbered),
        "改类别": len(changes.recategorised),
        "学时变化": len(changes.retimed),
    }
    said = "，".join(f"{word} {count:,} 门" for word, count in counts.items() if count)
    beside = f"与版本 {base} 的目录相比" if base else "没有可比的目录"
    if said or changes.others:
        others = f"其他栏目改动 {sum(changes.others.values()):,} 处" if changes.others else ""
        yield f"{beside}：{'，'.join(filter(None, [said, others]))}。"
    if changes.duplicates:
        yield f"疑似重复 {len(changes.duplicates):,} 对。"
    if changes.series:
        yield f"按标题认作系列 {len(changes.series):,} 个。"
    if changes.after:
        yield rate_line(changes.freshness)


def _asked(one: Asked) -> str:
    if one.proposed:
        return f"类别“{one.label}”认不出（{one.courses:,} 门），像是{one.proposed}；若是，请加 {category_option(one)}"
    return (
        f"类别“{one.label}”认不出（{one.courses:,} 门）；请加 {category_option(one)}，类别为 {'、'.join(BRANCHES)} 之一"
    )
