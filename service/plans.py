"""Cohort plan -> the JSON of the contract; fields are added, never renamed."""

from __future__ import annotations

from typing import Any

from model.cohort_domain import CohortPlan
from model.menu import MENU


def dump_cohort(plan: CohortPlan) -> dict[str, Any]:
    """A cohort plan by the contract."""
    found = plan.certificate
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
        "sessions": [
            {
                "course_id": session.courses[0].id,
                "course_ids": [course.id for course in session.courses],
                "title": session.title,
                "hours": session.hours,
                "tentative": session.tentative,
                "category": session.branch,
                "closes": session.closes,
                # To a class everybody comes; the assignments tell who need not.
                **({"attendees": list(session.attendees)} if plan.kind == MENU else {}),
            }
            for session in plan.sessions
        ],
        "assignments": [{"id": person, "sessions": ids} for person, ids in attends.items()],
        "closed": [
            {
                "id": one.person,
                "gap": one.gap.text,
                "competency": one.gap.competency,
                "course_id": plan.sessions[one.session].courses[0].id,
                "weight": one.gap.weight,
                "relevance": one.relevance,
                "value": one.value,
            }
            for one in plan.closed
        ],
        "missed": [
            {
                "id": one.person,
                "gap": one.gap.text,
                "competency": one.gap.competency,
                "weight": one.gap.weight,
                "cause": one.cause.value,
            }
            for one in plan.missed
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
    }
