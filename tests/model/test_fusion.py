"""A made-up world of judged pairs: one kind of evidence that decides, one that helps a little, one that says nothing, one that never varies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy.special import expit

from model.fusion import SMALLEST, Fusion, curves

DECIDES, HELPS, NOISE, CONSTANT = range(4)
GRID = np.linspace(0, 1, 201)


def world(pairs: int = 3000) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    chance = np.random.default_rng(0)
    evidence = chance.random((pairs, 4), dtype=np.float32)
    evidence[:, CONSTANT] = 0.5
    log_odds = 8 * evidence[:, DECIDES] + 2 * evidence[:, HELPS] - 6
    return evidence, chance.random(pairs) < expit(log_odds)


EVIDENCE, ACCEPTED = world()
FUSION = Fusion().fit(EVIDENCE, ACCEPTED)

shares = st.floats(0, 1, width=32)
pairs = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(4)), elements=shares)


def relevance(evidence: NDArray[np.floating], fusion: Fusion = FUSION) -> NDArray[np.float32]:
    return fusion.probability(fusion.addends(evidence))


def by_sklearn(evidence: NDArray[np.floating], fusion: Fusion = FUSION) -> NDArray[np.float64]:
    """What the logistic regression itself says of the scaled curves, without any taking apart."""
    shaped = curves(evidence).reshape(len(evidence), -1)
    return np.asarray(fusion.weights_.predict_proba(fusion.scaler_.transform(shaped))[:, 1])


def test_the_curves_of_one_value_by_hand():
    assert curves(np.array([0.25])).tolist() == [
        [0.25, 0.5, pytest.approx(np.log(0.25 + SMALLEST)), pytest.approx(1 / 64)]
    ]


@given(evidence=arrays.arrays(np.float32, st.tuples(st.integers(0, 3), st.integers(1, 3)), elements=shares))
def test_curves_are_finite_in_double_precision_and_rise_with_the_evidence(evidence: NDArray[np.float32]):
    shaped = curves(evidence)
    assert (shaped.dtype, shaped.shape) == (np.float64, (*evidence.shape, 4))
    assert np.isfinite(shaped).all()
    assert (np.diff(curves(np.sort(evidence, axis=0)), axis=0) >= 0).all()


@given(evidence=pairs)
def test_the_addends_put_together_are_the_probability_the_regression_itself_gives(evidence: NDArray[np.float32]):
    np.testing.assert_allclose(relevance(evidence), by_sklearn(evidence), atol=1e-6)


@given(evidence=pairs)
def test_log_odds_are_those_of_no_evidence_plus_the_addends(evidence: NDArray[np.float32]):
    nothing = np.zeros((1, 4))
    offset = np.log(by_sklearn(nothing) / (1 - by_sklearn(nothing)))
    log_odds = FUSION.addends(evidence).sum(axis=1) + offset
    np.testing.assert_allclose(expit(log_odds), by_sklearn(evidence), atol=1e-9)


@given(evidence=pairs, silent=st.integers(0, 3))
def test_evidence_of_nought_adds_nought(evidence: NDArray[np.float32], silent: int):
    evidence[:, silent] = 0
    assert (FUSION.addends(evidence)[:, silent] == 0).all()


@given(evidence=pairs, changed=st.integers(0, 3), value=shares)
def test_the_addend_of_one_kind_of_evidence_does_not_know_the_others(
    evidence: NDArray[np.float32], changed: int, value: float
):
    before = FUSION.addends(evidence)
    evidence[:, changed] = value
    others = np.arange(4) != changed
    assert FUSION.addends(evidence)[:, others].tobytes() == before[:, others].tobytes()


@given(evidence=pairs, more=shares)
def test_more_useful_evidence_never_makes_a_course_less_relevant(evidence: NDArray[np.float32], more: float):
    for useful in (DECIDES, HELPS):
        richer = evidence.copy()
        richer[:, useful] = np.maximum(evidence[:, useful], np.float32(more))
        assert (relevance(richer) >= relevance(evidence) - 1e-3).all()


def test_the_probability_rises_all_the_way_with_the_evidence_that_decides():
    evidence = np.full((len(GRID), 4), 0.5)
    evidence[:, DECIDES] = GRID
    found = relevance(evidence)
    assert (np.diff(found) > 0).all()
    assert found[0] < 0.05
    assert found[-1] > 0.9


def test_addends_tell_what_decides_from_what_says_nothing():
    found = FUSION.addends(np.repeat(GRID[:, None], 4, axis=1))
    reach = np.ptp(found[20:], axis=0)  # From 0.1 on: hardly a pair of the world has less.
    assert reach[DECIDES] > 2 * reach[HELPS] > 2 * reach[NOISE]
    assert np.argmax(found[-1]) == DECIDES


def test_evidence_that_never_varied_adds_nothing_whatever_its_value():
    found = FUSION.addends(np.repeat(GRID[:, None], 4, axis=1))
    np.testing.assert_allclose(found[:, CONSTANT], 0, atol=1e-6)


def test_probabilities_are_on_average_the_share_of_accepted_pairs_and_near_the_truth():
    assert relevance(EVIDENCE).mean() == pytest.approx(ACCEPTED.mean(), abs=1e-4)
    truth = expit(8 * EVIDENCE[:, DECIDES] + 2 * EVIDENCE[:, HELPS] - 6)
    assert np.abs(relevance(EVIDENCE) - truth).mean() < 0.03


@given(evidence=pairs)
def test_probabilities_lie_strictly_between_0_and_1(evidence: NDArray[np.float32]):
    found = relevance(evidence)
    assert (found.dtype, found.shape) == (np.float32, (len(evidence),))
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("shape", [(0,), (1,), (12,), (3, 4), (2, 3, 2), (0, 5)])
def test_pairs_may_stand_in_any_table(shape: tuple[int, ...]):
    evidence = np.random.default_rng(1).random((*shape, 4))
    addends = FUSION.addends(evidence)
    assert addends.shape == evidence.shape
    found = FUSION.probability(addends)
    assert found.shape == shape
    assert found.ravel().tolist() == relevance(evidence.reshape(-1, 4)).tolist()


def test_learning_twice_gives_the_same_to_the_bit_and_the_order_of_the_pairs_no_other_weights():
    again = Fusion().fit(EVIDENCE, ACCEPTED)
    assert relevance(EVIDENCE, again).tobytes() == relevance(EVIDENCE).tobytes()
    turned = Fusion().fit(EVIDENCE[::-1], ACCEPTED[::-1])
    np.testing.assert_allclose(turned.addends(EVIDENCE[:50]), FUSION.addends(EVIDENCE[:50]), atol=1e-6)


def test_evidence_may_come_in_single_or_double_precision():
    double = Fusion().fit(EVIDENCE.astype(np.float64), ACCEPTED)
    assert relevance(EVIDENCE.astype(np.float64), double).tobytes() == relevance(EVIDENCE).tobytes()


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_the_order_of_the_kinds_of_evidence_means_nothing(order: tuple[int, ...]):
    places = list(order)
    turned = Fusion().fit(EVIDENCE[:, places], ACCEPTED)
    np.testing.assert_allclose(
        turned.addends(EVIDENCE[:50][:, places]), FUSION.addends(EVIDENCE[:50])[:, places], atol=1e-6
    )
    np.testing.assert_allclose(relevance(EVIDENCE[:, places], turned), relevance(EVIDENCE), atol=1e-6)


def test_one_kind_of_evidence_is_enough():
    alone = Fusion().fit(EVIDENCE[:, [DECIDES]], ACCEPTED)
    found = relevance(GRID[:, None], alone)
    assert found.shape == GRID.shape
    assert (np.diff(found) > 0).all()
