"""``quebu reviews``: the courses somebody should say something of, as a table to be filled in, and that table read again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from model.enrichment import Proposal, proposals, to_review
from model.errors import InputError
from model.files.headers import Column, find_table
from model.files.sheets import SheetOut, write_csv, write_workbook
from model.files.tables import read_sheets
from service.commands.terminal import out_option, print_json, registry_option, tell, version_at_work, version_option
from service.shapes.outputs import check_out, whole
from service.store.overrides import TEACHES

LEAST_SURE = 20
REVIEWS = ("课程编号", "课程名称", "类别", "提供单位", "读出的能力", "把握", "更正为")
# The same table filled in, as it is read again.
FILLED = (Column("course_id", ("课程编号",), code=True), Column("said", ("更正为",)))
FILLED_NEEDED = (frozenset({"course_id"}), frozenset({"said"}))
NOTHING_TAUGHT = "无"
WIDTHS = (14, 40, 18, 18, 30, 10, 24)
NOTE = "把握最小的在前。在“更正为”一列写能力表里的规范词（最多三种，用、隔开；都不是就写“无”），再运行 quebu overrides import 这份表。"


@click.command("reviews", help="课程表没有写明所教能力、系统又读得没有把握的课程，把握最小的在前。")
@out_option(help="结果文件：.xlsx .csv；不给则列出前几门")
@registry_option
@version_option
def reviews_command(registry: Path, out: Path | None, version: str | None) -> None:
    """Tell which courses somebody should look at."""
    check_out(out, (".xlsx", ".csv"))
    every = proposals(version_at_work(registry, version))
    asked = to_review(every)
    tell(f"共 {len(every)} 门课程，待复核 {len(asked)} 门。{NOTE}")
    if out is None:
        print_json([_reviewed(one) for one in asked[:LEAST_SURE]])
        return
    rows = [
        (
            one.course.id,
            one.course.title,
            one.course.category,
            one.course.provider,
            "、".join(name for name, _ in one.competencies),
            one.surely,
            "",
        )
        for one in asked
    ]
    sheet = SheetOut("课程复核", "待复核的课程", REVIEWS, rows, WIDTHS, footer=(NOTE,))
    with whole(out) as draft:
        if out.suffix.lower() == ".csv":
            write_csv(draft, sheet)
        else:
            write_workbook(draft, [sheet])


def filled_in(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What somebody wrote into the column 更正为, row by row; InputError where there is no such table."""
    tables = [find_table(sheet, FILLED, FILLED_NEEDED) for sheet in read_sheets(source)]
    if not any(tables):
        raise InputError(
            f"{source.name} 里没有“课程编号”和“更正为”两列。请用 quebu reviews --out 写出的表，填好后再导入。"
        )
    for table in filter(None, tables):
        for _, row in table.rows:
            course, said = row["course_id"][0], row["said"][0]
            if course.text and said.text:
                names = [] if said.text == NOTHING_TAUGHT else re.split(r"[、，,；;]", said.text)
                told = {"kind": TEACHES, "course_id": course.text, "competencies": [name.strip() for name in names]}
                yield said.place, told | {"reason": "课程复核"}


def _reviewed(one: Proposal) -> dict[str, Any]:
    read = [{"name": name, "probability": surely} for name, surely in one.competencies]
    return {"course_id": one.course.id, "title": one.course.title, "state": one.state, "competencies": read}
