"""The application on the session's registry, on one of two versions, and on one where nothing is activated; an endpoint for vectors; stores."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from argon2 import PasswordHasher
from endpoint import KEY, Server
from flask.testing import FlaskClient
from postgres import SECRET, Postgres

from model.domain import Catalog
from model.recommender import Recommender
from model.versions.registry import Registry
from service import create_app
from service.embeddings import EndpointEncoder
from service.store import logins
from service.store.database import Database

AWKWARD = "Q9999/甲 #1?%41&x=.."


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A service that is started within a test sends what is told elsewhere; the next test is told as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = (warnings.showwarning, threading.excepthook, sys.unraisablehook)
    yield
    root.handlers[:], root.level = handlers, level
    root.setLevel(level)
    warnings.showwarning, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture(scope="session")
def app(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """Its store is its own: the one beside the registry is used by whoever starts a service there."""
    own = {"DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('app')}/quebu.db", "RATE_LIMIT": 10_000_000}
    return create_app({"REGISTRY": str(registry), "TESTING": True, "LOCAL": True, **own})


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory, trained: Recommender) -> Path:
    """Two versions: v0001, active; v0002, which accepts no course and whose last course has an id that is awkward in an address."""
    store = Registry(tmp_path_factory.mktemp("instance") / "versions")
    card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": len(trained.catalog)}
    store.activate(store.save(lambda version: replace(trained, version=version), card))
    *courses, last = trained.catalog.courses
    catalog = Catalog((*courses, replace(last, id=AWKWARD)))
    store.save(lambda version: replace(trained, version=version, catalog=catalog, accepted=2.0), card)
    return store.folder


@pytest.fixture(scope="session")
def narrow(versions: Path) -> APIFlask:
    """The application on two versions, with limits that are soon reached: 1 MB a body, 2 MB and 40 people a batch."""
    limits = {"MAX_BODY_MB": 1, "MAX_BATCH_MB": 2, "MAX_BATCH": 40}
    return create_app({"REGISTRY": str(versions), "TESTING": True, "LOCAL": True, "RATE_LIMIT": 10_000_000, **limits})


@pytest.fixture
def untrained(tmp_path: Path) -> FlaskClient:
    return create_app({"REGISTRY": str(tmp_path / "none"), "TESTING": True, "LOCAL": True}).test_client()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    yield server
    server.quiet.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def endpoint(server: Server) -> EndpointEncoder:
    return EndpointEncoder(server.url, "tiny", KEY, 5.0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; skips where none is installed."""
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def made(postgres: Postgres) -> str:
    """The name of a PostgreSQL database with all tables, to be copied."""
    url = postgres.new()
    database = Database(url, SECRET)
    database.migrate()
    database.engine.dispose()
    return postgres.name(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store without tables, on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/quebu.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new()
    yield url
    server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A store ready for use, on each kind of database; ``database.url`` is its address, ``SECRET`` its secret."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/quebu.db", SECRET)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database = Database(server.new(request.getfixturevalue("made")), SECRET)
    database.prepare()
    yield database
    database.engine.dispose()
    if not database.embedded:
        server.drop(database.url)


@pytest.fixture
def secured(database: Database, tmp_path: Path) -> Iterator[APIFlask]:
    """The application without a version and without a local session, on each kind of database."""
    url = database.url.render_as_string(hide_password=False)
    app = create_app({"REGISTRY": str(tmp_path / "registry"), "DATABASE_URL": url, "SECRET": SECRET})
    yield app
    app.extensions["quebu.store"].engine.dispose()


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords hashed at the least cost, where it is not tested how long that takes."""
    monkeypatch.setattr(logins, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    logins._nobody.cache_clear()
    yield
    logins._nobody.cache_clear()


@pytest.fixture
def own(registry: Path, tmp_path: Path) -> dict[str, Any]:
    """The configuration."""
    store = {"DATABASE_URL": f"sqlite:///{tmp_path}/own.db", "SECRET": "x" * 32}
    return {"REGISTRY": str(registry), "TESTING": True, "LOCAL": True, **store}


@pytest.fixture
def own_app(own: dict[str, Any]) -> APIFlask:
    return create_app(own)


@pytest.fixture
def caller(own_app: APIFlask) -> FlaskClient:
    return own_app.test_client()


@pytest.fixture
def own_store(own_app: APIFlask) -> Database:
    store: Database = own_app.extensions["quebu.store"]
    return store
