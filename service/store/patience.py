"""A store that cannot be reached for a moment is waited for, by whoever has the time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # Seconds between two attempts.
DISK_FULL = "53100"  # PostgreSQL's own code.

T = TypeVar("T")

log = logging.getLogger(__name__)


def disk_full(error: BaseException) -> bool:
    """Whether the store refused to write because its disk is full."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(cause, "sqlstate", "") == DISK_FULL


def patiently(action: Callable[[], T]) -> T:
    """Do something with the store, and again while it cannot be reached; it must be something that may be done twice."""
    for pause in PAUSES:
        try:
            return action()
        except (OperationalError, InterfaceError) as error:
            if disk_full(error):
                raise
            log.warning("store not available (%s); trying again", type(error.orig).__name__)
            time.sleep(pause)
    return action()
