"""Makes mixture.json with scikit-learn (Gaussian mixtures), StepMix (latent classes with missing values) and, for counts,
which StepMix does not have, a direct EM in numpy whose M step for zero-inflated counts is solved by scipy."""
import json
from importlib.metadata import version

import numpy as np
import pandas as pd
import scipy
import sklearn
from scipy.optimize import brentq
from scipy.stats import poisson
from sklearn.mixture import GaussianMixture
from stepmix.stepmix import StepMix

rng = np.random.default_rng(1)


def listed(v):
    """Missing as null."""
    return [[None if np.isnan(c) else float(c) for c in row] for row in np.atleast_2d(v)]


def gaussian():
    cases = []
    for n, d, k, shift in [(120, 2, 3, 0.0), (150, 5, 2, 100.0), (90, 1, 2, 0.0)]:
        centers = rng.uniform(-4, 4, (k, d)) + shift
        x = np.round(centers[rng.integers(0, k, n)] + rng.standard_normal((n, d)) @ (0.5 * rng.standard_normal((d, d)) + np.eye(d)), 3)
        means = x[rng.choice(n, k, replace=False)]
        weights = rng.dirichlet(np.full(k, 5.0))
        for shape, covariances in {
                "full": np.repeat(np.cov(x.T).reshape(1, d, d), k, axis=0), "tied": np.cov(x.T).reshape(d, d),
                "diag": np.repeat(x.var(axis=0)[None], k, axis=0), "spherical": np.full(k, x.var())}.items():
            precisions = np.linalg.inv(covariances) if shape in ("full", "tied") else 1 / covariances
            m = GaussianMixture(k, covariance_type=shape, tol=0, max_iter=30, reg_covar=1e-6, weights_init=weights,
                                means_init=means, precisions_init=precisions).fit(x)
            proba = m.predict_proba(x)
            cases.append(dict(
                shape=shape, x=x.tolist(), weights_init=weights.tolist(), means_init=means.tolist(),
                covariances_init=np.atleast_1d(covariances).ravel().tolist(), precisions_init=np.atleast_1d(precisions).ravel().tolist(),
                weights=m.weights_.tolist(), means=m.means_.tolist(), covariances=m.covariances_.ravel().tolist(),
                labels=m.predict(x).tolist(), proba=proba.tolist(), scores=m.score_samples(x).tolist(), bic=m.bic(x), aic=m.aic(x)))
    return cases


def latent():
    """Normal and categorical columns, 15 % of the cells missing; 40 iterations from random responsibilities."""
    n, k = 300, 3
    kind = rng.integers(0, k, n)
    x = np.column_stack([
        np.round(rng.normal(np.array([0.0, 2.0, 5.0])[kind], 1.0), 3), np.round(rng.normal(np.array([3.0, 0.0, 3.0])[kind], 0.7), 3),
        [rng.choice(3, p=p) for p in np.array([[.7, .2, .1], [.1, .8, .1], [.2, .2, .6]])[kind]],
        [rng.choice(2, p=p) for p in np.array([[.9, .1], [.5, .5], [.2, .8]])[kind]]]).astype(float)
    x[rng.random(x.shape) < 0.15] = np.nan
    start = []
    model = StepMix(k, measurement={"num": {"model": "gaussian_diag_nan", "n_columns": 2},
                                    "cat": {"model": "categorical_nan", "n_columns": 2}},
                    n_init=1, max_iter=40, abs_tol=0, rel_tol=0, random_state=5, progress_bar=0)
    step = model._m_step

    def watched(X, resp, *a, **kw):
        start.append(resp.copy())
        return step(X, resp, *a, **kw)
    model._m_step = watched
    model.fit(pd.DataFrame(x))
    parameters = model.get_parameters()["measurement"]
    proba = model.predict_proba(pd.DataFrame(x))
    return dict(x=listed(x), start=start[0].tolist(), n_steps=len(start), weights=model.weights_.tolist(),
                means=parameters["num"]["means"].tolist(), variances=parameters["num"]["covariances"].tolist(),
                probabilities=parameters["cat"]["pis"].tolist(), proba=proba.tolist(),
                log_likelihood=float(model.score(pd.DataFrame(x)) * n), n_parameters=int(model.n_parameters), bic=float(model.bic(pd.DataFrame(x))))


def counts():
    n, k = 250, 2
    kind = rng.integers(0, k, n)
    usual = rng.poisson(np.array([1.5, 6.0])[kind])
    rare = rng.poisson(np.array([4.0, 2.0])[kind]) * (rng.random(n) > np.array([0.2, 0.6])[kind])
    x = np.column_stack([usual, rare]).astype(float)
    x[rng.random(x.shape) < 0.1] = np.nan
    start = r = rng.dirichlet(np.full(k, 1.0), n)
    seen, cells = ~np.isnan(x), np.nan_to_num(x)
    for _ in range(61):
        w = r.mean(axis=0)
        size = seen.T.astype(float) @ r
        rate = (cells[:, 0] @ r) / size[0]
        total, zero = cells[:, 1] @ r, ((x[:, 1] == 0).astype(float)) @ r
        mean = total / (size[1] - zero)
        inflated = np.array([brentq(lambda v, m=m: v / -np.expm1(-v) - m, 1e-9, m + 1) for m in mean])
        share = 1 - (size[1] - zero) / (size[1] * -np.expm1(-inflated))
        assert (share > 0).all()
        first = np.where(seen[:, :1], poisson.logpmf(cells[:, :1], rate), 0)
        positive = np.log(1 - share) + poisson.logpmf(cells[:, 1:], inflated)
        at_zero = np.log(share + (1 - share) * np.exp(-inflated))
        second = np.where(seen[:, 1:], np.where(cells[:, 1:] == 0, at_zero, positive), 0)
        joint = np.log(w) + first + second
        density = np.logaddexp.reduce(joint, axis=1)
        r = np.exp(joint - density[:, None])
    return dict(x=listed(x), start=start.tolist(), weights=w.tolist(), rates=rate.tolist(), inflated=inflated.tolist(),
                zeros=share.tolist(), proba=r.tolist(), log_likelihood=density.sum())


header = (f"scikit-learn {sklearn.__version__}, StepMix {version('stepmix')}, scipy "
          f"{scipy.__version__}; made by mixture.py: same start, same number of iterations in double precision, so parameters agree "
          "to 1e-8 (rounding grows by a small factor in each of 30 to 60 iterations)")
json.dump(dict(header=header, gaussian=gaussian(), latent=latent(), counts=counts()), open("mixture.json", "w"), separators=(",", ":"))
