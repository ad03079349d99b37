"""Golden effects for tests/effects.rs: partial dependence of scikit-learn, accumulated effects of PyALE, and the
H-statistic by its definition in numpy.

effects.json: all of a function of five columns (`score` here and in the test); columns 0 to 2 are correlated, column 3 has
few values. Run: python make_effects.py (versions are written into the file).
"""
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from PyALE import ale
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence


def score(x):
    return x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] * x[:, 0] - 0.2 * x[:, 4] ** 2


class Model(RegressorMixin, BaseEstimator):
    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        return score(np.asarray(x, dtype=float))


rng = np.random.default_rng(8)
n = 120
x = rng.normal(size=(n, 5))
x[:, 1] += 0.8 * x[:, 0]
x[:, 2] -= 0.5 * x[:, 0]
x[:, 3] = rng.integers(0, 5, n)
x = np.round(x * 256) / 256
model = Model().fit(None, None)
out = dict(made_by=f"scikit-learn {version('scikit-learn')}, PyALE {version('PyALE')}", x=x.tolist(), partial=[], ale=[])
for feature, points in ((0, 12), (3, 12)):
    found = partial_dependence(model, x, [feature], grid_resolution=points, kind="both", method="brute")
    out["partial"].append(dict(feature=feature, points=points, grid=found["grid_values"][0].tolist(),
                               mean=found["average"][0].tolist(), curves=found["individual"][0].tolist()))
found = partial_dependence(model, x, [(0, 1)], grid_resolution=6, kind="average", method="brute")
out["pair"] = dict(grids=[g.tolist() for g in found["grid_values"]], mean=found["average"][0].tolist())
frame = pd.DataFrame(x, columns=list("abcde"))
for feature, bins in ((0, 10), (1, 8), (4, 20)):  # divisors of n: elsewhere PyALE takes quantiles of n - 1 rows
    found = ale(X=frame, model=model, feature=["abcde"[feature]], feature_type="continuous", grid_size=bins, include_CI=False,
                plot=False)
    out["ale"].append(dict(feature=feature, bins=bins, edges=found.index.tolist(), effect=found["eff"].tolist()))
found = ale(X=frame, model=model, feature=["d"], feature_type="discrete", include_CI=False, plot=False)
out["levels"] = dict(levels=found.index.tolist(), effect=found["eff"].tolist())
found = ale(X=frame, model=model, feature=["a", "b"], grid_size=4, plot=False)
out["ale_pair"] = dict(edges=[found.index.tolist(), found.columns.tolist()], effect=found.values.tolist())


def at_rows(columns):
    means = []
    for row in x:
        rows = x.copy()
        rows[:, columns] = row[columns]
        means.append(score(rows).mean())
    return np.array(means) - np.mean(means)


out["h"] = []
for i in range(5):
    for j in range(i + 1, 5):
        both = at_rows([i, j])
        out["h"].append([i, j, float(np.sqrt(((both - at_rows([i]) - at_rows([j])) ** 2).sum() / (both ** 2).sum()))])
Path(__file__).with_name("effects.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
