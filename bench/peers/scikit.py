"""The original's model and a forest in scikit-learn, and a CSV in pandas: rows and bytes a second, one thread each.

usage: scikit.py CUSTOMERS.csv TIMES      prints one JSON object; exits 3 where the libraries are not installed
"""
import io
import json
import os
import statistics
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
try:
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.preprocessing import LabelEncoder, StandardScaler
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
except ImportError as missing:
    print(f"not installed: {missing.name} (apt install python3-sklearn python3-pandas)", file=sys.stderr)
    sys.exit(3)

LEFT_OUT = ["CustomerID", "Conversion", "AdvertisingPlatform", "AdvertisingTool"]


def seconds(work, times):
    """The median."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def main():
    path, times = sys.argv[1], int(sys.argv[2])
    table = pd.read_csv(path)
    labels = table.Conversion.values
    rows = table.drop(columns=[name for name in LEFT_OUT if name in table])
    for column in rows.select_dtypes("object"):
        rows[column] = LabelEncoder().fit_transform(rows[column])
    train, _, train_labels, _ = train_test_split(rows, labels, test_size=0.2, random_state=42, stratify=labels)
    scaler = StandardScaler().fit(train)
    svm = SVC(C=10, gamma=0.01, probability=True, random_state=42).fit(scaler.transform(train), train_labels)
    forest = RandomForestClassifier(100, max_depth=20, n_jobs=1, random_state=42).fit(train.values, train_labels)
    scaled, plain = scaler.transform(rows), rows.values

    probabilities = svm.predict_proba(scaled)[:, 1]
    with open(path, "rb") as file:
        text = file.readline() + (file.read().rstrip(b"\n") + b"\n") * 8
    print(json.dumps({
        "support_vectors": int(svm.n_support_.sum()),
        "probabilities": probabilities[:1000].tolist(),
        "svm_rows_per_second": len(scaled) / seconds(lambda: svm.predict_proba(scaled), times),
        "svm_one_row_seconds": seconds(lambda: svm.predict_proba(scaled[:1]), 200 * times),
        "forest_rows_per_second": len(plain) / seconds(lambda: forest.predict_proba(plain), times),
        "read_csv_bytes_per_second": len(text) / seconds(lambda: pd.read_csv(io.BytesIO(text)), times),
    }))


main()
