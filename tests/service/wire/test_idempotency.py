"""A request that is repeated because its answer was lost gets the first answer, and does nothing a second time."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import EnvironBuilder, FlaskClient
from sqlalchemy import select, update
from werkzeug.serving import make_server

from service import create_app
from service.store import answers, keys
from service.store.audit import By
from service.store.database import Database, now
from service.store.roles import Role
from service.store.tables import answer, piece

PERSON = {"id": "P1", "weaknesses": [{"text": "不会写公文"}]}
SINGLE, BATCH = "/api/v1/recommendations", "/api/v1/recommendations/batch"
LISTS, PLANS = "/api/v1/cohorts/recommendations", "/api/v1/plans"
REPLAYED = "Idempotency-Replayed"
TABLE = "工号,短板\nA1,公文写作\n"
RESET = struct.pack("ii", 1, 0)  # What SO_LINGER takes: closing a connection breaks it.


@pytest.fixture(scope="module")
def home(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = tmp_path_factory.mktemp("store") / "quebu.db"
    config = {"REGISTRY": str(registry), "DATABASE_URL": f"sqlite:///{store}", "TESTING": True, "LOCAL": True}
    return create_app(config)


@pytest.fixture
def client(home: Any) -> FlaskClient:
    return home.test_client()


@pytest.fixture
def store(home: Any) -> Database:
    return home.extensions["quebu.store"]


def ask(client: FlaskClient, key: str, body: Any = PERSON, path: str = SINGLE, **more: Any) -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key, **more}, buffered=True)


def send(client: FlaskClient, key: str, boundary: str, *parts: tuple[str, str | None, str]) -> Any:
    """A form of these parts (name, name of the file, content), taken apart by this boundary."""
    body = ""
    for name, file, content in parts:
        named = f'; filename="{file}"' if file is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{content}\r\n'
    kind = f"multipart/form-data; boundary={boundary}"
    body += f"--{boundary}--\r\n"
    return client.post(LISTS, data=body.encode(), content_type=kind, headers={"Idempotency-Key": key}, buffered=True)


def sending(app: Flask, path: str, key: str, body: Any) -> dict[str, Any]:
    """The same request as :func:`ask` makes, for an application that is called as a server calls it."""
    here, headers = {"REMOTE_ADDR": "127.0.0.1"}, {"Idempotency-Key": key}
    return EnvironBuilder(app, path, method="POST", json=body, headers=headers, environ_base=here).get_environ()


def class_of(client: FlaskClient, title: str) -> dict[str, Any]:
    """A plan to be kept, under a title of its own."""
    body = {"people": [PERSON], "plan": {"hours": 8, "catalog_required": False}}
    return {"title": title, "plan": client.post("/api/v1/cohorts/plan", json=body, buffered=True).json}


def titles(client: FlaskClient) -> list[str]:
    return [one["title"] for one in client.get(PLANS).json["plans"]]


def test_the_first_answer_comes_again(client: FlaskClient):
    first, again = ask(client, "again"), ask(client, "again")
    assert first.status_code == again.status_code == 200
    assert first.data == again.data
    assert first.content_type == again.content_type
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert first.headers["X-Request-ID"] != again.headers["X-Request-ID"]


def test_without_a_key_nothing_is_kept(client: FlaskClient, store: Database):
    with store.reading() as connection:
        before = len(connection.execute(select(answer)).all())
    assert client.post(SINGLE, json=PERSON).status_code == 200
    with store.reading() as connection:
        assert len(connection.execute(select(answer)).all()) == before


@pytest.mark.parametrize(
    ("body", "path", "more"),
    [
        ({**PERSON, "id": "P2"}, SINGLE, {}),
        (PERSON, f"{SINGLE}?top=3", {}),
        (PERSON, "/api/v1/gaps", {}),
        (PERSON, SINGLE, {"Accept": "text/plain"}),
    ],
)
def test_another_request_under_the_same_key_is_refused(client: FlaskClient, body: Any, path: str, more: dict[str, str]):
    assert ask(client, "taken").status_code == 200
    refused = ask(client, "taken", body, path, **more)
    assert refused.status_code == 422
    assert "Idempotency-Key" in refused.json["detail"]


def test_what_is_done_is_done_once(client: FlaskClient):
    body = class_of(client, "班")
    kept = [ask(client, "save", body, PLANS) for _ in range(3)]
    assert [one.status_code for one in kept] == [201] * 3
    assert len({one.json["id"] for one in kept}) == 1
    assert {one.headers["Location"] for one in kept} == {kept[0].headers["Location"]}
    assert titles(client).count("班") == 1


def test_a_form_is_the_same_whatever_parts_it(client: FlaskClient):
    roster = ("roster", "x.csv", TABLE)
    first, again = (send(client, "form", boundary, roster) for boundary in ("one", "another"))
    assert (first.status_code, again.status_code) == (200, 200), first.json
    assert (again.data, again.headers[REPLAYED]) == (first.data, "true")


@pytest.mark.parametrize(
    "parts",
    [
        [("roster", "x.csv", TABLE.replace("A1", "A2"))],
        [("roster", "y.csv", TABLE)],
        [("roster", None, TABLE)],
        [("courses", "x.csv", TABLE)],
        [("roster", "x.csv", TABLE), ("deadline", None, "")],
        [("roster", "x.csv", TABLE), ("roster", "x.csv", TABLE)],
        [],
    ],
)
def test_a_form_with_anything_else_in_it_is_another_request(
    client: FlaskClient, parts: list[tuple[str, str | None, str]]
):
    assert send(client, "one-form", "b1", ("roster", "x.csv", TABLE)).status_code == 200
    refused = send(client, "one-form", "b1", *parts)
    assert refused.status_code == 422
    assert "Idempotency-Key" in refused.json["detail"]


def test_the_parts_of_a_long_form_are_told_apart_to_the_last_byte(client: FlaskClient):
    rows = TABLE + (" " * 1023 + "\n") * 2048
    assert send(client, "long-form", "b1", ("roster", "x.csv", rows)).status_code == 200
    assert REPLAYED in send(client, "long-form", "b2", ("roster", "x.csv", rows)).headers
    assert send(client, "long-form", "b3", ("roster", "x.csv", rows + " ")).status_code == 422


@pytest.mark.parametrize("boundary", ["", "; boundary=b", "; boundary=键", "; boundary=other"])
def test_a_form_that_cannot_be_taken_apart_is_refused_and_leaves_the_key_free(client: FlaskClient, boundary: str):
    body = b'--b\r\nContent-Disposition: form-data; name="roster"\r\n\r\nA1'
    kind = f"multipart/form-data{boundary}".encode().decode("latin-1")
    headers = {"Idempotency-Key": "torn"}
    assert client.post(LISTS, data=body, content_type=kind, headers=headers).status_code == 422
    assert REPLAYED not in send(client, "torn", "b", ("roster", "x.csv", "")).headers


def test_a_batch_comes_again_in_both_forms(client: FlaskClient):
    people = [{**PERSON, "id": f"P{n}"} for n in range(600)]
    first, again = (ask(client, "batch", {"profiles": people}, BATCH) for _ in range(2))
    assert len(first.json["results"]) == 600
    assert first.data == again.data
    lines = "\n".join(f'{{"id": "L{n}"}}' for n in range(20))
    headers = {"Idempotency-Key": "lines", "Content-Type": "application/x-ndjson"}
    first, again = (client.post(BATCH, data=lines, headers=headers, buffered=True) for _ in range(2))
    assert first.data == again.data
    assert again.mimetype == "application/x-ndjson"
    assert again.headers[REPLAYED] == "true"


def test_a_packed_body_is_the_same_request_as_the_plain_one(client: FlaskClient):
    first = ask(client, "packed")
    assert first.status_code == 200
    headers = {"Idempotency-Key": "packed", "Content-Encoding": "gzip", "Content-Type": "application/json"}
    again = client.post(SINGLE, data=gzip.compress(json.dumps(PERSON, ensure_ascii=False).encode()), headers=headers)
    assert (again.status_code, again.data) == (200, first.data)
    packed = ask(client, "packed", **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == first.data


def test_a_body_that_is_too_long_is_refused_and_leaves_the_key_free(home: Any):
    client = home.test_client()
    answer = client.post(SINGLE, data=b"[" + b" " * (11 << 20), headers={"Idempotency-Key": "long"})
    assert answer.status_code == 413
    assert ask(client, "long").status_code == 200


def test_what_failed_may_be_corrected_under_the_same_key(client: FlaskClient):
    assert ask(client, "wrong", {"id": 7}).status_code == 422
    assert ask(client, "wrong").status_code == 200


def test_while_the_first_is_under_way_the_second_waits(client: FlaskClient, store: Database):
    ask(client, "slow")
    with store.writing() as connection:  # As it stands while the first answer is being made.
        connection.execute(update(answer).where(answer.c.key == "slow").values(status=None))
    second = ask(client, "slow")
    assert second.status_code == 409
    assert second.headers["Retry-After"] == "1"


def test_of_many_at_once_one_is_made(store: Database):
    won: list[Any] = []
    threads = [
        threading.Thread(target=lambda: won.append(answers.claim(store, "me", "race", "same"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(None) == 1
    assert {one.fingerprint for one in won if one} == {"same"}


def test_an_answer_nobody_read_is_kept_and_what_was_done_is_not_done_again(home: Any, client: FlaskClient):
    body = class_of(client, "unread")
    home.wsgi_app(sending(home, PLANS, "unread", body), lambda *_: None).close()
    again = ask(client, "unread", body, PLANS)
    assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
    assert again.json["title"] == "unread"
    assert titles(client).count("unread") == 1


@pytest.mark.parametrize("read", [0, 1])
def test_a_batch_that_breaks_while_it_is_sent_leaves_the_key_free(home: Any, client: FlaskClient, read: int):
    body = {"profiles": [{**PERSON, "id": f"P{n}"} for n in range(600)]}
    answered = home.wsgi_app(sending(home, BATCH, f"broken-{read}", body), lambda *_: None)
    for _, part in zip(range(read), answered, strict=False):
        assert part
    answered.close()
    again = ask(client, f"broken-{read}", body, BATCH)
    assert len(again.json["results"]) == 600
    assert REPLAYED not in again.headers
    assert REPLAYED in ask(client, f"broken-{read}", body, BATCH).headers


def test_a_connection_that_is_reset_before_the_answer_loses_only_the_answer(registry: Path, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/quebu.db"
    app: Flask = create_app({"REGISTRY": str(registry), "DATABASE_URL": url, "TESTING": True, "LOCAL": True})
    done, gone = threading.Event(), threading.Event()

    @app.after_request
    def waits(response: Response) -> Response:
        if response.status_code == 201 and not done.is_set():
            done.set()
            assert gone.wait(60)
        return response

    client = app.test_client()
    body = class_of(client, "reset")
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    content = app.json.dumps(body).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as caller:
        head = (
            f"POST {PLANS} HTTP/1.0\r\nHost: localhost\r\nIdempotency-Key: reset\r\nContent-Type: application/json\r\n"
        )
        caller.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        assert done.wait(60)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    gone.set()
    server.shutdown()  # After the request that is under way.
    thread.join()
    server.server_close()
    assert REPLAYED in ask(client, "reset", body, PLANS).headers
    assert titles(client) == ["reset"]


def test_after_its_time_an_answer_is_forgotten_with_everything_of_it(client: FlaskClient, store: Database):
    ask(client, "old")
    with store.writing() as connection:
        blob = connection.scalar(select(answer.c.blob).where(answer.c.key == "old"))
        connection.execute(update(answer).where(answer.c.key == "old").values(expires_at=now() - timedelta(seconds=1)))
    assert ask(client, "old", {**PERSON, "id": "P9"}).status_code == 200
    with store.writing() as connection:
        assert not connection.execute(select(piece.c.number).where(piece.c.blob == blob)).all()
        connection.execute(update(answer).values(expires_at=now() - timedelta(seconds=1)))
    assert answers.expire(store) >= 1
    with store.reading() as connection:
        assert not connection.execute(select(answer)).all()
        assert not [one for one in connection.scalars(select(piece.c.blob)) if one.startswith("answer:")]


def test_two_callers_do_not_meet_under_one_key(registry: Path, tmp_path: Path):
    app = create_app({"REGISTRY": str(registry), "DATABASE_URL": f"sqlite:///{tmp_path}/quebu.db", "TESTING": True})
    one, other = (
        {"Authorization": f"Bearer {keys.create(app.extensions['quebu.store'], By('test'), 'k', Role.READER, 1)}"}
        for _ in range(2)
    )
    client = app.test_client()
    assert ask(client, "same", **one).status_code == 200
    answered = ask(client, "same", {**PERSON, "id": "P2"}, **other)
    assert answered.json["id"] == "P2"
    assert REPLAYED not in answered.headers


def test_a_new_key_of_an_admin_is_kept_nowhere(registry: Path, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/quebu.db"
    app = create_app({"REGISTRY": str(registry), "DATABASE_URL": url, "TESTING": True, "LOCAL": True})
    made = ask(app.test_client(), "key", {"name": "hr", "role": "reader"}, "/api/v1/keys")
    assert made.status_code == 201
    with app.extensions["quebu.store"].reading() as connection:
        assert not connection.execute(select(answer)).all()


@pytest.mark.parametrize("key", ["", "a b", "键", "x" * 201])
def test_a_key_that_is_none_is_refused(client: FlaskClient, key: str):
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    refused = client.post(SINGLE, json=PERSON, headers=headers)
    assert refused.status_code == 400
    assert "UUID" in refused.json["detail"]
