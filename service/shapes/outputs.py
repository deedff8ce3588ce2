"""Plans and answers -> files, in the format their suffix names. A file appears whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from xlsxwriter.exceptions import FileCreateError

from model.cohort.filing import Filing
from model.cohort.plan_reports import cohort_sheets
from model.cohort.rival import Comparison, comparison_sheet
from model.domain import Plan, Profile, Reading
from model.errors import InputError
from model.files.sheets import SheetOut, write_csv, write_workbook
from model.lexicon import Lexicon
from model.reports import missing_courses, personal_lists, reading_account, without_course
from service.shapes.plans import dump_cohort
from service.shapes.schemas import dump_plan


@dataclass(frozen=True)
class Results:
    """What a recommendation run hands to the writer: the plans as they come, and what the workbook tells besides."""

    plans: Iterator[Plan]
    lexicon: Lexicon
    reading: Reading[Profile]
    unknown: tuple[tuple[Profile, str], ...]


@dataclass(frozen=True)
class PlanResults:
    """What planning for a cohort hands to the writer."""

    filing: Filing
    reading: Reading[Profile]
    comparison: Comparison | None
    unknown: tuple[tuple[Profile, str], ...]


Writer = Callable[[Results], None]


def writer(out: Path | None, source: Path) -> Writer:
    """Choose the format by suffix before the work begins, so that a wrong suffix costs nobody an hour."""
    check_out(out, (".xlsx", ".csv", ".jsonl"), source)
    if out is None:
        return lambda results: write_lines(None, map(dump_plan, results.plans))
    return {".jsonl": _lines, ".csv": _table, ".xlsx": _workbook}[out.suffix.lower()](out)


def check_out(out: Path | None, suffixes: tuple[str, ...], source: Path | None = None) -> None:
    """InputError unless ``out`` can be written in one of the formats, and is not the file that is read."""
    if out is None:
        return
    if out.suffix.lower() not in suffixes:
        allowed = "、".join(suffixes[:-1]) + (" 或 " if suffixes[1:] else "") + suffixes[-1]
        raise InputError(f"不支持写出 {out.suffix or '没有后缀的'} 文件；--out 的后缀可为 {allowed}。")
    if not out.parent.is_dir():
        raise InputError(f"目录 {out.parent} 不存在，请先建立。")
    if source is not None and source.exists() and out.exists() and out.samefile(source):
        raise InputError(f"{out.name} 正是要读取的文件，写出会把它覆盖。请用 --out 换一个文件名。")


def _lines(out: Path) -> Writer:
    return lambda results: write_lines(out, map(dump_plan, results.plans))


def _table(out: Path) -> Writer:
    def write(results: Results) -> None:
        sheet = personal_lists(list(results.plans), results.lexicon)
        with whole(out) as draft:
            write_csv(draft, sheet)

    return write


def _workbook(out: Path) -> Writer:
    def write(results: Results) -> None:
        plans = list(results.plans)
        sheets = [
            personal_lists(plans, results.lexicon),
            missing_courses(without_course(plans)),
            reading_account(results.reading, results.unknown),
        ]
        with whole(out) as draft:
            write_workbook(draft, sheets)

    return write


def plan_writer(out: Path | None) -> Callable[[PlanResults], None]:
    """Choose how a cohort plan is written: a workbook for .xlsx, else JSON."""
    if out is not None and out.suffix.lower() == ".xlsx":
        return partial(_plan_workbook, out)
    return lambda results: write_lines(out, [_told(results)], indent=2)


def plan_sheets(results: PlanResults) -> list[SheetOut]:
    """All sheets of the workbook of a cohort plan, in their order."""
    beside = [comparison_sheet(results.comparison)] if results.comparison else []
    return [*cohort_sheets(results.filing), *beside, reading_account(results.reading, results.unknown)]


def _told(results: PlanResults) -> dict[str, Any]:
    beside = {"comparison": asdict(results.comparison)} if results.comparison else {}
    return dump_cohort(results.filing) | beside


def _plan_workbook(out: Path, results: PlanResults) -> None:
    with whole(out) as draft:
        write_workbook(draft, plan_sheets(results))


def write_comparison(out: Path | None, found: Comparison) -> None:
    """Two plans side by side: a workbook for .xlsx, else JSON."""
    if out is None or out.suffix.lower() != ".xlsx":
        write_lines(out, [asdict(found)], indent=2)
        return
    with whole(out) as draft:
        write_workbook(draft, [comparison_sheet(found)])


def write_lines(out: Path | None, values: Iterable[dict[str, Any]], indent: int | None = None) -> None:
    """Write one JSON value a line, to stdout where there is no file. Always UTF-8, whatever the terminal speaks."""
    lines = ((json.dumps(value, ensure_ascii=False, indent=indent) + "\n").encode() for value in values)
    if out is None:
        for line in lines:
            click.echo(line, nl=False)
    else:
        with whole(out) as draft, draft.open("wb") as file:
            file.writelines(lines)


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A draft beside the file, which takes its place when all is written and goes when writing fails."""
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        yield draft
        os.replace(draft, out)
    except (OSError, FileCreateError) as error:
        # The draft is our own affair; the person who reads this knows the file.
        cause = error if isinstance(error, OSError) else error.args[0]
        raise OSError(cause.errno, cause.strerror, str(out)) from error
    finally:
        draft.unlink(missing_ok=True)
