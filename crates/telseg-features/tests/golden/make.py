"""Makes preprocess.csv with scikit-learn. Run: python make.py > preprocess.csv

Columns: x (the input, blank is missing), then x transformed by SimpleImputer(median), StandardScaler, RobustScaler,
QuantileTransformer(n_quantiles=50, subsample=None) uniform and normal, and the chain impute, clip to the 1st and 99th
percentile, standardise. Three columns of input (normal; skewed with ties at 0; few integers), 200 rows each, stacked.
"""
import sys

import numpy as np
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

rng = np.random.default_rng(7)
columns = [rng.normal(100, 15, 200), np.maximum(rng.lognormal(2, 1.5, 200) - 5, 0), rng.integers(0, 6, 200).astype(float)]
x = np.stack([c.round(4) for c in columns], axis=1)
x[rng.random(x.shape) < 0.08] = np.nan
filled = SimpleImputer(strategy="median").fit_transform(x)
low, high = np.nanpercentile(x, [1, 99], axis=0)
quantile = {o: QuantileTransformer(n_quantiles=50, subsample=None, output_distribution=o).fit_transform(x) for o in ("uniform", "normal")}
outs = [x, filled, StandardScaler().fit_transform(x), RobustScaler().fit_transform(x), quantile["uniform"], quantile["normal"],
        StandardScaler().fit_transform(filled.clip(low, high))]
print(f"# scikit-learn {sklearn.__version__}, numpy {np.__version__}, tests/golden/make.py", file=sys.stdout)
print("column,x,imputed,standard,robust,uniform,normal,chain")
for j in range(3):
    for i in range(len(x)):
        print(",".join([str(j)] + ["" if np.isnan(o[i, j]) else repr(float(o[i, j])) for o in outs]))
