"""A plan's JSON -> what a page tells of it first: what is held and what that closes, who is missed and why, the days. Counted from the plan alone,
so that a kept plan tells the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from model.cohort.need_reports import advice
from model.cohort.nouns import CohortPlan
from model.domain import Cause

MOST_NEEDS = 4  # Needs told beside a session.
SURE = 1e-9  # A smaller distance to the bound is none.


class Held(NamedTuple):
    """A session (its place in the plan): how many attend, for how many it closes something, and what most."""

    place: int
    course_id: str
    course_ids: tuple[str, ...]
    title: str
    hours: float
    tentative: bool
    category: str
    closes: float
    part: str
    attending: int
    served: int
    needs: tuple[tuple[str, int], ...]


class Need(NamedTuple):
    """What is lacked: by how many people, how many of them the plan serves, how many it leaves."""

    need: str
    people: int
    served: int
    left: int


class Missed(NamedTuple):
    """What stays open for one cause: the gaps, and whose they are (places among the people), heaviest first."""

    cause: str
    advice: str
    gaps: int
    weight: float
    people: tuple[int, ...]


class Stretch(NamedTuple):
    """What is taught in a half of a day; ``on`` where it goes on after noon."""

    title: str
    hours: float
    session: int
    on: bool


class Day(NamedTuple):
    """A day of a class."""

    day: int
    morning: tuple[Stretch, ...]
    afternoon: tuple[Stretch, ...]
    hours: float


class Covered(NamedTuple):
    """How much of what is lacked a plan closes: by weight, by gaps, by people. ``missed`` have gaps and get nothing."""

    weight: float
    of_weight: float
    gaps: int
    of_gaps: int
    people: int
    of_people: int
    missed: int

    @property
    def share(self) -> float:
        """The share of the weight."""
        return self.weight / self.of_weight if self.of_weight else 0.0


@dataclass(frozen=True)
class Outcome:
    """A plan as the contract tells it, and what is counted from it."""

    plan: Mapping[str, Any]

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The place of each person among the people of the plan."""
        return {one["id"]: place for place, one in enumerate(self.plan["people"])}

    @cached_property
    def attending(self) -> list[list[str]]:
        """The ids of who attends each session."""
        by_course: dict[tuple[str, int], list[str]] = defaultdict(list)
        for one in self.plan["assignments"]:
            for course in one["sessions"]:
                by_course[course, one.get("class", 0)].append(one["id"])
        return [
            session["attendees"]
            if "attendees" in session
            else by_course.get((session["course_id"], session.get("class", 0)), [])
            for session in self.plan["sessions"]
        ]

    @cached_property
    def sessions(self) -> list[Held]:
        """What is held, in the order of the plan."""
        needs: dict[int, Counter[str]] = defaultdict(Counter)
        people: dict[int, set[str]] = defaultdict(set)
        for one in self.plan["closed"]:
            needs[one["session"]][need_of(one)] += 1
            people[one["session"]].add(one["id"])
        return [
            Held(
                place, session["course_id"], tuple(session["course_ids"]), session["title"], session["hours"], session["tentative"],
                session["category"], session["closes"], self.part_name(session), len(self.attending[place]), len(people[place]),
                tuple(sorted(needs[place].items(), key=lambda one: (-one[1], one[0]))[:MOST_NEEDS]),
            )
            for place, session in enumerate(self.plan["sessions"])
        ]  # fmt: skip

    def part_name(self, told: Mapping[str, Any]) -> str:
        """The name of the class that something belongs to; blank where the cohort is not split."""
        return self.plan["classes"][told["class"]]["name"] if "class" in told else ""

    @cached_property
    def covered(self) -> Covered:
        """How much of what is lacked is closed."""
        closed, missed = self.plan["closed"], self.plan["missed"]
        weight, left = (sum(one["weight"] for one in gaps) for gaps in (closed, missed))
        served, lacking = ({one["id"] for one in gaps} for gaps in (closed, [*closed, *missed]))
        return Covered(
            round(weight, 4),
            round(weight + left, 4),
            len(closed),
            len(closed) + len(missed),
            len(served),
            len(lacking),
            len(lacking - served),
        )

    @cached_property
    def needs(self) -> list[Need]:
        """What is lacked, by the number of people."""
        having: dict[str, set[str]] = defaultdict(set)
        served: dict[str, set[str]] = defaultdict(set)
        for one in self.plan["closed"]:
            served[need_of(one)].add(one["id"])
        for one in (*self.plan["closed"], *self.plan["missed"]):
            having[need_of(one)].add(one["id"])
        return [
            Need(need, len(people), len(served[need]), len(people - served[need]))
            for need, people in sorted(having.items(), key=lambda one: (-len(one[1]), one[0]))
        ]

    @cached_property
    def missed(self) -> list[Missed]:
        """What stays open, by cause."""
        weights: dict[str, Counter[int]] = defaultdict(Counter)
        gaps: Counter[str] = Counter()
        for one in self.plan["missed"]:
            weights[one["cause"]][self.place_of[one["id"]]] += one["weight"]
            gaps[one["cause"]] += 1
        return [
            Missed(
                cause,
                advice(Cause(cause)),
                count,
                round(sum(weights[cause].values()), 2),
                tuple(place for place, _ in weights[cause].most_common()),
            )
            for cause, count in gaps.most_common()
        ]

    @cached_property
    def days(self) -> list[tuple[str, list[Day]]]:
        """The draft of the days of each class, with its name."""
        noon = self.hours_per_day / 2
        days: dict[tuple[str, int], tuple[list[Stretch], list[Stretch]]] = {}
        for lesson in self.plan.get("timetable") or ():
            halves = days.setdefault((self.part_name(lesson), lesson["day"]), ([], []))
            begins, ends = lesson["start"], lesson["start"] + lesson["hours"]
            late = begins > noon - SURE
            title = self.plan["sessions"][lesson["session"]]["title"]
            halves[late].append(Stretch(title, lesson["hours"], lesson["session"], not late and ends > noon + SURE))
        parts: dict[str, list[Day]] = {}
        for (part, day), (morning, afternoon) in days.items():
            hours = round(sum(one.hours for one in (*morning, *afternoon)), 2)
            parts.setdefault(part, []).append(Day(day, tuple(morning), tuple(afternoon), hours))
        return [*parts.items()]

    @property
    def hours_per_day(self) -> float:
        """The hours a day of a class has, by the settings the plan was made with."""
        return float(self.plan["parameters"].get("settings", {}).get("HOURS_PER_DAY") or 0)

    @property
    def hours(self) -> float:
        """The hours of all sessions."""
        return float(round(sum(session["hours"] for session in self.plan["sessions"]), 2))

    @property
    def courses(self) -> int:
        """How many different courses, or series, are held."""
        return len({session["course_id"] for session in self.plan["sessions"]})

    @property
    def menu(self) -> bool:
        """Whether people choose from a menu."""
        return bool(self.plan["parameters"].get("menu"))

    @property
    def proved(self) -> bool:
        """Whether no other plan that keeps the rules could close more."""
        return bool(self.plan["bound"] - self.plan["objective"] <= SURE)

    @property
    def most_short(self) -> float:
        """How far the plan may fall short of the best one, as a share of what the best could close."""
        bound = self.plan["bound"]
        return float(max(0.0, (bound - self.plan["objective"]) / bound)) if bound else 0.0

    def drawn(self, most: int, served: str, left: str) -> dict[str, Any]:
        """The needs of most people, as a chart wants them, with the words for those who are served and those who are left."""
        shown = self.needs[:most]
        return {
            "names": [one.need for one in shown],
            "series": [
                {"name": served, "values": [one.served for one in shown]},
                {"name": left, "values": [one.left for one in shown]},
            ],
        }


def covered_by(plan: CohortPlan) -> Covered:
    """How much a plan closes that was not told as JSON."""
    sides = (("closed", plan.closed), ("missed", plan.missed))
    return Outcome(
        {side: [{"id": one.person, "weight": one.gap.weight} for one in gaps] for side, gaps in sides}
    ).covered


def need_of(told: Mapping[str, Any]) -> str:
    """What a gap is counted as where people are added up, as the reports count it."""
    return str(told["competency"] or told["gap"])


def titles_by_person(outcome: Outcome) -> dict[str, list[str]]:
    """What each person attends, by id, in the order of the plan."""
    found: dict[str, list[str]] = defaultdict(list)
    for session, people in zip(outcome.plan["sessions"], outcome.attending, strict=True):
        for person in people:
            found[person].append(session["title"])
    return found
