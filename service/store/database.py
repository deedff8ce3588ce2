"""One database: reading and writing units of work, and its tables brought to their present form."""

from __future__ import annotations

import hmac
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from model.errors import InputError
from service.secret import secret_of
from service.store.tables import meta

HERE = Path(__file__).parent
EMBEDDED = "quebu.db"  # The file beside the registry that is the store where none is named.
WAIT = 10.0  # Seconds a writer waits for another one.
ALONE = 7265421  # The number of the lock, among the advisory locks of a PostgreSQL database, for what is done once.


def now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Database:
    """The store of one service, or of several that share it. ``secret`` keys the digests of API keys and the pseudonyms of people."""

    def __init__(self, url: str | URL, secret: str) -> None:
        """InputError where the address cannot be understood. Nothing is opened yet."""
        self.url, self.secret = _url(url), secret.encode()
        self.engine = _engine(self.url)

    @property
    def embedded(self) -> bool:
        """Whether this is the SQLite file of one machine."""
        return self.url.get_backend_name() == "sqlite"

    def digest(self, text: str, purpose: str) -> str:
        """A keyed digest (HMAC-SHA256): nobody without the secret can make it, or tell the text from it. The purpose keeps digests of one use
        from serving for another."""
        return hmac.new(self.secret, f"{purpose}\n{text}".encode(), sha256).hexdigest()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A view of the store that does not change while it is looked at."""
        with self.engine.connect() as connection:
            if not self.embedded:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A unit of work: all of it is kept, or nothing. On SQLite it takes the write lock at once, so that no two of them can lock each other
        out halfway."""
        with self.engine.connect().execution_options(writing=True) as connection, connection.begin():
            yield connection

    def alone(self, connection: Connection, number: int = ALONE) -> None:
        """Wait until no other unit of work that asked for this lock is under way. On SQLite there is only one at a time anyway."""
        if not self.embedded:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")

    def prepare(self) -> None:
        """Make the store ready for a service that starts: the embedded one is brought to its present form; another has to be already.

        InputError where it is not, or where the store was made with another secret.
        """
        if self.embedded:
            self.migrate()
        elif self.revision() != head():
            raise InputError("数据库的表还没有建好，或不是这一版的。请先运行：quebu migrate")
        self._check_secret()

    def migrate(self) -> tuple[str | None, str]:
        """Apply the migrations that are missing, in one transaction; the form before and after. Several at once wait for each other.

        InputError where a later release has made the tables, or they cannot be made.
        """
        from alembic import command  # noqa: PLC0415 (a service whose store is ready does without)

        if self.embedded:
            self._make_file()
        before = self.revision()
        if before is not None and before > head():
            raise InputError("这个数据库是更新的版本建立的。请升级缺补，或换一个数据库（QUEBU_DATABASE_URL）。")
        if before != head():
            with explained(), self.writing() as connection:
                self.alone(connection)
                config = _alembic()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return before, head()

    def revision(self) -> str | None:
        """The form the tables have now; None where there are none. InputError where the database cannot be reached."""
        with explained(), self.reading() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return cast("str | None", connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())

    def _make_file(self) -> None:
        """Make the file of the embedded store for its owner alone; what SQLite puts beside it takes over its rights."""
        if not self.url.database or self.url.database == ":memory:":
            return
        path = Path(self.url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT, 0o600))
        except OSError as error:
            raise InputError(
                f"无法建立数据库文件（{error.strerror}）。请检查 QUEBU_DATABASE_URL 和目录的权限。"
            ) from error

    def _check_secret(self) -> None:
        """Keys made with another secret would all be refused, without a word why."""
        mark = self.digest("quebu", "secret")
        with explained(), self.writing() as connection:
            self.alone(connection)
            known = connection.scalar(select(meta.c.value).where(meta.c.name == "secret"))
            if known is None:
                connection.execute(insert(meta).values(name="secret", value=mark))
        if known is not None and not hmac.compare_digest(known, mark):
            raise InputError(
                "QUEBU_SECRET（或密钥文件）与建立这个数据库时的不同，已有的密钥都会失效。请换回原来的，几台主机共用数据库时应相同。"
            )


def database_of(settings: Mapping[str, Any]) -> Database:
    """The store the settings name; without any, an SQLite file beside the registry."""
    embedded = URL.create("sqlite", database=str(Path(settings["REGISTRY"]).parent / EMBEDDED))
    return Database(settings["DATABASE_URL"] or embedded, secret_of(settings))


def head() -> str:
    """The form this release wants, which is the number of its last migration."""
    return max(path.stem.partition("_")[0] for path in (HERE / "migrations" / "versions").glob("[0-9]*.py"))


@contextmanager
def beside(settings: Mapping[str, Any]) -> Iterator[Database | None]:
    """The store that the settings name, made ready, for a command; None where there is none yet. InputError where there is one that cannot be read."""
    if not settings["DATABASE_URL"] and not (Path(settings["REGISTRY"]).parent / EMBEDDED).exists():
        yield None
        return
    database = database_of(settings)
    try:
        with explained():
            database.prepare()
            yield database
    finally:
        database.engine.dispose()


def _alembic() -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations").replace("%", "%%"))
    return config


def _url(given: str | URL) -> URL:
    try:
        url = make_url(given)
    except ArgumentError:
        # What was given may hold a password; it is not repeated.
        raise InputError(
            "QUEBU_DATABASE_URL 看不懂。请写作 sqlite:///文件 或 postgresql://用户:密码@主机/库名。"
        ) from None
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise InputError("QUEBU_DATABASE_URL 只支持 sqlite:/// 和 postgresql:// 开头的地址。")
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        # A connection that a restart of the database cut is noticed before it is used.
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10, connect_args={"connect_timeout": 5})
    engine = create_engine(url, connect_args={"timeout": WAIT, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _opened(connection: Any, _: Any) -> None:
        # The driver begins transactions by itself, and deferred; here SQLAlchemy says when and how.
        connection.isolation_level = None
        for pragma in (f"busy_timeout={int(WAIT * 1000)}", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        _use_wal(connection)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")

    return engine


def _use_wal(connection: Any) -> None:
    """Let readers and a writer work side by side. Of several that switch a new file at once SQLite refuses some without waiting."""
    until = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def explained() -> Iterator[None]:
    """For commands and the start of a service: what the database refuses becomes an InputError."""
    try:
        yield
    except DBAPIError as error:
        # The driver's words may name hosts and users; its kind is enough.
        raise InputError(
            f"连不上数据库，或数据库文件不能读写（{type(error.orig).__name__}）。请检查 QUEBU_DATABASE_URL 和数据库服务。"
        ) from error
