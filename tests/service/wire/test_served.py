from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, g, request

from service.store.roles import Principal, Role
from service.wire.served import UNKNOWN, Served, init_served


@pytest.fixture
def told() -> list[Served]:
    return []


@pytest.fixture
def small(told: list[Served]) -> Flask:
    """An application of four routes, whose every request is told."""
    app = Flask("small")
    init_served(app, told.append)

    @app.before_request
    def named() -> None:
        g.request_id = "r1"
        who = request.headers.get("Who")
        g.principal = Principal(who, Role.READER) if who else None

    @app.route("/plain/<name>")
    def plain(name: str) -> Response:
        return Response(f"甲{len(name)}")

    @app.route("/streamed")
    def streamed() -> Response:
        def parts() -> Iterator[bytes]:
            yield from (b"ab", b"cde", b"f")

        return Response(parts())

    @app.route("/broken")
    def broken() -> Response:
        def parts() -> Iterator[bytes]:
            yield b"ab"
            raise ValueError

        return Response(parts())

    @app.route("/crash")
    def crash() -> Response:
        raise ValueError

    return app


def test_of_a_request_its_rule_is_told_and_not_its_address(small: Flask, told: list[Served]):
    small.test_client().get("/plain/%E7%94%B2?name=x")
    (one,) = told
    assert one._replace(seconds=0.0) == Served("GET", "/plain/<name>", 200, 0.0, 4, "r1", None)
    assert one.seconds > 0


@pytest.mark.parametrize(("address", "status"), [("/nowhere", 404), ("/plain/", 404)])
def test_every_address_that_is_none_has_one_name(address: str, status: int, small: Flask, told: list[Served]):
    small.test_client().get(address)
    assert [(one.route, one.status) for one in told] == [(UNKNOWN, status)]


@pytest.mark.parametrize(("method", "name"), [("POST", "POST"), ("钟离婉", UNKNOWN), ("PROPFIND", UNKNOWN)])
def test_a_method_is_told_only_where_it_is_known(method: str, name: str, small: Flask, told: list[Served]):
    small.test_client().open("/streamed", method=method.encode().decode("latin-1"))
    assert [(one.method, one.route, one.status) for one in told] == [(name, UNKNOWN, 405)]


def test_of_a_head_nothing_is_sent(small: Flask, told: list[Served]):
    for address in ("/plain/x", "/streamed"):
        small.test_client().head(address)
    assert [(one.method, one.status, one.bytes) for one in told] == [("HEAD", 200, 0)] * 2


def test_a_streamed_answer_is_told_when_it_has_been_sent(small: Flask, told: list[Served]):
    response = small.test_client().get("/streamed")
    assert told == []
    assert response.data == b"abcdef"
    response.close()
    assert [(one.status, one.bytes) for one in told] == [(200, 6)]


def test_a_streamed_answer_that_is_given_up_is_told_as_far_as_it_came(small: Flask, told: list[Served]):
    response = small.test_client().get("/streamed")
    next(iter(response.response))
    response.close()
    assert [one.bytes for one in told] == [2]


def test_an_answer_that_breaks_off_is_told_as_far_as_it_came(small: Flask, told: list[Served]):
    response = small.test_client().get("/broken")
    with pytest.raises(ValueError):  # noqa: PT011 (raised by the route)
        response.get_data()
    response.close()
    assert [(one.status, one.bytes) for one in told] == [(200, 2)]


def test_a_crash_is_told_as_a_500(small: Flask, told: list[Served]):
    small.test_client().get("/crash")
    assert [(one.route, one.status) for one in told] == [("/crash", 500)]


@pytest.mark.parametrize(
    ("identity", "who"), [("key:1a2b3c4d", "key:1a2b3c4d"), ("local", "local"), ("account:钟离婉", "account"), (None, None)]
)  # fmt: skip
def test_who_asked_is_told_without_the_name_of_a_person(
    identity: str | None, who: Any, small: Flask, told: list[Served]
):
    headers = {"Who": identity.encode().decode("latin-1")} if identity else {}
    small.test_client().get("/plain/x", headers=headers)
    assert [one.who for one in told] == [who]
