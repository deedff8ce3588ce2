"""A plan, and the one before it -> how far every gap has come: 待补 → 已安排 → 已学 → 已销号 → 重开.

What somebody has learnt, and what they no longer lack, the new roster tells: completed courses and stated gaps. Nothing is kept of anybody but
what the two plans and the roster hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from model.cohort.demand import Demand
from model.cohort.nouns import CohortPlan, Fate, Filed, GapKey, Status, key_of

Fates = Mapping[GapKey, Fate]

UNSEEN = "名册不再提出，但没有学习记录，请核实后销号"
AGAIN = "销号后又提出"
STILL = "学过安排的课程后仍然提出，请另行安排"


def follow(plan: CohortPlan, demand: Demand, before: Filed | None = None) -> Fates:
    """The state of every gap under ``plan``, and of those of the plan before it that the roster no longer states."""
    fates = {key_of(one.person, one.gap): Fate(Status.OPEN, "", one.gap.competency) for one in plan.missed}
    for closed in plan.closed:
        course = plan.sessions[closed.session].courses[0].id
        fates[key_of(closed.person, closed.gap)] = Fate(Status.ARRANGED, course, closed.gap.competency)
    if before is None:
        return fates
    completed = {own.profile.id: own.completed for own in demand.people}
    for key, was in before.fates.items():
        if key[0] in completed:
            fates[key] = _next(was, fates.get(key), was.course in completed[key[0]])
    return fates


def _next(was: Fate, now: Fate | None, learnt: bool) -> Fate:
    """What a gap has come to: ``was`` under the plan before, ``now`` under this one (None: no longer stated)."""
    if now is None:
        if was.status is Status.SETTLED:
            return was
        return Fate(Status.SETTLED, was.course, was.competency, "" if learnt else UNSEEN)
    if was.status is Status.SETTLED:
        return Fate(Status.REOPENED, now.course, now.competency, AGAIN)
    if learnt and was.status is Status.LEARNT:
        return Fate(Status.REOPENED, now.course, now.competency, STILL)
    if learnt:
        return Fate(Status.LEARNT, was.course, now.competency)
    if was.status is Status.REOPENED:
        return Fate(Status.REOPENED, now.course, now.competency, was.note)
    return now
