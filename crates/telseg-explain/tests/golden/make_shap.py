"""Golden attributions for tests/golden_shap.rs, from shap's TreeExplainer (tree_path_dependent).

lightgbm.json: LightGBM's own TreeSHAP (shap hands boosters to it), missing values and categorical splits.
forest.json:   shap's C code on a scikit-learn forest with three outputs (vector leaves), deep trees.
Run: python make_shap.py (versions are written into the files).
"""
import json
from pathlib import Path

import lightgbm
import numpy as np
import shap
import sklearn
from sklearn.ensemble import RandomForestRegressor

here = Path(__file__).parent


def down(threshold):
    """The largest f32 that is not above: `x <= threshold` stays the same question for f32 values."""
    t = np.float32(threshold)
    return float(t if t <= threshold else np.nextafter(t, np.float32(-np.inf)))


def empty():
    return {k: [] for k in ("feature", "threshold", "levels", "missing_left", "left", "right", "value", "cover")}


def add(tree, feature=-1, threshold=0.0, levels=None, missing_left=0, value=(), cover=0.0):
    for key, cell in dict(feature=feature, threshold=threshold, levels=levels, missing_left=missing_left, left=-1,
                          right=-1, value=list(value), cover=cover).items():
        tree[key].append(cell)
    return len(tree["feature"]) - 1


def from_lightgbm(node, tree):
    if "leaf_value" in node:
        return add(tree, value=[node["leaf_value"]], cover=node["leaf_count"])
    categorical = node["decision_type"] == "=="
    at = add(tree, node["split_feature"], 0.0 if categorical else down(node["threshold"]),
             [int(c) for c in node["threshold"].split("||")] if categorical else None,
             0 if categorical else int(node["default_left"] if node["missing_type"] == "NaN" else 0 <= node["threshold"]),
             cover=node["internal_count"])
    tree["left"][at] = from_lightgbm(node["left_child"], tree)
    tree["right"][at] = from_lightgbm(node["right_child"], tree)
    return at


def cells(a):
    return [[None if np.isnan(v) else float(v) for v in row] for row in np.asarray(a, dtype=float)]


def write(name, made_by, x, trees, base, expected, values):
    (here / name).write_text(json.dumps(dict(made_by=made_by, x=cells(x), trees=trees, base=base, expected=expected,
                                             shap=values), separators=(",", ":")) + "\n")



def main():
    rng = np.random.default_rng(7)
    n = 600
    x = np.column_stack([rng.normal(size=n), rng.exponential(size=n), rng.integers(0, 9, n), rng.integers(0, 70, n),
                         rng.normal(size=n)]).astype(np.float32)
    x[rng.random(n) < 0.15, 0] = np.nan
    x[rng.random(n) < 0.10, 2] = np.nan
    y = (np.nan_to_num(x[:, 0]) * 1.5 + np.isin(x[:, 2], [1, 4, 5]) * 2 + (x[:, 3] % 3 == 0) * x[:, 1]
         + np.isnan(x[:, 0]) + rng.normal(size=n) * 0.3)
    booster = lightgbm.train(dict(objective="regression", num_leaves=12, min_data_in_leaf=5, verbose=-1, num_threads=1,
                                  deterministic=True, cat_smooth=1, min_data_per_group=5),
                             lightgbm.Dataset(x, y, categorical_feature=[2, 3]), 6)
    trees = []
    for info in booster.dump_model()["tree_info"]:
        trees.append(empty())
        from_lightgbm(info["tree_structure"], trees[-1])
    rows = x[:40]
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    values = explainer.shap_values(rows)
    write("lightgbm.json", f"shap {shap.__version__}, lightgbm {lightgbm.__version__}", rows, trees, [0.0],
          [float(np.ravel(explainer.expected_value)[0])], [[[float(v)] for v in row] for row in values])

    n, f = 400, 15
    x = rng.normal(size=(n, f)).astype(np.float32)
    y = np.column_stack([x[:, 0] * x[:, 1] + x[:, 2], np.sin(2 * x[:, 3]) + x[:, 4] * x[:, 5], x[:, 6:].sum(1)])
    forest = RandomForestRegressor(3, max_leaf_nodes=60, max_features=0.5, random_state=1).fit(x, y)
    trees = []
    for estimator in forest.estimators_:
        t, tree = estimator.tree_, empty()
        for i in range(t.node_count):
            leaf = t.children_left[i] == -1
            add(tree, -1 if leaf else int(t.feature[i]), 0.0 if leaf else down(t.threshold[i]),
                value=(t.value[i, :, 0] / 3).tolist() if leaf else (), cover=float(t.weighted_n_node_samples[i]))
            tree["left"][-1], tree["right"][-1] = int(t.children_left[i]), int(t.children_right[i])
        trees.append(tree)
    rows = x[:12]
    explainer = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    values = np.asarray(explainer.shap_values(rows))
    assert values.shape == (12, f, 3), values.shape
    write("forest.json", f"shap {shap.__version__}, scikit-learn {sklearn.__version__}", rows, trees, [0.0] * 3,
          np.ravel(explainer.expected_value).tolist(), values.tolist())


if __name__ == "__main__":
    main()
