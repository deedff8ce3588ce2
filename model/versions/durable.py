"""Files that a crash leaves whole: written at once, with their folders synced, under locks that end with whoever holds them."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DRAFT = ".draft-"  # What a name begins with until the content is whole.
BINARY = getattr(os, "O_BINARY", 0)  # Windows would write other line ends.
GONE = ".gone-"  # What the name of a folder begins with while it is taken away.
# Some shared folders know no locks. Nobody can tell there whether somebody else holds one.
UNKNOWN = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


def write_at_once(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new one, never a part; ``private``: for its owner alone."""
    draft = path.with_name(f"{DRAFT}{path.name}-{os.getpid()}-{threading.get_ident()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the disk keep a file, or what a folder lists, before anything else is done."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders.
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take_away(folder: Path) -> None:
    """Delete a folder, which is whole under its name or no longer there. Whoever has mapped its files keeps them; where the system does not
    allow that (Windows), it stays for the next time."""
    gone = folder.with_name(f"{GONE}{folder.name}")
    with suppress(OSError):
        shutil.rmtree(gone, ignore_errors=True)
        os.replace(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """The digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Lock:
    """A lock on a file of its own, which the system frees when the process that holds it ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if need be."""
        self.path, self.sure = path, True
        self._file = path.open("ab")

    def take(self, *, wait: bool) -> bool:
        """Take the lock; False where another holds it. Where the folder knows no locks nobody is waited for, and it is not ``sure``."""
        try:
            _take(self._file.fileno(), wait=wait)
        except OSError as error:
            if error.errno in UNKNOWN:
                self.sure = False
                return wait
            if wait:
                raise
            return False
        return True

    def free(self, *, remove: bool = False) -> None:
        """Let others take it; ``remove`` also takes its file away, which only those may who cannot be met there."""
        self._file.close()
        if remove:
            with suppress(OSError):
                self.path.unlink()


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Wait until nobody else holds a lock, and hold it; False where the folder knows no locks, so that others may be there."""
    lock = Lock(path)
    try:
        lock.take(wait=True)
        yield lock.sure
    finally:
        lock.free()


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int, *, wait: bool) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    raise
                threading.Event().wait(0.05)
            else:
                return
else:
    import fcntl

    def _take(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
