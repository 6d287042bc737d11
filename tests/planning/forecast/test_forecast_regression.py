"""The regressions beneath forecasts are what an independent, well-known library fits, too."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.planning.forecast.record import Floats  # noqa: E402
from taiga_pipeline.planning.forecast.regression import logistic, ridge_logistic  # noqa: E402


def sample(seed: int) -> tuple[Floats, Floats, Floats]:
    """Counts of some groups, with a nearly free intercept and effects of unequal width."""
    source = np.random.default_rng(seed)
    rows, columns = int(source.integers(1, 60)), int(source.integers(1, 12))
    widths = source.choice([0.0, 0.3, 1.0, 30.0], columns)
    design = np.hstack([np.full((rows, 1), 30.0), source.random((rows, columns)) * widths])
    chances = logistic(source.normal(-2, 2, rows))
    total = source.integers(0, 2_000, rows)
    yes = source.binomial(total, chances)
    return design, yes.astype(float), (total - yes).astype(float)


@pytest.mark.parametrize("seed", range(25))
def test_it_is_the_fit_of_scikit_learn(seed: int) -> None:
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    design, yes, no = sample(seed)
    counts = np.concatenate([yes, no])
    used = counts > 0
    outcomes = np.repeat([1, 0], len(design))[used]
    if len(set(outcomes.tolist())) < 2:
        pytest.skip("the library wants both outcomes")
    model = linear.LogisticRegression(
        C=1.0, fit_intercept=False, solver="newton-cholesky", max_iter=500, tol=1e-12
    )
    model.fit(np.vstack([design, design])[used], outcomes, sample_weight=counts[used])
    theirs = logistic(design @ model.coef_[0])
    assert logistic(design @ ridge_logistic(design, yes, no)) == pytest.approx(theirs, rel=1e-7)


@pytest.mark.parametrize("seed", range(25))
def test_no_weight_can_be_moved_for_the_better(seed: int) -> None:
    design, yes, no = sample(seed)
    weights = ridge_logistic(design, yes, no)
    slope = design.T @ (yes - (yes + no) * logistic(design @ weights)) - weights
    assert abs(slope).max() <= 1e-9 * max(1.0, float((yes + no).sum()))


def test_outcomes_that_a_column_tells_apart_get_finite_weights() -> None:
    design = np.array([[30.0, 1.0], [30.0, -1.0]])
    weights = ridge_logistic(design, np.array([1e6, 0.0]), np.array([0.0, 1e6]))
    assert np.isfinite(weights).all()
    first, second = logistic(design @ weights)
    assert first > 0.99 > 0.01 > second


def test_nothing_seen_is_nothing_learnt() -> None:
    design = np.array([[30.0, 1.0]])
    assert (ridge_logistic(design, np.zeros(1), np.zeros(1)) == 0).all()
