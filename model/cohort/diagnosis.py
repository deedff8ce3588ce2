"""Needs of many people -> who lacks what, before anything is planned: heat maps, common and individual needs, where the evidence comes from.

Everything is counted from one list of people and their gaps, so that the sums of the maps, the needs and the sources are the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from model.cohort.filing import NO_UNIT
from model.cohort.need_reports import LEVEL_UNKNOWN, MOST_COLUMNS, MOST_QUOTED, REST
from model.domain import Cause, Gap, Reason
from model.lexicon import Lexicon
from model.reports import need_of
from model.selection import Needs, Reach, Selector, out_of_reach

COMMON_SHARE = (
    0.2  # From which share of the people on a need counts as 共性; a setting of the question, not of the world.
)
COMMON_PEOPLE = 3  # Fewer people make no common need, however small the roster.


class Told(NamedTuple):
    """One gap of one person; ``cause`` says why no course would close it, None where one would."""

    gap: Gap
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person and what they lack; ``level`` is its name, blank where it is not known."""

    id: str
    name: str
    unit: str
    post: str
    level: str
    gaps: tuple[Told, ...]

    @property
    def states_nothing(self) -> bool:
        """Whether nobody has said what they lack: what is known comes from the post at most."""
        return all(told.gap.reason is Reason.DUTY for told in self.gaps)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a heat map: the people of a unit or level, all their gaps, and the gaps by column."""

    name: str
    people: int
    total: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """Gaps by unit or level (rows) and competency (columns), the most frequent first; the last column may be all others together."""

    axis: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """What several people lack, counted by people: how many, what share of all, in how many units, how many of them some course would serve.

    ``common``: a 共性需求, to be taught to many together. ``step`` is what could be done about it, ``texts`` are quoted.
    """

    need: str
    people: int
    share: float
    units: int
    served: int
    lacks: int
    duties: int
    common: bool
    step: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where evidence comes from (本人自评, 组织评价, 测试, 岗位要求, 推断): its gaps, and the people it is about."""

    source: str
    gaps: int
    people: int


def diagnosed(needs: Sequence[Needs], reach: Mapping[str, Reach], selector: Selector, lexicon: Lexicon) -> list[Person]:
    """Each person with their gaps, in the order given; of each gap whether anything the person may attend would close it."""
    return [_person(own, reach, selector, lexicon) for own in needs]


def _person(own: Needs, reach: Mapping[str, Reach], selector: Selector, lexicon: Lexicon) -> Person:
    removed, told = selector.removed(own), []
    for gap, unclear in zip(own.gaps, own.unclear, strict=True):
        told.append(Told(gap, out_of_reach(gap, reach[gap.text], unclear, selector.removed_for(gap, own, removed))))
    profile = own.profile
    level = "" if profile.level is None else lexicon.level_names.get(profile.level, "")
    return Person(profile.id, profile.name or "", profile.unit or "", profile.post or "", level, tuple(told))


def heat_map(people: Iterable[Person], axis: str) -> Map:
    """Gaps by 单位 or 层级 and competency; the sum over all cells is the number of gaps."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    there: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    place = place_of(axis)
    for person in people:
        needs = [need_of(told.gap) for told in person.gaps]
        row = place(person)
        there[row] += 1
        counts[row].update(needs)
        everywhere.update(needs)
    columns = sorted(everywhere, key=lambda need: (-everywhere[need], need))
    shown, more = columns[:MOST_COLUMNS], len(columns) > MOST_COLUMNS
    rows = []
    for name, mine in counts.items():
        total, seen = mine.total(), tuple(mine[need] for need in shown)
        rows.append(Row(name, there[name], total, (*seen, total - sum(seen)) if more else seen))
    rows.sort(key=lambda row: (-row.total, row.name))
    return Map(axis, (*shown, REST) if more else tuple(shown), tuple(rows))


def place_of(axis: str) -> Callable[[Person], str]:
    """The row of a heat map that somebody is counted in."""
    if axis == "单位":
        return lambda person: person.unit or NO_UNIT
    return lambda person: person.level or LEVEL_UNKNOWN


def needs_of(people: Sequence[Person], share: float = COMMON_SHARE) -> list[Need]:
    """What is lacked, by the number of people. From ``share`` (0 to 1) of the people on, and from three of them, a need is common (共性)."""
    told: dict[str, list[tuple[Person, Told]]] = defaultdict(list)
    for person in people:
        for one in person.gaps:
            told[need_of(one.gap)].append((person, one))
    found = [_need(need, lines, len(people), share) for need, lines in told.items()]
    return sorted(found, key=lambda need: (-need.people, need.need))


def _need(need: str, lines: Sequence[tuple[Person, Told]], everybody: int, share: float) -> Need:
    lacking = {person.id for person, _ in lines}
    served = {person.id for person, one in lines if one.cause is None}
    by_reason = Counter(one.gap.reason for _, one in lines)
    texts = Counter(one.gap.text for _, one in lines if one.gap.reason is Reason.LACK)
    common = is_common(len(lacking), everybody, share)
    return Need(
        need,
        len(lacking),
        round(len(lacking) / everybody, 4),
        len({person.unit for person, _ in lines if person.unit}),
        len(served),
        by_reason[Reason.LACK],
        by_reason[Reason.DUTY],
        common,
        step_of([one for _, one in lines], common=common),
        tuple(sorted(texts, key=lambda text: (-texts[text], text))[:MOST_QUOTED]),
    )


def is_common(people: int, everybody: int, share: float = COMMON_SHARE) -> bool:
    """Whether so many of everybody make a 共性需求."""
    return people >= max(COMMON_PEOPLE, share * everybody)


def step_of(told: Sequence[Told], *, common: bool) -> str:
    """What could be done about gaps of one need: what stands in the way decides, else whether many share it."""
    causes = Counter(one.cause for one in told)
    cause, count = causes.most_common(1)[0]
    if cause is not None and 2 * count > len(told):
        return _WITHOUT.get(cause, "目录里有课，但不适合这些人的层级、岗位或时间；可放宽条件或另行安排。")
    if common:
        return "共性需求，建议排入班次集中培训。"
    return "个性需求，建议菜单选学或结对帮带。"


_WITHOUT = {
    Cause.NO_COURSE: "目录里没有对应的课程，建议列入缺课清单、委托开发。",
    Cause.UNCLEAR: "写得笼统，建议请本人写明具体短板后再排课。",
    Cause.COMPLETED: "对应的课程都已学过，建议先核实是否已补上。",
    Cause.LEVEL: "现有课程是给其他层级开的，建议放宽层级或另开班次。",
}


def sources_of(people: Iterable[Person]) -> list[Source]:
    """Where the evidence comes from, the most frequent first."""
    gaps: Counter[str] = Counter()
    about: dict[str, set[str]] = defaultdict(set)
    for person in people:
        for told in person.gaps:
            gaps[told.gap.source] += 1
            about[told.gap.source].add(person.id)
    return [
        Source(source, gaps[source], len(about[source]))
        for source in sorted(gaps, key=lambda source: (-gaps[source], source))
    ]
