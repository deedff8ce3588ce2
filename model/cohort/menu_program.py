"""Demand + rules of a menu -> the program that decides on it: which courses are held how often, and who takes which seat.

Everything that a seat depends on alone (hours, ways of teaching, completed courses, what is on the menu) is decided before: only seats that
a person may take, and would gain from, are variables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf
from types import MappingProxyType

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from model.cohort.choices import Choice
from model.cohort.demand import TEN_THOUSANDTHS, Demand
from model.cohort.program import SAME, Program, Rule, Vector
from model.cohort.rules import MenuRules
from model.cohort.sessions import comes

NO_NAMES: Mapping[int, str] = MappingProxyType({})

Numbers = NDArray[np.integer] | NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Floor:
    """The share (0 to 1) of the people (by their places) that must be covered in each unit, or in each level."""

    kind: str
    share: float
    groups: Mapping[str, list[int]]


class MenuProblem:
    """Who may sit where, what they would gain there, and what is asked of the menu. ``level_names`` words the levels (code to name).

    The variables of its program stand in this order: whether a choice is held, how many times, seats taken (a person at a choice), gaps closed
    by a seat, people covered.
    """

    def __init__(self, demand: Demand, rules: MenuRules, level_names: Mapping[int, str] = NO_NAMES) -> None:
        self.demand, self.asked, self.level_names = demand, rules, level_names
        self.limits = [_hours_of(own.profile.hours_available, rules.hours) for own in demand.people]
        wanted: dict[int, set[int]] = defaultdict(set)
        for found in demand.open:
            for place, _ in self.closers_of(found.group):
                if found.person not in wanted[place] and self._may_sit(found.person, place):
                    wanted[place].add(found.person)
        self.capacity = {place: self._capacity(demand.choices[place]) for place in wanted}
        # What too few would gain from, or too few have room in, is never held, so it need not be decided on.
        self.places = sorted(
            place for place, people in wanted.items() if rules.least <= min(len(people), self.capacity[place])
        )
        self.seats = [(person, place) for place in self.places for person in sorted(wanted[place])]
        self.people = sorted({person for person, _ in self.seats})
        self.seat_of = {seat: number for number, seat in enumerate(self.seats)}
        self.pinned = frozenset(place for place, choice in enumerate(demand.choices) if choice.ids & rules.pinned)
        # What closing a gap is worth by each seat, rounded as it is printed, so that the printed values make the objective.
        self.gains: dict[int, list[dict[int, int]]] = defaultdict(list)
        self.closings: list[tuple[int, int, int]] = []
        for number, found in enumerate(demand.open):
            gain = {
                place: round(round(found.gap.weight * relevance, 4) * TEN_THOUSANDTHS)
                for place, relevance in self.closers_of(found.group)
                if (found.person, place) in self.seat_of
            }
            self.gains[found.person].append(gain)
            self.closings += [(number, self.seat_of[found.person, place], value) for place, value in gain.items()]

    @cached_property
    def _on_menu(self) -> list[bool]:
        """Which choices may be held at all."""
        asked, found = self.asked, []
        for choice in self.demand.choices:
            ids = choice.ids
            right_way = not asked.modes or any(word in choice.mode for word in asked.modes)
            offered = not asked.offered or bool(ids & asked.offered)
            found.append(bool(ids & asked.pinned) or (right_way and not ids & asked.excluded and offered))
        return found

    def _may_sit(self, person: int, place: int) -> bool:
        """Whether a choice is on the menu, fits a person's hours, and no course of it is for others or taught in a way that is out of the question."""
        demand, choice = self.demand, self.demand.choices[place]
        return bool(
            self._on_menu[place]
            and choice.hours <= self.limits[person] + SAME
            and comes(demand.people[person], choice)
            and not demand.outside[demand.kinds[person], place]
        )

    def _capacity(self, choice: Choice) -> int:
        return min([course.seats for course in choice.courses if course.seats is not None] or [self.asked.seats])

    def closers_of(self, group: int) -> Iterator[tuple[int, float]]:
        """The choices that would close the gaps of a group, and how surely."""
        relevance = self.demand.relevance
        span = slice(relevance.indptr[group], relevance.indptr[group + 1])
        yield from zip(relevance.indices[span].tolist(), relevance.data[span].tolist(), strict=True)

    @cached_property
    def twins(self) -> list[list[int]]:
        """Groups of near-duplicates. Nobody sits in two of a group, and one of it is held, unless the planner named what is offered, or several of
        it that must be held."""
        groups = self.demand.twins
        inside = [[place for place in group if place in self.places] for group in groups]
        return [group for group in inside if len(group) > 1]

    @cached_property
    def floors(self) -> tuple[Floor, ...]:
        """The people who could have a seat, by unit and by level, where a share of them is asked for."""
        units: dict[str, list[int]] = defaultdict(list)
        levels: dict[int | None, list[int]] = defaultdict(list)
        for person in self.people:
            profile = self.demand.people[person].profile
            units[profile.unit or "（未填单位）"].append(person)
            levels[profile.level].append(person)
        named = {
            "层级未填" if code is None else self.level_names.get(code, f"层级 {code}"): levels[code]
            for code in sorted(levels, key=lambda code: inf if code is None else code)
        }
        floors = (
            Floor("单位", self.asked.floor, dict(sorted(units.items()))),
            Floor("层级", self.asked.level_floor, named),
        )
        return tuple(floor for floor in floors if floor.share)

    @property
    def _starts(self) -> NDArray[np.integer]:
        """Where each kind of variable begins, and how many there are."""
        kinds = (self.places, self.places, self.seats, self.closings, self.people)
        return np.cumsum([0, *(len(kind) for kind in kinds)])

    def program(self) -> Program:
        """The whole program; all variables up to the seats are whole numbers."""
        held, times, seat, closing, covered, count = self._starts.tolist()
        sessions, seats, closings, people = len(self.places), len(self.seats), len(self.closings), len(self.people)
        session_of = {place: number for number, place in enumerate(self.places)}
        person_of = {person: number for number, person in enumerate(self.people)}
        at = np.array([session_of[place] for _, place in self.seats], dtype=int)
        who = np.array([person_of[person] for person, _ in self.seats], dtype=int)
        gap, by, values = np.array(self.closings, dtype=int).reshape(-1, 3).T
        hours = np.array([self.demand.choices[place].hours for _, place in self.seats])
        wanted = np.bincount(at, minlength=sessions)
        capacity = np.array([self.capacity[place] for place in self.places], dtype=float)
        least = float(self.asked.least)
        most = np.minimum(self.asked.repeats, np.minimum(np.ceil(wanted / capacity), wanted // least))

        def rows(size: int, *parts: tuple[Numbers, Numbers, Numbers]) -> sp.csr_matrix:
            row, column, value = (np.concatenate([part[axis] for part in parts]) for axis in range(3))
            return sp.csr_matrix((value, (row, column)), shape=(size, count))

        one, each, own, mine = np.ones, np.arange(sessions), np.arange(seats), np.arange(people)
        limits = np.array([self.limits[person] for person in self.people])
        program = Program(
            worth=np.concatenate([np.zeros(closing), values, np.zeros(people)]),
            whole=closing,
            most=np.concatenate([one(sessions), most, one(count - seat)]),
        )
        program.structure = [
            # Who takes a seat attends what is held; so many times it is held, and for each time there are so many seats and so many people.
            (rows(seats, (own, seat + own, one(seats)), (own, held + at, -one(seats))), np.zeros(seats)),
            (rows(sessions, (each, times + each, one(sessions)), (each, held + each, -most)), np.zeros(sessions)),
            (rows(sessions, (each, times + each, -one(sessions)), (each, held + each, one(sessions))), np.zeros(sessions)),
            (rows(sessions, (at, seat + own, one(seats)), (each, times + each, -capacity)), np.zeros(sessions)),
            (rows(sessions, (at, seat + own, -one(seats)), (each, times + each, least * one(sessions))), np.zeros(sessions)),
            # Nobody attends more than their hours.
            (rows(people, (who, seat + own, hours)), limits),
            # A gap is closed by a seat that is taken, and once.
            (rows(closings, (np.arange(closings), closing + np.arange(closings), one(closings)), (np.arange(closings), seat + by, -one(closings))), np.zeros(closings)),
            (rows(len(self.demand.open), (gap, closing + np.arange(closings), one(closings))), np.ones(len(self.demand.open))),
            # Covered is who takes a seat.
            (rows(people, (mine, covered + mine, one(people)), (who, seat + own, -one(seats))), np.zeros(people)),
        ]  # fmt: skip
        for group in self.twins:
            if not self.asked.offered:
                alike = np.array([session_of[place] for place in group])
                together = np.array([max(1.0, len(self.pinned & set(group)))])
                program.structure.append(
                    (rows(1, (np.zeros(len(group), int), held + alike, one(len(group)))), together)
                )
            some = np.flatnonzero(np.isin(at, [session_of[place] for place in group]))
            program.structure.append((rows(people, (who[some], seat + some, one(len(some)))), one(people)))
        program.rules = self.rules
        return program

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """What is asked of the whole menu, as rows over all variables."""
        found = []
        for place in sorted(self.pinned):
            title = f"《{self.demand.choices[place].title}》"
            plain = title.replace("{", "{{").replace("}", "}}")  # The words of a cure are a format.
            row = self.values({place: 1}, ())
            found.append(Rule(title, "必须开设", row, low=1, cure=f"不要求必须开设{plain}"))
        if self.asked.most_sessions is not None:
            words = f"不超过 {self.asked.most_sessions} 场"
            row = self.values(dict.fromkeys(self.places, 1), ())
            found.append(Rule("场次", words, row, high=self.asked.most_sessions, cure="场次增加到 {:g} 场"))
        for floor in self.floors:
            for name, members in floor.groups.items():
                low = ceil(floor.share * len(members) - SAME)
                words = f"至少覆盖 {low} 人（{floor.share:.0%}，共 {len(members)} 人）"
                row = self.values({}, members)
                found.append(Rule(name, words, row, low=low, cure=f"{name}的覆盖人数减为 {{:g}} 人"))
        return tuple(found)

    def values(self, times: Mapping[int, int], covered: Collection[int]) -> Vector:
        """Variables that are 0 but for how many times choices are held, and for who is covered."""
        _, first, _, _, person, count = self._starts.tolist()
        found = np.zeros(count)
        for number, place in enumerate(self.places):
            found[first + number] = times.get(place, 0)
        found[person:] = np.isin(self.people, list(covered))
        return found


def _hours_of(stated: float | None, most: float) -> float:
    return most if stated is None else min(stated, most)
