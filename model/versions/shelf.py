"""The folder of a registry: which versions stand in it, which is active, and how it is changed so that a crash leaves it as it was or as it shall be.

Beside the versions lie ``active``, the pointer; ``history.jsonl``, what was active when; ``last``, the last number given out; ``reports/``, what was found of two versions. Whoever
changes anything holds the lock on ``.lock``; whoever trains holds ``.training.lock``, so that there is one at a time, and a lock of the version it writes, so that what is cut off can
be told from what is under way.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from model.errors import NoActiveVersion, VersionError
from model.versions import history
from model.versions.cards import CARD, VERSION, read_card
from model.versions.durable import DRAFT, GONE, Lock, alone, take_away, write_at_once

WRITING = re.compile(rf"\.({VERSION.pattern})\.lock")
REPORTS = "reports"
REACH = 2  # Versions a rollback would reach first, which are kept whatever their number.


class Shelf:
    """The folder of a registry, without what its versions hold."""

    def __init__(self, folder: Path, keep: int = 0) -> None:
        """``keep`` is how many versions stay (0: all) beside those that always do."""
        self.folder, self.keep = folder, keep

    def versions(self) -> list[str]:
        """Complete versions, oldest first."""
        if not self.folder.is_dir():
            return []
        found = (
            path.name for path in self.folder.iterdir() if VERSION.fullmatch(path.name) and (path / CARD).is_file()
        )
        return sorted(found, key=_number)

    def active(self) -> str:
        """The active version; :class:`NoActiveVersion` where there is none. What cannot be read for now is an OSError, and never taken for none."""
        try:
            version = (self.folder / "active").read_text(encoding="utf-8", errors="replace").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise NoActiveVersion("还没有启用的版本。请先运行：quebu train --courses 课程表文件 --activate") from None
        if not VERSION.fullmatch(version):
            raise VersionError(
                "版本库里的 active 文件已损坏，其中应只有一个形如 v0001 的版本号。"
                "请改正它，或重新运行：quebu train --courses 课程表文件 --activate"
            )
        return version

    def pointer(self) -> str | None:
        """The active version, None where there is none or the pointer is damaged."""
        try:
            return self.active()
        except VersionError:
            return None

    def events(self) -> list[history.Event]:
        """What was activated when, by whom and why, oldest first."""
        try:
            text = (self.folder / "history.jsonl").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return history.came_about(history.read(text), self.pointer())

    def before(self) -> list[str]:
        """The versions a rollback would reach, the next one last; those no longer there are passed over."""
        kept = set(self.versions())
        return [version for version in history.before_it(self.events(), self.pointer()) if version in kept]

    @contextmanager
    def changing(self) -> Iterator[bool]:
        """Nobody else changes the registry meanwhile; False where that is not sure, and nothing is to be tidied."""
        with alone(self.folder / ".lock") as sure:
            yield sure

    @contextmanager
    def training(self) -> Iterator[bool]:
        """Keep others from training meanwhile; False where another trains already. Its file stays: whoever took it away could meet somebody
        who has just opened it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = Lock(self.folder / ".training.lock")
        try:
            yield lock.take(wait=False) or not lock.sure
        finally:
            lock.free()

    def begin(self) -> tuple[str, Lock]:
        """Take the next number, which nobody gets again, and make its folder, under a lock that tells that it is being written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.changing():
            taken = [_number(path.name) for path in self.folder.iterdir() if VERSION.fullmatch(path.name)]
            with suppress(OSError, ValueError):
                taken.append(_number((self.folder / "last").read_text(encoding="utf-8").strip()))
            number = max(taken, default=0)
            while True:
                number += 1
                version = f"v{number:04d}"
                write_at_once(self.folder / "last", f"{version}\n".encode())
                with suppress(FileExistsError):  # Where the folder knows no locks, another may have been faster.
                    (self.folder / version).mkdir()
                    break
            writing = Lock(self._lock_of(version))
            writing.take(wait=True)
            return version, writing

    def end(self, writing: Lock) -> None:
        """Free the lock of a training. What cannot be tidied now is tidied the next time."""
        with suppress(OSError), self.changing() as sure:
            writing.free(remove=True)
            if sure:
                self.tidy()
        writing.free()

    def point(self, version: str, action: str, told: Mapping[str, Any] | None, *, log: bool = True) -> None:
        """Move the pointer, by whoever is changing the registry. The event is written first and counts once the pointer confirms it; see
        :mod:`model.versions.history`."""
        if log:
            event = {"action": action, "version": version, "from": self.pointer(), **(told or {})}
            write_at_once(self.folder / "history.jsonl", history.written([*self.events(), event]).encode())
        write_at_once(self.folder / "active", f"{version}\n".encode())

    def tidy(self) -> None:
        """Take away what was cut off, and the versions beyond those that stay, by whoever holds the lock. Never fails: there is a next time."""
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                self._tidy(path)
            for version in self._superfluous():
                take_away(self.folder / version)
            kept = set(self.versions())
            for path in (self.folder / REPORTS).glob("*"):
                # A report goes with the first of its versions that goes.
                if path.name.startswith(DRAFT) or not set(VERSION.findall(path.name)) <= kept:
                    path.unlink(missing_ok=True)

    def _tidy(self, path: Path) -> None:
        if path.name.startswith(GONE):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(DRAFT):
            path.unlink(missing_ok=True)
        elif found := WRITING.fullmatch(path.name):
            self._being_written(found[1])
        elif (
            VERSION.fullmatch(path.name)
            and path.is_dir()
            and not _there(path / CARD)
            and not self._being_written(path.name)
        ):
            take_away(path)

    def _being_written(self, version: str) -> bool:
        """Whether somebody holds the lock of a training; one that nobody holds is taken away."""
        lock = Lock(self._lock_of(version))
        free = lock.take(wait=False)
        lock.free(remove=free)
        return not free

    def _lock_of(self, version: str) -> Path:
        return self.folder / f".{version}.lock"

    def _superfluous(self) -> list[str]:
        """The oldest versions beyond those that stay: the newest, the active one with its parent, and what a rollback would reach first."""
        versions = self.versions()
        if not self.keep or len(versions) <= self.keep:
            return []
        stays = {*versions[-self.keep :], *self.before()[-REACH:]}
        try:
            active = self.active()
            parent = read_card((self.folder / active / CARD).read_bytes(), active).get("parent")
            stays |= {active, str(parent)}
        except NoActiveVersion:
            pass
        except (VersionError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []  # Whoever mends a damaged pointer or card may want any of them.
        return [version for version in versions if version not in stays]


def _there(path: Path) -> bool:
    """Whether a file is there; an OSError where that cannot be told, for nothing is deleted on a guess."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _number(version: str) -> int:
    return int(version[1:])
