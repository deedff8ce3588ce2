"""Plans -> what planners file: the personal list, the courses still to be commissioned, the account of the reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from model.domain import REASON_WORDS, Cause, Gap, Plan, Profile, Reading
from model.lexicon import Lexicon
from model.tables import SheetOut

FOOTER = "仅供培训安排参考，不作为考核、评先、任用的依据。"


def personal_lists(plans: Sequence[Plan], lexicon: Lexicon) -> SheetOut:
    """个人推荐清单: one row a person and course, then one row for each gap that stays open."""
    rows: list[list[str | float | None]] = []
    for plan in plans:
        person = plan.profile
        who = [
            person.name or person.id,
            unit_and_post(person),
            lexicon.level_names.get(person.level, "") if person.level is not None else "",
        ]
        for recommendation in plan.recommendations:
            candidate = recommendation.candidate
            course = candidate.course
            served = "；".join(dict.fromkeys(f"{part.gap.text}（{part.gap.source}）" for part in candidate.parts))
            why = "\n".join(reason.text for reason in recommendation.reasons)
            rows.append(
                [len(rows) + 1, *who, served, course.title, course.category, course.mode, course.hours if course.hours is not None else "学时待定",
                 "必修" if course.required else "选修", candidate.duty_score, candidate.lack_score, why, course.provider, ""]
            )  # fmt: skip
        for unmet in plan.unmet:
            gap = unmet.gap
            rows.append(
                [len(rows) + 1, *who, f"{gap.text}（{gap.source}）", "（暂无可推荐课程）", "", "", "", "", "", "",
                 f"{unmet.cause}：{CAUSE_ADVICE[unmet.cause]}", "", ""]
            )  # fmt: skip
        if not plan.recommendations and not plan.unmet:
            rows.append(
                [
                    len(rows) + 1,
                    *who,
                    "（未填短板，岗位也无法识别）",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "请补充岗位或短板后再推荐。",
                    "",
                    "",
                ]
            )
    header = ["序号", "姓名", "单位及职务", "职务层次", "短板或岗位需要（来源）", "推荐课程", "类别", "方式", "学时", "必修/选修",
              "岗位匹配分", "短板匹配分", "推荐理由", "提供单位", "备注"]  # fmt: skip
    widths = [6, 9, 24, 12, 28, 30, 18, 10, 8, 9, 9, 9, 52, 16, 10]
    return SheetOut("个人推荐清单", "干部个人推荐课程清单", header, rows, widths, (FOOTER,))


CAUSE_ADVICE = {
    Cause.NO_COURSE: "课程目录里没有对应课程，已列入缺课清单。",
    Cause.LEVEL: "有对应课程，但面向其他层级。",
    Cause.HOURS: "有对应课程，但可用学时不够。",
    Cause.SEATS: "有对应课程，但名额已满。",
    Cause.COMPLETED: "对应课程已经学过。",
    Cause.EXCLUDED: "有对应课程，但因适用岗位、授课方式或人工排除不能参加。",
    Cause.UNCLEAR: "看不出具体要补什么，请写得再具体一些。",
}


def missing_courses(plans: Sequence[Plan]) -> SheetOut:
    """缺课清单: what people need and no course of the catalog teaches, by the number of people."""
    people: Counter[str] = Counter()
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    units: dict[str, set[str]] = defaultdict(set)
    reasons: dict[str, set[str]] = defaultdict(set)
    for plan in plans:
        gaps = [unmet.gap for unmet in plan.unmet if unmet.cause is Cause.NO_COURSE]
        # A person counts once for a need and once for a text, however many gaps say it.
        people.update({_need(gap) for gap in gaps})
        for need, text in {(_need(gap), gap.text) for gap in gaps}:
            texts[need][text] += 1
        for gap in gaps:
            reasons[_need(gap)].add(REASON_WORDS[gap.reason])
            if plan.profile.unit:
                units[_need(gap)].add(plan.profile.unit)
    ranked = sorted(people.items(), key=lambda item: (-item[1], item[0]))
    rows: list[list[str | float | None]] = [
        [
            number,
            need,
            count,
            len(units[need]),
            "、".join(sorted(reasons[need])),
            "；".join(sorted(texts[need], key=lambda text: (-texts[need][text], text))[:5]),
            0,
            "",
        ]
        for number, (need, count) in enumerate(ranked, start=1)
    ]
    header = ["序号", "短板（能力）", "需要人数", "涉及单位数", "来由", "原话摘录", "现有课程门数", "拟开发课程"]
    return SheetOut("缺课清单", "缺课清单（待开发课程）", header, rows, [6, 24, 10, 12, 26, 60, 14, 24], (FOOTER,))


def _need(gap: Gap) -> str:
    return gap.competency or gap.text


def reading_account(reading: Reading[Profile], unknown: Iterable[tuple[Profile, str]] = ()) -> SheetOut:
    """读取说明: how the rows of the file add up, every fault by cell, completed courses that no course answers to."""
    rows: list[list[str | float | None]] = [["合计", f"文件共 {reading.rows} 行", account_line(reading)]]
    rows += [["说明", "", note] for note in reading.notes]
    rows += [["待核对", fault.place, str(fault).removeprefix(f"{fault.place}: ")] for fault in reading.faults]
    rows += [
        ["未识别的已学课程", person.name or person.id, f"“{text}”不在课程目录中，未能排除"] for person, text in unknown
    ]
    return SheetOut("读取说明", "名册读取说明", ["类别", "位置", "内容"], rows, [18, 20, 90], ())


def account_line(reading: Reading[Profile]) -> str:
    """The row account in one sentence; its numbers add up to the rows of the file."""
    skipped = "、".join(f"{kind} {count}" for kind, count in reading.skipped.items())
    total = sum(reading.skipped.values())
    return (
        f"读取 {reading.read} 行，未能读取 {reading.rejected} 行，跳过 {total} 行"
        + (f"（{skipped}）" if skipped else "")
        + f"，共 {reading.rows} 行。"
    )


def unit_and_post(person: Profile) -> str:
    """单位及职务 in one cell, as rosters show it."""
    return " ".join(filter(None, [person.unit, person.post]))
