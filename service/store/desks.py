"""What a planner works on before anything is saved: sealed with a key that only their browser has, and gone after some hours.

A desk is known by its token, which lies in the cookie of the browser and nowhere else: the store keeps a digest of it, so that without the cookie
nobody, the administrator of the store included, can read what lies there.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from datetime import timedelta

from cryptography.fernet import Fernet
from sqlalchemy import Connection, delete, insert, select, update

from service.store import pieces
from service.store.database import Database, now
from service.store.tables import desk


def put(database: Database, token: str, part: str, content: bytes, hours: int) -> None:
    """Lay a part on the desk, in place of what was there; the whole desk is kept for ``hours`` from now on."""
    identity, expires = _digest(database, token), now() + timedelta(hours=hours)
    sealed = _key(token).encrypt(zlib.compress(content, 3))
    with database.writing() as connection:
        _take(connection, identity, part)
        connection.execute(insert(desk).values(id=identity, part=part, expires_at=expires))
        connection.execute(update(desk).where(desk.c.id == identity).values(expires_at=expires))
        pieces.put_all(connection, _blob(identity, part), [sealed])


def get(database: Database, token: str, part: str) -> bytes | None:
    """A part of the desk; None where there is none, or its time has come."""
    if not there(database, token, part):
        return None
    identity = _digest(database, token)
    return zlib.decompress(_key(token).decrypt(b"".join(pieces.read(database, _blob(identity, part)))))


def there(database: Database, token: str, part: str) -> bool:
    """Whether a part lies on the desk and its time has not come."""
    known = (desk.c.id == _digest(database, token)) & (desk.c.part == part) & (desk.c.expires_at > now())
    with database.reading() as connection:
        return connection.scalar(select(desk.c.part).where(known)) is not None


def drop(database: Database, token: str, *parts: str) -> None:
    """Take parts from the desk."""
    identity = _digest(database, token)
    with database.writing() as connection:
        for part in parts:
            _take(connection, identity, part)


def clear(database: Database, token: str) -> None:
    """Take everything from the desk."""
    identity = _digest(database, token)
    with database.writing() as connection:
        for part in connection.scalars(select(desk.c.part).where(desk.c.id == identity)).all():
            _take(connection, identity, part)


def expire(database: Database) -> int:
    """Forget the parts of desks whose time has come; how many."""
    with database.writing() as connection:
        due = connection.execute(select(desk.c.id, desk.c.part).where(desk.c.expires_at <= now())).all()
        for identity, part in due:
            _take(connection, identity, part)
    return len(due)


def _take(connection: Connection, identity: str, part: str) -> None:
    connection.execute(delete(desk).where((desk.c.id == identity) & (desk.c.part == part)))
    pieces.drop(connection, _blob(identity, part))


def _digest(database: Database, token: str) -> str:
    return database.digest(token, "desk")


def _key(token: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"desk:{token}".encode()).digest()))


def _blob(identity: str, part: str) -> str:
    return f"desk:{identity}:{part}"
