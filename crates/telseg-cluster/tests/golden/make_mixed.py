"""Makes mixed.json: k-prototypes, Gower's distance, k-medoids and constrained k-means by independent implementations.

- k-prototypes: a plain batch form in numpy written here (labels, cost, rounds, weights), and kmodes' KPrototypes, which
  moves means and modes after every row: cases are kept in which both end at the same labels.
- Gower: a plain loop written here (missing values, ordered and asymmetric columns), and the gower package where it can.
- k-medoids: FasterPAM of the kmedoids package from given medoids, on distances in double precision.
- constrained k-means: each assignment by scipy's linear programme (HiGHS), means by numpy.
"""
import json
import gower
import kmedoids
import kmodes
import numpy as np
import scipy
from kmodes.kprototypes import KPrototypes
from scipy.optimize import linprog

rng = np.random.default_rng(7)


def mixed(n, d, levels, k, spread):
    centers, modes = rng.uniform(-3, 3, (k, d)), np.stack([rng.integers(0, l, k) for l in levels], 1)
    of = rng.integers(0, k, n)
    numbers = np.round(centers[of] + spread * rng.standard_normal((n, d)), 3)
    noise = np.stack([rng.integers(0, l, n) for l in levels], 1)
    codes = np.where(rng.random((n, len(levels))) < 0.25, noise, modes[of])
    return np.concatenate([numbers, codes.astype(float)], 1)


def batch(x, d, gamma, init, weights):
    """Lloyd rounds in the mixed distance until no label changes."""
    k, codes = len(init), x[:, d:].astype(int)
    means, modes, labels = init[:, :d].copy(), init[:, d:].astype(int).copy(), None
    for rounds in range(1, 300):
        far = ((x[:, None, :d] - means[None]) ** 2).sum(2) + gamma * (codes[:, None] != modes[None]).sum(2)
        new = far.argmin(1)
        if labels is not None and (new == labels).all():
            return labels, float((weights * far.min(1)).sum()), rounds
        labels = new
        for j in range(k):
            mine = labels == j
            assert weights[mine].sum() > 0
            means[j] = np.average(x[mine, :d], axis=0, weights=weights[mine])
            for c in range(codes.shape[1]):
                modes[j, c] = np.bincount(codes[mine, c], weights=weights[mine]).argmax()
    raise AssertionError("no end")


prototypes = []
while len(prototypes) < 4:
    n, d, levels, k = [(60, 2, [3, 4], 3), (120, 3, [2, 5, 3], 4), (80, 1, [6], 3), (150, 4, [3, 3], 5)][len(prototypes)]
    x = mixed(n, d, levels, k, 0.8)
    init = x[rng.choice(n, k, replace=False)]
    gamma, ones = float(np.round(0.5 * x[:, :d].std(0).mean(), 3)), np.ones(n)
    weights = rng.integers(1, 4, n).astype(float)
    try:
        labels, cost, rounds = batch(x, d, gamma, init, ones)
        weighted, weighted_cost, _ = batch(x, d, gamma, init, weights)
    except AssertionError:
        continue
    peer = KPrototypes(k, init=[init[:, :d].copy(), init[:, d:].astype(int)], n_init=1, gamma=gamma, max_iter=300)
    found = peer.fit_predict(x.astype(object), categorical=list(range(d, d + len(levels))))
    if (found != labels).any() or rounds < 3:
        continue
    assert abs(peer.cost_ - cost) < 1e-9 * cost
    prototypes.append(dict(
        x=x.tolist(), categorical=list(range(d, d + len(levels))), gamma=gamma, init=init.tolist(), labels=labels.tolist(),
        cost=cost, n_iter=rounds, weights=weights.tolist(), weighted_labels=weighted.tolist(), weighted_cost=weighted_cost))


def gower_loop(x, kinds, weights):
    n, d = x.shape
    out = np.ones((n, n))
    scaled = x.copy()
    for j, kind in enumerate(kinds):
        known = x[~np.isnan(x[:, j]), j]
        if kind == "numeric":
            scaled[:, j] /= max(known.max() - known.min(), 1e-300) if known.max() > known.min() else 1.0
        if kind == "ordinal":
            levels = np.unique(known)
            scaled[:, j] = [np.nan if np.isnan(v) else np.searchsorted(levels, v) / (len(levels) - 1) for v in x[:, j]]
    for a in range(n):
        for b in range(n):
            top = bottom = 0.0
            for j, kind in enumerate(kinds):
                u, v = scaled[a, j], scaled[b, j]
                if np.isnan(u) or np.isnan(v) or (kind == "asymmetric" and u == 0 and v == 0):
                    continue
                far = abs(u - v) if kind in ("numeric", "ordinal") else float(u != v)
                top, bottom = top + weights[j] * far, bottom + weights[j]
            out[a, b] = top / bottom if bottom > 0 else 1.0
    return out


kinds = ["numeric", "numeric", "ordinal", "categorical", "asymmetric"]
table = np.column_stack([
    np.round(rng.gamma(2, 50, 14), 2), np.round(rng.gamma(1, 5, 14), 2) + 1, rng.choice([0, 1, 5, 9], 14),
    rng.integers(0, 4, 14), rng.integers(0, 2, 14)]).astype(float)
weights = [1.0, 2.0, 0.5, 1.0, 1.5]
plain = gower.gower_matrix(table[:, [0, 1, 3]], cat_features=[False, False, True])
assert np.abs(plain - gower_loop(table[:, [0, 1, 3]], ["numeric", "numeric", "categorical"], [1.0] * 3)).max() < 1e-5
holes = table.copy()
holes[rng.random(holes.shape) < 0.2] = np.nan
distances = dict(kinds=kinds, weights=weights, table=[[None if np.isnan(v) else v for v in row] for row in holes],
                 expected=gower_loop(holes, kinds, weights).tolist())

medoids = []
for n, d, k in [(60, 2, 3), (100, 4, 7), (40, 2, 2), (200, 3, 12)]:  # on a line, ties decide
    x = np.round(rng.uniform(-5, 5, (k, d))[rng.integers(0, k, n)] + rng.standard_normal((n, d)), 3)
    for metric in ["euclidean", "manhattan"]:
        gap = x[:, None] - x[None]
        far = np.sqrt((gap ** 2).sum(2)) if metric == "euclidean" else np.abs(gap).sum(2)
        start = rng.choice(n, k, replace=False)
        found = kmedoids.fasterpam(far, start.astype(np.uint64), max_iter=100, n_cpu=1)
        medoids.append(dict(x=x.tolist(), metric=metric, init=start.tolist(), medoids=[int(m) for m in found.medoids],
                            labels=[int(l) for l in found.labels], loss=float(found.loss), n_swap=int(found.n_swap)))


def transport(cost, least, most):
    n, k = cost.shape
    rows = np.zeros((n, n * k))
    for i in range(n):
        rows[i, i * k:(i + 1) * k] = 1
    sizes = np.tile(np.eye(k), n)
    solved = linprog(cost.ravel(), A_eq=rows, b_eq=np.ones(n), A_ub=np.vstack([sizes, -sizes]),
                     b_ub=np.concatenate([np.full(k, most), np.full(k, -least)]), bounds=(0, 1), method="highs-ds")
    assert solved.success
    return solved.x.reshape(n, k).argmax(1), solved.fun


constrained = []
for n, d, k, least, most in [(30, 2, 3, 8, 12), (40, 3, 4, 10, 10), (36, 1, 3, 1, 14), (50, 2, 5, 8, 50)]:
    x = np.round(rng.uniform(-4, 4, (k, d))[rng.integers(0, k, n)] + rng.standard_normal((n, d)), 3)
    init, weights = x[rng.choice(n, k, replace=False)], rng.integers(1, 4, n).astype(float)
    centers, labels, first = init.copy(), None, None
    for rounds in range(1, 100):
        cost = weights[:, None] * ((x[:, None] - centers[None]) ** 2).sum(2)
        new, objective = transport(cost, least, most)
        first = objective if first is None else first
        if labels is not None and (new == labels).all():
            break
        labels = new
        centers = np.stack([np.average(x[labels == j], axis=0, weights=weights[labels == j]) for j in range(k)])
    constrained.append(dict(x=x.tolist(), init=init.tolist(), weights=weights.tolist(), least=least, most=most, first=first,
                            labels=labels.tolist(), inertia=objective))

header = (f"kmodes 0.12.2, kmedoids 0.5.5, gower 0.1.2, scipy {scipy.__version__}, numpy {np.__version__}; made by "
          "make_mixed.py: double precision on both sides from the same start, so labels, medoids and swaps must agree and "
          "numbers to 1e-9 (sums are on a grid of 2^-50 here)")
json.dump(dict(header=header, kprototypes=prototypes, gower=distances, kmedoids=medoids, constrained=constrained),
          open("mixed.json", "w"), separators=(",", ":"))
