"""The application on the session's registry, on one of two versions, and on one where nothing is activated; an endpoint for vectors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from apiflask import APIFlask
from endpoint import KEY, Server
from flask.testing import FlaskClient

from model.domain import Catalog
from model.recommender import Recommender
from model.registry import Registry
from service import create_app
from service.embeddings import EndpointEncoder

AWKWARD = "Q9999/甲 #1?%41&x=.."


@pytest.fixture(scope="session")
def app(registry: Path) -> APIFlask:
    return create_app({"REGISTRY": str(registry), "TESTING": True})


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory, trained: Recommender) -> Path:
    """Two versions: v0001, active; v0002, which accepts no course and whose last course has an id that is awkward in an address."""
    store = Registry(tmp_path_factory.mktemp("versions"))
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
    return create_app({"REGISTRY": str(versions), "TESTING": True, **limits})


@pytest.fixture
def untrained(tmp_path: Path) -> FlaskClient:
    return create_app({"REGISTRY": str(tmp_path / "none"), "TESTING": True}).test_client()


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
