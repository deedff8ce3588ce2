"""Rosters in .parquet: the columns are the fields of a profile in JSON, a row is a line.

A table has no shape of its own for what is nested, so those columns may be lists, structs and maps, or JSON texts. Reading needs pyarrow, which comes with the
extra ``dask``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import accumulate
from pathlib import Path
from typing import Any

from model.domain import Fault, Profile, Reading
from model.errors import InputError, UnreadableFile
from model.lexicon import Lexicon
from service.shapes.jsonl import Line, parse, reading_of
from service.shapes.schemas import ProfileIn

ROWS = 1000  # Rows decoded at once.
NESTED = {"weaknesses", "scores", "completed", "restrictions"}
TEXTS = {"id", "name", "unit", "post", "level", "duty"}
KINDS = {"text": "文本", "number": "数字", "nested": "列表、对象，或写成 JSON 的文本"}
EXTRA = "需要另装组件：请在项目目录运行 .venv/bin/python -m pip install --require-hashes -r requirements/dask.txt"


def read_parquet(path: Path, lexicon: Lexicon) -> Reading[Profile]:
    """Read a roster in .parquet, one profile a row; raises InputError naming every column that cannot be."""
    lines = list(rows_in(path, 1, row_count(path)))
    if not lines:
        raise UnreadableFile(f"{path.name} 里没有内容。")
    return reading_of(path, lines, 0, lexicon)


def row_count(path: Path) -> int:
    """How many rows a file has, after a look at its columns; raises InputError."""
    with _opened(path) as file:
        _check_columns(path, file.schema_arrow)
        return int(file.metadata.num_rows)


def rows_in(path: Path, first: int, rows: int) -> Iterator[Line]:
    """Rows of a file from the number ``first`` (from 1) on, decoded some at a time; other parts of the file are not read."""
    with _opened(path) as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
        ends = list(accumulate(groups))
        starts = [end - size for end, size in zip(ends, groups, strict=True)]
        wanted = [
            number
            for number, (start, end) in enumerate(zip(starts, ends, strict=True))
            if start < first - 1 + rows and end > first - 1
        ]
        at = starts[wanted[0]] + 1 if wanted else first
        for batch in file.iter_batches(ROWS, wanted):
            skipped = max(0, first - at)
            kept = batch.slice(skipped, max(0, first + rows - at - skipped))
            for number, row in enumerate(kept.to_pylist(), start=at + skipped):
                yield _line(path, number, row)
            at += batch.num_rows


def ids_in(path: Path) -> Iterator[str]:
    """The ids of a file, whether or not their rows can be used."""
    with _opened(path) as file:
        for batch in file.iter_batches(ROWS, columns=["id"]):
            yield from filter(None, batch.column(0).to_pylist())


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        from pyarrow import ArrowException  # noqa: PLC0415 (an extra, and half a second to import)
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415
    except ImportError as error:
        raise InputError(f"读取 .parquet {EXTRA}") from error
    if not path.is_file():
        raise UnreadableFile(f"找不到文件 {path.name}。请检查路径。")
    try:
        with ParquetFile(path) as file:
            yield file
    except (ArrowException, UnicodeDecodeError, OSError) as error:
        if (
            isinstance(error, OSError) and error.errno
        ):  # The disk or a right; pyarrow calls damage an OSError too, without a number.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise UnreadableFile(f"{path.name} 已损坏，或不是 Parquet 文件。请重新导出。") from error


def _check_columns(path: Path, schema: Any) -> None:
    """Tell every column that is no field of a profile, and every one whose type no field can have."""
    fields = ProfileIn().fields
    faults = []
    for column in schema:
        if column.name not in fields:
            near = get_close_matches(column.name.lower(), fields, n=1)
            meant = f"是否想写 {near[0]}？" if near else "请检查拼写，或去掉这一列。"
            faults.append(f"列 {column.name}：没有这个字段；{meant}")
        else:
            kind = "text" if column.name in TEXTS else "nested" if column.name in NESTED else "number"
            if not _fits(column.type, kind):
                faults.append(f"列 {column.name}：类型应为{KINDS[kind]}，现为 {column.type}。")
    if "id" not in schema.names:
        faults.append("列 id：缺少这一列；请补上每人的编号。")
    if faults:
        raise InputError("\n".join([f"{path.name} 的列有误：", *faults]))


def _fits(kind: Any, wanted: str) -> bool:
    from pyarrow import types  # noqa: PLC0415

    if types.is_dictionary(kind):
        kind = kind.value_type
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if types.is_null(kind) or wanted == "text":
        return bool(text or types.is_null(kind))
    if wanted == "number":
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
    return bool(text or types.is_nested(kind))


def _line(path: Path, number: int, row: dict[str, Any]) -> Line:
    value = {}
    for name, cell in row.items():
        # A table cannot tell what is absent from what is empty.
        if cell is None or (cell == "" and name in NESTED):
            continue
        try:
            value[name] = parse(cell) if name in NESTED and isinstance(cell, str) else _plain(cell)
        except ValueError as error:
            problem, remedy = str(error).replace("第 1 行", "").split("；")
            return Line(number, fault=Fault(f"{path.name}:{number} {name}", "", problem, remedy))
    return Line(number, value)


def _plain(value: Any) -> Any:
    """What pyarrow makes of nested values, as JSON has it: a map comes as a list of pairs, a struct with every field of its kind."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        if value and all(isinstance(inner, tuple) for inner in value):
            return {key: _plain(inner) for key, inner in value}
        return [_plain(inner) for inner in value]
    return value
