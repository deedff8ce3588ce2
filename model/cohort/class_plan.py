"""Demand + rules -> a class plan (班次方案): one class, everybody attends; the courses that close most of what the cohort lacks.

Choosing is a facility-location program, solved exactly: a gap is closed by the best course held for it, courses cost hours, the rules of
the class are rows. The certificate tells how far any other choice could be better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from model.cohort.choices import Choice, innovative
from model.cohort.demand import TEN_THOUSANDTHS, Demand
from model.cohort.nouns import Certificate, Closed, CohortPlan, Kept, Missed, Origin, WhatIf, Yardstick
from model.cohort.program import SAME, Clock, Effort, Impossible, Program, Rule
from model.cohort.rules import ClassRules
from model.cohort.sessions import comes, sessions_of, standing
from model.domain import Cause
from model.selection import TRAVELLING

INNOVATIVE = frozenset({"习近平新时代中国特色社会主义思想", "党的重要会议精神"})  # Areas that teach 党的创新理论.

Chosen = NDArray[np.bool_]
Vector = NDArray[np.float64]


class ClassProblem:
    """The choices that may be held for a cohort, and what is asked of them together."""

    def __init__(self, demand: Demand, rules: ClassRules) -> None:
        self.demand, self.asked = demand, rules
        choices = demand.choices
        self.hours = np.array([choice.hours for choice in choices])
        self.pinned = np.array([bool(choice.ids & rules.pinned) for choice in choices], dtype=bool)
        self.allowed = self.pinned | np.array([self._may(place) for place in range(len(choices))], dtype=bool)
        self.worth = demand.worth.multiply(self.allowed.astype(float)).tocsc()
        self.worth.eliminate_zeros()

    def _may(self, place: int) -> bool:
        choice, rules = self.demand.choices[place], self.asked
        wrong_way = bool(rules.modes) and not any(word in choice.mode for word in rules.modes)
        barred = any(course.id in rules.excluded or course.seats == 0 for course in choice.courses)
        return not wrong_way and not barred and self.demand.fits[place] >= rules.fit - SAME

    @cached_property
    def duplicates(self) -> list[list[int]]:
        """Groups of near-duplicates of which at most one is held; what is pinned is held whatever it resembles."""
        groups = [] if self.asked.alike else self.demand.twins
        free = [[place for place in group if self.allowed[place] and not self.pinned[place]] for group in groups]
        return [group for group in free if len(group) > 1]

    def solve(self, effort: Effort, clock: Clock) -> tuple[Chosen, Certificate]:
        """The best choices; raises Impossible where no choice keeps the rules."""
        if not self.allowed.any():
            narrow = [f"授课方式：{'、'.join(self.asked.modes)}"] if self.asked.modes else []
            told = [*narrow, f"适用对象覆盖全班的 {self.asked.fit:.0%}", "未被排除、名额未满"]
            raise Impossible(["有课程符合“" + "；".join(told) + "”"], ["放宽授课方式、适用对象比例或排除的课程"])
        x, certificate = self.program().solve(effort, clock)
        chosen = self._without_idle(x[: len(self.hours)] > 0.5)
        objective = self.value(chosen)
        bound = max(objective, certificate.bound / TEN_THOUSANDTHS)
        return chosen, replace(certificate, objective=objective, bound=round(bound, 4))

    def program(self) -> Program:
        """Whether a choice is held (whole numbers), then for each group and choice whether the choice closes the group."""
        entries = self.worth.tocoo()
        count, served, ones = len(self.hours), entries.nnz, np.ones(entries.nnz)
        program = Program(
            worth=np.concatenate([np.zeros(count), entries.data]),
            whole=count,
            most=np.concatenate([self.allowed.astype(float), ones]),
        )
        own = np.arange(served)
        held = sp.csr_matrix((-ones, (own, entries.col)), shape=(served, count))
        program.structure.append((sp.hstack([held, sp.eye(served)], format="csr"), np.zeros(served)))
        groups = self.worth.shape[0]
        once = sp.csr_matrix((ones, (entries.row, count + own)), shape=(groups, count + served))
        program.structure.append((once, np.ones(groups)))
        for group in self.duplicates:
            one = sp.csr_matrix((np.ones(len(group)), (np.zeros(len(group), int), group)), shape=(1, count + served))
            program.structure.append((one, np.ones(1)))
        program.rules = self.rules
        return program

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """What is asked, as rows over the choices."""
        asked, hours, each = self.asked, self.hours, np.ones(len(self.hours))
        choices = self.demand.choices

        def counted(row: Vector, unit: str) -> Callable[[Vector], str]:
            return lambda chosen: f"{round(float(row @ chosen), 2):,g} {unit}"

        found = [
            Rule(
                "总学时", f"不超过 {asked.hours:g} 学时", hours, high=asked.hours,
                cure="总学时至少 {:g} 学时", tell=counted(hours, "学时"),
            ),
            Rule("课程", "至少安排一门", each, low=1, tell=counted(each, "门")),
        ]  # fmt: skip
        if self.pinned.any():
            row = self.pinned.astype(float)
            words = f"全部安排（{int(row.sum())} 门，共 {float(hours @ row):g} 学时）"
            cure = "不要求必修课全部安排（其他要求不变时，最多排得下 {:g} 门）"
            found.append(Rule("必修课", words, row, low=float(row.sum()), cure=cure, tell=counted(row, "门")))
        for share in asked.shares:
            inside = np.array([choice.branch in share.branches for choice in choices], dtype=float) * hours
            name, words = "＋".join(share.branches), f"不低于总学时的 {share.least:.0%}"
            cure = f"补充可用的{name}课程（还差 {{:g}} 学时）"
            row = inside - share.least * hours
            found.append(Rule(name, words, row, low=0, cure=cure, tell=partial(_percent, inside, hours)))
        teaching = np.array([_innovative(choice) for choice in choices], dtype=float)
        doing = np.array([any(word in choice.mode for word in TRAVELLING) for choice in choices], dtype=float)
        for name, least, row in (("党的创新理论课程", asked.theory, teaching), ("实践教学", asked.practice, doing)):
            if least:
                cure = f"{name}减为 {{:g}} 门"
                found.append(Rule(name, f"至少 {least} 门", row, low=least, cure=cure, tell=counted(row, "门")))
        if asked.most_courses is not None:
            words, cure = f"不超过 {asked.most_courses} 门", "课程门数放宽到 {:g} 门"
            found.append(Rule("课程门数", words, each, high=asked.most_courses, cure=cure, tell=counted(each, "门")))
        if asked.budget is not None:
            row, words = hours * asked.budget.of_hour(len(self.demand.people)), f"不超过 {asked.budget.total:,.0f} 元"
            cure = "经费至少 {:,.0f} 元"
            found.append(Rule("经费", words, row, high=asked.budget.total, cure=cure, tell=counted(row, "元")))
        return tuple(found)

    def broken(self, chosen: Chosen) -> tuple[str, ...]:
        """The rules that a set of choices breaks, in words."""
        twice = any(chosen[group].sum() > 1 for group in self.duplicates)
        return tuple(rule.told for rule in self.rules if not rule.holds(chosen.astype(float))) + (
            ("内容相近的课程只排一门",) if twice else ()
        )

    def value(self, chosen: Chosen) -> float:
        """What a set of choices closes: of each group, by its best choice."""
        return round(float(self._best(chosen).sum()) / TEN_THOUSANDTHS, 4)

    def _best(self, chosen: Chosen) -> NDArray[np.float64]:
        """What each group gains from the best of a set of choices."""
        if not chosen.any():
            return np.zeros(self.worth.shape[0])
        return np.asarray(self.worth[:, chosen].max(axis=1).todense(), dtype=float).ravel()

    def shortest(self) -> Vector:
        """The hours of the shortest choice that may be held and would close each group; infinite where there is none."""
        found = np.full(self.worth.shape[0], np.inf)
        entries = self.worth.tocoo()
        np.minimum.at(found, entries.row, self.hours[entries.col])
        return found

    def _without_idle(self, chosen: Chosen) -> Chosen:
        """Leave out what closes nothing that the others do not, unless a rule needs it: a shorter class is the better one."""
        kept: Chosen = chosen.copy()
        for place in np.flatnonzero(chosen & ~self.pinned):
            without = kept.copy()
            without[place] = False
            if self.value(without) == self.value(kept) and not self.broken(without):
                kept = without
        return kept

    def greedy(self, order: Callable[[Chosen], NDArray[np.float64]]) -> Chosen:
        """Take one choice after the other, the one with the largest ``order`` of those that fit, until none with a positive one does."""
        chosen: Chosen = self.pinned.copy()
        limits = [rule for rule in self.rules if rule.high < np.inf]
        while True:
            merit = np.where(self.allowed & ~chosen, order(chosen), 0.0)
            for group in self.duplicates:
                if chosen[group].any():
                    merit[group] = 0.0
            for rule in limits:
                merit[rule.row + rule.row @ chosen > rule.high + SAME] = 0.0
            if merit.max(initial=0.0) <= 0:
                return chosen
            chosen[int(np.argmax(merit))] = True

    def simpler(self) -> dict[str, Chosen]:
        """The choices of two simple ways: one course after the other by its gain an hour, and the courses most asked for."""
        entries = self.worth.tocoo()
        alone = np.asarray(self.worth.sum(axis=0), dtype=float).ravel()

        def gain_an_hour(chosen: Chosen) -> NDArray[np.float64]:
            more = np.maximum(entries.data - self._best(chosen)[entries.row], 0.0)
            gained = np.bincount(entries.col, weights=more, minlength=len(self.hours)).astype(float)
            return np.asarray(gained / np.maximum(self.hours, SAME))

        return {
            "逐门挑选每学时收益最高的课程": self.greedy(gain_an_hour),
            "按需求总量从高到低排课": self.greedy(lambda _: alone),
        }

    def yardsticks(self) -> tuple[Yardstick, ...]:
        """What the simpler ways close, and which rules they break."""
        return tuple(
            Yardstick(name, self.value(chosen), self.broken(chosen)) for name, chosen in self.simpler().items()
        )

    def kept(self, chosen: Chosen) -> tuple[Kept, ...]:
        """Each rule, what it asks for and what the class does."""
        return tuple(Kept(rule.name, rule.asks, rule.tell(chosen.astype(float))) for rule in self.rules)


def plan_class(demand: Demand, rules: ClassRules, effort: Effort, clock: Clock, origin: Origin) -> CohortPlan:
    """The best class for a cohort, with its certificate; raises Impossible where no class keeps the rules."""
    problem = ClassProblem(demand, rules)
    return plan_of(problem, *problem.solve(effort, clock), origin)


def plan_of(problem: ClassProblem, chosen: Chosen, certificate: Certificate, origin: Origin) -> CohortPlan:
    """The plan that holds these choices: what each of them closes for whom, and why the rest stays open."""
    demand, rules = problem.demand, problem.asked
    places = sorted(np.flatnonzero(chosen).tolist(), key=lambda place: standing(demand.choices[place]))
    number_of = {place: number for number, place in enumerate(places)}
    best = _closers(demand, places)
    shortest = problem.shortest()
    left = rules.hours - float(problem.hours @ chosen)
    identities = [own.profile.id for own in demand.people]
    missed = [Missed(identities[person], gap, cause) for person, gap, cause in demand.hopeless]
    closed = []
    for found in demand.open:
        place, relevance = best[found.group]
        if relevance > 0:
            closed.append(Closed(identities[found.person], found.gap, number_of[place], relevance))
        else:
            # Hours are to blame only where none of the courses for it fits those that are left; else it is some other rule.
            lacking = left + SAME < shortest[found.group] < np.inf
            cause = Cause.HOURS if lacking else Cause.EXCLUDED
            missed.append(Missed(identities[found.person], found.gap, cause))
    sessions = sessions_of(
        demand,
        places,
        closed,
        [[own for own in demand.people if comes(own, demand.choices[place])] for place in places],
    )
    return CohortPlan(
        rules.kind,
        certificate,
        sessions,
        tuple(closed),
        tuple(missed),
        problem.kept(chosen),
        problem.yardsticks(),
        origin,
        demand.fingerprint(origin, rules),
    )


def _innovative(choice: Choice) -> bool:
    """Whether a choice teaches 党的创新理论: its title or category says so, or the list names such a competency for it."""
    stated = any(course.competencies for course in choice.courses)
    return any(innovative(course) for course in choice.courses) or (stated and choice.area in INNOVATIVE)


def _percent(inside: Vector, all_of_it: Vector, chosen: Vector) -> str:
    return f"{float(inside @ chosen) / max(float(all_of_it @ chosen), SAME):.1%}"


def what_if(demand: Demand, rules: ClassRules, effort: Effort, clock: Clock) -> tuple[WhatIf, ...]:
    """What the best class would close with one hour, one course or a tenth of the budget more, or without one of the shares."""
    changes = [("多 1 学时", replace(rules, hours=rules.hours + 1))]
    if rules.most_courses is not None:
        changes.append(("多 1 门课程", replace(rules, most_courses=rules.most_courses + 1)))
    if rules.budget is not None:
        more = replace(rules.budget, total=rules.budget.total * 1.1)
        changes.append((f"经费多一成（{more.total:,.0f} 元）", replace(rules, budget=more)))
    for share in rules.shares:
        rest = tuple(other for other in rules.shares if other is not share)
        changes.append((f"不要求{'＋'.join(share.branches)}占 {share.least:.0%}", replace(rules, shares=rest)))
    return tuple(
        WhatIf(change, ClassProblem(demand, changed).solve(effort, clock)[1].objective) for change, changed in changes
    )


def _closers(demand: Demand, places: list[int]) -> list[tuple[int, float]]:
    """For each group the held choice that closes it most surely, and how surely (0: none)."""
    held = demand.relevance[:, places].toarray()
    winners = held.argmax(axis=1).tolist()
    return [(places[winner], float(row[winner])) for winner, row in zip(winners, held, strict=True)]
