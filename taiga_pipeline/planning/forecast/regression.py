"""Ridge-shrunk logistic regression of counts, fitted by Newton's method.

The maximum of a posterior: binomial likelihood, a standard normal prior on each weight (McCullagh &
Nelder 1989, ch. 4; le Cessie & van Houwelingen 1992). The function is strictly concave, so there is
one maximum, and Newton's method with step halving finds it from anywhere. It is what
``LogisticRegression(C=1, fit_intercept=False)`` of scikit-learn fits; a test compares the two.
Loading that library takes longer than everything else that a forecast does, hence these lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Floats

MOST_STEPS: Final = 100
CLOSE_ENOUGH: Final = 1e-10
"""A step that would gain less log-likelihood than this is the last: Newton's steps square the
distance, so that it ends at the limit of the machine's numbers."""
_LEAST_STEP: Final = 1e-6


def ridge_logistic(design: Floats, yes: Floats, no: Floats) -> Floats:
    """Returns the weights of a logistic regression with a standard normal prior on each.

    ``yes`` and ``no`` count the outcomes of each row of ``design``; they need not be whole.
    """
    posterior = _Posterior(design, yes, no)
    weights = np.zeros(design.shape[1])
    for _ in range(MOST_STEPS):
        step, gain = posterior.step(weights)
        if gain < CLOSE_ENOUGH:
            return weights + step
        weights = weights + posterior.safe_length(weights, step, gain) * step
    return weights


@dataclass(frozen=True, slots=True)
class _Posterior:
    """The function that is to be maximised: the logarithm of likelihood times prior."""

    design: Floats
    yes: Floats
    no: Floats

    def step(self, weights: Floats) -> tuple[Floats, float]:
        """Returns Newton's step, and twice what it would gain were the function quadratic."""
        chances = logistic(self.design @ weights)
        total = self.yes + self.no
        slope = self.design.T @ (self.yes - total * chances) - weights
        spread = total * chances * (1.0 - chances)
        curvature = (self.design.T * spread) @ self.design + np.eye(len(weights))
        step: Floats = np.linalg.solve(curvature, slope).astype(np.float64, copy=False)
        return step, float(slope @ step)

    def safe_length(self, weights: Floats, step: Floats, gain: float) -> float:
        """Returns how much of a step to take: all of it, or less where that would lead astray."""
        here, length = self._height(weights), 1.0
        while length > _LEAST_STEP:
            if self._height(weights + length * step) >= here + 1e-4 * length * gain:
                break
            length /= 2
        return length

    def _height(self, weights: Floats) -> float:
        log_odds = self.design @ weights
        misses = self.yes @ np.logaddexp(0.0, -log_odds) + self.no @ np.logaddexp(0.0, log_odds)
        return float(-misses - weights @ weights / 2)


def logistic(log_odds: Floats) -> Floats:
    """Returns chances of log-odds, however large these are."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)))
