"""A mixed-integer program with named rules, solved exactly by HiGHS: an answer with its certificate, or the rules that contradict each other.

Everything a cohort plan decides is written as such a program. Structure (a gap is closed at most once) has no name; rules that a planner set
have one, so that an impossible demand can be told in the planner's words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from model.cohort.nouns import Certificate
from model.errors import InputError

Clock = Callable[[], float]
Vector = NDArray[np.float64]

SAME = 1e-6  # Sums of hours that differ by less are the same.
OPTIMAL, FEASIBLE = "optimal", "feasible"


class Impossible(InputError):
    """No plan keeps all rules. ``conflict`` names a minimal set of rules that contradict each other, ``remedies`` what would help."""

    def __init__(self, conflict: Sequence[str], remedies: Sequence[str]) -> None:
        several = len(conflict) > 1
        advice = "只改其中一项都不够，请同时放宽几项。" if several else "目录里可用的课程不够，请放宽这一项。"
        if remedies:
            advice = f"可以{'任选一项' if len(remedies) > 1 else ''}调整：{'；'.join(remedies)}。"
        failing = "不能同时满足" if several else "满足不了"
        super().__init__(f"排不出方案，下列要求{failing}：{'；'.join(conflict)}。{advice}")
        self.conflict, self.remedies = tuple(conflict), tuple(remedies)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look (seconds) and how near to the best is near enough (relative gap)."""

    seconds: float = 60.0
    gap: float = 1e-4


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule of the planner over the first variables: low <= row . x <= high. ``asks`` and ``cure`` are its words; the cure has a
    place for the number that would be enough; ``tell`` words what values come to."""

    name: str
    asks: str
    row: Vector
    low: float = -np.inf
    high: float = np.inf
    cure: str = ""
    tell: Callable[[Vector], str] = lambda x: ""

    @property
    def told(self) -> str:
        """The rule in one phrase."""
        return f"{self.name}{self.asks}"

    def holds(self, x: Vector) -> bool:
        """Whether values of the first variables keep it."""
        return bool(self.low - SAME <= self.row @ x <= self.high + SAME)


@dataclass
class Program:
    """Maximise ``worth . x`` for x between 0 and ``most``, the first ``whole`` of them whole numbers.

    ``structure`` rows are of the form matrix . x <= limit.
    """

    worth: Vector
    whole: int
    most: Vector
    structure: list[tuple[sp.csr_matrix, Vector]] = field(default_factory=list)
    rules: Sequence[Rule] = ()

    def solve(self, effort: Effort, clock: Clock) -> tuple[Vector, Certificate]:
        """The best x found and how good it is; raises Impossible, or InputError where the time was too short to find any."""
        start = clock()
        found = self._milp(-self.worth, self.rules, effort)
        if found.status == 2:
            raise self._impossible(effort)
        if found.x is None:
            raise InputError(f"在 {effort.seconds:g} 秒内没有找到任何方案，请把求解时间（--time-limit）放宽。")
        x = np.asarray(found.x)
        x[: self.whole] = np.round(x[: self.whole])
        worth = float(self.worth @ x)
        bound = max(worth, -float(found.mip_dual_bound)) if self.whole else worth
        return x, Certificate(OPTIMAL if found.status == 0 else FEASIBLE, worth, bound, clock() - start)

    def relaxed(self, seconds: float) -> tuple[Vector, float] | None:
        """The best x where all may be fractions, and its worth, which nothing exceeds; None where the time was too short, or there is
        none. By an interior-point method, which large programs with many equal ways need."""
        matrix = sp.vstack([matrix for matrix, _ in self.structure], format="csr")
        limits = np.concatenate([limit for _, limit in self.structure])
        bounds = np.stack([np.zeros(len(self.most)), self.most], axis=1)
        options = {"time_limit": seconds}
        found = linprog(-self.worth, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs-ipm", options=options)
        return None if found.status else (np.asarray(found.x), -float(found.fun))

    def _impossible(self, effort: Effort) -> Impossible:
        """A minimal set of contradicting rules (deletion filter: Chinneck, Feasibility and Infeasibility in Optimization, 2008), and for
        each of them how far it would have to give way if all others stay."""
        conflict = list(self.rules)
        for rule in self.rules:
            rest = [other for other in conflict if other is not rule]
            if self._milp(np.zeros(len(self.worth)), rest, effort).status == 2:
                conflict = rest
        cures = [cure for rule in conflict if (cure := self._cure(rule, self.rules, effort))]
        if not cures:
            # There is another conflict besides; this one at least can be told how to be solved.
            cures = [f"{cure}（之后还有别的冲突）" for rule in conflict if (cure := self._cure(rule, conflict, effort))]
        return Impossible([rule.told for rule in conflict], cures)

    def _cure(self, rule: Rule, rules: Sequence[Rule], effort: Effort) -> str:
        """What the rule would have to be for the others to be kept; blank where no change of it alone is enough."""
        if not rule.cure:
            return ""
        wide = np.zeros(len(self.worth))
        wide[: len(rule.row)] = rule.row
        aim = -wide if rule.low > -np.inf else wide
        found = self._milp(aim, [other for other in rules if other is not rule], effort)
        return "" if found.x is None else rule.cure.format(abs(round(float(wide @ found.x), 2)))

    def _milp(self, cost: Vector, rules: Collection[Rule], effort: Effort) -> OptimizeResult:
        count = len(self.worth)
        constraints = [LinearConstraint(matrix, -np.inf, limit) for matrix, limit in self.structure]
        if rules:
            rows = sp.csr_matrix(np.stack([rule.row for rule in rules]))
            rows.resize(len(rules), count)
            # HiGHS has a tolerance of its own; one more of ours has led it to call what can be impossible.
            low, high = np.array([rule.low for rule in rules]), np.array([rule.high for rule in rules])
            constraints.append(LinearConstraint(rows, low, high))
        options = {"time_limit": effort.seconds, "mip_rel_gap": effort.gap}
        whole = np.arange(count) < self.whole
        return milp(cost, integrality=whole, bounds=Bounds(0, self.most), constraints=constraints, options=options)
