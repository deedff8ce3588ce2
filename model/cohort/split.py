"""Demand + rules -> classes (分班): people with like needs and near levels together, and for each class its own best plan.

Who goes where and what is taught there depend on each other, so both are settled in turn until nothing changes for the better: given the people,
the best courses (exact); given the courses, the best places for the people (exact). Where this ends depends on where it begins, so it begins in
several ways and the best end counts. What no split can exceed is the worth of one class with the hours of all together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from model.cohort.class_plan import Chosen, ClassProblem, plan_of
from model.cohort.demand import TEN_THOUSANDTHS, Demand
from model.cohort.nouns import (
    Certificate,
    ClassPart,
    Closed,
    CohortPlan,
    Kept,
    Missed,
    Origin,
    Session,
    WhatIf,
    Yardstick,
)
from model.cohort.placing import RANK, Levels, Numbers, Places, fitting, place, starts
from model.cohort.program import FEASIBLE, OPTIMAL, Clock, Effort, Impossible
from model.cohort.rules import ClassRules, SplitRules, even_split
from model.errors import InputError

COARSE = 3e-3  # Near enough to the best class while people are still being moved.
SEARCHING = 0.6  # Of the time allowed; the rest is for the last, exact classes and the bound.
CUT_SHORT = Kept("分班搜索", "各种分法都试完", "到求解时限为止；再排一次或换一台机器，结果可能略有不同")
ROUNDS = 8  # Settling in turn rarely takes more than four.


@dataclass(frozen=True)
class Settled:
    """The class of each person, and the best choices for each class."""

    of: Places
    problems: tuple[ClassProblem, ...]
    chosen: tuple[Chosen, ...]
    certificates: tuple[Certificate, ...]

    @property
    def objective(self) -> float:
        """What all classes together close."""
        return round(sum(certificate.objective for certificate in self.certificates), 4)


def plan_split(
    demand: Demand,
    rules: ClassRules,
    split: SplitRules,
    effort: Effort,
    clock: Clock,
    origin: Origin,
    level_names: Mapping[int, str],
) -> CohortPlan:
    """The best classes found, with a bound on any; raises Impossible where no split keeps sizes and levels, or no class the rules."""
    begun = clock()
    levels = [own.profile.level for own in demand.people]
    split = fitting(split, levels)

    def left() -> Effort:
        return replace(effort, seconds=max(1.0, effort.seconds - (clock() - begun)))

    best: Settled | None = None
    refused: InputError | None = None
    seen: set[bytes] = set()
    cut_short = False
    for start in starts(demand, split):
        of = place(levels, start, split)
        for _ in range(ROUNDS):
            # Where a way leads that was gone before is known.
            cut_short = best is not None and clock() - begun > SEARCHING * effort.seconds
            if of is None or of.tobytes() in seen or cut_short:
                break
            seen.add(of.tobytes())
            try:
                found = settle(demand, rules, of, replace(left(), gap=max(effort.gap, COARSE)), clock)
            except Impossible as error:
                refused = error
                break
            if best is None or found.objective > best.objective:
                best = found
            of = place(levels, gains(demand, found.chosen), split)
        if cut_short:
            break
    if best is None:
        raise refused or InputError("没有找到任何分班方案，请把求解时间（--time-limit）放宽。")
    exact = settle(demand, rules, best.of, left(), clock)
    best = exact if exact.objective >= best.objective else best
    bound = max(best.objective, round(bound_of(demand, rules, split, left(), clock), 4))
    status = OPTIMAL if bound - best.objective <= effort.gap * best.objective else FEASIBLE
    found_in = Certificate(status, best.objective, bound, clock() - begun)
    plans = [plan_of(*parts, origin) for parts in zip(best.problems, best.chosen, best.certificates, strict=True)]
    return CohortPlan(
        rules.kind,
        found_in,
        *_joined(plans),
        (*_kept(split, plans, best, levels), *([CUT_SHORT] if cut_short else [])),
        _yardsticks(demand, rules, split, left(), clock),
        origin,
        demand.fingerprint(origin, rules, split),
        classes=tuple(
            ClassPart(name, tuple(own.profile.id for own in problem.demand.people), certificate)
            for name, problem, certificate in zip(
                class_names(plans, best, level_names), best.problems, best.certificates, strict=True
            )
        ),
    )


def gains(demand: Demand, chosen: Sequence[Chosen]) -> Numbers:
    """What each person would gain from each set of choices, in ten-thousandths, shape (people, classes)."""
    who = np.array([found.person for found in demand.open], dtype=int)
    group = np.array([found.group for found in demand.open], dtype=int)
    weight = np.array([found.gap.weight for found in demand.open], dtype=float)
    columns = []
    for held in chosen:
        best = demand.relevance[:, np.flatnonzero(held)].max(axis=1).toarray().ravel()
        values = np.round(weight * best[group] * TEN_THOUSANDTHS)
        columns.append(np.bincount(who, values, minlength=len(demand.people)))
    return np.stack(columns, axis=1)


def settle(demand: Demand, rules: ClassRules, of: Places, effort: Effort, clock: Clock) -> Settled:
    """The best choices of each class for the people in it; raises Impossible."""
    parts = [demand.of(np.flatnonzero(of == part).tolist()) for part in range(of.max() + 1)]
    effort = replace(effort, seconds=max(1.0, effort.seconds / len(parts)))
    problems = tuple(ClassProblem(part, rules) for part in parts)
    chosen, certificates = zip(*(problem.solve(effort, clock) for problem in problems), strict=True)
    return Settled(of, problems, chosen, certificates)


def bound_of(demand: Demand, rules: ClassRules, split: SplitRules, effort: Effort, clock: Clock) -> float:
    """What no split can exceed: one class with the hours of all, where everybody may attend everything and nothing else is asked."""
    required = sum(c.hours for c in demand.choices if c.ids & rules.pinned)
    # Every class holds what is required, so all but one of the times it is held teach nothing new.
    hours = rules.hours * split.classes - required * (split.classes - 1)
    most = None if rules.most_courses is None else rules.most_courses * split.classes
    loose = replace(rules, hours=hours, shares=(), theory=0, practice=0, most_courses=most, budget=None, fit=0.0)
    return ClassProblem(demand, replace(loose, alike=True)).solve(effort, clock)[1].bound


def what_if_split(
    plan: CohortPlan, demand: Demand, rules: ClassRules, split: SplitRules, effort: Effort, clock: Clock
) -> tuple[WhatIf, ...]:
    """What the classes would close with one hour more each, the people staying where they are, and what one class more would."""
    part_of = {person: number for number, part in enumerate(plan.classes) for person in part.people}
    of = np.array([part_of[own.profile.id] for own in demand.people])
    longer = settle(demand, replace(rules, hours=rules.hours + 1), of, effort, clock).objective
    people, more = len(demand.people), split.classes + 1
    found = [WhatIf("每班多 1 学时（人员不变）", longer)]
    if more <= people:
        wider = replace(even_split(people, more), span=split.span, most=max(split.most, even_split(people, more).most))
        with suppress(InputError):
            other = plan_split(demand, rules, wider, effort, clock, plan.origin, {})
            found.append(WhatIf(f"多分 1 个班（共 {more} 个班）", other.certificate.objective))
    return tuple(found)


def _yardsticks(
    demand: Demand, rules: ClassRules, split: SplitRules, effort: Effort, clock: Clock
) -> tuple[Yardstick, ...]:
    """What one class for all would close, and classes filled in the order of the roster."""
    people = len(demand.people)
    found = []
    for name, of in (
        ("不分班，全体同上一个班", np.zeros(people, dtype=int)),
        ("按名册顺序分班", np.arange(people) * split.classes // people),
    ):
        try:
            found.append(Yardstick(name, settle(demand, rules, of, effort, clock).objective, ()))
        except InputError:
            continue
    return tuple(found)


def class_names(plans: Sequence[CohortPlan], settled: Settled, level_names: Mapping[int, str]) -> list[str]:
    """What each class is called: what its people have in common more than those of the others (共性), and their levels."""
    shares: list[dict[str, float]] = []
    for plan, problem in zip(plans, settled.problems, strict=True):
        having: dict[str, set[str]] = defaultdict(set)
        for one in plan.closed:
            having[one.gap.competency or one.gap.text].add(one.person)
        shares.append({name: len(people) / len(problem.demand.people) for name, people in having.items()})
    names = []
    for part, problem in enumerate(settled.problems):
        others = [share for other, share in enumerate(shares) if other != part]
        behind = {
            name: max((share.get(name, 0.0) for share in others), default=0.0) - share
            for name, share in shares[part].items()
        }
        common = sorted(behind, key=lambda name: (behind[name], name))[:2]
        levels = sorted({own.profile.level for own in problem.demand.people if own.profile.level is not None})
        ends = dict.fromkeys(level_names.get(level, str(level)) for level in levels[:1] + levels[-1:])
        about = "；".join(filter(None, ["、".join(common), "至".join(ends)]))
        names.append(f"第{part + 1}班" + (f"（{about}）" if about else ""))
    return names


def _joined(
    plans: Sequence[CohortPlan],
) -> tuple[tuple[Session, ...], tuple[Closed, ...], tuple[Missed, ...]]:
    """What all classes hold, close and miss, the sessions numbered through."""
    sessions: list[Session] = []
    closed: list[Closed] = []
    for part, plan in enumerate(plans):
        closed += [replace(one, session=one.session + len(sessions)) for one in plan.closed]
        sessions += [replace(session, part=part) for session in plan.sessions]
    return tuple(sessions), tuple(closed), tuple(one for plan in plans for one in plan.missed)


def _kept(split: SplitRules, plans: Sequence[CohortPlan], settled: Settled, levels: Levels) -> tuple[Kept, ...]:
    """What was asked of the split and of each class, and what they do."""
    sizes = [len(problem.demand.people) for problem in settled.problems]
    apart = []
    for part in range(split.classes):
        known = [level for level, of in zip(levels, settled.of, strict=True) if of == part and level is not None]
        apart.append((max(known) - min(known)) / RANK if known else 0)
    asked = f"{split.classes} 个班，每班 {split.least} 到 {split.most} 人"
    return (
        Kept("分班", asked, "、".join(f"{size} 人" for size in sizes)),
        Kept("同班层级", f"相差不超过 {split.span} 级", f"最多相差 {max(apart):g} 级"),
        *(replace(rule, rule=f"第{part + 1}班{rule.rule}") for part, plan in enumerate(plans) for rule in plan.rules),
    )
