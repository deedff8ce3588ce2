from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from model.errors import NoActiveVersion, VersionError
from model.recommender import Recommender
from model.registry import Registry
from service.engine import Engine

CARD = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": 0, "metrics": {}}


@pytest.fixture
def store(tmp_path: Path, trained: Recommender) -> Registry:
    """Two versions, none of them active."""
    store = Registry(tmp_path)
    for _ in range(2):
        store.save(lambda version: replace(trained, version=version), CARD)
    return store


def test_without_an_active_version_it_says_so_and_recovers_once_there_is_one(store: Registry):
    engine = Engine(store.folder)
    with pytest.raises(NoActiveVersion):
        engine.recommender()
    store.activate("v0001")
    assert engine.recommender().version == "v0001"


def test_a_version_is_loaded_once_however_many_threads_ask(store: Registry):
    store.activate("v0001")
    engine = Engine(store.folder)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: engine.recommender(), range(32)))
    assert len({id(recommender) for recommender in found}) == 1


def test_activating_another_version_is_seen_by_the_next_request_and_so_is_the_way_back(store: Registry):
    engine = Engine(store.folder)
    seen = []
    for version in ("v0001", "v0002", "v0001"):
        store.activate(version)
        seen.append(engine.recommender().version)
    assert seen == ["v0001", "v0002", "v0001"]


def test_an_active_version_that_is_damaged_later_is_refused_rather_than_another_served_in_its_name(store: Registry):
    engine = Engine(store.folder)
    store.activate("v0001")
    engine.recommender()
    store.activate("v0002")
    (store.folder / "v0002" / "model.joblib").write_bytes(b"damaged")
    with pytest.raises(VersionError, match="v0002"):
        engine.recommender()
    store.activate("v0001")
    assert engine.recommender().version == "v0001"


def test_a_version_that_is_named_is_loaded_once_and_kept_beside_the_active_one(versions: Path):
    engine = Engine(versions)
    active = engine.recommender()
    with ThreadPoolExecutor(8) as pool:
        pinned = list(pool.map(lambda _: engine.recommender("v0002"), range(16)))
    assert {recommender.version for recommender in pinned} == {"v0002"}
    assert len({id(recommender) for recommender in pinned}) == 1
    # The active one is the same whether it is named or not, and was not given up for the other.
    assert engine.recommender() is engine.recommender("v0001") is active


@pytest.mark.parametrize("version", ["v0009", "../v0001"])
def test_a_version_that_is_none_is_refused_by_name(version: str, versions: Path):
    with pytest.raises(VersionError, match=version):
        Engine(versions).recommender(version)


def test_a_named_version_that_is_damaged_is_refused_and_the_active_one_goes_on(versions: Path, tmp_path: Path):
    (tmp_path / "v0001").symlink_to(versions / "v0001")
    (tmp_path / "active").write_text("v0001\n", encoding="utf-8")
    (tmp_path / "v0002").mkdir()
    (tmp_path / "v0002" / "card.json").write_bytes((versions / "v0002" / "card.json").read_bytes())
    (tmp_path / "v0002" / "model.joblib").write_bytes(b"damaged")
    engine = Engine(tmp_path)
    with pytest.raises(VersionError, match="v0002"):
        engine.recommender("v0002")
    assert engine.recommender().version == "v0001"
