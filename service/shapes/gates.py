"""What would change between two versions -> JSON, and the shape of it; the people both are held against <-> lines of a file that name nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from marshmallow import fields as shapes

from model.domain import Profile, Restriction, Weakness
from model.versions.gate import Change, Report
from model.versions.gate_quality import Quality
from service.shapes.fields import Door

WHO = ("id", "name", "unit")  # What tells who somebody is; the row stands for it.


def dump_report(report: Report, roster: str, *, ids: bool) -> dict[str, Any]:
    """A report. ``ids`` are those of the people shown, for whoever handed in the roster; without them a row stands for a person."""
    return {
        "before": report.before,
        "after": report.after,
        "passed": not report.findings,
        "findings": [asdict(finding) for finding in report.findings],
        "quality": _quality(report.quality),
        "own": report.own and _quality(report.own),
        "roster": roster,
        "people": {
            "all": report.people,
            "changed": report.changed,
            "share": _share(report.changed, report.people),
            "largest": [_change(one, ids=ids) for one in report.largest],
        },
        "courses": {
            "entering": report.entering,
            "vanishing": report.vanishing,
            "required_before": report.required[0],
            "required_after": report.required[1],
            "shifts": [asdict(one) for one in report.shifts],
        },
        "gaps": {
            "all": report.gaps,
            "newly_unmet": report.newly_unmet,
            "share": _share(report.newly_unmet, report.gaps),
            "newly_met": report.newly_met,
            "unmet": [asdict(one) for one in report.unmet],
            "met": [asdict(one) for one in report.met],
        },
    }


def _quality(found: Quality) -> dict[str, Any]:
    told = {name: getattr(found, name)._asdict() for name in ("before", "after", "difference")}
    return {"metric": found.metric, "cases": found.cases, **told}


def _change(one: Change, *, ids: bool) -> dict[str, Any]:
    told = {"row": one.row, "before": list(one.before), "after": list(one.after)}
    told["new"] = [{"title": title, "reason": reason} for title, reason in one.reasons]
    return {"id": one.id, **told} if ids else told


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def dump_people(people: Iterable[Profile]) -> bytes:
    """People as lines, without what tells who they are: their posts, lacks, scores, completed courses, hours and restrictions."""
    lines = []
    for person in people:
        told = {name: value for name, value in asdict(person).items() if name not in WHO and value}
        lines.append(json.dumps(told | {"restrictions": sorted(person.restrictions)}, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def load_people(content: bytes) -> tuple[Profile, ...]:
    """The people of such lines, each known by the number of the line; ValueError, KeyError or TypeError where they are damaged."""
    known = {field.name for field in fields(Profile)}
    people = []
    for row, line in enumerate(content.decode().splitlines(), start=1):
        told = {name: value for name, value in json.loads(line).items() if name in known}
        told["weaknesses"] = tuple(Weakness(**one) for one in told.get("weaknesses", ()))
        told["scores"] = tuple((name, score) for name, score in told.get("scores", ()))
        told["completed"] = tuple(told.get("completed", ()))
        told["restrictions"] = frozenset(map(Restriction, told.get("restrictions", ())))
        people.append(Profile(**told | {"id": str(row)}))
    return tuple(people)


class EstimateOut(Door):
    """A mean with its 95 % interval."""

    mean = shapes.Float()
    low = shapes.Float()
    high = shapes.Float()


class QualityOut(Door):
    """A metric before and after, over the same cases."""

    metric = shapes.String()
    cases = shapes.Integer()
    before = shapes.Nested(EstimateOut)
    after = shapes.Nested(EstimateOut)
    difference = shapes.Nested(EstimateOut)


class FindingOut(Door):
    """A check that failed."""

    check = shapes.String(metadata={"description": "quality、own、unmet、changed 之一"})
    told = shapes.String()


class NewCourseOut(Door):
    """A course that is new to a person's list, and why it is there."""

    title = shapes.String()
    reason = shapes.String()


class ChangeOut(Door):
    """A person whose list changes much, by the row of the roster."""

    row = shapes.Integer()
    before = shapes.List(shapes.String())
    after = shapes.List(shapes.String())
    new = shapes.List(shapes.Nested(NewCourseOut))


class PeopleChangeOut(Door):
    """How many people's first courses change."""

    all = shapes.Integer()
    changed = shapes.Integer()
    share = shapes.Float()
    largest = shapes.List(shapes.Nested(ChangeOut))


class ShiftOut(Door):
    """A course and in how many people's first courses it stands."""

    course_id = shapes.String()
    title = shapes.String()
    before = shapes.Integer()
    after = shapes.Integer()


class CoursesChangeOut(Door):
    """Which courses come into people's first courses, and which go."""

    entering = shapes.Integer()
    vanishing = shapes.Integer()
    required_before = shapes.Integer(metadata={"description": "目录中的必修课门数；必修课不算在前几门里"})
    required_after = shapes.Integer()
    shifts = shapes.List(shapes.Nested(ShiftOut))


class TurnOut(Door):
    """Gaps of one need and cause that turned."""

    need = shapes.String()
    cause = shapes.String()
    gaps = shapes.Integer()
    people = shapes.Integer()


class GapsChangeOut(Door):
    """Gaps that turn from met to unmet, or back."""

    all = shapes.Integer()
    newly_unmet = shapes.Integer()
    share = shapes.Float()
    newly_met = shapes.Integer()
    unmet = shapes.List(shapes.Nested(TurnOut))
    met = shapes.List(shapes.Nested(TurnOut))


class ComparisonOut(Door):
    """What would change if one version took over from another."""

    before = shapes.String()
    after = shapes.String()
    passed = shapes.Boolean(metadata={"description": "能否不写理由就启用"})
    findings = shapes.List(shapes.Nested(FindingOut))
    quality = shapes.Nested(QualityOut)
    own = shapes.Nested(QualityOut, allow_none=True)
    roster = shapes.String()
    people = shapes.Nested(PeopleChangeOut)
    courses = shapes.Nested(CoursesChangeOut)
    gaps = shapes.Nested(GapsChangeOut)
    seconds = shapes.Float()
