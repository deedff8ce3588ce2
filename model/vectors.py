"""Texts -> sentence vectors. Each distinct text is encoded once, by whichever encoder is given; what is computed is kept by content."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from model.errors import EncoderUnavailable

Known = Mapping[bytes, NDArray[np.float16]]

LONGEST = 200  # Characters of a text that are encoded: a title and the first sentences of a summary say what a course is about.
RECENT_BYTES = 32 * 2**20
BLOCK = 2**19  # Values of a table widened at once.
PROBE = "能力"  # A version keeps its vector: a name alone does not tell one model from another.
SAME = 0.99  # Cosine from which on two vectors of the probe are by one model; servers round each in their own way.

log = logging.getLogger(__name__)


class SentenceEncoder(Protocol):
    """Anything that gives texts of like meaning vectors in like direction. Two encoders of one name give equal vectors."""

    @property
    def name(self) -> str:
        """Which model this is; vectors of different names are never compared."""

    @property
    def ready(self) -> bool:
        """Whether it can run as far as is known without trying."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 a text; raises EncoderUnavailable."""


class Remembered:
    """Rows computed from texts and kept by content; the least recently used go first. Of a text only a digest is kept."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._start()

    def _start(self) -> None:
        self._rows: LRUCache[bytes, NDArray[Any]] = LRUCache(self.most_bytes, getsizeof=_size)
        self._lock = threading.Lock()

    def __getstate__(self) -> int:
        """What was asked of one process is nobody else's business: only the size is written."""
        return self.most_bytes

    def __setstate__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._start()

    def rows(self, texts: Sequence[str], compute: Callable[[list[str]], Iterable[NDArray[Any]]]) -> list[NDArray[Any]]:
        """The row of each text; ``compute`` is asked once for the distinct texts not seen lately."""
        keys = [digest(text) for text in texts]
        found: dict[bytes, NDArray[Any]] = {}
        with self._lock:
            for key in keys:
                if (row := self._rows.get(key)) is not None:
                    found[key] = row
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            computed = compute(list(missing.values()))
            found |= zip(missing, computed, strict=True)
            with self._lock:
                for key in missing:
                    if _size(found[key]) <= self.most_bytes:
                        self._rows[key] = found[key].copy()
        return [found[key] for key in keys]


class Vectors:
    """The vectors of one encoder. Course texts are learnt, and written with a version; gap texts are kept for a while in memory.

    Vectors are rounded to half precision, so that a text has the same vector whether it was computed now, read from a
    version, or encoded in other company.
    """

    def __init__(self, encoder: SentenceEncoder, shipped: Known | None = None) -> None:
        """``shipped``: vectors of texts that come with the product."""
        self.name = encoder.name
        self.encoder: SentenceEncoder | None = encoder
        self.known: dict[bytes, NDArray[np.float16]] = {}
        self._shipped: Known = shipped or {}
        self._recent = Remembered(RECENT_BYTES)
        self._probe: NDArray[np.float32] | None = None
        self._compared: SentenceEncoder | None = None  # The encoder that is known to be that of the probe.

    def __getstate__(self) -> dict[str, Any]:
        """A version holds neither the encoder, which is handed over when the version is loaded, nor what comes with the product. What is known is one
        array, which a process can map instead of reading."""
        known = tuple(self.known), np.array(list(self.known.values()), dtype=np.float16)
        return self.__dict__ | {"known": known, "encoder": None, "_shipped": {}, "_compared": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not isinstance(self.known, dict):  # Versions of before kept each vector by itself.
            keys, rows = self.known
            self.known = dict(zip(keys, np.asarray(rows), strict=True))

    @property
    def ready(self) -> bool:
        """Whether the encoder can run, and is the one these vectors are by, as far as is known."""
        return self.encoder is not None and self.encoder.ready

    def come_with(self, shipped: Known) -> None:
        """Hand over the vectors that come with the product; a version is stored without them."""
        self._shipped = shipped

    def go_on_from(self, other: Vectors) -> None:
        """Share what another version has lately asked the same encoder, so that one that takes over from it need not ask again."""
        if self.name != other.name or other._probe is None:
            return
        with suppress(EncoderUnavailable):
            # Asks for the probe, where that has not been done yet: a name does not tell one model from another.
            self._encoded([])
            probe = self._probe
            if probe is not None and probe.shape == other._probe.shape and probe @ other._probe >= SAME:
                self._recent = other._recent

    def learn(self, texts: Iterable[str]) -> None:
        """Encode what is not known yet, and keep it for good; raises EncoderUnavailable, also where all is known but by another model."""
        missing = sorted({text for text in texts if digest(text) not in self.known})
        self.known |= {digest(text): self._shipped[digest(text)] for text in missing if digest(text) in self._shipped}
        strangers = [text for text in missing if digest(text) not in self.known]
        self.known |= zip(map(digest, strangers), self._encoded(strangers), strict=True)

    def forget_all_but(self, texts: Iterable[str]) -> None:
        """Keep of what was learnt only the vectors of these texts."""
        wanted = {digest(text) for text in texts}
        self.known = {key: row for key, row in self.known.items() if key in wanted}

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, shape (texts, values)."""
        kept = {text: self.known.get(key, self._shipped.get(key)) for text in texts for key in (digest(text),)}
        strangers = [text for text, row in kept.items() if row is None]
        recent = dict(zip(strangers, self._recent.rows(strangers, self._encoded), strict=True))
        return np.array([recent.get(text, kept[text]) for text in texts], dtype=np.float32)

    def _encoded(self, texts: Sequence[str]) -> NDArray[np.float16]:
        encoder = self.encoder
        if encoder is None:
            raise EncoderUnavailable(self.name)
        compared = self._compared is encoder
        told = [text[:LONGEST] for text in texts] if compared else [PROBE, *(text[:LONGEST] for text in texts)]
        if not told:
            return np.zeros((0, 0), dtype=np.float16)
        try:
            encoded = encoder.encode(told)
        except EncoderUnavailable:
            self._compared = None  # Nobody knows who comes back.
            raise
        if self._probe is None:
            self._probe = encoded[0].copy()
        if encoded.shape[1:] != self._probe.shape or not (compared or encoded[0] @ self._probe >= SAME):
            self.encoder = None  # Until the version is loaded anew.
            log.warning("%s is another model than at training and is not used; train again", self.name)
            raise EncoderUnavailable(self.name)
        self._compared = encoder
        return (encoded if compared else encoded[1:]).astype(np.float16)


def product(rows: NDArray[np.floating], table: NDArray[np.floating]) -> NDArray[np.float32]:
    """``rows @ table``, summed in double precision and then rounded. In single precision the last digits of a row depend on how many rows are multiplied at
    once and where among them it stands, so that a text's answer would depend on its company."""
    exact, step = rows.astype(np.float64), max(1, BLOCK // table.shape[0])
    blocks = [exact @ table[:, at : at + step].astype(np.float64) for at in range(0, table.shape[1], step)]
    return np.concatenate(blocks, axis=1).astype(np.float32)


def _size(row: NDArray[Any]) -> int:
    return row.nbytes or 64  # Of an empty row its key and its place are left.


def digest(text: str) -> bytes:
    """What stands for a text where the text itself shall not be kept."""
    return hashlib.blake2b(text.encode("utf-8", errors="surrogatepass"), digest_size=16).digest()
