"""The table that make_lightgbm.py and make_xgboost.py train on: numbers, levels, missing values."""
import numpy as np


def table(seed, n):
    """Five columns (2 and 3 hold level codes), and a number that depends on all of them."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.integers(-3, 4, n) * rng.random(n), rng.integers(0, 9, n),
                         rng.integers(0, 70, n), rng.normal(size=n)]).astype(np.float32)
    x[rng.random(n) < 0.15, 0] = np.nan
    x[rng.random(n) < 0.10, 1] = np.nan
    x[rng.random(n) < 0.10, 2] = np.nan
    score = (np.nan_to_num(x[:, 0]) * 1.5 + np.isin(x[:, 2], [1, 4, 5]) * 2 + (x[:, 3] % 3 == 0) * np.nan_to_num(x[:, 1])
             + np.isnan(x[:, 0]) - (x[:, 1] == 0) + rng.normal(size=n) * 0.3)
    return x, score


def cells(a):
    """Rows for JSON: NaN is null."""
    return [[None if np.isnan(v) else float(v) for v in row] for row in a]
