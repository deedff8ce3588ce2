"""A plan for many people -> what is lacked, where, and who sees to it: common needs, heat maps, the three lists, units, what remains of each lack.

Every sheet counts the same gaps: those closed and those missed make all of them, and its people are the rows of the roster.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from model.cohort.choices import Choice
from model.cohort.filing import NO_UNIT, Filing, Line, Rows
from model.cohort.nouns import Fate, Status
from model.domain import Cause, Reason
from model.files.sheets import Heat, SheetOut
from model.reports import CAUSE_ADVICE, FOOTER, need_of, unit_and_post

MOST_COLUMNS = 20  # Competencies a heat map shows; the others are counted together.
MOST_QUOTED = 5  # Texts quoted for a need.
REST = "其他能力"
DUTY = "（岗位要求）"
LEVEL_UNKNOWN = "（层级未填）"


def advice(cause: Cause) -> str:
    """What a cause means for a plan, and what could be done."""
    if cause is Cause.HOURS:
        return "目录里有课，本方案学时内没有排上，可增加学时或另行安排。"
    if cause is Cause.EXCLUDED:
        return "目录里有课，但按授课方式、适用对象、类别比例、课程门数、经费、开班要求或人工排除没有列入。"
    return CAUSE_ADVICE[cause]


def whereabouts(filing: Filing) -> SheetOut:
    """短板去向: every gap of every person: the course that closes it, or why none does and what could be studied alone (个性选学)."""
    rows: Rows = []
    for person, lines in filing.lines.items():
        profile = filing.own[person].profile
        for line in lines:
            gap, fate = line.gap, filing.fate(person, line.gap)
            alone = None if line.session else filing.alone(person, gap)
            cause = f"{line.cause}：{advice(line.cause)}" if line.cause else ""
            rows.append(
                [
                    len(rows) + 1, profile.name or person, unit_and_post(profile), gap.text, gap.competency or "", gap.source, gap.weight,
                    fate.status, line.session.title if line.session else "", round(line.relevance, 2) if line.session else "",
                    " ".join(filter(None, [cause, f"{fate.status}：{fate.note}。" if fate.note else ""])), _offered(alone) if alone else "",
                ]
            )  # fmt: skip
    for person, _, text, fate in filing.gone():
        profile = filing.own[person].profile
        course = filing.titles.get(fate.course, fate.course)
        rows.append(
            [len(rows) + 1, profile.name or person, unit_and_post(profile), text, fate.competency or "", "", "", fate.status, course, "", fate.note, ""]
        )  # fmt: skip
    header = [
        "序号", "姓名", "单位及职务", "短板或岗位需要", "归入能力", "来源", "分量", "状态", "课程", "匹配度", "漏下的原因或说明", "个性选学建议",
    ]  # fmt: skip
    widths = [6, 10, 28, 36, 18, 10, 8, 8, 36, 8, 44, 36]
    return SheetOut(
        "短板去向", "每条短板的去向", header, rows, widths, (FOOTER,), pick={7: [status.value for status in Status]}
    )


def _offered(alone: Choice) -> str:
    """What somebody could study alone, how long and in which way."""
    hours = "学时待定" if alone.tentative else f"{alone.hours:g} 学时"
    return f"{alone.title}（{'，'.join(filter(None, [hours, alone.mode]))}）"


def common_needs(filing: Filing) -> SheetOut:
    """共性需求汇总: by competency the people in need, those the plan serves, those it leaves, and the courses there are."""
    needed: dict[str, set[str]] = defaultdict(set)
    served: dict[str, set[str]] = defaultdict(set)
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    for person, lines in filing.lines.items():
        for line in lines:
            need = need_of(line.gap)
            needed[need].add(person)
            if line.cause:
                causes[need][line.cause] += 1
            else:
                served[need].add(person)
    courses: dict[str, set[int]] = defaultdict(set)
    by_group = filing.demand.relevance.tolil().rows
    for found in filing.demand.open:
        courses[need_of(found.gap)].update(by_group[found.group])
    rows: Rows = [
        [
            number, need, len(needed[need]), len({filing.own[person].profile.unit for person in needed[need]} - {None}), len(served[need]),
            len(needed[need] - served[need]), len(courses[need]), "、".join(f"{cause} {count}" for cause, count in causes[need].most_common()),
        ]
        for number, need in enumerate(sorted(needed, key=lambda need: (-len(needed[need]), need)), start=1)
    ]  # fmt: skip
    header = [
        "序号",
        "短板（能力）",
        "需要人数",
        "涉及单位数",
        "补上人数",
        "仍缺人数",
        "可上的课程门数",
        "漏下原因（条数）",
    ]
    return SheetOut("共性需求", "共性需求汇总", header, rows, [6, 30, 10, 12, 14, 10, 14, 40], (FOOTER,))


def unit_map(filing: Filing) -> SheetOut:
    """热力图·单位: how many gaps of each competency each unit has."""
    return _heat_map(filing, "单位", lambda line: filing.unit_of(line.own.profile.id))


def level_map(filing: Filing) -> SheetOut:
    """热力图·层级: how many gaps of each competency each level has."""
    return _heat_map(filing, "层级", lambda line: filing.level_of(line.own.profile.id) or LEVEL_UNKNOWN)


def _heat_map(filing: Filing, axis: str, row_of: Callable[[Line], str]) -> SheetOut:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    missed: Counter[str] = Counter()
    for lines in filing.lines.values():
        for line in lines:
            counts[row_of(line)][need_of(line.gap)] += 1
            missed[row_of(line)] += line.cause is not None
    total: Counter[str] = sum(counts.values(), Counter())
    needs = sorted(total, key=lambda need: (-total[need], need))
    shown, rest = needs[:MOST_COLUMNS], needs[MOST_COLUMNS:]

    def cells(name: str, own: Counter[str], left: int) -> list[str | float | None]:
        others: list[str | float | None] = [sum(own[need] for need in rest)] if rest else []
        return [name, own.total(), left, *(own[need] for need in shown), *others]

    rows: Rows = [
        cells(name, counts[name], missed[name])
        for name in sorted(counts, key=lambda name: (-counts[name].total(), name))
    ]
    heat = Heat(3, 2 + len(shown), len(rows))
    rows.append(cells("合计", total, missed.total()))
    header = [axis, "合计", "仍缺", *shown, *([REST] if rest else [])]
    words = (
        f"数字为短板和岗位需要的条数，颜色越深越集中；合计 {total.total()} 条，其中仍缺 {missed.total()} 条。",
        FOOTER,
    )
    widths = [22, 6, 6, *(9 for _ in header[3:])]
    return SheetOut(f"热力图·{axis}", f"短板热力图（{axis} × 能力）", header, rows, widths, words, heat=heat)


def units(filing: Filing) -> SheetOut:
    """单位汇总: for each unit its places (名额) in every class, its gaps, and how many are closed and missed. The places in each session
    stand beside the session's list of names."""
    plan = filing.plan
    attending = {person for session in plan.sessions for person in session.attendees}
    classes = [f"第{number}班名额" for number in range(1, len(plan.classes) + 1)] or ["参训名额"]
    places: dict[str, Counter[int]] = defaultdict(Counter)
    people, gaps, closed, served = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for person, lines in filing.lines.items():
        unit, done = filing.unit_of(person), sum(line.cause is None for line in lines)
        people[unit] += 1
        places[unit][filing.part_of.get(person, 0)] += person in attending
        gaps[unit] += len(lines)
        closed[unit] += done
        served[unit] += done > 0

    def cells(name: str, own: list[str]) -> list[str | float | None]:
        one, two, three, four = (sum(some[unit] for unit in own) for some in (people, served, gaps, closed))
        named = (sum(places[unit][part] for unit in own) for part in range(len(classes)))
        return [name, one, two, three, four, three - four, *named]

    ranked = sorted(people, key=lambda unit: (-gaps[unit], unit))
    rows: Rows = [*(cells(unit, [unit]) for unit in ranked), cells("合计", ranked)]
    header = ["单位", "人数", "有短板补上的人数", "短板和岗位需要", "补上条数", "仍缺条数", *classes]
    widths = [34, 10, 18, 12, 12, 12, *(14 for _ in classes)]
    return SheetOut("单位汇总", "各单位名额与补短情况", header, rows, widths, (FOOTER,))


def three_lists(filing: Filing) -> SheetOut:
    """三张清单: for each unit its problems (难题), what is done about them (举措), who sees to it (责任), until when, and how far it is."""
    texts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    fates: dict[tuple[str, str], list[Fate]] = defaultdict(list)
    steps: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def note(person: str, need: str, reason: Reason, text: str, fate: Fate, step: str) -> None:
        entry = filing.unit_of(person), need
        # What the post asks for is nobody's words.
        texts[entry][text if reason is Reason.LACK else DUTY] += 1
        people[entry].add(person)
        fates[entry].append(fate)
        steps[entry][step] += 1

    for person, lines in filing.lines.items():
        for line in lines:
            note(
                person,
                need_of(line.gap),
                line.gap.reason,
                line.gap.text,
                filing.fate(person, line.gap),
                _step(filing, person, line),
            )
    for person, reason, text, fate in filing.gone():
        note(person, fate.competency or text, reason, text, fate, "核实后销号" if fate.note else "已补上")
    rows: Rows = []
    for unit, need in sorted(people, key=lambda entry: (entry[0], -len(people[entry]), entry[1])):
        entry = unit, need
        states = Counter(fate.status for fate in fates[entry])
        quoted = sorted(texts[entry], key=lambda text: (-texts[entry][text], text))[:MOST_QUOTED]
        done = sorted(steps[entry], key=lambda step: (-steps[entry][step], step))[:MOST_QUOTED]
        rows.append(
            [
                len(rows) + 1, unit, need, len(people[entry]), "；".join(quoted), "；".join(f"{step}（{steps[entry][step]} 条）" for step in done),
                "" if unit == NO_UNIT else unit, "", filing.deadline, least(states),
                "、".join(f"{status} {states[status]}" for status in Status if states[status]),
            ]
        )  # fmt: skip
    header = [
        "序号",
        "单位",
        "难题（短板）",
        "人数",
        "原话摘录",
        "举措",
        "责任单位",
        "责任人",
        "时限",
        "状态",
        "各条状态",
    ]
    widths = [6, 24, 22, 8, 44, 50, 22, 10, 12, 10, 24]
    words = (
        "状态依次为 待补 → 已安排 → 已学 → 已销号 → 重开，可在单元格中改选；多条不一时，有重开的取重开，否则取最靠前的一种。",
        FOOTER,
    )
    return SheetOut(
        "三张清单", "难题、举措、责任清单", header, rows, widths, words, pick={9: [status.value for status in Status]}
    )


def _step(filing: Filing, person: str, line: Line) -> str:
    """What is done about a gap."""
    if line.session:
        return f"参加《{line.session.title}》"
    if filing.fate(person, line.gap).status is Status.LEARNT:
        return "已学，核实后销号"
    alone = filing.alone(person, line.gap)
    if alone:
        return f"个性选学《{alone.title}》"
    return {
        Cause.NO_COURSE: "委托开发课程",
        Cause.UNCLEAR: "请本人写明具体短板",
        Cause.LEVEL: "参加相应层级的班次",
    }.get(line.cause or Cause.EXCLUDED, "另行安排")


def least(states: Counter[Status]) -> Status:
    """The state of several gaps together: the one that wants most to be done."""
    wanting = (Status.REOPENED, Status.OPEN, Status.ARRANGED, Status.LEARNT, Status.SETTLED)
    return next(status for status in wanting if states[status])
