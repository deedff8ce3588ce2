"""Feedback in the store: kept under pseudonyms, given out whole, read as judgements, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from model.feedback import WORTH, Kind, Piece
from service.store import audit, feedback, overrides
from service.store.audit import By
from service.store.database import Database, beside, database_of
from service.store.layer import Layer
from service.store.people import pseudonym
from service.store.tables import feedback as table

BY = By("key:11112222")
PERSON = "工号-4711"
NOTHING = {
    "gap": None, "person": None, "replacement": None, "reason": "", "scope": None, "score_before": None, "score_after": None,
}  # fmt: skip


def said(verdict: str, course: str, **more: Any) -> dict[str, Any]:
    return NOTHING | {"verdict": verdict, "course_id": course} | more


def rejected(course: str, gap: str, **more: Any) -> dict[str, Any]:
    return said("reject", course, gap=gap, scope="gap", reason="不对口", **more)


def pieces(database: Database) -> list[Piece]:
    with database.reading() as connection:
        return [*feedback.judged(connection)]


def judged(database: Database) -> list[tuple[str, str, bool]]:
    return [(one.text, one.course, WORTH[one.kind] > 0) for one in pieces(database)]


def test_feedback_is_kept_with_who_said_it_of_which_version_and_not_with_whose_id(database: Database):
    given = [
        said("tested", "c1", person=PERSON, score_before=55.0, score_after=80.5),
        said("attended", "c1", person=PERSON),
    ]
    kept = feedback.keep(database, BY, given, "v0007")
    assert [one.override for one in kept] == [None, None]
    with database.reading() as connection:
        first, second = feedback.page(connection, 0, 10)
        assert PERSON not in str(connection.execute(select(table)).all())
        assert PERSON not in str(audit.entries(connection))
    assert (first.id, first.actor, first.model_version, first.score_before, first.score_after) == (
        kept[0].id, BY.actor, "v0007", 55.0, 80.5,
    )  # fmt: skip
    assert first.pseudonym == second.pseudonym == pseudonym(database, PERSON)


@pytest.mark.parametrize(
    ("scope", "about"),
    [("gap", {"pairs": {"怕讲话"}}), ("person", {"people": {PERSON}}), ("course", {"courses": {"c1"}})],
)
def test_a_rejection_is_put_to_work_for_what_it_is_about(database: Database, scope: str, about: dict[str, set[str]]):
    given = said("reject", "c1", gap="怕讲话", person=PERSON, scope=scope, reason="不对口")
    (kept,) = feedback.keep(database, BY, [given], "v1")
    found = Layer(database).now().among([PERSON])
    told = {name: set(getattr(found, name)) for name in ("pairs", "people", "courses") if getattr(found, name)}
    assert told == about
    made = overrides.find(database, kept.override or 0)
    assert made
    assert (made.feedback, made.actor, made.reason) == (kept.id, BY.actor, "不对口")


def test_a_replaced_course_is_rejected_and_its_replacement_is_accepted_for_the_next_training(database: Database):
    (kept,) = feedback.keep(
        database, BY, [said("replace", "c1", gap="怕讲话", scope="gap", reason="浅", replacement="c2")], "v1"
    )
    assert Layer(database).now().for_text("怕讲话") == {"c1": kept.override}
    assert judged(database) == [("怕讲话", "c1", False), ("怕讲话", "c2", True)]


def test_only_what_was_said_of_a_gap_is_a_judgement_of_its_words(database: Database):
    given = [
        said("accept", "c1", gap="怕讲话"),
        said("accept", "c2", person=PERSON),
        rejected("c3", "怕讲话"),
        said("reject", "c4", gap="怕讲话", person=PERSON, scope="person", reason="没有时间"),
        said("reject", "c5", gap="怕讲话", scope="course", reason="教材过时"),
        said("attended", "c6", gap="怕讲话", person=PERSON),
        said("attended", "c7", person=PERSON),
        said("tested", "c8", gap="怕讲话", person=PERSON, score_before=50.0, score_after=80.0),
        said("tested", "c9", gap="怕讲话", person=PERSON, score_before=50.0, score_after=55.0),
        said("tested", "c10", gap="怕讲话", person=PERSON, score_after=80.0),
        said("tested", "c11", person=PERSON, score_before=50.0, score_after=80.0),
    ]
    feedback.keep(database, BY, given, "v1")
    found = pieces(database)
    assert [(one.course, one.kind) for one in found] == [
        ("c1", Kind.ACCEPTED), ("c3", Kind.REJECTED), ("c6", Kind.ATTENDED), ("c8", Kind.IMPROVED), ("c9", Kind.UNIMPROVED),
    ]  # fmt: skip
    assert {(one.text, one.planner) for one in found} == {("怕讲话", BY.actor)}
    times = [one.at for one in found]
    assert times == sorted(times)
    assert all(time.tzinfo for time in times)


def test_a_command_reads_what_there_is_to_learn_beside_the_registry_unless_learning_is_off(tmp_path: Path):
    where = {"REGISTRY": str(tmp_path / "registry"), "DATABASE_URL": "", "SECRET": "x" * 32, "SECRET_FILE": ""}
    with beside(where) as nothing:
        assert feedback.to_learn({"LEARN": 1}, nothing) == []
    database = database_of(where)
    database.prepare()
    feedback.keep(database, BY, [said("accept", "c1", gap="怕讲话")], "v1")
    with beside(where) as there:
        found = feedback.to_learn({"LEARN": 1}, there)
    assert [(one.text, one.course, one.kind) for one in found] == [("怕讲话", "c1", Kind.ACCEPTED)]
    assert feedback.to_learn({"LEARN": 0}, database) == []
    database.engine.dispose()


def test_a_rejection_that_was_reverted_judges_nothing_until_it_is_made_again(database: Database):
    (kept,) = feedback.keep(database, BY, [rejected("c1", "KPI 怎么定")], "v1")
    overrides.revert(database, BY, kept.override or 0)
    assert judged(database) == []
    feedback.keep(database, BY, [rejected("c1", "KPI怎么定")], "v1")
    assert judged(database) == [("KPI怎么定", "c1", False)]


def test_an_acceptance_that_was_withdrawn_by_who_gave_it_judges_nothing_until_it_is_given_again(database: Database):
    of_one = said("accept", "c1", gap="KPI 怎么定", person=PERSON)
    of_another = said("accept", "c1", gap="KPI 怎么定", person="工号-0815")
    instead = said("replace", "c2", gap="怕讲话", person=PERSON, replacement="c3", scope="gap", reason="不对口")
    feedback.keep(database, BY, [of_one, of_another, instead], "v1")
    assert len(judged(database)) == 4
    # Somebody else's word is theirs to take back.
    feedback.keep(database, By("key:99999999"), [said("withdraw", "c1", gap="KPI怎么定", person=PERSON)], "v1")
    assert len(judged(database)) == 4
    feedback.keep(database, BY, [said("withdraw", "c1", gap="KPI怎么定", person=PERSON)], "v1")
    feedback.keep(database, BY, [said("withdraw", "c3", gap="怕讲话", person=PERSON)], "v1")
    assert judged(database) == [("KPI 怎么定", "c1", True), ("怕讲话", "c2", False)], "of the other person it stays"
    feedback.keep(database, BY, [of_one], "v1")
    assert len(judged(database)) == 3


def test_two_rejections_that_say_the_same_are_kept_twice_and_are_one_at_work(database: Database):
    kept = feedback.keep(database, BY, [rejected("c1", "怕讲话"), rejected("c1", "怕讲话", person=PERSON)], "v1")
    assert kept[0].id != kept[1].id
    assert kept[0].override == kept[1].override


def test_of_several_all_are_kept_or_none(database: Database):
    with pytest.raises(DBAPIError):
        feedback.keep(database, BY, [rejected("c1", "怕讲话"), rejected(None, "怕讲话")], "v1")  # type: ignore[arg-type]
    assert judged(database) == []
    assert not Layer(database).now()
    with database.reading() as connection:
        assert audit.entries(connection) == []


def test_the_whole_is_given_out_page_by_page(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feedback, "PAGE", 3)
    feedback.keep(database, BY, [said("accept", f"c{number}", gap="怕讲话") for number in range(7)], "v1")
    assert [one.course_id for one in feedback.every(database, 0)] == [f"c{number}" for number in range(7)]
    assert len(judged(database)) == 7
    with database.reading() as connection:
        assert feedback.count(connection, 0) == 7
        middle = feedback.page(connection, 0, 3)[-1].id
        assert feedback.count(connection, middle) == 4
    assert [one.course_id for one in feedback.every(database, middle)] == ["c3", "c4", "c5", "c6"]


def test_of_somebody_who_is_forgotten_the_judgements_stay_and_nothing_else(database: Database):
    other = "工号-4712"
    given = [
        rejected("c1", "怕讲话", person=PERSON),
        said("reject", "c2", person=PERSON, scope="person", reason="欧阳丹青不宜"),
        said("reject", "c2", person=other, scope="person", reason="不宜"),
    ]
    first, own, others = feedback.keep(database, BY, given, "v1")
    layer = Layer(database)
    assert layer.now().numbers == {first.override, own.override, others.override}
    with database.writing() as connection:
        assert feedback.forget(connection, pseudonym(database, PERSON)) == 2
        assert feedback.forget(connection, pseudonym(database, PERSON)) == 0
    assert layer.now().numbers == {first.override, others.override}
    assert dict(layer.now().for_person(PERSON)) == {}
    assert judged(database) == [("怕讲话", "c1", False)]
    with database.reading() as connection:
        rows = feedback.page(connection, 0, 10)
    assert [(one.pseudonym, one.reason) for one in rows] == [
        (None, ""), (None, ""), (pseudonym(database, other), "不宜"),
    ]  # fmt: skip
    kept = overrides.find(database, first.override or 0)
    assert kept
    assert kept.reason == ""


def test_what_somebody_who_is_forgotten_attended_and_how_they_were_tested_is_gone(database: Database):
    given = [
        said("accept", "c1", gap="怕讲话", person=PERSON),
        said("attended", "c1", gap="怕讲话", person=PERSON),
        said("tested", "c1", gap="怕讲话", person=PERSON, score_before=50.0, score_after=80.0),
        said("attended", "c1", gap="怕讲话", person="工号-4712"),
    ]
    feedback.keep(database, BY, given, "v1")
    with database.writing() as connection:
        assert feedback.forget(connection, pseudonym(database, PERSON)) == 3
    with database.reading() as connection:
        rows = feedback.page(connection, 0, 10)
    assert [(one.verdict, one.pseudonym, one.score_after) for one in rows] == [
        ("accept", None, None), ("attended", pseudonym(database, "工号-4712"), None),
    ]  # fmt: skip
