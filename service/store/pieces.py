"""Long contents in compressed pieces, so that neither who writes nor who reads has to hold the whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, delete, func, insert, select

from service.store.database import Database
from service.store.tables import piece

SIZE = 1 << 20


def cut(content: Iterable[bytes]) -> Iterator[bytes]:
    """Bytes as they come -> pieces of about SIZE."""
    held: list[bytes] = []
    length = 0
    for part in content:
        held.append(part)
        length += len(part)
        if length >= SIZE:
            yield b"".join(held)
            held, length = [], 0
    if held:
        yield b"".join(held)


def put(connection: Connection, blob: str, number: int, content: bytes) -> None:
    """Keep one piece."""
    connection.execute(insert(piece).values(blob=blob, number=number, content=zlib.compress(content, 3)))


def put_all(connection: Connection, blob: str, content: Iterable[bytes]) -> None:
    """Keep a content whole, within one unit of work."""
    for number, part in enumerate(cut(content)):
        put(connection, blob, number, part)


def count(connection: Connection, blob: str) -> int:
    """How many pieces there are."""
    return connection.scalar(select(func.count()).where(piece.c.blob == blob)) or 0


def read(database: Database, blob: str) -> Iterator[bytes]:
    """The pieces in order, each fetched when it is asked for."""
    number = 0
    while True:
        with database.reading() as connection:
            found = connection.scalar(
                select(piece.c.content).where((piece.c.blob == blob) & (piece.c.number == number))
            )
        if found is None:
            return
        yield zlib.decompress(found)
        number += 1


def drop(connection: Connection, *blobs: str) -> None:
    """Forget contents."""
    connection.execute(delete(piece).where(piece.c.blob.in_(blobs)))
