"""What every measurement needs: the program, models to measure it with, processes, medians and the table's rows."""
import csv
import dataclasses
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/bench/dropscore"
WORK = ROOT / "build/bench/scratch"
PEER = ROOT.parent / "shared/peer"
DATA = ROOT.parent / "shared/data/digital_marketing_campaign_dataset.csv"
LEFT_OUT = ("CustomerID", "AdvertisingPlatform", "AdvertisingTool", "Conversion")
PYTHON = "/usr/bin/python3"  # Debian's, for which Debian's scikit-learn is


class Wrong(Exception):
    """An answer is not the reference's: what gave it must not be timed."""


class Missing(Exception):
    """A peer or a part that is not here."""


@dataclasses.dataclass
class Row:
    what: str
    ours: float | None = None
    unit: str = ""
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None  # how many times better ours is
    limit: str = ""
    met: bool | None = None
    notes: list = dataclasses.field(default_factory=list)


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, stdin=None, **options):
    return subprocess.run([str(part) for part in command], input=stdin, capture_output=True, check=True, **options).stdout


def dropscore(*arguments, stdin=None):
    return run(PROGRAM, *arguments, stdin=stdin)


def cached(name, make):
    """The path of a file or folder that `make(path)` makes; made anew when the program is newer."""
    path = WORK / name
    stamp = WORK / f"{name}.made"
    if not (path.exists() and stamp.exists() and stamp.stat().st_mtime > PROGRAM.stat().st_mtime):
        WORK.mkdir(parents=True, exist_ok=True)
        say(f"making {name} ...")
        make(path)
        stamp.touch()
    return path


def customers():
    """Labelled customers: the real ones where they are, made-up ones otherwise."""
    return DATA if DATA.exists() else cached("customers.csv", lambda path: path.write_bytes(
        dropscore("sample", "--rows", 8000, "--seed", 1)))


def model(name):
    """A folder with the fitted model: `svm` as the original's in kernel and parameters, `original` as it whole."""
    svm = ("--models", "svm", "--set", "svm.kernel=rbf", "--set", "svm.C=10", "--set", "svm.gamma=0.01", "--drop",
           "AdvertisingPlatform,AdvertisingTool")
    settings = {"svm": (*svm, "--calibration", "platt"),
                "original": (*svm, "--calibration", "original", "--threshold", "sign")}
    return cached(f"model-{name}", lambda path: dropscore(
        "train", customers(), "--out", path, *settings.get(name, ("--models", name))))


def unlabelled(rows):
    return cached(f"customers-{rows}.csv", lambda path: path.write_bytes(
        dropscore("sample", "--rows", rows, "--seed", 2, "--unlabelled")))


def records(count):
    """The first customers as records of JSON, numbers as numbers."""
    def value(text):
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
        return text

    with open(customers(), newline="") as file:
        rows = csv.DictReader(file)
        return [{name: value(text) for name, text in row.items() if name not in LEFT_OUT}
                for row, _ in zip(rows, range(count))]


def median(values):
    return statistics.median(values)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child that is ended with the block. `seconds()`: of processor that it has used so far."""

    def __init__(self, *command, **options):
        self.command = [str(part) for part in command]
        self.options = options

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      **self.options)
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(timeout=30)

    def seconds(self):
        total, waiting = 0, [self.child.pid]
        while waiting:  # gunicorn works in children
            pid = waiting.pop()
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
            waiting += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return total / os.sysconf("SC_CLK_TCK")


def timed(*command, stdin=None, stdout=subprocess.DEVNULL):
    """Seconds that a command takes, and its resident memory at the most, in MiB."""
    begin = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdin=stdin, stdout=stdout)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Wrong(f"{command[0]} ended with {child.returncode}")
    return seconds, usage.ru_maxrss / 1024


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def figures(*command):
    answer = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if answer.returncode == 3:
        raise Missing(answer.stderr.strip())
    if answer.returncode != 0:
        raise Wrong(f"{pathlib.Path(str(command[1])).name}: {answer.stderr.strip().splitlines()[-1:]}")
    return json.loads(answer.stdout)


def peer_figures(script, *arguments):
    """What a script of bench/peers prints: one JSON object. Missing where the peer is not installed."""
    return figures(PYTHON, ROOT / "bench/peers" / script, *arguments)


def onnx_figures(*arguments):
    if not shutil.which("node"):
        raise Missing("not installed: node")
    return figures("node", ROOT / "bench/peers/onnx.mjs", *arguments)
