"""The analysis of a plan apart from whom it is about: persons under pseudonyms, and the rows that tell who they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from service.store.database import Database
from service.store.tables import person

# Where a plan's JSON has ids of persons: single ones, and lists of them.
ONE, MANY = {"id", "first", "second"}, {"people", "attendees"}


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
    return _renamed(bare, names), rows


def told(plan: dict[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The plan as it was, for those whom the rows still know."""
    told: dict[str, Any] = _renamed(plan, {name: row["id"] for name, row in rows.items()})
    known = {row["id"]: row["known"] for row in rows.values()}
    told["people"] = [{**one, **known.get(one["id"], {})} for one in told["people"]]
    return told


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


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _in(key, part, names) for key, part in value.items()}
    return [_renamed(part, names) for part in value] if isinstance(value, list) else value


def _in(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if key in ONE and isinstance(value, str):
        return names.get(value, value)
    if key in MANY and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return _each(value, names)
    return _renamed(value, names)


def _each(values: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(value, value) for value in values]
