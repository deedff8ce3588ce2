"""The analysis of a plan apart from whom it is about: persons under pseudonyms, and the rows that tell who they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from service.store.database import Database
from service.store.tables import person

# Where a plan's JSON has ids of persons: single ones, and lists of them.
ONE, MANY = {"id", "first", "second"}, {"people", "attendees"}

Steps = tuple[str | int, ...]


def pseudonym(database: Database, identity: str) -> str:
    """The same for one person in every plan and in the feedback; without the secret nobody can make it from an id."""
    return "p_" + database.digest(identity, "person")[:20]


def hidden(database: Database, plan: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A plan with pseudonyms in place of ids, and what each person is known by: pseudonym -> id, digests of name and unit."""
    known = {one["id"]: one for one in plan["people"]}
    names = {identity: pseudonym(database, identity) for identity in known}
    rows = {
        names[identity]: {"id": identity, "known": {"name": one["name"], "unit": one["unit"]}}
        for identity, one in known.items()
    }
    bare = {**plan, "people": [{"id": names[identity], "name": "", "unit": ""} for identity in known]}
    return _under(bare, names, {}), rows


def told(plan: dict[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The plan as it was, for those whom the rows still know. Sentences call them by the name that was kept, else by the id."""
    called = {row["id"]: row["name"] for row in rows.values() if row["name"]}
    told = _under(plan, {name: row["id"] for name, row in rows.items()}, called)
    known = {row["id"]: row["known"] for row in rows.values()}
    told["people"] = [{**one, **known.get(one["id"], {})} for one in told["people"]]
    return told


def strangers(plan: Mapping[str, Any]) -> list[Steps]:
    """The steps to every place of a plan that names somebody who is not among its people: no erasure would reach them there."""
    known, found = {one["id"] for one in plan["people"]}, []

    def look(value: Any, steps: Steps) -> Any:
        if value not in known:
            found.append(steps)
        return value

    _changed(plan, look)
    return found


def keep(connection: Connection, plan: str, rows: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Remember who the pseudonyms of a plan are; ``names`` are by id, for those who have one."""
    values = [
        {
            "plan": plan,
            "pseudonym": name,
            "id": row["id"],
            "name": names.get(row["id"]),
            "known": json.dumps(row["known"]),
        }
        for name, row in rows.items()
    ]
    if values:
        connection.execute(insert(person), values)


def kept(connection: Connection, plan: str) -> dict[str, dict[str, Any]]:
    """Who the pseudonyms of a plan are, as far as it has not been erased."""
    rows = connection.execute(select(person).where(person.c.plan == plan))
    return {row.pseudonym: {"id": row.id, "name": row.name, "known": json.loads(row.known)} for row in rows}


def erase_names(connection: Connection, plan: str) -> int:
    """Forget who the persons of a plan are; how many were known."""
    return connection.execute(delete(person).where(person.c.plan == plan)).rowcount


def erase_person(connection: Connection, name: str) -> int:
    """Forget who a pseudonym is, in every plan; in how many it was known."""
    return connection.execute(delete(person).where(person.c.pseudonym == name)).rowcount


def _under(plan: Mapping[str, Any], names: Mapping[str, str], called: Mapping[str, str]) -> dict[str, Any]:
    """A plan with other names in the place of ids; its sentences name people as ``called``, by their new names, else by these."""
    told = _changed(plan, lambda value, _: names.get(value, value))
    if "pairs" in told and _pairs_people(plan):
        told["pairs"] = [_said(pair, called) for pair in told["pairs"]]
    return told


def _pairs_people(plan: Mapping[str, Any]) -> bool:
    """Whether its pairs are of people: the sides of others are names of units, and their sentences are of numbers."""
    from model.cohort.pairing import Between  # noqa: PLC0415 (scipy, which whoever waits for jobs does without)

    return bool(plan["parameters"].get("pairs") != Between.UNITS)


def _said(pair: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    """A pair whose sentences are made anew, for nothing else of a plan tells what somebody is called."""
    from model.cohort.pairing import said_of_people  # noqa: PLC0415 (scipy, which whoever waits for jobs does without)

    first, second = (called.get(pair[side], pair[side]) for side in ("first", "second"))
    told = dict(pair)
    for side, giver, taker in (("first_gives", first, second), ("second_gives", second, first)):
        told[side] = [gift | {"text": said_of_people(giver, gift["competency"], taker)} for gift in pair[side]]
    return told


def _changed(plan: Mapping[str, Any], change: Callable[[Any, Steps], Any]) -> dict[str, Any]:
    """A plan with whatever stands where it names persons changed."""
    units = set() if _pairs_people(plan) else {"pairs"}
    return {key: part if key in units else _in(key, part, change, (key,)) for key, part in plan.items()}


def _in(key: str, value: Any, change: Callable[[Any, Steps], Any], steps: Steps, *, listed: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: _in(name, part, change, (*steps, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_in(key, part, change, (*steps, place), listed=True) for place, part in enumerate(value)]
    # A single number under a word for many is how many they are.
    many = key in MANY and (listed or isinstance(value, str))
    return change(value, steps) if key in ONE or many else value
