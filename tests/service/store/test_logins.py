"""Accounts of people: who knows the password is let in for a working day, who tries too often has to wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres import SECRET
from sqlalchemy import select, update

from model.errors import InputError
from service.store import audit, keys, logins
from service.store.audit import By
from service.store.database import Database, now
from service.store.roles import Principal, Role
from service.store.tables import account, login, metadata

ADMIN, VISITOR = By("command:root"), By("", "192.0.2.7", "r1")
PASSWORD, WRONG = "一句好记的话，比符号安全", "another sentence"
NAME = "zhang.wei@青溪"

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@pytest.fixture
def known(database: Database) -> Database:
    """A store with one account."""
    logins.create(database, ADMIN, NAME, Role.PLANNER, PASSWORD)
    return database


def enter(database: Database, password: str = PASSWORD, name: str = NAME) -> str | None:
    return logins.sign_in(database, VISITOR, name, password)


def moved(database: Database, by: timedelta) -> None:
    """Put the end of every rest and of every session this much earlier, as if the time had passed."""
    with database.writing() as connection:
        for row in connection.execute(select(account)).all():
            if row.locked_until:
                connection.execute(update(account).values(locked_until=row.locked_until - by))
        for row in connection.execute(select(login)).all():
            connection.execute(update(login).where(login.c.digest == row.digest).values(expires_at=row.expires_at - by))


def actions(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as connection:
        return [(done.actor, done.action, done.object) for done in audit.every(connection)]


def test_whoever_knows_the_password_is_let_in(known: Database):
    token = enter(known)
    assert token
    assert logins.signed_in(known, token) == Principal(f"account:{NAME}", Role.PLANNER)
    assert actions(known)[-1] == (f"account:{NAME}", "login", NAME)


@pytest.mark.parametrize(
    "password", ["", WRONG, PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper() + "x", "x" * 1_000_000]
)
def test_whoever_does_not_is_not(known: Database, password: str):
    assert enter(known, password) is None
    assert actions(known)[-1] == ("", "login.refused", NAME)


@pytest.mark.parametrize("name", ["", "zhang", NAME.upper(), NAME + " ", "' OR 1=1 --", "a\0b", "x" * 100_000])
def test_an_unknown_name_is_refused_and_not_written_down(known: Database, name: str):
    assert enter(known, name=name) is None
    assert actions(known)[-1] == ("", "login.refused", "")


def test_each_sign_in_has_a_token_of_its_own_and_the_store_holds_none_of_them_nor_the_password(known: Database):
    tokens = {enter(known) for _ in range(3)}
    assert len(tokens) == 3
    with known.reading() as connection:
        held = repr([connection.execute(table.select()).all() for table in metadata.sorted_tables])
    assert not [text for text in (*tokens, PASSWORD) if str(text) in held]


@given(token=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_a_token_but_a_token(known: Database, token: str):
    logins.open_local(known)
    assert logins.signed_in(known, token) is None


def test_the_local_session_is_nobodys_token(database: Database):
    logins.open_local(database)
    with database.reading() as connection:
        digest = connection.scalar(select(login.c.digest))
    assert digest == logins.LOCAL
    assert logins.signed_in(database, logins.LOCAL) is None


def test_five_wrong_passwords_in_a_row_let_an_account_rest_for_a_quarter_of_an_hour(known: Database):
    for number in range(logins.FAILURES):
        assert [one.locked for one in logins.listed(known)] == [False], number
        assert enter(known, WRONG) is None
    assert [one.locked for one in logins.listed(known)] == [True]
    assert enter(known) is None
    moved(known, logins.REST - timedelta(seconds=30))
    assert enter(known) is None
    moved(known, timedelta(seconds=31))
    assert enter(known)


def test_trying_on_does_not_make_the_rest_longer(known: Database):
    for _ in range(logins.FAILURES * 3):
        enter(known, WRONG)
    moved(known, logins.REST)
    assert enter(known)


def test_the_right_password_makes_the_wrong_ones_before_it_forgotten(known: Database):
    for _ in range(3):
        for _ in range(logins.FAILURES - 1):
            enter(known, WRONG)
        assert enter(known)


def test_of_many_wrong_passwords_at_once_no_more_than_five_are_tried(known: Database):
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: enter(known, WRONG), range(16))) == {None}
    assert [one.locked for one in logins.listed(known)] == [True]
    with known.reading() as connection:
        rested = [done.detail["locked"] for done in audit.every(connection) if done.action == "login.refused"]
    assert rested == [False] * (logins.FAILURES - 1) + [True] * (17 - logins.FAILURES)


def test_the_rest_of_one_account_is_not_that_of_another(known: Database):
    logins.create(known, ADMIN, "other", Role.READER, PASSWORD)
    for _ in range(logins.FAILURES):
        enter(known, WRONG)
    assert enter(known, name="other")


def test_a_new_password_lifts_the_rest_and_signs_out_everywhere(known: Database):
    token = enter(known)
    for _ in range(logins.FAILURES):
        enter(known, WRONG)
    logins.set_password(known, ADMIN, NAME, "the new sentence")
    assert token
    assert logins.signed_in(known, token) is None
    assert enter(known) is None
    assert enter(known, "the new sentence")


def test_a_disabled_account_is_signed_out_and_stays_out_until_it_gets_a_new_password(known: Database):
    token = enter(known)
    assert logins.usable(known)
    logins.disable(known, ADMIN, NAME)
    assert token
    assert logins.signed_in(known, token) is None
    assert enter(known) is None
    assert not logins.usable(known)
    assert [one.disabled for one in logins.listed(known)] == [True]
    logins.set_password(known, ADMIN, NAME, PASSWORD)
    assert enter(known)


def test_signing_out_ends_the_session_on_the_server_and_no_other(known: Database):
    token, other = enter(known), enter(known)
    assert token
    assert other
    logins.sign_out(known, By(f"account:{NAME}"), token)
    assert logins.signed_in(known, token) is None
    assert logins.signed_in(known, other)
    logins.sign_out(known, By(""), token)
    assert [action for _, action, _ in actions(known)].count("logout") == 1


def test_a_session_ends_with_the_working_day(known: Database):
    token = enter(known)
    assert token
    moved(known, logins.SIGNED_IN - timedelta(seconds=30))
    assert logins.signed_in(known, token)
    moved(known, timedelta(seconds=31))
    assert logins.signed_in(known, token) is None
    enter(known)
    with known.reading() as connection:
        assert len(connection.execute(select(login)).all()) == 1, "sessions that ended are forgotten"


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "a\0", "<b>", "x" * 65])
def test_a_name_that_is_none_is_refused(database: Database, name: str):
    with pytest.raises(InputError, match="用户名"):
        logins.create(database, ADMIN, name, Role.READER, PASSWORD)


def test_a_name_is_taken_once(known: Database):
    with pytest.raises(InputError, match="已经有"):
        logins.create(known, ADMIN, NAME, Role.ADMIN, PASSWORD)
    assert [one.role for one in logins.listed(known)] == ["planner"]


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 201])
def test_a_password_that_is_too_short_or_too_long_is_refused(known: Database, password: str):
    for change in (
        lambda: logins.create(known, ADMIN, "new", Role.READER, password),
        lambda: logins.set_password(known, ADMIN, NAME, password),
    ):
        with pytest.raises(InputError, match="密码应为 12 到 200 个字符") as refused:
            change()
        assert not password or password not in str(refused.value)
    assert enter(known)


@pytest.mark.parametrize("change", [logins.disable, lambda *args: logins.set_password(*args, PASSWORD)])
def test_what_is_done_to_an_account_that_there_is_not_is_refused(database: Database, change):
    with pytest.raises(InputError, match="没有这个用户名"):
        change(database, ADMIN, "nobody")
    assert actions(database) == []


def test_the_local_session_lasts_a_month_from_the_last_start(database: Database):
    logins.open_local(database)
    assert logins.local(database) == Principal("local", Role.ADMIN)
    moved(database, timedelta(days=logins.LOCAL_DAYS))
    assert logins.local(database) is None
    logins.open_local(database)
    assert logins.local(database)
    assert actions(database) == [("local", "login.local", "local")]


def test_the_first_account_ends_the_local_session_for_good(database: Database):
    logins.open_local(database)
    logins.create(database, ADMIN, NAME, Role.READER, PASSWORD)
    assert logins.local(database) is None
    logins.disable(database, ADMIN, NAME)
    logins.open_local(database)
    assert logins.local(database) is None


def test_a_local_session_left_from_before_is_ended_at_the_start(known: Database):
    with known.writing() as connection:
        values = {"digest": logins.LOCAL, "role": "admin", "created_at": now(), "expires_at": now() + timedelta(days=1)}
        connection.execute(login.insert().values(values))
    assert logins.local(known)
    logins.open_local(known)
    assert logins.local(known) is None


def test_a_token_of_another_secret_is_none(known: Database):
    token = enter(known)
    assert token
    other = Database(known.url, SECRET + "!")
    assert logins.signed_in(other, token) is None
    assert keys.find(other, token) is None
    other.engine.dispose()


class Counted(PasswordHasher):
    """Remembers what kind of hash was compared."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.compared.append(str(hash).rsplit("$", 2)[0])
        return super().verify(hash, password)


def test_an_unknown_name_takes_as_long_as_a_known_one(monkeypatch: pytest.MonkeyPatch, known: Database):
    """The clock is not asked, which others on the machine disturb, but how often the costly part runs: once, whatever the name."""
    hasher = Counted()
    monkeypatch.setattr(logins, "_hasher", hasher)
    for name in (NAME, "nobody", "", "a\0b"):
        enter(known, WRONG, name)
    logins.disable(known, ADMIN, NAME)
    enter(known)
    assert len(hasher.compared) == 5
    assert len(set(hasher.compared)) == 1, "the same kind of hash at the same cost"


def test_an_account_that_was_disabled_is_enabled_with_the_password_it_has(known: Database):
    logins.disable(known, ADMIN, NAME)
    assert enter(known) is None
    logins.enable(known, ADMIN, NAME)
    assert enter(known)
    assert (ADMIN.actor, "account.enable", NAME) in actions(known)


def test_an_account_that_rests_is_enabled_before_its_time(known: Database):
    for _ in range(logins.FAILURES):
        enter(known, WRONG)
    logins.enable(known, ADMIN, NAME)
    assert [one.locked for one in logins.listed(known)] == [False]
    assert enter(known)


def test_nobody_is_enabled_by_a_name_there_is_not(known: Database):
    with pytest.raises(InputError, match="没有这个用户名"):
        logins.enable(known, ADMIN, "nobody")
    assert actions(known)[-1][1] != "account.enable"
