"""LIBSVM's own svm-predict on the original's kernel and parameters: rows a second, its reading and writing included.

usage: libsvm.py CUSTOMERS.csv TIMES      prints one JSON object; exits 3 where libsvm-tools is not installed
"""
import csv
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

LEFT_OUT = ("CustomerID", "Conversion", "AdvertisingPlatform", "AdvertisingTool")


def main():
    path, times = sys.argv[1], int(sys.argv[2])
    if not shutil.which("svm-predict"):
        print("not installed: svm-predict (apt install libsvm-tools)", file=sys.stderr)
        sys.exit(3)
    rows = list(csv.DictReader(open(path, newline="")))
    columns = []
    for name in rows[0]:
        if name in LEFT_OUT:
            continue
        texts = [row[name] for row in rows]
        try:
            column = [float(text) for text in texts]
        except ValueError:
            codes = {text: code for code, text in enumerate(sorted(set(texts)))}
            column = [codes[text] for text in texts]
        mean = statistics.fmean(column)
        deviation = statistics.pstdev(column) or 1
        columns.append([(value - mean) / deviation for value in column])
    with tempfile.TemporaryDirectory() as folder:
        data, model = pathlib.Path(folder, "data"), pathlib.Path(folder, "model")
        with open(data, "w") as out:
            for row, cells in zip(rows, zip(*columns)):
                out.write(row["Conversion"] + "".join(f" {i}:{cell:.6g}" for i, cell in enumerate(cells, 1)) + "\n")
        subprocess.run(["svm-train", "-q", "-c", "10", "-g", "0.01", data, model], check=True)
        taken = []
        for _ in range(times):
            begin = time.perf_counter()
            subprocess.run(["svm-predict", "-q", data, model, pathlib.Path(folder, "out")], check=True)
            taken.append(time.perf_counter() - begin)
    print(json.dumps({"rows_per_second": len(rows) / statistics.median(taken)}))


main()
