"""Trained versions on disk: numbered, immutable, activated atomically. One of the three modules of ``model/`` that touch files.

``registry/v0001/`` holds ``model.joblib`` (the recommender), ``catalog.json`` (its courses, to read) and ``card.json``, written last and at
once: a folder without a card does not exist, it is a training under way or one that was cut off. The card carries the sha256 of the other files; they are checked before anything is unpickled.
``registry/active`` names the active version.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import joblib

from model.domain import Catalog
from model.encoder import bundled_encoder
from model.errors import NoActiveVersion, VersionError
from model.recommender import Recommender
from model.vectors import SentenceEncoder

VERSION = re.compile(r"v\d{4,}")
LIBRARIES = ("quebu", "scikit-learn", "numpy", "scipy")
MODEL = "model.joblib"
LAYOUT = 2  # From this on a model has few arrays, so that each can be mapped. Those of before have one a vector, more than a process may have open.


class Registry:
    """The versions under one folder."""

    def __init__(self, folder: Path, encoders: Sequence[SentenceEncoder] | None = None) -> None:
        """``encoders`` are handed to the versions that were trained with them; the bundled one unless given."""
        self.folder = folder
        self._encoders = encoders

    def versions(self) -> list[str]:
        """Complete versions, oldest first."""
        if not self.folder.is_dir():
            return []
        found = (
            path.name
            for path in self.folder.iterdir()
            if VERSION.fullmatch(path.name) and (path / "card.json").is_file()
        )
        return sorted(found, key=lambda name: int(name[1:]))

    def active(self) -> str:
        """The active version; :class:`NoActiveVersion` where there is none."""
        try:
            version = (self.folder / "active").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            raise NoActiveVersion("还没有启用的版本。请先运行：quebu train --courses 课程表文件 --activate") from None
        if not VERSION.fullmatch(version):
            raise VersionError(
                "版本库里的 active 文件已损坏，其中应只有一个形如 v0001 的版本号。"
                "请改正它，或重新运行：quebu train --courses 课程表文件 --activate"
            )
        return version

    def card(self, version: str) -> dict[str, Any]:
        """What is known of a version: when and from what it was trained, its metrics, the hashes of its files."""
        if not VERSION.fullmatch(version):
            raise VersionError(f"版本号“{version}”不对，应形如 v0001。")
        try:
            card: dict[str, Any] = json.loads((self.folder / version / "card.json").read_text(encoding="utf-8"))
            # A folder copied under another number, or a card that does not vouch for the model, is no version.
            if card["version"] != version or not card["files"][MODEL] or not card["libraries"]:
                raise ValueError(version)
        except (OSError, ValueError, KeyError, TypeError) as error:
            known = "、".join(self.versions()) or "（无）"
            raise VersionError(f"没有版本 {version}，或它的 card.json 已损坏。现有版本：{known}。") from error
        return card

    def save(self, make: Callable[[str], Recommender], card: dict[str, Any]) -> str:
        """Number a new version, let ``make`` train it under that number, and write it; it exists once its card is written."""
        version = self._take_number()
        home = self.folder / version
        try:
            recommender = make(version)
            joblib.dump(recommender, home / MODEL)
            (home / "catalog.json").write_text(_readable(recommender.catalog), encoding="utf-8")
            files = {path.name: _sha256(path) for path in sorted(home.iterdir())}
            libraries = {name: package_version(name) for name in LIBRARIES}
            encoder = recommender.matcher.encoder
            familiar = recommender.matcher.familiar
            learnt = {
                "metrics": recommender.metrics,
                "encoder": encoder,
                "degraded": encoder is None,
                "familiar": familiar,
            }
            full = {"version": version, **card, **learnt, "layout": LAYOUT, "files": files, "libraries": libraries}
            _write_at_once(home / "card.json", json.dumps(full, ensure_ascii=False, indent=2))
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return version

    def _take_number(self) -> str:
        """Take the next number by making its folder: of several trainings at once, one succeeds and the others try the next."""
        self.folder.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name[1:]) for path in self.folder.iterdir() if VERSION.fullmatch(path.name)]
        number = max(taken, default=0)
        while True:
            number += 1
            with suppress(FileExistsError):
                (self.folder / f"v{number:04d}").mkdir()
                return f"v{number:04d}"

    def load(self, version: str | None = None) -> Recommender:
        """Load a version (the active one by default), after checking that its files are those its card names.

        Its arrays are mapped, not read, so that processes that serve the same version share them. They stay whole when the folder is deleted; a
        file that is written over would take the process down, and nothing here does so.
        """
        version = version or self.active()
        card = self._check(version)
        try:
            mode = "r" if card.get("layout", 1) >= LAYOUT else None
            recommender = joblib.load(self.folder / version / MODEL, mmap_mode=mode)
            assert isinstance(recommender, Recommender)
            bundled = bundled_encoder() if self._encoders is None else None
            recommender.matcher.take(self._encoders or ([bundled] if bundled else []))
        except (ImportError, AttributeError) as error:
            raise VersionError(f"版本 {version} 是由另一版 Quebu 存下的，现在无法读取。请重新训练。") from error
        return recommender

    def latest(self) -> Recommender | None:
        """The newest version that can be loaded, for a training to take over what has not changed."""
        for version in reversed(self.versions()):
            with suppress(VersionError):
                return self.load(version)
        return None

    def activate(self, version: str) -> None:
        """Make a version that can be loaded the active one, in one step that cannot be seen half done."""
        self._check(version)
        _write_at_once(self.folder / "active", version + "\n")

    def _check(self, version: str) -> dict[str, Any]:
        """The card of a version; refuses one whose files are not those its card names, or that other libraries wrote."""
        card = self.card(version)
        for name, expected in card["files"].items():
            path = self.folder / version / name
            if not path.is_file() or _sha256(path) != expected:
                raise VersionError(
                    f"版本 {version} 的文件 {name} 与训练时不一致，已拒绝加载。请重新训练，或改用其他版本。"
                )
        for name, trained in card["libraries"].items():
            if package_version(name).split(".")[:2] != trained.split(".")[:2]:
                raise VersionError(
                    f"版本 {version} 是用 {name} {trained} 训练的，现为 {package_version(name)}。请重新训练。"
                )
        return card


def _readable(catalog: Catalog) -> str:
    rows = [{**asdict(c), "levels": sorted(c.levels), "posts": sorted(c.posts)} for c in catalog]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_at_once(path: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new one, never a part."""
    draft = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
