"""Gap texts x Catalog -> calibrated relevance: the probability that a planner would accept the course for the gap.

A :class:`Ranker` is one complete way to get there: a classifier, the evidence of a catalog, and the weights of that evidence. The
:class:`Matcher` holds several, the best first; the last needs no encoder, so there is always an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted

from model.competence import CompetencyClassifier
from model.curation import NOTHING, Curation
from model.domain import Catalog
from model.errors import EncoderUnavailable
from model.evidence import ALIKE, Evidence
from model.fusion import Said, Weights
from model.judgements import Judgements, titles_only
from model.lexicon import Lexicon
from model.vectors import Remembered, SentenceEncoder

CHUNK = 256  # Texts scored at once; bounds memory at CHUNK x courses x features.
RECENT_BYTES = 32 * 2**20
AT_ONCE = 2**19  # Pairs of a text and a course whose evidence is weighed at once.

SCORE = np.dtype([("relevance", np.float32), ("strongest", np.int8)])
REACHING = np.dtype([("place", np.int32), *SCORE.descr])

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judged:
    """Evidence and outcome of judged pairs, in two views of the judged catalog: as it is, and as bare titles, for many catalogs
    hold nothing else. ``familiar`` has a value a view, ``evidence`` the shape (views, texts, courses, features), ``accepted`` (texts, courses)."""

    features: tuple[str, ...]
    familiar: tuple[float, ...]
    evidence: NDArray[np.float32]
    accepted: NDArray[np.bool_]

    @classmethod
    def of(cls, judgements: Judgements, classifier: CompetencyClassifier, lexicon: Lexicon) -> Self:
        """Compute the evidence for judged texts."""
        views = [Evidence(view, classifier, lexicon) for view in (judgements.catalog, titles_only(judgements.catalog))]
        found = [view.of(list(judgements.texts.values())) for view in views]
        return cls(views[0].features, tuple(view.familiar for view in views), np.stack(found), judgements.accepted())

    def without(self, *features: str) -> Judged:
        """The same with some evidence taken away (for ablations)."""
        kept = [place for place, name in enumerate(self.features) if name not in features]
        return replace(self, features=tuple(self.features[place] for place in kept), evidence=self.evidence[..., kept])

    def weights(self, texts: NDArray[np.intp] | slice = slice(None), more: Said | None = None) -> Weights:
        """Weights learnt from some of the texts, and from what was said of ``more`` pairs."""
        pairs = self.evidence[:, texts].reshape(-1, len(self.features))
        accepted = np.tile(self.accepted[texts].ravel(), len(self.evidence))
        return Weights.of(pairs, accepted, [name in ALIKE for name in self.features], more)

    @cached_property
    def unseen(self) -> NDArray[np.float32]:
        """Relevance in each view, each text's by weights that have not seen it: :meth:`held_out`, worked out once."""
        return self.held_out()

    def held_out(
        self, folds: int = 5, more: Said | None = None, near: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Relevance in each view, shape (views, texts, courses), each text's by weights that have not seen it, nor what was said of texts
        near to it: ``near`` has the shape (more pairs, texts)."""
        relevance = np.empty(self.evidence.shape[:-1], dtype=np.float32)
        for learn, test in KFold(folds, shuffle=True, random_state=0).split(self.accepted):
            apart = more if more is None or near is None else more.among(np.asarray(~near[:, test].any(axis=1)))
            weights = self.weights(learn, apart)
            for view, familiar in enumerate(self.familiar):
                relevance[view, test] = weights.relevance(self.evidence[view, test], familiar)
        return relevance


@dataclass
class Ranker:
    """One way to match, with one classifier; ``evidence`` is that of one catalog. ``shipped`` are the weights without what was learnt from
    feedback, where something was."""

    weights: Weights
    evidence: Evidence
    shipped: Weights | None = None
    _recent: Remembered = field(default_factory=lambda: Remembered(RECENT_BYTES))
    _reaching: dict[float, Remembered] = field(default_factory=dict)

    @property
    def classifier(self) -> CompetencyClassifier:
        """The classifier its evidence is read with."""
        return self.evidence.classifier

    @property
    def encoder(self) -> str | None:
        """The name of the encoder it reads by, if any."""
        return self.classifier.vectors.name if self.classifier.vectors else None

    @property
    def ready(self) -> bool:
        """Whether its encoder, if it needs one, can run as far as is known."""
        return self.classifier.vectors is None or self.classifier.vectors.ready

    def under(self, curation: Curation, catalog: Catalog) -> Ranker:
        """The same with what was said of courses; it has to remember answers of its own."""
        return Ranker(self.weights, self.evidence.under(curation, catalog), self.shipped)

    def scores(self, texts: Sequence[str]) -> NDArray[np.void]:
        """Scores of every course for each text; a text asked lately is not computed again."""
        return np.stack(self._recent.rows(texts, self._scores))

    def reaching(self, texts: Sequence[str], least: float) -> list[NDArray[np.void]]:
        """For each text the courses of at least that relevance, a row each (:data:`REACHING`). They are few, so that many more texts can be remembered
        than where every course's score is kept."""
        recent = self._reaching.setdefault(least, Remembered(RECENT_BYTES))
        return recent.rows(texts, lambda missing: [_reaching(row, least) for row in self._by_blocks(missing)])

    def _by_blocks(self, texts: Sequence[str]) -> Iterator[NDArray[np.void]]:
        size = max(1, AT_ONCE // max(1, len(self.evidence.teaches)))
        for start in range(0, len(texts), size):
            yield from self._scores(texts[start : start + size])

    def _scores(self, texts: Sequence[str]) -> NDArray[np.void]:
        addends = self.weights.addends(self.evidence.of(texts), self.evidence.familiar)
        scores = np.empty(addends.shape[:-1], dtype=SCORE)
        scores["relevance"] = self.weights.probability(addends, self.evidence.familiar)
        scores["strongest"] = addends[..., 1:].argmax(axis=-1) + 1  # The first, lack, is the same for every course.
        return scores


def _reaching(row: NDArray[np.void], least: float) -> NDArray[np.void]:
    places = np.flatnonzero(row["relevance"] >= least)
    found = np.empty(len(places), dtype=REACHING)
    found["place"], found["relevance"], found["strongest"] = places, row["relevance"][places], row["strongest"][places]
    return found


class Matcher(BaseEstimator):  # type: ignore[misc]
    """Relevance of every course of a catalog to gap texts.

    Parameters
    ----------
    classifiers : sequence of CompetencyClassifier
        Fitted on the phrases of ``training_data/``; the best first. The last should read without sentence vectors.
    lexicon : Lexicon

    Attributes
    ----------
    rankers_ : list of Ranker
        One a classifier.
    """

    curation: Curation = NOTHING

    def __init__(self, classifiers: Sequence[CompetencyClassifier], lexicon: Lexicon) -> None:
        self.classifiers = classifiers
        self.lexicon = lexicon

    def fit(self, catalog: Catalog, judgements: Judgements) -> Self:
        """Learn from the judgements how to weigh the evidence, and make ``catalog`` ready."""
        weights = [Judged.of(judgements, classifier, self.lexicon).weights() for classifier in self.classifiers]
        return self.ready(weights, catalog)

    def for_catalog(self, catalog: Catalog) -> Matcher:
        """The same weights, without what was learnt from feedback, made ready for another catalog; texts both share are not encoded again."""
        check_is_fitted(self)
        ready = type(self)(self.classifiers, self.lexicon).ready(self.shipped, catalog)
        for ranker in ready.rankers_:
            if ranker.classifier.vectors:
                ranker.classifier.vectors.forget_all_but(ranker.evidence.course_texts)
        return ready

    def ready(self, weights: Sequence[Weights], catalog: Catalog) -> Self:
        """Take weights learnt elsewhere, one a classifier, and make ``catalog`` ready."""
        self.rankers_ = [
            Ranker(learnt, Evidence(catalog, classifier, self.lexicon))
            for classifier, learnt in zip(self.classifiers, weights, strict=True)
        ]
        self.courses_ = len(catalog)
        self._answering = next(iter(self.rankers_), None)
        return self

    def under(self, curation: Curation, catalog: Catalog) -> Matcher:
        """The same with what was said of words and courses at work; ``catalog`` is the one it was made ready for."""
        if not curation.synonyms and not curation.taught:
            return self
        other = copy(self)
        other.curation = curation
        other.rankers_ = [ranker.under(curation, catalog) for ranker in self.rankers_]
        other._answering = next(iter(other.rankers_), None)
        return other

    @property
    def shipped(self) -> list[Weights]:
        """The weights without what was learnt from feedback, one a classifier."""
        return [ranker.shipped or ranker.weights for ranker in self.rankers_]

    def weighing(self, weights: Sequence[Weights]) -> Matcher:
        """The same with weights learnt from feedback, one a classifier; it keeps those it had, to go back to."""
        other = copy(self)
        pairs = zip(self.rankers_, weights, self.shipped, strict=True)
        other.rankers_ = [Ranker(learnt, ranker.evidence, shipped) for ranker, learnt, shipped in pairs]
        other._answering = next(iter(other.rankers_), None)
        return other

    def take(self, encoders: Iterable[SentenceEncoder]) -> None:
        """Hand over the encoders (a version is stored without them); each goes where its name is asked for."""
        by_name = {encoder.name: encoder for encoder in encoders}
        for classifier in self.classifiers:
            if classifier.vectors:
                classifier.vectors.encoder = by_name.get(classifier.vectors.name)

    def go_on_from(self, other: Matcher) -> None:
        """Share the sentence vectors of texts that were lately asked of another version, where they are by the same encoder."""
        for mine, known in product(self.classifiers, other.classifiers):
            if mine.vectors and known.vectors:
                mine.vectors.go_on_from(known.vectors)

    @property
    def encoder(self) -> str | None:
        """The encoder by which answers come now; None where they come without any (degraded)."""
        return next((ranker.encoder for ranker in self.rankers_ if ranker.ready), None)

    @property
    def familiar(self) -> float:
        """How far the catalog is about what the training data know, 0 to 1; see :class:`model.fusion.Weights`."""
        return next((ranker.evidence.familiar for ranker in self.rankers_ if ranker.ready), 0.0)

    @property
    def teaches(self) -> tuple[str | None, ...]:
        """For each course of the catalog the competency it most probably teaches; see :class:`model.evidence.Evidence`."""
        check_is_fitted(self)
        return next(ranker.evidence.teaches for ranker in self.rankers_ if ranker.ready)

    @property
    def taught(self) -> NDArray[np.float32]:
        """How surely each course teaches each of :attr:`competencies` (0 to 1), shape (courses, competencies)."""
        check_is_fitted(self)
        return next(ranker.evidence.taught for ranker in self.rankers_ if ranker.ready)

    @property
    def competencies(self) -> tuple[str, ...]:
        """The competencies the columns of :attr:`taught` stand for."""
        return tuple(self.classifiers[0].classes_[:-1])

    def scores(self, texts: Sequence[str]) -> NDArray[np.void]:
        """For each text and course the relevance (a calibrated probability) and the kind of evidence that raises it most (a place in
        ``FEATURES``), shape (texts, courses). Memory grows with texts x courses; callers chunk by ``CHUNK``."""
        check_is_fitted(self)
        if not len(texts):
            return np.zeros((0, self.courses_), dtype=SCORE)
        meant = self._meant(texts)
        return self._able(lambda ranker: ranker.scores(meant))

    def reaching(self, texts: Sequence[str], least: float) -> list[NDArray[np.void]]:
        """For each text the courses of at least that relevance: place in the catalog, relevance, strongest evidence (:data:`REACHING`)."""
        check_is_fitted(self)
        meant = self._meant(texts)
        return self._able(lambda ranker: ranker.reaching(meant, least)) if len(texts) else []

    def relevance(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The relevances alone."""
        return np.asarray(self.scores(texts)["relevance"])

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """What the texts lack; see :meth:`CompetencyClassifier.predict_proba`."""
        check_is_fitted(self)
        if not len(texts):  # Answered without an encoder, which says nothing of it.
            return self.classifiers[0].predict_proba(texts)
        meant = self._meant(texts)
        return self._able(lambda ranker: ranker.classifier.predict_proba(meant))

    def _meant(self, texts: Sequence[str]) -> Sequence[str]:
        return [self.curation.spelled_out(text) for text in texts] if self.curation.synonyms else texts

    def _able(self, work: Callable[[Ranker], T]) -> T:
        """Let the best ranker whose encoder runs do the work; a change of ranker is logged."""
        for ranker in self.rankers_:
            try:
                done = work(ranker)
            except EncoderUnavailable:
                continue
            # An answer from memory says nothing of the encoder; only one that can run takes over again.
            if ranker is not self._answering and ranker.ready:
                name = ranker.encoder or "none: matching without an encoder (degraded)"
                log.warning("sentence vectors now by %s", name)
                self._answering = ranker
            return done
        raise EncoderUnavailable("没有可用的句向量编码器。")
