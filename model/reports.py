"""Plans -> what planners file: the personal list, the courses still to be commissioned, the account of the reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from model.domain import REASON_WORDS, Cause, Gap, Match, Plan, Profile, Reading
from model.files.sheets import SheetOut
from model.lexicon import Lexicon

FOOTER = "仅供培训安排参考，不作为考核、评先、任用的依据。"


PERSONAL = {
    "序号": 6, "姓名": 9, "单位及职务": 24, "职务层次": 12, "短板或岗位需要（来源）": 28, "推荐课程": 30, "类别": 18, "方式": 10, "学时": 8,
    "必修/选修": 9, "岗位匹配分": 9, "短板匹配分": 9, "推荐理由": 52, "提供单位": 16, "备注": 10,
}  # fmt: skip
MOST_REQUIRED_ROWS = 12  # A list with more required courses than a person can overlook names their number instead.


def personal_lists(plans: Sequence[Plan], lexicon: Lexicon) -> SheetOut:
    """个人推荐清单: one row a person and course, then one row for each gap that stays open."""
    rows: list[list[str | float | None]] = []
    for plan in plans:
        person = plan.profile
        level = lexicon.level_names.get(person.level, "") if person.level is not None else ""
        who = {"姓名": person.name or person.id, "单位及职务": unit_and_post(person), "职务层次": level}
        for cells in _lines(plan):
            line: dict[str, str | float] = {"序号": len(rows) + 1, **who, **cells}
            rows.append([line.get(column, "") for column in PERSONAL])
    return SheetOut("个人推荐清单", "干部个人推荐课程清单", list(PERSONAL), rows, list(PERSONAL.values()), (FOOTER,))


def _lines(plan: Plan) -> Iterator[dict[str, str | float]]:
    """The lines of one person: required courses, recommended ones, gaps that stay open."""
    required = [r.candidate for r in plan.recommendations if r.candidate.course.required]
    if len(required) > MOST_REQUIRED_ROWS:
        hours = sum(candidate.course.hours or 0.0 for candidate in required)
        yield {
            "推荐课程": f"必修课 {len(required)} 门，共 {hours:g} 学时（见课程目录）",
            "学时": hours,
            "必修/选修": "必修",
        }
    for recommendation in plan.recommendations:
        candidate, course = recommendation.candidate, recommendation.candidate.course
        if course.required and len(required) > MOST_REQUIRED_ROWS:
            continue
        served = dict.fromkeys(f"{part.gap.text}（{part.gap.source}）" for part in candidate.parts)
        yield {
            "短板或岗位需要（来源）": "；".join(served),
            "推荐课程": course.title,
            "类别": course.category,
            "方式": course.mode,
            "学时": course.hours if course.hours is not None else "学时待定",
            "必修/选修": "必修" if course.required else "选修",
            "岗位匹配分": candidate.duty_score,
            "短板匹配分": candidate.lack_score,
            "推荐理由": "\n".join(reason.text for reason in recommendation.reasons),
            "提供单位": course.provider,
        }
    for unmet in plan.unmet:
        yield {
            "短板或岗位需要（来源）": f"{unmet.gap.text}（{unmet.gap.source}）",
            "推荐课程": "（暂无可推荐课程）",
            "推荐理由": f"{unmet.cause}：{CAUSE_ADVICE[unmet.cause]}",
        }
    if not plan.recommendations and not plan.unmet:
        yield {"短板或岗位需要（来源）": "（未填短板，岗位也无法识别）", "推荐理由": "请补充岗位或短板后再推荐。"}


CAUSE_ADVICE = {
    Cause.NO_COURSE: "课程目录里没有对应课程，已列入缺课清单。",
    Cause.LEVEL: "有对应课程，但面向其他层级。",
    Cause.HOURS: "有对应课程，但可用学时不够。",
    Cause.SEATS: "有对应课程，但名额已满。",
    Cause.COMPLETED: "对应课程已经学过。",
    Cause.EXCLUDED: "有对应课程，但因适用岗位、授课方式或人工排除不能参加。",
    Cause.UNCLEAR: "看不出具体要补什么，请写得再具体一些。",
}


def without_course(plans: Iterable[Plan]) -> Iterator[tuple[Profile, Gap]]:
    """The gaps that stay open because the catalog has no course for them, each with its person."""
    for plan in plans:
        yield from ((plan.profile, unmet.gap) for unmet in plan.unmet if unmet.cause is Cause.NO_COURSE)


def missing_courses(
    missing: Iterable[tuple[Profile, Gap]],
    nearest: Mapping[str, Match] = MappingProxyType({}),
    teaches: Mapping[str, str | None] = MappingProxyType({}),
) -> SheetOut:
    """缺课清单: what people need and no course of the catalog teaches, by the number of people; with the course that comes nearest.

    ``nearest`` holds for each text the course that comes nearest, ``teaches`` what a course (by id) mainly teaches.
    """
    # A person counts once for a need and once for a text, however many gaps say it.
    people: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    units: dict[str, set[str]] = defaultdict(set)
    reasons: dict[str, set[str]] = defaultdict(set)
    weights: dict[str, float] = defaultdict(float)
    for profile, gap in missing:
        need = need_of(gap)
        people[need].add(profile.id)
        texts[need][gap.text].add(profile.id)
        reasons[need].add(REASON_WORDS[gap.reason])
        weights[need] += gap.weight
        if profile.unit:
            units[need].add(profile.unit)
    ranked = sorted(people, key=lambda need: (-len(people[need]), need))
    rows: list[list[str | float | None]] = [
        [
            number,
            need,
            len(people[need]),
            len(units[need]),
            round(weights[need], 2),
            "、".join(sorted(reasons[need])),
            "；".join(sorted(texts[need], key=lambda text: (-len(texts[need][text]), text))[:5]),
            0,  # By definition: what the catalog teaches is not missing.
            *_nearest(need, texts[need], nearest, teaches),
            "",
        ]
        for number, need in enumerate(ranked, start=1)
    ]
    header = [
        "序号",
        "短板（能力）",
        "需要人数",
        "涉及单位数",
        "需求分量",
        "来由",
        "原话摘录",
        "现有课程门数",
        "最接近的课程",
        "它还缺什么",
        "拟开发课程",
    ]
    widths = [6, 24, 10, 12, 10, 26, 56, 14, 40, 40, 24]
    return SheetOut("缺课清单", "缺课清单（待开发课程）", header, rows, widths, (FOOTER,))


def _nearest(
    need: str, texts: Iterable[str], nearest: Mapping[str, Match], teaches: Mapping[str, str | None]
) -> tuple[str, str]:
    """The course that comes nearest to a need, and what it lacks."""
    known = [nearest[text] for text in texts if text in nearest]
    if not known:
        return "", ""
    best = max(known, key=lambda match: (match.relevance, match.course.id))
    teaching = teaches.get(best.course.id)
    told = f"{best.course.title}（匹配度 {best.relevance:.2f}）"
    if teaching == need:
        return told, "讲到这一能力，但与原话所说的事对不上，可按原话补充内容"
    return told, f"{'主要讲“' + teaching + '”，' if teaching else ''}没有讲“{need}”"


def need_of(gap: Gap) -> str:
    """What a gap is counted as where people are added up: its competency, else its own words."""
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


def account_line(reading: Reading[Any]) -> str:
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
