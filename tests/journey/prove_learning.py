"""What learning promises, measured on the program: held-out figures over ten splits, the original's search against
scikit-learn's, a million rows. The real data is looked for in ../shared/data, the peer in ../shared/peer; without them those
parts say that they skip. Run by tools/prove.sh.
"""
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import time
import unittest

from support import PROGRAM, JourneyTest, run

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
DATA = SHARED / "data" / "digital_marketing_campaign_dataset.csv"
GRID = SHARED / "peer" / "grid.py"
with_data = unittest.skipUnless(DATA.exists(), f"no {DATA}")


def timed(*arguments):
    """Seconds and peak MiB of one command, which must succeed."""
    begin = time.monotonic()
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.stderr.read()
    process.stderr.close()
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class ProveLearning(JourneyTest):
    @classmethod
    def train(cls, folder, seed):
        """No shared model: each proof makes its own."""
        return folder

    def report(self, *arguments):
        path = self.folder / "report.json"
        figures = timed("train", *arguments, "--out", self.folder / "m", "--report", path)
        return json.loads(path.read_text()), figures

    @with_data
    def test_default_training_on_ten_splits(self):
        limits = {"accuracy": 0.950, "mcc": 0.750, "roc_auc": 0.834, "log_loss": 0.194}
        seen = {name: [] for name in limits}
        seconds, winners = [], []
        for seed in range(1000, 1010):
            report, (wall, cpu, peak) = self.report(DATA, "--holdout", f"sklearn:{seed}:0.2")
            holdout = report["candidates"][0]["holdout"]
            winners.append(report["winner"])
            seconds.append(wall)
            for name in limits:
                seen[name].append(holdout[name])
            self.assertLess(peak, 1024)
            print(f"\nseed {seed}: {report['winner']}, " + ", ".join(f"{n} {holdout[n]:.4f}" for n in limits) +
                  f"; {wall:.1f} s wall, {cpu:.1f} s of processor, {peak:.0f} MiB", end="", flush=True)
        means = {name: statistics.mean(values) for name, values in seen.items()}
        print("\nmeans: " + ", ".join(f"{n} {v:.4f} (limit {limits[n]})" for n, v in means.items()) +
              f"; median {statistics.median(seconds):.1f} s (limit 60)")
        for name in ("accuracy", "mcc", "roc_auc"):
            self.assertGreaterEqual(means[name], limits[name])
        self.assertLessEqual(means["log_loss"], limits["log_loss"])
        self.assertLess(statistics.median(seconds), 60)

    @with_data
    @unittest.skipUnless(GRID.exists(), f"no {GRID}")
    def test_the_originals_search_against_scikit_learn(self):
        ours = []
        for _ in range(3):
            report, (wall, cpu, _) = self.report(DATA, "--models", "svm", "--search", "original")
            ours.append((wall, cpu))
        print(f"\nours, whole command: {[f'{w:.2f} s wall, {c:.2f} s of processor' for w, c in ours]}", flush=True)
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        peer = subprocess.run(["/usr/bin/python3", GRID, DATA], capture_output=True, text=True, check=True)
        wall = time.monotonic() - start
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
        points = {}
        for point, f1 in re.findall(r"^(\{.*\}) f1 ([0-9.]+)", peer.stdout, re.MULTILINE):
            parameters = eval(point, {"__builtins__": {}})  # noqa: S307: the peer's own print of a dict
            points[(parameters["kernel"], float(parameters["C"]), float(parameters["gamma"]))] = float(f1)
        self.assertEqual(len(points), 28)
        mine = {(p["parameters"]["kernel"], float(p["parameters"]["C"]), float(p["parameters"]["gamma"])): p["value"]
                for p in report["candidates"][0]["search"]["points"]}
        self.assertEqual(len(mine), 32)
        self.assertLess(max(abs(points[key] - mine[key]) for key in points), 0.001)
        self.assertEqual(max(mine, key=mine.get), max(points, key=points.get))
        median_wall = statistics.median(w for w, _ in ours)
        median_cpu = statistics.median(c for _, c in ours)
        print(f"peer {wall:.0f} s wall, {cpu:.0f} s of processor for 28 points; ours {median_wall:.2f} s, {median_cpu:.2f} s for 32: "
              f"{wall / median_wall:.0f} times faster, {cpu / median_cpu:.0f} times less processor (limit 60)")
        self.assertGreaterEqual(wall / median_wall, 60)

    def test_a_million_rows(self):
        data = self.folder / "million.csv"
        with open(data, "wb") as file:
            subprocess.run([PROGRAM, "sample", "--rows", "1000000"], stdout=file, check=True)
        wall, cpu, peak = timed("train", data, "--models", "additive,boosted,logistic", "--out", self.folder / "m")
        print(f"\n1,000,000 rows: {wall:.0f} s wall, {cpu:.0f} s of processor, {peak:.0f} MiB (limits 180 s, 4096 MiB)")
        self.assertLess(wall, 180)
        self.assertLess(peak, 4096)
        done = run("train", data, "--models", "svm", "--out", self.folder / "m2")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"20000", done.stderr.replace(b",", b""))


if __name__ == "__main__":
    unittest.main()
