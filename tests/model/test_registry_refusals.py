"""What a registry refuses: files that are not those it wrote, and an ``active`` file that names no version."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

from model.domain import Catalog, Course
from model.errors import NoActiveVersion, VersionError
from model.judgements import Judgements
from model.lexicon import Lexicon
from model.matcher import Matcher
from model.recommender import Recommender
from model.registry import LIBRARIES, Registry, _sha256


class Evil:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def store(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def saved(store: Registry) -> Path:
    """The folder of a new version whose recommender knows nothing."""
    lexicon = Lexicon((), (), (), (), ())
    catalog = Catalog((Course("c1", "公文写作"),))
    matcher = Matcher((), lexicon).fit(catalog, Judgements(catalog, {}, {}, {}))
    return store.folder / store.save(lambda version: Recommender(version, lexicon, matcher, catalog, 0.4), {})


def rewrite_card(version: Path, **changes: Any) -> None:
    card = json.loads((version / "card.json").read_text(encoding="utf-8"))
    (version / "card.json").write_text(json.dumps(card | changes), encoding="utf-8")


def replace_model(version: Path, value: object) -> None:
    """Put another model in place, with a card that vouches for it."""
    joblib.dump(value, version / "model.joblib")
    files = {name: _sha256(version / name) for name in ("catalog.json", "model.joblib")}
    rewrite_card(version, files=files)


def test_a_tampered_model_is_refused_before_it_is_opened(store: Registry, tmp_path: Path) -> None:
    mark = tmp_path / "opened"
    version = saved(store)
    (version / "model.joblib").write_bytes(pickle.dumps(Evil(mark)))
    for refuse in (store.load, store.activate):
        with pytest.raises(VersionError, match=r"model\.joblib 与训练时不一致"):
            refuse("v0001")
    assert not mark.exists()
    pickle.loads((version / "model.joblib").read_bytes())
    assert mark.exists(), "the pickle was truly evil"


@pytest.mark.parametrize("name", ["model.joblib", "catalog.json"])
def test_a_file_that_is_missing_or_cut_short_is_named(store: Registry, name: str) -> None:
    path = saved(store) / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VersionError, match=name):
        store.load("v0001")
    path.unlink()
    with pytest.raises(VersionError, match=name):
        store.load("v0001")


@pytest.mark.parametrize(
    "card", ["", "{", "[]", "3", "null", '"v0001"', "{}", '{"version": "v0001"}', '{"version": "v0001", "files": []}',
             '{"version": "v0001", "files": {"catalog.json": "0"}, "libraries": {"numpy": "2"}}', "\udcff"],
)  # fmt: skip
def test_a_damaged_card_is_named_and_opens_nothing(store: Registry, tmp_path: Path, card: str) -> None:
    version = saved(store)
    joblib.dump(Evil(tmp_path / "opened"), version / "model.joblib")
    (version / "card.json").write_bytes(card.encode("utf-8", "surrogateescape"))
    with pytest.raises(VersionError, match=r"card\.json 已损坏"):
        store.load("v0001")
    assert not (tmp_path / "opened").exists()


def test_a_version_copied_under_another_number_is_refused(store: Registry) -> None:
    saved(store).rename(store.folder / "v0007")
    with pytest.raises(VersionError, match="v0007"):
        store.load("v0007")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_version_of_another_library_release_is_refused_by_name(store: Registry, library: str) -> None:
    version = saved(store)
    libraries = store.card("v0001")["libraries"]
    rewrite_card(version, libraries=libraries | {library: "0.0.1"})
    with pytest.raises(VersionError, match=rf"{library} 0\.0\.1 训练的.*请重新训练"):
        store.load("v0001")
    patch = ".".join([*libraries[library].split(".")[:2], "999"])
    rewrite_card(version, libraries=libraries | {library: patch})
    assert store.load("v0001").version == "v0001"


def test_a_model_whose_classes_are_gone_is_refused_with_what_to_do(store: Registry) -> None:
    class Gone:
        pass

    Gone.__qualname__ = "Gone"
    sys.modules[__name__].Gone = Gone  # type: ignore[attr-defined]
    replace_model(saved(store), Gone())
    del sys.modules[__name__].Gone  # type: ignore[attr-defined]
    with pytest.raises(VersionError, match="另一版 Quebu"):
        store.load("v0001")


@pytest.mark.parametrize("name", ["", "1", "v1", "../v0001", "v0001/..", "V0001", "v0001\n", "active"])
def test_what_is_no_version_number_is_refused(store: Registry, name: str) -> None:
    store.activate(saved(store).name)
    with pytest.raises(VersionError, match="应形如 v0001"):
        store.card(name)
    with pytest.raises(VersionError, match="应形如 v0001"):
        store.activate(name)


def test_a_version_that_does_not_exist_is_answered_with_those_that_do(store: Registry) -> None:
    saved(store)
    with pytest.raises(VersionError, match=r"没有版本 v0009.*现有版本：v0001"):
        store.load("v0009")


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_without_an_active_version_the_planner_is_told_to_train(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    for ask in (Registry(tmp_path / folder).active, Registry(tmp_path / folder).load):
        with pytest.raises(NoActiveVersion, match="quebu train --courses"):
            ask()


@pytest.mark.parametrize("garbage", [b"", b"\n", b"hello", b"../../etc", b"\xff\xfe\x00", b"v0001 v0002"])
def test_a_garbled_active_file_is_named_with_its_remedy(store: Registry, garbage: bytes) -> None:
    saved(store)
    (store.folder / "active").write_bytes(garbage)
    with pytest.raises(VersionError, match=r"active 文件已损坏.*--activate"):
        store.load()


def test_an_active_file_that_names_a_missing_version_is_answered_with_those_that_exist(store: Registry) -> None:
    saved(store)
    (store.folder / "active").write_text("v0002\n", encoding="utf-8")
    assert store.active() == "v0002"
    with pytest.raises(VersionError, match=r"没有版本 v0002.*现有版本：v0001"):
        store.load()


def test_activating_what_cannot_be_loaded_leaves_the_active_version(store: Registry) -> None:
    store.activate(saved(store).name)
    (saved(store) / "model.joblib").write_bytes(b"")
    with pytest.raises(VersionError):
        store.activate("v0002")
    assert store.active() == "v0001"


def test_a_version_whose_parts_another_edition_made_is_refused_with_the_remedy(store: Registry) -> None:
    version = saved(store)
    stored = joblib.load(version / "model.joblib")
    del stored.matcher.__dict__["classifiers"]  # As an older edition wrote it.
    replace_model(version, stored)
    with pytest.raises(VersionError, match=r"另一版 Quebu 存下的.*重新训练"):
        store.load(version.name)
    assert store.latest() is None
