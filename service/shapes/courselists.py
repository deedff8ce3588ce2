"""Course lists as planners send them: one door for the command line and for what is uploaded; and what is told of one before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from model.changes import Changes, Pair
from model.domain import Catalog, Course, Heading, Reading
from model.errors import UnreadableFile
from model.files.annotated import annotated, meaning
from model.files.categories import Asked
from model.files.courselists import read_catalog
from model.files.sheets import write_workbook
from model.files.tables import MAX_ROWS, Sheet, read_sheets, refuse_size
from model.lexicon import Lexicon
from service.shapes.files import about
from service.shapes.jsonl import read_courses
from service.shapes.outputs import whole

COURSE_SUFFIXES = (".xlsx", ".xls", ".csv", ".jsonl", ".json", ".jsonld")


@dataclass(frozen=True)
class CourseList:
    """A file of courses: what it holds under its own numbers, how its rows add up, the sheets it was read as, its sha256."""

    catalog: Catalog
    reading: Reading[Course]
    sheets: tuple[Sheet, ...]
    sha256: str


def course_list(
    path: Path,
    lexicon: Lexicon,
    headers: Mapping[str, str] = MappingProxyType({}),
    answers: Mapping[str, str] = MappingProxyType({}),
) -> CourseList:
    """Read a course list of any of :data:`COURSE_SUFFIXES`. ``headers`` are fields by plain header, ``answers`` branches by plain label.

    Raises UnreadableFile, or TableError with every fault where not one course of it can be used.
    """
    with about(path):
        refuse_size(path)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if path.suffix.lower() == ".jsonl":
            _refuse_lines(path)
            catalog, reading, sheet = read_courses(path, lexicon, headers, answers)
            return CourseList(catalog, reading, (sheet,), sha256)
        sheets = read_sheets(path)
        catalog, reading = read_catalog(sheets, lexicon, headers, answers)
        return CourseList(catalog, reading, sheets, sha256)


def _refuse_lines(path: Path) -> None:
    """UnreadableFile for more lines than a table may have rows, before any of them becomes a value."""
    with path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(partial(file.read, 2**20), b""))
    if lines > MAX_ROWS:
        raise UnreadableFile(f"{path.name} 有 {lines:,} 行，超过 {MAX_ROWS:,} 行的上限。请拆分后再试。")


def write_annotated(out: Path, found: CourseList, changes: Changes | None, asked: Sequence[Asked] = ()) -> None:
    """Write the list with its faulty cells marked, what was found in it, the labels that are asked about, and what it would change."""
    with whole(out) as draft:
        write_workbook(draft, annotated(found.sheets, found.reading, changes, asked))


def annotated_list(found: CourseList, changes: Changes | None, asked: Sequence[Asked] = ()) -> bytes:
    """The same workbook as bytes."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "check.xlsx"
        write_annotated(out, found, changes, asked)
        return out.read_bytes()


def dump_heading(heading: Heading) -> dict[str, Any]:
    """A header of the file, the field it was read as (null where its column is not read), and what that is called."""
    return {
        "sheet": heading.sheet,
        "header": heading.header,
        "field": heading.field or None,
        "meaning": meaning(heading),
    }


def dump_changes(changes: Changes) -> dict[str, Any]:
    """What a list would change: numbers first, then every course of each kind."""
    kinds = {
        "added": [_course(course) for course in changes.added],
        "removed": [_course(course) for course in changes.removed],
        "renamed": [_pair(pair, "title") | {"alike": pair.alike} for pair in changes.renamed],
        "renumbered": [_pair(pair, "id") for pair in changes.renumbered],
        "recategorised": [_pair(pair, "category") for pair in changes.recategorised],
        "retimed": [_pair(pair, "hours") for pair in changes.retimed],
        "duplicates": [
            {"courses": [_course(course) for course in pair[:2]], "alike": pair.alike} for pair in changes.duplicates
        ],
        "series": [{"title": parts[0].title, "courses": [part.id for part in parts]} for parts in changes.series],
    }
    counts = {
        "before": changes.before,
        "after": changes.after,
        "unchanged": changes.unchanged,
        "changed": changes.changed,
    }
    return {
        "counts": counts | {kind: len(found) for kind, found in kinds.items()},
        "other_fields": changes.others,
        "freshness": changes.freshness._asdict(),
        **kinds,
    }


def _course(course: Course) -> dict[str, Any]:
    return {"id": course.id, "title": course.title, "source": course.source, "provider": course.provider}


def _pair(pair: Pair, field: str) -> dict[str, Any]:
    before, after = getattr(pair.before, field), getattr(pair.after, field)
    moved = {"id_before": pair.before.id} if pair.before.id != pair.after.id else {}
    return {"id": pair.after.id, **moved, "title": pair.after.title, "before": before, "after": after}
