"""Of what is large little is worked on at a time, so that a process still answers what is small."""

from __future__ import annotations

from threading import BoundedSemaphore

AT_ONCE = 2  # Of the four threads of a process; the others are for what is answered at once, and for those who ask whether it lives.
WAITING = 1  # Who waits holds a thread as well: one is left for what is small.
PATIENCE = 10.0  # Seconds that a person is kept waiting for a place.


class Places:
    """The places of those that are worked on; who waits for one does so for ``patience`` seconds at most."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._free, self._waiting = BoundedSemaphore(AT_ONCE), BoundedSemaphore(WAITING)

    def take(self, *, waits: bool) -> bool:
        """Take a place, or the next that comes free for who ``waits``; whether there was one."""
        if self._free.acquire(blocking=False):
            return True
        if not waits or not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=self.patience)
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Give the place back."""
        self._free.release()
