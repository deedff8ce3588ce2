"""Eligible? -> rank -> cut, for one person, in this order and only here.

A course serves a gap where its relevance reaches the accepted level; only such courses are candidates. Courses are chosen so that every
gap that can be served is served once before any gap is served again without need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Self

from model.domain import Candidate, Catalog, Cause, Course, Gap, Limits, Part, Profile, Restriction, Unmet
from model.overrides import Barred

# Ways of teaching that need nobody to leave the post or to travel; a mode that is not stated (an online list) is one of them.
AT_HOME = ("网络", "网上", "线上", "直播", "自主学习", "自学", "送学上门", "送课上门", "在线")
# Besides those, what happens in the own unit or beside the work keeps nobody from the post.
ON_POST = (*AT_HOME, "不脱产", "在职", "在岗", "支部学习", "中心组学习")
ON_SCREEN = ("网络", "网上", "线上", "直播", "在线")
TRAVELLING = ("异地", "现场", "跟班", "挂职", "巡代训", "实践", "考察", "体验")

RULES = {
    "已学过": Cause.COMPLETED,
    "被排除": Cause.EXCLUDED,
    "名额已满": Cause.SEATS,
    "层级不符": Cause.LEVEL,
    "岗位不符": Cause.EXCLUDED,
    "方式不便": Cause.EXCLUDED,
}


class Reached(NamedTuple):
    """How surely a course serves a gap (0 to 1), and the kind of evidence that says so most."""

    relevance: float
    evidence: str = ""


Reach = Mapping[int, Reached]


@dataclass(frozen=True, slots=True)
class Needs:
    """What one person lacks and brings: the post family, the ids of completed courses, the gaps, and which of them are too vague
    to be served. ``barred`` are the courses that were rejected for the person, ``rejected`` those that were for the words of a gap; ``said`` are the
    numbers of what was said of words and courses and bears on these gaps."""

    profile: Profile
    family: str | None
    completed: frozenset[str]
    gaps: tuple[Gap, ...]
    unclear: tuple[bool, ...]
    barred: Barred = field(default_factory=dict)
    rejected: Mapping[Gap, Barred] = field(default_factory=dict)
    said: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Selected:
    """What selection decided for one person. ``removed`` counts courses by the first rule that took each away; ``overridden`` are the
    numbers of the rejections and sayings that took part."""

    required: tuple[Candidate, ...]
    ranked: tuple[Candidate, ...]
    unmet: tuple[Unmet, ...]
    removed: dict[str, int]
    overridden: frozenset[int] = frozenset()


def bars(mode: str, restrictions: frozenset[Restriction]) -> bool:
    """Tell whether a way of teaching is out of the question for somebody with these restrictions."""
    if not mode or not restrictions:
        return False
    needed = {
        Restriction.ONLINE_ONLY: ON_SCREEN,
        Restriction.NOT_OFF_POST: ON_POST,
        Restriction.LIMITED_MOBILITY: AT_HOME,
    }
    if any(rule in restrictions and not any(word in mode for word in words) for rule, words in needed.items()):
        return True
    return Restriction.NO_TRAVEL in restrictions and any(word in mode for word in TRAVELLING)


@dataclass(frozen=True)
class Kind:
    """What the rules look at besides the completed courses; people share it, so its answers are remembered."""

    level: int | None
    family: str | None
    restrictions: frozenset[Restriction]

    @classmethod
    def of(cls, needs: Needs) -> Self:
        """The kind of a person."""
        return cls(needs.profile.level, needs.family, needs.profile.restrictions)


class Selector:
    """Selects from one catalog; remembers which courses each kind of person may not attend."""

    def __init__(self, catalog: Catalog, limits: Limits) -> None:
        self.catalog, self.limits = catalog, limits
        self.barred = lru_cache(maxsize=4096)(self._barred)
        self.required = [row for row, course in enumerate(catalog) if course.required]

    def removed(self, needs: Needs) -> dict[int, str]:
        """The rows that are out for a person, each with the first rule that says so."""
        removed = dict(self.barred(Kind.of(needs)))
        removed |= dict.fromkeys(self.rows_of(needs.barred), "被排除")
        removed |= dict.fromkeys(self.rows_of(needs.completed), "已学过")
        return removed

    def removed_for(self, gap: Gap, needs: Needs, removed: Mapping[int, str]) -> Mapping[int, str]:
        """The rows that are out for one gap of a person: those out for the person (``removed``) and those rejected for the words of the gap."""
        rejected = needs.rejected.get(gap)
        return {**dict.fromkeys(self.rows_of(rejected), "被排除"), **removed} if rejected else removed

    def rows_of(self, courses: Iterable[str]) -> list[int]:
        """The rows of those courses that the catalog has."""
        return [self.catalog.row_of[course] for course in courses if course in self.catalog.row_of]

    def overridden(
        self, needs: Needs, reached: Sequence[Reach], rows_with: Callable[[int], Iterable[int]] = lambda row: (row,)
    ) -> frozenset[int]:
        """The numbers of the rejections that alone keep from a person a course that is required or would serve a gap. ``rows_with`` tells
        what is offered together with a row."""
        if not needs.barred and not needs.rejected:
            return frozenset()
        others = {*self.barred(Kind.of(needs)), *self.rows_of(needs.completed)}
        wanted = {row for row in self.required if self._surely_for(row, needs)}
        found = set()
        for barred, useful in [
            (needs.barred, wanted.union(*reached)),
            *((needs.rejected.get(gap, {}), rows.keys()) for gap, rows in zip(needs.gaps, reached, strict=True)),
        ]:
            for course, number in barred.items():
                row = self.catalog.row_of.get(course)
                if row is not None and row not in others and not useful.isdisjoint(rows_with(row)):
                    found.add(number)
        return frozenset(found)

    def select(self, needs: Needs, reached: Sequence[Reach]) -> Selected:
        """Choose for one person. ``reached[i]`` are the courses (by row) that serve ``needs.gaps[i]``."""
        profile, gaps = needs.profile, needs.gaps
        removed = self.removed(needs)
        counts = dict.fromkeys(RULES, 0)
        for rule in removed.values():
            counts[rule] += 1

        parts: dict[int, list[Part]] = {}
        out = [self.removed_for(gap, needs, removed) for gap in gaps]
        for gap, rows, barred in zip(gaps, reached, out, strict=True):
            for row, reached_by in rows.items():
                if row not in barred:
                    parts.setdefault(row, []).append(Part(gap, *reached_by))
        pinned = [row for row in self.required if row not in removed and self._surely_for(row, needs)]
        required = tuple(self._candidate(row, parts) for row in pinned)
        candidates = [self._candidate(row, parts) for row in parts if row not in set(pinned)]
        served = {part.gap for candidate in required for part in candidate.parts}
        ranked = choose(candidates, served, self.limits.top, profile.hours_available)
        served |= {part.gap for candidate in ranked for part in candidate.parts}

        unmet = []
        for gap, rows, dim, barred in zip(gaps, reached, needs.unclear, out, strict=True):
            cause = None if gap in served else self._cause(gap, rows, dim, barred, ranked, profile.hours_available)
            if cause:
                unmet.append(Unmet(gap, cause))
        told = {rule: count for rule, count in counts.items() if count}
        return Selected(required, ranked, tuple(unmet), told, self.overridden(needs, reached) | needs.said)

    def _surely_for(self, row: int, needs: Needs) -> bool:
        """A course required of some levels or posts is pinned only for people whose level and post are known."""
        course = self.catalog.courses[row]
        return not (course.levels and needs.profile.level is None) and not (course.posts and needs.family is None)

    def _candidate(self, row: int, parts: Mapping[int, Sequence[Part]]) -> Candidate:
        return Candidate(self.catalog.courses[row], tuple(parts.get(row, ())))

    def _barred(self, person: Kind) -> dict[int, str]:
        """The rows a kind of person may not attend, each with the first rule that says so."""
        barred = {}
        for row, course in enumerate(self.catalog):
            rule = self._rule_against(course, person)
            if rule:
                barred[row] = rule
        return barred

    def _rule_against(self, course: Course, person: Kind) -> str | None:
        if course.id in self.limits.excluded:
            return "被排除"
        if course.seats == 0:
            return "名额已满"
        # One step of the level window is one rank (乡科级副职 to 乡科级正职), ten in codes.
        window = 10 * self.limits.level_window
        if (
            person.level is not None
            and course.levels
            and min(abs(person.level - level) for level in course.levels) > window
        ):
            return "层级不符"
        if course.posts and person.family is not None and person.family not in course.posts:
            return "岗位不符"
        return "方式不便" if bars(course.mode, person.restrictions) else None

    def _cause(
        self,
        gap: Gap,
        rows: Reach,
        unclear: bool,
        removed: Mapping[int, str],
        ranked: Sequence[Candidate],
        hours_available: float | None,
    ) -> Cause | None:
        """Why a gap stays open; None where a course would serve it and only the number of courses asked for was too small."""
        hopeless = out_of_reach(gap, rows, unclear, removed)
        if hopeless:
            return hopeless
        left = _hours_left(ranked, hours_available)
        if all((self.catalog.courses[row].hours or 0.0) > left for row in rows if row not in removed):
            return Cause.HOURS
        return None


def out_of_reach(gap: Gap, rows: Reach, unclear: bool, removed: Mapping[int, str]) -> Cause | None:
    """Why no course of the catalog can serve a gap of this person; None where one can. ``rows`` are the courses that serve it,
    ``removed`` those that are out for the person."""
    if not rows:
        return Cause.UNCLEAR if unclear or gap.competency is None else Cause.NO_COURSE
    if all(row in removed for row in rows):
        best = min(rows, key=lambda row: (-rows[row].relevance, row))
        return RULES[removed[best]]
    return None


@dataclass(frozen=True, slots=True)
class _Offer:
    """A candidate as choosing looks at it: its gaps as bits, what it gives to each in ten-thousandths (so that equal sums are equal)."""

    candidate: Candidate
    score: int
    length: float
    gaps: int
    gifts: tuple[tuple[int, int], ...]

    def gift_to(self, wanted: int) -> int:
        """What it gives to the gaps among ``wanted``."""
        among = self.gaps & wanted
        if among == self.gaps:
            return self.score
        return sum(gift for gap, gift in self.gifts if gap & wanted) if among else 0


def choose(
    candidates: Sequence[Candidate], served: set[Gap], top: int, hours_available: float | None
) -> tuple[Candidate, ...]:
    """Choose at most ``top`` candidates within the hours, best first.

    While a gap is open and a course for it fits the hours, the next course serves an open gap, and serves no gap a second time
    unless every such course does. Among these it is the one that gives most to open gaps; of equals the one that gives most in
    all, the shorter, the one with the smaller id. Once no open gap can be served, the next round opens all of them again.
    """
    gaps = {part.gap for candidate in candidates for part in candidate.parts}
    bits = {gap: 1 << number for number, gap in enumerate(gaps)}
    every = (1 << len(bits)) - 1
    left = [_offer(candidate, bits) for candidate in sorted(candidates, key=lambda candidate: candidate.course.id)]
    chosen: list[Candidate] = []
    wanted = every & ~sum(bits[gap] for gap in gaps & served)
    first, fresh = True, True
    while len(chosen) < top:
        hours = _hours_left(chosen, hours_available)
        fitting = [(gift, offer) for offer in left if offer.length <= hours and (gift := offer.gift_to(wanted)) > 0]
        if fitting:
            served_before = every & ~wanted if first else 0
            # The first of equals, for the offers stand in the order of their ids.
            keys = [(not offer.gaps & served_before, gift, offer.score, -offer.length) for gift, offer in fitting]
            best = fitting[keys.index(max(keys))][1]
            chosen.append(best.candidate)
            left = [offer for offer in left if offer is not best]
            wanted &= ~best.gaps
            fresh = True
        elif fresh:
            wanted, first, fresh = every, False, False
        else:
            break
    return tuple(sorted(chosen, key=lambda candidate: (-candidate.score, candidate.course.id)))


def _offer(candidate: Candidate, bits: Mapping[Gap, int]) -> _Offer:
    gifts = tuple((bits[part.gap], round(part.value * 10_000)) for part in candidate.parts)
    score = sum(gift for _, gift in gifts)
    return _Offer(candidate, score, candidate.course.hours or 0.0, sum(gap for gap, _ in gifts), gifts)


def _hours_left(chosen: Sequence[Candidate], hours_available: float | None) -> float:
    if hours_available is None:
        return float("inf")
    # Rounded, because three courses of 0.67 hours fit into 2.01 hours, but not in binary.
    return round(hours_available - sum(candidate.course.hours or 0.0 for candidate in chosen), 6)
