"""The version that answers: loaded once per process, and replaced while requests go on when another one is activated."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cachetools import LRUCache

from model.domain import Limits, Profile, Weakness
from model.errors import VersionError
from model.recommender import Recommender
from model.vectors import SentenceEncoder
from model.versions.registry import Registry
from service.serving.memory import give_back

LOOKS = 0.5  # Seconds between two looks of the thread at the pointer.
PAUSE = 30.0  # Seconds until what could not be read is tried again: a disk or a full memory may be at fault, not the version.
PINNED = 2  # Versions kept beside the active one; each takes memory.

log = logging.getLogger(__name__)


class Engine:
    """Holds the active version, and those last asked for by their number. A request keeps the version it began with.

    Each request looks at the pointer (the file ``active``), and waits where it names another version; that is right for a program of one
    thread. After :meth:`watch` a thread looks, and requests go on with the version before until the new one has been loaded and tried. What cannot be used is refused
    once, until the pointer changes: the version before goes on, and ``refusal`` tells why.
    """

    def __init__(self, registry: Registry | Path, encoders: Sequence[SentenceEncoder] | None = None) -> None:
        """``encoders`` are for a registry that is given as a folder; one that is given whole has its own."""
        self.registry = registry if isinstance(registry, Registry) else Registry(registry, encoders)
        self.refusal: VersionError | None = None
        self._active: Recommender | None = None
        self._seen: tuple[int, int] | None = None
        self._again = 0.0
        self._pinned: LRUCache[str, Recommender] = LRUCache(PINNED)
        self._following, self._pinning = threading.Lock(), threading.Lock()
        self._watched, self._closed = False, threading.Event()

    def recommender(self, version: str | None = None) -> Recommender:
        """The active version, or the one named; waits while the first one is loaded. Raises NoActiveVersion or VersionError where there is none that
        can be loaded."""
        active = self._active
        if version is not None:
            return active if active and active.version == version else self._by_number(version)
        if active is None or not self._watched:
            self.follow()
        # Whoever is not refused has been taken before; the order matters where a thread follows meanwhile.
        refusal, active = self.refusal, self._active
        if active is None:
            assert refusal
            raise refusal.with_traceback(None)
        return active

    def ready(self) -> Recommender | None:
        """The active version; None while a thread is loading the first one. Raises as :meth:`recommender` does."""
        return self._active if self._watched and not self.refusal else self.recommender()

    def watch(self) -> None:
        """Let a thread look at the pointer from now on, so that no request waits for a version that takes over from another."""
        self._watched = True
        threading.Thread(target=self._keep_following, name="quebu-engine", daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()

    def _keep_following(self) -> None:
        self.follow()
        while not self._closed.wait(LOOKS):
            self.follow()

    def follow(self) -> None:
        """Look at the pointer, and take the version it names unless that has been tried. No clock on the wall takes part."""
        with self._following:
            pointer = self._pointer()
            if pointer == self._seen and time.monotonic() < self._again:
                return
            self._seen, self._again = pointer, math.inf
            try:
                self._take(self.registry.active())
                self.refusal = None
            except VersionError as error:
                # Made anew, without the frames that would keep the refused version in memory.
                self.refusal = type(error)(str(error))
            except (OSError, MemoryError) as error:
                self.refusal = VersionError(f"启用的版本暂时读不出来（{type(error).__name__}），稍后会再试。")
                self._again = time.monotonic() + PAUSE
            if self.refusal:
                goes_on = self._active.version if self._active else "none"
                log.error("the active version is refused, %s goes on: %s", goes_on, self.refusal)

    def _pointer(self) -> tuple[int, int] | None:
        """What tells one state of the pointer from the next: it is replaced, never written over."""
        try:
            status = (self.registry.folder / "active").stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _take(self, version: str) -> None:
        if self._active is None or self._active.version != version:
            with self._pinning:
                known = self._pinned.pop(version, None)
            self._active = known or self._tried(version)
            log.info("version %s answers", version)
            give_back()  # What loading took, and what the version before held.

    def _by_number(self, version: str) -> Recommender:
        with self._pinning:
            found = self._pinned.get(version)
            if found is None:
                found = self._pinned[version] = self._tried(version)
            return found

    def _tried(self, version: str) -> Recommender:
        """Load a version, and let it make one recommendation before anybody depends on it; raises VersionError, OSError or MemoryError."""
        try:
            recommender = self.registry.load(version)
            if self._active:
                recommender.matcher.go_on_from(self._active.matcher)
            somebody = Profile("canary", weaknesses=(Weakness(recommender.catalog.courses[0].title),))
            next(recommender.plans([somebody], Limits(1)))
        except (VersionError, OSError, MemoryError):
            raise
        except Exception as error:
            raise VersionError(
                f"版本 {version} 能读出，但不能推荐（{type(error).__name__}）。请重新训练，或改用其他版本。"
            ) from error
        return recommender
