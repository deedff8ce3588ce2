"""What became of gaps, read from the feedback that names somebody: by person, for who may ask about persons; by course, for everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from model.closing import Deed, Event
from model.lexicon import bare
from service.store.feedback import ACCEPT, ATTENDED, REJECTING, REPLACE, TESTED, WITHDRAW
from service.store.tables import feedback

AT_ONCE = 500  # Pseudonyms asked for in one statement.
COLUMNS = tuple(
    feedback.c[name]
    for name in ("pseudonym", "gap", "course_id", "verdict", "replacement", "at", "score_before", "score_after")
)


def of_people(connection: Connection, names: Sequence[str]) -> dict[str, dict[str, list[Event]]]:
    """For each pseudonym what happened to each gap (as it was first written), oldest first; nothing for those nobody told anything of."""
    found: dict[str, dict[str, list[Event]]] = defaultdict(dict)
    written: dict[tuple[str, str], str] = {}
    distinct = sorted(set(names))
    for start in range(0, len(distinct), AT_ONCE):
        some = distinct[start : start + AT_ONCE]
        about = feedback.c.pseudonym.in_(some) & feedback.c.gap.is_not(None)
        for row in connection.execute(select(*COLUMNS).where(about).order_by(feedback.c.id)):
            gap = written.setdefault((row.pseudonym, bare(row.gap)), row.gap)
            events = [*_events(row)]
            if events:
                found[row.pseudonym].setdefault(gap, []).extend(events)
    return found


def of_course(connection: Connection, course: str) -> Mapping[tuple[str, str], Sequence[Event]]:
    """For each (pseudonym, gap) that a course was taken for, all that happened to it."""
    named = feedback.c.pseudonym.is_not(None) & feedback.c.gap.is_not(None)
    concerned = (feedback.c.course_id == course) | (feedback.c.replacement == course)
    names = connection.scalars(select(feedback.c.pseudonym).where(named & concerned).distinct()).all()
    return {
        (name, gap): events
        for name, gaps in of_people(connection, names).items()
        for gap, events in gaps.items()
        if any(one.course == course for one in events)
    }


def _events(row: Any) -> Iterator[Event]:
    if row.verdict == ACCEPT:
        yield Event(row.course_id, Deed.ARRANGED, row.at)
    elif row.verdict == ATTENDED:
        yield Event(row.course_id, Deed.ATTENDED, row.at)
    elif row.verdict == TESTED:
        yield Event(row.course_id, Deed.TESTED, row.at, row.score_before, row.score_after)
    elif row.verdict in (WITHDRAW, *REJECTING):
        yield Event(row.course_id, Deed.DROPPED, row.at)
        if row.verdict == REPLACE:
            yield Event(row.replacement, Deed.ARRANGED, row.at)
