"""Forgetting one person, wherever something is kept about them."""

from __future__ import annotations

from typing import Any

from service.store import audit, feedback, people
from service.store.audit import By
from service.store.database import Database
from service.store.passing import passing


def erase(database: Database, by: By, identity: str) -> dict[str, Any]:
    """Forget who somebody is in every saved plan and in the feedback; from how much they were taken out, and what passes by itself."""
    name = people.pseudonym(database, identity)
    with database.writing() as connection:
        found = {"plans": people.erase_person(connection, name), "feedback": feedback.forget(connection, name)}
        audit.record(database, connection, by, "person.erase", name, **found)
        return found | passing(connection)._asdict()
