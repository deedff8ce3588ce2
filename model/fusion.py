"""Evidence -> relevance: the calibrated probability that a planner would accept a course for a gap.

A generalised additive model (Hastie and Tibshirani, 1990): each kind of evidence raises or lowers the log-odds by its own curve, and the
curves add up. So the weight of every kind of evidence in a relevance can be read off and told. What it learnt holds for the matters it was
learnt from; for a catalog about others, where competencies are recognised that are not there, words and vectors alone speak, and both alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

SMALLEST = 0.02  # Evidence below this counts as about none; keeps the logarithm finite.


SHAPES: tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], ...] = (
    lambda x: x,
    np.sqrt,
    lambda x: np.log(x + SMALLEST),
    lambda x: x * x * x,
)


def curves(evidence: NDArray[np.floating]) -> NDArray[np.float64]:
    """The shapes a curve is made of, for evidence of shape (..., features): returns (..., features, shapes)."""
    # Summing many pairs in single precision would let the processor's kernels and threads show in the weights.
    x = np.asarray(evidence, dtype=np.float64)
    return np.stack([shape(x) for shape in SHAPES], axis=-1)


class Said(NamedTuple):
    """Pairs that planners spoke of: evidence (pairs, features), accepted (pairs), and how many judged pairs each counts as."""

    evidence: NDArray[np.floating]
    accepted: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def among(self, kept: NDArray[np.bool_]) -> Said:
        """Some of the pairs."""
        return Said(self.evidence[kept], self.accepted[kept], self.weight[kept])


class Fusion(BaseEstimator):  # type: ignore[misc]
    """Weighs evidence into one probability.

    Attributes
    ----------
    scaler_ : StandardScaler
    weights_ : LogisticRegression
        Over the scaled curves; log-odds are its intercept plus one addend a feature.
    """

    def fit(self, evidence: NDArray[np.floating], accepted: NDArray[np.bool_], more: Said | None = None) -> Self:
        """Learn from judged pairs: evidence (pairs, features), accepted (pairs). What was said of ``more`` pairs is learnt with them, in their
        units, so that the weights with and without it can be held side by side."""
        shaped = curves(evidence).reshape(len(evidence), -1)
        self.scaler_ = StandardScaler().fit(shaped)
        scaled, weight = self.scaler_.transform(shaped), None
        if more is not None and len(more.accepted):
            said = self.scaler_.transform(curves(more.evidence).reshape(len(more.evidence), -1))
            # What lies outside all that was judged counts as being at its edge: a unit of hardly any spread would make it enormous.
            said = np.clip(said, scaled.min(axis=0), scaled.max(axis=0))
            weight = np.concatenate([np.ones(len(scaled)), more.weight])
            scaled, accepted = np.concatenate([scaled, said]), np.concatenate([accepted, more.accepted])
        self.weights_ = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8).fit(scaled, accepted, weight)
        return self

    def addends(self, evidence: NDArray[np.floating]) -> NDArray[np.float64]:
        """What each feature adds to the log-odds, over what it would add if it were nought; shape as the evidence."""
        x = np.asarray(evidence, dtype=np.float64)
        slopes = (self.weights_.coef_[0] / self.scaler_.scale_).reshape(x.shape[-1], -1)
        nothing = np.zeros(())
        # One shape after the other: all at once would take four times the memory, of which there are many courses' worth already.
        added = np.zeros(x.shape)
        for shape, slope in zip(SHAPES, slopes.T, strict=True):
            added += (shape(x) - shape(nothing)) * slope
        return added

    @property
    def offset(self) -> float:
        """The log-odds where there is no evidence at all."""
        slopes = self.weights_.coef_[0] / self.scaler_.scale_
        nothing = curves(np.zeros(len(slopes) // len(curves(np.zeros(())))))
        return float(self.weights_.intercept_[0] + slopes @ (nothing.ravel() - self.scaler_.mean_))


class Balance(BaseEstimator):  # type: ignore[misc]
    """Weighs words and vectors alike: the sum of the evidence of both, each in units of its own spread. Nothing is learnt but those
    units and what log-odds the sum is worth.

    Parameters
    ----------
    alike : sequence of bool
        Which features are summed; the others are left aside.
    """

    def __init__(self, alike: Sequence[bool]) -> None:
        self.alike = alike

    def fit(self, evidence: NDArray[np.floating], accepted: NDArray[np.bool_]) -> Self:
        """Learn from judged pairs: evidence (pairs, features), accepted (pairs)."""
        x = np.asarray(evidence, dtype=np.float64)
        self.units_ = np.where(self.alike, 1 / np.maximum(x.std(axis=0), SMALLEST / 10), 0.0)
        self.weights_ = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8).fit(
            (x @ self.units_)[:, None], accepted
        )
        return self

    def addends(self, evidence: NDArray[np.floating]) -> NDArray[np.float64]:
        """What each feature adds to the log-odds; shape as the evidence."""
        return np.asarray(np.asarray(evidence, dtype=np.float64) * self.units_ * self.weights_.coef_[0, 0])

    @property
    def offset(self) -> float:
        """The log-odds where there is no evidence at all."""
        return float(self.weights_.intercept_[0])


@dataclass(frozen=True)
class Weights:
    """Both ways to weigh. ``familiar`` (0 to 1) is how far the catalog is about what was learnt; the log-odds are mixed accordingly."""

    learnt: Fusion
    plain: Balance

    @classmethod
    def of(
        cls,
        evidence: NDArray[np.floating],
        accepted: NDArray[np.bool_],
        alike: Sequence[bool],
        more: Said | None = None,
    ) -> Self:
        """Learn from judged pairs: evidence (pairs, features), accepted (pairs). The plain sum learns nothing from ``more``: it stands for
        matters that nobody here knows."""
        return cls(Fusion().fit(evidence, accepted, more), Balance(alike).fit(evidence, accepted))

    def addends(self, evidence: NDArray[np.floating], familiar: float = 1.0) -> NDArray[np.float64]:
        """What each feature adds to the log-odds; shape as the evidence, (..., features)."""
        addends = familiar * self.learnt.addends(evidence)
        return addends if familiar == 1 else addends + (1 - familiar) * self.plain.addends(evidence)

    def probability(self, addends: NDArray[np.float64], familiar: float = 1.0) -> NDArray[np.float32]:
        """Probabilities (0 to 1) for addends of shape (..., features); returns (...)."""
        offset = familiar * self.learnt.offset + (1 - familiar) * self.plain.offset
        return np.asarray(expit(addends.sum(axis=-1) + offset), dtype=np.float32)

    def relevance(self, evidence: NDArray[np.floating], familiar: float = 1.0) -> NDArray[np.float32]:
        """Probabilities (0 to 1) for evidence of shape (..., features); returns (...)."""
        return self.probability(self.addends(evidence, familiar), familiar)
