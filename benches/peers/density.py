"""Clustering by density beside its peers, at any number of columns.

    cargo build --release -p telseg-benches
    python benches/peers/density.py --columns 24 --rows 20000 --bench target/release/telseg-bench

Needs scikit-learn, hdbscan and fast_hdbscan. The same rows for all, two threads each; every library fits `--repeat` times,
in turns, and the medians are shown in units of telseg's. Rows lie along curved clusters of unequal density, a tenth of them
anywhere. Agreement is the adjusted Rand index with the first peer.
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

THREADS = "2"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = THREADS

import time

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.cluster import HDBSCAN as SklearnHdbscan
from sklearn.metrics import adjusted_rand_score


def curves(n, d, k, rng):
    """k curved clusters of unequal density in a box, and a tenth of uniform noise."""
    of = rng.choice(k, n, p=rng.dirichlet(np.full(k, 3.0)))
    x = np.empty((n, d))
    for j in range(k):
        rows = np.flatnonzero(of == j)
        ahead, aside = rng.normal(size=(2, d)) / np.sqrt(d)
        t = rng.uniform(-2, 2, size=(len(rows), 1))
        x[rows] = rng.uniform(-10, 10, size=d) + t * ahead + t**2 * aside
        x[rows] += rng.standard_t(6, size=(len(rows), d)) * rng.uniform(0.1, 0.3)
    stray = rng.random(n) < 0.1
    x[stray] = rng.uniform(-12, 12, size=(stray.sum(), d))
    return x.astype(np.float32)


def peers(args):
    """Name and fit of each peer, by method."""
    def hdbscan_boruvka(x):
        from hdbscan import HDBSCAN
        return HDBSCAN(min_cluster_size=args.size, min_samples=args.samples, algorithm="boruvka_kdtree",
                       core_dist_n_jobs=int(THREADS), approx_min_span_tree=False).fit_predict(x)

    def fast_hdbscan(x):
        from fast_hdbscan import HDBSCAN
        return HDBSCAN(min_cluster_size=args.size, min_samples=args.samples).fit_predict(x)

    def sklearn_hdbscan(x):
        return SklearnHdbscan(min_cluster_size=args.size, min_samples=args.samples + 1, n_jobs=int(THREADS),
                              copy=True).fit_predict(x)

    def dbscan(algorithm):
        return lambda x: DBSCAN(eps=args.eps, min_samples=args.samples, algorithm=algorithm,
                              n_jobs=int(THREADS)).fit_predict(x)

    return {
        "hdbscan": {"hdbscan, boruvka_kdtree": hdbscan_boruvka, "fast_hdbscan": fast_hdbscan,
                    "scikit-learn": sklearn_hdbscan},
        "dbscan": {"scikit-learn, brute": dbscan("brute"), "scikit-learn, kd_tree": dbscan("kd_tree")},
    }


def telseg(bench, method, folder):
    """Seconds of the fit, and the labels."""
    out = folder / "out"
    line = subprocess.run([bench, method, "--data", folder, "--out", out], check=True, capture_output=True, text=True)
    seconds = json.loads(line.stdout.strip().splitlines()[-1])["fit_s"]
    return seconds, np.load(out / "labels.npy")


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--bench", default="target/release/telseg-bench")
    ask.add_argument("--methods", nargs="*", default=["hdbscan", "dbscan"])
    ask.add_argument("--only", nargs="*", help="names of peers that run; default all")
    ask.add_argument("--rows", type=int, default=20_000)
    ask.add_argument("--columns", type=int, default=24)
    ask.add_argument("--clusters", type=int, default=20)
    ask.add_argument("--size", type=int, default=100, help="rows of a cluster (HDBSCAN)")
    ask.add_argument("--samples", type=int, default=10, help="neighbours of a core row")
    ask.add_argument("--eps", type=float, help="radius (DBSCAN); default 0.3 times the root of the columns")
    ask.add_argument("--repeat", type=int, default=3)
    args = ask.parse_args()
    args.eps = args.eps or 0.3 * args.columns**0.5
    x = curves(args.rows, args.columns, args.clusters, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.save(folder / "x.npy", x)
        (folder / "params.json").write_text(json.dumps(dict(
            eps=args.eps, min_points=args.samples, min_cluster_size=args.size, min_samples=args.samples)))
        for method in args.methods:
            fits = {name: fit for name, fit in peers(args)[method].items() if not args.only or name in args.only}
            for fit in fits.values():
                fit(x[:1000])  # what is compiled at the first call
            seconds, labels = {name: [] for name in ["telseg", *fits]}, {}
            for _ in range(args.repeat):
                took, labels["telseg"] = telseg(args.bench, method, folder)
                seconds["telseg"].append(took)
                for name, fit in fits.items():
                    start = time.perf_counter()
                    labels[name] = fit(x)
                    seconds[name].append(time.perf_counter() - start)
            ours, reference = np.median(seconds["telseg"]), labels[next(iter(fits), "telseg")]
            print(f"{method}, {args.rows} x {args.columns}: telseg took {ours:.3f} s")
            for name, took in seconds.items():
                said = labels[name]
                print(f"  {name:24} {np.median(took) / ours:8.2f}  {said.max() + 1:4} clusters, {(said < 0).mean():.1%} noise, "
                      f"ARI {adjusted_rand_score(reference, said):.4f}")


if __name__ == "__main__":
    main()
