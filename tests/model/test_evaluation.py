from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.evaluation import (
    area_under_curve,
    dcg,
    evaluate_ranking,
    expected_calibration_error,
    ndcg,
    precision,
    recall,
)

grades = st.lists(st.integers(0, 3), max_size=6)
values = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=6)


def test_dcg_by_hand() -> None:
    # (2^3 - 1) / log2(2) + (2^0 - 1) / log2(3) + (2^2 - 1) / log2(4) = 7 + 0 + 1.5
    assert dcg([3, 0, 2]) == pytest.approx(8.5)
    assert dcg([]) == 0.0


def test_ndcg_by_hand() -> None:
    best = 7 + 3 / math.log2(3) + 1 / 2
    assert ndcg([3, 0, 2], [1, 2, 3, 0]) == pytest.approx(8.5 / best)
    assert ndcg([3, 2, 1], [1, 2, 3, 0]) == pytest.approx(1.0)
    assert ndcg([0, 0, 3], [3], k=2) == 0.0


def test_where_nothing_is_relevant_every_metric_is_0() -> None:
    assert ndcg([0, 0], [0, 0]) == recall([0, 0], [0, 0]) == precision([0, 0]) == 0.0
    assert ndcg([], []) == recall([], []) == precision([]) == 0.0


@given(grades, st.integers(1, 5))
def test_ndcg_is_the_share_of_the_best_of_all_orders(ranked: list[int], k: int) -> None:
    best = max(dcg(order[:k]) for order in itertools.permutations(ranked))
    expected = dcg(ranked[:k]) / best if best else 0.0
    assert ndcg(ranked, ranked, k) == pytest.approx(expected)


@given(grades, grades, st.integers(1, 5))
def test_what_is_ranked_among_more_courses_is_never_more_than_perfect(
    ranked: list[int], others: list[int], k: int
) -> None:
    everything = ranked + others
    assert 0 <= ndcg(ranked, everything, k) <= 1 + 1e-12
    assert 0 <= recall(ranked, everything, k) <= 1
    assert 0 <= precision(ranked, k) <= 1


def test_recall_by_hand() -> None:
    assert recall([3, 0, 1, 2], [3, 2, 2, 1], k=4) == pytest.approx(2 / 3)
    assert recall([3, 2], [3, 3, 2, 2], k=2) == 1.0, "two places cannot hold four courses"
    assert recall([1, 1], [2, 1, 1], k=2) == 0.0
    assert recall([1], [1], k=2, least=1) == 1.0


def test_precision_by_hand() -> None:
    assert precision([3, 2, 1, 0, 2, 3]) == pytest.approx(3 / 5)
    assert precision([3], k=5) == pytest.approx(1 / 5), "an empty place is no hit"


@given(values, values)
def test_the_area_is_the_share_of_pairs_in_the_right_order(positives: list[float], negatives: list[float]) -> None:
    pairs = list(itertools.product(positives, negatives))
    right = sum(1.0 for p, n in pairs if p > n) + sum(0.5 for p, n in pairs if p == n)
    assert area_under_curve(positives, negatives) == pytest.approx(right / len(pairs))
    assert area_under_curve(negatives, positives) == pytest.approx(1 - right / len(pairs))


def test_the_area_by_hand() -> None:
    assert area_under_curve([0.9, 0.4], [0.4, 0.1]) == pytest.approx(3.5 / 4)
    assert area_under_curve([2.0], [1.0]) == 1.0
    assert area_under_curve([1.0], [1.0]) == 0.5


def test_without_positives_or_negatives_there_is_no_area() -> None:
    assert math.isnan(area_under_curve([], [0.5]))
    assert math.isnan(area_under_curve([0.5], []))


def test_the_calibration_error_by_hand() -> None:
    stated = np.array([0.15, 0.15, 0.85, 0.85])
    came = np.array([False, False, True, False])
    # Half of the values say 0.15 where 0 of 2 came true, half say 0.85 where 1 of 2 did.
    assert expected_calibration_error(stated, came) == pytest.approx(0.5 * 0.15 + 0.5 * 0.35)


def test_values_that_keep_their_word_have_no_calibration_error() -> None:
    stated = np.array([0.5, 0.5, 1.0, 1.0, 0.0])
    came = np.array([True, False, True, True, False])
    assert expected_calibration_error(stated, came) == pytest.approx(0.0)


def test_no_values_have_no_calibration_error() -> None:
    assert expected_calibration_error(np.array([]), np.array([], dtype=bool)) == 0.0


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=20))
def test_the_calibration_error_is_that_of_the_slow_definition(pairs: list[tuple[int, bool]]) -> None:
    stated = np.array([fortieth / 40 for fortieth, _ in pairs])
    came = np.array([outcome for _, outcome in pairs])
    bins: dict[int, list[tuple[float, bool]]] = {}
    for (fortieth, outcome), value in zip(pairs, stated, strict=True):
        bins.setdefault(min(fortieth // 4, 9), []).append((value, outcome))
    expected = sum(
        len(inside)
        / len(pairs)
        * abs(sum(v for v, _ in inside) / len(inside) - sum(o for _, o in inside) / len(inside))
        for inside in bins.values()
    )
    assert expected_calibration_error(stated, came) == pytest.approx(expected)


IDS = ("c1", "c2", "c3", "c4")


def test_a_ranking_is_evaluated_by_relevance_and_equal_courses_by_their_id() -> None:
    judged = {"c4": 3, "c1": 2}
    found = evaluate_ranking(np.array([0.1, 0.9, 0.1, 0.9]), IDS, judged)
    # In order c2 (0), c4 (3), c1 (2), c3 (0).
    assert found["ndcg@10"] == pytest.approx(dcg([0, 3, 2, 0]) / dcg([3, 2]))
    assert found["recall@10"] == 1.0
    assert found["precision@5"] == pytest.approx(2 / 5)


@given(st.permutations(range(4)))
def test_the_order_of_the_columns_changes_no_metric(order: list[int]) -> None:
    relevance, judged = np.array([0.5, 0.2, 0.5, 0.5]), {"c1": 1, "c3": 3, "c4": 2}
    shuffled = evaluate_ranking(relevance[order], [IDS[column] for column in order], judged)
    assert shuffled == evaluate_ranking(relevance, IDS, judged)


def test_only_the_first_ten_are_looked_at() -> None:
    ids = [f"c{number:02}" for number in range(12)]
    found = evaluate_ranking(np.linspace(1, 0, 12), ids, {"c11": 3})
    assert found == {"ndcg@10": 0.0, "recall@10": 0.0, "precision@5": 0.0}
