"""Golden models and predictions for tests/interop_lightgbm.rs, by LightGBM itself (version in the file).

Rows hold missing values, zeros of either sign, values within and just beyond LightGBM's zero (1e-35), values exactly at
thresholds and next to them, and levels that no set names. Run: python make_lightgbm.py
"""
import json
from pathlib import Path

import lightgbm
import numpy as np

from table import cells, table

here = Path(__file__).parent
x, score = table(5, 500)
classes = np.digitize(score, [0, 1.5])
common = dict(num_leaves=7, min_data_in_leaf=10, verbose=-1, num_threads=1, deterministic=True, cat_smooth=1,
              min_data_per_group=5, learning_rate=0.3, seed=1)
cases = [
    ("binary with sets, missing type NaN", dict(objective="binary", sigmoid=1.5), score > 0.5, [2, 3]),
    ("zeros are missing", dict(objective="regression", zero_as_missing=True), score, []),
    ("missing type None", dict(objective="regression_l1", use_missing=False), score, [2]),
    ("three classes", dict(objective="multiclass", num_class=3, num_leaves=4), classes, [2, 3]),
    ("three classes, one against the rest", dict(objective="multiclassova", num_class=3, num_leaves=4, sigmoid=0.7),
     classes, [3]),
    ("random forest", dict(boosting="rf", objective="regression", bagging_freq=1, bagging_fraction=0.6), score, [2, 3]),
    ("counts", dict(objective="poisson"), np.exp(score / 3).round(), []),
    ("square root", dict(objective="regression", reg_sqrt=True), score * 4, []),
    ("cross entropy lambda", dict(objective="cross_entropy_lambda"), 1 / (1 + np.exp(-score)), []),
    ("dropped trees", dict(boosting="dart", objective="binary", drop_rate=0.5), score > 0.5, [3]),
    ("nothing to split", dict(objective="regression", min_data_in_leaf=400), score, []),
]

boosters = [lightgbm.train({**common, **params}, lightgbm.Dataset(x, y, categorical_feature=cats), 3)
            for _, params, y, cats in cases]
thresholds = [set() for _ in range(5)]
for booster in boosters:
    for _, node in booster.trees_to_dataframe().iterrows():
        if node["decision_type"] == "<=":
            thresholds[int(node["split_feature"].split("_")[1])].add(np.float32(node["threshold"]))
rows = [list(row) for row in x[:12]]
special = [np.nan, 0.0, -0.0, 1e-35, -1e-35, 2e-35, -2e-35, 1e-3, -1e-3, 500.0, 7.0, 1e30]
for i, value in enumerate(special):
    for column in ([0, 1, 4] if value == 1e30 or value != 0 and abs(value) <= 1e-3 else range(5)):
        row = list(x[20 + i])
        row[column] = value
        rows.append(row)
for column in (0, 1, 4):
    for threshold in sorted(thresholds[column])[:12]:
        for value in (threshold, np.nextafter(threshold, np.float32(np.inf))):
            row = list(x[60 + len(rows) % 40])
            row[column] = value
            rows.append(row)
rows = np.array(rows, np.float32)
out = []
for (name, _, _, _), booster in zip(cases, boosters):
    text = booster.model_to_string().split("\nparameters:")[0] + "\n"
    wide = rows.astype(np.float64)
    flat = lambda values: [float(v) for v in np.asarray(values, float).reshape(len(rows), -1).ravel()]
    out.append(dict(name=name, text=text, predicted=flat(booster.predict(wide))))
(here / "lightgbm.json").write_text(json.dumps(dict(made_by=f"lightgbm {lightgbm.__version__}", rows=cells(rows),
                                                    cases=out), separators=(",", ":")) + "\n")
