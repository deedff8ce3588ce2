"""The engine in one process: which version answers, when another takes over, and what is refused."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from test_fallback import UNSEEN, matcher_by
from world import CATALOG, LEXICON

from model.domain import Catalog
from model.errors import NoActiveVersion, VersionError
from model.recommender import Recommender
from model.versions.registry import Registry
from service import engine as engine_module
from service.engine import Engine

WAIT = 30.0


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of four versions that read by spelling alone, none of them active."""
    store = Registry(tmp_path_factory.mktemp("four"), [])
    matcher = matcher_by()
    for _ in range(4):
        store.save(lambda version: Recommender(version, LEXICON, matcher, CATALOG, 0.3), {"created": "2026-01-01"})
    return store.folder


@pytest.fixture
def store(four: Path, tmp_path: Path) -> Registry:
    return Registry(shutil.copytree(four, tmp_path / "registry"), [])


@pytest.fixture
def engine(store: Registry) -> Iterator[Engine]:
    engine = Engine(store.folder, [])
    yield engine
    engine.close()


def damage(store: Registry, version: str) -> bytes:
    """Cut the model of a version short; returns what it was. Never in place: somebody may have mapped it."""
    path = store.folder / version / "model.joblib"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[: len(whole) // 2])
    return whole


def answers(recommender: Recommender) -> dict[str, str]:
    return {answer.text: answer.matches[0].course.id for answer in recommender.answer(list(UNSEEN), top=1)}


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_without_an_active_version_it_says_so_and_recovers_once_there_is_one(store: Registry, engine: Engine):
    for ask in (engine.recommender, engine.ready):
        with pytest.raises(NoActiveVersion):
            ask()
    store.activate("v0001")
    assert answers(engine.recommender()) == UNSEEN
    assert engine.recommender().version == "v0001"
    assert engine.refusal is None


def test_a_version_is_loaded_once_however_many_threads_ask(store: Registry, engine: Engine):
    store.activate("v0001")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: engine.recommender(), range(32)))
    assert len({id(recommender) for recommender in found}) == 1
    store.activate("v0001")
    assert engine.recommender() is found[0], "activating what is active loads nothing"


def test_activating_another_version_is_seen_by_the_next_request_and_so_is_the_way_back(store: Registry, engine: Engine):
    seen = []
    for version in ("v0001", "v0002", "v0001"):
        store.activate(version)
        seen.append(engine.recommender().version)
    assert seen == ["v0001", "v0002", "v0001"]


def test_an_active_version_that_is_damaged_is_refused_with_its_cause_and_the_one_before_goes_on(
    store: Registry, engine: Engine, caplog: pytest.LogCaptureFixture
):
    store.activate("v0001")
    engine.recommender()
    store.activate("v0002")
    whole = damage(store, "v0002")
    for _ in range(3):
        assert engine.recommender().version == engine.ready().version == "v0001"
    assert "v0002 的文件 model.joblib 与训练时不一致" in str(engine.refusal)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert str(engine.refusal) in told
    assert "v0001 goes on" in told
    # Mended, it is not tried again before somebody says so.
    (store.folder / "v0002" / "model.joblib").write_bytes(whole)
    assert engine.recommender().version == "v0001"
    store.activate("v0002")
    assert engine.recommender().version == "v0002"
    assert engine.refusal is None


def test_a_version_of_other_libraries_is_refused_by_name(store: Registry, engine: Engine):
    store.activate("v0001")
    engine.recommender()
    card = store.folder / "v0002" / "card.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"numpy": "', '"numpy": "0.'), encoding="utf-8")
    (store.folder / "active").write_text("v0002\n", encoding="utf-8")
    assert engine.recommender().version == "v0001"
    assert "用 numpy 0." in str(engine.refusal)


@pytest.mark.parametrize("content", [None, "", "v0009\n", "../v0001"])
def test_a_pointer_to_nothing_is_refused_and_the_version_before_goes_on(
    content: str | None, store: Registry, engine: Engine
):
    store.activate("v0001")
    engine.recommender()
    (store.folder / "active").unlink()
    if content is not None:
        (store.folder / "active").write_text(content, encoding="utf-8")
    assert engine.recommender().version == "v0001"
    assert engine.refusal is not None


def test_a_version_that_loads_and_cannot_recommend_is_refused(store: Registry, engine: Engine):
    store.activate("v0001")
    broken = replace(engine.recommender(), catalog=Catalog(CATALOG.courses[2:3]))  # Its matcher knows of four courses.
    store.activate(store.save(lambda version: replace(broken, version=version), {}))
    assert engine.recommender().version == "v0001"
    assert "v0005 能读出，但不能推荐" in str(engine.refusal)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_what_cannot_be_read_for_now_is_tried_again_after_a_while(
    store: Registry, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    path = store.folder / "v0001" / "model.joblib"
    store.activate("v0001")
    path.rename(path.with_suffix(".kept"))
    path.symlink_to("/proc/self/mem")
    with pytest.raises(VersionError, match="暂时读不出来（OSError）"):
        engine.recommender()
    path.unlink()
    path.with_suffix(".kept").rename(path)
    with pytest.raises(VersionError, match="暂时"):
        engine.recommender()
    monkeypatch.setattr(engine_module, "PAUSE", 0.0)
    (store.folder / "active").touch()
    assert engine.recommender().version == "v0001"


def test_once_watched_requests_go_on_and_the_new_version_takes_over_by_itself(store: Registry, engine: Engine):
    store.activate("v0001")
    engine.watch()
    assert engine.recommender().version == "v0001"
    seen: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            recommender = engine.recommender()
            assert answers(recommender) == UNSEEN
            seen.append(recommender.version)

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for version in ("v0002", "v0003", "v0001"):
                store.activate(version)
                until(lambda version=version: engine.recommender().version == version)
            damage(store, "v0004")
            (store.folder / "active").write_text("v0004\n", encoding="utf-8")
            until(lambda: engine.refusal is not None)
        finally:
            stop.set()
    assert [future.exception() for future in asking] == [None] * 3
    assert set(seen) == {"v0001", "v0002", "v0003"}
    assert engine.ready().version == "v0001"


def test_while_a_thread_loads_the_first_version_it_is_not_ready_and_requests_wait(store: Registry, engine: Engine):
    store.activate("v0001")
    card = store.folder / "v0001" / "card.json"
    content = card.read_text(encoding="utf-8")
    card.unlink()
    os.mkfifo(card)  # Who reads it waits until somebody writes.
    engine.watch()
    assert engine.ready() is None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.recommender)
        assert engine.ready() is None
        assert not waiting.done()
        card.write_text(content, encoding="utf-8")
        assert waiting.result(WAIT).version == "v0001"
    assert engine.ready().version == "v0001"


def test_a_folder_that_is_deleted_under_a_version_in_use_does_no_harm(store: Registry, engine: Engine):
    store.activate("v0001")
    recommender = engine.recommender()
    shutil.rmtree(store.folder / "v0001")
    assert answers(recommender) == UNSEEN
    assert answers(engine.recommender()) == UNSEEN


def test_the_two_versions_last_asked_for_by_number_are_kept_beside_the_active_one(store: Registry, engine: Engine):
    store.activate("v0001")
    active = engine.recommender()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(engine.recommender, ["v0002", "v0003"] * 8))
    kept = {recommender.version: recommender for recommender in found}
    assert sorted(kept) == ["v0002", "v0003"]
    assert len({id(recommender) for recommender in found}) == 2
    assert engine.recommender("v0002") is kept["v0002"]
    # A third takes the place of the one asked for longest ago.
    assert engine.recommender("v0004").version == "v0004"
    assert engine.recommender("v0002") is kept["v0002"]
    assert engine.recommender("v0003") is not kept["v0003"]
    # The active one is the same whether it is named or not, and was not given up for the others.
    assert engine.recommender() is engine.recommender("v0001") is active


def test_a_version_that_is_named_needs_no_active_one_and_is_not_loaded_again_when_it_is_activated(
    store: Registry, engine: Engine
):
    for content in (None, "garbage"):
        if content:
            (store.folder / "active").write_text(content, encoding="utf-8")
        assert engine.recommender("v0002").version == "v0002"
    named = engine.recommender("v0002")
    store.activate("v0002")
    assert engine.recommender() is named


@pytest.mark.parametrize("version", ["v0009", "../v0001"])
def test_a_version_that_is_none_is_refused_by_name(version: str, engine: Engine):
    with pytest.raises(VersionError, match=version):
        engine.recommender(version)


def test_a_named_version_that_is_damaged_is_refused_and_the_active_one_goes_on(store: Registry, engine: Engine):
    store.activate("v0001")
    damage(store, "v0002")
    with pytest.raises(VersionError, match="v0002"):
        engine.recommender("v0002")
    assert engine.recommender().version == "v0001"
    assert engine.refusal is None
