"""JSON texts, and files of one JSON value a line -> values. Faults name file, line and field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError

from model.domain import Catalog, Course, Fault, Profile, Reading
from model.errors import TableError, UnreadableFile
from model.files.courselists import read_catalog
from model.files.rows import shortened
from model.files.tables import Sheet, read_lines
from model.lexicon import Lexicon
from service.shapes.fields import field_name, flatten
from service.shapes.schemas import ProfileIn, QuestionIn

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

NOT_JSON = "不是完整的 JSON；请检查第 {line} 行第 {column} 个字符附近的引号、逗号和括号"
NOTHING = "是空的；请填写"
TOO_DEEP = "括号嵌套过深；请按文档的格式填写"
LONG_NUMBER = "有过长的数字；请检查"
HALF_CHARACTER = "有残缺的字符（单独的 \\ud800–\\udfff）；请以 UTF-8 原文写出"


def parse(text: str) -> Any:
    """Read one JSON text; ValueError tells what is wrong；what would be right."""
    if not text.strip():
        raise ValueError(NOTHING)
    try:
        value = json.loads(text)
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(NOT_JSON.format(line=error.lineno, column=error.colno)) from None
    except UnicodeEncodeError:
        raise ValueError(HALF_CHARACTER) from None
    except ValueError:
        # Python refuses integers of thousands of digits.
        raise ValueError(LONG_NUMBER) from None
    return value


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file that is not blank: its value, or the fault that left it without one."""

    number: int
    value: Any = None
    fault: Fault | None = None


def read_json_lines(path: Path) -> tuple[list[Line], int]:
    """The lines of a .jsonl file, and how many of its lines are blank; TableError where not one of them is JSON."""
    texts = read_lines(path)
    lines = [line_of(path, number, text) for number, text in enumerate(texts, start=1) if text.strip()]
    if not lines:
        raise UnreadableFile(f"{path.name} 里没有内容。每行应为一个 JSON 对象。")
    faults = tuple(line.fault for line in lines if line.fault)
    if len(faults) == len(lines):
        with suppress(ValueError):
            parse("\n".join(texts))
            raise TableError(f"{path.name} 是分多行写的 JSON。请改为每行一个 JSON 对象。")
        raise TableError(f"{path.name} 里没有一行是 JSON。每行应为一个 JSON 对象。", faults)
    return lines, len(texts) - len(lines)


def line_of(path: Path, number: int, text: str) -> Line:
    """One line of a .jsonl file; a text that is no JSON becomes a fault."""
    try:
        return Line(number, parse(text))
    except ValueError as error:
        # Within a .jsonl file the line is known; only the column of the JSON reader's own place is news.
        problem, remedy = str(error).replace("第 1 行", "").split("；")
        return Line(number, fault=Fault(f"{path.name}:{number}", "", problem, remedy))


def read_profiles(path: Path, lexicon: Lexicon) -> Reading[Profile]:
    """Read a roster in .jsonl, one profile a line."""
    return reading_of(path, *read_json_lines(path), lexicon)


def reading_of(path: Path, lines: Sequence[Line], blank: int, lexicon: Lexicon) -> Reading[Profile]:
    """The people in the lines of a file, and how its lines add up; TableError where not one of them can be used."""
    people, faults = people_in(path, lines, lexicon)
    if not people:
        raise TableError(f"{path.name} 里没有一个可用的人员。", tuple(faults))
    skipped = {"空行": blank} if blank else {}
    rejected = len(lines) - len(people)
    return Reading(tuple(people.values()), len(lines) + blank, rejected, skipped, tuple(faults))


def people_in(
    path: Path, lines: Iterable[Line], lexicon: Lexicon, elsewhere: Callable[[str], str | None] = lambda _: None
) -> tuple[dict[int, Profile], list[Fault]]:
    """The people in some lines of a file, by the number of their line, and every fault. Of two lines with one id the second is faulty;
    ``elsewhere`` tells the place before these lines where an id stands, if it does."""
    schema = ProfileIn(lexicon)
    people: dict[int, Profile] = {}
    places: dict[str, str] = {}
    faults: list[Fault] = []
    for line in lines:
        if line.fault:
            faults.append(line.fault)
            continue
        try:
            profile = schema.load(line.value)
            before = elsewhere(profile.id) or places.get(profile.id)
            if before:
                raise ValidationError({"id": [f"与{before}重复；请给每人各自的编号"]})
        except ValidationError as error:
            faults += _faults(path, line, error)
        else:
            people[line.number] = profile
            places[profile.id] = f"第 {line.number} 行"
    return people, faults


def read_questions(path: Path) -> tuple[list[tuple[Any, str]], tuple[Fault, ...]]:
    """Read the gap texts of ``quebu match --in`` as (id, text); lines that cannot be read are left out and named."""
    asked: list[tuple[Any, str]] = []
    faults: list[Fault] = []
    for line in read_json_lines(path)[0]:
        if line.fault:
            faults.append(line.fault)
            continue
        try:
            question = QuestionIn().load(line.value)
        except ValidationError as error:
            faults += _faults(path, line, error)
        else:
            asked.append((question["id"], question["text"]))
    if not asked:
        raise TableError(f'{path.name} 里没有一条可用的短板。每行应为 {{"id": …, "text": "…"}}。', tuple(faults))
    return asked, tuple(faults)


def _faults(path: Path, line: Line, error: ValidationError) -> list[Fault]:
    """Every faulty field of a line: where, what stands there, what would be right."""
    faults = []
    for steps, message, _ in flatten(error.messages):
        problem, _, remedy = message.partition("；")
        where = " ".join(filter(None, [f"{path.name}:{line.number}", field_name(steps)]))
        faults.append(Fault(where, _shown(line.value, steps), problem if remedy else "不符合要求", remedy or problem))
    return faults


def _shown(value: Any, steps: Sequence[str]) -> str:
    """What stands in a field, shortened, because reports travel further than rosters; nothing for lists and objects."""
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
    if value is None or isinstance(value, Mapping | list):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return shortened(text)


def read_courses(
    path: Path,
    lexicon: Lexicon,
    headers: Mapping[str, str] = MappingProxyType({}),
    answers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Catalog, Reading[Course], Sheet]:
    """Read a course list in .jsonl, one course a line, keys as the headers of a table; and the table it was read as. ``headers`` and ``answers``
    as :func:`model.files.courselists.read_catalog` takes them."""
    lines, blank = read_json_lines(path)
    faults = [line.fault for line in lines if line.fault]
    bodies = {line.number: line.value for line in lines if isinstance(line.value, dict)}
    faults += [
        Fault(f"{path.name}:{line.number}", "", "不是对象", "应为 JSON 对象 {…}")
        for line in lines
        if not line.fault and line.number not in bodies
    ]
    keys = list(dict.fromkeys(key for body in bodies.values() for key in body))
    rows = [tuple(_as_cell(body.get(key)) for key in keys) for body in bodies.values()]
    numbers = list(bodies)
    # The table reader names cells; a line of the file has a number and its fields have names.
    sheet = Sheet(
        path.name,
        (tuple(keys), *rows),
        named=lambda row, column: f"{path.name}:{numbers[row - 1]} {keys[column]}",
    )
    try:
        catalog, reading = read_catalog((sheet,), lexicon, headers, answers)
    except TableError as error:
        what = "一门可用的课程" if error.faults else "课程名称；每行应有 title（或 课程名称）"
        raise TableError(f"{path.name} 里没有{what}。", (*faults, *error.faults)) from error
    skipped = {**reading.skipped, "空行": reading.skipped.get("空行", 0) + blank}
    account = replace(
        reading,
        rows=reading.rows + len(faults) + blank,
        rejected=reading.rejected + len(faults),
        skipped={kind: count for kind, count in skipped.items() if count},
        faults=(*faults, *reading.faults),
    )
    return catalog, account, sheet


def _as_cell(value: Any) -> str:
    """Write a JSON value as a planner would write it in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(_as_cell, value)) if isinstance(value, list) else str(value)
