"""What planners said -> weights of the fusion learnt with it, or the reason why not; and how far they would change what held-out texts are given.

The judgements that come with the product stay the ground: they are learnt with the feedback, and the weights are taken only where the ranking of
judged texts that were left out, and the probabilities stated for them, do not suffer. Feedback on a text near to one that is measured on is left
out of the weights it is measured with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from model.evaluation import bootstrap_interval
from model.feedback import Lesson
from model.fusion import Said, Weights
from model.judgements import Judgements
from model.lexicon import bare
from model.matcher import Judged, Matcher, Ranker
from model.vectors import Vectors

TRUST = 3.0  # Judged pairs that one planner's word counts as.
TOLERANCE = {"ndcg@10": 0.002, "brier_top10": 0.02}  # By how much the held-out judgements may be served worse.
KNOWN_MATTERS = 0.5  # How familiar a catalog must be: evidence from matters nobody here knows would teach chance.
NEAR_VECTORS, NEAR_LETTERS = (
    0.8,
    75.0,
)  # Cosine of sentence vectors, and likeness of spelling in percent, from which two texts are near.
CHUNK = 64
TYPICAL = 0.5  # Where the worth of a kind of evidence is told.

FOREIGN = "课程目录与本产品熟悉的领域相差太远，从中学不到可靠的权重"
WORSE = {
    "ndcg@10": "学习之后，随产品提供的评判题排序变差",
    "brier_top10": "学习之后，随产品提供的评判题上所说的把握变得不准",
}


@dataclass(frozen=True)
class Learnt:
    """What came of a lesson: ``weights``, one a classifier, or None where they are not taken; ``held_out`` relevance by the best classifier, shape
    (views, texts, courses); ``told`` is plain JSON for the card."""

    weights: tuple[Weights, ...] | None
    held_out: NDArray[np.float32] | None
    told: dict[str, Any]


def learn(
    lesson: Lesson,
    matcher: Matcher,
    judged: Sequence[Judged],
    judgements: Judgements,
    ids: Mapping[str, int],
) -> Learnt:
    """Learn the weights anew with what planners said. ``matcher`` is ready for the catalog that was spoken of, ``ids`` its rows, ``judged`` the
    evidence of the bundled judgements, one a classifier. EncoderUnavailable where a classifier cannot read."""
    told: dict[str, Any] = summary(lesson)
    why = lesson.missing or ((FOREIGN,) if matcher.rankers_[0].evidence.familiar < KNOWN_MATTERS else ())
    if why:
        return Learnt(None, None, told | {"taken": False, "why": list(why)})
    close = near(lesson.texts, list(judgements.texts.values()), matcher.classifiers[0].vectors)
    place = {text: row for row, text in enumerate(lesson.texts)}
    pairs_near = close[[place[text] for text, _ in lesson.pairs]]
    weights, quality, kept = [], [], None
    for ranker, own in zip(matcher.rankers_, judged, strict=True):
        more = said(lesson, ranker, ids)
        before, after = own.unseen, own.held_out(more=more, near=pairs_near)
        quality.append(compared(judgements, before, after))
        weights.append(own.weights(more=more))
        kept = after if kept is None else kept
    why = tuple(dict.fromkeys(WORSE[name] for one in quality for name in one if _suffers(name, one[name])))
    told |= {
        "left_out_of_measuring": int(close.any(axis=1).sum()),
        "weights": {
            "before": worths(judged[0].features, matcher.shipped[0]),
            "after": worths(judged[0].features, weights[0]),
        },
        "quality": quality[0],
        "quality_degraded": quality[-1],
    }
    if why:
        return Learnt(None, None, told | {"taken": False, "why": list(why)})
    return Learnt(tuple(weights), kept, told | {"taken": True, "why": []})


def summary(lesson: Lesson) -> dict[str, Any]:
    """What a lesson is made of, as plain JSON."""
    return {
        "pairs": len(lesson.pairs),
        "texts": len(lesson.texts),
        "planners": lesson.planners,
        "planners_capped": lesson.cut,
        "pieces": {str(kind): count for kind, count in lesson.pieces.items()},
        "dropped": dict(lesson.dropped),
    }


def said(lesson: Lesson, ranker: Ranker, rows: Mapping[str, int]) -> Said:
    """The evidence of what was said, by one ranker."""
    texts, found = lesson.texts, []
    of: dict[str, list[str]] = {text: [] for text in texts}
    for text, course in lesson.pairs:
        of[text].append(course)
    for start in range(0, len(texts), CHUNK):
        some = texts[start : start + CHUNK]
        for text, evidence in zip(some, ranker.evidence.of(some), strict=True):
            found.append(evidence[[rows[course] for course in of[text]]])
    worth = np.array([lesson.pairs[text, course] for text in texts for course in of[text]])
    return Said(np.concatenate(found), worth > 0, np.abs(worth) * TRUST)


def near(texts: Sequence[str], others: Sequence[str], vectors: Vectors | None) -> NDArray[np.bool_]:
    """Which texts are the same or nearly, by spelling or by meaning; shape (texts, others)."""
    spelt = process.cdist([bare(text) for text in texts], [bare(text) for text in others], scorer=fuzz.ratio)
    close = np.asarray(spelt >= NEAR_LETTERS)
    if vectors is not None:
        close |= (vectors.of(texts) @ vectors.of(others).T) >= NEAR_VECTORS
    return close


def worths(features: Sequence[str], weights: Weights) -> dict[str, float]:
    """What each kind of evidence adds to the log-odds where it is half of what it can be, and the log-odds where there is none."""
    half = np.full(len(features), TYPICAL)
    told = dict(zip(features, weights.learnt.addends(half).tolist(), strict=True))
    return {name: round(value, 3) for name, value in told.items()} | {"offset": round(weights.learnt.offset, 3)}


def compared(
    judgements: Judgements, before: NDArray[np.floating], after: NDArray[np.floating]
) -> dict[str, dict[str, Any]]:
    """Two relevances (views, texts, courses) side by side, text by text: nDCG@10 of the texts that have an answer, and the squared error of what is
    stated for the ten best courses; means over the views, and the difference with its 95 % interval."""
    grades, accepted = graded(judgements), judgements.accepted()
    answerable = accepted.any(axis=1)
    found = {}
    for name, one, two in (
        ("ndcg@10", ndcgs(before, grades)[answerable], ndcgs(after, grades)[answerable]),
        ("brier_top10", errors(before, accepted), errors(after, accepted)),
    ):
        found[name] = {
            "before": round(float(one.mean()), 4),
            "after": round(float(two.mean()), 4),
            "difference": round(float((two - one).mean()), 4),
            "interval": [round(edge, 4) for edge in bootstrap_interval(two - one)],
        }
    return found


def _suffers(name: str, one: Mapping[str, Any]) -> bool:
    worse: float = one["difference"] if name == "brier_top10" else -one["difference"]
    return worse > TOLERANCE[name]


def graded(judgements: Judgements) -> NDArray[np.int_]:
    """The grades as a matrix, shape (texts, courses)."""
    grades = np.zeros((len(judgements.texts), len(judgements.catalog)), dtype=int)
    row_of = {query: row for row, query in enumerate(judgements.texts)}
    for (query, course), grade in judgements.grades.items():
        grades[row_of[query], judgements.catalog.row_of[course]] = grade
    return grades


def ndcgs(relevance: NDArray[np.floating], grades: NDArray[np.int_]) -> NDArray[np.float64]:
    """nDCG@10 of each text, the mean of the views of shape (views, texts, courses); 0 where nothing is relevant."""
    discount = 1 / np.log2(np.arange(2, 12))[: grades.shape[1]]
    gains = 2.0**grades - 1
    best = -np.sort(-gains, axis=1)[:, :10] @ discount
    ranked = [np.take_along_axis(gains, _ten(view), axis=1) @ discount for view in relevance]
    return np.asarray(np.mean(ranked, axis=0) / np.where(best, best, 1.0))


def errors(relevance: NDArray[np.floating], accepted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean squared error of what is stated for the ten best courses of each text; the mean of the views."""
    found = [
        ((np.take_along_axis(view, _ten(view), axis=1) - np.take_along_axis(accepted, _ten(view), axis=1)) ** 2).mean(
            axis=1
        )
        for view in relevance
    ]
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)


def _ten(view: NDArray[np.floating]) -> NDArray[np.intp]:
    return np.argsort(-view, axis=1, kind="stable")[:, :10]
