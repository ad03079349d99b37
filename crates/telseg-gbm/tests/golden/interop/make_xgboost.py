"""Golden models and predictions for tests/interop/xgboost.rs, by XGBoost itself (version in the file).

Rows hold missing values, zeros, values exactly at thresholds and on either side of them, and levels that no set names.
Models are texts of JSON, and some also bytes of UBJSON (as hexadecimal digits). Run: python make_xgboost.py
"""
import json
from pathlib import Path

import numpy as np
import xgboost

from table import cells, table

here = Path(__file__).parent
x, score = table(6, 400)
kinds = ["q", "q", "c", "c", "q"]
common = dict(max_depth=3, nthread=1, max_cat_to_onehot=4, seed=1, verbosity=0, tree_method="hist")
classes = np.digitize(score, [0, 1.5])
cases = [
    ("binary with sets", dict(objective="binary:logistic"), score > 0.5, kinds, True),
    ("raw log-odds, base score given", dict(objective="binary:logitraw", base_score=0.2), score > 0.5, None, False),
    ("dropped trees", dict(objective="reg:squarederror", booster="dart", rate_drop=0.5, one_drop=1), score, kinds, True),
    ("three classes", dict(objective="multi:softprob", num_class=3, max_depth=2), classes, kinds, False),
    ("two trees a round", dict(objective="count:poisson", num_parallel_tree=2, subsample=0.5),
     np.exp(score / 3).round(), None, False),
    ("amounts", dict(objective="reg:gamma"), np.exp(score / 3), None, False),
    ("hinge", dict(objective="binary:hinge"), score > 0.5, None, False),
    ("pruned nodes", dict(objective="reg:squarederror", tree_method="exact", gamma=12.0, max_depth=4), score, None, True),
    ("two targets, a tree each", dict(objective="reg:squarederror"), np.column_stack([score, score ** 2]), None, False),
    ("two targets, vector leaves", dict(objective="reg:squarederror", multi_strategy="multi_output_tree"),
     np.column_stack([score, score ** 2]), None, True),
]

boosters = []
for _, params, y, types, _ in cases:
    data = xgboost.DMatrix(x, np.asarray(y, float), feature_types=types, enable_categorical=types is not None, nthread=1)
    boosters.append(xgboost.train({**common, **params}, data, 3))
thresholds = [set() for _ in range(5)]
for (_, _, _, types, _), booster in zip(cases, boosters):
    model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    for tree in model.get("gbtree", model)["model"]["trees"]:
        for i, left in enumerate(tree["left_children"]):
            if left >= 0 and not tree["split_type"][i]:
                thresholds[tree["split_indices"][i]].add(np.float32(tree["split_conditions"][i]))
rows = [list(row) for row in x[:12]]
for i, value in enumerate([np.nan, 0.0, -0.0, 500.0, 7.0, 1e30, -1e30]):
    for column in ([0, 1, 4] if abs(value) > 1e20 else range(5)):
        row = list(x[20 + i])
        row[column] = value
        rows.append(row)
for column in (0, 1, 4):
    for threshold in sorted(thresholds[column])[:10]:
        for value in (threshold, np.nextafter(threshold, np.float32(np.inf)), np.nextafter(threshold, np.float32(-np.inf))):
            row = list(x[60 + len(rows) % 40])
            row[column] = value
            rows.append(row)
rows = np.array(rows, np.float32)
out = []
for (name, _, _, types, binary), booster in zip(cases, boosters):
    data = xgboost.DMatrix(rows, feature_types=types, enable_categorical=types is not None, nthread=1)
    predicted = [float(v) for v in np.asarray(booster.predict(data), float).ravel()]
    case = dict(name=name, text=bytes(booster.save_raw("json")).decode(), predicted=predicted)
    if binary:
        case["ubjson"] = bytes(booster.save_raw("ubj")).hex()
    out.append(case)
(here / "xgboost.json").write_text(json.dumps(dict(made_by=f"xgboost {xgboost.__version__}", rows=cells(rows), cases=out),
                                              separators=(",", ":")) + "\n")
