"""How often somebody asked within a minute: counted in each process by itself, or in a storage that all of them share."""

from __future__ import annotations

import logging
import math
import time

from limits import RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from model.errors import InputError

log = logging.getLogger(__name__)


class Counting:
    """What is counted for whom. While a shared storage fails, each process counts by itself."""

    def __init__(self, address: str, workers: int) -> None:
        """InputError where the storage is none, or its package is not installed."""
        own = address.startswith("memory:")
        try:
            storage = storage_from_string(address, wrap_exceptions=True)
        except (ConfigurationError, ValueError) as error:
            raise InputError(
                "QUEBU_RATE_LIMIT_STORAGE 应为 memory:// 或 redis://主机:6379；后者还需要安装 Python 包 redis。"
            ) from error
        self.workers, self.shared = workers, not own
        self.limiter: RateLimiter = FixedWindowRateLimiter(storage)
        self.beside: RateLimiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, what: str, who: str, most: int, cost: int = 1) -> int:
        """Count something that may be done ``most`` times a minute; the seconds to wait if it is too often, else 0."""
        return self._seconds(what, who, most, cost)

    def full(self, what: str, who: str, most: int) -> int:
        """The seconds to wait until it may be done again, 0 for at once. Nothing is counted."""
        return self._seconds(what, who, most, 0)

    def _seconds(self, what: str, who: str, most: int, cost: int) -> int:
        if not self.shared:
            return self._asked(self.limiter, what, who, most / self.workers, cost)
        try:
            return self._asked(self.limiter, what, who, most, cost)
        except StorageError as error:
            log.warning("requests are counted by each process itself: %s", type(error.storage_error).__name__)
            return self._asked(self.beside, what, who, most / self.workers, cost)

    def _asked(self, limiter: RateLimiter, what: str, who: str, most: float, cost: int) -> int:
        item = RateLimitItemPerMinute(max(1, int(most)))
        # What costs more than a whole minute allows may still be done once in it.
        cost = min(cost, item.amount)
        if limiter.hit(item, what, who, cost=cost) if cost else limiter.test(item, what, who):
            return 0
        # The window is told by the clock on the wall; should it have been put back, a minute is enough.
        return min(60, max(1, math.ceil(limiter.get_window_stats(item, what, who).reset_time - time.time())))
