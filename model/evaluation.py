"""How good a ranking is. Each metric is one pure function with its definition; a perfect value is 1 unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[Sequence[int]], float]


def dcg(grades: Sequence[int]) -> float:
    """Discounted cumulative gain: the sum of (2^grade - 1) / log2(rank + 1), rank from 1 (Burges et al., ICML 2005)."""
    return float(sum((2**grade - 1) / np.log2(rank + 1) for rank, grade in enumerate(grades, start=1)))


def ndcg(ranked: Sequence[int], all_grades: Sequence[int], k: int = 10) -> float:
    """DCG of the first ``k`` grades over that of the best possible order; 0 where nothing is relevant."""
    best = dcg(sorted(all_grades, reverse=True)[:k])
    return dcg(ranked[:k]) / best if best else 0.0


def recall(ranked: Sequence[int], all_grades: Sequence[int], k: int = 10, least: int = 2) -> float:
    """Share of the courses of grade ``least`` or more found in the first ``k``, out of at most ``k``."""
    wanted = min(k, sum(grade >= least for grade in all_grades))
    return sum(grade >= least for grade in ranked[:k]) / wanted if wanted else 0.0


def precision(ranked: Sequence[int], k: int = 5, least: int = 2) -> float:
    """Share of the first ``k`` that have grade ``least`` or more."""
    return sum(grade >= least for grade in ranked[:k]) / k


def expected_calibration_error(
    probabilities: NDArray[np.floating], outcomes: NDArray[np.bool_], bins: int = 10
) -> float:
    """Mean distance between stated probability and observed share over equal-width bins, weighted by size; a perfect value is 0."""
    edges = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = edges == number
        if inside.any():
            error += inside.mean() * abs(probabilities[inside].mean() - outcomes[inside].mean())
    return float(error)


def area_under_curve(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Probability that a positive gets the larger value than a negative, ties counting half (Mann-Whitney); 0.5 is chance."""
    above = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return float(above / (len(positives) * len(negatives))) if positives and negatives else float("nan")


def bootstrap_interval(values: NDArray[np.floating], resamples: int = 2000) -> tuple[float, float]:
    """The 95 % percentile interval of the mean over resampled texts (Efron and Tibshirani, 1993); the same on every run."""
    means = np.random.default_rng(0).choice(values, (resamples, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def evaluate_ranking(
    relevance: NDArray[np.floating], ids: Sequence[str], grades: Mapping[str, int]
) -> dict[str, float]:
    """nDCG@10, recall@10 and precision@5 of one query. Equal relevance is ordered by course id, so the result is one."""
    order = sorted(range(len(ids)), key=lambda row: (-float(relevance[row]), ids[row]))[:10]
    ranked = [grades.get(ids[row], 0) for row in order]
    known = list(grades.values())
    return {"ndcg@10": ndcg(ranked, known), "recall@10": recall(ranked, known), "precision@5": precision(ranked)}
