"""Gap texts x Catalog -> calibrated relevance: the probability that a planner would accept the course for the gap.

Three independent pieces of evidence speak for a course: shared characters (lexical), the competencies that text and course
are probably about (competency), and shared characters with the words the lexicon knows for those competencies (expansion). A small
logistic regression over judged pairs weighs them; its output is the relevance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from model.competence import CompetencyClassifier
from model.domain import Catalog, Course
from model.lexicon import Lexicon
from model.text import character_ngrams, topic

FEATURES = ("lexical", "competency", "expansion")
CURATED = (1.0, 0.8, 0.6)  # How surely a curated course teaches its first, second and third competency.
ACCEPTED_GRADE = 2  # A judge's grade from which a planner would accept the course (3 teaches it, 2 clearly helps).
CHUNK = 256  # Texts scored at once; bounds memory at CHUNK x courses x features.


@dataclass(frozen=True, slots=True)
class Judgements:
    """Gap texts judged against a catalog. ``grades`` is complete for grades 2 and 3: an unlisted pair has grade 0 or 1."""

    catalog: Catalog
    texts: Mapping[str, str]
    styles: Mapping[str, str]
    grades: Mapping[tuple[str, str], int]

    def accepted(self, query: str) -> NDArray[np.bool_]:
        """For one query, which courses a planner would accept."""
        return np.array([self.grades.get((query, course.id), 0) >= ACCEPTED_GRADE for course in self.catalog])


def course_text(course: Course) -> str:
    """What is read of a course: its title twice, because a title promises, then its summary."""
    return f"{course.title}。{course.title}。{course.summary}"


class Evidence:
    """One catalog, made ready to be compared with gap texts. Row *i* of every matrix is ``catalog.courses[i]``."""

    def __init__(self, catalog: Catalog, classifier: CompetencyClassifier, lexicon: Lexicon) -> None:
        self.classifier = classifier
        texts = [course_text(course) for course in catalog]
        known = [" ".join([c.name, *c.aliases, *c.related]) for c in lexicon.competencies]
        # The lexicon's words join the catalog's for document frequencies, so that a catalog of ten courses has sensible weights.
        self.vectorizer = character_ngrams().fit(texts + known)
        self.courses = self.vectorizer.transform(texts).T.tocsr()
        self.vocabulary = self.vectorizer.transform(known)
        self.competencies = _unit(self._taught(catalog)).T

    def _taught(self, catalog: Catalog) -> NDArray[np.float64]:
        """Probability that each course teaches each competency: curated where a planner said so, else read from its text."""
        column = {name: number for number, name in enumerate(self.classifier.classes_[:-1])}
        summaries = [f"{course.title}。{course.summary}" for course in catalog]
        taught = np.maximum(
            self.classifier.predict_proba([course.title for course in catalog])[:, :-1],
            self.classifier.predict_proba(summaries)[:, :-1],
        )
        for row, course in enumerate(catalog):
            for name, sure in zip(course.competencies, CURATED, strict=False):
                taught[row, column[name]] = max(sure, taught[row, column[name]])
        return taught

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Evidence for each text and course; shape (texts, courses, features)."""
        topics = self.vectorizer.transform([topic(text) for text in texts])
        probabilities = self.classifier.predict_proba(texts)[:, :-1]
        meant = _unit(probabilities)
        strongest = np.where(probabilities >= np.sort(probabilities, axis=1)[:, [-3]], meant, 0.0)
        expanded = normalize(sp.csr_matrix(strongest) @ self.vocabulary)
        return np.stack(
            [(topics @ self.courses).toarray(), meant @ self.competencies, (expanded @ self.courses).toarray()], axis=2
        ).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(normalize(rows))


class Matcher(BaseEstimator):  # type: ignore[misc]
    """Relevance of every course of a catalog to gap texts.

    Parameters
    ----------
    classifier : CompetencyClassifier
        Fitted on the phrases of ``training_data/``.
    lexicon : Lexicon

    Attributes
    ----------
    evidence_ : Evidence
        The fitted catalog.
    fusion_ : LogisticRegression
        Weighs the evidence (``FEATURES``); fitted on judged pairs of the judgements' own catalog, with and without its summaries
        and curated competencies, because many catalogs hold titles only.
    """

    def __init__(self, classifier: CompetencyClassifier, lexicon: Lexicon) -> None:
        self.classifier = classifier
        self.lexicon = lexicon

    def fit(self, catalog: Catalog, judgements: Judgements) -> Self:
        """Fit the fusion on the judgements and make ``catalog`` ready."""
        self.fusion_ = self._fusion(*self._judged(judgements))
        self.evidence_ = Evidence(catalog, self.classifier, self.lexicon)
        return self

    def _judged(self, judgements: Judgements) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Evidence (2 views, texts, courses, features) and acceptance (texts, courses) of the judged pairs."""
        texts = list(judgements.texts.values())
        views = (judgements.catalog, titles_only(judgements.catalog))
        evidence = [Evidence(view, self.classifier, self.lexicon).features(texts) for view in views]
        return np.stack(evidence), np.array([judgements.accepted(query) for query in judgements.texts])

    @staticmethod
    def _fusion(evidence: NDArray[np.float32], accepted: NDArray[np.bool_]) -> LogisticRegression:
        outcomes = np.concatenate([accepted.ravel()] * len(evidence))
        # Summing many pairs in single precision would let the processor's kernels and threads show in the weights.
        shaped = _shaped(evidence.reshape(-1, len(FEATURES))).astype(np.float64)
        return LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000).fit(shaped, outcomes)

    def held_out(self, catalog: Catalog, judgements: Judgements, folds: int) -> NDArray[np.float32]:
        """Relevance of ``catalog`` (a view of the judged one) to each judged text, by a fusion that has not seen that text."""
        evidence, accepted = self._judged(judgements)
        seen = Evidence(catalog, self.classifier, self.lexicon).features(list(judgements.texts.values()))
        relevance = np.empty(accepted.shape, dtype=np.float32)
        for learn, test in KFold(folds, shuffle=True, random_state=0).split(accepted):
            fusion = self._fusion(evidence[:, learn], accepted[learn])
            relevance[test] = _fused(fusion, seen[test])
        return relevance

    def relevance(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probabilities, shape (texts, courses). Memory grows with texts x courses; callers chunk by ``CHUNK``."""
        check_is_fitted(self)
        if not len(texts):
            return np.zeros((0, self.evidence_.courses.shape[1]), dtype=np.float32)
        return _fused(self.fusion_, self.evidence_.features(texts))


def _fused(fusion: LogisticRegression, features: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = fusion.predict_proba(_shaped(features.reshape(-1, len(FEATURES))))[:, 1]
    return np.asarray(flat.reshape(features.shape[:2]), dtype=np.float32)


def _shaped(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features and their products two by two: evidence that agrees counts for more than its sum."""
    lexical, competency, expansion = features.T
    return np.column_stack([features, np.sqrt(features), lexical * competency, competency * expansion])


def titles_only(catalog: Catalog) -> Catalog:
    """The same catalog as a list of bare titles."""
    return Catalog(tuple(Course(course.id, course.title) for course in catalog))
