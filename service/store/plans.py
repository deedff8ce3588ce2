"""Saved plans: the analysis under pseudonyms, for as long as the setting says."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from service.store import audit, people, pieces
from service.store.audit import By
from service.store.database import Database, now
from service.store.pages import cursor_of, newest_first
from service.store.roles import Principal, Role
from service.store.tables import saved_plan


class Saved(NamedTuple):
    """What is told of a saved plan in a list."""

    id: str
    title: str
    owner: str
    created_at: datetime
    expires_at: datetime | None
    model_version: str
    people: int


def save(
    database: Database,
    by: By,
    title: str,
    plan: Mapping[str, Any],
    names: Mapping[str, str],
    days: int,
    sheets: Sequence[Any] | None = None,
) -> Saved:
    """Keep a plan for ``days`` (0: until it is deleted). ``names`` are by id, for those whose name is to be kept; ``sheets`` those of its workbook,
    which name nobody: a token tells the place among the people of the plan."""
    analysis, rows = people.hidden(database, plan)
    identity, at = secrets.token_hex(8), now()
    expires = at + timedelta(days=days) if days else None
    saved = Saved(identity, title, by.actor, at, expires, plan["model_version"], len(rows))
    with database.writing() as connection:
        connection.execute(insert(saved_plan).values(**saved._asdict(), blob=_blob(identity)))
        pieces.put_all(connection, _blob(identity), [json.dumps(analysis, ensure_ascii=False).encode()])
        if sheets is not None:
            pieces.put_all(connection, _sheets(identity), [json.dumps(sheets, ensure_ascii=False).encode()])
        people.keep(connection, identity, rows, names)
        audit.record(database, connection, by, "plan.save", identity, people=len(rows), names=len(names))
    return saved


def page(database: Database, who: Principal, after: str, most: int) -> tuple[list[Saved], str | None]:
    """The plans that somebody saved (all for an admin), newest first, from the one after the cursor on; the cursor of the next page. ValueError or
    OverflowError for one that is none."""
    columns = (saved_plan.c[name] for name in Saved._fields)
    query = newest_first(select(*columns).where(_seen_by(who)), saved_plan, after, most)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    found = [Saved(*row) for row in rows[:most]]
    return found, cursor_of(found[-1].created_at, found[-1].id) if len(rows) > most else None


def find(database: Database, who: Principal, identity: str) -> Saved | None:
    """One of them."""
    query = select(*(saved_plan.c[name] for name in Saved._fields))
    with database.reading() as connection:
        row = connection.execute(query.where((saved_plan.c.id == identity) & _seen_by(who))).first()
    return Saved(*row) if row else None


def opened(database: Database, by: By, identity: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A plan as it was, and the names by id: pseudonyms stay where names were erased. Reading names is an export, and recorded."""
    analysis = json.loads(b"".join(pieces.read(database, _blob(identity))))
    with database.writing() as connection:
        rows = people.kept(connection, identity)
        audit.record(database, connection, by, "plan.read", identity, people=len(rows))
    return people.told(analysis, rows), {row["id"]: row["name"] for row in rows.values() if row["name"]}


def sheets_of(database: Database, identity: str) -> list[Any] | None:
    """The sheets that were kept with a plan, without names; None where there are none. Who opens them opens the plan, which is recorded."""
    content = b"".join(pieces.read(database, _sheets(identity)))
    return json.loads(content) if content else None


def remove(database: Database, by: By, identity: str) -> None:
    """Forget a plan and who it is about."""
    with database.writing() as connection:
        _forget(connection, identity)
        audit.record(database, connection, by, "plan.delete", identity)


def erase_names(database: Database, by: By, identity: str) -> int:
    """Keep the analysis and forget who it is about; how many persons were known."""
    with database.writing() as connection:
        known = people.erase_names(connection, identity)
        audit.record(database, connection, by, "plan.erase_names", identity, people=known)
    return known


def expire(database: Database) -> int:
    """Forget the plans whose time has come; how many."""
    with database.writing() as connection:
        due = [*connection.scalars(select(saved_plan.c.id).where(saved_plan.c.expires_at <= now()))]
        for identity in due:
            _forget(connection, identity)
            audit.record(database, connection, By("retention"), "plan.expire", identity)
    return len(due)


def _forget(connection: Connection, identity: str) -> None:
    connection.execute(delete(saved_plan).where(saved_plan.c.id == identity))
    pieces.drop(connection, _blob(identity), _sheets(identity))


def _seen_by(who: Principal) -> ColumnElement[bool]:
    alive = or_(saved_plan.c.expires_at.is_(None), saved_plan.c.expires_at > now())
    return alive if who.role.covers(Role.ADMIN) else alive & (saved_plan.c.owner == who.id)


def _blob(identity: str) -> str:
    return f"plan:{identity}"


def _sheets(identity: str) -> str:
    return f"plan:{identity}:sheets"
