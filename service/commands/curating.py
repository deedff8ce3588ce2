"""``quebu overrides`` and ``quebu reviews``: what is said of words and courses whatever version answers, and what somebody should say something of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from model.curation import Pin, Synonym, Taught
from model.enrichment import Proposal, proposals, to_review
from model.sheets import SheetOut, write_csv, write_workbook
from service.commands.administration import opened
from service.commands.terminal import (
    out_option,
    print_json,
    registry_option,
    tell,
    version_at_work,
    version_option,
    who_runs_this,
)
from service.commands.usage import few
from service.shapes.fields import flatten
from service.shapes.jsonl import read_json_lines
from service.shapes.outputs import check_out, whole, write_lines
from service.shapes.sayings import OverrideIn
from service.store import overrides
from service.store.overrides import REJECT, Override

PAGE = 1000
LEAST_SURE = 20
REVIEWS = ("课程编号", "课程名称", "类别", "提供单位", "读出的能力", "把握", "更正为")
WIDTHS = (14, 40, 18, 18, 30, 10, 24)
NOTE = "把握最小的在前。更正：quebu overrides add --course 编号 --teaches 能力，或在接口 /api/v1/overrides 提交。"


@click.group(
    "overrides", help="人工调整：停用或指定课程、更正所教能力、补充本单位的说法；立即生效，重新训练后仍然有效。"
)
def overrides_group() -> None:
    """What holds whatever version answers."""


@overrides_group.command("list", help="列出现在起作用的人工调整（JSON）。")
@click.option("--reverted", is_flag=True, help="也列出已撤销的")
@registry_option
def list_overrides(registry: Path, reverted: bool) -> None:
    """Print them."""
    with opened(registry) as database:
        print_json([_told(one) for one in _every(database, reverted)])


@overrides_group.command("add", help="作出一条人工调整，输出它的编号。")
@click.option("--course", default=None, help="课程编号")
@click.option("--gap", default=None, help="只对这条短板（原话）")
@click.option("--reject", is_flag=True, help="停用课程")
@click.option("--pin", is_flag=True, help="指定课程：对 --gap 的短板、--competency 的能力，都不写则为所有人必修")
@click.option("--teaches", multiple=True, metavar="能力", help="更正课程所教的能力，可写多次，按主次")
@click.option("--synonym", default=None, metavar="说法", help="本单位的说法，指 --competency 的能力")
@click.option("--competency", default=None, metavar="能力", help="能力表里的规范词或别名")
@click.option("--reason", required=True, help="理由")
@registry_option
def add_override(registry: Path, **given: Any) -> None:
    """Put one to work."""
    kinds = {"reject": given["reject"], "pin": given["pin"], "teaches": given["teaches"], "synonym": given["synonym"]}
    chosen = [kind for kind, value in kinds.items() if value]
    if len(chosen) != 1:
        raise click.UsageError("请在 --reject、--pin、--teaches、--synonym 中选一个。")
    said = {"kind": chosen[0], "course_id": given["course"], "gap": given["gap"], "word": given["synonym"]}
    names = [*given["teaches"]] or ([given["competency"]] if given["competency"] else None)
    recommender = version_at_work(registry, None)
    try:
        asked = OverrideIn(recommender.catalog.row_of, recommender.lexicon).load(
            {**said, "competencies": names, "reason": given["reason"]}
        )
    except ValidationError as error:
        raise click.UsageError("\n".join(_faults(error))) from error
    with opened(registry) as database:
        print_json(_told(_put(database, asked)))


@overrides_group.command("revert", help="撤销一条人工调整，立即生效；记录保留。")
@click.argument("number", type=int, metavar="编号")
@registry_option
def revert_override(number: int, registry: Path) -> None:
    """Let one be at work no longer."""
    with opened(registry) as database:
        if overrides.find(database, number) is None:
            raise click.UsageError(f"没有编号为 {number} 的人工调整；各条见 quebu overrides list --reverted。")
        overrides.revert(database, who_runs_this(), number)
    tell(f"人工调整 {number} 已撤销。")


@overrides_group.command("export", help="导出现在起作用的人工调整，每行一条（.jsonl），可在别处导入。")
@out_option(help="结果文件：.jsonl；不给则直接输出")
@registry_option
def export_overrides(registry: Path, out: Path | None) -> None:
    """Write what can be put to work elsewhere."""
    check_out(out, (".jsonl",))
    with opened(registry) as database:
        found = list(_every(database))
    write_lines(out, [_portable(one) for one in found if one.pseudonym is None])
    own = sum(one.pseudonym is not None for one in found)
    if own:
        tell(f"· 只对某个人的 {own} 条没有导出：人员只以代号保存，代号在别处无法对应。")


@overrides_group.command("import", help="导入人工调整（.jsonl）；已有同样的不重复。有问题的行逐条列出，其余照常导入。")
@click.argument("source", type=click.Path(path_type=Path), metavar="文件")
@registry_option
def import_overrides(source: Path, registry: Path) -> None:
    """Put those of a file to work."""
    recommender = version_at_work(registry, None)
    schema = OverrideIn(recommender.catalog.row_of, recommender.lexicon)
    lines, _ = read_json_lines(source)
    faults, asked = [str(line.fault) for line in lines if line.fault], []
    for line in lines:
        if not line.fault:
            try:
                asked.append(schema.load(line.value))
            except ValidationError as error:
                faults += [f"{source.name}:{line.number} {told}" for told in _faults(error)]
    with opened(registry) as database:
        numbers = [_put(database, one).id for one in asked]
    for line_told in few(faults):
        tell(line_told)
    print_json({"imported": len(asked), "refused": len(lines) - len(asked), "overrides": sorted(set(numbers))})


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


def _reviewed(one: Proposal) -> dict[str, Any]:
    read = [{"name": name, "probability": surely} for name, surely in one.competencies]
    return {"course_id": one.course.id, "title": one.course.title, "state": one.state, "competencies": read}


def _every(database: Any, reverted: bool = False) -> Iterator[Override]:
    after = 0
    while found := overrides.listed(database, after, PAGE, reverted):
        yield from found
        after = found[-1].id


def _put(database: Any, asked: dict[str, Any]) -> Override:
    if asked["kind"] == REJECT:
        return overrides.reject(
            database, who_runs_this(), asked["course_id"], asked["gap"], asked["person"], asked["reason"]
        )
    told = {name: asked[name] for name in ("kind", "gap", "word", "competencies", "reason")}
    return overrides.say(database, who_runs_this(), course=asked["course_id"], **told)


def _told(one: Override) -> dict[str, Any]:
    own = {"person": one.pseudonym} if one.pseudonym else {}
    ended = {"reverted_at": one.reverted_at.isoformat(), "reverted_by": one.reverted_by} if one.reverted_at else {}
    return {"id": one.id, "at": one.at.isoformat(), "actor": one.actor, **_portable(one), **own, **ended}


def _portable(one: Override) -> dict[str, Any]:
    """A saying in the words in which it can be said again."""
    said = overrides.said(one)
    match said:
        case Pin(competency=str(name)):
            names: list[str] | None = [name]
        case Synonym():
            names = [said.competency]
        case Taught():
            names = [*said.competencies]
        case _:
            names = None
    told = {"course_id": one.course_id, "gap": one.gap, "word": one.word, "competencies": names}
    return {
        "kind": one.kind,
        **{name: value for name, value in told.items() if value is not None},
        "reason": one.reason,
    }


def _faults(error: ValidationError) -> list[str]:
    return [f"{'.'.join(said.steps)}：{said.chinese}" for said in flatten(error.messages)]
