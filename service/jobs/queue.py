"""Word of queued jobs, carried to whoever works: a file of huey's own beside an SQLite store, tables of its own in PostgreSQL.

It carries nothing but ids, and it may lose them or carry one twice: the table of jobs is what counts.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from huey import Huey, PostgresHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from service.store.database import Database

NAME = "quebu"
FAULTS = (DBAPIError, sqlite3.Error, psycopg.Error)  # What may happen to a store and to its queue.
MAKING_TABLES = 7265422  # The advisory lock under which PostgreSQL's tables are made.

log = logging.getLogger(__name__)


class _Plain(Serializer):  # type: ignore[misc]
    """Messages as JSON. The usual pickles would let whoever can write to the queue run code in the worker."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(bytes(data)))


class Queue:
    """The queue of one store. ``perform`` does a job by its id, where this process is one that works."""

    def __init__(self, database: Database, perform: Callable[[str], None] | None = None) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._perform = perform
        self._opening = threading.Lock()
        self._failing = False

    @cached_property
    def _huey(self) -> Huey:
        settings: dict[str, Any] = {"results": False, "serializer": _Plain()}
        url = self._database.url
        if self._database.embedded:
            # Never the store itself: whoever waits for the queue would hold up everybody else.
            path = Path(url.database or "quebu.db")
            messages = path.with_name(f"{path.stem}-queue.db")
            os.close(os.open(messages, os.O_CREAT, 0o600))  # For its owner alone, as the store is.
            return SqliteHuey(NAME, filename=str(messages), timeout=10, **settings)
        dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        huey = PostgresHuey(NAME, dsn=dsn, create_tables=False, **settings)
        with self._database.writing() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MAKING_TABLES})")
            if not inspect(connection).has_table(huey.storage.table_task):
                for statement in huey.storage.ddl:
                    connection.exec_driver_sql(statement)
        return huey

    @cached_property
    def _task(self) -> Any:
        def job(identity: str) -> None:
            assert self._perform
            self._perform(identity)

        return self._huey.task(name="job")(job)

    def open(self) -> Huey:
        """The queue proper, which knows what to do with a message."""
        with self._opening:
            return self._task.huey

    def send(self, identity: str) -> None:
        """Tell of a queued job. Where word cannot be sent now, the reaper sends it later."""
        try:
            self.open()
            self._task(identity)
            if self._perform is None:
                self.close()  # Who only sends now and then holds no connection meanwhile.
            self._failing = False
        except FAULTS as error:
            if not self._failing:
                log.warning("no word could be sent of a job (%s); it is tried again and again", type(error).__name__)
            self._failing = True

    def waiting(self) -> set[str]:
        """The ids that are on their way."""
        huey = self.open()
        return {huey.serializer.deserialize(item).args[0] for item in huey.storage.enqueued_items()}

    def close(self) -> None:
        """Give up the connection of this thread; it is opened again when it is needed."""
        self.open().storage.close()
