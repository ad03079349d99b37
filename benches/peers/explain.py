"""Explanations beside shap and LightGBM, in one run on the same data.

    pip install lightgbm shap                       # and numpy
    cargo build --release -p telseg-benches
    python benches/peers/explain.py target/release/telseg-bench

Makes a LightGBM model (100 trees of 63 leaves, 30 columns with missing values), has it explained by both sides and
prints a table: seconds, ratio, largest difference. Each side of a comparison runs alone, with two threads where it can
use them. Where a peer would take hours it explains the first rows only, and its time is scaled up: such seconds carry
a `~`. `--only NAME ..` picks comparisons, `--scale small` makes all of it small, to try the script itself.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "2"

import lightgbm
import numpy as np
import shap

FULL = dict(train=100_000, rows=10_000, background=1_000, shap_values=500, shap_background=100, shap_pairs=100,
            alone=2_000, cold=300, many=1_000_000)
SMALL = dict(train=10_000, rows=400, background=100, shap_values=50, shap_background=20, shap_pairs=20, alone=300,
             cold=50, many=20_000)
TREES, LEAVES, COLUMNS = 100, 63, 30


def table(rng, n):
    """Numbers, counts and missing values, and a label that some of them decide."""
    x = rng.normal(size=(n, COLUMNS)).astype(np.float32)
    x[:, 10:20] = np.exp(x[:, 10:20])
    x[:, 20:] = rng.poisson(3, size=(n, COLUMNS - 20))
    margin = (x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] + 0.3 * np.log(x[:, 10]) * (x[:, 20] > 3)
              - 0.4 * (x[:, 21] > 2) * x[:, 4] + 0.2 * x[:, 5:10].sum(1) - 0.5)
    x[rng.random(x.shape) < 0.03] = np.nan
    return x, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(np.float32)


def trees_of(booster):
    """The nodes of each tree as arrays, parents before children; a leaf has feature -1."""
    keys = ("feature", "threshold", "left", "right", "missing_left", "value", "cover")

    def add(node, tree):
        at, leaf = len(tree["feature"]), "leaf_value" in node
        cells = dict(feature=-1 if leaf else node["split_feature"], threshold=0 if leaf else node["threshold"], left=-1,
                     right=-1, missing_left=0, value=node["leaf_value"] if leaf else 0,
                     cover=node["leaf_count" if leaf else "internal_count"])
        if not leaf:
            nan = node["missing_type"] == "NaN"
            cells["missing_left"] = int(node["default_left"] if nan else 0 <= node["threshold"])
        for key in keys:
            tree[key].append(cells[key])
        if not leaf:
            tree["left"][at] = add(node["left_child"], tree)
            tree["right"][at] = add(node["right_child"], tree)
        return at

    trees = []
    for info in booster.dump_model()["tree_info"]:
        trees.append({key: [] for key in keys})
        add(info["tree_structure"], trees[-1])
    return dict(rule="le", base=0.0, trees=trees)


class Run:
    """The model, the data and both sides."""

    def __init__(self, command, sizes, folder):
        self.command, self.sizes, self.folder, self.lines = command, sizes, Path(folder), []
        rng = np.random.default_rng(1)
        train, y = table(rng, sizes["train"])
        params = dict(objective="binary", num_leaves=LEAVES, learning_rate=0.1, num_threads=2, verbose=-1, seed=1)
        self.booster = lightgbm.train(params, lightgbm.Dataset(train, y), TREES)
        (self.folder / "model.json").write_text(json.dumps(trees_of(self.booster)))
        self.x, self.background = table(rng, sizes["rows"])[0], table(rng, sizes["background"])[0]

    def ours(self, workload, output, x, **more):
        """Seconds of fit and predict, and the outputs."""
        out = self.folder / "out"
        np.save(self.folder / "x.npy", x)
        params = {k: v for k, v in more.items() if not isinstance(v, np.ndarray)}
        (self.folder / "params.json").write_text(json.dumps(params))
        for name, array in more.items():
            if name not in params:
                np.save(self.folder / f"{name}.npy", array)
        line = subprocess.run([self.command, workload, "--data", self.folder, "--out", out], check=True,
                              capture_output=True, text=True).stdout
        times = json.loads(line.splitlines()[-1])
        return times["fit_s"] + times["predict_s"], *(np.load(out / f"{name}.npy", mmap_mode="r") for name in output)

    def say(self, what, by, seconds, ours, difference=None, scaled=False):
        self.lines.append((what, by, ("~" if scaled else "") + f"{seconds:.3g}", f"{seconds / ours:.3g}",
                           "" if difference is None else f"{difference:.1e}"))

    def explainer(self, *background, **how):
        """shap's own code: unless told otherwise, it hands the model back to LightGBM."""
        explainer = shap.TreeExplainer(self.booster, *background, **how)
        explainer.model.model_type = "internal"
        return explainer

    def values(self):
        seconds, found = self.ours("treeshap", ["shap"], self.x)
        what = f"values by covers, {len(self.x):,} rows"
        self.say(what, "telseg", seconds, seconds)
        theirs, took = timed(lambda: self.booster.predict(self.x, pred_contrib=True, num_threads=2))
        self.say(what, "LightGBM pred_contrib", took, seconds, np.abs(found - theirs).max())
        part = self.x[:self.sizes["shap_values"]]
        explainer = self.explainer()
        theirs, took = timed(lambda: explainer.shap_values(part, check_additivity=False))
        scale = len(self.x) / len(part)
        self.say(what, "shap, one thread", took * scale, seconds,
                 np.abs(found[:len(part), :-1] - last(theirs, 2)).max(), scale > 1)

    def against(self):
        seconds, found = self.ours("treeshap_background", ["shap"], self.x, background=self.background)
        what = f"values against {len(self.background):,} rows, {len(self.x):,} rows"
        self.say(what, "telseg", seconds, seconds)
        part = self.x[:self.sizes["shap_background"]]
        masker = shap.maskers.Independent(self.background, max_samples=len(self.background))
        explainer = self.explainer(masker, feature_perturbation="interventional")
        theirs, took = timed(lambda: explainer.shap_values(part, check_additivity=False))
        scale = len(self.x) / len(part)
        self.say(what, "shap, interventional, one thread", took * scale, seconds,
                 np.abs(found[:len(part), :-1] - last(theirs, 2)).max(), scale > 1)

    def interactions(self):
        rows = self.x[:max(1, len(self.x) // 10)]
        seconds, found = self.ours("treeshap_interactions", ["interactions"], rows)
        what = f"interactions, {len(rows):,} rows"
        self.say(what, "telseg", seconds, seconds)
        part = rows[:self.sizes["shap_pairs"]]
        explainer = self.explainer()
        theirs, took = timed(lambda: explainer.shap_interaction_values(part))
        scale = len(rows) / len(part)
        self.say(what, "shap, one thread", took * scale, seconds,
                 np.abs(found[:len(part)] - last(theirs, 3)).max(), scale > 1)

    def one_row(self):
        rows, cold = self.x[:self.sizes["alone"]], self.sizes["cold"]
        _, times, found = self.ours("treeshap_row", ["seconds", "shap"], rows, cold=cold)
        theirs, per_row = [], []
        for i in range(cold):
            value, took = timed(lambda: self.booster.predict(rows[i:i + 1], pred_contrib=True, num_threads=1))
            theirs.append(value[0])
            per_row.append(took)
        what, ours = "one row (microseconds)", np.median(times[cold:]) * 1e6
        for name, part in (("after other rows", times[cold:]), ("caches emptied before", times[:cold])):
            for at in (50, 99):
                value = np.percentile(part, at) * 1e6
                self.say(what, f"telseg, {name}, {at} %", value, ours)
        self.say(what, "LightGBM pred_contrib, 50 %", np.median(per_row) * 1e6, ours,
                 np.abs(found[:cold] - np.array(theirs)).max())

    def many(self):
        n = self.sizes["many"]
        rng = np.random.default_rng(2)
        x, background = table(rng, n)[0], table(rng, n)[0]
        seconds, found = self.ours("treeshap_background", ["shap"], x, background=background)
        what = f"values against {n:,} rows, {n:,} rows"
        margin = self.booster.predict(x[:10_000], raw_score=True)
        self.say(what, "telseg (difference: sum of values and margin)", seconds, seconds,
                 np.abs(found[:10_000].sum(1) - margin).max())


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def last(values, dimensions):
    """The values of the second class, where a peer returns one array for each class."""
    values = np.asarray(values[-1] if isinstance(values, list) else values)
    return values[..., -1] if values.ndim > dimensions else values


def main():
    comparisons = ("values", "against", "interactions", "one_row", "many")
    args = argparse.ArgumentParser()
    args.add_argument("command")
    args.add_argument("--scale", choices=("full", "small"), default="full")
    args.add_argument("--only", nargs="+", choices=comparisons, default=comparisons)
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(args.command, FULL if args.scale == "full" else SMALL, folder)
        for name in args.only:
            getattr(run, name)()
    print(f"lightgbm {lightgbm.__version__}, shap {shap.__version__}")
    print("| what | by | seconds | relative to telseg | largest difference |\n| --- | --- | --- | --- | --- |")
    for line in run.lines:
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
