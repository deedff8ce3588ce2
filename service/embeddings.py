"""Sentence vectors from an OpenAI-compatible embeddings endpoint, for an intranet that hosts a larger model than the bundled one.

Gap texts are sent to that endpoint, and nothing else of a person. When it fails, the matcher goes on with the bundled encoder; the endpoint is
left alone for a while, so that a roster does not wait for one time-out after another.
"""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.encoder import bundled_encoder
from model.errors import EncoderUnavailable, InputError
from model.vectors import SentenceEncoder

BATCH = 64  # Texts a request.
PAUSE = 30.0  # Seconds the endpoint is left alone after a failure.

FAULTS = (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

log = logging.getLogger(__name__)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected request would take the key and the texts to a host nobody named."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing; the answer then counts as an error."""
        return


# Neither through redirects nor through a proxy of the environment: what is sent goes to the host that was named.
DIRECT = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


class EndpointEncoder:
    """``POST {url}/embeddings`` with ``{"model", "input": [...]}``, answered by ``{"data": [{"index", "embedding"}]}``."""

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 10.0) -> None:
        """``timeout`` in seconds for each wait; ``key`` is sent as a bearer token."""
        if not url.startswith(("http://", "https://")):
            raise InputError("QUEBU_EMBEDDINGS_URL 应以 http:// 或 https:// 开头，如 http://10.0.0.8:8080/v1。")
        if not model:
            raise InputError("设置了 QUEBU_EMBEDDINGS_URL，还需用 QUEBU_EMBEDDINGS_MODEL 写明模型名称。")
        self.name = f"endpoint/{model}"
        self._url, self._model, self._key, self._timeout = f"{url.rstrip('/')}/embeddings", model, key, timeout
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
            reason = type(error).__name__
            if isinstance(error, urllib.error.HTTPError):
                reason = f"HTTP {error.code}"
                error.close()
            log.warning("embeddings endpoint failed (%s); left alone for %.0f s", reason, PAUSE)
            raise EncoderUnavailable(f"嵌入服务没有正常应答（{reason}）。") from error
        return vectors

    def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # JSON knows no lone surrogates, and some servers refuse an empty text.
        told = [text.encode("utf-8", "replace").decode() or " " for text in texts]
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        body = json.dumps({"model": self._model, "input": told}).encode()
        request = urllib.request.Request(self._url, data=body, headers=headers)
        with DIRECT.open(request, timeout=self._timeout) as answer:
            data = json.load(answer)["data"]
        by_index = {row["index"]: row["embedding"] for row in data}
        vectors = np.array([by_index[place] for place in range(len(texts))], dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if vectors.ndim != 2 or not np.isfinite(vectors).all() or not (lengths > 0).all():
            raise ValueError("no vectors")
        return np.asarray(vectors / lengths, dtype=np.float32)


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
            encoder.encode(["能力"])
            able.append(encoder)
    return able
