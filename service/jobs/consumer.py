"""``quebu work``: takes jobs from the queue, some at a time, until it is told to stop; what is under way then is given back."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from model.errors import InputError
from service.jobs.foreman import BEAT, Foreman
from service.jobs.queue import FAULTS, Queue
from service.jobs.reaper import Reaper
from service.settings import load_settings
from service.store.database import database_of, explained
from service.wire.logs import init_logs

STOPPING = 15.0  # Seconds the threads have to give back what they hold.

log = logging.getLogger("service.jobs.consumer")  # It may be run as __main__.


def work(settings: Mapping[str, Any], at_once: int, ready: Callable[[], None], *, attached: bool = False) -> None:
    """Work on ``at_once`` jobs at a time until SIGTERM or SIGINT, or (``attached``) until stdin ends, as it does when whoever started this is no more."""
    # What huey tells of errors may quote the database.
    logging.getLogger("huey").setLevel(logging.CRITICAL)
    database = database_of(settings)
    database.prepare()
    stopping = threading.Event()
    foreman = Foreman(database, Path(settings["REGISTRY"]), settings["JOB_HOURS"], stopping)
    queue: Queue

    def perform(identity: str) -> None:
        try:
            if foreman.perform(identity):
                queue.send(identity)
        except Exception as error:
            # The reaper sees to the job. What an error says may quote it.
            log.error("job %s could not be taken or given back (%s)", identity, type(error).__name__)

    queue = Queue(database, perform)
    consumer = queue.open().create_consumer(
        workers=at_once,
        worker_type="thread",
        periodic=False,
        initial_delay=0.1,
        max_delay=1.0,
        scheduler_interval=60,
        shutdown_timeout=STOPPING,
    )
    consumer.start()
    asked: list[int] = []  # An event must not be set by a signal, which may come while its own lock is held.
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: asked.append(number))
    if attached:
        threading.Thread(target=_until_closed, args=(asked,), daemon=True).start()
    ready()
    _look_after(Reaper(database, queue, settings["JOB_HOURS"]), asked)
    stopping.set()
    consumer.stop(graceful=True)
    foreman.close()


def _look_after(reaper: Reaper, asked: list[int]) -> None:
    """Let the reaper look each second until something is asked for. What is in its way is told when it begins and when it ends."""
    looked, trouble = float("-inf"), ""
    while not asked:
        time.sleep(0.2)
        if time.monotonic() - looked < BEAT:
            continue
        looked, before = time.monotonic(), trouble
        try:
            reaper.look(looked)
            trouble = ""
        except FAULTS as error:
            trouble = type(error).__name__
        if trouble and trouble != before:
            log.error("store or queue not available (%s)", trouble)
        elif before and not trouble:
            log.warning("store and queue are back")


def _until_closed(asked: list[int]) -> None:
    while os.read(0, 1):
        pass
    asked.append(0)


def main() -> None:
    """Work as a service's own worker, which is started without the ``quebu`` command, for that would load what only its other commands need."""
    try:
        settings = load_settings()
        init_logs(settings["LOG_LEVEL"])
        with explained():
            work(settings, 1, lambda: None, attached=True)
    except InputError as error:
        log.error("%s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
