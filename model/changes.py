"""Catalog x catalog -> what has changed from the one to the other, and what a planner should know of the new one before it is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from model.domain import Catalog, Course
from model.series import joined
from model.titles import ALIKE, alike, part_of, plain_title

RENAMED = 80  # rapidfuzz ratio (0 to 100) from which a title that came is taken for one that went.

# What is told in a list of its own; the source is no matter of the course.
_TOLD = {"id", "title", "category", "hours", "source"}
OTHERS = tuple(one.name for one in fields(Course) if one.name not in _TOLD)


class Pair(NamedTuple):
    """A course before and after. ``alike`` (0 to 100) is how alike their titles are."""

    before: Course
    after: Course
    alike: float = 100.0


class Freshness(NamedTuple):
    """更新率: the share of courses first offered in ``year`` among those offered in it. ``rate`` (0 to 1) is None where ``reason`` tells why;
    ``unstated`` courses tell no year and count as older."""

    year: int | None
    new: int
    total: int
    unstated: int
    rate: float | None
    reason: str


@dataclass(frozen=True)
class Changes:
    """What has changed. Every course before is unchanged, changed or removed; every course after is unchanged, changed or added.

    ``renamed`` are courses of one id with another title, and pairs of a removed and an added course with titles alike; ``renumbered`` are such pairs
    of one title. The latter two count as neither removed nor added.
    ``others`` counts the other fields that changed. ``duplicates`` (of two lists or providers) and ``series`` (made out by their parts) are of the
    new catalog.
    """

    before: int
    after: int
    unchanged: int
    changed: int
    added: tuple[Course, ...]
    removed: tuple[Course, ...]
    renamed: tuple[Pair, ...]
    renumbered: tuple[Pair, ...]
    recategorised: tuple[Pair, ...]
    retimed: tuple[Pair, ...]
    others: dict[str, int]
    duplicates: tuple[Pair, ...]
    series: tuple[tuple[Course, ...], ...]
    freshness: Freshness


def compare(before: Catalog, after: Catalog, year: int | None = None) -> Changes:
    """Compare two catalogs; ``year`` is the one that 更新率 is asked for, the greatest one stated unless told."""
    old, new = ({course.id: course for course in catalog} for catalog in (before, after))
    same = [Pair(old[identity], new[identity]) for identity in old if identity in new]
    gone = [course for course in before if course.id not in new]
    come = [course for course in after if course.id not in old]
    matched = _matched(gone, come)
    gone_on = [*same, *matched]
    left, found = {pair.before.id for pair in matched}, {pair.after.id for pair in matched}
    fresh = [pair for pair in gone_on if _differ(pair) or pair.before.id != pair.after.id]
    others: Counter[str] = Counter()
    for one, other, _ in gone_on:
        others.update(name for name in OTHERS if getattr(one, name) != getattr(other, name))
    return Changes(
        before=len(before),
        after=len(after),
        unchanged=len(gone_on) - len(fresh),
        changed=len(fresh),
        added=tuple(course for course in come if course.id not in found),
        removed=tuple(course for course in gone if course.id not in left),
        renamed=(*(_likened(pair) for pair in same if _retitled(pair)), *(pair for pair in matched if _retitled(pair))),
        renumbered=tuple(pair for pair in matched if not _retitled(pair)),
        recategorised=tuple(pair for pair in gone_on if pair.before.category != pair.after.category),
        retimed=tuple(pair for pair in gone_on if pair.before.hours != pair.after.hours),
        others=dict(sorted(others.items())),
        duplicates=_duplicates(after.courses),
        series=tuple(joined(after.courses)),
        freshness=freshness(after, year),
    )


def _retitled(pair: Pair) -> bool:
    return pair.before.title != pair.after.title


def _differ(pair: Pair) -> bool:
    return any(
        getattr(pair.before, one.name) != getattr(pair.after, one.name)
        for one in fields(Course)
        if one.name not in {"id", "source"}
    )


def _matched(gone: Sequence[Course], come: Sequence[Course]) -> list[Pair]:
    """Removed and added courses of alike titles, each at most once, the most alike first. 上 is never taken for 下."""
    titles, others = ([plain_title(course.title) for course in courses] for courses in (gone, come))
    found = [
        Pair(gone[one], come[other], ratio)
        for one, other, ratio in alike(titles, others, RENAMED)
        if part_of(gone[one].title) == part_of(come[other].title)
    ]
    found.sort(key=lambda pair: (-pair.alike, pair.before.title != pair.after.title, pair.before.id, pair.after.id))
    kept, left, met = [], set(), set()
    for pair in found:
        if pair.before.id not in left and pair.after.id not in met:
            kept.append(pair)
            left.add(pair.before.id)
            met.add(pair.after.id)
    return kept


def _likened(pair: Pair) -> Pair:
    titles = [plain_title(course.title) for course in (pair.before, pair.after)]
    ratio = next((found.ratio for found in alike(titles[:1], titles[1:], 1)), 0.0)
    return pair._replace(alike=ratio)


def _duplicates(courses: Sequence[Course]) -> tuple[Pair, ...]:
    """Courses of different lists or providers that say nearly the same, the most alike first."""
    found = (
        Pair(courses[one], courses[other], ratio)
        for one, other, ratio in alike([plain_title(course.title) for course in courses], least=ALIKE)
        if _whose(courses[one]) != _whose(courses[other])
        and part_of(courses[one].title) == part_of(courses[other].title)
    )
    return tuple(sorted(found, key=lambda pair: (-pair.alike, pair.before.id, pair.after.id)))


def _whose(course: Course) -> tuple[str, str]:
    return course.source, course.provider


def freshness(catalog: Catalog, year: int | None = None) -> Freshness:
    """更新率 = 当年新开门数 / 当年课程总门数. Courses of later years are not offered yet and do not count."""
    stated = [course.year for course in catalog if course.year is not None]
    asked = year if year is not None else max(stated, default=None)
    if asked is None or not stated:
        return Freshness(asked, 0, len(catalog), len(catalog), None, "课程表没有年度一列，或都没有填写，算不出更新率")
    new, total = stated.count(asked), len(catalog) - sum(one > asked for one in stated)
    if not total:
        return Freshness(asked, 0, 0, 0, None, f"没有 {asked} 年及以前的课程，算不出更新率")
    return Freshness(asked, new, total, len(catalog) - len(stated), round(new / total, 4), "")
