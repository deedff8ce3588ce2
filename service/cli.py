"""The ``quebu`` command. Results go to stdout or ``--out``; what a person should know (progress, faults, notes) goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from model.courselists import read_catalog
from model.domain import Catalog, Course, Limits, Plan, Profile, Reading
from model.errors import InputError, QuebuError
from model.lexicon import Lexicon, load_lexicon
from model.recommender import Recommender
from model.registry import Registry
from model.reports import account_line, missing_courses, personal_lists, reading_account
from model.rosters import read_roster
from model.tables import read_sheets, write_csv, write_workbook
from service.schemas import dump_answer, dump_plan, json_lines, read_course_lines, read_profiles
from service.settings import load_settings

MOST_FAULTS_SHOWN = 50
FEW_PEOPLE = 5


@click.group(help="缺补：缺什么补什么、干什么学什么。")
def main() -> None:
    """Entry point of the command."""


def planners_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Errors raised on purpose end a command with their message and exit code 1, never with a traceback."""

    @wraps(command)
    def wrapped(**arguments: Any) -> None:
        try:
            command(**arguments)
        except QuebuError as error:
            raise click.ClickException(str(error)) from error

    return wrapped


_settings = load_settings()
registry_option = click.option(
    "--registry", type=click.Path(path_type=Path), default=_settings["REGISTRY"], show_default=True, help="版本库目录"
)
version_option = click.option("--version", default=None, help="使用的版本，默认为启用的版本")
out_option = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="结果文件，按后缀决定格式"
)


@main.command(help="用一份课程表训练出一个新版本，并输出版本号和指标（JSON）。")
@click.option("--courses", type=click.Path(path_type=Path), required=True, help="课程表：.xlsx .xls .csv .jsonl")
@registry_option
@click.option("--activate", is_flag=True, help="训练后立即启用这个版本")
@planners_errors
def train(courses: Path, registry: Path, activate: bool) -> None:
    """Train, save, print the card."""
    from model import training  # noqa: PLC0415 (scikit-learn takes a second to import; --help should not wait for it)

    lexicon = load_lexicon()
    catalog, reading = _catalog(courses, lexicon)
    _tell(f"{courses.name}：读到 {len(catalog)} 门课程。开始训练……")
    store = Registry(registry)
    card = {
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": courses.name,
        "courses": len(catalog),
        "catalog_fingerprint": catalog.fingerprint,
        "accepted_relevance": training.ACCEPTED,
        "reading": {
            "rows": reading.rows,
            "read": reading.read,
            "rejected": reading.rejected,
            "skipped": reading.skipped,
        },
        "metrics": training.measure(),
    }
    version = store.save(lambda number: training.train(catalog, number), card)
    if activate:
        store.activate(version)
    saved = store.card(version)
    _print_json(
        {key: saved[key] for key in ("version", "created", "courses", "catalog_fingerprint", "metrics")}
        | {"active": activate}
    )


@main.command(help="为名册里的每个人推荐课程。")
@click.option("--roster", type=click.Path(path_type=Path), required=True, help="名册：.xlsx .xls .csv .jsonl")
@click.option(
    "--top",
    type=click.IntRange(1, 100),
    default=_settings["TOP"],
    show_default=True,
    help="每人最多推荐几门（必修课另计）",
)
@click.option(
    "--level-window", type=click.IntRange(0, 10), default=_settings["LEVEL_WINDOW"], help="允许与课程适用层级相差几级"
)
@click.option("--exclude", multiple=True, help="不推荐的课程编号，可多次给出")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m", "%Y-%m-%d"]), default=None, help="任职年限算到何时；默认取名册的填报日期"
)
@out_option
@registry_option
@version_option
@planners_errors
def recommend(
    roster: Path,
    top: int,
    level_window: int,
    exclude: tuple[str, ...],
    as_of: datetime | None,
    out: Path | None,
    registry: Path,
    version: str | None,
) -> None:
    """Read the roster, recommend, write."""
    write = _writer(out)
    recommender = Registry(registry).load(version)
    reading = _roster(roster, recommender.lexicon, (as_of.year, as_of.month) if as_of else None)
    limits = Limits(top, level_window, frozenset(exclude))
    unknown = [(person, text) for person in reading.values for text in recommender.unknown_completed(person)]
    if unknown:
        _tell(f"{len(unknown)} 条已学课程在目录中找不到，未能排除（见读取说明）。")
    with _progress(len(reading.values), "推荐") as step:
        plans = recommender.plans(reading.values, limits, step)
        write(plans, recommender, reading, unknown)
    if out:
        _tell(f"已写入 {out}。")


@main.command(help="为一句短板（或一个 .jsonl 文件里的每一句）匹配课程。")
@click.argument("text", required=False)
@click.option("--in", "source", type=click.Path(path_type=Path), default=None, help='每行一个 {"id", "text"}')
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True)
@out_option
@registry_option
@version_option
@planners_errors
def match(
    text: str | None, source: Path | None, top: int, out: Path | None, registry: Path, version: str | None
) -> None:
    """Rank the courses for gap texts."""
    if (text is None) == (source is None):
        raise click.UsageError("请给出一句短板，或用 --in 给出文件，二者选一。")
    asked = [(None, text or "")] if source is None else _questions(source)
    recommender = Registry(registry).load(version)
    answers = recommender.answer([question for _, question in asked], top)
    dumped = (
        dump_answer(identity, answer, recommender.version) for (identity, _), answer in zip(asked, answers, strict=True)
    )
    if source is None:
        _print_json(next(dumped))
    else:
        _write_lines(out, dumped)


@main.command(help="在已有评判的短板上评价匹配效果，并与基线比较（JSON）。")
@click.option("--courses", type=click.Path(path_type=Path), required=True, help="课程表")
@click.option("--queries", type=click.Path(path_type=Path), required=True, help='.jsonl，每行 {"qid", "text", "style"}')
@click.option("--qrels", type=click.Path(path_type=Path), required=True, help=".tsv，每行 qid、课程编号、等级 0–3")
@planners_errors
def evaluate(courses: Path, queries: Path, qrels: Path) -> None:
    """Train on the course list and compare with the baselines."""
    from model import training  # noqa: PLC0415

    catalog, _ = _catalog(courses, load_lexicon())
    judgements = training.read_judgements(catalog, queries, qrels)
    _print_json(training.compare(training.train(catalog), judgements))


@main.command(help="启动服务。")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@registry_option
def serve(host: str, port: int, workers: int, registry: Path) -> None:
    """Serve over HTTP."""
    from service.server import run  # noqa: PLC0415

    _tell(f"缺补服务：http://{host}:{port}/ （按 Ctrl+C 停止）")
    run(host, port, workers, registry)


@main.command(help="用随附的名册样例演示：显示前几人的短板和推荐，并写出 Excel。")
@out_option
@registry_option
@version_option
@planners_errors
def demo(out: Path | None, registry: Path, version: str | None) -> None:
    """Recommend for the bundled sample roster."""
    from model.lexicon import TRAINING_DATA  # noqa: PLC0415

    recommender = Registry(registry).load(version)
    reading = _roster(TRAINING_DATA / "roster_sample.xlsx", recommender.lexicon, None)
    plans = list(recommender.plans(reading.values, Limits(_settings["TOP"])))
    for plan in plans[:FEW_PEOPLE]:
        click.echo(_as_story(plan))
    out = out or Path("instance") / "demo.xlsx"
    out.parent.mkdir(parents=True, exist_ok=True)
    unknown = [(person, text) for person in reading.values for text in recommender.unknown_completed(person)]
    write_workbook(
        out, [personal_lists(plans, recommender.lexicon), missing_courses(plans), reading_account(reading, unknown)]
    )
    click.echo(f"共 {len(plans)} 人。全部结果已写入 {out}：个人推荐清单、缺课清单、读取说明。")


def _as_story(plan: Plan) -> str:
    """One person's plan as lines of text."""
    person = plan.profile
    lines = [f"■ {person.name or person.id}  {person.unit or ''} {person.post or ''}".rstrip()]
    words = {"duty": "岗位需要", "lack": "短板"}
    lines += [
        f"  {words[gap.reason]}：{gap.text}"
        + (f" → {gap.competency}" if gap.competency not in {None, gap.text} else "")
        for gap in plan.gaps
    ]
    for recommendation in plan.recommendations:
        course = recommendation.candidate.course
        hours = f"{course.hours:g} 学时" if course.hours is not None else "学时待定"
        lines.append(
            f"  ▸ {'【必修】' if course.required else ''}{course.title}（{'，'.join(filter(None, [course.mode, hours]))}）"
        )
        lines += [f"      {reason.text}" for reason in recommendation.reasons]
    lines += [f"  ✕ {unmet.gap.text}：{unmet.cause}" for unmet in plan.unmet]
    return "\n".join(lines) + "\n"


def _catalog(path: Path, lexicon: Lexicon) -> tuple[Catalog, Reading[Course]]:
    sheets = read_course_lines(path) if path.suffix.lower() == ".jsonl" else read_sheets(path)
    catalog, reading = read_catalog(sheets, lexicon)
    _tell_reading(reading)
    return catalog, reading


def _roster(path: Path, lexicon: Lexicon, today: tuple[int, int] | None) -> Reading[Profile]:
    reading = (
        read_profiles(path, lexicon)
        if path.suffix.lower() == ".jsonl"
        else read_roster(read_sheets(path), lexicon, today)
    )
    _tell_reading(reading)
    return reading


def _questions(path: Path) -> list[tuple[str | None, str]]:
    questions = []
    for number, body in json_lines(path):
        if not isinstance(body, dict) or not isinstance(body.get("text"), str):
            raise InputError(f'{path.name} 第 {number} 行应为 {{"id": …, "text": "…"}}。')
        questions.append((body.get("id"), body["text"]))
    return questions


Writer = Callable[[Iterator[Plan], Recommender, Reading[Profile], list[tuple[Profile, str]]], None]


def _writer(out: Path | None) -> Writer:
    """Choose the format by suffix before the work begins, so that a wrong suffix costs nobody an hour."""
    suffix = ".jsonl" if out is None else out.suffix.lower()
    if suffix not in {".jsonl", ".xlsx", ".csv"}:
        raise InputError(f"不支持写出 {suffix or '没有后缀的'} 文件；--out 的后缀可为 .xlsx、.csv 或 .jsonl。")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"目录 {out.parent} 不存在，请先建立。")

    def lines(plans: Iterator[Plan], *_: Any) -> None:
        _write_lines(out, map(dump_plan, plans))

    def table(plans: Iterator[Plan], recommender: Recommender, *_: Any) -> None:
        assert out is not None
        write_csv(out, personal_lists(list(plans), recommender.lexicon))

    def workbook(
        plans: Iterator[Plan], recommender: Recommender, reading: Reading[Profile], unknown: list[tuple[Profile, str]]
    ) -> None:
        assert out is not None
        done = list(plans)
        write_workbook(
            out, [personal_lists(done, recommender.lexicon), missing_courses(done), reading_account(reading, unknown)]
        )

    return {".jsonl": lines, ".csv": table, ".xlsx": workbook}[suffix]


def _write_lines(out: Path | None, values: Iterable[dict[str, Any]]) -> None:
    lines = (json.dumps(value, ensure_ascii=False) for value in values)
    if out is None:
        for line in lines:
            click.echo(line)
    else:
        with out.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in lines)


def _tell_reading(reading: Reading[Any]) -> None:
    _tell(account_line(reading))
    for note in reading.notes:
        _tell(f"· {note}")
    for fault in reading.faults[:MOST_FAULTS_SHOWN]:
        _tell(f"! {fault}")
    if len(reading.faults) > MOST_FAULTS_SHOWN:
        _tell(f"! ……另有 {len(reading.faults) - MOST_FAULTS_SHOWN} 处。")


@contextmanager
def _progress(total: int, label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr; silent where stderr is a file."""
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield lambda done, _: bar.update(done - bar.pos)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
