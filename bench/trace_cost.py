#!/usr/bin/env python3
"""What tracing costs a request: processor time of `serve` for one customer as JSON, without a trace, in its caller's, and
with spans exported to a collector that takes them all. Processor time, not requests a second: it holds on a busy machine.

    bench/trace_cost.py [--program build/release/dropscore] [--base OTHER_PROGRAM] [--rounds 5] [--seconds 4]

--base: another build of the program, measured in turn without a trace. Needs wrk.
"""
import argparse
import contextlib
import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class TakesAll(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *unused):
        pass


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(program, model, env):
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([program, "serve", "--model", model, "--port", "0"], stderr=log, env={**os.environ, **env})
        try:
            while True:
                if port := re.search(rb"serving .*\bport=(\d+)", os.pread(log.fileno(), 1 << 20, 0)):
                    break
                time.sleep(0.02)
            yield process.pid, int(port[1])
        finally:
            process.terminate()
            process.wait()


def model_and_customer(program, folder):
    """A small model, and one customer as JSON."""
    sample = subprocess.run([program, "sample", "--rows", "600"], capture_output=True, check=True).stdout
    (folder / "train.csv").write_bytes(sample)
    subprocess.run([program, "train", folder / "train.csv", "--out", folder / "model", "--models", "logistic"],
                   capture_output=True, check=True)
    names, values = (line.split(",") for line in sample.decode().splitlines()[:2])
    number = re.compile(r"-?\d+(\.\d+)?$")
    customer = {name: json.loads(value) if number.match(value) else value for name, value in zip(names, values)}
    return folder / "model", json.dumps(customer)


def microseconds(program, model, customer, header, env, seconds, folder):
    """Of processor time a request."""
    script = folder / "one.lua"
    script.write_text('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                      + (f'wrk.headers["traceparent"] = "{header}"\n' if header else "") + f"wrk.body = [[{customer}]]\n")
    with serving(program, model, env) as (pid, port):
        url = f"http://127.0.0.1:{port}/predict"
        first = urllib.request.Request(url, customer.encode(), {"Content-Type": "application/json"})
        assert json.load(urllib.request.urlopen(first, timeout=60))["success"]
        begun = processor_seconds(pid)
        text = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script, url], capture_output=True, text=True,
                              check=True).stdout
        assert "Non-2xx" not in text, text
        return 1e6 * (processor_seconds(pid) - begun) / int(re.search(r"(\d+) requests in", text)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/dropscore")
    parser.add_argument("--base")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TakesAll)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
    cases = {"without a trace": (options.program, "", {}), "in its caller's trace": (options.program, TRACEPARENT, {}),
             "exported": (options.program, "", exporting),
             "exported, 1 of 100": (options.program, "", {**exporting, "OTEL_TRACES_SAMPLER": "traceidratio",
                                                          "OTEL_TRACES_SAMPLER_ARG": "0.01"})}
    if options.base:
        cases = {"base, without a trace": (options.base, "", {}), **cases}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        model, customer = model_and_customer(options.program, folder)
        found = {name: [] for name in cases}
        for _ in range(options.rounds):
            for name, (program, header, env) in cases.items():
                found[name].append(microseconds(program, model, customer, header, env, options.seconds, folder))
    first = statistics.median(next(iter(found.values())))
    for name, all_of_them in found.items():
        one = statistics.median(all_of_them)
        print(f"{name:24} {one:7.2f} us  {100 * (one / first - 1):+6.1f} %   "
              f"({min(all_of_them):.2f} to {max(all_of_them):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
