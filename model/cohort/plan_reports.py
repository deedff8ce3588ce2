"""A plan for many people -> the sheets a planner files first: the plan itself, its courses, who attends; then all the others in their order.

Every total can be checked against another: the gaps of a sheet are those closed and those missed, its people the rows of the roster.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from model.cohort.care_reports import missed_people, repeats, substitutes
from model.cohort.filing import NO_UNIT, Filing, Rows
from model.cohort.menu import MENU
from model.cohort.need_reports import common_needs, level_map, three_lists, unit_map, units, whereabouts
from model.cohort.nouns import Session
from model.cohort.program import FEASIBLE, OPTIMAL
from model.cohort.rival import said
from model.cohort.sessions import exempt, kept_away
from model.files.sheets import ChartOut, SheetOut
from model.reports import FOOTER, missing_courses, need_of, unit_and_post

STATUS = {OPTIMAL: "在允许的差距内已证明", FEASIBLE: "到时限为止找到的最好方案"}
SPLIT = "反复调整人员和课程得到的最好分班；上限按全部课程人人可上计算，通常达不到"
PEOPLE = "参训名单"
MOST_QUOTED = 5  # Texts quoted for a course.
MOST_BROKEN = 3  # Broken rules named for a simpler way.
MOST_BARS = 15  # Rows of a chart.
MOST_NAMED = (
    20_000  # Names on the lists of a class; where there are more, its people are named once, in the list of all.
)


def overview(filing: Filing) -> SheetOut:
    """班次方案: what was asked, what came out, how near to the best it is, what simpler ways would have closed, where it comes from."""
    plan, demand = filing.plan, filing.demand
    found = plan.certificate
    hours = round(sum(session.hours for session in plan.sessions), 2)
    # A course may be held in several classes, or several times.
    courses = {session.courses: session.tentative for session in plan.sessions}
    rows: Rows = [
        ["班次", "类型", "", plan.kind],
        ["班次", "人数", "", len(demand.people)],
        ["班次", "课程门数", "", len(courses)],
        ["班次", "总学时" if not plan.classes else "各班学时合计", "", hours],
        ["班次", "其中学时待定的课程", "", sum(courses.values())],
    ]
    if len(plan.sessions) > len(courses):
        rows.append(["班次", "场次", "", len(plan.sessions)])
    for number, part in enumerate(plan.classes):
        own = round(sum(session.hours for session in plan.sessions if session.part == number), 2)
        proof = f"补上 {part.certificate.objective:g}，上限 {part.certificate.bound:g}"
        rows.append(["分班", part.name, f"{len(part.people)} 人，{own:g} 学时", proof])
    rows += [
        ["短板和岗位需要", "共有", "", len(plan.closed) + len(plan.missed)],
        ["短板和岗位需要", "补上", "", len(plan.closed)],
        ["短板和岗位需要", "漏下", "", len(plan.missed)],
    ]
    rows += [["要求", rule.rule, rule.asked, rule.found] for rule in plan.rules]
    rows += [
        ["最优性证明", "补上的短板分量（目标值）", "", found.objective],
        ["最优性证明", "任何方案都不会超过（上限）", "", found.bound],
        ["最优性证明", "相对差距", "", f"{found.gap:.4%}"],
        ["最优性证明", "求解", "", SPLIT if plan.classes and found.status != OPTIMAL else STATUS[found.status]],
    ]
    for other in plan.yardsticks:
        short = (found.objective - other.objective) / found.objective if found.objective else 0.0
        less = f"少补 {short:.1%}" if short >= 0 else f"多补 {-short:.1%}"
        more = f" 等 {len(other.breaks)} 条" if len(other.breaks) > MOST_BROKEN else ""
        broken = f"；违反：{'；'.join(other.breaks[:MOST_BROKEN])}{more}" if other.breaks else ""
        rows.append(["对照", other.name, "", f"{other.objective:g}（{less}{broken}）"])
    for one in plan.what_if:
        gain = one.objective - found.objective
        near = abs(gain) <= max(found.bound - found.objective, 5e-3)
        told_gain = "在求解差距之内，看不出差别" if near else f"{'多' if gain >= 0 else '少'}补 {abs(gain):.2f}"
        rows.append(["如果", one.change, "", f"{one.objective:g}（{told_gain}）"])
    rows += _renewal(filing)
    idle = set() if plan.kind == MENU else {"seats", "min_size", "repeats"}
    told = {
        name: value
        for name, value in plan.origin.parameters.items()
        if name not in idle and value not in (None, [], False, "", 0.0)
    }
    rows += [
        ["复核", "模型版本", "", plan.origin.model_version],
        ["复核", "课程目录指纹", "", plan.origin.catalog],
        ["复核", "输入指纹", "", plan.inputs_hash],
        ["复核", "参数", "", said(told)],
    ]
    if filing.demand.overridden:
        rows.append(["复核", "人工调整", "", f"{len(filing.demand.overridden)} 条人工调整起了作用"])
    header = ["类别", "项目", "要求", "结果"]
    return SheetOut("班次方案", f"{plan.kind}方案（草案）", header, rows, [18, 34, 34, 60], (FOOTER,))


def _renewal(filing: Filing) -> Rows:
    """更新率: the share of courses that were new in the year (当年新开门数 / 课程总门数), in the catalog and in the plan."""
    catalog = [course for choice in filing.demand.choices for course in choice.courses]
    held = [course for session in filing.plan.sessions for course in session.courses]
    if filing.year is None or not any(course.year for course in catalog):
        return [["更新率", "课程目录", "", "课程目录没有年度一列，无法计算"]]
    rows: Rows = []
    for name, courses in (("课程目录", catalog), ("本方案", held)):
        dated = [course for course in courses if course.year is not None]
        new = sum(course.year == filing.year for course in dated)
        share = f"{new / len(dated):.1%}" if dated else "无"
        rows.append(["更新率", name, f"{filing.year} 年新开门数 / 写明年度的门数", f"{new}/{len(dated)}（{share}）"])
    return rows


def charts(filing: Filing, needs: SheetOut, by_unit: SheetOut) -> SheetOut:
    """图表: the most common needs, served and not; the units, what is closed and what is missed."""
    drawn = [
        ChartOut("需要人数最多的短板：补上与仍缺", needs.name, 1, (4, 5), min(MOST_BARS, len(needs.rows))),
        ChartOut("短板最多的单位：补上与仍缺（条数）", by_unit.name, 0, (4, 5), min(MOST_BARS, len(by_unit.rows) - 1)),
    ]
    shown = [chart for chart in drawn if chart.rows > 0]
    rows: Rows = [[number, chart.title, chart.sheet] for number, chart in enumerate(shown, start=1)]
    return SheetOut(
        "图表",
        f"{filing.plan.kind}方案图表",
        ["序号", "图", "数字所在的表"],
        rows,
        [8, 60, 40],
        (FOOTER,),
        charts=shown,
    )


def timetable(filing: Filing) -> SheetOut:
    """课程安排: a draft of the timetable, its days and places blank."""
    plan = filing.plan
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
                number + 1, *([plan.classes[session.part].name] if plan.classes else []), session.branch, session.title, "、".join(dict.fromkeys(c.mode for c in session.courses if c.mode)),
                session.hours, len(session.attendees), len(people[number]), round(session.closes, 2),
                "、".join(f"{need}（{texts[number][need]}）" for need in common),
                "、".join(dict.fromkeys(c.provider for c in session.courses if c.provider)), "", "", "",
                "；".join(filter(None, ["学时待定" if session.tentative else "", series])),
            ]
        )  # fmt: skip
    named = ["班次"] if plan.classes else []
    header = [
        "序号", *named, "模块", "课程", "方式", "学时", "参训人数", "受益人数", "补上的分量", "主要补什么（条数）", "提供单位", "日期", "时间", "地点", "备注",
    ]  # fmt: skip
    widths = [6, *([30] if named else []), 12, 40, 12, 8, 10, 10, 12, 46, 18, 12, 12, 16, 30]
    return SheetOut("课程安排", "课程安排（时间、地点待填）", header, rows, widths, (FOOTER,))


def people_list(filing: Filing) -> SheetOut:
    """参训名单: one row a person, with what the plan closes for them and what it leaves open."""
    plan, demand = filing.plan, filing.demand
    attends = Counter(person for session in plan.sessions for person in session.attendees)
    choice_of = {choice.id: choice for choice in demand.choices}
    held: dict[int, list[Session]] = defaultdict(list)
    for session in plan.sessions:
        held[session.part].append(session)
    rows: Rows = []
    for number, own in enumerate(demand.people, start=1):
        person = own.profile
        part = filing.part_of.get(person.id, 0)
        offered = [] if plan.kind == MENU else [choice_of[session.courses[0].id] for session in held[part]]
        free = sum(exempt(own, choice) for choice in offered)
        away = sum(kept_away(own, choice) and not exempt(own, choice) for choice in offered)
        closed = sum(line.cause is None for line in filing.lines[person.id])
        missed = len(own.gaps) - closed
        note = (
            "没有可补的短板或岗位信息" if not own.gaps else "没有排上能补其短板的课，需另行安排" if not closed else ""
        )
        rows.append(
            [
                number, person.name or person.id, unit_and_post(person), filing.level_of(person.id),
                *([plan.classes[part].name] if plan.classes else []), attends[person.id], free, away, closed, missed, note,
            ]
        )  # fmt: skip
    named = ["班次"] if plan.classes else []
    header = [
        "序号",
        "姓名",
        "单位及职务",
        "职务层次",
        *named,
        "参加门数",
        "免修门数",
        "不便参加门数",
        "补上条数",
        "仍缺条数",
        "备注",
    ]
    widths = [6, 10, 34, 14, *([30] if named else []), 10, 10, 12, 10, 10, 30]
    words = ("免修：已学完；不便参加：授课方式与本人情况（如行动不便、不能脱产）不合。", FOOTER)
    return SheetOut(PEOPLE, "参训建议名单", header, rows, widths, words)


def rolls(filing: Filing) -> SheetOut:
    """课程点名单: for each session who attends, and how many of each unit (名额)."""
    plan = filing.plan
    rows: Rows = []
    for number, session in enumerate(plan.sessions, start=1):
        counts = Counter(filing.own[person].profile.unit or NO_UNIT for person in session.attendees)
        quota = "、".join(f"{unit} {count}" for unit, count in counts.most_common())
        if plan.kind != MENU and sum(len(other.attendees) for other in plan.sessions) > MOST_NAMED:
            rows.append(
                [
                    number,
                    filing.titled(session),
                    "见“单位汇总”",
                    "",
                    f"共 {len(session.attendees)} 人",
                    "姓名见“参训名单”",
                    "",
                ]
            )
            continue
        for place, person in enumerate(session.attendees):
            who = filing.own[person].profile
            head: list[str | float | None] = [number, filing.titled(session), quota] if place == 0 else [number, "", ""]
            rows.append([*head, place + 1, who.name or who.id, unit_and_post(who), ""])
    header = ["场次", "课程", "各单位名额", "序号", "姓名", "单位及职务", "签到"]
    return SheetOut("课程点名单", "各场次点名单", header, rows, [6, 36, 40, 6, 10, 34, 12], (FOOTER,))


def cohort_sheets(filing: Filing) -> list[SheetOut]:
    """The whole workbook in the order of its sheets."""
    needs, by_unit = common_needs(filing), units(filing)
    without = ((filing.own[one.person].profile, one.gap) for one in filing.missing)
    return [
        overview(filing),
        charts(filing, needs, by_unit),
        timetable(filing),
        people_list(filing),
        by_unit,
        rolls(filing),
        needs,
        unit_map(filing),
        level_map(filing),
        missing_courses(without, filing.nearest, filing.teaches),
        missed_people(filing),
        repeats(filing),
        three_lists(filing),
        substitutes(filing),
        *filing.more,
        whereabouts(filing),
    ]
