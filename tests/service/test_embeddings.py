"""A real server on this machine stands for the endpoint: it computes vectors from texts, or fails in every way a server can.

The vectors of :class:`Tiny` and of the server are the same; only their names differ, so that a matcher takes them for two models.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from world import CATALOG, LEXICON, NAMES, PHRASES

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.encoder import bundled_encoder
from model.errors import EncoderUnavailable, InputError
from model.judgements import Judgements
from model.matcher import Matcher
from model.recommender import Recommender
from model.registry import Registry
from model.vectors import SentenceEncoder, Vectors
from service import create_app
from service.cli import main
from service.embeddings import BATCH, PAUSE, EndpointEncoder, encoders, usable
from service.settings import load_settings

KEY = "sk-77310-secret"
SECRET = "见了记者就腿软 zhongliwan"
TEXTS = ["写材料没有观点", "突发事件现场乱成一团", "纪律红线说不清"]


def directions(texts: Sequence[str]) -> NDArray[np.float64]:
    """Each character has a direction drawn from its hash; a text points where its characters point together."""
    drawn = [[hashlib.sha256(letter.encode("utf-8", "replace")).digest() for letter in text or " "] for text in texts]
    return np.array([np.sum([list(letter) for letter in letters], axis=0) - 127.5 * len(letters) for letters in drawn])


def unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class Tiny:
    """The encoder at hand when the endpoint is not."""

    name = "local/1"
    ready = True

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return unit(directions(texts))


@dataclass(frozen=True)
class Asked:
    """What the server was sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class Server(ThreadingHTTPServer):
    """``answer`` is how it behaves now; ``asked`` is what it was sent; ``quiet`` ends every silence."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Asked] = []
        self.answer: Answer = vectors
        self.quiet = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that did not wait is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(Asked(self.path, dict(self.headers), body))
        self.server.answer(self, body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def send(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, reason: str | None = None) -> None:
    handler.send_response(status, reason)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def rows(handler: BaseHTTPRequestHandler, embeddings: Sequence[object]) -> None:
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(embeddings)]
    send(handler, json.dumps({"object": "list", "data": data}).encode())


def vectors(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    rows(handler, directions(body["input"]).tolist())


def status(code: int) -> Answer:
    return lambda handler, body: send(handler, json.dumps(body).encode(), code)


def content(written: bytes) -> Answer:
    return lambda handler, body: send(handler, written)


def every(row: object) -> Answer:
    """This row for every text."""
    return lambda handler, body: rows(handler, [row for _ in body["input"]])


def silent(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.server.quiet.wait(20)  # type: ignore[attr-defined]


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


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[Server]:
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


def rested(endpoint: EndpointEncoder) -> None:
    """Let the time pass for which it is left alone."""
    endpoint._rests_until -= PAUSE


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
    """Else it stays open until the garbage is collected, and says so with a ResourceWarning in the middle of something else."""
    server.answer = status(500)
    with pytest.raises(EncoderUnavailable) as failed:
        endpoint.encode(TEXTS)
    refusal = failed.value.__cause__
    assert not isinstance(refusal, HTTPError) or refusal.closed


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
        def do_GET(self) -> None:
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


CALIBRATION = {
    "请示报告分不清": "公文写作",
    "现场指挥没有底": "应急处突",
    "不知道红线在哪": "党纪学习教育",
    "没什么要补": UNANSWERABLE,
    "材料一大堆": UNANSWERABLE,
}
JUDGEMENTS = Judgements(
    CATALOG,
    {
        "q1": "写材料没有观点", "q2": "突发事件现场乱成一团", "q3": "纪律红线说不清", "q4": "请示报告写得像流水账",
        "q5": "不会现场指挥处置", "q6": "条例只听过名字", "q7": "一切都好",
    },
    {},
    {("q1", "c1"): 3, ("q2", "c2"): 3, ("q3", "c3"): 3, ("q4", "c1"): 2, ("q5", "c2"): 3, ("q6", "c3"): 2},
)  # fmt: skip
UNSEEN = {"公文写作能力不足": "c1", "不会处置突发事件": "c2", "纪律处分条例没学透": "c3", "请示报告不会写": "c1"}


def matcher_by(*wanted: SentenceEncoder) -> Matcher:
    """A matcher with a classifier for each encoder, the best first, and one by spelling alone."""
    phrases = [Phrase(text, (name,), "paraphrase", "a") for text, name in PHRASES.items()]
    calibration = [Phrase(text, (name,), "paraphrase", "b") for text, name in CALIBRATION.items()]
    classifiers = [
        CompetencyClassifier(known).fit([*phrases, *definitions(LEXICON)], calibration, NAMES)
        for known in (*(Vectors(encoder) for encoder in wanted), None)
    ]
    return Matcher(tuple(classifiers), LEXICON).fit(CATALOG, JUDGEMENTS)


def best(matcher: Matcher, text: str) -> str:
    (row,) = matcher.relevance([text])
    assert np.isfinite(row).all()
    return CATALOG.courses[int(row.argmax())].id


def changes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "model.matcher"]


def test_while_the_endpoint_answers_the_matcher_reads_by_it(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder == "endpoint/tiny"
    assert [text for asked in server.asked for text in asked.body["input"]][-len(UNSEEN) :] == list(UNSEEN)
    assert caplog.records == []


def test_when_the_endpoint_fails_the_encoder_at_hand_answers_and_the_log_says_so_once(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    learnt = len(server.asked)
    server.answer = status(500)
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder == "local/1"
    assert len(server.asked) == learnt + 1, "one failure, then it is left alone"
    assert changes(caplog) == ["sentence vectors now by local/1"]
    assert [record.name for record in caplog.records] == ["service.embeddings", "model.matcher"]
    assert not any(text in caplog.text for text in UNSEEN)


def test_answers_in_its_place_are_those_of_a_matcher_that_never_had_the_endpoint(
    server: Server, endpoint: EndpointEncoder
):
    matcher = matcher_by(endpoint, Tiny())
    server.answer = status(500)
    expected = matcher_by(Tiny())
    np.testing.assert_allclose(matcher.relevance(list(UNSEEN)), expected.relevance(list(UNSEEN)), atol=1e-6)
    np.testing.assert_allclose(matcher.predict_proba(list(UNSEEN)), expected.predict_proba(list(UNSEEN)), atol=1e-6)


def test_without_any_encoder_spelling_answers_and_the_log_calls_it_degraded(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    matcher.take([endpoint])
    server.answer = status(500)
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder is None
    assert changes(caplog) == ["sentence vectors now by none: matching without an encoder (degraded)"]
    expected = matcher_by()
    np.testing.assert_allclose(matcher.relevance(list(UNSEEN)), expected.relevance(list(UNSEEN)), atol=1e-6)


def test_when_the_endpoint_is_well_again_it_answers_again(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    first, second, third, fourth = UNSEEN
    server.answer = status(500)
    assert best(matcher, first) == UNSEEN[first]
    rested(endpoint)
    assert best(matcher, second) == UNSEEN[second], "tried again, and failed again"
    assert matcher.encoder == "local/1"
    server.answer = vectors
    rested(endpoint)
    assert matcher.encoder == "endpoint/tiny"
    assert [best(matcher, text) for text in (third, fourth, first)] == [UNSEEN[third], UNSEEN[fourth], UNSEEN[first]]
    assert matcher.encoder == "endpoint/tiny"
    assert changes(caplog) == ["sentence vectors now by local/1", "sentence vectors now by endpoint/tiny"]


def test_a_text_asked_before_the_failure_does_not_make_the_log_waver(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    """While the endpoint is left alone, texts it answered lately and new ones come by turns."""
    matcher = matcher_by(endpoint, Tiny())
    before, *new = UNSEEN
    best(matcher, before)
    server.answer = status(500)
    for text in new:
        best(matcher, text)
        best(matcher, before)
    assert matcher.encoder == "local/1"
    assert changes(caplog) == ["sentence vectors now by local/1"]


def test_an_endpoint_whose_model_was_exchanged_beneath_its_name_is_no_reason_not_to_answer(
    server: Server, endpoint: EndpointEncoder
):
    """Another number of values a vector: nothing of it can be compared with what was learnt."""
    matcher = matcher_by(endpoint, Tiny())
    server.answer = lambda handler, body: rows(handler, directions(body["input"])[:, :5].tolist())
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN


def test_many_requests_during_an_outage_are_all_answered_and_wait_for_one_timeout_at_most(server: Server):
    endpoint = EndpointEncoder(server.url, "tiny", timeout=5.0)
    matcher = matcher_by(endpoint, Tiny())
    endpoint._timeout = 0.4
    server.answer = silent
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: best(matcher, text), [*UNSEEN] * 4))
    assert found == [*UNSEEN.values()] * 4
    assert time.monotonic() - start < 5
    assert matcher.encoder == "local/1"


def test_a_matcher_asked_for_nothing_answers_nothing(endpoint: EndpointEncoder):
    assert matcher_by(endpoint).relevance([]).shape == (0, len(CATALOG))


def test_the_service_says_by_which_encoder_it_answers_and_when_by_none(server: Server, tmp_path: Path):
    """Trained with the endpoint, written, read by the application, which hands the endpoint over."""
    given = {"EMBEDDINGS_URL": server.url, "EMBEDDINGS_MODEL": "tiny", "EMBEDDINGS_KEY": KEY, "REGISTRY": str(tmp_path)}
    matcher = matcher_by(EndpointEncoder(server.url, "tiny", KEY))
    matcher.relevance([SECRET])
    store = Registry(tmp_path)
    card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": 4, "metrics": {}}
    store.activate(store.save(lambda version: Recommender(version, LEXICON, matcher, CATALOG, 0.5), card))
    assert (store.card("v0001")["encoder"], store.card("v0001")["degraded"]) == ("endpoint/tiny", False)
    written = (tmp_path / "v0001" / "model.joblib").read_bytes()
    assert not any(secret.encode() in written for secret in (KEY, SECRET, server.url))

    client = create_app({**given, "TESTING": True}).test_client()
    server.asked.clear()

    def health() -> dict[str, Any]:
        return client.get("/api/v1/health/ready").get_json()  # type: ignore[no-any-return]

    def recommend(text: str) -> list[str]:
        body = {"id": "P1", "weaknesses": [{"text": text}]}
        return [
            one["course_id"] for one in client.post("/api/v1/recommendations", json=body).get_json()["recommendations"]
        ]

    assert health() == {
        "status": "ready", "model_version": "v0001", "courses": 4, "encoder": "endpoint/tiny", "degraded": False,
    }  # fmt: skip
    assert recommend("公文写作能力不足")[0] == "c1"
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    server.answer = status(500)
    assert recommend("不会处置突发事件")[0] == "c2"
    assert (health()["encoder"], health()["degraded"]) == (None, True)


def answer_in_a_fork() -> None:
    """For a process of its own: use a matcher with the bundled encoder, fork, and tell whether the child answers like its parent."""
    encoder = bundled_encoder()
    assert encoder is not None
    with threadpool_limits(1):  # Fast on a busy machine; from here on as many threads as there are.
        matcher = matcher_by(encoder)
    seen, unseen = "一上台讲话就冒汗", "请示报告不会写"
    matcher.relevance([seen])
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # It ends a child that hangs, whatever it hangs in.
        told = 1
        try:
            os.write(writing, matcher.relevance([seen, unseen]).tobytes())
            told = int(matcher.encoder != encoder.name)
        finally:
            os._exit(told)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = np.frombuffer(pipe.read(), dtype=np.float32)
    _, end = os.waitpid(child, 0)
    own = matcher.relevance([seen, unseen]).ravel()
    print(json.dumps([end, found.size == own.size and bool(np.allclose(found, own, atol=1e-6))]))  # noqa: T201


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no os.fork here")
@pytest.mark.skipif(bundled_encoder() is None, reason="the bundled encoder is not here")
def test_a_matcher_used_before_a_fork_answers_the_same_in_the_child():
    """As in a server that loads before it forks its workers; with several threads of linear algebra, which do not survive a fork."""
    here = Path(__file__).parent
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]; from test_embeddings import answer_in_a_fork; answer_in_a_fork()"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(here), str(here.parents[1]), str(here.parent)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2"}, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert json.loads(answer.stdout) == [0, True]
