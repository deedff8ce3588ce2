"""Cohort plan <-> the JSON of the contract; fields are added, never renamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from model.cohort.filing import Filing
from model.cohort.follow import known_by
from model.cohort.menu import MENU
from model.cohort.nouns import CohortPlan, Fate, Filed, GapKey, Origin, Status
from model.cohort.timetable import lay_out
from model.domain import Match, Reason
from model.errors import InputError
from model.files.tables import read_lines
from model.reports import need_of


def dump_cohort(filing: Filing) -> dict[str, Any]:
    """A cohort plan by the contract."""
    plan, found = filing.plan, filing.plan.certificate
    attends: dict[str, list[str]] = {}
    for session in plan.sessions:
        for person in session.attendees:
            attends.setdefault(person, []).append(session.courses[0].id)
    return {
        "kind": plan.kind,
        "status": found.status,
        "objective": found.objective,
        "bound": found.bound,
        "gap": round(found.gap, 8),
        "seconds": round(found.seconds, 3),
        "classes": [
            {
                "name": part.name,
                "people": list(part.people),
                "objective": part.certificate.objective,
                "bound": part.certificate.bound,
            }
            for part in plan.classes
        ],
        "sessions": [
            {
                "course_id": session.courses[0].id,
                "course_ids": [course.id for course in session.courses],
                "title": session.title,
                "hours": session.hours,
                "tentative": session.tentative,
                "category": session.branch,
                "closes": session.closes,
                **({"class": session.part} if plan.classes else {}),
                # To a class everybody comes; the assignments tell who need not.
                **({"attendees": list(session.attendees)} if plan.kind == MENU else {}),
            }
            for session in plan.sessions
        ],
        "timetable": _timetable(plan),
        # Digests: who a row number was is known again without the name.
        "people": [
            {"id": person, "name": name, "unit": unit}
            for person, (name, unit) in known_by(own.profile for own in filing.demand.people).items()
        ],
        "assignments": [
            {"id": person, "sessions": ids, **({"class": filing.part_of[person]} if plan.classes else {})}
            for person, ids in attends.items()
        ],
        "closed": [
            {
                "id": one.person,
                "gap": one.gap.text,
                "competency": one.gap.competency,
                "reason": one.gap.reason,
                "course_id": plan.sessions[one.session].courses[0].id,
                "session": one.session,
                "weight": one.gap.weight,
                "relevance": one.relevance,
                "value": one.value,
                **_followed(filing.fate(one.person, one.gap)),
            }
            for one in plan.closed
        ],
        "missed": [
            {
                "id": one.person,
                "gap": one.gap.text,
                "competency": one.gap.competency,
                "reason": one.gap.reason,
                "weight": one.gap.weight,
                "cause": one.cause.value,
                **_followed(filing.fate(one.person, one.gap)),
            }
            for one in plan.missed
        ],
        "settled": [
            {"id": person, "gap": text, "competency": fate.competency, "reason": reason, **_followed(fate)}
            for person, reason, text, fate in filing.gone()
        ],
        "missing_courses": _missing(filing),
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "value": pair.value,
                "first_gives": [asdict(gift) for gift in pair.first_gives],
                "second_gives": [asdict(gift) for gift in pair.second_gives],
            }
            for pair in (filing.pairs.pairs if filing.pairs else ())
        ],
        "rules": [{"rule": rule.rule, "asked": rule.asked, "found": rule.found} for rule in plan.rules],
        "yardsticks": [
            {"name": one.name, "objective": one.objective, "breaks": list(one.breaks)} for one in plan.yardsticks
        ],
        "what_if": [
            {
                "change": one.change,
                "objective": one.objective,
                "gain": round(one.objective - found.objective, 4),
            }
            for one in plan.what_if
        ],
        "model_version": plan.origin.model_version,
        "catalog_hash": plan.origin.catalog,
        "parameters": dict(plan.origin.parameters),
        "inputs_hash": plan.inputs_hash,
        **({"overridden": sorted(filing.demand.overridden)} if filing.demand.overridden else {}),
    }


def _timetable(plan: CohortPlan) -> list[dict[str, Any]]:
    """The days of each class; none for a menu, whose sessions each have people of their own, nor where the hours of a day are not told."""
    hours_per_day = plan.origin.parameters.get("settings", {}).get("HOURS_PER_DAY")
    if plan.kind == MENU or not hours_per_day:
        return []
    return [
        {
            "session": lesson.session,
            **({"class": lesson.part} if plan.classes else {}),
            "day": lesson.day,
            "start": lesson.start,
            "hours": lesson.hours,
        }
        for lesson in lay_out(plan.sessions, float(hours_per_day))
    ]


def _followed(fate: Fate) -> dict[str, Any]:
    """How far a gap has come, and the course that was arranged for it, which may be one of the plan before."""
    return {"status": fate.status, "arranged": fate.course, "note": fate.note}


def _missing(filing: Filing) -> list[dict[str, Any]]:
    """What no course teaches, by the number of people, each with the course that comes nearest."""
    people: dict[str, set[str]] = {}
    weights: dict[str, float] = {}
    nearest: dict[str, Match] = {}
    for one in filing.missing:
        need = need_of(one.gap)
        people.setdefault(need, set()).add(one.person)
        weights[need] = weights.get(need, 0.0) + one.gap.weight
        match = filing.nearest.get(one.gap.text)
        if match and (need not in nearest or match.relevance > nearest[need].relevance):
            nearest[need] = match
    return [
        {
            "competency": need,
            "people": len(people[need]),
            "weight": round(weights[need], 2),
            "nearest": {
                "course_id": nearest[need].course.id,
                "title": nearest[need].course.title,
                "relevance": nearest[need].relevance,
            }
            if need in nearest
            else None,
        }
        for need in sorted(people, key=lambda need: (-len(people[need]), need))
    ]


class _Lenient(Schema):
    class Meta:
        unknown = EXCLUDE


class _Held(_Lenient):
    course_id = fields.String(required=True)
    title = fields.String(required=True)
    hours = fields.Float(required=True)
    closes = fields.Float(required=True)
    attendees = fields.List(fields.String())


class _Part(_Lenient):
    people = fields.List(fields.String(), required=True)


class _Assigned(_Lenient):
    id = fields.String(required=True)


class _Gift(_Lenient):
    competency = fields.String(required=True)
    text = fields.String(required=True)


class _Pair(_Lenient):
    first = fields.String(required=True)
    second = fields.String(required=True)
    first_gives = fields.List(fields.Nested(_Gift), required=True)
    second_gives = fields.List(fields.Nested(_Gift), required=True)


class _Gap(_Lenient):
    id = fields.String(required=True)
    gap = fields.String(required=True)
    competency = fields.String(load_default=None, allow_none=True)
    reason = fields.Enum(Reason, by_value=True, required=True)
    arranged = fields.String(required=True)
    note = fields.String(required=True)
    status = fields.Enum(Status, by_value=True, required=True)


def _keys(lines: Iterable[Mapping[str, Any]]) -> frozenset[GapKey]:
    return frozenset((one["id"], one["reason"], one["gap"]) for one in lines)


class _Known(_Lenient):
    id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)


class _Plan(_Lenient):
    kind = fields.String(required=True)
    objective = fields.Float(required=True)
    bound = fields.Float(required=True)
    classes = fields.List(fields.Nested(_Part))
    assignments = fields.List(fields.Nested(_Assigned))
    pairs = fields.List(fields.Nested(_Pair))
    sessions = fields.List(fields.Nested(_Held), required=True)
    closed = fields.List(fields.Nested(_Gap), required=True)
    missed = fields.List(fields.Nested(_Gap), required=True)
    settled = fields.List(fields.Nested(_Gap), load_default=list)
    people = fields.List(fields.Nested(_Known), required=True)
    model_version = fields.String(required=True)
    catalog_hash = fields.String(required=True)
    parameters = fields.Dict(keys=fields.String(), required=True)
    inputs_hash = fields.String(required=True)

    @post_load
    def _filed(self, data: dict[str, Any], **_: Any) -> Filed:
        return Filed(
            data["kind"],
            data["objective"],
            data["bound"],
            tuple((one["course_id"], one["title"], one["hours"], one["closes"]) for one in data["sessions"]),
            {
                (one["id"], one["reason"], one["gap"]): Fate(
                    one["status"], one["arranged"], one["competency"], one["note"]
                )
                for one in (*data["closed"], *data["missed"], *data["settled"])
            },
            _keys(data["closed"]),
            _keys(data["missed"]),
            {one["id"]: (one["name"], one["unit"]) for one in data["people"]},
            Origin(data["model_version"], data["catalog_hash"], data["parameters"]),
            data["inputs_hash"],
        )


def load_cohort(plan: Mapping[str, Any]) -> Filed:
    """What a plan's JSON tells; raises marshmallow's ValidationError."""
    filed: Filed = _Plan().load(plan)
    return filed


def read_filed(path: Path) -> Filed:
    """Read a plan that was kept as JSON; raises InputError."""
    if not path.is_file():
        raise InputError(f"找不到文件 {path.name}。请检查路径。")
    try:
        return load_cohort(json.loads("\n".join(read_lines(path))))
    except (InputError, ValueError, TypeError, RecursionError, ValidationError) as error:
        raise InputError(
            f"{path.name} 不是 quebu plan 写出的方案（.json），读不出来。请给出用 --out 方案.json 保存的文件。"
        ) from error
