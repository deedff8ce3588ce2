"""All that the reports on a cohort plan read: the plan, the demand it answers, how far every gap has come. Looked up once, read by many sheets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from model.cohort.choices import Choice
from model.cohort.demand import Demand
from model.cohort.follow import Fates
from model.cohort.nouns import CohortPlan, Fate, Missed, Session, key_of
from model.cohort.pairing import Pairing
from model.domain import Cause, Gap, Match, Reason
from model.files.sheets import SheetOut
from model.lexicon import Lexicon
from model.selection import Needs

Rows = list[list[str | float | None]]

NO_UNIT = "（未填单位）"


class Line(NamedTuple):
    """One gap of one person, and what becomes of it: the session that closes it and how surely, or the cause why none does."""

    own: Needs
    gap: Gap
    session: Session | None
    relevance: float
    cause: Cause | None


@dataclass(frozen=True)
class Filing:
    """A plan and what is told beside it.

    ``nearest`` holds for texts without a course the one that comes nearest, ``year`` the year whose new courses count as new,
    ``deadline`` what stands in the lists as 时限, ``more`` sheets that come from elsewhere (quotas, pairs).
    """

    plan: CohortPlan
    demand: Demand
    lexicon: Lexicon
    fates: Fates
    nearest: Mapping[str, Match] = field(default_factory=dict)
    teaches: Mapping[str, str | None] = field(default_factory=dict)
    year: int | None = None
    deadline: str = ""
    pairs: Pairing | None = None
    more: tuple[SheetOut, ...] = ()

    @cached_property
    def own(self) -> dict[str, Needs]:
        """The needs of each person by id."""
        return {own.profile.id: own for own in self.demand.people}

    @cached_property
    def lines(self) -> dict[str, list[Line]]:
        """The gaps of each person, heaviest first."""
        told: dict[str, list[Line]] = {person: [] for person in self.own}
        for one in self.plan.closed:
            session = self.plan.sessions[one.session]
            told[one.person].append(Line(self.own[one.person], one.gap, session, one.relevance, None))
        for other in self.plan.missed:
            told[other.person].append(Line(self.own[other.person], other.gap, None, 0.0, other.cause))
        return {person: sorted(lines, key=lambda line: -line.gap.weight) for person, lines in told.items()}

    @cached_property
    def part_of(self) -> dict[str, int]:
        """The class (its place among the plan's classes) of each person, where the cohort is split."""
        return {person: number for number, part in enumerate(self.plan.classes) for person in part.people}

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of the choice that each course of the catalog belongs to."""
        return {course.id: choice.title for choice in self.demand.choices for course in choice.courses}

    @cached_property
    def _best(self) -> dict[tuple[str, Gap], Choice]:
        """For each gap that the plan leaves open though something would close it, what would close it most surely."""
        missed = {(one.person, one.gap) for one in self.plan.missed}
        relevance, found = self.demand.relevance, {}
        of_group: dict[int, Choice] = {}
        for one in self.demand.open:
            key = self.demand.people[one.person].profile.id, one.gap
            if key not in missed:
                continue
            if one.group not in of_group:
                span = slice(relevance.indptr[one.group], relevance.indptr[one.group + 1])
                places = relevance.indices[span]
                best = max(zip(relevance.data[span], -places, strict=True))
                of_group[one.group] = self.demand.choices[-int(best[1])]
            found[key] = of_group[one.group]
        return found

    def alone(self, person: str, gap: Gap) -> Choice | None:
        """What somebody could study on their own for a gap the plan leaves open (个性选学); None where nothing would serve."""
        return self._best.get((person, gap))

    def fate(self, person: str, gap: Gap) -> Fate:
        """How far a gap has come."""
        return self.fates[key_of(person, gap)]

    def unit_of(self, person: str) -> str:
        """The unit somebody is counted under."""
        return self.own[person].profile.unit or NO_UNIT

    def level_of(self, person: str) -> str:
        """The name of somebody's level, blank where it is unknown."""
        level = self.own[person].profile.level
        return "" if level is None else self.lexicon.level_names.get(level, "")

    @cached_property
    def missing(self) -> list[Missed]:
        """The gaps no course of the catalog teaches."""
        return [one for one in self.plan.missed if one.cause is Cause.NO_COURSE]

    def titled(self, session: Session) -> str:
        """What a session is called where sessions of several classes stand in one list."""
        return f"第{session.part + 1}班 {session.title}" if self.plan.classes else session.title

    def gone(self) -> Iterator[tuple[str, Reason, str, Fate]]:
        """(person, reason, text, fate) of gaps that a plan before had and the roster no longer states."""
        stated = {key_of(person, line.gap) for person, lines in self.lines.items() for line in lines}
        for (person, reason, text), fate in self.fates.items():
            if person in self.own and (person, reason, text) not in stated:
                yield person, reason, text, fate
