"""Writes metrics.json beside this file: what scikit-learn, numpy and scipy say of a few small data sets.

Run with scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6. Weighted values of metrics for which scikit-learn takes no weights
(partitions, calibration) come from rows repeated as often as their whole-number weight says. Lift and gain come from
linear interpolation (numpy.interp) of the cumulative gain curve.
"""
import json, pathlib
import numpy as np, scipy, sklearn
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(20260101)
NAMES = ["unweighted", "integer", "real"]


def weights(n):
    whole = rng.integers(0, 5, n)
    return dict(unweighted=None, integer=whole.astype(float), real=np.round(rng.gamma(2.0, 1.0, n), 3))


def gain(y, s, w, share):
    levels = np.unique(s)[::-1]
    rows = np.array([0.0] + [w[s >= t].sum() for t in levels]) / w.sum()
    hits = np.array([0.0] + [w[(s >= t) & y].sum() for t in levels]) / w[y].sum()
    return float(np.interp(share, rows, hits))


def bins(y, p, strategy, w):
    if w is not None:
        y, p = np.repeat(y, w.astype(int)), np.repeat(p, w.astype(int))
    observed, predicted = calibration_curve(y, p, n_bins=5, strategy=strategy)
    return [predicted.tolist(), observed.tolist()]


def binary(decimals):
    n = 100
    p = np.round(rng.beta(1.2, 2.0, n), decimals)
    y = rng.random(n) < 0.1 + 0.7 * p
    case = dict(y=y.tolist(), p=p.tolist(), weights={}, expected={})
    for name, w in weights(n).items():
        if name == "integer":
            w[0] += (-w.sum()) % 5  # a multiple of the number of bins, see `calibration`
        ones = np.ones(n) if w is None else w
        fpr, tpr, roc_t = m.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
        precision, recall, pr_t = m.precision_recall_curve(y, p, sample_weight=w)
        e = dict(
            auc=m.roc_auc_score(y, p, sample_weight=w),
            average_precision=m.average_precision_score(y, p, sample_weight=w),
            log_loss=m.log_loss(y, p, sample_weight=w),
            brier=m.brier_score_loss(y, p, sample_weight=w),
            gain_at=[gain(y, p, ones, share) for share in (0.05, 0.1, 0.333, 1.0)],
            roc=[fpr.tolist(), tpr.tolist()],
            precision_recall=[precision[::-1].tolist(), recall[::-1].tolist()],
        )
        if name != "real":
            e["uniform"] = bins(y, p, "uniform", w)
            e["quantile"] = bins(y, p, "quantile", w)
        case["weights"][name] = None if w is None else w.tolist()
        case["expected"][name] = e
    return case


def regression():
    n = 40
    y = np.round(rng.gamma(2.0, 20.0, n), 2)
    predicted = np.round(0.7 * y + rng.normal(8, 10, n), 2)
    case = dict(y=y.tolist(), predicted=predicted.tolist(), weights={}, expected={})
    for name, w in weights(n).items():
        case["weights"][name] = None if w is None else w.tolist()
        case["expected"][name] = dict(
            rmse=m.root_mean_squared_error(y, predicted, sample_weight=w),
            mae=m.mean_absolute_error(y, predicted, sample_weight=w),
            r2=m.r2_score(y, predicted, sample_weight=w),
            quantile_loss=[m.mean_pinball_loss(y, predicted, sample_weight=w, alpha=q) for q in (0.1, 0.5, 0.9)],
        )
    return case


def partition(a, b, w):
    e = dict(a=a.tolist(), b=b.tolist(), weights=None if w is None else w.tolist())
    if w is not None:
        a, b = np.repeat(a, w), np.repeat(b, w)
    table = m.cluster.contingency_matrix(a, b)
    e |= dict(
        table=table.tolist(),
        ari=m.adjusted_rand_score(a, b),
        nmi=m.normalized_mutual_info_score(a, b),
        purity=float(table.max(axis=0).sum() / table.sum()),
    )
    return e


def partitions():
    n = 60
    a = rng.integers(0, 4, n) * 3
    b = np.where(rng.random(n) < 0.6, a + 1, rng.integers(0, 6, n))
    w = rng.integers(1, 4, n)
    alone = np.arange(8)
    return [
        partition(a, b, None),
        partition(a, b, w),
        partition(rng.integers(0, 3, n), rng.integers(0, 3, n), None),
        partition(alone, np.zeros(8, int), None),
        partition(alone, alone[::-1], None),
        partition(np.zeros(8, int), np.ones(8, int), None),
    ]


versions = f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
header = dict(
    made_by=f"metrics.py beside this file, with {versions}",
    how="sklearn.metrics functions of the same names; numpy.interp of cumulative gains; repeated rows for weights of "
    "partitions and calibration",
    tolerance="1e-12 absolute and relative: both sides sum about a hundred doubles, in another order",
)
out = dict(header=header, binary=dict(continuous=binary(6), ties=binary(1)), regression=regression(), partitions=partitions())
text = json.dumps(out)
text = text.replace(', "', ',\n"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
