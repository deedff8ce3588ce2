"""Gap texts that somebody judged against a catalog: what the fusion learns from and what rankers are measured on."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.domain import Catalog, Course
from model.errors import InputError
from model.files.tables import read_lines

ACCEPTED_GRADE = 2  # A judge's grade from which a planner would accept the course (3 teaches it, 2 clearly helps).


@dataclass(frozen=True, slots=True)
class Judgements:
    """Gap texts judged against a catalog. ``grades`` is complete for grades 2 and 3: an unlisted pair has grade 0 or 1."""

    catalog: Catalog
    texts: Mapping[str, str]
    styles: Mapping[str, str]
    grades: Mapping[tuple[str, str], int]

    def accepted(self) -> NDArray[np.bool_]:
        """Which courses a planner would accept, shape (texts, courses)."""
        accepted = np.zeros((len(self.texts), len(self.catalog)), dtype=bool)
        row_of = {query: row for row, query in enumerate(self.texts)}
        for (query, course), grade in self.grades.items():
            accepted[row_of[query], self.catalog.row_of[course]] = grade >= ACCEPTED_GRADE
        return accepted

    def by_text(self) -> dict[str, dict[str, int]]:
        """The grades of each text (by its id), by course."""
        grades: dict[str, dict[str, int]] = {query: {} for query in self.texts}
        for (query, course), grade in self.grades.items():
            grades[query][course] = grade
        return grades


def titles_only(catalog: Catalog) -> Catalog:
    """The same catalog as a list of bare titles."""
    return Catalog(tuple(Course(course.id, course.title) for course in catalog))


def read_judgements(catalog: Catalog, queries: Path, qrels: Path) -> Judgements:
    """Read queries (``{"qid", "text", "style"}`` a line) and judgements (qid, course id, grade 0 to 3, tab-separated).

    Raises InputError naming the first faulty line; a grade for an unknown text or course would silently change every figure.
    """
    texts: dict[str, str] = {}
    styles: dict[str, str] = {}
    for number, line in enumerate(read_lines(queries), start=1):
        if line.strip():
            identity, text, style = _query(line, f"{queries.name}:{number}")
            if identity in texts:
                raise InputError(f"{queries.name}:{number}: qid “{identity}”重复；每条短板应有自己的 qid。")
            texts[identity], styles[identity] = text, style
    grades: dict[tuple[str, str], int] = {}
    for number, row in enumerate(csv.reader(read_lines(qrels), delimiter="\t"), start=1):
        if row:
            grades[tuple(row[:2])] = _grade(row, f"{qrels.name}:{number}", texts, catalog, queries.name)  # type: ignore[index]
    if not any(grade >= ACCEPTED_GRADE for grade in grades.values()):
        raise InputError(f"按 {qrels.name}，{queries.name} 里没有一条短板有可用的课程（等级 2 以上），无法评价。")
    return Judgements(catalog, MappingProxyType(texts), MappingProxyType(styles), MappingProxyType(grades))


def _query(line: str, place: str) -> tuple[str, str, str]:
    try:
        query = json.loads(line)
        identity, text, style = query["qid"], query["text"], query.get("style") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        identity = text = style = None
    if not isinstance(identity, str) or not isinstance(text, str) or not isinstance(style, str):
        raise InputError(f'{place}: 格式不对；每行应为 {{"qid": "…", "text": "…", "style": "…"}}。')
    return identity, text, style


def _grade(row: list[str], place: str, texts: Mapping[str, str], catalog: Catalog, queries: str) -> int:
    if len(row) != 3 or row[2] not in {"0", "1", "2", "3"}:
        raise InputError(f"{place}: 格式不对；每行应为 qid、课程编号、等级（0 到 3），用制表符隔开。")
    if row[0] not in texts:
        raise InputError(f"{place}: {queries} 里没有 qid “{row[0]}”；请核对。")
    if row[1] not in catalog.row_of:
        raise InputError(f"{place}: 课程表里没有编号 “{row[1]}”；请核对。")
    return int(row[2])
