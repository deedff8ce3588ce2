"""Texts -> competencies: what a gap text lacks, what a course teaches, in the terms of ``training_data/competencies.csv``.

One classifier reads both sides. It learns from labelled phrases and from the names, aliases and definitions of the competencies. Two
likenesses of texts speak independently: shared characters, and nearness of sentence vectors where an encoder is at hand. Kernel ridge
regression has a closed form, so training is exact and the same on every run; a logistic regression weighs the two and makes probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from model.errors import KnowledgeError
from model.files.tables import read_knowledge
from model.lexicon import TRAINING_DATA, Lexicon, split_words
from model.text import PackedNgrams, character_ngrams
from model.vectors import Remembered, Vectors, product

UNANSWERABLE = "unanswerable"
LEXICON = "lexicon"
TITLE = "title"
SPLITS = ("train", "calibration", "validation")
RECENT_BYTES = 16 * 2**20
UNUSUAL = 0.25  # Share of calibration texts that are less like any phrase than what counts as familiar; of course titles it is 0.05.
ROWS = 1024  # Texts compared at once with all phrases; bounds memory.
STYLES = ("canonical", "paraphrase", "idiom", "complaint", "duty", "question", "survey", "test", "abbreviation")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A short text as people write it, the competencies it lacks (or ``unanswerable``), its style and author pass."""

    text: str
    competencies: tuple[str, ...]
    style: str
    author: str


def load_phrases(split: str, folder: Path = TRAINING_DATA) -> tuple[Phrase, ...]:
    """Load the phrases of one of ``SPLITS``: one file an author pass, sorted by file name."""
    phrases = tuple(
        Phrase(row["text"], split_words(row["competencies"]), row["style"], path.stem)
        for path in sorted((folder / "phrases" / split).glob("*.csv"))
        for row in read_knowledge(path, ["text", "competencies", "style"])
    )
    if not phrases:
        raise KnowledgeError(f"{folder / 'phrases' / split} 里没有短语文件。")
    return phrases


def load_pairs(split: str, folder: Path = TRAINING_DATA) -> tuple[tuple[Phrase, Phrase], ...]:
    """Load the pairs of one of ``SPLITS``: a gap text, and the title of a course that a planner would choose for it."""
    return tuple(
        (
            Phrase(row["text"], split_words(row["competencies"]), row["style"], path.stem),
            Phrase(row["title"], split_words(row["competencies"]), TITLE, path.stem),
        )
        for path in sorted((folder / "pairs" / split).glob("*.csv"))
        for row in read_knowledge(path, ["text", "title", "competencies", "style"])
    )


def definitions(lexicon: Lexicon) -> tuple[Phrase, ...]:
    """What the lexicon itself says of each competency, as phrases: its name, its aliases, its definition."""
    return tuple(
        Phrase(text, (competency.name,), "canonical", LEXICON)
        for competency in lexicon.competencies
        for text in (competency.name, *competency.aliases, competency.definition)
    )


class Likeness(Protocol):
    """How alike two texts are: a kernel, 1 for a text and itself. Single precision: there are thousands of texts, and they are compared two by two."""

    def keep(self, texts: Sequence[str]) -> None:
        """Learn from texts what there is to learn, and keep them."""

    def between(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Likeness of texts to those kept, shape (texts, kept); raises EncoderUnavailable."""


class Spelling:
    """Cosine of character n-gram TF-IDF vectors."""

    def keep(self, texts: Sequence[str]) -> None:
        """Learn the n-grams and their frequencies."""
        vectorizer = character_ngrams(dtype=np.float32)
        self._kept = vectorizer.fit_transform(texts).T.tocsr()
        self._vectorizer = PackedNgrams(vectorizer)

    def between(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Likeness to the kept texts."""
        return np.asarray((self._vectorizer.transform(texts) @ self._kept).toarray())


class Meaning:
    """A Gaussian of the distance of sentence vectors, as wide as the kept texts lie apart: exp(-breadth d / mean d), d = 1 - cosine."""

    breadth = 2.7

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors

    def keep(self, texts: Sequence[str]) -> None:
        """Take the vectors of the texts."""
        self._kept = self.vectors.of(texts)
        # The mean cosine of all pairs is the squared length of the mean vector.
        apart = 1.0 - float(np.sum(self._kept.mean(axis=0, dtype=np.float64) ** 2))
        self._rate = np.float32(self.breadth / max(apart, 1e-9))

    def between(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Likeness to the kept texts."""
        nearness = product(self.vectors.of(texts), self._kept.T)
        nearness -= 1
        nearness *= self._rate
        return np.asarray(np.exp(nearness, out=nearness))


class Voice:
    """Kernel ridge regression from texts to classes by one likeness: what each phrase says for each class."""

    def __init__(self, likeness: Likeness, alpha: float = 0.5) -> None:
        self.likeness, self.alpha = likeness, alpha

    def fit(self, texts: Sequence[str], labels: NDArray[np.float32], last: int) -> NDArray[np.float32]:
        """Fit on all texts; return the values that the ``last`` texts would get had they been left out.

        With K + alpha I = L L' (Cholesky) and x the solution for the labels y, texts B left out have the residual (G_BB)^-1 x_B where G is
        the inverse of K + alpha I (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4.2, for a block of
        texts); for the last rows (G_BB)^-1 is simply L_BB L_BB'.
        """
        self.likeness.keep(texts)
        kernel = np.empty((len(texts), len(texts)), dtype=np.float32)
        for at in range(0, len(texts), ROWS):
            kernel[at : at + ROWS] = self.likeness.between(texts[at : at + ROWS])
        self.familiar_ = float(np.quantile(kernel[-last:, :-last].max(axis=1, initial=0), UNUSUAL))
        kernel[np.diag_indices_from(kernel)] += np.float32(self.alpha)
        factor = scipy.linalg.cholesky(kernel.T, lower=True, overwrite_a=True, check_finite=False)
        self.dual_ = scipy.linalg.cho_solve((factor, True), labels, check_finite=False)
        corner = np.tril(factor[-last:, -last:])
        return np.asarray(labels[-last:] - corner @ (corner.T @ self.dual_[-last:]))

    def values(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What the likeness to all phrases says for each class, shape (texts, classes); about 1 for a class that is meant."""
        parts = [product(self.likeness.between(texts[at : at + ROWS]), self.dual_) for at in range(0, len(texts), ROWS)]
        return np.concatenate(parts)

    def familiar(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which texts are as like some phrase as most texts of other authors are."""
        parts = [self.likeness.between(texts[at : at + ROWS]).max(axis=1) for at in range(0, len(texts), ROWS)]
        return np.asarray(np.concatenate(parts) >= self.familiar_)


class CompetencyClassifier(BaseEstimator):  # type: ignore[misc]
    """Gives each text a calibrated probability for each competency, and for naming no learnable lack at all.

    Parameters
    ----------
    vectors : Vectors, optional
        Sentence vectors; without them only shared characters speak.

    Attributes
    ----------
    classes_ : tuple of str
        Competency names in order, then ``"unanswerable"``; the columns of :meth:`predict_proba`.
    voices_ : tuple of Voice
        What speaks for a class: spelling, and meaning where there are vectors.
    calibrations_ : tuple of LogisticRegression
        The first turns the values of the first voice into a probability, the second those of the first two.
    """

    def __init__(self, vectors: Vectors | None = None) -> None:
        self.vectors = vectors

    def fit(self, phrases: Sequence[Phrase], calibration: Sequence[Phrase], names: Sequence[str]) -> Self:
        """Learn from phrases; ``names`` are the competencies in the order of the lexicon.

        Probabilities are calibrated on the values the ``calibration`` phrases get while they are left out; then they are learnt from as
        well. They should be by authors of their own, and unknown to the encoder: on texts it was trained on it is surer than it
        will be of what people write.
        """
        self.classes_ = (*names, UNANSWERABLE)
        texts = [phrase.text for phrase in (*phrases, *calibration)]
        labels = _labels((*phrases, *calibration), self.classes_)
        outcomes = labels[-len(calibration) :].ravel()
        likenesses: list[Likeness] = [Spelling()]
        if self.vectors is not None:
            likenesses.append(Meaning(self.vectors))
        voices, values, calibrations = [], [], []
        for likeness in likenesses:
            voice = Voice(likeness)
            unseen = voice.fit(texts, labels, len(calibration))
            voices.append(voice)
            values.append(unseen.ravel().astype(np.float64))
            calibrations.append(LogisticRegression(C=1e6).fit(np.column_stack(values), outcomes))
        self.voices_, self.calibrations_ = tuple(voices), tuple(calibrations)
        self._recent = Remembered(RECENT_BYTES)
        return self

    def without_vectors(self) -> CompetencyClassifier:
        """The same classifier, reading by spelling alone."""
        check_is_fitted(self)
        other = CompetencyClassifier()
        other.classes_, other.voices_, other.calibrations_ = self.classes_, self.voices_[:1], self.calibrations_[:1]
        other._recent = Remembered(RECENT_BYTES)
        return other

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities (0 to 1), one row a text, one column a class; rows need not sum to 1, for a text may lack several.

        Raises EncoderUnavailable where it reads by vectors and its encoder cannot run.
        """
        check_is_fitted(self)
        if not len(texts):
            return np.zeros((0, len(self.classes_)))
        return np.stack(self._recent.rows(texts, self._probabilities))

    def familiar(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which texts are about anything the phrases know, by the best voice; raises EncoderUnavailable."""
        check_is_fitted(self)
        return self.voices_[-1].familiar(texts)

    def _probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        values = [voice.values(texts).ravel().astype(np.float64) for voice in self.voices_]
        calibration = self.calibrations_[len(self.voices_) - 1]
        return np.asarray(calibration.predict_proba(np.column_stack(values))[:, 1].reshape(len(texts), -1))


def _labels(phrases: Sequence[Phrase], classes: Sequence[str]) -> NDArray[np.float32]:
    """1 where a phrase names a class, shape (phrases, classes)."""
    column = {name: number for number, name in enumerate(classes)}
    strangers = sorted({name for phrase in phrases for name in phrase.competencies} - set(column))
    if strangers:
        raise KnowledgeError(f"短语里有不认识的能力：{'、'.join(strangers)}。")
    labels = np.zeros((len(phrases), len(column)), dtype=np.float32)
    for row, phrase in enumerate(phrases):
        labels[row, [column[name] for name in phrase.competencies]] = 1.0
    return labels
