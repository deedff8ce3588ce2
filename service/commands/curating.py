"""``quebu overrides``: what is said of words and courses whatever version answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from service.commands.administration import opened
from service.commands.reviewing import filled_in
from service.commands.terminal import (
    out_option,
    print_json,
    registry_option,
    tell,
    version_at_work,
    who_runs_this,
)
from service.commands.usage import few
from service.shapes.fields import flatten
from service.shapes.jsonl import read_json_lines
from service.shapes.outputs import check_out, write_lines
from service.shapes.sayings import OverrideIn
from service.store import overrides
from service.store.database import Database
from service.store.overrides import Override

PAGE = 1000


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
        title = recommender.titled.get(asked["course_id"])
        print_json(_told(overrides.make(database, who_runs_this(), asked, title)))


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


@overrides_group.command(
    "import",
    help="导入人工调整（export 写出的 .jsonl，或 reviews 写出、填好“更正为”的 .xlsx .csv）；已有同样的不重复。有问题的行逐条列出，其余照常导入。",
)
@click.argument("source", type=click.Path(path_type=Path), metavar="文件")
@registry_option
def import_overrides(source: Path, registry: Path) -> None:
    """Put those of a file to work."""
    recommender = version_at_work(registry, None)
    schema = OverrideIn(recommender.catalog.row_of, recommender.lexicon)
    if source.suffix.lower() == ".jsonl":
        lines, _ = read_json_lines(source)
        faults = [str(line.fault) for line in lines if line.fault]
        given = [(f"{source.name}:{line.number}", line.value) for line in lines if not line.fault]
    else:
        faults, given = [], list(filled_in(source))
    count, asked = len(given) + len(faults), []
    for place, value in given:
        try:
            asked.append(schema.load(value))
        except ValidationError as error:
            faults += [f"{place} {told}" for told in _faults(error)]
    with opened(registry) as database:
        who, titled = who_runs_this(), recommender.titled
        numbers = [overrides.make(database, who, one, titled.get(one["course_id"])).id for one in asked]
    for line_told in few(faults):
        tell(line_told)
    print_json({"imported": len(asked), "refused": count - len(asked), "overrides": sorted(set(numbers))})


def _every(database: Database, reverted: bool = False) -> Iterator[Override]:
    after = 0
    while found := overrides.listed(database, after, PAGE, reverted):
        yield from found
        after = found[-1].id


def _told(one: Override) -> dict[str, Any]:
    own = {"person": one.pseudonym} if one.pseudonym else {}
    ended = {"reverted_at": one.reverted_at.isoformat(), "reverted_by": one.reverted_by} if one.reverted_at else {}
    return {"id": one.id, "at": one.at.isoformat(), "actor": one.actor, **_portable(one), **own, **ended}


def _portable(one: Override) -> dict[str, Any]:
    """A saying in the words in which it can be said again."""
    told = {name: getattr(one, name) for name in ("course_id", "gap", "word", "competencies")}
    return {
        "kind": one.kind,
        **{name: value for name, value in told.items() if value is not None},
        "reason": one.reason,
    }


def _faults(error: ValidationError) -> list[str]:
    return [f"{'.'.join(said.steps)}：{said.chinese}" for said in flatten(error.messages)]
