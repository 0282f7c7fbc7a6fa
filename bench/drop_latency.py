#!/usr/bin/env python3
"""From drop to result: how long after a file's last close, or its rename into place, its result is visible.

Starts `dropscore watch` on a small model, drops files one after another, half of each kind, and checks each answer
against `dropscore score` before it counts. Writes a JSON of the figures; exits 1 where a median is over the limit.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

LIMIT_MS = 100
ROOT = pathlib.Path(__file__).resolve().parent.parent
FIRST_RESULT_SECONDS = 30


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, round(share * (len(sorted_values) - 1)))]


def drop(path, content, how):
    """Returns the moment at which the file is there whole: just before the close, or the rename."""
    if how == "close":
        with open(path, "wb", buffering=0) as file:
            file.write(content)
            moment = time.perf_counter()
        return moment
    hidden = path.with_name(f".{path.name}.writing")
    hidden.write_bytes(content)
    moment = time.perf_counter()
    hidden.rename(path)
    return moment


def wait_for(path, process):
    end = time.perf_counter() + FIRST_RESULT_SECONDS
    while not path.exists():
        if time.perf_counter() > end or process.poll() is not None:
            sys.exit(f"no result at {path}")
        time.sleep(0.0002)
    return time.perf_counter()


def measure(program, folder, files):
    def dropscore(*arguments, stdin=b""):
        return subprocess.run([program, *map(str, arguments)], input=stdin, capture_output=True, check=True).stdout

    (folder / "train.csv").write_bytes(dropscore("sample", "--rows", 600, "--seed", 1))
    model = folder / "model"
    dropscore("train", folder / "train.csv", "--out", model, "--models", "svm")
    header, *rows = dropscore("sample", "--rows", 3 * (files + 2), "--seed", 2, "--unlabelled").splitlines(True)
    contents = [header + b"".join(rows[3 * i:3 * i + 3]) for i in range(files + 2)]
    expected = [json.loads(dropscore("score", "-", "--model", model, stdin=content)) for content in contents]

    latencies = {"close": [], "rename": []}
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([program, "watch", "--input", folder / "input-data", "--output",
                                    folder / "output-results", "--model", model], stdout=log, stderr=log)
        try:
            while b"watching" not in (folder / "log").read_bytes():
                time.sleep(0.01)
            for i, content in enumerate(contents):
                how = ("close", "rename")[i % 2]
                begin = drop(folder / "input-data" / f"customers-{i}.csv", content, how)
                result = folder / "output-results" / f"customers-{i}.csv.json"
                took_ms = (wait_for(result, process) - begin) * 1000
                if json.loads(result.read_bytes())["predictions"] != expected[i]:
                    sys.exit(f"customers-{i}.csv: the answer is not that of `dropscore score`")
                if i >= 2:  # the first of each kind makes folders
                    latencies[how].append(took_ms)
                time.sleep(0.01)
        finally:
            process.terminate()
            process.wait()
    return latencies


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=ROOT / "build/bench/dropscore")
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench/drop_latency.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dropscore-bench-") as folder:
        latencies = measure(arguments.program, pathlib.Path(folder), arguments.files)

    report = {"limit_ms": LIMIT_MS, "load_average": os.getloadavg()[0]}
    for how, values in latencies.items():
        values.sort()
        report[how] = {"files": len(values), "median_ms": round(statistics.median(values), 2),
                       "p90_ms": round(percentile(values, 0.9), 2), "max_ms": round(values[-1], 2)}
    report["within_limit"] = all(report[how]["median_ms"] <= LIMIT_MS for how in latencies)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")
    for how in latencies:
        print(f"drop by {how:<8} -> result: median {report[how]['median_ms']:6.2f} ms  p90 {report[how]['p90_ms']:6.2f} ms  "
              f"max {report[how]['max_ms']:6.2f} ms  (limit for the median: {LIMIT_MS} ms)")
    return 0 if report["within_limit"] else 1


if __name__ == "__main__":
    sys.exit(main())
