"""A key is shown once, kept as a digest, expires and can be revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres import SECRET
from sqlalchemy import select, update

from model.errors import InputError
from service.store import audit, keys, logins
from service.store.audit import By
from service.store.database import Database, now
from service.store.roles import Principal, Role
from service.store.tables import api_key, metadata

ADMIN = By("command:root")


def made(database: Database, role: Role = Role.PLANNER, days: int | None = 30) -> str:
    return keys.create(database, ADMIN, "人事系统", role, days)


def everything(database: Database) -> str:
    """All that the database holds, as text."""
    with database.reading() as connection:
        return repr([connection.execute(table.select()).all() for table in metadata.sorted_tables])


def aged(database: Database, seconds: float) -> None:
    """Let all keys expire so many seconds from now."""
    with database.writing() as connection:
        connection.execute(update(api_key).values(expires_at=now() + timedelta(seconds=seconds)))


@pytest.mark.parametrize("role", Role)
def test_whoever_shows_a_key_is_known_by_it(database: Database, role: Role):
    key = made(database, role)
    assert keys.find(database, key) == Principal(f"key:{keys.identity(key)}", role)


def test_the_store_holds_no_key_nor_the_secret_part_of_one(database: Database):
    key = made(database)
    held = everything(database)
    assert str(keys.identity(key)) in held
    assert key not in held
    assert key.split("_", 2)[2] not in held


def test_no_two_keys_are_alike(database: Database):
    assert len({made(database) for _ in range(20)}) == 20


def test_a_key_is_refused_from_the_moment_it_is_revoked_and_the_others_are_not(database: Database):
    key, other = made(database), made(database)
    revoked = keys.revoke(database, ADMIN, str(keys.identity(key)))
    assert revoked.revoked_at
    assert keys.find(database, key) is None
    assert keys.find(database, other)
    assert keys.revoke(database, ADMIN, str(keys.identity(key))) == revoked
    with database.reading() as connection:
        assert [done.action for done in audit.every(connection)] == ["key.create", "key.create", "key.revoke"]


@pytest.mark.parametrize("identity", ["", "00c0ffee", "x" * 1000, "'; --", "甲", "\0"])
def test_a_key_that_there_is_not_cannot_be_revoked(database: Database, identity: str):
    with pytest.raises(InputError, match="没有这个编号"):
        keys.revoke(database, ADMIN, identity)


def test_a_key_is_refused_from_the_moment_it_expires(database: Database):
    key = made(database)
    aged(database, 60)
    assert keys.find(database, key)
    aged(database, 0)
    assert keys.find(database, key) is None
    assert not keys.usable(database)


def test_a_key_without_end_does_not_expire(database: Database):
    key = made(database, days=None)
    assert keys.find(database, key)
    assert keys.listed(database)[0].expires_at is None


def test_a_key_lasts_as_many_days_as_it_was_given(database: Database):
    made(database, days=30)
    with database.reading() as connection:
        row = connection.execute(select(api_key)).one()
    assert abs(row.expires_at - row.created_at - timedelta(days=30)) < timedelta(minutes=1)


def test_a_key_of_another_secret_is_none(database: Database):
    key = made(database)
    other = Database(database.url, SECRET + "!")
    assert keys.find(other, key) is None
    other.engine.dispose()


def test_a_key_with_one_character_changed_is_none(database: Database):
    key = made(database)
    for place in range(len(key)):
        changed = key[:place] + ("b" if key[place] == "a" else "a") + key[place + 1 :]
        assert keys.find(database, changed) is None, place


@given(text=st.text(max_size=80) | st.from_regex(r"quebu_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", fullmatch=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_a_key_but_a_key(database: Database, text: str):
    assert keys.find(database, text) is None


def test_what_is_told_of_keys_is_told_in_their_order(database: Database):
    first, second = made(database, Role.READER), made(database, Role.ADMIN)
    told = keys.listed(database)
    assert [key.id for key in told] == [keys.identity(first), keys.identity(second)]
    assert (told[0].name, told[0].role, told[0].created_by, told[0].revoked_at) == (
        "人事系统",
        "reader",
        "command:root",
        None,
    )
    assert told[1] == keys.told(database, keys.identity(second))
    assert keys.told(database, None) is None


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "甲" * 101, "\u202e"])
def test_a_name_that_cannot_be_shown_is_refused(database: Database, name: str):
    with pytest.raises(InputError, match="名称"):
        keys.create(database, ADMIN, name, Role.READER, 1)
    assert keys.listed(database) == []


def test_the_log_tells_that_a_key_was_given_out_but_not_to_whom(database: Database):
    key = made(database, Role.CURATOR, 7)
    with database.reading() as connection:
        (done,) = audit.every(connection)
    assert (done.actor, done.action, done.object) == ("command:root", "key.create", keys.identity(key))
    assert done.detail == {"role": "curator", "days": 7}


def test_whether_there_is_a_key_to_use(database: Database):
    assert not keys.usable(database)
    key, lasting = made(database), made(database, days=None)
    for one in (key, lasting):
        assert keys.usable(database)
        keys.revoke(database, ADMIN, str(keys.identity(one)))
    assert not keys.usable(database)


def test_the_first_key_ends_the_local_session_for_good(database: Database):
    logins.open_local(database)
    assert logins.local(database) == Principal("local", Role.ADMIN)
    key = made(database)
    assert logins.local(database) is None
    keys.revoke(database, ADMIN, str(keys.identity(key)))
    logins.open_local(database)
    assert logins.local(database) is None


def test_a_key_has_the_form_that_a_log_can_be_searched_for(database: Database):
    assert re.fullmatch(r"quebu_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", made(database))
