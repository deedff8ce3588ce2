"""Demand + rules -> a menu plan (菜单选学): which sessions are held, and who attends which, within seats and everybody's hours.

One program decides all of it together. It is solved twice: first with seats that may be shared out in fractions, which bounds what any plan is
worth; then with whole seats, for the sessions of that answer. The certificate is the distance between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from math import ceil

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from model.choices import Choice
from model.classes import MenuRules
from model.cohort_domain import Certificate, Closed, CohortPlan, Kept, Missed, Origin
from model.demand import TEN_THOUSANDTHS, Demand
from model.domain import Cause
from model.errors import InputError
from model.program import FEASIBLE, OPTIMAL, SAME, Clock, Effort, Impossible, Program, Rule
from model.sessions import sessions_of, standing

MENU = "菜单选学"

Numbers = NDArray[np.integer] | NDArray[np.floating]


class MenuProblem:
    """The variables stand in this order: sessions held, seats taken (a person at a session), gaps closed by a seat, people covered."""

    def __init__(self, demand: Demand, rules: MenuRules) -> None:
        self.demand, self.asked = demand, rules
        self.limits = np.array([_hours_of(own.profile.hours_available, rules.hours) for own in demand.people])
        wanted: dict[int, set[int]] = defaultdict(set)
        for found in demand.open:
            for place, _ in self.closers_of(found.group):
                choice = demand.choices[place]
                if self._may(choice) and choice.hours <= self.limits[found.person] + SAME:
                    wanted[place].add(found.person)
        # A session that too few would gain from is never held, so it need not be decided on.
        self.places = sorted(place for place, people in wanted.items() if len(people) >= rules.least)
        self.seats = [(person, place) for place in self.places for person in sorted(wanted[place])]
        self.seat_of = {seat: number for number, seat in enumerate(self.seats)}
        self.closings = [
            (number, self.seat_of[found.person, place], relevance)
            for number, found in enumerate(demand.open)
            for place, relevance in self.closers_of(found.group)
            if (found.person, place) in self.seat_of
        ]
        self.people = sorted({person for person, _ in self.seats})
        self.capacity = np.array([self._capacity(demand.choices[place]) for place in self.places], dtype=float)

    def _may(self, choice: Choice) -> bool:
        asked = self.asked
        ids = {course.id for course in choice.courses}
        right_way = not asked.modes or any(word in choice.mode for word in asked.modes)
        return right_way and not ids & asked.excluded and (not asked.offered or bool(ids & asked.offered))

    def _capacity(self, choice: Choice) -> int:
        return min([course.seats for course in choice.courses if course.seats is not None] or [self.asked.seats])

    def closers_of(self, group: int) -> Iterator[tuple[int, float]]:
        """The choices that would close the gaps of a group, and how surely."""
        relevance = self.demand.relevance
        span = slice(relevance.indptr[group], relevance.indptr[group + 1])
        yield from zip(relevance.indices[span].tolist(), relevance.data[span].tolist(), strict=True)

    def program(self) -> Program:
        """The whole program; the first ``len(places) + len(seats)`` variables are whole numbers."""
        sessions, seats, closings, people = (
            len(some) for some in (self.places, self.seats, self.closings, self.people)
        )
        count = sessions + seats + closings + people
        session_of = {place: number for number, place in enumerate(self.places)}
        person_of = {person: number for number, person in enumerate(self.people)}
        at = np.array([session_of[place] for _, place in self.seats], dtype=int)
        who = np.array([person_of[person] for person, _ in self.seats], dtype=int)
        gap = np.array([number for number, _, _ in self.closings], dtype=int)
        by = np.array([seat for _, seat, _ in self.closings], dtype=int)
        seat, closing, covered = sessions + np.arange(seats), sessions + seats + np.arange(closings), count - people
        hours = np.array([self.demand.choices[place].hours for _, place in self.seats])

        def rows(size: int, *parts: tuple[Numbers, Numbers, Numbers]) -> sp.csr_matrix:
            row, column, value = (np.concatenate([part[axis] for part in parts]) for axis in range(3))
            return sp.csr_matrix((value, (row, column)), shape=(size, count))

        one = np.ones
        weights = np.array([self.demand.open[number].gap.weight for number, _, _ in self.closings])
        values = np.round(weights * np.array([relevance for _, _, relevance in self.closings]) * TEN_THOUSANDTHS)
        program = Program(
            worth=np.concatenate([np.zeros(sessions + seats), values, np.zeros(people)]),
            whole=sessions + seats,
            most=np.ones(count),
        )
        least = float(self.asked.least)
        program.structure = [
            # Who takes a seat attends a session that is held; a session has seats for so many, and is held for so many.
            (rows(seats, (np.arange(seats), seat, one(seats)), (np.arange(seats), at, -one(seats))), np.zeros(seats)),
            (rows(sessions, (at, seat, one(seats)), (np.arange(sessions), np.arange(sessions), -self.capacity)), np.zeros(sessions)),
            (rows(sessions, (at, seat, -one(seats)), (np.arange(sessions), np.arange(sessions), least * one(sessions))), np.zeros(sessions)),
            # Nobody attends more than their hours.
            (rows(people, (who, seat, hours)), self.limits[self.people]),
            # A gap is closed by a seat that is taken, and once.
            (rows(closings, (np.arange(closings), closing, one(closings)), (np.arange(closings), sessions + by, -one(closings))), np.zeros(closings)),
            (rows(len(self.demand.open), (gap, closing, one(closings))), np.ones(len(self.demand.open))),
            # Covered is who takes a seat.
            (rows(people, (np.arange(people), covered + np.arange(people), one(people)), (who, seat, -one(seats))), np.zeros(people)),
        ]  # fmt: skip
        program.rules = self.rules(count, covered)
        return program

    def rules(self, count: int, covered: int) -> tuple[Rule, ...]:
        """What is asked of the whole menu, as rows over all variables."""
        found = []
        if self.asked.most_sessions is not None:
            row = np.concatenate([np.ones(len(self.places)), np.zeros(count - len(self.places))])
            words = f"不超过 {self.asked.most_sessions} 场"
            found.append(Rule("场次", words, row, high=self.asked.most_sessions, cure="场次增加到 {:g} 场"))
        if self.asked.floor:
            units: dict[str, list[int]] = defaultdict(list)
            for number, person in enumerate(self.people):
                units[self.demand.people[person].profile.unit or "（未填单位）"].append(number)
            for unit, members in sorted(units.items()):
                row = np.zeros(count)
                row[covered + np.array(members)] = 1
                low = ceil(self.asked.floor * len(members) - SAME)
                words = f"至少覆盖 {low} 人（{self.asked.floor:.0%}，共 {len(members)} 人）"
                found.append(Rule(unit, words, row, low=low, cure=f"{unit}的覆盖人数减为 {{:g}} 人"))
        return tuple(found)

    def solve(self, effort: Effort, clock: Clock) -> tuple[list[int], Certificate]:
        """The seats taken, and how good that is; raises Impossible."""
        if not self.seats:
            raise Impossible(["有场次能坐满开班人数并补上短板"], ["减小最少开班人数，或放宽学时、授课方式和课程范围"])
        start, program = clock(), self.program()
        sessions, seats = len(self.places), len(self.seats)
        if self.asked.nobody_left:
            covered = np.zeros(len(program.worth))
            covered[len(covered) - len(self.people) :] = 1
            x, _ = replace(program, worth=covered).solve(Effort(effort.seconds / 5, 0.0), clock)
            program.rules = (*program.rules, Rule("不让一个掉队", "尽可能覆盖", covered, low=round(float(covered @ x))))
        relaxed = replace(program, whole=sessions)
        x, found = relaxed.solve(Effort(effort.seconds / 5, effort.gap / 2), clock)
        bound, best = found.bound, None
        fixed = replace(program, most=np.concatenate([np.round(x[:sessions]), program.most[sessions:]]))
        # With whole seats the sessions of the relaxed answer may leave somebody out.
        with suppress(InputError):
            best = fixed.solve(Effort(effort.seconds / 5, effort.gap / 2), clock)
        if best is None or bound - best[1].objective > effort.gap * best[1].objective:
            try:
                whole = program.solve(Effort(max(1.0, effort.seconds - (clock() - start)), effort.gap), clock)
                bound = min(bound, whole[1].bound)
                best = max(whole, best or whole, key=lambda answer: answer[1].objective)
            except Impossible:
                raise
            except InputError:
                if best is None:
                    raise
        x, found = best
        taken = np.flatnonzero(x[sessions : sessions + seats] > 0.5).tolist()
        objective = round(found.objective / TEN_THOUSANDTHS, 4)
        most = max(objective, round(bound / TEN_THOUSANDTHS, 4))
        near = most - objective <= effort.gap * max(objective, SAME) + 1 / TEN_THOUSANDTHS
        return taken, Certificate(OPTIMAL if near else FEASIBLE, objective, most, clock() - start)


def _hours_of(stated: float | None, most: float) -> float:
    return most if stated is None else min(stated, most)


def plan_menu(demand: Demand, rules: MenuRules, effort: Effort, clock: Clock, origin: Origin) -> CohortPlan:
    """The best menu for a cohort, with its certificate; raises Impossible where none keeps the rules."""
    problem = MenuProblem(demand, rules)
    taken, certificate = problem.solve(effort, clock)
    attends: dict[int, set[int]] = defaultdict(set)
    sitting: dict[int, list[int]] = defaultdict(list)
    for number in taken:
        person, place = problem.seats[number]
        attends[person].add(place)
        sitting[place].append(person)
    places = sorted(sitting, key=lambda place: standing(demand.choices[place]))
    number_of = {place: number for number, place in enumerate(places)}
    identities = [own.profile.id for own in demand.people]
    closed, missed = [], [Missed(identities[person], gap, cause) for person, gap, cause in demand.hopeless]
    reachable = {number for number, _, _ in problem.closings}
    left = {
        person: problem.limits[person] - sum(demand.choices[p].hours for p in mine) for person, mine in attends.items()
    }
    for number, found in enumerate(demand.open):
        closers = [
            (relevance, place)
            for place, relevance in problem.closers_of(found.group)
            if place in attends.get(found.person, ())
        ]
        if closers:
            relevance, place = max(closers, key=lambda one: (one[0], -one[1]))
            closed.append(Closed(identities[found.person], found.gap, number_of[place], relevance))
            continue
        room = left.get(found.person, problem.limits[found.person])
        fits = any(demand.choices[place].hours <= room + SAME for place, _ in problem.closers_of(found.group))
        cause = Cause.SEATS if number in reachable and fits else Cause.HOURS if not fits else Cause.EXCLUDED
        missed.append(Missed(identities[found.person], found.gap, cause))
    sessions = sessions_of(
        demand, places, closed, [[demand.people[person] for person in sorted(sitting[place])] for place in places]
    )
    kept = (
        Kept(
            "每人学时",
            f"不超过 {rules.hours:g} 学时",
            f"最多 {max((rules.hours - room for room in left.values()), default=0):g} 学时",
        ),
        Kept(
            "每场名额", f"未另行规定的不超过 {rules.seats} 人", f"最多 {max(map(len, sitting.values()), default=0)} 人"
        ),
        Kept("开班人数", f"不少于 {rules.least} 人", f"最少 {min(map(len, sitting.values()), default=0)} 人"),
        Kept(
            "不让一个掉队",
            "有课可上的人至少一门" if rules.nobody_left else "未要求",
            f"{len(attends)} 人有课，{len(problem.people) - len(attends)} 人未排上",
        ),
    )
    return CohortPlan(
        MENU,
        certificate,
        sessions,
        tuple(closed),
        tuple(missed),
        kept,
        (),
        origin,
        demand.fingerprint(rules, origin),
    )
