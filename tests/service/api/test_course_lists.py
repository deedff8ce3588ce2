"""A new course list over HTTP: checked without a trace, trained by a job, activated through the gate, gone back from; and refused without a change."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from model.lexicon import TRAINING_DATA
from model.versions.registry import Registry
from service.jobs.hand import do
from service.store import audit, leases
from service.store.database import Database

API = "/api/v1"
CHECK, MODELS = f"{API}/course-lists/check", f"{API}/models"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def own(own: dict[str, Any], registry: Path, tmp_path: Path) -> dict[str, Any]:
    """The session's version in a registry of its own."""
    shutil.copytree(registry, tmp_path / "registry")
    return {**own, "REGISTRY": str(tmp_path / "registry")}


def rows() -> list[dict[str, str]]:
    """The bundled list, row by row."""
    with (TRAINING_DATA / "courses.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(table: list[dict[str, str]]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    return file.getvalue().encode("utf-8-sig")


def send(caller: FlaskClient, path: str, content: bytes, name: str = "新学期.csv", **parts: Any) -> Any:
    accept = parts.pop("accept", "application/json")
    form = {"courses": (io.BytesIO(content), name), **parts}
    return caller.post(path, data=form, content_type="multipart/form-data", headers={"Accept": accept}, buffered=True)


def work(app: APIFlask) -> None:
    database: Database = app.extensions["quebu.store"]
    for identity in leases.queued(database):
        lease = leases.claim(database, identity)
        assert lease
        do(database, app.extensions["quebu"], identity, lease, 24)


def state(own: dict[str, Any]) -> dict[str, bytes]:
    """Every file of the registry."""
    home = Path(own["REGISTRY"])
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def changed() -> bytes:
    """The bundled list with a course gone, one come, one renamed and one longer."""
    table = rows()
    gone, renamed, longer = table[0], table[1], table[2]
    title = next(name for name in gone if name in {"课程名称", "title"})
    hours = next(name for name in gone if name in {"学时", "hours"})
    identity = next(name for name in gone if name in {"课程编号", "id", "course_id"})
    new = {**dict.fromkeys(gone, ""), identity: "N0001", title: "扎口子工作实务", hours: "2"}
    return as_csv([{**renamed, title: f"{renamed[title]}（修订）"}, {**longer, hours: "99"}, *table[3:], new])


def test_a_list_is_checked_and_compared_without_a_trace(caller: FlaskClient, own: dict[str, Any]):
    before = state(own)
    response = send(caller, CHECK, changed())
    assert response.status_code == 200, response.get_json()
    told = response.get_json()
    counts = told["changes"]["counts"]
    assert (counts["added"], counts["removed"], counts["renamed"], counts["retimed"]) == (1, 1, 1, 1)
    assert [one["title"] for one in told["changes"]["added"]] == ["扎口子工作实务"]
    assert told["reading"]["read"] == told["courses"] == len(rows())
    assert told["base"] == "v0001"
    assert state(own) == before


def test_every_fault_is_told_by_cell_and_comes_as_a_workbook_when_it_is_asked_for(caller: FlaskClient):
    content = "课程编号,课程名称,学时\n1,公文写作,两\n2,,3\n3,应急处突,4\n".encode()
    told = send(caller, CHECK, content, source="试一试").get_json()
    assert [fault["place"] for fault in told["reading"]["faults"]] == ["新学期!C2", "新学期!B3"]
    assert "两" not in json.dumps(told["reading"], ensure_ascii=False)
    assert (told["reading"]["read"], told["reading"]["rejected"]) == (2, 1)
    response = send(caller, CHECK, content, accept=WORKBOOK)
    assert response.mimetype == WORKBOOK
    names = CalamineWorkbook.from_filelike(io.BytesIO(response.data)).sheet_names
    assert {"核对结果", "与现用目录比较"} < set(names)


def test_what_a_header_means_and_where_a_label_belongs_can_be_said(caller: FlaskClient):
    content = "讲什么,归口\n公文写作十讲,经信类\n".encode()
    assert send(caller, CHECK, content).status_code == 422
    told = send(caller, CHECK, content, map=json.dumps({"讲什么": "课程名称", "归口": "类别"})).get_json()
    assert [one["label"] for one in told["categories"]] == ["经信类"]
    said = {"map": json.dumps({"讲什么": "课程名称", "归口": "类别"}), "categories": json.dumps({"经信类": "履职能力"})}
    assert send(caller, CHECK, content, **said).get_json()["categories"] == []


@pytest.mark.parametrize(
    ("parts", "faulty"),
    [
        ({"map": "[1]"}, ["/map"]),
        ({"map": "{"}, ["/map"]),
        ({"year": "明年"}, ["/year"]),
        ({"without": "省网院"}, ["/without"]),
        ({"stranger": "1"}, ["/stranger"]),
        ({"categories": '{"经信类": 1}'}, ["/categories/经信类"]),
    ],
)
def test_every_faulty_part_is_named(parts: dict[str, str], faulty: list[str], caller: FlaskClient):
    response = send(caller, CHECK, b"x", **parts)
    assert response.status_code == 422
    assert [one["pointer"] for one in response.get_json()["errors"]] == faulty


@pytest.mark.parametrize("path", [CHECK, MODELS])
@pytest.mark.parametrize("name", ["a.exe", "", "a.joblib", "a.pkl"])
def test_a_file_of_another_kind_is_refused(path: str, name: str, caller: FlaskClient):
    assert send(caller, path, b"\x80\x04.", name).status_code == 422
    assert caller.post(path, json={}).status_code == 415


@pytest.mark.parametrize("path", [CHECK, MODELS])
@pytest.mark.parametrize("name", ["courses", "source"])
def test_a_second_list_or_answer_is_refused_and_not_dropped(path: str, name: str, caller: FlaskClient):
    first, second = as_csv(rows()[:50]), as_csv(rows()[50:100])
    twice = {name: [(io.BytesIO(first), "甲.csv"), (io.BytesIO(second), "乙.csv")]}
    form = {"courses": (io.BytesIO(first), "甲.csv"), **twice}
    response = caller.post(path, data=form, content_type="multipart/form-data")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == [f"/{name}"]
    assert not caller.get(f"{API}/jobs").get_json()["jobs"]


def test_a_new_list_is_trained_by_a_job_and_its_version_waits_until_somebody_activates_it(
    caller: FlaskClient, own: dict[str, Any], own_app: APIFlask, own_store: Database
):
    response = send(caller, MODELS, changed())
    assert response.status_code == 202, response.get_json()
    address = response.headers["Location"]
    again = send(caller, MODELS, changed())
    assert again.status_code == 409, "one at a time"
    work(own_app)
    job = caller.get(address).get_json()
    assert (job["status"], job["kind"], job["done"]) == ("done", "training", job["total"])
    told = caller.get(job["result"]).get_json()
    assert (told["version"], told["active"], told["findings"]) == ("v0002", False, [])
    assert told["check"]["changes"]["counts"]["added"] == 1
    assert [one["active"] for one in caller.get(MODELS).get_json()["models"]] == [False, True]
    done = caller.post(f"{MODELS}/v0002/activate", json={})
    assert (done.status_code, done.get_json()["version"]) == (200, "v0002")
    assert caller.get(f"{API}/courses/N0001").status_code == 200
    assert caller.post(f"{MODELS}/rollback", json={}).get_json()["version"] == "v0001"
    assert caller.get(f"{API}/courses/N0001").status_code == 404
    with own_store.reading() as connection:
        actions = [one.action for one in audit.entries(connection)]
    assert {"job.create", "model.activate", "model.rollback"} <= set(actions)


def test_a_version_that_passes_the_gate_answers_at_once_where_that_was_asked_for(
    caller: FlaskClient, own_app: APIFlask, own: dict[str, Any]
):
    address = send(caller, MODELS, changed(), activate="true").headers["Location"]
    work(own_app)
    told = caller.get(caller.get(address).get_json()["result"]).get_json()
    assert (told["active"], told["comparison"]["passed"]) == (True, True)
    assert Registry(Path(own["REGISTRY"])).pointer() == "v0002"


def test_a_version_the_gate_holds_up_is_kept_and_another_goes_on_answering(
    caller: FlaskClient, own_app: APIFlask, own: dict[str, Any]
):
    few = as_csv(rows()[:3])
    address = send(caller, MODELS, few, activate="true").headers["Location"]
    work(own_app)
    told = caller.get(caller.get(address).get_json()["result"]).get_json()
    assert (told["active"], told["comparison"]["passed"]) == (False, False)
    assert told["findings"]
    assert Registry(Path(own["REGISTRY"])).pointer() == "v0001"
    refused = caller.post(f"{MODELS}/v0002/activate", json={})
    assert refused.status_code == 409
    assert caller.post(f"{MODELS}/v0002/activate", json={"reason": "只开这三门课"}).status_code == 200


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x80\x04\x95\x10\x00\x00\x00", "pickle.xlsx"),
        ("课程编号\n1\n".encode(), "no_titles.csv"),
        ("课程名称,学时\n,2\n".encode(), "nothing.csv"),
        (b"{", "broken.json"),
    ],
)
def test_a_broken_list_fails_its_job_with_the_cause_and_changes_nothing(
    content: bytes, name: str, caller: FlaskClient, own_app: APIFlask, own: dict[str, Any]
):
    before = state(own)
    address = send(caller, MODELS, content, name).headers["Location"]
    work(own_app)
    job = caller.get(address).get_json()
    assert job["status"] == "failed"
    assert name in job["cause"] or "课程" in job["cause"]
    assert "系统内部错误" not in job["cause"]
    assert state(own) == before


def test_a_second_attempt_takes_the_version_the_first_has_saved(
    caller: FlaskClient, own_app: APIFlask, own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    address = send(caller, MODELS, changed()).headers["Location"]
    database: Database = own_app.extensions["quebu.store"]
    (identity,) = leases.queued(database)
    lease = leases.claim(database, identity)
    assert lease
    # The job is taken away right after the version was saved, as when its process is killed there.
    reach = leases.reach

    def killed(store: Database, job: str, held: str, done: int, stage: str) -> None:
        if stage == "保存版本":
            raise leases.Lost
        reach(store, job, held, done, stage)

    with monkeypatch.context() as patched:
        patched.setattr(leases, "reach", killed)
        do(database, own_app.extensions["quebu"], identity, lease, 24)
    assert Registry(Path(own["REGISTRY"])).versions() == ["v0001", "v0002"]
    assert leases.release(database, identity, lease, 24, counted=True)
    work(own_app)
    job = caller.get(address).get_json()
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert caller.get(job["result"]).get_json()["version"] == "v0002"
    assert Registry(Path(own["REGISTRY"])).versions() == ["v0001", "v0002"]


def test_a_training_that_is_cancelled_stops_before_anything_is_saved(
    caller: FlaskClient, own_app: APIFlask, own: dict[str, Any]
):
    before = state(own)
    address = send(caller, MODELS, changed()).headers["Location"]
    database: Database = own_app.extensions["quebu.store"]
    (identity,) = leases.queued(database)
    lease = leases.claim(database, identity)
    assert lease
    assert caller.delete(address).status_code == 204
    do(database, own_app.extensions["quebu"], identity, lease, 24)
    assert caller.get(address).get_json()["status"] == "cancelled"
    assert state(own) == before
    assert send(caller, MODELS, changed()).status_code == 202, "the next may begin"
