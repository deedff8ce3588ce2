from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.encoder import ENCODER, Encoder, Tokenizer


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(np.load(ENCODER))


def test_a_text_is_nearer_to_what_it_means_than_to_what_it_looks_like(encoder: Encoder):
    text, meant, other = encoder.encode(["一上台讲话就冒汗", "演讲与表达", "舞台设备采购"])
    assert text @ meant > text @ other


def test_vectors_have_length_one_whatever_is_written(encoder: Encoder):
    odd = ["", " ", "😀", "\x00", "\ud800", "AI 赋能 PPT", "长" * 3000]
    vectors = encoder.encode(odd)
    assert vectors.shape == (len(odd), encoder.hidden)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("together", [True, False], ids=["as this machine does it", "a product a text"])
def test_a_text_has_the_same_vector_to_the_last_digit_alone_and_among_others(
    encoder: Encoder, together: bool, monkeypatch: pytest.MonkeyPatch
):
    if not together:
        monkeypatch.setitem(vars(encoder), "_together", False)
    texts = ["写材料", "民告官败诉多，行政应诉心里没底", "招商", *(f"第{number}件事办得慢" for number in range(60))]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.array_equal(encoder.encode(texts), alone)


def test_no_texts_give_no_vectors(encoder: Encoder):
    assert encoder.encode([]).shape == (0, encoder.hidden)


def test_the_tokenizer_takes_the_likeliest_pieces():
    pieces, scores = (
        ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁公文", "写", "作", "写作"],
        [0, 0, 0, 0, -3, -2, -4, -4, -5.0],
    )
    tokenizer = Tokenizer(pieces, scores, [0, 1, 2, 3], -20.0)
    assert tokenizer.encode("公文写作") == [0, 5, 8, 2]
    assert tokenizer.encode("写作难") == [0, 4, 8, 3, 2]


@settings(max_examples=30)
@given(text=st.text(max_size=60))
def test_any_text_is_cut_into_known_tokens(encoder: Encoder, text: str):
    ids = encoder.tokenizer.encode(text)
    assert ids[0] == encoder.tokenizer.bos
    assert ids[-1] == encoder.tokenizer.eos
    assert len(ids) <= 512
