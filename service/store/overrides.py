"""What planners rejected and said of words and courses: rows that are made and reverted. ``layer`` puts them to work."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from model.lexicon import bare
from service.store import audit
from service.store.audit import By
from service.store.database import Database, now
from service.store.people import pseudonym
from service.store.tables import feedback, meta, override

MARK = "overrides"  # The row of `meta` that is written anew whenever one is made or reverted.

# A course is not offered; is offered for a gap, for the gaps of a competency, or to everybody; teaches something else; a word stands for a competency.
REJECT, PIN, TEACHES, SYNONYM = KINDS = ("reject", "pin", "teaches", "synonym")


class Override(NamedTuple):
    """A rejection: of a course for a gap text, for a person (under a pseudonym), or (neither is given) for everybody. Or a saying of another ``kind``, of
    ``competencies`` and of a ``word``."""

    id: int
    at: datetime
    actor: str
    kind: str
    course_id: str | None
    title: str | None
    word: str | None
    competencies: tuple[str, ...] | None
    gap: str | None
    pseudonym: str | None
    reason: str
    feedback: int | None
    reverted_at: datetime | None
    reverted_by: str | None


COLUMNS = tuple(override.c[name] for name in Override._fields)


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
    somebody takes back is theirs alone. ``name`` is a pseudonym, ``source`` the feedback it comes from."""
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
    return _insert(connection, actor, about | {"reason": reason, "feedback": source})


def make(database: Database, by: By, asked: Mapping[str, Any], title: str | None) -> Override:
    """Put to work what was asked for in the members of :class:`service.shapes.sayings.OverrideIn`; ``title`` is that of the course, if it is about one."""
    course, gap, reason = asked["course_id"], asked["gap"], asked["reason"]
    if asked["kind"] == REJECT:
        return reject(database, by, course, gap, asked["person"], reason, title)
    return say(database, by, asked["kind"], course, gap, asked["word"], asked["competencies"], reason, title)


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
    names = None if competencies is None else tuple(competencies)
    mine = {"kind": kind, "course_id": course, "gap": gap, "word": word, "competencies": names}
    with database.writing() as connection:
        database.alone(connection)
        standing = (override.c.kind == kind) & override.c.reverted_at.is_(None)
        rows = [Override(*row) for row in connection.execute(select(*COLUMNS).where(standing).order_by(override.c.id))]
        before = [one for one in rows if _about(one._asdict()) == _about(mine)]
        if before and before[-1].competencies == names:
            return before[-1]
        if before:
            ids = override.c.id.in_([one.id for one in before])
            connection.execute(update(override).where(ids).values(reverted_at=now(), reverted_by=by.actor))
        number = _insert(connection, by.actor, mine | {"title": title, "reason": reason})
        detail = {"course": course} if course else {}
        audit.record(database, connection, by, "override.add", str(number), kind=kind, **detail)
        found = _one(connection, number)
    assert found
    return found


def _about(saying: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a saying is about: two about the same cannot both hold. Of pins each stands for itself."""
    words = bare(saying["word"] or ""), bare(saying["gap"] or "")
    return saying["course_id"], *words, saying["competencies"] if saying["kind"] == PIN else None


def _insert(connection: Connection, actor: str, values: Mapping[str, Any]) -> int:
    made = insert(override).values(at=now(), actor=actor, **values).returning(override.c.id)
    number: int = connection.execute(made).scalar_one()
    _changed(connection)
    return number


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
