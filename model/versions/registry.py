"""Trained versions on disk: numbered, immutable, activated atomically. What is written and read of each; its folder is a :class:`~model.versions.shelf.Shelf`.

``registry/v0001/`` holds ``model.joblib`` (the recommender), ``catalog.json`` (its courses, to read) and ``card.json``, written last and at
once: a folder without a card does not exist, it is a training under way or one that was cut off. The card carries digest and size of the other files; they are checked before
anything is unpickled, and the card by its seal where there is a signing key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib

from model.domain import Catalog
from model.encoder import bundled_encoder
from model.errors import InputError, VersionError
from model.recommender import Recommender
from model.vectors import SentenceEncoder
from model.versions import cards, history
from model.versions.cards import CARD, CATALOG, MODEL, SEAL, VERSION
from model.versions.durable import sha256_of, sync, take_away, write_at_once
from model.versions.shelf import REPORTS, Shelf

LAYOUT = 2  # From this on a model has few arrays, so that each can be mapped. Those of before have one a vector, more than a process may have open.
ANY = "*"  # Whatever version is active.


class Moved(VersionError):
    """Another version became active while somebody looked at the one before."""


class Registry:
    """The versions under one folder."""

    def __init__(
        self,
        folder: Path,
        encoders: Sequence[SentenceEncoder] | None = None,
        key: bytes | None = None,
        keep: int = 0,
    ) -> None:
        """``encoders`` are handed to the versions that were trained with them; the bundled one unless given. With a ``key`` versions are sealed,
        and only sealed ones are read. ``keep`` is how many versions stay (0: all) beside those that always do."""
        self.folder = folder
        self._shelf = Shelf(folder, keep)
        self._encoders, self._key = encoders, key

    def versions(self) -> list[str]:
        """Complete versions, oldest first."""
        return self._shelf.versions()

    def active(self) -> str:
        """The active version; :class:`NoActiveVersion` where there is none."""
        return self._shelf.active()

    def pointer(self) -> str | None:
        """The active version; None where there is none, or the pointer is damaged."""
        return self._shelf.pointer()

    def history(self) -> list[history.Event]:
        """What was activated when, by whom and why, oldest first."""
        return self._shelf.events()

    def card(self, version: str) -> dict[str, Any]:
        """What is known of a version: when, by whom and from what it was trained, its metrics, the digests of its files."""
        return self._read_card(version)[0]

    def _read_card(self, version: str) -> tuple[dict[str, Any], bytes]:
        if not VERSION.fullmatch(version):
            raise VersionError(f"版本号“{version[:40]}”不对，应形如 v0001。")
        try:
            content = (self.folder / version / CARD).read_bytes()
            return cards.read_card(content, version), content
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            known = self.versions()
            others = "、".join(one for one in known if one != version) or "（无）"
            if version in known:
                raise VersionError(
                    f"版本 {version} 的 card.json 已损坏，或这个目录是由别的版本复制、改名来的，不能使用。"
                    f"请恢复或移走它。其他版本：{others}。"
                ) from error
            raise VersionError(f"没有版本 {version}。现有版本：{others}。") from error

    @contextmanager
    def training(self) -> Iterator[None]:
        """Nobody else trains for this registry meanwhile, on the command line or by a job. InputError where somebody does; where the folder
        knows no locks nobody can tell."""
        with self._shelf.training() as free:
            if not free:
                raise InputError("另一个训练正在进行；请等它结束再训练。")
            yield

    def save(self, make: Callable[[str], Recommender], card: Mapping[str, Any]) -> str:
        """Number a new version, let ``make`` train it under that number, and write it; it exists once its card is written.

        ``card`` is what the caller knows of it, such as ``created``, ``who``, ``source`` and ``parent``, the version it comes from (the active one
        unless told).
        """
        version, writing = self._shelf.begin()
        try:
            told = {"version": version, "parent": self._shelf.pointer(), "who": "local", **card}
            self._write(self.folder / version, make(version), told)
        except BaseException:
            take_away(self.folder / version)
            raise
        finally:
            self._shelf.end(writing)
        return version

    def _write(self, home: Path, recommender: Recommender, told: dict[str, Any]) -> None:
        joblib.dump(recommender, home / MODEL)
        (home / CATALOG).write_text(_readable(recommender.catalog), encoding="utf-8")
        files = {}
        for name in (CATALOG, MODEL):
            sync(home / name)
            files[name] = {"sha256": sha256_of(home / name), "bytes": (home / name).stat().st_size}
        full = (
            told
            | _learnt(recommender, told.get("parameters", {}))
            | {"layout": LAYOUT, "files": files, "libraries": cards.installed()}
        )
        content = json.dumps(full, ensure_ascii=False, indent=2).encode()
        if self._key:
            write_at_once(home / SEAL, cards.seal(self._key, content).encode())
        sync(home)
        write_at_once(home / CARD, content)
        sync(self.folder)

    def load(self, version: str | None = None) -> Recommender:
        """Load a version (the active one by default), after checking that its files are those its card names.

        Its arrays are mapped, not read, so that processes that serve the same version share them. They stay whole when the folder is deleted; a
        file that is written over would take the process down, and nothing here does so.
        """
        version = version or self.active()
        card = self.check(version)
        try:
            mode = "r" if card.get("layout", 1) >= LAYOUT else None
            recommender = joblib.load(self.folder / version / MODEL, mmap_mode=mode)
            assert isinstance(recommender, Recommender)
            bundled = bundled_encoder() if self._encoders is None else None
            recommender.matcher.take(self._encoders or ([bundled] if bundled else []))
        except (ImportError, AttributeError) as error:
            raise VersionError(f"版本 {version} 是由另一版 Quebu 存下的，现在无法读取。请重新训练。") from error
        except FileNotFoundError as error:
            raise _gone(version) from error
        return recommender

    def latest(self) -> Recommender | None:
        """The newest version that can be loaded, for a training to take over what has not changed."""
        for version in reversed(self.versions()):
            with suppress(VersionError):
                return self.load(version)
        return None

    def activate(self, version: str, told: Mapping[str, Any] | None = None, instead_of: str | None = ANY) -> None:
        """Make a version that can be loaded the active one, in one step that cannot be seen half done.

        ``told`` goes into the history: when, by whom, why. :class:`Moved` where ``instead_of`` (None: none) is no longer active.
        """
        self.card(version)  # A wrong name makes nothing, not even a lock.
        with self._shelf.changing() as sure:
            self.check(version)
            active = self._shelf.pointer()
            if instead_of not in {ANY, active}:
                raise Moved(
                    f"启用的版本刚刚由 {instead_of or '（无）'} 换成了 {active or '（无）'}。请重新比较后再启用。"
                )
            self._shelf.point(version, history.ACTIVATE, told, log=version != active)
            if sure:
                self._shelf.tidy()

    def next_back(self) -> str:
        """The version a rollback would make active: what was active before the active version, and is still there. VersionError where
        there is none."""
        active, before = self.active(), self._shelf.before()
        if not before:
            raise VersionError(
                f"启用 {active} 之前没有启用过别的版本（或都已清理），没有可以退回的。"
                "现有版本见 quebu models list（接口：GET /api/v1/models）；"
                "启用其中一个：quebu models activate 版本号（接口：POST /api/v1/models/版本号/activate）。"
            )
        return before[-1]

    def rollback(self, told: Mapping[str, Any] | None = None, to: str = ANY) -> tuple[str, str]:
        """Make what was active before the active version active again; both, the one left first. VersionError where there is none, or it
        cannot be loaded; :class:`Moved` where it is no longer the version that was meant."""
        self.active()
        with self._shelf.changing() as sure:
            active, version = self.active(), self.next_back()
            if to not in {ANY, version}:
                raise Moved(f"退回的目标刚刚由 {to} 换成了 {version}：有人同时更换了启用的版本。请查看后再退回。")
            self.check(version)
            self._shelf.point(version, history.ROLLBACK, told)
            if sure:
                self._shelf.tidy()
        return active, version

    def sign(self, version: str) -> None:
        """Seal a version that was saved without the key, or with another; whoever does so vouches for it."""
        if self._key is None:
            raise VersionError("没有设置签名密钥。请先设置 QUEBU_SIGNING_KEY 或 QUEBU_SIGNING_KEY_FILE。")
        card, content = self._read_card(version)
        with self._shelf.changing():
            self._check_files(version, card)
            write_at_once(self.folder / version / SEAL, cards.seal(self._key, content).encode())

    def check(self, version: str) -> dict[str, Any]:
        """The card of a version; VersionError for one that is not sealed as it has to be, whose files are not those its card names, or that
        other libraries wrote. Nothing is unpickled."""
        card, content = self._read_card(version)
        if self._key:
            path = self.folder / version / SEAL
            found = path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else None
            cards.check_seal(self._key, version, content, found)
        self._check_files(version, card)
        cards.check_libraries(card)
        return card

    def _check_files(self, version: str, card: dict[str, Any]) -> None:
        """VersionError unless the files are exactly those of the card. What begins with a dot is none of ours, and never read."""
        vouched, home = cards.vouched(card), self.folder / version
        for name, expected in vouched.items():
            path = home / name
            if not path.is_file() or sha256_of(path) != expected.sha256 or expected.size not in {None, _size(path)}:
                raise VersionError(
                    f"版本 {version} 的文件 {name} 与训练时不一致，已拒绝加载。请重新训练，或改用其他版本。"
                )
        try:
            found = {path.name for path in home.iterdir() if not path.name.startswith(".")}
        except FileNotFoundError as error:
            raise _gone(version) from error
        if strangers := found - {*vouched, CARD, SEAL}:
            named = "、".join(sorted(strangers)[:3])[:100]
            raise VersionError(f"版本 {version} 的目录里有不属于它的文件（{named}），已拒绝加载。请查明来历后移走。")

    def keep_report(self, name: str, content: bytes, *, private: bool = False) -> None:
        """Keep what was found of two versions, or what they are held against; the file appears whole or not at all, and goes with the first of the
        versions its name has. ``private``: for its owner alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._shelf.changing():
            (self.folder / REPORTS).mkdir(exist_ok=True)
            write_at_once(self.folder / REPORTS / name, content, private=private)

    def forget_report(self, name: str) -> None:
        """Take what was kept under a name away."""
        (self.folder / REPORTS / name).unlink(missing_ok=True)

    def report(self, name: str) -> bytes | None:
        """What was kept under a name."""
        try:
            return (self.folder / REPORTS / name).read_bytes()
        except FileNotFoundError:
            return None


def _size(path: Path) -> int:
    return path.stat().st_size


def _gone(version: str) -> VersionError:
    return VersionError(f"版本 {version} 刚刚被清理掉了。请改用其他版本，或重新训练。")


def _learnt(recommender: Recommender, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a card tells of the trained recommender itself."""
    matcher, catalog = recommender.matcher, recommender.catalog
    return {
        "metrics": recommender.metrics,
        "encoder": matcher.encoder,
        "degraded": matcher.encoder is None,
        "familiar": matcher.familiar,
        "parameters": {"accepted_relevance": recommender.accepted, "seed": 0, **parameters},
        "counts": {"courses": len(catalog), "competencies": len(recommender.lexicon.competencies)},
        "data": {"learnt": recommender.learnt, "catalog": catalog.fingerprint},
        "code": _code(),
    }


def _code() -> str:
    """A digest of the program that makes versions: two states of one release are told apart by it."""
    digest, home = sha256(), Path(__file__).parents[1]
    for path in sorted(home.rglob("*.py")):
        digest.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _readable(catalog: Catalog) -> str:
    rows = [{**asdict(c), "levels": sorted(c.levels), "posts": sorted(c.posts)} for c in catalog]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
