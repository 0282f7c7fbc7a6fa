"""What the journey tests share: the program as a process, a model to score with, files to drop, results to wait for."""
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["DROPSCORE_PROGRAM"]
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
CUSTOMERS = (DATA / "test_restart.csv").read_bytes()
DEADLINE_SECONDS = 180  # generous: the machine may be busy, and a test that passes does not wait


def run(*arguments, stdin=None, env=None):
    """Runs a command to its end. Standard input is empty unless given."""
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin if stdin is not None else b"",
                          capture_output=True, timeout=300, check=False, env={**os.environ, **(env or {})})


def run_as_nobody(*arguments):
    """The same without root's right to everything; whoever runs the tests may be nobody in particular already."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    return subprocess.run([*nobody, PROGRAM, *map(str, arguments)], input=b"", capture_output=True, timeout=300, check=False)


def own_memory_is_measured():
    """Whether the memory that the kernel counts is the program's: sanitizers keep what is freed for a while."""
    return b"sanitizers" not in run("--version").stdout


def free_port():
    """For what must be told its port. Of those that the system gives to nobody by itself (it begins at 32768, see
    ip_local_port_range), so that no other test's socket gets it before it is used."""
    for port in random.sample(range(10_000, 32_000), 100):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("no free port among a hundred")


def wait_until(condition, what, seconds=DEADLINE_SECONDS, pause=0.005):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def written(file):
    """What a process has written to `file` so far. Not by seek and read: the process writes where the file's offset is,
    which it shares, and would write over its own beginning."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


class Running:
    """A long-running command; ended with SIGTERM at the latest by close()."""

    def __init__(self, *arguments, env=None):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})

    def text(self):
        return written(self.log)

    def wait_for(self, words):
        def seen():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.text()}")
            return words in self.text()
        wait_until(seen, f"{words!r} in the log")
        return self

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class JourneyTest(unittest.TestCase):
    """Gives each test a folder of its own, and all tests of a class one small trained model."""

    @classmethod
    def setUpClass(cls):
        cls.class_folder = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-journey-"))
        cls.addClassCleanup(shutil.rmtree, cls.class_folder, ignore_errors=True)
        cls.model = cls.train(cls.class_folder / "model", seed=1)

    @classmethod
    def train(cls, folder, seed):
        data = folder.parent / f"train-{seed}.csv"
        data.write_bytes(run("sample", "--rows", 600, "--seed", seed).stdout)
        done = run("train", data, "--out", folder, "--models", "svm")  # the quickest that is not trivial
        assert done.returncode == 0, done.stderr
        return folder

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="test-", dir=self.class_folder))
        self.input = self.folder / "input-data"
        self.output = self.folder / "output-results"

    def start(self, *arguments, **keywords):
        running = Running(*arguments, **keywords)
        self.addCleanup(running.close)
        return running

    def watch(self, *more):
        return self.start("watch", "--input", self.input, "--output", self.output, "--model", self.model, *more)

    def result_path(self, name):
        return self.output / f"{name}.json"

    def result(self, name):
        """The result document, once it is there."""
        path = self.result_path(name)
        wait_until(path.exists, f"a result at {path}")
        return json.loads(path.read_text())


def request(port, method, path, body=None, headers=None):
    """One request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
