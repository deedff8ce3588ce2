"""Two versions and judged cases -> how well each does on them, and how sure their difference is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.errors import EncoderUnavailable
from model.evaluation import bootstrap_interval, evaluate_ranking
from model.evidence import Evidence
from model.judgements import ACCEPTED_GRADE, Judgements
from model.recommender import Recommender
from model.vectors import Known

METRICS = {"ndcg@10": "匹配质量（nDCG@10）", "agreement": "与本单位评判的一致率"}


class Case(NamedTuple):
    """What a planner said of a course for a gap text."""

    text: str
    course: str
    accepted: bool


class Estimate(NamedTuple):
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """A metric before and after over the same cases, and the difference of each case (after less before)."""

    metric: str
    cases: int
    before: Estimate
    after: Estimate
    difference: Estimate


def judged_quality(
    before: Recommender, after: Recommender, judgements: Judgements, vectors: Mapping[str, Known]
) -> Quality:
    """nDCG@10 of each version's ranking of the judged catalog, over the judged texts that have an answer.

    Both have learnt from these texts: the values flatter them, their difference does not.
    """
    ids, grades = [course.id for course in judgements.catalog], judgements.by_text()
    answerable = [
        row
        for row, query in enumerate(judgements.texts)
        if any(one >= ACCEPTED_GRADE for one in grades[query].values())
    ]
    queries, read = list(judgements.texts), _Read(judgements, vectors)
    found = [
        np.array([evaluate_ranking(rows[row], ids, grades[queries[row]])["ndcg@10"] for row in answerable])
        for rows in (read.by(before), read.by(after))
    ]
    return _quality("ndcg@10", *found)


def own_quality(
    before: Recommender, after: Recommender, cases: Sequence[Case], same: Mapping[str, str]
) -> Quality | None:
    """How often each version offers what a planner accepted and leaves out what was rejected, over the cases whose course both catalogs
    hold; None where there are none."""
    old_to_new = {old: new for new, old in same.items()}
    known = [case for case in cases if case.course in before.catalog.row_of and case.course in old_to_new]
    if not known:
        return None
    texts = sorted({case.text for case in known})
    place = {text: row for row, text in enumerate(texts)}
    found = []
    for one, names in ((before, {case.course: case.course for case in known}), (after, old_to_new)):
        relevance = one.relevance(texts)
        offered = [
            relevance[place[case.text], one.catalog.row_of[names[case.course]]] >= one.accepted for case in known
        ]
        found.append(
            np.array([offer == case.accepted for offer, case in zip(offered, known, strict=True)], dtype=float)
        )
    return _quality("agreement", *found)


class _Read:
    """The evidence on judged texts, read once for versions that have learnt the same; their weights may differ still."""

    def __init__(self, judgements: Judgements, vectors: Mapping[str, Known]) -> None:
        self._judgements, self._vectors = judgements, vectors
        self._found: dict[tuple[str, str | None], tuple[NDArray[np.float32], float]] = {}

    def by(self, version: Recommender) -> NDArray[np.float32]:
        """Relevance of the judged courses to the judged texts, shape (texts, courses)."""
        for ranker in version.matcher.rankers_:
            key = (version.learnt or version.version, ranker.encoder)
            if key not in self._found:
                known = ranker.classifier.vectors
                if known:
                    known.known |= self._vectors.get(known.name, {})
                try:
                    evidence = Evidence(self._judgements.catalog, ranker.classifier, version.lexicon)
                    self._found[key] = evidence.of(list(self._judgements.texts.values())), evidence.familiar
                except EncoderUnavailable:
                    continue
            rows, familiar = self._found[key]
            return np.asarray(ranker.weights.relevance(rows, familiar), dtype=np.float32)
        raise EncoderUnavailable(version.version)


def _quality(metric: str, before: NDArray[np.floating], after: NDArray[np.floating]) -> Quality:
    return Quality(metric, len(before), *(_estimate(values) for values in (before, after, after - before)))


def _estimate(values: NDArray[np.floating]) -> Estimate:
    return Estimate(*(round(value, 4) for value in (float(values.mean()), *bootstrap_interval(values))))
