"""The nouns of a plan for many people: sessions, what they close, what stays open and why, how good the plan is proved to be.

Hours are 学时, relevances probabilities from 0 to 1, values the weight of a gap times the relevance of the course that closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from model.domain import Cause, Course, Gap, Reason


class Status(StrEnum):
    """How far a gap has come, from the first plan to its settlement (逐项销号)."""

    OPEN = "待补"
    ARRANGED = "已安排"
    LEARNT = "已学"
    SETTLED = "已销号"
    REOPENED = "重开"


@dataclass(frozen=True, slots=True)
class Session:
    """One course held, or one series in its order (班次里的一门课). ``closes`` is the gap weight it closes, ``attendees`` the ids of who attends,
    ``part`` the class (its place among the plan's classes) where a cohort is split.

    ``tentative``: some of its courses state no hours, a default stands for them (学时待定).
    """

    courses: tuple[Course, ...]
    title: str
    hours: float
    tentative: bool
    branch: str
    closes: float
    attendees: tuple[str, ...]
    part: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """A gap of a person that a session (its place in the plan) closes, and how surely (0 to 1)."""

    person: str
    gap: Gap
    session: int
    relevance: float

    @property
    def value(self) -> float:
        """What this adds to the objective, to four decimals: the gap's weight times the relevance."""
        return round(self.gap.weight * self.relevance, 4)


@dataclass(frozen=True, slots=True)
class Missed:
    """A gap of a person that stays open under a plan, and why."""

    person: str
    gap: Gap
    cause: Cause


@dataclass(frozen=True, slots=True)
class Certificate:
    """How good a plan is: none that keeps the rules can be worth more than ``bound``. ``status`` is optimal (within the gap asked for)
    or feasible (the best found in the time allowed)."""

    status: str
    objective: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        """The relative distance to the bound, 0 where the plan is proved to be the best."""
        return max(0.0, self.bound - self.objective) / self.objective if self.objective > 0 else float(self.bound > 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule of a plan in the planner's words, what it asks for, and what the plan does."""

    rule: str
    asked: str
    found: str


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What a simpler way of choosing would have closed, and which rules it would have broken."""

    name: str
    objective: float
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a plan would close if one thing were otherwise."""

    change: str
    objective: float


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plan comes from, so that it can be made again: the model's version, the catalog's fingerprint, what was asked for."""

    model_version: str
    catalog: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassPart:
    """One class of a cohort that was split (分班): what its people have in common, who they are, how good its own plan is."""

    name: str
    people: tuple[str, ...]
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """One plan for many people. Every gap of every person is among ``closed`` or among ``missed``; the objective is the sum of the
    values of ``closed``."""

    kind: str
    certificate: Certificate
    sessions: tuple[Session, ...]
    closed: tuple[Closed, ...]
    missed: tuple[Missed, ...]
    rules: tuple[Kept, ...]
    yardsticks: tuple[Yardstick, ...]
    origin: Origin
    inputs_hash: str
    what_if: tuple[WhatIf, ...] = ()
    classes: tuple[ClassPart, ...] = ()


GapKey = tuple[str, Reason, str]


def key_of(person: str, gap: Gap) -> GapKey:
    """What tells a gap from all others of a roster: whose it is, why it is to be closed, its text."""
    return person, gap.reason, gap.text


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a gap: how far it has come, and the id of the course arranged for it (blank: none)."""

    status: Status
    course: str
    competency: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """A plan as the file tells it that was kept of it: what another plan is compared with, and what its gaps have come to.

    ``sessions`` are (id, title, hours, what it closes); ``fates`` stand by person, reason and text of the gap, ``closed`` and ``missed`` are
    those on its roster. ``known_by`` holds for each person a digest of the name, and one of name and unit, for ids may be mere row numbers.
    """

    kind: str
    objective: float
    bound: float
    sessions: tuple[tuple[str, str, float, float], ...]
    fates: Mapping[GapKey, Fate]
    closed: frozenset[GapKey]
    missed: frozenset[GapKey]
    known_by: Mapping[str, tuple[str, str]]
    origin: Origin
    inputs_hash: str
