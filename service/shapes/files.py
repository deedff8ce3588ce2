"""Rosters and course lists as planners send them: one door for the command line and for what is uploaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from model.domain import Profile, Reading
from model.errors import InputError, TableError
from model.files.mapping import corrections_of, with_cells
from model.files.rosters import COLUMNS, read_roster
from model.files.tables import read_sheets
from model.lexicon import Lexicon
from model.reports import account_line
from service.shapes.jsonl import read_profiles
from service.shapes.parquet import read_parquet

SUFFIXES = (".xlsx", ".xls", ".csv", ".jsonl")


class Mended(NamedTuple):
    """What a planner says beside a table: the fields of headers, by header, and the words of cells, by place (名册!B7)."""

    headers: Mapping[str, str] = MappingProxyType({})
    cells: Mapping[str, str] = MappingProxyType({})


AS_SENT = Mended()


def roster_in(
    path: Path, lexicon: Lexicon, today: tuple[int, int] | None, mended: Mended = AS_SENT
) -> Reading[Profile]:
    """The people on a roster, and how its rows add up; TableError where nobody on it can be used. ``today`` is the month that time in post is
    counted to, that of the roster itself unless given. What was ``mended`` holds for tables."""
    with about(path):
        if path.suffix.lower() == ".jsonl":
            reading = read_profiles(path, lexicon)
        elif path.suffix.lower() == ".parquet":
            reading = read_parquet(path, lexicon)
        else:
            sheets = with_cells(read_sheets(path), mended.cells)
            reading = read_roster(sheets, lexicon, today, corrections_of(mended.headers.items(), COLUMNS))
        if not reading.values:
            raise TableError(f"{path.name} 里没有一个可用的人员。{account_line(reading)}", reading.faults)
    return reading


@contextmanager
def about(path: Path) -> Iterator[None]:
    """A message that names no file gets the file's name in front: the reader of sheets does not know it."""
    try:
        yield
    except TableError as error:
        head = str(error).splitlines()[0]
        raise error.saying(head if path.name in head else f"{path.name}：{head}") from error
    except InputError as error:
        if path.name in str(error):
            raise
        raise InputError(f"{path.name}：{error}") from error


def dump_account(reading: Reading[Any]) -> dict[str, Any]:
    """How the rows of a file add up."""
    return {"rows": reading.rows, "read": reading.read, "rejected": reading.rejected, "skipped": reading.skipped}


def dump_reading(reading: Reading[Any]) -> dict[str, Any]:
    """The same, with every fault by its cell. What stands in a cell is not repeated."""
    faults = [{"place": fault.place, "problem": fault.problem, "remedy": fault.remedy} for fault in reading.faults]
    return {**dump_account(reading), "notes": list(reading.notes), "faults": faults}
