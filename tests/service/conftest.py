"""The application on the session's registry, and on one where nothing is activated; an endpoint for vectors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask
from endpoint import KEY, Server
from flask.testing import FlaskClient

from service import create_app
from service.embeddings import EndpointEncoder


@pytest.fixture(scope="session")
def app(registry: Path) -> APIFlask:
    return create_app({"REGISTRY": str(registry), "TESTING": True})


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


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
