"""Large work over HTTP: what becomes a job, who sees it, what comes of it. Jobs are done here, in this process; ``test_jobs_work`` has real workers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from postgres import SECRET
from python_calamine import CalamineWorkbook
from sqlalchemy import event, select, update

from service import create_app
from service.batch import as_list, as_part
from service.jobs.hand import FULL, INTERNAL, do
from service.store import audit, jobs, keys, leases
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Principal, Role
from service.store.tables import job, piece

PLAN = "/api/v1/cohorts/plan"
LISTS = "/api/v1/cohorts/recommendations"
BATCH = "/api/v1/recommendations/batch"
JOBS = "/api/v1/jobs"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LACKS = ("一上台讲话就冒汗", "公文写作", "应急处突没经验", "写材料慢", "怕讲话")
PEOPLE = [{"id": f"P{number}", "weaknesses": [{"text": text}]} for number, text in enumerate(LACKS)]
ASYNC = {"Prefer": "respond-async"}
PLANNED = {"hours": 6, "catalog_required": False}

Caller = dict[str, str]


@pytest.fixture(scope="module")
def desk(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[APIFlask]:
    """An application with a store of its own, where five people are many and thirty too many."""
    url = f"sqlite:///{tmp_path_factory.mktemp('desk')}/quebu.db"
    settings = {"REGISTRY": str(registry), "DATABASE_URL": url, "SECRET": SECRET, "TESTING": True}
    app = create_app({**settings, "MAX_COHORT": 4, "MAX_BATCH": 30, "LOCAL": False})
    yield app
    app.extensions["quebu.store"].engine.dispose()


@pytest.fixture(scope="module")
def store(desk: APIFlask) -> Database:
    database: Database = desk.extensions["quebu.store"]
    return database


@pytest.fixture(scope="module")
def callers(store: Database) -> dict[str, Caller]:
    """The header by which somebody is known: two planners, a reader, an admin."""
    roles = {"anna": Role.PLANNER, "ben": Role.PLANNER, "reader": Role.READER, "admin": Role.ADMIN}
    made = {name: keys.create(store, By("test"), name, role, None) for name, role in roles.items()}
    return {name: {"Authorization": f"Bearer {key}"} for name, key in made.items()}


@pytest.fixture
def anna(desk: APIFlask, store: Database, callers: dict[str, Caller]) -> Iterator[FlaskClient]:
    client = desk.test_client()
    client.environ_base.update({"HTTP_AUTHORIZATION": callers["anna"]["Authorization"]})
    yield client
    with store.writing() as connection:
        connection.execute(job.delete())
        connection.execute(piece.delete())


def work(desk: APIFlask) -> None:
    """Do all jobs that wait, as a worker does them."""
    database = desk.extensions["quebu.store"]
    for identity in leases.queued(database):
        lease = leases.claim(database, identity)
        assert lease
        do(database, desk.extensions["quebu"], identity, lease, 24)


def test_what_is_small_is_answered_at_once_and_what_is_large_becomes_a_job(anna: FlaskClient, desk: APIFlask):
    assert anna.post(LISTS, json={"people": PEOPLE[:4]}).status_code == 200
    response = anna.post(LISTS, json={"people": PEOPLE})
    assert response.status_code == 202
    assert "Preference-Applied" not in response.headers
    told = response.get_json()
    assert (told["status"], told["done"], told["total"], told["result"]) == ("queued", 0, 5, None)
    address = response.headers["Location"]
    assert address == f"{JOBS}/{told['id']}"
    waiting = anna.get(address)
    assert (waiting.get_json(), waiting.headers["Retry-After"]) == (told, "1")
    assert anna.get(f"{address}/result").status_code == 409
    work(desk)
    done = anna.get(address)
    assert (done.get_json()["status"], done.get_json()["done"], done.get_json()["attempts"]) == ("done", 5, 1)
    assert "Retry-After" not in done.headers
    assert anna.get(done.get_json()["result"]).status_code == 200


@pytest.mark.parametrize("prefer", ["respond-async", "wait=5, Respond-Async; x=1"])
def test_whoever_would_rather_come_back_later_may(anna: FlaskClient, prefer: str):
    response = anna.post(LISTS, json={"people": PEOPLE[:1]}, headers={"Prefer": prefer})
    assert (response.status_code, response.headers["Preference-Applied"]) == (202, "respond-async")


def test_a_long_search_is_for_a_job(anna: FlaskClient):
    body = {"people": PEOPLE[:2], "plan": {**PLANNED, "time_limit": 61}}
    assert anna.post(PLAN, json=body).status_code == 202
    assert anna.post(PLAN, json={**body, "plan": {**PLANNED, "time_limit": 60}}).status_code == 200


def test_more_people_than_a_job_takes_are_refused(anna: FlaskClient):
    people = [{"id": f"P{number}"} for number in range(31)]
    assert "一次最多 30 人" in anna.post(LISTS, json={"people": people}).get_json()["detail"]
    lines = "\n".join(map(json.dumps, people)).encode()
    response = anna.post(LISTS, data={"roster": (BytesIO(lines), "a.jsonl")})
    assert (response.status_code, "现为 31 人" in response.get_json()["detail"]) == (422, True)


def asked(people: list[dict[str, Any]], *, as_file: bool, **more: Any) -> dict[str, Any]:
    """A request for people in JSON or as a file."""
    if not as_file:
        return {"json": {"people": people, **more}}
    lines = "\n".join(map(json.dumps, people)).encode()
    return {
        "data": {"roster": (BytesIO(lines), "a.jsonl"), **{name: json.dumps(value) for name, value in more.items()}}
    }


@pytest.mark.parametrize("kind", ["application/json", WORKBOOK])
@pytest.mark.parametrize("as_file", [False, True])
def test_a_job_makes_the_bytes_that_would_have_been_answered_at_once(
    anna: FlaskClient, desk: APIFlask, kind: str, as_file: bool
):
    accept = {"Accept": kind}
    address = f"{LISTS}?top=3&explain=codes&exclude=c0001&level_window=1"
    at_once = anna.post(address, headers=accept, **asked(PEOPLE[:4], as_file=as_file))
    later = anna.post(address, headers={**accept, **ASYNC}, **asked(PEOPLE[:4], as_file=as_file))
    work(desk)
    result = anna.get(f"{later.headers['Location']}/result", buffered=True)
    assert (at_once.status_code, later.status_code, result.status_code) == (200, 202, 200)
    assert (result.data, result.content_type) == (at_once.data, at_once.content_type)


MIXED = [*PEOPLE[:3], {"id": "P0"}, {"id": 7}, None, {"id": "P9", "post": "镇长"}]


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_batch_that_becomes_a_job_is_answered_byte_by_byte_as_at_once(anna: FlaskClient, desk: APIFlask, kind: str):
    lines = "\n".join(map(json.dumps, MIXED))
    body = {"data": lines if kind.endswith("ndjson") else json.dumps({"profiles": MIXED}), "content_type": kind}
    at_once = anna.post(f"{BATCH}?top=2&explain=none", buffered=True, **body)
    later = anna.post(f"{BATCH}?top=2&explain=none", headers=ASYNC, **body)
    work(desk)
    assert anna.get(later.headers["Location"]).get_json()["done"] == len(MIXED)
    result = anna.get(f"{later.headers['Location']}/result", buffered=True)
    assert (at_once.status_code, later.status_code, result.status_code) == (200, 202, 200)
    assert (result.data, result.content_type) == (at_once.data, at_once.content_type)


def test_whoever_may_not_see_jobs_is_answered_at_once(desk: APIFlask, callers: dict[str, Caller]):
    headers = {**callers["reader"], **ASYNC}
    response = desk.test_client().post(BATCH, json={"profiles": PEOPLE}, headers=headers, buffered=True)
    assert (response.status_code, "Preference-Applied" in response.headers) == (200, False)


@given(
    st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), min_size=1, max_size=9),
    st.integers(1, 9),
)
def test_a_list_in_parts_is_the_list_as_a_whole(values: list[dict[str, Any]], size: int):
    chunks = [values[at : at + size] for at in range(0, len(values), size)]
    parts = [
        as_part(chunk, "v0001", first=number == 0, last=number == len(chunks) - 1)
        for number, chunk in enumerate(chunks)
    ]
    assert b"".join(parts) == b"".join(as_list(values, "v0001"))


@pytest.mark.parametrize("as_file", [False, True])
def test_a_plan_is_the_same_whoever_makes_it(anna: FlaskClient, desk: APIFlask, as_file: bool):
    at_once = anna.post(PLAN, **asked(PEOPLE[:4], as_file=as_file, plan=PLANNED)).get_json()
    more = {"plan": PLANNED, "previous": at_once}
    compared = anna.post(PLAN, **asked(PEOPLE[:4], as_file=as_file, **more)).get_json()
    later = anna.post(PLAN, headers=ASYNC, **asked(PEOPLE[:4], as_file=as_file, **more))
    work(desk)
    result = anna.get(f"{later.headers['Location']}/result", buffered=True).get_json()
    assert result["comparison"]["same_inputs"]
    assert {**result, "seconds": 0} == {**compared, "seconds": 0}


def test_the_parts_of_a_form_may_be_files_too(anna: FlaskClient, desk: APIFlask):
    lines = "\n".join(map(json.dumps, PEOPLE[:4])).encode()
    form = {"roster": (BytesIO(lines), "a.jsonl"), "plan": (BytesIO(json.dumps(PLANNED).encode()), "plan.json")}
    later = anna.post(PLAN, data=form, headers=ASYNC)
    assert later.status_code == 202
    work(desk)
    assert anna.get(later.headers["Location"]).get_json()["status"] == "done"


def test_the_workbook_of_a_plan_comes_as_a_file(anna: FlaskClient, desk: APIFlask):
    body = {"people": PEOPLE[:4], "plan": PLANNED}
    later = anna.post(PLAN, json=body, headers={**ASYNC, "Accept": WORKBOOK})
    work(desk)
    result = anna.get(f"{later.headers['Location']}/result", buffered=True)
    assert result.headers["Content-Disposition"].startswith("attachment; ")
    assert CalamineWorkbook.from_filelike(BytesIO(result.data)).sheet_names[0] == "班次方案"


def test_a_result_is_read_again_only_when_it_is_not_known_and_each_reading_is_recorded(
    anna: FlaskClient, desk: APIFlask, store: Database
):
    address = anna.post(LISTS, json={"people": PEOPLE}).headers["Location"]
    work(desk)
    first = anna.get(f"{address}/result", buffered=True)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = anna.get(f"{address}/result", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert anna.get(f"{address}/result", headers={"If-None-Match": f"W/{first.headers['ETag']}"}).status_code == 304
    with store.reading() as connection:
        done = [one for one in audit.entries(connection) if one.object == address.rsplit("/", 1)[1]]
    assert [one.action for one in done] == ["job.create", "job.export"]
    assert all(one.actor.startswith("key:") and one.detail["people"] == 5 for one in done)


def test_a_job_is_seen_by_whoever_made_it_and_by_admins(anna: FlaskClient, desk: APIFlask, callers: dict[str, Caller]):
    address = anna.post(LISTS, json={"people": PEOPLE}).headers["Location"]
    work(desk)
    other = desk.test_client()
    for path in (address, f"{address}/result"):
        statuses = {name: other.get(path, headers=key).status_code for name, key in callers.items()}
        assert statuses == {"anna": 200, "ben": 404, "reader": 403, "admin": 200}
    listed = {name: len(other.get(JOBS, headers=callers[name]).get_json()["jobs"]) for name in ("anna", "ben", "admin")}
    assert listed == {"anna": 1, "ben": 0, "admin": 1}
    deleted = {name: other.delete(address, headers=callers[name]).status_code for name in ("ben", "reader", "admin")}
    assert deleted == {"ben": 404, "reader": 403, "admin": 204}
    assert anna.get(address).status_code == 404


def test_a_job_that_waits_is_cancelled_and_one_that_ended_is_forgotten(anna: FlaskClient, desk: APIFlask):
    address = anna.post(LISTS, json={"people": PEOPLE}).headers["Location"]
    assert anna.delete(address).status_code == 204
    assert anna.get(address).get_json()["status"] == "cancelled"
    assert "已经取消" in anna.get(f"{address}/result").get_json()["detail"]
    work(desk)
    assert anna.get(address).get_json()["status"] == "cancelled"
    assert anna.delete(address).status_code == 204
    assert (anna.get(address).status_code, anna.delete(address).status_code) == (404, 404)


def test_jobs_come_page_by_page_newest_first(anna: FlaskClient):
    made = [anna.post(LISTS, json={"people": PEOPLE}).get_json()["id"] for _ in range(5)]
    found, cursor = [], ""
    while cursor is not None:
        page = anna.get(f"{JOBS}?limit=2&cursor={cursor}").get_json()
        found += [one["id"] for one in page["jobs"]]
        cursor = page["next"]
    assert found == made[::-1]
    refused = anna.get(f"{JOBS}?cursor=elsewhere")
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "/query/cursor")


def test_a_caller_has_only_so_many_jobs_under_way(anna: FlaskClient):
    statuses = [anna.post(LISTS, json={"people": PEOPLE}).status_code for _ in range(jobs.MOST_WAITING + 1)]
    assert statuses == [202] * jobs.MOST_WAITING + [429]
    refused = anna.post(LISTS, json={"people": PEOPLE})
    assert int(refused.headers["Retry-After"]) > 0
    assert str(jobs.MOST_WAITING) in refused.get_json()["detail"]


def test_a_request_that_is_repeated_under_one_key_makes_one_job(anna: FlaskClient):
    key = {"Idempotency-Key": "once"}
    first, again = (anna.post(LISTS, json={"people": PEOPLE}, headers=key, buffered=True) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.headers["Location"], first.data) == (again.headers["Location"], again.data)
    assert len(anna.get(JOBS).get_json()["jobs"]) == 1


def test_a_plan_that_cannot_be_fails_with_the_cause_in_the_words_of_the_request(anna: FlaskClient, desk: APIFlask):
    body = {"people": PEOPLE[:4], "plan": {**PLANNED, "require": ["Q9999"]}}
    address = anna.post(PLAN, json=body, headers=ASYNC).headers["Location"]
    work(desk)
    told = anna.get(address).get_json()
    assert (told["status"], told["result"]) == ("failed", None)
    assert "require 中的编号不在课程目录里：Q9999" in told["cause"]
    assert "--" not in told["cause"]
    refused = anna.get(f"{address}/result")
    assert (refused.status_code, told["cause"] in refused.get_json()["detail"]) == (409, True)


def failing(desk: APIFlask, anna: FlaskClient, **changed: Any) -> dict[str, Any]:
    """What becomes of a job whose row was changed before it is done."""
    address = anna.post(LISTS, json={"people": PEOPLE}).headers["Location"]
    with desk.extensions["quebu.store"].writing() as connection:
        connection.execute(update(job).values(**changed))
    work(desk)
    told: dict[str, Any] = anna.get(address).get_json()
    assert told["status"] == "failed"
    return told


def test_a_job_whose_version_is_gone_fails_with_a_sentence(anna: FlaskClient, desk: APIFlask):
    assert "v9999" in failing(desk, anna, model_version="v9999")["cause"]


def test_a_fault_of_ours_fails_the_job_without_a_word_of_the_roster_in_the_log(
    anna: FlaskClient, desk: APIFlask, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        told = failing(desk, anna, request=json.dumps({"suffix": ".json"}))
    assert told["cause"] == INTERNAL
    assert "KeyError" in caplog.text
    assert not any(text in caplog.text for text in LACKS)


def test_a_disk_that_is_full_fails_the_job_and_is_told(anna: FlaskClient, desk: APIFlask, store: Database):
    people = [{**PEOPLE[number % 5], "id": f"P{number}"} for number in range(30)]
    address = anna.post(LISTS, json={"people": people}).headers["Location"]

    def full(connection: Any, _: Any) -> None:
        connection.execute("VACUUM")
        connection.execute("PRAGMA max_page_count = 1")  # It stays as it is, and grows no more.

    event.listen(store.engine, "connect", full)
    store.engine.dispose()
    try:
        work(desk)
    finally:
        event.remove(store.engine, "connect", full)
        store.engine.dispose()
    told = anna.get(address).get_json()
    assert (told["status"], told["cause"]) == ("failed", FULL)
    address = anna.post(LISTS, json={"people": people}).headers["Location"]
    work(desk)
    assert anna.get(address).get_json()["status"] == "done"


@pytest.mark.parametrize("kind", ["recommendations", "batch"])
def test_a_second_attempt_begins_at_the_first_piece_that_is_missing(
    anna: FlaskClient, desk: APIFlask, store: Database, kind: str
):
    people = [{"id": f"P{number}"} for number in range(501)]
    asked = {"top": 1, "level_window": 0, "exclude": [], "explain": "none", "month": None, "suffix": ".json"}
    asked |= {"answer": "application/json", "lines": True, "longest": 1000}
    body = json.dumps(people) if kind == "recommendations" else "\n".join(map(json.dumps, people))
    made = jobs.create(store, By("test"), kind, asked, "v0001", 501, {"people": [body.encode()]})
    lease = leases.claim(store, made.id)
    assert lease
    leases.write(store, made.id, lease, 0, b"of the first attempt\n", 500)
    leases.release(store, made.id, lease, 24, counted=True)
    work(desk)
    done = jobs.find(store, Principal("test", Role.ADMIN), made.id)
    assert done
    assert (done.status, done.attempts, done.done) == ("done", 2, 501)
    first, rest = b"".join(jobs.export(store, By("test"), done)).split(b"\n", 1)
    assert first == b"of the first attempt"
    assert rest.count(b'"id"') == 1
    assert b'"P500"' in rest


def test_no_roster_is_kept_once_its_job_has_ended(anna: FlaskClient, desk: APIFlask, store: Database):
    def blobs() -> set[str]:
        with store.reading() as connection:
            return {blob.rsplit(":", 1)[1] for blob in connection.scalars(select(piece.c.blob))}

    anna.post(PLAN, json={"people": PEOPLE[:2], "plan": {**PLANNED, "require": ["Q9999"]}}, headers=ASYNC)
    anna.post(LISTS, json={"people": PEOPLE})
    assert blobs() == {"people"}
    work(desk)
    assert blobs() == {"result"}
