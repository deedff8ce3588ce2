"""The application on the session's registry, and on one where nothing has been activated."""

from __future__ import annotations

from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from service import create_app


@pytest.fixture(scope="session")
def app(registry: Path) -> APIFlask:
    return create_app({"REGISTRY": str(registry), "TESTING": True})


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def untrained(tmp_path: Path) -> FlaskClient:
    return create_app({"REGISTRY": str(tmp_path / "none"), "TESTING": True}).test_client()
