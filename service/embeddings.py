"""Sentence vectors from an OpenAI-compatible embeddings endpoint, for an intranet that hosts a larger model than the bundled one.

Gap texts are sent to that endpoint, and nothing else of a person. When it fails, the matcher goes on with the bundled encoder; the endpoint is
left alone for a while, so that a roster does not wait for one time-out after another.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from model.encoder import bundled_encoder
from model.errors import EncoderUnavailable, InputError
from model.vectors import PROBE, SentenceEncoder

PAUSE = 30.0  # Seconds the endpoint is left alone after it failed.
BATCH = 64  # Texts a request.
LARGEST = 64 * 2**20  # Bytes of an answer; a batch of vectors of 4,096 values takes some 6 MB.

FAULTS = (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

log = logging.getLogger(__name__)


class _Refused(HTTPException):
    """Answered with another status than 200. A redirect counts as such: it would take the key and the texts to a host nobody named."""


class EndpointEncoder:
    """``POST {url}/embeddings`` with ``{"model", "input": [...]}``, answered by ``{"data": [{"index", "embedding"}]}``."""

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 10.0) -> None:
        """``timeout`` in seconds for a request; ``key`` is sent as a bearer token."""
        scheme, self._host, self._port, path = _place(url)
        if not model:
            raise InputError("设置了 QUEBU_EMBEDDINGS_URL，还需用 QUEBU_EMBEDDINGS_MODEL 写明模型名称。")
        self.name = f"endpoint/{model}"
        self._connection = HTTPSConnection if scheme == "https" else HTTPConnection
        self._path, self._model, self._key, self._timeout = f"{path.rstrip('/')}/embeddings", model, key, timeout
        self._rests_until = 0.0

    @property
    def ready(self) -> bool:
        """False for a while after a failure."""
        return time.monotonic() >= self._rests_until

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 a text; raises EncoderUnavailable where the endpoint does not answer, or not what was asked."""
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        if not self.ready:
            raise EncoderUnavailable("嵌入服务刚才没有应答，稍后再试。")
        try:
            parts = [self._ask(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
            vectors = np.concatenate(parts)
        except FAULTS as error:
            self._rests_until = time.monotonic() + PAUSE
            # Only the kind of the fault: an endpoint may repeat what it was sent.
            reason = str(error) if isinstance(error, _Refused) else type(error).__name__
            log.warning("embeddings endpoint failed (%s); left alone for %.0f s", reason, PAUSE)
            raise EncoderUnavailable(f"嵌入服务没有正常应答（{reason}）。") from error
        return vectors

    def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # JSON knows no lone surrogates, and some servers refuse an empty text.
        told = [text.encode("utf-8", "replace").decode() or " " for text in texts]
        data = json.loads(self._post(json.dumps({"model": self._model, "input": told}).encode()))["data"]
        by_index = {row["index"]: row["embedding"] for row in data}
        vectors = np.array([by_index[place] for place in range(len(texts))], dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if vectors.ndim != 2 or not np.isfinite(vectors).all() or not (lengths > 0).all():
            raise ValueError("no vectors")
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _post(self, body: bytes) -> bytes:
        """Send and read. A socket's time-out is for each wait, so a clock cuts the connection to a server that drips."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        until = time.monotonic() + self._timeout
        with closing(self._connection(self._host, self._port, timeout=self._timeout)) as connection:
            connection.connect()
            clock = threading.Timer(until - time.monotonic(), _cut, [connection.sock])
            clock.daemon = True
            clock.start()
            try:
                connection.request("POST", self._path, body, headers)
                with connection.getresponse() as answer:
                    if answer.status != 200:
                        raise _Refused(f"HTTP {answer.status}")
                    content = answer.read(LARGEST + 1)
            finally:
                clock.cancel()
                if time.monotonic() >= until:
                    raise TimeoutError  # Whatever else a cut connection looks like.
        if len(content) > LARGEST:
            raise ValueError("too large")
        return content


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _place(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path of a URL; InputError where it is none that can be asked."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and re.fullmatch("[!-~]+", url):
            return parts.scheme, parts.hostname, parts.port, parts.path
    except ValueError:  # Brackets or a port that are none.
        pass
    raise InputError("QUEBU_EMBEDDINGS_URL 应是以 http:// 或 https:// 开头的网址，如 http://10.0.0.8:8080/v1。")


def encoders(settings: Mapping[str, Any]) -> list[SentenceEncoder] | None:
    """The encoders of the settings, the best first; None where nothing but the bundled one is wanted."""
    if not settings["EMBEDDINGS_URL"]:
        return None
    endpoint = EndpointEncoder(
        settings["EMBEDDINGS_URL"],
        settings["EMBEDDINGS_MODEL"],
        settings["EMBEDDINGS_KEY"],
        settings["EMBEDDINGS_TIMEOUT"],
    )
    bundled = bundled_encoder()
    return [endpoint, bundled] if bundled else [endpoint]


def usable(wanted: Sequence[SentenceEncoder]) -> list[SentenceEncoder]:
    """Those that answer now: a training asks for thousands of vectors, so it asks for one first."""
    able = []
    for encoder in wanted:
        with suppress(EncoderUnavailable):
            encoder.encode([PROBE])
            able.append(encoder)
    return able
