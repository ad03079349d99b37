"""Latent classes of mixed columns with missing cells beside StepMix.

    cargo build --release -p telseg-benches
    python benches/peers/latent.py --bench target/release/telseg-bench

Needs stepmix. The same rows, the same memberships to start from and the same number of iterations, two threads each; both fit
`--repeat` times, in turns, and medians are shown in units of telseg's, with the mean log-likelihood that each came to.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

THREADS = "2"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = THREADS

import numpy as np
import pandas as pd
from stepmix import StepMix

LEVELS = 4


def make(n, half, k, rng):
    """Rows of `half` numbers and `half` codes in `k` classes, a tenth of the cells missing; memberships to start from."""
    of = rng.integers(0, k, n)
    numbers = rng.normal(size=(k, half))[of] + rng.normal(size=(n, half))
    shares = rng.dirichlet(np.full(LEVELS, 0.7), size=(k, half))
    codes = (rng.random((n, half, 1)) > shares[of].cumsum(2)).sum(2).clip(0, LEVELS - 1)
    x = np.concatenate([numbers, codes], 1).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    start = rng.dirichlet(np.ones(k), n)
    start[np.arange(n), of] += 0.5
    return x, start / start.sum(1, keepdims=True)


class Started(StepMix):
    """StepMix that starts from given memberships."""

    def _initialize_parameters(self, X, random_state):
        self.log_resp_ = np.log(self.start)
        self.weights_ = self.start.mean(0)
        self._initialize_parameters_measurement(X, random_state)


def peer(x, half, start, iters):
    names = [f"c{j}" for j in range(2 * half)]
    table = pd.DataFrame(x.astype(float), columns=names)
    kinds = {
        "numbers": {"model": "gaussian_diag_nan", "n_columns": half},
        "codes": {"model": "categorical_nan", "n_columns": half},
    }
    model = Started(start.shape[1], measurement=kinds, n_init=1, max_iter=iters, abs_tol=0, rel_tol=0, verbose=0, progress_bar=0)
    model.start = start
    begin = time.perf_counter()
    model.fit(table)
    return time.perf_counter() - begin, model.score(table)


def ours(bench, folder):
    out = folder / "out"
    out.mkdir(exist_ok=True)
    told = subprocess.run([bench, "latent", "--data", folder, "--out", out], check=True, capture_output=True, text=True)
    return json.loads(told.stdout.splitlines()[-1])["fit_s"], float(np.load(out / "score.npy")[0])


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--bench", required=True)
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--columns", type=int, default=12)
    asked.add_argument("--classes", type=int, default=6)
    asked.add_argument("--iters", type=int, default=20)
    asked.add_argument("--repeat", type=int, default=3)
    asked = asked.parse_args()
    half = asked.columns // 2
    x, start = make(asked.rows, half, asked.classes, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "start.npy", start)
        params = {"numeric": half, "levels": LEVELS, "iters": asked.iters}
        (folder / "params.json").write_text(json.dumps(params))
        runs = {"telseg": [], "stepmix": []}
        for _ in range(asked.repeat):
            runs["telseg"].append(ours(asked.bench, folder))
            runs["stepmix"].append(peer(x, half, start, asked.iters))
    unit = statistics.median(fit for fit, _ in runs["telseg"])
    for name, found in runs.items():
        fit = statistics.median(fit for fit, _ in found)
        print(f"{name:8} fit {fit / unit:7.1f} ({fit:.3f} s)  mean log-likelihood {found[0][1]:.8f}")


if __name__ == "__main__":
    main()
