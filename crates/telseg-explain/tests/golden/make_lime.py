"""Golden stand-ins for tests/lime.rs, from the lime package on its own perturbations.

lime.json: for rows of a table (binned, and as numbers) and for a text: what lime perturbed, the scores and kernel weights
of that, and the features and weights that it chose in each way.
Run: python make_lime.py (versions are written into the file).
"""
import json
from importlib.metadata import version
from pathlib import Path

import lime.lime_base
import lime.lime_tabular
import lime.lime_text
import numpy as np


def score(x):
    p = 1 / (1 + np.exp(-(x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 2 * (x[:, 3] > 0.5) - x[:, 4])))
    return np.column_stack([1 - p, p])


found = []
fit = lime.lime_base.LimeBase.explain_instance_with_data


def record(self, data, labels, distances, label, num_features, feature_selection="auto", model_regressor=None):
    answers = {}
    for selection in ("forward_selection", "highest_weights", "lasso_path", "none"):
        intercept, parts, r2, prediction = fit(self, data, labels, distances, label, num_features, selection)
        answers[selection] = dict(intercept=float(intercept), parts=[[int(f), float(w)] for f, w in parts], r2=float(r2),
                                  prediction=float(np.ravel(prediction)[0]))
    dense = np.asarray(data.todense() if hasattr(data, "todense") else data, dtype=float)
    found.append(dict(z=dense.tolist(), y=labels[:, label].tolist(), weights=self.kernel_fn(distances).tolist(),
                      n_kept=num_features, answers=answers))
    return fit(self, data, labels, distances, label, num_features, feature_selection, model_regressor)


lime.lime_base.LimeBase.explain_instance_with_data = record
rng = np.random.default_rng(4)
x = np.round(rng.normal(size=(300, 6)), 3)
for discretize, n_kept in ((True, 4), (False, 3)):
    explainer = lime.lime_tabular.LimeTabularExplainer(x, discretize_continuous=discretize, random_state=1)
    explainer.explain_instance(x[7], score, num_features=n_kept, num_samples=150)
text = "the network is down again and nobody answers so I will cancel the contract"
angry = lambda texts: np.array([[1 - p, p] for p in (0.1 + 0.5 * ("cancel" in t) + 0.2 * ("down" in t) * ("again" in t)
                                                     for t in texts)])
lime.lime_text.LimeTextExplainer(random_state=2).explain_instance(text, angry, num_features=4, num_samples=150)
Path(__file__).with_name("lime.json").write_text(json.dumps(dict(
    made_by=f"lime {version('lime')}, scikit-learn {version('scikit-learn')}", cases=found), separators=(",", ":")) + "\n")
