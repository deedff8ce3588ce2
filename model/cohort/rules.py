"""What a planner may ask of a class (班次), and the rules that kinds of classes bring with them.

Sources: domain rules C1, C2 (shares of 主体班, 《中共中央关于加强和改进新形势下党校工作的意见》, seen in force for 2015–2022) and C6 (a month or more: 专门教学单元;
less: 专门教学模块; 专题研讨班: 专门课程); 以巡代训 in 中青班 is one city's practice. How many courses make a unit or a module no rule says: three and two
are proposals of the house. Every rule can be set otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from model.errors import InputError

THEORY, PARTY = "理论教育", "党性教育"
MONTH_DAYS = 20  # Teaching days of a class of one month.
UNIT, MODULE, COURSE = 3, 2, 1  # Courses of 党的创新理论 that make a 专门教学单元, a 专门教学模块, a 专门课程.


@dataclass(frozen=True, slots=True)
class Share:
    """At least this share (0 to 1) of the hours for these branches together."""

    branches: tuple[str, ...]
    least: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What a class may cost (元): so much an hour taught (讲课费), so much a person and day (综合定额)."""

    total: float
    hour: float
    person_day: float
    hours_per_day: float

    def of_hour(self, people: int) -> float:
        """What an hour costs with so many people."""
        return self.hour + people * self.person_day / self.hours_per_day


@dataclass(frozen=True, slots=True)
class ClassRules:
    """What is asked of a class. Hours are 学时, shares 0 to 1.

    ``theory`` counts courses of 党的创新理论, ``practice`` those taught by doing; ``pinned`` are ids of courses that must be held, ``excluded``
    of those that must not; one of the words in ``modes`` must stand in a course's way of teaching (none: any way); ``fit`` is the share of the
    people whom a course's audience must include; ``alike`` tells whether near-duplicates may be held beside each other.
    """

    kind: str
    hours: float
    shares: tuple[Share, ...] = ()
    theory: int = 0
    practice: int = 0
    pinned: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    modes: tuple[str, ...] = ()
    most_courses: int | None = None
    budget: Budget | None = None
    fit: float = 0.5
    alike: bool = False


MAIN_SHARES = (Share((THEORY, PARTY), 0.7), Share((PARTY,), 0.2))
CLASS_TYPES = {
    "主体班": "理论教育＋党性教育不低于 70%，党性教育不低于 20%，并按学制安排党的创新理论教学单元或模块",
    "中青班": "同主体班，另至少一门实践教学",
    "任职班": "按学制安排党的创新理论教学单元或模块",
    "专题班": "按学制安排党的创新理论教学单元或模块",
    "研讨班": "至少一门党的创新理论专门课程",
    "网络班": "不附加规则",
}


def preset(kind: str, hours: float, hours_per_day: float) -> ClassRules:
    """The rules a kind of class brings with it; raises InputError for a kind nobody knows."""
    if kind not in CLASS_TYPES:
        raise InputError(f"不认识班次类型“{kind}”（--type）。可用的类型：{'、'.join(CLASS_TYPES)}。")
    by_length = UNIT if hours >= MONTH_DAYS * hours_per_day else MODULE
    theory = {"研讨班": COURSE, "网络班": 0}.get(kind, by_length)
    shares = MAIN_SHARES if kind in {"主体班", "中青班"} else ()
    return ClassRules(kind, hours, shares, theory, practice=int(kind == "中青班"))


@dataclass(frozen=True, slots=True)
class MenuRules:
    """What is asked of a menu (菜单选学). ``hours`` (学时) is the most that anybody attends; fewer where a person states fewer.

    At most ``most_sessions`` are held (none: any number), each with ``seats`` unless its course states its own and at least ``least`` people; one course
    is held at most ``repeats`` times (平行班). ``offered`` are the ids of the courses on the menu (none: the whole catalog, but of near-duplicates one),
    ``pinned`` of those that must be held, ``excluded`` of those that must not. With ``nobody_left`` as many people as can be attend at least one
    session that closes something for them; ``floor`` is the share (0 to 1) of those people that must in each unit, ``level_floor`` in each level.
    """

    hours: float
    seats: int = 50
    least: int = 1
    most_sessions: int | None = None
    repeats: int = 1
    offered: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    modes: tuple[str, ...] = ()
    nobody_left: bool = True
    floor: float = 0.0
    level_floor: float = 0.0


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How a cohort is split into classes (分班): how many, of at least ``least`` and at most ``most`` people each, whose levels are at
    most ``span`` ranks apart (乡科级副职 and 乡科级正职: one rank; None: two, or as few more as it takes to place everybody)."""

    classes: int
    least: int
    most: int
    span: int | None = None


def even_split(people: int, classes: int) -> SplitRules:
    """Classes of about the same size: none below half of an even share, none above a fifth more than it."""
    share = people / classes
    return SplitRules(classes, max(1, int(share / 2)), ceil(share * 1.2))
