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
from model.versions.cards import LIBRARIES
from model.versions.durable import sha256_of
from model.versions.registry import Registry


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
    files = {name: sha256_of(version / name) for name in ("catalog.json", "model.joblib")}
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


@pytest.mark.parametrize(
    ("libraries", "told"),
    [
        ({"python": "3.8.1"}, r"用 python 3\.8\.1 训练的，现为 3\."),
        ({"python": "2"}, "用 python 2 训练的"),
        ({"no-such-library": "1.0.0"}, "no-such-library 1.0.0 训练的，现为 未安装"),
        ({"": "1.0"}, "训练的，现为 未安装"),
        ({"../../etc/passwd": "1.0"}, "现为 未安装"),
    ],
)
def test_a_forged_card_that_names_other_releases_is_refused_in_words(
    store: Registry, tmp_path: Path, libraries: dict[str, str], told: str
) -> None:
    version = saved(store)
    replace_model(version, Evil(tmp_path / "opened"))
    rewrite_card(version, libraries=store.card("v0001")["libraries"] | libraries)
    for refuse in (store.load, store.activate):
        with pytest.raises(VersionError, match=told):
            refuse("v0001")
    assert not (tmp_path / "opened").exists()


def test_a_patch_release_of_python_loads_cleanly(store: Registry) -> None:
    version = saved(store)
    libraries = store.card("v0001")["libraries"]
    rewrite_card(version, libraries=libraries | {"python": ".".join([*libraries["python"].split(".")[:2], "99"])})
    assert store.load("v0001").version == "v0001"


def test_a_card_from_before_python_and_sizes_were_told_is_read(store: Registry) -> None:
    version = saved(store)
    card = store.card("v0001")
    libraries = {name: release for name, release in card["libraries"].items() if name != "python"}
    rewrite_card(version, libraries=libraries, files={name: told["sha256"] for name, told in card["files"].items()})
    assert store.load("v0001").version == "v0001"


@pytest.mark.parametrize(
    "name",
    ["../v0002/model.joblib", "/etc/passwd", "a/b", "..", ".", "", "card.json", "card.seal", ".hidden", "x" * 200],
)
def test_a_card_that_names_anything_but_files_of_its_folder_is_damaged(store: Registry, name: str) -> None:
    version = saved(store)
    rewrite_card(version, files=store.card("v0001")["files"] | {name: {"sha256": "0" * 64, "bytes": 1}})
    with pytest.raises(VersionError, match=r"card\.json 已损坏"):
        store.load("v0001")


@pytest.mark.parametrize(
    "told", [{"sha256": 1, "bytes": 1}, {"sha256": "0"}, {"bytes": 1}, [], None, 7, {"sha256": "0", "bytes": "1"}]
)
def test_a_card_whose_files_are_told_otherwise_is_damaged(store: Registry, told: Any) -> None:
    version = saved(store)
    rewrite_card(version, files=store.card("v0001")["files"] | {"model.joblib": told})
    with pytest.raises(VersionError, match=r"card\.json 已损坏"):
        store.load("v0001")


def test_a_size_that_is_not_the_files_is_refused(store: Registry) -> None:
    version = saved(store)
    files = store.card("v0001")["files"]
    files["catalog.json"]["bytes"] += 1
    rewrite_card(version, files=files)
    with pytest.raises(VersionError, match=r"catalog\.json 与训练时不一致"):
        store.load("v0001")


@pytest.mark.parametrize("name", ["model.joblib_01.npy", "extra.py", "文件"])
def test_a_file_that_the_card_does_not_name_is_refused_and_named(store: Registry, name: str) -> None:
    version = saved(store)
    (version / name).write_bytes(b"x")
    with pytest.raises(VersionError, match=name):
        store.load("v0001")
    (version / name).rename(version / ".DS_Store")
    assert store.load("v0001").version == "v0001", "what other programs leave is never read"


KEY, OTHER = b"k" * 32, b"l" * 32


def test_with_a_key_versions_are_sealed_and_their_cards_are_as_without(tmp_path: Path) -> None:
    sealed, plain = Registry(tmp_path / "sealed", key=KEY), Registry(tmp_path / "plain")
    for store in (sealed, plain):
        saved(store)
        assert store.load("v0001").version == "v0001"
    assert sorted(path.name for path in (sealed.folder / "v0001").iterdir()) == [
        "card.json",
        "card.seal",
        "catalog.json",
        "model.joblib",
    ]
    assert set(sealed.card("v0001")) == set(plain.card("v0001"))
    assert Registry(sealed.folder).load("v0001").version == "v0001", "without a key the seal is not asked for"


def test_an_unsealed_version_is_refused_with_the_remedy_until_somebody_vouches_for_it(
    store: Registry, tmp_path: Path
) -> None:
    version = saved(store)
    keyed = Registry(store.folder, key=KEY)
    for refuse in (keyed.load, keyed.activate, keyed.check):
        with pytest.raises(VersionError, match=r"没有签名.*quebu models sign v0001"):
            refuse("v0001")
    assert keyed.card("v0001")["version"] == "v0001", "it can be looked at"
    before = (version / "card.json").read_bytes()
    keyed.sign("v0001")
    assert keyed.load("v0001").version == "v0001"
    assert (version / "card.json").read_bytes() == before, "a version never changes; its seal stands beside it"
    with pytest.raises(VersionError, match=r"另一个密钥.*quebu models sign v0001"):
        Registry(store.folder, key=OTHER).load("v0001")
    with pytest.raises(VersionError, match="QUEBU_SIGNING_KEY"):
        store.sign("v0001")


def test_an_evil_model_with_a_card_that_vouches_for_it_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    """Whoever can write there, and has not the key, can forge everything but the seal."""
    keyed, mark = Registry(tmp_path / "registry", key=KEY), tmp_path / "opened"
    version = saved(keyed)
    replace_model(version, Evil(mark))
    with pytest.raises(VersionError, match=r"签名与 card\.json 不符"):
        keyed.load("v0001")
    Registry(keyed.folder, key=OTHER).sign("v0001")
    with pytest.raises(VersionError, match=r"签名与 card\.json 不符"):
        keyed.load("v0001")
    (version / "card.seal").unlink()
    with pytest.raises(VersionError, match="没有签名"):
        keyed.load("v0001")
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0" * 64, b"a" * 10_000])
def test_a_garbled_seal_is_no_seal(tmp_path: Path, content: bytes) -> None:
    keyed = Registry(tmp_path / "registry", key=KEY)
    (saved(keyed) / "card.seal").write_bytes(content)
    with pytest.raises(VersionError, match=r"签名与 card\.json 不符"):
        keyed.load("v0001")


def test_what_is_damaged_is_not_signed(store: Registry) -> None:
    (saved(store) / "model.joblib").write_bytes(b"")
    with pytest.raises(VersionError, match=r"model\.joblib"):
        Registry(store.folder, key=KEY).sign("v0001")
    assert not (store.folder / "v0001" / "card.seal").exists()


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
