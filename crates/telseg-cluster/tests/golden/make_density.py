"""Makes density.json with scikit-learn (DBSCAN, OPTICS) and the hdbscan package: independent implementations."""
import json
import numpy as np
import hdbscan
import sklearn
from importlib.metadata import version
from sklearn.cluster import DBSCAN, OPTICS, cluster_optics_dbscan

rng = np.random.default_rng(3)


def hdbscan_of(x, **options):
    m = hdbscan.HDBSCAN(algorithm="boruvka_kdtree", approx_min_span_tree=False, **options).fit(x)
    tree = m.condensed_tree_.to_numpy()
    sizes = [len(x)] + [int(row["child_size"]) for row in tree if row["child_size"] > 1]
    return dict(options=options, labels=m.labels_.tolist(), probabilities=m.probabilities_.tolist(),
                outlier_scores=m.outlier_scores_.tolist(), sizes=sizes)


cases = []
for n, d, k, eps in [(240, 2, 3, 0.45), (300, 3, 5, 0.8), (200, 5, 3, 1.6)]:
    centres = rng.uniform(-4, 4, (k, d))
    spread = rng.uniform(0.2, 0.7, k)
    of = rng.integers(0, k, n)
    x = centres[of] + spread[of, None] * rng.standard_normal((n, d))
    x[: n // 8] = rng.uniform(-6, 6, (n // 8, d))
    x = np.round(x, 6)
    m = DBSCAN(eps=eps, min_samples=6).fit(x)
    core = np.zeros(n, int)
    core[m.core_sample_indices_] = 1
    optics = []
    for max_eps in (None, 2 * eps):
        o = OPTICS(min_samples=6, max_eps=np.inf if max_eps is None else max_eps, xi=0.05).fit(x)
        cut = cluster_optics_dbscan(reachability=o.reachability_, core_distances=o.core_distances_,
                                    ordering=o.ordering_, eps=eps)
        finite = lambda a: [float(v) if np.isfinite(v) else None for v in a]
        optics.append(dict(max_eps=max_eps, ordering=o.ordering_.tolist(), reachability=finite(o.reachability_),
                           core=finite(o.core_distances_), predecessor=o.predecessor_.tolist(),
                           xi=o.labels_.tolist(), hierarchy=o.cluster_hierarchy_.tolist(), cut=cut.tolist()))
    runs = [hdbscan_of(x, **options) for options in [
        dict(min_cluster_size=10), dict(min_cluster_size=8, min_samples=4),
        dict(min_cluster_size=8, min_samples=4, cluster_selection_method="leaf"),
        dict(min_cluster_size=6, min_samples=3, cluster_selection_epsilon=eps),
        dict(min_cluster_size=6, min_samples=3, cluster_selection_method="leaf", cluster_selection_epsilon=eps),
        dict(min_cluster_size=6, min_samples=3, max_cluster_size=n // 4)]]
    cases.append(dict(x=x.tolist(), eps=eps, min_points=6, dbscan=m.labels_.tolist(), core=core.tolist(),
                      optics=optics, hdbscan=runs))
header = (f"scikit-learn {sklearn.__version__}, hdbscan {version('hdbscan')}, numpy {np.__version__}; made by make_density.py. "
          "Ties: hdbscan merges what comes apart at one distance one after the other, so at each split a row or two may "
          "leave elsewhere; all else must agree to 1e-9")
json.dump(dict(header=header, cases=cases), open("density.json", "w"), separators=(",", ":"))
