"""The versions of a registry, told by their cards alone: no model is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from model.recommender import Recommender
from service import create_app

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


def test_a_version_is_told_the_same_alone_and_in_the_list(reader: FlaskClient):
    for one in listed(reader):
        assert reader.get(f"{MODELS}/{one['version']}").get_json() == one


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
    assert told == {**dict.fromkeys(SHOWN), "version": "v0001", "active": False}


def test_a_training_under_way_is_no_version_yet(reader: FlaskClient, shelf: Path):
    (shelf / "v10001").mkdir()
    assert [one["version"] for one in listed(reader)] == ["v10000", "v0002", "v0001"]
