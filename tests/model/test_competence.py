from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits
from world import KNITTING

from model.competence import (
    LEXICON,
    ROWS,
    STYLES,
    UNANSWERABLE,
    CompetencyClassifier,
    Phrase,
    Voice,
    definitions,
    load_phrases,
)
from model.errors import KnowledgeError
from model.lexicon import Lexicon
from model.vectors import Vectors

NAMES = ("公文写作", "应急处突", "党纪学习教育")
HEADER = "text,competencies,style"


def phrases() -> tuple[Phrase, ...]:
    """Three authors and the lexicon, in three fields; one text lacks two things, two lack nothing."""
    written = {
        "a": {
            "材料写不出来": "公文写作",
            "突发事件来了手忙脚乱": "应急处突",
            "纪律条例没读过": "党纪学习教育",
            "一切都好": UNANSWERABLE,
        },
        "b": {
            "请示报告分不清": "公文写作",
            "现场指挥没有底": "应急处突",
            "不知道纪律红线": "党纪学习教育",
            "没什么要补": UNANSWERABLE,
        },
        "c": {
            "材料没有观点": "公文写作",
            "突发事件信息报告写得乱": "应急处突、公文写作",
            "收礼算不算违纪": "党纪学习教育",
        },
        LEXICON: {name: name for name in NAMES},
    }
    return tuple(
        Phrase(text, tuple(labels.split("、")), "paraphrase", author)
        for author, texts in written.items()
        for text, labels in texts.items()
    )


def fitted(known: Sequence[Phrase], vectors: Vectors | None = None) -> CompetencyClassifier:
    """Calibrated on author c, learnt from all."""
    return CompetencyClassifier(vectors).fit(
        [phrase for phrase in known if phrase.author != "c"],
        [phrase for phrase in known if phrase.author == "c"],
        NAMES,
    )


@pytest.fixture(scope="module")
def classifier() -> CompetencyClassifier:
    return fitted(phrases())


class Drawn:
    """Likeness of texts that are numbers of rows of a kernel."""

    def __init__(self, kernel: NDArray[np.float32]) -> None:
        self.kernel = kernel

    def keep(self, texts: Sequence[str]) -> None:
        self.kept = [int(text) for text in texts]

    def between(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.kernel[np.ix_([int(text) for text in texts], self.kept)]


@given(st.integers(1, 10), st.integers(0, 2**16))
def test_leaving_the_last_texts_out_in_closed_form_equals_fitting_without_them(last: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(12, 5)).astype(np.float32)
    kernel, labels = rows @ rows.T, chance.random((12, 3)).astype(np.float32)
    whole, part = Voice(Drawn(kernel)), Voice(Drawn(kernel))
    names = [str(number) for number in range(12)]
    unseen = whole.fit(names, labels, last)
    part.fit(names[:-last], labels[:-last], 1)
    np.testing.assert_allclose(unseen, part.values(names[-last:]), atol=2e-3)


def test_a_text_is_familiar_that_is_as_like_some_phrase_as_three_in_four_texts_of_other_authors_are() -> None:
    """By hand: phrases 0 and 1, calibration texts 2 to 6, and texts 7 to 10 that nobody has seen."""
    kernel = np.eye(11, dtype=np.float32)
    best = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.19, 0.2, 0.21, 0.0], dtype=np.float32)
    kernel[2:, 1] = kernel[1, 2:] = best
    kernel[2:, 0] = kernel[0, 2:] = best / 2
    kernel[2, 3] = kernel[3, 2] = 0.9  # How like calibration texts are to each other says nothing of the phrases.
    voice = Voice(Drawn(kernel))
    voice.fit([str(number) for number in range(7)], np.zeros((7, 1), dtype=np.float32), last=5)
    assert voice.familiar_ == pytest.approx(0.2)
    assert voice.familiar(["7", "8", "9", "10"]).tolist() == [False, True, True, False]
    assert voice.familiar(["0", "1", "2"]).all(), "what it has kept it knows"


def test_texts_about_what_the_phrases_are_about_are_familiar_and_others_are_not(
    classifier: CompetencyClassifier,
) -> None:
    assert classifier.familiar([phrase.text for phrase in phrases()]).all()
    assert classifier.familiar(["公文写作实务", "纪律红线", "突发事件"]).all()
    assert not classifier.familiar([*(course.title for course in KNITTING), "", "😀", "knitting"]).any()


@given(st.lists(st.text(max_size=60) | st.sampled_from(["写材料", "红线", "绞花"]), min_size=1, max_size=5))
def test_whether_a_text_is_familiar_does_not_depend_on_its_company(
    classifier: CompetencyClassifier, texts: list[str]
) -> None:
    assert classifier.familiar(texts).tolist() == [classifier.familiar([text])[0] for text in texts]


def test_more_texts_than_are_compared_at_once_are_told_apart(classifier: CompetencyClassifier) -> None:
    texts = ["公文写作", *["绞花"] * ROWS, "公文写作"]
    assert np.flatnonzero(classifier.familiar(texts)).tolist() == [0, ROWS + 1]


def test_a_classifier_that_has_not_learnt_knows_no_text_and_says_so() -> None:
    with pytest.raises(NotFittedError):
        CompetencyClassifier().familiar(["公文写作"])


def test_a_text_is_read_as_the_competency_its_words_are_about(classifier: CompetencyClassifier) -> None:
    texts = ["写材料没有观点", "突发事件现场乱", "纪律红线在哪里"]
    assert classifier.predict_proba(texts).argmax(axis=1).tolist() == [0, 1, 2]


def test_columns_are_the_competencies_in_order_and_then_the_unanswerable(classifier: CompetencyClassifier) -> None:
    assert classifier.classes_ == (*NAMES, UNANSWERABLE)
    assert classifier.predict_proba(["一切都好，没什么要补"]).argmax() == 3


def test_a_text_may_lack_several_things(classifier: CompetencyClassifier) -> None:
    both = classifier.predict_proba(["突发事件信息报告写得乱"])[0]
    assert sorted(both.argsort()[-2:].tolist()) == [0, 1]


@given(st.lists(st.text(max_size=60), max_size=5))
def test_probabilities_lie_between_0_and_1_for_any_text(classifier: CompetencyClassifier, texts: list[str]) -> None:
    probabilities = classifier.predict_proba(texts)
    assert probabilities.shape == (len(texts), 4)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_a_text_is_read_the_same_alone_and_in_company(classifier: CompetencyClassifier) -> None:
    texts = [phrase.text for phrase in phrases()]
    alone = np.vstack([classifier.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(classifier.predict_proba(texts), alone, atol=1e-5)


def test_no_texts_have_no_probabilities(classifier: CompetencyClassifier) -> None:
    assert classifier.predict_proba([]).shape == (0, 4)


def test_learning_twice_gives_the_same_numbers_and_the_order_of_phrases_none_others(
    classifier: CompetencyClassifier,
) -> None:
    texts = ["写材料没有观点", "红线", ""]
    again = fitted(phrases()).predict_proba(texts)
    assert again.tobytes() == classifier.predict_proba(texts).tobytes()
    turned = fitted(phrases()[::-1]).predict_proba(texts)
    np.testing.assert_allclose(turned, again, atol=1e-4)


def test_labels_nobody_knows_are_named() -> None:
    strangers = (*phrases(), Phrase("会拉二胡", ("二胡", "民乐"), "duty", "a"))
    with pytest.raises(KnowledgeError, match="不认识的能力：二胡、民乐"):
        fitted(strangers)


def test_definitions_say_what_the_lexicon_says(tiny_lexicon: Lexicon) -> None:
    found = definitions(tiny_lexicon)
    assert [phrase.text for phrase in found if phrase.competencies == ("公文写作",)] == [
        "公文写作",
        "写材料",
        "会公文写作。",
    ]
    assert {phrase.author for phrase in found} == {LEXICON}


def write(folder: Path, name: str, *lines: str) -> None:
    path = folder / "phrases" / "train" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_each_file_of_phrases_is_one_author(tmp_path: Path) -> None:
    write(tmp_path, "pass_b.csv", HEADER, '"写不出，也说不出",公文写作、应急处突,complaint')
    write(tmp_path, "pass_a.csv", HEADER, "无,unanswerable,survey")
    assert load_phrases("train", tmp_path) == (
        Phrase("无", (UNANSWERABLE,), "survey", "pass_a"),
        Phrase("写不出，也说不出", ("公文写作", "应急处突"), "complaint", "pass_b"),
    )
    assert {phrase.style for phrase in load_phrases("train", tmp_path)} <= set(STYLES)


@pytest.mark.parametrize("lines", [("text,style", "无,survey"), (HEADER, "无,unanswerable"), (HEADER, "a,b,c,d")])
def test_a_file_of_phrases_with_wrong_columns_is_named(tmp_path: Path, lines: tuple[str, ...]) -> None:
    write(tmp_path, "pass_a.csv", *lines)
    with pytest.raises(KnowledgeError, match=r"pass_a\.csv 第 2 行"):
        load_phrases("train", tmp_path)


def test_a_folder_without_phrases_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="没有短语文件"):
        load_phrases("train", tmp_path)


def test_the_number_of_threads_does_not_show() -> None:
    """On a kernel large enough for the linear algebra to be shared out among threads."""
    known = load_phrases("train")[::4]
    names = sorted({name for phrase in known for name in phrase.competencies} - {UNANSWERABLE})
    answers = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            classifier = CompetencyClassifier().fit(known[100:], known[:100], names)
            answers.append(classifier.predict_proba(["材料写不出来", "现场没人管"]))
    np.testing.assert_allclose(*answers, atol=1e-5)
