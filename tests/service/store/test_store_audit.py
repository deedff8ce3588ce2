"""The audit log takes new rows and nothing else; whoever gets round the database to change one is found out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres import SECRET, Postgres
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError

from service.store import audit
from service.store.audit import By
from service.store.database import Database
from service.store.tables import audit as table

WHO = By("key:00c0ffee", "192.0.2.7", "hr-7")


@pytest.fixture
def five(database: Database) -> Database:
    """A log of five rows."""
    for number in range(1, 6):
        write(database, "thing.change", f"t{number}", number=number)
    return database


def write(database: Database, action: str, subject: str, **detail: Any) -> None:
    with database.writing() as connection:
        audit.record(database, connection, WHO, action, subject, **detail)


def unguarded(database: Database, *statements: Any) -> None:
    """Do what only somebody with all rights to the database can."""
    triggers = ["audit_no_update", "audit_no_delete"] if database.embedded else ["audit_no_change ON audit"]
    with database.writing() as connection:
        for trigger in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)


def test_a_row_tells_who_did_what_to_what_from_where_in_which_request(database: Database):
    write(database, "key.revoke", "00c0ffee", reason="到期", days=3)
    with database.reading() as connection:
        (done,) = audit.entries(connection)
    assert done[2:] == ("key:00c0ffee", "key.revoke", "00c0ffee", {"reason": "到期", "days": 3}, "192.0.2.7", "hr-7")
    assert done.id == 1
    assert done.at.endswith("+00:00")


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_database_refuses_to_change_or_to_forget_a_row(five: Database, statement: str):
    with pytest.raises(DBAPIError, match="append-only" if "TRUNCATE" not in statement else None), five.writing() as c:
        c.exec_driver_sql(statement)
    with five.reading() as connection:
        assert len(audit.entries(connection)) == 5
    assert audit.broken(five) is None


@pytest.mark.parametrize("column", [column.name for column in table.columns if column.name != "id"])
def test_a_row_altered_behind_the_databases_back_is_found(five: Database, column: str):
    unguarded(five, update(table).where(table.c.id == 3).values({column: "{}"}))
    assert audit.broken(five) == 3


def test_a_row_taken_away_is_found(five: Database):
    unguarded(five, delete(table).where(table.c.id == 2))
    assert audit.broken(five) == 2


def test_a_row_taken_away_whose_successors_were_moved_up_is_found(five: Database):
    unguarded(
        five, delete(table).where(table.c.id == 2), *(update(table).where(table.c.id == n).values(id=n - 1) for n in (3, 4, 5))
    )  # fmt: skip
    assert audit.broken(five) == 2


def test_a_row_of_what_might_have_happened_otherwise_is_found(five: Database):
    """Two logs that part after the third row, as after a backup was put back: a row of one does not fit into the other."""
    with five.reading() as connection:
        fourth = dict(connection.execute(table.select().where(table.c.id == 4)).one()._mapping)
    unguarded(five, delete(table).where(table.c.id > 3))
    for subject in ("other", "another"):
        write(five, "thing.change", subject)
    assert audit.broken(five) is None
    with five.writing() as connection:
        connection.execute(delete(table).where(table.c.id == 4))
        connection.execute(insert(table).values(fourth))
    assert audit.broken(five) == 5


def test_a_row_slipped_in_with_the_digest_of_another_is_found(five: Database):
    with five.writing() as connection:
        row = dict(connection.execute(table.select().where(table.c.id == 5)).one()._mapping)
        connection.execute(insert(table).values(row | {"id": 6}))
    assert audit.broken(five) == 6


def test_rows_cut_off_at_the_end_are_found_by_what_was_kept_elsewhere(five: Database):
    with five.reading() as connection:
        kept = audit.last(connection)
        assert kept
        assert audit.holds(connection, kept)
    unguarded(five, delete(table).where(table.c.id > 3))
    write(five, "thing.change", "after")
    assert audit.broken(five) is None
    with five.reading() as connection:
        assert not audit.holds(connection, kept)
        assert not any(audit.holds(connection, mark) for mark in ("", ":", "1:", "x", f"2:{kept.partition(':')[2]}"))


def test_a_log_is_vouched_for_by_the_secret_alone(five: Database):
    other = Database(five.url, SECRET + "!")
    assert audit.broken(other) == 1
    other.engine.dispose()


def test_a_row_stands_or_falls_with_the_change_it_tells_of(database: Database):
    def fail() -> None:
        with database.writing() as connection:
            audit.record(database, connection, WHO, "thing.change", "t")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert (audit.entries(connection), audit.last(connection)) == ([], None)


def test_rows_are_read_page_by_page_each_once(five: Database):
    with five.reading() as connection:
        pages = [audit.entries(connection, after, 2) for after in (0, 2, 4, 5)]
        assert [[done.id for done in page] for page in pages] == [[1, 2], [3, 4], [5], []]
        assert list(audit.every(connection)) == [done for page in pages for done in page]


def test_on_postgresql_the_services_own_account_may_be_one_that_can_only_add_rows(postgres: Postgres, made: str):
    url = postgres.new(made)
    owner = Database(url, SECRET)
    with owner.writing() as connection:
        for statement in (
            "CREATE ROLE service LOGIN",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO service",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO service",
            "REVOKE UPDATE, DELETE ON audit FROM service",
        ):
            connection.exec_driver_sql(statement)
    service = Database(url.replace("quebu@", "service@"), SECRET)
    service.prepare()
    write(service, "thing.change", "t")
    assert audit.broken(service) is None
    with pytest.raises(DBAPIError, match="permission denied"), service.writing() as connection:
        connection.execute(delete(table))
    service.engine.dispose()
    owner.engine.dispose()
    postgres.drop(url)


SAYABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(rows=st.lists(st.tuples(SAYABLE, SAYABLE, st.dictionaries(SAYABLE, SAYABLE | st.integers() | st.none()))))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_recorded_comes_back_and_is_whole(database: Database, rows: list[tuple[str, str, dict[str, Any]]]):
    with database.reading() as connection:
        before = len(list(audit.every(connection)))
    with database.writing() as connection:
        for action, subject, detail in rows:
            audit.record(
                database, connection, WHO, action, subject, **{f"_{key}": value for key, value in detail.items()}
            )
    with database.reading() as connection:
        found = list(audit.every(connection))[before:]
    told = [(a, s, {f"_{key}": value for key, value in d.items()}) for a, s, d in rows]
    assert [(done.action, done.object, done.detail) for done in found] == told
    assert audit.broken(database) is None
