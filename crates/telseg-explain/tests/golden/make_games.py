"""Golden attributions for tests/golden_shap.rs, from shap's C code on the trees of a scikit-learn forest.

games.json: interventional values against 30 background rows, and path-dependent interactions. The trees have numeric
splits only: shap knows no others here.
Run: python make_games.py (versions are written into the file).
"""
import json
from pathlib import Path

import numpy as np
import shap
import sklearn
from make_shap import add, cells, down, empty
from sklearn.ensemble import RandomForestRegressor

rng = np.random.default_rng(11)
n, f = 500, 7
x = rng.normal(size=(n, f)).astype(np.float32)
y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + x[:, 3] * (x[:, 4] > 0) + 0.1 * rng.normal(size=n)
forest = RandomForestRegressor(4, max_leaf_nodes=40, random_state=2).fit(x, y)
trees = []
for estimator in forest.estimators_:
    t, tree = estimator.tree_, empty()
    for i in range(t.node_count):
        leaf = t.children_left[i] == -1
        add(tree, -1 if leaf else int(t.feature[i]), 0.0 if leaf else down(t.threshold[i]),
            value=[float(t.value[i, 0, 0]) / 4] if leaf else (), cover=float(t.weighted_n_node_samples[i]))
        tree["left"][-1], tree["right"][-1] = int(t.children_left[i]), int(t.children_right[i])
    trees.append(tree)
rows, background = x[:20], x[100:130]
against = shap.TreeExplainer(forest, background, feature_perturbation="interventional")
pairs = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent").shap_interaction_values(rows)
Path(__file__).with_name("games.json").write_text(json.dumps(dict(
    made_by=f"shap {shap.__version__}, scikit-learn {sklearn.__version__}", x=cells(rows), background=cells(background),
    base=[0.0], trees=trees, expected=[float(np.ravel(against.expected_value)[0])],
    shap=np.asarray(against.shap_values(rows)).tolist(), interactions=np.asarray(pairs).reshape(20, f, f).tolist()),
    separators=(",", ":")) + "\n")
