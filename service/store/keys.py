"""API keys for systems: shown once, kept as a digest, expiring, revocable."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from model.errors import InputError
from service.store import audit
from service.store.audit import By
from service.store.database import Database, now
from service.store.logins import close_local
from service.store.roles import Principal, Role
from service.store.tables import api_key

KEY = re.compile(r"quebu_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
DAYS = 365  # How long a key lasts where nobody says otherwise.
MOST_DAYS = 3650
LONGEST_NAME = 100
# Asked in every request: to make it takes as long as to ask it.
HELD = select(api_key).where(api_key.c.id == bindparam("public"))


class Key(NamedTuple):
    """What is told of a key: never the key itself."""

    id: str
    name: str
    role: str
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None


def create(database: Database, by: By, name: str, role: Role, days: int | None) -> str:
    """Make a key that lasts ``days`` (None: until it is revoked); the key itself, which nobody can read again. The local session ends.

    InputError where the name is blank, too long or cannot be shown.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"密钥的名称应为 1 到 {LONGEST_NAME} 个字，如使用它的系统。")
    public = secrets.token_hex(4)
    key = f"quebu_{public}_{secrets.token_urlsafe(32)}"
    with database.writing() as connection:
        connection.execute(
            insert(api_key).values(
                id=public,
                name=name,
                role=role.value,
                digest=database.digest(key, "key"),
                created_at=now(),
                created_by=by.actor,
                expires_at=now() + timedelta(days=days) if days else None,
            )
        )
        close_local(connection)
        audit.record(database, connection, by, "key.create", public, role=role.value, days=days)
    return key


def revoke(database: Database, by: By, public: str) -> Key:
    """Refuse a key from now on; one that is revoked already stays as it is. InputError where there is none by this id."""
    key = told(database, public)
    if key is None:
        raise InputError("没有这个编号的密钥。")
    standing = (api_key.c.id == public) & api_key.c.revoked_at.is_(None)
    with database.writing() as connection:
        if connection.execute(update(api_key).where(standing).values(revoked_at=now())).rowcount:
            audit.record(database, connection, by, "key.revoke", public)
    return told(database, public) or key


def identity(key: str) -> str | None:
    """The public beginning of a key; None where it is not made like one."""
    parts = KEY.fullmatch(key)
    return parts[1] if parts else None


def find(database: Database, key: str) -> Principal | None:
    """Who holds this key; None for one that is unknown, revoked or past its time."""
    public = identity(key)
    if public is None:
        return None
    with database.reading() as connection:
        row = connection.execute(HELD, {"public": public}).first()
    if row is None or not hmac.compare_digest(row.digest, database.digest(key, "key")):
        return None
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now()):
        return None
    return Principal(f"key:{row.id}", Role(row.role))


def told(database: Database, public: str | None) -> Key | None:
    """What is told of one key; None where there is none by this id."""
    return next((key for key in listed(database) if key.id == public), None)


def listed(database: Database) -> list[Key]:
    """All keys, the newest last."""
    with database.reading() as connection:
        rows = connection.execute(select(api_key).order_by(api_key.c.created_at, api_key.c.id))
        return [Key._make(_plain(getattr(row, name)) for name in Key._fields) for row in rows]


def usable(database: Database) -> bool:
    """Whether there is a key that can be used."""
    alive = api_key.c.revoked_at.is_(None) & (api_key.c.expires_at.is_(None) | (api_key.c.expires_at > now()))
    with database.reading() as connection:
        return bool(connection.scalar(select(func.count()).select_from(api_key).where(alive)))


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else value
