"""Room for long contents. A disk that a job has filled to the last byte would hold up everything else: who signs in, what is recorded, and even the
deleting of what fills it, for SQLite writes down first what it is about to delete."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from service.store.database import Database

RESERVE = 64 << 20  # Bytes that are left free; of a small disk a tenth.


def check_room(database: Database, size: int) -> None:
    """OSError (ENOSPC) where so many bytes more would leave too little of the disk that the embedded store lies on. Of another store nothing is known."""
    path = database.url.database
    if not database.embedded or not path or path == ":memory:":
        return
    disk = shutil.disk_usage(Path(path).resolve().parent)
    with database.reading() as connection:
        # What was deleted in the file is filled again before the file grows.
        unused = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
        page = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
    if disk.free + unused * page < min(RESERVE, disk.total // 10) + size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
