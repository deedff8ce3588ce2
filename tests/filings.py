"""Tiny plans with all that their reports read, of every kind: a class, classes of a split cohort, a menu."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

from hypothesis import strategies as st

from model.cohort.class_plan import plan_class
from model.cohort.demand import Demand
from model.cohort.filing import Filing
from model.cohort.follow import follow, known_by
from model.cohort.menu import plan_menu
from model.cohort.nouns import CohortPlan, Filed, Origin, key_of
from model.cohort.program import Impossible
from model.cohort.rules import ClassRules, MenuRules, SplitRules
from model.cohort.split import plan_split
from model.domain import Course, Gap, Reason, Restriction
from model.files.sheets import SheetOut
from model.selection import Needs
from tests.model.cohort.test_class_plan import EXACT, LEXICON, cohort, course, gap, needs

LEVELS = (("乡科级正职", 20, "领导职务"), ("县处级正职", 40, "领导职务"))
NAMED = replace(LEXICON, level_words=LEVELS)
ORIGIN = Origin("v1", "catalog", {"hours": 8.0, "settings": {"HOURS_PER_DAY": 6}})

Cell = str | float | None


def planned(
    demand: Demand,
    rules: ClassRules | MenuRules | None = None,
    split: SplitRules | None = None,
    origin: Origin = ORIGIN,
) -> CohortPlan:
    """The plan of the kind that the rules ask for; a class of eight hours where there are none."""
    if isinstance(rules, MenuRules):
        return plan_menu(demand, rules, EXACT, lambda: 0.0, origin, NAMED.level_names)
    rules = rules or ClassRules("专题班", 8)
    if split:
        return plan_split(demand, rules, split, EXACT, lambda: 0.0, origin, NAMED.level_names)
    return plan_class(demand, rules, EXACT, lambda: 0.0, origin)


def filed(
    demand: Demand,
    rules: ClassRules | MenuRules | None = None,
    split: SplitRules | None = None,
    before: Filed | None = None,
    **more: object,
) -> Filing:
    """A plan and what stands beside it; ``before`` is the plan whose gaps it carries on."""
    plan = planned(demand, rules, split)
    return Filing(plan, demand, NAMED, follow(plan, demand, before), **more)


def rows(sheet: SheetOut) -> list[dict[str, Cell]]:
    """The rows of a sheet, each cell by its header."""
    return [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]


def number(cell: Cell) -> float:
    """A cell that holds a number."""
    assert isinstance(cell, int | float), cell
    return cell


def count_of(told: Cell) -> int:
    """What the numbers of “学时不足 2、目录无课 1” come to."""
    return sum(int(part.rpartition(" ")[2]) for part in str(told).split("、") if part)


WRITING, SPEECH = gap("写材料", 1.0), gap("讲话", 0.6)
RULES_OF_PARTY = gap("不懂党纪", 0.8, "党性")
STARS = gap("观星", 0.7, "观星")
TOURING = gap("没去过一线", 0.9, "理论")
VAGUE = gap("素质", 0.5, None)
DUTY = Gap("写材料", "写作", Reason.DUTY, None, "岗位要求", 0.4)

OFFICE_COURSES = [
    course(0, title="公文写作与处理实务", hours=2.0, mode="线下讲授", provider="市委党校", year=2025),
    course(1, title="公文写作与处理实务（2）", hours=2.0, mode="网络课程", provider="干部网院", year=2026),
    course(2, "党性", title="党纪十讲", mode="网络课程", provider="干部网院"),
    course(3, "理论", title="一线见学", hours=3.0, mode="现场教学", year=2026),
    course(4, title="讲话第一讲", hours=None, series="讲话", mode="线下讲授"),
    course(5, title="讲话第二讲", hours=1.0, series="讲话", mode="线下讲授"),
]
OFFICE_REACH = {
    "写材料": {"c0": 0.9, "c1": 0.6},
    "讲话": {"c4": 0.8, "c5": 0.7},
    "不懂党纪": {"c2": 0.9},
    "没去过一线": {"c3": 0.9},
    "观星": {},
    "素质": {},
}


def office() -> list[Needs]:
    """Six people: P3 without name, unit and level; P4 without gaps; P5 kept away from the field; P6 who knows the writing course."""
    return [
        needs("P1", WRITING, SPEECH, DUTY, name="王三", unit="甲局", post="局长", level=40),
        needs("P2", WRITING, TOURING, name="李二", unit="甲局", level=20, hours_available=2.0),
        needs("P3", STARS, SPEECH, VAGUE),
        needs("P4", name="赵四", unit="乙局", level=20),
        needs("P5", TOURING, name="孙五", unit="乙局", level=20, restrictions=frozenset({Restriction.NOT_OFF_POST})),
        needs("P6", RULES_OF_PARTY, WRITING, name="周六", unit="丙局", level=40, completed=["c0"]),
    ]


def office_demand() -> Demand:
    return cohort(office(), OFFICE_COURSES, OFFICE_REACH)


def _course(chance: Random, place: int, twins: bool, series: bool) -> Course:
    more: dict[str, object] = {}
    if twins and place < 2:
        more = {"title": "公文写作与处理实务" + "（2）" * place, "provider": f"第{place}家"}
    return course(
        place,
        chance.choice(["写作", "理论", "党性"]) if place > 1 else "写作",
        chance.choice([None, 0.5, 1.0, 2.0]),
        seats=chance.choice([None, None, 2]),
        year=chance.choice([None, 2025, 2026]),
        series="一个系列" if series and place > 2 else "",
        # The parts of a series are taught in one way.
        mode="网络课程" if series and place > 2 else chance.choice(["", "网络课程", "线下讲授", "现场教学"]),
        levels=chance.choice([frozenset(), frozenset(), frozenset({20})]),
        **more,
    )


def _needs(chance: Random, place: int, ids: list[str], texts: list[str]) -> Needs:
    own = [
        gap(text, chance.choice([0.3, 0.36, 0.72, 1.0]), chance.choice(["写作", "党性", None]))
        for text in chance.sample(texts, chance.randint(0, min(4, len(texts))))
    ]
    duties = [replace(one, reason=Reason.DUTY, source="岗位要求") for one in own if chance.random() < 0.2]
    return needs(
        f"P{place}",
        *own,
        *duties,
        name=chance.choice([None, f"姓名{place}"]),
        unit=chance.choice([None, "甲局", "乙局", "丙局"]),
        level=chance.choice([None, 20, 40]),
        completed=chance.sample(ids, chance.choice([0, 0, 1])),
        hours_available=chance.choice([None, None, 1.0]),
        restrictions=frozenset({chance.choice(list(Restriction))} if chance.random() < 0.3 else ()),
    )


def _later(chance: Random, own: Needs, before: Filed, stated: list[Gap]) -> Needs:
    """The same person on the next roster: some of what was arranged is learnt, some gaps are gone, some are new."""
    arranged = {fate.course for (person, *_), fate in before.fates.items() if person == own.profile.id and fate.course}
    learnt = frozenset(one for one in sorted(arranged) if chance.random() < 0.6)
    kept = [one for one in own.gaps if chance.random() < 0.7]
    new = [one for one in stated if chance.random() < 0.2]
    # A roster states a gap once; what tells it from others is why it is to be closed, and its text.
    gaps = tuple({(one.reason, one.text): one for one in (*new, *kept)}.values())
    return replace(own, completed=own.completed | learnt, gaps=gaps, unclear=(False,) * len(gaps))


def kept_of(found: Filing) -> Filed:
    """A plan as it is kept."""
    plan, certificate = found.plan, found.plan.certificate
    held = tuple((one.courses[0].id, one.title, one.hours, one.closes) for one in plan.sessions)
    missed = frozenset(key_of(one.person, one.gap) for one in plan.missed)
    closed = frozenset(key_of(one.person, one.gap) for one in plan.closed)
    people = known_by(own.profile for own in found.demand.people)
    return Filed(
        plan.kind, certificate.objective, certificate.bound, held, found.fates, closed, missed, people, plan.origin, plan.inputs_hash
    )  # fmt: skip


def _made(chance: Random) -> Filing:
    twins, series = chance.random() < 0.5, chance.random() < 0.3
    courses = [_course(chance, place, twins, series) for place in range(chance.randint(1, 6))]
    ids = [one.id for one in courses]
    texts = [f"t{place}" for place in range(chance.choice([1, 4, 30]))]
    reach = {
        text: {one: chance.choice([0.5, 0.7, 0.9]) for one in chance.sample(ids, chance.randint(0, min(2, len(ids))))}
        for text in texts
    }
    people = [_needs(chance, place, ids, texts) for place in range(chance.randint(2, 7))]
    stated = list(dict.fromkeys(one for own in people for one in own.gaps))
    hours = chance.choice([2.0, 4.0, 8.0])
    before = None
    for _ in range(chance.choice([0, 1, 2, 3])):
        before = kept_of(filed(cohort(people, courses, reach), ClassRules("专题班", hours, fit=0.0), None, before))
        people = [_later(chance, own, before, stated) for own in people]
    kind = chance.choice(["class", "class", "split", "menu"])
    rules: ClassRules | MenuRules = ClassRules("专题班", hours, fit=0.0)
    if kind == "menu":
        rules = MenuRules(hours, seats=chance.randint(1, 4), repeats=chance.choice([1, 2]))
    split = SplitRules(2, 1, len(people)) if kind == "split" else None
    return filed(cohort(people, courses, reach), rules, split, before, deadline="2026年12月底前", year=2026)


@cache
def filing(seed: int) -> Filing:
    """By chance rather than drawn part by part: the simplest worlds, which are drawn most, ask for nothing."""
    for again in range(100):
        try:
            return _made(Random(1000 * seed + again))
        except Impossible:
            continue
    raise AssertionError("no world of this seed has a plan")


FILINGS = st.integers(0, 149).map(filing)
