"""``quebu work`` beside a service: started with it, started again when it dies, stopped with it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHORTEST, LONGEST = 1.0, 60.0  # Seconds until it is started again; each time it dies at once, twice as many.
STOPPING = 20.0

log = logging.getLogger(__name__)


@contextmanager
def jobs_worker(registry: Path) -> Iterator[None]:
    """Have jobs worked on while the service runs. Should this process be killed, its worker notices by its stdin and stops."""
    mother, stopped = os.getpid(), threading.Event()
    thread = threading.Thread(target=_keep, args=(registry, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        # A process that was forked from this one, and ends here too, has not started anything.
        if os.getpid() == mother:
            stopped.set()
            thread.join(STOPPING + 5)


def _keep(registry: Path, stopped: threading.Event) -> None:
    # -P: what lies in the folder where the service was started is not to be imported.
    command = [sys.executable, "-P", "-m", "service.jobs.consumer"]
    environment = os.environ | {"QUEBU_REGISTRY": str(registry)}
    pause = SHORTEST
    while not stopped.is_set():
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
            lasted = 0.0
            while process.poll() is None and not stopped.wait(0.5):
                lasted += 0.5
            if stopped.is_set():
                _stop(process)
                return
        log.warning("the jobs worker ended; it is started again in %g seconds", pause)
        pause = SHORTEST if lasted > LONGEST else min(LONGEST, 2 * pause)
        stopped.wait(pause)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        process.kill()
