"""Rosters of any size -> portions: consecutive people of one file, told by where they stand, so that whoever works on them reads them alone."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from model.errors import InputError, UnreadableFile
from service.shapes.jsonl import Line, line_of
from service.shapes.parquet import ids_in, row_count, rows_in

SUFFIXES = (".jsonl", ".parquet")
LONGEST_LINE = 16 * 2**20
MOST_BYTES = 64 * 2**20  # Of one portion, however few its lines are.
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Portion:
    """Some consecutive lines (rows) of a file: the number of the first, from 1, and how many.

    ``start`` and ``end`` are the bytes of the file they stand in, ``digest`` is that of these bytes; of a .parquet file they are those of its directory, which
    names every block of the file. ``elsewhere`` are digests of ids that stand in a portion before, each with the place.
    """

    file: str
    first: int
    rows: int
    start: int
    end: int
    digest: str
    elsewhere: tuple[tuple[str, str], ...] = ()


class Source(NamedTuple):
    """A file of a roster: its sha256, how many lines it has, and its portions."""

    path: Path
    sha256: str
    rows: int
    portions: tuple[Portion, ...]


def files_of(roster: Path) -> list[Path]:
    """The files of a roster: the one given, or those of a folder in the order of their names; raises InputError."""
    if roster.is_dir():
        hidden = (".", "_")  # _SUCCESS and the like, which programs leave beside their files.
        files = sorted(
            path
            for path in roster.iterdir()
            if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(hidden)
        )
        if not files:
            raise InputError(f"文件夹 {roster} 里没有 .jsonl 或 .parquet 文件。")
        return files
    if roster.suffix.lower() not in SUFFIXES:
        raise InputError(
            "分份处理（--engine dask 或 --jobs）只读 .jsonl、.parquet，或放这类文件的文件夹；表格名册请去掉这两个选项。"
        )
    if not roster.is_file():
        raise UnreadableFile(f"找不到文件 {roster.name}。请检查路径。")
    return [roster]


def source_of(path: Path, most: int) -> Source:
    """Cut a file into portions of at most ``most`` lines, reading it once and never as a whole; raises InputError."""
    if path.suffix.lower() == ".jsonl":
        return _cut_lines(path, most)
    rows = row_count(path)
    start, end, digest = _directory(path)
    with path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest()
    firsts = range(1, rows + 1, most)
    portions = (Portion(str(path), first, min(most, rows + 1 - first), start, end, digest) for first in firsts)
    return Source(path, whole, rows, tuple(portions))


def _cut_lines(path: Path, most: int) -> Source:
    portions: list[Portion] = []
    whole, first, start = hashlib.sha256(), 1, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while True:
            rows, size, digest = 0, 0, hashlib.sha256()
            while rows < most and size < MOST_BYTES and (line := file.readline(LONGEST_LINE)):
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    raise UnreadableFile(f"{path.name} 第 {first + rows} 行过长。每行应为一个人，写成一个 JSON 对象。")
                try:
                    decoder.decode(line, final=line[-1:] != b"\n")
                except UnicodeDecodeError:
                    raise UnreadableFile(
                        f"{path.name} 第 {first + rows} 行不是 UTF-8 编码。分份处理的名册应为 UTF-8，请另存后再试。"
                    ) from None
                rows, size = rows + 1, size + len(line)
                digest.update(line)
                whole.update(line)
            if not rows:
                return Source(path, whole.hexdigest(), first - 1, tuple(portions))
            portions.append(Portion(str(path), first, rows, start, start + size, digest.hexdigest()))
            first, start = first + rows, start + size


def _directory(path: Path) -> tuple[int, int, str]:
    """Where the directory of a .parquet file stands (it ends in its own length and a mark of four letters), and its digest."""
    with path.open("rb") as file:
        end = file.seek(-8, 2)
        start = end - int.from_bytes(file.read(4), "little")
    return start, end, hashlib.sha256(_bytes(path, start, end)).hexdigest()


def _bytes(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def lines_in(portion: Portion) -> list[Line]:
    """The lines of a portion that are not blank; InputError where the file is not the one that was cut."""
    path = Path(portion.file)
    try:
        content = _bytes(path, portion.start, portion.end)
    except OSError as error:
        raise InputError(f"读不到名册 {path}（{error.strerror}）。名册应放在各处都能以同一路径读到的地方。") from error
    if hashlib.sha256(content).hexdigest() != portion.digest:
        raise InputError(
            f"{path} 与开始时读到的不是同一份文件，或中途被改动。请确认各处看到的是同一份名册，再重新运行。"
        )
    if path.suffix.lower() == ".parquet":
        return list(rows_in(path, portion.first, portion.rows))
    texts = content.removeprefix(BOM if portion.start == 0 else b"").decode().replace("\r\n", "\n")
    numbered = enumerate(texts.removesuffix("\n").split("\n"), start=portion.first)
    return [line_of(path, number, text) for number, text in numbered if text.strip()]


def ids_of(files: Sequence[Path]) -> Iterator[str]:
    """Every id of a roster, whether or not its line can be used."""
    for path in files:
        if path.suffix.lower() == ".parquet":
            yield from ids_in(path)
            continue
        with path.open("rb") as file:
            for line in file:
                identity = _id(line)
                if isinstance(identity, str):
                    yield identity


def _id(line: bytes) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value.get("id") if isinstance(value, dict) else None
