"""Accounts of people with their passwords, and who is signed in; the local session of a first start."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, func, insert, select, update

from model.errors import InputError
from service.store import audit
from service.store.audit import By
from service.store.database import Database, now
from service.store.roles import Principal, Role
from service.store.tables import account, api_key, login

LOCAL = "local"
LOCAL_DAYS = 30
SIGNED_IN = timedelta(hours=10)  # A working day.
FAILURES = 5  # Wrong passwords in a row before an account rests.
REST = timedelta(minutes=15)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
NAME = re.compile(r"[\w.@-]{1,64}")

_hasher = PasswordHasher()


class Account(NamedTuple):
    """What is told of an account."""

    name: str
    role: str
    disabled: bool
    locked: bool


def create(database: Database, by: By, name: str, role: Role, password: str) -> None:
    """Make an account. InputError where the name is taken or the password too short. The local session ends."""
    if not NAME.fullmatch(name):
        raise InputError("用户名应为 1 到 64 个字母、数字、汉字或 . _ @ -。")
    _check_password(password)
    with database.writing() as connection:
        if connection.scalar(select(account.c.name).where(account.c.name == name)) is not None:
            raise InputError("已经有这个用户名；请换一个，或用 quebu accounts password 重设密码。")
        connection.execute(
            insert(account).values(
                name=name, role=role.value, password=_hasher.hash(password), created_at=now(), failures=0
            )
        )
        close_local(connection)
        audit.record(database, connection, by, "account.create", name, role=role.value)


def set_password(database: Database, by: By, name: str, password: str) -> None:
    """Give an account a new password, let it sign in again if it might not, and sign it out everywhere. InputError where there is none by
    this name, or the password is too short."""
    _check_password(password)
    values = {"password": _hasher.hash(password), "failures": 0, "locked_until": None, "disabled_at": None}
    with database.writing() as connection:
        if not connection.execute(update(account).where(account.c.name == name).values(values)).rowcount:
            raise InputError("没有这个用户名的账号。")
        connection.execute(delete(login).where(login.c.account == name))
        audit.record(database, connection, by, "account.password", name)


def disable(database: Database, by: By, name: str) -> None:
    """Let an account sign in no more, and sign it out everywhere. InputError where there is none by this name."""
    with database.writing() as connection:
        if not connection.execute(update(account).where(account.c.name == name).values(disabled_at=now())).rowcount:
            raise InputError("没有这个用户名的账号。")
        connection.execute(delete(login).where(login.c.account == name))
        audit.record(database, connection, by, "account.disable", name)


def enable(database: Database, by: By, name: str) -> None:
    """Let an account that was disabled, or that rests, sign in again with the password it has. InputError where there is none by this name."""
    values = {"disabled_at": None, "failures": 0, "locked_until": None}
    with database.writing() as connection:
        if not connection.execute(update(account).where(account.c.name == name).values(values)).rowcount:
            raise InputError("没有这个用户名的账号。")
        audit.record(database, connection, by, "account.enable", name)


def listed(database: Database) -> list[Account]:
    """All accounts by name."""
    with database.reading() as connection:
        rows = connection.execute(select(account).order_by(account.c.name)).all()
    return [
        Account(row.name, row.role, row.disabled_at is not None, bool(row.locked_until and row.locked_until > now()))
        for row in rows
    ]


def usable(database: Database) -> bool:
    """Whether there is an account that can sign in."""
    with database.reading() as connection:
        return bool(connection.scalar(select(func.count()).select_from(account).where(account.c.disabled_at.is_(None))))


def sign_in(database: Database, by: By, name: str, password: str) -> str | None:
    """A token for the cookie of whoever knows the password; None otherwise, and for an account that rests after too many failures.

    Neither the answer nor the time it takes tells whether there is the name. An unknown one is not logged: it may be a password typed into
    the wrong field.
    """
    known = account.c.name == (name if NAME.fullmatch(name) else "")
    with database.reading() as connection:
        row = connection.execute(select(account).where(known)).first()
    nobody = _nobody()
    right = _matches(row.password if row else nobody, password[: LONGEST_PASSWORD + 1])
    token = secrets.token_urlsafe(32)
    with database.writing() as connection:
        # Asked again under the lock: others may have tried meanwhile.
        row = connection.execute(select(account).where(known).with_for_update()).first()
        if row is None or row.disabled_at is not None or (row.locked_until is not None and row.locked_until > now()):
            audit.record(database, connection, by, "login.refused", row.name if row else "", locked=row is not None)
            return None
        failures = 0 if right else row.failures + 1
        rests = failures >= FAILURES
        connection.execute(
            update(account)
            .where(known)
            .values(failures=0 if rests else failures, locked_until=now() + REST if rests else None)
        )
        if not right:
            audit.record(database, connection, by, "login.refused", name, locked=rests)
            return None
        audit.record(database, connection, by._replace(actor=f"account:{name}"), "login", name)
        connection.execute(delete(login).where(login.c.expires_at <= now()))
        connection.execute(
            insert(login).values(
                digest=database.digest(token, "login"),
                account=name,
                role=row.role,
                created_at=now(),
                expires_at=now() + SIGNED_IN,
            )
        )
    return token


def signed_in(database: Database, token: str) -> Principal | None:
    """Who holds the token of a cookie. The local session has none: what stands in place of its digest is no digest."""
    alive = (login.c.digest == database.digest(token, "login")) & (login.c.expires_at > now())
    with database.reading() as connection:
        row = connection.execute(select(login).where(alive)).first()
    return Principal(f"account:{row.account}", Role(row.role)) if row else None


def sign_out(database: Database, by: By, token: str) -> None:
    """Forget the token."""
    with database.writing() as connection:
        if connection.execute(delete(login).where(login.c.digest == database.digest(token, "login"))).rowcount:
            audit.record(database, connection, by, "logout", by.actor.removeprefix("account:"))


def open_local(database: Database) -> None:
    """Let whoever sits at this machine in without a key, as long as there has been neither key nor account."""
    with database.writing() as connection:
        database.alone(connection)
        if any(connection.scalar(select(func.count()).select_from(table)) for table in (api_key, account)):
            close_local(connection)
            return
        expires = now() + timedelta(days=LOCAL_DAYS)
        known = login.c.digest == LOCAL
        if not connection.execute(update(login).where(known).values(expires_at=expires)).rowcount:
            values = {"digest": LOCAL, "role": Role.ADMIN.value, "created_at": now(), "expires_at": expires}
            connection.execute(insert(login).values(values))
            audit.record(database, connection, By(LOCAL), "login.local", LOCAL)


def close_local(connection: Connection) -> None:
    """End the local session: from now on a key or a password is asked for."""
    connection.execute(delete(login).where(login.c.digest == LOCAL))


def local(database: Database) -> Principal | None:
    """The local session, while there is one."""
    with database.reading() as connection:
        row = connection.execute(select(login).where((login.c.digest == LOCAL) & (login.c.expires_at > now()))).first()
    return Principal(LOCAL, Role(row.role)) if row else None


@cache
def _nobody() -> str:
    """What is compared where a name is unknown, so that the time an answer takes does not tell which names there are."""
    return _hasher.hash(secrets.token_urlsafe(16))


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _check_password(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"密码应为 {SHORTEST_PASSWORD} 到 {LONGEST_PASSWORD} 个字符；一句好记的话比几个符号更安全。")
