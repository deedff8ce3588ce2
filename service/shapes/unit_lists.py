"""The list of who attends, unit by unit, to be sent to each of them: one sheet a unit, or one table for all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.cohort.filing import NO_UNIT
from model.cohort.plan_reports import PEOPLE
from model.files.sheets import SheetOut
from model.reports import FOOTER
from service.shapes.filed import Called, Cell, calling
from service.shapes.outcome import Outcome, titles_by_person

UNIT_AND_POST = "单位及职务"
KEPT = ("姓名", UNIT_AND_POST, "职务层次", "班次", "参加门数")  # Of the list of all.
WIDTHS = {"单位": 26, "姓名": 12, UNIT_AND_POST: 34, "职务层次": 14, "班次": 30, "参加门数": 10}
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")  # What the name of a sheet may not hold,
LONGEST = 31  # and how long it may be.

Rows = list[list[Cell]]


def by_unit(
    sheets: Sequence[SheetOut], outcome: Outcome, people: Sequence[Called]
) -> tuple[list[str], dict[str, Rows]]:
    """The header, and the rows of each unit in the order of the roster; ``sheets`` have tokens for names."""
    listed = next(sheet for sheet in sheets if sheet.name == PEOPLE)
    columns = [(name, listed.header.index(name)) for name in KEPT if name in listed.header]
    place_of_unit = listed.header.index(UNIT_AND_POST)
    call, without_posts = calling(people), calling([Called("") for _ in people])
    titles = titles_by_person(outcome)
    units: dict[str, Rows] = {}
    for row, person in zip(listed.rows, outcome.plan["people"], strict=True):
        unit = str(without_posts(row[place_of_unit]) or "") or NO_UNIT
        own = units.setdefault(unit, [])
        told = "；".join(titles.get(person["id"], ())) or "（没有安排）"
        own.append([len(own) + 1, *(call(row[column]) for _, column in columns), told, ""])
    return ["序号", *(name for name, _ in columns), "参加的课程", "签收"], units


def unit_sheets(sheets: Sequence[SheetOut], outcome: Outcome, people: Sequence[Called]) -> list[SheetOut]:
    """A sheet that lists the units, then one for each of them."""
    header, units = by_unit(sheets, outcome, people)
    names = _sheet_names([*units])
    listed: Rows = [
        [number, unit, len(rows), names[unit]] for number, (unit, rows) in enumerate(units.items(), start=1)
    ]
    first = SheetOut("各单位", "各单位参训名单", ["序号", "单位", "人数", "工作表"], listed, [6, 40, 8, 32], (FOOTER,))
    widths = [6, *(WIDTHS[name] for name in header[1:-2]), 60, 12]
    return [
        first,
        *(SheetOut(names[unit], f"{unit}参训名单", header, rows, widths, (FOOTER,)) for unit, rows in units.items()),
    ]


def unit_table(sheets: Sequence[SheetOut], outcome: Outcome, people: Sequence[Called]) -> SheetOut:
    """The same as one table, the unit in the first column."""
    header, units = by_unit(sheets, outcome, people)
    rows: Rows = [[unit, *row] for unit, own in units.items() for row in own]
    return SheetOut("名单", "各单位参训名单", ["单位", *header], rows, [WIDTHS["单位"], *(12 for _ in header)], ())


def _sheet_names(units: Sequence[str]) -> dict[str, str]:
    """What the sheet of each unit is called: its own name as far as a workbook allows it, and no two alike."""
    names: dict[str, str] = {}
    taken: set[str] = {"各单位", "history"}  # The latter is a name that spreadsheets keep for themselves.
    for unit in units:
        plain = FORBIDDEN.sub(" ", unit).strip()[:LONGEST] or "单位"
        name, again = plain, 2
        while name.lower() in taken:
            ending = f" {again}"
            name, again = plain[: LONGEST - len(ending)] + ending, again + 1
        taken.add(name.lower())
        names[unit] = name
    return names
