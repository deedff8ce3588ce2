"""What the people of the desk lack, worked out once for a roster and a version; and those of them that a number of the map stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from model.cohort.diagnosis import Person, Told, heat_map, place_of
from model.cohort.need_reports import REST
from model.domain import Reason
from model.reports import need_of
from service.cohorts import people_lacking
from service.pages import desk
from service.shapes.diagnosis import AXES, dump_person, load_person

PARTS = PEOPLE, KNOWN = ("diagnosis", "diagnosed")
ASKED = ("axis", "row", "need", "reason", "text", "silent")
NARROWING = ("row", "need", "text", "silent")
REASONS = frozenset(Reason)


class Chosen(NamedTuple):
    """Somebody with their place on the roster, and the gaps that were asked about."""

    place: int
    person: Person
    gaps: list[Told]


def known() -> bool:
    """Whether what the people of the desk lack was worked out, with the version that is active."""
    told = desk.take(KNOWN)
    return told is not None and told["version"] == desk.recommender().version


def everybody() -> list[Person]:
    """The people of the desk and what they lack."""
    if known():
        return [load_person(one) for one in desk.take(PEOPLE)]
    reading, recommender = desk.reading(), desk.recommender()
    found = people_lacking(recommender, reading, desk.limits()) if reading else []
    lay([dump_person(one) for one in found], recommender.version)
    return found


def lay(people: list[Any], version: str) -> None:
    """Keep on the desk what was worked out."""
    desk.lay(PEOPLE, people)
    desk.lay(KNOWN, {"version": version})


def of_reason(people: list[Person], reason: str) -> list[Person]:
    """The people with the gaps of one reason alone."""
    if not reason:
        return people
    kept = Reason(reason)
    return [replace(person, gaps=tuple(one for one in person.gaps if one.gap.reason is kept)) for person in people]


def asked_in(told: Mapping[str, str]) -> dict[str, str]:
    """Which people an address asks for, of its members those that are filled in."""
    asked = {name: told[name] for name in ASKED if told.get(name)}
    if asked.get("axis") not in AXES:
        asked.pop("axis", None)
    if asked.get("reason") not in REASONS:
        asked.pop("reason", None)
    return asked


def chosen(people: list[Person], asked: Mapping[str, str]) -> list[Chosen]:
    """The people of a cell, a row or a column of the map, those found by words, or those of whom nothing is known."""
    axis, need, some = asked.get("axis") or AXES[0], asked.get("need", ""), of_reason(people, asked.get("reason", ""))
    row_of = place_of(axis)
    shown = frozenset(heat_map(some, axis).columns if need == REST else ())
    found = []
    for place, person in enumerate(some):
        if asked.get("row") and row_of(person) != asked["row"]:
            continue
        if asked.get("text", "") not in f"{person.name}{person.id}{person.unit}{person.post}":
            continue
        if asked.get("silent") and not people[place].states_nothing:
            continue
        gaps = [one for one in person.gaps if not need or _is(need, need_of(one.gap), shown)]
        if gaps or not need:
            found.append(Chosen(place, person, gaps))
    return found


def _is(asked: str, need: str, shown: frozenset[str]) -> bool:
    """All others together are the needs that have no column of their own."""
    return need == asked or (asked == REST and need not in shown)
