"""A JSON-LD document -> the courses of schema.org in it, as a table with the path of every cell.

https://schema.org/Course, one or many: alone, in an array, in an ``@graph``, in an ``ItemList``. What a document says in several ways (a list, an
object with a name, ``@value``) becomes the text a planner would write; the reader of tables does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

DEEPEST = 20  # Courses lie a few steps deep; what lies deeper is not looked for.
MINUTES_PER_HOUR, HOURS_PER_DAY = 45, 8  # As one cell of a table is read: 学时 of 45 minutes, days of 8.

_COURSES = re.compile(r"(?:https?://schema\.org/|schema:)?Course")
_AROUND = ("@graph", "itemListElement", "item", "mainEntity", "hasPart")
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+(?:\.\d+)?)D)?(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?)"
)
_MODES = {"online": "网络课程", "onsite": "线下讲授", "blended": "线下讲授、网络课程"}


class Listed(NamedTuple):
    """Headers, rows of cells; the path of each course, and of each of its cells below it."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    courses: tuple[str, ...]
    below: tuple[tuple[str, ...], ...]

    def path(self, row: int, column: int) -> str:
        """The path of a cell in the document (rows from 0, headers not counted)."""
        return self.courses[row] + self.below[row][column]


class _Found(NamedTuple):
    """A value with its path in the document."""

    path: str
    value: Any


def listed(document: Any, most: int) -> Listed:
    """The courses of a document as a table; ValueError where there are none, or more than ``most``."""
    rows: list[tuple[str, ...]] = []
    courses, below = [], []
    same: dict[str, str] = {}  # Most courses have the same keys, so that their names are kept once.
    for course in _courses(document):
        if len(rows) >= most:
            raise ValueError(f"里的课程超过 {most:,} 门的上限")
        cells, steps = [], []
        for keys, write in FIELDS.values():
            found = [one for key in keys if (one := _at(course, key.split(".")))]
            step = found[0].path.removeprefix(course.path) if found else f".{keys[0]}"
            cells.append(write([one.value for one in found]))
            steps.append(same.setdefault(step, step))
        rows.append(tuple(cells))
        courses.append(course.path)
        below.append(tuple(steps))
    if not rows:
        raise ValueError("里没有课程（schema.org 的 Course）；每门课程应有 @type 和 name")
    return Listed(tuple(FIELDS), tuple(rows), tuple(courses), tuple(below))


def _courses(document: Any) -> Iterator[_Found]:
    """Every course of a document in its order, wherever it lies in arrays and lists; not those within a course."""
    ways = [iter([_Found("$", document)])]
    while ways:
        found = next(ways[-1], None)
        if found is None:
            ways.pop()
        elif _is_course(found.value):
            yield found
        elif len(ways) < DEEPEST:
            ways.append(_inside(found))


def _is_course(value: Any) -> bool:
    kinds = value.get("@type") if isinstance(value, dict) else None
    return any(isinstance(kind, str) and _COURSES.fullmatch(kind) for kind in _many(kinds))


def _inside(found: _Found) -> Iterator[_Found]:
    if isinstance(found.value, list):
        return (_Found(f"{found.path}[{n}]", part) for n, part in enumerate(found.value))
    keys = _AROUND if isinstance(found.value, dict) else ()
    return (_Found(f"{found.path}.{key}", found.value[key]) for key in keys if key in found.value)


def _at(found: _Found, steps: list[str]) -> _Found | None:
    """What stands at a key, through the objects on the way (of several the first that has it); None where nothing does."""
    for number, step in enumerate(steps):
        if isinstance(found.value, list):
            parts = (_at(_Found(f"{found.path}[{n}]", part), steps[number:]) for n, part in enumerate(found.value))
            return next(filter(None, parts), None)
        if not isinstance(found.value, dict) or found.value.get(step) in (None, "", [], {}):
            return None
        found = _Found(f"{found.path}.{step}", found.value[step])
    return found


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """A value as a person would write it in a cell: the names of objects, the parts of a list joined by 、."""
    return "、".join(dict.fromkeys(filter(None, map(_one, _many(value)))))


def _one(value: Any) -> str:
    if isinstance(value, dict):
        keys = ("@value", "name", "audienceType", "educationalRole", "value")
        return next((text for key in keys if (text := _one(value.get(key)))), "")
    if isinstance(value, list) or value is None:
        return ""
    return ("是" if value else "否") if isinstance(value, bool) else str(value).strip()


def _first(values: list[Any]) -> str:
    return next(filter(None, map(_text, values)), "")


def _all(values: list[Any]) -> str:
    return "、".join(dict.fromkeys(filter(None, map(_text, values))))


def _number(values: list[Any]) -> str:
    """The number of a course; a blank node (_:b0) has another name in every export."""
    return next((text for text in map(_text, values) if text and not text.startswith("_:")), "")


def _hours(values: list[Any]) -> str:
    """A duration (PT2H, P2D) as 学时; anything else as it stands, for the reader of cells to judge."""
    text = _first(values)
    match = _DURATION.fullmatch(text.upper())
    if not match or not any(match.groups()):
        return text
    if match["weeks"]:
        return f"{match['weeks']}周"
    days, hours, minutes, seconds = (float(match[unit] or 0) for unit in ("days", "hours", "minutes", "seconds"))
    return f"{days * HOURS_PER_DAY + (hours * 60 + minutes + seconds / 60) / MINUTES_PER_HOUR:.2f}学时"


def _mode(values: list[Any]) -> str:
    return "、".join(_MODES.get(mode.lower().replace("-", ""), mode) for mode in _first(values).split("、"))


# Each header with the keys that fill it: the first that says something, where there is one answer only. A point leads into an object.
FIELDS: Mapping[str, tuple[tuple[str, ...], Callable[[list[Any]], str]]] = {
    "课程编号": (("courseCode", "identifier", "@id"), _number),
    "课程名称": (("name",), _first),
    "简介": (("description", "abstract"), _first),
    "类别": (("about", "courseCategory"), _first),
    "关键词": (("keywords", "teaches"), _all),
    "学时": (("timeRequired", "hasCourseInstance.courseWorkload", "hasCourseInstance.timeRequired"), _hours),
    "授课方式": (("courseMode", "hasCourseInstance.courseMode"), _mode),
    "适用对象": (("audience", "educationalLevel"), _all),
    "主办单位": (("provider", "hasCourseInstance.provider", "publisher"), _first),
    "年度": (("dateCreated", "startDate", "hasCourseInstance.startDate", "datePublished"), _first),
}
