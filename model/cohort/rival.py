"""Two plans -> what they hold and close, side by side."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from model.cohort.follow import of_these_people
from model.cohort.nouns import Filed, GapKey
from model.files.sheets import SheetOut
from model.reports import FOOTER

TERM = re.compile(r"（第\d+期）$")  # What tells the sessions of one course apart.


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans side by side. ``figures`` are (what, first, second); courses are (id, title) held by one of them only; the four
    counts of gaps are those on both rosters."""

    figures: tuple[tuple[str, float, float], ...]
    only_first: tuple[tuple[str, str], ...]
    only_second: tuple[tuple[str, str], ...]
    both_close: int
    first_closes: int
    second_closes: int
    neither_closes: int
    parameters: tuple[tuple[str, Any, Any], ...]
    same_inputs: bool

    @property
    def told(self) -> str:
        """What distinguishes them, in one sentence for the terminal."""
        if self.same_inputs and not self.only_first and not self.only_second:
            return "与原方案的输入和课程完全相同。"
        (_, before, now), *_ = self.figures
        changed = f"增 {len(self.only_second)} 门、减 {len(self.only_first)} 门课程"
        return (
            f"与原方案比较：目标值 {before:,.2f} → {now:,.2f}，{changed}；两份名册共有的短板中，都补上 {self.both_close:,} 条，"
            f"只有原方案补上 {self.first_closes:,} 条，只有本方案补上 {self.second_closes:,} 条。"
        )


def compare(first: Filed, second: Filed) -> Comparison:
    """What distinguishes two plans, the people of the first under the ids they have in the second."""
    first = of_these_people(first, second.known_by)
    shared = _stated(first) & _stated(second)
    ways = Counter((key in first.closed, key in second.closed) for key in shared)
    held = [{one[0]: TERM.sub("", one[1]) for one in plan.sessions} for plan in (first, second)]
    asked = [
        {**plan.origin.parameters, "model_version": plan.origin.model_version, "catalog_hash": plan.origin.catalog}
        for plan in (first, second)
    ]
    return Comparison(
        tuple(zip(_FIGURES, _figures(first), _figures(second), strict=True)),
        tuple(one for one in held[0].items() if one[0] not in held[1]),
        tuple(one for one in held[1].items() if one[0] not in held[0]),
        ways[True, True],
        ways[True, False],
        ways[False, True],
        ways[False, False],
        tuple(
            (name, asked[0].get(name), asked[1].get(name))
            for name in dict.fromkeys((*asked[0], *asked[1]))
            if asked[0].get(name) != asked[1].get(name)
        ),
        first.inputs_hash == second.inputs_hash,
    )


_FIGURES = (
    "补上的短板分量（目标值）",
    "任何方案都不会超过（上限）",
    "课程门数",
    "总学时",
    "补上条数",
    "漏下条数",
    "补上的人数",
)


def _stated(plan: Filed) -> frozenset[GapKey]:
    """The gaps on the roster of a plan."""
    return plan.closed | plan.missed


def _figures(plan: Filed) -> tuple[float, ...]:
    stated = _stated(plan)
    courses = {identity for identity, *_ in plan.sessions}
    hours = round(sum(hours for _, _, hours, _ in plan.sessions), 2)
    people = {person for person, *_ in plan.closed}
    return (
        plan.objective,
        plan.bound,
        len(courses),
        hours,
        len(plan.closed),
        len(stated) - len(plan.closed),
        len(people),
    )


def comparison_sheet(found: Comparison) -> SheetOut:
    """方案比较: figures, courses that only one plan holds, gaps that only one closes, parameters that differ."""
    rows: list[list[str | float | None]] = [
        ["总体", what, first, second, round(second - first, 4)] for what, first, second in found.figures
    ]
    rows += [
        ["两份名册共有的短板", "两个方案都补上", found.both_close, found.both_close, 0],
        [
            "两份名册共有的短板",
            "只有一个方案补上",
            found.first_closes,
            found.second_closes,
            found.second_closes - found.first_closes,
        ],
        ["两份名册共有的短板", "都没有补上", found.neither_closes, found.neither_closes, 0],
    ]
    rows += [["课程", title, "有", "", ""] for _, title in found.only_first]
    rows += [["课程", title, "", "有", ""] for _, title in found.only_second]
    rows += [
        ["参数", PARAMETERS.get(name, name), said(first), said(second), ""] for name, first, second in found.parameters
    ]
    if found.same_inputs:
        rows.append(["复核", "输入指纹", "相同", "相同", ""])
    header = ["类别", "项目", "原方案", "本方案", "增减"]
    return SheetOut("方案比较", "与原方案比较", header, rows, [20, 40, 28, 28, 12], (FOOTER,))


PARAMETERS = {
    "hours": "总学时", "days": "天数", "type": "班次类型", "share": "类别比例", "require": "必须安排的课程", "exclude": "不安排的课程",
    "catalog_required": "目录必修课必须安排", "mode": "授课方式", "max_courses": "最多课程门数", "budget": "经费上限（元）", "fit": "课程适用对象比例",
    "theory": "党的创新理论课程门数", "practice": "实践教学门数", "level_window": "允许相差的层级", "classes": "班数", "class_size": "每班最多人数",
    "class_min": "每班最少人数", "level_span": "同班层级最多相差", "menu": "菜单选学", "seats": "每场名额", "min_size": "最少开班人数", "sessions": "最多场次",
    "repeats": "同一门课最多期数", "floor": "单位覆盖比例", "level_floor": "层级覆盖比例", "offer": "菜单课程范围", "what_if": "假设分析", "time_limit": "求解时限（秒）",
    "gap": "允许的相对差距", "as_of": "任职年限算到", "pairs": "结对范围", "settings": "设置", "model_version": "模型版本", "catalog_hash": "课程目录指纹",
    "HOURS_PER_DAY": "每天学时", "DEFAULT_HOURS": "未写学时按", "COST_PER_HOUR": "每学时费用（元）", "COST_PER_PERSON_DAY": "每人每天费用（元）",
    "QUOTAS": "学时规定", "WEAK_SHARE": "弱训线（%）",
}  # fmt: skip


def said(value: Any) -> str:
    """A parameter in the words of a planner."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple):
        return "、".join(map(str, value))
    if isinstance(value, dict):
        return "；".join(f"{PARAMETERS.get(name, name)} {said(one)}" for name, one in value.items() if one != "")
    return "" if value is None else {"units": "单位之间", "people": "人员之间"}.get(str(value), str(value))
