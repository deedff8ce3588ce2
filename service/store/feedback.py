"""What planners say of recommendations: kept for the next training, and what they reject put to work at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from model.feedback import Kind, Piece, told_by_scores
from model.lexicon import bare
from service.store import audit, overrides
from service.store.audit import By
from service.store.database import Database, now
from service.store.people import pseudonym
from service.store.tables import feedback, override

ACCEPT, WITHDRAW, REJECT, REPLACE, ATTENDED, TESTED = VERDICTS = (
    "accept", "withdraw", "reject", "replace", "attended", "tested",
)  # fmt: skip
REJECTING = (REJECT, REPLACE)
OUTCOMES = (ATTENDED, TESTED)  # What became of a person, and no judgement of a planner.
# What a rejection is about: a course for the words of a gap, for a person, or for everybody.
GAP, PERSON, COURSE = SCOPES = ("gap", "person", "course")
PAGE = 1000


class Said(NamedTuple):
    """One piece of feedback as it is kept. ``model_version`` is the version whose recommendation it is about."""

    id: int
    at: datetime
    actor: str
    pseudonym: str | None
    course_id: str
    gap: str | None
    verdict: str
    scope: str | None
    replacement: str | None
    reason: str
    score_before: float | None
    score_after: float | None
    model_version: str


class Kept(NamedTuple):
    """The numbers under which a piece of feedback is kept, and the rejection it put to work."""

    id: int
    override: int | None


def keep(
    database: Database,
    by: By,
    given: Sequence[Mapping[str, Any]],
    version: str,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> list[Kept]:
    """Keep feedback, all of it or nothing. Each has the members of :class:`Said` that are not known here, and ``person``, an id. ``titles`` are those of
    the courses, by which what is rejected is known again under another number."""
    kept = []
    with database.writing() as connection:
        database.alone(connection)  # Who reads on from a number must not miss a smaller one that is kept later.
        for one in given:
            name = None if one["person"] is None else pseudonym(database, one["person"])
            values = {key: value for key, value in one.items() if key != "person"}
            row = {**values, "at": now(), "actor": by.actor, "pseudonym": name, "model_version": version}
            number: int = connection.execute(insert(feedback).values(**row).returning(feedback.c.id)).scalar_one()
            rejected = None
            if one["verdict"] in REJECTING:
                gap = one["gap"] if one["scope"] == GAP else None
                whose = name if one["scope"] == PERSON else None
                course = one["course_id"]
                title = titles.get(course)
                rejected = overrides.add(connection, by.actor, course, gap, whose, one["reason"], number, title)
            kept.append(Kept(number, rejected))
        audit.record(
            database,
            connection,
            by,
            "feedback.add",
            str(kept[0].id),
            count=len(kept),
            overrides=sorted({one.override for one in kept if one.override is not None}),
        )
    return kept


def page(connection: Connection, after: int, most: int) -> list[Said]:
    """The feedback after a number, oldest first."""
    columns = [feedback.c[name] for name in Said._fields]
    rows = connection.execute(select(*columns).where(feedback.c.id > after).order_by(feedback.c.id).limit(most))
    return [Said(*row) for row in rows]


def count(connection: Connection, after: int) -> int:
    """How much feedback there is after a number."""
    return connection.scalar(select(func.count()).where(feedback.c.id > after)) or 0


def every(database: Database, after: int) -> Iterator[Said]:
    """All feedback after a number, a page at a time in memory."""
    while True:
        with database.reading() as connection:
            found = page(connection, after, PAGE)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].id


def judged(connection: Connection) -> Iterator[Piece]:
    """What the feedback judges of courses for gap texts, oldest first, for a training to learn from.

    What was rejected for a person or for everybody says nothing of the words of a gap; a rejection that was reverted since, or an acceptance that
    was withdrawn by who gave it, says nothing at all. What replaced a course was accepted for the gap.
    """
    reverted: dict[tuple[str, str], datetime] = {}
    taken_back = override.c.gap.is_not(None) & override.c.reverted_at.is_not(None) & (override.c.kind == "reject")
    for row in connection.execute(
        select(override.c.gap, override.c.course_id, override.c.reverted_at).where(taken_back)
    ):
        place = (bare(row.gap), row.course_id)
        reverted[place] = max(row.reverted_at, reverted.get(place, row.reverted_at))
    withdrawn = _withdrawn(connection)
    after = 0
    while found := page(connection, after, PAGE):
        for one in found:
            yield from _judged(one, reverted, withdrawn)
        after = found[-1].id


def _withdrawn(connection: Connection) -> dict[tuple[str, ...], int]:
    """The number under which acceptances were withdrawn last; those kept before it stand no more."""
    columns = [feedback.c[name] for name in Said._fields]
    rows = connection.execute(select(*columns).where(feedback.c.verdict == WITHDRAW).order_by(feedback.c.id))
    return {_opinion(one, one.course_id): one.id for row in rows if (one := Said(*row))}


def _opinion(one: Said, course: str) -> tuple[str, ...]:
    """Whose word it is, on which course, for what and for whom."""
    return one.actor, course, bare(one.gap or ""), one.pseudonym or ""


def _judged(
    one: Said, reverted: Mapping[tuple[str, str], datetime], withdrawn: Mapping[tuple[str, ...], int]
) -> Iterator[Piece]:
    if one.gap is None:
        return
    about = partial(Piece, one.gap, planner=one.actor, at=one.at)

    def stands(course: str) -> bool:
        return one.id > withdrawn.get(_opinion(one, course), 0)

    if one.verdict == ACCEPT and stands(one.course_id):
        yield about(course=one.course_id, kind=Kind.ACCEPTED)
    elif one.verdict == ATTENDED:
        yield about(course=one.course_id, kind=Kind.ATTENDED)
    elif one.verdict == TESTED:
        told = told_by_scores(one.score_before, one.score_after)
        if told is not None:
            yield about(course=one.course_id, kind=told)
    elif one.scope == GAP:
        since = reverted.get((bare(one.gap), one.course_id))
        if since is None or since < one.at:
            yield about(course=one.course_id, kind=Kind.REJECTED)
        if one.replacement is not None and stands(one.replacement):
            yield about(course=one.replacement, kind=Kind.INSTEAD)


def to_learn(settings: Mapping[str, Any], database: Database | None) -> list[Piece]:
    """What a training has to learn from: nothing where that is switched off, or where there is no store."""
    if not settings["LEARN"] or database is None:
        return []
    with database.reading() as connection:
        return [*judged(connection)]


def forget(connection: Connection, name: str) -> int:
    """Forget a person: what they attended and how they were tested altogether; of what planners judged, who it was about and what was written of
    them. How many pieces there were. What was rejected for them alone is rejected no longer. ``name`` is a pseudonym."""
    overrides.forget(connection, name)
    about = feedback.c.pseudonym == name
    gone = connection.execute(delete(feedback).where(about & feedback.c.verdict.in_(OUTCOMES))).rowcount
    kept = connection.execute(update(feedback).where(about).values(pseudonym=None, reason="")).rowcount
    return gone + kept
