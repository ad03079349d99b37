"""Makes kmeans.json with scikit-learn: an independent implementation (Lloyd in double precision)."""
import json
import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn import metrics

rng = np.random.default_rng(1)
cases = []
for n, d, k, spread in [(60, 2, 3, 0.5), (80, 5, 6, 2.0), (50, 1, 4, 1.0)]:
    centers = rng.uniform(-5, 5, (k, d))
    x = np.round(centers[rng.integers(0, k, n)] + spread * rng.standard_normal((n, d)), 3)
    init = x[rng.choice(n, k, replace=False)]
    weights = rng.integers(1, 4, n).astype(float)
    m = KMeans(k, init=init, n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(x)
    w = KMeans(k, init=init, n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(x, sample_weight=weights)
    cases.append(dict(
        x=x.tolist(), init=init.tolist(), weights=weights.tolist(),
        labels=m.labels_.tolist(), centers=m.cluster_centers_.tolist(), inertia=m.inertia_, n_iter=m.n_iter_,
        weighted_labels=w.labels_.tolist(), weighted_inertia=w.inertia_,
        silhouettes=metrics.silhouette_samples(x, m.labels_).tolist(),
        davies_bouldin=metrics.davies_bouldin_score(x, m.labels_),
        calinski_harabasz=metrics.calinski_harabasz_score(x, m.labels_)))
header = (f"scikit-learn {sklearn.__version__}, numpy {np.__version__}; made by make.py: same start, tol 0, Lloyd in double "
          "precision, so labels and rounds must agree and numbers to 1e-9 (sums are on a grid of 2^-50 here)")
json.dump(dict(header=header, cases=cases), open("kmeans.json", "w"), separators=(",", ":"))
