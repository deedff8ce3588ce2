"""Eligible? -> rank -> cut, for one person, in this order and only here.

A course serves a gap where its relevance reaches the accepted level; only such courses are candidates. Courses are chosen so that every
gap that can be served is served once before any gap is served again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from model.domain import Candidate, Catalog, Cause, Course, Gap, Limits, Part, Profile, Restriction, Unmet

# Ways of teaching that need nobody to leave the post or to travel; a mode that is not stated (an online list) is one of them.
AT_HOME = ("网络", "网上", "线上", "直播", "自主学习", "自学", "送学上门", "送课上门", "在线")
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

Reach = Mapping[int, float]


@dataclass(frozen=True)
class Selected:
    """What selection decided for one person. ``removed`` counts courses by the first rule that took each away."""

    required: tuple[Candidate, ...]
    ranked: tuple[Candidate, ...]
    unmet: tuple[Unmet, ...]
    removed: dict[str, int]


def bars(mode: str, restrictions: frozenset[Restriction]) -> bool:
    """Tell whether a way of teaching is out of the question for somebody with these restrictions."""
    if not mode or not restrictions:
        return False
    if Restriction.ONLINE_ONLY in restrictions and not any(word in mode for word in ON_SCREEN):
        return True
    stays = restrictions & {Restriction.NOT_OFF_POST, Restriction.LIMITED_MOBILITY}
    if stays and not any(word in mode for word in AT_HOME):
        return True
    return Restriction.NO_TRAVEL in restrictions and any(word in mode for word in TRAVELLING)


@dataclass(frozen=True)
class _Person:
    """What the rules look at besides the completed courses; people share it, so its answers are remembered."""

    level: int | None
    family: str | None
    restrictions: frozenset[Restriction]


class Selector:
    """Selects from one catalog; remembers which courses each kind of person may not attend."""

    def __init__(self, catalog: Catalog, limits: Limits) -> None:
        self.catalog, self.limits = catalog, limits
        self.barred = lru_cache(maxsize=4096)(self._barred)
        self.required = [row for row, course in enumerate(catalog) if course.required]

    def select(
        self,
        profile: Profile,
        family: str | None,
        completed: frozenset[str],
        gaps: Sequence[Gap],
        reached: Sequence[Reach],
        unclear: Sequence[bool],
    ) -> Selected:
        """Choose for one person. ``reached[i]`` are the courses (row -> relevance) that serve ``gaps[i]``."""
        removed = dict(self.barred(_Person(profile.level, family, profile.restrictions)))
        for identity in completed:
            if identity in self.catalog.row_of:
                removed[self.catalog.row_of[identity]] = "已学过"
        counts = dict.fromkeys(RULES, 0)
        for rule in removed.values():
            counts[rule] += 1

        parts: dict[int, list[Part]] = {}
        for gap, rows in zip(gaps, reached, strict=True):
            for row, relevance in rows.items():
                if row not in removed:
                    parts.setdefault(row, []).append(Part(gap, relevance))
        required_rows = [row for row in self.required if row not in removed]
        required = tuple(self._candidate(row, parts) for row in required_rows)
        candidates = {row: self._candidate(row, parts) for row in parts if row not in set(required_rows)}
        served = {part.gap for candidate in required for part in candidate.parts}
        ranked = choose(tuple(candidates.values()), served, self.limits.top, profile.hours_available)
        served |= {part.gap for candidate in ranked for part in candidate.parts}

        unmet = []
        for gap, rows, dim in zip(gaps, reached, unclear, strict=True):
            cause = None if gap in served else self._cause(gap, rows, dim, removed, ranked, profile.hours_available)
            if cause:
                unmet.append(Unmet(gap, cause))
        return Selected(required, ranked, tuple(unmet), {rule: count for rule, count in counts.items() if count})

    def _candidate(self, row: int, parts: Mapping[int, Sequence[Part]]) -> Candidate:
        return Candidate(self.catalog.courses[row], tuple(parts.get(row, ())))

    def _barred(self, person: _Person) -> dict[int, str]:
        """The rows a kind of person may not attend, each with the first rule that says so."""
        barred = {}
        for row, course in enumerate(self.catalog):
            rule = self._rule_against(course, person)
            if rule:
                barred[row] = rule
        return barred

    def _rule_against(self, course: Course, person: _Person) -> str | None:
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
        if not rows:
            return Cause.UNCLEAR if unclear or gap.competency is None else Cause.NO_COURSE
        eligible = [row for row in rows if row not in removed]
        if not eligible:
            best = max(rows, key=lambda row: (rows[row], self.catalog.courses[row].id))
            return RULES[removed[best]]
        left = _hours_left(ranked, hours_available)
        if all((self.catalog.courses[row].hours or 0.0) > left for row in eligible):
            return Cause.HOURS
        return None


def choose(
    candidates: Sequence[Candidate], served: set[Gap], top: int, hours_available: float | None
) -> tuple[Candidate, ...]:
    """Choose at most ``top`` candidates within the hours, best first.

    Each step takes the course that gives most to gaps not served yet; of equals the shorter, then the smaller id. Once every gap
    that can be served is served, the next round serves them a second time.
    """
    left = sorted(candidates, key=lambda candidate: candidate.course.id)
    chosen: list[Candidate] = []
    served = set(served)
    fresh = True
    while len(chosen) < top:
        hours = _hours_left(chosen, hours_available)
        best: tuple[tuple[float, float, float], Candidate] | None = None
        for candidate in left:
            length = candidate.course.hours or 0.0
            gain = sum(part.value for part in candidate.parts if part.gap not in served)
            if gain > 0 and length <= hours:
                key = (gain, candidate.score, -length)
                if best is None or key > best[0]:
                    best = (key, candidate)
        if best is None:
            if not fresh:
                break
            served, fresh = set(), False
            continue
        fresh = True
        chosen.append(best[1])
        left.remove(best[1])
        served |= {part.gap for part in best[1].parts}
    return tuple(sorted(chosen, key=lambda candidate: (-candidate.score, candidate.course.id)))


def _hours_left(chosen: Sequence[Candidate], hours_available: float | None) -> float:
    if hours_available is None:
        return float("inf")
    return hours_available - sum(candidate.course.hours or 0.0 for candidate in chosen)
