"""docs/api.md shows each route with a real exchange, and a service answers them as shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from api_examples import API, ask, exchanges, parsed, told

from service import create_app


@pytest.fixture(scope="module")
def shown() -> list[Any]:
    return list(exchanges(API.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def app(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = tmp_path_factory.mktemp("store") / "quebu.db"
    config = {"REGISTRY": str(registry), "DATABASE_URL": f"sqlite:///{store}", "TESTING": True, "LOCAL": True}
    return create_app(config)


def alike(one: Any, other: Any) -> bool:
    """The same but for the last digits of numbers, which no two machines have alike."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return one == pytest.approx(other, abs=0.02)
    return bool(one == other)


def test_every_exchange_of_the_document_is_answered_as_shown(app: Any, shown: list[Any]):
    client, known, wrong = app.test_client(), {}, []
    for exchange in shown:
        answer = ask(client, exchange, known)
        right = answer.status_code == exchange.status
        if not right or not alike(told(answer, exchange.kind), parsed(exchange.kind, exchange.answer)):
            wrong.append((exchange.method, exchange.path, answer.status_code, told(answer, exchange.kind)))
    assert wrong == []


def test_every_route_has_an_exchange(app: Any, shown: list[Any]):
    matched = set()
    adapter = app.url_map.bind("localhost")
    for exchange in shown:
        path = exchange.path.partition("?")[0].replace("{id}", "0")
        matched.add(f"{exchange.method} {adapter.match(path, exchange.method, return_rule=True)[0].rule}")
    documented = {
        f"{method.upper()} {path.replace('{', '<').replace('}', '>')}"
        for path, item in app.spec["paths"].items()
        for method in item
    }
    assert {re.sub(r"<\w+:", "<", rule) for rule in matched} == documented
