"""A plan for many people -> what wants a second look: who is missed, what is repeated, what to do when teaching on site becomes impossible."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np

from model.cohort.choices import Choice
from model.cohort.filing import Filing, Line, Rows
from model.cohort.need_reports import advice
from model.cohort.sessions import exempt
from model.files.sheets import SheetOut
from model.reports import FOOTER, unit_and_post
from model.selection import ON_SCREEN

WEAK = 0.5  # Below this share of their gap weight somebody counts as 补得少.
MOST_NAMED = 10
ENOUGH = (
    0.5  # A substitute closes at least this share of what the session would have closed; else it is better put off.
)


def missed_people(filing: Filing) -> SheetOut:
    """漏补人员: who has gaps and gets nothing (未补上) or less than half of their weight (补得少), each with one cause."""
    rows: Rows = []
    counts: Counter[str] = Counter()
    for person, lines in filing.lines.items():
        verdict = judged(lines)
        counts[verdict] += 1
        if verdict not in {"未补上", "补得少"}:
            continue
        profile = filing.own[person].profile
        worst = next(line for line in lines if line.cause)
        rows.append(
            [
                len(rows) + 1, profile.name or person, unit_and_post(profile), filing.level_of(person), len(lines),
                sum(not line.cause for line in lines), _percent(closed_share(lines)), verdict, str(worst.cause), advice(worst.cause) if worst.cause else "",
            ]
        )  # fmt: skip
    header = [
        "序号",
        "姓名",
        "单位及职务",
        "职务层次",
        "短板和岗位需要",
        "补上条数",
        "补上的分量占比",
        "情况",
        "主要原因",
        "建议",
    ]
    told = "、".join(f"{verdict} {count} 人" for verdict, count in sorted(counts.items()))
    words = (
        f"全部 {len(filing.own)} 人：{told}。未补上：有短板而本方案一条也没有补上；补得少：补上的分量不到 {WEAK:.0%}。主要原因取最重的一条漏下的短板。",
        FOOTER,
    )
    return SheetOut("漏补人员", "未补上、补得少人员及原因", header, rows, [6, 10, 34, 14, 10, 10, 14, 8, 12, 50], words)


def judged(lines: list[Line]) -> str:
    """What a plan does for somebody: 无短板, 未补上, 补得少 or 已覆盖."""
    if not lines:
        return "无短板"
    if all(line.cause for line in lines):
        return "未补上"
    return "补得少" if closed_share(lines) < WEAK else "已覆盖"


def closed_share(lines: list[Line]) -> float:
    """The share (0 to 1) of somebody's gap weight that a plan closes, without the noise of adding floats."""
    closed = sum(line.gap.weight for line in lines if not line.cause)
    return round(closed / sum(line.gap.weight for line in lines), 6)


def _percent(share: float) -> str:
    """Cut, not rounded: 49.6 % is less than the half it is told to be less than."""
    return f"{math.floor(round(share * 100, 4))}%"


def repeats(filing: Filing) -> SheetOut:
    """重复培训: courses that say nearly the same, people who have completed something near, people asked for more hours than they have,
    people who gain nothing from what they attend."""
    choices, plan = filing.demand.choices, filing.plan
    groups = filing.demand.twins
    wanted = np.asarray(filing.demand.worth.sum(axis=0)).ravel() > 0
    held = {course.id: number for number, session in enumerate(plan.sessions) for course in session.courses}
    rows: Rows = []
    for group in groups:
        if not any(wanted[place] for place in group):
            continue
        told = "；".join(
            f"{choices[place].title}（{choices[place].id}{'，' + p if (p := choices[place].courses[0].provider) else ''}）"
            for place in group
        )
        chosen = [choices[place].title for place in group if choices[place].id in held]
        what = f"本方案只排《{'》《'.join(chosen)}》" if chosen else "本方案没有排"
        rows.append(["内容相近的课程", told, len(group), f"{what}；建议合并，或只认一门学时。"])
    near = {
        choices[place].id: [choices[other] for other in group if other != place] for group in groups for place in group
    }
    for session in plan.sessions:
        people = [
            person
            for person in session.attendees
            if any(exempt(filing.own[person], other) for other in near.get(session.courses[0].id, ()))
        ]
        if people:
            rows.append(
                [
                    "学过内容相近的课程",
                    f"《{filing.titled(session)}》：{_named(filing, people)}",
                    len(people),
                    "可申请免修，或改上其他课程。",
                ]
            )
    rows += _burdened(filing)
    header = ["情形", "对象", "数量", "说明与建议"]
    words = (f"相近：课程名称相似度不低于 90%，主要能力相同。共 {len(rows)} 条。", FOOTER)
    return SheetOut("重复培训", "重复培训和多头调训提示", header, rows, [20, 90, 8, 50], words)


def _burdened(filing: Filing) -> Rows:
    """Who is asked for more hours than they have, and who attends without gaining anything."""
    hours: Counter[str] = Counter()
    for session in filing.plan.sessions:
        for person in session.attendees:
            hours[person] += session.hours  # type: ignore[assignment]
    short = []
    for person, own in filing.own.items():
        most = own.profile.hours_available
        if most is not None and hours[person] > most + 1e-6:
            short.append(person)
    idle = [person for person in filing.own if hours[person] and all(line.cause for line in filing.lines[person])]
    rows: Rows = []
    if short:
        rows.append(
            [
                "可用学时不足",
                _named(filing, short),
                len(short),
                "调训学时超过本人可用学时，请与单位协商，或只参加部分课程。",
            ]
        )
    if idle:
        rows.append(["参训而无所补", _named(filing, idle), len(idle), "本方案没有补上其任何短板，可不调训或改派。"])
    return rows


def _named(filing: Filing, people: list[str]) -> str:
    names = "、".join(filing.own[person].profile.name or person for person in people[:MOST_NAMED])
    return names + (f" 等 {len(people)} 人" if len(people) > MOST_NAMED else "")


def substitutes(filing: Filing) -> SheetOut:
    """应急替代: for each session that needs people on site, the course on screen that closes most of what it closes (改线上), else 顺延."""
    plan, demand = filing.plan, filing.demand
    place_of = {(own.profile.id): number for number, own in enumerate(demand.people)}
    group_of = {(found.person, found.gap): found.group for found in demand.open}
    weights: dict[int, Counter[int]] = defaultdict(Counter)
    for one in plan.closed:
        weights[one.session][group_of[place_of[one.person], one.gap]] += round(one.gap.weight * 10_000)
    online = np.array([_on_screen(choice) for choice in demand.choices])
    held = {session.courses[0].id for session in plan.sessions}
    free = online & np.array([choice.id not in held for choice in demand.choices])
    rows: Rows = []
    if not any(course.mode for choice in demand.choices for course in choice.courses):
        rows.append(
            [
                "",
                "",
                "",
                "",
                "课程目录没有写授课方式，看不出哪些课能改线上；请在课程表中补“授课方式”一列后再排。",
                "",
                "",
                "",
            ]
        )
    for number, session in enumerate(plan.sessions if not rows else ()):
        mode = "、".join(dict.fromkeys(course.mode for course in session.courses if course.mode))
        if all(any(word in course.mode for word in ON_SCREEN) for course in session.courses):
            rows.append([number + 1, filing.titled(session), mode, "照常", "本来就在线上", "", "", ""])
            continue
        vector = np.zeros(demand.relevance.shape[0])
        for group, weight in weights[number].items():
            vector[group] = weight / 10_000
        closes = np.where(free, vector @ demand.relevance, 0.0)
        best = int(np.argmax(closes))
        share = closes[best] / session.closes if session.closes else 0.0
        choice = demand.choices[best]
        if share >= ENOUGH:
            rows.append(
                [
                    number + 1,
                    filing.titled(session),
                    mode,
                    "改线上",
                    choice.title,
                    choice.hours,
                    _percent(min(share, 9.99)),
                    choice.courses[0].provider,
                ]
            )
        else:
            why = f"线上课程最多能补其中的 {_percent(share)}" if share else "目录里没有能替代的线上课程"
            if not session.closes:
                why = "这门课在本方案中没有补上短板，无法按短板找替代课程"
            rows.append([number + 1, filing.titled(session), mode, "顺延", why, "", "", ""])
    header = ["序号", "课程", "方式", "不能现场授课时", "替代课程或说明", "学时", "能补上原来的", "提供单位"]
    words = ("改线上：线上课程能补上原课程所补分量的一半以上；否则建议顺延。没有写授课方式的课程按线下对待。", FOOTER)
    return SheetOut("应急替代", "不能现场授课时的替代办法", header, rows, [6, 40, 12, 14, 44, 8, 12, 18], words)


def _on_screen(choice: Choice) -> bool:
    return all(any(word in course.mode for word in ON_SCREEN) for course in choice.courses)
