"""What planners rejected and said of words and courses, at work in every answer: rows that are made and reverted, read again by whoever answers once they have changed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from model.curation import Pin, Synonym, Taught
from model.lexicon import bare
from model.overrides import NONE, Overrides, Rejection
from model.recommender import Recommender
from service.store import audit
from service.store import database as store
from service.store.audit import By
from service.store.database import Database, now
from service.store.people import pseudonym
from service.store.tables import feedback, meta, override

MARK = "overrides"  # The row of `meta` that is written anew whenever a rejection is made or reverted.


# A course is not offered; is offered for a gap, for the gaps of a competency, or to everybody; teaches something else; a word stands for a competency.
REJECT, PIN, TEACHES, SYNONYM = KINDS = ("reject", "pin", "teaches", "synonym")


class Override(NamedTuple):
    """A rejection: of a course for a gap text, for a person (under a pseudonym), or (neither is given) for everybody. Or a saying of another ``kind``, of
    ``competencies`` (a JSON list) and of a ``word``."""

    id: int
    at: datetime
    actor: str
    kind: str
    course_id: str | None
    title: str | None
    word: str | None
    competencies: str | None
    gap: str | None
    pseudonym: str | None
    reason: str
    feedback: int | None
    reverted_at: datetime | None
    reverted_by: str | None


COLUMNS = tuple(override.c[name] for name in Override._fields)
LAST_CHANGE = select(meta.c.value).where(
    meta.c.name == MARK
)  # Asked in every request: to make it takes as long as to ask it.


def add(
    connection: Connection,
    actor: str,
    course: str,
    gap: str | None,
    name: str | None,
    reason: str,
    source: int | None = None,
    title: str | None = None,
) -> int:
    """Put a rejection to work within a unit of work that is alone; its number, or that of one at work by which the same actor says the same: what
    somebody takes back is theirs alone. ``name`` is a
    pseudonym, ``source`` the feedback it comes from."""
    same = (
        (override.c.kind == REJECT)
        & (override.c.actor == actor)
        & (override.c.course_id == course)
        & override.c.pseudonym.is_not_distinct_from(name)
    )
    for row in connection.execute(select(override.c.id, override.c.gap).where(same & override.c.reverted_at.is_(None))):
        if (row.gap is None) == (gap is None) and bare(row.gap or "") == bare(gap or ""):
            return int(row.id)
    about = {"kind": REJECT, "course_id": course, "title": title, "gap": gap, "pseudonym": name}
    values = about | {"reason": reason, "feedback": source}
    made = insert(override).values(at=now(), actor=actor, **values).returning(override.c.id)
    number: int = connection.execute(made).scalar_one()
    _changed(connection)
    return number


def reject(
    database: Database,
    by: By,
    course: str,
    gap: str | None = None,
    person: str | None = None,
    reason: str = "",
    title: str | None = None,
) -> Override:
    """Reject a course without feedback. ``person`` is an id, which is not kept; ``title`` is that of the course."""
    with database.writing() as connection:
        database.alone(connection)
        name = None if person is None else pseudonym(database, person)
        number = add(connection, by.actor, course, gap, name, reason, title=title)
        audit.record(database, connection, by, "override.add", str(number), course=course)
        found = _one(connection, number)
    assert found
    return found


def say(
    database: Database,
    by: By,
    kind: str,
    course: str | None = None,
    gap: str | None = None,
    word: str | None = None,
    competencies: Sequence[str] | None = None,
    reason: str = "",
    title: str | None = None,
) -> Override:
    """Put to work what is said of a word or a course. What was said before of the same word, or of what the same course teaches, is reverted; the same
    said twice stays as it is."""
    told = None if competencies is None else json.dumps(competencies, ensure_ascii=False)
    with database.writing() as connection:
        database.alone(connection)
        standing = (override.c.kind == kind) & override.c.reverted_at.is_(None)
        rows = [Override(*row) for row in connection.execute(select(*COLUMNS).where(standing).order_by(override.c.id))]
        about = [
            one
            for one in rows
            if _about(one) == (course, bare(word or ""), bare(gap or ""), told if kind == PIN else None)
        ]
        if about and about[-1].competencies == told:
            return about[-1]
        if about:
            ids = override.c.id.in_([one.id for one in about])
            connection.execute(update(override).where(ids).values(reverted_at=now(), reverted_by=by.actor))
        about_what = {"kind": kind, "course_id": course, "title": title, "gap": gap, "word": word}
        values = about_what | {"competencies": told, "reason": reason}
        made = insert(override).values(at=now(), actor=by.actor, **values).returning(override.c.id)
        number: int = connection.execute(made).scalar_one()
        _changed(connection)
        audit.record(
            database, connection, by, "override.add", str(number), kind=kind, **({"course": course} if course else {})
        )
        found = _one(connection, number)
    assert found
    return found


def _about(one: Override) -> tuple[str | None, str, str, str | None]:
    """What a saying is about: two about the same cannot both hold. Of pins each stands for itself."""
    return one.course_id, bare(one.word or ""), bare(one.gap or ""), one.competencies if one.kind == PIN else None


def revert(database: Database, by: By, number: int) -> None:
    """Let a rejection be at work no longer; its row stays. One that was reverted before stays as it is."""
    with database.writing() as connection:
        standing = (override.c.id == number) & override.c.reverted_at.is_(None)
        values = {"reverted_at": now(), "reverted_by": by.actor}
        if connection.execute(update(override).where(standing).values(**values)).rowcount:
            _changed(connection)
            audit.record(database, connection, by, "override.revert", str(number))


def find(database: Database, number: int) -> Override | None:
    """One rejection, reverted or not."""
    with database.reading() as connection:
        return _one(connection, number)


def listed(
    database: Database, after: int, most: int, reverted: bool = False, course: str | None = None
) -> list[Override]:
    """The rejections and sayings at work after a number, oldest first; with those ``reverted`` too, or those of one course."""
    query = select(*COLUMNS).where(override.c.id > after).order_by(override.c.id).limit(most)
    if not reverted:
        query = query.where(override.c.reverted_at.is_(None))
    if course is not None:
        query = query.where(override.c.course_id == course)
    with database.reading() as connection:
        return [Override(*row) for row in connection.execute(query)]


def forget(connection: Connection, name: str) -> int:
    """Take away the rejections for a person, and the reasons of those that came from feedback about them; how many were for the person."""
    about = select(feedback.c.id).where(feedback.c.pseudonym == name)
    connection.execute(update(override).where(override.c.feedback.in_(about)).values(reason=""))
    gone = connection.execute(delete(override).where(override.c.pseudonym == name)).rowcount
    if gone:
        _changed(connection)
    return gone


def _one(connection: Connection, number: int) -> Override | None:
    row = connection.execute(select(*COLUMNS).where(override.c.id == number)).first()
    return Override(*row) if row else None


def _changed(connection: Connection) -> None:
    """Let whoever answers know. A number that counts would repeat itself once rows are deleted."""
    mark = {"value": secrets.token_hex(8)}
    if not connection.execute(update(meta).where(meta.c.name == MARK).values(**mark)).rowcount:
        connection.execute(insert(meta).values(name=MARK, **mark))


class Layer:
    """The rejections at work in one store. Each answer asks whether they have changed, so that none is given by those of before."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: tuple[str | None, Overrides] = None, NONE

    def now(self) -> Overrides:
        """The rejections at work now, as the model takes them."""
        with self.database.reading() as connection:
            mark = connection.scalar(LAST_CHANGE)
            known, overrides = self._known
            if mark != known:
                # What another thread read meanwhile may be older; each goes by its own.
                overrides = self._read(connection)
                self._known = mark, overrides
        return overrides

    def over(self, recommender: Recommender) -> Recommender:
        """A version with the rejections at work in all it answers."""
        overrides = self.now()
        return recommender.under(overrides) if overrides else recommender

    def _read(self, connection: Connection) -> Overrides:
        rows = connection.execute(select(*COLUMNS).where(override.c.reverted_at.is_(None)))
        # Persons are kept under pseudonyms, and asked for by their ids.
        found = [Override(*row) for row in rows]
        at_work = Overrides.of(map(said, found), {one.id: one.title for one in found if one.title is not None})
        return replace(at_work, name_of=partial(pseudonym, self.database))


def said(one: Override) -> Rejection | Synonym | Taught | Pin:
    """A row as the model takes it."""
    names = tuple(json.loads(one.competencies)) if one.competencies else ()
    match one.kind:
        case "pin":
            return Pin(one.id, one.course_id or "", one.gap, names[0] if names else None)
        case "teaches":
            return Taught(one.id, one.course_id or "", names)
        case "synonym":
            return Synonym(one.id, one.word or "", names[0])
        case _:
            return Rejection(one.id, one.course_id or "", one.gap, one.pseudonym)


def beside(settings: Mapping[str, Any]) -> Overrides:
    """The rejections at work in the store that the settings name, for a command; none where there is no store.

    InputError where there is one that cannot be read: a rejection is not passed over in silence.
    """
    with store.beside(settings) as found:
        return Layer(found).now() if found else NONE
