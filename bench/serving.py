"""The API with wrk on the same machine, ours and the original's in turn: requests a second, and how long one takes."""
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import time
import urllib.request

import common
from common import Missing, Process, Row, Wrong, median

LIMITS = {"one_record": (60_000, "60,000/s, p99 at most 2 ms (aim 100,000)"), "p99_ms": 2,
          "median_us": (60, "60 us (aim 30)"), "csv_data": (50, "50 times (aim 100)"),
          "start_ms": (50, "50 ms (aim 10)"), "goodput": (0.8, "80 % of what 16 connections get")}
MICROSECONDS = {"us": 1, "ms": 1000, "s": 1_000_000}


def post(port, body, path="/predict"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait_until_up(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        time.sleep(0.05)
    raise Wrong("the server did not come up")


def wrk(port, connections, seconds, script):
    """Good answers a second, median and 99th percentile in microseconds, and the processor time of wrk itself."""
    begin = common.children_seconds()
    text = subprocess.run(["wrk", f"-t{min(connections, 2)}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
                           "--latency", "-s", script, f"http://127.0.0.1:{port}/predict"], capture_output=True, text=True,
                          check=True).stdout

    def percentile(which):
        number, unit = re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", text).groups()
        return float(number) * MICROSECONDS[unit]

    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    total = int(re.search(r"(\d+) requests in", text).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {"rate": rate * (1 - (int(bad.group(1)) if bad else 0) / max(total, 1)), "median_us": percentile(50),
            "p99_us": percentile(99), "refused": int(bad.group(1)) if bad else 0, "requests": total,
            "wrk_cores": (common.children_seconds() - begin) / seconds}


def script(name, body):
    path = common.WORK / f"{name}.lua"
    path.write_text('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                    f"wrk.body = [[{body.decode()}]]\n")
    return path


def bodies():
    thousand = common.customers().read_text().splitlines()[:1001]
    return {"one_record": json.dumps(common.records(1)[0]).encode(),
            "csv_data": json.dumps({"csv_data": "\n".join(thousand) + "\n"}).encode()}


def check(port, model, bodies):
    """One record's answer and a thousand rows' are those of `dropscore score`."""
    scored = json.loads(common.dropscore("score", "-", "--model", model,
                                         stdin=json.loads(bodies["csv_data"])["csv_data"].encode()))
    answers = [post(port, bodies[which]) for which in ("csv_data", "one_record")]
    if answers[0]["predictions"] != scored["predictions"] or \
            answers[1]["predictions"] != scored["predictions"][:1]:
        raise Wrong("the API's answer is not that of `dropscore score`")


@contextlib.contextmanager
def ours(model, *options):
    port = common.free_port()
    with Process(common.PROGRAM, "serve", "--model", model, "--port", port, *options) as process:
        wait_until_up(port)
        yield port, process


@contextlib.contextmanager
def peer():
    """The original's API; nothing where it or what it needs is not here."""
    app = common.PEER / "app.py"
    joblib = common.WORK / "peer-model.joblib"
    if not app.exists() or not shutil.which("gunicorn"):
        yield None
        return
    if not joblib.exists():
        common.say("training the peer ...")
        common.run(common.PYTHON, common.PEER / "train.py", common.customers(), joblib)
    port = common.free_port()
    with Process("gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "app:app", cwd=common.PEER,
                 env={**os.environ, "MODEL": str(joblib), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}):
        try:
            wait_until_up(port)
        except Wrong:
            yield None
        else:
            yield port


def medians(runs):
    return {key: median([run[key] for run in runs]) for key in runs[0]}


def in_turn(ports, connections, seconds, times, lua):
    """Medians of `times` runs against each of the ports, in turn."""
    runs = {port: [] for port in ports}
    for _ in range(times):
        for port in ports:
            runs[port].append(wrk(port, connections, seconds, lua))
    return [medians(runs[port]) for port in ports]


def first_answer_ms(model, body):
    """From the start of the process to its first prediction."""
    port = common.free_port()
    request = (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
               % len(body)) + body
    begin = time.perf_counter()
    with Process(common.PROGRAM, "serve", "--model", model, "--port", port):
        while True:
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request)
                if connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    return (time.perf_counter() - begin) * 1000
            time.sleep(0.0002)


def bare_exchange_us(size, rounds=20_000):
    """Median of what `size` bytes to another process and as many back take over the loopback: the machine's share."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = os.fork()
        if child == 0:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := connection.recv(65536):
                connection.sendall(data)
            os._exit(0)
        with socket.create_connection(listener.getsockname()) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            took = []
            for _ in range(rounds):
                begin = time.perf_counter()
                connection.sendall(bytes(size))
                left = size
                while left > 0:
                    left -= len(connection.recv(left))
                took.append((time.perf_counter() - begin) * 1e6)
    os.waitpid(child, 0)
    return median(took)


def measure(seconds, times):
    if not shutil.which("wrk"):
        raise Missing("not installed: wrk (apt install wrk)")
    model = common.model("svm")
    body = bodies()
    lua = {name: script(name, text) for name, text in body.items()}
    with ours(model) as (port, process), peer() as peer_port:
        check(port, model, body)
        ports = [port] + ([peer_port] if peer_port else [])
        before = process.seconds()
        many = in_turn(ports, 16, seconds, times, lua["one_record"])
        cores = (process.seconds() - before) / (seconds * times)
        one = in_turn(ports, 1, seconds, times, lua["one_record"])
        bare = bare_exchange_us(len(body["one_record"]))
        csv = in_turn(ports, 16, seconds, times, lua["csv_data"])
        crowd = in_turn([port], 256, seconds, times, lua["csv_data"])[0]
    start = median([first_answer_ms(model, body["one_record"]) for _ in range(5 * times)])
    many.append({}), one.append({}), csv.append({})
    return [*request_rows(many, one, csv, cores, bare), start_row(start), overload_row(csv[0], crowd)]


def times_better(better, worse):
    return better / worse if better and worse else None


def request_rows(many, one, csv, cores, bare):
    name = "gunicorn, 2 workers" if many[1] else ""
    limit, limit_text = LIMITS["one_record"]
    p99_ms = many[0]["p99_us"] / 1000
    yield Row("POST /predict, one record, 16 connections", many[0]["rate"], "requests/s", many[1].get("rate"), name,
              times_better(many[0]["rate"], many[1].get("rate")), limit_text,
              many[0]["rate"] >= limit and p99_ms <= LIMITS["p99_ms"],
              [f"p99 {p99_ms:.2f} ms, median {many[0]['median_us']:.0f} us; of 2 cores wrk had "
               f"{many[0]['wrk_cores']:.2f}, the server {cores:.2f}"])
    limit, limit_text = LIMITS["median_us"]
    yield Row("the same, 1 connection, median", one[0]["median_us"], "us", one[1].get("median_us"), name,
              times_better(one[1].get("median_us"), one[0]["median_us"]), limit_text, one[0]["median_us"] <= limit,
              [f"as many bytes to another process and back, with nothing done: {bare:.0f} us on this machine now"])
    limit, limit_text = LIMITS["csv_data"]
    ratio = times_better(csv[0]["rate"], csv[1].get("rate"))
    yield Row("POST /predict, csv_data of 1,000 rows", csv[0]["rate"], "requests/s", csv[1].get("rate"), name, ratio,
              limit_text, None if ratio is None else ratio >= limit)


def start_row(start):
    limit, limit_text = LIMITS["start_ms"]
    return Row("start to first answer", start, "ms", limit=limit_text, met=start <= limit)


def overload_row(calm, crowd):
    limit, limit_text = LIMITS["goodput"]
    return Row("csv_data of 1,000 rows, 256 connections that do not wait", crowd["rate"], "good/s", limit=limit_text,
               met=crowd["rate"] >= limit * calm["rate"],
               notes=[f"{crowd['refused']:.0f} of {crowd['requests']:.0f} were answered with 503"])
