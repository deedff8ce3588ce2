"""The ``quebu`` command. Results go to stdout or ``--out``; what a person should know (progress, faults, notes) goes to stderr."""

from __future__ import annotations

from pathlib import Path

import click

from model.domain import LONGEST_TEXT, Limits
from model.errors import InputError
from model.judgements import read_judgements
from model.lexicon import load_lexicon
from service.commands import administration
from service.commands.curating import overrides_group
from service.commands.models import models_group
from service.commands.planning import compare_plans_command, plan_command
from service.commands.recommending import recommend_command
from service.commands.reviewing import reviews_command
from service.commands.story import story
from service.commands.terminal import (
    catalog_of,
    out_option,
    print_json,
    registry_option,
    roster_of,
    tell,
    tell_overridden,
    unknown_completed,
    version_at_work,
    version_option,
)
from service.commands.training import train_command
from service.commands.usage import Planners, few
from service.commands.work import work_command
from service.settings import load_settings
from service.shapes.jsonl import read_questions
from service.shapes.outputs import Results, check_out, write_lines, writer
from service.shapes.schemas import dump_answer

FEW_PEOPLE = 5


@click.group(cls=Planners, help="缺补：缺什么补什么、干什么学什么。")
@click.version_option(package_name="quebu", message="缺补 %(version)s")
def main() -> None:
    """Entry point of the command."""


@main.command(help="为一句短板（或一个 .jsonl 文件里的每一句）匹配课程。")
@click.argument("text", required=False)
@click.option("--in", "source", type=click.Path(path_type=Path), default=None, help='每行一个 {"id", "text"}')
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="每句最多列出几门")
@out_option(help="结果文件：.jsonl；不给则直接输出")
@registry_option
@version_option
def match(
    text: str | None, source: Path | None, top: int, out: Path | None, registry: Path, version: str | None
) -> None:
    """Rank the courses for gap texts."""
    if (text is None) == (source is None):
        raise click.UsageError("请给出一句短板，或用 --in 给出文件，二者选一。")
    if text is not None and not 1 <= len(text.strip()) <= LONGEST_TEXT:
        raise InputError(f"短板应为 1 到 {LONGEST_TEXT} 个字，不能为空白。")
    check_out(out, (".jsonl",), source)
    asked, faults = ([(None, text or "")], ()) if source is None else read_questions(source)
    for line in few([str(fault) for fault in faults]):
        tell(line)
    recommender = version_at_work(registry, version)
    answers = recommender.answer([question for _, question in asked], top)
    degraded = recommender.matcher.encoder is None
    if degraded:
        tell("· 没有可用的句向量编码器，本次只凭词句和能力匹配（degraded），效果较差。")
    tell_overridden(recommender, {number for answer in answers for number in answer.overridden})
    dumped = (
        dump_answer(identity, answer, recommender.version, degraded)
        for (identity, _), answer in zip(asked, answers, strict=True)
    )
    if source is None and out is None:
        print_json(next(dumped))
    else:
        write_lines(out, dumped)


@main.command(help="在已有评判的短板上评价匹配效果，并与基线比较（JSON）。")
@click.option("--courses", type=click.Path(path_type=Path), required=True, help="课程表")
@click.option("--queries", type=click.Path(path_type=Path), required=True, help='.jsonl，每行 {"qid", "text", "style"}')
@click.option("--qrels", type=click.Path(path_type=Path), required=True, help=".tsv，每行 qid、课程编号、等级 0–3")
def evaluate(courses: Path, queries: Path, qrels: Path) -> None:
    """Train on the course list and compare with the baselines."""
    from model import comparison, training  # noqa: PLC0415

    catalog, _ = catalog_of(courses, load_lexicon())
    judgements = read_judgements(catalog, queries, qrels)
    tell("正在训练并与基线比较……")
    print_json(comparison.compare(training.train(catalog), judgements, training.knowledge()))


@main.command(help="启动服务。")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听的地址")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="监听的端口")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="工作进程数")
@click.option(
    "--worker/--no-worker",
    default=True,
    show_default=True,
    help="自带一个处理大任务的进程；quebu work 在别处运行时不必",
)
@registry_option
def serve(host: str, port: int, workers: int, worker: bool, registry: Path) -> None:
    """Serve over HTTP."""
    from service.serving.server import run  # noqa: PLC0415

    run(host, port, workers, registry, tell, jobs=worker)


@main.command(help="用随附的名册样例演示：显示前几人的短板和推荐，并写出 Excel。")
@out_option(help="Excel 结果，默认 instance/demo.xlsx")
@registry_option
@version_option
def demo(out: Path | None, registry: Path, version: str | None) -> None:
    """Recommend for the bundled sample roster."""
    from model.lexicon import TRAINING_DATA  # noqa: PLC0415

    if out is None:
        out = Path("instance") / "demo.xlsx"
        out.parent.mkdir(exist_ok=True)
    sample = TRAINING_DATA / "roster_sample.xlsx"
    check_out(out, (".xlsx",), sample)
    recommender = version_at_work(registry, version)
    reading = roster_of(sample, recommender.lexicon, None)
    unknown = unknown_completed(recommender, reading)
    plans = list(recommender.plans(reading.values, Limits(load_settings()["TOP"])))
    tell_overridden(recommender, {number for plan in plans for number in plan.overridden})
    tell("")
    for plan in plans[:FEW_PEOPLE]:
        click.echo(story(plan))
    writer(out, sample)(Results(iter(plans), recommender.lexicon, reading, unknown))
    click.echo(f"以上是前 {len(plans[:FEW_PEOPLE])} 人，共 {len(plans)} 人。")
    click.echo(f"全部结果已写入 {out}：个人推荐清单、缺课清单、读取说明。")


main.add_command(train_command)
main.add_command(recommend_command)
main.add_command(plan_command)
main.add_command(compare_plans_command)
main.add_command(work_command)
main.add_command(models_group)
main.add_command(overrides_group)
main.add_command(reviews_command)
for command in administration.COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
