"""Catalog -> a trained, evaluated version. Everything it learns from stands in ``training_data/``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions, load_pairs, load_phrases
from model.domain import Catalog
from model.encoder import bundled_encoder
from model.evaluation import area_under_curve, evaluate_ranking, expected_calibration_error
from model.evidence import descriptions
from model.feedback import Lesson, Piece, lesson
from model.files.courselists import read_catalog
from model.files.tables import read_arrays, read_sheets
from model.judgements import ACCEPTED_GRADE, Judgements, read_judgements
from model.learning import learn
from model.lexicon import TRAINING_DATA, Lexicon, load_lexicon
from model.matcher import Judged, Matcher
from model.recommender import Recommender
from model.vectors import Known, SentenceEncoder, Vectors

ACCEPTED = 0.5  # A course is offered where a planner would more likely accept it than not; see docs/architecture.md.
FAMILIAR = 0.5  # Below it, training says that the relevances of a catalog are hardly probabilities.
ENCODED_AT_ONCE = 512
VIEWS = ("full", "titles")  # The judged catalog as it is, and as bare titles.
VECTORS = Path("encoder") / "vectors.npz"

Reached = Callable[[str, int, int], None]


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

    def judged_by(self, classifier: CompetencyClassifier) -> Judged:
        """The evidence for the judged texts by a classifier of an earlier version, which has forgotten the judged catalog and forgets it again."""
        if classifier.vectors:
            classifier.vectors.come_with(self._shipped(classifier.vectors.name))
            known = dict(classifier.vectors.known)
        judged = Judged.of(self.judgements, classifier, self.lexicon)
        if classifier.vectors:
            classifier.vectors.known = known
        return judged

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
    feedback: Iterable[Piece] | None = None,
    reached: Reached = lambda stage, done, total: None,
) -> Recommender:
    """Train on a catalog: learn how to weigh the evidence, make the catalog ready to be matched, measure on held-out texts.

    ``before`` is an earlier version: what it learnt from the same ``training_data/``, and the vectors of courses that have not changed,
    are taken over; what it learnt from feedback is not. ``feedback`` is what planners said (None: nothing is learnt of it); what came of it stands
    in the metrics. ``reached`` is told the stage (fitting, calibrating, evaluating, features) and, where that can be counted, how many of all texts
    it has done; what is taken over is not told.
    """
    sources = Sources.of(folder, encoders)
    judged: list[Judged] | None = None
    if before is not None and before.learnt == sources.fingerprint:
        _encode(before.matcher.classifiers, catalog, reached)
        matcher, metrics = before.matcher.for_catalog(catalog), without_feedback(before.metrics)
    else:
        reached("fitting", 0, 0)
        known = knowledge(folder) if encoders is None else sources.learnt()
        reached("calibrating", 0, 0)
        judged = [Judged.of(known.judgements, classifier, known.lexicon) for classifier in known.classifiers]
        weights = [one.weights() for one in judged]
        reached("evaluating", 0, 0)
        metrics = measure(known, judged[0], folder)
        _encode(known.classifiers, catalog, reached)
        matcher = Matcher(known.classifiers, known.lexicon).ready(weights, catalog)
    if feedback is not None:
        found = lesson(feedback, catalog.row_of)
        if not found.missing and judged is None:
            judged = [sources.judged_by(classifier) for classifier in matcher.classifiers]
        matcher, metrics = _taught(found, matcher, judged or (), sources.judgements, catalog, metrics)
    return Recommender(version, sources.lexicon, matcher, catalog, ACCEPTED, metrics, sources.fingerprint)


def _encode(classifiers: Iterable[CompetencyClassifier], catalog: Catalog, reached: Reached) -> None:
    """Learn the vectors of the courses, by far the longest stage of a first training, some at a time."""
    texts = [text for course in catalog for text in descriptions(course)]
    for classifier in classifiers:
        if classifier.vectors:
            for start in range(0, len(texts), ENCODED_AT_ONCE):
                reached("features", start, len(texts))
                classifier.vectors.learn(texts[start : start + ENCODED_AT_ONCE])


def _taught(
    found: Lesson,
    matcher: Matcher,
    judged: Sequence[Judged],
    judgements: Judgements,
    catalog: Catalog,
    metrics: Mapping[str, Any],
) -> tuple[Matcher, dict[str, Any]]:
    """The matcher and its metrics after a lesson; both as they were, but for what is told of it, where the lesson is not taken."""
    learnt = learn(found, matcher, judged, judgements, catalog.row_of)
    told = {**metrics, "feedback": learnt.told}
    if learnt.weights is None or learnt.held_out is None:
        return matcher, told
    shipped = {name: metrics[name] for name in VIEWS}
    views = {name: summarise(judgements, view) for name, view in zip(VIEWS, learnt.held_out, strict=True)}
    return matcher.weighing(learnt.weights), told | views | {"feedback": {**learnt.told, "shipped": shipped}}


def without_feedback(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of a version as they were before it learnt from feedback."""
    shipped: Mapping[str, Any] = metrics.get("feedback", {}).get("shipped", {})
    return {name: shipped.get(name, value) for name, value in metrics.items() if name != "feedback"}


def measure(known: Knowledge, judged: Judged, folder: Path = TRAINING_DATA) -> dict[str, Any]:
    """The metrics of a version's card: the ranking of judged texts left out of the weights, with and without summaries, and the
    naming of competencies in phrases of an author nobody trained on. ``judged`` is the evidence of the best classifier."""
    views = judged.unseen
    metrics: dict[str, Any] = {"texts": len(known.judgements.texts)}
    metrics |= {name: summarise(known.judgements, view) for name, view in zip(VIEWS, views, strict=True)}
    return metrics | {"phrases": measure_phrases(known.classifiers[0], folder)}


def summarise(judgements: Judgements, relevance: NDArray[np.floating]) -> dict[str, Any]:
    """Means over the judged texts of one relevance matrix (texts x courses): ranking, in all and by the style of the texts, calibration,
    answerability."""
    ids = [course.id for course in judgements.catalog]
    grades = judgements.by_text()
    answerable = [any(grade >= ACCEPTED_GRADE for grade in grades[query].values()) for query in judgements.texts]
    rows = [
        evaluate_ranking(row, ids, grades[query])
        for query, row, known in zip(judgements.texts, relevance, answerable, strict=True)
        if known
    ]
    written = [judgements.styles.get(query) for query, known in zip(judgements.texts, answerable, strict=True) if known]
    by_style: dict[str, list[float]] = {}
    for row, style in zip(rows, written, strict=True):
        by_style.setdefault(style or "unknown", []).append(row["ndcg@10"])
    accepted = judgements.accepted()
    best = relevance.max(axis=1)
    # Nearly all pairs are surely not relevant; whether a stated relevance can be believed shows among the courses a planner sees.
    ten = np.argsort(-relevance, axis=1, kind="stable")[:, :10]
    best_ten, ten_accepted = np.take_along_axis(relevance, ten, axis=1), np.take_along_axis(accepted, ten, axis=1)
    return {
        **{name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]},
        "ndcg@10_by_style": {style: round(float(np.mean(values)), 4) for style, values in sorted(by_style.items())},
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
