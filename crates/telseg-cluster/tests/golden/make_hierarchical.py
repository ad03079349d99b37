"""Makes hierarchical.json with SciPy (all linkages) and scikit-learn (with a connectivity): independent implementations."""
import json
import numpy as np
import scipy
import sklearn
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import AgglomerativeClustering
from sklearn.neighbors import kneighbors_graph

rng = np.random.default_rng(1)


def blobs(n, d, k, spread):
    return np.round(rng.uniform(-5, 5, (k, d))[rng.integers(0, k, n)] + spread * rng.standard_normal((n, d)), 3)


def tree(x, method):
    z = linkage(x, method)
    return dict(left=z[:, 0].astype(int).tolist(), right=z[:, 1].astype(int).tolist(), heights=z[:, 2].tolist(),
                sizes=z[:, 3].tolist(), labels=(fcluster(z, 4, "maxclust") - 1).tolist())


methods = ["ward", "complete", "average", "weighted", "single"]
free = [blobs(60, 2, 3, 0.5), blobs(120, 5, 6, 2.0), blobs(40, 1, 4, 1.0), np.round(rng.standard_normal((90, 3)), 3)]
free[3] += 1e4  # digits lost to an offset would show
# Repeated rows; and a lattice where nearly all pairs are equally near: heights of single, and the zeros, are unique.
repeated = free[0][rng.integers(0, 25, 60)]
lattice = np.array([[i, j] for i in range(6) for j in range(7)], float)

cases = [dict(x=x.tolist(), ties=False, trees={m: tree(x, m) for m in methods}) for x in free]
cases += [dict(x=repeated.tolist(), ties=False, repeated=True, trees={m: tree(repeated, m) for m in methods})]
cases += [dict(x=lattice.tolist(), ties=True, trees={m: tree(lattice, m) for m in methods})]

connected = []
for x, k in [(blobs(80, 2, 3, 2.0), 8), (blobs(100, 4, 5, 3.0), 9)]:
    graph = kneighbors_graph(x, k, include_self=False)
    pairs = [[int(a), int(b)] for a, b in zip(*graph.nonzero())]
    case = dict(x=x.tolist(), neighbours=k, pairs=pairs, trees={})
    for method in ["ward", "complete", "average", "single"]:
        m = AgglomerativeClustering(3, linkage=method, connectivity=graph, compute_distances=True, compute_full_tree=True).fit(x)
        assert m.n_connected_components_ == 1
        case["trees"][method] = dict(labels=m.labels_.tolist(), heights=m.distances_.tolist(), children=m.children_.tolist())
    connected.append(case)

header = (f"SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}; made by "
          "make_hierarchical.py. Without ties the trees are unique, so merges must be the same and heights agree to 1e-9 of "
          "the highest; with ties another choice of equally near pairs is as right, and only what does not depend on it must agree.")
json.dump(dict(header=header, cases=cases, connected=connected), open("hierarchical.json", "w"), separators=(",", ":"))
