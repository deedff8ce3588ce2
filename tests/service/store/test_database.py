"""One store, two databases: whatever is said here holds for both."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres import SECRET, Postgres
from processes import migrate, prepare, record, together
from sqlalchemy import func, insert, inspect, select

from model.errors import InputError
from service.settings import load_settings
from service.store import audit
from service.store.database import Database, database_of, head
from service.store.tables import meta, metadata


def test_the_migrations_make_the_tables_as_they_are_written(database: Database):
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(empty_url: str):
    database = Database(empty_url, SECRET)
    assert database.revision() is None
    assert database.migrate() == (None, head())
    with database.writing() as connection:
        connection.execute(insert(meta).values(name="kept", value="1"))
    assert database.migrate() == (head(), head())
    with database.reading() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.name == "kept")) == "1"
    database.engine.dispose()


def test_several_that_migrate_at_once_wait_for_each_other(empty_url: str):
    together(6, migrate, empty_url, SECRET)
    database = Database(empty_url, SECRET)
    assert database.revision() == head()
    with database.reading() as connection:
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
    database.engine.dispose()


def test_several_that_start_at_once_agree_on_the_secret(empty_url: str):
    database = Database(empty_url, SECRET)
    database.migrate()
    together(6, prepare, empty_url, SECRET)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(meta)) == 1
    database.engine.dispose()


def test_an_embedded_store_is_made_when_it_is_needed_and_a_shared_one_only_when_asked(empty_url: str):
    database = Database(empty_url, SECRET)
    if database.embedded:
        database.prepare()
    else:
        with pytest.raises(InputError, match="quebu migrate"):
            database.prepare()
        assert database.revision() is None
    database.engine.dispose()


def test_a_store_made_with_another_secret_is_refused(database: Database):
    other = Database(database.url, "another secret that is long enough")
    with pytest.raises(InputError, match="QUEBU_SECRET"):
        other.prepare()
    other.engine.dispose()
    database.prepare()


def test_a_store_made_by_a_later_release_is_refused(database: Database):
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InputError, match="更新的版本" if database.embedded else "quebu migrate"):
        database.prepare()
    with pytest.raises(InputError, match="更新的版本"):
        database.migrate()


def test_a_unit_of_work_is_kept_whole_or_not_at_all(database: Database):
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(meta).values(name="half", value="1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).where(meta.c.name == "half")) == 0


def test_what_is_read_does_not_change_while_it_is_looked_at(database: Database):
    with database.reading() as connection:
        before = connection.scalar(select(func.count()).select_from(meta))
        with database.writing() as other:
            other.execute(insert(meta).values(name="meanwhile", value="1"))
        assert connection.scalar(select(func.count()).select_from(meta)) == before
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(meta)) == before + 1


def test_nothing_that_is_read_is_changed_by_reading(database: Database):
    with database.reading() as connection:
        connection.execute(insert(meta).values(name="lost", value="1"))
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).where(meta.c.name == "lost")) == 0


def test_four_processes_and_four_threads_write_at_once_and_none_is_locked_out(database: Database):
    """Each reads before it writes, which is how deferred transactions lock each other out."""
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(record, database) for _ in range(4)]
        together(4, record, database.url.render_as_string(), SECRET)
    assert [one.result() for one in done] == [None] * 4
    assert audit.broken(database) is None
    with database.reading() as connection:
        assert [done.id for done in audit.every(connection)] == list(range(1, 201))


def test_a_digest_depends_on_the_secret_the_purpose_and_the_text():
    one, other = Database("sqlite://", SECRET), Database("sqlite://", SECRET + "!")
    digests = {one.digest("a", "x"), one.digest("a", "y"), one.digest("b", "x"), other.digest("a", "x")}
    assert len(digests) == 4
    assert one.digest("a", "x") == Database("sqlite://", SECRET).digest("a", "x")


@pytest.mark.parametrize(
    "url", ["", "quebu.db", "mysql://u:hunter2@h/d", "postgresql//u:hunter2@h/d", "http://u:hunter2@h"]
)
def test_an_address_that_is_none_is_refused_and_its_password_not_repeated(url: str):
    with pytest.raises(InputError, match="QUEBU_DATABASE_URL") as refused:
        Database(url, SECRET)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@127.0.0.1:1/d", "sqlite:////dev/null/x.db"])
def test_a_database_that_cannot_be_reached_is_told_without_its_password(url: str):
    database = Database(url, SECRET)
    with pytest.raises(InputError, match="数据库") as refused:
        database.prepare()
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path):
    (tmp_path / "quebu.db").write_text("姓名,短板\n" * 1000, encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path}/quebu.db", SECRET)
    with pytest.raises(InputError, match="DatabaseError"):
        database.prepare()
    database.engine.dispose()


@pytest.mark.parametrize("folder", ["reg", "a b/甲", "per%20cent/reg", "what?/reg", "hash#/reg"])
def test_without_an_address_the_store_lies_beside_the_registry_for_its_owner_alone(tmp_path: Path, folder: str):
    registry = tmp_path / folder
    database = database_of(load_settings({}) | {"REGISTRY": str(registry), "SECRET": SECRET})
    database.prepare()
    with database.writing() as connection:
        connection.execute(insert(meta).values(name="x", value="1"))
        files = sorted(registry.parent.glob("quebu.db*"))
        assert files[0].name == "quebu.db"
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.engine.dispose()


def test_a_restart_of_the_server_is_noticed_before_a_connection_is_used(postgres: Postgres, made: str):
    database = Database(postgres.new(made), SECRET)
    database.prepare()
    for mode in ("fast", "immediate"):
        postgres.restart(mode)
        database.prepare()
    database.engine.dispose()
