"""What other libraries predict from the files in written/, for tests/interop/written.rs (versions in written.json).

Run: python read_written.py
"""
import json
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxruntime
import xgboost

here = Path(__file__).parent
rows = np.array([[np.nan if v is None else v for v in row] for row in json.loads((here / "written_rows.json").read_text())],
                np.float32)


def flat(values):
    return [float(v) for v in np.asarray(values, float).reshape(len(rows), -1).ravel()]


predicted = {}
for path in sorted((here / "written").glob("*.txt")):
    predicted[path.name] = flat(lightgbm.Booster(model_file=path).predict(rows.astype(np.float64)))
for path in sorted([*(here / "written").glob("*.json"), *(here / "written").glob("*.ubj")]):
    booster = xgboost.Booster(model_file=path)
    data = xgboost.DMatrix(rows, feature_names=booster.feature_names, feature_types=booster.feature_types,
                           enable_categorical=True)
    predicted[path.name] = flat(booster.predict(data))
for path in sorted((here / "written").glob("*.onnx")):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    scores, predictions = session.run(["scores", "predictions"], {"input": rows})
    assert scores.shape == predictions.shape
    predicted[path.name] = flat(predictions)
(here / "written.json").write_text(json.dumps(
    dict(made_by=f"lightgbm {lightgbm.__version__}, xgboost {xgboost.__version__}, onnxruntime {onnxruntime.__version__}",
         predicted=predicted), separators=(",", ":")) + "\n")
