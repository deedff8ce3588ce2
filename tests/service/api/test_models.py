"""The versions of a registry, told by their cards alone: no model is loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from postgres import SECRET
from test_engine import until
from test_versions import rows as audited
from test_versions import shelf as made  # noqa: F401 (a fixture)

from model.recommender import Recommender
from model.versions.registry import Registry
from service import create_app
from service.engine import Engine
from service.store import keys
from service.store.audit import By
from service.store.roles import Role

MODELS = "/api/v1/models"
CARD = {
    "created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": 714, "catalog_fingerprint": "abc", "encoder": None, "degraded": True,
    "metrics": {"full": {"ndcg@10": 0.83}}, "files": {"model.joblib": "0"}, "libraries": {"quebu": "0"}, "familiar": 1.0,
}  # fmt: skip
SHOWN = ["version", "active", "created", "source", "courses", "catalog_fingerprint", "encoder", "degraded", "metrics"]


def kept(folder: Path, version: str, **card: Any) -> Path:
    (folder / version).mkdir()
    path = folder / version / "card.json"
    path.write_text(json.dumps({"version": version, **CARD, **card}), encoding="utf-8")
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The cards of three versions, the second of them active."""
    for version in ("v0001", "v0002", "v10000"):
        kept(tmp_path, version, source=f"{version}.csv")
    (tmp_path / "active").write_text("v0002\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def reader(shelf: Path) -> FlaskClient:
    return create_app({"REGISTRY": str(shelf), "TESTING": True, "LOCAL": True}).test_client()


def listed(client: FlaskClient) -> list[dict[str, Any]]:
    response = client.get(MODELS)
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert list(response.get_json()) == ["models"]
    return list(response.get_json()["models"])


def test_the_versions_are_told_newest_first_and_which_is_active(reader: FlaskClient):
    found = listed(reader)
    assert [(one["version"], one["active"]) for one in found] == [("v10000", False), ("v0002", True), ("v0001", False)]
    assert {tuple(one) for one in found} == {tuple(SHOWN)}
    assert [one["source"] for one in found] == ["v10000.csv", "v0002.csv", "v0001.csv"]


def test_neither_hashes_nor_libraries_are_told(reader: FlaskClient):
    assert not {"files", "libraries", "familiar"} & set(reader.get(f"{MODELS}/v0002").get_json())


def test_a_version_is_told_as_in_the_list_and_alone_with_what_it_comes_from(reader: FlaskClient, shelf: Path):
    lists = [{"name": "甲", "file": "甲.csv", "courses": 2, "year": None}]
    kept(
        shelf,
        "v0003",
        parent="v0002",
        who="local",
        sources=[{**lists[0], "sha256": "0", "headers": {"讲什么": "title"}}],
    )
    for one in listed(reader):
        alone = reader.get(f"{MODELS}/{one['version']}").get_json()
        assert {name: alone[name] for name in SHOWN} == one
        came = (alone["parent"], alone["who"], alone["sources"])
        assert came == (("v0002", "local", lists) if one["version"] == "v0003" else (None, None, None))


def test_activating_another_version_is_seen_at_once(reader: FlaskClient, shelf: Path):
    for version in ("v0001", "v10000"):
        (shelf / "active").write_text(version, encoding="utf-8")
        assert [one["version"] for one in listed(reader) if one["active"]] == [version]


def test_the_trained_version_is_told_with_its_metrics_and_encoder(client: FlaskClient, trained: Recommender):
    told = client.get(f"{MODELS}/v0001").get_json()
    assert (told["active"], told["courses"], told["encoder"]) == (True, len(trained.catalog), trained.matcher.encoder)
    assert told["metrics"] == json.loads(json.dumps(trained.metrics))


@pytest.mark.parametrize(
    "version", ["v0003", "v1", "V0001", "v0001%20", "v0001%0A", "active", "..", "%2e%2e%2fv0001", "v0001%00", "%ff", "v" + "9" * 5000]
)  # fmt: skip
def test_an_unknown_version_is_a_problem_that_says_where_the_known_ones_are(version: str, reader: FlaskClient):
    response = reader.get(f"{MODELS}/{version}")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_an_unknown_number_is_told_where_the_known_ones_are(reader: FlaskClient):
    assert MODELS in reader.get(f"{MODELS}/v0003").get_json()["detail"]


def test_where_nothing_was_trained_there_are_no_versions(untrained: FlaskClient):
    assert listed(untrained) == []
    assert untrained.get(f"{MODELS}/v0001").status_code == 404


@pytest.mark.parametrize("active", ["", "v0009", "garbage", "../v0001"])
def test_versions_are_told_though_none_of_them_is_active(active: str, reader: FlaskClient, shelf: Path):
    (shelf / "active").write_text(active, encoding="utf-8")
    assert [one["active"] for one in listed(reader)] == [False] * 3


@pytest.mark.parametrize("card", ["", "{", "[]", '{"version": "v0002"}', json.dumps({**CARD, "version": "v0002"})])
def test_a_card_that_is_damaged_hides_no_other_version(card: str, reader: FlaskClient, shelf: Path):
    (shelf / "v0001" / "card.json").write_text(card, encoding="utf-8")
    assert [one["version"] for one in listed(reader)] == ["v10000", "v0002"]
    response = reader.get(f"{MODELS}/v0001")
    assert (response.status_code, response.content_type) == (503, "application/problem+json")
    assert "v0001" in response.get_json()["detail"]


def test_what_an_older_card_does_not_say_is_null(reader: FlaskClient, shelf: Path):
    least = {"version": "v0001", "files": {"model.joblib": "0"}, "libraries": {"quebu": "0"}}
    (shelf / "v0001" / "card.json").write_text(json.dumps(least), encoding="utf-8")
    told = reader.get(f"{MODELS}/v0001").get_json()
    assert told == {**dict.fromkeys([*SHOWN, "parent", "who", "sources"]), "version": "v0001", "active": False}


def test_a_training_under_way_is_no_version_yet(reader: FlaskClient, shelf: Path):
    (shelf / "v10001").mkdir()
    assert [one["version"] for one in listed(reader)] == ["v10000", "v0002", "v0001"]


@pytest.fixture
def moving(made: Path, tmp_path: Path) -> Iterator[APIFlask]:  # noqa: F811
    """A service of its own on three versions of a tiny world; v0001 is active, v0002 knows a course less, v0003 is as v0001."""
    registry = shutil.copytree(made, tmp_path / "instance" / "registry")
    Registry(registry).activate("v0001")
    own = {"DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db", "SECRET": SECRET, "GATE_UNMET": 0.0}
    app = create_app({"REGISTRY": str(registry), "TESTING": True, "LOCAL": True, **own})
    yield app
    app.extensions["quebu.store"].engine.dispose()


@pytest.fixture
def mover(moving: APIFlask) -> FlaskClient:
    return moving.test_client()


def active(app: APIFlask) -> str:
    return str(app.extensions["quebu"].registry.active())


def test_two_versions_are_compared_the_active_one_unless_another_is_named(mover: FlaskClient):
    found = mover.get(f"{MODELS}/v0002/comparison").get_json()
    assert (found["before"], found["after"], found["passed"]) == ("v0001", "v0002", False)
    assert [finding["check"] for finding in found["findings"]] == ["unmet"]
    assert found["roster"] == "随附的名册样例"
    assert all("id" not in one for one in found["people"]["largest"])
    back = mover.get(f"{MODELS}/v0001/comparison?with=v0002").get_json()
    assert (back["before"], back["gaps"]["newly_met"]) == ("v0002", found["gaps"]["newly_unmet"])
    again = mover.get(f"{MODELS}/v0002/comparison").get_json()
    assert again == found, "kept, with the seconds it took"


def test_a_version_takes_over_through_the_gate_and_answers_from_then_on(moving: APIFlask, mover: FlaskClient):
    done = mover.post(f"{MODELS}/v0003/activate", json={})
    assert (done.status_code, done.get_json()) == (200, {"version": "v0003", "before": "v0001", "findings": []})
    assert active(moving) == "v0003"
    asked = mover.post("/api/v1/recommendations", json={"id": "P1", "weaknesses": [{"text": "公文写作能力不足"}]})
    assert asked.get_json()["model_version"] == "v0003"
    assert ("model.activate", "v0003", {"from": "v0001"}) in audited(moving.extensions["quebu.store"])


def test_a_version_that_fails_is_held_up_with_its_findings_and_let_through_with_a_reason(
    moving: APIFlask, mover: FlaskClient
):
    refused = mover.post(f"{MODELS}/v0002/activate", json={"reason": None})
    assert (refused.status_code, refused.content_type) == (409, "application/problem+json")
    (error,) = refused.get_json()["errors"]
    assert (error["field"], error["pointer"]) == ("unmet", "")
    assert "QUEBU_GATE_UNMET" in error["message"]
    assert "unmet" in error["message_en"]
    assert active(moving) == "v0001"
    done = mover.post(f"{MODELS}/v0002/activate", json={"reason": "应急课程另行组织"}).get_json()
    assert [finding["check"] for finding in done["findings"]] == ["unmet"]
    assert active(moving) == "v0002"
    told = audited(moving.extensions["quebu.store"])[-1]
    assert told == ("model.activate", "v0002", {"from": "v0001", "findings": ["unmet"], "reason": "应急课程另行组织"})


def test_the_way_back_and_where_there_is_none(moving: APIFlask, mover: FlaskClient):
    mover.post(f"{MODELS}/v0003/activate", json={})
    done = mover.post(f"{MODELS}/rollback", json={"reason": "再看看"})
    assert (done.status_code, done.get_json()) == (200, {"version": "v0001", "before": "v0003"})
    assert active(moving) == "v0001"
    refused = mover.post(f"{MODELS}/rollback", json={})
    assert refused.status_code == 409
    assert "没有可以退回的" in refused.get_json()["detail"]
    assert "POST /api/v1/models/版本号/activate" in refused.get_json()["detail"]
    assert [row[0] for row in audited(moving.extensions["quebu.store"])][-1] == "model.rollback"


def test_what_is_active_already_is_said_to_be(mover: FlaskClient):
    done = mover.post(f"{MODELS}/v0001/activate", json={}).get_json()
    assert done == {"version": "v0001", "before": "v0001", "findings": [], "note": "这个版本本来就是启用的。"}


def test_the_first_version_is_activated_without_a_comparison(made: Path, tmp_path: Path):  # noqa: F811
    registry = shutil.copytree(made, tmp_path / "registry")
    client = create_app({"REGISTRY": str(registry), "TESTING": True, "LOCAL": True}).test_client()
    assert client.post(f"{MODELS}/rollback", json={}).status_code == 409
    assert client.get(f"{MODELS}/v0001/comparison").status_code == 422
    assert client.post(f"{MODELS}/v0002/activate", json={}).get_json()["before"] is None
    assert Registry(registry).active() == "v0002"


def test_a_damaged_version_is_not_activated_and_the_one_before_goes_on(moving: APIFlask, mover: FlaskClient):
    path = moving.extensions["quebu"].registry.folder / "v0003" / "model.joblib"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])
    refused = mover.post(f"{MODELS}/v0003/activate", json={"reason": "无论如何"})
    assert refused.status_code == 409
    assert "v0003 的文件 model.joblib" in refused.get_json()["detail"]
    assert active(moving) == "v0001"


@pytest.mark.parametrize("version", ["v0009", "..", "%2e%2e%2fv0001", "v0001%00", "active", "rollback"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_neither_an_unknown_version_nor_a_path_is_compared_or_activated(
    mover: FlaskClient, moving: APIFlask, version: str, method: str
):
    if method == "GET":
        assert mover.get(f"{MODELS}/{version}/comparison").status_code == 404
        assert mover.get(f"{MODELS}/v0001/comparison", query_string={"with": version}).status_code == 422
    else:
        assert mover.post(f"{MODELS}/{version}/activate", json={"reason": "x"}).status_code == 404
    assert active(moving) == "v0001"


@pytest.mark.parametrize(
    "body", [{"reason": ""}, {"reason": "  "}, {"reason": "长" * 501}, {"reason": "a\0b"}, {"reason": 3}, {"why": "x"}, [], "x"]
)  # fmt: skip
@pytest.mark.parametrize("path", ["v0002/activate", "rollback"])
def test_a_body_that_is_not_as_documented_moves_nothing(mover: FlaskClient, moving: APIFlask, path: str, body: Any):
    answer = mover.post(f"{MODELS}/{path}", json=body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert active(moving) == "v0001"


def test_curators_move_versions_planners_compare_them_and_readers_look(moving: APIFlask, mover: FlaskClient):
    heads = {
        role: {"Authorization": f"Bearer {keys.create(moving.extensions['quebu.store'], By('test'), 'x', role, 1)}"}
        for role in Role
    }
    for role in (Role.READER, Role.PLANNER):
        for path in ("v0003/activate", "rollback"):
            assert mover.post(f"{MODELS}/{path}", json={}, headers=heads[role]).status_code == 403
    assert mover.get(f"{MODELS}/v0003/comparison", headers=heads[Role.READER]).status_code == 403
    assert mover.get(f"{MODELS}/v0003/comparison", headers=heads[Role.PLANNER]).status_code == 200
    assert mover.get(f"{MODELS}/v0003", headers=heads[Role.READER]).status_code == 200
    assert active(moving) == "v0001"
    assert mover.post(f"{MODELS}/v0003/activate", json={}, headers=heads[Role.CURATOR]).status_code == 200
    with moving.app_context():
        event = moving.extensions["quebu"].registry.history()[-1]
    assert event["by"].startswith("key:")


def test_other_processes_follow_what_is_activated_here(moving: APIFlask, mover: FlaskClient):
    other = Engine(moving.extensions["quebu"].registry.folder, [])
    try:
        other.watch()
        assert other.recommender().version == "v0001"
        mover.post(f"{MODELS}/v0003/activate", json={})
        until(lambda: other.recommender().version == "v0003")
        mover.post(f"{MODELS}/rollback", json={})
        until(lambda: other.recommender().version == "v0001")
    finally:
        other.close()
