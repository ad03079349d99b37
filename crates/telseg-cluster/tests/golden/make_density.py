"""Makes density.json with scikit-learn (DBSCAN, OPTICS) and the hdbscan package: independent implementations."""
import json
import numpy as np
import hdbscan
import sklearn
from importlib.metadata import version
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, OPTICS, cluster_optics_dbscan

rng = np.random.default_rng(3)


def soft_of_new(m, x, new):
    """Memberships of new rows by the package's measure of its own rows, each row hung where its mutual reachability to the
    rows is least. The package measures new rows by another formula."""
    tree, clusters = m.condensed_tree_._raw_tree, sorted(m.condensed_tree_._select_clusters())
    parent = {int(r["child"]): int(r["parent"]) for r in tree}
    apart = {int(r["child"]): 1 / r["lambda_val"] for r in tree}
    floor = {c: 1 / tree["lambda_val"][tree["parent"] == c].max() for c in set(tree["parent"])}
    samples = m.min_samples or m.min_cluster_size
    core = np.sort(cdist(x, x), axis=1)[:, samples]
    above = lambda c: [c] + (above(parent[c]) if c in parent else [])
    soft = []
    for row in new:
        d = cdist([row], x)[0]
        reach = np.maximum(np.maximum(d, np.sort(d)[samples - 1]), core)
        near = np.lexsort((d, reach))[0]
        at, left = parent[near], max(apart[near], reach[near])
        while at in parent and reach[near] >= apart[at]:
            at, left = parent[at], reach[near]
        joined = []
        for c in clusters:
            if c in above(at) or at in above(c):
                joined.append(left)
            else:
                shared = next(a for a in above(at) if a in above(c))
                joined.append(apart[above(at)[above(at).index(shared) - 1]])
        joined = np.array(joined)
        heart = np.array([cdist([row], exemplars).min() for exemplars in m.prediction_data_.exemplars])
        share = np.exp(np.exp(-joined / floor[at])) / heart
        first = max((j for j in range(len(joined)) if joined[j] == joined.min()), key=lambda j: share[j])
        soft.append(share / share.sum() * min(floor[clusters[first]], left) / joined.min())
    return np.array(soft)


def soft_of(m, x, new):
    """Memberships of the rows by the package, and of new ones."""
    soft = hdbscan.all_points_membership_vectors(m)
    if soft.ndim == 1 or soft.shape[1] != m.labels_.max() + 1:
        return None  # the package may measure other clusters than it labels when a greatest size is given
    return dict(rows=np.round(soft, 10).tolist(), new=np.round(soft_of_new(m, x, new), 10).tolist())


def hdbscan_of(x, new, **options):
    m = hdbscan.HDBSCAN(algorithm="boruvka_kdtree", approx_min_span_tree=False, prediction_data=True, **options).fit(x)
    tree = m.condensed_tree_.to_numpy()
    sizes = [len(x)] + [int(row["child_size"]) for row in tree if row["child_size"] > 1]
    return dict(options=options, labels=m.labels_.tolist(), probabilities=m.probabilities_.tolist(),
                outlier_scores=m.outlier_scores_.tolist(), sizes=sizes, soft=soft_of(m, x, new))


def dbcv_of(x, labels):
    """Moulavi et al. 2014; the hdbscan package takes any of several minimal trees, this takes the one of short edges."""
    n, d = x.shape
    clusters, value = [], 0.0
    for c in range(labels.max() + 1):
        points = x[labels == c]
        apart = cdist(points, points)
        with np.errstate(divide="ignore"):
            inverse = np.where(apart > 0, 1 / apart, 0) ** d
        core = (inverse.sum(1) / (len(points) - 1)) ** (-1 / d)
        reach = np.maximum(np.maximum(core[:, None], core[None]), apart)
        a, b = np.triu_indices(len(points), 1)
        order = np.lexsort((apart[a, b], reach[a, b]))
        rank = np.zeros(reach.shape)
        rank[a[order], b[order]] = 1 + np.arange(len(order))
        a, b = minimum_spanning_tree(rank).nonzero()
        degree = np.bincount(np.concatenate([a, b]), minlength=len(points))
        inner = (degree[a] > 1) & (degree[b] > 1)
        edges = reach[a, b]
        clusters.append((points[degree > 1], core[degree > 1], (edges[inner] if inner.any() else edges).max(), len(points)))
    for i, (points, core, sparse, size) in enumerate(clusters):
        apart = min(np.maximum(np.maximum(core[:, None], c[None]), cdist(points, p)).min()
                    for j, (p, c, _, _) in enumerate(clusters) if j != i)
        value += size / n * (apart - sparse) / max(apart, sparse)
    return value


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
    other = np.random.default_rng(n)
    new = np.round(centres[other.integers(0, k, 60)] + 1.5 * other.standard_normal((60, d)), 6)
    runs = [hdbscan_of(x, new, **options) for options in [
        dict(min_cluster_size=10), dict(min_cluster_size=8, min_samples=4),
        dict(min_cluster_size=8, min_samples=4, cluster_selection_method="leaf"),
        dict(min_cluster_size=9, min_samples=5, cluster_selection_epsilon=eps),
        dict(min_cluster_size=9, min_samples=5, cluster_selection_method="leaf", cluster_selection_epsilon=eps),
        dict(min_cluster_size=9, min_samples=5, max_cluster_size=n // 4 - 5)]]
    dbcv = [dict(labels=m.labels_.tolist(), value=float(dbcv_of(x, m.labels_))),
            dict(labels=runs[1]["labels"], value=float(dbcv_of(x, np.array(runs[1]["labels"]))))]
    cases.append(dict(dbcv=dbcv, x=x.tolist(), new=new.tolist(), eps=eps, min_points=6, dbscan=m.labels_.tolist(), core=core.tolist(),
                      optics=optics, hdbscan=runs))
header = (f"scikit-learn {sklearn.__version__}, hdbscan {version('hdbscan')}, numpy {np.__version__}; made by make_density.py (DBCV with numpy and scipy, see there). "
          "Ties: hdbscan merges what comes apart at one distance one after the other, so at each split a row or two may "
          "leave elsewhere; all else must agree to 1e-9. Soft memberships are rounded to 1e-10, and the package adds 1e-8 to a density: "
          "they must agree to 1e-7; of clusters that a row joins at once, the package takes any for the sum of its memberships. Those of new rows are made by soft_of_new, see there")
json.dump(dict(header=header, cases=cases), open("density.json", "w"), separators=(",", ":"))
