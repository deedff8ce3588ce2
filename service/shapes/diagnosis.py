"""Who lacks what <-> JSON: the people with their gaps, and what is counted from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from model.cohort.diagnosis import COMMON_SHARE, Map, Person, Told, heat_map, needs_of, sources_of
from model.domain import Cause, Gap, Reason

AXES = ("单位", "层级")


def dump_diagnosis(people: Sequence[Person], share: float = COMMON_SHARE) -> dict[str, Any]:
    """What is counted from the people, and the people themselves under ``results``."""
    return {
        "people": len(people),
        "gaps": sum(len(person.gaps) for person in people),
        "silent": [person.id for person in people if person.states_nothing],
        "maps": [dump_map(heat_map(people, axis)) for axis in AXES],
        "needs": [asdict(need) | {"texts": list(need.texts)} for need in needs_of(people, share)],
        "sources": [asdict(source) for source in sources_of(people)],
        "results": [dump_person(person) for person in people],
    }


def dump_map(found: Map) -> dict[str, Any]:
    """A heat map."""
    return {
        "axis": found.axis,
        "columns": list(found.columns),
        "rows": [asdict(row) | {"counts": list(row.counts)} for row in found.rows],
    }


def dump_person(person: Person) -> dict[str, Any]:
    """One person and their gaps."""
    return {
        "id": person.id,
        "name": person.name,
        "unit": person.unit,
        "post": person.post,
        "level": person.level,
        "gaps": [
            {
                "text": gap.text,
                "competency": gap.competency,
                "reason": gap.reason.value,
                "kind": gap.kind,
                "source": gap.source,
                "weight": gap.weight,
                "cause": cause and cause.value,
            }
            for gap, cause in person.gaps
        ],
    }


def load_person(told: Mapping[str, Any]) -> Person:
    """One person as :func:`dump_person` told of them; what we wrote ourselves is not checked again."""
    return Person(
        told["id"], told["name"], told["unit"], told["post"], told["level"],
        tuple(
            Told(
                Gap(one["text"], one["competency"], Reason(one["reason"]), one["kind"], one["source"], one["weight"]),
                one["cause"] and Cause(one["cause"]),
            )
            for one in told["gaps"]
        ),
    )  # fmt: skip
