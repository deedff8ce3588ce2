"""What planners rejected and said, at work in every answer: read again by whoever answers once it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from model.curation import Pin, Synonym, Taught
from model.overrides import NONE, Overrides, Rejection
from model.recommender import Recommender
from service.store import database as store
from service.store.database import Database
from service.store.overrides import COLUMNS, MARK, PIN, SYNONYM, TEACHES, Override
from service.store.people import pseudonym
from service.store.tables import meta, override

LAST_CHANGE = select(meta.c.value).where(
    meta.c.name == MARK
)  # Asked in every request: to make it takes as long as to ask it.


class Layer:
    """What is at work in one store. Each answer asks whether they have changed, so that none is given by those of before."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: tuple[str | None, Overrides] = None, NONE

    def now(self) -> Overrides:
        """What is at work now, as the model takes them."""
        with self.database.reading() as connection:
            mark = connection.scalar(LAST_CHANGE)
            known, overrides = self._known
            if mark != known:
                # What another thread read meanwhile may be older; each goes by its own.
                overrides = self._read(connection)
                self._known = mark, overrides
        return overrides

    def over(self, recommender: Recommender) -> Recommender:
        """A version with it at work in all it answers."""
        overrides = self.now()
        return recommender.under(overrides) if overrides else recommender

    def _read(self, connection: Connection) -> Overrides:
        rows = connection.execute(select(*COLUMNS).where(override.c.reverted_at.is_(None)))
        # Persons are kept under pseudonyms, and asked for by their ids.
        found = [Override(*row) for row in rows]
        at_work = Overrides.of(map(_said, found), {one.id: one.title for one in found if one.title is not None})
        return replace(at_work, name_of=partial(pseudonym, self.database))


def _said(one: Override) -> Rejection | Synonym | Taught | Pin:
    """A row as the model takes it."""
    course, names = one.course_id or "", one.competencies or ()
    if one.kind == PIN:
        return Pin(one.id, course, one.gap, names[0] if names else None)
    if one.kind == TEACHES:
        return Taught(one.id, course, names)
    if one.kind == SYNONYM:
        return Synonym(one.id, one.word or "", names[0])
    return Rejection(one.id, course, one.gap, one.pseudonym)


def beside(settings: Mapping[str, Any]) -> Overrides:
    """What is at work in the store that the settings name, for a command; none where there is no store.

    InputError where there is one that cannot be read: a rejection is not passed over in silence.
    """
    with store.beside(settings) as found:
        return Layer(found).now() if found else NONE
