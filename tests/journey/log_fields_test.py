"""The log as docs/operations.md describes it: every event, its level and its fields, in both directions, from the sources
and from running processes."""
import json
import pathlib
import re
import unittest

import support

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EVERYWHERE = {"time", "level", "service", "event", "trace_id", "span_id"}

# Where the event's name is not in the call itself: who is given it, and what the call says.
WRAPPERS = [(re.compile(r'log_failure_of\("(\w+)"'), "error", {"error"}),
            (re.compile(r'FaultLog \w+[{(]"(\w+)"'), "warning", {"error"})]
CALL = re.compile(r'(?:log::(debug|info|warning|error)\)?|\blines_?\.(info))\(')


def arguments(text, begin):
    """What is between the bracket at `begin` and the one that closes it."""
    depth = 0
    for end in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[begin + 1:end]
    raise AssertionError("a bracket is not closed")


def of_sources():
    """event -> (levels, fields)."""
    found = {}

    def add(event, levels, fields):
        known = found.setdefault(event, (set(), set()))
        known[0].update(levels)
        known[1].update(fields)

    for path in sorted([*(ROOT / "src").rglob("*.cc"), *(ROOT / "src").rglob("*.h")]):
        if re.search(r"(^|_)(test|fuzz|bench)(_|\.)", path.name) or path.name == "log.cc":
            continue
        text = path.read_text(encoding="utf-8")
        for call in CALL.finditer(text):
            inside = arguments(text, call.end() - 1)
            name = re.match(r'\s*"(\w+)"', inside)
            if not name:  # one of the wrappers' own calls
                assert re.match(r"\s*(what|event_)\b", inside), f"{path}: {inside[:80]}"
                continue
            line_begin = text.rfind("\n", 0, text.rfind(";", 0, call.start()) + 1)
            choice = re.search(r"\(\w+ \? log::(\w+) : $", text[line_begin:call.start()])
            levels = {call[1] or call[2]} | ({choice[1]} if choice else set())
            add(name[1], levels, re.findall(r'\{\s*"(\w+)"\s*,', inside))
        for pattern, level, fields in WRAPPERS:
            for event in pattern.findall(text):
                add(event, {level}, fields)
    return found


def of_page():
    """The same, from the tables of "## Logs"."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = re.search(r"^## Logs\n(.*?)(?=^## |\Z)", page, re.S | re.M)[1]
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \| ([^|]*) \|", section, re.M)
    found = {}
    for event, levels, fields in rows:
        assert event not in found, f"{event} is there twice"
        found[event] = (set(levels.split(", ")), set(re.findall(r"`(\w+)`", fields)))
    return found


class LogFieldsTest(support.JourneyTest):
    def test_the_page_says_what_the_sources_say(self):
        sources, page = of_sources(), of_page()
        self.assertGreater(len(sources), 40)
        self.assertEqual(sorted(sources.keys() - page.keys()), [], "events that the page does not have")
        self.assertEqual(sorted(page.keys() - sources.keys()), [], "events that are nowhere in the sources")
        for event, (levels, fields) in sources.items():
            self.assertEqual(page[event][0], levels, event)
            self.assertEqual(page[event][1], fields, event)

    def test_running_processes_say_what_the_page_says(self):
        page = of_page()
        seen = set()
        for line in self.lines_of_a_busy_day():
            event, level = line["event"], line["level"]
            seen.add(event)
            self.assertIn(event, page)
            self.assertIn(level, page[event][0], line)
            self.assertEqual(line.keys() - EVERYWHERE - page[event][1], set(), line)
            self.assertEqual(EVERYWHERE - {"trace_id", "span_id"} - line.keys(), set(), line)
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual(line["service"], "day")
            if "blob" in line or event in ("acknowledge_failed", "retry_failed"):
                self.assertRegex(line["trace_id"], "^[0-9a-f]{32}$")
                self.assertRegex(line["span_id"], "^[0-9a-f]{16}$")
        self.assertLessEqual({"serving", "request", "listening", "stopping", "stopped", "watching", "model_loaded", "file_done",
                              "file_note", "file_failed", "up", "function_ready", "results", "invocation",
                              "invocation_refused", "tracing", "traced", "export_failed"}, seen)

    def lines_of_a_busy_day(self):
        """What every long-running command says in JSON, with something going wrong for each."""
        nowhere = f"http://127.0.0.1:{support.free_port()}"  # nobody listens there
        options = ["--log-format", "json", "--log-level", "debug"]
        env = {"OTEL_SERVICE_NAME": "day"}
        exporting = {**env, "OTEL_EXPORTER_OTLP_ENDPOINT": nowhere, "OTEL_BSP_SCHEDULE_DELAY": "10"}

        serving = self.start("serve", "--model", self.model, "--port", 0, *options, env=exporting)
        serving.wait_for('"event":"serving"')
        port = self.port_of(serving, "serving")
        for method, path, body, headers in (("GET", "/health", None, {}), ("GET", "/nowhere", None, {}),
                                            ("POST", "/predict", support.CUSTOMERS, {"Content-Type": "text/csv"}),
                                            ("POST", "/predict", b"{", {"Content-Type": "application/json"})):
            support.request(port, method, path, body, headers)

        self.input.mkdir()
        watching = self.start("watch", "--input", self.input, "--output", self.output, "--model", self.model, *options, env=env)
        watching.wait_for('"event":"watching"')
        (self.input / "good.csv").write_bytes(support.CUSTOMERS)
        (self.input / "bad.csv").write_bytes(b"a,b\n1,2\n")
        for name in ("good.csv", "bad.csv"):
            self.result(name)
        watching.wait_for('"event":"file_note"')

        failing = self.start("watch", "--input", self.input, "--output", self.folder / "other", "--api", nowhere, *options,
                             env=env)
        failing.wait_for('"event":"file_failed"')

        up = self.start("up", "--dir", self.folder / "up", "--model", self.model, "--port", 0, *options, env=env)
        up.wait_for('"event":"up"')

        function = self.start("function", "--port", 0, "--model", self.model, *options, env=env)
        function.wait_for('"event":"function_ready"')
        invocation = '{"Data":{"inputBlob":"YSxiCg=="},"Metadata":{"name":"\\"a.csv\\""}}'
        for body in (invocation, "{}"):
            support.request(self.port_of(function, "function_ready"), "POST", "/BlobTriggerConversionPrediction", body,
                            {"Content-Type": "application/json"})

        for running in (serving, watching, failing, up, function):
            running.stop()
            for line in running.text().splitlines():
                if line.startswith("{"):
                    yield json.loads(line)

    @staticmethod
    def port_of(running, event):
        return next(json.loads(line)["port"] for line in running.text().splitlines() if f'"event":"{event}"' in line)


if __name__ == "__main__":
    unittest.main()
