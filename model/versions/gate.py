"""Two versions, judged cases and a frozen roster -> what would change if one took over from the other, and what speaks against it.

Nothing here names a person or repeats what one wrote: people are rows of the roster, gaps are told by their competency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from model.domain import REASON_WORDS, Catalog, Course, Gap, Limits, Plan, Profile
from model.explanation import EVIDENCE
from model.judgements import Judgements
from model.recommender import Recommender
from model.titles import plain_title
from model.vectors import Known
from model.versions.gate_quality import METRICS, Case, Quality, judged_quality, own_quality

FIRST = 5  # Ranked courses of a person that are looked at. Required ones are everybody's, and are told by their number.
LARGEST = 10  # People whose lists change most, who are shown.
MOST_LISTED = 20  # Courses, and gaps, that are shown.
LEAST_CASES = 30  # Judged cases of a planner from which on they can speak against a version.
NEW = "\n"  # Before the id of a course that the catalog before does not have; no id begins so.
UNNAMED = "（未归入能力的短板）"


@dataclass(frozen=True)
class Thresholds:
    """How much may change before a version is held up: the drop of nDCG@10, the shares of gaps newly unmet and of people whose first courses
    change."""

    quality: float = 0.02
    unmet: float = 0.05
    changed: float = 1.0


@dataclass(frozen=True)
class Frozen:
    """What both versions are held against. ``vectors`` are sentence vectors of the judged texts and courses that are known already, by encoder."""

    judgements: Judgements
    profiles: tuple[Profile, ...]
    cases: tuple[Case, ...] = ()
    vectors: Mapping[str, Known] = field(default_factory=dict)


@dataclass(frozen=True)
class Shift:
    """A course and in how many people's first courses it stands before and after."""

    course_id: str
    title: str
    before: int
    after: int


@dataclass(frozen=True)
class Turn:
    """Gaps of one need and cause that turned from met to unmet, or back: how many, of how many people."""

    need: str
    cause: str
    gaps: int
    people: int


@dataclass(frozen=True)
class Change:
    """A person, by the row of the roster (from 1) and the id it gives them: titles before and after, and why each new course is there."""

    row: int
    id: str
    distance: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Finding:
    """A check that failed, in words with what can be done."""

    check: str
    told: str


@dataclass(frozen=True)
class Report:
    """What would change. ``gaps`` counts those both versions see; ``shifts`` hold the courses whose numbers change most, ``entering`` and
    ``vanishing`` count all that stand in some list only after, or only before; ``required`` are the required courses of both catalogs."""

    before: str
    after: str
    quality: Quality
    own: Quality | None
    people: int
    changed: int
    shifts: tuple[Shift, ...]
    entering: int
    vanishing: int
    required: tuple[int, int]
    gaps: int
    newly_unmet: int
    newly_met: int
    unmet: tuple[Turn, ...]
    met: tuple[Turn, ...]
    largest: tuple[Change, ...]
    findings: tuple[Finding, ...] = ()


def compare(before: Recommender, after: Recommender, frozen: Frozen, thresholds: Thresholds) -> Report:
    """Hold a version against the one it would take over from; the same inputs give the same report."""
    same = counterparts(before.catalog, after.catalog)
    limits = Limits(FIRST)
    people = [
        _Person(row, old, new, same)
        for row, (old, new) in enumerate(
            zip(before.plans(frozen.profiles, limits), after.plans(frozen.profiles, limits), strict=True), start=1
        )
    ]
    counts = Counter(course for person in people for course in person.old)
    counts_after = Counter(course for person in people for course in person.new)
    unmet = [(person.row, gap, cause) for person in people for gap, cause in person.newly_unmet]
    met = [(person.row, gap, cause) for person in people for gap, cause in person.newly_met]
    quality = judged_quality(before, after, frozen.judgements, frozen.vectors)
    own = own_quality(before, after, frozen.cases, same)
    shared, changed = sum(person.shared for person in people), sum(person.changed for person in people)
    titles = _titles(before.catalog, after.catalog, same)
    shifts = [
        Shift(key.removeprefix(NEW), titles[key], counts[key], counts_after[key])
        for key in counts.keys() | counts_after.keys()
        if counts[key] != counts_after[key]
    ]
    turns = _turns(unmet)
    findings = [
        *_quality_finding(quality, thresholds.quality),
        *(_quality_finding(own, thresholds.quality) if own and own.cases >= LEAST_CASES else ()),
        *_unmet_finding(len(unmet), shared, turns, thresholds.unmet),
        *_changed_finding(changed, len(people), thresholds.changed),
    ]
    return Report(
        before.version, after.version, quality, own, len(people), changed,
        tuple(sorted(shifts, key=lambda one: (-abs(one.after - one.before), one.course_id))[:MOST_LISTED]),
        len(counts_after.keys() - counts.keys()), len(counts.keys() - counts_after.keys()),
        (sum(one.required for one in before.catalog), sum(one.required for one in after.catalog)),
        shared, len(unmet), len(met), turns[:MOST_LISTED], _turns(met)[:MOST_LISTED],
        tuple(
            person.told()
            for person in nsmallest(LARGEST, people, key=lambda one: (-one.distance, one.row))
            if person.distance
        ),
        tuple(findings),
    )  # fmt: skip


def counterparts(before: Catalog, after: Catalog) -> dict[str, str]:
    """For each course of a catalog (by id) the same course of the one before it.

    Lists without ids of their own number their rows, so that one new row moves all ids: a title that stands once in both lists is the same course whatever its
    ids, and one id is the same course unless the titles say otherwise.
    """
    old, new = _by_title(before), _by_title(after)
    same = {new[title]: old[title] for title in new.keys() & old.keys()}
    taken = set(same.values())
    for course in after:
        row = before.row_of.get(course.id)
        if row is None or course.id in same or course.id in taken:
            continue
        titles = plain_title(course.title), plain_title(before.courses[row].title)
        if titles[0] == titles[1] or (titles[0] not in old and titles[1] not in new):
            same[course.id] = course.id
    return same


def _by_title(catalog: Catalog) -> dict[str, str]:
    titles = Counter(plain_title(course.title) for course in catalog)
    return {plain_title(course.title): course.id for course in catalog if titles[plain_title(course.title)] == 1}


class _Person:
    """What changes for one person. Courses go by their ids in the catalog before; those that are new to it are marked."""

    def __init__(self, row: int, old: Plan, new: Plan, same: Mapping[str, str]) -> None:
        self.row, self._plans = row, (old, new)
        self.old = tuple(one.id for one in _ranked(old))
        self.new = tuple(_key(one.id, same) for one in _ranked(new))
        before, after = _causes(old), _causes(new)
        both = {gap: seen for plan in (old, new) for gap in plan.gaps if (seen := _seen(gap))}
        known = [{_seen(gap) for gap in plan.gaps} for plan in (old, new)]
        shared = {gap: seen for gap, seen in both.items() if seen in known[0] and seen in known[1]}
        by_seen = {seen: gap for gap, seen in shared.items()}
        self.shared = len(by_seen)
        self.newly_unmet = [
            (by_seen[one], cause) for one, cause in after.items() if one in by_seen and one not in before
        ]
        self.newly_met = [(by_seen[one], cause) for one, cause in before.items() if one in by_seen and one not in after]

    @property
    def changed(self) -> bool:
        return set(self.old) != set(self.new)

    @property
    def distance(self) -> int:
        """How many courses come or go."""
        return len(set(self.old) ^ set(self.new))

    def told(self) -> Change:
        old, new = self._plans
        before, after = (tuple(one.title for one in _ranked(plan)) for plan in (old, new))
        offered = [one.candidate for one in new.recommendations if not one.candidate.course.required]
        fresh = [candidate for candidate, key in zip(offered, self.new, strict=True) if key not in self.old]
        reasons = tuple(
            (candidate.course.title, "；".join(_reason(part.gap, part.value, part.evidence) for part in candidate.parts))
            for candidate in fresh
        )  # fmt: skip
        return Change(self.row, new.profile.id, self.distance, before, after, reasons)


def _ranked(plan: Plan) -> list[Course]:
    """The courses somebody is advised to take beside the required ones, best first."""
    courses = (one.candidate.course for one in plan.recommendations)
    return [course for course in courses if not course.required]


def _key(identity: str, same: Mapping[str, str]) -> str:
    return same.get(identity, NEW + identity)


def _titles(before: Catalog, after: Catalog, same: Mapping[str, str]) -> dict[str, str]:
    return {course.id: course.title for course in before} | {_key(course.id, same): course.title for course in after}


def _seen(gap: Gap) -> tuple[str, str]:
    return gap.text, gap.reason.value


def _causes(plan: Plan) -> dict[tuple[str, str], str]:
    return {_seen(one.gap): one.cause.value for one in plan.unmet}


def _reason(gap: Gap, value: float, evidence: str) -> str:
    """Why a course is there, without the words of the person."""
    return f"{REASON_WORDS[gap.reason]}“{gap.competency or UNNAMED}”{EVIDENCE.get(evidence, '')}，计 {value:.4f} 分"


def _turns(found: Sequence[tuple[int, Gap, str]]) -> tuple[Turn, ...]:
    """Gaps added up by need and cause, the most first."""
    gaps = Counter((gap.competency or UNNAMED, cause) for _, gap, cause in found)
    people = Counter({(gap.competency or UNNAMED, cause, row): 1 for row, gap, cause in found})
    heads = Counter((need, cause) for need, cause, _ in people)
    turns = (Turn(*key, count, heads[key]) for key, count in gaps.items())
    return tuple(sorted(turns, key=lambda one: (-one.gaps, one.need, one.cause)))


def _quality_finding(found: Quality, most: float) -> Iterator[Finding]:
    drop = -found.difference.mean
    if drop > most:
        yield Finding(
            "quality" if found.metric == "ndcg@10" else "own",
            f"{METRICS[found.metric]}从 {found.before.mean:.3f} 降到 {found.after.mean:.3f}，"
            f"变化 {found.difference.mean:+.3f}（95% 区间 {found.difference.low:+.3f} 到 {found.difference.high:+.3f}，{found.cases} 例），"
            f"超过允许的 {most:g}（QUEBU_GATE_QUALITY）。请核对课程表、评判和反馈后重新训练。",
        )


def _unmet_finding(unmet: int, gaps: int, turns: Sequence[Turn], most: float) -> Iterator[Finding]:
    if gaps and unmet / gaps > most:
        named = "、".join(f"{one.need}（{one.cause}）{one.gaps} 条" for one in turns[:3])
        yield Finding(
            "unmet",
            f"名册上有 {unmet} 条原来有课的短板和岗位需要变成没有课，占 {unmet / gaps:.1%}，超过允许的 {most:.1%}（QUEBU_GATE_UNMET）；"
            f"最多的是：{named}。请核对新课程表是否漏了这些课程，补上后重新训练。",
        )


def _changed_finding(changed: int, people: int, most: float) -> Iterator[Finding]:
    if people and changed / people > most:
        yield Finding(
            "changed",
            f"名册上 {people} 人中有 {changed} 人的前 {FIRST} 门课程会变，占 {changed / people:.1%}，超过允许的 {most:.1%}（QUEBU_GATE_CHANGED）。"
            "请看变化最大的几人是否合理；如属预期，可写明理由后启用。",
        )
