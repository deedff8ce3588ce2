"""Sheets as they were read, and what was found in them -> the workbook a planner corrects her list by."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from model.changes import Changes, Freshness
from model.domain import Course, Fault, Heading, Reading
from model.files.categories import Asked
from model.files.courserows import COLUMNS
from model.files.mapping import names_of
from model.files.sheets import CopyOut, SheetOut
from model.files.tables import Sheet, spot
from model.files.withheld import withheld

RESULT, MEANINGS, CHANGED = "核对结果", "表头与类别", "与现用目录比较"
MOST_REMARKS = 5_000  # Comments an office program opens without trouble; every fault stands in the list.
LONGEST_NAME = 31  # Characters the name of a sheet may have.

_NO_NAME = re.compile(r"[\[\]:*?/\\]")


def annotated(
    sheets: Sequence[Sheet], reading: Reading[Any], changes: Changes | None = None, asked: Sequence[Asked] = ()
) -> list[SheetOut | CopyOut]:
    """核对结果 with every fault and how the rows add up; 表头与类别 with what each header was read as and the labels nobody knows (``asked``);
    与现用目录比较, where there is something to compare with; the sheets themselves, without what is private, with the faulty cells coloured and
    commented."""
    names = sheet_names(sheets)
    remarks: dict[str, dict[int, dict[int, str]]] = {sheet.name: defaultdict(dict) for sheet in sheets}
    rows: list[list[str | float | None]] = []
    for number, fault in enumerate(reading.faults, start=1):
        sheet, _, cell = (fault.cell or fault.place).rpartition("!")
        where = spot(cell)
        shown = fault.place if fault.cell or not where else cell
        rows.append([number, names.get(sheet, ""), shown, fault.value, fault.problem, fault.remedy])
        if where and sheet in names and number <= MOST_REMARKS:
            line, column = remarks[sheet][where[0]], where[1]
            line[column] = "\n".join(filter(None, [line.get(column), _remark(fault)]))
    result = SheetOut(
        RESULT,
        "课程表核对结果",
        ("序号", "工作表", "单元格", "内容", "问题", "怎样改"),
        rows or [["", "", "", "", "没有发现问题", ""]],
        (6, 16, 14, 30, 44, 40),
        _account(reading),
    )
    beside = [changes_sheet(changes)] if changes else []
    codes = frozenset(column.field for column in COLUMNS if column.code)
    copies = [
        CopyOut(names[sheet.name], tuple(withheld(sheet, reading.headings, codes)), remarks[sheet.name])
        for sheet in sheets
    ]
    return [result, meanings_sheet(reading.headings, asked), *beside, *copies]


def meanings_sheet(headings: Sequence[Heading], asked: Sequence[Asked]) -> SheetOut:
    """表头与类别: a row for each header with what it was read as, and for each category label that nobody knows."""
    rows: list[list[str | float | None]] = [["表头", one.sheet, one.header, meaning(one), ""] for one in headings]
    for one in asked:
        like = f"，像是{one.proposed}" if one.proposed else ""
        rows.append(["类别", "", one.label, f"认不出（{one.courses} 门）{like}", category_option(one)])
    header = ("种类", "工作表", "表头或类别", "读作", "怎样说明")
    footer = ["表头读错时用 --map 表头=项目 更正，如 --map 讲什么=课程名称；认不出的类别用 --category 标签=类别 说明。"]
    nothing: list[list[str | float | None]] = [["", "", "", "没有表头", ""]]
    return SheetOut(MEANINGS, "表头与类别读作什么", header, rows or nothing, (8, 16, 30, 34, 44), footer)


def meaning(heading: Heading) -> str:
    """What a header was read as, in planners' words."""
    unread = "含个人隐私，不读" if heading.field == "" else "未使用"
    return names_of(COLUMNS).get(heading.field or "", unread)


def category_option(asked: Asked) -> str:
    """The option that answers what is asked of a label, as it is typed at a prompt."""
    answer = f"{asked.label}={asked.proposed or '类别'}"
    return f"--category {answer}" if re.fullmatch(r"[\w=、]+", answer) else f'--category "{answer}"'


def _account(reading: Reading[Any]) -> list[str]:
    skipped = "、".join(f"{kind} {count} 行" for kind, count in reading.skipped.items()) or "无"
    counts = f"共 {reading.rows} 行：可用 {reading.read} 行，未能读取 {reading.rejected} 行，略过：{skipped}。"
    marked = "有问题的单元格已在后面的工作表里标色并加批注。改好后把原表重新导入即可。"
    over = len(reading.faults) - MOST_REMARKS
    more = [f"问题超过 {MOST_REMARKS:,} 处，其余 {over:,} 处只列在上表，未加批注。"] if over > 0 else []
    return [counts, *(marked for _ in reading.faults[:1]), *more, *reading.notes]


def _remark(fault: Fault) -> str:
    return "\n".join("".join(filter(str.isprintable, f"{words}。")) for words in (fault.problem, fault.remedy))


def sheet_names(sheets: Sequence[Sheet]) -> Mapping[str, str]:
    """What each sheet may be called in a workbook: at most 31 characters, none that office programs refuse, no name twice."""
    names: dict[str, str] = {}
    taken = {RESULT, MEANINGS, CHANGED, "history"}
    for sheet in sheets:
        plain = "".join(char for char in _NO_NAME.sub("_", sheet.name) if char.isprintable()).strip(" '") or "表"
        name, number = plain[:LONGEST_NAME].rstrip(" '"), 1
        while name.lower() in taken:
            number += 1
            ending = f"_{number}"
            name = plain[: LONGEST_NAME - len(ending)] + ending
        taken.add(name.lower())
        names[sheet.name] = name
    return names


def changes_sheet(changes: Changes) -> SheetOut:
    """与现用目录比较: a row for each course that came, went or changed, and for what a planner should look at."""
    rows: list[list[str | float | None]] = []
    for word, courses in (("新增", changes.added), ("删除", changes.removed)):
        rows += [
            [word, course.id, *(("", course.title) if word == "新增" else (course.title, "")), _about(course)]
            for course in courses
        ]
    for pair in changes.renamed:
        numbers = "" if pair.before.id == pair.after.id else f"；原编号 {pair.before.id}"
        said = f"相似度 {pair.alike:g}{numbers}"
        rows.append(["改名", pair.after.id, pair.before.title, pair.after.title, said])
    for pair in changes.renumbered:
        rows.append(["改编号", pair.after.id, pair.before.id, pair.after.id, pair.after.title])
    for pair in changes.recategorised:
        rows.append(["改类别", pair.after.id, pair.before.category, pair.after.category, pair.after.title])
    for pair in changes.retimed:
        rows.append(["学时变化", pair.after.id, _hours(pair.before), _hours(pair.after), pair.after.title])
    for pair in changes.duplicates:
        said = f"相似度 {pair.alike:g}；{_whose(pair.before)} 与 {_whose(pair.after)}"
        rows.append(["疑似重复", f"{pair.before.id}、{pair.after.id}", pair.before.title, pair.after.title, said])
    for parts in changes.series:
        said = f"{len(parts)} 门按标题认作一个系列"
        rows.append(["系列", "、".join(part.id for part in parts), parts[0].title, parts[-1].title, said])
    nothing: list[list[str | float | None]] = [["没有变化", "", "", "", ""]]
    header = ("变化", "编号", "原来", "现在", "说明")
    return SheetOut(CHANGED, CHANGED, header, rows or nothing, (10, 22, 40, 40, 44), _summary(changes))


def _summary(changes: Changes) -> list[str]:
    others = f"另有其他栏目改动 {sum(changes.others.values())} 处。" if changes.others else ""
    return [
        f"原有 {changes.before} 门，现有 {changes.after} 门：未变 {changes.unchanged} 门，有改动 {changes.changed} 门，"
        f"新增 {len(changes.added)} 门，删除 {len(changes.removed)} 门。{others}",
        rate_line(changes.freshness),
    ]


def rate_line(fresh: Freshness) -> str:
    """更新率 as a sentence, or why there is none."""
    if fresh.rate is None:
        return f"更新率：{fresh.reason}。"
    unstated = f"；未填年度的 {fresh.unstated} 门按旧课算" if fresh.unstated else ""
    return f"更新率（{fresh.year} 年）{fresh.rate:.0%}：当年新开 {fresh.new} 门，共 {fresh.total} 门{unstated}。"


def _about(course: Course) -> str:
    hours = "学时待定" if course.hours is None else f"{course.hours:g} 学时"
    return "，".join(filter(None, [course.category, hours, course.source or course.provider]))


def _hours(course: Course) -> str | float:
    return "学时待定" if course.hours is None else course.hours


def _whose(course: Course) -> str:
    return "·".join(filter(None, [course.source, course.provider])) or "未写提供单位"
