"""What the catalog requires of a class and a planner took out: the rule counts only what is left, so the plan says it beside the rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import replace

from model.cohort.demand import Demand
from model.cohort.nouns import CohortPlan, Kept
from model.selection import Kind, Selector

RULE = "必修课"  # As the rule of a class is called; in a split the name of the class stands before it.
OUTSIDE = {"层级不符", "岗位不符"}


def taken_out(demand: Demand, selector: Selector, excluded: Set[str], fit: float) -> int:
    """How many courses were taken out that the catalog requires of this cohort. ``selector`` bars nothing by name: what is taken out is asked for its
    audience all the same."""
    kinds = Counter(Kind.of(own) for own in demand.people)
    count = 0
    for choice in demand.choices:
        if not any(course.required and course.id in excluded for course in choice.courses):
            continue
        outside = sum(
            people
            for kind, people in kinds.items()
            if any(selector.barred(kind).get(row) in OUTSIDE for row in choice.rows)
        )
        count += 1 - outside / max(1, len(demand.people)) >= fit
    return count


def telling(plan: CohortPlan, out: int) -> CohortPlan:
    """The plan with rules that say that so many required courses were taken out."""
    if not out:
        return plan
    words = f"另有 {out} 门目录中的必修课由排班人移出，没有安排"
    rules = tuple(replace(one, asked=f"{one.asked}；{words}") if one.rule.endswith(RULE) else one for one in plan.rules)
    if rules == plan.rules:  # None is left, so there is no rule.
        rules += (Kept(RULE, words.removeprefix("另"), "0 门"),)
    return replace(plan, rules=rules)
