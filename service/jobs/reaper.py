"""What a dead worker left behind is given back, and word that got lost is sent again."""

from __future__ import annotations

from typing import Any

from service.jobs.queue import Queue
from service.store import answers, desks, jobs, leases, plans
from service.store.database import Database

STALE = 10.0  # Seconds without a beat after which a worker counts as dead; beats come each second.
PAUSE = 3.0  # Looks further apart than this say that this process itself stood still.
SWEEP = 60.0  # Seconds between two looks for jobs, saved plans, kept answers and desks whose time has come.


class Reaper:
    """Looks at the jobs each second. Only its own steady clock counts: a beat is old when it has been seen unchanged for STALE seconds, so that no
    clock on the wall, here or on another host, can make a living worker look dead or a dead one alive."""

    def __init__(self, database: Database, queue: Queue, hours: int) -> None:
        self._database, self._queue, self._hours = database, queue, hours
        self._seen: dict[str, tuple[Any, float]] = {}
        self._unheard: set[str] = set()
        self._looked = self._swept = float("-inf")

    def look(self, at: float) -> None:
        """One look, at a time of a steady clock in seconds."""
        if at - self._looked > PAUSE:
            # Whoever slept as long may only now be about to beat again.
            self._seen.clear()
        self._looked = at
        held = leases.running(self._database)
        since = {one.id: self._since(one.id, one, at) for one in held}
        self._seen = {one.id: (one, since[one.id]) for one in held}
        for one in held:
            if at - since[one.id] >= STALE and leases.release(
                self._database, one.id, one.lease, self._hours, counted=True
            ):
                self._queue.send(one.id)
        self._send_again()
        if at - self._swept >= SWEEP:
            for forget in (jobs.expire, plans.expire, answers.expire, desks.expire):
                forget(self._database)
            self._swept = at

    def _since(self, identity: str, held: leases.Held, at: float) -> float:
        known, since = self._seen.get(identity, (None, at))
        return since if known == held else at

    def _send_again(self) -> None:
        """Word of a queued job is lost where it is not on its way at two looks in a row; between the two it may have been just about to be sent, or to be
        taken."""
        queued = leases.queued(self._database)
        missing = set(queued) - self._queue.waiting() if queued else set()
        for identity in queued:
            if identity in missing & self._unheard:
                self._queue.send(identity)
        self._unheard = missing
