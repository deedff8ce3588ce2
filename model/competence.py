"""Texts -> competencies: what a gap text lacks, what a course teaches, in the terms of ``training_data/competencies.csv``.

One classifier reads both sides. It learns from labelled phrases and from the names, aliases and definitions of the competencies;
kernel ridge regression on character n-grams has a closed form, so training is exact, fast and the same on every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from model.errors import KnowledgeError
from model.lexicon import TRAINING_DATA, Lexicon, split_words
from model.tables import read_knowledge
from model.text import character_ngrams

UNANSWERABLE = "unanswerable"
LEXICON = "lexicon"
STYLES = ("canonical", "paraphrase", "idiom", "complaint", "duty", "question", "survey", "test", "abbreviation")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A short text as people write it, the competencies it lacks (or ``unanswerable``), its style and author pass."""

    text: str
    competencies: tuple[str, ...]
    style: str
    author: str


def load_phrases(split: str, folder: Path = TRAINING_DATA) -> tuple[Phrase, ...]:
    """Load the phrases of ``"train"`` or ``"validation"``: one file an author pass, sorted by file name."""
    phrases = tuple(
        Phrase(row["text"], split_words(row["competencies"]), row["style"], path.stem)
        for path in sorted((folder / "phrases" / split).glob("*.csv"))
        for row in read_knowledge(path, ["text", "competencies", "style"])
    )
    if not phrases:
        raise KnowledgeError(f"{folder / 'phrases' / split} 里没有短语文件。")
    return phrases


def definitions(lexicon: Lexicon) -> tuple[Phrase, ...]:
    """What the lexicon itself says of each competency, as phrases: its name, its aliases, its definition."""
    return tuple(
        Phrase(text, (competency.name,), "canonical", LEXICON)
        for competency in lexicon.competencies
        for text in (competency.name, *competency.aliases, competency.definition)
    )


class CompetencyClassifier(BaseEstimator):  # type: ignore[misc]
    """Gives each text a calibrated probability for each competency, and for naming no learnable lack at all.

    Parameters
    ----------
    alpha : float, default=0.5
        Ridge penalty of the kernel regression.
    longest : int, default=3
        Longest character n-gram.

    Attributes
    ----------
    classes_ : tuple of str
        Competency names in order, then ``"unanswerable"``; the columns of :meth:`predict_proba`.
    vectorizer_ : TfidfVectorizer
        Character n-grams of the phrases.
    phrases_ : csr_matrix of shape (n_phrases, n_ngrams)
        The phrases as the vectorizer sees them; the kernel is the cosine to them.
    dual_ : ndarray of shape (n_phrases, n_classes)
        Ridge solution: what each phrase says for each class.
    calibration_ : LogisticRegression
        Turns a regression value into a probability; fitted on values for author passes left out.
    """

    def __init__(self, alpha: float = 0.5, longest: int = 3) -> None:
        self.alpha = alpha
        self.longest = longest

    def fit(self, phrases: Sequence[Phrase], names: Sequence[str]) -> Self:
        """Learn from phrases; ``names`` are the competencies in the order of the lexicon."""
        self.classes_ = (*names, UNANSWERABLE)
        column = {name: number for number, name in enumerate(self.classes_)}
        strangers = sorted({name for phrase in phrases for name in phrase.competencies} - set(column))
        if strangers:
            raise KnowledgeError(f"短语里有不认识的能力：{'、'.join(strangers)}。")
        labels = np.zeros((len(phrases), len(column)))
        for row, phrase in enumerate(phrases):
            labels[row, [column[name] for name in phrase.competencies]] = 1.0
        self.vectorizer_ = character_ngrams(self.longest)
        self.phrases_ = self.vectorizer_.fit_transform([phrase.text for phrase in phrases])
        kernel = (self.phrases_ @ self.phrases_.T).toarray()
        kernel[np.diag_indices_from(kernel)] += self.alpha
        inverse = scipy.linalg.inv(kernel, overwrite_a=True, assume_a="pos")
        self.dual_ = inverse @ labels
        authors = np.array([phrase.author for phrase in phrases])
        unseen = _without_each_author(authors, inverse, self.dual_, labels)
        written = authors != LEXICON
        self.calibration_ = LogisticRegression(C=1e6).fit(unseen[written].reshape(-1, 1), labels[written].ravel())
        return self

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities (0 to 1), one row a text, one column a class; rows need not sum to 1, for a text may lack several."""
        check_is_fitted(self)
        if not len(texts):
            return np.zeros((0, len(self.classes_)))
        values = (self.vectorizer_.transform(list(texts)) @ self.phrases_.T) @ self.dual_
        probabilities = self.calibration_.predict_proba(values.reshape(-1, 1))[:, 1]
        return np.asarray(probabilities.reshape(values.shape))


def _without_each_author(
    authors: NDArray[np.str_], inverse: NDArray[np.float64], dual: NDArray[np.float64], labels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The value the regression would give each phrase had its author's pass been left out, without fitting again.

    For ridge regression with G = (K + alpha I)^-1 the left-out block B has residual G_BB^-1 (G y)_B (Rasmussen and Williams,
    Gaussian Processes for Machine Learning, 2006, section 5.4.2, for blocks of more than one).
    """
    values = np.empty_like(labels)
    for author in sorted(set(authors)):
        block = np.flatnonzero(authors == author)
        residual = scipy.linalg.solve(inverse[np.ix_(block, block)], dual[block], assume_a="pos")
        values[block] = labels[block] - residual
    return values
