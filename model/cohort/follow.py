"""A plan, and the one before it -> how far every gap has come: 待补 → 已安排 → 已学 → 已销号 → 重开.

What somebody has learnt, and what they no longer lack, the new roster tells: completed courses and stated gaps. Nothing is kept of anybody but
what the two plans and the roster hold.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from model.cohort.demand import Demand
from model.cohort.nouns import CohortPlan, Fate, Filed, GapKey, Status, key_of
from model.domain import Profile, Reason

Fates = Mapping[GapKey, Fate]
KnownBy = Mapping[str, tuple[str, str]]

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
    before = of_these_people(before, known_by(own.profile for own in demand.people))
    completed = {own.profile.id: own.completed for own in demand.people}
    # A series is learnt when all of it is.
    series = {choice.id: {course.id for course in choice.courses} for choice in demand.choices}
    stated = dict(fates)
    reworded = _reworded(stated, before)
    for key, was in before.fates.items():
        if key[0] in completed:
            learnt = bool(was.course) and series.get(was.course, {was.course}) <= completed[key[0]]
            now = key if key in stated else reworded.get(key, key)
            fates[now] = _next(was, stated.get(now), learnt)
    return fates


def _next(was: Fate, now: Fate | None, learnt: bool) -> Fate:
    """What a gap has come to: ``was`` under the plan before, ``now`` under this one (None: no longer stated)."""
    if now is None:
        if was.status is Status.SETTLED:
            return was
        # That nobody names it any more settles nothing; that it was learnt does.
        return replace(was, status=Status.SETTLED, note="") if learnt else replace(was, note=UNSEEN)
    if was.status is Status.SETTLED:
        return Fate(Status.REOPENED, now.course, now.competency, AGAIN)
    if learnt and was.status is Status.LEARNT:
        return Fate(Status.REOPENED, now.course, now.competency, STILL)
    if learnt:
        return Fate(Status.LEARNT, was.course, now.competency)
    if was.status is Status.REOPENED:
        return Fate(Status.REOPENED, now.course, now.competency, was.note)
    return now


def _reworded(stated: Fates, before: Filed) -> dict[GapKey, GapKey]:
    """Gaps of the plan before that are stated in other words now: the only one of the same person, reason and competency on both sides."""

    def alone(fates: Fates, others: Fates) -> dict[tuple[str, Reason, str], GapKey]:
        of: dict[tuple[str, Reason, str], list[GapKey]] = {}
        for key, fate in fates.items():
            if key not in others and fate.competency:
                of.setdefault((key[0], key[1], fate.competency), []).append(key)
        return {matter: keys[0] for matter, keys in of.items() if len(keys) == 1}

    now = alone(stated, before.fates)
    return {key: now[matter] for matter, key in alone(before.fates, stated).items() if matter in now}


def known_by(people: Iterable[Profile]) -> dict[str, tuple[str, str]]:
    """What tells people apart where their ids may be row numbers: a digest of the name, and one of name and unit."""
    return {
        person.id: (_digest(person.name), _digest(person.name, person.unit) if person.name else "") for person in people
    }


def _digest(*words: str | None) -> str:
    return hashlib.sha256("\x1f".join(word or "" for word in words).encode()).hexdigest()[:16] if words[0] else ""


def of_these_people(before: Filed, now: KnownBy) -> Filed:
    """A kept plan with its people under the ids they have now: the same id and name, else the only ones of a name and unit. Others keep out
    of the way of the new ids."""
    units = {
        side: Counter(unit for _, unit in people.values() if unit)
        for side, people in (("before", before.known_by), ("now", now))
    }
    of_unit = {unit: person for person, (_, unit) in now.items() if unit and units["now"][unit] == 1}
    ids: dict[str, str] = {}
    for person, (name, unit) in before.known_by.items():
        if person in now and now[person][0] == name:
            ids[person] = person
        elif units["before"][unit] == 1 and unit in of_unit:
            ids[person] = of_unit[unit]

    def renamed(key: GapKey) -> GapKey:
        return ids.get(key[0], f"\x1f{key[0]}"), key[1], key[2]

    return replace(
        before,
        fates={renamed(key): fate for key, fate in before.fates.items()},
        closed=frozenset(map(renamed, before.closed)),
        missed=frozenset(map(renamed, before.missed)),
        known_by={ids.get(person, f"\x1f{person}"): known for person, known in before.known_by.items()},
    )
