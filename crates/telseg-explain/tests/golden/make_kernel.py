"""Golden attributions for tests/agnostic.rs, from shap's KernelExplainer.

kernel.json: the coalitions that shap drew, their weights, and the values that it solved for, of a function of ten columns
(`score` here and in the test). Columns are f32 numbers of few digits, so that both sides get the same.
Run: python make_kernel.py (versions are written into the file).
"""
import json
from pathlib import Path

import numpy as np
import shap


def score(x):
    return (x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 2 * (x[:, 3] > 0.5) * x[:, 4] * x[:, 5] - x[:, 6] ** 2 + 0.3 * x[:, 7]
            + np.exp(-x[:, 8] ** 2) * x[:, 9])


rng = np.random.default_rng(5)
x = np.round(rng.normal(size=(14, 10)) * 64) / 64
background, rows = x[:8], x[8:]
np.random.seed(3)
cases = []
for row in rows[:3]:
    explainer = shap.KernelExplainer(score, background)
    values = explainer.shap_values(row, nsamples=160, l1_reg=False)
    cases.append(dict(row=row.tolist(), known=explainer.maskMatrix.astype(int).tolist(),
                      weights=explainer.kernelWeights.tolist(), values=values.tolist()))
Path(__file__).with_name("kernel.json").write_text(json.dumps(dict(
    made_by=f"shap {shap.__version__}", background=background.tolist(), cases=cases,
    expected=float(explainer.expected_value)), separators=(",", ":")) + "\n")
