"""What a curator says of words and courses: at work on every path at once, gone when it is reverted, refused with every fault."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from test_feedback_api import API, PATHS, TEXT, fields_of, post

from model.recommender import Recommender
from service.store import audit, overrides
from service.store.audit import By
from service.store.database import Database
from service.store.layer import Layer


@pytest.fixture
def stranger(trained: Recommender) -> str:
    """A course nobody would offer for TEXT, which everybody may attend and nobody has to."""
    row = trained.relevance([TEXT])[0]
    fit = [one for one in trained.catalog if not (one.required or one.levels or one.posts or one.series or one.seats)]
    return min(fit, key=lambda course: row[trained.catalog.row_of[course.id]]).id


def say(caller: FlaskClient, status: int = 201, **said: Any) -> Any:
    return post(caller, "/overrides", {"reason": "本校的说法", **said}, status).get_json()


@pytest.mark.parametrize("path", PATHS)
def test_a_pinned_course_is_offered_on_every_path_at_once_and_no_more_when_it_is_reverted(
    path: str, caller: FlaskClient, stranger: str
):
    before, told = PATHS[path](caller)
    assert ((TEXT, stranger) in before, told) == (False, None)
    made = say(caller, kind="pin", course_id=stranger, gap=TEXT)
    after, told = PATHS[path](caller)
    assert told == [made["id"]]
    if path not in {"planned", "on_a_menu"}:  # A plan may close the gap by a course that closes others too.
        assert (TEXT, stranger) in after
    assert caller.delete(f"{API}/overrides/{made['id']}").status_code == 204
    assert PATHS[path](caller) == (before, None)


def test_a_word_of_the_house_is_understood_at_once(caller: FlaskClient, trained: Recommender):
    body = {"queries": [{"text": "扎口子工作不会做"}]}
    (before,) = post(caller, "/matches", body).get_json()["results"]
    made = say(caller, kind="synonym", word="扎口子", competencies=["公文写作"])
    (after,) = post(caller, "/matches", body).get_json()["results"]
    assert (before.get("overridden"), after["overridden"]) == (None, [made["id"]])
    taught = {one["course_id"] for one in after["matches"] if trained.teaches[one["course_id"]] == "公文写作"}
    assert after["answerable"]
    assert len(taught) > len(after["matches"]) / 2
    gaps = post(caller, "/gaps", {"id": "P1", "weaknesses": [{"text": "扎口子"}]}).get_json()["gaps"]
    assert [gap["competency"] for gap in gaps if gap["text"] == "扎口子"] == ["公文写作"]


def test_what_is_said_last_of_a_word_or_a_course_holds_and_what_was_said_before_is_kept(
    caller: FlaskClient, stranger: str
):
    first = say(caller, kind="synonym", word="扎口子", competencies=["公文写作"])
    assert say(caller, kind="synonym", word="扎 口子", competencies=["公文写作"])["id"] == first["id"]
    second = say(caller, kind="synonym", word="扎口子", competencies=["应急处突"])
    taught = say(caller, kind="teaches", course_id=stranger, competencies=[])
    again = say(caller, kind="teaches", course_id=stranger, competencies=["写材料"])
    assert again["competencies"] == ["公文写作"]
    listed = caller.get(f"{API}/overrides").get_json()["overrides"]
    assert listed == [second, again]
    everything = caller.get(f"{API}/overrides?reverted=true").get_json()["overrides"]
    assert [(one["id"], one["applies"]) for one in everything] == [
        (first["id"], False), (second["id"], True), (taught["id"], False), (again["id"], True),
    ]  # fmt: skip


def test_a_saying_is_written_to_the_audit_log_without_what_somebody_wrote(
    caller: FlaskClient, own_store: Database, stranger: str
):
    made = say(caller, kind="teaches", course_id=stranger, competencies=["公文写作"])
    assert (made["applies"], made["reverted_at"], made["feedback"]) == (True, None, None)
    with own_store.reading() as connection:
        told = [one.detail for one in audit.entries(connection) if one.action == "override.add"]
    assert told
    assert "本校的说法" not in str(told)


@pytest.mark.parametrize(
    ("said", "faulty"),
    [
        ({"kind": "other"}, ["/kind"]),
        ({"kind": "pin"}, ["/course_id"]),
        ({"kind": "pin", "course_id": "gone"}, ["/course_id"]),
        ({"kind": "pin", "course_id": "Q0001", "gap": TEXT, "competencies": ["公文写作"]}, ["/competencies"]),
        ({"kind": "pin", "course_id": "Q0001", "competencies": []}, ["/competencies"]),
        ({"kind": "pin", "course_id": "Q0001", "person": "P1"}, ["/person"]),
        ({"kind": "pin", "course_id": "Q0001", "word": "一词"}, ["/word"]),
        ({"kind": "teaches", "course_id": "Q0001"}, ["/competencies"]),
        ({"kind": "teaches", "course_id": "Q0001", "competencies": ["飞天遁地", "公文写作"]}, ["/competencies/0"]),
        ({"kind": "teaches", "course_id": "Q0001", "competencies": ["公文写作"] * 4}, ["/competencies"]),
        ({"kind": "teaches", "course_id": "Q0001", "competencies": ["公文写作"], "gap": TEXT}, ["/gap"]),
        ({"kind": "synonym"}, ["/competencies", "/word"]),
        ({"kind": "synonym", "word": "字", "competencies": ["公文写作"]}, ["/word"]),
        ({"kind": "synonym", "word": "应急处突", "competencies": ["公文写作"]}, ["/word"]),
        ({"kind": "synonym", "word": "一词", "competencies": ["公文写作", "应急处突"]}, ["/competencies"]),
        ({"kind": "synonym", "word": "一词", "competencies": ["公文写作"], "course_id": "Q0001"}, ["/course_id"]),
        ({"course_id": "Q0001", "competencies": ["公文写作"]}, ["/competencies"]),
    ],
)  # fmt: skip
def test_every_fault_of_a_saying_is_named(said: dict[str, Any], faulty: list[str], caller: FlaskClient):
    assert sorted(fields_of(post(caller, "/overrides", {"reason": "。", **said}, 422))) == faulty


def test_what_two_people_reject_is_out_until_both_take_it_back(own_store: Database):
    first = overrides.reject(own_store, By("key:one"), "Q0001", TEXT, reason="不对口")
    second = overrides.reject(own_store, By("key:two"), "Q0001", TEXT, reason="教材过时")
    assert first.id != second.id
    assert overrides.reject(own_store, By("key:two"), "Q0001", TEXT, reason="。").id == second.id
    overrides.revert(own_store, By("key:one"), first.id)
    assert Layer(own_store).now().for_text(TEXT) == {"Q0001": second.id}
    overrides.revert(own_store, By("key:two"), second.id)
    assert not Layer(own_store).now()
