"""A plan for many people -> the sheets a planner files: the class, its courses, who attends, what becomes of every lack, what is common.

Every total can be checked against another: the gaps of a sheet are those closed and those missed, its people the rows of the roster.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from model.cohort_domain import CohortPlan
from model.demand import Demand
from model.domain import Cause, Gap
from model.lexicon import Lexicon
from model.menu import MENU
from model.reports import CAUSE_ADVICE, FOOTER, missing_courses, need_of, unit_and_post
from model.tables import SheetOut

Rows = list[list[str | float | None]]

STATUS = {"optimal": "在允许的差距内已证明", "feasible": "到时限为止找到的最好方案"}
MOST_QUOTED = 5  # Texts quoted for a course or a need.


def overview(plan: CohortPlan, demand: Demand) -> SheetOut:
    """班次方案: what was asked, what came out, how near to the best it is, what simpler ways would have closed."""
    found = plan.certificate
    hours = round(sum(session.hours for session in plan.sessions), 2)
    tentative = sum(session.tentative for session in plan.sessions)
    rows: Rows = [
        ["班次", "类型", "", plan.kind],
        ["班次", "人数", "", len(demand.people)],
        ["班次", "课程门数", "", len(plan.sessions)],
        ["班次", "总学时", "", hours],
        ["班次", "其中学时待定的课程", "", tentative],
        ["短板和岗位需要", "共有", "", len(plan.closed) + len(plan.missed)],
        ["短板和岗位需要", "补上", "", len(plan.closed)],
        ["短板和岗位需要", "漏下", "", len(plan.missed)],
    ]
    rows += [["要求", rule.rule, rule.asked, rule.found] for rule in plan.rules]
    rows += [
        ["最优性证明", "补上的短板分量（目标值）", "", found.objective],
        ["最优性证明", "任何方案都不会超过（上限）", "", found.bound],
        ["最优性证明", "相对差距", "", f"{found.gap:.4%}"],
        ["最优性证明", "求解", "", STATUS[found.status]],
    ]
    for other in plan.yardsticks:
        short = (found.objective - other.objective) / found.objective if found.objective else 0.0
        less = f"少补 {short:.1%}" if short >= 0 else f"多补 {-short:.1%}"
        broken = f"；违反：{'；'.join(other.breaks)}" if other.breaks else ""
        rows.append(["对照", other.name, "", f"{other.objective:g}（{less}{broken}）"])
    for one in plan.what_if:
        gain = one.objective - found.objective
        rows.append(["如果", one.change, "", f"{one.objective:g}（多补 {gain:.2f}）"])
    rows += [["复核", "模型版本", "", plan.origin.model_version], ["复核", "输入指纹", "", plan.inputs_hash]]
    header = ["类别", "项目", "要求", "结果"]
    return SheetOut("班次方案", f"{plan.kind}方案（草案）", header, rows, [18, 34, 34, 50], (FOOTER,))


def timetable(plan: CohortPlan) -> SheetOut:
    """课程安排: a draft of the timetable, its days and places blank."""
    texts: dict[int, Counter[str]] = defaultdict(Counter)
    people: dict[int, set[str]] = defaultdict(set)
    for closed in plan.closed:
        texts[closed.session][need_of(closed.gap)] += 1
        people[closed.session].add(closed.person)
    rows: Rows = []
    for number, session in enumerate(plan.sessions):
        common = sorted(texts[number], key=lambda need: (-texts[number][need], need))[:MOST_QUOTED]
        series = "；".join(course.title for course in session.courses) if len(session.courses) > 1 else ""
        rows.append(
            [
                number + 1, session.branch, session.title, "、".join(dict.fromkeys(c.mode for c in session.courses if c.mode)),
                session.hours, len(session.attendees), len(people[number]), round(session.closes, 2),
                "、".join(f"{need}（{texts[number][need]}）" for need in common),
                "、".join(dict.fromkeys(c.provider for c in session.courses if c.provider)), "", "", "",
                "；".join(filter(None, ["学时待定" if session.tentative else "", series])),
            ]
        )  # fmt: skip
    header = [
        "序号", "模块", "课程", "方式", "学时", "参训人数", "受益人数", "补上的分量", "主要补什么（条数）", "提供单位", "日期", "时间", "地点", "备注",
    ]  # fmt: skip
    widths = [6, 12, 40, 12, 8, 10, 10, 12, 46, 18, 12, 12, 16, 30]
    return SheetOut("课程安排", "课程安排（时间、地点待填）", header, rows, widths, (FOOTER,))


def people_list(plan: CohortPlan, demand: Demand, lexicon: Lexicon) -> SheetOut:
    """参训名单: one row a person, with what the class closes for them and what it leaves open."""
    closed, missed = Counter(one.person for one in plan.closed), Counter(one.person for one in plan.missed)
    attends = Counter(person for session in plan.sessions for person in session.attendees)
    rows: Rows = []
    for number, own in enumerate(demand.people, start=1):
        person = own.profile
        level = lexicon.level_names.get(person.level, "") if person.level is not None else ""
        exempt = 0 if plan.kind == MENU else len(plan.sessions) - attends[person.id]
        note = (
            "没有可补的短板或岗位信息"
            if not own.gaps
            else "没有排上能补其短板的课，需另行安排"
            if not closed[person.id]
            else ""
        )
        rows.append(
            [number, person.name or person.id, unit_and_post(person), level, attends[person.id], exempt, closed[person.id], missed[person.id], note]
        )  # fmt: skip
    header = ["序号", "姓名", "单位及职务", "职务层次", "参加门数", "免修门数", "补上条数", "仍缺条数", "备注"]
    return SheetOut("参训名单", "参训建议名单", header, rows, [6, 10, 34, 14, 10, 10, 10, 10, 30], (FOOTER,))


def rolls(plan: CohortPlan, demand: Demand) -> SheetOut:
    """课程点名单: for each session of a menu who attends, with how many of each unit (名额)."""
    profiles = {own.profile.id: own.profile for own in demand.people}
    rows: Rows = []
    for number, session in enumerate(plan.sessions, start=1):
        units = Counter(profiles[person].unit or "（未填单位）" for person in session.attendees)
        quota = "、".join(f"{unit} {count}" for unit, count in units.most_common())
        for place, person in enumerate(session.attendees):
            who = profiles[person]
            head: list[str | float | None] = [number, session.title, quota] if place == 0 else [number, "", ""]
            rows.append([*head, place + 1, who.name or who.id, unit_and_post(who), ""])
    header = ["场次", "课程", "各单位名额", "序号", "姓名", "单位及职务", "签到"]
    return SheetOut("课程点名单", "各场次点名单", header, rows, [6, 36, 40, 6, 10, 34, 12], (FOOTER,))


def whereabouts(plan: CohortPlan, demand: Demand) -> SheetOut:
    """短板去向: every gap of every person, the course that closes it or why none does."""
    told: dict[str, list[tuple[Gap, str, str, float | str, str]]] = defaultdict(list)
    for one in plan.closed:
        told[one.person].append((one.gap, "已安排", plan.sessions[one.session].title, round(one.relevance, 2), ""))
    for other in plan.missed:
        told[other.person].append((other.gap, "待补", "", "", f"{other.cause}：{advice(other.cause)}"))
    rows: Rows = []
    for own in demand.people:
        person = own.profile
        for gap, status, course, relevance, why in sorted(told[person.id], key=lambda line: -line[0].weight):
            rows.append(
                [
                    len(rows) + 1, person.name or person.id, unit_and_post(person), gap.text, gap.competency or "", gap.source,
                    gap.weight, status, course, relevance, why,
                ]
            )  # fmt: skip
    header = [
        "序号",
        "姓名",
        "单位及职务",
        "短板或岗位需要",
        "归入能力",
        "来源",
        "分量",
        "状态",
        "课程",
        "匹配度",
        "漏下的原因",
    ]
    widths = [6, 10, 28, 36, 18, 10, 8, 8, 36, 8, 44]
    return SheetOut("短板去向", "每条短板的去向", header, rows, widths, (FOOTER,))


def advice(cause: Cause) -> str:
    """What a cause means for a class, and what could be done."""
    if cause is Cause.HOURS:
        return "目录里有课，本班学时内没有排上，可增加学时或另行安排。"
    if cause is Cause.EXCLUDED:
        return "目录里有课，但按授课方式、适用对象或人工排除没有列入本班。"
    return CAUSE_ADVICE[cause]


def common_needs(plan: CohortPlan, demand: Demand) -> SheetOut:
    """共性需求汇总: by competency the people in need, those the class serves, those it leaves, and the courses there are."""
    needed: dict[str, set[str]] = defaultdict(set)
    served: dict[str, set[str]] = defaultdict(set)
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    for one in plan.closed:
        needed[need_of(one.gap)].add(one.person)
        served[need_of(one.gap)].add(one.person)
    for other in plan.missed:
        needed[need_of(other.gap)].add(other.person)
        causes[need_of(other.gap)][other.cause] += 1
    units = {own.profile.id: own.profile.unit or "" for own in demand.people}
    courses: dict[str, set[int]] = defaultdict(set)
    by_group = demand.relevance.tolil().rows
    for found in demand.open:
        courses[need_of(found.gap)].update(by_group[found.group])
    rows: Rows = [
        [
            number, need, len(needed[need]), len({units[person] for person in needed[need]} - {""}), len(served[need]),
            len(needed[need] - served[need]), len(courses[need]), "、".join(f"{cause} {count}" for cause, count in causes[need].most_common()),
        ]
        for number, need in enumerate(sorted(needed, key=lambda need: (-len(needed[need]), need)), start=1)
    ]  # fmt: skip
    header = [
        "序号",
        "短板（能力）",
        "需要人数",
        "涉及单位数",
        "本班补上人数",
        "仍缺人数",
        "现有课程门数",
        "漏下原因（条数）",
    ]
    return SheetOut("共性需求", "共性需求汇总", header, rows, [6, 30, 10, 12, 14, 10, 14, 40], (FOOTER,))


def cohort_sheets(plan: CohortPlan, demand: Demand, lexicon: Lexicon) -> list[SheetOut]:
    """The whole workbook in the order of its sheets."""
    profiles = {own.profile.id: own.profile for own in demand.people}
    return [
        overview(plan, demand),
        timetable(plan),
        people_list(plan, demand, lexicon),
        *([rolls(plan, demand)] if plan.kind == MENU else []),
        common_needs(plan, demand),
        missing_courses((profiles[one.person], one.gap) for one in plan.missed if one.cause is Cause.NO_COURSE),
        whereabouts(plan, demand),
    ]
