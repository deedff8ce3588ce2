"""The network of ``model.encoder`` in torch, for training: loads the ``.npz`` and writes it back.

    model = E5.load("base.npz")
    vectors = model.encode(["党建工作方法"])                     # no gradient; or model(ids, lengths)
    model.save("tuned.npz", "int8")                            # or "float16", "float32"

Keys of ``state_dict()`` are the array names of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model.encoder import Tokenizer


class Attention(nn.Module):
    """Self-attention with its residual and norm."""

    def __init__(self, hidden: int, heads: int, eps: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.q, self.k, self.v, self.out = (nn.Linear(hidden, hidden) for _ in range(4))
        self.norm = nn.LayerNorm(hidden, eps)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = (
            part(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v)
        )
        rate = self.dropout if self.training else 0.0
        context = functional.scaled_dot_product_attention(query, key, value, mask, rate)
        context = self.out(context.transpose(1, 2).flatten(2))
        return self.norm(x + functional.dropout(context, self.dropout, self.training))


class FeedForward(nn.Module):
    """The two dense layers with their residual and norm."""

    def __init__(self, hidden: int, inner: int, eps: float, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.up, self.down = nn.Linear(hidden, inner), nn.Linear(inner, hidden)
        self.norm = nn.LayerNorm(hidden, eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + functional.dropout(self.down(functional.gelu(self.up(x))), self.dropout, self.training))


class Layer(nn.Module):
    """Attention, then feed-forward."""

    def __init__(self, hidden: int, heads: int, inner: int, eps: float, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(hidden, heads, eps, dropout)
        self.ffn = FeedForward(hidden, inner, eps, dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return self.ffn(self.attention(x, mask))


class Embeddings(nn.Module):
    """Word, position and (one) type vectors, summed and normed."""

    def __init__(self, rows: int, hidden: int, positions: int, eps: float, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.word, self.position = nn.Embedding(rows, hidden), nn.Embedding(positions, hidden)
        self.segment = nn.Parameter(torch.zeros(hidden))
        self.norm = nn.LayerNorm(hidden, eps)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.word(ids) + self.position.weight[: ids.shape[1]] + self.segment
        return functional.dropout(self.norm(x), self.dropout, self.training)


class E5(nn.Module):
    """The encoder: padded token ids and lengths to vectors of length 1."""

    def __init__(self, config: Sequence[int], eps: float, rows: int, dropout: float = 0.0) -> None:
        super().__init__()
        hidden, layers, heads, inner, positions = (int(n) for n in config)
        self.embeddings = Embeddings(rows, hidden, positions, eps, dropout)
        self.layers = nn.ModuleList(Layer(hidden, heads, inner, eps, dropout) for _ in range(layers))
        self.extra: dict[str, NDArray[Any]] = {}  # config and vocabulary, carried along
        self.tokenizer: Tokenizer

    @classmethod
    def load(cls, path: str | Path, dropout: float = 0.0) -> E5:
        """Read a ``.npz`` of any of the formats; in evaluation mode."""
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        extra = {k: v for k, v in arrays.items() if k.startswith(("config", "vocab."))}
        state = {}
        for name, values in arrays.items():
            if name not in extra and not name.endswith(".scale"):
                weight = values.astype(np.float32)
                if values.dtype == np.int8:
                    weight *= arrays[name + ".scale"].astype(np.float32).reshape(-1, 1)
                state[name] = torch.from_numpy(weight)
        model = cls(extra["config"].tolist(), float(extra["config.eps"]), len(state["embeddings.word.weight"]), dropout)
        model.load_state_dict(state)
        model.extra = extra
        model.tokenizer = Tokenizer(
            extra["vocab.pieces"].tobytes().decode().split("\n"),
            extra["vocab.scores"].tolist(),
            extra["vocab.special"].tolist(),
            float(extra["vocab.unk_score"]),
            int(extra["config"][4]),
        )
        return model.eval()

    def save(self, path: str | Path, form: str = "float16") -> None:
        """Write the ``.npz``: matrices as ``form`` (float32, float16 or int8 by row), vectors as float32."""
        out = dict(self.extra)
        for name, tensor in self.state_dict().items():
            values = tensor.detach().cpu().float().numpy()
            if values.ndim == 2 and form == "int8":
                out[name], out[name + ".scale"] = quantise(values)
            else:
                half = values.ndim == 2 and form == "float16"
                out[name] = values.astype(np.float16 if half else np.float32)
        np.savez_compressed(path, allow_pickle=False, **out)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Vectors (n, hidden) of padded ids (n, width)."""
        seen = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        mask = None if bool(seen.all()) else seen[:, None, None]
        x = self.embeddings(ids)
        for layer in self.layers:
            x = layer(x, mask)
        return functional.normalize((x * seen[:, :, None]).sum(1) / lengths[:, None], dim=1)

    def batch(self, texts: Sequence[str], prefix: str = "query: ") -> tuple[Tensor, Tensor]:
        """Padded ids and lengths of texts, as ``forward`` takes them."""
        tokens = [self.tokenizer.encode(prefix + text) for text in texts]
        lengths = [len(t) for t in tokens]
        pad = self.tokenizer.pad
        ids = [t + [pad] * (max(lengths) - len(t)) for t in tokens]
        device = self.embeddings.segment.device
        return torch.tensor(ids, device=device), torch.tensor(lengths, device=device)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], prefix: str = "query: ", size: int = 32) -> NDArray[np.float32]:
        """Vectors of texts in batches of ``size``, without gradient."""
        result = np.zeros((len(texts), len(self.embeddings.segment)), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for at in range(0, len(order), size):
            rows = order[at : at + size]
            result[rows] = self(*self.batch([texts[i] for i in rows], prefix)).cpu().numpy()
        return result


def quantise(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows as int8 and the scale of each, from its largest magnitude."""
    scale = np.abs(matrix).max(axis=1) / np.float32(127)
    safe = np.where(scale > 0, scale, np.float32(1))
    return np.rint(matrix / safe[:, None]).astype(np.int8), scale.astype(np.float32)
