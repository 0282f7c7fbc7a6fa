#!/usr/bin/env python3
"""Writes sklearn.json: what scikit-learn answers to small made-up questions. Needs Debian's python3-sklearn; run it by
hand after changing it (/usr/bin/python3 tests/golden/make_golden.py). The tests need only the file."""
import json
import os
import warnings

import numpy
import sklearn
from sklearn import metrics
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.simplefilter("error")
random = numpy.random.RandomState(20260101)


def labels_of(n, share):
    """n labels, about this share of them 1, at least 3 of each."""
    labels = (random.random_sample(n) < share).astype(int)
    labels[random.permutation(n)[:6]] = [0, 0, 0, 1, 1, 1]
    return labels


def text(labels):
    return "".join(map(str, labels))


def split(labels, fraction, seed):
    train, test = train_test_split(
        numpy.arange(len(labels)), test_size=fraction, random_state=seed, stratify=labels)
    return train.tolist(), test.tolist()


def splits():
    cases = [(labels_of(n, share), fraction, seed)
             for n, share in ((20, 0.5), (53, 0.88), (97, 0.1), (160, 0.35))
             for fraction in (0.2, 0.25, 0.333, 0.5)
             for seed in (0, 42, 4294967295)]
    # Equal remainders, which chance decides: as many of each class, an odd number of them to draw.
    half = numpy.array([0, 1] * 9)
    cases += [(half, fraction, seed) for fraction in (0.16, 0.3, 0.5) for seed in range(6)]
    out = []
    for labels, fraction, seed in cases:
        train, test = split(labels, fraction, seed)
        out.append({"labels": text(labels), "fraction": fraction, "seed": seed, "train": train, "test": test})
    return out


def large_splits():
    """Only a sum of each side, every position weighted: labels are made by the same rule in the test."""
    out = []
    for n, fraction, seed in ((8000, 0.2, 42), (70001, 0.1, 7)):
        labels = numpy.array([1 if i * 7919 % 1000 < 877 else 0 for i in range(n)])
        sums = [sum((at + 1) * row for at, row in enumerate(side)) for side in split(labels, fraction, seed)]
        out.append({"rows": n, "fraction": fraction, "seed": seed, "train_sum": sums[0], "test_sum": sums[1]})
    return out


def folds():
    out = []
    for n, share in ((30, 0.5), (61, 0.8), (128, 0.2), (77, 0.9)):
        for count in (2, 3):
            labels = labels_of(n, share)
            fold_of = numpy.empty(n, int)
            for fold, (_, test) in enumerate(StratifiedKFold(count).split(labels, labels)):
                fold_of[test] = fold
            out.append({"labels": text(labels), "folds": count, "fold_of": text(fold_of)})
    return out


def figures():
    out = []
    for n, share, digits, threshold in ((40, 0.5, 1, 0.5), (200, 0.88, 2, 0.85), (150, 0.2, 6, 0.31), (25, 0.5, 0, 0.5)):
        labels = labels_of(n, share)
        p = numpy.clip(random.random_sample(n) * 0.6 + labels * 0.4 * random.random_sample(n), 0, 1).round(digits)
        decided = (p >= threshold).astype(int)
        tn, fp, fn, tp = metrics.confusion_matrix(labels, decided).ravel().tolist()
        out.append({
            "labels": text(labels), "probabilities": p.tolist(), "threshold": threshold,
            "confusion": [tn, fp, fn, tp],
            "accuracy": metrics.accuracy_score(labels, decided),
            "precision": metrics.precision_score(labels, decided),
            "recall": metrics.recall_score(labels, decided),
            "f1": metrics.f1_score(labels, decided),
            "mcc": metrics.matthews_corrcoef(labels, decided),
            "roc_auc": metrics.roc_auc_score(labels, p),
            "average_precision": metrics.average_precision_score(labels, p),
            "average_precision_negative": metrics.average_precision_score(1 - labels, 1 - p),
            "log_loss": metrics.log_loss(labels, p, eps=1e-15),
            "brier_score": metrics.brier_score_loss(labels, p),
        })
    return out


def sigmoids():
    out = []
    for n, share in ((50, 0.5), (300, 0.88)):
        labels = labels_of(n, share)
        decisions = (random.standard_normal(n) + 1.5 * labels - 0.5).round(4)
        fitted = _SigmoidCalibration().fit(decisions, labels)
        out.append({"labels": text(labels), "decisions": decisions.tolist(), "A": fitted.a_, "B": fitted.b_})
    return out


def machines():
    """The original's procedure, whole, on made-up customers."""
    out = []
    for n, columns, share, options in (
            (150, 4, 0.7, {"C": 10, "gamma": 0.05}),
            (150, 4, 0.5, {"C": 1, "gamma": "scale"}),
            (120, 3, 0.8, {"C": 0.5, "kernel": "linear"})):
        labels = labels_of(n, share)
        x = (random.standard_normal((n, columns)) * [3, 100, 1, 0.5][:columns] + [1, 500, -2, 0][:columns]
             + labels[:, None] * [2, 30, 0, 0.4][:columns]).round(3)
        fit, ask = slice(0, n - 40), slice(n - 40, n)
        scaler = StandardScaler().fit(x[fit])
        model = SVC(probability=True, random_state=42, **options).fit(scaler.transform(x[fit]), labels[fit])
        asked = scaler.transform(x[ask])
        out.append({
            "parameters": {name: str(value) for name, value in options.items()},
            "labels": text(labels[fit]), "rows": x[fit].tolist(), "asked": x[ask].tolist(),
            "mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist(), "gamma": float(model._gamma),
            "support_vectors": model.n_support_.tolist(), "A": float(model.probA_[0]), "B": float(model.probB_[0]),
            "decisions": model.decision_function(asked).tolist(),
            "probabilities": model.predict_proba(asked)[:, 1].tolist(),
        })
    return out


def regressions():
    """The original's candidate, on made-up customers. A tighter tol than its default, to be at the optimum."""
    out = []
    for n, columns, share, c in ((200, 4, 0.7, 1), (150, 3, 0.85, 0.01), (120, 4, 0.5, 100)):
        labels = labels_of(n, share)
        x = (random.standard_normal((n, columns)) * [3, 100, 1, 0.5][:columns] + [1, 500, -2, 0][:columns]
             + labels[:, None] * [2, 30, 0, 0.4][:columns]).round(3)
        scaled = StandardScaler().fit_transform(x)
        model = LogisticRegression(C=c, max_iter=1000, random_state=42).fit(scaled, labels)
        exact = LogisticRegression(C=c, max_iter=1000, tol=1e-10).fit(scaled, labels)
        out.append({
            "parameters": {"C": str(c)}, "labels": text(labels), "rows": x.tolist(),
            "intercept": exact.intercept_[0], "coefficients": exact.coef_[0].tolist(),
            "original_probabilities": model.predict_proba(scaled)[:, 1].tolist(),
        })
    return out


def isotonics():
    out = []
    for n, share, digits in ((12, 0.5, 6), (200, 0.8, 1), (300, 0.5, 6), (40, 0.5, 0)):
        labels = labels_of(n, share)
        decisions = (random.standard_normal(n) + 1.5 * labels - 0.5).round(digits)
        fitted = IsotonicRegression(out_of_bounds="clip").fit(decisions, labels)
        asked = (random.standard_normal(30) * 2).round(3)
        out.append({"labels": text(labels), "decisions": decisions.tolist(), "at": fitted.X_thresholds_.tolist(),
                    "values": fitted.y_thresholds_.tolist(),
                    "asked": asked.tolist(), "probabilities": fitted.predict(asked).tolist()})
    return out


document = {
    "written_by": "make_golden.py with scikit-learn %s, numpy %s" % (sklearn.__version__, numpy.__version__),
    "splits": splits(), "large_splits": large_splits(), "folds": folds(), "figures": figures(),
    "sigmoids": sigmoids(), "machines": machines(),
    # New questions last: they all draw from one generator.
    "regressions": regressions(), "isotonics": isotonics(),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sklearn.json"), "w") as file:
    # A question to a line.
    parts = []
    for name, value in document.items():
        if isinstance(value, list):
            lines = ",\n  ".join(json.dumps(one, separators=(",", ":")) for one in value)
            parts.append(' %s: [\n  %s\n ]' % (json.dumps(name), lines))
        else:
            parts.append(" %s: %s" % (json.dumps(name), json.dumps(value)))
    file.write("{\n" + ",\n".join(parts) + "\n}\n")
