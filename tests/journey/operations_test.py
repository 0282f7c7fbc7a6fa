"""What docs/operations.md promises, held against running processes: health, metrics, and the files that build on them."""
import json
import os
import pathlib
import re
import socket
import subprocess
import time
import unittest

from azure_support import AzureTest
from support import CUSTOMERS, JourneyTest, free_port, request, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
ALERTS = ROOT / "deploy/observability/alerts.yaml"
DASHBOARD = ROOT / "deploy/observability/dashboard.json"
PROMTOOL = os.environ.get("DROPSCORE_PROMTOOL", "promtool")

CSV = {"Content-Type": "text/csv"}
JSON = {"Content-Type": "application/json"}
HEADER, FIRST_ROW = CUSTOMERS.decode().splitlines()[:2]


class Scrape:
    """Prometheus' text format 0.0.4, read strictly."""

    line = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
    label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')

    def __init__(self, text):
        self.help, self.type, self.series = {}, {}, {}
        assert text.endswith("\n"), text[-200:]
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name, words = line[7:].split(" ", 1)
                assert name not in self.help, f"{name} stands there twice"
                self.help[name] = words
            elif line.startswith("# TYPE "):
                name, self.type[name] = line[7:].split(" ")
            else:
                name, labels, value = self.line.match(line).groups()
                pairs = tuple(sorted(self.label.findall(labels or "")))
                assert (name, pairs) not in self.series, line
                self.series[name, pairs] = float(value)

    def value(self, name, **labels):
        return self.series.get((name, tuple(sorted(labels.items()))))

    def family(self, name):
        """Of a series: a histogram has three names for its own."""
        for end in ("_bucket", "_sum", "_count"):
            if name.endswith(end) and self.type.get(name[:-len(end)]) == "histogram":
                return name[:-len(end)]
        return name

    def labels(self):
        """Metric -> the names of its labels, of every series of it."""
        found = {}
        for name, pairs in self.series:
            names = frozenset(label for label, _ in pairs if label != "le")
            found.setdefault(self.family(name), set()).add(names)
        return found


def documented():
    """Metric -> (type, labels, meaning), of the page's tables."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([a-z_, ]*)\| (.+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == len({name for name, *_ in rows}), "a metric is documented twice"
    return {name: (kind, frozenset(filter(None, labels.strip().split(", "))), meaning)
            for name, kind, labels, meaning in rows}


def named_metrics(text):
    """The metrics that an expression names, without a histogram's endings."""
    names = set(re.findall(r"\b(?:dropscore|process)_[a-z_]+", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) if re.sub(r"_(bucket|sum|count)$", "", name) in documented()
            else name for name in names}


def port_of(running, event):
    running.wait_for(f" {event} ")
    return int(re.search(rf' {event} .*?port=(\d+)', running.text()).group(1))


def scrape(port, headers=None):
    status, head, body = request(port, "GET", "/metrics", headers=headers)
    assert status == 200, body
    assert head["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", head
    return Scrape(body.decode())


def checks(port, path):
    status, _, body = request(port, "GET", path)
    answer = json.loads(body)
    return status, answer["status"], {name: check["ok"] for name, check in answer["checks"].items()}


SEEN = []  # every scrape of every test: what is documented must be in one of them


class OperationsTest(JourneyTest):
    def scrape(self, port, headers=None):
        SEEN.append(scrape(port, headers))
        return SEEN[-1]

    def serve(self, *more, **keywords):
        running = self.start("serve", "--model", self.model, "--port", 0, "--ops-port", 0, *more, **keywords)
        return running, port_of(running, "serving"), port_of(running, "operations")

    def settled(self, port, name, value, **labels):
        """The scrape in which the value is there: requests are counted up to 50 ms late."""
        return wait_until(lambda: self.scrape(port).value(name, **labels) == value and SEEN[-1],
                          f"{name} {labels} = {value}", pause=0.02)


class ServeTest(OperationsTest):
    def test_what_is_asked_is_counted(self):
        _, port, ops = self.serve()
        before = self.scrape(ops)
        self.assertEqual(before.value("dropscore_rows_scored_total", source="api"), 0)
        self.assertEqual(before.value("dropscore_rows_rejected_total", source="api", reason="unknown_category"), 0)
        self.assertEqual(before.value("dropscore_http_turned_away_total", reason="waiting"), 0)
        for _ in range(5):
            self.assertEqual(request(port, "POST", "/predict", CUSTOMERS, CSV)[0], 200)
        record = dict(zip(HEADER.split(","), FIRST_ROW.split(",")))
        bad = [record, {**record, "Age": "0x1F"}, {**record, "CampaignChannel": "Pigeon"}, 7]
        self.assertEqual(request(port, "POST", "/predict", json.dumps(bad), JSON)[0], 200)
        self.assertEqual(request(port, "POST", "/predict", f"{HEADER}\n{FIRST_ROW},x\n", CSV)[0], 422)
        self.assertEqual(request(port, "POST", "/predict", json.dumps([7]), JSON)[0], 422)
        self.assertEqual(request(port, "GET", "/nothing-a-client-may-name")[0], 404)
        self.assertEqual(request(port, "GET", "/health")[0], 200)

        self.settled(ops, "dropscore_http_requests_total", 1, path="/health", method="GET", status="200")
        self.settled(ops, "dropscore_http_requests_total", 1, path="other", method="GET", status="404")
        self.settled(ops, "dropscore_http_requests_total", 2, path="/predict", method="POST", status="422")
        now = self.settled(ops, "dropscore_http_requests_total", 6, path="/predict", method="POST", status="200")
        self.assertEqual(now.value("dropscore_rows_scored_total", source="api"), 16)
        rejected = {dict(labels)["reason"]: value for (name, labels), value in now.series.items()
                    if name == "dropscore_rows_rejected_total" and value > 0}
        self.assertEqual(rejected, {"hexadecimal": 1, "unknown_category": 1, "not_a_record": 2, "too_many_cells": 1})
        self.assertEqual(now.value("dropscore_http_request_duration_seconds_count", path="/predict"), 8)
        self.assertEqual(now.value("dropscore_http_request_duration_seconds_bucket", path="/predict", le="+Inf"), 8)
        self.assertGreater(now.value("dropscore_http_request_duration_seconds_sum", path="/predict"), 0)
        self.assertEqual(now.value("dropscore_http_received_body_bytes_total", path="/predict"),
                         5 * len(CUSTOMERS) + len(json.dumps(bad)) + len(f"{HEADER}\n{FIRST_ROW},x\n") + len("[7]"))
        self.assertNotIn("nothing-a-client-may-name", str(now.series))

    def test_the_process_and_its_model(self):
        running, port, ops = self.serve()
        _, _, health = request(port, "GET", "/health")
        now = self.scrape(ops)
        version = json.loads(health)["model_version"]
        self.assertEqual(now.value("dropscore_model_info", version=version, kind="svm"), 1)
        self.assertEqual(now.value("dropscore_model_loads_total"), 1)
        self.assertEqual(now.value("dropscore_model_reload_failures_total"), 0)
        self.assertEqual(now.value("dropscore_model_refresh_failures_total"), 0)
        self.assertAlmostEqual(now.value("dropscore_model_load_timestamp_seconds"), time.time(), delta=600)
        said = dict(next(labels for name, labels in now.series if name == "dropscore_build_info"))
        self.assertEqual(said["version"], (ROOT / "VERSION").read_text().split()[0])
        proc = pathlib.Path(f"/proc/{running.process.pid}")
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        self.assertAlmostEqual(now.value("process_resident_memory_bytes"), int(status["VmRSS"].split()[0]) << 10,
                               delta=8 << 20)
        self.assertAlmostEqual(now.value("process_threads"), int(status["Threads"]), delta=3)
        self.assertAlmostEqual(now.value("process_open_fds"), len(list((proc / "fd").iterdir())), delta=3)
        self.assertAlmostEqual(now.value("process_start_time_seconds"), time.time(), delta=600)
        self.assertGreater(now.value("dropscore_memory_limit_bytes"), now.value("process_resident_memory_bytes"))

    def test_a_scrape_of_the_main_port_wants_the_key_and_counts_as_a_request(self):
        _, port, ops = self.serve(env={"DROPSCORE_API_KEY": "a-key-that-is-long-enough-to-be-one"})
        self.assertEqual(request(port, "GET", "/metrics")[0], 401)
        self.scrape(port, {"X-API-Key": "a-key-that-is-long-enough-to-be-one"})
        for path in ("/livez", "/readyz"):
            self.assertEqual(request(port, "GET", path)[0], 200)
            self.assertEqual(request(ops, "HEAD", path)[0], 200)
        self.settled(ops, "dropscore_http_requests_total", 1, path="/metrics", method="GET", status="401")
        now = self.settled(ops, "dropscore_http_requests_total", 1, path="/metrics", method="GET", status="200")
        # Those of the operations port are in no count.
        self.assertEqual(sum(value for (name, labels), value in now.series.items()
                             if name == "dropscore_http_requests_total" and ("path", "/livez") in labels), 1)

    def test_a_span_that_is_lost_is_counted(self):
        collector = f"http://127.0.0.1:{free_port()}"  # there is none
        _, port, ops = self.serve(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_BSP_MAX_QUEUE_SIZE": "1",
                                       "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"})
        self.assertEqual(self.scrape(ops).value("dropscore_spans_lost_total", reason="failed"), 0)
        for _ in range(3):  # one is under way, one waits
            request(port, "GET", "/health")
        wait_until(lambda: self.scrape(ops).value("dropscore_spans_lost_total", reason="dropped") > 0, "a dropped span")

    def test_health_of_the_operations_port_names_no_model(self):
        _, port, ops = self.serve()
        self.assertIn("model_version", json.loads(request(port, "GET", "/health")[2]))
        status, _, body = request(ops, "GET", "/health")
        self.assertEqual(status, 200)
        self.assertNotIn("model", body.decode())

    def test_nothing_asked_of_the_operations_port_is_logged(self):
        running, _, ops = self.serve()
        self.scrape(ops)
        request(ops, "GET", "/readyz")
        running.stop()
        self.assertNotIn(" request ", running.text())

    def test_ready_until_the_stop_and_answering_a_little_longer(self):
        running, port, ops = self.serve("--stop-delay-s", 8)  # room for what is asked meanwhile, on a busy machine too
        ready = (200, "ready", {"model": True, "started": True, "serving": True})
        self.assertEqual((checks(port, "/readyz"), checks(ops, "/readyz")), (ready, ready))
        self.assertEqual(checks(port, "/livez"), (200, "live", {"threads": True}))
        running.process.terminate()
        wait_until(lambda: checks(ops, "/readyz")[0] == 503, "503 after the signal")
        self.assertEqual(checks(port, "/readyz"), (503, "not_ready", {"model": True, "started": True, "serving": False}))
        self.assertEqual(checks(port, "/livez")[0], 200)
        self.assertEqual(request(port, "POST", "/predict", CUSTOMERS, CSV)[0], 200)
        self.assertEqual(self.scrape(ops).value("dropscore_ready"), 0)
        self.assertEqual(running.process.wait(timeout=60), 0)

    def test_a_request_under_way_ends_while_readyz_says_503(self):
        running, port, ops = self.serve()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as slow:
            body = f"{HEADER}\n{FIRST_ROW}\n"
            slow.sendall(f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {len(body)}\r\n\r\n"
                         f"{HEADER}\n".encode())
            wait_until(lambda: self.scrape(ops).value("dropscore_http_connections") == 1, "the connection")
            running.process.terminate()
            wait_until(lambda: checks(ops, "/readyz")[0] == 503, "503 after the signal")
            slow.sendall(f"{FIRST_ROW}\n".encode())
            self.assertTrue(slow.recv(65536).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(running.process.wait(timeout=60), 0)


class WatchTest(OperationsTest):
    def watch(self, *more, **keywords):
        """Sweeps once, at its start: a file that comes later is found by its event, and never by a sweep that was quicker."""
        self.input.mkdir(exist_ok=True)
        running = self.start("watch", "--input", self.input, "--output", self.output, "--ops-port", 0,
                             "--sweep-interval-ms", 3_600_000, *more, **keywords)
        return running, port_of(running, "operations")

    def test_files_are_counted(self):
        self.input.mkdir()
        (self.input / "before.csv").write_bytes(CUSTOMERS)  # which only a sweep can find
        running, ops = self.watch("--model", self.model, "--workers", 2)
        self.result("before.csv")
        running.wait_for("watching")
        for name in ("a.csv", "b.csv"):
            (self.input / name).write_bytes(CUSTOMERS)
            self.result(name)
        (self.input / "bad.csv").write_text(f"{HEADER}\n{FIRST_ROW},x\n")
        (self.input / "half.csv").write_text(f"{HEADER}\n{FIRST_ROW}\nnobody{FIRST_ROW}\n")
        self.result("bad.csv")
        self.result("half.csv")
        self.settled(ops, "dropscore_files_total", 1, outcome="error_document")
        now = self.settled(ops, "dropscore_files_total", 4, outcome="scored")
        self.assertEqual(now.value("dropscore_rows_scored_total", source="file"), 10)
        self.assertEqual(now.value("dropscore_rows_rejected_total", source="file", reason="too_many_cells"), 1)
        self.assertEqual(now.value("dropscore_rows_rejected_total", source="file", reason="not_a_number"), 1)
        self.assertEqual(now.value("dropscore_file_duration_seconds_count"), 5)
        self.assertEqual(now.value("dropscore_event_to_result_seconds_count"), 4)  # all but what the sweep found
        self.assertLess(now.value("dropscore_event_to_result_seconds_sum"), 60)
        self.assertEqual(now.value("dropscore_sweep_found_files_total"), 1)
        self.assertEqual(now.value("dropscore_files_waiting"), 0)
        self.assertGreaterEqual(now.value("dropscore_file_bytes_total"), 3 * len(CUSTOMERS))
        self.assertEqual(now.value("dropscore_poison_total", reason="tries_used_up"), 0)
        done = wait_until(lambda: self.scrape(ops).value("dropscore_sweeps_total", outcome="done"), "a whole sweep")
        self.assertGreaterEqual(SEEN[-1].value("dropscore_sweep_duration_seconds_count"), done)
        self.assertEqual(checks(ops, "/readyz"), (200, "ready", {"model": True, "started": True, "serving": True,
                                                                 "containers": True}))
        self.assertEqual(checks(ops, "/livez"), (200, "live", {"threads": True}))
        # Two that score, and the one that answers here.
        self.assertIn(b'"detail":"3 watched"', request(ops, "GET", "/livez")[2])
        self.settled(ops, "dropscore_files_in_progress", 0)

    def test_an_api_that_cannot_be_reached_is_no_reason_for_a_restart(self):
        running, ops = self.watch("--api", "http://127.0.0.1:1")  # nobody listens there
        (self.input / "a.csv").write_bytes(CUSTOMERS)
        running.wait_for("file_failed")
        wait_until(lambda: self.scrape(ops).value("dropscore_file_failures_total", kind="try_later"), "the failure counted")
        self.assertEqual(checks(ops, "/livez")[0], 200)
        self.assertNotIn("model", checks(ops, "/readyz")[2])
        # Five tries, then it is set aside.
        self.settled(ops, "dropscore_poison_total", 1, reason="tries_used_up")

    def test_up_has_all_of_it(self):
        self.input.mkdir()
        running = self.start("up", "--dir", self.folder, "--model", self.model, "--port", 0, "--ops-port", 0)
        port, ops = port_of(running, "up"), port_of(running, "operations")
        (self.input / "a.csv").write_bytes(CUSTOMERS)
        self.result("a.csv")
        self.assertEqual(request(port, "POST", "/predict", CUSTOMERS, CSV)[0], 200)
        self.settled(ops, "dropscore_rows_scored_total", 3, source="api")
        now = self.settled(ops, "dropscore_rows_scored_total", 3, source="file")
        self.assertEqual(now.value("dropscore_ready"), 1)
        self.assertEqual(set(checks(port, "/readyz")[2]), {"model", "started", "serving", "containers"})


class QueueTest(AzureTest):
    def test_the_queue_is_watched_and_its_loss_shown(self):
        self.queues.put(self.queue, "this is no event")
        worker = self.watch("--ops-port", 0, "--sweep-interval-ms", 200)
        worker.wait_for('"watching"')
        ops = int(re.search(r'"event":"operations".*?"port":(\d+)', worker.text()).group(1))
        self.upload("a.csv", CUSTOMERS, self.grid())
        self.result("a.csv")

        def seen(name, value, **labels):
            SEEN.append(scrape(ops))
            return SEEN[-1].value(name, **labels) == value

        def told_of(name, service):
            SEEN.append(scrape(ops))
            return any(series == name and ("service", service) in labels for series, labels in SEEN[-1].series)

        wait_until(lambda: seen("dropscore_files_total", 1, outcome="scored"), "the file counted")
        wait_until(lambda: seen("dropscore_poison_total", 1, reason="no_event"), "the poison counted")
        wait_until(lambda: seen("dropscore_queue_messages_held", 0), "nothing in hand")
        now = SEEN[-1]
        self.assertEqual(now.value("dropscore_event_to_result_seconds_count"), 1)
        self.assertEqual(now.value("dropscore_queue_deliveries_lost_total"), 0)
        self.assertGreaterEqual(now.value("dropscore_queue_messages"), 0)
        self.assertGreaterEqual(now.value("dropscore_queue_oldest_message_age_seconds"), 0)
        self.assertAlmostEqual(now.value("dropscore_queue_last_look_timestamp_seconds"), time.time(), delta=60)
        self.assertEqual(checks(ops, "/readyz"), (200, "ready", {"model": True, "started": True, "serving": True,
                                                                 "containers": True, "queue": True}))
        self.azurite.stop()
        wait_until(lambda: told_of("dropscore_retries_exhausted_total", "queue"), "tries that are used up", pause=0.1)
        wait_until(lambda: told_of("dropscore_retries_total", "blob"), "a request sent again", pause=0.1)
        self.assertEqual(checks(ops, "/livez"), (200, "live", {"threads": True}))


class PageTest(unittest.TestCase):
    """Runs last: what every test above has seen is what there is."""

    def test_every_metric_is_documented_as_it_is(self):
        page = documented()
        for seen in SEEN:
            self.assertEqual(set(seen.type), set(seen.help))
            for name, kind in seen.type.items():
                self.assertIn(name, page)
                self.assertEqual(page[name][0], kind, name)
                self.assertTrue(page[name][2].replace("`", "").startswith(seen.help[name].rstrip(".")),
                                f"{name}: the program says {seen.help[name]!r}, the page {page[name][2]!r}")
            for name, labels in seen.labels().items():
                self.assertEqual(labels, {page[name][1]}, name)

    def test_every_documented_metric_is_there(self):
        seen = set().union(*(each.type for each in SEEN))
        self.assertEqual(set(documented()) - seen, set())

    def test_documented_label_values_are_those_there_are(self):
        values = {}
        for seen in SEEN:
            for name, labels in seen.series:
                for label, value in labels:
                    values.setdefault((seen.family(name), label), set()).add(value)
        for name, label in [("dropscore_rows_rejected_total", "reason"), ("dropscore_http_turned_away_total", "reason"),
                            ("dropscore_files_total", "outcome"), ("dropscore_poison_total", "reason"),
                            ("dropscore_sweeps_total", "outcome"), ("dropscore_spans_lost_total", "reason"), ("dropscore_rows_scored_total", "source")]:
            said = set(re.findall(r"`([a-z_]+)`", documented()[name][2]))
            self.assertEqual(said - {"reason", "source"}, values[name, label], name)

    def test_dashboard_and_alerts_name_metrics_that_exist(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        expressions += [variable["query"]["query"] for variable in dashboard["templating"]["list"]
                        if variable["type"] == "query"]
        self.assertGreater(len(expressions), 50)
        rules = "\n".join(re.findall(r"expr:((?: .*| >-\n(?: {10,}.*\n)+))", ALERTS.read_text(encoding="utf-8")))
        for text in [*expressions, rules]:
            self.assertEqual(named_metrics(text) - set(documented()), set(), text)
        # And the dashboard leaves none out.
        self.assertEqual(set(documented()) - named_metrics("\n".join(expressions)), set())

    def test_all_jobs_are_ours(self):
        """An allValue of .* would show every process that Prometheus knows: process_* is everybody's."""
        variables = json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]
        for variable in variables:
            if variable["type"] == "query":
                self.assertNotIn("allValue", variable, variable["name"])
                self.assertIn("dropscore_build_info", variable["query"]["query"])

    def test_panels_have_names_places_and_numbers_of_their_own(self):
        panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertTrue(panel["title"])
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(place["x"] + place["w"], 24)
            taken |= cells

    def test_every_alert_has_a_runbook_and_every_runbook_an_alert(self):
        text = ALERTS.read_text(encoding="utf-8")
        alerts = re.findall(r"- alert: (\w+)\n", text)
        sections = re.findall(r"^### (Dropscore\w+)$", PAGE, re.MULTILINE)
        self.assertEqual(alerts, list(dict.fromkeys(alerts)))
        self.assertEqual(sorted(alerts), sorted(sections))
        for block in text.split("- alert: ")[1:]:
            name = block.split("\n")[0]
            self.assertRegex(block, r"severity: (warning|critical)\n", name)
            self.assertRegex(block, r"summary: \S", name)
            self.assertRegex(block, r"description: \S", name)
            self.assertIn(f"runbook_url: docs/operations.md#{name.lower()}\n", block)

    def test_prometheus_reads_the_rules_and_they_fire_when_they_should(self):
        for arguments in (["check", "config", "deploy/observability/prometheus.example.yaml"],
                          ["test", "rules", "tests/observability/alerts_test.yaml"]):
            done = subprocess.run([PROMTOOL, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        tested = set(re.findall(r"alertname: (\w+)", (ROOT / "tests/observability/alerts_test.yaml").read_text()))
        self.assertEqual(tested, set(re.findall(r"- alert: (\w+)\n", ALERTS.read_text())))


def load_tests(loader, _, __):
    """In the order of this file, the page last."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (ServeTest, WatchTest, QueueTest, PageTest))


if __name__ == "__main__":
    unittest.main()
