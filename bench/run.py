#!/usr/bin/env python3
"""Measures dropscore against its peers, in one run: prints one table and writes it as JSON to bench/results/.

Peers that are not installed are left out, and that is said. Every part checks its answers before it is timed. Exits 1
where an answer was wrong or a limit was not held, 0 otherwise. tools/setup.sh bench installs what is needed.
"""
import argparse
import dataclasses
import datetime
import json
import os
import platform
import subprocess
import sys

import commands
import common
import micro
import serving
from common import Missing, Wrong

RESULTS = common.ROOT / "bench/results"


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(rows):
    print(f"\n{'':<58}{'ours':>12} {'':<11}{'peer':>12}  {'':<20}{'ratio':>7}  limit")
    for row in rows:
        met = {True: "met", False: "NOT MET", None: ""}[row.met]
        print(f"{row.what:<58}{number(row.ours) or '-':>12} {row.unit:<11}{number(row.peer):>12}  {row.peer_name:<20}"
              f"{number(row.ratio):>7}  {row.limit}{': ' if met and row.limit else ''}{met}")
        for note in row.notes:
            print(f"    {note}")


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    return {"processor": model, "cores": os.cpu_count(), "load_average": os.getloadavg(), "system": platform.platform()}


def commit():
    try:
        return subprocess.run(["git", "describe", "--always", "--dirty"], cwd=common.ROOT, capture_output=True, text=True,
                              check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the file that is scored whole")
    parser.add_argument("--seconds", type=int, default=5, help="of each run of wrk")
    parser.add_argument("--times", type=int, default=3, help="that each is measured; the median counts")
    parser.add_argument("--only", default="micro,serving,commands,drops", help="parts, separated by commas")
    parser.add_argument("--long", action="store_true", help="also the memory at 1 GB and 10 GB")
    return parser.parse_args()


class Parts:
    """Collects rows part by part; what is missing or wrong in one does not keep the others from being measured."""

    def __init__(self):
        self.rows, self.notes, self.wrong = [], [], []

    def add(self, name, measure):
        common.say(f"{name} ...")
        try:
            self.rows += measure()
        except Missing as missing:
            self.notes.append(f"{name}: {missing}")
        except Wrong as wrong:
            self.wrong.append(f"{name}: {wrong}")
        except subprocess.CalledProcessError as failed:
            self.wrong.append(f"{name}: {failed.cmd[0]} failed: {(failed.stderr or b'')[-300:]!r}")


def measure_all(options):
    parts = Parts()
    only = options.only.split(",")
    before = machine()
    api = Parts()  # measured first, since the original's API is the peer of whole files; shown in the order
    if "serving" in only:
        api.add("the API", lambda: serving.measure(options.seconds, options.times))
    if "micro" in only:
        found, wrong = micro.run_all(RESULTS, 0.2, options.times)
        parts.wrong += wrong
        parts.add("kernels", lambda: micro.rows(found, options.times, parts.notes))
    if "commands" in only:
        per_request = next((row.peer for row in api.rows if "csv_data" in row.what and row.peer), None)
        parts.add("whole files", lambda: commands.files(options.rows, options.times, per_request and 1000 * per_request))
    if options.long:
        for gigabytes in (1, 10):
            parts.add("memory", lambda size=gigabytes: [commands.memory(size)])
    parts.rows += api.rows
    parts.notes += api.notes
    parts.wrong += api.wrong
    if "drops" in only:
        parts.add("dropped files", lambda: commands.drops(RESULTS))
    return parts, before


def main():
    options = arguments()
    if not common.PROGRAM.exists():
        sys.exit(f"no program at {common.PROGRAM}: make bench")
    RESULTS.mkdir(parents=True, exist_ok=True)
    parts, before = measure_all(options)
    table(parts.rows)
    for note in parts.notes:
        print(f"note: {note}")
    for wrong in parts.wrong:
        print(f"WRONG: {wrong}")
    now = datetime.datetime.now(datetime.timezone.utc)
    report = {"time": now.isoformat(timespec="seconds"), "commit": commit(), "machine_before": before,
              "load_average_after": os.getloadavg(), "options": vars(options),
              "rows": [dataclasses.asdict(row) for row in parts.rows], "notes": parts.notes, "wrong": parts.wrong}
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {path.relative_to(common.ROOT)}; load {before['load_average'][0]:.1f} before, {os.getloadavg()[0]:.1f} after")
    return 1 if parts.wrong or any(row.met is False for row in parts.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
