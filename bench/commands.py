"""Whole commands: a file of customers in, its scores out; and how much memory that takes."""
import json
import os
import pathlib
import shutil
import subprocess
import threading

import common
from common import Row, Wrong, median, timed

CHECKED_ROWS = 1000


def output_folder():
    """Memory where there is enough of it: a disk may take less than one core scores."""
    memory = pathlib.Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else common.WORK


def check(path, model):
    """The first rows' scores are those of double precision, within what single precision promises."""
    with open(path, "rb") as file:
        text = b"".join(line for line, _ in zip(file, range(CHECKED_ROWS + 1)))
    fast, exact = ([row["probability_conversion"] for row in json.loads(common.dropscore(
        "score", "-", "--model", model, *options, stdin=text))["predictions"]] for options in ((), ("--precision", "double")))
    if len(fast) != CHECKED_ROWS or max(abs(a - b) for a, b in zip(fast, exact)) > 1e-5:
        raise Wrong("scores are not within 1e-5 of double precision's")


def rows_per_second(path, rows, model, form, times):
    out = output_folder() / f"dropscore-bench-{os.getpid()}.{form}"
    taken = [timed(common.PROGRAM, "score", path, "--model", model, "--format", form, "--output", out)[0]
             for _ in range(times)]
    with open(out, "rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    out.unlink()
    if lines < rows:
        raise Wrong(f"{lines} lines of answer to {rows} rows")
    return rows / median(taken)


def files(rows, times, peer_rate):
    """`peer_rate`: rows a second of the original's API, where it was measured."""
    path = common.unlabelled(rows)
    for name in ("svm", "additive"):
        check(path, common.model(name))
    svm = rows_per_second(path, rows, common.model("svm"), "csv", times)
    yield Row(f"file of {rows:,} rows -> scored CSV, SVM", svm, "rows/s", peer_rate, "its API" if peer_rate else "",
              svm / peer_rate if peer_rate else None, "0.8 M rows/s, 100 times (aim 150)",
              svm >= 800_000 and (not peer_rate or svm >= 100 * peer_rate))
    for form, limit, aim in (("csv", 1.5, 3), ("json", 1.0, 2)):
        rate = rows_per_second(path, rows, common.model("additive"), form, times)
        yield Row(f"the same, additive model, {form.upper()}", rate, "rows/s", limit=f"{limit} M rows/s (aim {aim} M)",
                  met=rate >= limit * 1e6)


def memory(gigabytes):
    """The most resident memory while a stream of that length is scored."""
    header, _, rows = common.unlabelled(100_000).read_bytes().partition(b"\n")
    ours, theirs = os.pipe()

    def feed():
        with open(theirs, "wb", buffering=0) as pipe:
            pipe.write(header + b"\n")
            for _ in range(gigabytes * 10**9 // len(rows)):
                pipe.write(rows)

    feeder = threading.Thread(target=feed)
    feeder.start()
    seconds, mebibytes = timed(common.PROGRAM, "score", "-", "--model", common.model("additive"), "--format", "csv",
                               stdin=ours)
    os.close(ours)
    feeder.join()
    return Row(f"resident memory at {gigabytes} GB", mebibytes, "MiB", limit="64 MiB", met=mebibytes <= 64,
               notes=[f"{seconds:.0f} s"])


def drops(folder):
    """From drop to result, as bench/drop_latency.py measures it."""
    out = folder / "drop_latency.json"
    subprocess.run([common.sys.executable, common.ROOT / "bench/drop_latency.py", "--program", common.PROGRAM, "--out", out],
                   check=False, stdout=subprocess.DEVNULL)
    if not out.exists():
        raise Wrong("drop_latency.py gave no figures")
    report = json.loads(out.read_text())
    for how in ("close", "rename"):
        figures = report[how]
        yield Row(f"a file dropped by {how} -> its result, median", figures["median_ms"], "ms",
                  limit=f"{report['limit_ms']} ms", met=figures["median_ms"] <= report["limit_ms"],
                  notes=[f"p90 {figures['p90_ms']} ms"])
