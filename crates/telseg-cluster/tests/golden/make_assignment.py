"""Makes assignment.json with SciPy's linear_sum_assignment: an independent implementation (C++, after Crouse 2016)."""
import json
import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment

rng = np.random.default_rng(7)
cases = []
shapes = [(1, 1), (1, 6), (5, 2), (4, 4), (7, 7), (9, 14), (16, 11), (30, 30)]
for rows, columns in shapes:
    for kind in ("continuous", "integer", "forbidden"):
        cost = rng.normal(0, 10, (rows, columns)).round(3)
        if kind == "integer":
            cost = rng.integers(0, 4, (rows, columns)).astype(float)
        if kind == "forbidden":
            keep = rng.permutation(max(rows, columns))[: min(rows, columns)]
            mask = rng.random((rows, columns)) < 0.5
            for a, b in enumerate(keep):
                mask[(a, b) if rows <= columns else (b, a)] = False
            cost[mask] = np.inf
        i, j = linear_sum_assignment(cost)
        cases.append(dict(
            kind=kind, total=float(cost[i, j].sum()),
            cost=[[None if np.isinf(c) else c for c in row] for row in cost.tolist()],
            pairs=[[int(a), int(b)] for a, b in zip(i, j)]))
header = (f"scipy {scipy.__version__}, numpy {np.__version__}; made by make_assignment.py. Totals must agree to 1e-9 (sums of at "
          "most 30 numbers of three decimals); pairs too, except for integer costs, where several pairings are the cheapest. "
          "null is a forbidden pair.")
json.dump(dict(header=header, cases=cases), open("assignment.json", "w"), separators=(",", ":"))
