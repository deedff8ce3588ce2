"""A service with its planner, for the pages of plans."""

from __future__ import annotations

from pathlib import Path

import pytest
from apiflask import APIFlask

from service import create_app
from service.store.database import Database
from tests.service.pages.planner import Planner


@pytest.fixture(scope="module")
def home(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """One service for all: its version is loaded once, and every planner has a desk of their own."""
    store = f"sqlite:///{tmp_path_factory.mktemp('home')}/quebu.db"
    own = {"DATABASE_URL": store, "SECRET": "x" * 32, "RATE_LIMIT": 10_000_000}
    return create_app({"REGISTRY": str(registry), "TESTING": True, "LOCAL": True, **own})


@pytest.fixture
def own_store(home: APIFlask) -> Database:
    store: Database = home.extensions["quebu.store"]
    return store


@pytest.fixture
def planner(home: APIFlask) -> Planner:
    return Planner(home.test_client()).with_sample()
