"""What became of gaps, read from the store: under pseudonyms, by the words of the gap, of this person or this course and no other."""

from __future__ import annotations

from typing import Any

import pytest

from model.closing import Deed, state_of
from service.store import feedback, outcomes
from service.store.audit import By
from service.store.database import Database
from service.store.people import pseudonym

BY = By("key:11112222")
NOTHING = {
    "gap": "怕讲话", "person": None, "replacement": None, "reason": "", "scope": None, "score_before": None, "score_after": None,
}  # fmt: skip


def said(verdict: str, course: str, person: str | None, **more: Any) -> dict[str, Any]:
    return NOTHING | {"verdict": verdict, "course_id": course, "person": person} | more


def happened(database: Database, *people: str) -> dict[str, dict[str, list[tuple[str, str]]]]:
    names = {pseudonym(database, one): one for one in people}
    with database.reading() as connection:
        found = outcomes.of_people(connection, list(names))
    return {
        names[name]: {gap: [(one.course, str(one.deed)) for one in events] for gap, events in gaps.items()}
        for name, gaps in found.items()
    }


def test_of_each_person_asked_for_there_is_what_happened_to_each_gap(database: Database):
    given = [
        said("accept", "c1", "P1"),
        said("replace", "c1", "P1", gap="怕 讲话", scope="person", reason="浅", replacement="c2"),
        said("attended", "c2", "P1"),
        said("tested", "c2", "P1", score_before=50.0, score_after=80.0),
        said("attended", "c3", "P1", gap="公文写作"),
        said("attended", "c3", "P1", gap=None),
        said("attended", "c1", "P2"),
        said("accept", "c1", None),
    ]
    feedback.keep(database, BY, given, "v1")
    assert happened(database, "P1", "P3") == {
        "P1": {
            "怕讲话": [("c1", "arranged"), ("c1", "dropped"), ("c2", "arranged"), ("c2", "attended"), ("c2", "tested")],
            "公文写作": [("c3", "attended")],
        }
    }
    with database.reading() as connection:
        events = outcomes.of_people(connection, [pseudonym(database, "P1")])[pseudonym(database, "P1")]["怕讲话"]
    assert (str(state_of(events).status), state_of(events).course) == ("已销号", "c2")


def test_of_a_course_there_is_all_that_happened_to_the_gaps_it_was_taken_for(database: Database):
    given = [
        said("attended", "c1", "P1"),
        said("tested", "c2", "P1", score_after=80.0),
        said("attended", "c2", "P1", gap="公文写作"),
        said("attended", "c2", "P2"),
        said("replace", "c2", "P3", scope="person", reason="浅", replacement="c1"),
    ]
    feedback.keep(database, BY, given, "v1")
    with database.reading() as connection:
        found = outcomes.of_course(connection, "c1")
        assert outcomes.of_course(connection, "c9") == {}
    first, third = pseudonym(database, "P1"), pseudonym(database, "P3")
    assert {about: [one.deed for one in events] for about, events in found.items()} == {
        (first, "怕讲话"): [Deed.ATTENDED, Deed.TESTED],
        (third, "怕讲话"): [Deed.DROPPED, Deed.ARRANGED],
    }


def test_many_people_are_asked_for_at_once(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outcomes, "AT_ONCE", 2)
    people = [f"P{number}" for number in range(5)]
    feedback.keep(database, BY, [said("attended", "c1", person) for person in people], "v1")
    assert set(happened(database, *people, "P9")) == set(people)
