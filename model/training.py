"""Catalog -> a trained, evaluated version. Everything it learns from stands in ``training_data/``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions, load_pairs, load_phrases
from model.courselists import read_catalog
from model.domain import Catalog
from model.encoder import bundled_encoder
from model.evaluation import area_under_curve, evaluate_ranking, expected_calibration_error
from model.evidence import descriptions
from model.judgements import ACCEPTED_GRADE, Judgements, read_judgements
from model.lexicon import TRAINING_DATA, Lexicon, load_lexicon
from model.matcher import Judged, Matcher
from model.recommender import Recommender
from model.tables import read_arrays, read_sheets
from model.vectors import Known, SentenceEncoder, Vectors

ACCEPTED = 0.5  # A course is offered where a planner would more likely accept it than not; see docs/architecture.md.
FAMILIAR = 0.5  # Below it, training says that the relevances of a catalog are hardly probabilities.
FOLDS = 5
VECTORS = Path("encoder") / "vectors.npz"


@dataclass(frozen=True)
class Knowledge:
    """What is learnt before any catalog is seen. ``classifiers`` are the best first; the last reads by spelling alone."""

    lexicon: Lexicon
    classifiers: tuple[CompetencyClassifier, ...]
    judgements: Judgements


@dataclass(frozen=True)
class Sources:
    """What there is to learn from: the files of ``training_data/``, and the encoders, the best first."""

    folder: Path
    lexicon: Lexicon
    phrases: tuple[Phrase, ...]
    calibration: tuple[Phrase, ...]
    judgements: Judgements
    encoders: tuple[SentenceEncoder, ...]

    @classmethod
    def of(cls, folder: Path = TRAINING_DATA, encoders: Sequence[SentenceEncoder] | None = None) -> Self:
        """Read the files. Unless ``encoders`` are given, the bundled one is taken if it can run."""
        lexicon = load_lexicon(folder)
        bundled = bundled_encoder()
        wanted = encoders if encoders is not None else [bundled] if bundled else []
        phrases = _phrases("train", folder) + definitions(lexicon)
        return cls(
            folder, lexicon, phrases, _phrases("calibration", folder), load_judgements(lexicon, folder), tuple(wanted)
        )

    @property
    def fingerprint(self) -> str:
        """Two trainings of one fingerprint learn the same."""
        judged = (dict(self.judgements.texts), dict(self.judgements.grades), self.judgements.catalog.fingerprint)
        told = (self.lexicon.competencies, self.phrases, self.calibration, judged, [one.name for one in self.encoders])
        return hashlib.sha256(repr(told).encode()).hexdigest()

    @property
    def texts(self) -> set[str]:
        """Every text that training and measuring encode."""
        phrases = {p.text for p in (*self.phrases, *self.calibration, *load_phrases("validation", self.folder))}
        courses = {text for course in self.judgements.catalog for text in descriptions(course)}
        return phrases | courses | set(self.judgements.texts.values())

    def learnt(self) -> Knowledge:
        """Fit a classifier for each encoder, and one that needs none."""
        names = [competency.name for competency in self.lexicon.competencies]
        readers = [
            CompetencyClassifier(Vectors(encoder, self._shipped(encoder.name))).fit(
                self.phrases, self.calibration, names
            )
            for encoder in self.encoders
        ]
        spelling = (
            readers[0].without_vectors()
            if readers
            else CompetencyClassifier().fit(self.phrases, self.calibration, names)
        )
        return Knowledge(self.lexicon, (*readers, spelling), self.judgements)

    def _shipped(self, encoder: str) -> Known:
        """The vectors of these texts that come with the product, so that not every training waits for them; none for another encoder."""
        if not (self.folder / VECTORS).is_file():
            return {}
        arrays = read_arrays(self.folder / VECTORS)
        if str(arrays["encoder"]) != encoder:
            return {}
        return {key.tobytes(): row for key, row in zip(arrays["digests"], arrays["vectors"], strict=True)}


def knowledge(folder: Path = TRAINING_DATA) -> Knowledge:
    """What ``training_data/`` teaches with the bundled encoder; the same for every catalog, so learnt once a process."""
    return _learnt(folder)


@lru_cache(maxsize=2)  # Beneath the default value, for to the cache knowledge() and knowledge(TRAINING_DATA) are two.
def _learnt(folder: Path) -> Knowledge:
    return Sources.of(folder).learnt()


def _phrases(split: str, folder: Path) -> tuple[Phrase, ...]:
    """What the classifier learns from: phrases, and both sides of the pairs, for it reads courses as well as gap texts."""
    return load_phrases(split, folder) + tuple(side for pair in load_pairs(split, folder) for side in pair)


def load_judgements(lexicon: Lexicon, folder: Path = TRAINING_DATA) -> Judgements:
    """The bundled gap texts judged against the bundled catalog."""
    catalog, _ = read_catalog(read_sheets(folder / "courses.csv"), lexicon)
    return read_judgements(catalog, folder / "judgements" / "queries.jsonl", folder / "judgements" / "qrels.tsv")


def train(
    catalog: Catalog,
    version: str = "untrained",
    folder: Path = TRAINING_DATA,
    encoders: Sequence[SentenceEncoder] | None = None,
    before: Recommender | None = None,
) -> Recommender:
    """Train on a catalog: learn how to weigh the evidence, make the catalog ready to be matched, measure on held-out texts.

    ``before`` is an earlier version: what it learnt from the same ``training_data/``, and the vectors of courses that have not changed,
    are taken over.
    """
    sources = Sources.of(folder, encoders)
    if before is not None and before.learnt == sources.fingerprint:
        matcher = before.matcher.for_catalog(catalog)
        return Recommender(version, sources.lexicon, matcher, catalog, ACCEPTED, before.metrics, before.learnt)
    known = knowledge(folder) if encoders is None else sources.learnt()
    judged = [Judged.of(known.judgements, classifier, known.lexicon) for classifier in known.classifiers]
    matcher = Matcher(known.classifiers, known.lexicon).ready([one.weights() for one in judged], catalog)
    metrics = measure(known, judged[0], folder)
    return Recommender(version, known.lexicon, matcher, catalog, ACCEPTED, metrics, sources.fingerprint)


def measure(known: Knowledge, judged: Judged, folder: Path = TRAINING_DATA) -> dict[str, Any]:
    """The metrics of a version's card: the ranking of judged texts left out of the weights, with and without summaries, and the
    naming of competencies in phrases of an author nobody trained on. ``judged`` is the evidence of the best classifier."""
    views = judged.held_out(FOLDS)
    metrics: dict[str, Any] = {"texts": len(known.judgements.texts)}
    metrics |= {name: summarise(known.judgements, view) for name, view in zip(("full", "titles"), views, strict=True)}
    return metrics | {"phrases": measure_phrases(known.classifiers[0], folder)}


def summarise(judgements: Judgements, relevance: NDArray[np.floating]) -> dict[str, float | None]:
    """Means over the judged texts of one relevance matrix (texts x courses): ranking, calibration, answerability."""
    ids = [course.id for course in judgements.catalog]
    grades = judgements.by_text()
    answerable = [any(grade >= ACCEPTED_GRADE for grade in grades[query].values()) for query in judgements.texts]
    rows = [
        evaluate_ranking(row, ids, grades[query])
        for query, row, known in zip(judgements.texts, relevance, answerable, strict=True)
        if known
    ]
    accepted = judgements.accepted()
    best = relevance.max(axis=1)
    # Nearly all pairs are surely not relevant; whether a stated relevance can be believed shows among the courses a planner sees.
    ten = np.argsort(-relevance, axis=1, kind="stable")[:, :10]
    best_ten, ten_accepted = np.take_along_axis(relevance, ten, axis=1), np.take_along_axis(accepted, ten, axis=1)
    return {
        **{name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]},
        "ece": round(expected_calibration_error(relevance.ravel(), accepted.ravel()), 4),
        "ece_top10": round(expected_calibration_error(best_ten.ravel(), ten_accepted.ravel()), 4),
        "brier": round(float(np.mean((relevance - accepted) ** 2)), 5),
        "answerable_auc": _separation(
            [value for value, known in zip(best, answerable, strict=True) if known],
            [value for value, known in zip(best, answerable, strict=True) if not known],
        ),
    }


def measure_phrases(classifier: CompetencyClassifier, folder: Path = TRAINING_DATA) -> dict[str, float | None]:
    """On the validation phrases: how often the most probable competency, or one of the three most probable, is a right one."""
    phrases = load_phrases("validation", folder)
    probabilities = classifier.predict_proba([phrase.text for phrase in phrases])
    nothing = probabilities[:, -1]
    named = [row for row, phrase in enumerate(phrases) if UNANSWERABLE not in phrase.competencies]
    order = np.argsort(-probabilities[:, :-1], axis=1, kind="stable")[:, :3]
    hits = [[classifier.classes_[place] in phrases[row].competencies for place in order[row]] for row in named]
    return {
        "texts": len(named),
        "top1": round(float(np.mean([hit[0] for hit in hits])), 4),
        "top3": round(float(np.mean([any(hit) for hit in hits])), 4),
        "unanswerable_auc": _separation(
            [nothing[row] for row in range(len(phrases)) if row not in set(named)], [nothing[row] for row in named]
        ),
    }


def _separation(positives: list[float], negatives: list[float]) -> float | None:
    """The area under the curve, or None where one side is empty: a card is JSON, which knows no NaN."""
    return round(area_under_curve(positives, negatives), 4) if positives and negatives else None
