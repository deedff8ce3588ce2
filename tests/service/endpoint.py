"""A real server on this machine stands for the endpoint: it computes vectors, or fails in every way a server can.

The vectors of :class:`Tiny` and of the server are the same; only their names differ, so that a matcher takes them
for two models.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.embeddings import PAUSE, EndpointEncoder

KEY = "sk-77310-secret"
SECRET = "见了记者就腿软 zhongliwan"


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


def another_model(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """As many values a vector as before, but by other weights."""
    rows(handler, directions(body["input"])[:, ::-1].tolist())


def fewer_values(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    rows(handler, directions(body["input"])[:, :5].tolist())


def status(code: int) -> Answer:
    return lambda handler, body: send(handler, json.dumps(body).encode(), code)


def silent(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.server.quiet.wait(20)  # type: ignore[attr-defined]


def rested(endpoint: EndpointEncoder) -> None:
    """Let the time pass for which it is left alone."""
    endpoint._rests_until -= PAUSE
