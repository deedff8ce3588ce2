"""Trained versions on disk: numbered, immutable, activated atomically. One of the two modules of ``model/`` that touch files.

``registry/v0001/`` holds ``model.joblib`` (the recommender), ``catalog.json`` (its courses, to read) and ``card.json``, written last: a folder
without a card does not exist. The card carries the sha256 of the other files; they are checked before anything is unpickled.
``registry/active`` names the active version.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import joblib

from model.domain import Catalog
from model.errors import NoActiveVersion, VersionError
from model.recommender import Recommender

VERSION = re.compile(r"v\d{4,}")
LIBRARIES = ("scikit-learn", "numpy", "scipy")


class Registry:
    """The versions under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
            return (self.folder / "active").read_text(encoding="utf-8").strip()
        except OSError:
            raise NoActiveVersion("还没有启用的版本。请先运行：quebu train --courses 课程表文件 --activate") from None

    def card(self, version: str) -> dict[str, Any]:
        """What is known of a version: when and from what it was trained, its metrics, the hashes of its files."""
        if not VERSION.fullmatch(version):
            raise VersionError(f"版本号“{version}”不对，应形如 v0001。")
        try:
            return dict(json.loads((self.folder / version / "card.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            known = "、".join(self.versions()) or "（无）"
            raise VersionError(f"没有版本 {version}，或它的 card.json 已损坏。现有版本：{known}。") from error

    def save(self, make: Callable[[str], Recommender], card: dict[str, Any]) -> str:
        """Number a new version, let ``make`` train it under that number, and write it; all of it appears at once or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name[1:]) for path in self.folder.iterdir() if VERSION.fullmatch(path.name)]
        version = f"v{max(numbers, default=0) + 1:04d}"
        recommender = make(version)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))
        try:
            joblib.dump(recommender, draft / "model.joblib")
            (draft / "catalog.json").write_text(_readable(recommender.catalog), encoding="utf-8")
            files = {path.name: _sha256(path) for path in sorted(draft.iterdir())}
            libraries = {name: package_version(name) for name in LIBRARIES}
            full = {"version": version, **card, "files": files, "libraries": libraries}
            _write_durably(draft / "card.json", json.dumps(full, ensure_ascii=False, indent=2))
            draft.rename(self.folder / version)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return version

    def load(self, version: str | None = None) -> Recommender:
        """Load a version (the active one by default), after checking that its files are those its card names."""
        version = version or self.active()
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
        recommender = joblib.load(self.folder / version / "model.joblib")
        assert isinstance(recommender, Recommender)
        return recommender

    def activate(self, version: str) -> None:
        """Make a version the active one, in one step that cannot be seen half done."""
        self.card(version)
        draft = self.folder / f".active-{os.getpid()}"
        _write_durably(draft, version + "\n")
        os.replace(draft, self.folder / "active")


def _readable(catalog: Catalog) -> str:
    rows = [{**asdict(c), "levels": sorted(c.levels), "posts": sorted(c.posts)} for c in catalog]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
