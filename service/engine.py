"""The active version, loaded once per process and swapped when another one is activated."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from model.recommender import Recommender
from model.registry import Registry
from model.vectors import SentenceEncoder


class Engine:
    """Holds the loaded version. Reading the small ``active`` file on each request costs microseconds and makes a swap visible at once."""

    def __init__(self, registry: Path, encoders: Sequence[SentenceEncoder] | None = None) -> None:
        self.registry = Registry(registry, encoders)
        self._loaded: Recommender | None = None
        self._pinned: Recommender | None = None
        self._lock = threading.Lock()

    def recommender(self, version: str | None = None) -> Recommender:
        """The active version, or the one named; raises NoActiveVersion or VersionError where there is none that can be loaded.

        A version that is pinned beside the active one is kept too, but only one of them: each takes hundreds of megabytes.
        """
        active = self.registry.active()
        if version is not None and version != active:
            with self._lock:
                if self._pinned is None or self._pinned.version != version:
                    self._pinned = self.registry.load(version)
                return self._pinned
        loaded = self._loaded
        if loaded is not None and loaded.version == active:
            return loaded
        with self._lock:
            if self._loaded is None or self._loaded.version != active:
                self._loaded = self.registry.load(active)
            return self._loaded
