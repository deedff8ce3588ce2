"""The endpoint itself: what it is sent, what is made of its answers, and how it is left alone when it fails."""

from __future__ import annotations

import gc
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from endpoint import KEY, SECRET, Answer, Handler, Server, Tiny, directions, rested, rows, send, silent, status, vectors

from model.encoder import bundled_encoder
from model.errors import EncoderUnavailable, InputError
from service import create_app
from service.cli import main
from service.embeddings import BATCH, LARGEST, PAUSE, EndpointEncoder, encoders, usable
from service.settings import load_settings

TEXTS = ["写材料没有观点", "突发事件现场乱成一团", "纪律红线说不清"]


def content(written: bytes) -> Answer:
    return lambda handler, body: send(handler, written)


def every(row: object) -> Answer:
    """This row for every text."""
    return lambda handler, body: rows(handler, [row for _ in body["input"]])


def hanging_up(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.close_connection = True


def breaking_off(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')


def shuffled(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    data = [{"index": place, "embedding": row.tolist()} for place, row in enumerate(directions(body["input"]))]
    send(handler, json.dumps({"data": data[::-1]}).encode())


def one_too_few(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    rows(handler, directions(body["input"]).tolist()[:-1])


def all_in_one_place(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    data = [{"index": 0, "embedding": row.tolist()} for row in directions(body["input"])]
    send(handler, json.dumps({"data": data}).encode())


def ragged(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    rows(handler, [[1.0] * (3 + place) for place, _ in enumerate(body["input"])])


def failing_later(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """The first batch is answered, no other."""
    (vectors if len(handler.server.asked) == 1 else status(500))(handler, body)  # type: ignore[attr-defined]


def test_a_request_names_model_and_texts_and_carries_the_key(server: Server, endpoint: EndpointEncoder):
    endpoint.encode(TEXTS)
    (asked,) = server.asked
    assert (asked.path, asked.body) == ("/v1/embeddings", {"model": "tiny", "input": TEXTS})
    assert (asked.headers["Authorization"], asked.headers["Content-Type"]) == (f"Bearer {KEY}", "application/json")


def test_without_a_key_none_is_sent_and_a_slash_at_the_end_of_the_url_means_nothing(server: Server):
    EndpointEncoder(server.url + "/", "tiny").encode(TEXTS)
    assert server.asked[0].path == "/v1/embeddings"
    assert "Authorization" not in server.asked[0].headers


def test_vectors_are_those_of_the_texts_in_their_order_and_of_length_1(server: Server, endpoint: EndpointEncoder):
    found = endpoint.encode(TEXTS)
    assert (found.dtype, found.shape) == (np.float32, (3, 32))
    np.testing.assert_allclose(found, Tiny().encode(TEXTS), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(directions(TEXTS), axis=1).min() > 100, "the server's own are not"


def test_the_order_in_which_the_server_answers_means_nothing(server: Server, endpoint: EndpointEncoder):
    server.answer = shuffled
    np.testing.assert_allclose(endpoint.encode(TEXTS), Tiny().encode(TEXTS), atol=1e-6)


@pytest.mark.parametrize(("texts", "batches"), [(1, [1]), (BATCH, [BATCH]), (2 * BATCH + 3, [BATCH, BATCH, 3])])
def test_many_texts_are_asked_for_in_batches(server: Server, endpoint: EndpointEncoder, texts: int, batches: list[int]):
    wanted = [f"短板{number}" for number in range(texts)]
    np.testing.assert_allclose(endpoint.encode(wanted), Tiny().encode(wanted), atol=1e-6)
    assert [len(asked.body["input"]) for asked in server.asked] == batches
    assert [text for asked in server.asked for text in asked.body["input"]] == wanted


def test_odd_texts_are_sent_as_something_any_server_can_read(server: Server, endpoint: EndpointEncoder):
    odd = ["", "\ud800", "写\udfff作", "\x00", '"\\', "😀", "长" * 3000]
    found = endpoint.encode(odd)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert server.asked[0].body["input"] == [" ", "?", "写?作", *odd[3:]]


FAILURES = {
    "error 500": status(500),
    "error 401": status(401),
    "error 404": status(404),
    "hanging up": hanging_up,
    "breaking off": breaking_off,
    "nothing": content(b""),
    "no JSON": content("<html>维护中</html>".encode()),
    "no text": content(b"\xff\xfe\x1f\x8b"),
    "no object": content(b"[1, 2]"),
    "null": content(b"null"),
    "no data": content(b'{"error": "model not found"}'),
    "data null": content(b'{"data": null}'),
    "no index": content(b'{"data": [{"embedding": [1, 2]}]}'),
    "index of no use": content(b'{"data": [{"index": [], "embedding": [1, 2]}]}'),
    "data empty": content(b'{"data": []}'),
    "one too few": one_too_few,
    "all in one place": all_in_one_place,
    "ragged": ragged,
    "NaN": every([1.0, float("nan")]),
    "infinite": every([1.0, float("inf")]),
    "zero": every([0.0, 0.0]),
    "no values": every([]),
    "one number": every(1.0),
    "no number": every(None),
    "nested": every([[1.0, 2.0]]),
    "base64": every("AACAPwAAAEA="),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_answer_that_is_none_is_told_as_such_and_the_endpoint_left_alone(
    server: Server, endpoint: EndpointEncoder, failure: str
):
    server.answer = FAILURES[failure]
    with pytest.raises(EncoderUnavailable, match="没有正常应答"):
        endpoint.encode(TEXTS)
    assert not endpoint.ready
    assert endpoint._rests_until - time.monotonic() == pytest.approx(PAUSE, abs=5)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(content(b"[" * 100_000), id="nested too deep"),
        pytest.param(every([10**400, 1]), id="number too long"),
    ],
)
def test_an_absurd_answer_is_told_as_such_and_the_endpoint_left_alone(
    server: Server, endpoint: EndpointEncoder, failure: Answer
):
    server.answer = failure
    with pytest.raises(EncoderUnavailable, match="没有正常应答"):
        endpoint.encode(TEXTS)
    assert not endpoint.ready


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_values_of_any_size_give_vectors_of_length_1_or_count_as_a_failure(
    server: Server, endpoint: EndpointEncoder, size: float
):
    server.answer = every([size, size])
    with suppress(EncoderUnavailable):
        np.testing.assert_allclose(endpoint.encode(TEXTS), np.full((3, 2), 0.5**0.5), atol=1e-6)


def test_a_server_that_does_not_exist_is_told_as_such(server: Server):
    endpoint = EndpointEncoder(server.url, "tiny", KEY, 5.0)
    server.shutdown()
    server.server_close()
    with pytest.raises(EncoderUnavailable):
        endpoint.encode(TEXTS)
    assert not endpoint.ready


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_timeout(server: Server):
    endpoint = EndpointEncoder(server.url, "tiny", timeout=0.3)
    server.answer = silent
    start = time.monotonic()
    with pytest.raises(EncoderUnavailable):
        endpoint.encode(TEXTS)
    assert 0.2 < time.monotonic() - start < 5
    assert not endpoint.ready


def dripping(*, head: bytes) -> Answer:
    """An answer without end, a byte at a time, after this beginning."""

    def drip(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        handler.wfile.write(head)
        while not handler.server.quiet.wait(0.1):  # type: ignore[attr-defined]
            handler.wfile.write(b" ")

    return drip


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="no status"),
        pytest.param(b"HTTP/1.0 200 OK\r\nX-Long: ", id="a header"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", id="a body without length"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n", id="a body"),
    ],
)
def test_a_server_that_drips_is_waited_for_no_longer_than_the_timeout(server: Server, head: bytes):
    endpoint = EndpointEncoder(server.url, "tiny", timeout=0.5)
    server.answer = dripping(head=head)
    start = time.monotonic()
    with pytest.raises(EncoderUnavailable, match="TimeoutError"):
        endpoint.encode(TEXTS)
    assert 0.4 < time.monotonic() - start < 5
    assert not endpoint.ready


def test_of_an_answer_without_end_no_more_is_read_than_any_vectors_take(server: Server):
    sent = []

    def pour(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.quiet.is_set():  # type: ignore[attr-defined]
            sent.append(handler.wfile.write(b" " * 2**20))

    server.answer = pour
    with pytest.raises(EncoderUnavailable, match="ValueError"):
        EndpointEncoder(server.url, "tiny", timeout=60).encode(TEXTS)
    assert LARGEST <= sum(sent) < 2 * LARGEST


def test_after_a_failure_it_is_left_alone_and_asked_again_afterwards(server: Server, endpoint: EndpointEncoder):
    assert endpoint.ready
    server.answer = status(500)
    for _ in range(3):
        with pytest.raises(EncoderUnavailable):
            endpoint.encode(TEXTS)
    assert len(server.asked) == 1
    rested(endpoint)
    assert endpoint.ready
    server.answer = vectors
    np.testing.assert_allclose(endpoint.encode(TEXTS), Tiny().encode(TEXTS), atol=1e-6)
    assert len(server.asked) == 2
    assert endpoint.ready


def test_the_connection_of_a_refused_request_is_closed_at_once(server: Server, endpoint: EndpointEncoder):
    """Else it stays open until the garbage is collected, and says so with a ResourceWarning, which fails the test."""
    server.answer = status(500)
    with pytest.raises(EncoderUnavailable, match="HTTP 500"):
        endpoint.encode(TEXTS)
    gc.collect()


def test_one_batch_that_fails_fails_the_whole_and_the_rest_is_not_asked_for(server: Server, endpoint: EndpointEncoder):
    server.answer = failing_later
    with pytest.raises(EncoderUnavailable):
        endpoint.encode([f"短板{number}" for number in range(4 * BATCH)])
    assert len(server.asked) == 2


def test_no_texts_need_no_request_and_are_no_failure(server: Server, endpoint: EndpointEncoder):
    assert len(endpoint.encode([])) == 0
    assert endpoint.ready
    assert server.asked == []


@pytest.mark.parametrize("key", ["密钥", "two\nlines"])
def test_a_key_that_cannot_be_sent_is_a_failure_like_any_other_and_is_not_told(
    server: Server, caplog: pytest.LogCaptureFixture, key: str
):
    with pytest.raises(EncoderUnavailable) as failed:
        EndpointEncoder(server.url, "tiny", key).encode(TEXTS)
    assert server.asked == []
    assert key not in caplog.text + str(failed.value)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_the_key_is_not_carried_on_to_another_server(server: Server, endpoint: EndpointEncoder, code: int):
    other = Server()
    carried: list[str | None] = []

    class Elsewhere(Handler):
        def do_GET(self) -> None:  # noqa: N802 (the name the server calls)
            carried.append(self.headers["Authorization"])
            send(self, b"{}")

    other.RequestHandlerClass = Elsewhere
    thread = threading.Thread(target=lambda: other.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()

    def redirect(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        handler.send_response(code)
        handler.send_header("Location", other.url.replace("127.0.0.1", "localhost"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = redirect
    try:
        with pytest.raises(EncoderUnavailable):
            endpoint.encode(TEXTS)
    finally:
        other.shutdown()
        other.server_close()
        thread.join()
    assert ([key for key in carried if key], other.asked) == ([], [])


@pytest.mark.parametrize("failure", ["error 500", "no JSON", "one too few", "echo"])
def test_a_failure_is_one_line_in_the_log_without_texts_and_without_the_key(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture, failure: str
):
    def echo(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """A server that repeats what it was sent, in the line of the status too."""
        send(handler, f"{body} {handler.headers['Authorization']}".encode(), 500, f"zhongliwan {KEY}")

    server.answer = echo if failure == "echo" else FAILURES[failure]
    with pytest.raises(EncoderUnavailable) as failed:
        endpoint.encode([SECRET])
    with pytest.raises(EncoderUnavailable):
        endpoint.encode([SECRET])
    (line,) = [record for record in caplog.records if record.name == "service.embeddings"]
    assert line.levelname == "WARNING"
    assert "left alone for 30 s" in line.getMessage()
    for secret in (SECRET, "记者", "zhongliwan", KEY):
        assert secret not in caplog.text + str(failed.value)


def settings(**given: str) -> dict[str, Any]:
    return load_settings({f"QUEBU_EMBEDDINGS_{name}": value for name, value in given.items()})


def test_unless_an_endpoint_is_set_nothing_but_the_bundled_encoder_is_wanted():
    assert encoders(settings()) is None
    assert encoders(settings(MODEL="bge-m3", KEY=KEY, URL="  ")) is None


def test_a_set_endpoint_comes_first_and_the_bundled_encoder_stands_in(server: Server):
    found = encoders(settings(URL=server.url, MODEL="bge-m3", KEY=KEY, TIMEOUT="3"))
    assert found is not None
    endpoint, *spare = found
    assert endpoint.name == "endpoint/bge-m3"
    assert spare == [encoder for encoder in [bundled_encoder()] if encoder]
    assert endpoint.encode(TEXTS).shape == (3, 32)
    assert server.asked[0].body["model"] == "bge-m3"
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert isinstance(endpoint, EndpointEncoder)
    assert endpoint._timeout == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"URL": "10.0.0.8:8080/v1", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "ftp://10.0.0.8/v1", "MODEL": "bge-m3"}, "http://"),
        ({"URL": "file:///etc/passwd", "MODEL": "bge-m3"}, "http://"),
        ({"URL": "http://", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http:///v1", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://a b/v1", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://a\nb/v1", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://[bad", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://10.0.0.8:port/v1", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://10.0.0.8：8080/v1", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://10.0.0.8:8080/模型", "MODEL": "bge-m3"}, "QUEBU_EMBEDDINGS_URL"),
        ({"URL": "http://10.0.0.8:8080/v1"}, "QUEBU_EMBEDDINGS_MODEL"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_the_variable_to_change(given: dict[str, str], told: str):
    with pytest.raises(InputError, match=told):
        encoders(settings(**given))
    with pytest.raises(InputError, match=told):
        create_app({f"EMBEDDINGS_{name}": value for name, value in given.items()})
    command = CliRunner().invoke(
        main, ["match", "写材料"], env={f"QUEBU_EMBEDDINGS_{name}": value for name, value in given.items()}
    )
    assert (command.exit_code, command.stdout) == (1, "")
    assert told in command.stderr


def test_the_scheme_may_be_in_capitals(server: Server):
    EndpointEncoder(server.url.replace("http", "HTTP"), "tiny").encode(TEXTS)
    assert server.asked[0].path == "/v1/embeddings"


@pytest.mark.parametrize("timeout", ["0", "301", "fast"])
def test_a_timeout_out_of_range_is_refused(timeout: str):
    with pytest.raises(InputError, match="QUEBU_EMBEDDINGS_TIMEOUT"):
        settings(TIMEOUT=timeout)


def test_for_a_training_only_those_encoders_are_taken_that_answer_now(server: Server, endpoint: EndpointEncoder):
    tiny = Tiny()
    assert usable([endpoint, tiny]) == [endpoint, tiny]
    server.answer = status(500)
    assert usable([endpoint, tiny]) == [tiny]
    assert usable([endpoint]) == []
