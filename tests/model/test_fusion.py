"""A made-up world of judged pairs: one kind of evidence that decides, one that helps a little, one that says nothing, one that never varies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy.special import expit, logit

from model.fusion import SMALLEST, Balance, Fusion, Weights, curves

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

ALIKE = (True, True, False, True)  # The balance leaves NOISE aside.
WEIGHTS = Weights.of(EVIDENCE, ACCEPTED, ALIKE)
PLAIN = WEIGHTS.plain

shares = st.floats(0, 1, width=32)
pairs = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(4)), elements=shares)
# Texts, courses, kinds of evidence.
tables = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 3), st.integers(1, 6), st.just(4)), elements=st.integers(0, 100)
)
tables = tables.map(lambda hundredths: hundredths / 100)


def relevance(evidence: NDArray[np.floating], fusion: Fusion = FUSION) -> NDArray[np.float64]:
    return np.asarray(expit(fusion.addends(evidence).sum(axis=-1) + fusion.offset))


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
def test_log_odds_are_those_of_no_evidence_plus_the_addends(evidence: NDArray[np.float32]):
    assert FUSION.offset == pytest.approx(logit(by_sklearn(np.zeros((1, 4))))[0], abs=1e-9)
    log_odds = FUSION.addends(evidence).sum(axis=1) + FUSION.offset
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
    found = WEIGHTS.relevance(evidence)
    assert (found.dtype, found.shape) == (np.float32, (len(evidence),))
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("shape", [(0,), (1,), (12,), (3, 4), (2, 3, 2), (0, 5)])
def test_pairs_may_stand_in_any_table(shape: tuple[int, ...]):
    evidence = np.random.default_rng(1).random((*shape, 4))
    addends = WEIGHTS.addends(evidence)
    assert addends.shape == evidence.shape
    found = WEIGHTS.probability(addends)
    assert found.shape == shape
    assert found.ravel().tolist() == WEIGHTS.relevance(evidence.reshape(-1, 4)).tolist()


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


def test_a_spread_of_one_kind_of_evidence_is_worth_as_much_as_a_spread_of_another():
    spreads = EVIDENCE.astype(np.float64).std(axis=0)
    raised = PLAIN.addends(np.diag(spreads))
    assert raised[DECIDES, DECIDES] == pytest.approx(raised[HELPS, HELPS]) == pytest.approx(PLAIN.weights_.coef_[0, 0])
    assert PLAIN.weights_.coef_[0, 0] > 0


@given(evidence=pairs, value=shares)
def test_what_does_not_speak_of_all_matters_alike_adds_nothing_and_changes_nothing(
    evidence: NDArray[np.float32], value: float
):
    before = PLAIN.addends(evidence)
    assert (before[..., NOISE] == 0).all()
    evidence[:, NOISE] = value
    np.testing.assert_array_equal(PLAIN.addends(evidence), before)


@given(evidence=pairs, column=st.sampled_from([DECIDES, HELPS]), more=st.floats(0, 1))
def test_in_the_balance_more_evidence_never_makes_a_course_less_probable(
    evidence: NDArray[np.float32], column: int, more: float
):
    raised = evidence.copy()
    raised[:, column] += np.float32(more)
    assert (WEIGHTS.relevance(raised, 0) >= WEIGHTS.relevance(evidence, 0)).all()


def test_the_balance_is_worth_what_was_accepted():
    found = WEIGHTS.relevance(EVIDENCE, 0)
    assert found.mean() == pytest.approx(ACCEPTED.mean(), abs=1e-4)
    assert found[ACCEPTED].mean() > found[~ACCEPTED].mean() + 0.2


def test_judgements_that_a_sum_separates_wholly_make_no_certainty():
    evidence = np.repeat([[0.0, 0, 0, 0], [1.0, 1, 0, 0]], 20, axis=0)
    found = Weights.of(evidence, evidence[:, 0] > 0, ALIKE).relevance(evidence, 0)
    assert ((found > 0.001) & (found < 0.999)).all()


def test_where_nothing_speaks_of_all_matters_alike_every_course_is_as_probable_as_any():
    nothing = Balance((False,) * 4).fit(EVIDENCE, ACCEPTED)
    assert not nothing.addends(EVIDENCE).any()
    assert expit(nothing.offset) == pytest.approx(ACCEPTED.mean(), abs=1e-6)


@given(evidence=pairs)
def test_the_addends_put_together_are_the_probability_the_regression_itself_gives(evidence: NDArray[np.float32]):
    np.testing.assert_allclose(WEIGHTS.relevance(evidence), by_sklearn(evidence, WEIGHTS.learnt), atol=1e-6)


@given(evidence=tables)
def test_on_a_wholly_familiar_catalog_only_what_was_learnt_speaks(evidence: NDArray[np.float64]):
    learnt = WEIGHTS.learnt.addends(evidence)
    assert WEIGHTS.addends(evidence, 1).tobytes() == WEIGHTS.addends(evidence).tobytes() == learnt.tobytes()
    expected = relevance(evidence, WEIGHTS.learnt)
    np.testing.assert_allclose(WEIGHTS.relevance(evidence, 1), expected, atol=1e-6)
    assert WEIGHTS.relevance(evidence).tobytes() == WEIGHTS.relevance(evidence, 1).tobytes()


@given(evidence=tables)
def test_on_a_wholly_unfamiliar_catalog_only_the_balance_speaks(evidence: NDArray[np.float64]):
    plain = PLAIN.addends(evidence)
    np.testing.assert_array_equal(WEIGHTS.addends(evidence, 0), plain)
    np.testing.assert_allclose(WEIGHTS.relevance(evidence, 0), expit(plain.sum(axis=-1) + PLAIN.offset), atol=1e-6)


@given(evidence=tables, familiar=st.floats(0, 1))
def test_in_between_the_log_odds_are_mixed_as_far_as_the_catalog_is_familiar(
    evidence: NDArray[np.float64], familiar: float
):
    learnt, plain = WEIGHTS.learnt.addends(evidence), PLAIN.addends(evidence)
    np.testing.assert_allclose(
        WEIGHTS.addends(evidence, familiar), familiar * learnt + (1 - familiar) * plain, atol=1e-9
    )
    log_odds = [learnt.sum(axis=-1) + WEIGHTS.learnt.offset, plain.sum(axis=-1) + PLAIN.offset]
    expected = expit(familiar * log_odds[0] + (1 - familiar) * log_odds[1])
    found = WEIGHTS.relevance(evidence, familiar)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    ends = np.stack([WEIGHTS.relevance(evidence, end) for end in (0, 1)])
    assert ((ends.min(axis=0) - 1e-6 <= found) & (found <= ends.max(axis=0) + 1e-6)).all()


@given(evidence=tables, familiar=st.floats(0, 1))
def test_addends_and_the_offset_of_the_mixture_give_the_probability(evidence: NDArray[np.float64], familiar: float):
    addends = WEIGHTS.addends(evidence, familiar)
    found = WEIGHTS.probability(addends, familiar)
    offset = familiar * WEIGHTS.learnt.offset + (1 - familiar) * PLAIN.offset
    np.testing.assert_allclose(found, expit(addends.sum(axis=-1) + offset), atol=1e-6)
    assert (found.dtype, found.shape) == (np.float32, evidence.shape[:-1])
    assert ((found >= 0) & (found <= 1)).all()
    assert WEIGHTS.relevance(evidence, familiar).tobytes() == found.tobytes()


def test_learning_the_weights_twice_gives_the_same():
    again = Weights.of(EVIDENCE, ACCEPTED, ALIKE)
    for familiar in (0, 0.5, 1):
        assert again.relevance(EVIDENCE, familiar).tobytes() == WEIGHTS.relevance(EVIDENCE, familiar).tobytes()
