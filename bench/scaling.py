#!/usr/bin/env python3
"""What one worker and one API take, by the size of what they are given: the figures of docs/scaling.md.

Counts processor seconds, so that a busy machine does not change them much: a replica with one vCPU has one a second. Elapsed
time is said beside them, with the load. Azure is its emulator on this machine, whose requests are counted, and which is
slower than the service: of its elapsed times only those over a wire of a stated rate mean something.

Needs what `tools/setup.sh bench` and `tools/setup.sh azure` install, the program (make build; DROPSCORE_PROGRAM names
another) and 4 GB in /dev/shm.
"""
import argparse
import collections
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/azure"))

from azurite import Azurite, processor_seconds  # noqa: E402
from event_grid import EventGrid  # noqa: E402
from slow_wire import SlowWire  # noqa: E402

PROGRAM = os.environ.get("DROPSCORE_PROGRAM", ROOT / "build/release/dropscore")
DATA = ROOT.parent / "shared/data/digital_marketing_campaign_dataset.csv"
SVM = ["--models", "svm", "--set", "svm.kernel=rbf", "--set", "svm.C=10", "--set", "svm.gamma=0.01"]
MODELS = {"additive": ["--models", "additive"],
          "svm": [*SVM, "--calibration", "platt"],
          "original": [*SVM, "--calibration", "original", "--threshold", "sign"]}  # in double precision
SIZES = {3: 400, 1_000: 200, 50_000: 20, 5_000_000: 1}  # rows of a file -> files
PATIENCE_SECONDS = 900
START_PROCESSOR_SECONDS = 0.02  # of a worker; beside hundreds of files it does not matter


def dropscore(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True).stdout


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def records(log, event):
    found = []
    for line in pathlib.Path(log.name).read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if record.get("event") == event:
                found.append(record)
    return found


class Worker:
    """`dropscore watch` as a pod runs it: 4 files at a time, 2 threads for a large one."""

    def __init__(self, folder, source, target, model, *more, env=None, program=PROGRAM):
        self.log = open(folder / "worker.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "watch", "--input", source, "--output", target, "--model", model, "--workers", "4", "--threads", "2",
             "--log-format", "json", *more],
            env={**os.environ, **(env or {})}, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.wait(lambda: records(self.log, "watching"))

    def wait(self, condition):
        end = time.monotonic() + PATIENCE_SECONDS
        while not (found := condition()):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the worker did not get done: {pathlib.Path(self.log.name).read_text()[-2000:]}")
            time.sleep(0.02)
        return found

    def wait_for(self, files):
        return self.wait(lambda: len(done := records(self.log, "file_done")) >= files and done)

    def processor_seconds(self):
        return processor_seconds(self.process.pid)

    def end(self):
        peak = peak_mib(self.process.pid)
        self.process.terminate()
        self.process.wait()
        self.log.close()
        return peak


def line(what, files, rows, bytes_in, processor, elapsed, peak, more=""):
    print(f"{what:<34}{files:>6} files  {1e3 * processor / files:>9.3f} ms/file  {rows / processor:>12,.0f} rows/cpu-s"
          f"  {bytes_in / 1e6 / processor:>6.0f} MB/cpu-s  {elapsed:>7.2f} s  peak {peak:>5.1f} MiB  {more}", flush=True)


def say_load():
    return f"load {os.getloadavg()[0]:.1f}"


def sample(rows):
    return dropscore("sample", "--rows", rows, "--unlabelled", "--seed", 1)


def local(folder, models, sizes):
    for rows, files in sizes.items():
        content = sample(rows)
        for name, model in models.items():
            source, target, stage = (folder / part for part in ("in", "out", "stage"))
            for part in (source, target, stage):
                part.mkdir()
            for i in range(files):
                (stage / f"{i}.csv").write_bytes(content)
            worker = Worker(folder, source, target, model)
            before, begin = worker.processor_seconds(), time.monotonic()
            for i in range(files):
                (stage / f"{i}.csv").rename(source / f"{i}.csv")
            worker.wait_for(files)
            elapsed, processor = time.monotonic() - begin, worker.processor_seconds() - before
            line(f"folder, {name}, {rows} rows", files, files * rows, files * len(content), processor, elapsed,
                 worker.end(), say_load())
            for part in (source, target, stage):
                shutil.rmtree(part)


def requests_by_kind(text, since):
    """Of the emulator's access log: those of a worker from its start to its last file."""
    counts = collections.Counter()
    for method, target in re.findall(r'"([A-Z]+) (\S+) HTTP/1\.1"', text[since:]):
        url = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(url.query)
        what = (query.get("comp") or query.get("restype") or ["message" if "/messages" in url.path else "blob"])[0]
        counts[f"{method} {what}"] += 1
    return counts


def put_in_pieces(blobs, container, name, content):
    return blobs.put_blocks(container, name, (content[at:at + (32 << 20)] for at in range(0, len(content), 32 << 20)))


def azure(folder, models, sizes):
    for rows, files in sizes.items():
        content = sample(rows)
        for name, model in models.items():
            with Azurite(memory_mib=8192, access_log=True) as azurite:
                for container in ("input-data", "output-results"):
                    azurite.blobs.make_container(container)
                azurite.queues.make("scoring")
                etags = {f"{i}.csv": put_in_pieces(azurite.blobs, "input-data", f"{i}.csv", content) for i in range(files)}
                grid = EventGrid(azurite, "scoring")
                for blob, etag in etags.items():
                    grid.notify("input-data", blob, etag, len(content))
                since, begin = len(azurite.text()), time.monotonic()
                worker = Worker(folder, f"{azurite.blob_url}/input-data", f"{azurite.blob_url}/output-results", model,
                                "--queue", "scoring", "--sweep-interval-ms", "3600000",
                                env={"DROPSCORE_CONNECTION_STRING": azurite.connection_string})
                worker.wait_for(files)
                elapsed, processor = time.monotonic() - begin, worker.processor_seconds() - START_PROCESSOR_SECONDS
                time.sleep(0.3)  # the last message's removal
                line(f"emulator, {name}, {rows} rows", files, files * rows, files * len(content), processor, elapsed,
                     worker.end(), say_load())
                counts = requests_by_kind(azurite.text(), since)
                print(f"    requests: {sum(counts.values()) / files:.2f} a file: " +
                      ", ".join(f"{kind} {count / files:.2f}" for kind, count in sorted(counts.items())), flush=True)


def one_over_a_wire(folder, azurite, rate, model, program, target):
    """Elapsed and processor seconds, and the peak."""
    azurite.blobs.make_container(target)
    with SlowWire(azurite, rate * 1e6, 0.003) as slow:
        worker = Worker(folder, f"{slow.blob_url}/input-data", f"{slow.blob_url}/{target}", model, program=program,
                        env={"DROPSCORE_CONNECTION_STRING": slow.connection_string})
        (done,) = worker.wait_for(1)
        took = done["duration_ms"] / 1e3, worker.processor_seconds(), worker.end()
    azurite.blobs.delete(target, "large.csv.json")
    return took


def wire(folder, models, rows, rates, times, programs):
    """One large file over connections of a stated rate; programs take turns."""
    content = sample(rows)
    for name, model in models.items():
        with Azurite(memory_mib=8192) as azurite:
            azurite.blobs.make_container("input-data")
            put_in_pieces(azurite.blobs, "input-data", "large.csv", content)
            for rate in rates:
                took = {program: [] for program in programs}
                for i in range(times):
                    for j, program in enumerate(programs):
                        took[program].append(one_over_a_wire(folder, azurite, rate, model, program, f"output-{rate}-{i}-{j}"))
                for program, runs in took.items():
                    elapsed, processor, peak = (statistics.median(column) for column in zip(*runs))
                    line(f"{rate} MB/s a connection, {name}", 1, rows, len(content), processor, elapsed, peak,
                         f"{len(content) / 1e6 / elapsed:.0f} MB/s, {rows / elapsed:,.0f} rows/s; {say_load()}"
                         + (f"; {program}" if len(programs) > 1 else ""))


def post(connection, body, kind):
    connection.request("POST", "/predict", body, {"Content-Type": kind, "Accept": kind})
    answer = connection.getresponse()
    read = answer.read()
    if answer.status != 200:
        raise SystemExit(f"the API answered {answer.status}: {read[:300]!r}")


def api(folder, models, seconds):
    lines = sample(50_000).splitlines(True)
    names = lines[0].decode().strip().split(",")
    cells = lines[1].decode().strip().split(",")
    record = {name: float(cell) if re.fullmatch(r"-?[0-9.]+", cell) else cell for name, cell in zip(names, cells)}
    bodies = {"1 record, JSON": (1, json.dumps(record).encode(), "application/json"),
              "1,000 rows, csv_data": (1000, json.dumps({"csv_data": b"".join(lines[:1001]).decode()}).encode(),
                                       "application/json"),
              "1,000 rows, text/csv": (1000, b"".join(lines[:1001]), "text/csv"),
              "50,000 rows, text/csv": (50_000, b"".join(lines), "text/csv")}
    for name, model in models.items():
        log = open(folder / "api.log", "w+", encoding="utf-8")
        server = subprocess.Popen([PROGRAM, "serve", "--model", model, "--port", "0", "--log-level", "info",
                                   "--log-format", "json"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while not records(log, "serving"):
            time.sleep(0.02)
        port = records(log, "serving")[0]["port"]
        for what, (rows, body, kind) in bodies.items():
            before, begin = processor_seconds(server.pid), time.monotonic()
            if rows == 1:
                script = folder / "one.lua"
                script.write_text(f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "{kind}"\nwrk.body = [[{body.decode()}]]\n')
                text = subprocess.run(["wrk", "-t2", "-c16", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}/predict"],
                                      check=True, capture_output=True, text=True).stdout
                requests = int(re.search(r"(\d+) requests in", text)[1])
            else:
                requests, connection = 0, http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                while time.monotonic() < begin + seconds:
                    post(connection, body, kind)
                    requests += 1
                connection.close()
            elapsed, processor = time.monotonic() - begin, processor_seconds(server.pid) - before
            print(f"API, {name}, {what:<24}{requests / processor:>10,.0f} requests/cpu-s{requests * rows / processor:>14,.0f} rows/cpu-s"
                  f"  {requests / elapsed:>9,.0f} requests/s  peak {peak_mib(server.pid):.1f} MiB  {say_load()}", flush=True)
        server.terminate()
        server.wait()
        log.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="local,azure,wire,api", help="parts, separated by commas")
    parser.add_argument("--models", default="additive,svm", help="also: original")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rows of a file, or ROWS:FILES")
    parser.add_argument("--rates", default="60", help="MB/s of a connection, for `wire`")
    parser.add_argument("--wire-rows", type=int, default=2_000_000)
    parser.add_argument("--against", help="another dropscore, which takes turns in `wire`")
    parser.add_argument("--times", type=int, default=3, help="of `wire`; the median counts")
    parser.add_argument("--seconds", type=float, default=4, help="of each of the API's")
    options = parser.parse_args()
    parts = options.only.split(",")
    sizes = {}
    for size in options.sizes.split(","):
        rows, _, files = size.partition(":")
        sizes[int(rows)] = int(files or SIZES.get(int(rows), 1))
    with tempfile.TemporaryDirectory(prefix="dropscore-scaling-", dir="/dev/shm") as name:
        folder = pathlib.Path(name)
        data = folder / "train.csv"
        data.write_bytes(DATA.read_bytes() if DATA.exists() else dropscore("sample", "--rows", 8000, "--seed", 1))
        models = {}
        for model in options.models.split(","):
            models[model] = folder / model
            dropscore("train", data, "--out", models[model], *MODELS[model])
        if "local" in parts:
            local(folder, models, sizes)
        if "azure" in parts:
            azure(folder, models, sizes)
        if "wire" in parts:
            wire(folder, models, options.wire_rows, [int(rate) for rate in options.rates.split(",")], options.times,
                 [PROGRAM, options.against] if options.against else [PROGRAM])
        if "api" in parts:
            api(folder, models, options.seconds)


if __name__ == "__main__":
    main()
