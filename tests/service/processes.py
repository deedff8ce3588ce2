"""Several processes that use one store at the same moment. A process of its own imports the store once and forks the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from threading import Barrier

from service.store import audit
from service.store.audit import By
from service.store.database import Database

Work = Callable[[Database], None]
_start: Barrier | None = None


def prepare(database: Database) -> None:
    database.prepare()


def migrate(database: Database) -> None:
    database.migrate()


def record(database: Database) -> None:
    for number in range(25):
        with database.writing() as connection:
            audit.record(database, connection, By("process"), "count", str(number))


def together(times: int, work: Work, url: str, secret: str) -> None:
    """Let each of several processes do the work on a store of its own opening; raises what one of them raised."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["service.store.audit", "alembic.command", "psycopg"])
    with ProcessPoolExecutor(times, context, _meet, (context.Barrier(times),)) as pool:
        for done in [pool.submit(_at_once, work, url, secret) for _ in range(times)]:
            done.result(timeout=120)


def _meet(barrier: Barrier) -> None:
    global _start  # noqa: PLW0603 (how a pool hands something to its processes)
    _start = barrier


def _at_once(work: Work, url: str, secret: str) -> None:
    assert _start is not None
    _start.wait(60)
    database = Database(url, secret)
    try:
        work(database)
    finally:
        database.engine.dispose()
