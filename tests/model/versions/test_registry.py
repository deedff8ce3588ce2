from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from world import NAMES, PHRASES

from model.competence import CompetencyClassifier, Phrase
from model.domain import Catalog, Course
from model.errors import VersionError
from model.judgements import Judgements
from model.lexicon import Lexicon
from model.matcher import Matcher
from model.recommender import Recommender
from model.versions.cards import LIBRARIES
from model.versions.registry import Registry

CARD = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": 1, "metrics": {}}
WAIT = 20  # Seconds; only a failing test waits so long.


def small(version: str) -> Recommender:
    """A recommender that knows nothing, quickly made: the registry does not look inside."""
    lexicon = Lexicon((), (), (), (), ())
    course = Course("c1", "公文写作", levels=frozenset({20, 10}), hours=3.0)
    matcher = Matcher((), lexicon).fit(Catalog((course,)), Judgements(Catalog(()), {}, {}, {}))
    return Recommender(version, lexicon, matcher, Catalog((course,)), 0.4)


@pytest.fixture
def store(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def saved(store: Registry) -> Path:
    return store.folder / store.save(small, CARD)


def with_arrays(version: str) -> Recommender:
    """One that has a classifier, and so arrays."""
    recommender = small(version)
    known = [Phrase(text, (name,), "canonical", "a") for text, name in PHRASES.items()]
    recommender.matcher.classifiers = (CompetencyClassifier().fit(known, known, NAMES),)
    return recommender


def arrays(recommender: Recommender) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Two of them, one of numbers learnt and one of the vocabulary."""
    voice = recommender.matcher.classifiers[0].voices_[0]
    return voice.dual_, voice.likeness._vectorizer._numbers


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_versions_are_numbered_from_one_and_listed_oldest_first(store: Registry) -> None:
    assert store.versions() == []
    assert [store.save(small, CARD) for _ in range(3)] == ["v0001", "v0002", "v0003"]
    assert store.versions() == ["v0001", "v0002", "v0003"]


def test_the_version_after_v9999_is_v10000_and_comes_last(store: Registry) -> None:
    (store.folder / "v9999").mkdir(parents=True)
    (store.folder / "v9999" / "card.json").touch()
    assert store.save(small, CARD) == "v10000"
    assert store.versions() == ["v9999", "v10000"]


def test_a_version_is_loaded_as_it_was_saved(store: Registry) -> None:
    version = store.save(small, CARD)
    loaded = store.load(version)
    assert (loaded.version, loaded.catalog, loaded.accepted) == ("v0001", small("v0001").catalog, 0.4)


def test_the_arrays_of_a_version_are_mapped_so_that_processes_share_them_and_none_can_write_to_them(
    store: Registry,
) -> None:
    version = store.save(with_arrays, CARD)
    for found, expected in zip(arrays(store.load(version)), arrays(with_arrays(version)), strict=True):
        assert isinstance(found, np.memmap)
        assert np.array_equal(found, expected)
        with pytest.raises(ValueError, match="read-only"):
            found[0] = 0


def test_a_version_in_use_survives_the_deletion_of_its_folder(store: Registry) -> None:
    loaded = store.load(store.save(with_arrays, CARD))
    shutil.rmtree(store.folder / "v0001")
    assert np.array_equal(arrays(loaded)[0], arrays(with_arrays("v0001"))[0])
    assert store.versions() == []


def test_a_version_of_the_layout_before_is_read_instead_of_mapped(store: Registry) -> None:
    card = store.folder / store.save(with_arrays, CARD) / "card.json"
    content = json.loads(card.read_text(encoding="utf-8"))
    assert content.pop("layout") == 2
    card.write_text(json.dumps(content), encoding="utf-8")
    (found, _), (expected, _) = arrays(store.load("v0001")), arrays(with_arrays("v0001"))
    assert not isinstance(found, np.memmap)
    assert np.array_equal(found, expected)


def test_a_mapped_version_can_be_saved_again(store: Registry) -> None:
    first = store.load(store.save(with_arrays, CARD))
    again = store.load(store.save(lambda version: replace(first, version=version), CARD))
    assert np.array_equal(arrays(again)[0], arrays(first)[0])


def test_the_card_tells_number_files_and_libraries_beside_what_it_was_given(store: Registry) -> None:
    card = store.card(store.save(small, CARD))
    assert {key: card[key] for key in CARD} == CARD
    assert card["version"] == "v0001"
    assert set(card["files"]) == {"catalog.json", "model.joblib"}
    assert set(card["libraries"]) == {*LIBRARIES, "python"}


def test_the_card_tells_digest_and_size_of_each_file_and_what_the_version_comes_from(store: Registry) -> None:
    first = store.card(saved(store).name)
    for name, told in first["files"].items():
        content = (store.folder / "v0001" / name).read_bytes()
        assert told == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert (first["parent"], first["who"], first["parameters"]) == (
        None,
        "local",
        {"accepted_relevance": 0.4, "seed": 0},
    )
    assert first["data"] == {"learnt": "", "catalog": small("").catalog.fingerprint}
    assert first["counts"] == {"courses": 1, "competencies": 0}
    store.activate("v0001")
    second = store.card(store.save(small, CARD | {"who": "key:12345678", "parameters": {"epochs": 3}}))
    assert (second["parent"], second["who"], second["code"]) == ("v0001", "key:12345678", first["code"])
    assert second["parameters"] == {"accepted_relevance": 0.4, "seed": 0, "epochs": 3}


def test_the_way_back_goes_through_all_that_was_active_and_tells_when_by_whom_and_why(store: Registry) -> None:
    for _ in range(3):
        store.save(small, CARD)
    for version in ("v0001", "v0002", "v0003", "v0002", "v0002"):
        store.activate(version, {"at": "2026-01-01T00:00:00Z", "by": "key:1", "reason": version})
    assert [event["version"] for event in store.history()] == ["v0001", "v0002", "v0003", "v0002"]
    assert [store.rollback({"reason": "back"})[1] for _ in range(3)] == ["v0003", "v0002", "v0001"]
    with pytest.raises(VersionError, match="没有可以退回的"):
        store.rollback()
    assert store.active() == "v0001"
    last = store.history()[-1]
    assert last == {"action": "rollback", "version": "v0001", "from": "v0002", "reason": "back"}


def test_a_version_that_is_damaged_is_not_gone_back_to(store: Registry) -> None:
    for version in (store.save(small, CARD), store.save(small, CARD)):
        store.activate(version)
    (store.folder / "v0001" / "model.joblib").write_bytes(b"")
    with pytest.raises(VersionError, match=r"model\.joblib"):
        store.rollback()
    assert store.active() == "v0002"


def test_a_version_that_is_gone_is_passed_over_on_the_way_back(store: Registry) -> None:
    for _ in range(3):
        store.activate(store.save(small, CARD))
    shutil.rmtree(store.folder / "v0002")
    assert store.rollback() == ("v0003", "v0001")


def test_the_card_of_a_version_that_can_answer_nothing_calls_its_catalog_unfamiliar(store: Registry) -> None:
    card = store.card(store.save(small, CARD))
    assert (card["encoder"], card["degraded"], card["familiar"]) == (None, True, 0.0)


def test_the_catalog_can_be_read_without_the_program(store: Registry) -> None:
    rows = json.loads((saved(store) / "catalog.json").read_text(encoding="utf-8"))
    assert [(row["id"], row["title"], row["levels"]) for row in rows] == [("c1", "公文写作", [10, 20])]


def test_saving_and_activating_change_no_older_version(store: Registry) -> None:
    first = saved(store)
    before = content(first)
    store.activate(store.save(small, CARD))
    store.load()
    assert content(first) == before


def test_a_folder_without_a_card_does_not_exist(store: Registry) -> None:
    (saved(store) / "card.json").unlink()
    assert store.versions() == []
    with pytest.raises(VersionError, match="没有版本 v0001"):
        store.load("v0001")
    with pytest.raises(VersionError):
        store.activate("v0001")
    assert store.save(small, CARD) == "v0002", "its number is not used again"


def test_what_else_lies_in_the_folder_is_no_version(store: Registry) -> None:
    saved(store)
    for name in ("v1", "version", "v0002.bak", ".v0003", "日志"):
        (store.folder / name).mkdir()
        (store.folder / name / "card.json").write_text("{}")
    (store.folder / "v0004").write_text("a file, not a folder")
    assert store.versions() == ["v0001"]
    assert store.save(small, CARD) == "v0005"


def test_a_training_that_fails_leaves_nothing_behind(store: Registry) -> None:
    def fail(_: str) -> Recommender:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save(fail, CARD)
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", "last"]
    assert store.save(small, CARD) == "v0002", "its number is not used again"


def test_a_training_killed_half_way_is_ignored_and_swept_by_the_next(store: Registry) -> None:
    program = (
        "import os, sys; sys.path[:0] = sys.argv[2:];"
        "from test_registry import *; Registry(Path(sys.argv[1])).save(lambda _: os._exit(9), CARD)"
    )
    here = Path(__file__).parent
    command = [sys.executable, "-c", program, str(store.folder), str(here), str(here.parents[1]), str(here.parents[2])]
    assert subprocess.run(command, check=False).returncode == 9
    assert (store.folder / "v0001").is_dir()
    assert store.versions() == []
    store.activate(store.save(small, CARD))
    assert store.load().version == store.active() == "v0002"
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", "active", "history.jsonl", "last", "v0002"]


def test_trainings_at_once_take_different_numbers_and_all_are_kept(store: Registry) -> None:
    """Each waits in the middle of its training until all have begun, so that they truly overlap."""
    together = threading.Barrier(4, timeout=WAIT)

    def slow(version: str) -> Recommender:
        together.wait()
        return small(version)

    with ThreadPoolExecutor(4) as pool:
        versions = [future.result() for future in [pool.submit(store.save, slow, CARD) for _ in range(4)]]
    assert sorted(versions) == store.versions() == ["v0001", "v0002", "v0003", "v0004"]
    assert [store.load(version).version for version in versions] == versions


def test_a_version_under_training_cannot_be_seen(store: Registry) -> None:
    seen: list[list[str]] = []

    def look(version: str) -> Recommender:
        seen.append(store.versions())
        return small(version)

    store.save(look, CARD)
    assert seen == [[]]


def test_activation_is_never_seen_half_done_even_when_many_activate(store: Registry) -> None:
    versions = [store.save(small, CARD) for _ in range(2)]
    store.activate("v0001")
    seen: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.add(store.active())

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(store.activate, versions[turn % 2]) for turn in range(120)]
    stop.set()
    watcher.join(WAIT)
    assert [future.exception() for future in futures] == [None] * 120
    assert seen <= set(versions)
    assert sorted(path.name for path in store.folder.iterdir()) == [
        ".lock",
        "active",
        "history.jsonl",
        "last",
        *versions,
    ]
