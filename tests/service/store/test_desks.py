"""Desks: what lies there is for the holder of the token alone, and gone when its hours are over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from service.store import desks
from service.store.database import Database, now
from service.store.tables import desk, piece

NAME = "罗小明".encode()


def test_a_part_is_taken_as_it_was_laid(database: Database):
    desks.put(database, "token", "read", NAME * 1000, 8)
    assert desks.get(database, "token", "read") == NAME * 1000
    assert desks.there(database, "token", "read")


def test_the_later_of_two_takes_the_place_of_the_first(database: Database):
    for content in (b"one", b"two"):
        desks.put(database, "token", "read", content, 8)
    assert desks.get(database, "token", "read") == b"two"
    with database.reading() as connection:
        assert len(connection.scalars(select(piece.c.blob)).all()) == 1


def test_who_has_another_token_finds_nothing(database: Database):
    desks.put(database, "token", "read", NAME, 8)
    assert desks.get(database, "tokem", "read") is None
    assert not desks.there(database, "tokem", "read")


def test_the_store_holds_neither_the_token_nor_what_lies_there(database: Database):
    desks.put(database, "token-of-the-browser", "read", NAME * 50, 8)
    with database.reading() as connection:
        kept = repr(connection.execute(select(desk)).all()).encode() + b"".join(
            connection.scalars(select(piece.c.content))
        )
    assert b"token-of-the-browser" not in kept
    assert NAME not in kept


def test_a_desk_is_kept_from_its_last_touch_on(database: Database):
    desks.put(database, "token", "read", b"one", 1)
    desks.put(database, "token", "plan", b"two", 8)
    with database.reading() as connection:
        assert len({*connection.scalars(select(desk.c.expires_at))}) == 1


def test_what_has_run_out_is_not_given_out_and_then_forgotten(database: Database):
    desks.put(database, "token", "read", NAME, 8)
    with database.writing() as connection:
        connection.execute(update(desk).values(expires_at=now() - timedelta(seconds=1)))
    assert desks.get(database, "token", "read") is None
    assert desks.expire(database) == 1
    with database.reading() as connection:
        assert not connection.execute(select(piece)).all()
        assert not connection.execute(select(desk)).all()


@pytest.mark.parametrize("all_of_it", [True, False])
def test_what_is_cleared_is_gone_at_once(database: Database, all_of_it: bool):
    for part in ("read", "plan"):
        desks.put(database, "token", part, NAME, 8)
    desks.put(database, "other", "read", NAME, 8)
    if all_of_it:
        desks.clear(database, "token")
    else:
        desks.drop(database, "token", "read", "plan")
    with database.reading() as connection:
        assert len(connection.execute(select(desk)).all()) == len(connection.execute(select(piece)).all()) == 1
    assert desks.get(database, "other", "read") == NAME
