"""Golden trees for tests/forest/golden.rs, by scikit-learn (version in the file): weighted CART with missing values.

Weights are drawn, so that no two splits gain the same. Run: python make_trees.py
"""
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

here = Path(__file__).parent
rng = np.random.default_rng(3)
n = 220
x = rng.normal(size=(n, 4)).astype(np.float32)
x[rng.random(n) < 0.2, 1] = np.nan
weights = rng.uniform(0.5, 2, n).astype(np.float32)
number = (np.where(np.isnan(x[:, 1]), 2, x[:, 1]) + x[:, 0] * x[:, 2] + rng.normal(size=n) * 0.2 + 7).astype(np.float32)
classes = np.digitize(number, [6, 8])
share = 4.0 / weights.astype(np.float64).sum()
regressor = DecisionTreeRegressor(min_weight_fraction_leaf=share, random_state=0).fit(x, number, weights)
classifier = DecisionTreeClassifier(min_weight_fraction_leaf=share, random_state=0).fit(x, classes, weights)


def path(model, y):
    """Alpha and leaves of each step of cost-complexity pruning."""
    alphas = model.cost_complexity_pruning_path(x, y, weights).ccp_alphas
    kind = type(model)
    leaves = [kind(min_weight_fraction_leaf=share, random_state=0, ccp_alpha=max(alpha, 0) * (1 + 1e-9)).fit(x, y, weights).get_n_leaves()
              for alpha in alphas]
    return [[float(max(alpha, 0)), int(n)] for alpha, n in zip(alphas, leaves)]


cells = [[None if np.isnan(v) else float(v) for v in row] for row in x]
(here / "trees.json").write_text(json.dumps(dict(
    made_by=f"scikit-learn {sklearn.__version__}", rows=cells, weights=weights.tolist(), number=number.tolist(),
    classes=classes.tolist(), predicted=regressor.predict(x).tolist(),
    probabilities=classifier.predict_proba(x).tolist(), path=path(regressor, number), class_path=path(classifier, classes),
    leaves=[int(regressor.get_n_leaves()), int(classifier.get_n_leaves())]),
    separators=(",", ":")) + "\n")
print(regressor.get_n_leaves(), classifier.get_n_leaves())
