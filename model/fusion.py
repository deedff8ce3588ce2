"""Evidence -> relevance: the calibrated probability that a planner would accept a course for a gap.

A generalised additive model (Hastie and Tibshirani, 1990): each kind of evidence raises or lowers the log-odds by its own curve, and the
curves add up. So the weight of every kind of evidence in a relevance can be read off and told.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

SMALLEST = 0.02  # Evidence below this counts as about none; keeps the logarithm finite.


def curves(evidence: NDArray[np.floating]) -> NDArray[np.float64]:
    """The shapes a curve is made of, for evidence of shape (..., features): returns (..., features, shapes)."""
    # Summing many pairs in single precision would let the processor's kernels and threads show in the weights.
    x = np.asarray(evidence, dtype=np.float64)
    return np.stack([x, np.sqrt(x), np.log(x + SMALLEST), x**3], axis=-1)


class Fusion(BaseEstimator):  # type: ignore[misc]
    """Weighs evidence into one probability.

    Attributes
    ----------
    scaler_ : StandardScaler
    weights_ : LogisticRegression
        Over the scaled curves; log-odds are its intercept plus one addend a feature.
    """

    def fit(self, evidence: NDArray[np.floating], accepted: NDArray[np.bool_]) -> Self:
        """Learn from judged pairs: evidence (pairs, features), accepted (pairs)."""
        shaped = curves(evidence).reshape(len(evidence), -1)
        self.scaler_ = StandardScaler().fit(shaped)
        self.weights_ = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8).fit(
            self.scaler_.transform(shaped), accepted
        )
        return self

    def addends(self, evidence: NDArray[np.floating]) -> NDArray[np.float64]:
        """What each feature adds to the log-odds, over what it would add if it were nought; shape as the evidence."""
        shaped = curves(evidence)
        slopes = (self.weights_.coef_[0] / self.scaler_.scale_).reshape(shaped.shape[-2:])
        return np.asarray(((shaped - curves(np.zeros(len(slopes)))) * slopes).sum(axis=-1))

    def probability(self, addends: NDArray[np.float64]) -> NDArray[np.float32]:
        """Probabilities (0 to 1) for addends of shape (..., features); returns (...)."""
        slopes = self.weights_.coef_[0] / self.scaler_.scale_
        nothing = curves(np.zeros(addends.shape[-1])).ravel()
        offset = self.weights_.intercept_[0] + slopes @ (nothing - self.scaler_.mean_)
        return np.asarray(expit(addends.sum(axis=-1) + offset), dtype=np.float32)
